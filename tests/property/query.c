/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Queries compared with a second evaluator that is slow and plain (query_reference.c): random
 * filters and pipes as text, against random sets of events as JSON.
 *
 *     property-query [--pairs N] [--seed S]
 *
 * Each set is sealed as well, an event a block, with an index: no block that has an event for which
 * a filter holds may be passed over, and what only counts by one field has the same from the index.
 *
 * The filter is also written as a Sigma rule, where it can be, which has to hold for the same
 * events.
 *
 * A pair is a query and a set of events. The first disagreement is printed; the exit status is 1.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/find.h"
#include "normalise/record_decoder.h"
#include "normalise/verbatim.h"
#include "query/needles.h"
#include "query/rows.h"
#include "query/rule.h"
#include "query_index.h"
#include "query_made.h"
#include "search/columns.h"
#include "search/counting.h"

enum { QUERIES = 128, SETS = 24, ROWS_MAX = 1 << 20 };

/* ---- what the program says --------------------------------------------------------------- */

struct asked {
    struct ref_tree *tree;
    struct ref_pipe pipe;
    struct slice text;
    struct query query;
    struct sigma_rule rule;
    struct columns *columns;
    struct needles needles;
    struct index_asks *asks;
    const struct sigma_rule *written; /* as a rule of Sigma; NULL: no rule can say it */
    struct rows *rows;
    struct groups *groups;
    struct buf out;
    const struct ref_event *held[REF_EVENTS]; /* by the reference */
    int n_held;
};

struct round {
    struct arena arena;
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct engine *engine;
    struct record_decoder *decoder;
    struct record record;
    bool opaque;
    uint32_t n_written; /* rules of Sigma, which come before those of the queries */
    int asked_of[2 * QUERIES];
    struct asked asked[QUERIES];
    struct query_index *index;
    uint64_t *passed;  /* blocks that were passed over */
    uint64_t *counted; /* queries that read none */
};

/* A record that is not opaque has one of the texts, or the filter does not hold for it. */
static void check_needles(const struct round *r, const struct asked *a)
{
    bool has = r->opaque || a->needles.n == 0;
    for (uint32_t i = 0; i < a->needles.n && !has; i++)
        has = find_nocase(r->record.raw, a->needles.at[i], 0) != SIZE_MAX;
    if (!has) printf("%.*s\nover\n%.*s\n", SLICE_FMT(a->text), SLICE_FMT(r->record.raw));
    ASSERT(has);
}

static void look_whether_opaque(struct round *r)
{
    struct batch_writer writer;
    struct batch batch;
    struct buf bytes;
    uint64_t bits = 0;
    batch_writer_init(&writer, 0, BATCH_MAX);
    buf_init(&bytes, BATCH_MAX);
    ASSERT(batch_writer_add(&writer, &r->record) == 0);
    batch_writer_finish(&writer, &bytes);
    ASSERT(batch_open(buf_slice(&bytes), &batch) == 0);
    verbatim_mark(&batch, NULL, 0, &bits);
    r->opaque = bits;
    batch_writer_done(&writer);
    buf_done(&bytes);
}

/* A query and the rule that was made of it hold for the same events. */
static void check_written(const struct round *r, const struct engine_result *found)
{
    bool asked[QUERIES] = {false}, written[QUERIES] = {false};
    for (uint32_t i = 0; i < found->n_hits; i++) {
        uint32_t index = found->hits[i].rule->index;
        (index < r->n_written ? written : asked)[r->asked_of[index]] = true;
    }
    for (int i = 0; i < QUERIES; i++) {
        const struct asked *a = &r->asked[i];
        if (!a->written || written[i] == asked[i]) continue;
        printf("%.*s\nand its rule %s\nover\n%.*s\n", SLICE_FMT(a->text), a->written->doc->file,
               SLICE_FMT(r->record.raw));
        (void)fflush(stdout);
        ASSERT(false);
    }
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct round *r = ctx;
    struct engine_result found;
    struct cell cells[QUERY_COLUMNS_MAX];
    (void)number;
    int error = engine_match(r->engine, ev, &found);
    ASSERT(error == 0);
    check_written(r, &found);
    for (uint32_t i = 0; i < found.n_hits; i++) {
        ASSERT(!found.hits[i].undetermined);
        if (found.hits[i].rule->index < r->n_written) continue;
        struct asked *a = &r->asked[r->asked_of[found.hits[i].rule->index]];
        check_needles(r, a);
        columns_fill(a->columns, ev, found.route, &r->record, 0, cells);
        if (a->groups) groups_add(a->groups, cells);
        else if (!rows_full(a->rows)) ASSERT(rows_push(a->rows, cells) == 0);
    }
    engine_housekeep(r->engine);
    return 0;
}

