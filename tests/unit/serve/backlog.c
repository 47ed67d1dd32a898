/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/backlog.h"

#include "test.h"

TEST(backlog_is_what_is_stored_and_not_matched)
{
    static struct backlog b; /* too large for the stack */
    const nsec ms = NSEC_PER_MSEC;
    CHECK_INT(backlog_age(&b, 5), 0);
    backlog_stored(&b, 10, 1000, 100 * ms);
    backlog_stored(&b, 20, 500, 110 * ms);
    CHECK_INT(b.stored - b.matched, 1500);
    CHECK_INT(backlog_age(&b, 130 * ms), 30 * ms);
    backlog_matched(&b, 9); /* a part of what came together is none of it */
    CHECK_INT(b.matched, 0);
    backlog_matched(&b, 10);
    CHECK_INT(b.matched, 1000);
    CHECK_INT(backlog_age(&b, 130 * ms), 20 * ms);
    backlog_matched(&b, 20);
    CHECK_INT(b.matched, 1500);
    CHECK_INT(backlog_age(&b, 130 * ms), 0);
    backlog_matched(&b, 5); /* engines begin again further back */
    CHECK_INT(b.matched, 1500);
}

TEST(backlog_has_bounds)
{
    static struct backlog b; /* too large for the stack */
    enum { COMMITS = 3 * BACKLOG_MARKS };
    for (uint64_t i = 1; i <= COMMITS; i++) backlog_stored(&b, i, 100, (nsec)i * NSEC_PER_SEC);
    CHECK_INT(b.stored - b.matched, 100 * COMMITS);
    CHECK_INT(backlog_age(&b, (COMMITS + 1) * NSEC_PER_SEC), COMMITS * NSEC_PER_SEC);
    backlog_matched(&b, BACKLOG_MARKS - 1);
    CHECK_INT(b.matched, 100 * (BACKLOG_MARKS - 1));
    backlog_matched(&b, COMMITS - 1);
    CHECK(b.matched < b.stored);
    backlog_matched(&b, COMMITS);
    CHECK_INT(b.matched, b.stored);
    CHECK_INT(backlog_age(&b, COMMITS * NSEC_PER_SEC), 0);
}
