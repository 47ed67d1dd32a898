/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/taxonomy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/taxonomy_model.h"

enum {
    ARENA_MAX = 32 * 1024 * 1024,
    STRIP_ROUNDS = 4, /* prefixes inside prefixes: _source.winlog.event_data. */
};

uint64_t taxonomy_hash(const struct taxonomy *t)
{
    return t->hash;
}

struct taxonomy *taxonomy_new(void)
{
    struct taxonomy *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    arena_init(&t->arena, ARENA_MAX);
    for (const struct embedded *f = taxonomy_files; f->name; f++) {
        struct diag diag = {0};
        int error = taxonomy_add(t, f->name, f->text, &diag);
        if (error == ERR_NOMEM) {
            taxonomy_free(t);
            return NULL;
        }
        /* The built-in data is ours: a mistake in it is a bug. */
        if (error)
            (void)fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": %s\n", f->name, diag.line,
                          diag.column, diag.message);
        ASSERT(!error);
    }
    return t;
}

void taxonomy_free(struct taxonomy *t)
{
    if (!t) return;
#define FREE(list) free(t->list.at);
    TAXONOMY_LISTS(FREE)
#undef FREE
    free(t->slots.at);
    free(t->facts.at);
    arena_done(&t->arena);
    free(t);
}

uint32_t taxonomy_sources(const struct taxonomy *t, const struct taxonomy_label **ret)
{
    *ret = t->labels.at;
    return t->labels.n;
}

/* ---- names of paths ---- */

static const struct taxonomy_rename *rename_of(const struct taxonomy *t, struct slice path)
{
    for (uint32_t i = 0; i < t->renames.n; i++)
        if (slice_eq(t->renames.at[i].path, path)) return &t->renames.at[i];
    return NULL;
}

/* Length of the prefix in path, its `*.` standing for one part of any name; 0: does not fit. */
static size_t prefix_length(struct slice prefix, struct slice path)
{
    size_t at = 0;
    for (size_t i = 0; i < prefix.len; i++) {
        if (prefix.ptr[i] != '*') {
            if (at == path.len || path.ptr[at] != prefix.ptr[i]) return 0;
            at++;
            continue;
        }
        size_t dot = slice_find_byte(slice_from(path, at), '.');
        if (dot == SIZE_MAX || dot == 0) return 0;
        at += dot;
    }
    return at < path.len ? at : 0;
}

struct slice taxonomy_stands_for(const struct taxonomy *t, struct slice name)
{
    for (uint32_t i = 0; i < t->stand_ins.n; i++)
        if (slice_eq(t->stand_ins.at[i].name, name)) return t->stand_ins.at[i].stands_for;
    return SLICE_NONE;
}

struct slice taxonomy_plain_name(const struct taxonomy *t, struct slice path)
{
    for (int round = 0; round < STRIP_ROUNDS; round++) {
        const struct taxonomy_rename *rename = rename_of(t, path);
        if (rename) return rename->name;
        size_t cut = 0;
        for (uint32_t i = 0; i < t->strip_end.n && !cut; i++) {
            struct slice end = t->strip_end.at[i];
            if (path.len > end.len && slice_ends_with(path, end)) cut = end.len;
        }
        path.len -= cut;
        rename = cut ? rename_of(t, path) : NULL;
        if (rename) return rename->name;
        size_t longest = 0;
        for (uint32_t i = 0; i < t->strip_start.n; i++) {
            size_t n = prefix_length(t->strip_start.at[i], path);
            if (n > longest) longest = n;
        }
        if (!longest && !cut) break;
        path = slice_from(path, longest);
    }
    return path;
}

/* ---- rules and routes ---- */

static bool is_given(const struct taxonomy_route *route, struct slice asked, size_t member)
{
    for (uint32_t i = 0; i < route->n_labels; i++) {
        const struct slice *said =
            (const struct slice *)(const void *)((const char *)&route->labels[i] + member);
        if (slice_eq(*said, asked)) return true;
    }
    return false;
}

