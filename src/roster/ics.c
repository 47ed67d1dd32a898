/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/ics.h"

#include "base/hash.h"

enum { LINE_MAX_BYTES = 75, TEXT_MAX = 4096, ARENA_MAX = 64 * 1024 * 1024 };

/* A content line: folded at 75 bytes, never within a character (3.1). */
static void put_line(struct buf *out, struct slice line)
{
    size_t room = LINE_MAX_BYTES;
    while (line.len > room) {
        size_t cut = room;
        while (cut > 1 && ((unsigned char)line.ptr[cut] & 0xc0) == 0x80) cut--;
        buf_put(out, slice_until(line, cut));
        buf_puts(out, "\r\n ");
        line = slice_from(line, cut);
        room = LINE_MAX_BYTES - 1;
    }
    buf_put(out, line);
    buf_puts(out, "\r\n");
}

/* 3.3.11: what means something else is escaped. */
static void put_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\;,", text.ptr[i])) buf_putc(out, '\\');
        buf_putc(out, text.ptr[i]);
    }
}

static void put_time(struct buf *line, nsec time)
{
    struct civil_time c;
    time_to_civil(time, &c);
    buf_printf(line, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
               c.second);
}

struct writing {
    const struct roster *r;
    const struct roster_person *person;
    nsec now;
    struct buf *out, line;
    int error; /* of a line */
};

/* The line that was put together. */
static void end_line(struct writing *w)
{
    if (buf_failed(&w->line)) w->error = buf_error(&w->line);
    put_line(w->out, buf_slice(&w->line));
    buf_clear(&w->line);
}

static void put_stamp(struct writing *w, const char *name, nsec time)
{
    buf_printf(&w->line, "%s:", name);
    put_time(&w->line, time);
    end_line(w);
}

static void write_shift(struct writing *w, const struct roster_team *team,
                        const struct roster_shift *s)
{
    uint64_t id = hash_mix(hash64(s->person->id), hash64(team->id));
    put_line(w->out, SLICE("BEGIN:VEVENT"));
    buf_printf(&w->line, "UID:%016llx-", (unsigned long long)id);
    put_time(&w->line, s->from);
    buf_puts(&w->line, "@vaka");
    end_line(w);
    put_stamp(w, "DTSTAMP", w->now);
    put_stamp(w, "DTSTART", s->from);
    put_stamp(w, "DTEND", s->until);
    buf_puts(&w->line, "SUMMARY:");
    put_text(&w->line, team->name);
    if (!w->person) {
        buf_puts(&w->line, ": ");
        put_text(&w->line, s->person->name);
    }
    end_line(w);
    put_line(w->out, SLICE("TRANSP:TRANSPARENT"));
    put_line(w->out, SLICE("END:VEVENT"));
}

static int write_team(struct writing *w, const struct roster_team *team, nsec from, nsec until,
                      struct arena *arena)
{
    struct roster_shifts shifts = {0};
    int error = roster_schedule(w->r, team, from, until, arena, &shifts);
    for (uint32_t i = 0; i < shifts.n; i++) {
        const struct roster_shift *s = &shifts.items[i];
        if (s->person && (!w->person || s->person == w->person)) write_shift(w, team, s);
    }
    return error;
}

int ics_write(const struct roster *r, const struct roster_team *team,
              const struct roster_person *person, nsec from, nsec until, nsec now, struct buf *out)
{
    struct writing w = {.r = r, .person = person, .now = now, .out = out};
    struct arena arena;
    int error = 0;
    arena_init(&arena, ARENA_MAX);
    buf_init(&w.line, TEXT_MAX);
    put_line(out, SLICE("BEGIN:VCALENDAR"));
    put_line(out, SLICE("VERSION:2.0"));
    put_line(out, SLICE("PRODID:-//Vaka//On-call//EN"));
    put_line(out, SLICE("METHOD:PUBLISH"));
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++)
        if (!team || team == &r->teams[i])
            error = write_team(&w, &r->teams[i], from, until, &arena);
    put_line(out, SLICE("END:VCALENDAR"));
    if (error == 0) error = w.error ? w.error : buf_error(out);
    buf_done(&w.line);
    arena_done(&arena);
    return error;
}
