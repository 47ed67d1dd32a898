/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/expr.h"

#include <time.h>

#include "base/hash.h"
#include "base/ip.h"

enum part_kind { PART_FIELD, PART_TEXT };

/* Terms are runs of parts; the last of a run has ends_term. */
struct part {
    enum part_kind kind;
    bool ends_term;
    uint32_t field;
    struct slice text;
};

struct call {
    enum expr_function function;
    struct slice argument;
    uint32_t field; /* UNLIKE */
    uint64_t count; /* LAST */
    const struct expr_table *table;
};

struct expr {
    const struct part *parts;
    const struct call *calls;
    uint32_t n_parts, n_calls;
    bool is_field;   /* and nothing else */
    bool is_chain;   /* of one field through functions that give one value, but for the last */
    bool all_values; /* of its one field, not the first alone */
};

struct row {
    struct slice key;
    const struct slice *values;
    uint32_t n_values;
};

struct expr_table {
    struct row *rows;
    uint32_t mask;
    const struct row *other;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* ---- tables ------------------------------------------------------------------------------ */

struct expr_table *expr_table_new(struct arena *arena, uint32_t rows)
{
    struct expr_table *t = arena_zalloc(arena, 1, sizeof *t);
    uint32_t size = 4;
    while (size < 2 * rows) size *= 2;
    if (!t) return NULL;
    t->mask = size - 1;
    t->rows = arena_zalloc(arena, size, sizeof *t->rows);
    return t->rows ? t : NULL;
}

static struct row *find_row(const struct expr_table *t, struct slice key)
{
    uint32_t at = hash32_nocase(key) & t->mask;
    while (t->rows[at].values && !slice_eq_nocase(t->rows[at].key, key)) at = (at + 1) & t->mask;
    return &t->rows[at];
}

bool expr_table_add(struct expr_table *t, struct slice key, const struct slice *values,
                    uint32_t n_values)
{
    struct row *row = find_row(t, key);
    if (row->values) return false;
    *row = (struct row){key, values, n_values};
    if (slice_eq(key, SLICE("*"))) t->other = row;
    return true;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    const struct expr_world *world;
    struct slice text;
    size_t at;
    struct part parts[EXPR_PARTS_MAX];
    struct call calls[EXPR_PARTS_MAX];
    uint32_t n_parts, n_calls;
    const char *why;
};

static int refuse(struct reading *r, int error, const char *why)
{
    r->why = why;
    return error;
}

/* A word that nothing is called; it is where the reading ended. */
static int refuse_word(struct reading *r, struct slice word, const char *why)
{
    r->at = (size_t)(word.ptr - r->text.ptr);
    return refuse(r, ERR_NOT_FOUND, why);
}

static void skip_blanks(struct reading *r)
{
    while (r->at < r->text.len && (r->text.ptr[r->at] == ' ' || r->text.ptr[r->at] == '\n'))
        r->at++;
}

static char peek(struct reading *r)
{
    skip_blanks(r);
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@' || c == '#' || (unsigned char)c >= 0x80;
}

static struct slice take_word(struct reading *r)
{
    skip_blanks(r);
    size_t from = r->at;
    while (r->at < r->text.len && is_name_byte(r->text.ptr[r->at])) r->at++;
    return slice_make(r->text.ptr + from, r->at - from);
}

/* Text in quotes, from the opening one; a doubled quote is one. */
static int take_quoted(struct reading *r, struct slice *ret)
{
    char quote = r->text.ptr[r->at++];
    char text[EXPR_LEN_MAX];
    size_t n = 0;
    for (; r->at < r->text.len; r->at++) {
        if (r->text.ptr[r->at] == quote) {
            bool doubled = r->at + 1 < r->text.len && r->text.ptr[r->at + 1] == quote;
            if (!doubled) break;
            r->at++;
        }
        text[n++] = r->text.ptr[r->at];
    }
    if (r->at == r->text.len) return refuse(r, ERR_SYNTAX, "a quote is missing");
    r->at++;
    *ret = arena_dup(r->arena, slice_make(text, n));
    return ret->ptr ? 0 : arena_error(r->arena);
}

static int take_field(struct reading *r, struct slice name, struct part *ret)
{
    if (name.len == 0) return refuse(r, ERR_SYNTAX, "a field's name or a text is missing");
    int number = r->world->field(r->world->ctx, name);
    if (number < 0) return refuse(r, number, "not a name of a field");
    *ret = (struct part){.kind = PART_FIELD, .field = (uint32_t)number};
    return 0;
}

static int take_part(struct reading *r)
{
    if (r->n_parts == EXPR_PARTS_MAX) return refuse(r, ERR_LIMIT, "too many parts");
    struct part *part = &r->parts[r->n_parts++];
    char c = peek(r);
    struct slice text;
    int error = c == '\'' || c == '"' ? take_quoted(r, &text) : 0;
    if (error) return error;
    if (c == '\'') {
        *part = (struct part){.kind = PART_TEXT, .text = text};
        return 0;
    }
    return take_field(r, c == '"' ? text : take_word(r), part);
}

static bool takes_or(struct reading *r)
{
    skip_blanks(r);
    struct slice rest = slice_from(r->text, r->at);
    if (!slice_starts_with(rest, SLICE("or ")) && !slice_starts_with(rest, SLICE("or\n")))
        return false;
    r->at += 2;
    return true;
}

static int read_terms(struct reading *r)
{
    for (;;) {
        int error = take_part(r);
        if (error) return error;
        if (peek(r) == '+') {
            r->at++;
            continue;
        }
        r->parts[r->n_parts - 1].ends_term = true;
        if (!takes_or(r)) return 0;
    }
}

static int find_function(struct reading *r, struct slice name, struct call *ret, bool *ret_argument)
{
#define X(id, text, argument)                                                                      \
    if (slice_eq(name, SLICE(text))) {                                                             \
        ret->function = EXPR_##id;                                                                 \
        *ret_argument = argument;                                                                  \
        return 0;                                                                                  \
    }
    EXPR_FUNCTIONS(X)
#undef X
    return refuse_word(r, name, "there is no such function");
}

/* What the argument is of the functions for which it is more than a text. */
static int take_argument(struct reading *r, struct slice word, struct call *call)
{
    struct part part;
    int error = 0;
    switch (call->function) {
    case EXPR_UNLIKE:
        error = take_field(r, call->argument, &part);
        if (!error) call->field = part.field;
        return error;
    case EXPR_LAST:
        return slice_to_u64(call->argument, &call->count)
                   ? 0
                   : refuse(r, ERR_SYNTAX, "this function needs a number");
    case EXPR_TABLE:
        call->table = r->world->table(r->world->ctx, call->argument);
        return call->table ? 0 : refuse_word(r, word, "the product has no such table");
    default:
        return 0;
    }
}

static bool is_lone_field(const struct reading *r)
{
    return r->n_parts == 1 && r->parts[0].kind == PART_FIELD && r->n_calls == 1;
}

static int read_call(struct reading *r)
{
    if (r->n_calls == EXPR_PARTS_MAX) return refuse(r, ERR_LIMIT, "too many functions");
    struct call *call = &r->calls[r->n_calls++];
    bool argument = false;
    struct slice name = take_word(r);
    int error = find_function(r, name, call, &argument);
    if (!error && call->function == EXPR_ALL && !is_lone_field(r))
        return refuse(r, ERR_INVALID, "`all` stands directly behind one field");
    if (error || !argument) return error;
    struct slice word = SLICE_NONE;
    if (peek(r) == '\'') {
        word = slice_from(r->text, r->at);
        error = take_quoted(r, &call->argument);
    } else {
        word = take_word(r);
        call->argument = arena_dup(r->arena, word);
        if (!call->argument.ptr) return arena_error(r->arena);
        if (call->argument.len == 0)
            return refuse(r, ERR_SYNTAX, "this function needs a text in single quotes");
    }
    return error ? error : take_argument(r, word, call);
}

static bool asks_all_values(const struct reading *r)
{
    return r->n_calls && r->n_parts == 1 && r->parts[0].kind == PART_FIELD &&
           (r->calls[0].function == EXPR_HAVING || r->calls[0].function == EXPR_ALL);
}

static bool is_chain(const struct reading *r)
{
    bool one = r->n_parts == 1 && r->parts[0].kind == PART_FIELD && !asks_all_values(r);
    for (uint32_t i = 0; i < r->n_calls && one; i++)
        one = r->calls[i].function != EXPR_DEFAULT &&
              (r->calls[i].function != EXPR_TABLE || i + 1 == r->n_calls);
    return one;
}

int expr_read(struct arena *arena, struct slice text, const struct expr_world *world,
              const struct expr **ret, const char **ret_why, size_t *ret_at)
{
    struct reading r = {.arena = arena, .world = world, .text = text};
    int error = text.len > EXPR_LEN_MAX ? refuse(&r, ERR_LIMIT, "longer than 1024 bytes") : 0;
    if (!error) error = read_terms(&r);
    while (!error && peek(&r) == '|') {
        r.at++;
        error = read_call(&r);
    }
    if (!error && peek(&r)) error = refuse(&r, ERR_SYNTAX, "+, or, | or the end is missing here");
    struct expr *e = arena_zalloc(arena, 1, sizeof *e);
    struct part *parts = arena_zalloc(arena, r.n_parts, sizeof *parts);
    struct call *calls = arena_zalloc(arena, r.n_calls, sizeof *calls);
    if (!error && (!e || !parts || !calls)) error = arena_error(arena);
    *ret_why = r.why ? r.why : error_text(error);
    *ret_at = r.at;
    if (error) return error;
    memcpy(parts, r.parts, r.n_parts * sizeof *parts);
    memcpy(calls, r.calls, r.n_calls * sizeof *calls);
    bool field = r.n_parts == 1 && !r.n_calls && parts[0].kind == PART_FIELD;
    *e = (struct expr){.parts = parts,
                       .calls = calls,
                       .n_parts = r.n_parts,
                       .n_calls = r.n_calls,
                       .is_field = field,
                       .is_chain = is_chain(&r),
                       .all_values = asks_all_values(&r)};
    *ret = e;
    return 0;
}

bool expr_is_field(const struct expr *e, uint32_t *ret)
{
    if (e->is_field) *ret = e->parts[0].field;
    return e->is_field;
}

bool expr_needs_field(const struct expr *e, uint32_t *ret)
{
    if (e->n_parts != 1 || e->parts[0].kind != PART_FIELD) return false;
    for (uint32_t i = 0; i < e->n_calls; i++)
        if (e->calls[i].function == EXPR_DEFAULT) return false;
    *ret = e->parts[0].field;
    return true;
}

void expr_each_field(const struct expr *e, void (*each)(void *ctx, uint32_t field), void *ctx)
{
    for (uint32_t i = 0; i < e->n_parts; i++)
        if (e->parts[i].kind == PART_FIELD) each(ctx, e->parts[i].field);
    for (uint32_t i = 0; i < e->n_calls; i++)
        if (e->calls[i].function == EXPR_UNLIKE) each(ctx, e->calls[i].field);
}

/* ---- computing --------------------------------------------------------------------------- */

static struct slice part_text(const struct part *part, const struct expr_scope *scope)
{
    return part->kind == PART_TEXT ? part->text : scope->get(scope->ctx, part->field);
}

/* Parts [from, to) as one text. */
static struct slice join(const struct expr *e, uint32_t from, uint32_t to,
                         const struct expr_scope *scope)
{
    struct slice texts[EXPR_PARTS_MAX];
    size_t len = 0;
    for (uint32_t i = from; i < to; i++) {
        texts[i] = part_text(&e->parts[i], scope);
        bool missing = e->parts[i].kind == PART_FIELD && !expr_is_value(texts[i]);
        if (missing || __builtin_add_overflow(len, texts[i].len, &len)) return SLICE_NONE;
    }
    char *joined = arena_alloc(scope->arena, len);
    if (!joined) return SLICE_NONE;
    size_t at = 0;
    for (uint32_t i = from; i < to; i++) {
        if (texts[i].len) memcpy(joined + at, texts[i].ptr, texts[i].len);
        at += texts[i].len;
    }
    return slice_make(joined, len);
}

/* The first that is there, or SLICE_NONE. */
static struct slice first_term(const struct expr *e, const struct expr_scope *scope)
{
    for (uint32_t from = 0, i = 0; i < e->n_parts; i++) {
        if (!e->parts[i].ends_term) continue;
        struct slice text =
            slice_trim(from == i ? part_text(&e->parts[i], scope) : join(e, from, i + 1, scope));
        if (expr_is_value(text)) return text;
        from = i + 1;
    }
    return SLICE_NONE;
}

static struct slice changed(struct slice s, const struct expr_scope *scope, char (*change)(char c))
{
    bool same = true;
    for (size_t i = 0; i < s.len && same; i++) same = change(s.ptr[i]) == s.ptr[i];
    if (same) return s;
    char *to = arena_alloc(scope->arena, s.len);
    if (!to) return SLICE_NONE;
    for (size_t i = 0; i < s.len; i++) to[i] = change(s.ptr[i]);
    return slice_make(to, s.len);
}

static struct slice trimmed(struct slice s, struct slice bytes)
{
    while (s.len && slice_find_byte(bytes, s.ptr[0]) != SIZE_MAX) s = slice_from(s, 1);
    while (s.len && slice_find_byte(bytes, s.ptr[s.len - 1]) != SIZE_MAX) s.len--;
    return s;
}

/* Where the base name begins. */
static size_t base_at(struct slice s)
{
    size_t at = s.len;
    while (at > 0 && s.ptr[at - 1] != '/' && s.ptr[at - 1] != '\\') at--;
    return at;
}

static struct slice dirname_of(struct slice s)
{
    size_t at = base_at(s);
    return at > 1 ? slice_until(s, at - 1) : slice_until(s, at);
}

static struct slice extension_of(struct slice s)
{
    struct slice base = slice_from(s, base_at(s));
    size_t dot = slice_find_last_byte(base, '.');
    return dot == SIZE_MAX || dot == 0 ? SLICE_NONE : slice_from(base, dot + 1);
}

static struct slice formatted(const struct expr_scope *scope, struct buf *text)
{
    return arena_dup(scope->arena, buf_slice(text));
}

static struct slice unhex(struct slice s, const struct expr_scope *scope)
{
    if (!slice_starts_with(s, SLICE("0x")) && !slice_starts_with(s, SLICE("0X"))) return s;
    uint64_t value = 0;
    if (s.len < 3 || s.len > 18) return SLICE_NONE;
    for (size_t i = 2; i < s.len; i++) {
        char c = lower(s.ptr[i]);
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return SLICE_NONE;
        value = value << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    char room[24];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room}; /* never grows */
    buf_printf(&text, "%llu", (unsigned long long)value);
    return formatted(scope, &text);
}

/* One label and its length before it: takes them off *s. False: there is none. */
static bool take_label(struct slice *s, struct slice *ret)
{
    size_t len = 0, at = 1;
    if (s->len < 3 || s->ptr[0] != '(') return false;
    for (; at < s->len && at < 4 && s->ptr[at] >= '0' && s->ptr[at] <= '9'; at++)
        len = len * 10 + (size_t)(s->ptr[at] - '0');
    if (at == 1 || at == s->len || s->ptr[at] != ')') return false;
    *s = slice_from(*s, at + 1);
    if (s->len < len) return false;
    *ret = slice_until(*s, len);
    *s = slice_from(*s, len);
    return true;
}

/* The way DNS servers of Windows write a name. */
static struct slice labels(struct slice s, const struct expr_scope *scope)
{
    struct slice rest = s, label;
    if (s.len == 0 || s.ptr[0] != '(') return s;
    char *name = arena_alloc(scope->arena, s.len);
    size_t n = 0;
    if (!name) return SLICE_NONE;
    while (take_label(&rest, &label) && label.len) {
        if (n) name[n++] = '.';
        memcpy(name + n, label.ptr, label.len);
        n += label.len;
    }
    return rest.len ? s : slice_make(name, n);
}

static struct slice rfc3339(nsec time, const struct expr_scope *scope)
{
    char room[64];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room};
    time_write_rfc3339(&text, time);
    return formatted(scope, &text);
}

