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
#include "base/json_write.h"
#include "normalise/record_decoder.h"
#include "normalise/verbatim.h"
#include "query/needles.h"
#include "query/rows.h"
#include "query/rule.h"
#include "query_index.h"
#include "query_reference.h"
#include "search/columns.h"
#include "search/counting.h"

enum { QUERIES = 128, SETS = 24, ROWS_MAX = 1 << 20 };

static uint64_t state;

static unsigned below(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % n;
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
}

#define PICK(array) (array)[below(sizeof(array) / sizeof *(array))]

/* ---- what they are made of --------------------------------------------------------------- */

enum { MESSAGE = 5, USER = 2 };
static const char *const names[REF_FIELDS] = {"f", "g",       "user.name", "src",
                                              "n", "message", "k.l.m",     "Z"};
/* What queries call them: by their names, or by some of these. */
static const struct {
    const char *name;
    unsigned fields;
} patterns[] = {
    {"user.*", 1 << USER},
    {"*", (1 << REF_FIELDS) - 1},
    {"k*m", 1 << 6},
    {"*.*", 1 << USER | 1 << 6},
    {"*e*", 1 << USER | 1 << MESSAGE},
    {"Z*", 1 << 7},
    {"*f", 1 << 0},
    {"**r*", 1 << USER | 1 << 3},
    {"nothing.*", 0},
};
static const char *const texts[] = {"a",
                                    "b",
                                    "A",
                                    "ab",
                                    "a b",
                                    "A B c",
                                    "root",
                                    "chroot",
                                    "roots",
                                    "x root y",
                                    "*",
                                    "a*b",
                                    "(x)",
                                    "c:\\t",
                                    "\"q\"",
                                    "\xc3\x85ke",
                                    "\xc3\xa5ke",
                                    "10.0.0.1",
                                    "10.0.0.200",
                                    "10.1.2.3",
                                    "fe80::1",
                                    "FE80:0::1",
                                    "1",
                                    "1.0",
                                    "2.5",
                                    "-3",
                                    "10",
                                    "400",
                                    "404",
                                    "true",
                                    "and",
                                    "not x",
                                    "a.root-b",
                                    "::ffff:10.0.0.1",
                                    "x|y",
                                    "{a}",
                                    "a<b",
                                    "Or",
                                    "1 10",
                                    "400 404",
                                    "kroot root",
                                    "b_a",
                                    "2026-07-01T01:00:00.25Z",
                                    "x 10:00:00.10.1.2.3 y",
                                    "01/jul/2026:10:00:00 +0200",
                                    "jul",
                                    "10:20",
                                    "root@host-1.example:22",
                                    "host-1.example",
                                    "/usr/bin/root",

                                    "--a.b--",

                                    "1.0e1",
                                    "2001:DB8::AbCd"};
static const char *const numbers[] = {"1",   "1.0", "2.5", "-3",     "10",
                                      "400", "404", "0",   "4.04e2", "10.0"};
static const char *const networks[] = {"10.0.0.0/8", "10.0.0.0/24", "fe80::/16", "0.0.0.0/0",
                                       "10.0.0.1/32"};

static void make_event(struct ref_event *ev)
{
    *ev = (struct ref_event){0};
    for (int f = 0; f < REF_FIELDS; f++) {
        if (chance(40)) continue;
        ev->n[f] = chance(80) ? 1 : 1 + (int)below(REF_VALUES);
        for (int i = 0; i < ev->n[f]; i++) {
            struct ref_value *v = &ev->values[f][i];
            unsigned kind = below(10);
            v->type = kind < 6   ? REF_STRING
                      : kind < 8 ? REF_NUMBER
                      : kind < 9 ? REF_BOOL
                                 : REF_NULL;
            const char *text = v->type == REF_STRING   ? PICK(texts)
                               : v->type == REF_NUMBER ? PICK(numbers)
                               : v->type == REF_BOOL   ? (chance(50) ? "true" : "false")
                                                       : "null";
            (void)snprintf(v->text, sizeof v->text, "%s", text);
        }
    }
}

