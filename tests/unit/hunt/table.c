/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/table.h"

#include <locale.h>
#include <stdlib.h>

#include "test.h"

static struct sigma_doc docs[] = {
    {.title = {"Low rule", 8}, .level = LEVEL_LOW},
    {.title = {"Critical rule", 13}, .level = LEVEL_CRITICAL},
    {.title = {"Plain", 5}, .level = LEVEL_NONE},
};
static struct slice tags[] = {{"attack.initial_access", 21}, {"attack.t1059", 12}};

struct world {
    struct sigma_rule rules[3], *rule_list[3];
    struct sigma_set set;
    struct output_options options;
    struct table *table;
    struct buf out;
};

static void take(void *ctx, struct slice text)
{
    buf_put(ctx, text);
}

static void world_init(struct world *w)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    *w = (struct world){0};
    docs[1].tags = tags;
    docs[1].n_tags = 2;
    for (size_t i = 0; i < 3; i++) {
        w->rules[i].doc = &docs[i];
        w->rule_list[i] = &w->rules[i];
    }
    w->set.rules = w->rule_list;
    w->set.n_rules = 3;
    w->options = (struct output_options){
        .format = HUNT_TABLE, .utc = true, .width = TABLE_WIDTH_DEFAULT, .set = &w->set};
    buf_init(&w->out, 64 * 1024 * 1024);
    w->table = table_new(&w->options, &w->out, take);
    REQUIRE(w->table);
}

static void add(struct world *w, nsec time, uint32_t rule, struct slice host, struct slice details)
{
    table_add(
        w->table,
        &(struct table_row){
            .time = time, .doc = &docs[rule], .rule = rule, .host = host, .details = details});
}

static void world_done(struct world *w)
{
    CHECK(!table_failed(w->table));
    table_free(w->table);
    buf_done(&w->out);
}

static bool prints(const struct world *w, const char *text)
{
    return slice_find(buf_slice(&w->out), slice_of(text)) != SIZE_MAX;
}
#define CHECK_PRINTS(w, text)                                                                      \
    (prints(w, text) ? (void)0                                                                     \
                     : test_fail(__FILE__, __LINE__, "no \"%s\" in\n%.*s", text,                   \
                                 SLICE_FMT(slice_until(buf_slice(&(w)->out), 2000))))

TEST(rows_are_in_order_of_time_and_what_has_none_comes_last)
{
    struct world w;
    world_init(&w);
    add(&w, TIME_NONE, 0, SLICE("a"), SLICE("none"));
    add(&w, 2 * NSEC_PER_SEC, 1, SLICE("b"), SLICE("second"));
    add(&w, 1 * NSEC_PER_SEC, 0, SLICE_NONE, SLICE("first"));
    add(&w, 2 * NSEC_PER_SEC, 2, SLICE("c"), SLICE("third"));
    add(&w, -1, 0, SLICE("d"), SLICE("before"));
    table_finish(w.table, 10);
    CHECK_PRINTS(&w, "Times are UTC.\n"
                     "Time                 Level     Computer  Rule           Matched\n"
                     "1969-12-31 23:59:59  low       d         Low rule       before\n"
                     "1970-01-01 00:00:01  low       -         Low rule       first\n"
                     "1970-01-01 00:00:02  critical  b         Critical rule  second\n"
                     "1970-01-01 00:00:02  -         c         Plain          third\n"
                     "-                    low       a         Low rule       none\n");
    world_done(&w);
}

TEST(summaries)
{
    struct world w;
    world_init(&w);
    for (int i = 0; i < 3; i++) add(&w, i, 0, SLICE("a"), SLICE("x"));
    add(&w, 5, 1, SLICE("b"), SLICE("x"));
    add(&w, 6, 1, SLICE_NONE, SLICE("x"));
    table_finish(w.table, 10);
    CHECK_PRINTS(&w, "\nBy level\n         2  critical\n         3  low     \n");
    CHECK_PRINTS(&w, "\nBy rule\n         2  critical  Critical rule\n         3  low       Low "
                     "rule\n");
    CHECK_PRINTS(&w, "\nBy computer\n         1  critical  b\n         3  low       a\n"
                     "         1  without a computer's name\n");
    CHECK_PRINTS(&w, "\nBy ATT&CK tactic\n         2  Initial Access\n");
    CHECK_PRINTS(&w, "\n5 alerts in 10 events.\n");
    CHECK(!prints(&w, "\033"));
    world_done(&w);
}

/* Columns are what a terminal shows, not bytes: å has two and is one wide, 漢 three and is two. */
TEST(columns_are_as_wide_as_what_they_show)
{
    struct world w;
    world_init(&w);
    add(&w, 0, 0, SLICE("räksmörgås"), SLICE("x"));
    add(&w, 1, 0, SLICE("漢字漢字"), SLICE("x"));
    add(&w, 2, 0, SLICE("a\x01"), SLICE("x"));
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "Computer    Rule      Matched\n");
    CHECK_PRINTS(&w, "räksmörgås  Low rule  x\n");
    CHECK_PRINTS(&w, "漢字漢字    Low rule  x\n");
    CHECK_PRINTS(&w, "a\\x01       Low rule  x\n");
    CHECK_PRINTS(&w, "\n3 alerts in 1 event.\n");
    world_done(&w);
}

