/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum { ITEMS = 8, MANY = 2000 };

/* A loop on a clock that stands still unless the loop would sleep, and what happened in it. */
static struct clock_settable now;
static struct loop *loop;
static char trail[64];
static size_t trail_len;

static void open_loop(void)
{
    now = (struct clock_settable){0};
    trail_len = 0;
    trail[0] = '\0';
    loop = loop_new(
        &(struct loop_options){.clock = clock_of(&now), .max_watches = ITEMS, .max_timers = MANY});
    REQUIRE(loop);
}

static void note(char c)
{
    REQUIRE(trail_len + 1 < sizeof trail);
    trail[trail_len++] = c;
    trail[trail_len] = '\0';
}

static void run(void)
{
    CHECK_INT(loop_run(loop), 0);
}

/* ---- timers ---- */

struct alarm {
    struct loop_timer timer;
    char name;
    struct alarm *other;
    unsigned turns;
};

static void on_note(void *ctx)
{
    const struct alarm *a = ctx;
    note(a->name);
}

static void on_last(void *ctx)
{
    on_note(ctx);
    loop_stop(loop, 0);
}

static void set(struct alarm *a, char name, void (*due)(void *ctx), nsec after, nsec every)
{
    a->name = name;
    a->timer.due = due;
    a->timer.ctx = a;
    CHECK_INT(loop_timer_set(loop, &a->timer, after, every), 0);
}

TEST(loop_timers_in_order_of_time_then_of_setting)
{
    struct alarm a[4] = {0};
    open_loop();
    set(&a[0], 'd', on_last, 30, 0);
    set(&a[1], 'a', on_note, 10, 0);
    set(&a[2], 'b', on_note, 20, 0);
    set(&a[3], 'c', on_note, 20, 0);
    run();
    CHECK_SLICE(slice_of(trail), "abcd");
    CHECK_INT(now.monotonic, 30);
    loop_free(loop);
}

TEST(loop_timer_set_again_moves_it)
{
    struct alarm a[2] = {0};
    open_loop();
    set(&a[0], 'a', on_note, 10, 0);
    set(&a[1], 'b', on_last, 20, 0);
    set(&a[0], 'a', on_note, 15, 0);
    run();
    CHECK_SLICE(slice_of(trail), "ab");
    set(&a[0], 'a', on_last, 30, 0);
    set(&a[1], 'b', on_note, 10, 0);
    run();
    CHECK_SLICE(slice_of(trail), "abba");
    loop_free(loop);
}

static void on_stop_other(void *ctx)
{
    struct alarm *a = ctx;
    note(a->name);
    loop_timer_stop(loop, &a->other->timer);
}

TEST(loop_timer_stopped_by_another_that_is_due_with_it)
{
    struct alarm a[3] = {0};
    open_loop();
    a[0].other = &a[1];
    set(&a[0], 'a', on_stop_other, 10, 0);
    set(&a[1], 'b', on_note, 10, 0);
    set(&a[2], 'c', on_last, 10, 0);
    run();
    CHECK_SLICE(slice_of(trail), "ac");
    loop_free(loop);
}

static void on_count_to_three(void *ctx)
{
    struct alarm *a = ctx;
    note(a->name);
    if (++a->turns == 3) {
        loop_timer_stop(loop, &a->timer);
        loop_stop(loop, 0);
    }
}

TEST(loop_timer_periodic_until_stopped_within)
{
    struct alarm a = {0};
    open_loop();
    set(&a, 'p', on_count_to_three, 5, 10);
    run();
    CHECK_SLICE(slice_of(trail), "ppp");
    CHECK_INT(now.monotonic, 25);
    loop_free(loop);
}

TEST(loop_timer_periodic_keeps_its_rhythm_when_late)
{
    struct alarm a = {0};
    open_loop();
    set(&a, 'p', on_count_to_three, 10, 10);
    clock_pass(&now, 57); /* turns 10 … 50 are one */
    run();
    CHECK_SLICE(slice_of(trail), "ppp");
    CHECK_INT(now.monotonic, 70);
    loop_free(loop);
}

