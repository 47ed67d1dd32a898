/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/catalogue.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "indicator/rules.h"
#include "library/library.h"
#include "retro/book.h"
#include "ruleset/coverage.h"
#include "wording/wording.h"

enum {
    TEXTS_MAX = 256 * 1024 * 1024,
    ABOUT_MAX = 64 * 1024,
    ARENA_MAX = 64 * 1024 * 1024,
};

struct catalogue_rule {
    struct slice id, file;
    struct sigma_digest digest;
    size_t at, len; /* in text */
};

/* ---- settings ---------------------------------------------------------------------------- */

static void put_setting(struct buf *out, const struct config *config, unsigned key)
{
    const struct setting *s = &config_settings[key];
    const struct config_origin *origin = &config->origin[key];
    struct buf range;
    buf_init(&range, 4096);
    config_write_range(&range, key);
    buf_putc(out, '{');
    json_write_member_string(out, "key", slice_of(s->key));
    json_write_key(out, "value");
    config_write_json(out, config, key);
    json_write_member_string(out, "default", slice_of(s->initial));
    json_write_member_string(out, "values", buf_slice(&range));
    wording_write_member(out, "values_sv", buf_slice(&range));
    json_write_member_string(out, "text", slice_of(s->text));
    json_write_member_string(out, "text_sv", wording_setting(slice_of(s->key)));
    json_write_member_string(out, "from",
                             slice_of(!origin->name      ? "default"
                                      : origin->line > 0 ? "file"
                                                         : "option"));
    json_write_key(out, "line");
    if (origin->line > 0) json_write_u64(out, origin->line);
    else buf_puts(out, "null");
    buf_putc(out, '}');
    buf_done(&range);
}

static void put_settings(struct buf *out, const struct config *config)
{
    buf_puts(out, "{\"settings\":[");
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (key) buf_putc(out, ',');
        put_setting(out, config, key);
    }
    buf_puts(out, "]}\n");
}

/* ---- products, lists --------------------------------------------------------------------- */

static void put_products(struct buf *out, const struct products *products)
{
    buf_puts(out, "{\"products\":[");
    for (uint32_t i = 0; i < products_count(products); i++) {
        const struct product *p = products_at(products, i);
        buf_puts(out, i ? ",{" : "{");
        json_write_member_string(out, "name", p->name);
        json_write_member_string(out, "title", p->title);
        json_write_member_string(out, "evidence", p->evidence);
        json_write_member_string(out, "file", slice_of(p->file));
        json_write_member_u64(out, "samples", p->n_samples);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}\n");
}

/* The rules that were made of a list, one for each kind that it has. */
static void put_list_rules(struct buf *out, const struct sigma_set *set, const char *name)
{
    json_write_key(out, "rules");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < set->n_rules; i++) {
        const struct sigma_doc *doc = set->rules[i]->doc;
        if (!indicator_rules_are_of(doc, name)) continue;
        if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
        json_write_string(out, doc->id);
    }
    buf_putc(out, ']');
}

static int put_list(struct buf *out, const struct library *l, const char *name,
                    const struct sigma_set *set, struct diag *diag)
{
    struct library_name version;
    struct buf about;
    if (!library_current(l, name, &version)) return 0;
    buf_init(&about, ABOUT_MAX);
    int error = library_about(l, name, version.text, &about, diag);
    if (error == 0 && json_is_object(buf_slice(&about))) {
        if (out->ptr[out->len - 1] == '}') buf_putc(out, ',');
        struct slice whole = slice_trim(buf_slice(&about));
        buf_put(out, slice_until(whole, whole.len - 1));
        put_list_rules(out, set, name);
        buf_putc(out, '}');
    }
    buf_done(&about);
    return error;
}

static int put_lists(struct buf *out, const struct config *config, const struct sigma_set *set,
                     struct diag *diag)
{
    char path[PATH_MAX];
    struct library l;
    struct library_list names = {0};
    int error = ruleset_folder_path(config, RULESET_INDICATORS, path, diag);
    if (error == 0) error = library_open(&l, path, false, diag);
    if (error) return error;
    error = library_sets(&l, &names, diag);
    buf_puts(out, "{\"lists\":[");
    for (uint32_t i = 0; i < names.n && error == 0; i++)
        error = put_list(out, &l, names.items[i].text, set, diag);
    buf_puts(out, "]}\n");
    library_list_done(&names);
    library_close(&l);
    return error;
}

