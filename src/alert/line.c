/* SPDX-License-Identifier: EUPL-1.2 */
#include "alert/line.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"

enum {
    LINE_HEAD_MAX = 128,
    LINE_HOST_MAX = 64 * 1024,
    LINE_ENTITY_MAX = 4 * 1024,
    LINE_PLACE_MAX = 1024 * 1024, /* the longest host and source, escaped */
    LINE_TEXTS_MAX = 32 * 1024 * 1024,
};

/* The event as one line of JSON; empty when it is larger than LINE_EVENT_MAX. */
static void compose_event(struct buf *out, struct event *event)
{
    buf_clear(out);
    event_write_json(event, out);
    if (buf_failed(out) || out->len > LINE_EVENT_MAX) {
        buf_clear(out);
        return;
    }
}

static void json_string_or_null(struct buf *out, struct slice s)
{
    if (s.len) json_write_string(out, s);
    else buf_puts(out, "null");
}

static void json_time(struct buf *out, nsec time)
{
    if (time == TIME_NONE) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

/* Sigma's tags name techniques as attack.t1059.001. */
static void json_techniques(struct buf *out, const struct sigma_doc *doc)
{
    bool first = true;
    buf_puts(out, "],\"techniques\":[");
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        char id[16];
        struct slice name = slice_from(doc->tags[i], sizeof "attack." - 1);
        bool is_technique =
            slice_eq_nocase(slice_until(doc->tags[i], sizeof "attack.t" - 1), SLICE("attack.t")) &&
            name.len > 1 && name.len <= sizeof id && name.ptr[1] >= '0' && name.ptr[1] <= '9';
        if (!is_technique) continue;
        memcpy(id, name.ptr, name.len);
        id[0] = 'T';
        if (!first) buf_putc(out, ',');
        first = false;
        json_write_string(out, slice_make(id, name.len));
    }
}

/* "rule":{…} */
static void json_rule(struct buf *out, const struct sigma_doc *doc)
{
    buf_puts(out, "\"rule\":{\"id\":");
    json_string_or_null(out, doc->id);
    buf_puts(out, ",\"title\":");
    json_write_string(out, doc->title);
    buf_puts(out, ",\"level\":");
    json_string_or_null(out, slice_of(sigma_level_name(doc->level)));
    buf_puts(out, ",\"tags\":[");
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        if (i) buf_putc(out, ',');
        json_write_string(out, doc->tags[i]);
    }
    json_techniques(out, doc);
    buf_puts(out, "],\"file\":");
    json_write_string(out, slice_of(doc->file));
    if (doc->respond.sv.len) {
        buf_puts(out, ",\"respond\":{");
        json_write_member_string(out, "sv", doc->respond.sv);
        json_write_member_string(out, "en", doc->respond.en);
        buf_putc(out, '}');
    }
    buf_putc(out, '}');
}

/* {"time":… */
static void json_head(struct buf *out, nsec time)
{
    buf_puts(out, "{\"time\":");
    json_time(out, time);
    buf_putc(out, ',');
}

/* ,"entities":{"user.name":["anna"],…} */
static void json_entities(struct line_writer *w, struct buf *out)
{
    buf_puts(out, ",\"entities\":{");
    for (uint32_t i = 0; i < w->n_entities; i++) {
        const struct taxonomy_entity_value *e = &w->entities[i];
        bool first = i == 0 || !slice_eq(e[-1].name, e->name);
        bool last = i + 1 == w->n_entities || !slice_eq(e[1].name, e->name);
        if (first && i) buf_putc(out, ',');
        if (first) json_write_string(out, e->name);
        buf_puts(out, first ? ":[" : ",");
        json_write_string(out, slice_until(e->value, LINE_ENTITY_MAX));
        if (last) buf_putc(out, ']');
    }
    buf_putc(out, '}');
}

/* ,"received":…,"source":{… of a stored record. */
static void compose_record(struct line_writer *w)
{
    struct record_source from;
    record_source_read(w->record->source, &from);
    buf_puts(&w->where, ",\"received\":");
    json_time(&w->where, w->record->received);
    buf_puts(&w->where, ",\"source\":{\"input\":");
    json_string_or_null(&w->where, from.input);
    buf_puts(&w->where, ",\"listener\":");
    json_string_or_null(&w->where, from.listener);
    buf_puts(&w->where, ",\"identity\":");
    json_string_or_null(&w->where, from.identity);
    buf_puts(&w->where, ",\"address\":");
    json_string_or_null(&w->where, from.address);
    buf_puts(&w->where, ",\"record\":");
    json_write_u64(&w->where, w->seq);
}

