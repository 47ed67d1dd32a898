/* SPDX-License-Identifier: EUPL-1.2 */
/* Pairs of a name and a value in a row, found from left to right in one pass. */
#ifndef VAKA_PRODUCT_FORM_PAIRS_H
#define VAKA_PRODUCT_FORM_PAIRS_H

#include "base/slice.h"

struct form_pairs {
    struct slice text;
    struct slice marks; /* bytes of names beside letters and digits */
    char separator;     /* 0: blanks behind which the next name stands */
    char assign;
    bool leading; /* there may be text before the first name */
    bool quotes;  /* values may be quoted */
    bool commas;  /* without a separator: a comma before the next name is none of the value */
    bool escapes; /* a backslash keeps a separator that is no blank inside of a value */
    /* Begin as zeros. */
    size_t at;
    struct slice next; /* without a separator: the name at which the last value ended */
};

struct form_pair {
    struct slice name, value; /* as they stand, without quotes */
    bool quoted;
};

bool form_pairs_next(struct form_pairs *p, struct form_pair *ret);

#endif
