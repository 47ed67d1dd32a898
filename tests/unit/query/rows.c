/* SPDX-License-Identifier: EUPL-1.2 */
#include "query/rows.h"

#include "test.h"

struct working {
    struct arena arena;
    struct query query;
    struct buf out;
    uint32_t n_out;
    struct zone zone;
};

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct working *w = ctx;
    if (w->n_out++) buf_puts(&w->out, "; ");
    for (uint32_t i = 0; i < n; i++) {
        struct cell_values values;
        struct cell value;
        if (i) buf_putc(&w->out, ' ');
        if (cells[i].kind == CELL_NONE) buf_putc(&w->out, '-');
        cell_values_init(&values, &cells[i]);
        for (unsigned k = 0; cell_values_next(&values, &value); k++) {
            if (k) buf_putc(&w->out, '+');
            buf_put(&w->out, value.text);
        }
    }
    return 0;
}

static void working_init(struct working *w, const char *query)
{
    const struct query_options options = {0};
    struct diag diag = {0};
    *w = (struct working){0};
    arena_init(&w->arena, 16 << 20);
    buf_init(&w->out, 1 << 20);
    REQUIRE(zone_read(&w->zone, "Europe/Stockholm", INT64_C(1798062420) * NSEC_PER_SEC, &diag) ==
            0);
    if (query_read(&w->arena, slice_of(query), &options, &w->query, &diag) != 0)
        test_fail(__FILE__, __LINE__, "%s: %s", query, diag.message);
}

static void working_done(struct working *w)
{
    arena_done(&w->arena);
    buf_done(&w->out);
}

/* a=1+2 is a list; _time=2026-12-23T21:47:00Z a time; what looks like a number is one. */
static struct cell cell_of(struct working *w, struct slice name, struct slice text)
{
    struct cell c = {text, CELL_TEXT};
    double number;
    nsec t;
    if (slice_eq(name, SLICE("_time")) && time_parse(text, 0, &t))
        return (struct cell){slice_of(arena_printf(&w->arena, "%lld", (long long)t)), CELL_TIME};
    if (slice_find_byte(text, '+') == SIZE_MAX) {
        if (slice_to_double(text, &number)) c.kind = CELL_NUMBER;
        return c;
    }
    struct buf list;
    buf_init(&list, 4096);
    for (bool more = true; more;) {
        struct slice head;
        more = slice_split(text, '+', &head, &text);
        cell_write(&list, &(struct cell){head, CELL_TEXT});
    }
    c = (struct cell){arena_dup(&w->arena, buf_slice(&list)), CELL_LIST};
    buf_done(&list);
    return c;
}

static void read_row(struct working *w, struct slice text, struct cell *cells)
{
    for (uint32_t i = 0; i < w->query.n_columns; i++) cells[i] = (struct cell){0};
    while (text.len) {
        struct slice pair, name, value;
        (void)slice_split(text, ' ', &pair, &text);
        (void)slice_split(pair, '=', &name, &value);
        for (uint32_t i = 0; i < w->query.n_columns; i++)
            if (slice_eq(w->query.columns[i].name, name)) cells[i] = cell_of(w, name, value);
    }
}

static struct rows *start(struct working *w, size_t memory)
{
    struct rows *rows = rows_new(&(struct rows_options){
        .query = &w->query, .zone = &w->zone, .memory = memory, .ctx = w, .row = on_row});
    REQUIRE(rows);
    return rows;
}

static int take_piece(void *ctx, struct slice bytes)
{
    return rows_merge(ctx, bytes);
}

/* Rows are separated by ;, and by | where another process goes on. */
static void check_rows(const char *query, const char *text, const char *want, int line)
{
    struct working w;
    struct cell cells[QUERY_COLUMNS_MAX];
    struct slice rest = slice_of(text), part, row;
    working_init(&w, query);
    struct rows *rows = start(&w, 64 << 20);
    bool apart = rows_only_groups(&w.query);
    while (rest.len) {
        struct groups *groups = apart ? rows_groups(&w.query, &w.zone, 16 << 20) : NULL;
        (void)slice_split(rest, '|', &part, &rest);
        while (part.len) {
            (void)slice_split(part, ';', &row, &part);
            read_row(&w, slice_trim(row), cells);
            if (groups) groups_add(groups, cells);
            else if (!rows_full(rows)) CHECK(rows_push(rows, cells) == 0);
        }
        if (groups) CHECK(groups_split(groups, rows, take_piece) == 0);
        groups_free(groups);
    }
    CHECK(rows_finish(rows) == 0);
    if (!slice_eq(buf_slice(&w.out), slice_of(want)))
        test_fail(__FILE__, line, "%s: %.*s", query, SLICE_FMT(buf_slice(&w.out)));
    struct rows_cut cut;
    rows_get_cut(rows, &cut);
    CHECK(cut.groups == 0 && cut.values == 0 && cut.sorted == 0 && cut.repeats == 0);
    rows_free(rows);
    working_done(&w);
}
#define CHECK_ROWS(query, text, want) check_rows(query, text, want, __LINE__)