/* The alerts' common parts; a file's record number follows `where`. */
static void compose(struct line_writer *w)
{
    w->composed = true;
    buf_clear(&w->when);
    json_head(&w->when, w->time);
    buf_clear(&w->where);
    buf_puts(&w->where, ",\"host\":");
    json_string_or_null(&w->where, slice_until(w->host, LINE_HOST_MAX));
    json_entities(w, &w->where);
    if (w->record) {
        compose_record(w);
    } else {
        buf_puts(&w->where, ",\"source\":{\"file\":");
        json_write_string(&w->where, w->source);
        buf_puts(&w->where, ",\"record\":");
    }
    compose_event(&w->event_json, w->event);
}

static void put_rule(struct line_writer *w, const struct sigma_rule *rule, struct buf *out)
{
    struct slice *text = rule->index < w->n_rules ? &w->rules[rule->index] : NULL;
    if (text && text->ptr) {
        buf_put(out, *text);
        return;
    }
    size_t begin = out->len;
    json_rule(out, rule->doc);
    if (text && !buf_failed(out)) *text = arena_dup(&w->texts, slice_from(buf_slice(out), begin));
}

static size_t json_write_line(struct line_writer *w, const struct engine_hit *hit, struct buf *out)
{
    if (!w->composed) compose(w);
    buf_put(out, buf_slice(&w->when));
    put_rule(w, hit->rule, out);
    buf_put(out, buf_slice(&w->where));
    size_t splice = out->len;
    buf_puts(out, "},\"matched\":");
    engine_write_matched(w->engine, w->event, hit, out);
    buf_puts(out, ",\"event\":");
    if (w->event_json.len) buf_put(out, buf_slice(&w->event_json));
    else buf_puts(out, "null,\"event_omitted\":\"larger than 4 MiB\"");
    if (hit->undetermined) buf_puts(out, ",\"undetermined\":true");
    buf_puts(out, "}\n");
    return splice;
}

/* Whether the same was said by one before it: rules often test one value several times. */
static bool is_repeated(const struct engine_detail *details, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (slice_eq(details[k].field, details[i].field) &&
            slice_eq(details[k].value, details[i].value))
            return true;
    return false;
}

/* " (VALUE: DESCRIPTION)": which indicator it is. */
static void write_indicator(const struct listed_value *v, struct buf *out)
{
    buf_puts(out, " (");
    buf_put(out, slice_until(v->value, LINE_VALUE_MAX));
    if (v->description.len) buf_puts(out, ": ");
    buf_put(out, slice_until(v->description, LINE_VALUE_MAX));
    buf_putc(out, ')');
}

/* "field=value  field=value", for people. */
static void write_details(struct line_writer *w, const struct engine_hit *hit, struct buf *out)
{
    struct engine_detail details[4 * LINE_DETAILS];
    uint32_t n = engine_details(w->engine, w->event, hit, details, 4 * LINE_DETAILS), shown = 0;
    for (uint32_t i = 0; i < n && shown < LINE_DETAILS; i++) {
        if (is_repeated(details, i)) continue;
        if (shown++) buf_puts(out, "  ");
        if (details[i].field.len) {
            buf_put(out, details[i].field);
            buf_putc(out, '=');
        }
        buf_put(out, slice_until(details[i].value, LINE_VALUE_MAX));
        if (details[i].value.len > LINE_VALUE_MAX) buf_puts(out, "…");
        if (details[i].listed) write_indicator(details[i].listed, out);
    }
}

static void csv_head(struct buf *out, nsec time, const struct sigma_doc *doc, struct slice host)
{
    buf_putc(out, '"');
    if (time != TIME_NONE) time_write_rfc3339(out, time);
    buf_puts(out, "\",");
    text_put_csv(out, slice_of(sigma_level_name(doc->level)));
    buf_putc(out, ',');
    text_put_csv(out, host);
    buf_putc(out, ',');
    text_put_csv(out, doc->title);
    buf_putc(out, ',');
    text_put_csv(out, doc->id);
    buf_puts(out, ",\"");
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        if (i) buf_putc(out, ' ');
        /* Tags are the rules' own, but a quote in one must not end the field. */
        for (size_t k = 0; k < doc->tags[i].len; k++) {
            char c = doc->tags[i].ptr[k];
            buf_putc(out, c == '"' || (k == 0 && i == 0 && memchr("=+-@\t\r", c, 6)) ? '_' : c);
        }
    }
    buf_puts(out, "\",");
}

