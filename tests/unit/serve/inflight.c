/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/inflight.h"

#include "serve/message.h"
#include "test.h"

/* One end sends, at the other stands the store. */
struct scene {
    struct loop *loop;
    struct link link;
    struct channel store;
    struct inflight q;
};

static int no_frame(void *ctx, const struct frame *frame)
{
    (void)ctx;
    (void)frame;
    return ERR_CORRUPT;
}

static void no_end(void *ctx, int why)
{
    (void)ctx;
    (void)why;
}

static void start_store(struct scene *s)
{
    int fds[2];
    REQUIRE(channel_pair(fds) == 0);
    REQUIRE(link_open(&s->link, fds[0], SAY_MAX, 1 << 20) == 0);
    channel_init(&s->store, fds[1], SAY_MAX);
}

static void end_store(struct scene *s)
{
    link_close(&s->link);
    channel_done(&s->store);
}

static void scene_init(struct scene *s)
{
    static const struct link_events events = {.frame = no_frame, .closed = no_end};
    *s = (struct scene){0};
    s->loop = loop_new(
        &(struct loop_options){.clock = clock_system(), .max_watches = 4, .max_timers = 4});
    REQUIRE(s->loop);
    link_init(&s->link, s->loop, &events, s);
}

static void scene_done(struct scene *s)
{
    uint64_t tag;
    /* Whatever a test has left: ids are below 10, and answered in order. */
    for (uint64_t id = 0; id < 10; id++) (void)inflight_answered(&s->q, id, &tag);
    CHECK_INT(s->q.bytes, 0);
    loop_free(s->loop);
}

/* What comes next at the store. */
static void comes(struct scene *s, uint64_t id, const char *bytes)
{
    struct frame frame;
    struct say_batch m;
    int got = channel_next(&s->store, &frame);
    if (got == 0 && channel_fill_now(&s->store) == 0) got = channel_next(&s->store, &frame);
    REQUIRE(got == 1 && frame.type == SAY_BATCH && say_batch_read(frame.payload, &m) == 0);
    CHECK_INT(m.id, id);
    CHECK_SLICE(m.batch, bytes);
}

static bool nothing_comes(struct scene *s)
{
    struct frame frame;
    return channel_next(&s->store, &frame) == 0 && channel_fill_now(&s->store) == ERR_LIMIT;
}

static void send(struct scene *s, uint64_t id, const char *bytes)
{
    CHECK_INT(inflight_send(&s->q, &s->link, id, id * 10, slice_of(bytes)), 0);
}

TEST(inflight_is_answered_in_order)
{
    struct scene s;
    uint64_t tag = 0;
    scene_init(&s);
    start_store(&s);
    send(&s, 3, "three");
    send(&s, 5, "five!");
    comes(&s, 3, "three");
    comes(&s, 5, "five!");
    CHECK(nothing_comes(&s));
    CHECK_INT(s.q.bytes, 10);
    CHECK(!inflight_answered(&s.q, 5, &tag));
    CHECK(!inflight_answered(&s.q, 4, &tag));
    CHECK_INT(tag, 0);
    CHECK(inflight_answered(&s.q, 3, &tag) && tag == 30);
    CHECK(!inflight_answered(&s.q, 3, &tag));
    CHECK_INT(s.q.bytes, 5);
    CHECK(inflight_answered(&s.q, 5, &tag) && tag == 50);
    CHECK(!inflight_answered(&s.q, 6, &tag));
    end_store(&s);
    scene_done(&s);
}

TEST(inflight_goes_to_a_new_store_again)
{
    struct scene s;
    uint64_t tag;
    scene_init(&s);
    start_store(&s);
    for (uint64_t id = 1; id <= 3; id++) send(&s, id, "abc");
    comes(&s, 1, "abc");
    CHECK(inflight_answered(&s.q, 1, &tag));
    end_store(&s);
    send(&s, 4, "while there was none");
    start_store(&s);
    CHECK(nothing_comes(&s));
    inflight_resend(&s.q, &s.link);
    comes(&s, 2, "abc");
    comes(&s, 3, "abc");
    comes(&s, 4, "while there was none");
    CHECK(nothing_comes(&s));
    end_store(&s);
    scene_done(&s);
}

TEST(inflight_without_a_store_is_kept)
{
    struct scene s;
    scene_init(&s);
    inflight_resend(&s.q, &s.link);
    send(&s, 1, "");
    send(&s, 2, "x");
    inflight_resend(&s.q, &s.link);
    start_store(&s);
    inflight_resend(&s.q, &s.link);
    comes(&s, 1, "");
    comes(&s, 2, "x");
    end_store(&s);
    scene_done(&s);
}
