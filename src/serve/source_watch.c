/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/source_watch.h"

#include <fnmatch.h>
#include <math.h>

#include "base/json_write.h"
#include "base/time.h"
#include "detect/sigma/doc.h"
#include "event/record.h"

enum {
    SOURCES_MAX = 16 * 1024,
    SOURCES_SHOWN = 1000,
    SAVED_AT_ONCE = 64,
    ALERTS_A_MINUTE = 30,
    LINE_MAX = 64 * 1024,
    NAME_MAX_SHOWN = 1024,
};
#define MINUTE (60 * NSEC_PER_SEC)
#define ROUND  (5 * MINUTE)

/* ---- settings ---------------------------------------------------------------------------- */

static bool matches(const char *pattern, struct slice text)
{
    char name[NAME_MAX_SHOWN];
    if (text.len == 0 || text.len >= sizeof name) return false;
    memcpy(name, text.ptr, text.len);
    name[text.len] = '\0';
    return fnmatch(pattern, name, 0) == 0;
}

/* By what a certificate or token proved, by the address, or by the listener. */
static bool is_muted(void *ctx, struct slice source)
{
    const struct source_watch *w = ctx;
    const struct config_list *muted = &w->config->health_muted;
    struct record_source from;
    record_source_read(source, &from);
    for (uint32_t i = 0; i < muted->n; i++)
        if (matches(muted->items[i], from.identity) || matches(muted->items[i], from.address) ||
            matches(muted->items[i], from.listener))
            return true;
    return false;
}

static struct health_options options_of(struct source_watch *w, uint64_t seed)
{
    static const double factors[] = {2, 1.5, 1.25};
    const struct config *c = w->config;
    return (struct health_options){.sources_max = SOURCES_MAX,
                                   .seed = seed,
                                   .factor = factors[c->health_sensitivity],
                                   .least = c->health_least,
                                   .rarest = c->health_rarest,
                                   .clock = c->health_clock,
                                   .forget = c->health_forget,
                                   .ctx = w,
                                   .muted = is_muted};
}

/* ---- the database ------------------------------------------------------------------------ */

static bool restore(void *ctx, struct slice source, struct slice saved)
{
    struct source_watch *w = ctx;
    if (health_restore(w->health, source, saved) != 0) w->unread++;
    return true;
}

int source_watch_open(struct source_watch *w, const struct config *config, struct state *state,
                      uint64_t seed, nsec now, struct diag *diag)
{
    *w = (struct source_watch){.config = config};
    buf_init(&w->title, NAME_MAX_SHOWN);
    buf_init(&w->line, LINE_MAX);
    buf_init(&w->rule, NAME_MAX_SHOWN);
    buf_init(&w->saved, HEALTH_SAVED_MAX);
    buf_init(&w->all, HEALTH_SAVED_MAX);
    const char *name = config->health_zone.n ? config->health_zone.items[0] : NULL;
    const struct health_options options = options_of(w, seed);
    int error = zone_read(&w->zone, name, now, diag);
    if (error == 0) error = health_new(&options, &w->health);
    if (error == 0) error = state_health(state, restore, w);
    w->save_at = error ? 0 : health_count(w->health);
    return error;
}

void source_watch_close(struct source_watch *w)
{
    health_free(w->health);
    buf_done(&w->title);
    buf_done(&w->line);
    buf_done(&w->rule);
    buf_done(&w->saved);
    buf_done(&w->all);
}

static int save_one(struct source_watch *w, struct state *state, uint32_t i)
{
    struct health_view view;
    if (!health_is_changed(w->health, i)) return 0;
    health_view(w->health, i, &view);
    buf_clear(&w->saved);
    health_save(w->health, i, &w->saved);
    int error = buf_error(&w->saved);
    if (error == 0) error = state_put_health(state, view.source, buf_slice(&w->saved));
    if (error == 0) health_mark_saved(w->health, i);
    return error;
}

static int drop_forgotten(struct source_watch *w, struct state *state)
{
    int error = 0;
    while (error == 0 && health_next_forgotten(w->health, &w->saved))
        error = buf_failed(&w->saved) ? buf_error(&w->saved)
                                      : state_drop_health(state, buf_slice(&w->saved));
    return error;
}

static void begin_round(struct source_watch *w)
{
    w->save_at = 0;
    w->round = w->now;
    buf_clear(&w->all);
    health_save(w->health, health_count(w->health), &w->all);
}

bool source_watch_wants_save(const struct source_watch *w)
{
    return w->save_at < health_count(w->health) || w->now - w->round >= ROUND;
}

