/* SPDX-License-Identifier: EUPL-1.2 */
#include "query_reference.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_TEXT = REF_VALUES * (REF_TEXT + 1) };

/* ---- texts ------------------------------------------------------------------------------- */

static void copy_text(char to[REF_TEXT], const char *from)
{
    (void)snprintf(to, REF_TEXT, "%s", from);
}

/* ASCII, and the letters of the generator that are not. */
static void fold(char *to, const char *from)
{
    size_t n = strlen(from);
    for (size_t i = 0; i <= n; i++) {
        unsigned char c = (unsigned char)from[i];
        to[i] = (char)tolower(c < 0x80 ? c : 0);
        if (c < 0x80) continue;
        to[i] = from[i];
        if (c == 0xc3 && (unsigned char)from[i + 1] >= 0x80 && (unsigned char)from[i + 1] <= 0x9e) {
            to[i + 1] = (char)(from[i + 1] + 0x20);
            i++;
        }
    }
}

static bool glob(const char *p, const char *s)
{
    if (*p == '\0') return *s == '\0';
    if (*p == REF_STAR) return glob(p + 1, s) || (*s && glob(p, s + 1));
    return *p == *s && glob(p + 1, s + 1);
}

static bool number(const char *s, double *ret)
{
    char *end;
    if (*s == '\0' || strspn(s, "0123456789+-.eE") != strlen(s)) return false;
    *ret = strtod(s, &end);
    return *end == '\0';
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static bool is_edge(const char *s, size_t at)
{
    return at == 0 || s[at] == '\0' || !is_word(s[at - 1]) || !is_word(s[at]);
}

/* Every piece of the text is tried. */
static bool words_stand(const char *p, const char *s)
{
    size_t n = strlen(p), len = strlen(s);
    bool open_start = p[0] == REF_STAR, open_end = n && p[n - 1] == REF_STAR;
    for (size_t from = 0; from <= len; from++)
        for (size_t to = from; to <= len; to++) {
            char piece[REF_TEXT];
            if (!open_start && !is_edge(s, from)) continue;
            if (!open_end && !is_edge(s, to)) continue;
            memcpy(piece, s + from, to - from);
            piece[to - from] = '\0';
            if (glob(p, piece)) return true;
        }
    return false;
}

/* ---- filters ----------------------------------------------------------------------------- */

static bool address(const char *s, unsigned char ret[16])
{
    unsigned char v4[4];
    memset(ret, 0, 16);
    if (inet_pton(AF_INET, s, v4) == 1) {
        ret[10] = ret[11] = 0xff;
        memcpy(ret + 12, v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, s, ret) == 1;
}

/* One address or a network; IPv4 as the part of IPv6 that stands for it. */
static bool in_network(const char *network, const char *s)
{
    char head[REF_TEXT];
    unsigned char a[16], b[16];
    const char *slash = strchr(network, '/');
    size_t n = slash ? (size_t)(slash - network) : strlen(network);
    memcpy(head, network, n);
    head[n] = '\0';
    if (!address(head, a) || !address(s, b)) return false;
    int bits = 128;
    if (slash) bits = (int)strtol(slash + 1, NULL, 10) + (strchr(head, ':') ? 0 : 96);
    for (int i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) return false;
    return true;
}

static bool value_is(const char *want, const struct ref_value *v)
{
    char p[REF_TEXT], s[REF_TEXT];
    double x, y;
    if (v->type == REF_NULL) return false;
    fold(p, want);
    fold(s, v->text);
    if (glob(p, s)) return true;
    if (v->type == REF_NUMBER && number(want, &x) && number(v->text, &y) && x == y) return true;
    return !strchr(want, REF_STAR) && in_network(want, v->text);
}

static bool only_stars(const struct ref_tree *t)
{
    return !t->quoted && t->text[0] && t->text[strspn(t->text, "\1")] == '\0';
}

/* Calls for each word, or once for a text in quotes; true when one does. */
static bool any_word(const struct ref_tree *t, const struct ref_value *v,
                     bool (*holds)(const char *word, const struct ref_value *v))
{
    char copy[REF_TEXT];
    if (t->quoted) return holds(t->text, v);
    copy_text(copy, t->text);
    char *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        if (holds(w, v)) return true;
    return false;
}

static bool has_words(const char *word, const struct ref_value *v)
{
    char p[REF_TEXT], s[REF_TEXT];
    fold(p, word);
    fold(s, v->text);
    return v->type != REF_NULL && words_stand(p, s);
}

static bool all_numbers(const char *text)
{
    char copy[REF_TEXT];
    double x;
    int n = 0;
    copy_text(copy, text);
    char *rest = NULL;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest), n++)
        if (!number(w, &x)) return false;
    return n > 1;
}