static int take_piece(void *ctx, struct slice bytes)
{
    return rows_merge(ctx, bytes);
}

static void split(struct round *r)
{
    for (int i = 0; i < QUERIES; i++)
        if (r->asked[i].groups && made_chance(50))
            ASSERT(groups_split(r->asked[i].groups, r->asked[i].rows, take_piece) == 0);
}

static void begin_set(struct round *r)
{
    for (int i = 0; i < QUERIES; i++) {
        struct asked *a = &r->asked[i];
        buf_clear(&a->out);
        a->n_held = 0;
        a->rows = rows_new(&(struct rows_options){
            .query = &a->query, .memory = 16 << 20, .ctx = &a->out, .row = made_put_row});
        a->groups = rows_only_groups(&a->query) ? rows_groups(&a->query, NULL, 1 << 20) : NULL;
        ASSERT(a->rows);
    }
}

static bool end_set(struct round *r, const struct buf *events)
{
    struct buf want;
    bool good = true;
    buf_init(&want, ROWS_MAX);
    split(r);
    for (int i = 0; i < QUERIES && good; i++) {
        struct asked *a = &r->asked[i];
        if (a->groups) ASSERT(groups_split(a->groups, a->rows, take_piece) == 0);
        ASSERT(rows_finish(a->rows) == 0);
        buf_clear(&want);
        ref_rows(&a->pipe, a->held, a->n_held, &want);
        good = slice_eq(buf_slice(&a->out), buf_slice(&want));
        if (!good)
            printf("%.*s\nover\n%.*s\nis  %.*s\nnot %.*s\n", SLICE_FMT(a->text),
                   SLICE_FMT(buf_slice(events)), SLICE_FMT(buf_slice(&a->out)),
                   SLICE_FMT(buf_slice(&want)));
    }
    buf_done(&want);
    for (int i = 0; i < QUERIES; i++) {
        groups_free(r->asked[i].groups);
        rows_free(r->asked[i].rows);
    }
    return good;
}

/* Blocks that are passed over have no event that the slow evaluator found. */
static bool check_blocks(struct round *r, const struct ref_event *events,
                         const struct slice *records, uint32_t n)
{
    query_index_put(r->index, records, n, RECORD_JSON);
    ASSERT(!query_index_is_for(r->index, index_version(&r->index->rules) + 1));
    for (int i = 0; i < QUERIES; i++) {
        struct asked *a = &r->asked[i];
        uint64_t may = query_index_may(r->index, a->asks);
        *r->passed += n - (uint32_t)__builtin_popcountll(may);
        for (int k = 0; k < a->n_held; k++) {
            size_t block = (size_t)(a->held[k] - events);
            if (may >> block & 1) continue;
            printf("%.*s\npassed over\n%.*s\n", SLICE_FMT(a->text), SLICE_FMT(records[block]));
            return false;
        }
    }
    return true;
}

/* What the index has of all n events, by the query's pipe. Whether that is enough for it. */
static bool count_blocks(struct round *r, const struct query *query, uint32_t n, struct buf *out)
{
    struct counting counting;
    struct counted counted;
    uint32_t events = 0;
    counting_init(&counting, query);
    if (!counting.query) return false;
    struct rows *rows = rows_new(&(struct rows_options){
        .query = query, .memory = 16 << 20, .ctx = out, .row = made_put_row});
    struct groups *groups = rows_groups(query, NULL, 1 << 20);
    ASSERT(rows && groups);
    ASSERT(counting_enter(&counting, &r->index->file, 0) == 0);
    for (uint32_t i = 0; i < segment_footer_of(r->index->segment)->blocks; i++) {
        ASSERT(counting_add(&counting, i, groups, &counted) == 1);
        ASSERT(counted.undecodable == 0);
        events += counted.events;
    }
    ASSERT(events == n);
    ASSERT(groups_split(groups, rows, take_piece) == 0);
    ASSERT(rows_finish(rows) == 0);
    counting_leave(&counting);
    buf_done(&counting.bytes);
    groups_free(groups);
    rows_free(rows);
    return true;
}

