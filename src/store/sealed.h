/* SPDX-License-Identifier: EUPL-1.2 */
/* Where the sealed part of a tenant's records ends, and what the tree is there. */
#ifndef VAKA_STORE_SEALED_H
#define VAKA_STORE_SEALED_H

#include "store/segment.h"

/*
 * By the footer of the newest segment, or what retention left of it; an empty tree when there is
 * none. What it tells is durable: journals may be removed for it. ERR_CORRUPT: it is there but
 * cannot be read: nothing may be sealed behind it. The table's errors, ERR_NOMEM.
 */
int sealed_tree(const struct store_io *io, struct tree_range *ret) MUST_USE;

#endif
