/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reading the taxonomy's data files. The format is described in taxonomy/README.md.
 *
 * A file is read whole or not at all: everything it adds goes to the ends of the lists, and only
 * when the last line was good do its entries move to the front, before those of earlier files.
 */
#include "detect/taxonomy.h"

#include <inttypes.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/taxonomy_model.h"

enum { LIST_MAX = 65536 };

struct reader {
    struct taxonomy *t;
    const char *file;
    struct diag *diag;
    uint32_t owner; /* of the file's sources */
};

/* What an entry says, with what the entries around it say. */
struct entry {
    struct taxonomy_label label;
    struct taxonomy_source source;
};

/* ---- places and messages ---- */

/* The first scalar inside a node stands for its place: libfyaml keeps no mark for the others. */
static const struct fy_mark *mark_of(struct fy_node *node)
{
    for (int depth = 0; node && depth < 32; depth++) {
        void *iter = NULL;
        if (fy_node_is_scalar(node)) {
            struct fy_token *token = fy_node_get_scalar_token(node);
            return token ? fy_token_start_mark(token) : NULL;
        }
        if (fy_node_is_sequence(node)) {
            node = fy_node_sequence_iterate(node, &iter);
        } else {
            struct fy_node_pair *pair = fy_node_mapping_iterate(node, &iter);
            node = pair ? fy_node_pair_key(pair) : NULL;
        }
    }
    return NULL;
}

/* From 1; 0: not known. */
static void get_place(struct fy_node *node, uint32_t *ret_line, uint32_t *ret_column)
{
    const struct fy_mark *mark = mark_of(node);
    *ret_line = mark && mark->line >= 0 ? (uint32_t)mark->line + 1 : 0;
    *ret_column = mark && mark->column >= 0 ? (uint32_t)mark->column + 1 : 0;
}

static int fail(struct reader *r, struct fy_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct reader *r, struct fy_node *node, const char *fmt, ...)
{
    char text[200];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    uint32_t line, column;
    get_place(node, &line, &column);
    return diag_set(r->diag, ERR_INVALID, r->file, line, column, "%s", text);
}

static int no_memory(struct reader *r)
{
    return diag_set(r->diag, ERR_NOMEM, r->file, 0, 0, "%s", error_text(ERR_NOMEM));
}

/* ---- lists ---- */

static bool list_grow(void **at, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap) return true;
    if (n >= LIST_MAX) return false;
    uint32_t want = *cap ? *cap * 2 : 64;
    void *grown = realloc(*at, want * size);
    if (!grown) return false;
    *at = grown;
    *cap = want;
    return true;
}

#define LIST_ADD(list, ...)                                                                        \
    (list_grow((void **)&(list)->at, (list)->n, &(list)->cap, sizeof *(list)->at)                  \
         ? ((list)->at[(list)->n++] = (__VA_ARGS__), true)                                         \
         : false)

static void reverse(char *at, uint32_t from, uint32_t to, size_t size)
{
    char swap[sizeof(struct taxonomy_label) + sizeof(struct taxonomy_source)];
    ASSERT(size <= sizeof swap);
    while (from + 1 < to) {
        char *a = at + from++ * size, *b = at + --to * size;
        memcpy(swap, a, size);
        memcpy(a, b, size);
        memcpy(b, swap, size);
    }
}

/* Moves the elements from `old` on before those below it. */
static void list_rotate(void *at, uint32_t old, uint32_t n, size_t size)
{
    if (!at || old == 0 || old == n) return;
    reverse(at, 0, old, size);
    reverse(at, old, n, size);
    reverse(at, 0, n, size);
    /* The three reversals give the new part first: (A'B')' is BA. */
}

/* ---- scalars ---- */