TEST(groups)
{
    static const char rows[] = "f=b g=1;f=a g=2;f=b g=x|f=c g=10;g=3;f=b";
    CHECK_ROWS("|count", rows, "6");
    CHECK_ROWS("|count", "", "0");
    CHECK_ROWS("|count by f", rows, "b 3; - 1; a 1; c 1");
    CHECK_ROWS("|count by f", "", "");
    CHECK_ROWS("|count by f,g", "f=a g=1;f=a g=1;f=a g=2|f=a g=1", "a 1 3; a 2 1");
    CHECK_ROWS("|count by f", "f=1;f=10;f=9;f=a", "1 1; 9 1; 10 1; a 1");
    CHECK_ROWS("|top 2 f", rows, "b 3 60; a 1 20");
    CHECK_ROWS("|rare 2 f", rows, "a 1 20; c 1 20");
    CHECK_ROWS("|top f", "", "");
    CHECK_ROWS("|stats count, count(f), distinct(f), sum(g), avg(g), min(g), max(g)", rows,
               "6 5 3 16 4 1 10");
    CHECK_ROWS("|stats count, sum(g), avg(g), min(g), p50(g), distinct(g)", "", "0 0 - - - 0");
    CHECK_ROWS("|stats sum(g) by f", rows, "- 3; a 2; b 1; c 10");
    CHECK_ROWS("|stats p50(g),p90(g),p99(g)", "g=1;g=2;g=3;g=4|g=5;g=6;g=7;g=8;g=9;g=10", "5 9 10");
    CHECK_ROWS("|stats p50(g)", "g=123456", "123000");
    CHECK_ROWS("|stats p50(g)", "g=0;g=-0;g=-2", "0");
    CHECK_ROWS("|stats min(_time), max(_time)",
               "_time=1970-01-01T00:00:02Z;_time=1970-01-01T00:00:01Z", "1000000000 2000000000");
}

TEST(rows_with_several_values)
{
    CHECK_ROWS("|count by f", "f=a+b;f=a+a;f=b", "a 2; b 2");
    CHECK_ROWS("|count by f,g", "f=a+b g=1+2", "a 1 1; a 2 1; b 1 1; b 2 1");
    CHECK_ROWS("|stats sum(f), distinct(f), count(f)", "f=1+2+2", "5 2 1");
    CHECK_ROWS("|table f", "f=a+b", "a+b");
    CHECK_ROWS("|head 5|count by f", "f=a+b;f=a", "a 2; b 1");
}

TEST(steps_of_time)
{
    /* The night on which clocks go back: 02:30 comes twice. */
    static const char night[] = "_time=2026-10-24T23:30:00Z;_time=2026-10-25T00:30:00Z;"
                                "_time=2026-10-25T01:30:00Z;_time=2026-10-25T22:30:00Z";
    CHECK_ROWS("|timechart 1d", night, "1792879200000000000 4");
    CHECK_ROWS("|timechart 1h|head 4", night,
               "1792882800000000000 1; 1792886400000000000 1; 1792890000000000000 1; "
               "1792893600000000000 0");
    CHECK_ROWS("|timechart 1d", "_time=2026-10-24T23:30:00Z;_time=2026-10-27T12:00:00Z",
               "1792879200000000000 1; 1792969200000000000 0; 1793055600000000000 1");
    CHECK_ROWS("|timechart 3650d|head 1", "_time=2262-04-11T00:00:00Z;_time=1678-01-01T00:00:00Z",
               "-4730403600000000000 1");
    CHECK_ROWS("|timechart 1w", "_time=2026-12-23T00:00:00Z;_time=2026-12-20T12:00:00Z",
               "1797202800000000000 1; 1797807600000000000 1");
    CHECK_ROWS("|timechart 5m sum(g) by f",
               "_time=2026-12-23T21:47:00Z f=a g=1;_time=2026-12-23T21:45:00Z f=a g=2;"
               "_time=2026-12-23T21:50:00Z f=b g=4",
               "1798062300000000000 a 3; 1798062600000000000 b 4");
}

