/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which rules of a pack are switched on. A profile is a YAML map; all that it says must hold:
 *
 *     name: default               # for people
 *     description: …
 *     status: [stable, test]      # one of these; a rule without a status is experimental
 *     level: [high, critical]     # one of these; `none`: a rule without a level
 *     logsource:
 *         include:                # one of these: all that it states is what the rule states
 *             - product: windows
 *         exclude:                # none of these
 *             - {product: windows, category: image_load}
 *     tags:
 *         include: [attack.t1003*]  # one of its tags; * at the end: what begins so
 *         exclude: [detection.threat-hunting]
 *     rules:
 *         include: [ID]           # in any case
 *         exclude: [ID]           # in no case
 *
 * A key that is not there says nothing. Filters are always on.
 */
#ifndef VAKA_LIBRARY_PROFILE_H
#define VAKA_LIBRARY_PROFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "detect/sigma/doc.h"

enum { PROFILE_ITEMS_MAX = 1024 /* of one list */, PROFILE_FILE_MAX = 256 * 1024 };

struct profile_texts {
    const struct slice *items;
    uint32_t n;
    bool said;
};
struct profile_sources {
    const struct sigma_logsource *items;
    uint32_t n;
    bool said;
};

struct profile {
    struct slice name, text; /* text: of the file */
    struct profile_texts status, level, tags, no_tags, rules, no_rules;
    struct profile_sources sources, no_sources;
};

/* What it keeps goes to the arena. diag has the place of what is wrong. */
int profile_read(struct profile *ret, struct arena *arena, const char *file, struct slice text,
                 struct diag *diag) MUST_USE;
/* One that is built in, else the file of that name. */
int profile_load(struct profile *ret, struct arena *arena, const char *name,
                 struct diag *diag) MUST_USE;

/*
 * Appends the text of a profile that says the same, but that the rule with that id is on, or is
 * off, in any case. ERR_LIMIT: more than PROFILE_ITEMS_MAX are said by their ids.
 */
int profile_switch(struct buf *out, const struct profile *p, struct slice id, bool on) MUST_USE;

/* The names of those that are built in, by number from 0; NULL behind the last. */
const char *profile_builtin(uint32_t number);

/* Whether the profile includes the rule by its id. */
bool profile_names(const struct profile *p, const struct sigma_doc *doc);
bool profile_takes(const struct profile *p, const struct sigma_doc *doc);

#endif
