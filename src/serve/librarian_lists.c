/* SPDX-License-Identifier: EUPL-1.2 */
/* Lists of indicators, and searches under a name. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/when.h"
#include "indicator/keep.h"
#include "query/query.h"
#include "search/saved.h"
#include "serve/librarian.h"
#include "wording/wording.h"

enum { VALUES_MAX = 400, PAGE_MAX = 500, PAGE = 50, TEXT_MAX = 256 * 1024 };

/* ---- lists ------------------------------------------------------------------------------- */

/* The name of a list, checked: paths are made of it. */
static const char *read_name(struct library_deed *d)
{
    struct library_name name;
    const char *list = deed_text(&d->deed, "list", LIBRARY_NAME_MAX, true);
    if (*list && !library_name_read(slice_of(list), &name))
        deed_refuse(&d->deed, DESK_NOT_FOUND, "list", "this is no name of a list");
    return list;
}

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    buf_puts(out, time ? "\"" : "null");
    if (time) time_write_rfc3339(out, time);
    if (time) buf_putc(out, '"');
}

static void put_value(struct buf *out, uint64_t number, enum listed_kind kind,
                      const struct listed_value *v)
{
    buf_putc(out, '{');
    json_write_member_u64(out, "number", number);
    json_write_member_string(out, "type", slice_of(listed_kind_name(kind)));
    json_write_member_string(out, "value", v->value);
    put_time(out, "expires", v->expires);
    json_write_member_string(out, "description", v->description);
    json_write_member_string(out, "source", v->source);
    buf_putc(out, '}');
}

/* Those behind the one with that number, which counts from 1 through all kinds. */
static void put_values(struct buf *out, const struct indicators *in, uint64_t after, uint64_t limit)
{
    uint64_t number = 0, told = 0;
    json_write_key(out, "indicators");
    buf_putc(out, '[');
    for (unsigned k = 0; k < LISTED_KINDS; k++) {
        uint32_t n = in->lists[k] ? listed_count(in->lists[k]) : 0;
        uint64_t skip = after > number ? after - number : 0;
        for (uint64_t i = skip; i < n && told < limit; i++) {
            if (told++) buf_putc(out, ',');
            put_value(out, number + i + 1, (enum listed_kind)k,
                      listed_at(in->lists[k], (uint32_t)i));
        }
        number += n;
    }
    buf_putc(out, ']');
    json_write_member_u64(out, "total", number);
}

static int load(struct library_deed *d, const char *list, struct indicators_kept *ret)
{
    return indicators_load(&d->library, list, d->change.now, ret, &d->deed.diag);
}

int library_do_list(struct library_deed *d)
{
    struct indicators_kept kept;
    struct buf *out = d->deed.answer;
    const char *list = read_name(d);
    uint64_t after = body_has(&d->deed.body, "after") ? body_sequence(&d->deed.body, "after") : 0;
    uint64_t limit = body_number(&d->deed.body, "limit", false);
    if (!body_end(&d->deed.body)) return 0;
    int error = load(d, list, &kept);
    if (error) return deed_take_error(&d->deed, "list", error);
    json_write_member_string(out, "list", slice_of(list));
    json_write_member_string(out, "version", slice_of(kept.version.text));
    json_write_member_string(out, "level", slice_of(sigma_level_name(kept.level)));
    put_values(out, &kept.in, after, limit == 0 ? PAGE : limit < PAGE_MAX ? limit : PAGE_MAX);
    indicators_done(&kept.in);
    return 0;
}

/* A day, a moment, or a span from now. */
static bool read_expires(struct slice text, nsec now, nsec *ret)
{
    nsec span;
    if (text.len == 0) return true;
    if (!when_parse_span(text, &span)) return sigma_until_parse(text, ret);
    return !__builtin_add_overflow(now, span, ret);
}

