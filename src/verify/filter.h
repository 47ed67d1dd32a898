/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether the filters of a group of blocks (store/filter.h; of segments of version 1 store/bloom.h)
 * let every token (store/token.h) of their records through: one that is not there would hide
 * records from a search.
 */
#ifndef VAKA_VERIFY_FILTER_H
#define VAKA_VERIFY_FILTER_H

#include "base/error.h"
#include "verify/block.h"

enum { VERIFY_FILTER_RULE = 1 };

struct verify_filter;

/* NULL: out of memory. */
struct verify_filter *verify_filter_new(void) MUST_USE;
void verify_filter_free(struct verify_filter *f);
/* Takes the tokens of a block, which is number `position` of its group. ERR_NOMEM. */
int verify_filter_add(struct verify_filter *f, struct verify_block *block,
                      uint32_t position) MUST_USE;
/* The list that filters are: what the index says of it, and its pages. */
struct verify_list {
    uint32_t n; /* blocks */
    uint64_t full;
    uint32_t values, rice; /* values: at least 1 */
    const char *firsts;    /* u32 for each page */
    struct slice pages;
};
enum { VERIFY_FILTER_PAGE = 2048 };
/*
 * 0: every token is in the list, and nothing else. ERR_CORRUPT: one is not; ERR_INVALID: the pages
 * are no list, or not that of these tokens; ERR_NOMEM.
 */
int verify_filter_check(struct verify_filter *f, const struct verify_list *list) MUST_USE;
/* Of version 1: `rows` are the filters of n blocks, `buckets` of n × 32 + 4 bytes each. */
bool verify_filter_check_rows(const struct verify_filter *f, struct slice rows, uint32_t n,
                              uint32_t buckets);
void verify_filter_clear(struct verify_filter *f);

#endif
