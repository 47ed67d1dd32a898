/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/holds.h"

#include "test.h"

static const char file[] = "# for the court\n"
                           "5-9 2026-11-26T04:00:00.000Z anna case 12: intrusion\n"
                           "\n"
                           "100- 2026-11-27T04:00:00.000Z bo still going on\n";

static struct hold hold_at(const struct buf *holds, size_t i)
{
    struct hold h;
    REQUIRE((i + 1) * sizeof h <= holds->len);
    memcpy(&h, holds->ptr + i * sizeof h, sizeof h);
    return h;
}

TEST(holds_are_read)
{
    struct buf out;
    struct diag diag;
    buf_init(&out, 1 << 20);
    REQUIRE(holds_read("holds", slice_of(file), &out, &diag) == 0);
    CHECK_INT(out.len / sizeof(struct hold), 2);
    struct hold h = hold_at(&out, 0);
    CHECK_INT(h.range.from, 5);
    CHECK_INT(h.range.to, 10);
    CHECK_SLICE(h.who, "anna");
    CHECK_SLICE(h.reason, "case 12: intrusion");
    h = hold_at(&out, 1);
    CHECK_INT(h.range.from, 100);
    CHECK(h.range.to == UINT64_MAX);
    buf_done(&out);
}

TEST(a_bad_line_is_told_with_its_place)
{
    static const char *const bad[] = {
        "5",
        "nine-10 2026-11-26 a b",
        "9-5 2026-11-26 a b",
        "5-9 yesterday a b",
        "5-9 2026-11-26 anna",
        "5-9 2026-11-26",
        "-9 2026-11-26 a b",
        "5-18446744073709551615 2026-11-26 a b",
        "5-9 2026-11-26 a b\x01",
        "5-9 2026-11-26 a \xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256];
        struct buf out;
        struct diag diag;
        buf_init(&out, 1 << 20);
        (void)snprintf(text, sizeof text, "# x\n1-2 2026-11-26 a b\n%s\n", bad[i]);
        CHECK_INT(holds_read("holds", slice_of(text), &out, &diag), ERR_SYNTAX);
        CHECK_INT(diag.line, 3);
        buf_done(&out);
    }
}

TEST(there_is_an_end_of_holds)
{
    struct buf text, out;
    struct diag diag;
    buf_init(&text, HOLDS_FILE_MAX);
    buf_init(&out, 2 * HOLDS_MAX * sizeof(struct hold));
    for (int i = 0; i < HOLDS_MAX; i++) buf_puts(&text, "1-2 2026-11-26 a b\n");
    CHECK_INT(holds_read("holds", buf_slice(&text), &out, &diag), 0);
    buf_puts(&text, "1-2 2026-11-26 a b\n");
    CHECK_INT(holds_read("holds", buf_slice(&text), &out, &diag), ERR_LIMIT);
    CHECK_INT(diag.line, HOLDS_MAX + 1);
    buf_done(&text);
    buf_done(&out);
}

TEST(what_is_written_is_read_again)
{
    const struct hold holds[] = {
        {.range = {0, 1}, .who = SLICE("root"), .reason = SLICE("a  b\xc3\xa5")},
        {.range = {7, UINT64_MAX}, .time = NSEC_PER_SEC, .who = SLICE("x"), .reason = SLICE("#")},
    };
    struct buf text, out;
    struct diag diag;
    buf_init(&text, 4096);
    buf_init(&out, 4096);
    for (size_t i = 0; i < 2; i++) REQUIRE(hold_write(&text, &holds[i]) == 0);
    REQUIRE(holds_read("holds", buf_slice(&text), &out, &diag) == 0);
    for (size_t i = 0; i < 2; i++) {
        struct hold h = hold_at(&out, i);
        CHECK(h.range.from == holds[i].range.from && h.range.to == holds[i].range.to);
        CHECK_INT(h.time, holds[i].time);
        CHECK(slice_eq(h.who, holds[i].who));
        CHECK(slice_eq(h.reason, holds[i].reason));
    }
    struct hold bad = holds[0];
    bad.who = SLICE("two words");
    CHECK_INT(hold_write(&text, &bad), ERR_INVALID);
    bad = holds[0];
    bad.reason = SLICE("two\nlines");
    CHECK_INT(hold_write(&text, &bad), ERR_INVALID);
    bad = holds[0];
    bad.range.to = 0;
    CHECK_INT(hold_write(&text, &bad), ERR_INVALID);
    buf_done(&text);
    buf_done(&out);
}

TEST(a_lifted_hold_stays_as_a_comment)
{
    struct buf out, rest;
    struct diag diag;
    size_t n;
    buf_init(&out, 4096);
    buf_init(&rest, 4096);
    holds_lift(&out, slice_of(file), &(struct retain_hold){5, 10}, 0, SLICE("eva"), &n);
    CHECK_INT(n, 1);
    CHECK_SLICE(buf_slice(&out), "# for the court\n"
                                 "# lifted 1970-01-01T00:00:00.000Z eva: "
                                 "5-9 2026-11-26T04:00:00.000Z anna case 12: intrusion\n"
                                 "\n"
                                 "100- 2026-11-27T04:00:00.000Z bo still going on\n");
    REQUIRE(holds_read("holds", buf_slice(&out), &rest, &diag) == 0);
    CHECK_INT(rest.len / sizeof(struct hold), 1);
    buf_clear(&out);
    holds_lift(&out, SLICE("1-2 2026-11-26 a b"), &(struct retain_hold){5, 10}, 0, SLICE("eva"),
               &n);
    CHECK_INT(n, 0);
    CHECK_SLICE(buf_slice(&out), "1-2 2026-11-26 a b\n");
    buf_done(&out);
    buf_done(&rest);
}
