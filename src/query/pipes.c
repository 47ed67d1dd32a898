/* SPDX-License-Identifier: EUPL-1.2 */
/* The pipes behind the filter. */
#include "query/read.h"

/* What the rows have that come into the pipe at hand. */
struct schema {
    bool open; /* events: every name is a field */
    const struct slice *names;
    uint32_t n;
};

struct pipes {
    struct query_reader *r;
    struct schema in;
    struct query_pipe *pipe;
    struct slice *names; /* of the columns that come out, while the pipe is read */
    uint32_t n_names;
};

static const struct {
    const char *name;
    enum query_place place;
} places[] = {
    {"_time", QUERY_TIME},   {"_received", QUERY_RECEIVED}, {"_seq", QUERY_SEQ},
    {"_host", QUERY_HOST},   {"_source", QUERY_SOURCE},     {"_raw", QUERY_RAW},
    {"_event", QUERY_EVENT},
};

/* ---- words ------------------------------------------------------------------------------- */

static bool is_word_end(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '|' ||
           c == '(' || c == ')' || c == '"';
}

static struct slice peek_word(struct query_reader *r)
{
    query_skip_blanks(r);
    size_t end = r->at;
    while (end < r->text.len && !is_word_end(r->text.ptr[end])) end++;
    return slice_until(slice_from(r->text, r->at), end - r->at);
}

static bool accept(struct query_reader *r, char c)
{
    query_skip_blanks(r);
    if (query_peek(r) != c) return false;
    r->at++;
    return true;
}

static bool accept_word(struct query_reader *r, const char *word)
{
    struct slice next = peek_word(r);
    if (!slice_eq_nocase(next, slice_of(word))) return false;
    r->at += next.len;
    return true;
}

/* A name: a word, or text in quotes. */
static int take_name(struct query_reader *r, const char *expected, struct slice *ret,
                     size_t *ret_at)
{
    struct slice word = peek_word(r);
    struct query_literal lit;
    *ret_at = r->at;
    if (query_peek(r) == '"') {
        int error = query_read_literal(r, true, expected, &lit);
        *ret = lit.text;
        return error;
    }
    if (word.len == 0) return query_fail(r, r->at, ERR_SYNTAX, "%s is expected here", expected);
    r->at += word.len;
    *ret = word;
    return 0;
}

/* A whole number, when one stands here, of `least` to QUERY_ROWS_MAX. */
static int take_number(struct query_reader *r, uint64_t *ret)
{
    struct slice word = peek_word(r);
    uint64_t n;
    if (word.len == 0 || word.ptr[0] < '0' || word.ptr[0] > '9') return 0;
    if (!slice_to_u64(word, &n) || n == 0 || n > QUERY_ROWS_MAX)
        return query_fail(r, r->at, ERR_INVALID, "a whole number from 1 to %d is expected here",
                          QUERY_ROWS_MAX);
    r->at += word.len;
    *ret = n;
    return 0;
}

/* ---- columns ----------------------------------------------------------------------------- */

static int find_event_column(struct query_reader *r, struct slice name, size_t at, uint32_t *ret)
{
    struct query *q = r->query;
    struct query_column column = {.name = name, .place = QUERY_FIELD};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (slice_eq(name, slice_of(places[i].name))) column.place = places[i].place;
    for (uint32_t i = 0; i < q->n_columns; i++) {
        if (!slice_eq(q->columns[i].name, name)) continue;
        *ret = i;
        return 0;
    }
    if (q->n_columns == QUERY_COLUMNS_MAX)
        return query_fail(r, at, ERR_LIMIT, "a query asks for at most %d fields",
                          QUERY_COLUMNS_MAX);
    q->columns[q->n_columns] = column;
    *ret = q->n_columns++;
    return 0;
}

static int find_column(struct pipes *p, struct slice name, size_t at, uint32_t *ret)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct hint hint;
    if (p->in.open) return find_event_column(p->r, name, at, ret);
    hint_init(&hint, name);
    for (uint32_t i = 0; i < p->in.n; i++) {
        if (slice_eq(p->in.names[i], name)) {
            *ret = i;
            return 0;
        }
        hint_offer(&hint, p->in.names[i]);
    }
    return query_fail(p->r, at, ERR_NOT_FOUND, "there is no column `%s` any more here%s",
                      hint_show(shown, name), hint_text(&hint, text));
}

