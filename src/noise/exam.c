/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/exam.h"

#include <stdlib.h>

#include "detect/correlate/correlate.h"
#include "noise/events.h"

struct exam {
    const struct ruleset *rules;
    struct matcher matcher;
    struct slice values[CORRELATOR_FIELDS_MAX];
    /* Of the test at hand. */
    struct exam_subject subject;
    struct correlator *correlator;
    bool fired, elsewhere;
    uint64_t events;
};

struct exam *exam_new(const struct ruleset *rules, const struct engine_options *options)
{
    struct exam *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->rules = rules;
    if (matcher_init(&x->matcher, rules, options) == 0) return x;
    free(x);
    return NULL;
}

void exam_free(struct exam *x)
{
    if (!x) return;
    matcher_done(&x->matcher);
    free(x);
}

/* What the correlations that refer to the rule are told. */
static int push(struct exam *x, struct event *ev, const struct sigma_rule *rule)
{
    struct engine *engine = x->matcher.engine;
    struct correlator_wants wants;
    correlator_wants(x->correlator, rule->index, &wants);
    if (!wants.wanted) return 0;
    for (uint32_t k = 0; k < wants.n_fields; k++)
        if (!engine_field(engine, ev, rule, wants.fields[k], &x->values[k]))
            x->values[k] = SLICE_NONE;
    return correlator_push(x->correlator, &(struct correlator_tuple){
                                              .rule = rule->index,
                                              .time = router_event_time(engine_router(engine), ev),
                                              .ref = x->events,
                                              .values = x->values,
                                              .n_values = wants.n_fields});
}

static int on_match(void *ctx, struct event *ev, const struct engine_result *result)
{
    struct exam *x = ctx;
    const struct sigma_rule *rule = x->subject.rule;
    int error = 0;
    x->events++;
    if (rule && result->route && !taxonomy_applies(result->route, &rule->logsource))
        x->elsewhere = true;
    for (uint32_t i = 0; i < result->n_hits && error == 0; i++) {
        if (result->hits[i].rule == rule) x->fired = true;
        if (x->correlator) error = push(x, ev, result->hits[i].rule);
    }
    return error;
}

static void on_firing(void *ctx, const struct correlator_firing *firing)
{
    struct exam *x = ctx;
    if (firing->rule == x->subject.corr) x->fired = true;
}

const char *exam_run(struct exam *x, const struct exam_subject *subject,
                     const struct sigma_test *test, bool *ret_elsewhere)
{
    const struct correlator_out out = {.ctx = x, .firing = on_firing};
    x->subject = *subject;
    x->fired = x->elsewhere = false;
    x->events = 0;
    *ret_elsewhere = false;
    if (subject->corr) {
        x->correlator = correlator_new(x->rules->set, &(struct correlator_options){0}, &out);
        if (!x->correlator) return "out of memory";
    }
    int error = events_match(x->matcher.engine, test->event, x, on_match);
    if (x->correlator) {
        correlator_finish(x->correlator);
        correlator_free(x->correlator);
        x->correlator = NULL;
    }
    *ret_elsewhere = x->elsewhere;
    if (error) return error_text(error);
    if (x->events == 0) return "its event is empty";
    if (x->fired == test->fires) return NULL;
    return test->fires ? "the rule did not fire" : "the rule fired";
}