static struct slice read_time(struct slice s, const struct expr_scope *scope)
{
    nsec time;
    bool read =
        scope->now == TIME_NONE ? time_parse(s, 0, &time) : time_parse_near(s, scope->now, &time);
    return read ? rfc3339(time, scope) : SLICE_NONE;
}

/* Nothing, or a point and up to nine digits: the part of a second. */
static bool read_fraction(const char *s, nsec *ret)
{
    nsec unit = NSEC_PER_SEC;
    *ret = 0;
    if (!*s) return true;
    if (*s++ != '.' || !*s) return false;
    for (; *s >= '0' && *s <= '9' && unit > 1; s++) *ret += (*s - '0') * (unit /= 10);
    return !*s;
}

/* A zone that strptime() put into the struct is taken off. `year` is for texts that tell none. */
static bool parse_form(const char *text, const char *form, int year, nsec *ret)
{
    struct tm tm = {.tm_mday = 1, .tm_year = year - 1900};
    const char *end = strptime(text, form, &tm);
    nsec fraction;
    if (!end || !read_fraction(end, &fraction)) return false;
    nsec time = time_from_civil(&(struct civil_time){.year = tm.tm_year + 1900,
                                                     .month = tm.tm_mon + 1,
                                                     .day = tm.tm_mday,
                                                     .hour = tm.tm_hour,
                                                     .minute = tm.tm_min,
                                                     .second = tm.tm_sec});
    return time != TIME_NONE && !__builtin_sub_overflow(time, tm.tm_gmtoff * NSEC_PER_SEC, &time) &&
           !__builtin_add_overflow(time, fraction, ret);
}

