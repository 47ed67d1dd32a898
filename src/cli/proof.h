/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef VAKA_CLI_PROOF_H
#define VAKA_CLI_PROOF_H

#include "base/buf.h"

/*
 * Lines, behind `margin`, from what oncall says about itself (docs/status.md): who was reached
 * last, and for each way of telling people when the daily proof has found that it works. Not `all`:
 * those alone that are not proven. Nothing when the plan has no proof.
 */
void proof_put(struct buf *out, struct slice oncall, const char *margin, bool all);

#endif