static void on_set_again_at_once(void *ctx)
{
    struct alarm *a = ctx;
    note(a->name);
    if (++a->turns < 3) CHECK_INT(loop_timer_set(loop, &a->timer, 0, 0), 0);
    else loop_stop(loop, 0);
}

static void on_deferred_note(void *ctx)
{
    (void)ctx;
    note('d');
}

TEST(loop_timer_set_within_waits_for_the_next_round)
{
    struct alarm a = {0};
    struct loop_deferred d = {.call = on_deferred_note};
    open_loop();
    set(&a, 't', on_set_again_at_once, 0, 0);
    loop_defer(loop, &d);
    run();
    CHECK_SLICE(slice_of(trail), "tdtt");
    loop_free(loop);
}

static nsec last_at;
static unsigned called;

static void on_in_order(void *ctx)
{
    const struct alarm *a = ctx;
    CHECK(a->timer.at >= last_at);
    last_at = a->timer.at;
    if (++called == MANY / 2) loop_stop(loop, 0);
}

TEST(loop_many_timers_set_and_stopped_in_any_order)
{
    struct alarm *a = calloc(MANY + 1, sizeof *a);
    uint32_t seed = 1;
    REQUIRE(a);
    open_loop();
    last_at = 0;
    called = 0;
    for (size_t i = 0; i < MANY; i++) {
        seed = seed * 1664525 + 1013904223;
        set(&a[i], 'x', on_in_order, seed >> 8, 0);
    }
    CHECK_INT(loop_timer_set(loop, &a[MANY].timer, 1, 0), ERR_LIMIT);
    for (size_t i = 0; i < MANY; i += 2) loop_timer_stop(loop, &a[i].timer);
    run();
    CHECK_INT(called, MANY / 2);
    for (size_t i = 0; i < MANY; i++) CHECK_INT(a[i].timer.slot, 0);
    loop_free(loop);
    free(a);
}

/* ---- descriptors ---- */

struct end {
    struct loop_watch watch;
    char name;
    struct end *other;
    int peer;
    unsigned told;
};

static void open_end(struct end *e, char name, void (*ready)(void *ctx, unsigned what))
{
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    *e = (struct end){
        .watch = {.fd = fds[0], .ready = ready, .ctx = e}, .name = name, .peer = fds[1]};
}

static void close_end(struct end *e)
{
    loop_watch_remove(loop, &e->watch);
    if (e->watch.fd >= 0) (void)close(e->watch.fd);
    if (e->peer >= 0) (void)close(e->peer);
    e->watch.fd = e->peer = -1;
}

static void on_read(void *ctx, unsigned what)
{
    struct end *e = ctx;
    char c = 0;
    e->told = what;
    if (what & LOOP_READ) {
        CHECK_INT(read(e->watch.fd, &c, 1), 1);
        note(c);
    }
    loop_stop(loop, 0);
}

static void on_told(void *ctx, unsigned what)
{
    struct end *e = ctx;
    e->told = what;
    loop_stop(loop, 0);
}

TEST(loop_watch_read_write_hangup)
{
    struct end e;
    open_loop();
    open_end(&e, 'e', on_read);
    CHECK_INT(loop_watch_add(loop, &e.watch, LOOP_READ), 0);
    CHECK_INT(write(e.peer, "xy", 2), 2);
    run();
    run();
    CHECK_SLICE(slice_of(trail), "xy");
    CHECK_INT(e.told, LOOP_READ);
    e.watch.ready = on_told;
    CHECK_INT(loop_watch_want(loop, &e.watch, LOOP_READ | LOOP_WRITE), 0);
    run();
    CHECK_INT(e.told, LOOP_WRITE);
    CHECK_INT(loop_watch_want(loop, &e.watch, LOOP_HANGUP), 0);
    CHECK_INT(shutdown(e.peer, SHUT_WR), 0);
    run();
    CHECK_INT(e.told, LOOP_HANGUP);
    close_end(&e);
    loop_free(loop);
}

