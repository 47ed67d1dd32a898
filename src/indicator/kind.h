/* SPDX-License-Identifier: EUPL-1.2 */
/* What an indicator is, by the type that is said of it or by its looks, and whether it is one. */
#ifndef VAKA_INDICATOR_KIND_H
#define VAKA_INDICATOR_KIND_H

#include "detect/sigma/listed.h"

enum { INDICATOR_VALUE_MAX = 2048 };

/*
 * The kind that a word stands for: `ip-dst`, `SHA-256`, `FileHash-MD5` …; names of MISP's
 * attributes (misp-project.org/datamodels) and what other lists say. Case, blanks and `-_:` do not
 * count.
 */
bool indicator_kind_read(struct slice word, enum listed_kind *ret);

/*
 * A value as it is written so that nobody clicks on it (hxxp://evil[.]example) as it was meant.
 * `to` has room for text.len bytes; the length written.
 */
size_t indicator_refang(char *to, struct slice text);

/* The kind that a value looks like. */
bool indicator_guess(struct slice value, enum listed_kind *ret);

/*
 * A value as lists have it (listed_value.value), part of what is given: without a port, the star or
 * the dots around a name. NULL, or a constant sentence that says why it is none of that kind.
 */
const char *indicator_check(enum listed_kind kind, struct slice value, struct slice *ret);

/* Networks of one's own: addresses and networks as text; what is no such text is passed over. */
struct indicator_own {
    const struct slice *networks;
    uint32_t n;
};
/*
 * A constant sentence that says why a checked value would be met all the time: private addresses,
 * names within a network, large networks, the empty file. NULL: it would not.
 */
const char *indicator_too_general(enum listed_kind kind, struct slice value,
                                  const struct indicator_own *own);

#endif
