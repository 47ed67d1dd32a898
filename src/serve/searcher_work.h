/* SPDX-License-Identifier: EUPL-1.2 */
/* What the files of a searcher share: lines that go out, and the end. */
#ifndef VAKA_SERVE_SEARCHER_WORK_H
#define VAKA_SERVE_SEARCHER_WORK_H

#include "detect/sigma/rule.h"
#include "query/query.h"
#include "serve/searcher.h"

struct searcher_work {
    const struct searcher *s;
    struct channel *channel;
    struct query query;
    struct sigma_rule rule;
    struct buf lines, frame;
    nsec told; /* monotonic: progress */
    uint64_t damages, entries;
    int error; /* of the channel */
};

/* What is in w->lines goes out; w->error is what became of the channel. */
int searcher_send(struct searcher_work *w) MUST_USE;
/* The same of a text of its own. */
int searcher_pass(struct searcher_work *w, struct slice text) MUST_USE;
/* The end: with status 200 text is the last line, else what is wrong. */
int searcher_end(struct searcher_work *w, unsigned status, uint64_t found,
                 struct slice text) MUST_USE;

/* searcher_store.c: the records that the query names, as evidence as well, and whether all are what
 * was stored. */
int searcher_record(struct searcher_work *w) MUST_USE;
int searcher_evidence(struct searcher_work *w) MUST_USE;
int searcher_verify(struct searcher_work *w) MUST_USE;

#endif
