/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What an operator adds to rules, in folders of the library, a file each: exceptions of rules, and
 * rules of one's own. Each text of a rule that was kept stays beside it as a version, by a name
 * that begins with a dot: own/.VERSION-ID.yml. Each change is a line of the history.
 */
#ifndef VAKA_LIBRARY_OWN_H
#define VAKA_LIBRARY_OWN_H

#include "library/exception.h"
#include "library/library.h"

/* Who changes something, when, and what placeholders mean. */
struct library_change {
    struct slice who;
    nsec now;
    const struct placeholders *placeholders;
};

enum {
    OWN_ID = 36,        /* bytes: a UUID */
    OWN_VERSIONS = 100, /* that are told */
};

/*
 * Writes an exception for e->rule, whose text is that of its file (empty: it is one of indicators),
 * after it was read as it will be read. ERR_INVALID: diag says why it is none, or does not apply.
 */
int library_except(const struct library *l, const struct exception *e, struct slice text,
                   const struct library_change *change, char ret_id[EXCEPTION_ID + 1],
                   struct diag *diag) MUST_USE;
/* Ends one. ERR_INVALID, ERR_NOT_FOUND. */
int library_lift(const struct library *l, const char *id, const struct library_change *change,
                 struct diag *diag) MUST_USE;

/*
 * The id of the first rule of a text of which nothing is refused. ERR_INVALID: diag has the place
 * of what is wrong, or that it has no UUID.
 */
int library_own_id(struct slice text, const struct library_change *change, char ret[OWN_ID + 1],
                   struct diag *diag) MUST_USE;
/*
 * Keeps the text of a rule, or of a correlation with its rules; the id of the first says where.
 * ERR_INVALID: as above.
 */
int library_own_save(const struct library *l, struct slice text,
                     const struct library_change *change, char ret_id[OWN_ID + 1],
                     struct diag *diag) MUST_USE;
/* Takes it away. ERR_INVALID, ERR_NOT_FOUND. */
int library_own_drop(const struct library *l, struct slice id, const struct library_change *change,
                     struct diag *diag) MUST_USE;
/*
 * What was done to a rule of one's own, the newest first and no more than OWN_VERSIONS, as a JSON
 * array of {"what":"save"|"drop","at","by","version"}; a drop has no version. Empty: it never was
 * one. ERR_NOMEM, ERR_IO.
 */
int library_own_versions(const struct library *l, struct slice id, struct buf *out,
                         struct diag *diag) MUST_USE;
/* Appends the text of one of them. ERR_INVALID: no id or version; ERR_NOT_FOUND. */
int library_own_version(const struct library *l, struct slice id, struct slice version,
                        struct buf *out, struct diag *diag) MUST_USE;
/* NAME_MAX is enough for "ID.yml". False: it is no UUID. */
bool library_own_file(struct slice id, char ret[OWN_ID + 5]);

#endif