/* As time_parse_near(): a text that tells its year is the same in all years. */
static struct slice read_strptime(struct slice s, struct slice format,
                                  const struct expr_scope *scope)
{
    char text[128], form[128];
    if (s.len >= sizeof text || format.len >= sizeof form) return SLICE_NONE;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    memcpy(form, format.ptr, format.len);
    form[format.len] = '\0';
    nsec now = scope->now == TIME_NONE ? 0 : scope->now, time, other;
    const int last = time_last_year(now);
    for (int year = last; year >= last - 1; year--) {
        if (!parse_form(text, form, year, &time)) continue;
        bool tells = parse_form(text, form, year - 1, &other) && other == time;
        nsec ahead;
        bool far = __builtin_sub_overflow(time, now, &ahead) || ahead >= TIME_GRACE;
        if (tells || !far) return rfc3339(time, scope);
    }
    return SLICE_NONE;
}

static struct slice split_at(struct slice s, const struct call *call)
{
    bool last = call->function == EXPR_BEFORE_LAST || call->function == EXPR_AFTER_LAST;
    bool before = call->function == EXPR_BEFORE || call->function == EXPR_BEFORE_LAST;
    size_t at = last ? slice_find_last(s, call->argument) : slice_find(s, call->argument);
    if (at == SIZE_MAX) return s;
    return before ? slice_until(s, at) : slice_from(s, at + call->argument.len);
}