TEST(loop_watch_that_wants_nothing_hears_no_hangup)
{
    struct end e;
    struct alarm a = {0};
    open_loop();
    open_end(&e, 'e', on_told);
    CHECK_INT(loop_watch_add(loop, &e.watch, 0), 0);
    (void)close(e.peer);
    e.peer = -1;
    set(&a, 't', on_last, 10, 0);
    run();
    CHECK_INT(e.told, 0);
    CHECK_INT(loop_watch_want(loop, &e.watch, LOOP_READ), 0);
    run();
    CHECK(e.told & LOOP_HANGUP);
    close_end(&e);
    loop_free(loop);
}

TEST(loop_watch_limit_and_files)
{
    struct end e[ITEMS + 1];
    struct loop_watch file = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), .ready = on_told};
    open_loop();
    CHECK_INT(loop_watch_add(loop, &file, LOOP_READ), ERR_UNSUPPORTED);
    for (size_t i = 0; i <= ITEMS; i++) {
        open_end(&e[i], 'e', on_told);
        CHECK_INT(loop_watch_add(loop, &e[i].watch, LOOP_READ), i < ITEMS ? 0 : ERR_LIMIT);
    }
    for (size_t i = 0; i <= ITEMS; i++) close_end(&e[i]);
    (void)close(file.fd);
    loop_free(loop);
}

/* Whichever of the two is called first takes the other away, and then itself. */
static void on_close_both(void *ctx, unsigned what)
{
    struct end *e = ctx;
    (void)what;
    note('c');
    close_end(e->other);
    close_end(e);
}

TEST(loop_closed_while_ready_is_not_called)
{
    struct end e[2];
    struct alarm a = {0};
    open_loop();
    for (size_t i = 0; i < 2; i++) {
        open_end(&e[i], 'e', on_close_both);
        e[i].other = &e[1 - i];
        CHECK_INT(loop_watch_add(loop, &e[i].watch, LOOP_READ), 0);
        CHECK_INT(write(e[i].peer, "x", 1), 1);
    }
    e[0].other = &e[1];
    e[1].other = &e[0];
    set(&a, 't', on_last, 10, 0);
    run();
    CHECK_SLICE(slice_of(trail), "ct");
    loop_free(loop);
}

/* Closes both and opens one anew, which gets the number of one that was ready. */
static struct end heir;

static void on_replace_both(void *ctx, unsigned what)
{
    struct end *e = ctx;
    int lost[2] = {e->watch.fd, e->other->watch.fd};
    on_close_both(ctx, what);
    open_end(&heir, 'h', on_told);
    CHECK(heir.watch.fd == lost[0] || heir.watch.fd == lost[1]);
    CHECK_INT(loop_watch_add(loop, &heir.watch, LOOP_READ), 0);
}

TEST(loop_new_descriptor_inherits_nothing)
{
    struct end e[2];
    struct alarm a = {0};
    open_loop();
    for (size_t i = 0; i < 2; i++) {
        open_end(&e[i], 'e', on_replace_both);
        CHECK_INT(loop_watch_add(loop, &e[i].watch, LOOP_READ), 0);
        CHECK_INT(write(e[i].peer, "x", 1), 1);
    }
    e[0].other = &e[1];
    e[1].other = &e[0];
    set(&a, 't', on_last, 10, 0);
    run();
    CHECK_SLICE(slice_of(trail), "ct");
    CHECK_INT(heir.told, 0);
    close_end(&heir);
    loop_free(loop);
}

static void on_mute_other(void *ctx, unsigned what)
{
    struct end *e = ctx;
    (void)what;
    note('m');
    CHECK_INT(loop_watch_want(loop, &e->other->watch, LOOP_WRITE), 0);
    CHECK_INT(loop_watch_want(loop, &e->watch, 0), 0);
    e->other->watch.ready = on_told;
}