static void put_refusals(struct buf *out, const struct indicators *in)
{
    json_write_member_u64(out, "indicators", in->n);
    json_write_member_u64(out, "doubled", in->doubled);
    json_write_member_u64(out, "ended", in->ended);
    json_write_member_u64(out, "refused", in->refused);
    json_write_key(out, "refusals");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < in->n_told; i++) {
        buf_puts(out, i ? ",{" : "{");
        json_write_member_u64(out, "line", in->told[i].line);
        json_write_member_u64(out, "column", in->told[i].column);
        json_write_member_string(out, "why", slice_of(in->told[i].message));
        wording_write_member(out, "why_sv", slice_of(in->told[i].message));
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static int keep(struct library_deed *d, const char *list, const struct indicators *in,
                enum sigma_level level)
{
    const struct indicators_origin origin = {
        .from = SLICE("api"), .who = d->change.who, .level = level, .now = d->change.now};
    struct library_name version;
    bool fresh;
    int error = indicators_keep(&d->library, list, in, &origin, &version, &fresh, &d->deed.diag);
    if (error == ERR_LIMIT) {
        deed_refuse(&d->deed, DESK_CONFLICT, "", d->deed.diag.message);
        return 0;
    }
    if (error) return error;
    json_write_member_string(d->deed.answer, "list", slice_of(list));
    json_write_member_string(d->deed.answer, "version", slice_of(version.text));
    put_refusals(d->deed.answer, in);
    d->changed = fresh;
    return 0;
}

/* What is said of a list, or of what is added to one. */
struct said {
    const char *list;
    struct slice text, level, expires;
    bool force;
};

static bool read_said(struct library_deed *d, struct said *s, bool whole)
{
    struct body *b = &d->deed.body;
    s->list = read_name(d);
    s->text = body_text(b, "text", TEXT_MAX, true);
    s->expires = body_text(b, "expires", 64, false);
    s->level = whole ? body_text(b, "level", 16, false) : SLICE_NONE;
    s->force = body_bool(b, "force", false) == 1;
    return body_end(b);
}

static int read_text(struct library_deed *d, const struct said *s, struct slice text,
                     struct indicators *ret)
{
    struct indicators_options options = {.file = "text",
                                         .now = d->change.now,
                                         .force = s->force,
                                         .own = ruleset_own_networks(d->change.placeholders)};
    if (!read_expires(s->expires, d->change.now, &options.expires))
        return diag_set(&d->deed.diag, ERR_INVALID, NULL, 0, 0,
                        "`expires` is a day, a moment or a span (2026-12-31, 30d)");
    int error = indicators_read(text, &options, ret, &d->deed.diag);
    if (error || ret->n) return error;
    error = diag_set(&d->deed.diag, ERR_INVALID, NULL, 0, 0, "no indicator was taken from it%s%s",
                     ret->n_told ? ": " : "", ret->n_told ? ret->told[0].message : "");
    indicators_done(ret);
    return error;
}

int library_do_list_put(struct library_deed *d)
{
    struct said s = {0};
    struct indicators in;
    enum sigma_level level = LEVEL_HIGH;
    if (!read_said(d, &s, true)) return 0;
    if (s.level.len && !sigma_level_parse(s.level, &level)) {
        deed_refuse(&d->deed, DESK_INVALID, "level", "this is no level");
        return 0;
    }
    int error = read_text(d, &s, s.text, &in);
    if (error) return deed_take_error(&d->deed, "text", error);
    error = keep(d, s.list, &in, level);
    indicators_done(&in);
    return error;
}

/* ---- a few of them ----------------------------------------------------------------------- */

/* The list as text, read as it is kept, and kept. */
static int keep_text(struct library_deed *d, const char *list, const struct buf *text,
                     enum sigma_level level)
{
    const struct indicators_options options = {.now = d->change.now, .kept = true};
    struct indicators in;
    int error = buf_error(text);
    if (error == 0) error = indicators_read(buf_slice(text), &options, &in, &d->deed.diag);
    if (error) return error;
    if (in.n) error = keep(d, list, &in, level);
    else deed_refuse(&d->deed, DESK_CONFLICT, "", "nothing would be left: take the list away");
    indicators_done(&in);
    return error;
}

/* What is said again is as it is said now. */
int library_do_list_add(struct library_deed *d)
{
    struct said s = {0};
    struct indicators_kept kept;
    struct indicators added;
    struct buf text;
    if (!read_said(d, &s, false)) return 0;
    int error = load(d, s.list, &kept);
    if (error) return deed_take_error(&d->deed, "list", error);
    error = read_text(d, &s, s.text, &added);
    if (error) {
        indicators_done(&kept.in);
        return deed_take_error(&d->deed, "text", error);
    }
    buf_init(&text, 2 * (size_t)INDICATORS_FILE_MAX);
    indicators_write(&text, &added);
    (void)indicators_write_rest(&text, &kept.in, NULL, 0);
    error = keep_text(d, s.list, &text, kept.level);
    buf_done(&text);
    indicators_done(&added);
    indicators_done(&kept.in);
    return error;
}

/* As lists have them, in the body's arena. */
static uint32_t read_values(struct library_deed *d, struct slice *ret)
{
    struct json_parts it;
    struct slice name, part, list = body_list(&d->deed.body, "values");
    struct buf text;
    uint32_t n = 0;
    char folded[2 * INDICATOR_VALUE_MAX];
    buf_init(&text, INDICATOR_VALUE_MAX);
    json_parts_init(&it, list);
    while (list.len && json_parts_next(&it, &name, &part)) {
        buf_clear(&text);
        bool good = n < VALUES_MAX && json_string_text(part, &text) && text.len &&
                    utf8_fold_bound(text.len) <= sizeof folded;
        if (good) {
            size_t len = utf8_fold(folded, slice_trim(buf_slice(&text)));
            ret[n] = arena_dup(&d->deed.body.texts, slice_make(folded, len));
            good = ret[n++].ptr != NULL;
        }
        if (good) continue;
        body_wrong(&d->deed.body, "values", "up to %d texts, as the list has them", VALUES_MAX);
        break;
    }
    buf_done(&text);
    if (n == 0) body_wrong(&d->deed.body, "values", "what is to go is to be said");
    return n;
}

int library_do_list_cut(struct library_deed *d)
{
    struct slice values[VALUES_MAX];
    struct indicators_kept kept;
    struct buf text;
    const char *list = read_name(d);
    uint32_t n = read_values(d, values);
    if (!body_end(&d->deed.body)) return 0;
    int error = load(d, list, &kept);
    if (error) return deed_take_error(&d->deed, "list", error);
    buf_init(&text, 2 * (size_t)INDICATORS_FILE_MAX);
    buf_puts(&text, INDICATORS_HEAD);
    uint32_t cut = indicators_write_rest(&text, &kept.in, values, n);
    if (cut) error = keep_text(d, list, &text, kept.level);
    else deed_refuse(&d->deed, DESK_NOT_FOUND, "values", "the list has none of them");
    json_write_member_u64(d->deed.answer, "cut", cut);
    buf_done(&text);
    indicators_done(&kept.in);
    return error;
}

int library_do_list_drop(struct library_deed *d)
{
    const struct indicators_origin origin = {.who = d->change.who, .now = d->change.now};
    const char *list = read_name(d);
    if (!body_end(&d->deed.body)) return 0;
    int error = indicators_remove(&d->library, list, &origin, &d->deed.diag);
    d->changed = error == 0;
    return deed_take_error(&d->deed, "list", error);
}

/* ---- searches ---------------------------------------------------------------------------- */

static void put_search(void *ctx, const char *name, struct slice query)
{
    struct buf *out = ctx;
    buf_puts(out, out->ptr[out->len - 1] == '[' ? "{" : ",{");
    json_write_member_string(out, "name", slice_of(name));
    json_write_member_string(out, "query", query);
    buf_putc(out, '}');
}

int library_do_searches(struct library_deed *d)
{
    struct buf *out = d->deed.answer;
    if (!body_end(&d->deed.body)) return 0;
    buf_puts(out, "\"searches\":[");
    int error = saved_each(d->librarian->searches, put_search, out, &d->deed.diag);
    buf_putc(out, ']');
    return error;
}

static const char *read_search(struct library_deed *d)
{
    const char *name = deed_text(&d->deed, "name", SAVED_NAME_MAX, true);
    if (*name && !saved_is_name(name))
        deed_refuse(&d->deed, DESK_INVALID, "name", "letters, digits and - _ . are for names");
    return name;
}

/* Only what can be understood is kept. */
static int check_query(struct library_deed *d, struct slice text)
{
    struct arena arena;
    struct query query;
    const struct query_options options = {.when = {.now = d->change.now}, .whole = true};
    arena_init(&arena, 64 * 1024 * 1024);
    int error = query_read(&arena, text, &options, &query, &d->deed.diag);
    arena_done(&arena);
    return error == ERR_NOMEM ? error : error ? ERR_INVALID : 0;
}

int library_do_search_put(struct library_deed *d)
{
    const char *name = read_search(d);
    struct slice query = slice_trim(body_text(&d->deed.body, "query", QUERY_TEXT_MAX, true));
    if (!body_end(&d->deed.body)) return 0;
    int error = check_query(d, query);
    if (error) return deed_take_error(&d->deed, "query", error);
    error = saved_write(d->librarian->searches, name, query, &d->deed.diag);
    json_write_member_string(d->deed.answer, "name", slice_of(name));
    return error;
}

int library_do_search_drop(struct library_deed *d)
{
    const char *name = read_search(d);
    if (!body_end(&d->deed.body)) return 0;
    return deed_take_error(&d->deed, "name",
                           saved_drop(d->librarian->searches, name, &d->deed.diag));
}