static struct slice if_only(struct slice s, bool keep)
{
    return keep ? s : SLICE_NONE;
}

/* An address and a name are asked of one text one after the other. */
static bool is_ip(struct slice s, const struct expr_scope *scope)
{
    struct expr_told *told = scope->told;
    if (told->text.ptr != s.ptr || told->text.len != s.len) {
        told->text = s;
        told->is_ip = ip_is(s);
    }
    return told->is_ip;
}

static __attribute__((noinline)) bool is_number(struct slice s)
{
    int64_t n;
    return slice_to_i64(s, &n);
}

/* What another text comes of. */
static __attribute__((noinline)) struct slice change(struct slice s, const struct call *call,
                                                     const struct expr_scope *scope)
{
    switch (call->function) {
    case EXPR_LOWER:
        return changed(s, scope, lower);
    case EXPR_UPPER:
        return changed(s, scope, upper);
    case EXPR_BEFORE:
    case EXPR_AFTER:
    case EXPR_BEFORE_LAST:
    case EXPR_AFTER_LAST:
        return split_at(s, call);
    case EXPR_LAST:
        return s.len > call->count ? slice_from(s, s.len - call->count) : s;
    case EXPR_TRIM:
        return trimmed(s, call->argument);
    case EXPR_BASENAME:
        return slice_from(s, base_at(s));
    case EXPR_DIRNAME:
        return dirname_of(s);
    case EXPR_EXTENSION:
        return extension_of(s);
    case EXPR_UNHEX:
        return unhex(s, scope);
    case EXPR_LABELS:
        return labels(s, scope);
    case EXPR_TIME:
        return read_time(s, scope);
    case EXPR_STRPTIME:
        return read_strptime(s, call->argument, scope);
    default:
        return s;
    }
}

