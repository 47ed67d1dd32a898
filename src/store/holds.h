/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The file of holds: records that retention leaves where they are. A line each,
 *
 *     FROM-TO TIME WHO REASON
 *
 * with the first and the last sequence number (without TO: all from FROM on), when it was written
 * (RFC 3339), by whom (a word), and why (the rest). Empty lines and those that begin with # say
 * nothing; a hold that was lifted is left as such a line, so that the file tells its own story.
 */
#ifndef VAKA_STORE_HOLDS_H
#define VAKA_STORE_HOLDS_H

#include "base/buf.h"
#include "base/clock.h"
#include "store/retain.h"

enum {
    HOLDS_FILE_MAX = 1024 * 1024,
    HOLDS_MAX = 4096,
    HOLD_WHO_MAX = 128,
    HOLD_REASON_MAX = 1000,
};

struct hold {
    struct retain_hold range;
    nsec time;
    struct slice who, reason; /* of the text */
};

/* "FROM-TO" or "FROM-". */
bool hold_range_read(struct slice text, struct retain_hold *ret);
void hold_range_write(struct buf *out, const struct retain_hold *range);

/*
 * Appends a struct hold for each line to out. ERR_SYNTAX, ERR_LIMIT: diag (may be NULL) names the
 * place, with `file`; what was appended is then of no use: nobody knows what else is held.
 */
int holds_read(const char *file, struct slice text, struct buf *out, struct diag *diag) MUST_USE;

/* {"range":"5-9","time":…,"by":…,"reason":…} */
void hold_write_json(struct buf *out, const struct hold *hold);

/* Appends a line. ERR_INVALID: an empty range, or who or reason are none. */
int hold_write(struct buf *out, const struct hold *hold) MUST_USE;
/*
 * Appends `text` with the holds of exactly this range lifted at `now` by `who`; *ret_n is how many
 * there were.
 */
void holds_lift(struct buf *out, struct slice text, const struct retain_hold *range, nsec now,
                struct slice who, size_t *ret_n);

#endif