static int take_column(struct pipes *p, struct slice *ret_name, uint32_t *ret)
{
    size_t at;
    int error = take_name(p->r, "a field", ret_name, &at);
    return error ? error : find_column(p, *ret_name, at, ret);
}

static int add_column(struct pipes *p, uint32_t column, bool descending)
{
    struct query_pipe *pipe = p->pipe;
    if (pipe->n_columns == QUERY_FIELDS_MAX)
        return query_fail(p->r, p->r->at, ERR_LIMIT, "a pipe has at most %d fields",
                          QUERY_FIELDS_MAX);
    pipe->columns[pipe->n_columns] = column;
    pipe->descending[pipe->n_columns++] = descending;
    return 0;
}

/* A column of the rows that come out. */
static int add_name(struct pipes *p, struct slice name, size_t at)
{
    char shown[HINT_SHOW_SIZE];
    for (uint32_t i = 0; i < p->n_names; i++)
        if (slice_eq(p->names[i], name))
            return query_fail(p->r, at, ERR_INVALID, "two columns are called `%s`%s",
                              hint_show(shown, name), "; name one of them with `as`");
    p->names[p->n_names++] = name;
    return 0;
}

/* f, g, ...; sorted columns have a sign before them. */
static int take_columns(struct pipes *p, bool sorted, bool named)
{
    int error = 0;
    do {
        uint32_t column = 0;
        struct slice name;
        bool minus = sorted && accept(p->r, '-');
        if (sorted && !minus) (void)accept(p->r, '+');
        query_skip_blanks(p->r);
        size_t at = p->r->at;
        error = take_column(p, &name, &column);
        if (error == 0) error = add_column(p, column, minus);
        if (error == 0 && named) error = add_name(p, name, at);
    } while (error == 0 && accept(p->r, ','));
    return error;
}

/* ---- measures ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum query_function function;
} functions[] = {
    {"count", QUERY_COUNT}, {"distinct", QUERY_DISTINCT}, {"sum", QUERY_SUM},
    {"avg", QUERY_AVG},     {"min", QUERY_MIN},           {"max", QUERY_MAX},
};

const char *query_function_name(enum query_function function)
{
    return function == QUERY_PERCENTILE ? "p" : functions[function].name;
}

/* p50 … p99, any whole number between 1 and 99. */
static bool read_percentile(struct slice word, uint32_t *ret)
{
    uint64_t n;
    if (word.len < 2 || word.len > 3 || (word.ptr[0] | 0x20) != 'p' ||
        !slice_to_u64(slice_from(word, 1), &n) || n < 1 || n > 99)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static int fail_function(struct query_reader *r, struct slice word)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct hint hint;
    hint_init(&hint, word);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        hint_offer(&hint, slice_of(functions[i].name));
    return query_fail(r, r->at, ERR_NOT_FOUND,
                      "`%s` is none of count, distinct, sum, avg, min, max and p1 to p99%s",
                      hint_show(shown, word), hint_text(&hint, text));
}

static int take_function(struct query_reader *r, struct query_measure *ret)
{
    struct slice word = peek_word(r);
    if (word.len == 0)
        return query_fail(r, r->at, ERR_SYNTAX, "count, sum(...), ... is expected here");
    bool known = read_percentile(word, &ret->percent);
    if (known) ret->function = QUERY_PERCENTILE;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && !known; i++) {
        known = slice_eq_nocase(word, slice_of(functions[i].name));
        if (known) ret->function = functions[i].function;
    }
    if (!known) return fail_function(r, word);
    r->at += word.len;
    return 0;
}

