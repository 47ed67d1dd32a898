/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/veil.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "web/call.h"
#include "web/people.h"

enum {
    ASKED_AT_ONCE = 1000, /* as account/veil.h takes them */
    NAMES_MAX = 1024 * 1024,
    MARK_LEN = 7 + 12,
};
#define MARK SLICE("person-")

/* ---- what is known of a tenant ----------------------------------------------------------- */

static struct api_veil *find_veil(struct api *w, uint32_t tenant)
{
    for (uint32_t i = 0; i < w->n_veils; i++)
        if (w->veils[i].tenant == tenant) return &w->veils[i];
    return NULL;
}

static void load(struct api *w, struct api_veil *v)
{
    const struct api_out *out = &w->options.out;
    if (v->loaded || v->loading) return;
    v->loading = out->known(out->ctx, v->tenant, buf_slice(&v->last)) == 0;
}

/* NULL: no memory, or more tenants than there can be. */
static struct api_veil *get_veil(struct api *w, uint32_t tenant)
{
    struct api_veil *v = find_veil(w, tenant);
    if (v || w->n_veils == API_VEILS_MAX) return v;
    v = &w->veils[w->n_veils];
    *v = (struct api_veil){.tenant = tenant};
    if (people_new(w->options.seed, &v->people) != 0) return NULL;
    buf_init(&v->last, 64);
    w->n_veils++;
    return v;
}

/* There is no room for more names: those that are needed now are found anew. */
static int renew(struct api *w, struct api_veil *v)
{
    struct people *fresh;
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->waits == WAIT_VEIL && c->tenant == v->tenant) return ERR_LIMIT;
    int error = people_new(w->options.seed, &fresh);
    if (error) return error;
    people_free(v->people);
    v->people = fresh;
    return 0;
}

void api_veils_done(struct api *w)
{
    for (uint32_t i = 0; i < w->n_veils; i++) {
        people_free(w->veils[i].people);
        buf_done(&w->veils[i].last);
    }
}

/* ---- one that waits ---------------------------------------------------------------------- */

static bool applies(const struct api_call *c)
{
    const struct api_endpoint *e = c->endpoint;
    return c->veiled && !c->unveiled && e->action == ACTION_COUNT && e->right < RIGHT_COUNT;
}

static void clear_veiling(struct api_veiling *v)
{
    free(v->names);
    free(v->shown);
    buf_done(&v->texts);
    *v = (struct api_veiling){0};
}

void api_veil_done(struct api_call *c)
{
    clear_veiling(&c->veiling);
    if (c->raw.ptr) explicit_bzero(c->raw.ptr, c->raw.cap);
    buf_done(&c->raw);
    buf_done(&c->given);
}

/* Nothing of it goes out. */
static void fail(struct api_call *c)
{
    clear_veiling(&c->veiling);
    buf_clear(&c->raw);
    c->waits = WAIT_NOTHING;
    c->unveiled = true;
    if (c->state == CALL_STREAMING) {
        c->ended = true;
        api_stream_wake(c);
    } else {
        buf_clear(&c->out);
        api_refuse_for(c, API_PROBLEM_BUSY, 1);
    }
}

struct collecting {
    struct api_veiling *v;
    bool *seen;
};

static struct slice collect_name(void *ctx, int name)
{
    struct collecting *k = ctx;
    struct api_veiling *v = k->v;
    if (k->seen[name]) return SLICE_NONE;
    k->seen[name] = true;
    v->names[v->n++] = name;
    return SLICE_NONE;
}

/* Names in the text, each once. */
static int collect(const struct people *p, struct slice text, struct api_veiling *v)
{
    uint32_t known = people_count(p);
    struct collecting k = {.v = v, .seen = calloc(known + 1, sizeof *k.seen)};
    struct buf nowhere;
    v->names = calloc(known + 1, sizeof *v->names);
    buf_init(&nowhere, 0);
    if (k.seen && v->names) people_rewrite(p, text, collect_name, &k, &nowhere);
    buf_done(&nowhere);
    bool good = k.seen && v->names;
    free(k.seen);
    if (good) v->shown = calloc(v->n + 1, sizeof *v->shown);
    return good && v->shown ? 0 : ERR_NOMEM;
}

static void finish(struct api_call *c, const struct people *p);

static int ask(struct api_call *c, const struct people *p)
{
    const struct api_out *out = &c->api->options.out;
    struct api_veiling *v = &c->veiling;
    struct buf names;
    buf_init(&names, NAMES_MAX);
    buf_putc(&names, '[');
    for (uint32_t n = 0; n < ASKED_AT_ONCE && v->asked < v->n; n++) {
        if (n) buf_putc(&names, ',');
        json_write_string(&names, people_name(p, v->names[v->asked++]));
    }
    buf_putc(&names, ']');
    int error = buf_error(&names);
    if (error == 0) error = out->veil(out->ctx, c->id, c->user, c->tenant, buf_slice(&names));
    buf_done(&names);
    if (error == 0) c->waits = WAIT_VEIL;
    return error;
}