/* Of the events that the query is about, when its filter is that. */
static bool check_count(struct round *r, const struct asked *a, const struct sigma_expr *filter,
                        const struct ref_event *const *events, int n_events, uint32_t n)
{
    struct buf is, want;
    struct query query = a->query;
    query.filter = filter;
    buf_init(&is, ROWS_MAX);
    buf_init(&want, ROWS_MAX);
    bool counted = count_blocks(r, &query, n, &is);
    if (counted) ref_rows(&a->pipe, events, n_events, &want);
    bool good = slice_eq(buf_slice(&is), buf_slice(&want));
    if (!good)
        printf("counted by the index: the pipe of\n%.*s\nis  %.*s\nnot %.*s\n", SLICE_FMT(a->text),
               SLICE_FMT(buf_slice(&is)), SLICE_FMT(buf_slice(&want)));
    *r->counted += counted;
    buf_done(&is);
    buf_done(&want);
    return good;
}

/* All queries as they are, and without their filters. */
static bool check_counts(struct round *r, const struct ref_event *events,
                         const struct slice *records, uint32_t n)
{
    static const struct sigma_expr all = {.kind = EXPR_TRUE};
    const struct ref_event *every[REF_EVENTS];
    bool good = true;
    for (uint32_t i = 0; i < n; i++) every[i] = &events[i];
    if (made_chance(50)) query_index_put_together(r->index, records, n, RECORD_JSON);
    for (int i = 0; i < QUERIES && good; i++) {
        struct asked *a = &r->asked[i];
        good = check_count(r, a, &all, every, (int)n, n) &&
               check_count(r, a, a->query.filter, a->held, a->n_held, n);
    }
    return good;
}

static bool one_set(struct round *r)
{
    static struct ref_event events[REF_EVENTS];
    const struct record_sink sink = {.ctx = r, .event = on_event};
    struct slice records[REF_EVENTS];
    struct buf text;
    int n = 1 + (int)made_below(REF_EVENTS);
    buf_init(&text, 1 << 20);
    ASSERT(buf_reserve(&text, 1 << 20)); /* it does not move */
    begin_set(r);
    for (int i = 0; i < n; i++) {
        made_event(&events[i]);
        size_t at = text.len;
        made_put_event(&text, &events[i]);
        ASSERT(!buf_failed(&text));
        records[i] = slice_from(buf_slice(&text), at);
        r->record = (struct record){.raw = records[i], .format = RECORD_JSON};
        look_whether_opaque(r);
        ASSERT(record_decoder_one(r->decoder, &r->record, &sink) == 0);
        buf_putc(&text, '\n');
        for (int k = 0; k < QUERIES; k++)
            if (ref_holds(r->asked[k].tree, &events[i]))
                r->asked[k].held[r->asked[k].n_held++] = &events[i];
        if (made_chance(20)) split(r);
    }
    bool good = end_set(r, &text) && check_blocks(r, events, records, (uint32_t)n) &&
                check_counts(r, events, records, (uint32_t)n);
    buf_done(&text);
    return good;
}

static bool is_copied(void *ctx, struct slice field)
{
    (void)ctx;
    (void)field;
    return true; /* there are no products here */
}

/* The filter as a rule, in a file that is called by the query's number. */
static bool write_rule(struct round *r, struct asked *a)
{
    const struct query_rule_options options = {.title = SLICE("T"), .level = LEVEL_LOW};
    char file[16];
    struct buf rule;
    struct query filter = a->query;
    struct diag diag;
    /* The pipes are apart. */
    filter.text = slice_until(a->text, (size_t)(filter.filter_text.ptr - a->text.ptr) +
                                           filter.filter_text.len);
    buf_init(&rule, 1 << 20);
    (void)snprintf(file, sizeof file, "%d", (int)(a - r->asked));
    int error = query_write_rule(&rule, &filter, &options, &diag);
    uint32_t refused = r->set->n_refusals;
    if (error == 0) error = sigma_set_add_text(r->set, file, buf_slice(&rule), NULL);
    bool good = (error == 0 || error == ERR_UNSUPPORTED) && r->set->n_refusals == refused;
    if (!good)
        printf("%.*s\nas a rule: %s\n%.*s\n", SLICE_FMT(a->text), diag.message,
               SLICE_FMT(buf_slice(&rule)));
    buf_done(&rule);
    return good;
}

