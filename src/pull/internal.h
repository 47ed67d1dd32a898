/* SPDX-License-Identifier: EUPL-1.2 */
/* What the parts of a puller share. */
#ifndef VAKA_PULL_INTERNAL_H
#define VAKA_PULL_INTERNAL_H

#include "pull/answer.h"
#include "pull/puller.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static inline const struct pull_source *puller_source(const struct puller *p)
{
    return p->options.source;
}

static inline nsec puller_now(const struct puller *p)
{
    return clock_monotonic(&p->options.clock);
}

/* The feed at hand. */
static inline struct puller_feed *puller_feed(struct puller *p)
{
    return &p->feeds[p->at];
}

/* ---- pause.c: what keeps it from going on, and for how long ---- */

/* It goes on then; the time is monotonic. */
void pause_till(struct puller *p, nsec then);
/* To people, about this source. */
void pause_tell(struct puller *p, const char *event, const char *text);
/* A check has come to its end. */
void pause_for_good(struct puller *p);
/*
 * What is said in p->why has kept it from going on. What waiting does not help against is told at
 * once, the rest when it lasts.
 */
void pause_after_failure(struct puller *p, bool hopeless);
void pause_failed(struct puller *p, const char *why);
/* Only says it, in p->why. */
void pause_say(struct puller *p, const char *what, const struct dial_answer *a,
               const struct answer_error *error);
void pause_refused(struct puller *p, const char *what, const struct dial_answer *a,
                   const struct answer_error *error);
/* It was told to wait; 0: not how long. */
void pause_throttled(struct puller *p, nsec told);
/* Something went well. */
void pause_end(struct puller *p);
/* How long one of the longest pauses is now. */
nsec pause_long(struct puller *p);

/* ---- span.c: what is asked for ---- */

#define SPAN_FIRST HOUR

void span_tell_moved(struct puller *p);
/* The span at hand from its beginning. */
void span_first_page(struct puller *p);
/* All of it is stored, unless something was skipped. */
void span_close(struct puller *p);
/* A feed whose time has come, the others in turn; waits when there is none. */
bool span_open(struct puller *p);

/* ---- fetched.c: records on their way ---- */

/* The next batch of p->records; false: there is none left. */
bool fetched_send(struct puller *p);
/* It is durable, and remembered; or it is sent again. */
void fetched_stored(struct puller *p);
void fetched_take_back(struct puller *p);
void fetched_remember(struct puller *p, const struct seen_item *item);

#endif
