/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/catalog.h"

#include <nettle/sha2.h>
#include <stdlib.h>

/* ---- digests ----------------------------------------------------------------------------- */

static void put_number(struct sha256_ctx *sha, uint64_t n)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(n >> (8 * i));
    sha256_update(sha, sizeof bytes, bytes);
}

static void put_text(struct sha256_ctx *sha, struct slice s)
{
    put_number(sha, s.len);
    if (s.len) sha256_update(sha, s.len, (const uint8_t *)s.ptr);
}

static void put_texts(struct sha256_ctx *sha, const struct slice *items, uint32_t n)
{
    put_number(sha, n);
    for (uint32_t i = 0; i < n; i++) put_text(sha, items[i]);
}

static void put_values(struct sha256_ctx *sha, const struct sigma_value *items, uint32_t n)
{
    put_number(sha, n);
    for (uint32_t i = 0; i < n; i++) {
        put_number(sha, (uint64_t)items[i].type);
        put_text(sha, items[i].text);
    }
}

static void put_real(struct sha256_ctx *sha, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_number(sha, bits);
}

static void put_condition(struct sha256_ctx *sha, const struct sigma_cond *cond)
{
    put_number(sha, cond ? 1 + (uint64_t)cond->kind : 0);
    if (!cond) return;
    put_number(sha, cond->kind == COND_SEARCH ? cond->search : cond->n_children);
    for (uint32_t i = 0; i < cond->n_children; i++) put_condition(sha, cond->child[i]);
}

static void put_detection(struct sha256_ctx *sha, const struct sigma_detection *d)
{
    put_number(sha, d->n_searches);
    for (uint32_t i = 0; i < d->n_searches; i++) {
        const struct sigma_search *search = &d->searches[i];
        put_text(sha, search->name);
        put_number(sha, search->n_maps);
        for (uint32_t k = 0; k < search->n_maps; k++) {
            put_number(sha, search->maps[k].n_items);
            for (uint32_t m = 0; m < search->maps[k].n_items; m++) {
                const struct sigma_item *item = &search->maps[k].items[m];
                put_text(sha, item->field);
                put_texts(sha, item->modifiers, item->n_modifiers);
                put_values(sha, item->values, item->n_values);
                put_number(sha, item->is_list);
            }
        }
    }
    put_condition(sha, d->condition);
}

static void put_correlation(struct sha256_ctx *sha, const struct sigma_correlation *c)
{
    put_number(sha, (uint64_t)c->type);
    put_values(sha, c->rules, c->n_rules);
    put_texts(sha, c->group_by, c->n_group_by);
    put_number(sha, c->n_aliases);
    for (uint32_t i = 0; i < c->n_aliases; i++) {
        put_text(sha, c->aliases[i].name);
        put_number(sha, c->aliases[i].n_sources);
        for (uint32_t k = 0; k < c->aliases[i].n_sources; k++) {
            put_text(sha, c->aliases[i].sources[k].rule);
            put_text(sha, c->aliases[i].sources[k].field);
        }
    }
    put_number(sha, (uint64_t)c->timespan);
    put_number(sha, c->n_bounds);
    for (uint32_t i = 0; i < c->n_bounds; i++) {
        put_number(sha, (uint64_t)c->bound[i].cmp);
        put_real(sha, c->bound[i].value);
    }
    put_texts(sha, c->fields, c->n_fields);
    put_real(sha, c->percentile);
    put_condition(sha, c->condition);
    put_number(sha, c->generate);
}

static void digest_logic(const struct sigma_doc *doc, uint8_t ret[CATALOG_DIGEST])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    put_number(&sha, (uint64_t)doc->kind);
    put_text(&sha, doc->logsource.product);
    put_text(&sha, doc->logsource.category);
    put_text(&sha, doc->logsource.service);
    if (doc->kind == SIGMA_CORRELATION) put_correlation(&sha, &doc->correlation);
    else put_detection(&sha, &doc->detection);
    if (doc->kind == SIGMA_FILTER) {
        put_values(&sha, doc->filter.rules, doc->filter.n_rules);
        put_number(&sha, doc->filter.any);
    }
    sha256_digest(&sha, CATALOG_DIGEST, ret);
}

static void digest_all(struct catalog *c, const struct profile *profile)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    put_text(&sha, profile ? profile->text : c->pack->profile);
    for (uint32_t i = 0; i < c->pack->n; i++) {
        put_number(&sha, c->on[i]);
        put_text(&sha, c->pack->files[i].path);
        put_text(&sha, c->pack->files[i].text);
    }
    sha256_digest(&sha, CATALOG_DIGEST, c->digest);
}

