/* SPDX-License-Identifier: EUPL-1.2 */
/* Why something was refused, and what to do about it, in plain words. */
#ifndef VAKA_PULL_EXPLAIN_H
#define VAKA_PULL_EXPLAIN_H

#include "base/buf.h"
#include "pull/answer.h"

/*
 * `permission` is what the question needs, NULL: none. Appends one line about an answer that is
 * none of success: "403 Authorization_RequestDenied: …; the application has no …". What the other
 * side wrote is made visible and cut.
 */
void explain_refusal(struct buf *out, const char *permission, unsigned status,
                     const struct answer_error *error);

/* Whether the error has that code: "AF20022", also "AADSTS7000215" in front of a message. */
bool explain_has_code(const struct answer_error *error, const char *code);

#endif