static int scalar(struct reader *r, struct fy_node *node, const char *what, struct slice *ret)
{
    if (!node || !fy_node_is_scalar(node) || fy_node_is_alias(node))
        return fail(r, node, "%s must be plain text", what);
    size_t len = 0;
    const char *ptr = fy_node_get_scalar(node, &len);
    struct slice text = slice_trim(slice_make(ptr, ptr ? len : 0));
    if (text.len == 0) return fail(r, node, "%s is empty", what);
    if (text.len > TAXONOMY_NAME_MAX)
        return fail(r, node, "%s is longer than %d bytes", what, TAXONOMY_NAME_MAX);
    *ret = arena_dup(&r->t->arena, text);
    return ret->ptr ? 0 : no_memory(r);
}

static int scalar_lower(struct reader *r, struct fy_node *node, const char *what, struct slice *ret)
{
    struct slice text = SLICE_NONE;
    int error = scalar(r, node, what, &text);
    if (error) return error;
    char *p = arena_alloc(&r->t->arena, text.len);
    if (!p) return no_memory(r);
    for (size_t i = 0; i < text.len; i++) p[i] = taxonomy_lower(text.ptr[i]);
    *ret = slice_make(p, text.len);
    return 0;
}

/* Calls `each` for a scalar, or for every element of a sequence. */
typedef int (*each_fn)(struct reader *r, struct fy_node *node, void *ctx);

static int each_of(struct reader *r, struct fy_node *node, each_fn each, void *ctx)
{
    if (!node) return 0;
    if (!fy_node_is_sequence(node)) return each(r, node, ctx);
    void *iter = NULL;
    struct fy_node *item;
    int error = 0;
    while (!error && (item = fy_node_sequence_iterate(node, &iter))) error = each(r, item, ctx);
    return error;
}

/* ---- fields and facts that are asked for ---- */

static int slot_of(struct reader *r, struct fy_node *node, struct slice name, uint32_t *ret)
{
    struct taxonomy *t = r->t;
    for (uint32_t i = 0; i < t->slots.n; i++) {
        if (!slice_eq(t->slots.at[i], name)) continue;
        *ret = i;
        return 0;
    }
    if (t->slots.n == TAXONOMY_SLOTS_MAX)
        return fail(r, node, "conditions ask for more than %d fields", TAXONOMY_SLOTS_MAX);
    *ret = t->slots.n;
    return LIST_ADD(&t->slots, name) ? 0 : no_memory(r);
}

static int fact_of(struct reader *r, struct fy_node *node, const struct taxonomy_fact *fact,
                   uint32_t *ret)
{
    struct taxonomy *t = r->t;
    for (uint32_t i = 0; i < t->facts.n; i++) {
        const struct taxonomy_fact *f = &t->facts.at[i];
        if (f->kind != fact->kind || f->slot != fact->slot || !slice_eq(f->text, fact->text))
            continue;
        *ret = i;
        return 0;
    }
    if (t->facts.n == TAXONOMY_FACTS_MAX)
        return fail(r, node, "more than %d different conditions", TAXONOMY_FACTS_MAX);
    *ret = t->facts.n;
    return LIST_ADD(&t->facts, *fact) ? 0 : no_memory(r);
}

/* ---- names ---- */

/* The value, or what it stands for when it is an alias. */
static struct fy_node *value_of(struct fy_node_pair *pair)
{
    struct fy_node *value = fy_node_pair_value(pair);
    return value && fy_node_is_alias(value) ? fy_node_resolve_alias(value) : value;
}

struct texts {
    struct slice **at;
    uint32_t *n, *cap;
    const char *what;
};

static int add_text(struct reader *r, struct fy_node *node, void *ctx)
{
    struct texts *list = ctx;
    struct slice text = SLICE_NONE;
    int error = scalar(r, node, list->what, &text);
    if (error) return error;
    if (!list_grow((void **)list->at, *list->n, list->cap, sizeof **list->at)) return no_memory(r);
    (*list->at)[(*list->n)++] = text;
    return 0;
}

#define TEXTS(list, name) (&(struct texts){&(list)->at, &(list)->n, &(list)->cap, name})

