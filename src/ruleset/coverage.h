/* SPDX-License-Identifier: EUPL-1.2 */
/* Which techniques of MITRE ATT&CK the rules of a set would show. */
#ifndef VAKA_RULESET_COVERAGE_H
#define VAKA_RULESET_COVERAGE_H

#include "library/attack.h"
#include "ruleset/ruleset.h"

/* Whether there is what a rule looks at; the higher is the better. */
enum coverage_data { COVERAGE_NONE, COVERAGE_KNOWN, COVERAGE_STORED };

struct coverage_technique {
    char id[ATTACK_ID_MAX + 1];
    struct slice name, tactics; /* empty: not in the list */
    enum coverage_data data;
    uint32_t rules, tested;
    uint64_t alerts;
    nsec last; /* 0: there was no alert */
};

/* What is known of a rule beside what it says. */
struct coverage_rule {
    bool has_data; /* records of its log source are stored */
    uint64_t alerts;
    nsec last;
};

struct coverage {
    const struct sigma_set *set;
    struct coverage_technique *techniques; /* by id; also those without a rule */
    uint32_t n;
};

/*
 * known: of each rule of the set, and behind them of each correlation; NULL: nothing is. The set is
 * borrowed. ERR_NOMEM. coverage_done() in any case.
 */
int coverage_make(struct coverage *c, const struct ruleset *rules,
                  const struct coverage_rule *known) MUST_USE;
void coverage_done(struct coverage *c);

const char *coverage_data_name(enum coverage_data data);
/* Appends "rules":[id,…] with a comma before it: those that are tagged with it. */
void coverage_write_rules(const struct coverage *c, const struct coverage_technique *t,
                          struct buf *out);

#endif
