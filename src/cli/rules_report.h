/* SPDX-License-Identifier: EUPL-1.2 */
/* What rules would have found in the stored records. */
#ifndef VAKA_CLI_RULES_REPORT_H
#define VAKA_CLI_RULES_REPORT_H

#include "cli/rules_library.h"
#include "noise/noise.h"

struct rules_report {
    struct ruleset rules;
    struct tally tally;
};

/* Which records, and how. */
struct rules_report_options {
    nsec from, to;
    uint32_t jobs;     /* 0: one for every processor */
    bool sources_only; /* as in struct noise_options */
    uint32_t sample;
    /* For the audit log; sources alone leave no line. */
    struct slice query;
    const char *purpose;
};

/*
 * Reads the records of serve.folder with the rules that were loaded into r->rules, and shows on a
 * terminal how far it is. rules_report_done() in any case.
 */
int rules_report_run(struct rules_work *w, const struct rules_report_options *options,
                     struct rules_report *r, struct diag *diag) MUST_USE;
void rules_report_done(struct rules_report *r);

/* Appends what the version would have found in the last `days` to w->out: in a few lines, or as the
 * member "report" of a JSON object. */
int rules_report_summary(struct rules_work *w, const char *set, const char *version, unsigned days,
                         bool json, struct diag *diag) MUST_USE;

#endif
