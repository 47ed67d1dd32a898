/* SPDX-License-Identifier: EUPL-1.2 */
/* What is told of lists of indicators, by `vaka indicators` and `vaka hunt`. */
#ifndef VAKA_CLI_INDICATORS_H
#define VAKA_CLI_INDICATORS_H

#include "indicator/keep.h"

/* On stderr: what was refused of a list, with its place. */
void indicators_tell(const struct indicators *in);

#endif
