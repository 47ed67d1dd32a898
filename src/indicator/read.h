/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lists of indicators as they come: CSV (RFC 4180) with a header, with commas, semicolons or tabs
 * between its cells, or a value a line whose kind is seen from its looks. In UTF-8 or UTF-16.
 *
 * Of a CSV's columns those count that are called, in any order and case:
 *
 *     value        indicator, ioc, ioc_value, observable; needed
 *     type         indicator_type, ioc_type; without it a value's kind is seen from its looks
 *     description  comment, title
 *     source       feed, reference
 *     expires      expiry, expiration, valid_until: a day, which counts, or a moment
 *     to_ids       of MISP's export: 0 says that a value is not to be looked for
 *
 * Types are words of indicator_kind_read(); MISP's `domain|ip` and the like are both of them. Lines
 * that are empty or begin with # say nothing. A line that cannot be understood is refused, with its
 * place, and the others are read.
 */
#ifndef VAKA_INDICATOR_READ_H
#define VAKA_INDICATOR_READ_H

#include "base/buf.h"
#include "indicator/kind.h"

enum {
    INDICATORS_FILE_MAX = 256 * 1024 * 1024,
    INDICATORS_MAX = 1000 * 1000, /* in one list */
    INDICATORS_TOLD_MAX = 20,     /* refusals that are kept */
};

struct indicators_options {
    const char *file; /* for messages; borrowed for as long as the indicators live */
    nsec now;
    nsec expires; /* of those that say no end themselves; 0: never */
    bool force;   /* also what is too general, or not to be looked for */
    bool kept;    /* by indicators_write(): values are what they are */
    struct indicator_own own;
};

/* To be given to indicators_done() after success. */
struct indicators {
    struct arena arena;
    struct listed *lists[LISTED_KINDS]; /* NULL: there are none of that kind */
    uint32_t n;
    uint32_t doubled, ended, refused; /* that are not in it */
    nsec ends;                        /* when the first of them ends; 0: none does */
    struct diag told[INDICATORS_TOLD_MAX];
    uint32_t n_told;
};

/*
 * The text is copied as far as it is needed. Errors: ERR_INVALID (no column of values, or nothing
 * that could be an indicator), ERR_LIMIT, ERR_NOMEM; diag says which.
 */
int indicators_read(struct slice text, const struct indicators_options *options,
                    struct indicators *ret, struct diag *diag) MUST_USE;
void indicators_done(struct indicators *in);

/* A list as CSV that is read as the same again. */
void indicators_write(struct buf *out, const struct indicators *in);
/* Its head, and its lines but for those values, which are as lists have them and are sorted here;
 * how many were left out. */
#define INDICATORS_HEAD "type,value,expires,description,source\n"
uint32_t indicators_write_rest(struct buf *out, const struct indicators *in, struct slice *without,
                               uint32_t n);

#endif
