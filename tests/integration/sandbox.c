/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is left to a process that an attacker took over: every act is tried as raw system calls in a
 * child that has entered a role, with descriptors as the program's own processes hold them.
 */
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

/* What the acts need and could not make themselves any more. */
struct stage {
    char folder[64], allowed[80], other[80];
    char kept[80], inside[96]; /* a folder that keepers are given, and a file in it */
    int file_fd, socket_fd, kept_fd, inside_fd;
    void *page;
    pid_t bystander; /* another process of the same user */
};

enum { KILLED = 1000, FAILED = 1001, BY_KERNEL = -1, TRIED_MAX = 200 };
/* Ports; the version of Landlock that can tell them apart. */
enum { CALLED = 9, NOT_CALLED = 11, WITH_PORTS = 4 };

typedef long (*act)(const struct stage *s);

static long open_allowed(const struct stage *s)
{
    long fd = syscall(SYS_openat, AT_FDCWD, s->allowed, O_RDONLY);
    char c;
    return fd < 0 ? fd : read((int)fd, &c, 1) == 1 && c == 'x' ? 0 : -1;
}

static long open_other(const struct stage *s)
{
    return syscall(SYS_openat, AT_FDCWD, s->other, O_RDONLY);
}

static long open_passwd(const struct stage *s)
{
    (void)s;
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long open_write(const struct stage *s)
{
    return syscall(SYS_openat, AT_FDCWD, s->allowed, O_WRONLY);
}

static long open_create(const struct stage *s)
{
    return syscall(SYS_openat, AT_FDCWD, s->other, O_RDONLY | O_CREAT, 0600);
}

static long open_how(const struct stage *s)
{
    uint64_t how[3] = {O_RDWR, 0, 0};
    return syscall(SYS_openat2, AT_FDCWD, s->allowed, how, sizeof how);
}

static long remove_file(const struct stage *s)
{
    return syscall(SYS_unlinkat, AT_FDCWD, s->allowed, 0);
}

static long rename_file(const struct stage *s)
{
    return syscall(SYS_renameat2, AT_FDCWD, s->allowed, AT_FDCWD, s->other, 0);
}

static long write_inside(const struct stage *s)
{
    long fd = syscall(SYS_openat, AT_FDCWD, s->inside, O_RDWR);
    return fd < 0 ? fd : syscall(SYS_pwrite64, fd, "y", 1L, 0L);
}

static long write_held(const struct stage *s)
{
    return syscall(SYS_pwrite64, s->inside_fd, "y", 1L, 0L);
}

static long remove_inside(const struct stage *s)
{
    return syscall(SYS_unlinkat, s->kept_fd, "inside", 0);
}

static long rename_inside(const struct stage *s)
{
    return syscall(SYS_renameat2, s->kept_fd, "inside", s->kept_fd, "again", 0);
}

static long move_out(const struct stage *s)
{
    return syscall(SYS_renameat2, s->kept_fd, "inside", AT_FDCWD, s->other, 0);
}

static long list_kept(const struct stage *s)
{
    char names[1024];
    return syscall(SYS_getdents64, s->kept_fd, names, sizeof names);
}

static long lock_bytes(const struct stage *s)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    return syscall(SYS_fcntl, s->kept_fd, F_OFD_SETLK, &lock);
}

static long double_descriptor(const struct stage *s)
{
    return syscall(SYS_fcntl, s->file_fd, F_DUPFD_CLOEXEC, 0);
}

static long take_space(const struct stage *s)
{
    return syscall(SYS_fallocate, s->inside_fd, 0, 0L, 4096L);
}

static long cut_file(const struct stage *s)
{
    return syscall(SYS_ftruncate, s->inside_fd, 0L);
}

static long make_link(const struct stage *s)
{
    return syscall(SYS_symlinkat, "/etc/passwd", s->kept_fd, "link");
}

static long change_folder(const struct stage *s)
{
    return syscall(SYS_chdir, s->folder);
}

static long make_folder(const struct stage *s)
{
    return syscall(SYS_mkdirat, AT_FDCWD, s->folder, 0700);
}

static long make_folder_inside(const struct stage *s)
{
    return syscall(SYS_mkdirat, s->kept_fd, "below", 0700);
}

static long change_mode(const struct stage *s)
{
    return syscall(SYS_fchmod, s->file_fd, 0777);
}