/* What keeps a text or not is done here: it needs no room, and is asked for most. */
static struct slice apply(struct slice s, const struct call *call, const struct expr_scope *scope)
{
    switch (call->function) {
    case EXPR_HAVING:
        return if_only(s, slice_find(s, call->argument) != SIZE_MAX);
    case EXPR_WITHOUT:
        return if_only(s, !slice_eq_nocase(s, call->argument));
    case EXPR_UNLIKE:
        return if_only(s, !slice_eq(s, slice_trim(scope->get(scope->ctx, call->field))));
    case EXPR_IP:
        return if_only(s, is_ip(s, scope));
    case EXPR_NAME:
        return if_only(s, !is_ip(s, scope));
    case EXPR_NUMBER:
        return if_only(s, is_number(s));
    default:
        return change(s, call, scope);
    }
}

/* Values up to EXPR_VALUES_MAX, each once. */
struct values {
    struct slice *at;
    uint32_t n;
};

static void add_value(struct values *v, struct slice s)
{
    if (!expr_is_value(s) || v->n == EXPR_VALUES_MAX) return;
    for (uint32_t i = 0; i < v->n; i++)
        if (slice_eq(v->at[i], s)) return;
    v->at[v->n++] = s;
}

static void look_up(const struct expr_table *t, struct slice s, struct values *ret)
{
    const struct row *row = find_row(t, s);
    if (!row->values) row = t->other;
    for (uint32_t i = 0; row && i < row->n_values; i++) add_value(ret, row->values[i]);
}

