/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Members of a JSON object that says what is to be done: each is asked for by its name, and at the
 * end it is told whether there are any that nobody asked for.
 */
#ifndef VAKA_BASE_BODY_H
#define VAKA_BASE_BODY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

enum { BODY_MAX = 8 * 1024 * 1024 };

struct body {
    struct slice object;
    struct arena texts;
    struct buf text;
    const char *taken[16];
    uint32_t n_taken;
    bool no_memory;     /* a text was lost for want of it */
    const char *member; /* that is wrong; NULL: none */
    char message[240];
};
void body_init(struct body *b, struct slice text);
void body_done(struct body *b);
/* All below: what is wrong is kept in the body, the first of it; then nothing more is read. */
bool body_has(struct body *b, const char *name);
/* Empty when it is not there or null, unless it must be. Texts live as long as the body. */
struct slice body_text(struct body *b, const char *name, size_t max, bool must);
uint64_t body_number(struct body *b, const char *name, bool must); /* from 1 */
uint64_t body_sequence(struct body *b, const char *name);          /* of a record: from 0 */
/* -1: it is not there. */
int body_bool(struct body *b, const char *name, bool must);
/* RFC 3339, later than now. */
nsec body_time_to_come(struct body *b, const char *name, nsec now);
/* RFC 3339, not later than now, which is what it is when it is not there. */
nsec body_time(struct body *b, const char *name, nsec now);
uint32_t body_numbers(struct body *b, const char *name, uint64_t *ret, uint32_t max);
/* The list itself; empty when it is not there. */
struct slice body_list(struct body *b, const char *name);
void body_wrong(struct body *b, const char *member, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* ERR_NOMEM, when something may be missing for want of memory. */
static inline int body_error(const struct body *b)
{
    return b->no_memory || b->text.no_memory || b->texts.no_memory ? ERR_NOMEM : 0;
}
/* Whether all of it was taken and is right. */
bool body_end(struct body *b);

#endif