static bool field_holds(const struct ref_tree *t, const struct ref_value *v)
{
    if (only_stars(t)) return v->type != REF_NULL;
    if (t->words && t->text[0]) return any_word(t, v, has_words);
    if (!t->quoted && all_numbers(t->text)) return any_word(t, v, value_is);
    return value_is(t->text, v);
}

static bool range_holds(const struct ref_tree *t, const struct ref_value *v)
{
    double x;
    if (v->type == REF_NULL || !number(v->text, &x)) return false;
    return t->cmp == -2   ? x <= t->number
           : t->cmp == -1 ? x < t->number
           : t->cmp == 1  ? x > t->number
                          : x >= t->number;
}

static bool any_value(const struct ref_tree *t, const struct ref_event *ev, int field)
{
    for (int i = 0; i < ev->n[field]; i++) {
        const struct ref_value *v = &ev->values[field][i];
        if (t->kind == REF_FREE && v->made) continue;
        if (t->kind == REF_FREE && only_stars(t)) return true;
        if (t->kind == REF_FREE    ? any_word(t, v, has_words)
            : t->kind == REF_RANGE ? range_holds(t, v)
                                   : field_holds(t, v))
            return true;
    }
    return false;
}

bool ref_holds(const struct ref_tree *t, const struct ref_event *ev)
{
    bool all = true, any = false;
    switch (t->kind) {
    case REF_AND:
    case REF_OR:
    case REF_NOT:
        for (int i = 0; i < t->n_children; i++) {
            bool holds = ref_holds(t->child[i], ev);
            all &= holds;
            any |= holds;
        }
        return t->kind == REF_AND ? all : t->kind == REF_OR ? any : !any;
    case REF_FIELD:
    case REF_RANGE:
        for (int f = 0; f < REF_FIELDS; f++) any |= t->fields >> f & 1 && any_value(t, ev, f);
        return any;
    case REF_OBJECT: /* something is below it */
        for (int f = 0; f < REF_FIELDS; f++) any |= t->fields >> f & 1 && ev->n[f] > 0;
        return any;
    case REF_FREE:
        if (only_stars(t)) return true;
        for (int f = 0; f < REF_FIELDS; f++) any |= any_value(t, ev, f);
        return any;
    }
    return false;
}

/* ---- pipes ------------------------------------------------------------------------------- */

/* The values of a field that are not null, as one text. */
static void cell(const struct ref_event *ev, int field, char out[CELL_TEXT])
{
    int len = 0;
    for (int i = 0; i < ev->n[field]; i++) {
        if (ev->values[field][i].type == REF_NULL) continue;
        len += snprintf(out + len, (size_t)(CELL_TEXT - len), "%s%s", len ? "+" : "",
                        ev->values[field][i].text);
    }
    if (len == 0) copy_text(out, "-");
}

/* As src/query/cell.h orders them: nothing, numbers, texts. */
static int order(const char *a, bool a_none, const char *b, bool b_none)
{
    double x, y;
    if (a_none || b_none) return (int)b_none - (int)a_none;
    bool p = number(a, &x), q = number(b, &y);
    if (p && q && x != y) return x < y ? -1 : 1;
    if (p != q) return p ? -1 : 1;
    int c = strcmp(a, b);
    return c < 0 ? -1 : c > 0;
}

struct ref_group {
    char key[REF_COLUMNS][REF_TEXT];
    bool none[REF_COLUMNS];
    int rows, with, numbers;
    double sum, least, most;
    char distinct[REF_EVENTS * REF_VALUES][REF_TEXT];
    int n_distinct;
    double seen[REF_EVENTS * REF_VALUES];
};

