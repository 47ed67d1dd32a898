/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/progress.h"

#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#define MSEC (NSEC_PER_SEC / 1000)

static int terminal(void)
{
    int fd = memfd_create("terminal", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static struct slice shown(int fd)
{
    static char text[4096];
    ssize_t n = pread(fd, text, sizeof text, 0);
    CHECK_INT(ftruncate(fd, 0), 0);
    CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
    return slice_make(text, n > 0 ? (size_t)n : 0);
}

static const struct progress_numbers half = {512 * 1024, 1024 * 1024, 3000, 7};

TEST(a_short_hunt_shows_nothing_and_a_long_one_not_too_often)
{
    struct progress p;
    int fd = terminal();
    progress_init(&p, fd, 200, 0);
    progress_show(&p, &half, 249 * MSEC);
    CHECK_INT(shown(fd).len, 0);
    progress_show(&p, &half, 250 * MSEC);
    CHECK(shown(fd).len > 0);
    progress_show(&p, &half, 374 * MSEC);
    CHECK_INT(shown(fd).len, 0);
    progress_show(&p, &half, 375 * MSEC);
    CHECK(shown(fd).len > 0);
    (void)close(fd);
}

TEST(the_line)
{
    struct progress p;
    int fd = terminal();
    progress_init(&p, fd, 200, 0);
    progress_show(&p, &half, 90 * NSEC_PER_SEC);
    CHECK_SLICE(shown(fd), "\r[############............]  50 %  512.0 KiB of 1.0 MiB  33 events/s  "
                           "7 alerts  1:30 left\033[K");
    /* Nothing is known of a pipe's length, and a file may have grown. */
    progress_show(&p, &(struct progress_numbers){.bytes_done = 100, .events = 0},
                  100 * NSEC_PER_SEC);
    CHECK_SLICE(shown(fd), "\r100 B  0 events/s  0 alerts\033[K");
    progress_show(&p, &(struct progress_numbers){.bytes_done = 200, .bytes_total = 100},
                  200 * NSEC_PER_SEC);
    CHECK_SLICE(shown(fd),
                "\r[########################] 100 %  200 B of 100 B  0 events/s  0 alerts\033[K");
    (void)close(fd);
}

TEST(it_fits_the_width)
{
    struct progress p;
    int fd = terminal();
    /* The bar makes room for the figures, goes when too little is left, and then they are cut. */
    progress_init(&p, fd, 80, 0);
    progress_show(&p, &half, 90 * NSEC_PER_SEC);
    CHECK_SLICE(shown(fd), "\r[#######........]  50 %  512.0 KiB of 1.0 MiB  33 events/s  "
                           "7 alerts  1:30 left\033[K");
    progress_init(&p, fd, 65, 0);
    progress_show(&p, &half, 90 * NSEC_PER_SEC);
    CHECK_SLICE(shown(fd), "\r 50 %  512.0 KiB of 1.0 MiB  33 events/s  7 alerts  1:30 left\033[K");
    progress_init(&p, fd, 10, 0);
    progress_show(&p, &half, NSEC_PER_SEC);
    CHECK_SLICE(shown(fd), "\r 50 %  51\033[K");
    (void)close(fd);
}

TEST(clearing_takes_away_only_what_was_shown)
{
    struct progress p;
    int fd = terminal();
    progress_init(&p, fd, 80, 0);
    progress_clear(&p);
    CHECK_INT(shown(fd).len, 0);
    progress_show(&p, &half, NSEC_PER_SEC);
    (void)shown(fd);
    progress_clear(&p);
    CHECK_SLICE(shown(fd), "\r\033[K");
    progress_clear(&p);
    CHECK_INT(shown(fd).len, 0);
    (void)close(fd);
}

TEST(without_a_terminal_there_is_nothing)
{
    struct progress p;
    progress_init(&p, -1, 80, 0);
    progress_show(&p, &half, NSEC_PER_SEC);
    CHECK(!p.visible);
    progress_clear(&p);
}