static __attribute__((noinline)) uint32_t table_values(const struct expr_table *t, struct slice s,
                                                       struct slice ret[EXPR_VALUES_MAX])
{
    struct values v = {.at = ret};
    look_up(t, s, &v);
    return v.n;
}

/* `FIELD | having S`: the first of its values that S is in; `FIELD | all`: each. */
static void field_values(const struct expr *e, const struct expr_scope *scope, struct values *ret)
{
    bool all = e->calls[0].function == EXPR_ALL;
    struct slice text = scope->get(scope->ctx, e->parts[0].field);
    for (uint32_t at = 0; text.ptr; text = scope->next(scope->ctx, e->parts[0].field, &at)) {
        if (all || slice_find(text, e->calls[0].argument) != SIZE_MAX)
            add_value(ret, slice_trim(text));
        if (!all && ret->n) return;
    }
}

/* Functions that leave a part of a text, or nothing. */
static bool takes_part(enum expr_function function)
{
    switch (function) {
    case EXPR_LOWER:
    case EXPR_UPPER:
    case EXPR_BEFORE:
    case EXPR_AFTER:
    case EXPR_BEFORE_LAST:
    case EXPR_AFTER_LAST:
    case EXPR_HAVING:
    case EXPR_ALL:
    case EXPR_WITHOUT:
    case EXPR_UNLIKE:
    case EXPR_LAST:
    case EXPR_TRIM:
    case EXPR_BASENAME:
    case EXPR_DIRNAME:
    case EXPR_EXTENSION:
    case EXPR_IP:
    case EXPR_NAME:
    case EXPR_NUMBER:
        return true;
    case EXPR_UNHEX:
    case EXPR_LABELS:
    case EXPR_TIME:
    case EXPR_STRPTIME:
    case EXPR_TABLE:
    case EXPR_DEFAULT:
        break;
    }
    return false;
}