int source_watch_save(struct source_watch *w, struct state *state, bool whole)
{
    if (whole || w->save_at >= health_count(w->health)) begin_round(w);
    uint32_t count = health_count(w->health), to = count;
    if (!whole && to - w->save_at > SAVED_AT_ONCE) to = w->save_at + SAVED_AT_ONCE;
    int error = drop_forgotten(w, state);
    for (; w->save_at < to && error == 0; w->save_at++) error = save_one(w, state, w->save_at);
    if (error || w->save_at < count) return error;
    return buf_failed(&w->all) ? buf_error(&w->all)
                               : state_put_health(state, SLICE(""), buf_slice(&w->all));
}

/* ---- what comes -------------------------------------------------------------------------- */

void source_watch_hear(struct source_watch *w, const struct say_sighted *m)
{
    if (m->records == 0 || m->last < m->first || m->last_number < m->number) return;
    health_hear(w->health, m->source,
                &(struct health_news){.first = m->first,
                                      .last = m->last,
                                      .longest = m->longest,
                                      .records = m->records,
                                      .unread = m->unread < m->records ? m->unread : m->records,
                                      .claims = m->claims,
                                      .freshest = m->freshest,
                                      .sequence = m->sequence,
                                      .number = m->number,
                                      .last_number = m->last_number,
                                      .numbers = m->numbers});
}

void source_watch_pass(struct source_watch *w, nsec time)
{
    w->now = time;
    health_pass(w->health, time, zone_offset(&w->zone, time));
}

/* ---- alerts ------------------------------------------------------------------------------ */

static void put_text_or_null(struct buf *out, const char *key, struct slice text)
{
    if (text.len) {
        json_write_member_string(out, key, text);
        return;
    }
    json_write_key(out, key);
    buf_puts(out, "null");
}

static void put_match(struct buf *out, const char *field, struct slice value)
{
    if (out->len && out->ptr[out->len - 1] == '}') buf_putc(out, ',');
    buf_puts(out, "{\"field\":");
    json_write_string(out, slice_of(field));
    buf_puts(out, ",\"value\":");
    json_write_string(out, value);
    buf_puts(out, ",\"pattern\":\"\"}");
}

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

/* As an alert of a record is written. */
static void write_line(struct source_watch *w, const struct record_source *from, unsigned level,
                       struct slice host, nsec at, nsec since, struct slice state, struct slice why)
{
    struct buf *out = &w->line;
    struct buf began;
    buf_clear(out);
    buf_init(&began, 64);
    time_write_rfc3339(&began, since);
    buf_putc(out, '{');
    put_time(out, "time", at);
    buf_puts(out, ",\"rule\":{");
    json_write_member_string(out, "id", buf_slice(&w->rule));
    json_write_member_string(out, "title", buf_slice(&w->title));
    json_write_member_string(out, "level", slice_of(sigma_level_name(level)));
    buf_puts(out, ",\"tags\":[],\"file\":null}");
    put_text_or_null(out, "host", host);
    put_time(out, "received", at);
    json_write_key(out, "source");
    if (from) {
        buf_putc(out, '{');
        put_text_or_null(out, "input", from->input);
        put_text_or_null(out, "listener", from->listener);
        put_text_or_null(out, "identity", from->identity);
        put_text_or_null(out, "address", from->address);
        buf_puts(out, ",\"record\":null}");
    } else {
        buf_puts(out, "null");
    }
    buf_puts(out, ",\"matched\":[");
    put_match(out, "state", state);
    put_match(out, "since", buf_slice(&began));
    put_match(out, "message", why);
    buf_puts(out, "],\"event\":null}\n");
    buf_done(&began);
}

static unsigned level_of(const struct health_change *change)
{
    if (change->ended) return LEVEL_INFORMATIONAL;
    return change->kind == HEALTH_SILENT ? LEVEL_HIGH : LEVEL_MEDIUM;
}

static void fill_alert(struct source_watch *w, const struct health_change *change,
                       struct state_alert *ret)
{
    struct record_source from;
    struct buf why;
    record_source_read(change->source, &from);
    struct slice host = from.identity.len  ? from.identity
                        : from.address.len ? from.address
                                           : from.listener;
    buf_init(&why, NAME_MAX_SHOWN);
    health_write_why(&why, change);
    buf_clear(&w->rule);
    buf_printf(&w->rule, "vaka.source-%s%s", health_kind_word(change->kind),
               change->ended ? "-ended" : "");
    buf_clear(&w->title);
    buf_printf(&w->title, "%s%s", health_kind_title(change->kind), change->ended ? ": over" : "");
    write_line(w, &from, level_of(change), host, change->at, change->since,
               change->ended ? SLICE("ended") : SLICE("began"), buf_slice(&why));
    buf_done(&why);
    *ret = (struct state_alert){.count = 1,
                                .level = level_of(change),
                                .time = change->at,
                                .received = change->at,
                                .last_received = change->at,
                                .rule = buf_slice(&w->rule),
                                .title = buf_slice(&w->title),
                                .host = slice_until(host, NAME_MAX_SHOWN),
                                .entity = change->source,
                                .line = buf_slice(&w->line)};
}

