/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What of an alert tells whether it belongs with others: whom and what it names, its rule, how bad
 * it is, when it was; read from its line of JSON (alert/line.h).
 */
#ifndef VAKA_INCIDENT_FACTS_H
#define VAKA_INCIDENT_FACTS_H

#include "base/arena.h"
#include "base/clock.h"
#include "detect/sigma/doc.h"
#include "incident/names.h"

enum {
    FACTS_NAMES_MAX = 48,         /* that an alert says; more are passed over */
    FACTS_MENTIONS_MAX = 512,     /* words of its event that are looked at */
    FACTS_MENTION_MIN = 4,        /* bytes of one */
    FACTS_TACTICS_MAX = 16,       /* more are passed over */
    FACTS_TEXT_MAX = 1024 * 1024, /* bytes of all of it together */
};

struct fact {
    enum name_kind kind;
    struct slice text; /* as name_write() makes it */
    struct slice full; /* of a computer whose whole name is known: that one, a fact of its own */
    /* A computer that tells of others: a firewall, a domain controller. Joins nothing. */
    bool bystander;
};

struct facts {
    struct slice rule,
        title; /* id and title; borrowed from the line, their escapes as they stand */
    enum sigma_level level;
    nsec time; /* of the event, or of its receipt; TIME_NONE */
    struct fact names[FACTS_NAMES_MAX];
    uint32_t n_names;
    struct fact mentions[FACTS_MENTIONS_MAX]; /* words of the event */
    uint32_t n_mentions;
    struct slice tactics[FACTS_TACTICS_MAX]; /* "lateral-movement", borrowed from the line */
    uint32_t n_tactics;
    struct arena arena; /* texts of names and mentions */
    struct buf scratch, plain;
    bool no_memory;
};

void facts_init(struct facts *f);
void facts_done(struct facts *f);
/*
 * Reads the line, which must live as long as the facts are used. ERR_SYNTAX: it is no alert;
 * ERR_NOMEM; ERR_LIMIT: it names too much.
 */
int facts_read(struct facts *f, struct slice line) MUST_USE;
/* What it names is told apart from the same that another alert names: the rule and all names begin
 * with `by` from now on. no_memory is set when they cannot. */
void facts_set_apart(struct facts *f, struct slice by);

#endif
