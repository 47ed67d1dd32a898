/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Values that are written in several ways: a filter finds all of them, so they are kept under one,
 * the *plain* one, beside their own.
 */
#ifndef VAKA_INDEX_VALUE_H
#define VAKA_INDEX_VALUE_H

#include "base/slice.h"

enum { VALUE_PLAIN_MAX = 64 };

/* A whole number below 10^15 as digits, such as 4625 of 4.625e3; empty: it is none. */
struct slice value_plain_number(struct slice text, char ret[VALUE_PLAIN_MAX]);
/* An address as inet_ntop(3) writes it; IPv4 in the first 4 bytes. */
struct slice value_address_text(const uint8_t addr[16], bool v6, char ret[VALUE_PLAIN_MAX]);
/* The same of an address with colons in it; empty: it is none. */
struct slice value_plain_address(struct slice text, char ret[VALUE_PLAIN_MAX]);

#endif
