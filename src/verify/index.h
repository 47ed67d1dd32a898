/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether the indexes of a folder's segments (index/file.h) are what was once written. They are no
 * evidence: one that is damaged is passed by and made anew.
 */
#ifndef VAKA_VERIFY_INDEX_H
#define VAKA_VERIFY_INDEX_H

#include "verify/verify.h"

/* Of the folder `index` in this one; without it there are none. ERR_IO, ERR_NOMEM. */
int verify_indexes_read(int folder, struct verify_indexes *ret) MUST_USE;

#endif