static void put_value(struct buf *out, const struct ref_value *v)
{
    if (v->type == REF_STRING) json_write_string(out, slice_of(v->text));
    else buf_puts(out, v->text);
}

static void put_event(struct buf *out, const struct ref_event *ev)
{
    bool first = true;
    buf_putc(out, '{');
    for (int f = 0; f < REF_FIELDS; f++) {
        if (ev->n[f] == 0) continue;
        if (!first) buf_putc(out, ',');
        first = false;
        const char *dot = strchr(names[f], '.');
        bool nested = dot && ev->n[f] % 2;
        if (nested) buf_printf(out, "\"%.*s\":{\"%s\":", (int)(dot - names[f]), names[f], dot + 1);
        else buf_printf(out, "\"%s\":", names[f]);
        if (ev->n[f] > 1) buf_putc(out, '[');
        for (int i = 0; i < ev->n[f]; i++) {
            if (i) buf_putc(out, ',');
            put_value(out, &ev->values[f][i]);
        }
        if (ev->n[f] > 1) buf_putc(out, ']');
        if (nested) buf_putc(out, '}');
    }
    buf_putc(out, '}');
}

/* ---- queries ----------------------------------------------------------------------------- */

static void make_literal(struct ref_tree *t)
{
    const char *text = t->kind == REF_FIELD && chance(15) ? PICK(networks) : PICK(texts);
    (void)snprintf(t->text, sizeof t->text, "%s", text);
    t->quoted = chance(40);
    if (t->quoted || chance(60)) return;
    size_t at = below((unsigned)strlen(t->text) + 1);
    switch (below(4)) {
    case 0:
        t->text[0] = REF_STAR;
        t->text[1] = '\0';
        break;
    case 1: /* the rest */
        t->text[at] = REF_STAR;
        t->text[at + 1] = '\0';
        break;
    case 2: /* the beginning */
        memmove(t->text + 1, t->text + at, strlen(t->text + at) + 1);
        t->text[0] = REF_STAR;
        break;
    default:
        if (t->text[at] && (unsigned char)t->text[at] < 0x80) t->text[at] = REF_STAR;
    }
}

static bool is_whole(const char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] >= 0xc0 && (unsigned char)s[i + 1] < 0x80) return false;
        if ((unsigned char)s[i] >= 0x80 && (unsigned char)s[i] < 0xc0 &&
            (i == 0 || (unsigned char)s[i - 1] < 0xc0))
            return false;
    }
    return n > 0 && s[0] != ' ' && s[n - 1] != ' ';
}

static struct ref_tree *make_tree(struct arena *arena, int depth)
{
    struct ref_tree *t = arena_zalloc(arena, 1, sizeof *t);
    ASSERT(t);
    unsigned kind = below(depth > 0 ? 12 : 6);
    unsigned field = below(REF_FIELDS);
    t->fields = 1u << field;
    t->name = names[field];
    t->words = field == MESSAGE;
    if (chance(20)) {
        unsigned i = below(sizeof patterns / sizeof *patterns);
        t->fields = patterns[i].fields;
        t->name = patterns[i].name;
        t->words = false;
    }
    if (kind >= 6) {
        t->kind = kind < 9 ? REF_AND : kind < 11 ? REF_OR : REF_NOT;
        t->n_children = t->kind == REF_NOT ? 1 : 2 + (int)below(REF_CHILDREN - 1);
        for (int i = 0; i < t->n_children; i++) t->child[i] = make_tree(arena, depth - 1);
        return t;
    }
    t->kind = kind < 3 ? REF_FIELD : kind < 5 ? REF_FREE : chance(80) ? REF_RANGE : REF_OBJECT;
    if (t->kind == REF_RANGE) {
        t->number = strtod(PICK(numbers), NULL);
        t->cmp = chance(50) ? (chance(50) ? -2 : -1) : (chance(50) ? 1 : 2);
    } else if (t->kind == REF_OBJECT) {
        t->fields = 1 << USER;
    } else {
        do make_literal(t);
        while (!is_whole(t->text));
    }
    return t;
}

