/* SPDX-License-Identifier: EUPL-1.2 */
/* A table that fails: the n-th call to the table below it, once or from then on. */
#ifndef VAKA_TESTS_STORE_FAULTS_H
#define VAKA_TESTS_STORE_FAULTS_H

#include "store/io.h"

enum fault_kind {
    FAULT_FULL,  /* ERR_LIMIT of what takes space, of anything else ERR_IO */
    FAULT_IO,    /* ERR_IO; a write has done a part of its work */
    FAULT_SHORT, /* a read or write does a part and says so, the next one is ERR_LIMIT or ERR_IO */
    FAULT_SYNC,  /* only syncs are counted and fail */
    FAULT_KINDS,
};

struct faults {
    const struct store_io *below; /* borrowed */
    enum fault_kind kind;
    uint64_t at;   /* number of the call, from 1; 0: none fails */
    bool for_good; /* it and all behind it */
    bool after_short;
    uint64_t calls; /* counted so far */
};

struct store_io faults_io(struct faults *f);
/* Whether a call has failed. */
bool faults_happened(const struct faults *f);

#endif
