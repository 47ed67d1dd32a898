/* SPDX-License-Identifier: EUPL-1.2 */
/* What the kinds of containers share. */
#ifndef VAKA_UNWRAP_INTERNAL_H
#define VAKA_UNWRAP_INTERNAL_H

#include "unwrap/unwrap.h"

struct encoding; /* encoding.h */
struct flows;    /* flow.h */

struct unwrap {
    struct unwrap_options options;
    struct buf plain;   /* a body without its Content-Encoding */
    struct buf context; /* of the records to come */
    struct buf scratch; /* at most as long as a context */
    struct encoding *encoding;
    struct flows *flows;
    uint64_t next_ack; /* HEC's: all below were given */
};

/* One container being taken apart. */
struct job {
    struct unwrap *u;
    const struct container *c;
    struct slice body; /* plain */
    const struct unwrap_sink *sink;
    struct unwrap_answer *a;
    nsec received;     /* of the records to come */
    uint64_t position; /* of the next record in the container */
};

enum { JOB_REFUSED = 1 };

/*
 * Adds a record at the next position. 0; JOB_REFUSED (and counted) with *ret_reason when it is
 * above a limit; or a negative error that ends the job.
 */
int job_add(struct job *j, enum record_format format, struct slice raw, struct slice context,
            enum unwrap_reason *ret_reason) MUST_USE;
/* Counts one that is not taken; it has a position too. */
void job_refuse(struct job *j, enum unwrap_reason reason);
uint64_t job_refused(const struct job *j);

/* Puts text in front of what the answer's body has. */
void answer_prepend(struct unwrap_answer *a, struct slice head);

/* The parameter's value, %XX and + as they stand; false without. */
bool query_find(struct slice query, struct slice name, struct slice *ret);
/* Whether the content type is `type`, parameters apart. */
bool content_type_is(struct slice content_type, struct slice type);
/* Takes the next line off *text, without LF or CRLF; false at the end. */
bool line_next(struct slice *text, struct slice *ret_line);

/* Each fills j->a; errors as unwrap_container()'s. */
int ndjson_unwrap(struct job *j) MUST_USE;
int bulk_unwrap(struct job *j) MUST_USE;
int hec_unwrap(struct job *j) MUST_USE;
int hec_unwrap_raw(struct job *j) MUST_USE;
int hec_answer_acks(struct job *j) MUST_USE;
int otlp_unwrap(struct job *j) MUST_USE;

/* The answer for a body that cannot be read at all, in the words of its kind. */
void ndjson_answer_error(struct unwrap_answer *a, unsigned status, const char *text);
void bulk_answer_error(struct unwrap_answer *a, unsigned status, const char *text);
void hec_answer_error(struct unwrap_answer *a, unsigned status, const char *text);
void otlp_answer_error(struct job *j, unsigned status, const char *text);

#endif