static int read_renames(struct reader *r, struct fy_node *node)
{
    if (!fy_node_is_mapping(node)) return fail(r, node, "rename must be a map from path to name");
    void *iter = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(node, &iter))) {
        struct taxonomy_rename rename;
        int error = scalar(r, fy_node_pair_key(pair), "a path", &rename.path);
        if (!error) error = scalar(r, fy_node_pair_value(pair), "a name", &rename.name);
        if (error) return error;
        if (!LIST_ADD(&r->t->renames, rename)) return no_memory(r);
    }
    return 0;
}

static int read_stand_in(struct reader *r, struct fy_node_pair *pair)
{
    struct fy_node *key = fy_node_pair_key(pair);
    struct taxonomy_stand_in s;
    int error = scalar(r, key, "a name", &s.name);
    if (!error) error = scalar(r, fy_node_pair_value(pair), "a name", &s.stands_for);
    if (!error) error = slot_of(r, key, s.name, &s.slot);
    if (!error) error = slot_of(r, key, s.stands_for, &s.target);
    if (error) return error;
    if (r->t->stand_ins.n == TAXONOMY_STAND_INS_MAX)
        return fail(r, key, "more than %d stand-ins", TAXONOMY_STAND_INS_MAX);
    error =
        fact_of(r, key, &(struct taxonomy_fact){.kind = FACT_EXISTS, .slot = s.target}, &s.exists);
    if (!error)
        error = fact_of(r, key, &(struct taxonomy_fact){.kind = FACT_BESIDE, .slot = s.slot},
                        &s.beside);
    if (error) return error;
    return LIST_ADD(&r->t->stand_ins, s) ? 0 : no_memory(r);
}

static int read_stand_ins(struct reader *r, struct fy_node *node)
{
    if (!fy_node_is_mapping(node)) return fail(r, node, "stand_in must be a map from name to name");
    void *iter = NULL;
    struct fy_node_pair *pair;
    int error = 0;
    while (!error && (pair = fy_node_mapping_iterate(node, &iter))) error = read_stand_in(r, pair);
    return error;
}

static bool key_is(struct fy_node_pair *pair, const char *name)
{
    size_t len = 0;
    const char *ptr = fy_node_get_scalar(fy_node_pair_key(pair), &len);
    return ptr && slice_eq(slice_make(ptr, len), slice_of(name));
}

static int unknown_key(struct reader *r, struct fy_node_pair *pair, const char *where)
{
    size_t len = 0;
    const char *ptr = fy_node_get_scalar(fy_node_pair_key(pair), &len);
    char shown[40];
    size_t n = 0;
    for (; ptr && n < len && n + 1 < sizeof shown; n++)
        shown[n] = ptr[n] >= ' ' && ptr[n] < 0x7f ? ptr[n] : '?';
    shown[n] = '\0';
    return fail(r, fy_node_pair_key(pair), "unknown key \"%s\" in %s", shown, where);
}

static int read_names(struct reader *r, struct fy_node *node)
{
    if (!fy_node_is_mapping(node)) return fail(r, node, "names must be a map");
    struct taxonomy *t = r->t;
    void *iter = NULL;
    struct fy_node_pair *pair;
    int error = 0;
    while (!error && (pair = fy_node_mapping_iterate(node, &iter))) {
        struct fy_node *value = fy_node_pair_value(pair);
        if (key_is(pair, "strip_start"))
            error = each_of(r, value, add_text, TEXTS(&t->strip_start, "a prefix"));
        else if (key_is(pair, "strip_end"))
            error = each_of(r, value, add_text, TEXTS(&t->strip_end, "an ending"));
        else if (key_is(pair, "rename")) error = read_renames(r, value);
        else if (key_is(pair, "stand_in")) error = read_stand_ins(r, value);
        else error = unknown_key(r, pair, "names");
    }
    return error;
}

/* ---- conditions ---- */

