/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lists of indicators on disk, in the folder `indicators` of serve.folder, kept as the library
 * keeps rules (library/library.h):
 *
 *     NAME/VERSION/list.csv      the list, as indicators_write() has it
 *     NAME/VERSION/version.json  where it came from, when, by whom, what is in it and what is not
 *     NAME/current               one line: the VERSION in force; not there: none is
 *     history                    a JSON object a line for each change
 *
 * A VERSION is called MOMENT-HASH and never changes: the hash is of the list. The last
 * INDICATORS_VERSIONS of a NAME are kept.
 */
#ifndef VAKA_INDICATOR_KEEP_H
#define VAKA_INDICATOR_KEEP_H

#include "indicator/read.h"
#include "library/library.h"

enum { INDICATORS_VERSIONS = 5, INDICATORS_LISTS_MAX = 64 };

struct indicators_origin {
    struct slice from, who;
    enum sigma_level level; /* of its alerts */
    nsec now;
};

/*
 * Keeps a list and puts it into force. *ret_new: it is not what was in force before. Durable when 0
 * is returned. ERR_LIMIT: there are INDICATORS_LISTS_MAX of other names.
 */
int indicators_keep(const struct library *l, const char *name, const struct indicators *in,
                    const struct indicators_origin *origin, struct library_name *ret, bool *ret_new,
                    struct diag *diag) MUST_USE;
/* No version is in force any more; ERR_NOT_FOUND: none was. */
int indicators_remove(const struct library *l, const char *name,
                      const struct indicators_origin *origin, struct diag *diag) MUST_USE;

/*
 * The version in force, without what has ended by `now`; ERR_CORRUPT: it is not what was imported.
 * `in` is to be given to indicators_done() after success.
 */
struct indicators_kept {
    struct library_name version;
    enum sigma_level level;
    struct indicators in;
};
int indicators_load(const struct library *l, const char *name, nsec now,
                    struct indicators_kept *ret, struct diag *diag) MUST_USE;

#endif