bool taxonomy_applies(const struct taxonomy_route *route, const struct sigma_logsource *ls)
{
    if (ls->product.len && !route->open_product &&
        !is_given(route, ls->product, offsetof(struct taxonomy_label, product)))
        return false;
    if (ls->category.len && !route->open_category &&
        !is_given(route, ls->category, offsetof(struct taxonomy_label, category)))
        return false;
    return !ls->service.len || route->open_service ||
           is_given(route, ls->service, offsetof(struct taxonomy_label, service));
}

bool taxonomy_says(const struct taxonomy_route *route, const struct sigma_logsource *ls)
{
    struct taxonomy_route closed = *route;
    closed.open_product = closed.open_category = closed.open_service = false;
    return taxonomy_applies(&closed, ls);
}

/* How much of what the rule asks the label says; -1: it says something else. */
static int agreement(struct slice asked, struct slice said)
{
    if (!asked.len || !said.len) return 0;
    return slice_eq(asked, said) ? 1 : -1;
}

static int score(const struct taxonomy_label *label, const struct sigma_logsource *ls)
{
    int product = agreement(ls->product, label->product);
    int category = agreement(ls->category, label->category);
    int service = agreement(ls->service, label->service);
    return product < 0 || category < 0 || service < 0 ? -1 : product + category + service;
}

static bool map_counts(const struct taxonomy_label *label, const struct sigma_logsource *ls)
{
    return label->map &&
           ((label->category.len && ls->category.len) || (label->service.len && ls->service.len) ||
            (!label->category.len && !label->service.len));
}

struct names_out {
    struct slice *ret;
    uint32_t n, max;
};

static void add_name(struct names_out *out, struct slice name)
{
    for (uint32_t i = 0; i < out->n; i++)
        if (slice_eq(out->ret[i], name)) return;
    if (out->n < out->max) out->ret[out->n++] = name;
}

/* What stands for the names so far, and what they stand for. */
static void add_stand_ins(struct names_out *out, const struct taxonomy_route *route)
{
    const struct taxonomy *t = route->taxonomy;
    uint32_t n = out->n;
    for (uint32_t i = 0; t && i < t->stand_ins.n; i++) {
        const struct taxonomy_stand_in *s = &t->stand_ins.at[i];
        if (route->beside >> i & 1) continue;
        for (uint32_t j = 0; j < n; j++) {
            if (slice_eq(out->ret[j], s->stands_for)) add_name(out, s->name);
            else if (slice_eq(out->ret[j], s->name)) add_name(out, s->stands_for);
        }
    }
}

uint32_t taxonomy_fields(const struct taxonomy_route *route, const struct sigma_logsource *ls,
                         struct slice field, struct slice *ret, uint32_t max)
{
    struct names_out out = {ret, 0, max};
    int best = 0;
    for (uint32_t i = 0; i < route->n_labels; i++) {
        int s = score(&route->labels[i], ls);
        if (s > best) best = s;
    }
    bool plain = route->n_labels == 0;
    for (uint32_t i = 0; i < route->n_labels; i++) {
        const struct taxonomy_label *label = &route->labels[i];
        if (score(label, ls) != best) continue;
        const struct taxonomy_map_entry *found = NULL;
        for (uint32_t j = 0; map_counts(label, ls) && j < label->map->n_entries && !found; j++)
            if (slice_eq_nocase(label->map->entries[j].field, field))
                found = &label->map->entries[j];
        for (uint32_t j = 0; found && j < found->n_names; j++) add_name(&out, found->names[j]);
        plain |= !found;
    }
    if (plain || out.n == 0) {
        add_name(&out, field);
        if (route->taxonomy) add_name(&out, taxonomy_plain_name(route->taxonomy, field));
    }
    add_stand_ins(&out, route);
    return out.n;
}

/* ---- what a field says ---- */

struct slice taxonomy_entity_of(const struct taxonomy *t, struct slice field)
{
    for (uint32_t i = 0; i < t->entities.n; i++) {
        const struct taxonomy_entity *e = &t->entities.at[i];
        for (uint32_t k = 0; k < e->n_fields; k++)
            if (slice_eq(e->fields[k], field)) return e->name;
    }
    return SLICE_NONE;
}

bool taxonomy_names_host(const struct taxonomy *t, struct slice field)
{
    for (uint32_t i = 0; i < t->hosts.n; i++)
        if (slice_eq(t->hosts.at[i], field)) return true;
    return false;
}
