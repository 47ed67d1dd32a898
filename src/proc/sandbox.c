/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/landlock.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANDBOX_OFF 1
#endif
#endif
#ifndef SANDBOX_OFF
#define SANDBOX_OFF 0
#endif

#define CALLS(...)                                                                                 \
    (const int[])                                                                                  \
    {                                                                                              \
        __VA_ARGS__, SCMP_CALL_END                                                                 \
    }
enum { SCMP_CALL_END = -1000000 };

/* What any computing process needs of the kernel. mmap and mprotect are added without PROT_EXEC. */
static const int *const calls_compute = CALLS(
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage),
    SCMP_SYS(membarrier), SCMP_SYS(rseq), SCMP_SYS(set_robust_list));

/* Descriptors it already has. */
static const int *const calls_descriptors =
    CALLS(SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
          SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom),
          SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll));

/* What the hunter does beside that: children, their sandbox, and reading the files it was named,
 * with a hold on journals meanwhile. */
static const int *const calls_hunter =
    CALLS(SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(wait4),
          SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(set_tid_address),
          SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
          SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
          SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
          SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fadvise64), SCMP_SYS(pwrite64),
          SCMP_SYS(fsync), SCMP_SYS(flock), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(prlimit64),
          SCMP_SYS(setrlimit), SCMP_SYS(getrlimit), SCMP_SYS(landlock_create_ruleset),
          SCMP_SYS(landlock_restrict_self), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
          SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(pipe2),
          SCMP_SYS(socketpair), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait));

/* An event loop over descriptors it has. */
static const int *const calls_loop =
    CALLS(SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait));

/* Children that enter their own sandbox, and their end. */
static const int *const calls_fork =
    CALLS(SCMP_SYS(clone), SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(kill), SCMP_SYS(tgkill),
          SCMP_SYS(dup), SCMP_SYS(close_range), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(prctl),
          SCMP_SYS(seccomp), SCMP_SYS(prlimit64), SCMP_SYS(landlock_create_ruleset),
          SCMP_SYS(landlock_restrict_self), SCMP_SYS(getppid), SCMP_SYS(socketpair));

/* Children whose sandbox names files. */
static const int *const calls_narrow = CALLS(SCMP_SYS(landlock_add_rule));

/* Files in its folders, opened, written, made durable and removed. */
static const int *const calls_files = CALLS(
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(fcntl), SCMP_SYS(pwrite64),
    SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(unlink), SCMP_SYS(unlinkat));

/* What the store's table of calls has besides: names of a folder, and whole files put in place. */
static const int *const calls_names =
    CALLS(SCMP_SYS(getdents64), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2));

/* folder_replace(): the new file is whose the folder is; a line of the audit log that did not fit
 * on the disk is taken back. */
static const int *const calls_replace = CALLS(SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(geteuid),
                                              SCMP_SYS(flock), SCMP_SYS(ftruncate));

/* Folders in its folders, and thousands of files that are made durable at once. */
static const int *const calls_make = CALLS(SCMP_SYS(mkdirat), SCMP_SYS(syncfs));

/* What seals: much need not be there at once, and journals are given back in pieces. */
static const int *const calls_seal =
    CALLS(SCMP_SYS(sync_file_range), SCMP_SYS(ftruncate), SCMP_SYS(flock), SCMP_SYS(fadvise64));

/* What indexes is alone in that. */
static const int *const calls_index = CALLS(SCMP_SYS(flock));

/* Who hands out stored records has the disk begin with what is read next. */
static const int *const calls_ahead = CALLS(SCMP_SYS(fadvise64));

/* What reads stored records takes turns with others that do. */
static const int *const calls_turns = CALLS(SCMP_SYS(flock));

/* Journals and the ballast: space taken and given back; what is read of them is locked. */
static const int *const calls_space =
    CALLS(SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fstatfs), SCMP_SYS(flock),
          SCMP_SYS(fadvise64));

/* SQLite's log is cut, and it asks which files there are. */
static const int *const calls_database =
    CALLS(SCMP_SYS(ftruncate), SCMP_SYS(stat), SCMP_SYS(access), SCMP_SYS(faccessat),
          SCMP_SYS(faccessat2));

/* A file that it has open is written and made durable, and another process held off meanwhile. The
 * C library asks about descriptors with newfstatat. */
