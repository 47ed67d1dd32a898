/* SPDX-License-Identifier: EUPL-1.2 */
/* Altered copies of Sigma rules, to measure what more rules cost. */
#ifndef VAKA_TESTS_BENCH_MULTIPLY_H
#define VAKA_TESTS_BENCH_MULTIPLY_H

#include "base/slice.h"

enum { MULTIPLY_COPIES_MAX = 16 };

/*
 * The rule file `text` with new ids and names, and two letters of the copy's own put into every
 * value its detections look for, expressions included. What a rule excludes stays as it is, and so
 * do values that name the kind of event (EventID, Channel …), networks, numbers and placeholders.
 * Copies count from 1. The caller frees the text; NULL when the file is not YAML.
 */
char *multiply_rule(struct slice text, unsigned copy);

#endif