struct cond_builder {
    uint32_t slot;
    TAXONOMY_LIST(uint32_t) facts;
};

static int add_fact(struct reader *r, struct fy_node *node, void *ctx)
{
    struct cond_builder *b = ctx;
    struct taxonomy_fact fact = {.kind = FACT_EQUALS, .slot = b->slot};
    int error = scalar_lower(r, node, "a value", &fact.text);
    if (error) return error;
    size_t star = slice_find_byte(fact.text, '*');
    if (star != SIZE_MAX) {
        if (star == 0 || star + 1 != fact.text.len)
            return fail(r, node, "* stands only at the end of a value; {exists: true} means any");
        fact.kind = FACT_PREFIX;
        fact.text.len--;
    }
    uint32_t id;
    error = fact_of(r, node, &fact, &id);
    if (error) return error;
    return LIST_ADD(&b->facts, id) ? 0 : no_memory(r);
}

/* Patterns of conditions keep nothing: a name in one would promise a field. */
static int refuse_name(void *ctx, struct slice name)
{
    (void)ctx;
    (void)name;
    return ERR_INVALID;
}

static int add_pattern(struct reader *r, struct fy_node *node, void *ctx)
{
    struct cond_builder *b = ctx;
    struct taxonomy_fact fact = {.kind = FACT_LIKE, .slot = b->slot};
    int error = scalar(r, node, "a pattern", &fact.text);
    if (error) return error;
    struct shape_set *set = shape_set_new(&r->t->arena);
    const char *why;
    size_t at;
    if (!set) return no_memory(r);
    error = shape_add(set, fact.text, 0, refuse_name, NULL, &why, &at);
    if (error == ERR_NOMEM) return no_memory(r);
    if (error) return fail(r, node, "%s", why);
    fact.shape = set;
    uint32_t id;
    error = fact_of(r, node, &fact, &id);
    if (error) return error;
    return LIST_ADD(&b->facts, id) ? 0 : no_memory(r);
}

/* {exists: true}, {exists: false}, {not: values}, {like: patterns} */
static int read_special(struct reader *r, struct fy_node *node, struct cond_builder *b,
                        bool *absent)
{
    void *iter = NULL;
    struct fy_node_pair *pair = fy_node_mapping_iterate(node, &iter);
    bool is_not = pair && key_is(pair, "not"), is_like = pair && key_is(pair, "like");
    if (!pair || fy_node_mapping_item_count(node) != 1 ||
        (!is_not && !is_like && !key_is(pair, "exists")))
        return fail(r, node,
                    "a condition is a value, a list, {exists: ...}, {not: ...} or {like: ...}");
    if (is_like) return each_of(r, value_of(pair), add_pattern, b);
    if (is_not) {
        *absent = true;
        return each_of(r, value_of(pair), add_fact, b);
    }
    struct slice text = SLICE_NONE;
    int error = scalar(r, value_of(pair), "exists", &text);
    if (error) return error;
    if (!slice_eq(text, SLICE("true")) && !slice_eq(text, SLICE("false")))
        return fail(r, fy_node_pair_value(pair), "exists must be true or false");
    *absent = slice_eq(text, SLICE("false"));
    uint32_t id;
    error = fact_of(r, node, &(struct taxonomy_fact){.kind = FACT_EXISTS, .slot = b->slot}, &id);
    if (error) return error;
    return LIST_ADD(&b->facts, id) ? 0 : no_memory(r);
}

