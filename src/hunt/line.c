/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/line.h"

#include "base/json_write.h"
#include "hunt/text.h"

/* Drops white space between the tokens of JSON text, in place; strings are left alone. */
static size_t json_one_line(char *text, size_t len)
{
    size_t to = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\' && i + 1 < len) text[to++] = text[i++];
            if (c == '"') in_string = false;
            c = text[i];
            /* Raw line feeds in strings are not JSON, but a line must stay one. */
            if (c == '\n' || c == '\r') c = ' ';
        } else {
            if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
            if (c == '"') in_string = true;
        }
        text[to++] = c;
    }
    return to;
}

struct slice line_event_json(struct buf *out, struct event *event)
{
    buf_clear(out);
    event_write_json(event, out);
    if (buf_failed(out) || out->len > LINE_EVENT_MAX) {
        buf_clear(out);
        return SLICE_NONE;
    }
    struct slice text = buf_slice(out);
    if (slice_find_byte(text, '\n') != SIZE_MAX || slice_find_byte(text, '\r') != SIZE_MAX)
        out->len = json_one_line(out->ptr, out->len);
    return buf_slice(out);
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

/* {"time":…,"rule":{…} */
static void json_head(struct buf *out, nsec time, const struct sigma_doc *doc)
{
    buf_puts(out, "{\"time\":");
    json_time(out, time);
    buf_puts(out, ",\"rule\":{\"id\":");
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
    buf_puts(out, "],\"file\":");
    json_write_string(out, slice_of(doc->file));
    buf_putc(out, '}');
}

static size_t json_write_line(struct buf *out, const struct line_alert *a)
{
    json_head(out, a->time, a->hit->rule->doc);
    buf_puts(out, ",\"host\":");
    json_string_or_null(out, a->host);
    buf_puts(out, ",\"source\":{\"file\":");
    json_write_string(out, a->source);
    buf_puts(out, ",\"record\":");
    size_t splice = out->len;
    buf_puts(out, "},\"matched\":");
    engine_write_matched(a->engine, a->event, a->hit, out);
    buf_puts(out, ",\"event\":");
    if (a->event_json.len) buf_put(out, a->event_json);
    else buf_puts(out, "null,\"event_omitted\":\"larger than 4 MiB\"");
    if (a->hit->undetermined) buf_puts(out, ",\"undetermined\":true");
    buf_puts(out, "}\n");
    return splice;
}

/* "field=value  field=value", for people. */
static void write_details(struct buf *out, const struct line_alert *a)
{
    struct engine_detail details[LINE_DETAILS];
    uint32_t n = engine_details(a->engine, a->event, a->hit, details, LINE_DETAILS);
    for (uint32_t i = 0; i < n; i++) {
        if (i) buf_puts(out, "  ");
        if (details[i].field.len) {
            buf_put(out, details[i].field);
            buf_putc(out, '=');
        }
        buf_put(out, slice_until(details[i].value, LINE_VALUE_MAX));
        if (details[i].value.len > LINE_VALUE_MAX) buf_puts(out, "…");
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

static size_t csv_write_line(struct buf *out, const struct line_alert *a)
{
    csv_head(out, a->time, a->hit->rule->doc, a->host);
    text_put_csv(out, a->source);
    buf_putc(out, ',');
    size_t splice = out->len;
    buf_putc(out, ',');
    struct buf details;
    buf_init(&details, LINE_DETAILS * (LINE_VALUE_MAX + KEY_NAME_MAX + 16));
    write_details(&details, a);
    text_put_csv(out, buf_slice(&details));
    buf_done(&details);
    buf_putc(out, '\n');
    return splice;
}

size_t line_write(struct buf *out, enum hunt_format format, const struct line_alert *alert)
{
    size_t begin = out->len, splice = begin;
    switch (format) {
    case HUNT_JSON:
        splice = json_write_line(out, alert);
        break;
    case HUNT_CSV:
        splice = csv_write_line(out, alert);
        break;
    case HUNT_TABLE:
        write_details(out, alert);
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

static void json_correlation(struct buf *out, const struct correlator_firing *f,
                             const struct line_ref *refs)
{
    json_head(out, f->time, f->rule->doc);
    buf_puts(out, ",\"host\":null,\"source\":null,\"matched\":[],\"event\":null,"
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
        buf_puts(out, i ? ",{\"file\":" : "{\"file\":");
        json_write_string(out, refs[i].source);
        buf_puts(out, ",\"record\":");
        json_write_u64(out, refs[i].record);
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
                            const struct correlator_firing *firing, const struct line_ref *refs)
{
    if (format == HUNT_JSON) {
        json_correlation(out, firing, refs);
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
