/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The matcher: all rules against one event. An engine belongs to one thread and compiles what it
 * needs per log source on first sight; a process that is forked from it has all of that.
 */
#ifndef VAKA_DETECT_ENGINE_H
#define VAKA_DETECT_ENGINE_H

#include "detect/sigma/set.h"
#include "detect/taxonomy.h"
#include "event/event.h"

struct engine;

struct engine_options {
    bool any_logsource; /* every rule on every event, names as they are */
    bool no_memo;       /* search every value anew, also one seen before (for measuring) */
    bool read_all;      /* read all of every event (engine_set_reading) */
};

/* One rule that holds for the event. */
struct engine_hit {
    const struct sigma_rule *rule;
    bool undetermined; /* a regular expression reached its limits: reported, never dropped */
};

struct engine_result {
    const struct engine_hit *hits; /* in rule order; valid until the next engine_match() */
    uint32_t n_hits;
    const struct taxonomy_route *route; /* NULL with any_logsource */
};

struct engine_stats {
    uint64_t events, candidates, evaluations, regexes, regex_limits, unknown_logsource;
    uint64_t mallocs; /* since engine_new(), in the hot path: 0 in the steady state */
    uint32_t plans;
    uint64_t plan_bytes;
};

/* set and taxonomy are borrowed and outlive the engine. */
struct engine *engine_new(const struct sigma_set *set, const struct taxonomy *taxonomy,
                          const struct engine_options *options);
void engine_free(struct engine *e);

/* The key table that events given to this engine must use. */
struct keys *engine_keys(struct engine *e);
struct router *engine_router(struct engine *e);

/*
 * What is done with an event whose route has an owner: fields are added. Not with any_logsource.
 *
 * Before an event is matched only that part is read which makes a difference to a rule of its
 * route, or to the route; most events are then never read, or little of them. When a rule holds,
 * all of the event is read, and matched with that.
 */
struct engine_reading {
    void *ctx;
    /* Adds the fields of a part, or all with NULL. */
    void (*read)(void *ctx, struct event *ev, const struct taxonomy_route *route, void *part);
    /*
     * What makes a difference to somebody who looks at fields of which `asks` holds and no others;
     * NULL: nothing. Lives as long as the engine, as asks_ctx does.
     */
    void *(*part)(void *ctx, const struct taxonomy_route *route,
                  bool (*asks)(void *asks_ctx, struct slice path), void *asks_ctx);
    /* Whether what it adds may show another route. */
    bool (*shows)(void *ctx, const struct taxonomy_route *route);
};
void engine_set_reading(struct engine *e, const struct engine_reading *reading);

/* Call between events: clears the key table when it is full. Decoders hold no key ids over events.
 */
void engine_housekeep(struct engine *e);

/* The event's route, after what shows it was read; not with any_logsource. */
const struct taxonomy_route *engine_route(struct engine *e, struct event *ev);
/* Reads what was not read yet of the event given to engine_match() last: when no rule holds. */
void engine_read_all(struct engine *e, struct event *ev);
/* The event's route, and which rules hold. */
int engine_match(struct engine *e, struct event *ev, struct engine_result *ret) MUST_USE;

/*
 * Appends [{"field":…,"value":…,"pattern":…},…]: which values made the rule true for this event;
 * of one that is an indicator also "indicator":{"value":…,"description":…,"source":…}.
 * Call directly after engine_match() for the same event.
 */
void engine_write_matched(struct engine *e, struct event *ev, const struct engine_hit *hit,
                          struct buf *out);

/* One matched value, for people and tables. */
struct engine_detail {
    struct slice field, value, pattern;
    const struct listed_value *listed; /* the indicator; NULL: it was another test */
};
uint32_t engine_details(struct engine *e, struct event *ev, const struct engine_hit *hit,
                        struct engine_detail *ret, uint32_t max);

/*
 * The first value of `field` (a rule's name for it, mapped by the event's log source) as text;
 * false when the event has none. For correlations.
 */
bool engine_field(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                  struct slice field, struct slice *ret);

/*
 * Which of up to 64 fields (the rule's names for them) an event's path is, by the log source of the
 * event given last to engine_match(): a bit for each. Depends on nothing but rule, route and path;
 * slow, callers remember it.
 */
uint64_t engine_path_is(struct engine *e, const struct sigma_rule *rule, const struct slice *fields,
                        uint32_t n, key_id key);

/*
 * The rule's condition as a tree, one node a line, each with its truth for this event, for
 * `vaka rules explain`.
 */
void engine_explain(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                    struct buf *out);

void engine_get_stats(const struct engine *e, struct engine_stats *ret);

#endif
