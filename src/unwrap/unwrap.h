/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Bodies of requests and datagrams that hold many records → the records, and the answer that tells
 * the sender what became of each. No sockets, no keys, no clock: what is known of the sender comes
 * with the container.
 *
 * The answer is prepared for the case that all records that were taken become durable: it is sent
 * only then. An answer with `taken` 0 may be sent at once.
 *
 * Not what is sent but what cannot be a record is refused, each by itself: one bad line costs its
 * own record. Only a body that cannot be taken apart at all is refused whole.
 */
#ifndef VAKA_UNWRAP_UNWRAP_H
#define VAKA_UNWRAP_UNWRAP_H

#include "event/container.h"
#include "event/record.h"

/* name, what a sender or an operator reads. */
#define UNWRAP_REASONS(X)                                                                          \
    X(NOT_OBJECT, "not a JSON object")                                                             \
    X(BAD_ACTION, "an action that keeps no new record")                                            \
    X(BAD_LINE, "not what the format asks for")                                                    \
    X(NO_EVENT, "the event is missing")                                                            \
    X(BLANK_EVENT, "the event is blank")                                                           \
    X(BAD_FIELDS, "fields is not an object of plain values")                                       \
    X(TOO_LARGE, "larger than a record may be")                                                    \
    X(TOO_MANY, "more records than one request may hold")                                          \
    X(CUT_OFF, "ends too early")                                                                   \
    X(BAD_TEMPLATE, "a template that cannot be used")

enum unwrap_reason {
#define X(name, text) UNWRAP_##name,
    UNWRAP_REASONS(X)
#undef X
        UNWRAP_REASON_COUNT,
};
const char *unwrap_reason_text(enum unwrap_reason reason);

struct unwrap_answer {
    unsigned status; /* HTTP; 0 for a flow */
    const char *content_type;
    const char *header; /* one more header line, "Name: value", or NULL */
    bool numbered;      /* its body is an open object until unwrap_number_answer() */
    struct buf body;
    uint64_t taken;
    uint64_t refused[UNWRAP_REASON_COUNT];
};

/* `body` takes at most UNWRAP_ANSWER_MAX bytes. */
enum { UNWRAP_ANSWER_MAX = 96 * 1024 * 1024 };
void unwrap_answer_init(struct unwrap_answer *a);
void unwrap_answer_done(struct unwrap_answer *a);

/* Where records go. */
struct unwrap_sink {
    struct batch_writer *writer; /* of the container's tenant; may hold records already */
    /*
     * The writer is full: finishes it, so that it takes records again. A non-zero return ends the
     * unwrapping and is passed through.
     */
    int (*full)(void *ctx, struct batch_writer *writer);
    void *ctx;
};

struct unwrap_options {
    size_t body_max;      /* bytes of a body after Content-Encoding */
    uint32_t ratio_max;   /* its size over what was sent, above UNWRAP_SMALL bytes; at least 1 */
    uint32_t records_max; /* of one body; more are refused */
    uint32_t errors_max;  /* places told in an answer that names only what was refused */
    /* Flows. Templates and waiting sets are dropped oldest first. Counts are at least 1. */
    uint32_t templates_max, domains_max;
    size_t template_bytes_max, waiting_bytes_max;
    nsec template_life, waiting_life;
};
enum { UNWRAP_SMALL = 1024 * 1024 };
struct unwrap_options unwrap_options_default(void);

/* Counted over the life of a struct unwrap. */
struct unwrap_flow_stats {
    uint64_t datagrams, damaged; /* damaged: a header or length that cannot be */
    uint64_t lost;               /* records or packets that sequence numbers say are missing */
    uint64_t no_template;        /* sets dropped because theirs did not come in time */
    uint32_t templates, waiting; /* now */
};

struct unwrap;

/* NULL when out of memory. One thread's. */
struct unwrap *unwrap_new(const struct unwrap_options *options);
void unwrap_free(struct unwrap *u);

/*
 * Takes one container apart. *answer is filled anew. 0 with an answer also when all was refused;
 * ERR_NOMEM, or what the sink returned: then nothing can be said about the rest, and the sender
 * must not be told of success.
 */
int unwrap_container(struct unwrap *u, const struct container *c, const struct unwrap_sink *sink,
                     struct unwrap_answer *answer) MUST_USE;

/*
 * To be called before an answer is sent, when all that was taken is durable: HEC's answers to a
 * channel get their acknowledgement number only now, so that a number that exists is a true one.
 */
void unwrap_number_answer(struct unwrap *u, struct unwrap_answer *answer);

void unwrap_flow_stats(const struct unwrap *u, struct unwrap_flow_stats *ret);

#endif
