/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/backlog.h"

static const nsec mark_time = 5 * NSEC_PER_MSEC;

void backlog_stored(struct backlog *b, uint64_t next, uint64_t bytes, nsec now)
{
    uint32_t last = (b->first + b->n - 1) % BACKLOG_MARKS;
    b->stored += bytes;
    bool more = b->n < BACKLOG_MARKS && (b->n == 0 || now - b->marks[last].since >= mark_time);
    if (more) {
        last = (b->first + b->n++) % BACKLOG_MARKS;
        b->marks[last].since = now;
    }
    b->marks[last].next = next;
    b->marks[last].bytes = b->stored;
}

void backlog_matched(struct backlog *b, uint64_t next)
{
    for (; b->n > 0 && b->marks[b->first].next <= next; b->n--) {
        b->matched = b->marks[b->first].bytes;
        b->first = (b->first + 1) % BACKLOG_MARKS;
    }
}

nsec backlog_age(const struct backlog *b, nsec now)
{
    return b->n ? now - b->marks[b->first].since : 0;
}