static int take_measure(struct pipes *p, struct query_measure *measures, uint32_t *n)
{
    struct query_reader *r = p->r;
    struct query_measure m = {.column = QUERY_NO_COLUMN};
    query_skip_blanks(r);
    size_t at = r->at;
    int error = take_function(r, &m);
    if (error) return error;
    size_t end = r->at;
    if (accept(r, '(')) {
        struct slice name;
        error = take_column(p, &name, &m.column);
        if (error) return error;
        if (!accept(r, ')')) return query_fail(r, r->at, ERR_SYNTAX, "`)` is expected here");
        end = r->at;
    } else if (m.function != QUERY_COUNT) {
        return query_fail(r, end, ERR_SYNTAX, "the field is missing: %s(...)",
                          query_function_name(m.function));
    }
    struct slice name = slice_until(slice_from(r->text, at), end - at);
    if (accept_word(r, "as")) error = take_name(r, "a name", &name, &at);
    if (error == 0 && *n == QUERY_FIELDS_MAX)
        error = query_fail(r, at, ERR_LIMIT, "a pipe has at most %d measures", QUERY_FIELDS_MAX);
    if (error == 0) error = add_name(p, name, at);
    if (error == 0) measures[(*n)++] = m;
    return error;
}

/* Their names come behind those of the columns, which stand behind them in the query. */
static int put_names(struct pipes *p, const struct slice *columns, uint32_t n, size_t at)
{
    struct slice measures[QUERY_FIELDS_MAX];
    uint32_t n_measures = p->n_names;
    int error = 0;
    memcpy(measures, p->names, n_measures * sizeof *measures);
    p->n_names = 0;
    for (uint32_t i = 0; i < n && error == 0; i++) error = add_name(p, columns[i], at);
    for (uint32_t i = 0; i < n_measures && error == 0; i++) error = add_name(p, measures[i], at);
    return error;
}

static int take_by(struct pipes *p, struct slice *names, uint32_t *n)
{
    int error = 0;
    do {
        uint32_t column = 0;
        struct slice name;
        error = take_column(p, &name, &column);
        if (error == 0) error = add_column(p, column, false);
        if (error == 0) names[(*n)++] = name;
    } while (error == 0 && accept(p->r, ','));
    return error;
}

/* MEASURE, ... [by f, ...]; without a measure it is the count. */
static int take_group(struct pipes *p, bool measures)
{
    struct query_reader *r = p->r;
    struct query_measure *list = arena_zalloc(r->arena, QUERY_FIELDS_MAX, sizeof *list);
    struct slice names[QUERY_FIELDS_MAX + 1];
    uint32_t n = 0, n_by = 0;
    int error = 0;
    if (!list) return query_fail_memory(r);
    query_skip_blanks(r);
    size_t at = r->at;
    bool ends =
        r->at == r->text.len || query_peek(r) == '|' || slice_eq_nocase(peek_word(r), SLICE("by"));
    if (measures && !ends) {
        do error = take_measure(p, list, &n);
        while (error == 0 && accept(r, ','));
    } else {
        list[n++] = (struct query_measure){.column = QUERY_NO_COLUMN};
        error = add_name(p, SLICE("count"), at);
    }
    if (p->pipe->span) names[n_by++] = SLICE("_time");
    if (error == 0 && accept_word(r, "by")) error = take_by(p, names, &n_by);
    if (error == 0) error = put_names(p, names, n_by, at);
    p->pipe->measures = list;
    p->pipe->n_measures = n;
    return error;
}

/* ---- one pipe of each kind --------------------------------------------------------------- */

static int read_count(struct pipes *p)
{
    p->pipe->kind = QUERY_GROUP;
    p->pipe->order = QUERY_MOST;
    return take_group(p, false);
}

static int read_stats(struct pipes *p)
{
    p->pipe->kind = QUERY_GROUP;
    return take_group(p, true);
}

