/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Truth of one atom for one value or event: the slow, plain definitions. The engine uses them for
 * what it cannot index, `rules explain` and alert details use them for everything.
 */
#ifndef VAKA_DETECT_SIGMA_MATCH_H
#define VAKA_DETECT_SIGMA_MATCH_H

#include "detect/sigma/rule.h"
#include "event/event.h"

/* Whole-value glob match; text already folded when the pattern is. Linear in practice, never
 * exponential. */
bool glob_match(const struct glob_piece *glob, uint32_t n, struct slice text);
/*
 * Whether it stands in the text where words begin and end (sigma_atom.words). Words are rows of
 * letters, digits and bytes from 0x80.
 */
bool words_match(const struct glob_piece *glob, uint32_t n, struct slice text);

/* The address in text ("10.0.0.1", "fe80::1", "::ffff:10.0.0.1", with or without %zone) as 4 or 16
 * bytes. */
bool addr_parse(struct slice text, uint8_t ret_addr[16], bool *ret_v6);
/* 192.0.2.0/24, or one address, into ret->cidr; NULL, or a constant sentence that says what is
 * wrong.
 */
const char *cidr_read(struct slice text, struct sigma_atom *ret);
bool cidr_contains(const struct sigma_atom *atom, struct slice text);

/*
 * Whether it holds for an event that has nothing at all: then it says what must not be, and tells
 * something only of an event that is known to be of the rule's log source.
 */
bool expr_holds_for_nothing(const struct sigma_expr *expr);

/* Whether `pattern` stands in `text` at that place (atom.c). */
bool anchor_match(struct slice text, struct slice pattern, enum anchor anchor);
/* What an atom tests, in Sigma's words: "re", "cidr", "gte" … (atom.c). */
const char *atom_op_text(const struct sigma_atom *atom);

#endif
