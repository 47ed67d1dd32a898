/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/flow.h"

#include "base/be.h"
#include "unwrapped.h"

/* ---- datagrams ---------------------------------------------------------------------------- */

static void put16(struct buf *b, unsigned v)
{
    buf_putc(b, (char)(v >> 8));
    buf_putc(b, (char)v);
}

static void put32(struct buf *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

static void put_v5(struct buf *b, unsigned count, uint32_t sequence)
{
    buf_clear(b);
    put16(b, 5);
    put16(b, count);
    put32(b, 1000);       /* uptime */
    put32(b, 1700000000); /* seconds */
    put32(b, 0);
    put32(b, sequence);
    put16(b, 0x0102); /* engine */
    put16(b, 0);
    for (unsigned i = 0; i < count; i++)
        for (int k = 0; k < FLOW5_RECORD; k++) buf_putc(b, (char)('a' + i));
}

static void put_v9_header(struct buf *b, uint32_t sequence, uint32_t domain)
{
    buf_clear(b);
    put16(b, 9);
    put16(b, 1);
    put32(b, 1000);
    put32(b, 1700000000);
    put32(b, sequence);
    put32(b, domain);
}

static void put_ipfix_header(struct buf *b, uint32_t sequence, uint32_t domain)
{
    buf_clear(b);
    put16(b, 10);
    put16(b, 0);
    put32(b, 1700000000);
    put32(b, sequence);
    put32(b, domain);
}

/* Says how long the message is that ends here. */
static struct slice end_ipfix(struct buf *b)
{
    be16_put(b->ptr + 2, (uint16_t)b->len);
    return buf_slice(b);
}

/* A set; the numbers of what is in it are 16 bits each. */
static void put_set(struct buf *b, unsigned id, const unsigned *numbers, size_t n)
{
    put16(b, id);
    put16(b, (unsigned)(4 + 2 * n));
    for (size_t i = 0; i < n; i++) put16(b, numbers[i]);
}
#define PUT_SET(b, id, ...)                                                                        \
    put_set(b, id, (const unsigned[]){__VA_ARGS__},                                                \
            sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

#define V9_HEAD "\\x00\\x09\\x00\\x01\\x00\\x00\\x03\\xe8eS\\xf1\\x00\\x00\\x00\\x00\\x00"
#define V9_TEXT "\\x00\\x00\\x01\\x04\\x00\\x02\\x00\\x07\\x00\\x02\\x00\\x0b\\x00\\x02"

struct flow_case {
    struct unwrapped t;
    struct buf b;
};

static void begin(struct flow_case *c, const struct unwrap_options *options)
{
    unwrapped_init(&c->t, CONTAINER_FLOW, options, BATCH_MAX);
    c->t.container.delivery = SLICE_NONE;
    c->t.container.flags = 0;
    buf_init(&c->b, 65536);
}

static void end(struct flow_case *c)
{
    buf_done(&c->b);
    unwrapped_done(&c->t);
}

#define CHECK_FLOW(c, datagram, records)                                                           \
    unwrapped_check_at(__FILE__, __LINE__, &(c)->t, datagram, records, 0, "")

static struct unwrap_flow_stats stats_of(struct flow_case *c)
{
    struct unwrap_flow_stats s;
    unwrap_flow_stats(c->t.unwrap, &s);
    return s;
}

/* ---- tests -------------------------------------------------------------------------------- */

TEST(v5_records_have_their_header)
{
    struct flow_case c;
    begin(&c, NULL);
    put_v5(&c.b, 2, 7);
    const char *head = "\\x00\\x05\\x00\\x02\\x00\\x00\\x03\\xe8eS\\xf1\\x00\\x00\\x00\\x00\\x00"
                       "\\x00\\x00\\x00\\x07\\x01\\x02\\x00\\x00";
    char want[1024];
    char a[FLOW5_RECORD + 1] = "", b[FLOW5_RECORD + 1] = "";
    memset(a, 'a', FLOW5_RECORD);
    memset(b, 'b', FLOW5_RECORD);
    (void)snprintf(want, sizeof want, "0 netflow5 %s < %s\n1 netflow5 %s < %s\n", a, head, b, head);
    CHECK_FLOW(&c, buf_slice(&c.b), want);
    /* Cut short: what is whole is taken. */
    (void)snprintf(want, sizeof want, "0 netflow5 %s < %s\n", a, head);
    CHECK_FLOW(&c, slice_make(c.b.ptr, c.b.len - 1), want);
    CHECK_INT(stats_of(&c).damaged, 1);
    end(&c);
}

TEST(v5_and_v9_gaps_are_counted)
{
    struct flow_case c;
    begin(&c, NULL);
    static const struct {
        uint32_t sequence;
        unsigned count;
        uint64_t lost; /* so far */
    } steps[] = {{100, 2, 0},
                 {102, 3, 0},
                 {110, 1, 5},
                 {105, 3, 5}, /* late */
                 {111, 1, 5},
                 {UINT32_C(0x80000000), 1, 5}, /* a restart */
                 {UINT32_C(0x80000001), 1, 5}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        put_v5(&c.b, steps[i].count, steps[i].sequence);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
        CHECK_INT(stats_of(&c).lost, steps[i].lost);
    }
    /* v9 counts datagrams, in each domain; over the end of the numbers. */
    static const uint32_t sequences[] = {UINT32_MAX - 1, UINT32_MAX, 0, 3};
    for (size_t i = 0; i < 4; i++) {
        put_v9_header(&c.b, sequences[i], 1);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    }
    put_v9_header(&c.b, 77, 2);
    CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    CHECK_INT(stats_of(&c).lost, 5 + 2);
    end(&c);
}

TEST(v9_records_carry_header_and_template)
{
    struct flow_case c;
    begin(&c, NULL);
    put_v9_header(&c.b, 0, 5);
    PUT_SET(&c.b, 0, 260, 2, 7, 2, 11, 2);                 /* template 260: two ports */
    PUT_SET(&c.b, 260, 0x4142, 0x4344, 0x4546, 0x4748, 0); /* two records and padding */
    CHECK_FLOW(&c, buf_slice(&c.b),
               "0 netflow9 ABCD < " V9_HEAD "\\x00\\x00\\x00\\x05" V9_TEXT "\n"
               "1 netflow9 EFGH < " V9_HEAD "\\x00\\x00\\x00\\x05" V9_TEXT "\n");
    /* Later datagrams have the data only; another domain has no such template. */
    put_v9_header(&c.b, 1, 5);
    PUT_SET(&c.b, 260, 0x4142, 0x4344);
    CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    CHECK_INT(c.t.answer.taken, 1);
    put_v9_header(&c.b, 0, 6);
    PUT_SET(&c.b, 260, 0x4142, 0x4344);
    CHECK_FLOW(&c, buf_slice(&c.b), "");
    /* Nor has another exporter. */
    put_v9_header(&c.b, 0, 5);
    PUT_SET(&c.b, 260, 0x4142, 0x4344);
    c.t.container.source = SLICE("flow\tdefault\t\t10.0.0.2");
    CHECK_FLOW(&c, buf_slice(&c.b), "");
    CHECK_INT(stats_of(&c).templates, 1);
    CHECK_INT(stats_of(&c).waiting, 2);
    end(&c);
}

TEST(data_waits_for_its_template)
{
    struct flow_case c;
    begin(&c, NULL);
    c.t.with_received = true;
    put_v9_header(&c.b, 0, 0);
    PUT_SET(&c.b, 260, 0x4142, 0x4344);
    PUT_SET(&c.b, 261, 1, 2);
    CHECK_FLOW(&c, buf_slice(&c.b), "");
    CHECK_INT(stats_of(&c).waiting, 2);
    c.t.container.received += 5;
    put_v9_header(&c.b, 1, 0);
    PUT_SET(&c.b, 0, 260, 2, 7, 2, 11, 2);
    PUT_SET(&c.b, 260, 0x4546, 0x4748);
    CHECK_FLOW(
        &c, buf_slice(&c.b),
        "0 netflow9 ABCD < " V9_HEAD "\\x00\\x00\\x00\\x00" V9_TEXT " @1700000000\n"
        "1 netflow9 EFGH < \\x00\\x09\\x00\\x01\\x00\\x00\\x03\\xe8eS\\xf1\\x00\\x00\\x00\\x00\\x01"
        "\\x00\\x00\\x00\\x00" V9_TEXT " @1700000005\n");
    CHECK_INT(stats_of(&c).waiting, 1);
    CHECK_INT(stats_of(&c).no_template, 0);
    /* What waited too long is counted. */
    c.t.container.received += unwrap_options_default().waiting_life;
    put_v9_header(&c.b, 2, 0);
    CHECK_FLOW(&c, buf_slice(&c.b), "");
    CHECK_INT(stats_of(&c).waiting, 0);
    CHECK_INT(stats_of(&c).no_template, 1);
    end(&c);
}

TEST(ipfix_with_all_it_has)
{
    struct flow_case c;
    begin(&c, NULL);
    put_ipfix_header(&c.b, 0, 9);
    /* Template 300: port, an enterprise's field, text of any length. */
    PUT_SET(&c.b, 2, 300, 3, 7, 2, 0x8000 | 12, 2, 0, 9, 82, FLOW_VARIABLE);
    put16(&c.b, 300);
    put16(&c.b, 4 + 7 + 10);
    buf_put(&c.b, SLICE("ABCD\2xy"));
    buf_put(&c.b, SLICE("EFGH\xff\0\3abc"));
    CHECK_FLOW(
        &c, end_ipfix(&c.b),
        "0 ipfix ABCD\\x02xy < \\x00\\x0a\\x00=eS\\xf1\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x09"
        "\\x00\\x02\\x01,"
        "\\x00\\x03\\x00\\x07\\x00\\x02\\x80\\x0c\\x00\\x02\\x00\\x00\\x00\\x09\\x00R\\xff\\xff\n"
        "1 ipfix EFGH\\xff\\x00\\x03abc < "
        "\\x00\\x0a\\x00=eS\\xf1\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x09"
        "\\x00\\x02\\x01,"
        "\\x00\\x03\\x00\\x07\\x00\\x02\\x80\\x0c\\x00\\x02\\x00\\x00\\x00\\x09\\x00R\\xff\\xff\n");
    /* Sequence numbers count data records: four are missing. */
    put_ipfix_header(&c.b, 6, 9);
    PUT_SET(&c.b, 3, 301, 2, 1, 149, 4, 41, 2); /* options */
    PUT_SET(&c.b, 301, 0, 9, 5);
    CHECK_FLOW(&c, end_ipfix(&c.b),
               "0 ipfix \\x00\\x00\\x00\\x09\\x00\\x05 < "
               "\\x00\\x0a\\x00,eS\\xf1\\x00\\x00\\x00\\x00\\x06\\x00\\x00\\x00\\x09"
               "\\x00\\x03\\x01-\\x00\\x02\\x00\\x01\\x00\\x95\\x00\\x04\\x00)\\x00\\x02\n");
    CHECK_INT(stats_of(&c).lost, 4);
    /* A withdrawn template is none. */
    put_ipfix_header(&c.b, 7, 9);
    PUT_SET(&c.b, 2, 300, 0);
    PUT_SET(&c.b, 300, 0x4142, 0x4344, 0);
    CHECK_FLOW(&c, end_ipfix(&c.b), "");
    CHECK_INT(stats_of(&c).waiting, 1);
    end(&c);
}

TEST(templates_grow_old)
{
    struct unwrap_options options = unwrap_options_default();
    options.template_life = 100;
    struct flow_case c;
    begin(&c, &options);
    for (int i = 0; i < 3; i++) {
        put_v9_header(&c.b, (uint32_t)i, 0);
        if (i == 0) PUT_SET(&c.b, 0, 260, 2, 7, 2, 11, 2);
        PUT_SET(&c.b, 260, 0x4142, 0x4344);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
        CHECK_INT(c.t.answer.taken, i < 2);
        c.t.container.received += i == 0 ? 100 : 1;
    }
    CHECK_INT(stats_of(&c).templates, 0);
    end(&c);
}

TEST(a_changed_template_counts_from_then_on)
{
    struct flow_case c;
    begin(&c, NULL);
    put_v9_header(&c.b, 0, 0);
    PUT_SET(&c.b, 0, 260, 1, 7, 2);
    PUT_SET(&c.b, 260, 0x4142);
    PUT_SET(&c.b, 0, 260, 1, 8, 4);
    PUT_SET(&c.b, 260, 0x4142, 0x4344);
    CHECK_FLOW(&c, buf_slice(&c.b),
               "0 netflow9 AB < " V9_HEAD
               "\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x04\\x00\\x01\\x00\\x07\\x00\\x02\n"
               "1 netflow9 ABCD < " V9_HEAD
               "\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x04\\x00\\x01\\x00\\x08\\x00\\x04\n");
    CHECK_INT(stats_of(&c).templates, 1);
    end(&c);
}

TEST(bounds_drop_the_oldest)
{
    struct unwrap_options options = unwrap_options_default();
    options.templates_max = 2;
    options.domains_max = 2;
    options.template_bytes_max = 40;
    options.waiting_bytes_max = 400;
    struct flow_case c;
    begin(&c, &options);
    for (unsigned id = 256; id < 259; id++) {
        put_v9_header(&c.b, 0, 0);
        PUT_SET(&c.b, 0, id, 1, 7, 2);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    }
    CHECK_INT(stats_of(&c).templates, 2);
    put_v9_header(&c.b, 0, 0);
    PUT_SET(&c.b, 257, 1);
    PUT_SET(&c.b, 258, 2);
    CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    CHECK_INT(c.t.answer.taken, 2);
    /* A long one drives both out. */
    put_v9_header(&c.b, 0, 0);
    PUT_SET(&c.b, 0, 300, 8, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 1, 8, 1);
    CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    CHECK_INT(stats_of(&c).templates, 1);
    /* Sets wait in as much room as there is. */
    for (int i = 0; i < 50; i++) {
        put_v9_header(&c.b, 0, 0);
        PUT_SET(&c.b, 400, (unsigned)i);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    }
    struct unwrap_flow_stats stats = stats_of(&c);
    CHECK(stats.waiting > 0 && stats.waiting < 10);
    CHECK_INT(stats.waiting + stats.no_template, 50);
    /* New domains drive old ones out, with all they have. */
    for (uint32_t domain = 1; domain < 4; domain++) {
        put_v9_header(&c.b, 0, domain);
        CHECK_INT(unwrapped_run(&c.t, buf_slice(&c.b)), 0);
    }
    CHECK_INT(stats_of(&c).templates, 0);
    CHECK_INT(stats_of(&c).waiting, 0);
    CHECK_INT(stats_of(&c).no_template, 50);
    end(&c);
}

TEST(templates_that_cannot_be_used)
{
    struct flow_case c;
    begin(&c, NULL);
    put_v9_header(&c.b, 0, 0);
    PUT_SET(&c.b, 0, 255, 1, 7, 2);       /* an id of a set */
    PUT_SET(&c.b, 0, 256, 2, 7, 0, 8, 0); /* records of no bytes would never end */
    PUT_SET(&c.b, 0, 257, 2, 7, 2);       /* cut off */
    PUT_SET(&c.b, 0, 258, 1, 7, 2);       /* good */
    PUT_SET(&c.b, 258, 0x4142);
    CHECK_FLOW(&c, buf_slice(&c.b),
               "3 netflow9 AB < " V9_HEAD
               "\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x02\\x00\\x01\\x00\\x07\\x00\\x02\n");
    CHECK_INT(c.t.answer.refused[UNWRAP_BAD_TEMPLATE], 3);
    end(&c);
}

TEST(damaged_datagrams_are_counted)
{
    static const struct {
        const char *ptr;
        size_t len;
    } bad[] = {{"", 0},
               {"\0", 1},
               {"\0\7xxxxxxxxxxxxxxxxxxxxxxxxxx", 28},
               {"\0\5\0\1", 4},
               {"\0\x09", 2},
               {"\0\x0a\0\x10", 4},
               {"\0\x0a\0\x0f\0\0\0\0\0\0\0\0\0\0\0\0", 16},
               {"\0\x0a\0\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16},
               {"\0\x0a\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\3", 20},
               {"\0\x0a\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\5", 20}};
    struct flow_case c;
    begin(&c, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_FLOW(&c, slice_make(bad[i].ptr, bad[i].len), "");
        CHECK_INT(stats_of(&c).damaged, i + 1);
    }
    CHECK_INT(stats_of(&c).datagrams, sizeof bad / sizeof *bad);
    end(&c);
}
