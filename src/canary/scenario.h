/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A recording of what many systems logged, to be sent again in the order and at the pace of what it
 * says: lines of files, each at its time. A line without a time that is understood has that of the
 * line before. Files whose first lines say what the columns of the others are cannot be sent as
 * lines, and are left out.
 */
#ifndef VAKA_CANARY_SCENARIO_H
#define VAKA_CANARY_SCENARIO_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"

enum {
    SCENARIO_FILE_MAX = 8 * 1024 * 1024,
    SCENARIO_BYTES_MAX = 32 * 1024 * 1024, /* of all files together */
    SCENARIO_RECORDS_MAX = 64 * 1024,
};

struct scenario_record {
    nsec at;           /* of the recording */
    struct slice line; /* without its end */
    bool body;         /* JSON, for a body over HTTP; else a line of syslog */
    uint32_t order;    /* as they were added */
};

struct scenario {
    struct arena arena;
    struct scenario_record *records; /* after scenario_finish() by time */
    uint32_t n;
    uint32_t left_out; /* files */
};

/* ERR_NOMEM. To be given to scenario_done() after success only. */
int scenario_init(struct scenario *s) MUST_USE;
void scenario_done(struct scenario *s);
/* The lines of a file, copied; NAME.ndjson is JSON, NAME.log is not, others are left out.
 * ERR_LIMIT, ERR_NOMEM. */
int scenario_add(struct scenario *s, struct slice name, struct slice text) MUST_USE;
/* Nothing more is added. ERR_NOT_FOUND: there is no record. */
int scenario_finish(struct scenario *s) MUST_USE;

/* When a line happened, by the first time in it that has one of a few forms; TIME_NONE. */
nsec scenario_time(struct slice line);
/* How long behind the beginning a record is sent, at `speed` times the pace. */
nsec scenario_due(const struct scenario *s, uint32_t number, uint32_t speed);

#endif
