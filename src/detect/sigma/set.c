/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/set.h"

#include <stdarg.h>

#include "base/hash.h"
#include "detect/sigma/set_private.h"

/*
 * No file is begun once SET_FULL is held, so that the rest of the budget belongs to one file and
 * a set that grew too large is refused file by file and not as a whole.
 */
enum { SET_BUDGET = 768 * 1024 * 1024, SET_FULL = 704 * 1024 * 1024 };

struct sigma_set *sigma_set_new(void)
{
    struct set_impl *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    arena_init(&s->set.arena, SET_BUDGET);
    sha256_init(&s->sha);
    return &s->set;
}

void sigma_set_free(struct sigma_set *set)
{
    if (!set) return;
    struct set_impl *s = set_impl(set);
    arena_done(&set->arena);
    free(set->rules);
    free(set->correlations);
    free(set->refusals);
    free(set->filters);
    free(s->read_filters);
    free(s->entries);
    free(s->table);
    free(s->files.slots);
    free(s->text);
    free(s);
}

bool set_grow(void **array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap) return true;
    uint32_t want = *cap ? *cap : 32;
    if (n >= want && __builtin_mul_overflow(want, 2u, &want)) return false;
    void *more = reallocarray(*array, want, size);
    if (!more) return false;
    *array = more;
    *cap = want;
    return true;
}

/* set_grow() for a member of the set; the cast keeps the pointer's own type out of the way. */
#define GROW(array, n, cap) set_grow((void **)&(array), n, cap, sizeof *(array))

void set_refuse(struct set_impl *s, const struct diag *diag, const struct sigma_doc *doc,
                bool warning)
{
    if (!GROW(s->set.refusals, s->set.n_refusals, &s->cap_refusals)) {
        s->error = ERR_NOMEM;
        return;
    }
    struct sigma_refusal *r = &s->set.refusals[s->set.n_refusals++];
    *r = (struct sigma_refusal){.diag = *diag, .warning = warning};
    if (doc) {
        r->title = doc->title;
        r->id = doc->id;
    }
}

void set_refuse_at(struct set_impl *s, const struct sigma_doc *doc, struct yaml_pos pos,
                   bool warning, int error, const char *fmt, ...)
{
    char text[sizeof(struct diag)];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct diag diag;
    (void)diag_set(&diag, error, doc->file, pos.line, pos.column, "%s", text);
    set_refuse(s, &diag, doc, warning);
}

/* --- Ids and names ----------------------------------------------------------------------- */

