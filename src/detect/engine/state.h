/* SPDX-License-Identifier: EUPL-1.2 */
/* The engine's inside, shared by match.c (the hot path), lazy.c and details.c. */
#ifndef VAKA_DETECT_ENGINE_STATE_H
#define VAKA_DETECT_ENGINE_STATE_H

#include "detect/engine.h"
#include "detect/engine/memo.h"
#include "detect/engine/plan.h"

/* Three-valued: a regular expression that reached its limits is neither true nor false. */
enum truth_value { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNDETERMINED };

enum lazy_state { LAZY_UNKNOWN, LAZY_FALSE, LAZY_TRUE, LAZY_UNDETERMINED };

struct value_node { /* the values of one plan field in this event, newest first */
    uint32_t field; /* index into ev->fields */
    uint32_t next;  /* + 1; 0 ends */
};

struct engine {
    const struct sigma_set *set;
    const struct taxonomy *taxonomy;
    struct engine_options options;
    struct keys *keys;
    struct router *router;
    struct engine_reading reading;
    struct engine_stats stats;

    struct plan **plans;
    uint32_t n_plans;
    struct route_state {
        struct plan *plan; /* NULL: not compiled yet */
        /* Of reading: what makes a difference to the rules, and to the route; NULL: nothing. */
        void *part, *showing;
        bool has_parts;
    } * by_route; /* by route id; with any_logsource by_route[0] */
    uint32_t n_by_route;
    struct slice *plain; /* by key id: its plain name; ptr NULL = not asked yet */
    uint32_t n_plain, plain_generation;

    /* Scratch of one event, sized for the largest plan so far. */
    const struct plan *plan;
    const struct taxonomy_route *route;
    struct event *ev;
    uint32_t own; /* fields that the event has by itself */
    enum { READ_NONE, READ_PART, READ_ALL } read;
    uint32_t now; /* stamps; 0 is never current */
    uint64_t *bits;
    uint32_t *touched, n_touched;
    uint32_t *needle_stamp, *needle_out, scan; /* stamps of one value's scan */
    struct memo *memo;                         /* NULL: switched off */
    uint32_t *rule_stamp, *candidates, n_candidates;
    uint8_t *lazy;
    uint32_t *lazy_touched, n_lazy_touched;
    uint32_t *value_head, *value_fields, n_value_fields;
    struct value_node *values;
    uint32_t n_values, cap_values;
    struct engine_hit *hits;
    uint32_t n_hits;
    char *text; /* folded value under inspection */
    size_t text_cap;
    bool undetermined; /* a program read an undetermined truth */
    uint32_t cap_truths, cap_needles, cap_rules, cap_lazy, cap_fields;
};

/* The plain name of a path, remembered. */
struct slice engine_plain_name(struct engine *e, key_id key);
/*
 * Whether an event path is a rule's field. Blanks do not count (the reader stripped them from
 * rules), case does: `query` of a DNS log is not `Query` of a WMI event.
 */
bool engine_same_name(struct slice path, struct slice rule_field);
/* The truth of a lazy atom for the current event. */
enum truth_value lazy_evaluate(struct engine *e, const struct plan_lazy *lazy);
/* Truth of one atom for one value; the value has been decoded. Not for NULL, EXISTS, FIELDREF. */
enum truth_value atom_holds(const struct sigma_atom *atom, const struct regex *regex,
                            enum value_type type, struct slice text, struct slice folded);
/* The rule's whole condition by the plain definitions. */
enum truth_value tree_evaluate(struct engine *e, struct event *ev, const struct sigma_rule *rule,
                               const struct sigma_expr *expr);
/* Room for folding n bytes; the pointer changes. false: out of memory. */
bool engine_text_room(struct engine *e, size_t n);
/* Whether some path of the event lies below `name` (an object of that name is present). */
bool event_has_below(struct engine *e, struct event *ev, struct slice name);

#endif
