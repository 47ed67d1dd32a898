/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Words for messages about what a person wrote: made printable, and the nearest known name.
 */
#ifndef VAKA_BASE_HINT_H
#define VAKA_BASE_HINT_H

#include "base/slice.h"

enum { HINT_SHOW_SIZE = 64, HINT_SIZE = HINT_SHOW_SIZE + 32 };

/*
 * s as NUL-terminated printable UTF-8: control characters and damaged bytes become '?', what does
 * not fit is cut at a character and ends in "...". Returns buf.
 */
const char *hint_show(char buf[static HINT_SHOW_SIZE], struct slice s);

/*
 * The candidate most like a word, if any is like it at all. Of two that are equally like it the one
 * that only has letters more wins (`ge` was meant as `gte`, not as `gt`), then the first. A name
 * that other versions of Sigma have for a candidate is like that one above all. Candidates are
 * borrowed.
 */
struct hint {
    struct slice word;
    struct slice best;
    unsigned distance; /* the largest that still counts, plus one, while there is no best */
    bool extends;      /* best is the word with letters added */
};
void hint_init(struct hint *h, struct slice word);
void hint_offer(struct hint *h, struct slice candidate);
/*
 * The place of the word among the names, n of them or up to a NULL one. Where it is none of them
 * that is how many there are, and *h has the nearest: nothing is compared for likeness before.
 */
size_t hint_find(struct hint *h, struct slice word, const char *const *names, size_t n);
/* "; did you mean `x`?" or "". Returns buf. */
const char *hint_text(const struct hint *h, char buf[static HINT_SIZE]);

#endif
