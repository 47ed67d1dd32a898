/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>
#include <sys/random.h>

#include "alert/line.h"
#include "base/hash.h"
#include "serve/detect.h"

enum { EXERCISE_STATE = 16 * 1024 * 1024 }; /* bytes */

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    const struct sigma_doc *doc = f->rule->doc;
    unsigned marks = ruleset_is_canary(doc->id) ? RECORD_MARK_CANARY
                     : c->of_exercise           ? RECORD_MARK_EXERCISE
                                                : 0;
    struct buf group;
    if (f->rule->silent || c->replaying) return;
    buf_clear(&c->line);
    line_write_correlation(&c->line, HUNT_JSON, c->rules.taxonomy, f, NULL);
    buf_init(&group, 64 * 1024);
    for (uint32_t i = 0; i < f->n_group; i++) {
        if (i) buf_putc(&group, '\t');
        buf_put(&group, f->values[i]);
    }
    detect_pass_alert(r,
                      &(struct say_alert){.seq = f->n_refs ? f->refs[0] : c->next,
                                          .last_seq = f->n_refs ? f->refs[f->n_refs - 1] : c->next,
                                          .count = 1,
                                          .level = (uint8_t)doc->level,
                                          .time = f->time,
                                          .received = f->time,
                                          .marks = (uint8_t)marks,
                                          .rule = detect_rule_id(doc),
                                          .title = doc->title,
                                          .entity = buf_slice(&group),
                                          .line = buf_slice(&c->line)});
    buf_done(&group);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    c->refused_correlations++;
    log_write(LOG_CORRELATION_REFUSED, LOG_TEXT("rule", rule->doc->title),
              LOG_TEXT("why", slice_of(why)));
}

static int make(struct role *r, size_t max_bytes,
                void (*refused)(void *ctx, const struct sigma_corr_rule *rule, const char *why),
                struct correlator **ret)
{
    const struct detect_ctx *c = r->ctx;
    struct correlator_options options = {.max_bytes = max_bytes, .at_once = true};
    const struct correlator_out out = {.ctx = r, .firing = on_firing, .refused = refused};
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    *ret = correlator_new(c->rules.set, &options, &out);
    return *ret ? 0 : ERR_NOMEM;
}

int detect_make_correlator(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    correlator_free(c->correlator);
    correlator_free(c->exercise);
    c->correlator = c->exercise = NULL;
    c->correlated = 0;
    c->refused_correlations = 0;
    return make(r, r->config.correlation_state, on_refused, &c->correlator);
}

/* What an exercise leads to is counted apart, and not over an end of this process. */
static int push_exercise(struct role *r, const struct correlator_tuple *tuple)
{
    struct detect_ctx *c = r->ctx;
    int error = c->exercise ? 0 : make(r, EXERCISE_STATE, NULL, &c->exercise);
    if (error) return error;
    c->of_exercise = true;
    error = correlator_push(c->exercise, tuple);
    c->of_exercise = false;
    return error;
}

/* How long correlations remember, and what each rule's tuples are made of. */
int detect_learn_correlations(struct detect_ctx *c)
{
    const struct sigma_set *set = c->rules.set;
    c->names = calloc(set->n_rules + 1u, sizeof *c->names);
    if (!c->names) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_correlations; i++) {
        nsec span = set->correlations[i]->corr->timespan;
        /* Twice: a window may have begun when the one before it ended. */
        if (span < INT64_MAX / 4 && 2 * span > c->memory) c->memory = 2 * span;
    }
    for (uint32_t i = 0; i < set->n_rules && c->correlator; i++) {
        struct correlator_wants wants;
        correlator_wants(c->correlator, i, &wants);
        for (uint32_t k = 0; k < wants.n_fields; k++)
            c->names[i] = hash_mix(c->names[i], hash64(wants.fields[k])) >> 1;
    }
    return 0;
}

/* What was told before the start: for the rule of that id, when it still wants the same of a
 * record. */
int detect_take_kept(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    const struct sigma_set *set = c->rules.set;
    struct say_kept m;
    struct correlator_tuple tuple;
    if (say_kept_read(frame->payload, &m) != 0 || c->begun) return ERR_CORRUPT;
    if (!c->correlator) return 0;
    c->replaying = true;
    uint32_t i = 0;
    while (i < set->n_rules && !slice_eq(detect_rule_id(set->rules[i]->doc), m.rule)) i++;
    bool known = i < set->n_rules && c->names[i] == m.names &&
                 correlator_tuple_read(m.body, c->values, CORRELATOR_FIELDS_MAX, &tuple) == 0;
    tuple.rule = i;
    if (known && correlator_push(c->correlator, &tuple) == 0) c->replayed++;
    else c->forgotten++;
    return 0;
}

int detect_take_tuple(struct detect_ctx *c, const struct frame *frame)
{
    struct say_tuple m;
    if (!c->correlator || say_tuple_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    uint32_t len = (uint32_t)m.body.len;
    buf_putc(&c->tuples, (char)m.marks);
    buf_put(&c->tuples, slice_make(&len, sizeof len));
    buf_put(&c->tuples, m.body);
    return buf_error(&c->tuples);
}

/* To the correlator, and to triage for the next start. */
void detect_push_tuples(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    for (struct slice rest = buf_slice(&c->tuples); rest.len > 0;) {
        uint32_t len;
        bool exercise = (rest.ptr[0] & RECORD_MARK_EXERCISE) != 0;
        memcpy(&len, rest.ptr + 1, sizeof len);
        struct correlator_tuple tuple;
        struct slice body = slice_until(slice_from(rest, 1 + sizeof len), len);
        rest = slice_from(rest, 1 + sizeof len + len);
        /* An engine forked from here makes none that is not valid; one that was taken over may. */
        if (correlator_tuple_read(body, c->values, CORRELATOR_FIELDS_MAX, &tuple) != 0 ||
            (exercise ? push_exercise(r, &tuple) : correlator_push(c->correlator, &tuple)) != 0) {
            c->odd_tuples++;
            continue;
        }
        if (exercise || !link_is_open(link)) continue;
        say_kept_write(link_out(link), &(struct say_kept){.rule = detect_rule_id(
                                                              c->rules.set->rules[tuple.rule]->doc),
                                                          .names = c->names[tuple.rule],
                                                          .time = tuple.time,
                                                          .body = body});
    }
    buf_clear(&c->tuples);
}

void detect_end_windows_at(struct detect_ctx *c, nsec time)
{
    if (time <= c->correlated) return;
    c->correlated = time;
    correlator_advance(c->correlator, time);
    if (!c->exercise) return;
    c->of_exercise = true;
    correlator_advance(c->exercise, time);
    c->of_exercise = false;
}

/* Windows end by the clock when nothing comes. */
void detect_end_windows(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    bool idle = c->begun && c->next == c->durable.next && c->tuples.len == 0;
    if (!c->correlator || !idle || !link_is_open(link)) return;
    detect_end_windows_at(c, clock_realtime(&r->clock) - DETECT_CLOCK_BEHIND * NSEC_PER_SEC);
    say_advance_write(link_out(link), &(struct say_advance){.next = c->next,
                                                            .correlated = c->correlated,
                                                            .horizon = c->correlated - c->memory});
    link_flush(link);
}
