/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/release.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const nsec piece_pause = 10 * NSEC_PER_MSEC;
enum { PIECE = 2 * 1024 * 1024 };

static void drop(struct release *r, size_t i)
{
    (void)close(r->files[i].fd);
    r->n--;
    memmove(r->files + i, r->files + i + 1, (r->n - i) * sizeof *r->files);
}

/* The first that nobody reads any more; r->n: there is none. */
static size_t find_unread(struct release *r)
{
    const uint32_t most = (uint32_t)(RELEASE_PATIENCE * NSEC_PER_SEC / piece_pause);
    for (size_t i = 0; i < r->n;) {
        if (!r->files[i].locked) r->files[i].locked = flock(r->files[i].fd, LOCK_EX | LOCK_NB) == 0;
        if (r->files[i].locked) return i;
        if (++r->files[i].tries > most) drop(r, i);
        else i++;
    }
    return r->n;
}

static void give_back_some(void *ctx)
{
    struct release *r = ctx;
    size_t i = find_unread(r);
    if (i < r->n) {
        /* Several are more at a time: they come faster than one by one would be given back. */
        uint64_t piece = (uint64_t)PIECE * r->n, size = r->files[i].size;
        size -= piece < size ? piece : size;
        r->files[i].size = size;
        if (ftruncate(r->files[i].fd, (off_t)size) != 0 || size == 0) drop(r, i);
    }
    if (r->n == 0) loop_timer_stop(r->loop, &r->timer);
}

void release_init(struct release *r, struct loop *loop)
{
    *r = (struct release){.loop = loop, .timer = {.due = give_back_some, .ctx = r}};
}

void release_done(struct release *r)
{
    if (r->n) loop_timer_stop(r->loop, &r->timer);
    while (r->n) drop(r, 0);
}

void release_take(struct release *r, int fd)
{
    struct stat st;
    bool gone = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
    if (!gone || r->n == RELEASE_MAX ||
        (r->n == 0 && loop_timer_set(r->loop, &r->timer, piece_pause, piece_pause) != 0)) {
        (void)close(fd);
        return;
    }
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    r->files[r->n++] =
        (struct release_file){.fd = fd, .size = (uint64_t)st.st_size, .locked = locked};
}