static const int *const calls_signer =
    CALLS(SCMP_SYS(pwrite64), SCMP_SYS(fdatasync), SCMP_SYS(flock), SCMP_SYS(newfstatat));

/* Connections of a socket that was opened for it, and who is at their other end. */
static const int *const calls_listen = CALLS(SCMP_SYS(accept4), SCMP_SYS(getsockopt));

/* Connections of sockets that were opened for it, files that it reads, and how far. */
static const int *const calls_receive =
    CALLS(SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
          SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(recvmmsg),
          SCMP_SYS(fcntl), SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx),
          SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
          SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fstatfs),
          SCMP_SYS(statfs), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1), SCMP_SYS(inotify_init1),
          SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch), SCMP_SYS(writev),
          SCMP_SYS(pwrite64), SCMP_SYS(fdatasync), SCMP_SYS(fgetxattr));

/* Connections of a socket that was opened for it, and SQLite's locks of a file that it reads. */
static const int *const calls_front = CALLS(
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(fcntl),
    SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd));

/* Connections to others; socket() is added for the internet's streams alone. */
static const int *const calls_call =
    CALLS(SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
          SCMP_SYS(getpeername), SCMP_SYS(shutdown), SCMP_SYS(fcntl));

/* How far it is, in files that it has open; the C library asks about descriptors with newfstatat.
 */
static const int *const calls_bookmark =
    CALLS(SCMP_SYS(pwrite64), SCMP_SYS(fdatasync), SCMP_SYS(newfstatat));

/* Questions to name servers, and the files that say which those are. */
static const int *const calls_resolve =
    CALLS(SCMP_SYS(sendmmsg), SCMP_SYS(newfstatat), SCMP_SYS(uname));

/* Both ends of a connection, of which another process is passed one. */
static const int *const calls_pair = CALLS(SCMP_SYS(socketpair));

/* No role of this program has a reason to try these: trying is proof of a takeover. */
static const int *const calls_fatal =
    CALLS(SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
          SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount),
          SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
          SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
          SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl), SCMP_SYS(add_key),
          SCMP_SYS(request_key), SCMP_SYS(init_module), SCMP_SYS(finit_module),
          SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(listen));

/* The same; but the C library tries it when it looks up hosts, and does without. */
static const int *const calls_bind = CALLS(SCMP_SYS(bind));

/* The same, but for roles that call others. */
static const int *const calls_connect = CALLS(SCMP_SYS(socket), SCMP_SYS(connect));

/* Fatal as well for a role that has no sockets to the world. */
static const int *const calls_accept = CALLS(SCMP_SYS(accept), SCMP_SYS(accept4));

/* Fatal as well for a role that opens nothing. */
static const int *const calls_open =
    CALLS(SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
          SCMP_SYS(open_by_handle_at), SCMP_SYS(memfd_create));

struct sandbox_row {
    const int *allow[10];
    const int *fatal[5];
    bool reads_files;    /* opens for reading only; else its list of calls says */
    bool keeps_files;    /* the named folders are its own */
    bool makes_folders;  /* and it makes and removes folders in them */
    bool calls;          /* connects to the named ports */
    bool looks_up;       /* names of hosts: sends datagrams as well */
    bool has_locks;      /* of bytes of files it has, and asks for those of others */
    bool kills;          /* signals other processes than itself: those it forked */
    uint64_t max_files;  /* RLIMIT_NOFILE; 0: as it is */
    uint64_t max_memory; /* RLIMIT_DATA, bytes; 0: as it is */
};

