/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An exception of the operator's: a Sigma filter for one rule, in a file of its own, apart from
 * what was imported:
 *
 *     title: 'Exception: TITLE OF THE RULE'
 *     id: UUID
 *     description: WHY
 *     author: WHO
 *     date: WHEN (RFC 3339)
 *     logsource: …           # the rule's
 *     filter:
 *         rules: [ID OF THE RULE]
 *         selection: …       # what is not to fire
 *         condition: selection
 *     vaka: {until: DAY}     # when it ends; not there: never
 */
#ifndef VAKA_LIBRARY_EXCEPTION_H
#define VAKA_LIBRARY_EXCEPTION_H

#include "base/buf.h"
#include "detect/sigma/doc.h"

enum {
    EXCEPTION_WHEN_MAX = 64,
    EXCEPTION_TEXT_MAX = 2000, /* bytes of a reason, a field or a value */
    EXCEPTION_FILE_MAX = 256 * 1024,
    EXCEPTION_ID = 36, /* bytes of an id */
};

struct exception {
    const struct sigma_doc *rule;
    const char *const *when; /* `field: value`, with the modifiers of Sigma; those of one field are
                                alternatives, those of different fields must all hold */
    uint32_t n_when;
    struct slice reason, who;
    nsec now;
    const char *until; /* NULL: for good */
};

/* A random id (RFC 4122, 4.4), with a NUL. ERR_IO. */
int exception_id_make(char ret[EXCEPTION_ID + 1]) MUST_USE;

/*
 * Appends the file. ERR_INVALID: diag says what of it is none; whether fields and modifiers have a
 * meaning is for who reads the filter.
 */
int exception_write(struct buf *out, const struct exception *e, const char *id,
                    struct diag *diag) MUST_USE;

#endif
