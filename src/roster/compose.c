/* SPDX-License-Identifier: EUPL-1.2 */
#include "roster/compose.h"

void compose_time(const struct roster *r, nsec time, bool english, struct buf *out)
{
    static const char *const days[][2] = {{"mån", "Mon"},  {"tis", "Tue"}, {"ons", "Wed"},
                                          {"tors", "Thu"}, {"fre", "Fri"}, {"lör", "Sat"},
                                          {"sön", "Sun"}};
    buf_puts(out, days[calendar_weekday(calendar_day_of(r->zone, time))][english]);
    buf_putc(out, ' ');
    roster_write_time(r, time, out);
}

void compose_span(nsec span, struct buf *out)
{
    long minutes = (long)(span / (60 * NSEC_PER_SEC));
    if (minutes % 60) buf_printf(out, "%ld h %ld min", minutes / 60, minutes % 60);
    else buf_printf(out, "%ld h", minutes / 60);
}

static void write_shift(const struct roster *r, const struct roster_team *team, nsec from,
                        nsec until, bool english, struct buf *out)
{
    buf_put(out, team->name);
    buf_puts(out, ", ");
    compose_time(r, from, english, out);
    buf_puts(out, " – ");
    compose_time(r, until, english, out);
    buf_putc(out, '\n');
}

bool compose_moves(const struct roster *r, const struct roster_person *person,
                   const struct roster_moves *moves, struct buf *subject, struct buf *text)
{
    bool english = person->english, any = false;
    for (uint32_t i = 0; i < moves->n; i++) {
        const struct roster_moved *m = &moves->items[i];
        if (!slice_eq(m->person->id, person->id)) continue;
        if (m->gained) buf_puts(text, english ? "New: " : "Nytt pass: ");
        else buf_puts(text, english ? "No longer yours: " : "Inte längre ditt: ");
        write_shift(r, m->team, m->from, m->until, english, text);
        any = true;
    }
    if (any) buf_puts(subject, english ? "Your shifts have changed" : "Dina pass har ändrats");
    return any;
}

int compose_digest(const struct roster *r, const struct roster_person *person, nsec from,
                   nsec until, struct arena *arena, struct buf *subject, struct buf *text,
                   bool *ret_any)
{
    bool english = person->english, any = false;
    int error = 0;
    for (uint32_t i = 0; i < r->n_teams && error == 0; i++) {
        struct roster_shifts shifts = {0};
        error = roster_schedule(r, &r->teams[i], from, until, arena, &shifts);
        for (uint32_t k = 0; k < shifts.n; k++) {
            const struct roster_shift *s = &shifts.items[k];
            if (s->person != person) continue;
            write_shift(r, &r->teams[i], s->from, s->until, english, text);
            any = true;
        }
    }
    if (any) buf_puts(subject, english ? "Your shifts to come" : "Dina kommande pass");
    *ret_any = any;
    return error;
}

void compose_owed(const struct roster *r, const struct roster_person *person,
                  const struct rest_owed *owed, struct buf *subject, struct buf *text)
{
    bool english = person->english;
    buf_puts(subject, english ? "Rest owed: " : "Vila att återlämna: ");
    compose_span(owed->owed, subject);
    buf_puts(text, english ? "Work and shifts begin again at the earliest "
                           : "Arbete och pass börjar igen tidigast ");
    compose_time(r, owed->earliest, english, text);
    buf_puts(text, ".\n");
    if (!owed->shift.team) return;
    buf_puts(text, english ? "Before that you have: " : "Före dess har du: ");
    write_shift(r, owed->shift.team, owed->shift.from, owed->shift.until, english, text);
    if (!owed->instead) return;
    buf_puts(text, english ? "Could take it: " : "Kan ta det: ");
    buf_put(text, owed->instead->name);
    buf_putc(text, '\n');
}