static long make_memory_file(const struct stage *s)
{
    (void)s;
    return syscall(SYS_memfd_create, "x", 0);
}

static long read_held(const struct stage *s)
{
    char c;
    return pread(s->file_fd, &c, 1, 0) == 1 && c == 'x' ? 0 : -1;
}

static long make_socket(const struct stage *s)
{
    (void)s;
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long make_local_socket(const struct stage *s)
{
    (void)s;
    return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long connect_held(const struct stage *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return syscall(SYS_connect, s->socket_fd, &to, sizeof to);
}

static long bind_held(const struct stage *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    return syscall(SYS_bind, s->socket_fd, &at, sizeof at);
}

static long accept_held(const struct stage *s)
{
    return syscall(SYS_accept4, s->socket_fd, NULL, NULL, 0);
}

static long run_program(const struct stage *s)
{
    const char *argv[] = {"true", NULL}, *envp[] = {NULL};
    (void)s;
    return syscall(SYS_execve, "/bin/true", argv, envp);
}

static long run_descriptor(const struct stage *s)
{
    const char *argv[] = {"true", NULL}, *envp[] = {NULL};
    return syscall(SYS_execveat, s->file_fd, "", argv, envp, AT_EMPTY_PATH);
}

static long trace(const struct stage *s)
{
    return syscall(SYS_ptrace, PTRACE_ATTACH, s->bystander, NULL, NULL);
}

static long read_memory(const struct stage *s)
{
    return syscall(SYS_process_vm_readv, s->bystander, NULL, 0, NULL, 0, 0);
}

static long fork_process(const struct stage *s)
{
    (void)s;
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) _exit(0);
    return pid < 0 ? pid : waitpid((pid_t)pid, NULL, 0) == pid ? 0 : -1;
}

static long clone_namespace(const struct stage *s)
{
    (void)s;
    return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long mount_folder(const struct stage *s)
{
    return syscall(SYS_mount, "none", s->folder, "tmpfs", MS_NOSUID, NULL);
}

static long load_bpf(const struct stage *s)
{
    union bpf_attr attr = {0};
    (void)s;
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
}

static long start_io_uring(const struct stage *s)
{
    char params[256] = {0};
    (void)s;
    return syscall(SYS_io_uring_setup, 1, params);
}

static long fault_handler(const struct stage *s)
{
    (void)s;
    return syscall(SYS_userfaultfd, 0);
}

static long add_key(const struct stage *s)
{
    (void)s;
    return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static long map_code(const struct stage *s)
{
    (void)s;
    return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long make_code(const struct stage *s)
{
    return syscall(SYS_mprotect, s->page, 4096, PROT_READ | PROT_EXEC);
}

static long map_much(const struct stage *s)
{
    (void)s;
    return syscall(SYS_mmap, NULL, (size_t)2 << 30, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long kill_process(const struct stage *s)
{
    return syscall(SYS_kill, s->bystander, SIGKILL);
}

static long kill_thread(const struct stage *s)
{
    return syscall(SYS_tgkill, s->bystander, s->bystander, SIGKILL);
}

static long signal_self(const struct stage *s)
{
    (void)s;
    return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static long type_for_user(const struct stage *s)
{
    return syscall(SYS_ioctl, s->file_fd, TIOCSTI, "x");
}

#ifdef __x86_64__
/* getpid() by the 32 bit door, whose numbers mean other calls. */
static long other_abi(const struct stage *s)
{
    long result;
    (void)s;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    return result;
}
#endif

enum { ROLES = SANDBOX_SEARCHER + 1 };

/* What each role gets for each act. 0: allowed. BY_KERNEL: Landlock forbids it from its version 6
 * on. Columns: hunter, decoder, servant, detector, keeper, sealer, database, receiver, listener,
 * signer, indexer, front, searcher. */
static const struct {
    const char *name;
    act try;
    int want[ROLES];
} acts[] = {
#define ALL(x)                                                                                     \
    {                                                                                              \
        x, x, x, x, x, x, x, x, x, x, x, x, x                                                      \
    }
#define _ KILLED
#define N ENOSYS
#define A EACCES
#define K BY_KERNEL
    {"read what is held", read_held, ALL(0)},
    {"write what is held", write_held, {0, N, N, N, 0, 0, 0, 0, N, 0, 0, N, 0}},
    {"open a named file", open_allowed, {0, _, _, _, 0, 0, 0, 0, _, _, 0, 0, 0}},
    {"open another file", open_other, {A, _, _, _, A, A, A, A, _, _, A, A, A}},
    {"open /etc/passwd", open_passwd, {A, _, _, _, A, A, A, A, _, _, A, A, A}},
    {"open for writing", open_write, {N, _, _, _, A, A, A, N, _, _, A, N, A}},
    {"create a file", open_create, {N, _, _, _, A, A, A, N, _, _, A, N, A}},
    {"openat2", open_how, {N, _, _, _, N, N, N, N, _, _, N, N, N}},
    {"memfd_create", make_memory_file, {N, _, _, _, N, N, N, N, _, _, N, N, N}},
    {"remove a file", remove_file, {N, N, N, N, A, A, A, N, N, N, A, N, A}},
    {"rename a file", rename_file, {N, N, N, N, A, A, N, N, N, N, A, N, A}},
    {"write in its folder", write_inside, {N, _, _, _, 0, 0, 0, N, _, _, 0, N, 0}},
    {"remove from its folder", remove_inside, {N, N, N, N, 0, 0, 0, N, N, N, 0, N, 0}},
    {"rename in its folder", rename_inside, {N, N, N, N, 0, 0, N, N, N, N, 0, N, 0}},
    {"move out of its folder", move_out, {N, N, N, N, A, A, N, N, N, N, A, N, A}},
    {"list a folder", list_kept, {0, N, N, N, 0, 0, N, 0, N, N, 0, N, 0}},
    {"take space", take_space, {N, N, N, N, 0, N, N, N, N, N, N, N, N}},
    {"cut a file", cut_file, {N, N, N, N, 0, 0, 0, N, N, N, N, N, 0}},
    {"lock bytes of a folder", lock_bytes, {0, 0, N, N, 0, 0, 0, 0, N, N, 0, 0, 0}},
    {"double a descriptor", double_descriptor, {0, N, N, N, 0, 0, 0, 0, N, N, 0, 0, 0}},
    {"make a link", make_link, ALL(N)},
    {"change the folder", change_folder, ALL(N)},
    {"make a folder", make_folder, ALL(N)},
    {"change a mode", change_mode, {N, N, N, N, N, 0, N, N, N, N, N, N, 0}},
    {"socket(AF_INET)", make_socket, ALL(_)},
    {"socket(AF_UNIX)", make_local_socket, ALL(_)},
    {"connect", connect_held, ALL(_)},
    {"bind", bind_held, ALL(_)},
    {"accept", accept_held, {_, _, _, _, _, _, _, EINVAL, EINVAL, _, _, EINVAL, _}},
    {"execve", run_program, ALL(_)},
    {"execveat", run_descriptor, ALL(_)},
    {"ptrace", trace, ALL(_)},
    {"process_vm_readv", read_memory, ALL(_)},
    {"fork", fork_process, {0, N, N, 0, N, N, N, N, N, N, N, N, 0}},
    {"unshare", clone_namespace, ALL(_)},
    {"mount", mount_folder, ALL(_)},
    {"bpf", load_bpf, ALL(_)},
    {"io_uring", start_io_uring, ALL(_)},
    {"userfaultfd", fault_handler, ALL(_)},
    {"keyctl", add_key, ALL(_)},
    {"map code", map_code, ALL(N)},
    {"make a page code", make_code, ALL(N)},
    {"map 2 GiB", map_much, {0, ENOMEM, 0, 0, 0, 0, 0, 0, 0, 0, ENOMEM, 0, 0}},
    {"signal a thread of its own", signal_self, ALL(0)},
    {"kill another process", kill_process, {K, N, N, K, N, N, N, N, N, N, N, N, K}},
    {"kill another's thread", kill_thread, {K, N, N, K, N, N, N, N, N, N, N, N, K}},
    {"type into the terminal", type_for_user, ALL(N)},
#ifdef __x86_64__
    {"another ABI's getpid", other_abi, ALL(_)},
#endif
#undef ALL
#undef _
#undef N
#undef A
#undef K
};

static void write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && write(fd, "x", 1) == 1);
    (void)close(fd);
}

static pid_t start_bystander(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;) (void)pause();
    return pid;
}

static void stage_init(struct stage *s)
{
    (void)snprintf(s->folder, sizeof s->folder, "%s", "/tmp/vaka-sandbox-XXXXXX");
    REQUIRE(mkdtemp(s->folder));
    (void)snprintf(s->allowed, sizeof s->allowed, "%s/allowed", s->folder);
    (void)snprintf(s->other, sizeof s->other, "%s/other", s->folder);
    write_file(s->allowed);
    write_file(s->other);
    (void)snprintf(s->kept, sizeof s->kept, "%s/kept", s->folder);
    (void)snprintf(s->inside, sizeof s->inside, "%s/inside", s->kept);
    REQUIRE(mkdir(s->kept, 0700) == 0);
    write_file(s->inside);
    s->kept_fd = open(s->kept, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->inside_fd = open(s->inside, O_RDWR | O_CLOEXEC);
    s->file_fd = open(s->allowed, O_RDONLY | O_CLOEXEC);
    s->socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s->bystander = start_bystander();
    REQUIRE(s->kept_fd >= 0 && s->inside_fd >= 0);
    REQUIRE(s->file_fd >= 0 && s->socket_fd >= 0 && s->page != MAP_FAILED && s->bystander > 0);
}

static void stage_done(struct stage *s)
{
    (void)kill(s->bystander, SIGKILL);
    (void)waitpid(s->bystander, NULL, 0);
    (void)close(s->file_fd);
    (void)close(s->socket_fd);
    (void)munmap(s->page, 4096);
    (void)unlinkat(s->kept_fd, "inside", 0);
    (void)unlinkat(s->kept_fd, "again", 0);
    (void)close(s->kept_fd);
    (void)close(s->inside_fd);
    (void)rmdir(s->kept);
    (void)unlink(s->allowed);
    (void)unlink(s->other);
    (void)rmdir(s->folder);
}

/* A parser with a mistake: a name of any length goes into 16 bytes, and what stands behind them is
 * called. Byte by byte, so that no check of the C library stands in its way. */
struct parsed {
    char name[16];
    act done;
};

__attribute__((noinline)) static long parse(struct parsed *to, const char *input, size_t len,
                                            const struct stage *s)
{
    volatile char *at = to->name;
    for (size_t i = 0; i < len; i++) at[i] = input[i];
    return to->done(s);
}

static long parsed_well(const struct stage *s)
{
    (void)s;
    return 0;
}

/* An input that makes the parser do this. */
static long take_over(const struct stage *s, act try)
{
    struct parsed *to = calloc(1, sizeof *to);
    char input[sizeof *to] = "a long name, and";
    if (!to) return -1;
    to->done = parsed_well;
    memcpy(input + offsetof(struct parsed, done), &try, sizeof try);
    return parse(to, input, sizeof input, s);
}

/* 0, an errno, KILLED, or FAILED: it never came to it. */
static int attempt(const struct stage *s, enum sandbox_role role, act try)
{
    pid_t pid = fork();
    int status;
    if (pid < 0) return FAILED;
    if (pid == 0) {
        const char *path = s->allowed, *folder = s->kept;
        const uint16_t port = CALLED;
        const struct sandbox_files files = {.paths = &path,
                                            .n_paths = 1,
                                            .folders = &folder,
                                            .n_folders = 1,
                                            .ports = &port,
                                            .n_ports = 1};
        if (sandbox_enter(role, &files, NULL) != 0) _exit(TRIED_MAX);
        errno = 0;
        _exit(take_over(s, try) >= 0 ? 0 : errno < TRIED_MAX ? errno : TRIED_MAX);
    }
    if (waitpid(pid, &status, 0) != pid) return FAILED;
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? KILLED : FAILED;
    return WEXITSTATUS(status) == TRIED_MAX ? FAILED : WEXITSTATUS(status);
}

/* In a child, because a role is entered for good. */
static enum sandbox_level level_here(void)
{
    pid_t pid = fork();
    int status = 0;
    if (pid == 0) {
        enum sandbox_level level;
        _exit(sandbox_enter(SANDBOX_DECODER, NULL, &level) == 0 ? (int)level : (int)SANDBOX_NONE);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
               ? (enum sandbox_level)WEXITSTATUS(status)
               : SANDBOX_NONE;
}

static void try_all(enum sandbox_role role)
{
    enum sandbox_level level = level_here();
    struct stage s;
    if (level == SANDBOX_NONE) test_skip("no sandbox here: sanitizers, or the kernel has none");
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        int want = acts[i].want[role];
        /* Without Landlock a role that opens files may open what its user may. */
        if ((want == EACCES && level != SANDBOX_FULL) || want == BY_KERNEL) continue;
        stage_init(&s);
        int got = attempt(&s, role, acts[i].try);
        if (got != want) test_fail(__FILE__, __LINE__, "%s: %d, not %d", acts[i].name, got, want);
        stage_done(&s);
    }
}

TEST(sandbox_hunter_reads_named_files_and_forks)
{
    try_all(SANDBOX_HUNTER);
}

TEST(sandbox_decoder_has_only_its_descriptors)
{
    try_all(SANDBOX_DECODER);
}

TEST(sandbox_servant_has_only_its_descriptors)
{
    try_all(SANDBOX_SERVANT);
}

TEST(sandbox_detector_forks)
{
    try_all(SANDBOX_DETECTOR);
}

TEST(sandbox_keeper_has_its_folder)
{
    try_all(SANDBOX_KEEPER);
}

TEST(sandbox_sealer_has_its_folder_but_takes_no_space)
{
    try_all(SANDBOX_SEALER);
}

TEST(sandbox_database_changes_no_names)
{
    try_all(SANDBOX_DATABASE);
}

TEST(sandbox_receiver_accepts_and_reads)
{
    try_all(SANDBOX_RECEIVER);
}

TEST(sandbox_signer_opens_nothing)
{
    try_all(SANDBOX_SIGNER);
}

TEST(sandbox_indexer_writes_in_its_folder)
{
    try_all(SANDBOX_INDEXER);
}

TEST(sandbox_listener_accepts_and_opens_nothing)
{
    try_all(SANDBOX_LISTENER);
}

TEST(sandbox_front_accepts_and_reads_one_database)
{
    try_all(SANDBOX_FRONT);
}

TEST(sandbox_searcher_reads_and_writes_in_its_folder)
{
    try_all(SANDBOX_SEARCHER);
}

/* All acts above come from an overflow, which outside of a role can do what it likes. */
TEST(sandbox_overflow_does_as_it_likes_without_a_role)
{
    struct stage s;
    stage_init(&s);
    CHECK(take_over(&s, open_passwd) >= 0);
    CHECK(take_over(&s, make_socket) >= 0);
    CHECK(take_over(&s, fork_process) == 0);
    stage_done(&s);
}

/* The decoders' way: a child of a hunter or of a detector, in both filters. */
static long enter_decoder_and_open(const struct stage *s)
{
    if (sandbox_enter(SANDBOX_DECODER, NULL, NULL) != 0) return -1;
    return open_allowed(s);
}

static long enter_decoder_and_read(const struct stage *s)
{
    if (sandbox_enter(SANDBOX_DECODER, NULL, NULL) != 0) return -1;
    return read_held(s);
}

/* A role only gets narrower: entering the wide one again gives nothing back. */
static long widen_decoder(const struct stage *s)
{
    if (sandbox_enter(SANDBOX_DECODER, NULL, NULL) != 0) return -1;
    const char *path = s->allowed;
    const struct sandbox_files files = {.paths = &path, .n_paths = 1};
    return sandbox_enter(SANDBOX_HUNTER, &files, NULL) == 0 ? 0 : -1;
}

TEST(sandbox_roles_only_get_narrower)
{
    static const enum sandbox_role parents[] = {SANDBOX_HUNTER, SANDBOX_DETECTOR};
    struct stage s;
    if (level_here() == SANDBOX_NONE) test_skip("no sandbox here");
    stage_init(&s);
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        CHECK_INT(attempt(&s, parents[i], enter_decoder_and_read), 0);
        CHECK_INT(attempt(&s, parents[i], enter_decoder_and_open), KILLED);
        CHECK(attempt(&s, parents[i], widen_decoder) != 0);
    }
    stage_done(&s);
}

/* ---- the roles that call others --------------------------------------------------------- */

static long connect_to(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fd;
    long r = syscall(SYS_connect, (int)fd, &to, sizeof to);
    return r == 0 || errno == EINPROGRESS || errno == ECONNREFUSED ? 0 : r;
}

static long call_named(const struct stage *s)
{
    (void)s;
    return connect_to(CALLED);
}

static long call_other(const struct stage *s)
{
    (void)s;
    return connect_to(NOT_CALLED);
}

static long make_datagrams(const struct stage *s)
{
    (void)s;
    return syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static long make_local(const struct stage *s)
{
    (void)s;
    return syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static long bind_port(const struct stage *s)
{
    const struct sockaddr_in at = {.sin_family = AF_INET};
    return syscall(SYS_bind, s->socket_fd, &at, sizeof at);
}

static long make_pair(const struct stage *s)
{
    int fds[2];
    (void)s;
    return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}

static const struct {
    const char *name;
    act try;
    int caller, puller, prober;
} acts_of_callers[] = {
    {"call a named port", call_named, 0, 0, 0},
    {"make a socket for datagrams", make_datagrams, ENOSYS, ENOSYS, ENOSYS},
    {"make a local socket", make_local, ENOSYS, ENOSYS, ENOSYS},
    {"make a pair of sockets", make_pair, ENOSYS, ENOSYS, 0},
    {"bind", bind_port, KILLED, KILLED, KILLED},
    {"accept", accept_held, KILLED, KILLED, KILLED},
    {"open a named file", open_allowed, KILLED, 0, 0},
    {"open another file", open_other, KILLED, EACCES, EACCES},
    {"open /etc/passwd", open_passwd, KILLED, EACCES, EACCES},
    {"open for writing", open_write, KILLED, ENOSYS, ENOSYS},
    {"create a file", open_create, KILLED, ENOSYS, ENOSYS},
    {"write what is held", write_held, ENOSYS, 0, 0},
    {"remove from a folder", remove_inside, ENOSYS, ENOSYS, ENOSYS},
    {"list a folder", list_kept, ENOSYS, ENOSYS, ENOSYS},
    {"execve", run_program, KILLED, KILLED, KILLED},
    {"fork", fork_process, ENOSYS, ENOSYS, ENOSYS},
    {"ptrace", trace, KILLED, KILLED, KILLED},
    {"map code", map_code, ENOSYS, ENOSYS, ENOSYS},
};

static void try_calling(enum sandbox_role role)
{
    enum sandbox_level level = level_here();
    struct stage s;
    if (level == SANDBOX_NONE) test_skip("no sandbox here");
    for (size_t i = 0; i < sizeof acts_of_callers / sizeof *acts_of_callers; i++) {
        int want = role == SANDBOX_CALLER   ? acts_of_callers[i].caller
                   : role == SANDBOX_PULLER ? acts_of_callers[i].puller
                                            : acts_of_callers[i].prober;
        if (want == EACCES && level != SANDBOX_FULL) continue;
        stage_init(&s);
        int got = attempt(&s, role, acts_of_callers[i].try);
        if (got != want)
            test_fail(__FILE__, __LINE__, "%s: %d, not %d", acts_of_callers[i].name, got, want);
        stage_done(&s);
    }
    stage_init(&s);
    CHECK_INT(attempt(&s, role, call_other),
              syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1) >= WITH_PORTS ? EACCES : 0);
    stage_done(&s);
}

TEST(sandbox_caller_connects_to_named_ports_alone)
{
    try_calling(SANDBOX_CALLER);
}

TEST(sandbox_puller_connects_and_reads_what_is_named)
{
    try_calling(SANDBOX_PULLER);
}

TEST(sandbox_prober_makes_pairs_of_sockets_as_well)
{
    try_calling(SANDBOX_PROBER);
}

static long send_question(const struct stage *s)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(CALLED),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long fd = make_datagrams(s);
    if (fd < 0) return fd;
    if (syscall(SYS_connect, (int)fd, &to, sizeof to) != 0) return -1;
    return syscall(SYS_sendto, (int)fd, "x", 1L, MSG_NOSIGNAL, NULL, 0L);
}

struct trial {
    const char *name;
    act try;
    int want;
};

static void try_each(enum sandbox_role role, const struct trial *trials, size_t n)
{
    enum sandbox_level level = level_here();
    struct stage s;
    if (level == SANDBOX_NONE) test_skip("no sandbox here");
    for (size_t i = 0; i < n; i++) {
        if (trials[i].want == EACCES && level != SANDBOX_FULL) continue;
        stage_init(&s);
        int got = attempt(&s, role, trials[i].try);
        if (got != trials[i].want)
            test_fail(__FILE__, __LINE__, "%s: %d, not %d", trials[i].name, got, trials[i].want);
        stage_done(&s);
    }
}

TEST(sandbox_watchdog_hears_calls_and_keeps_its_folder)
{
    static const struct trial trials[] = {
        {"call a named port", call_named, 0},
        {"accept", accept_held, EINVAL},
        {"bind", bind_port, KILLED},
        {"make a local socket", make_local, ENOSYS},
        {"make a socket for datagrams", make_datagrams, ENOSYS},
        {"write in its folder", write_inside, 0},
        {"open another file", open_other, EACCES},
        {"open /etc/passwd", open_passwd, EACCES},
        {"create a file", open_create, EACCES},
        {"execve", run_program, KILLED},
        {"fork", fork_process, ENOSYS},
        {"ptrace", trace, KILLED},
        {"map code", map_code, ENOSYS},
    };
    try_each(SANDBOX_WATCHDOG, trials, sizeof trials / sizeof *trials);
}

TEST(sandbox_resolver_reads_what_is_named_and_asks)
{
    static const struct trial trials[] = {
        {"send a datagram", send_question, 0},
        {"call a named port", call_named, 0},
        /* The C library tries it, and does without. */
        {"bind", bind_port, ENOSYS},
        {"accept", accept_held, KILLED},
        {"make a local socket", make_local, ENOSYS},
        {"make a pair of sockets", make_pair, ENOSYS},
        {"open a named file", open_allowed, 0},
        {"open another file", open_other, EACCES},
        {"open for writing", open_write, ENOSYS},
        {"create a file", open_create, ENOSYS},
        {"write what is held", write_held, ENOSYS},
        {"remove from a folder", remove_inside, ENOSYS},
        {"list a folder", list_kept, ENOSYS},
        {"type into the terminal", type_for_user, ENOSYS},
        {"execve", run_program, KILLED},
        {"fork", fork_process, ENOSYS},
        {"ptrace", trace, KILLED},
        {"kill another process", kill_process, ENOSYS},
        {"map code", map_code, ENOSYS},
    };
    try_each(SANDBOX_RESOLVER, trials, sizeof trials / sizeof *trials);
}

/* ---- the role that looks back ------------------------------------------------------------ */

static const struct {
    const char *name;
    act try;
    int want, librarian;
} acts_of_reviewers[] = {
    {"open a named file", open_allowed, 0, 0},
    {"open another file", open_other, EACCES, EACCES},
    {"open /etc/passwd", open_passwd, EACCES, EACCES},
    {"open for writing", open_write, EACCES, EACCES},
    {"create a file", open_create, EACCES, EACCES},
    {"remove a file", remove_file, EACCES, EACCES},
    {"write in its folder", write_inside, 0, 0},
    {"rename in its folder", rename_inside, 0, 0},
    {"move out of its folder", move_out, EACCES, EACCES},
    {"list a folder", list_kept, 0, 0},
    {"take space", take_space, ENOSYS, ENOSYS},
    {"cut a file", cut_file, 0, 0},
    {"make a folder", make_folder, ENOSYS, EEXIST},
    {"make a folder in its folder", make_folder_inside, ENOSYS, 0},
    {"socket(AF_INET)", make_socket, KILLED, KILLED},
    {"accept", accept_held, KILLED, KILLED},
    {"execve", run_program, KILLED, KILLED},
    {"fork", fork_process, 0, 0},
    {"ptrace", trace, KILLED, KILLED},
    {"map code", map_code, ENOSYS, ENOSYS},
};

static void try_reviewing(enum sandbox_role role)
{
    enum sandbox_level level = level_here();
    struct stage s;
    if (level == SANDBOX_NONE) test_skip("no sandbox here");
    for (size_t i = 0; i < sizeof acts_of_reviewers / sizeof *acts_of_reviewers; i++) {
        int want =
            role == SANDBOX_LIBRARIAN ? acts_of_reviewers[i].librarian : acts_of_reviewers[i].want;
        if (want == EACCES && level != SANDBOX_FULL) continue;
        stage_init(&s);
        int got = attempt(&s, role, acts_of_reviewers[i].try);
        if (got != want)
            test_fail(__FILE__, __LINE__, "%s: %d, not %d", acts_of_reviewers[i].name, got, want);
        stage_done(&s);
    }
}

TEST(sandbox_reviewer_reads_what_is_named_keeps_its_folder_and_forks)
{
    try_reviewing(SANDBOX_REVIEWER);
}

TEST(sandbox_librarian_makes_folders_in_its_folder_as_well)
{
    try_reviewing(SANDBOX_LIBRARIAN);
}