static const struct sandbox_row rows[] = {
    [SANDBOX_HUNTER] = {.allow = {calls_compute, calls_descriptors, calls_hunter, NULL},
                        .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                        .reads_files = true},
    [SANDBOX_DECODER] = {.allow = {calls_compute, calls_descriptors, calls_turns, NULL},
                         .fatal = {calls_fatal, calls_connect, calls_accept, calls_open, NULL},
                         .has_locks = true,
                         .max_files = 512,
                         .max_memory = UINT64_C(1) << 30},
    [SANDBOX_SERVANT] = {.allow = {calls_compute, calls_descriptors, calls_loop, NULL},
                         .fatal = {calls_fatal, calls_connect, calls_accept, calls_open, NULL},
                         .max_files = 256},
    [SANDBOX_SIGNER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_signer, NULL},
                        .fatal = {calls_fatal, calls_connect, calls_accept, calls_open, NULL},
                        .max_files = 256},
    [SANDBOX_DETECTOR] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_fork, NULL},
                          .fatal = {calls_fatal, calls_connect, calls_accept, calls_open, NULL},
                          .kills = true},
    [SANDBOX_KEEPER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_files,
                                  calls_names, calls_space, NULL},
                        .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                        .keeps_files = true},
    [SANDBOX_SEALER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_files,
                                  calls_names, calls_replace, calls_seal, NULL},
                        .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                        .keeps_files = true},
    [SANDBOX_INDEXER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_files,
                                   calls_names, calls_index, NULL},
                         .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                         .keeps_files = true,
                         .max_files = 256,
                         .max_memory = UINT64_C(1) << 30},
    [SANDBOX_DATABASE] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_files,
                                    calls_database, NULL},
                          .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                          .keeps_files = true},
    [SANDBOX_REVIEWER] = {.allow = {calls_compute, calls_descriptors, calls_fork, calls_files,
                                    calls_names, calls_replace, calls_ahead, NULL},
                          .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                          .keeps_files = true,
                          .kills = true},
    [SANDBOX_SEARCHER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_fork,
                                    calls_narrow, calls_files, calls_names, calls_replace,
                                    calls_ahead, NULL},
                          .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                          .keeps_files = true,
                          .kills = true},
    [SANDBOX_LIBRARIAN] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_files,
                                     calls_names, calls_replace, calls_fork, calls_make, NULL},
                           .fatal = {calls_fatal, calls_connect, calls_accept, NULL},
                           .keeps_files = true,
                           .makes_folders = true,
                           .kills = true,
                           .max_files = 256},
    [SANDBOX_LISTENER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_listen,
                                    NULL},
                          .fatal = {calls_fatal, calls_connect, calls_open, NULL}},
    [SANDBOX_RECEIVER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_receive,
                                    NULL},
                          .fatal = {calls_fatal, calls_connect, NULL},
                          .reads_files = true},
    [SANDBOX_FRONT] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_front, NULL},
                       .fatal = {calls_fatal, calls_connect, NULL},
                       .reads_files = true,
                       .max_files = 4096},
    [SANDBOX_CALLER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_call, NULL},
                        .fatal = {calls_fatal, calls_accept, calls_open, NULL},
                        .calls = true,
                        .max_files = 256},
    [SANDBOX_PULLER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_call,
                                  calls_bookmark, NULL},
                        .fatal = {calls_fatal, calls_accept, NULL},
                        .reads_files = true,
                        .calls = true,
                        .max_files = 256},
    [SANDBOX_PROBER] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_call,
                                  calls_bookmark, calls_pair, NULL},
                        .fatal = {calls_fatal, calls_accept, NULL},
                        .reads_files = true,
                        .calls = true,
                        .max_files = 256},
    [SANDBOX_RESOLVER] = {.allow = {calls_compute, calls_descriptors, calls_call, calls_resolve,
                                    NULL},
                          .fatal = {calls_fatal, calls_accept, NULL},
                          .reads_files = true,
                          .calls = true,
                          .looks_up = true,
                          .max_files = 64},
    [SANDBOX_WATCHDOG] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_receive,
                                    calls_files, calls_names, calls_replace, calls_call, NULL},
                          .fatal = {calls_fatal, NULL},
                          .keeps_files = true,
                          .calls = true},
    [SANDBOX_WITNESS] = {.allow = {calls_compute, calls_descriptors, calls_loop, calls_receive,
                                   calls_files, calls_names, NULL},
                         .fatal = {calls_fatal, calls_connect, NULL},
                         .keeps_files = true},
};

static int add_calls(scmp_filter_ctx ctx, uint32_t action, const int *const *lists)
{
    for (; *lists; lists++) {
        for (const int *call = *lists; *call != SCMP_CALL_END; call++) {
            int r = seccomp_rule_add(ctx, action, *call, 0);
            /* A call that this architecture does not have needs no rule. */
            if (r != 0 && r != -EDOM && r != -EEXIST) return ERR_LIMIT;
        }
    }
    return 0;
}

/* Reading, not creating; and of the terminal only what it is, not what types into it. */
static int add_reading(scmp_filter_ctx ctx)
{
    const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
    if (r == 0 && SCMP_SYS(open) >= 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, TCGETS, 0));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ, 0));
    return r;
}

