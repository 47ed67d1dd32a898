/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/record.h"

#include "base/le.h"
#include "test.h"

static struct record sample(const char *raw)
{
    return (struct record){.raw = slice_of(raw),
                           .source = SLICE("syslog-tcp\tdefault\t\t10.1.2.3"),
                           .received = 1798000000000000123,
                           .ordinal = 7,
                           .format = RECORD_SYSLOG};
}

/* Three records, the second with every text and a line feed inside. */
static void write_batch(struct buf *out)
{
    struct batch_writer w;
    batch_writer_init(&w, 5, BATCH_MAX);
    struct record r = sample("<34>one");
    CHECK_INT(batch_writer_add(&w, &r), 0);
    r = sample("two\nlines");
    r.delivery = SLICE("key-1");
    r.context = SLICE("#fields a b");
    r.flags = RECORD_AUTHENTICATED;
    CHECK_INT(batch_writer_add(&w, &r), 0);
    r = sample("");
    CHECK_INT(batch_writer_add(&w, &r), 0);
    size_t expected = batch_writer_size(&w);
    batch_writer_finish(&w, out);
    CHECK_INT(out->len, expected);
    batch_writer_done(&w);
}

TEST(batch_gives_back_what_was_added)
{
    struct buf out;
    buf_init(&out, BATCH_MAX);
    write_batch(&out);
    struct batch b;
    REQUIRE(batch_open(buf_slice(&out), &b) == 0);
    CHECK_INT(b.tenant, 5);
    CHECK_INT(b.n, 3);
    CHECK_INT(b.n_texts, 3);
    CHECK_SLICE(b.data, "<34>one\ntwo\nlines\n\n");
    struct batch_iter it;
    struct record r;
    batch_iter_init(&it, &b);
    REQUIRE(batch_iter_next(&it, &r));
    CHECK_SLICE(r.raw, "<34>one");
    CHECK_SLICE(r.source, "syslog-tcp\tdefault\t\t10.1.2.3");
    CHECK_SLICE(r.delivery, "");
    CHECK_INT(r.received, 1798000000000000123);
    CHECK_INT(r.ordinal, 7);
    CHECK_INT(r.format, RECORD_SYSLOG);
    CHECK_INT(r.flags, 0);
    REQUIRE(batch_iter_next(&it, &r));
    CHECK_SLICE(r.raw, "two\nlines");
    CHECK_SLICE(r.delivery, "key-1");
    CHECK_SLICE(r.context, "#fields a b");
    CHECK_INT(r.flags, RECORD_HAS_LF | RECORD_AUTHENTICATED);
    REQUIRE(batch_iter_next(&it, &r));
    CHECK_SLICE(r.raw, "");
    CHECK_SLICE(r.source, "syslog-tcp\tdefault\t\t10.1.2.3");
    CHECK(!batch_iter_next(&it, &r));
    buf_done(&out);
}

TEST(records_are_found_by_their_number)
{
    static const uint32_t numbers[] = {0, 0, 1, 2, 2, 0, 2, 1, 1};
    static const char *const raws[] = {"<34>one", "two\nlines", ""};
    struct buf bytes;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    buf_init(&bytes, BATCH_MAX);
    write_batch(&bytes);
    REQUIRE(batch_open(buf_slice(&bytes), &batch) == 0);
    batch_iter_init(&it, &batch);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        batch_iter_find(&it, numbers[i], &r);
        CHECK_SLICE(r.raw, raws[numbers[i]]);
        CHECK_SLICE(r.delivery, numbers[i] == 1 ? "key-1" : "");
    }
    buf_done(&bytes);
}

TEST(batch_cut_short_is_refused)
{
    struct buf out;
    buf_init(&out, BATCH_MAX);
    write_batch(&out);
    struct batch b;
    for (size_t n = 0; n < out.len; n++)
        CHECK(batch_open(slice_until(buf_slice(&out), n), &b) == ERR_TRUNCATED);
    buf_putc(&out, 'x');
    CHECK(batch_open(buf_slice(&out), &b) == ERR_CORRUPT);
    buf_done(&out);
}

