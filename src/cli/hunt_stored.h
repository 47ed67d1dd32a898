/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka hunt --store: what it looks at is told in the audit log. */
#ifndef VAKA_CLI_HUNT_STORED_H
#define VAKA_CLI_HUNT_STORED_H

#include "config/config.h"
#include "hunt/hunt.h"

/* What is hunted with, for the log: rules and lists as they were named; none: those in force. */
struct hunt_question {
    const struct config *config;
    const char *const *rules, *const *indicators;
    size_t n_rules, n_indicators;
    const char *purpose; /* NULL: none was said */
};

/*
 * hunt_run() in a process of its own, between the two lines of the log: it cannot write the second
 * one itself, confined as it is. An error that kept it from running was told.
 */
int hunt_stored_run(const struct hunt_question *question, const struct hunt_options *options,
                    struct hunt_result *ret) MUST_USE;

#endif
