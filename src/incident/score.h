/* SPDX-License-Identifier: EUPL-1.2 */
/* How much an incident matters, from 0 to 100: what is looked at first. */
#ifndef VAKA_INCIDENT_SCORE_H
#define VAKA_INCIDENT_SCORE_H

#include "incident/facts.h"

struct score {
    enum sigma_level level;              /* the highest of its alerts */
    uint64_t tactics[FACTS_TACTICS_MAX]; /* hashes of those that it passed */
    uint32_t n_tactics;
    uint64_t rule;       /* hash of the first one */
    bool many_rules;     /* there is another */
    unsigned importance; /* steps above normal of the most important asset: 0 to 2 */
    unsigned doubt;      /* steps off for what its rules were mostly wrong about: score_doubt() */
};

void score_add(struct score *s, const struct facts *facts);
/* The same of a rule that has fired. */
void score_add_rule(struct score *s, struct slice rule, enum sigma_level level,
                    const struct slice *tactics, uint32_t n);
/* What another incident has that became part of it. */
void score_merge(struct score *s, const struct score *other);
/*
 * By the highest level (5, 15, 40, 70, 90), 5 more for each tactic of ATT&CK behind the first and 5
 * when more than one rule says so, 5 for each step of importance above normal, 5 less for each step
 * of doubt, but not less than the next lower level has; at most 100.
 */
unsigned score_value(const struct score *s);
/*
 * Steps of doubt about a rule by what people closed of late that it had led to: none of fewer than
 * 5; one when more than half were no attack, three when at least 9 of 10 were none.
 */
unsigned score_doubt(uint64_t closed, uint64_t no_attack);
/* Whether it is an incident at all, or only something to look at beside one. */
bool score_counts(const struct score *s);

#endif