static int read_ranks(struct pipes *p, enum query_order order)
{
    struct slice names[QUERY_FIELDS_MAX];
    struct query_measure *count = arena_zalloc(p->r->arena, 1, sizeof *count);
    uint32_t n = 0;
    if (!count) return query_fail_memory(p->r);
    count->column = QUERY_NO_COLUMN;
    *p->pipe = (struct query_pipe){.kind = QUERY_GROUP,
                                   .columns = p->pipe->columns,
                                   .descending = p->pipe->descending,
                                   .limit = QUERY_ROWS_DEFAULT,
                                   .measures = count,
                                   .n_measures = 1,
                                   .order = order,
                                   .share = true,
                                   .there = true};
    query_skip_blanks(p->r);
    size_t at = p->r->at;
    int error = take_number(p->r, &p->pipe->limit);
    if (error == 0) error = take_by(p, names, &n);
    if (error == 0) error = add_name(p, SLICE("count"), at);
    if (error == 0) error = add_name(p, SLICE("percent"), at);
    return error ? error : put_names(p, names, n, at);
}

static int read_top(struct pipes *p)
{
    return read_ranks(p, QUERY_MOST);
}

static int read_rare(struct pipes *p)
{
    return read_ranks(p, QUERY_LEAST);
}

static bool is_moment(struct slice name)
{
    return slice_eq(name, SLICE("_time")) || slice_eq(name, SLICE("_received"));
}

static int read_timechart(struct pipes *p)
{
    struct slice word = peek_word(p->r);
    uint32_t time = 0;
    size_t at = p->r->at;
    p->pipe->kind = QUERY_GROUP;
    if (!when_parse_span(word, &p->pipe->span) || p->pipe->span > QUERY_SPAN_MAX)
        return query_fail(
            p->r, at, ERR_INVALID,
            "how long a step is comes first, such as 30s, 5m, 1h or 1d, at most 3650d");
    p->r->at += word.len;
    struct slice of = SLICE("_time");
    if (accept_word(p->r, "of")) {
        of = peek_word(p->r);
        at = p->r->at;
        if (!is_moment(of))
            return query_fail(p->r, at, ERR_INVALID, "steps are of `_time` or of `_received`");
        p->r->at += of.len;
    }
    int error = find_column(p, of, at, &time);
    if (error == 0) error = add_column(p, time, false);
    return error ? error : take_group(p, true);
}

static int read_table(struct pipes *p)
{
    p->pipe->kind = QUERY_TABLE;
    return take_columns(p, false, true);
}

static int read_sort(struct pipes *p)
{
    p->pipe->kind = QUERY_SORT;
    int error = take_columns(p, true, false);
    if (error) return error;
    size_t at = p->r->at;
    if (accept_word(p->r, "desc") || accept_word(p->r, "asc"))
        return query_fail(p->r, at + 1, ERR_SYNTAX, "the highest come first with a minus: sort -f");
    return 0;
}

static int read_head(struct pipes *p)
{
    p->pipe->kind = QUERY_HEAD;
    p->pipe->limit = QUERY_ROWS_DEFAULT;
    return take_number(p->r, &p->pipe->limit);
}

static int read_dedup(struct pipes *p)
{
    p->pipe->kind = QUERY_DEDUP;
    return take_columns(p, false, false);
}

static const struct pipe_reader {
    const char *name;
    int (*read)(struct pipes *p);
} readers[] = {
    {"count", read_count}, {"top", read_top},     {"rare", read_rare},
    {"stats", read_stats}, {"table", read_table}, {"timechart", read_timechart},
    {"sort", read_sort},   {"head", read_head},   {"dedup", read_dedup},
};

static const struct pipe_reader *find_reader(struct query_reader *r, struct slice word)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct hint hint;
    hint_init(&hint, word);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (slice_eq_nocase(word, slice_of(readers[i].name))) return &readers[i];
        hint_offer(&hint, slice_of(readers[i].name));
    }
    (void)query_fail(r, r->at, ERR_NOT_FOUND,
                     "`%s` is none of count, top, rare, stats, timechart, table, sort, head and "
                     "dedup%s",
                     hint_show(shown, word), hint_text(&hint, text));
    return NULL;
}