static bool is_operator(const char *s, size_t n)
{
    struct slice word = slice_make(s, n);
    return slice_eq_nocase(word, SLICE("and")) || slice_eq_nocase(word, SLICE("or")) ||
           slice_eq_nocase(word, SLICE("not"));
}

static void put_literal(struct buf *out, const struct ref_tree *t)
{
    if (t->quoted) buf_putc(out, '"');
    for (const char *p = t->text; *p; p++) {
        size_t word = strcspn(p, " ");
        bool begins = p == t->text || p[-1] == ' ';
        if (t->quoted) {
            if (*p == '"' || *p == '\\') buf_putc(out, '\\');
            buf_putc(out, *p);
            continue;
        }
        if (begins && is_operator(p, word)) buf_putc(out, '\\');
        if (strchr("\\():<>\"*{}|", *p)) buf_putc(out, '\\');
        buf_putc(out, *p == REF_STAR ? '*' : *p);
    }
    if (t->quoted) buf_putc(out, '"');
}

/* All of them say something of one field. */
static bool is_group(const struct ref_tree *t)
{
    for (int i = 0; i < t->n_children; i++)
        if (t->child[i]->kind != REF_FIELD || t->child[i]->name != t->child[0]->name) return false;
    return t->n_children > 1;
}

static void put_tree(struct buf *out, const struct ref_tree *t, bool inside);

static void put_children(struct buf *out, const struct ref_tree *t, bool group)
{
    for (int i = 0; i < t->n_children; i++) {
        if (i) buf_puts(out, t->kind == REF_AND ? (chance(80) ? " and " : " AND ") : " or ");
        if (group) put_literal(out, t->child[i]);
        else put_tree(out, t->child[i], t->kind == REF_AND || chance(50));
    }
}

/* `inside`: what binds less than `and` gets parentheses. */
static void put_tree(struct buf *out, const struct ref_tree *t, bool inside)
{
    static const char *const cmps[] = {"<=", "<", "", ">", ">="};
    bool group = (t->kind == REF_AND || t->kind == REF_OR) && is_group(t) && chance(70);
    bool wrap = !group && (t->kind == REF_OR || t->kind == REF_AND) && inside;
    if (wrap || chance(5)) {
        buf_putc(out, '(');
        if (!wrap) put_tree(out, t, false);
        else put_children(out, t, false);
        buf_putc(out, ')');
        return;
    }
    if (group) buf_printf(out, "%s: (", t->child[0]->name);
    switch (t->kind) {
    case REF_AND:
    case REF_OR:
        put_children(out, t, group);
        break;
    case REF_NOT:
        buf_puts(out, "not ");
        put_tree(out, t->child[0], true);
        break;
    case REF_FIELD:
        buf_printf(out, chance(50) ? "%s: " : "%s:", t->name);
        put_literal(out, t);
        break;
    case REF_FREE:
        put_literal(out, t);
        break;
    case REF_RANGE:
        buf_printf(out, "%s %s %g", t->name, cmps[t->cmp + 2], t->number);
        break;
    case REF_OBJECT:
        buf_puts(out, "user: *");
        break;
    }
    if (group) buf_putc(out, ')');
}

static void make_pipe(struct ref_pipe *p)
{
    *p = (struct ref_pipe){.kind = (enum ref_pipe_kind)below(7), .limit = 1 + (int)below(5)};
    p->n = 1 + (int)below(2);
    p->columns[0] = (int)below(REF_FIELDS);
    p->columns[1] = (p->columns[0] + 1 + (int)below(REF_FIELDS - 1)) % REF_FIELDS;
    p->measured = (int)below(REF_FIELDS);
    p->descending = chance(50);
    if ((p->kind == REF_COUNT || p->kind == REF_STATS) && chance(30)) p->n = 0;
}

static void put_fields(struct buf *out, const struct ref_pipe *p)
{
    for (int i = 0; i < p->n; i++) buf_printf(out, "%s%s", i ? ", " : "", names[p->columns[i]]);
}

