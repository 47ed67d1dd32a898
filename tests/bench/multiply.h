/* SPDX-License-Identifier: EUPL-1.2 */
/* Altered copies of Sigma rules, to measure what more rules cost. */
#ifndef VAKA_TESTS_BENCH_MULTIPLY_H
#define VAKA_TESTS_BENCH_MULTIPLY_H

#include "base/slice.h"

enum { MULTIPLY_COPIES_MAX = 16 };

/*
 * The rule file `text` with new ids and names, and two letters of the copy's own put into every
 * value its detections compare with, expressions included. Values that name the kind of event
 * (EventID, Channel …), networks, numbers that are compared and placeholders stay. Copies count
 * from 1. The caller frees the text; NULL when the file is not YAML.
 */
char *multiply_rule(struct slice text, unsigned copy);

#endif