static int read_pipe(struct pipes *p)
{
    struct query_reader *r = p->r;
    struct slice word = peek_word(r);
    if (word.len == 0)
        return query_fail(r, r->at, ERR_SYNTAX, "a pipe is expected here, such as count or head");
    const struct pipe_reader *reader = find_reader(r, word);
    if (!reader) return ERR_NOT_FOUND;
    r->at += word.len;
    p->n_names = 0;
    p->names = arena_zalloc(r->arena, 2 * QUERY_FIELDS_MAX + 4, sizeof *p->names);
    p->pipe->columns = arena_zalloc(r->arena, QUERY_FIELDS_MAX, sizeof *p->pipe->columns);
    p->pipe->descending = arena_zalloc(r->arena, QUERY_FIELDS_MAX, sizeof *p->pipe->descending);
    if (arena_failed(r->arena)) return query_fail_memory(r);
    int error = reader->read(p);
    query_skip_blanks(r);
    if (error == 0 && r->at < r->text.len && query_peek(r) != '|')
        error = query_fail(r, r->at, ERR_SYNTAX, "`|` or the end is expected here");
    if (error || p->n_names == 0) return error;
    p->pipe->names = p->names;
    p->pipe->n_names = p->n_names;
    p->in = (struct schema){.names = p->names, .n = p->n_names};
    return 0;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Events are answered in columns that tell what they are. */
static int end_open(struct pipes *p)
{
    static const char *const columns[] = {"_time",   "_received", "_seq",  "_host",
                                          "_source", "_raw",      "_event"};
    size_t n = sizeof columns / sizeof *columns - !p->r->options->whole;
    struct query *q = p->r->query;
    q->events = true;
    p->pipe = &q->pipes[q->n_pipes++];
    p->pipe->kind = QUERY_TABLE;
    p->n_names = 0;
    p->names = arena_zalloc(p->r->arena, n, sizeof *p->names);
    p->pipe->columns = arena_zalloc(p->r->arena, QUERY_FIELDS_MAX, sizeof *p->pipe->columns);
    p->pipe->descending = arena_zalloc(p->r->arena, QUERY_FIELDS_MAX, sizeof *p->pipe->descending);
    if (arena_failed(p->r->arena)) return query_fail_memory(p->r);
    int error = 0;
    for (size_t i = 0; i < n && error == 0; i++) {
        uint32_t column = 0;
        error = find_column(p, slice_of(columns[i]), p->r->at, &column);
        if (error == 0) error = add_column(p, column, false);
        if (error == 0) error = add_name(p, slice_of(columns[i]), p->r->at);
    }
    p->pipe->names = p->names;
    p->pipe->n_names = p->n_names;
    p->in = (struct schema){.names = p->names, .n = p->n_names};
    return error;
}

int query_read_pipes(struct query_reader *r)
{
    struct pipes p = {.r = r, .in = {.open = true}};
    struct query *q = r->query;
    int error = 0;
    while (error == 0 && accept(r, '|')) {
        if (q->n_pipes == QUERY_PIPES_MAX)
            return query_fail(r, r->at, ERR_LIMIT, "a query has at most %d pipes", QUERY_PIPES_MAX);
        p.pipe = &q->pipes[q->n_pipes++];
        error = read_pipe(&p);
    }
    if (error == 0 && p.in.open) error = end_open(&p);
    q->names = p.in.names;
    q->n_names = p.in.n;
    return error;
}

void query_show_pipes(struct buf *out, const struct query *q)
{
    static const char *const kinds[] = {[QUERY_GROUP] = "group",
                                        [QUERY_TABLE] = "table",
                                        [QUERY_SORT] = "sort",
                                        [QUERY_HEAD] = "head",
                                        [QUERY_DEDUP] = "dedup"};
    for (uint32_t i = 0; i < q->n_pipes; i++) {
        const struct query_pipe *p = &q->pipes[i];
        buf_puts(out, kinds[p->kind]);
        if (p->limit) buf_printf(out, " %llu", (unsigned long long)p->limit);
        if (p->names) buf_puts(out, " ->");
        for (uint32_t k = 0; k < p->n_names; k++) {
            buf_puts(out, k ? ", " : " ");
            buf_put(out, p->names[k]);
        }
        buf_putc(out, '\n');
    }
}
