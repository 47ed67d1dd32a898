/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/canary.h"

#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"

/* A stage is passed when all of `sights` were seen. */
static const struct {
    const char *name;
    uint32_t sights;
    enum canary_witness by; /* whose words say what is wrong */
    const char *missing;    /* what is said when he has no words, or did not answer */
} stages[CANARY_STAGE_COUNT] = {
    [CANARY_COLLECT] = {"collect", CANARY_OPENED, CANARY_BY_ITSELF,
                        "a sender's connection is not answered"},
    [CANARY_UNWRAP] = {"unwrap", CANARY_UNWRAPPED, CANARY_BY_ITSELF,
                       "a body of records is not taken apart"},
    [CANARY_STORE] = {"store", CANARY_STORED, CANARY_BY_ITSELF, "a record is not acknowledged"},
    [CANARY_ENGINE] = {"engine", CANARY_MATCHED, CANARY_BY_DETECT,
                       "a record that was stored is not matched"},
    [CANARY_CORRELATE] = {"correlate", CANARY_CORRELATED, CANARY_BY_DETECT,
                          "what was matched is not correlated"},
    [CANARY_TRIAGE] = {"triage", CANARY_KEPT, CANARY_BY_TRIAGE,
                       "an alert is not kept, or not handed over"},
    [CANARY_ONCALL] = {"oncall", CANARY_HANDED | CANARY_ATTEMPTED, CANARY_BY_ONCALL,
                       "what was handed over is not tried"},
    [CANARY_NOTIFY] = {"notify", CANARY_ASKED, CANARY_BY_NOTIFY, "providers are not asked"},
    [CANARY_PROVIDER] = {"provider", CANARY_WOULD_SEND, CANARY_BY_NOTIFY,
                         "a provider would not send"},
};

static const char nothing[] = "nothing";

const char *canary_stage_name(unsigned stage)
{
    if (stage == CANARY_NOTHING) return nothing;
    return stage < CANARY_STAGE_COUNT ? stages[stage].name : "?";
}

void canary_init(struct canary *c, const struct canary_options *options, uint64_t number)
{
    *c = (struct canary){
        .options = *options, .number = number, .doubt = CANARY_NOTHING, .broken = CANARY_NOTHING};
}

/* ---- a probe ----------------------------------------------------------------------------- */

bool canary_is_due(const struct canary *c, nsec now)
{
    if (c->running) return false;
    /* What has failed once is tried again at once. */
    return c->begun == 0 || c->doubt != CANARY_NOTHING || now - c->begun >= c->options.every;
}

uint64_t canary_begin(struct canary *c, nsec now, nsec realtime)
{
    c->number++;
    c->running = true;
    c->begun = now;
    c->begun_at = realtime;
    c->sights = 0;
    memset(c->heard, 0, sizeof c->heard);
    memset(c->wrong, 0, sizeof c->wrong);
    return c->number;
}

void canary_saw(struct canary *c, uint64_t number, enum canary_witness who, uint32_t sights,
                struct slice wrong)
{
    if (!c->running || number != c->number) return;
    c->heard[who] = true;
    c->sights |= sights;
    (void)snprintf(c->wrong[who], sizeof c->wrong[who], "%.*s",
                   (int)(wrong.len < CANARY_TEXT_MAX ? wrong.len : CANARY_TEXT_MAX - 1),
                   wrong.ptr ? wrong.ptr : "");
}

/* ---- the verdict ------------------------------------------------------------------------- */

static bool saw(const struct canary *c, uint32_t sights)
{
    return (c->sights & sights) == sights;
}

static bool is_passed(const struct canary *c, enum canary_stage stage)
{
    return saw(c, stages[stage].sights);
}

enum canary_stage canary_last(const struct canary *c)
{
    return saw(c, CANARY_UNSET) ? CANARY_TRIAGE : CANARY_STAGE_COUNT - 1;
}

/*
 * In the order of the way, but for three: a body is answered when its records are stored, so that
 * unwrap cannot be told from a store that is broken; the process that counts correlations has the
 * engines, so that nothing is heard of these when it is that one which does not answer; and an
 * oncall that answers is not to blame for what triage has not handed over.
 */
enum canary_stage canary_first_missing(const struct canary *c)
{
    if (!is_passed(c, CANARY_COLLECT)) return CANARY_COLLECT;
    if (!is_passed(c, CANARY_STORE)) return CANARY_STORE;
    if (!c->heard[CANARY_BY_DETECT] && is_passed(c, CANARY_UNWRAP)) return CANARY_CORRELATE;
    for (unsigned i = 0; i <= canary_last(c); i++) {
        if (is_passed(c, i)) continue;
        bool not_handed =
            i == CANARY_ONCALL && c->heard[CANARY_BY_ONCALL] && !saw(c, CANARY_HANDED);
        return not_handed ? CANARY_TRIAGE : i;
    }
    return CANARY_NOTHING;
}

struct slice canary_why(const struct canary *c, enum canary_stage stage)
{
    if (stage >= CANARY_NOTHING) return SLICE_NONE;
    const char *wrong = c->wrong[stages[stage].by];
    return slice_of(wrong[0] ? wrong : stages[stage].missing);
}

static void remember(struct canary *c, struct slice why, nsec at)
{
    if (c->n_changes == CANARY_CHANGES_MAX) {
        memmove(c->changes, c->changes + 1, (CANARY_CHANGES_MAX - 1) * sizeof *c->changes);
        c->n_changes--;
    }
    struct canary_change *change = &c->changes[c->n_changes++];
    change->at = at;
    change->stage = c->broken;
    (void)snprintf(change->text, sizeof change->text, "%.*s", SLICE_FMT(why));
}

