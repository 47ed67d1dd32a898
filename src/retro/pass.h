/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Every rule that is new, or means something else than before, is run over what is stored: many of
 * them in one pass, from the oldest record on, in turns of a processor's share. What was found and
 * how far it is stays in the book (book.h), so that a pass goes on where it was whatever ended it.
 * Blocks in which none of them can hold are passed over (noise/passing.h).
 */
#ifndef VAKA_RETRO_PASS_H
#define VAKA_RETRO_PASS_H

#include "config/config.h"
#include "retro/book.h"
#include "ruleset/ruleset.h"

enum retro_doing { RETRO_READS_RULES, RETRO_RUNS, RETRO_TELLS, RETRO_DONE };

/* Memory that is shared with who watches it. */
struct retro_page {
    uint32_t share; /* of a processor, in thousandths: written by who watches, 0: wait */
    uint32_t doing; /* an enum retro_doing; as all below written by the pass */
    uint32_t rules; /* of the pass at hand */
    uint32_t found; /* of them those that would have fired so far */
    uint64_t bytes, bytes_total, read, passed, records, matches, damaged;
    nsec cpu; /* that its readers took since it was started */
    nsec from, to;
};

struct retro_options {
    const struct config *config;
    const char *store; /* a tenant's folder */
    int folder;        /* in which the book is */
    struct retro_book *book;
    struct retro_page *page;
    const struct clock *clock;
    nsec now; /* when the rules came into force; what is received later is matched as it comes */
    int null_fd;
    void *ctx;
    /* Nothing more is opened but the store. An error is passed through. */
    int (*confine)(void *ctx);
    /* Now and then; an error ends it and is passed through. */
    int (*tick)(void *ctx);
    /* A rule would have fired. Returns when that is durable; an error is passed through. */
    int (*found)(void *ctx, const struct sigma_doc *doc, const struct retro_rule *rule);
};

/* Until there is nothing to look at any more. An error: diag says what is wrong. */
int retro_run(const struct retro_options *options, struct diag *diag) MUST_USE;

/* The digests of the rules of a set, and behind them of its correlations. NULL: out of memory. */
struct sigma_digest *retro_digests(const struct sigma_set *set) MUST_USE;

#endif