/* Those that were too many for a minute, as one. */
static void fill_more(struct source_watch *w, struct state_alert *ret)
{
    char text[96];
    int n = snprintf(text, sizeof text, "%llu more sources changed; vaka status names them",
                     (unsigned long long)w->more);
    buf_clear(&w->rule);
    buf_puts(&w->rule, "vaka.sources");
    buf_clear(&w->title);
    buf_puts(&w->title, "Many sources are silent, or otherwise not as usual");
    write_line(w, NULL, LEVEL_HIGH, SLICE_NONE, w->now, w->minute, SLICE("began"),
               slice_make(text, (size_t)n));
    *ret = (struct state_alert){.count = 1,
                                .level = LEVEL_HIGH,
                                .time = w->now,
                                .received = w->now,
                                .last_received = w->now,
                                .rule = buf_slice(&w->rule),
                                .title = buf_slice(&w->title),
                                .line = buf_slice(&w->line)};
}

bool source_watch_next(struct source_watch *w, struct state_alert *ret)
{
    struct health_change change;
    if (w->now - w->minute >= MINUTE) {
        if (w->more > 0) {
            fill_more(w, ret);
            w->more = 0;
            return true;
        }
        w->minute = w->now;
        w->alerts = 0;
    }
    while (health_next(w->health, &change)) {
        if (change.muted) continue;
        if (w->alerts == ALERTS_A_MINUTE) {
            w->more++;
            continue;
        }
        w->alerts++;
        fill_alert(w, &change, ret);
        return true;
    }
    return false;
}

/* ---- how it is --------------------------------------------------------------------------- */

static void put_seconds(struct buf *out, const char *key, double seconds, bool known)
{
    json_write_key(out, key);
    if (!known) buf_puts(out, "null");
    else buf_printf(out, "%.0f", seconds);
}

static void put_found(struct buf *out, unsigned found)
{
    json_write_key(out, "found");
    buf_putc(out, '[');
    for (unsigned kind = 0; kind < HEALTH_KIND_COUNT; kind++) {
        if (!(found & 1u << kind)) continue;
        if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
        json_write_string(out, slice_of(health_kind_word(kind)));
    }
    buf_putc(out, ']');
}

static const char *state_of(const struct health_view *v)
{
    if (v->muted) return "muted";
    if (v->found) return "found";
    if (v->resting) return "resting";
    return v->judged ? "well" : "new";
}

static void put_source(struct buf *out, const struct health_view *v)
{
    struct record_source from;
    record_source_read(v->source, &from);
    if (out->ptr[out->len - 1] != '[') buf_putc(out, ',');
    buf_putc(out, '{');
    json_write_member_string(out, "input", from.input);
    json_write_member_string(out, "listener", from.listener);
    json_write_member_string(out, "identity", from.identity);
    json_write_member_string(out, "address", from.address);
    json_write_member_string(out, "state", slice_of(state_of(v)));
    put_found(out, v->found);
    json_write_member_u64(out, "seen", (uint64_t)(v->last / NSEC_PER_SEC));
    put_seconds(out, "silence_s", ceil(v->silence), v->silence > 0);
    put_seconds(out, "hourly", v->records, v->records >= 0);
    put_seconds(out, "clock_s", v->clock, true);
    json_write_key(out, "unread");
    buf_printf(out, "%.4f", v->unread);
    json_write_member_u64(out, "days", v->days);
    buf_putc(out, '}');
}

void source_watch_status(const struct source_watch *w, struct buf *out)
{
    static const char *const names[HEALTH_KIND_COUNT] = {
#define X(id, word, title) "sources_" word,
        HEALTH_KINDS(X)
#undef X
    };
    uint64_t counts[HEALTH_KIND_COUNT] = {0}, judged = 0;
    uint32_t count = health_count(w->health);
    struct health_view view;
    for (uint32_t i = 0; i < count; i++) {
        health_view(w->health, i, &view);
        judged += view.judged;
        for (unsigned kind = 0; kind < HEALTH_KIND_COUNT && !view.muted; kind++)
            counts[kind] += (view.found >> kind) & 1;
    }
    json_write_member_u64(out, "watched_until", w->now > 0 ? (uint64_t)(w->now / NSEC_PER_SEC) : 0);
    json_write_member_u64(out, "sources_watched", count);
    json_write_member_u64(out, "sources_judged", judged);
    json_write_member_u64(out, "sources_unwatched", health_unwatched(w->health));
    for (unsigned kind = 0; kind < HEALTH_KIND_COUNT; kind++)
        json_write_member_u64(out, names[kind], counts[kind]);
    json_write_key(out, "day_off");
    buf_puts(out, health_is_day_off(w->health) ? "true" : "false");
    json_write_key(out, "sources");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < count && i < SOURCES_SHOWN; i++) {
        health_view(w->health, i, &view);
        put_source(out, &view);
    }
    buf_putc(out, ']');
}