static void put_pipe(struct buf *out, const struct ref_pipe *p)
{
    const char *m = names[p->measured];
    switch (p->kind) {
    case REF_COUNT:
        buf_puts(out, p->n ? " | count by " : " | count");
        break;
    case REF_TOP:
    case REF_RARE:
        buf_printf(out, " | %s %d ", p->kind == REF_TOP ? "top" : "rare", p->limit);
        break;
    case REF_STATS:
        buf_printf(out,
                   "|stats count, count(%s) as c, distinct(%s) as d, sum(%s) as s, avg(%s) as v, "
                   "min(%s) as i, max(%s) as x, p50(%s) as p%s",
                   m, m, m, m, m, m, m, p->n ? " by " : "");
        break;
    case REF_TABLE:
        buf_puts(out, " | table ");
        break;
    case REF_SORT_HEAD:
        buf_printf(out, " | sort %s%s | head %d | table ", p->descending ? "-" : "",
                   names[p->columns[0]], p->limit);
        break;
    case REF_DEDUP:
        buf_puts(out, " | dedup ");
        put_fields(out, p);
        buf_puts(out, " | table ");
        break;
    }
    put_fields(out, p);
}

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

static int on_row(void *ctx, const struct cell *cells, uint32_t n)
{
    struct buf *out = ctx;
    if (out->len) buf_puts(out, "; ");
    for (uint32_t i = 0; i < n; i++) {
        struct cell_values values;
        struct cell value;
        if (i) buf_putc(out, ' ');
        if (cells[i].kind == CELL_NONE) buf_putc(out, '-');
        cell_values_init(&values, &cells[i]);
        for (unsigned k = 0; cell_values_next(&values, &value); k++) {
            double x;
            if (k) buf_putc(out, '+');
            /* Numbers that were computed are compared by their first 15 digits. */
            if (i > 0 && value.kind == CELL_NUMBER && value.text.len > 15 &&
                slice_to_double(value.text, &x))
                buf_printf(out, "%.15g", x);
            else buf_put(out, value.text);
        }
    }
    return 0;
}

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
        if (r->asked[i].groups && chance(50))
            ASSERT(groups_split(r->asked[i].groups, r->asked[i].rows, take_piece) == 0);
}

static void begin_set(struct round *r)
{
    for (int i = 0; i < QUERIES; i++) {
        struct asked *a = &r->asked[i];
        buf_clear(&a->out);
        a->n_held = 0;
        a->rows = rows_new(&(struct rows_options){
            .query = &a->query, .memory = 16 << 20, .ctx = &a->out, .row = on_row});
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
    struct rows *rows = rows_new(
        &(struct rows_options){.query = query, .memory = 16 << 20, .ctx = out, .row = on_row});
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
    if (chance(50)) query_index_put_together(r->index, records, n, RECORD_JSON);
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
    int n = 1 + (int)below(REF_EVENTS);
    buf_init(&text, 1 << 20);
    ASSERT(buf_reserve(&text, 1 << 20)); /* it does not move */
    begin_set(r);
    for (int i = 0; i < n; i++) {
        make_event(&events[i]);
        size_t at = text.len;
        put_event(&text, &events[i]);
        ASSERT(!buf_failed(&text));
        records[i] = slice_from(buf_slice(&text), at);
        r->record = (struct record){.raw = records[i], .format = RECORD_JSON};
        look_whether_opaque(r);
        ASSERT(record_decoder_one(r->decoder, &r->record, &sink) == 0);
        buf_putc(&text, '\n');
        for (int k = 0; k < QUERIES; k++)
            if (ref_holds(r->asked[k].tree, &events[i]))
                r->asked[k].held[r->asked[k].n_held++] = &events[i];
        if (chance(20)) split(r);
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
    a->tree = make_tree(&r->arena, 3);
    make_pipe(&a->pipe);
    put_tree(&text, a->tree, false);
    put_pipe(&text, &a->pipe);
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
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < REF_FIELDS; i++) fields[i] = slice_of(names[i]);
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
