/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The real program with faults that a test turns on and off while it runs; linked into vaka-faulty,
 * never into vaka. A role reads them from the file faults/ROLE below the folder it was started in
 * (of another command faults/COMMAND):
 * numbers of 64 bits, mapped before it enters its sandbox. Without the file there are none.
 *
 * The calls are defined here under their own names, so that SQLite's go the same way. A record that
 * holds one of the marks below brings down the engine that matches it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "detect/engine.h"

struct faults {
    int64_t no_sync;    /* 1: fsync and fdatasync do nothing */
    int64_t fail_sync;  /* so many of the next syncs fail with EIO */
    int64_t slow_sync;  /* milliseconds that each takes */
    int64_t fail_write; /* so many of the next writes to files fail with EIO */
    int64_t clock;      /* seconds that the wall clock is ahead */
};

static struct faults none;
static struct faults *faults = &none;

__attribute__((constructor)) static void map_faults(int argc, char **argv)
{
    char path[64];
    if (argc < 2) return;
    bool is_role = argc > 2 && strcmp(argv[1], "--role") == 0;
    (void)snprintf(path, sizeof path, "faults/%s", argv[is_role ? 2 : 1]);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *page = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (page == MAP_FAILED) abort();
    faults = page;
}

/* Whether this one is to fail: counts down. */
static bool is_due(int64_t *left)
{
    return __atomic_load_n(left, __ATOMIC_SEQ_CST) > 0 &&
           __atomic_fetch_sub(left, 1, __ATOMIC_SEQ_CST) > 0;
}

static int sync_with(long call, int fd)
{
    if (is_due(&faults->fail_sync)) {
        errno = EIO;
        return -1;
    }
    if (faults->slow_sync) (void)usleep((useconds_t)faults->slow_sync * 1000);
    return faults->no_sync ? 0 : (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_with(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return sync_with(SYS_fdatasync, fd);
}

/* With offsets of 64 bits this is pwrite64(), which SQLite calls, too. */
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    if (is_due(&faults->fail_write)) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

int clock_gettime(clockid_t id, struct timespec *ret)
{
    int result = (int)syscall(SYS_clock_gettime, id, ret);
    if (result == 0 && id == CLOCK_REALTIME) ret->tv_sec += faults->clock;
    return result;
}

/* ---- records that an engine does not survive ---------------------------------------------- */

static void hang(void)
{
    for (;;) __asm__ volatile("" ::: "memory");
}

/* As a decoder would: until there is no more, then the event is given up. */
static int eat(void)
{
    enum { PIECE = 1 << 24 };
    for (char *p; (p = malloc(PIECE)) != NULL;) *(volatile char *)p = 1;
    return ERR_NOMEM;
}

int __real_engine_match(struct engine *e, struct event *ev, struct engine_result *ret);
int __wrap_engine_match(struct engine *e, struct event *ev, struct engine_result *ret);

int __wrap_engine_match(struct engine *e, struct event *ev, struct engine_result *ret)
{
    if (slice_find(ev->raw, SLICE("ABORTMARK")) != SIZE_MAX) abort();
    if (slice_find(ev->raw, SLICE("HANGMARK")) != SIZE_MAX) hang();
    if (slice_find(ev->raw, SLICE("EATMARK")) != SIZE_MAX) return eat();
    return __real_engine_match(e, ev, ret);
}