static int read_cond(struct reader *r, struct fy_node_pair *pair, struct taxonomy_cond *ret)
{
    struct cond_builder b = {0};
    struct slice name;
    struct fy_node *key = fy_node_pair_key(pair), *value = value_of(pair);
    *ret = (struct taxonomy_cond){0};
    int error = scalar(r, key, "a field name", &name);
    if (!error) error = slot_of(r, key, name, &b.slot);
    if (!error && value && fy_node_is_mapping(value))
        error = read_special(r, value, &b, &ret->absent);
    else if (!error && value) error = each_of(r, value, add_fact, &b);
    if (!error && b.facts.n == 0) error = fail(r, key, "a condition needs a value");
    if (!error) {
        uint32_t *facts = arena_zalloc(&r->t->arena, b.facts.n, sizeof *facts);
        if (facts) memcpy(facts, b.facts.at, b.facts.n * sizeof *facts);
        ret->facts = facts;
        ret->n_facts = b.facts.n;
        if (!facts) error = no_memory(r);
    }
    free(b.facts.at);
    return error;
}

struct when_builder {
    const struct taxonomy_source *outer;
    struct taxonomy_when *whens;
    uint32_t n_whens;
};

/* One alternative, joined to each alternative of the source around it. */
static int add_when(struct reader *r, struct fy_node *node, void *ctx)
{
    struct when_builder *b = ctx;
    if (!fy_node_is_mapping(node))
        return fail(r, node, "when is a map of conditions or a list of such");
    int count = fy_node_mapping_item_count(node);
    if (count <= 0) return fail(r, node, "when has no condition");
    uint32_t n_own = (uint32_t)count, n_outer = b->outer->n_whens ? b->outer->n_whens : 1;
    struct taxonomy_cond *own = arena_zalloc(&r->t->arena, n_own, sizeof *own);
    if (!own) return no_memory(r);
    void *iter = NULL;
    struct fy_node_pair *pair;
    for (uint32_t i = 0; i < n_own && (pair = fy_node_mapping_iterate(node, &iter)); i++) {
        int error = read_cond(r, pair, &own[i]);
        if (error) return error;
    }
    for (uint32_t o = 0; o < n_outer; o++) {
        if (b->n_whens == TAXONOMY_WHEN_MAX)
            return fail(r, node, "more than %d alternatives", TAXONOMY_WHEN_MAX);
        const struct taxonomy_when *outer = b->outer->n_whens ? &b->outer->whens[o] : NULL;
        uint32_t n = outer ? outer->n_conds : 0;
        struct taxonomy_cond *all = arena_zalloc(&r->t->arena, n + n_own, sizeof *all);
        if (!all) return no_memory(r);
        if (n) memcpy(all, outer->conds, n * sizeof *all);
        memcpy(all + n, own, n_own * sizeof *all);
        b->whens[b->n_whens] = (struct taxonomy_when){.conds = all, .n_conds = n + n_own};
        get_place(node, &b->whens[b->n_whens].line, &b->whens[b->n_whens].column);
        b->n_whens++;
    }
    return 0;
}

static int read_when(struct reader *r, struct fy_node *node, const struct taxonomy_source *outer,
                     struct taxonomy_source *ret)
{
    struct when_builder b = {.outer = outer};
    b.whens = arena_zalloc(&r->t->arena, TAXONOMY_WHEN_MAX, sizeof *b.whens);
    if (!b.whens) return no_memory(r);
    int error = each_of(r, node, add_when, &b);
    if (error) return error;
    ret->whens = b.whens;
    ret->n_whens = b.n_whens;
    return 0;
}

/* ---- sources ---- */

static int add_map_name(struct reader *r, struct fy_node *node, void *ctx)
{
    struct taxonomy_map_entry *entry = ctx;
    if (entry->n_names == TAXONOMY_FIELDS_MAX)
        return fail(r, node, "more than %d fields for one", TAXONOMY_FIELDS_MAX);
    int error = scalar(r, node, "a field name", &entry->names[entry->n_names]);
    if (!error) entry->n_names++;
    return error;
}