TEST(rows_of_events)
{
    static const char rows[] = "f=b g=1;f=a g=2;f=b g=x;f=c g=10;g=3;f=b";
    CHECK_ROWS("|table g,f", rows, "1 b; 2 a; x b; 10 c; 3 -; - b");
    CHECK_ROWS("|head 2|table g", rows, "1; 2");
    CHECK_ROWS("|sort g|table g", rows, "-; 1; 2; 3; 10; x");
    CHECK_ROWS("|sort -g|table g", rows, "x; 10; 3; 2; 1; -");
    CHECK_ROWS("|sort f,-g|table f,g", rows, "- 3; a 2; b x; b 1; b -; c 10");
    CHECK_ROWS("|sort f|head 3|table f,g", rows, "- 3; a 2; b 1");
    CHECK_ROWS("|dedup f|table f,g", rows, "b 1; a 2; c 10; - 3");
    CHECK_ROWS("|dedup f|count", rows, "4");
    CHECK_ROWS("|head 3|count by f|sort f|head 1", rows, "a 1");
    CHECK_ROWS("|count by f|sort -f|table count,f", rows, "1 c; 3 b; 1 a; 1 -");
    CHECK_ROWS("|count by f|stats sum(count), max(count) as most", rows, "6 3");
    CHECK_ROWS("|table f|dedup f|count", rows, "4");
}

TEST(what_finds_no_room_is_told)
{
    static const struct {
        const char *query;
        int what;
    } cases[] = {{"|count by f", 0},
                 {"|stats distinct(f)", 1},
                 {"|sort f|table f", 2},
                 {"|dedup f|table f", 3}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct working w;
        struct cell cells[QUERY_COLUMNS_MAX];
        struct rows_cut cut;
        char text[64];
        working_init(&w, cases[k].query);
        struct rows *rows = start(&w, 1 << 20);
        for (unsigned i = 0; i < 100000; i++) {
            (void)snprintf(text, sizeof text, "f=%u", 100000 - i);
            read_row(&w, slice_of(text), cells);
            REQUIRE(rows_push(rows, cells) == 0);
        }
        REQUIRE(rows_finish(rows) == 0);
        rows_get_cut(rows, &cut);
        const uint64_t found[] = {cut.groups, cut.values, cut.sorted, cut.repeats};
        for (int i = 0; i < 4; i++) CHECK((found[i] > 0) == (i == cases[k].what));
        CHECK(w.n_out > 0);
        /* What sort tells is right as far as it goes. */
        if (cases[k].what == 2) {
            CHECK(
                slice_starts_with(buf_slice(&w.out), SLICE("1; 2; 3; 4; 5; 6; 7; 8; 9; 10; 11;")));
            CHECK_INT(cut.sorted + w.n_out, 100000);
        }
        rows_free(rows);
        working_done(&w);
    }
}

TEST(sort_before_head_needs_little)
{
    struct working w;
    struct cell cells[QUERY_COLUMNS_MAX];
    struct rows_cut cut;
    char text[64];
    working_init(&w, "|sort -f|head 3|table f");
    struct rows *rows = start(&w, 1 << 20);
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof text, "f=%u", i * 7919 % 100000);
        read_row(&w, slice_of(text), cells);
        REQUIRE(rows_push(rows, cells) == 0);
    }
    REQUIRE(rows_finish(rows) == 0);
    CHECK_SLICE(buf_slice(&w.out), "99999; 99998; 99997");
    rows_get_cut(rows, &cut);
    CHECK_INT(cut.sorted, 0);
    rows_free(rows);
    working_done(&w);
}

TEST(head_needs_no_more_rows)
{
    struct working w;
    struct cell cells[QUERY_COLUMNS_MAX];
    working_init(&w, "|head 2|table f");
    struct rows *rows = start(&w, 1 << 20);
    read_row(&w, SLICE("f=1"), cells);
    CHECK(rows_push(rows, cells) == 0 && !rows_full(rows));
    CHECK(rows_push(rows, cells) == 0 && rows_full(rows));
    rows_free(rows);
    working_done(&w);
    working_init(&w, "|count by f|head 2");
    rows = start(&w, 1 << 20);
    for (int i = 0; i < 9; i++) CHECK(rows_push(rows, cells) == 0);
    CHECK(!rows_full(rows));
    rows_free(rows);
    working_done(&w);
}

TEST(pieces_that_are_none_are_refused)
{
    struct working w;
    working_init(&w, "|stats distinct(f) by g");
    struct rows *rows = start(&w, 1 << 20);
    CHECK_INT(rows_merge(rows, SLICE("x")), ERR_CORRUPT);
    CHECK_INT(rows_merge(rows, slice_make("\1\0\0\0\0", 5)), ERR_CORRUPT);
    CHECK_INT(rows_merge(rows, slice_make("\0\0\0\0\0", 5)), ERR_CORRUPT);
    CHECK_INT(rows_merge(rows, slice_make("\7\0\0\0\0", 5)), ERR_CORRUPT);
    CHECK_INT(rows_merge(rows, slice_make("\1\xff\xff\xff\xff", 5)), ERR_CORRUPT);
    rows_free(rows);
    working_done(&w);
}