static uint64_t entry_hash(struct slice key, bool is_id)
{
    if (!is_id) return hash64(key);
    /* Ids are UUIDs, which are compared without regard to case. */
    char lower[64];
    size_t n = key.len < sizeof lower ? key.len : sizeof lower;
    for (size_t i = 0; i < n; i++) {
        char c = key.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return hash64_seed(slice_make(lower, n), key.len);
}

static struct set_entry *find_entry(const struct set_impl *s, struct slice key, bool is_id)
{
    if (s->table_size == 0 || key.len == 0) return NULL;
    uint32_t mask = s->table_size - 1;
    for (uint32_t at = (uint32_t)entry_hash(key, is_id) & mask; s->table[at];
         at = (at + 1) & mask) {
        struct set_entry *e = &s->entries[s->table[at] - 1];
        if (e->is_id != is_id) continue;
        if (is_id ? slice_eq_nocase(e->key, key) : slice_eq(e->key, key)) return e;
    }
    return NULL;
}

const struct set_entry *set_find(const struct set_impl *s, struct slice ref)
{
    const struct set_entry *e = find_entry(s, ref, true);
    return e ? e : find_entry(s, ref, false);
}

static void table_put(struct set_impl *s, uint32_t entry)
{
    uint32_t mask = s->table_size - 1;
    const struct set_entry *e = &s->entries[entry];
    uint32_t at = (uint32_t)entry_hash(e->key, e->is_id) & mask;
    while (s->table[at]) at = (at + 1) & mask;
    s->table[at] = entry + 1;
}

static bool table_grow(struct set_impl *s)
{
    if (s->n_entries < s->table_size / 2) return true;
    uint32_t size = s->table_size ? s->table_size * 2 : 256;
    if (size == 0) return false;
    uint32_t *table = calloc(size, sizeof *table);
    if (!table) return false;
    free(s->table);
    s->table = table;
    s->table_size = size;
    for (uint32_t i = 0; i < s->n_entries; i++) table_put(s, i);
    return true;
}

static void put_entry(struct set_impl *s, struct slice key, bool is_id, enum set_kind kind,
                      uint32_t index, const struct sigma_doc *doc)
{
    if (key.len == 0) return;
    struct set_entry *e = find_entry(s, key, is_id);
    if (!e) {
        if (!GROW(s->entries, s->n_entries, &s->cap_entries) || !table_grow(s)) {
            s->error = ERR_NOMEM;
            return;
        }
        e = &s->entries[s->n_entries];
        *e = (struct set_entry){.key = key, .is_id = is_id};
        table_put(s, s->n_entries++);
    } else if (kind == SET_REFUSED) {
        return; /* what is loaded under this name stays known by it */
    }
    e->kind = kind;
    e->index = index;
    e->doc = doc;
}

static void put_names(struct set_impl *s, enum set_kind kind, uint32_t index,
                      const struct sigma_doc *doc)
{
    put_entry(s, doc->id, true, kind, index, doc);
    put_entry(s, doc->name, false, kind, index, doc);
}

static bool refuse_duplicate(struct set_impl *s, const struct sigma_doc *doc)
{
    const struct {
        struct slice key;
        bool is_id;
        const char *what;
    } part[] = {{doc->id, true, "id"}, {doc->name, false, "name"}};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        const struct set_entry *first = find_entry(s, part[i].key, part[i].is_id);
        if (!first || first->kind == SET_REFUSED) continue;
        char shown[HINT_SHOW_SIZE], file[2 * HINT_SHOW_SIZE];
        struct slice path = slice_of(first->doc->file);
        /* Of a long path the end tells more. */
        bool cut = path.len > HINT_SHOW_SIZE - 4;
        if (cut) path = slice_from(path, path.len - (HINT_SHOW_SIZE - 4));
        (void)snprintf(file, sizeof file, "%s%s", cut ? "..." : "", hint_show(shown, path));
        set_refuse_at(s, doc, doc->pos, false, ERR_INVALID, "the %s `%s` is taken by %s:%u",
                      part[i].what, hint_show(shown, part[i].key), file, first->doc->pos.line);
        return true;
    }
    return false;
}

/* --- Documents --------------------------------------------------------------------------- */

static void refused(void *ctx, const struct diag *diag, const struct sigma_doc *partial)
{
    struct set_impl *s = ctx;
    set_refuse(s, diag, partial, false);
    if (partial) put_names(s, SET_REFUSED, 0, partial);
}

int sigma_set_add_rule(struct sigma_set *set, struct sigma_rule *rule)
{
    if (!GROW(set->rules, set->n_rules, &set_impl(set)->cap_rules)) return ERR_NOMEM;
    rule->index = set->n_rules;
    set->rules[set->n_rules++] = rule;
    return 0;
}

static int add_rule(struct set_impl *s, const struct sigma_doc *doc, struct diag *diag)
{
    struct sigma_set *set = &s->set;
    struct sigma_rule *rule = arena_zalloc(&set->arena, 1, sizeof *rule);
    if (!rule) return ERR_NOMEM;
    int error = sigma_interpret(&set->arena, doc, s->opt ? s->opt->placeholders : NULL, rule, diag);
    if (error == 0) error = sigma_set_add_rule(set, rule);
    if (error) return error;
    put_names(s, SET_RULE, rule->index, doc);
    return 0;
}

int sigma_set_add_made(struct sigma_set *set, const struct sigma_doc *doc,
                       const struct sigma_expr *expr)
{
    struct set_impl *s = set_impl(set);
    struct sigma_rule *rule = arena_zalloc(&set->arena, 1, sizeof *rule);
    if (!rule) return ERR_NOMEM;
    if (refuse_duplicate(s, doc)) return s->error ? s->error : ERR_INVALID;
    *rule = (struct sigma_rule){.doc = doc, .logsource = doc->logsource, .expr = expr};
    int error = sigma_set_add_rule(set, rule);
    if (error) return error;
    put_names(s, SET_RULE, rule->index, doc);
    sha256_update(&s->sha, doc->id.len, (const uint8_t *)doc->id.ptr);
    sha256_update(&s->sha, doc->modified.len, (const uint8_t *)doc->modified.ptr);
    return s->error;
}