static int read_fields(struct reader *r, struct fy_node *node, const struct taxonomy_map **ret)
{
    if (!fy_node_is_mapping(node))
        return fail(r, node, "fields must be a map from a rule's field to the event's");
    int count = fy_node_mapping_item_count(node);
    uint32_t n = count > 0 ? (uint32_t)count : 0;
    struct taxonomy_map *map = arena_zalloc(&r->t->arena, 1, sizeof *map);
    struct taxonomy_map_entry *entries = arena_zalloc(&r->t->arena, n + 1, sizeof *entries);
    if (!map || !entries) return no_memory(r);
    void *iter = NULL;
    struct fy_node_pair *pair;
    for (uint32_t i = 0; i < n && (pair = fy_node_mapping_iterate(node, &iter)); i++) {
        struct fy_node *key = fy_node_pair_key(pair);
        int error = scalar(r, key, "a field name", &entries[i].field);
        if (!error) error = each_of(r, value_of(pair), add_map_name, &entries[i]);
        if (error) return error;
        if (entries[i].n_names == 0) return fail(r, key, "a field needs a name");
    }
    *map = (struct taxonomy_map){entries, n};
    *ret = map;
    return 0;
}

static int add_open(struct reader *r, struct fy_node *node, void *ctx)
{
    struct taxonomy_source *source = ctx;
    struct slice text = SLICE_NONE;
    int error = scalar(r, node, "open", &text);
    if (error) return error;
    if (slice_eq(text, SLICE("category"))) source->open_category = true;
    else if (slice_eq(text, SLICE("service"))) source->open_service = true;
    else return fail(r, node, "open takes category and service");
    return 0;
}

static int add_source(struct reader *r, struct fy_node *node, const struct entry *e)
{
    if (!e->label.product.len && !e->label.category.len && !e->label.service.len)
        return fail(r, node, "a source needs a product, category or service");
    if (e->source.n_whens == 0) return fail(r, node, "a source needs a condition (when)");
    if (r->t->sources.n >= TAXONOMY_SOURCES_MAX)
        return fail(r, node, "more than %d sources", TAXONOMY_SOURCES_MAX);
    if (!LIST_ADD(&r->t->sources, e->source)) return no_memory(r);
    return LIST_ADD(&r->t->labels, e->label) ? 0 : no_memory(r);
}

static int read_sources(struct reader *r, struct fy_node *node, const struct entry *outer,
                        int depth);

static int read_source(struct reader *r, struct fy_node *node, const struct entry *outer, int depth)
{
    if (!fy_node_is_mapping(node)) return fail(r, node, "a source must be a map");
    struct entry e = *outer;
    struct fy_node *inner = NULL;
    void *iter = NULL;
    struct fy_node_pair *pair;
    int error = 0;
    while (!error && (pair = fy_node_mapping_iterate(node, &iter))) {
        struct fy_node *value = value_of(pair);
        if (key_is(pair, "product")) error = scalar_lower(r, value, "product", &e.label.product);
        else if (key_is(pair, "category"))
            error = scalar_lower(r, value, "category", &e.label.category);
        else if (key_is(pair, "service"))
            error = scalar_lower(r, value, "service", &e.label.service);
        else if (key_is(pair, "when"))
            error = value ? read_when(r, value, &outer->source, &e.source)
                          : fail(r, fy_node_pair_key(pair), "when has no condition");
        else if (key_is(pair, "fields"))
            error = value ? read_fields(r, value, &e.label.map)
                          : fail(r, fy_node_pair_key(pair), "fields is empty");
        else if (key_is(pair, "open")) error = each_of(r, value, add_open, &e.source);
        else if (key_is(pair, "sources")) inner = value;
        else error = unknown_key(r, pair, "a source");
    }
    if (error) return error;
    if (inner) return read_sources(r, inner, &e, depth + 1);
    return add_source(r, node, &e);
}

static int read_sources(struct reader *r, struct fy_node *node, const struct entry *outer,
                        int depth)
{
    if (!fy_node_is_sequence(node)) return fail(r, node, "sources must be a list");
    if (depth > TAXONOMY_NEST_MAX)
        return fail(r, node, "sources stand inside sources more than %d deep", TAXONOMY_NEST_MAX);
    void *iter = NULL;
    struct fy_node *item;
    int error = 0;
    while (!error && (item = fy_node_sequence_iterate(node, &iter)))
        error = read_source(r, item, outer, depth);
    return error;
}
/* ---- when and where ---- */