/* ---- what is on -------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct catalog_rule *x = a, *y = b;
    int order = slice_cmp(x->key, y->key);
    return order ? order : x->file < y->file ? -1 : x->file > y->file;
}

/* The file whose path that is: files are sorted. */
static uint32_t file_of(const struct pack *pack, const char *path)
{
    uint32_t low = 0, high = pack->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slice_cmp(pack->files[middle].path, slice_of(path)) < 0) low = middle + 1;
        else high = middle;
    }
    ASSERT(low < pack->n);
    return low;
}

bool catalog_takes(const struct profile *profile, const struct sigma_doc *doc)
{
    struct slice path = slice_of(doc->file);
    bool away = slice_starts_with(path, SLICE("deprecated/")) ||
                slice_starts_with(path, SLICE("unsupported/"));
    return away ? profile_names(profile, doc) : profile_takes(profile, doc);
}

static void add(struct catalog *c, const struct sigma_doc *doc, const struct sigma_rule *rule,
                const struct profile *profile)
{
    struct catalog_rule *r = &c->rules[c->n++];
    *r = (struct catalog_rule){.doc = doc,
                               .rule = rule,
                               .key = doc->id.len ? doc->id : doc->title,
                               .file = file_of(c->pack, doc->file)};
    digest_logic(doc, r->logic);
    if (profile && catalog_takes(profile, doc)) c->on[r->file] = true;
    struct slice date = doc->modified.len ? doc->modified : doc->date;
    if (date.len == strlen("2026-08-05") && slice_cmp(date, c->newest) > 0) c->newest = date;
}

static bool refers_to(const struct sigma_correlation *corr, const struct sigma_doc *doc)
{
    for (uint32_t i = 0; i < corr->n_rules; i++)
        if (slice_eq_nocase(corr->rules[i].text, doc->id) ||
            slice_eq(corr->rules[i].text, doc->name))
            return true;
    return false;
}

/* Correlations that are on need what they refer to, which may be correlations. */
static void follow_correlations(struct catalog *c)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < c->n; i++) {
            const struct catalog_rule *corr = &c->rules[i];
            if (corr->doc->kind != SIGMA_CORRELATION || !c->on[corr->file]) continue;
            for (uint32_t k = 0; k < c->n; k++) {
                if (c->on[c->rules[k].file] || !refers_to(&corr->doc->correlation, c->rules[k].doc))
                    continue;
                c->on[c->rules[k].file] = true;
                changed = true;
            }
        }
    }
}

static int add_all(struct catalog *c, const struct profile *profile)
{
    const struct sigma_set *set = c->set;
    size_t n = (size_t)set->n_rules + set->n_correlations + set->n_filters;
    c->rules = calloc(n + 1, sizeof *c->rules);
    if (!c->rules) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_rules; i++) add(c, set->rules[i]->doc, set->rules[i], profile);
    for (uint32_t i = 0; i < set->n_correlations; i++)
        add(c, set->correlations[i]->doc, NULL, profile);
    for (uint32_t i = 0; i < set->n_filters; i++) add(c, set->filters[i].doc, NULL, profile);
    follow_correlations(c);
    for (uint32_t i = 0; i < c->n; i++) c->rules[i].on = c->on[c->rules[i].file];
    if (c->n) qsort(c->rules, c->n, sizeof *c->rules, by_key);
    return 0;
}

static int read_all(struct catalog *c, const struct placeholders *placeholders)
{
    const struct sigma_set_options options = {.placeholders = placeholders};
    int error = 0;
    for (uint32_t i = 0; i < c->pack->n && error == 0; i++) {
        const struct pack_file *file = &c->pack->files[i];
        if (pack_is_rule(file->path))
            error = sigma_set_add_text(c->set, file->path.ptr, file->text, &options);
    }
    return error ? error : sigma_set_finish(c->set);
}

int catalog_make(struct catalog *c, const struct pack *pack, const struct profile *profile,
                 const struct placeholders *placeholders)
{
    *c = (struct catalog){.pack = pack, .set = sigma_set_new()};
    c->on = calloc(pack->n + 1u, sizeof *c->on);
    int error = c->set && c->on ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < pack->n && error == 0 && !profile; i++) c->on[i] = pack->files[i].on;
    if (error == 0) error = read_all(c, placeholders);
    if (error == 0) error = add_all(c, profile);
    if (error == 0) digest_all(c, profile);
    else catalog_done(c);
    return error;
}

void catalog_done(struct catalog *c)
{
    sigma_set_free(c->set);
    free(c->rules);
    free(c->on);
    *c = (struct catalog){0};
}

const struct catalog_rule *catalog_find(const struct catalog *c, struct slice key)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (slice_eq_nocase(c->rules[i].key, key)) return &c->rules[i];
    return NULL;
}

uint32_t catalog_count_on(const struct catalog *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++) n += c->rules[i].on;
    return n;
}

uint32_t catalog_count_taken(const struct catalog *c, const struct profile *profile)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++) n += catalog_takes(profile, c->rules[i].doc);
    return n;
}
