/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/release.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const nsec piece_pause = 10 * NSEC_PER_MSEC;
enum { PIECE = 2 * 1024 * 1024 };

static void close_first(struct release *r)
{
    (void)close(r->files[0].fd);
    r->n--;
    memmove(r->files, r->files + 1, r->n * sizeof *r->files);
}

static void give_back_some(void *ctx)
{
    struct release *r = ctx;
    /* Several are more at a time: they come faster than one by one would be given back. */
    uint64_t piece = (uint64_t)PIECE * r->n;
    r->files[0].size -= piece < r->files[0].size ? piece : r->files[0].size;
    if (ftruncate(r->files[0].fd, (off_t)r->files[0].size) != 0 || r->files[0].size == 0)
        close_first(r);
    if (r->n == 0) loop_timer_stop(r->loop, &r->timer);
}

void release_init(struct release *r, struct loop *loop)
{
    *r = (struct release){.loop = loop, .timer = {.due = give_back_some, .ctx = r}};
}

void release_done(struct release *r)
{
    if (r->n) loop_timer_stop(r->loop, &r->timer);
    while (r->n) close_first(r);
}

void release_take(struct release *r, int fd)
{
    struct stat st;
    bool gone = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
    if (!gone || flock(fd, LOCK_EX | LOCK_NB) != 0 || r->n == RELEASE_MAX ||
        (r->n == 0 && loop_timer_set(r->loop, &r->timer, piece_pause, piece_pause) != 0)) {
        (void)close(fd);
        return;
    }
    r->files[r->n].fd = fd;
    r->files[r->n++].size = (uint64_t)st.st_size;
}