/* Who sent it, as it is known. */
static struct slice sender(const struct record *record)
{
    struct record_source from;
    record_source_read(record->source, &from);
    return from.identity.len ? from.identity : from.address.len ? from.address : from.listener;
}

static size_t csv_write_line(struct line_writer *w, const struct engine_hit *hit, struct buf *out)
{
    csv_head(out, w->time, hit->rule->doc, w->host);
    text_put_csv(out, w->record ? sender(w->record) : w->source);
    buf_putc(out, ',');
    size_t splice = out->len;
    if (w->record) json_write_u64(out, w->seq);
    buf_putc(out, ',');
    struct buf details;
    buf_init(&details, LINE_DETAILS * (3 * LINE_VALUE_MAX + KEY_NAME_MAX + 32));
    write_details(w, hit, &details);
    text_put_csv(out, buf_slice(&details));
    buf_done(&details);
    buf_putc(out, '\n');
    return splice;
}

int line_writer_init(struct line_writer *w, struct engine *engine, enum hunt_format format,
                     uint32_t n_rules)
{
    *w = (struct line_writer){.engine = engine, .format = format};
    buf_init(&w->when, LINE_HEAD_MAX);
    buf_init(&w->where, LINE_PLACE_MAX);
    buf_init(&w->event_json, LINE_EVENT_MAX * 2);
    arena_init(&w->texts, LINE_TEXTS_MAX);
    if (format != HUNT_JSON) return 0;
    w->rules = calloc(n_rules ? n_rules : 1, sizeof *w->rules);
    w->n_rules = w->rules ? n_rules : 0;
    return w->rules ? 0 : ERR_NOMEM;
}

void line_writer_done(struct line_writer *w)
{
    buf_done(&w->when);
    buf_done(&w->where);
    buf_done(&w->event_json);
    free(w->rules);
    arena_done(&w->texts);
    *w = (struct line_writer){0};
}

void line_event(struct line_writer *w, struct event *event, nsec time, struct slice host,
                struct slice source)
{
    w->event = event;
    w->time = time;
    w->host = host;
    w->source = source;
    w->record = NULL;
    w->composed = false;
    w->n_entities = w->format == HUNT_JSON
                        ? router_event_entities(engine_router(w->engine), event, w->entities)
                        : 0;
}

void line_record(struct line_writer *w, struct event *event, nsec time, struct slice host,
                 const struct record *record, uint64_t seq)
{
    line_event(w, event, time, host, SLICE_NONE);
    w->record = record;
    w->seq = seq;
}

void line_omit_event(struct line_writer *w)
{
    buf_clear(&w->event_json);
}

size_t line_write(struct line_writer *w, const struct engine_hit *hit, struct buf *out)
{
    size_t begin = out->len, splice = begin;
    switch (w->format) {
    case HUNT_JSON:
        splice = json_write_line(w, hit, out);
        break;
    case HUNT_CSV:
        splice = csv_write_line(w, hit, out);
        break;
    case HUNT_TABLE:
        write_details(w, hit, out);
        break;
    }
    return splice - begin;
}

void line_write_csv_header(struct buf *out)
{
    buf_puts(out, "time,level,computer,rule,rule_id,tags,file,record,matched\n");
}

const char *line_correlation_type(enum sigma_corr_type type)
{
    switch (type) {
    case CORR_EVENT_COUNT:
        return "event_count";
    case CORR_VALUE_COUNT:
        return "value_count";
    case CORR_TEMPORAL:
        return "temporal";
    case CORR_TEMPORAL_ORDERED:
        return "temporal_ordered";
    case CORR_VALUE_SUM:
        return "value_sum";
    case CORR_VALUE_AVG:
        return "value_avg";
    case CORR_VALUE_PERCENTILE:
        return "value_percentile";
    case CORR_VALUE_MEDIAN:
        return "value_median";
    }
    return "";
}