static int add_time(struct reader *r, struct fy_node *node, void *ctx)
{
    struct slice text = SLICE_NONE;
    int error = scalar(r, node, "a field name", &text);
    if (error) return error;
    struct taxonomy_time time = {.first = text};
    if (slice_split(text, '+', &time.first, &time.second)) {
        time.first = slice_trim(time.first);
        time.second = slice_trim(time.second);
        if (!time.first.len || !time.second.len)
            return fail(r, node, "two fields are written date + time");
    }
    if (r->t->times.n == TAXONOMY_TIMES_MAX)
        return fail(r, node, "more than %d time fields", TAXONOMY_TIMES_MAX);
    return LIST_ADD(&r->t->times, time) ? 0 : no_memory(r);
}

static int add_entity(struct reader *r, struct fy_node_pair *pair)
{
    struct fy_node *key = fy_node_pair_key(pair), *value = value_of(pair);
    struct taxonomy_entity e = {0};
    if (r->t->entities.n == TAXONOMY_ENTITIES_MAX)
        return fail(r, key, "more than %d entities", TAXONOMY_ENTITIES_MAX);
    int error = scalar(r, key, "a name", &e.name);
    if (error) return error;
    TAXONOMY_LIST(struct slice) fields = {0};
    error = each_of(r, value, add_text, TEXTS(&fields, "a field name"));
    if (!error && fields.n == 0) error = fail(r, key, "an entity needs a field");
    if (!error) {
        struct slice *copy = arena_zalloc(&r->t->arena, fields.n, sizeof *copy);
        if (copy) memcpy(copy, fields.at, fields.n * sizeof *copy);
        e.fields = copy;
        e.n_fields = fields.n;
        error = copy && LIST_ADD(&r->t->entities, e) ? 0 : no_memory(r);
    }
    free(fields.at);
    return error;
}

static int read_entities(struct reader *r, struct fy_node *node)
{
    if (!fy_node_is_mapping(node))
        return fail(r, node, "entities must be a map from name to fields");
    void *iter = NULL;
    struct fy_node_pair *pair;
    int error = 0;
    while (!error && (pair = fy_node_mapping_iterate(node, &iter))) error = add_entity(r, pair);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->t->entities.n; i++) n += r->t->entities.at[i].n_fields;
    if (!error && n > TAXONOMY_ENTITY_FIELDS_MAX)
        error = fail(r, node, "entities have more than %d fields", TAXONOMY_ENTITY_FIELDS_MAX);
    return error;
}

static int read_root(struct reader *r, struct fy_node *root)
{
    if (!root || !fy_node_is_mapping(root))
        return fail(r, root,
                    "a taxonomy file is a map of names, sources, time, host, entities and about");
    struct taxonomy *t = r->t;
    void *iter = NULL;
    struct fy_node_pair *pair;
    int error = 0;
    while (!error && (pair = fy_node_mapping_iterate(root, &iter))) {
        struct fy_node *value = fy_node_pair_value(pair);
        if (!value) error = fail(r, fy_node_pair_key(pair), "nothing follows");
        else if (key_is(pair, "names")) error = read_names(r, value);
        else if (key_is(pair, "sources")) error = read_sources(r, value, &(struct entry){0}, 1);
        else if (key_is(pair, "time")) error = each_of(r, value, add_time, NULL);
        else if (key_is(pair, "host"))
            error = each_of(r, value, add_text, TEXTS(&t->hosts, "a field name"));
        else if (key_is(pair, "entities")) error = read_entities(r, value);
        else if (key_is(pair, "about"))
            error = each_of(r, value, add_text, TEXTS(&t->about, "an entity"));
        else error = unknown_key(r, pair, "a taxonomy file");
    }
    if (!error && t->hosts.n > TAXONOMY_TIMES_MAX)
        error = fail(r, root, "more than %d host fields", TAXONOMY_TIMES_MAX);
    return error;
}

