/* SPDX-License-Identifier: EUPL-1.2 */
/* What became of each rule from one version of a set to another, by its id. */
#ifndef VAKA_LIBRARY_DIFFERENCE_H
#define VAKA_LIBRARY_DIFFERENCE_H

#include "base/buf.h"
#include "library/catalog.h"

/* id, name, whether it is a change of a rule that both have */
#define DIFFERENCES(X)                                                                             \
    X(NEW, "new")                                                                                  \
    X(REMOVED, "removed")                                                                          \
    X(LOGIC, "logic")       /* it may fire on other events */                                      \
    X(METADATA, "metadata") /* what is said of it, or only how it is written */                    \
    X(SWITCHED, "switched") /* nothing but that it is on or off */

enum difference_kind {
#define X(id, name) DIFFERENCE_##id,
    DIFFERENCES(X)
#undef X
        DIFFERENCE_COUNT,
};
const char *difference_name(enum difference_kind kind);

struct difference {
    enum difference_kind kind;
    const struct catalog_rule *old, *new; /* NULL: not there */
    bool switched; /* it is on now and was not, or the other way round; new and removed: it is on,
                      it was */
};

struct differences {
    struct difference *items; /* by key */
    uint32_t n;
    uint32_t counts[DIFFERENCE_COUNT];
    uint32_t same, on, off; /* unchanged; switched on and off by it */
};

/* Both are borrowed and outlive it; old NULL: everything is new. ERR_NOMEM. */
int difference_make(struct differences *ret, const struct catalog *old,
                    const struct catalog *new) MUST_USE;
void difference_done(struct differences *d);

/* The next part of the metadata that differs, from number `from` on; returns the number to go on
 * with, 0 when there is none. */
unsigned difference_part(const struct difference *d, unsigned from, const char **ret_name,
                         struct slice *ret_old, struct slice *ret_new);

/* {"change":"logic","id":…,"title":…,"level":…,"was_on":…,"is_on":…,"metadata":{…}} */
void difference_write(struct buf *out, const struct difference *d);
/* Members of an object: how many rules are new, removed, changed, unchanged, switched on and off.
 */
void differences_write_counts(struct buf *out, const struct differences *d);

#endif
