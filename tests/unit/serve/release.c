/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/release.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { SIZE = 32 * 1024 * 1024 };

struct house {
    struct clock clock;
    struct loop *loop;
    struct loop_timer watch;
    struct release release;
    const char *path;
    int reader;
    off_t size, largest; /* of the file, and of a piece of it */
};

static int new_file(struct house *h)
{
    test_write("file", "");
    h->path = test_path("file");
    int fd = open(h->path, O_RDWR);
    REQUIRE(fd >= 0);
    REQUIRE(ftruncate(fd, SIZE) == 0);
    return fd;
}

static off_t size_of(int fd)
{
    struct stat st;
    REQUIRE(fstat(fd, &st) == 0);
    return st.st_size;
}

static void look(void *ctx)
{
    struct house *h = ctx;
    off_t size = size_of(h->reader);
    if (h->size - size > h->largest) h->largest = h->size - size;
    h->size = size;
    if (h->release.n > 0) return;
    loop_timer_stop(h->loop, &h->watch);
    loop_stop(h->loop, 0);
}

static void house_init(struct house *h)
{
    *h = (struct house){.clock = clock_system(), .watch = {.due = look, .ctx = h}};
    h->loop =
        loop_new(&(struct loop_options){.clock = h->clock, .max_watches = 1, .max_timers = 2});
    REQUIRE(h->loop);
    release_init(&h->release, h->loop);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

TEST(release_gives_back_in_pieces_what_has_no_name)
{
    struct house h;
    house_init(&h);
    int fd = new_file(&h);
    h.reader = open(h.path, O_RDONLY);
    h.size = SIZE;
    REQUIRE(unlink(h.path) == 0);
    release_take(&h.release, fd);
    CHECK_INT(size_of(h.reader), SIZE);
    REQUIRE(loop_timer_set(h.loop, &h.watch, 1, NSEC_PER_MSEC) == 0);
    CHECK_INT(loop_run(h.loop), 0);
    CHECK_INT(h.size, 0);
    CHECK(h.largest < SIZE);
    CHECK(!is_open(fd));
    (void)close(h.reader);
    loop_free(h.loop);
}

TEST(release_leaves_alone_what_has_a_name)
{
    struct house h;
    house_init(&h);
    int fd = new_file(&h), reader = open(h.path, O_RDONLY);
    release_take(&h.release, fd);
    CHECK_INT(h.release.n, 0);
    CHECK(!is_open(fd));
    CHECK_INT(size_of(reader), SIZE);
    (void)unlink(h.path);
    (void)close(reader);
    loop_free(h.loop);
}

static void look_a_while(void *ctx)
{
    struct house *h = ctx;
    CHECK_INT(size_of(h->reader), SIZE);
    CHECK_INT(h->release.n, 1);
    loop_timer_stop(h->loop, &h->watch);
    loop_stop(h->loop, 0);
}

/* A lock goes with a descriptor to other processes: it is given up when the last one closes it. */
TEST(release_waits_for_who_reads)
{
    struct house h;
    house_init(&h);
    int fd = new_file(&h), locked = open(h.path, O_RDONLY), copy = dup(locked);
    h.reader = open(h.path, O_RDONLY);
    h.size = SIZE;
    REQUIRE(flock(locked, LOCK_SH | LOCK_NB) == 0);
    REQUIRE(unlink(h.path) == 0);
    release_take(&h.release, fd);
    (void)close(locked);
    h.watch.due = look_a_while;
    REQUIRE(loop_timer_set(h.loop, &h.watch, 100 * NSEC_PER_MSEC, NSEC_PER_SEC) == 0);
    CHECK_INT(loop_run(h.loop), 0);
    (void)close(copy);
    h.watch.due = look;
    REQUIRE(loop_timer_set(h.loop, &h.watch, 1, NSEC_PER_MSEC) == 0);
    CHECK_INT(loop_run(h.loop), 0);
    CHECK_INT(h.size, 0);
    CHECK(!is_open(fd));
    (void)close(h.reader);
    loop_free(h.loop);
}

/* Who comes later finds it locked, and takes it as gone. */
TEST(release_keeps_readers_out)
{
    struct house h;
    house_init(&h);
    int fd = new_file(&h), reader = open(h.path, O_RDONLY);
    REQUIRE(unlink(h.path) == 0);
    release_take(&h.release, fd);
    CHECK(flock(reader, LOCK_SH | LOCK_NB) != 0);
    (void)close(reader);
    release_done(&h.release);
    CHECK(!is_open(fd));
    loop_free(h.loop);
}