int sigma_set_refuse(struct sigma_set *set, const struct diag *diag)
{
    set_refuse(set_impl(set), diag, NULL, false);
    return set_impl(set)->error;
}

void sigma_set_holds_until(struct sigma_set *set, nsec until)
{
    if (set->ends == 0 || until < set->ends) set->ends = until;
}

int set_add_correlation(struct set_impl *s, struct sigma_corr_rule *corr)
{
    struct sigma_set *set = &s->set;
    if (!GROW(set->correlations, set->n_correlations, &s->cap_correlations)) return ERR_NOMEM;
    corr->index = set->n_correlations;
    set->correlations[set->n_correlations++] = corr;
    return 0;
}

static int add_correlation(struct set_impl *s, const struct sigma_doc *doc)
{
    struct sigma_set *set = &s->set;
    struct sigma_corr_rule *corr = arena_zalloc(&set->arena, 1, sizeof *corr);
    if (!corr) return ERR_NOMEM;
    corr->doc = doc;
    corr->corr = &doc->correlation;
    corr->refs = arena_zalloc(&set->arena, doc->correlation.n_rules, sizeof *corr->refs);
    if (!corr->refs || set_add_correlation(s, corr) != 0) return ERR_NOMEM;
    put_names(s, SET_CORRELATION, corr->index, doc);
    return 0;
}

static int add_filter(struct set_impl *s, const struct sigma_doc *doc, struct diag *diag)
{
    if (!GROW(s->read_filters, s->n_filters, &s->cap_filters)) return ERR_NOMEM;
    struct set_filter *f = &s->read_filters[s->n_filters];
    f->doc = doc;
    int error = sigma_interpret_detection(&s->set.arena, doc, s->opt ? s->opt->placeholders : NULL,
                                          &f->expr, diag);
    if (error) return error;
    put_names(s, SET_FILTER, s->n_filters++, doc);
    return 0;
}

static void loaded(void *ctx, struct sigma_doc *doc)
{
    struct set_impl *s = ctx;
    if (s->error || refuse_duplicate(s, doc)) return;
    struct diag diag = {.file = doc->file, .line = doc->pos.line, .column = doc->pos.column};
    int error = 0;
    if (s->unsupported)
        error = diag_set(&diag, ERR_UNSUPPORTED, doc->file, doc->pos.line, doc->pos.column,
                         "the file lies in a folder called `unsupported`; move it out to load it");
    else if (doc->kind == SIGMA_CORRELATION) error = add_correlation(s, doc);
    else if (doc->kind == SIGMA_FILTER) error = add_filter(s, doc, &diag);
    else error = add_rule(s, doc, &diag);
    if (error == ERR_NOMEM) s->error = ERR_NOMEM;
    else if (error) refused(s, &diag, doc);
}

int set_read_text(struct set_impl *s, const char *file, struct slice text,
                  const struct sigma_set_options *opt, bool unsupported)
{
    s->set.n_files++;
    uint8_t len[8];
    for (unsigned i = 0; i < sizeof len; i++) len[i] = (uint8_t)((uint64_t)text.len >> (8 * i));
    sha256_update(&s->sha, sizeof len, len);
    sha256_update(&s->sha, text.len, (const uint8_t *)text.ptr);
    if (s->set.arena.held > SET_FULL) {
        struct diag diag;
        (void)diag_set(&diag, ERR_LIMIT, file, 0, 0, "the rule set is full (%d MiB)",
                       SET_FULL / 1024 / 1024);
        set_refuse(s, &diag, NULL, false);
        return s->error;
    }
    s->opt = opt;
    if (opt && opt->now > s->now) s->now = opt->now;
    s->unsupported = unsupported;
    const struct sigma_read_out out = {s, loaded, refused};
    int error = sigma_read(&s->set.arena, file, text, &out);
    s->opt = NULL;
    return s->error ? s->error : error;
}

int sigma_set_add_text(struct sigma_set *set, const char *name, struct slice text,
                       const struct sigma_set_options *opt)
{
    struct slice file = arena_dup(&set->arena, slice_of(name));
    if (!file.ptr) return ERR_NOMEM;
    return set_read_text(set_impl(set), file.ptr, text, opt, false);
}