/* What of it can go out at once: of a stream whole lines. */
static size_t find_end(const struct api_call *c)
{
    if (!c->more || c->ended) return c->raw.len;
    size_t at = slice_find_last_byte(buf_slice(&c->raw), '\n');
    return at == SIZE_MAX ? 0 : at + 1;
}

/* Something waits in call->raw, and nothing is asked. */
static void go(struct api_call *c)
{
    struct api_veil *v = get_veil(c->api, c->tenant);
    size_t take = find_end(c);
    if (take == 0 && !buf_failed(&c->raw)) return;
    if (v) load(c->api, v);
    if (v && v->loading) {
        c->waits = WAIT_NAMES;
        return;
    }
    if (!v || !v->loaded || buf_failed(&c->raw)) {
        fail(c);
        return;
    }
    struct slice text = slice_until(buf_slice(&c->raw), take);
    int error = people_learn(v->people, text);
    if (error == ERR_LIMIT) {
        error = renew(c->api, v);
        if (error == 0) error = people_learn(v->people, text);
    }
    c->veiling.take = take;
    buf_init(&c->veiling.texts, API_ANSWER_MAX);
    if (error == 0) error = collect(v->people, text, &c->veiling);
    if (error == 0 && c->veiling.n > 0) error = ask(c, v->people);
    if (error) fail(c);
    else if (c->veiling.n == 0) finish(c, v->people);
}

static struct slice show_name(void *ctx, int name)
{
    const struct slice *by_name = ctx;
    return by_name[name];
}

/* What waited, as it is shown; into call->out. */
static int rewrite(struct api_call *c, const struct people *p)
{
    const struct api_veiling *v = &c->veiling;
    struct slice text = slice_until(buf_slice(&c->raw), v->take);
    struct slice *by_name = calloc(people_count(p) + 1, sizeof *by_name);
    if (!by_name) return ERR_NOMEM;
    for (uint32_t i = 0; i < v->n; i++) by_name[v->names[i]] = v->shown[i];
    people_rewrite(p, text, show_name, by_name, &c->out);
    free(by_name);
    return 0;
}

static void finish(struct api_call *c, const struct people *p)
{
    if (rewrite(c, p) != 0) {
        fail(c);
        return;
    }
    buf_consume(&c->raw, c->veiling.take);
    clear_veiling(&c->veiling);
    c->waits = WAIT_NOTHING;
    if (!c->more) {
        c->unveiled = true;
        api_answer(c, c->status, c->type);
        return;
    }
    if (buf_failed(&c->out)) fail(c);
    api_stream_wake(c);
    if (c->raw.len > 0) go(c);
}

bool api_veil_answer(struct api_call *c)
{
    struct buf empty;
    if (!applies(c) || c->more || c->out.len == 0) return false;
    empty = c->raw;
    c->raw = c->out;
    c->out = empty;
    go(c);
    return true;
}

void api_veil_stream(struct api_call *c)
{
    if (!applies(c) || c->raw.len + c->out.len == 0) return;
    buf_put(&c->raw, buf_slice(&c->out));
    buf_clear(&c->out);
    if (c->waits == WAIT_NOTHING) go(c);
}

void api_stream_put(struct api_call *c, struct slice lines)
{
    if (!applies(c)) {
        buf_put(&c->out, lines);
        return;
    }
    buf_put(&c->raw, lines);
    if (c->state == CALL_STREAMING && c->waits == WAIT_NOTHING) go(c);
}

/* ---- answers of others ------------------------------------------------------------------- */

/* Texts of an array, into the texts of what waits; false: they are none, or too few or many. */
static bool take_shown(struct api_veiling *v, struct people *p, struct slice names)
{
    struct json_parts parts;
    struct slice key, part;
    json_parts_init(&parts, names);
    while (json_parts_next(&parts, &key, &part)) {
        size_t at = v->texts.len;
        if (v->told == v->asked || !json_string_text(part, &v->texts) || buf_failed(&v->texts))
            return false;
        struct slice shown = slice_from(buf_slice(&v->texts), at);
        if (slice_starts_with(shown, MARK)) people_set_pseudonym(p, v->names[v->told], shown);
        v->shown[v->told++].len = shown.len;
    }
    return v->told == v->asked;
}

/* All are told: the texts do not move any more. */
static void place_shown(struct api_veiling *v)
{
    size_t at = 0;
    for (uint32_t i = 0; i < v->n; at += v->shown[i++].len) v->shown[i].ptr = v->texts.ptr + at;
}

void api_veiled(struct api *w, uint64_t call, struct slice names)
{
    struct api_call *c = api_call_find(w, call, WAIT_VEIL);
    struct api_veil *v = c ? find_veil(w, c->tenant) : NULL;
    if (!v) return;
    if (!take_shown(&c->veiling, v->people, names) ||
        (c->veiling.told < c->veiling.n && ask(c, v->people) != 0)) {
        fail(c);
    } else if (c->veiling.told == c->veiling.n) {
        place_shown(&c->veiling);
        finish(c, v->people);
    }
}