/* Every byte that is not a text, a time, an ordinal or data has one meaning only. */
TEST(batch_with_another_structure_is_refused)
{
    struct buf out;
    buf_init(&out, BATCH_MAX);
    write_batch(&out);
    struct batch b;
    const struct {
        size_t offset;
        uint8_t value;
    } changes[] = {
        {0, 'v'}, /* magic */
        {8, 0},   /* no records */
        {8, 2},
        {8, 4}, /* one fewer, one more */
        {12, 2},
        {12, 4}, /* texts */
        {16, 1},
        {20, 1}, /* parts do not fill it */
        {24, 6},
        {24, 8},                   /* length of the first */
        {28, RECORD_FORMAT_COUNT}, /* format */
        {29, 8},                   /* flags */
        {30, 1},
        {31, 1},
        {44, 1},
        {47, 1}, /* zeros */
        {32, 4},
        {36, 9},
        {40, 200}, /* texts that do not exist */
        {24 + 3 * BATCH_ROW, 200},
        {24 + 3 * BATCH_ROW + 8, 0},
        {24 + 3 * BATCH_ROW + 10, 2}, /* ends: not ascending, not at the end, a long text */
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char before = out.ptr[changes[i].offset];
        out.ptr[changes[i].offset] = (char)changes[i].value;
        if (batch_open(buf_slice(&out), &b) == 0)
            test_fail(__FILE__, __LINE__, "change %zu is not seen", i);
        out.ptr[changes[i].offset] = before;
    }
    CHECK_INT(batch_open(buf_slice(&out), &b), 0);
    /* The LF behind a record. */
    out.ptr[out.len - 1] = ' ';
    CHECK(batch_open(buf_slice(&out), &b) == ERR_CORRUPT);
    buf_done(&out);
}

TEST(batch_writer_keeps_to_its_limits)
{
    struct batch_writer w;
    batch_writer_init(&w, 0, 1000);
    static char big[RECORD_MAX + 1];
    struct record r = sample("");
    r.raw = slice_make(big, sizeof big);
    CHECK(batch_writer_add(&w, &r) == ERR_INVALID);
    r.raw = slice_make(big, RECORD_MAX);
    CHECK_INT(batch_writer_add(&w, &r), 0); /* one always fits */
    r.raw = SLICE("x");
    CHECK(batch_writer_add(&w, &r) == ERR_LIMIT);
    batch_writer_clear(&w);
    int n = 0;
    while (batch_writer_add(&w, &r) == 0) n++;
    CHECK(n > 10 && batch_writer_size(&w) <= 1000);
    r.source = slice_make(big, RECORD_TEXT_MAX + 1);
    CHECK(batch_writer_add(&w, &r) == ERR_INVALID);
    r = sample("x");
    r.format = RECORD_FORMAT_COUNT;
    CHECK(batch_writer_add(&w, &r) == ERR_INVALID);
    r = sample("x");
    r.flags = 8;
    CHECK(batch_writer_add(&w, &r) == ERR_INVALID);
    batch_writer_done(&w);
}

