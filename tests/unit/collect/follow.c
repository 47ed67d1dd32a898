/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/follow.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* The room over files, in simulated time; batches are answered in the same round, or held. */
struct house {
    struct loop *loop;
    struct collect *collect;
    struct clock_settable time;
    struct buf text; /* the lines that came out */
    struct buf state;
    struct buf pattern;
    uint64_t tokens[256];
    uint32_t first, next;
    bool hold, refuse;
    struct loop_deferred answering;
    uint64_t deliveries; /* changes of delivery or steps back of the ordinal */
    uint64_t ordinal;
    char delivery[64];
};

static void answer(void *ctx)
{
    struct house *h = ctx;
    while (h->first != h->next) {
        uint64_t token = h->tokens[h->first++ % 256];
        CHECK_INT(h->refuse ? collect_refused(h->collect, token) : collect_acked(h->collect, token),
                  0);
    }
}

static int on_batch(void *ctx, uint64_t token, struct slice bytes)
{
    struct house *h = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    CHECK_INT(batch_open(bytes, &batch), 0);
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &r)) {
        buf_put(&h->text, r.raw);
        buf_puts(&h->text, r.flags & RECORD_CUT ? "~" : ";");
        if (r.context.len) buf_printf(&h->text, "<%.*s>", SLICE_FMT(slice_trim(r.context)));
        CHECK_INT(r.format, r.context.len == 0                                ? RECORD_TEXT
                            : slice_starts_with(r.context, SLICE("#Fields:")) ? RECORD_W3C
                                                                              : RECORD_ZEEK);
        if (!slice_eq(r.delivery, slice_of(h->delivery)) || r.ordinal <= h->ordinal)
            h->deliveries++;
        (void)snprintf(h->delivery, sizeof h->delivery, "%.*s", SLICE_FMT(r.delivery));
        h->ordinal = r.ordinal;
    }
    h->tokens[h->next++ % 256] = token;
    if (!h->hold) loop_defer(h->loop, &h->answering);
    return 0;
}

static void on_state(void *ctx, struct slice name, struct slice state)
{
    struct house *h = ctx;
    CHECK_SLICE(name, "f");
    buf_clear(&h->state);
    buf_put(&h->state, state);
}

static void house_begin(struct house *h, const char *pattern, bool skip_existing)
{
    h->time.monotonic = h->time.realtime = 1000 * NSEC_PER_SEC;
    const struct loop_options lo = {clock_of(&h->time), 64, 16};
    const struct collect_options options = {.loop = h->loop = loop_new(&lo),
                                            .clock = lo.clock,
                                            .out = {.ctx = h, .batch = on_batch, .state = on_state},
                                            .unacked_max = 2 * (size_t)BATCH_MAX,
                                            .sources_max = 64};
    REQUIRE(h->loop != NULL);
    REQUIRE(collect_new(&options, &h->collect) == 0);
    h->answering = (struct loop_deferred){.call = answer, .ctx = h};
    h->first = h->next = 0;
    buf_init(&h->pattern, 4096);
    buf_puts(&h->pattern, test_path(pattern));
    const struct follow_row row = {.name = SLICE("f"),
                                   .pattern = buf_slice(&h->pattern),
                                   .record_max = 16,
                                   .state = buf_slice(&h->state),
                                   .skip_existing = skip_existing};
    REQUIRE(collect_follow(h->collect, &row) == 0);
}

static void house_end(struct house *h)
{
    loop_defer_cancel(h->loop, &h->answering);
    collect_free(h->collect);
    loop_free(h->loop);
    buf_done(&h->pattern);
}

static void house_init(struct house *h, const char *pattern)
{
    *h = (struct house){0};
    buf_init(&h->text, 1 << 20);
    buf_init(&h->state, FOLLOW_STATE_MAX);
    house_begin(h, pattern, false);
}

static void house_done(struct house *h)
{
    house_end(h);
    buf_done(&h->text);
    buf_done(&h->state);
}

static void stop(void *ctx)
{
    loop_stop(ctx, 0);
}

static void pass(struct house *h, int seconds)
{
    struct loop_timer t = {.due = stop, .ctx = h->loop};
    CHECK_INT(loop_timer_set(h->loop, &t, seconds * NSEC_PER_SEC + NSEC_PER_SEC / 2, 0), 0);
    CHECK_INT(loop_run(h->loop), 0);
}

static void check(struct house *h, const char *text)
{
    pass(h, 3);
    CHECK_SLICE(buf_slice(&h->text), text);
    buf_clear(&h->text);
}