struct ref_groups {
    struct ref_group at[2048];
    int n, rows;
};

static void measure(struct ref_group *g, const struct ref_event *ev, int field)
{
    bool with = false;
    double x;
    g->rows++;
    for (int i = 0; i < ev->n[field]; i++) {
        const struct ref_value *v = &ev->values[field][i];
        if (v->type == REF_NULL) continue;
        with = true;
        int k = 0;
        while (k < g->n_distinct && strcmp(g->distinct[k], v->text) != 0) k++;
        if (k == g->n_distinct) copy_text(g->distinct[g->n_distinct++], v->text);
        if (!number(v->text, &x)) continue;
        if (g->numbers == 0 || x < g->least) g->least = x;
        if (g->numbers == 0 || x > g->most) g->most = x;
        g->sum += x;
        g->seen[g->numbers++] = x;
    }
    g->with += with;
}

static struct ref_group *find(struct ref_groups *all, int n, char key[][REF_TEXT], const bool *none)
{
    for (int i = 0; i < all->n; i++) {
        bool same = true;
        for (int k = 0; k < n; k++)
            same &= all->at[i].none[k] == none[k] &&
                    (none[k] || strcmp(all->at[i].key[k], key[k]) == 0);
        if (same) return &all->at[i];
    }
    struct ref_group *g = &all->at[all->n++];
    memset(g, 0, sizeof *g);
    for (int k = 0; k < n; k++) {
        copy_text(g->key[k], key[k]);
        g->none[k] = none[k];
    }
    return g;
}

/* One event into the groups of every combination of its values, each once. */
static void spread(struct ref_groups *all, const struct ref_pipe *p, const struct ref_event *ev,
                   int column, char key[][REF_TEXT], bool *none)
{
    if (column == p->n) {
        measure(find(all, p->n, key, none), ev, p->measured);
        return;
    }
    int field = p->columns[column], used = 0;
    for (int i = 0; i < ev->n[field]; i++) {
        bool before = ev->values[field][i].type == REF_NULL;
        for (int k = 0; k < i; k++)
            before |= ev->values[field][k].type != REF_NULL &&
                      strcmp(ev->values[field][k].text, ev->values[field][i].text) == 0;
        if (before) continue;
        used++;
        copy_text(key[column], ev->values[field][i].text);
        none[column] = false;
        spread(all, p, ev, column + 1, key, none);
    }
    if (used) return;
    none[column] = true;
    spread(all, p, ev, column + 1, key, none);
}

static bool has_all(const struct ref_pipe *p, const struct ref_event *ev)
{
    char text[CELL_TEXT];
    for (int i = 0; i < p->n; i++) {
        cell(ev, p->columns[i], text);
        bool none = true;
        for (int k = 0; k < ev->n[p->columns[i]]; k++)
            none &= ev->values[p->columns[i]][k].type == REF_NULL;
        if (none) return false;
    }
    return true;
}

static int compare_groups(const struct ref_pipe *p, const struct ref_group *a,
                          const struct ref_group *b)
{
    if (p->kind != REF_STATS && a->rows != b->rows)
        return (a->rows > b->rows) == (p->kind == REF_RARE) ? 1 : -1;
    for (int i = 0; i < p->n; i++) {
        int c = order(a->key[i], a->none[i], b->key[i], b->none[i]);
        if (c) return c;
    }
    return 0;
}

