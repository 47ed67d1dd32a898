/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rules tried on the events that they carry (vaka.tests): those that must fire them, and those that
 * must not.
 */
#ifndef VAKA_NOISE_EXAM_H
#define VAKA_NOISE_EXAM_H

#include "ruleset/ruleset.h"

struct exam;

/* The rules are borrowed, and finished. NULL: out of memory. */
struct exam *exam_new(const struct ruleset *rules, const struct engine_options *options) MUST_USE;
/* May be NULL. */
void exam_free(struct exam *x);

/* One of both. */
struct exam_subject {
    const struct sigma_rule *rule;
    const struct sigma_corr_rule *corr;
};

/*
 * NULL when the test shows what it says, else why not, a constant text. *ret_elsewhere: an event
 * was of another log source than the rule.
 */
const char *exam_run(struct exam *x, const struct exam_subject *subject,
                     const struct sigma_test *test, bool *ret_elsewhere) MUST_USE;

#endif