/* [pseudonym,name,…] in their order; none: these were all. */
void api_known(struct api *w, uint32_t tenant, struct slice names)
{
    struct api_veil *v = find_veil(w, tenant);
    struct json_parts parts;
    struct slice key, pseudonym, part;
    struct buf name;
    bool any = false;
    if (!v || !v->loading) return;
    v->loading = false;
    buf_init(&name, API_ANSWER_MAX);
    json_parts_init(&parts, names);
    while (json_parts_next(&parts, &key, &pseudonym) && json_parts_next(&parts, &key, &part)) {
        buf_clear(&name);
        buf_clear(&v->last);
        any = json_string_text(pseudonym, &v->last) && json_string_text(part, &name);
        int row = any && people_count(v->people) < PEOPLE_MAX / 2
                      ? people_add(v->people, buf_slice(&name))
                      : PEOPLE_NONE;
        if (row != PEOPLE_NONE) people_set_pseudonym(v->people, row, buf_slice(&v->last));
    }
    buf_done(&name);
    v->loaded = names.len > 0 && !any;
    if (any) load(w, v);
    for (struct api_call *c = w->calls; c && !v->loading; c = c->next) {
        if (c->waits != WAIT_NAMES || c->tenant != tenant) continue;
        c->waits = WAIT_NOTHING;
        if (!v->loaded) fail(c);
        else if (c->raw.len > 0) go(c);
        else api_call_claim(c);
    }
}

void api_veils_lost(struct api *w)
{
    for (uint32_t i = 0; i < w->n_veils; i++) w->veils[i].loading = false;
    for (struct api_call *c = w->calls; c; c = c->next)
        if (c->waits == WAIT_VEIL || c->waits == WAIT_NAMES) fail(c);
}

/* ---- what is asked ----------------------------------------------------------------------- */

/* The next pseudonym in the text; false: there is none any more. */
static bool next_mark(struct slice text, size_t *at, struct slice *ret)
{
    size_t found = slice_find(slice_from(text, *at), MARK);
    if (found == SIZE_MAX || text.len - *at - found < MARK_LEN) return false;
    *at += found;
    *ret = slice_until(slice_from(text, *at), MARK_LEN);
    return true;
}

/* Appends the text with names in place of pseudonyms; as parts of JSON strings when `json`. */
static void put_names(const struct people *p, struct slice text, bool json, struct buf *out)
{
    struct slice mark;
    size_t at = 0, done = 0;
    while (next_mark(text, &at, &mark)) {
        struct slice name = people_find_pseudonym(p, mark);
        buf_put(out, slice_until(slice_from(text, done), at - done));
        size_t before = out->len;
        if (name.len == 0) buf_put(out, mark);
        else if (!json) buf_put(out, name);
        else json_write_string(out, name);
        /* Without the quotes around it. */
        if (name.len && json && !buf_failed(out)) {
            memmove(out->ptr + before, out->ptr + before + 1, out->len - before - 2);
            out->len -= 2;
        }
        done = at += MARK_LEN;
    }
    buf_put(out, slice_from(text, done));
}

static void name_parameters(struct api_call *c, const struct people *p)
{
    size_t ends[API_QUERY_MAX], begin = 0;
    buf_clear(&c->given);
    for (uint32_t i = 0; i < c->target.n_query; i++) {
        put_names(p, c->target.query[i].value, false, &c->given);
        ends[i] = c->given.len;
    }
    if (buf_failed(&c->given)) return;
    for (uint32_t i = 0; i < c->target.n_query; begin = ends[i++])
        c->target.query[i].value = slice_make(c->given.ptr + begin, ends[i] - begin);
}

static void name_body(struct api_call *c, const struct people *p)
{
    struct buf named;
    buf_init(&named, API_BODY_MAX);
    put_names(p, buf_slice(&c->body), true, &named);
    if (buf_failed(&named)) {
        buf_done(&named);
        return;
    }
    buf_done(&c->body);
    c->body = named;
}

static bool has_mark(const struct api_call *c)
{
    bool any = slice_find(buf_slice(&c->body), MARK) != SIZE_MAX;
    for (uint32_t i = 0; i < c->target.n_query; i++)
        any |= slice_find(c->target.query[i].value, MARK) != SIZE_MAX;
    return any;
}

bool api_veil_request(struct api_call *c)
{
    struct api_veil *v = applies(c) && has_mark(c) ? get_veil(c->api, c->tenant) : NULL;
    if (!v) return true;
    load(c->api, v);
    if (v->loading) {
        c->waits = WAIT_NAMES;
        return false;
    }
    name_parameters(c, v->people);
    if (!c->files) name_body(c, v->people);
    return true;
}
