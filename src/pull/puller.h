/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One source in the cloud: a token, what became available, its records, and again after a pause.
 *
 * A feed (one of a source, or one a content type) is asked in spans of time. A span is taken page
 * by page; what is new in a page goes out as batches, one at a time, and is remembered when it is
 * durable. When the last page is done with, the cursor moves to the end of the span. So what is
 * interrupted anywhere is asked for again from the cursor on, and what is remembered is passed
 * over: records come at least once, and twice only when the end came between a batch and the note
 * of it. Their delivery says who they are (the record's id; the content's id and the place in it).
 *
 * Spans begin `late` before the cursor: what comes late is found, what is remembered is not taken
 * again (seen.h).
 *
 * Who is told to wait (429, 503, Retry-After) waits; everything else that fails is tried again
 * after pauses that grow to five minutes, by chance a little apart. A token that is refused is
 * asked for once more. Content that is not there any more, or cannot be read in CONTENT_TRIES
 * tries, is left out and told.
 */
#ifndef VAKA_PULL_PULLER_H
#define VAKA_PULL_PULLER_H

#include "base/json_read.h"
#include "dial/dial.h"
#include "event/record.h"
#include "pull/seen.h"
#include "pull/source.h"

enum {
    PULLER_BODY_MAX = 32 * 1024 * 1024, /* bytes of an answer */
    PULLER_URL_MAX = 16 * 1024,
    PULLER_WHY_MAX = 600,
    PULLER_STUCK_MAX = 16,
};

#define PULL_INPUT "cloud" /* the `input` of its records' source */

struct puller;

struct puller_out {
    void *ctx;
    /* A batch, borrowed for the call; answered by puller_stored(), later. An error: not now. */
    int (*batch)(void *ctx, struct puller *p, struct slice batch);
    /* How far a feed is has changed; what came of it is durable. */
    void (*moved)(void *ctx, struct puller *p, unsigned feed);
    /* Something that people should hear of. */
    void (*alarm)(void *ctx, struct puller *p, const char *event, struct slice text);
};

struct puller_options {
    struct loop *loop;
    struct clock clock;
    struct dial *dial;
    const struct pull_source *source; /* borrowed */
    struct slice secret;              /* borrowed; empty: `why` says why there is none */
    const char *why;                  /* borrowed */
    struct puller_out out;
    uint64_t seed; /* random */
    /* Instead of all the rest: tries once whether it would work, and tells. p->why is empty then,
     * or says why not. */
    void (*checked)(void *ctx, struct puller *p);
};

/* Content that could not be fetched: it is tried again when the rest of its span is done. */
struct puller_stuck {
    struct seen_id id;
    unsigned tries; /* 0: free */
    nsec since;     /* monotonic: the first of them */
};

struct puller_feed {
    struct seen seen;
    struct puller_stuck stuck[PULLER_STUCK_MAX];
    nsec span;        /* how long the next span is */
    nsec next;        /* monotonic: when it is asked again */
    nsec subscribed;  /* monotonic: when that was asked for; 0: never */
    uint32_t content; /* of PULL_M365 */
    bool refused;     /* it is, while others may be well */
};

enum puller_step {
    PULLER_OPEN,      /* a span is begun, or there is nothing to do for a while */
    PULLER_PAGE,      /* a page is asked for */
    PULLER_SUBSCRIBE, /* the feed has to be ordered first */
    PULLER_ITEMS,     /* the page's items are gone through */
    PULLER_CONTENT,   /* an item's content is asked for */
    PULLER_RECORDS,   /* its records are gone through */
};

struct puller_stats {
    uint64_t requests, failures, throttled, records, repeats, odd, expired, given_up, gaps;
};

struct puller {
    struct puller_options options;
    struct puller_feed feeds[PULL_CONTENT_COUNT];
    unsigned n_feeds, n_refused, at;
    enum puller_step step, asked; /* asked: of the call that is under way … */
    bool asking_token;            /* … unless it is for a token */

    struct dial_call call;
    struct buf token, url, form;
    nsec token_till; /* monotonic; 0: there is none */
    bool renewed;    /* a token was refused, and this is the next */

    nsec from, to;           /* the span */
    uint64_t taken;          /* new items in it */
    uint32_t pages, top;     /* pages of it; items a page */
    bool whole;              /* it ends now */
    struct buf page, next;   /* of PULL_M365: the page whose content is fetched; where it goes on */
    struct json_parts items; /* of the page */
    struct json_parts records;
    uint64_t ordinal; /* of the next record in its content */
    struct buf id;    /* of the content */
    nsec content_time;
    bool skipped;                      /* some content of the span was: it is not done with */
    unsigned failed_contents, outages; /* in a row; and pauses because of many */

    struct batch_writer writer;
    struct buf batch;
    struct json_parts before; /* where the batch that is out began */
    uint64_t ordinal_before;
    struct seen_item *pending; /* what will be remembered of it */
    uint32_t n_pending, max_pending;
    uint32_t n_batch, repeats; /* records in it; passed over */
    bool storing, stopped;
    struct buf source; /* record_source_write() */

    unsigned failures;        /* in a row */
    nsec not_till;            /* monotonic: a pause */
    nsec throttled_till;      /* realtime; 0: it is not */
    nsec failing_since;       /* monotonic; 0: it is well */
    nsec succeeded;           /* realtime: the last page, or content; 0: none yet */
    nsec told_lost;           /* monotonic */
    bool unreachable;         /* the last failure was that there is no answer at all */
    bool late;                /* people were told that it fails */
    char why[PULLER_WHY_MAX]; /* of the last failure; "" since the last success */
    struct puller_stats stats;
    struct loop_timer timer;
    struct loop_deferred go_on;
};

/* The http is the caller's. ERR_NOMEM. */
int puller_init(struct puller *p, const struct puller_options *options) MUST_USE;
void puller_done(struct puller *p);
/* Feeds are as far as was read into their `seen`. */
void puller_start(struct puller *p);
/* Nothing more is asked for; the batch that is out is still to be answered. */
void puller_stop(struct puller *p);
/* The batch that is out is durable, or will not be. */
void puller_stored(struct puller *p, bool stored);
static inline bool puller_is_storing(const struct puller *p)
{
    return p->storing;
}
/* "waiting", "asking", "storing", "throttled", "failing". */
const char *puller_state(const struct puller *p);
/* All before was asked for and is stored; realtime, 0: nothing yet. Of the feed that is least far.
 */
nsec puller_cursor(const struct puller *p);

#endif