/* The field that a name of a group stands for: an alias for the first that it names. */
static struct slice field_of_group(const struct sigma_correlation *corr, struct slice name)
{
    for (uint32_t i = 0; i < corr->n_aliases; i++)
        if (slice_eq(corr->aliases[i].name, name) && corr->aliases[i].n_sources > 0)
            return corr->aliases[i].sources[0].field;
    return name;
}

/* ,"host":…,"entities":{…} as far as the group names them. */
static void json_group_entities(struct buf *out, const struct taxonomy *taxonomy,
                                const struct correlator_firing *f)
{
    struct slice host = SLICE_NONE;
    const char *comma = "";
    for (uint32_t i = 0; i < f->n_group && host.len == 0; i++)
        if (taxonomy_names_host(taxonomy, field_of_group(f->rule->corr, f->names[i])))
            host = f->values[i];
    buf_puts(out, ",\"host\":");
    json_string_or_null(out, slice_until(host, LINE_HOST_MAX));
    buf_puts(out, ",\"entities\":{");
    for (uint32_t i = 0; i < f->n_group; i++) {
        struct slice entity =
            taxonomy_entity_of(taxonomy, field_of_group(f->rule->corr, f->names[i]));
        if (entity.len == 0) continue;
        buf_puts(out, comma);
        json_write_string(out, entity);
        buf_puts(out, ":[");
        json_write_string(out, slice_until(f->values[i], LINE_ENTITY_MAX));
        buf_putc(out, ']');
        comma = ",";
    }
    buf_putc(out, '}');
}

static void json_correlation(struct buf *out, const struct taxonomy *taxonomy,
                             const struct correlator_firing *f, const struct line_ref *refs)
{
    json_head(out, f->time);
    json_rule(out, f->rule->doc);
    json_group_entities(out, taxonomy, f);
    buf_puts(out, ",\"source\":null,\"matched\":[],\"event\":null,"
                  "\"correlation\":{\"type\":\"");
    buf_puts(out, line_correlation_type(f->rule->corr->type));
    buf_puts(out, "\",\"count\":");
    json_write_double(out, f->count);
    buf_puts(out, ",\"first\":");
    json_time(out, f->first);
    buf_puts(out, ",\"last\":");
    json_time(out, f->last);
    buf_puts(out, ",\"group\":{");
    for (uint32_t i = 0; i < f->n_group; i++) {
        if (i) buf_putc(out, ',');
        json_write_string(out, f->names[i]);
        buf_putc(out, ':');
        json_write_string(out, f->values[i]);
    }
    buf_puts(out, "},\"records\":[");
    for (uint32_t i = 0; i < f->n_refs; i++) {
        buf_puts(out, i ? ",{" : "{");
        if (refs) {
            buf_puts(out, "\"file\":");
            json_write_string(out, refs[i].source);
            buf_putc(out, ',');
        }
        buf_puts(out, "\"record\":");
        json_write_u64(out, refs ? refs[i].record : f->refs[i]);
        buf_putc(out, '}');
    }
    buf_printf(out, "],\"approximate\":%s}}\n", f->approximate ? "true" : "false");
}

static void write_group(struct buf *out, const struct correlator_firing *f)
{
    buf_printf(out, "%s=", line_correlation_type(f->rule->corr->type));
    json_write_double(out, f->count);
    for (uint32_t i = 0; i < f->n_group; i++) {
        buf_puts(out, "  ");
        buf_put(out, f->names[i]);
        buf_putc(out, '=');
        buf_put(out, slice_until(f->values[i], LINE_VALUE_MAX));
    }
}

void line_write_correlation(struct buf *out, enum hunt_format format,
                            const struct taxonomy *taxonomy, const struct correlator_firing *firing,
                            const struct line_ref *refs)
{
    if (format == HUNT_JSON) {
        json_correlation(out, taxonomy, firing, refs);
        return;
    }
    if (format == HUNT_TABLE) {
        write_group(out, firing);
        return;
    }
    struct buf group;
    buf_init(&group, 1024 * 1024);
    csv_head(out, firing->time, firing->rule->doc, SLICE_NONE);
    buf_puts(out, "\"\",,");
    write_group(&group, firing);
    text_put_csv(out, buf_slice(&group));
    buf_done(&group);
    buf_putc(out, '\n');
}