/* More texts than the writer remembers: every record still gets its own. */
TEST(batch_writer_takes_any_number_of_texts)
{
    struct batch_writer w;
    struct buf out;
    buf_init(&out, BATCH_MAX);
    batch_writer_init(&w, 0, BATCH_MAX);
    for (int i = 0; i < 3000; i++) {
        char delivery[32], context[32];
        struct record r = sample("x");
        r.delivery =
            slice_make(delivery, (size_t)snprintf(delivery, sizeof delivery, "d%d", i % 999));
        r.context = slice_make(context, (size_t)snprintf(context, sizeof context, "c%d", i / 3));
        r.ordinal = (uint64_t)i;
        REQUIRE(batch_writer_add(&w, &r) == 0);
    }
    batch_writer_finish(&w, &out);
    struct batch b;
    REQUIRE(batch_open(buf_slice(&out), &b) == 0);
    struct batch_iter it;
    batch_iter_init(&it, &b);
    struct record r;
    int i = 0;
    for (; batch_iter_next(&it, &r); i++) {
        char delivery[32], context[32];
        (void)snprintf(delivery, sizeof delivery, "d%d", i % 999);
        (void)snprintf(context, sizeof context, "c%d", i / 3);
        CHECK_SLICE(r.delivery, delivery);
        CHECK_SLICE(r.context, context);
        CHECK_SLICE(r.source, "syslog-tcp\tdefault\t\t10.1.2.3");
        CHECK_INT(r.ordinal, i);
    }
    CHECK_INT(i, 3000);
    batch_writer_done(&w);
    buf_done(&out);
}

TEST(source_is_four_fields_whatever_they_hold)
{
    struct buf out;
    buf_init(&out, 1024);
    struct record_source s = {SLICE("syslog-tls"), SLICE("default"),
                              SLICE("CN=a\tb\n100%\xff\xc3\xa5"), SLICE("::1")};
    record_source_write(&out, &s);
    CHECK_SLICE(buf_slice(&out), "syslog-tls\tdefault\tCN=a%09b%0A100%25%FF\xc3\xa5\t::1");
    struct record_source back;
    record_source_read(buf_slice(&out), &back);
    CHECK_SLICE(back.input, "syslog-tls");
    CHECK_SLICE(back.listener, "default");
    CHECK_SLICE(back.identity, "CN=a%09b%0A100%25%FF\xc3\xa5");
    CHECK_SLICE(back.address, "::1");
    record_source_read(SLICE("file"), &back);
    CHECK_SLICE(back.input, "file");
    CHECK_SLICE(back.address, "");
    buf_done(&out);
}

TEST(only_a_listener_that_no_setting_can_name_marks_records)
{
    CHECK_INT(record_mark(SLICE("relp\tcanary\t\t")), RECORD_MARK_CANARY);
    CHECK_INT(record_mark(SLICE("http\texercise\t\t")), RECORD_MARK_EXERCISE);
    CHECK_INT(record_mark(SLICE("http\t127.0.0.1:1\tcanary\t10.0.0.1")), 0);
    CHECK_INT(record_mark(SLICE("canary")), 0);
    CHECK_INT(record_mark(SLICE("")), 0);
}

/* The bytes of a leaf, written out by hand: proofs of old records depend on them. */
TEST(leaf_head_is_what_the_format_says)
{
    struct buf out;
    buf_init(&out, 1024);
    struct record r = {.raw = SLICE("abc"),
                       .source = SLICE("s"),
                       .delivery = SLICE("dd"),
                       .context = SLICE(""),
                       .received = 0x0102030405060708,
                       .ordinal = 9,
                       .format = RECORD_JSON,
                       .flags = RECORD_CUT};
    record_leaf_head(&out, &r);
    const char expected[] = "\x00\x01\x02\x02"
                            "\x08\x07\x06\x05\x04\x03\x02\x01"
                            "\x09\x00\x00\x00\x00\x00\x00\x00"
                            "\x01\x00\x00\x00s"
                            "\x02\x00\x00\x00"
                            "dd"
                            "\x00\x00\x00\x00"
                            "\x03\x00\x00\x00";
    CHECK(slice_eq(buf_slice(&out), slice_make(expected, sizeof expected - 1)));
    buf_done(&out);
}

TEST(formats_have_names)
{
    CHECK(strcmp(record_format_name(RECORD_TEXT), "text") == 0);
    CHECK(strcmp(record_format_name(RECORD_AUDITD), "auditd") == 0);
    CHECK(strcmp(record_format_name(RECORD_FORMAT_COUNT), "unknown") == 0);
}
