/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/awake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"
#include "canary/canary.h"
#include "canary/reach.h"

/* A process that said something about itself once a second, and does not any more. */
#define SILENT (5 * NSEC_PER_SEC)

/* Into both lines, of the same values. */
static void say(struct awake *a, const char *en, const char *sv, ...)
    __attribute__((format(printf, 2, 4), format(printf, 3, 4)));
static void say(struct awake *a, const char *en, const char *sv, ...)
{
    va_list ap;
    va_start(ap, sv);
    (void)vsnprintf(a->en, sizeof a->en, en, ap);
    va_end(ap);
    va_start(ap, sv);
    (void)vsnprintf(a->sv, sizeof a->sv, sv, ap);
    va_end(ap);
}

struct when {
    char text[40];
};

static struct when at(nsec time)
{
    struct when w = {0};
    struct buf out = {.ptr = w.text, .cap = sizeof w.text - 1, .max = sizeof w.text - 1};
    time_write_rfc3339(&out, time - time % NSEC_PER_SEC);
    return w;
}

static void judge(struct awake *a, nsec now)
{
    struct slice r = a->report, why = json_member_text(r, "why");
    nsec every = said_seconds(r, "every"), within = said_seconds(r, "within");
    nsec ago = now > a->proven ? now - a->proven : 0;
    const uint64_t took = json_member_u64(r, "took_ms");
    if (every == 0)
        say(a, "NOT proven: the canary is switched off (canary.every)",
            "INTE bevisat: kontrollsignalen är avstängd (canary.every)");
    else if (!slice_eq(a->broken, SLICE("nothing")))
        say(a, "NOT awake: %.*s is broken since %s: %.*s",
            "INTE VAKEN: %.*s är trasigt sedan %s: %.*s", SLICE_FMT(a->broken), at(a->since).text,
            SLICE_FMT(why));
    else if (a->since == 0 || a->proven == 0)
        say(a, "NOT proven: no record of the canary has gone all the way since the start",
            "INTE bevisat: ingen kontrollsignal har gått hela vägen sedan starten");
    else if (ago > every + 2 * within + SILENT)
        say(a, "NOT proven since %s: the canary's records do not come through",
            "INTE bevisat sedan %s: kontrollsignalen kommer inte fram", at(a->proven).text);
    else if (!slice_eq(json_member(r, "unset"), SLICE("0")))
        say(a,
            "NOT awake: alarms are found since %s (proven %" PRId64 " s ago, in %" PRIu64
            " ms), but nobody can be woken: on-call is not set up",
            "INTE VAKEN: larm hittas sedan %s (bevisat för %" PRId64 " s sedan, på %" PRIu64
            " ms), men ingen kan väckas: beredskapen är inte inställd",
            at(a->since).text, ago / NSEC_PER_SEC, took);
    else {
        a->awake = true;
        say(a,
            "awake since %s: proven %" PRId64 " s ago from a record to the providers, in %" PRIu64
            " ms",
            "vaken sedan %s: bevisat för %" PRId64
            " s sedan från loggpost till leverantörerna, på %" PRIu64 " ms",
            at(a->since).text, ago / NSEC_PER_SEC, took);
    }
}

void awake_read(struct slice report, struct slice oncall, nsec now, struct awake *ret)
{
    struct awake a = {
        .report = report, .oncall = oncall, .broken = json_member_text(report, "broken")};
    struct slice proven = json_member(report, "proven");
    bool unset = !slice_eq(json_member(report, "unset"), SLICE("0"));
    nsec said = said_seconds(report, "now");
    a.since = said_seconds(report, "since");
    a.proven = said_seconds(proven, canary_stage_name(unset ? CANARY_TRIAGE : CANARY_PROVIDER));
    if (said == 0 || now - said > SILENT) {
        a.broken = SLICE_NONE;
        say(&a, "NOT proven: the process of the canary does not answer",
            "INTE bevisat: kontrollsignalens process svarar inte");
    } else {
        judge(&a, now);
    }
    *ret = a;
}

static void put_proven(struct buf *out, struct slice report)
{
    struct slice proven = json_member(report, "proven");
    json_write_key(out, "proven");
    buf_putc(out, '{');
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
        said_put_time(out, canary_stage_name(i), said_seconds(proven, canary_stage_name(i)));
    buf_putc(out, '}');
}

static void put_changes(struct buf *out, struct slice report)
{
    struct json_parts it;
    struct slice name, change, list = json_member(report, "changes");
    json_write_key(out, "changes");
    buf_putc(out, '[');
    if (list.len > 0 && list.ptr[0] == '[') {
        json_parts_init(&it, list);
        for (bool more = false; json_parts_next(&it, &name, &change); more = true) {
            buf_puts(out, more ? ",{" : "{");
            said_put_time(out, "at", said_seconds(change, "at"));
            json_write_key(out, "broken");
            buf_put(out, json_member(change, "broken"));
            json_write_key(out, "why");
            buf_put(out, json_member(change, "why"));
            buf_putc(out, '}');
        }
    }
    buf_putc(out, ']');
}

void awake_write(struct buf *out, const struct awake *a)
{
    buf_putc(out, '{');
    json_write_key(out, "awake");
    buf_puts(out, a->awake ? "true" : "false");
    json_write_key(out, "broken");
    if (a->broken.len) json_write_string(out, a->broken);
    else buf_puts(out, "null");
    said_put_time(out, "since", a->since);
    said_put_time(out, "proven_at", a->proven);
    json_write_key(out, "line");
    buf_putc(out, '{');
    json_write_member_string(out, "sv", slice_of(a->sv));
    json_write_member_string(out, "en", slice_of(a->en));
    buf_putc(out, '}');
    put_proven(out, a->report);
    put_changes(out, a->report);
    json_write_key(out, "watchdog");
    struct slice watchdog = json_member(a->report, "watchdog");
    buf_put(out, watchdog.len ? watchdog : SLICE("null"));
    json_write_key(out, "proof");
    reach_write(out, a->oncall);
    buf_putc(out, '}');
}
