/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/link.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { PAYLOAD_MAX = 100000, OUT_MAX = 300000, N = 2000 };

/* Two ends on one loop; each counts what it got and checks that it came in order. */
struct end {
    struct link link;
    struct end *other;
    struct loop *loop;
    uint64_t got, bytes, to_send, sent;
    int closed, why, rooms;
    uint64_t refuse_from; /* frame number from which frames are refused; 0: none */
    uint64_t pause_at;    /* frame number at which it pauses itself; 0: none */
    uint64_t stop_at;     /* frame number at which the loop is to stop; 0: none */
    ino_t inode;          /* of the last descriptor that came */
    int fds;
};

static struct loop *loop;
static struct end ends[2];

static void put_number(struct end *e, uint8_t type, uint64_t number, size_t filling)
{
    struct buf *out = link_out(&e->link);
    size_t begin = frame_begin(out, type);
    frame_put_u64(out, number);
    for (size_t i = 0; i < filling; i++) frame_put_u8(out, (uint8_t)number);
    frame_end(out, begin);
}

static size_t filling_of(uint64_t number)
{
    return (number * 7919) % 3001;
}

static void fill(struct end *e)
{
    while (e->sent < e->to_send && link_room(&e->link) > 4000) {
        put_number(e, 1, e->sent, filling_of(e->sent));
        e->sent++;
    }
    link_flush(&e->link);
}

static void stop_when_all_is_there(const struct end *e)
{
    if (e->got == e->other->to_send && e->other->got == e->to_send) loop_stop(e->loop, 0);
}

static int on_frame(void *ctx, const struct frame *frame)
{
    struct end *e = ctx;
    struct frame_reader r = frame_reader_of(frame->payload);
    CHECK_INT(frame_get_u64(&r), e->got);
    if (e->refuse_from && e->got >= e->refuse_from) return ERR_INVALID;
    e->got++;
    e->bytes += frame->size;
    if (frame->type == 2) {
        int fd = link_take_fd(&e->link);
        struct stat st = {0};
        CHECK_INT(fstat(fd, &st), 0);
        e->inode = st.st_ino;
        e->fds++;
        (void)close(fd);
    }
    if (e->pause_at && e->got == e->pause_at) {
        link_pause(&e->link, true);
        loop_stop(e->loop, 0);
    }
    if (e->stop_at && e->got == e->stop_at) loop_stop(e->loop, ERR_IO);
    stop_when_all_is_there(e);
    return 0;
}

static void on_closed(void *ctx, int why)
{
    struct end *e = ctx;
    e->closed++;
    e->why = why;
    loop_stop(e->loop, 0);
}

static void on_room(void *ctx)
{
    struct end *e = ctx;
    e->rooms++;
    fill(e);
}

static const struct link_events events = {.frame = on_frame, .closed = on_closed, .room = on_room};

static void open_ends(void)
{
    int fds[2];
    loop = loop_new(
        &(struct loop_options){.clock = clock_system(), .max_watches = 8, .max_timers = 8});
    REQUIRE(loop && channel_pair(fds) == 0);
    for (int i = 0; i < 2; i++) {
        ends[i] = (struct end){.other = &ends[1 - i], .loop = loop};
        link_init(&ends[i].link, loop, &events, &ends[i]);
        REQUIRE(link_open(&ends[i].link, fds[i], PAYLOAD_MAX, OUT_MAX) == 0);
    }
}

static void close_ends(void)
{
    for (int i = 0; i < 2; i++) link_close(&ends[i].link);
    loop_free(loop);
}

/* Both want to say far more than sockets hold, before either listens: nobody waits for ever. */
TEST(both_ways_at_once_all_comes_in_order)
{
    open_ends();
    for (int i = 0; i < 2; i++) {
        ends[i].to_send = N;
        fill(&ends[i]);
        CHECK(ends[i].sent < N);
    }
    REQUIRE(loop_run(loop) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(ends[i].got, N);
        CHECK(ends[i].rooms > 0);
        CHECK_INT(link_waiting(&ends[i].link), 0);
        CHECK_INT(link_room(&ends[i].link), OUT_MAX);
    }
    CHECK_INT(ends[0].bytes, ends[1].bytes);
    close_ends();
}

