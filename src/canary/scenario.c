/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/scenario.h"

#include <stdlib.h>

#include "base/time.h"

int scenario_init(struct scenario *s)
{
    *s = (struct scenario){.records = calloc(SCENARIO_RECORDS_MAX, sizeof *s->records)};
    if (!s->records) return ERR_NOMEM;
    arena_init(&s->arena, SCENARIO_BYTES_MAX);
    return 0;
}

void scenario_done(struct scenario *s)
{
    free(s->records);
    arena_done(&s->arena);
    *s = (struct scenario){0};
}

/* ---- times ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether `text` begins as `form` says: 0 a digit, anything else itself. */
static bool has_form(struct slice text, const char *form)
{
    size_t n = strlen(form);
    if (text.len < n) return false;
    for (size_t i = 0; i < n; i++)
        if (form[i] == '0' ? !is_digit(text.ptr[i]) : text.ptr[i] != form[i]) return false;
    return true;
}

/* 2026-12-23T21:47:00.123Z, with another zone, or without one: UTC. */
static nsec read_rfc3339(struct slice text)
{
    nsec time;
    size_t end = strlen("2026-12-23T21:47:00");
    while (end < text.len && (is_digit(text.ptr[end]) || strchr(".:+-Z", text.ptr[end]))) end++;
    return time_parse(slice_until(text, end), 0, &time) ? time : TIME_NONE;
}

/* 01/05/2027:17:05:53, of NetScaler, in UTC. */
static nsec read_netscaler(struct slice text)
{
    char form[32];
    nsec time;
    (void)snprintf(form, sizeof form, "%.4s-%.2s-%.2sT%.8sZ", text.ptr + 6, text.ptr, text.ptr + 3,
                   text.ptr + 11);
    return time_parse(slice_of(form), 0, &time) ? time : TIME_NONE;
}

/* eventtime=1795798858539482112, of FortiGate, in ns. */
static nsec read_fortigate(struct slice text)
{
    uint64_t time;
    size_t end = 0;
    while (end < text.len && is_digit(text.ptr[end])) end++;
    return end == 19 && slice_to_u64(slice_until(text, end), &time) && time <= INT64_MAX
               ? (nsec)time
               : TIME_NONE;
}

nsec scenario_time(struct slice line)
{
    static const char eventtime[] = "eventtime=";
    for (size_t i = 0; i < line.len; i++) {
        struct slice rest = slice_from(line, i);
        nsec time = TIME_NONE;
        if (has_form(rest, "0000-00-00T00:00:00")) time = read_rfc3339(rest);
        else if (has_form(rest, "00/00/0000:00:00:00")) time = read_netscaler(rest);
        else if (slice_starts_with(rest, slice_of(eventtime)))
            time = read_fortigate(slice_from(rest, sizeof eventtime - 1));
        if (time != TIME_NONE) return time;
    }
    return TIME_NONE;
}

/* ---- files ------------------------------------------------------------------------------- */

static bool ends_with(struct slice text, const char *end)
{
    size_t n = strlen(end);
    return text.len >= n && memcmp(text.ptr + text.len - n, end, n) == 0;
}

int scenario_add(struct scenario *s, struct slice name, struct slice text)
{
    bool body = ends_with(name, ".ndjson");
    uint32_t first = s->n;
    nsec time = TIME_NONE;
    if ((!body && !ends_with(name, ".log")) || (text.len && text.ptr[0] == '#')) {
        s->left_out++;
        return 0;
    }
    text = arena_dup(&s->arena, text);
    if (arena_error(&s->arena)) return arena_error(&s->arena);
    for (struct slice line; text.len > 0;) {
        (void)slice_split(text, '\n', &line, &text);
        if (slice_trim(line).len == 0) continue;
        if (s->n == SCENARIO_RECORDS_MAX) return ERR_LIMIT;
        nsec own = scenario_time(line);
        bool begins = time == TIME_NONE && own != TIME_NONE;
        if (own != TIME_NONE) time = own;
        /* What stands before the first time is of that. */
        for (uint32_t i = first; begins && i < s->n; i++) s->records[i].at = time;
        s->records[s->n] = (struct scenario_record){
            .at = time, .line = slice_trim(line), .body = body, .order = s->n};
        s->n++;
    }
    /* Without any time it cannot be told when. */
    if (time == TIME_NONE && s->n > first) {
        s->n = first;
        s->left_out++;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct scenario_record *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

int scenario_finish(struct scenario *s)
{
    if (s->n == 0) return ERR_NOT_FOUND;
    qsort(s->records, s->n, sizeof *s->records, by_time);
    return 0;
}

/* ---- pace -------------------------------------------------------------------------------- */

nsec scenario_due(const struct scenario *s, uint32_t number, uint32_t speed)
{
    return (s->records[number].at - s->records[0].at) / (nsec)speed;
}