static struct fy_node *node_of(struct fy_node *root, const char *name)
{
    void *iter = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(root, &iter)))
        if (key_is(pair, name)) return value_of(pair);
    return NULL;
}

/* The conditions alone are a source without a label; others stand inside of them. */
static int read_product(struct reader *r, struct fy_node *root)
{
    if (!root || !fy_node_is_mapping(root)) return fail(r, root, "a product file is a map");
    struct fy_node *recognise = node_of(root, "recognise"), *sources = node_of(root, "sources");
    struct entry e = {.source = {.owner = r->owner}};
    if (!recognise) return fail(r, root, "a product needs a condition (recognise)");
    int error = read_when(r, recognise, &(struct taxonomy_source){0}, &e.source);
    if (!error && sources) error = read_sources(r, sources, &e, 1);
    if (error) return error;
    if (r->t->sources.n >= TAXONOMY_SOURCES_MAX)
        return fail(r, root, "more than %d sources", TAXONOMY_SOURCES_MAX);
    if (!LIST_ADD(&r->t->sources, e.source)) return no_memory(r);
    return LIST_ADD(&r->t->labels, e.label) ? 0 : no_memory(r);
}

/* ---- files ---- */

static int syntax_error(struct reader *r, struct fy_diag *log)
{
    void *iter = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(log, &iter);
    if (!e) return diag_set(r->diag, ERR_SYNTAX, r->file, 0, 0, "not a YAML document");
    return diag_set(r->diag, ERR_SYNTAX, r->file, e->line > 0 ? (uint32_t)e->line : 0,
                    e->column > 0 ? (uint32_t)e->column : 0, "%s", e->msg ? e->msg : "");
}

/* Reads one file; on failure the taxonomy is as it was. */
static int add_file(struct taxonomy *t, const char *file, struct slice text, uint32_t owner,
                    struct diag *diag)
{
    struct reader r = {t, file, diag, owner};
    if (text.len > TAXONOMY_FILE_MAX)
        return diag_set(diag, ERR_LIMIT, file, 0, 0, "longer than %d bytes", TAXONOMY_FILE_MAX);
    struct fy_diag_cfg log_cfg;
    fy_diag_cfg_default(&log_cfg);
    log_cfg.fp = NULL;
    struct fy_diag *log = fy_diag_create(&log_cfg);
    if (!log) return no_memory(&r);
    fy_diag_set_collect_errors(log, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = log};
    struct fy_document *doc = fy_document_build_from_string(&cfg, text.ptr, text.len);
    struct taxonomy old = *t;
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    int error = !doc ? syntax_error(&r, log) : owner ? read_product(&r, root) : read_root(&r, root);
    if (error) {
#define RESTORE(list) t->list.n = old.list.n;
        TAXONOMY_LISTS(RESTORE)
#undef RESTORE
        t->slots.n = old.slots.n;
        t->facts.n = old.facts.n;
    } else {
        t->hash = hash_mix(t->hash, hash64_seed(text, owner));
#define ROTATE(list) list_rotate(t->list.at, old.list.n, t->list.n, sizeof *t->list.at);
        TAXONOMY_LISTS(ROTATE)
#undef ROTATE
    }
    if (doc) fy_document_destroy(doc);
    fy_diag_destroy(log);
    return error;
}

int taxonomy_add(struct taxonomy *t, const char *file, struct slice text, struct diag *diag)
{
    return add_file(t, file, text, 0, diag);
}

int taxonomy_add_product(struct taxonomy *t, const char *file, struct slice text, uint32_t owner,
                         struct diag *diag)
{
    ASSERT(owner > 0);
    return add_file(t, file, text, owner, diag);
}