static void append(const char *name, const char *text)
{
    int fd = open(test_path(name), O_WRONLY | O_APPEND | O_CLOEXEC);
    REQUIRE(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static void rename_file(const char *from, const char *to)
{
    REQUIRE(rename(test_path(from), test_path(to)) == 0);
}

TEST(follow_reads_lines_as_they_come)
{
    struct house h;
    test_write("lines/a.log", "one\ntwo\r\nthr");
    house_init(&h, "lines/*.log");
    check(&h, "one;two;");
    append("lines/a.log", "ee\n\n5 <34>five\n0123456789abcdefX\nfour\n");
    test_write("lines/b.log", "other\n");
    test_write("lines/b.txt", "no\n");
    pass(&h, 3);
    struct slice text = buf_slice(&h.text);
    CHECK(slice_starts_with(text, SLICE("three;5 <34>five;0123456789abcdef~four;")) ||
          slice_starts_with(text, SLICE("other;")));
    CHECK_INT(text.len, strlen("three;5 <34>five;0123456789abcdef~four;other;"));
    house_done(&h);
}

TEST(follow_goes_on_across_a_rename)
{
    struct house h;
    test_write("rename/a.log", "one\n");
    house_init(&h, "rename/*.log");
    check(&h, "one;");
    append("rename/a.log", "two\n");
    rename_file("rename/a.log", "rename/a.log.1");
    test_write("rename/a.log", "three\n");
    append("rename/a.log.1", "late\n");
    pass(&h, 3);
    CHECK_INT(h.text.len, strlen("two;late;three;"));
    CHECK(slice_find(buf_slice(&h.text), SLICE("two;late;")) != SIZE_MAX);
    buf_clear(&h.text);
    append("rename/a.log.1", "end without LF");
    append("rename/a.log", "four\n");
    check(&h, "four;");
    pass(&h, 70);
    CHECK_SLICE(buf_slice(&h.text), "end without LF;");
    CHECK_INT(
        slice_find(slice_from(buf_slice(&h.state), slice_find_byte(buf_slice(&h.state), '\n')),
                   SLICE(" ")),
        (long long)SIZE_MAX);
    house_done(&h);
}

TEST(follow_begins_anew_when_a_file_is_truncated)
{
    struct house h;
    test_write("truncate/a.log", "one\ntwo\n");
    house_init(&h, "truncate/*.log");
    check(&h, "one;two;");
    REQUIRE(truncate(test_path("truncate/a.log"), 0) == 0);
    append("truncate/a.log", "3\n");
    check(&h, "3;");
    /* As long as before, and longer, within one look. */
    REQUIRE(truncate(test_path("truncate/a.log"), 0) == 0);
    append("truncate/a.log", "4\n");
    check(&h, "4;");
    REQUIRE(truncate(test_path("truncate/a.log"), 0) == 0);
    append("truncate/a.log", "5\n6\n7\n");
    check(&h, "5;6;7;");
    house_done(&h);
}

TEST(follow_goes_on_where_its_state_says)
{
    struct house h;
    test_write("state/a.log", "one\ntwo\n");
    house_init(&h, "state/*.log");
    check(&h, "one;two;");
    house_end(&h);
    append("state/a.log", "three\n");
    house_begin(&h, "state/*.log", true);
    check(&h, "three;");
    house_end(&h);
    /* Other bytes at the same place: read from the beginning. */
    test_write("state/a.log", "one\nTWO\nthree\nfour\n");
    house_begin(&h, "state/*.log", false);
    check(&h, "one;TWO;three;four;");
    house_done(&h);
}

/* Lines are at most 16 bytes here. */
TEST(follow_gives_lines_the_names_of_their_columns)
{
    struct house h;
    test_write("w3c/a.log", "#Software: IIS\r\n#Fields: a b\r\n1 2\r\n");
    house_init(&h, "w3c/*.log");
    check(&h, "#Software: IIS;#Fields: a b;1 2;<#Fields: a b>");
    /* A server that starts anew writes them again. */
    append("w3c/a.log", "3 4\n#Fields: c\n5\n");
    check(&h, "3 4;<#Fields: a b>#Fields: c;5;<#Fields: c>");
    house_end(&h);
    append("w3c/a.log", "6\n");
    house_begin(&h, "w3c/*.log", true);
    check(&h, "6;<#Fields: c>");
    /* What the store refused is read again, below what was above it. */
    h.refuse = true;
    append("w3c/a.log", "7\n#Fields: d\n8\n");
    pass(&h, 2);
    buf_clear(&h.text);
    h.refuse = false;
    check(&h, "7;<#Fields: c>#Fields: d;8;<#Fields: d>");
    house_end(&h);
    /* A state of before has no such place: what stands at the beginning counts. */
    h.state.len = slice_find_byte(buf_slice(&h.state), '\n');
    while (h.state.ptr[h.state.len - 1] != ' ') h.state.len--;
    h.state.ptr[h.state.len - 1] = '\n';
    append("w3c/a.log", "9\n");
    house_begin(&h, "w3c/*.log", true);
    check(&h, "9;<#Fields: a b>");
    house_done(&h);
}

TEST(follow_knows_zeeks_headings)
{
    struct house h;
    test_write("zeek/a.log", "#separator \\x09\n#fields\tts\n1\n#close\n#fields\tx\n2\n"
                             "#separator |\n#fields|y\n3\n");
    house_init(&h, "zeek/*.log");
    check(&h, "#separator \\x09;#fields\tts;1;<#separator \\x09\n#fields\tts>#close;#fields\tx;"
              "2;<#separator \\x09\n#fields\tts>#separator |;#fields|y;"
              "3;<#separator |\n#fields|y>");
    house_done(&h);
}

/* Who gets a line into a log does not change how the others are read. */
TEST(follow_believes_the_first_line_only)
{
    struct house h;
    test_write("plain/a.log", "one\n#Fields: a\n1\n#separator \\x09\n#fields\ta\n2\n");
    house_init(&h, "plain/*.log");
    check(&h, "one;#Fields: a;1;#separator \\x09;#fields\ta;2;");
    house_end(&h);
    append("plain/a.log", "3\n");
    house_begin(&h, "plain/*.log", true);
    check(&h, "3;");
    house_done(&h);
}

TEST(follow_advances_only_behind_the_store)
{
    struct house h;
    test_write("held/a.log", "one\ntwo\n");
    house_init(&h, "held/*.log");
    h.hold = true;
    check(&h, "one;two;");
    house_end(&h);
    h.hold = false;
    house_begin(&h, "held/*.log", false);
    check(&h, "one;two;");
    append("held/a.log", "three\n");
    h.refuse = true;
    pass(&h, 1);
    CHECK(slice_starts_with(buf_slice(&h.text), SLICE("three;")));
    pass(&h, 2);
    buf_clear(&h.text);
    h.refuse = false;
    check(&h, "three;");
    check(&h, "");
    house_done(&h);
}

TEST(follow_skips_what_is_there_when_asked)
{
    struct house h = {0};
    test_write("new/a.log", "one\n");
    buf_init(&h.text, 1 << 20);
    buf_init(&h.state, FOLLOW_STATE_MAX);
    house_begin(&h, "new/*.log", true);
    check(&h, "");
    append("new/a.log", "two\n");
    test_write("new/b.log", "three\n");
    pass(&h, 3);
    CHECK_INT(h.text.len, strlen("two;three;"));
    house_done(&h);
}

TEST(follow_leaves_links_and_packed_files_alone)
{
    struct house h;
    test_write("odd/secret", "secret\n");
    test_write("odd/x.log.gz", "packed\n");
    REQUIRE(symlink(test_path("odd/secret"), test_path("odd/link.log")) == 0);
    REQUIRE(mkfifo(test_path("odd/pipe.log"), 0600) == 0);
    test_write("odd/a.log", "fine\n");
    house_init(&h, "odd/*.log*");
    check(&h, "fine;");
    house_done(&h);
}

/* More than one turn, more than what may wait, every byte once. */
TEST(follow_reads_a_large_file_once)
{
    struct house h;
    struct buf lines;
    buf_init(&lines, 8 << 20);
    for (int i = 0; i < 100000; i++) buf_printf(&lines, "line %09d\n", i);
    test_write_bytes("large/a.log", buf_slice(&lines));
    h = (struct house){0};
    buf_init(&h.text, 8 << 20);
    buf_init(&h.state, FOLLOW_STATE_MAX);
    house_begin(&h, "large/*.log", false);
    pass(&h, 30);
    for (size_t i = 0; i < h.text.len; i++)
        if (h.text.ptr[i] == ';') h.text.ptr[i] = '\n';
    CHECK(slice_eq(buf_slice(&h.text), buf_slice(&lines)));
    CHECK_INT(h.deliveries, 1);
    buf_done(&lines);
    house_done(&h);
}

TEST(follow_refuses_a_row_that_makes_no_sense)
{
    struct house h;
    house_init(&h, "none/*.log");
    struct follow_row row = {.name = SLICE("f"), .pattern = SLICE("relative/*.log")};
    CHECK_INT(collect_follow(h.collect, &row), ERR_INVALID);
    row.pattern = SLICE("/x");
    static const char *const bad[] = {"x",           "1 2 3 4 5",     "1 2 3 4\n",
                                      "1 2 3 4 x\n", "1 2 3 4 5 x\n", "1 2 3 4 5 6 7\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        row.state = slice_of(bad[i]);
        CHECK_INT(collect_follow(h.collect, &row), ERR_INVALID);
    }
    house_done(&h);
}