/* No Unix or raw sockets, and datagrams only for who looks up hosts. */
static int add_calling(scmp_filter_ctx ctx, bool looks_up)
{
    static const int families[] = {AF_INET, AF_INET6};
    const uint64_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    int r = 0;
    for (size_t i = 0; i < 2 && r == 0; i++) {
        const struct scmp_arg_cmp family = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0);
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, family,
                             SCMP_A1(SCMP_CMP_EQ, SOCK_STREAM | flags, 0),
                             SCMP_A2(SCMP_CMP_EQ, 0, 0));
        if (!looks_up) continue;
        if (r == 0)
            r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, family,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, ~flags, SOCK_STREAM));
        if (r == 0)
            r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, family,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, ~flags, SOCK_DGRAM));
    }
    /* How much of an answer there is. */
    if (r == 0 && looks_up)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
    return r;
}

static int add_locks(scmp_filter_ctx ctx)
{
    int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                             SCMP_A1(SCMP_CMP_EQ, F_OFD_GETLK, 0));
    return r ? r
             : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                SCMP_A1(SCMP_CMP_EQ, F_OFD_SETLK, 0));
}

static int add_conditions(scmp_filter_ctx ctx, const struct sandbox_row *row)
{
    int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0 && row->reads_files) r = add_reading(ctx);
    if (r == 0 && row->calls) r = add_calling(ctx, row->looks_up);
    if (r == 0 && row->has_locks) r = add_locks(ctx);
    /* abort() signals the process itself; no other of the same user is its business. */
    if (r == 0 && !row->kills && row != &rows[SANDBOX_HUNTER])
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return r == 0 ? 0 : ERR_LIMIT;
}

static int filter_enter(const struct sandbox_row *row)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!ctx) return ERR_NOMEM;
    /* Calls of another ABI (32 bit, x32) have no business here at all. */
    int result =
        seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 ? 0 : ERR_LIMIT;
    if (result == 0) result = add_calls(ctx, SCMP_ACT_ALLOW, row->allow);
    if (result == 0) result = add_calls(ctx, SCMP_ACT_KILL_PROCESS, row->fatal);
    if (result == 0 && !row->looks_up)
        result = add_calls(ctx, SCMP_ACT_KILL_PROCESS, (const int *const[]){calls_bind, NULL});
    if (result == 0) result = add_conditions(ctx, row);
    /* A tree instead of a list: a call costs a handful of steps. */
    if (result == 0) (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0 && seccomp_load(ctx) != 0) result = ERR_LIMIT;
    seccomp_release(ctx);
    return result;
}

static void limit(__rlimit_resource_t which, uint64_t value)
{
    struct rlimit now;
    if (getrlimit(which, &now) != 0) return;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value) return;
    (void)setrlimit(which, &(struct rlimit){.rlim_cur = value, .rlim_max = value});
}

const char *sandbox_level_name(enum sandbox_level level)
{
    switch (level) {
    case SANDBOX_FULL:
        return "landlock+seccomp";
    case SANDBOX_FILTER:
        return "seccomp";
    case SANDBOX_NONE:
        break;
    }
    return "none";
}

int sandbox_enter(enum sandbox_role role, const struct sandbox_files *files,
                  enum sandbox_level *ret_level)
{
    enum sandbox_level none = SANDBOX_NONE;
    if (!ret_level) ret_level = &none;
    *ret_level = SANDBOX_NONE;
    if (SANDBOX_OFF) return 0;
    const struct sandbox_row *row = &rows[role];
    limit(RLIMIT_CORE, 0);
    if (row->max_files) limit(RLIMIT_NOFILE, row->max_files);
    if (row->max_memory) limit(RLIMIT_DATA, row->max_memory);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ERR_LIMIT;
    /* Nobody of the same user attaches to it or reads its memory. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const struct sandbox_files nothing = {0};
    const struct sandbox_files *f = files ? files : &nothing;
    const struct landlock_allowed allowed = {
        .paths = f->paths,
        .n_paths = row->reads_files || row->keeps_files ? f->n_paths : 0,
        .folders = f->folders,
        .n_folders = row->keeps_files ? f->n_folders : 0,
        .makes_folders = row->makes_folders,
        .ports = f->ports,
        .n_ports = row->calls ? f->n_ports : 0,
    };
    bool confined = landlock_confine(&allowed) == 0;
    int result = filter_enter(row);
    if (result == 0) *ret_level = confined ? SANDBOX_FULL : SANDBOX_FILTER;
    return result;
}
