/* SPDX-License-Identifier: EUPL-1.2 */
/* What Vaka asks of the rules it comes with, beyond that they load and that their events do as they
 * say. */
#ifndef VAKA_CLI_RULES_OWN_H
#define VAKA_CLI_RULES_OWN_H

#include "base/buf.h"
#include "detect/sigma/doc.h"

/*
 * Appends a line for each thing that the rule lacks: id, status, level, techniques of ATT&CK that
 * exist, known false positives, a first response, an event that fires it, and a near miss.
 */
void rules_own_check(const struct sigma_doc *doc, struct buf *ret_lacks);

/*
 * Whether the test's event, which must not fire, differs in one value from one that must: a member
 * that is another, missing or added; in a list of events, one event more or less. Of long texts
 * half must be the same.
 */
bool rules_own_is_near_miss(const struct sigma_doc *doc, const struct sigma_test *test);

#endif