static void put_number(struct buf *out, double x)
{
    buf_printf(out, " %.15g", x);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void put_measures(struct buf *out, struct ref_group *g)
{
    buf_printf(out, "%d %d %d %.15g", g->rows, g->with, g->n_distinct, g->sum);
    if (g->numbers == 0) {
        buf_puts(out, " - - - -");
        return;
    }
    put_number(out, g->sum / g->numbers);
    put_number(out, g->least);
    put_number(out, g->most);
    qsort(g->seen, (size_t)g->numbers, sizeof *g->seen, by_value);
    put_number(out, g->seen[(g->numbers * 50 + 99) / 100 - 1]);
}

static void put_group(struct buf *out, const struct ref_pipe *p, struct ref_group *g, int rows)
{
    if (out->len) buf_puts(out, "; ");
    for (int i = 0; i < p->n; i++) {
        buf_puts(out, i ? " " : "");
        buf_puts(out, g->none[i] ? "-" : g->key[i]);
    }
    if (p->n) buf_putc(out, ' ');
    if (p->kind == REF_STATS) put_measures(out, g);
    else buf_printf(out, "%d", g->rows);
    if (p->kind == REF_TOP || p->kind == REF_RARE)
        put_number(out, round(1e4 * g->rows / rows) / 1e2);
}

static void groups(const struct ref_pipe *p, const struct ref_event *const *events, int n,
                   struct buf *out)
{
    static struct ref_groups all;
    char key[REF_COLUMNS][REF_TEXT];
    bool none[REF_COLUMNS], ranks = p->kind == REF_TOP || p->kind == REF_RARE;
    all.n = all.rows = 0;
    for (int i = 0; i < n; i++) {
        if (ranks && !has_all(p, events[i])) continue;
        all.rows++;
        spread(&all, p, events[i], 0, key, none);
    }
    if (p->n == 0 && all.n == 0) (void)find(&all, 0, key, none);
    for (int i = 0; i < all.n; i++)
        for (int k = i + 1; k < all.n; k++)
            if (compare_groups(p, &all.at[k], &all.at[i]) < 0) {
                static struct ref_group swap;
                swap = all.at[i];
                all.at[i] = all.at[k];
                all.at[k] = swap;
            }
    for (int i = 0; i < all.n && (!ranks || i < p->limit); i++)
        put_group(out, p, &all.at[i], all.rows);
}

static void put_row(struct buf *out, const struct ref_pipe *p, const struct ref_event *ev)
{
    char text[CELL_TEXT];
    if (out->len) buf_puts(out, "; ");
    for (int i = 0; i < p->n; i++) {
        cell(ev, p->columns[i], text);
        buf_puts(out, i ? " " : "");
        buf_puts(out, text);
    }
}

static bool same_row(const struct ref_pipe *p, const struct ref_event *a, const struct ref_event *b)
{
    char x[CELL_TEXT], y[CELL_TEXT];
    for (int i = 0; i < p->n; i++) {
        cell(a, p->columns[i], x);
        cell(b, p->columns[i], y);
        if (strcmp(x, y) != 0) return false;
    }
    return true;
}

/* The next value that is not null, or NULL. */
static const struct ref_value *next_value(const struct ref_event *ev, int field, int *at)
{
    while (*at < ev->n[field] && ev->values[field][*at].type == REF_NULL) ++*at;
    return *at < ev->n[field] ? &ev->values[field][(*at)++] : NULL;
}

static int order_events(const struct ref_event *a, const struct ref_event *b, int field)
{
    int i = 0, k = 0;
    for (;;) {
        const struct ref_value *x = next_value(a, field, &i), *y = next_value(b, field, &k);
        if (!x || !y) return (x != NULL) - (y != NULL);
        int c = order(x->text, false, y->text, false);
        if (c) return c;
    }
}

static void sorted(const struct ref_pipe *p, const struct ref_event *const *events, int n,
                   struct buf *out)
{
    const struct ref_event *rows[REF_EVENTS];
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0; at--) {
            int c = order_events(events[i], rows[at - 1], p->columns[0]);
            if ((p->descending ? -c : c) >= 0) break;
            rows[at] = rows[at - 1];
        }
        rows[at] = events[i];
    }
    for (int i = 0; i < n && i < p->limit; i++) put_row(out, p, rows[i]);
}

void ref_rows(const struct ref_pipe *p, const struct ref_event *const *events, int n,
              struct buf *out)
{
    switch (p->kind) {
    case REF_COUNT:
    case REF_TOP:
    case REF_RARE:
    case REF_STATS:
        groups(p, events, n, out);
        return;
    case REF_TABLE:
        for (int i = 0; i < n; i++) put_row(out, p, events[i]);
        return;
    case REF_SORT_HEAD:
        sorted(p, events, n, out);
        return;
    case REF_DEDUP:
        for (int i = 0; i < n; i++) {
            bool before = false;
            for (int k = 0; k < i; k++) before |= same_row(p, events[k], events[i]);
            if (!before) put_row(out, p, events[i]);
        }
    }
}
