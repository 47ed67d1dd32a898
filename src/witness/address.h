/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Where a witness is and what its key is, as settings say it: "https://host:port/prefix KEY". The
 * port may be left out, and an IPv6 address stands in brackets.
 */
#ifndef VAKA_WITNESS_ADDRESS_H
#define VAKA_WITNESS_ADDRESS_H

#include "store/checkpoint.h"

enum { WITNESS_HOST_MAX = 253, WITNESS_PATH_MAX = 512 };

struct witness_address {
    char authority[WITNESS_HOST_MAX + 16]; /* host:port as it was written */
    char host[WITNESS_HOST_MAX + 1];       /* without brackets */
    char port[6];
    char path[WITNESS_PATH_MAX + 1]; /* with the leaf behind it */
    struct checkpoint_key key;
};

/* `leaf` is what is posted to, with a key of that type. ERR_SYNTAX; *ret_why (a constant) says what
 * is wrong. */
int witness_address_read(struct slice text, const char *leaf, enum checkpoint_key_type type,
                         struct witness_address *ret, const char **ret_why) MUST_USE;

#endif
