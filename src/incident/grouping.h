/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Alerts → incidents: which one an alert belongs to. docs/design/0008 has the rules and why.
 *
 * An alert joins the incident that named the same user, address, computer, hash or command line
 * lately, else one of whose names its event speaks. When it names what two incidents named, these
 * were one, and the younger becomes part of the older. A rule that begins many incidents at once
 * begins one. A closed incident is joined by nothing: what names the same begins one that follows
 * it. What was done (NAME_DEED) joins for minutes only: who encrypts at two computers at once is
 * one, who does it another day may be another. A record joins whenever it is named again.
 *
 * Time is that of the alerts. Memory is taken by grouping_new() and not after that; what there is
 * no room for any more is what was named longest ago.
 */
#ifndef VAKA_INCIDENT_GROUPING_H
#define VAKA_INCIDENT_GROUPING_H

#include "incident/facts.h"

enum { GROUPING_MERGED_MAX = 8 };

struct grouping_options {
    uint64_t seed;          /* random: names come from outside */
    uint64_t next;          /* the id of the first incident, at least 1 */
    nsec window;            /* for so long a name joins … */
    nsec deed_window;       /* … and one of a deed */
    uint32_t names_max;     /* that are remembered; a multiple of 8 */
    uint32_t incidents_max; /* that names can lead to */
    uint32_t burst;         /* incidents that one rule begins … */
    nsec burst_time;        /* … within this, which are one then */
};
/* A day, and sizes for a city; the seed is left to the caller. */
struct grouping_options grouping_defaults(void);

/* Why an alert is where it is. */
enum grouping_reason {
    GROUPING_NEW,    /* nothing it names is known */
    GROUPING_NAMED,  /* it names what the incident named: `by` */
    GROUPING_SPOKEN, /* its event speaks of that */
    GROUPING_BURST,  /* its rule begins many */
};

struct grouping_place {
    uint64_t incident;
    enum grouping_reason reason;
    struct slice by;                      /* borrowed from the facts */
    uint64_t merged[GROUPING_MERGED_MAX]; /* that are part of it from now on */
    uint32_t n_merged;
    uint64_t follows; /* the closed incident that named the same; 0: none */
    nsec time;        /* by which it was placed */
};

struct grouping;

/* ERR_NOMEM. */
int grouping_new(const struct grouping_options *options, struct grouping **ret) MUST_USE;
void grouping_free(struct grouping *g);
void grouping_place(struct grouping *g, const struct facts *facts, struct grouping_place *ret);

/* ---- what people say ---- */

struct grouping_group {
    uint64_t id;
    uint64_t into; /* 0: it is itself */
    bool closed;   /* joined by nothing */
    bool apart;    /* neither part of another nor made of others by itself: people have parted it */
};
/* From now on it is so; one that is forgotten already stays it. */
void grouping_set(struct grouping *g, const struct grouping_group *group);
/* The id of a new one that no alert began. */
uint64_t grouping_begin(struct grouping *g);
/* Who names this (as it is compared) joins that incident. The whole name of a computer comes behind
 * its first label. */
void grouping_lead(struct grouping *g, enum name_kind kind, struct slice name, uint64_t incident,
                   nsec last);

/* ---- after a start: what it knew, the oldest first ---- */

/* Before what leads to it. */
void grouping_restore(struct grouping *g, const struct grouping_group *group);
/* The rule began that incident then. */
void grouping_restore_begun(struct grouping *g, struct slice rule, uint64_t incident, nsec at);
/* What the rule begins is part of that incident, last at that time. */
void grouping_restore_bundle(struct grouping *g, struct slice rule, uint64_t incident, nsec last);

#endif
