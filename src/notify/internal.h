/* SPDX-License-Identifier: EUPL-1.2 */
/* What the parts of the room share. */
#ifndef VAKA_NOTIFY_INTERNAL_H
#define VAKA_NOTIFY_INTERNAL_H

#include "dial/dial.h"
#include "notify/provider.h"
#include "notify/senders.h"

enum {
    REQUEST_MAX = 64 * 1024, /* bytes of what a provider is asked */
    ANSWER_BODY_MAX = 512 * 1024,
    HEADERS_MAX = 4,
    LINE_CALLS = 4,    /* attempts under way by one provider */
    LINE_WAITING = 256 /* that wait for it */
};

/* An attempt, as long as it is remembered. */
struct known {
    uint64_t attempt; /* 0: free */
    uint64_t same;    /* a hash of what was to be told, and to whom */
    unsigned asker;
    struct line *line;
    enum notify_channel channel;
    enum notify_outcome outcome; /* 0: none yet */
    bool dry, following;
    int64_t expires; /* s since 1970 */
    nsec since;      /* monotonic: it was accepted, or is followed */
    char reference[NOTIFY_REFERENCE_MAX];
    char detail[NOTIFY_DETAIL_MAX];
};

/* What became of an attempt, as far as one answer tells. */
struct verdict {
    enum notify_outcome outcome;
    char reference[NOTIFY_REFERENCE_MAX]; /* "": as it was */
    char detail[NOTIFY_DETAIL_MAX];
};

/* One that waits. What its message borrows lies behind it. */
struct waiting {
    struct waiting *next;
    struct known *known;
    struct notify_message message;
    char text[];
};

/* One under way. */
struct
try {
    struct line *line;
    struct waiting *waiting; /* NULL: free */
    struct dial_call call;
    struct dial_request request;
    struct dial_mail mail;
    const char *headers[HEADERS_MAX + 1];
    struct buf url, body, header; /* what the request borrows, each with a NUL behind it */
    char to[NOTIFY_ADDRESS_MAX];
};

/* A provider that is used. */
struct line {
    struct senders *senders;
    const struct notify_provider *provider;
    const struct kind_ops *ops;
    struct buf secret, callback;
    struct diag why; /* it cannot be used: a secret cannot be read */
    bool unknown;    /* its host has no address now */
    struct try tries[LINE_CALLS];
    struct waiting *first, **last;
    size_t n_waiting;
    /* How it is. */
    uint64_t accepted, refused;      /* attempts, in all */
    nsec accepted_at, failed_at;     /* realtime; 0: never */
    nsec failing_since;              /* monotonic; 0: it is well */
    char failure[NOTIFY_DETAIL_MAX]; /* of the last failure; "" since the last success */
    struct poll *poll;               /* NULL: it is not asked for anything */
};

struct kind_ops {
    /* Makes the request of a try. False: it is refused, and why is in detail. */
    bool (*make)(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX]);
    /* Reads an answer of success, or of SMTP. NULL: nothing is in it. */
    void (*judge)(const struct notify_message *m, const struct dial_answer *a, struct verdict *v);
    /* What a provider tells by itself; a status of HTTP. NULL: it does not. */
    unsigned (*told)(struct line *l, struct slice body, struct buf *answer);
    bool dry; /* it can be asked whether it would */
};
extern const struct kind_ops kind_smtp, kind_elks, kind_webhook, kind_teams, kind_ntfy;

nsec senders_now(const struct senders *s); /* monotonic */
nsec senders_realtime(const struct senders *s);
/* "https://…/api/v1/callbacks/NAME/SECRET", for `out`; false: providers cannot reach us. */
bool line_put_callback(const struct line *l, struct buf *out);

/* ---- known.c: what is remembered ---- */

struct memory;
int memory_new(struct memory **ret) MUST_USE;
void memory_free(struct memory *m);
struct known *memory_find(struct memory *m, unsigned asker, uint64_t attempt);
/* By what the provider calls it. */
struct known *memory_find_reference(struct memory *m, const struct line *l,
                                    enum notify_channel channel, struct slice reference);
/* A place for one; NULL: all are under way. */
struct known *memory_add(struct memory *m, unsigned asker, uint64_t attempt);
/* Those of the line that are followed, one after the other; NULL behind the last. */
struct known *memory_next(struct memory *m, const struct line *l, struct known *after);
/* True the first time that this is seen. */
bool memory_is_new(struct memory *m, uint64_t answer);

/* ---- senders.c ---- */

/* What was heard of an attempt later. */
void senders_hear(struct senders *s, struct known *k, const struct verdict *v);
void senders_answer(struct line *l, enum notify_channel channel, struct slice reference,
                    struct slice from, struct slice text);
/* The provider could be talked to, or why not. */
void line_is_well(struct line *l);
void line_fails(struct line *l, const char *why);
struct memory *senders_memory(struct senders *s);
struct loop *senders_loop(const struct senders *s);

/* ---- judge.c ---- */

/* By HTTP alone: what the interfaces have in common. */
void judge_http(const struct dial_answer *a, struct verdict *v);
/* One line of what the other side says, made visible and cut. */
void judge_quote(char detail[NOTIFY_DETAIL_MAX], unsigned status, struct slice text);

/* ---- poll.c: what 46elks is asked for ---- */

int poll_new(struct line *l, struct dial *dial, struct poll **ret) MUST_USE;
void poll_free(struct poll *p);
/* Something is to be followed. */
void poll_wake(struct poll *p);

/* ---- elks_read.c: what 46elks says ---- */

/* Texts are of the JSON, with its escapes, without their quotes. */
struct elks_item {
    struct slice id, direction, status, state, from, message;
    struct slice digits; /* of the last key press of a call; empty: none */
};
/* A message or a call. False: it is none. */
bool elks_item_read(struct slice object, struct elks_item *ret);
/* The list in an answer, and where it goes on (a text with its quotes); false: it is none. */
bool elks_list_read(struct slice body, struct slice *ret_items, struct slice *ret_next);
/* What is known of an SMS or a call by its state; 0: nothing new. */
enum notify_outcome elks_outcome(enum notify_channel channel, struct slice state);
bool elks_is_digits(struct slice text);

#endif