/* One offset cannot be said of rows before and after the change of the clock. */
TEST(local_times_across_a_change_of_the_clock)
{
    struct world w;
    const nsec january = 1767225600 * NSEC_PER_SEC, july = january + 181 * 86400 * NSEC_PER_SEC;
    REQUIRE(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
    tzset();
    world_init(&w);
    w.options.utc = false;
    add(&w, january, 0, SLICE("a"), SLICE("x"));
    add(&w, TIME_NONE, 0, SLICE("a"), SLICE("x"));
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "Times are local (CET, UTC+01:00).\n");
    CHECK_PRINTS(&w, "2026-01-01 01:00:00  low");
    add(&w, january, 0, SLICE("a"), SLICE("x"));
    add(&w, july, 0, SLICE("a"), SLICE("x"));
    add(&w, TIME_NONE, 0, SLICE("a"), SLICE("x"));
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "Times are local; the clock was changed between them.\n");
    CHECK_PRINTS(&w, "2026-07-01 02:00:00  low");
    REQUIRE(setenv("TZ", "UTC0", 1) == 0);
    tzset();
    add(&w, january, 0, SLICE("a"), SLICE("x"));
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "Times are UTC.\n");
    world_done(&w);
}

TEST(nothing_found_is_said)
{
    struct world w;
    world_init(&w);
    table_finish(w.table, 7);
    CHECK_SLICE(buf_slice(&w.out), "No alerts in 7 events.\n");
    world_done(&w);
}

/* Names and values come from records: none may move the cursor or pretend to be another row. */
TEST(records_cannot_command_the_terminal)
{
    struct world w;
    world_init(&w);
    add(&w, 0, 0, SLICE("a\x1b[2J"), SLICE("x\n1970-01-01 00:00:00  low\r\xc2\x9b"));
    table_finish(w.table, 1);
    CHECK(!prints(&w, "\x1b") && !prints(&w, "\r") && !prints(&w, "\xc2\x9b"));
    CHECK_PRINTS(&w, "x\\n1970-01-01");
    world_done(&w);
}

TEST(lines_fit_the_width)
{
    static const char x[300] = {[0 ... 298] = 'x'};
    for (unsigned width = 0; width <= 500; width += 20) {
        struct world w;
        world_init(&w);
        w.options.width = width;
        add(&w, 0, 0, slice_of(x), slice_of(x));
        table_finish(w.table, 1);
        unsigned max = width < TABLE_WIDTH_MIN   ? TABLE_WIDTH_MIN
                       : width > TABLE_WIDTH_MAX ? TABLE_WIDTH_MAX
                                                 : width;
        struct slice rest = buf_slice(&w.out), line;
        for (int n = 0; n < 3 && slice_split(rest, '\n', &line, &rest); n++) {
            size_t columns = 0;
            for (size_t i = 0; i < line.len; i++) columns += (line.ptr[i] & 0xc0) != 0x80;
            if (columns > max)
                test_fail(__FILE__, __LINE__, "width %u: a line of %zu", width, columns);
        }
        world_done(&w);
    }
}

TEST(undetermined_alerts_are_marked)
{
    struct world w;
    world_init(&w);
    table_add(w.table, &(struct table_row){.doc = &docs[0],
                                           .undetermined = true,
                                           .host = SLICE("h"),
                                           .details = SLICE("d")});
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "  (?) d\n");
    world_done(&w);
}

TEST(more_rows_than_are_kept_begin_a_new_run_and_none_is_lost)
{
    struct world w;
    world_init(&w);
    for (uint32_t i = 0; i < TABLE_ROWS_MAX + 1; i++)
        add(&w, TABLE_ROWS_MAX - i, 0, SLICE("h"), SLICE("d"));
    table_finish(w.table, TABLE_ROWS_MAX + 1);
    CHECK_PRINTS(&w, "More alerts than are kept in memory: the timeline goes on in a new run");
    uint32_t rows = 0;
    struct slice rest = buf_slice(&w.out);
    for (size_t at; (at = slice_find(rest, SLICE("Low rule  d\n"))) != SIZE_MAX; rows++)
        rest = slice_from(rest, at + 1);
    CHECK_INT(rows, TABLE_ROWS_MAX + 1);
    CHECK_PRINTS(&w, "\n200001 alerts in 200001 events.\n");
    world_done(&w);
}

TEST(computers_beyond_the_limit_are_counted_together)
{
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < TABLE_HOSTS_MAX + 3; i++) {
        char host[16];
        int n = snprintf(host, sizeof host, "h%u", i);
        add(&w, 0, 0, slice_make(host, (size_t)n), SLICE("d"));
    }
    table_finish(w.table, 1);
    CHECK_PRINTS(&w, "            … and 4076 more computers\n"
                     "         3  on computers beyond the first 4096\n");
    world_done(&w);
}
