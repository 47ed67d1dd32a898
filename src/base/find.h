/* SPDX-License-Identifier: EUPL-1.2 */
/* Where a text stands in many bytes, whatever the case of its ASCII letters. */
#ifndef VAKA_BASE_FIND_H
#define VAKA_BASE_FIND_H

#include "base/slice.h"

/*
 * The first place at or after `from`, or SIZE_MAX. `lower` is not empty and has no ASCII capitals.
 * Some gigabytes a second on x86-64.
 */
size_t find_nocase(struct slice s, struct slice lower, size_t from);

#endif
