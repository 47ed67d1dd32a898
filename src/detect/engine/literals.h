/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Many literals against one value, at once. One set holds all strings that the rules of one plan
 * look for in one field, anchored at the start, the end, both or nowhere.
 *
 * Anchored literals are found by hashing the first or last 16, 8, 4, 2 or 1 bytes (the largest
 * class that fits the literal), whole values by length and both ends. Literals anywhere are found
 * by their rarest run of four bytes (three, two, one for shorter ones, and where a set of few is
 * found in one pass): a table small enough for the first-level cache says for nearly every position
 * "nothing begins here"; the few others are looked up and compared in full. There are no false
 * positives and no false negatives. Lists of indicators are asked one by one: they have a table of
 * their own, which all sets share.
 *
 * Why not a ready automaton: docs/design/0002-literal-sets.md.
 */
#ifndef VAKA_DETECT_ENGINE_LITERALS_H
#define VAKA_DETECT_ENGINE_LITERALS_H

#include "base/slice.h"
#include "detect/sigma/rule.h"

/* The text given to literal_set_scan() must be readable this far past its end. */
enum { LITERAL_SLACK = 32 };

struct literal_spec {
    struct slice text; /* bytes as compared (folded by the caller); copied */
    enum anchor anchor;
    uint32_t needle;               /* reported when found */
    const struct glob_piece *glob; /* if not NULL the whole value must match this too; borrowed */
    uint32_t n_glob;
    bool words;                  /* it must stand there as words_match() says */
    const struct listed *listed; /* if not NULL: any of these instead of the text; borrowed */
};

struct literal_set;

/*
 * NULL when out of memory. An empty text with an anchor other than ANCHOR_WHOLE is not allowed.
 */
struct literal_set *literal_set_new(const struct literal_spec *specs, uint32_t n);
void literal_set_free(struct literal_set *s);
size_t literal_set_bytes(const struct literal_set *s);
/* No shorter text, folded, has any of them. */
size_t literal_set_shortest(const struct literal_set *s);

/* Each needle is reported once per `now`; `out` has room for every needle of the plan. */
struct literal_hits {
    uint32_t *stamp; /* per needle: the last `now` it was reported at */
    uint32_t now;
    uint32_t *out;
    uint32_t n;
};

void literal_set_scan(const struct literal_set *s, const char *text, size_t len,
                      struct literal_hits *hits);

/* How common a literal is likely to be in log values, 0..1; a guess that only steers speed. */
double literal_frequency(struct slice text, enum anchor anchor);

#endif
