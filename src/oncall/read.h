/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Pages as JSON, for those who only look: the command line and the API read the file while its
 * writer goes on (db_open_reader()). Addresses are shown by their ends, codes not at all.
 * Errors: those of state/db.h, and ERR_LIMIT of the buf.
 */
#ifndef VAKA_ONCALL_READ_H
#define VAKA_ONCALL_READ_H

#include "base/buf.h"
#include "base/clock.h"
#include "state/db.h"

struct oncall_view {
    struct db *db;
    uint32_t tenant;
};
enum { ONCALL_PAGES_MAX = 500 };
struct oncall_query {
    bool open;         /* those alone that nobody has yet */
    uint64_t incident; /* those alone that list it; 0: whatever they list */
    uint64_t before;   /* page; 0: the newest */
    uint32_t limit;    /* at most ONCALL_PAGES_MAX */
    uint64_t next;     /* out: `before` of the pages behind these; 0: there are none */
};
/* A list, the newest first. */
int oncall_write_pages(const struct oncall_view *view, struct oncall_query *query,
                       struct buf *out) MUST_USE;
/* With its steps, notices, attempts and what was done; *ret_found is false without it. */
int oncall_write_page(const struct oncall_view *view, uint64_t id, struct buf *out,
                      bool *ret_found) MUST_USE;
/* What a message says of it: level, state, incidents by number, who has it. */
int oncall_write_summary(struct db *db, uint64_t id, struct buf *out) MUST_USE;

#endif
