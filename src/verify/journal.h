/* SPDX-License-Identifier: EUPL-1.2 */
/* Journals (store/journal.h has the layout), read for verification. */
#ifndef VAKA_VERIFY_JOURNAL_H
#define VAKA_VERIFY_JOURNAL_H

#include "verify/file.h"
#include "verify/segment.h"

/*
 * Tells the records of a journal in order. `flaw`, for each place that is not whole: an accident,
 * or (accident false) bytes that have their CRC and yet are not a batch. Where frames end for good,
 * *ret_rest is the place of bytes behind them that are not zero and of which nothing can be read:
 * the power failed while they were written, or they are damaged; 0: there are none. ERR_CORRUPT:
 * neither head is valid. ERR_TRUNCATED: not both are, and nothing stands behind them: the power
 * failed while the journal was made. ERR_IO, ERR_NOMEM.
 */
int verify_journal(const struct verify_file *file, uint64_t first, verify_take *take,
                   void (*flaw)(void *ctx, const struct verify_flaw *flaw), void *ctx,
                   uint64_t *ret_rest) MUST_USE;

#endif
