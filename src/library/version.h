/* SPDX-License-Identifier: EUPL-1.2 */
/* Versions of sets as they are worked with: read and understood, put into force, taken in. */
#ifndef VAKA_LIBRARY_VERSION_H
#define VAKA_LIBRARY_VERSION_H

#include "library/difference.h"
#include "library/library.h"
#include "library/own.h"

/* A version of a set, read and understood. */
struct library_version {
    struct library_name set, version;
    struct pack pack;
    struct catalog catalog;
};
/*
 * Reads it; version NULL: the one in force, else the one that was imported last. ERR_INVALID: these
 * are no names; ERR_NOT_FOUND; ERR_CORRUPT: it is not what was imported. diag says what is wrong.
 * library_version_done() after success only.
 */
int library_version_read(const struct library *l, const struct placeholders *placeholders,
                         const char *set, const char *version, struct library_version *ret,
                         struct diag *diag) MUST_USE;
void library_version_done(struct library_version *v);

/*
 * What is compared when it is not said: in *old what is in force, or came before the last; in *new
 * what was imported last. Those that are said (not NULL) stay. The names lie in `names`.
 * ERR_NOT_FOUND: there are no two.
 */
int library_version_pair(const struct library *l, const char *set, const char **old,
                         const char **new, struct library_name names[2],
                         struct diag *diag) MUST_USE;

/*
 * Puts a version into force that was read before, NULL: none, and writes that into the history.
 * ret_before is what was, or "off"; nothing is done when it is in force already. ERR_NOT_FOUND.
 */
int library_version_use(const struct library *l, const char *set, const char *version,
                        const struct library_change *change, struct library_name *ret_before,
                        struct diag *diag) MUST_USE;

/* ---- taking in --------------------------------------------------------------------------- */

/* What is taken in, from a pack and a profile that were read: both are borrowed. */
struct library_import {
    struct library_name set, version; /* version: what it is called, or will be */
    const struct profile *profile;
    const struct pack *pack;
    struct catalog catalog;
    struct library_version before; /* what is in force, or came last */
    bool has_before, kept, fresh;  /* fresh: it was not there */
    struct differences changes;    /* from `before` */
};
/*
 * Understands the pack. ERR_NOT_FOUND: there is no rule in it. `from` is for messages.
 * library_import_done() after success only.
 */
int library_import_make(struct library_import *im, const struct library *l,
                        const struct placeholders *placeholders, const struct library_name *set,
                        const struct pack *pack, const struct profile *profile, const char *from,
                        struct diag *diag) MUST_USE;
/* Keeps it as a version, and writes that into the history. Durable when 0 is returned. */
int library_import_keep(struct library_import *im, const struct library *l, const char *from,
                        const struct library_change *change, struct diag *diag) MUST_USE;
void library_import_done(struct library_import *im);

/* How many of a pack's rules were refused, with what is no rule at all. */
uint32_t library_import_refused(const struct library_import *im);
/* {"set":…,"version":…,…,"refused":[…]} with at most so many refusals. */
void library_import_write(struct buf *out, const struct library_import *im, uint32_t refusals);

#endif