bool expr_copies(const struct expr *e, void *ctx, bool (*copied)(void *ctx, uint32_t field))
{
    for (uint32_t i = 0; i < e->n_parts; i++) {
        const struct part *p = &e->parts[i];
        if (p->kind != PART_FIELD || !p->ends_term || !copied(ctx, p->field)) return false;
    }
    for (uint32_t i = 0; i < e->n_calls; i++)
        if (!takes_part(e->calls[i].function)) return false;
    return true;
}

/* What the function makes of each value. */
static void call_each(const struct call *call, const struct expr_scope *scope, struct values *v)
{
    struct slice before[EXPR_VALUES_MAX];
    uint32_t n = v->n;
    memcpy(before, v->at, n * sizeof *before);
    v->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (call->function == EXPR_TABLE) look_up(call->table, before[i], v);
        else add_value(v, slice_trim(apply(before[i], call, scope)));
    }
}

/* The same of what nearly all have: no value, or one. */
static void call(const struct call *call, const struct expr_scope *scope, struct values *v)
{
    struct slice first = v->at[0];
    if (v->n > 1) {
        call_each(call, scope, v);
    } else if (v->n == 0) {
        if (call->function == EXPR_DEFAULT) v->at[v->n++] = call->argument;
    } else if (call->function == EXPR_TABLE) {
        v->n = 0;
        look_up(call->table, first, v);
    } else {
        v->at[0] = slice_trim(apply(first, call, scope));
        v->n = expr_is_value(v->at[0]);
    }
}

static __attribute__((noinline)) uint32_t computed_values(const struct expr *e,
                                                          const struct expr_scope *scope,
                                                          struct slice ret[EXPR_VALUES_MAX])
{
    struct values v = {.at = ret};
    if (e->all_values) {
        field_values(e, scope, &v);
    } else {
        ret[0] = first_term(e, scope);
        v.n = ret[0].len > 0;
    }
    for (uint32_t i = 0; i < e->n_calls; i++) call(&e->calls[i], scope, &v);
    return v.n;
}

uint32_t expr_values(const struct expr *e, const struct expr_scope *scope,
                     struct slice ret[EXPR_VALUES_MAX])
{
    if (!e->is_chain) return computed_values(e, scope, ret);
    struct slice text = slice_trim(scope->get(scope->ctx, e->parts[0].field));
    for (uint32_t i = 0; i < e->n_calls && expr_is_value(text); i++) {
        if (e->calls[i].function == EXPR_TABLE) return table_values(e->calls[i].table, text, ret);
        text = slice_trim(apply(text, &e->calls[i], scope));
    }
    ret[0] = text;
    return expr_is_value(text);
}
