/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One search over the records, or through the audit log, for somebody at the API, in a process of
 * its own. It tells over its channel, as frames of message.h:
 *
 *   found     whole lines: {"columns":[…]}, {"row":{…}}, {"progress":{…}} once a second, and
 *             {"damage":"…"}; the first as soon as the query is understood. Of the audit log:
 *             {"entry":{…}}; of rules that are tried as trial.h has it; of evidence pieces of one
 *             object
 *   finished  how it ended; the last
 *
 * and ends when the other end is closed.
 */
#ifndef VAKA_SERVE_SEARCHER_H
#define VAKA_SERVE_SEARCHER_H

#include "proc/channel.h"
#include "ruleset/ruleset.h"
#include "serve/message.h"

struct searcher {
    uint64_t id;
    struct ruleset *rules; /* without rules; the process has its own copy by being forked */
    const struct ruleset *in_force;
    const struct config *config;
    const struct clock *clock;
    const struct zone *zone;
    unsigned what;                     /* FIND_RECORDS … */
    const char *store;                 /* the tenant's folder */
    const char *audit;                 /* that of the audit log */
    const char *library;               /* that of imported rules */
    struct slice query, name, purpose; /* whose it is, and why */
    nsec from, to;
    bool sandboxed;
};

/* For worker_fork(); ctx is a struct searcher. */
int searcher_run(void *ctx, struct channel *channel);

#endif
