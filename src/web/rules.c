/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/rules.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "desk/title.h"
#include "detect/sigma/set.h"
#include "web/call.h"
#include "web/run.h"
#include "wording/wording.h"

enum { TEXT_MAX = 64 * 1024 * 1024, SWEDISH_MAX = 16 * 1024 };

static void put_text(struct buf *out, const char *key, struct slice value)
{
    json_write_key(out, key);
    if (value.len) json_write_string(out, value);
    else buf_puts(out, "null");
}

static void put_swedish(struct buf *out, const struct sigma_doc *doc)
{
    struct slice description = wording_description(doc->description);
    struct buf title, made;
    buf_init(&title, SWEDISH_MAX);
    buf_init(&made, SWEDISH_MAX);
    desk_write_title_sv(&title, doc->title);
    if (slice_starts_with(doc->title, SLICE(DESK_INDICATOR_TITLE)) &&
        wording_swedish(&made, doc->description))
        description = buf_slice(&made);
    put_text(out, "title_sv", buf_slice(&title));
    put_text(out, "description_sv", description);
    buf_done(&title);
    buf_done(&made);
}

static void put_tags(struct buf *out, const struct sigma_doc *doc)
{
    json_write_key(out, "tags");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        if (i) buf_putc(out, ',');
        json_write_string(out, doc->tags[i]);
    }
    buf_putc(out, ']');
}

static void put_rule(struct buf *out, const struct sigma_doc *doc, struct slice id,
                     const char *kind)
{
    buf_putc(out, '{');
    put_text(out, "id", id);
    put_text(out, "title", doc->title);
    put_text(out, "kind", slice_of(kind));
    json_write_member_string(out, "level", slice_of(sigma_level_name(doc->level)));
    put_text(out, "status", doc->status);
    put_text(out, "description", doc->description);
    put_swedish(out, doc);
    put_text(out, "author", doc->author);
    put_text(out, "date", doc->date);
    put_text(out, "modified", doc->modified);
    put_text(out, "product", doc->logsource.product);
    put_text(out, "category", doc->logsource.category);
    put_text(out, "service", doc->logsource.service);
    put_tags(out, doc);
    put_text(out, "respond_sv", doc->respond.sv);
    put_text(out, "respond_en", doc->respond.en);
    buf_putc(out, '}');
}

static void add(struct api_rules *r, const struct sigma_doc *doc, const char *kind)
{
    struct slice id = doc->id.len ? doc->id : doc->title;
    struct api_rule *row = &r->rows[r->n++];
    row->at = r->text.len;
    row->id_at = r->names.len;
    row->id_len = id.len;
    row->level = doc->level;
    buf_put(&r->names, id);
    put_rule(&r->text, doc, id, kind);
    row->len = r->text.len - row->at;
}

int api_rules_init(struct api_rules *r, const struct sigma_set *set)
{
    size_t n = (size_t)set->n_rules + set->n_correlations;
    *r = (struct api_rules){.rows = calloc(n + 1, sizeof *r->rows)};
    buf_init(&r->text, TEXT_MAX);
    buf_init(&r->names, TEXT_MAX);
    if (!r->rows) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_rules; i++) add(r, set->rules[i]->doc, "rule");
    for (uint32_t i = 0; i < set->n_correlations; i++)
        add(r, set->correlations[i]->doc, "correlation");
    int error = buf_error(&r->text);
    return error ? error : buf_error(&r->names);
}

void api_rules_done(struct api_rules *r)
{
    free(r->rows);
    buf_done(&r->text);
    buf_done(&r->names);
}

static struct slice name_of(const struct api_rules *r, const struct api_rule *row)
{
    return slice_make(r->names.ptr + row->id_at, row->id_len);
}

const struct api_rule *api_rules_find(const struct api_rules *r, struct slice id)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (slice_eq(name_of(r, &r->rows[i]), id)) return &r->rows[i];
    return NULL;
}

struct slice api_rules_text(const struct api_rules *r, const struct api_rule *row)
{
    return slice_make(r->text.ptr + row->at, row->len);
}

/* ---- endpoints --------------------------------------------------------------------------- */

void api_rules(struct api_call *c)
{
    const struct api_rules *r = &c->api->rules;
    uint64_t at = 0, n = 0, limit = api_limit(c);
    unsigned least = api_level(c);
    if (!api_cursor(c, &at)) return;
    buf_puts(&c->out, "{\"rules\":[");
    for (; at < r->n && n < limit; at++) {
        if (r->rows[at].level < least) continue;
        if (n++) buf_putc(&c->out, ',');
        buf_put(&c->out, api_rules_text(r, &r->rows[at]));
    }
    buf_putc(&c->out, ']');
    if (at < r->n) api_put_next(c, at);
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_rule(struct api_call *c)
{
    const struct api_rule *row = api_rules_find(&c->api->rules, c->match.values[0]);
    if (!row) {
        api_refuse(c, API_PROBLEM_NOT_FOUND, NULL);
        return;
    }
    struct slice text = api_rules_text(&c->api->rules, row);
    buf_put(&c->out, slice_until(text, text.len - 1));
    c->api->options.out.rule(c->api->options.out.ctx, name_of(&c->api->rules, row), &c->out);
    buf_puts(&c->out, "}\n");
    api_answer(c, MHD_HTTP_OK, API_JSON);
}

void api_retro(struct api_call *c)
{
    if (!api_is_first_tenants(c)) return;
    c->api->options.out.retro(c->api->options.out.ctx, &c->out);
    api_answer(c, MHD_HTTP_OK, API_JSON);
}
