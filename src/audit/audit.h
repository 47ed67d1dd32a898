/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who looked at the records: a line of JSON before anything is read and one behind it, in the
 * folder `audit` of serve.folder, which is its owner's alone:
 *
 *     log          what is written now
 *     log-MOMENT   what was written before MOMENT; the last AUDIT_FILES_MAX of them are kept
 *
 *     {"time":"…","id":"…","what":"search","uid":0,"user":"root","login":"anna","query":"…",
 *      "from":null,"to":null,"purpose":"…"}
 *     {"time":"…","id":"…","end":"whole","found":3}
 *
 * The first line is durable before audit_begin() returns; who cannot write it is to read nothing. A
 * line is written as a whole or not at all, also when several write at the same time.
 */
#ifndef VAKA_AUDIT_AUDIT_H
#define VAKA_AUDIT_AUDIT_H

#include "base/buf.h"
#include "base/time.h"

enum {
    AUDIT_FILE_MAX = 16 * 1024 * 1024, /* a file that is larger is not written to any more */
    AUDIT_FILES_MAX = 64,
    AUDIT_QUERY_MAX = 64 * 1024, /* bytes of a query that are told */
    AUDIT_TEXT_MAX = 1024,       /* of other texts */
    AUDIT_ID = 16,
    AUDIT_PATH_MAX = 4096,
};

struct audit_entry {
    const char *what;   /* "search" */
    uint32_t uid;       /* of the process */
    struct slice user;  /* its name */
    struct slice login; /* who logged in, also when it is another one now; empty: not known */
    struct slice query, purpose;
    nsec now;
    nsec from, to; /* of the records; INT64_MIN, INT64_MAX: no bound */
};

/* An entry that was begun. */
struct audit {
    char id[AUDIT_ID + 1];
    char folder[AUDIT_PATH_MAX];
};

/*
 * `serve_folder` has to be there. What root makes belongs to its owner. ERR_NOT_FOUND, ERR_ACCESS,
 * ERR_LIMIT (the disk is full), ERR_IO; diag says what is wrong.
 */
int audit_begin(const char *serve_folder, const struct audit_entry *entry, struct audit *ret,
                struct diag *diag) MUST_USE;
/* How it ended, a constant word, and how much was found. Errors as above. */
int audit_end(const struct audit *a, nsec now, const char *how, uint64_t found,
              struct diag *diag) MUST_USE;

/*
 * All entries that began in that time, in the order in which they ended: `line` is the first line's
 * object, `end` the second's or empty, when there is none. Anything but 0 ends it and is passed
 * through. Without any, nothing is told. *ret_damaged: lines that are none. Errors as above.
 */
int audit_read(const char *serve_folder, nsec from, nsec to, void *ctx,
               int (*entry)(void *ctx, struct slice line, struct slice end), uint64_t *ret_damaged,
               struct diag *diag) MUST_USE;

/* The members of both lines in one object, and a line feed: those of the second are called `ended`,
 * `end` and `found`, null when there is none. */
void audit_write_json(struct buf *out, struct slice line, struct slice end);

#endif