/* ---- rules ------------------------------------------------------------------------------- */

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    buf_puts(out, time ? "\"" : "null");
    if (time) time_write_rfc3339(out, time);
    if (time) buf_putc(out, '"');
}

/* A file of a folder of the library. */
static bool is_in(const struct catalogue *f, struct slice file, const char *folder)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s/", f->library, folder);
    return n > 0 && (size_t)n < sizeof path && slice_starts_with(file, slice_of(path));
}

/* Whether it can be changed by the API. */
static void put_own(struct buf *out, bool own)
{
    json_write_key(out, "own");
    buf_puts(out, own ? "true" : "false");
}

/* Rules as it names them; without any it is for all. */
static void put_named(struct buf *out, const struct sigma_filter *filter)
{
    json_write_key(out, "for");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < filter->n_rules; i++) {
        if (i) buf_putc(out, ',');
        json_write_string(out, filter->rules[i].text);
    }
    buf_putc(out, ']');
}

static void put_filter(const struct catalogue *c, struct buf *out,
                       const struct sigma_filter_rule *f)
{
    const struct sigma_doc *doc = f->doc;
    buf_putc(out, '{');
    json_write_member_string(out, "id", doc->id);
    json_write_member_string(out, "title", doc->title);
    json_write_member_string(out, "reason", doc->description);
    json_write_member_string(out, "by", doc->author);
    json_write_member_string(out, "made", doc->date);
    put_time(out, "until", doc->filter.until);
    json_write_member_u64(out, "rules", f->n_rules);
    put_named(out, &doc->filter);
    put_own(out, is_in(c, slice_of(doc->file), LIBRARY_EXCEPTIONS));
    json_write_member_string(out, "file", slice_of(doc->file));
    buf_putc(out, '}');
}

static void put_exceptions(const struct catalogue *c, struct buf *out, const struct sigma_set *set)
{
    buf_puts(out, "{\"exceptions\":[");
    for (uint32_t i = 0; i < set->n_filters; i++) {
        if (i) buf_putc(out, ',');
        put_filter(c, out, &set->filters[i]);
    }
    buf_puts(out, "]}\n");
}

static void put_technique(struct buf *out, const struct coverage *c,
                          const struct coverage_technique *t)
{
    buf_putc(out, '{');
    json_write_member_string(out, "technique", slice_of(t->id));
    json_write_member_string(out, "name", t->name);
    json_write_member_string(out, "tactics", t->tactics);
    json_write_member_string(out, "data", slice_of(coverage_data_name(t->data)));
    coverage_write_rules(c, t, out);
    json_write_member_u64(out, "tested", t->tested);
    buf_putc(out, '}');
}

static int put_coverage(struct buf *out, const struct ruleset *rules)
{
    struct coverage c;
    int error = coverage_make(&c, rules, NULL);
    buf_puts(out, "{\"techniques\":[");
    for (uint32_t i = 0; i < c.n && error == 0; i++) {
        if (i) buf_putc(out, ',');
        put_technique(out, &c, &c.techniques[i]);
    }
    buf_puts(out, "]}\n");
    coverage_done(&c);
    return error;
}

/* What is of a list of indicators has no file. */
static int add_rule(struct catalogue *f, const struct sigma_doc *doc, struct catalogue_rule **ret)
{
    struct catalogue_rule *row = &f->rules[f->n++];
    row->id = arena_dup(&f->arena, doc->id.len ? doc->id : doc->title);
    row->file = arena_dup(&f->arena, slice_of(doc->file ? doc->file : ""));
    row->at = f->text.len;
    if (doc->file && file_read(doc->file, &f->text, NULL) != 0) f->text.len = row->at;
    row->len = f->text.len - row->at;
    *ret = row;
    return row->id.ptr ? buf_error(&f->text) : ERR_NOMEM;
}