TEST(what_waits_never_passes_its_maximum)
{
    open_ends();
    link_pause(&ends[1].link, true);
    ends[0].to_send = UINT64_MAX;
    for (int i = 0; i < 100; i++) fill(&ends[0]);
    CHECK(link_room(&ends[0].link) <= 4000);
    /* One that goes on all the same loses its link, not its memory. */
    for (int i = 0; i < 1000; i++) put_number(&ends[0], 1, 0, 3000);
    link_flush(&ends[0].link);
    CHECK_INT(ends[0].closed, 1);
    CHECK(ends[0].why == ERR_LIMIT);
    CHECK_INT(link_room(&ends[0].link), 0);
    close_ends();
}

TEST(frames_read_before_a_pause_come_after_it)
{
    open_ends();
    ends[1].pause_at = 3;
    ends[0].to_send = 10;
    fill(&ends[0]);
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[1].got, 3);
    link_pause(&ends[1].link, false);
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[1].got, 10);
    close_ends();
}

/* Whoever gives up is told nothing more, however much of it was read already. */
TEST(no_frame_is_told_once_the_loop_is_to_stop)
{
    open_ends();
    ends[1].stop_at = 3;
    ends[0].to_send = N;
    fill(&ends[0]);
    REQUIRE(loop_run(loop) == ERR_IO);
    CHECK_INT(ends[1].got, 3);
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[1].got, N);
    close_ends();
}

TEST(each_descriptor_comes_with_its_frame)
{
    int pipes[2];
    struct stat st[2];
    open_ends();
    REQUIRE(pipe2(pipes, O_CLOEXEC) == 0);
    for (int i = 0; i < 2; i++) CHECK_INT(fstat(pipes[i], &st[i]), 0);
    ends[0].to_send = 6;
    for (; ends[0].sent < 6; ends[0].sent++) {
        bool pass = ends[0].sent % 2 == 1;
        if (pass) REQUIRE(link_pass(&ends[0].link, dup(pipes[ends[0].sent == 5])) == 0);
        put_number(&ends[0], pass ? 2 : 1, ends[0].sent, 10);
    }
    link_flush(&ends[0].link);
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[1].got, 6);
    CHECK_INT(ends[1].fds, 3);
    CHECK(ends[1].inode == st[1].st_ino);
    for (int i = 0; i < 2; i++) (void)close(pipes[i]);
    close_ends();
}

TEST(descriptors_that_wait_are_bounded)
{
    open_ends();
    for (int i = 0; i < LINK_FDS_MAX; i++) CHECK_INT(link_pass(&ends[0].link, dup(0)), 0);
    CHECK(link_pass(&ends[0].link, dup(0)) == ERR_LIMIT);
    close_ends();
}

TEST(a_refused_frame_ends_the_link)
{
    open_ends();
    ends[1].refuse_from = 2;
    ends[0].to_send = 5;
    fill(&ends[0]);
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[1].got, 2);
    CHECK_INT(ends[1].closed, 1);
    CHECK(ends[1].why == ERR_CORRUPT);
    CHECK(!link_is_open(&ends[1].link));
    /* The other end is told, and may come back with another descriptor. */
    if (!ends[0].closed) REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[0].closed, 1);
    CHECK(ends[0].why == ERR_STOPPED);
    int fds[2];
    REQUIRE(channel_pair(fds) == 0);
    for (int i = 0; i < 2; i++) {
        REQUIRE(link_open(&ends[i].link, fds[i], PAYLOAD_MAX, OUT_MAX) == 0);
        ends[i].refuse_from = ends[i].got = ends[i].sent = 0;
        ends[i].to_send = 4;
        fill(&ends[i]);
    }
    REQUIRE(loop_run(loop) == 0);
    CHECK_INT(ends[0].got, 4);
    CHECK_INT(ends[1].got, 4);
    close_ends();
}
