/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is in a pack: every document that was understood, whether its file is switched on, and what
 * was refused with its place. Files are switched on as a whole: one is on when the profile takes
 * any of its documents, or when a correlation that is on refers to one of them.
 */
#ifndef VAKA_LIBRARY_CATALOG_H
#define VAKA_LIBRARY_CATALOG_H

#include "detect/sigma/set.h"
#include "library/pack.h"
#include "library/profile.h"

enum { CATALOG_DIGEST = 32 };

struct catalog_rule {
    const struct sigma_doc *doc;   /* doc->file is the path below the pack */
    const struct sigma_rule *rule; /* NULL: a correlation or a filter */
    struct slice key;              /* its id, else its title */
    uint32_t file;                 /* number in the pack */
    bool on;
    uint8_t logic[CATALOG_DIGEST]; /* over what decides when it fires, as it was understood */
};

struct catalog {
    struct sigma_set *set;
    struct catalog_rule *rules; /* by key */
    uint32_t n;
    bool *on; /* by number of the file in the pack */
    const struct pack *pack;
    uint8_t digest[CATALOG_DIGEST]; /* over profile, paths, what is on, and texts */
    struct slice newest;            /* date: of the rule that was changed last */
};

/*
 * All of the pack, which is borrowed. placeholders may be NULL; without a profile the pack is a
 * version that is kept, whose files say whether they are on. ERR_NOMEM.
 */
int catalog_make(struct catalog *c, const struct pack *pack, const struct profile *profile,
                 const struct placeholders *placeholders) MUST_USE;
void catalog_done(struct catalog *c);

/*
 * Whether the profile takes the document by itself. What lies in the folders `deprecated` and
 * `unsupported` is only taken by its id: it was put away by its authors, whatever it says.
 */
bool catalog_takes(const struct profile *profile, const struct sigma_doc *doc);

/* By key, without regard to case; NULL when it has none. */
const struct catalog_rule *catalog_find(const struct catalog *c, struct slice key);
uint32_t catalog_count_on(const struct catalog *c);
/* How many the profile would switch on, by themselves. */
uint32_t catalog_count_taken(const struct catalog *c, const struct profile *profile);

#endif