TEST(loop_watch_changed_while_ready_hears_only_what_it_wants)
{
    struct end e[2];
    open_loop();
    for (size_t i = 0; i < 2; i++) {
        open_end(&e[i], 'e', on_mute_other);
        CHECK_INT(loop_watch_add(loop, &e[i].watch, LOOP_READ), 0);
        CHECK_INT(write(e[i].peer, "x", 1), 1);
    }
    e[0].other = &e[1];
    e[1].other = &e[0];
    run();
    CHECK_SLICE(slice_of(trail), "m");
    CHECK_INT(e[0].told | e[1].told, LOOP_WRITE);
    for (size_t i = 0; i < 2; i++) close_end(&e[i]);
    loop_free(loop);
}

TEST(loop_stop_keeps_what_is_ready_for_the_next_run)
{
    struct end e[2];
    open_loop();
    for (size_t i = 0; i < 2; i++) {
        open_end(&e[i], 'e', on_read);
        CHECK_INT(loop_watch_add(loop, &e[i].watch, LOOP_READ), 0);
        CHECK_INT(write(e[i].peer, "x", 1), 1);
    }
    run();
    CHECK_SLICE(slice_of(trail), "x");
    run();
    CHECK_SLICE(slice_of(trail), "xx");
    for (size_t i = 0; i < 2; i++) close_end(&e[i]);
    loop_free(loop);
}

/* ---- deferred calls ---- */

struct errand {
    struct loop_deferred d;
    char name;
    struct errand *other;
    unsigned left;
};

static void on_errand(void *ctx)
{
    struct errand *e = ctx;
    note(e->name);
    if (e->other) loop_defer_cancel(loop, &e->other->d);
    if (e->left > 0) {
        e->left--;
        loop_defer(loop, &e->d);
    } else if (!e->other) {
        loop_stop(loop, ERR_STOPPED);
    }
}

TEST(loop_defer_once_in_order_and_cancelled_within)
{
    struct errand a = {.d = {.call = on_errand, .ctx = &a}, .name = 'a'};
    struct errand b = {.d = {.call = on_errand, .ctx = &b}, .name = 'b'};
    struct errand c = {.d = {.call = on_errand, .ctx = &c}, .name = 'c'};
    open_loop();
    a.other = &b;
    loop_defer(loop, &a.d);
    loop_defer(loop, &b.d);
    loop_defer(loop, &a.d);
    loop_defer(loop, &c.d);
    CHECK_INT(loop_run(loop), ERR_STOPPED);
    CHECK_SLICE(slice_of(trail), "ac");
    loop_free(loop);
}

TEST(loop_defer_within_leaves_room_for_others)
{
    struct errand a = {.d = {.call = on_errand, .ctx = &a}, .name = 'a', .left = 2};
    struct alarm t = {0};
    open_loop();
    loop_defer(loop, &a.d);
    set(&t, 't', on_note, 0, 0);
    CHECK_INT(loop_run(loop), ERR_STOPPED);
    CHECK_SLICE(slice_of(trail), "taaa");
    loop_free(loop);
}

/* ---- signals, and time that passes ---- */

static void on_caught(void *ctx, int number)
{
    *(int *)ctx = number;
    loop_stop(loop, 0);
}

TEST(loop_signals_are_told_by_number)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, 0};
    int caught = 0;
    open_loop();
    CHECK_INT(loop_signals(loop, numbers, on_caught, &caught), 0);
    (void)raise(SIGUSR2);
    run();
    CHECK_INT(caught, SIGUSR2);
    (void)raise(SIGUSR1);
    run();
    CHECK_INT(caught, SIGUSR1);
    loop_free(loop);
}

TEST(loop_sleeps_on_the_machine_clock)
{
    struct alarm a = {0};
    open_loop();
    loop_free(loop);
    struct clock machine = clock_system();
    loop = loop_new(&(struct loop_options){.clock = machine, .max_timers = 1});
    REQUIRE(loop);
    nsec begin = clock_monotonic(&machine);
    set(&a, 't', on_last, 5 * NSEC_PER_MSEC, 0);
    run();
    CHECK(clock_monotonic(&machine) - begin >= 5 * NSEC_PER_MSEC);
    loop_free(loop);
}