static int add_rules(struct catalogue *f, const struct sigma_set *set)
{
    struct catalogue_rule *row;
    int error = 0;
    f->rules = calloc((size_t)set->n_rules + set->n_correlations + 1, sizeof *f->rules);
    if (!f->rules) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_rules && error == 0; i++) {
        error = add_rule(f, set->rules[i]->doc, &row);
        sigma_digest_rule(set->rules[i], &row->digest);
    }
    for (uint32_t i = 0; i < set->n_correlations && error == 0; i++) {
        error = add_rule(f, set->correlations[i]->doc, &row);
        sigma_digest_correlation(set, set->correlations[i], &row->digest);
    }
    return error;
}

static void put_retro(const struct catalogue *f, const struct catalogue_rule *row, struct buf *out)
{
    struct retro_book book = {0};
    struct diag none;
    json_write_key(out, "retro");
    bool there = retro_book_load(&book, f->book, &none) == 0;
    retro_rule_write_json(out, there ? retro_book_find(&book, &row->digest) : NULL);
    retro_book_done(&book);
}

void catalogue_put_retro(const struct catalogue *f, struct buf *out)
{
    struct retro_book book = {0};
    struct diag none;
    bool there = retro_book_load(&book, f->book, &none) == 0;
    const char *between = "";
    buf_puts(out, "{\"retro\":[");
    for (uint32_t i = 0; i < f->n && there; i++) {
        const struct retro_rule *found = retro_book_find(&book, &f->rules[i].digest);
        if (!found || found->state == RETRO_KNOWN) continue;
        buf_puts(out, between);
        buf_putc(out, '{');
        json_write_member_string(out, "rule", f->rules[i].id);
        json_write_key(out, "found");
        retro_rule_write_json(out, found);
        buf_putc(out, '}');
        between = ",";
    }
    buf_puts(out, "]}\n");
    retro_book_done(&book);
}

void catalogue_put_rule(const struct catalogue *f, struct slice id, struct buf *out)
{
    uint32_t i = 0;
    while (i < f->n && !slice_eq(f->rules[i].id, id)) i++;
    if (i == f->n) return;
    const struct catalogue_rule *row = &f->rules[i];
    json_write_member_string(out, "file", row->file);
    put_own(out, is_in(f, row->file, LIBRARY_OWN));
    json_write_key(out, "text");
    if (row->len) json_write_string(out, slice_make(f->text.ptr + row->at, row->len));
    else buf_puts(out, "null");
    put_retro(f, row, out);
}

/* ---- all of them ------------------------------------------------------------------------- */

int catalogue_make(struct catalogue *f, const struct config *config, const struct ruleset *rules,
                   struct diag *diag)
{
    struct buf *to = f->documents;
    for (unsigned i = 0; i < API_DOCUMENT_COUNT; i++) buf_init(&to[i], API_ANSWER_MAX);
    buf_init(&f->text, TEXTS_MAX);
    arena_init(&f->arena, ARENA_MAX);
    int n = snprintf(f->book, sizeof f->book, "%s/" RETRO_FOLDER "/" RETRO_BOOK,
                     config->serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof f->book) return ERR_LIMIT;
    int error = ruleset_folder_path(config, RULESET_RULES, f->library, diag);
    if (error) return error;
    put_settings(&to[API_DOCUMENT_SETTINGS], config);
    put_products(&to[API_DOCUMENT_PRODUCTS], rules->products);
    put_exceptions(f, &to[API_DOCUMENT_EXCEPTIONS], rules->set);
    error = put_coverage(&to[API_DOCUMENT_COVERAGE], rules);
    if (error == 0) error = put_lists(&to[API_DOCUMENT_INDICATORS], config, rules->set, diag);
    if (error == 0) error = add_rules(f, rules->set);
    for (unsigned i = 0; i < API_DOCUMENT_COUNT && error == 0; i++) error = buf_error(&to[i]);
    return error;
}

void catalogue_done(struct catalogue *f)
{
    for (unsigned i = 0; i < API_DOCUMENT_COUNT; i++) buf_done(&f->documents[i]);
    buf_done(&f->text);
    arena_done(&f->arena);
    free(f->rules);
}
