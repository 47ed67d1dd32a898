/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is read of incidents, as JSON, from a connection that only reads (state/db.h): whoever asks
 * burdens nobody who writes. docs/incidents.md has the members.
 *
 * A list comes in pages: a cursor says where the next one begins. It is a text that means something
 * here only, and stays good while the list changes; none means that this was the last page.
 */
#ifndef VAKA_DESK_READ_H
#define VAKA_DESK_READ_H

#include "base/buf.h"
#include "base/clock.h"

struct db;

struct desk_view {
    struct db *db;
    uint32_t tenant;
    nsec now;            /* what clocks are read at */
    struct slice clocks; /* a file like taxonomy/clocks.tsv; empty: that one */
};

enum { DESK_CURSOR_MAX = 64, DESK_PAGE_MAX = 1000 };

struct desk_page {
    struct slice after;         /* the cursor; empty: from the beginning */
    uint32_t limit;             /* 1 to DESK_PAGE_MAX */
    char next[DESK_CURSOR_MAX]; /* filled: where it goes on; "" at the end */
};

enum desk_state { DESK_OPEN, DESK_CLOSED, DESK_ANY };

struct desk_filter {
    enum desk_state state;
    unsigned level;        /* at least: enum sigma_level */
    struct slice assignee; /* empty: whosever */
    struct slice name;     /* that an alert of it names, as it is compared; empty: whatever */
};

/*
 * All below append one JSON value. ERR_INVALID: the cursor is none; errors of state/db.h. Things of
 * another tenant are not found.
 */

/* [incident,…] by score, the highest first, of as high ones the newest. */
int desk_write_incidents(const struct desk_view *v, const struct desk_filter *filter,
                         struct desk_page *page, struct buf *out) MUST_USE;
/* One with all that is known of it but alerts and log. Nothing is appended when *ret_found is not
 * set. */
int desk_write_incident(const struct desk_view *v, uint64_t id, struct buf *out,
                        bool *ret_found) MUST_USE;
/* [{"id":…,"count":…,"last_seen":…,"alert":{…}},…] of it and its parts, the oldest first. */
int desk_write_alerts(const struct desk_view *v, uint64_t id, struct desk_page *page,
                      struct buf *out) MUST_USE;
/* [{"number":…,"time":…,"actor":…,"kind":…,"why":…,"body":{…}},…]: what was done, the oldest first.
 */
int desk_write_log(const struct desk_view *v, uint64_t id, struct desk_page *page,
                   struct buf *out) MUST_USE;
/* [{"id":…,"common":[{"kind":"user","name":"anna"}],…},…]: others that named the same, with how
 * they ended; the most first.
 */
int desk_write_similar(const struct desk_view *v, uint64_t id, struct buf *out) MUST_USE;
/*
 * [{"number":…,"incident":{…}},…]: incidents that have changed behind a number, each as it is now,
 * in the order of their last changes; at most `limit`. *ret_last: where to go on.
 */
int desk_write_news(const struct desk_view *v, uint64_t after, uint32_t limit, struct buf *out,
                    uint64_t *ret_last) MUST_USE;
/*
 * [{"host":…,"addresses":[…],"service":…,"owner":…,"importance":"high","shared":false,"incidents":3},
 * …] in the order they came; `incidents` are open and name it. `name` is one of an asset's, empty:
 * all of them.
 */
int desk_write_assets(const struct desk_view *v, struct slice name, struct desk_page *page,
                      struct buf *out) MUST_USE;
/* [{"id":…,"rule":…,"name":…,"owner":…,"why":…,"expires":…,"state":"active","alerts":…},…], the
 * newest first. */
int desk_write_suppressions(const struct desk_view *v, struct desk_page *page,
                            struct buf *out) MUST_USE;
/* [{"rule":…,"week":…,"month":…,"records":…,"suppressed":…,"last":…},…]: alerts of each rule in the
 * last 7 and 30 days of UTC, the most first; the others are of 30 days. Without exercises. */
int desk_write_noise(const struct desk_view *v, struct buf *out) MUST_USE;
/*
 * {"open":{"critical":1,…},"new":{…}}: how many incidents are open by their level, and how many of
 * these nobody has acknowledged.
 */
int desk_write_queue(const struct desk_view *v, struct buf *out) MUST_USE;
/* [incident,…]: those of exercises that were detected from `from` on and before `to`, each with
 * first_event and first_received: what the event of its first alert says, and when that came. */
int desk_write_exercises(const struct desk_view *v, nsec from, nsec to, struct buf *out) MUST_USE;
/* {"name":"Ekby kommun"}: what the organisation is called, or null. */
int desk_write_organisation(const struct desk_view *v, struct buf *out) MUST_USE;
/* The number of the last change. */
int desk_last_change(const struct desk_view *v, uint64_t *ret) MUST_USE;

#endif
