/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Alerts, read from the file of state.h while its writer goes on (db_open_reader()). Errors are
 * those of db.h; `each` is given a row after the other, and may end it by false.
 */
#ifndef VAKA_STATE_READER_H
#define VAKA_STATE_READER_H

#include "state/db.h"
#include "state/state.h"

struct state_page {
    uint32_t tenant, limit;
    uint64_t before, after; /* ids */
    unsigned level;         /* this one and above */
    struct slice rule;      /* empty: any */
};

/*
 * Alerts before `before`, the newest first. It looks at no more than STATE_LOOKED, whatever fits:
 * *ret_next is where the list goes on, 0 at its end.
 */
enum { STATE_LOOKED = 20 * 1000 };
int state_read_older(struct db *db, const struct state_page *page, uint64_t *ret_next,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx) MUST_USE;
/* Alerts behind `after`, in order, whatever their level and rule. */
int state_read_newer(struct db *db, const struct state_page *page,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx) MUST_USE;
/* That one, or nothing. */
int state_read_alert(struct db *db, uint32_t tenant, uint64_t id,
                     bool (*each)(void *ctx, const struct state_alert *alert), void *ctx) MUST_USE;
/* The highest id of all tenants; 0: there is none. */
int state_read_last(struct db *db, uint64_t *ret) MUST_USE;

#endif