/* True: it was another one. */
static bool decide(struct canary *c, enum canary_stage stage, nsec at)
{
    if (c->since && c->broken == stage) return false;
    if (stage == CANARY_NOTHING) c->outage = 0;
    else if (c->outage == 0) c->outage = (uint64_t)at;
    c->broken = (uint8_t)stage;
    c->since = at;
    remember(c, canary_why(c, stage), at);
    return true;
}

static void note_proof(struct canary *c, enum canary_stage missing)
{
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
        if (i < missing && is_passed(c, i)) c->proven[i] = c->begun_at;
}

bool canary_judge(struct canary *c, nsec now, nsec realtime)
{
    if (!c->running) return false;
    enum canary_stage missing = canary_first_missing(c);
    bool late = now - c->begun >= c->options.within;
    if (missing != CANARY_NOTHING && !late) return false;
    c->running = false;
    note_proof(c, missing);
    if (missing == CANARY_NOTHING) {
        c->passed++;
        c->took = now - c->begun;
        c->doubt = CANARY_NOTHING;
        c->unset = saw(c, CANARY_UNSET);
        return decide(c, CANARY_NOTHING, realtime);
    }
    c->failed++;
    /* What gets well while a probe is under way fails it at a stage behind. */
    bool again = c->broken == CANARY_NOTHING ? c->doubt != CANARY_NOTHING : c->doubt == missing;
    c->doubt = (uint8_t)missing;
    return again && decide(c, missing, realtime);
}

/* ---- what survives a start --------------------------------------------------------------- */

void canary_write(struct buf *out, const struct canary *c)
{
    buf_putc(out, '{');
    json_write_member_u64(out, "number", c->number);
    json_write_member_string(out, "broken", slice_of(canary_stage_name(c->broken)));
    json_write_member_u64(out, "outage", c->outage);
    json_write_member_u64(out, "since", (uint64_t)c->since);
    json_write_key(out, "proven");
    buf_putc(out, '{');
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++)
        json_write_member_u64(out, stages[i].name, (uint64_t)c->proven[i]);
    buf_puts(out, "}");
    json_write_key(out, "changes");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < c->n_changes; i++) {
        if (i) buf_putc(out, ',');
        buf_putc(out, '{');
        json_write_member_u64(out, "at", (uint64_t)c->changes[i].at);
        json_write_member_string(out, "stage", slice_of(canary_stage_name(c->changes[i].stage)));
        json_write_member_string(out, "text", slice_of(c->changes[i].text));
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

static bool read_u64(struct slice object, const char *name, uint64_t *ret)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value) && slice_to_u64(value, ret) &&
           *ret <= INT64_MAX;
}

static bool read_stage(struct slice object, const char *name, uint8_t *ret)
{
    struct slice value, word;
    if (!json_find_member(object, name, NULL, &value) || !json_string_inside(value, &word))
        return false;
    for (unsigned i = 0; i <= CANARY_STAGE_COUNT; i++) {
        if (!slice_eq(word, slice_of(canary_stage_name(i)))) continue;
        *ret = (uint8_t)i;
        return true;
    }
    return false;
}

static bool read_text(struct slice object, const char *name, char ret[CANARY_TEXT_MAX])
{
    struct slice value;
    struct buf text;
    buf_init(&text, CANARY_TEXT_MAX - 1);
    bool good = json_find_member(object, name, NULL, &value) && json_string_text(value, &text);
    if (good) (void)snprintf(ret, CANARY_TEXT_MAX, "%.*s", SLICE_FMT(buf_slice(&text)));
    buf_done(&text);
    return good;
}

static bool read_changes(struct slice object, struct canary *c)
{
    struct slice list, name, value;
    struct json_parts it;
    if (!json_find_member(object, "changes", NULL, &list) || list.ptr[0] != '[') return false;
    json_parts_init(&it, list);
    for (c->n_changes = 0; json_parts_next(&it, &name, &value); c->n_changes++) {
        uint64_t at;
        if (c->n_changes == CANARY_CHANGES_MAX || !json_is_object(value)) return false;
        struct canary_change *change = &c->changes[c->n_changes];
        if (!read_u64(value, "at", &at) || !read_stage(value, "stage", &change->stage) ||
            !read_text(value, "text", change->text))
            return false;
        change->at = (nsec)at;
    }
    return true;
}

int canary_read(struct canary *c, struct slice text, nsec realtime)
{
    struct canary read = *c;
    struct slice proven;
    uint64_t since, at;
    if (!json_is_object(text) || !read_u64(text, "number", &read.number) ||
        !read_stage(text, "broken", &read.broken) || !read_u64(text, "outage", &read.outage) ||
        !read_u64(text, "since", &since) || !json_find_member(text, "proven", NULL, &proven) ||
        !json_is_object(proven) || !read_changes(text, &read))
        return ERR_SYNTAX;
    for (unsigned i = 0; i < CANARY_STAGE_COUNT; i++) {
        if (!read_u64(proven, stages[i].name, &at)) return ERR_SYNTAX;
        read.proven[i] = (nsec)at;
    }
    nsec last = read.proven[CANARY_TRIAGE];
    bool lately = realtime >= last && realtime - last < c->options.every + 2 * c->options.within;
    read.since = lately || read.broken != CANARY_NOTHING ? (nsec)since : 0;
    *c = read;
    return 0;
}