static bool make_query(struct round *r, struct asked *a)
{
    struct buf text;
    struct diag diag;
    const struct query_options options = {.whole = false};
    buf_init(&text, QUERY_TEXT_MAX);
    a->tree = made_tree(&r->arena, MADE_RECORD_FIELDS, 3);
    made_pipe(&a->pipe, MADE_RECORD_FIELDS);
    made_put_query(&text, a->tree, &a->pipe);
    a->text = arena_dup(&r->arena, buf_slice(&text));
    buf_done(&text);
    buf_init(&a->out, ROWS_MAX);
    int error = query_read(&r->set->arena, a->text, &options, &a->query, &diag);
    if (error) printf("%.*s\n%u: %s\n", SLICE_FMT(a->text), diag.column, diag.message);
    a->rule.expr = a->query.filter;
    a->asks = error ? NULL : index_asks_new(a->query.filter);
    ASSERT(error || a->asks);
    if (error == 0)
        needles_find(a->query.filter,
                     &(struct needles_world){.plain = verbatim_is_plain, .copied = is_copied},
                     &a->needles);
    return error == 0 && write_rule(r, a);
}

/* Behind the rules of Sigma. */
static bool add_rules(struct round *r)
{
    bool good = sigma_set_finish(r->set) == 0;
    r->n_written = r->set->n_rules;
    for (uint32_t i = 0; i < r->n_written; i++) {
        uint64_t number = 0;
        ASSERT(slice_to_u64(slice_of(r->set->rules[i]->doc->file), &number));
        r->asked[number].written = r->set->rules[i];
        r->asked_of[i] = (int)number;
    }
    for (int i = 0; i < QUERIES && good; i++) {
        r->asked_of[r->set->n_rules] = i;
        good = sigma_set_add_rule(r->set, &r->asked[i].rule) == 0;
    }
    return good;
}

static bool one_round(struct round *r)
{
    bool good = true;
    arena_init(&r->arena, 64 << 20);
    r->set = sigma_set_new();
    r->taxonomy = taxonomy_new();
    ASSERT(r->set && r->taxonomy);
    for (int i = 0; i < QUERIES && good; i++) good = make_query(r, &r->asked[i]);
    good = good && add_rules(r);
    r->engine = engine_new(r->set, r->taxonomy, &(struct engine_options){0});
    r->decoder = record_decoder_new(engine_keys(r->engine));
    for (int i = 0; i < QUERIES && good; i++)
        r->asked[i].columns = columns_new(&r->asked[i].query, r->engine, &r->asked[i].rule);
    for (int i = 0; i < SETS && good; i++) good = one_set(r);
    for (int i = 0; i < QUERIES; i++) {
        columns_free(r->asked[i].columns);
        index_asks_free(r->asked[i].asks);
        buf_done(&r->asked[i].out);
    }
    record_decoder_free(r->decoder);
    engine_free(r->engine);
    sigma_set_free(r->set);
    taxonomy_free(r->taxonomy);
    arena_done(&r->arena);
    return good;
}

int main(int argc, char **argv)
{
    static struct round round;
    static struct query_index index;
    uint64_t pairs = 100000, done = 0, seed = 1, passed = 0, written = 0, counted = 0;
    struct slice fields[REF_FIELDS];
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--pairs") == 0) pairs = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
    }
    made_seed(seed);
    for (int i = 0; i < REF_FIELDS; i++) fields[i] = slice_of(made_names[i]);
    query_index_init(&index, fields, REF_FIELDS);
    for (; done < pairs; done += QUERIES * SETS) {
        round = (struct round){.index = &index, .passed = &passed, .counted = &counted};
        if (!one_round(&round)) return 1;
        written += round.n_written;
    }
    query_index_done(&index);
    printf(
        "%llu pairs of a query and a set of events agree (seed %llu), and %llu rules of queries; "
        "%llu blocks were passed over, %llu times an index counted\n",
        (unsigned long long)done, (unsigned long long)seed, (unsigned long long)written,
        (unsigned long long)passed, (unsigned long long)counted);
    return passed == 0 || written == 0 || counted == 0;
}
