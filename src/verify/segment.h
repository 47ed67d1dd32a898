/* SPDX-License-Identifier: EUPL-1.2 */
/* Sealed segments (the layout is in store/segment.h and store/block.h), read for verification. */
#ifndef VAKA_VERIFY_SEGMENT_H
#define VAKA_VERIFY_SEGMENT_H

#include "verify/file.h"
#include "verify/tree.h"

enum { VERIFY_FOOTER_MAX = 8 * 1024 };

struct verify_footer {
    uint32_t version, tenant, blocks, index_len, index_raw, index_crc, n_before, n_range;
    uint64_t begin, lost, records, raw_bytes, index_at;
    int64_t earliest, latest;
    uint32_t token_rule;
    uint32_t len; /* bytes of footer and tail */
    struct verify_hash root;
    struct verify_hash nodes[VERIFY_NODES]; /* before, then range */
};

/*
 * The bytes end with the footer. 0; ERR_CORRUPT: it is no footer or its CRC is wrong; ERR_INVALID:
 * the CRC is right, but not what it says.
 */
int verify_footer_read(struct slice bytes, struct verify_footer *ret) MUST_USE;

/* Where and how a segment is not what it should be. */
struct verify_flaw {
    bool accident;    /* bytes do not have their CRC, or are not there; else they agree with it */
    const char *what; /* NULL: there is none */
    uint64_t seq, offset;
};

/* Told of each record in order, and of each lost sequence number (NULL). */
typedef void verify_take(void *ctx, uint64_t seq, const struct verify_record *record);

/*
 * Reads all of a segment. *flaw is the first; records are told up to it, after that only those of
 * blocks that are right. *footer is valid unless ERR_CORRUPT is returned: then it could not be
 * read. ERR_IO, ERR_NOMEM: nothing can be said.
 */
int verify_segment(const struct verify_file *file, uint64_t begin, verify_take *take, void *ctx,
                   struct verify_footer *footer, struct verify_flaw *flaw) MUST_USE;

#endif
