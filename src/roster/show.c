/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/show.h"

#include "base/json_write.h"
#include "roster/compose.h"

enum { TEXT_MAX = 4096 };

void show_time(struct buf *out, const char *name, nsec time)
{
    json_write_key(out, name);
    if (time == TIME_NONE || time == INT64_MAX) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static void show_minutes(struct buf *out, const char *name, nsec span)
{
    json_write_member_u64(out, name, (uint64_t)(span / (60 * NSEC_PER_SEC)));
}

static void begin_item(struct buf *out, bool first)
{
    buf_puts(out, first ? "{" : ",{");
}

static void show_breach(const struct roster *r, const struct rest_breach *b, struct buf *out)
{
    static const char *const rules[] = {
        [REST_DAILY] = "daily-rest", [REST_WEEKLY] = "weekly-rest", [REST_JOUR] = "jour"};
    struct buf text;
    buf_init(&text, TEXT_MAX);
    json_write_member_string(out, "rule", slice_of(rules[b->rule]));
    json_write_member_string(out, "person", b->person->id);
    show_time(out, "from", b->from);
    show_time(out, "until", b->until);
    show_minutes(out, "got", b->got);
    show_minutes(out, "limit", b->limit);
    json_write_member_string(out, "law", b->law);
    for (int english = 0; english < 2; english++) {
        buf_clear(&text);
        rest_write_breach(r, b, english, &text);
        json_write_member_string(out, english ? "en" : "sv", buf_slice(&text));
    }
    buf_done(&text);
}

void show_breaches(const struct roster *r, const struct rest_breaches *breaches, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < breaches->n; i++) {
        begin_item(out, i == 0);
        show_breach(r, &breaches->items[i], out);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

static void show_moved(const struct roster_moved *m, struct buf *out)
{
    json_write_member_string(out, "team", m->team->id);
    json_write_member_string(out, "person", m->person->id);
    show_time(out, "from", m->from);
    show_time(out, "until", m->until);
}

void show_moves(const struct roster_moves *moves, struct buf *out)
{
    buf_putc(out, '[');
    for (uint32_t i = 0; i < moves->n; i++) {
        begin_item(out, i == 0);
        show_moved(&moves->items[i], out);
        json_write_key(out, "gained");
        buf_puts(out, moves->items[i].gained ? "true}" : "false}");
    }
    buf_putc(out, ']');
}

void show_owed(const struct roster *r, const struct roster_person *person,
               const struct rest_owed *owed, struct buf *out)
{
    buf_putc(out, '{');
    json_write_member_string(out, "person", person->id);
    show_minutes(out, "owed", owed->owed);
    json_write_member_u64(out, "days", owed->days);
    json_write_key(out, "at_once");
    buf_puts(out, owed->at_once ? "true" : "false");
    show_time(out, "begins", owed->begins);
    show_time(out, "earliest", owed->earliest);
    json_write_key(out, "shift");
    if (owed->shift.team) {
        buf_putc(out, '{');
        show_moved(&owed->shift, out);
        buf_putc(out, '}');
    } else {
        buf_puts(out, "null");
    }
    json_write_key(out, "instead");
    if (owed->instead) json_write_string(out, owed->instead->id);
    else buf_puts(out, "null");
    buf_putc(out, '}');
}
