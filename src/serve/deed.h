/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Something that somebody at the API has a process do to files that it keeps: an act, what of it
 * was read, and what became of it. What is wrong with it is {"member":"why","message":"…"}.
 */
#ifndef VAKA_SERVE_DEED_H
#define VAKA_SERVE_DEED_H

#include "base/body.h"
#include "desk/desk.h"
#include "serve/message.h"

struct deed {
    const struct say_act *act; /* borrowed */
    struct body body;
    enum desk_status status;
    struct diag diag;
    struct buf *answer; /* borrowed: one object, of which "{" is written */
};

/* Clears `answer`. */
void deed_begin(struct deed *d, const struct say_act *act, struct buf *answer);
/* A text of the body, NUL-terminated; "" when it is not there and needs not be. */
const char *deed_text(struct deed *d, const char *name, size_t max, bool must);
/* Nothing is done. The first word counts. `member` may be "": it is none's fault. */
void deed_refuse(struct deed *d, enum desk_status status, const char *member, const char *why);
/*
 * What d->diag says of an error: ERR_INVALID and ERR_NOT_FOUND are the caller's, of that member,
 * and refuse it; 0. Any other is returned.
 */
int deed_take_error(struct deed *d, const char *member, int error) MUST_USE;
/* It cannot be done now, for want of memory or by the disk: the log says why. */
void deed_fail(struct deed *d);
/* Ends the answer, and appends the message `acted` with it to out. Whether it was done. */
bool deed_end(struct deed *d, struct buf *out);

#endif
