/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What kind of log an event is, in Sigma's words, and what its fields are called there.
 *
 * The facts are data: YAML files in taxonomy/ (built into the program) and files the user adds,
 * which are asked first. Five kinds of fact:
 *
 *   names:    a record shape's own paths → the plain name Sigma rules use
 *             (winlog.event_data.* → *, Event.System.Provider.#attributes.Name → Provider_Name)
 *   sources:  conditions on an event's fields → product, category, service, and for that source a
 *             field map (process_creation from Security 4688: Image → NewProcessName)
 *   time, host: the fields that say when and where, in order of preference
 *   entities, about: those that say who and what, and which of them tell alerts apart
 *
 * An event carries labels: one (product, category, service) for every source entry that holds.
 * The names product, category and service in the event itself are honoured as one more label.
 */
#ifndef VAKA_DETECT_TAXONOMY_H
#define VAKA_DETECT_TAXONOMY_H

#include "base/time.h"
#include "detect/sigma/doc.h"
#include "event/event.h"

struct taxonomy;
struct taxonomy_map; /* field map of one source entry */

struct taxonomy_label {
    struct slice product, category, service; /* {NULL, 0}: this source has none */
    const struct taxonomy_map *map;          /* NULL: names as they are */
};

/* What one event is. Equal inputs give the same pointer: usable as a key until router_free(). */
struct taxonomy_route {
    uint32_t id; /* small, dense */
    const struct taxonomy_label *labels;
    uint32_t n_labels;
    /*
     * Nothing said what this event is in that respect: a rule that asks for any product (category,
     * service) does not contradict it. Closed: only the labels count.
     */
    bool open_product, open_category, open_service;
    /* By place in the taxonomy's list: stand-ins that are there beside what they stand for. */
    uint32_t beside;
    /* Of taxonomy_add_product(): whose records these are; 0: nobody's. */
    uint32_t owner;
    uint32_t asked; /* how many conditions the owner is known by */
    const struct taxonomy *taxonomy;
};

enum { TAXONOMY_ROUTES_MAX = 4096 };

/* With the built-in data. NULL when out of memory. */
struct taxonomy *taxonomy_new(void);
void taxonomy_free(struct taxonomy *t);
/* Adds a user's file; its entries come before what is there. Before the first route. */
int taxonomy_add(struct taxonomy *t, const char *file, struct slice text,
                 struct diag *diag) MUST_USE;

/*
 * The same for a product's file, of which only the keys `recognise` (conditions as in `when`) and
 * `sources` (inside of these conditions) are read. Routes of its records have this owner, which is
 * not 0. Of several owners the one whose condition asked for most counts, then the one added last.
 */
int taxonomy_add_product(struct taxonomy *t, const char *file, struct slice text, uint32_t owner,
                         struct diag *diag) MUST_USE;

/* Of the texts of all files, also of products, in their order. */
uint64_t taxonomy_hash(const struct taxonomy *t);

/* Conditions of two owners that records can meet both of. */
struct taxonomy_rival {
    uint32_t line, column;      /* in the owner's file */
    uint32_t other, other_line; /* the other owner, and where in its file */
    uint32_t asked,
        other_asked; /* how many conditions each is; the one that asks for more counts */
};
/*
 * The next other owner whose records can be seen to be this one's as well; *at begins as 0. False:
 * there is none. Conditions on different fields are not seen to.
 */
bool taxonomy_next_rival(const struct taxonomy *t, uint32_t owner, uint32_t *at,
                         struct taxonomy_rival *ret);

/*
 * The plain Sigma name of an event path ("winlog.event_data.Image" → "Image"), or the path itself.
 * Case is kept. The result lives as long as the taxonomy or `path`. Slow; callers remember it.
 */
struct slice taxonomy_plain_name(const struct taxonomy *t, struct slice path);
/* What a plain name stands for in an event that has not this; {NULL, 0}: for nothing else. */
struct slice taxonomy_stands_for(const struct taxonomy *t, struct slice name);

/*
 * Per-thread routing state over one key table: a cache keyed by the values of the fields that
 * sources ask for.
 */
struct router;
struct router *router_new(const struct taxonomy *t, struct keys *keys);
void router_free(struct router *r);
/*
 * Never NULL. The route of an event that nothing recognises has no labels and is open in all
 * three. Steady state: no allocation, cost linear in the event's fields plus one lookup.
 * Forgets its key roles by itself when the key table was cleared.
 */
const struct taxonomy_route *router_route(struct router *r, struct event *ev);
/* Whether an event was called unrecognised because there was no room for its route. */
bool router_is_crowded(const struct router *r);
/* Whether routes depend on the field with this path. */
bool router_asks(const struct router *r, struct slice path);
/*
 * Whether the rule's log source is met by, or not contradicted by, the route: each of product,
 * category and service that the rule names is open, or is what one of the labels says.
 */
bool taxonomy_applies(const struct taxonomy_route *route, const struct sigma_logsource *ls);
/* Whether labels say so, and not only nothing contradicts. */
bool taxonomy_says(const struct taxonomy_route *route, const struct sigma_logsource *ls);
/*
 * The plain names under which a rule's field is to be looked for on this route. Of the labels that
 * do not contradict the rule's log source those count that say most of it; each gives its map's
 * names, or without a map or an entry the field itself and its plain name. A name and its stand-in
 * are each other's, unless the event has both. A map belongs to the
 * category or service it was written for: a rule that asks for neither reads the event's own
 * names. At most `max` (at least 1); returns the number, at least 1. The slices live as long as
 * the taxonomy or `field`.
 */
uint32_t taxonomy_fields(const struct taxonomy_route *route, const struct sigma_logsource *ls,
                         struct slice field, struct slice *ret, uint32_t max);

/* Every (product, category, service) some source entry can give: what can fire here. */
uint32_t taxonomy_sources(const struct taxonomy *t, const struct taxonomy_label **ret);

/* What a field says of an event by its name: the entity ("user.name"; empty: none) … */
struct slice taxonomy_entity_of(const struct taxonomy *t, struct slice field);
/* … and whether that is the host. */
bool taxonomy_names_host(const struct taxonomy *t, struct slice field);

/*
 * When and where, by the taxonomy's preference lists; the first that can be read counts. TIME_NONE
 * / empty when the event does not say. The host lives as long as the event.
 */
nsec router_event_time(struct router *r, struct event *ev);
struct slice router_event_host(struct router *r, struct event *ev);
/* One thing an event is about: "user.name" and a value, as long-lived as taxonomy and event. */
struct taxonomy_entity_value {
    struct slice name, value;
    bool about; /* alerts that differ in it are not alike */
};
enum { TAXONOMY_ENTITIES_MAX = 32, TAXONOMY_ENTITY_VALUES_MAX = 64 };
/* In the order of the taxonomy; several values of a field follow each other. The number of them. */
uint32_t router_event_entities(struct router *r, struct event *ev,
                               struct taxonomy_entity_value ret[TAXONOMY_ENTITY_VALUES_MAX]);
/*
 * Times without a year are put into the year before this point in time (and a day of grace);
 * router_new() takes the clock's.
 */
void router_set_now(struct router *r, nsec now);

#endif
