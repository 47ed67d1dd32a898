/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Plans ahead of time. A matcher compiles what it compares a kind of record with when it meets the
 * first of them, which takes as long as thousands of records: on watch they would wait. So it meets
 * one of each kind before any comes: the sample records that the products' files carry.
 */
#ifndef VAKA_SERVE_WARMING_H
#define VAKA_SERVE_WARMING_H

#include "ruleset/ruleset.h"

/* What is found in the samples is nobody's. 0 or ERR_NOMEM. */
int warming_run(struct matcher *m, const struct products *products) MUST_USE;

#endif
