/* SPDX-License-Identifier: EUPL-1.2 */
#include "query_made.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"

static uint64_t state;

void made_seed(uint64_t seed)
{
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

unsigned made_below(unsigned n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % n;
}

bool made_chance(unsigned percent)
{
    return made_below(100) < percent;
}

#define PICK(array) (array)[made_below(sizeof(array) / sizeof *(array))]

/* ---- what they are made of --------------------------------------------------------------- */

const char *const made_names[REF_FIELDS] = {"f",
                                            "g",
                                            "user.name",
                                            "src",
                                            "n",
                                            "message",
                                            "k.l.m",
                                            "Z",
                                            "event.action",
                                            "source.ip",
                                            "event.outcome",
                                            "host.name"};
enum { DERIVED = 1 << MADE_ACTION | 1 << MADE_IP | 1 << MADE_OUTCOME | 1 << MADE_HOST };
/* What queries call them: by their names, or by some of these. */
static const struct {
    const char *name;
    unsigned fields;
} patterns[] = {
    {"user.*", 1 << MADE_USER},
    {"*", (1 << REF_FIELDS) - 1},
    {"k*m", 1 << MADE_KEY},
    {"*.*", 1 << MADE_USER | 1 << MADE_KEY | DERIVED},
    {"*e*", 1 << MADE_USER | 1 << MADE_MESSAGE | DERIVED},
    {"Z*", 1 << MADE_Z},
    {"*f", 1 << MADE_F},
    {"**r*", 1 << MADE_USER | 1 << MADE_SRC | 1 << MADE_IP},
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

void made_event(struct ref_event *ev)
{
    *ev = (struct ref_event){0};
    for (int f = 0; f < MADE_RECORD_FIELDS; f++) {
        if (made_chance(40)) continue;
        ev->n[f] = made_chance(80) ? 1 : 1 + (int)made_below(REF_VALUES);
        for (int i = 0; i < ev->n[f]; i++) {
            struct ref_value *v = &ev->values[f][i];
            unsigned kind = made_below(10);
            v->type = kind < 6   ? REF_STRING
                      : kind < 8 ? REF_NUMBER
                      : kind < 9 ? REF_BOOL
                                 : REF_NULL;
            const char *text = v->type == REF_STRING   ? PICK(texts)
                               : v->type == REF_NUMBER ? PICK(numbers)
                               : v->type == REF_BOOL   ? (made_chance(50) ? "true" : "false")
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

void made_put_event(struct buf *out, const struct ref_event *ev)
{
    bool first = true;
    buf_putc(out, '{');
    for (int f = 0; f < MADE_RECORD_FIELDS; f++) {
        if (ev->n[f] == 0) continue;
        if (!first) buf_putc(out, ',');
        first = false;
        const char *dot = strchr(made_names[f], '.');
        bool nested = dot && ev->n[f] % 2;
        if (nested)
            buf_printf(out, "\"%.*s\":{\"%s\":", (int)(dot - made_names[f]), made_names[f],
                       dot + 1);
        else buf_printf(out, "\"%s\":", made_names[f]);
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
    const char *text = t->kind == REF_FIELD && made_chance(15) ? PICK(networks) : PICK(texts);
    (void)snprintf(t->text, sizeof t->text, "%s", text);
    t->quoted = made_chance(40);
    if (t->quoted || made_chance(60)) return;
    size_t at = made_below((unsigned)strlen(t->text) + 1);
    switch (made_below(4)) {
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

struct ref_tree *made_tree(struct arena *arena, unsigned fields, int depth)
{
    struct ref_tree *t = arena_zalloc(arena, 1, sizeof *t);
    ASSERT(t);
    unsigned kind = made_below(depth > 0 ? 12 : 6);
    unsigned field = made_below(fields);
    t->fields = 1u << field;
    t->name = made_names[field];
    t->words = field == MADE_MESSAGE;
    if (made_chance(20)) {
        unsigned i = made_below(sizeof patterns / sizeof *patterns);
        t->fields = patterns[i].fields;
        t->name = patterns[i].name;
        t->words = false;
    }
    if (kind >= 6) {
        t->kind = kind < 9 ? REF_AND : kind < 11 ? REF_OR : REF_NOT;
        t->n_children = t->kind == REF_NOT ? 1 : 2 + (int)made_below(REF_CHILDREN - 1);
        for (int i = 0; i < t->n_children; i++) t->child[i] = made_tree(arena, fields, depth - 1);
        return t;
    }
    t->kind = kind < 3 ? REF_FIELD : kind < 5 ? REF_FREE : made_chance(80) ? REF_RANGE : REF_OBJECT;
    if (t->kind == REF_RANGE) {
        t->number = strtod(PICK(numbers), NULL);
        t->cmp = made_chance(50) ? (made_chance(50) ? -2 : -1) : (made_chance(50) ? 1 : 2);
    } else if (t->kind == REF_OBJECT) {
        t->fields = 1 << MADE_USER;
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
        if (i) buf_puts(out, t->kind == REF_AND ? (made_chance(80) ? " and " : " AND ") : " or ");
        if (group) put_literal(out, t->child[i]);
        else put_tree(out, t->child[i], t->kind == REF_AND || made_chance(50));
    }
}

/* `inside`: what binds less than `and` gets parentheses. */
static void put_tree(struct buf *out, const struct ref_tree *t, bool inside)
{
    static const char *const cmps[] = {"<=", "<", "", ">", ">="};
    bool group = (t->kind == REF_AND || t->kind == REF_OR) && is_group(t) && made_chance(70);
    bool wrap = !group && (t->kind == REF_OR || t->kind == REF_AND) && inside;
    if (wrap || made_chance(5)) {
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
        buf_printf(out, made_chance(50) ? "%s: " : "%s:", t->name);
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

void made_pipe(struct ref_pipe *p, unsigned fields)
{
    *p = (struct ref_pipe){.kind = (enum ref_pipe_kind)made_below(7),
                           .limit = 1 + (int)made_below(5)};
    p->n = 1 + (int)made_below(2);
    p->columns[0] = (int)made_below(fields);
    p->columns[1] = (p->columns[0] + 1 + (int)made_below(fields - 1)) % (int)fields;
    p->measured = (int)made_below(fields);
    p->descending = made_chance(50);
    if ((p->kind == REF_COUNT || p->kind == REF_STATS) && made_chance(30)) p->n = 0;
}

static void put_fields(struct buf *out, const struct ref_pipe *p)
{
    for (int i = 0; i < p->n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", made_names[p->columns[i]]);
}

static void put_pipe(struct buf *out, const struct ref_pipe *p)
{
    const char *m = made_names[p->measured];
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
                   made_names[p->columns[0]], p->limit);
        break;
    case REF_DEDUP:
        buf_puts(out, " | dedup ");
        put_fields(out, p);
        buf_puts(out, " | table ");
        break;
    }
    put_fields(out, p);
}

void made_put_query(struct buf *out, const struct ref_tree *tree, const struct ref_pipe *pipe)
{
    put_tree(out, tree, false);
    put_pipe(out, pipe);
}

/* ---- answers ----------------------------------------------------------------------------- */

int made_put_row(void *ctx, const struct cell *cells, uint32_t n)
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
