/* SPDX-License-Identifier: EUPL-1.2 */
#include <math.h>

#include "health/health.h"

/* Two units at most: "95 s", "14 h 5 min". */
static void put_span(struct buf *out, double span)
{
    static const struct {
        const char *word;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    enum { UNITS = sizeof units / sizeof *units };
    uint64_t whole = span < 1 ? 1 : (uint64_t)llround(span);
    size_t i = 0;
    /* Below two minutes people count in seconds. */
    while (i + 1 < UNITS && (whole < units[i].seconds || (i == UNITS - 2 && whole < 120))) i++;
    buf_printf(out, "%llu %s", (unsigned long long)(whole / units[i].seconds), units[i].word);
    uint64_t rest = whole % units[i].seconds;
    if (i + 1 < UNITS && rest >= units[i + 1].seconds)
        buf_printf(out, " %llu %s", (unsigned long long)(rest / units[i + 1].seconds),
                   units[i + 1].word);
}

static void put_silent(struct buf *out, const struct health_change *c)
{
    buf_puts(out, "usually heard of within ");
    put_span(out, c->usual);
    buf_puts(out, c->ended ? " at that hour, was silent for " : " at this hour, silent for ");
    put_span(out, c->found);
}

static void put_volume(struct buf *out, const struct health_change *c)
{
    buf_printf(out, "usually %.0f records an hour, %s %.0f", c->usual, c->ended ? "were" : "now",
               c->found);
}

static void put_unread(struct buf *out, const struct health_change *c)
{
    buf_printf(out, "usually %.1f %% of its records are not understood, %s %.1f %% of %.0f",
               100 * c->usual, c->ended ? "it was" : "now", 100 * c->found, c->count);
}

static void put_clock(struct buf *out, const struct health_change *c)
{
    buf_puts(out, c->ended ? "its clock was " : "its clock is ");
    put_span(out, fabs(c->found));
    buf_puts(out, c->found > 0 ? " ahead" : " behind, or its records come so late");
    if (fabs(c->usual) < 60) return;
    buf_puts(out, ", beside ");
    put_span(out, fabs(c->usual));
    buf_puts(out, " that are usual");
}

void health_write_why(struct buf *out, const struct health_change *c)
{
    switch (c->kind) {
    case HEALTH_SILENT:
        put_silent(out, c);
        break;
    case HEALTH_VOLUME:
        put_volume(out, c);
        break;
    case HEALTH_UNREAD:
        put_unread(out, c);
        break;
    case HEALTH_CLOCK:
        put_clock(out, c);
        break;
    case HEALTH_GAP:
    case HEALTH_KIND_COUNT:
        buf_printf(out, "%.0f records are missing by its own count", c->count);
        break;
    }
}
