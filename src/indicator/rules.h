/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lists of indicators as rules: one for each list and kind, over the fields in which values of that
 * kind stand, for events of every log source. They have ids that stay the same over versions, so
 * that exceptions can name them.
 */
#ifndef VAKA_INDICATOR_RULES_H
#define VAKA_INDICATOR_RULES_H

#include "detect/sigma/set.h"
#include "indicator/read.h"

/* Where values of each kind stand. */
struct indicator_fields {
    struct slice *names[LISTED_KINDS];
    uint32_t n[LISTED_KINDS];
};
/*
 * YAML: a map from each kind to a list of fields (taxonomy/indicators.yml). Everything is the
 * arena's.
 */
int indicator_fields_read(struct arena *arena, const char *file, struct slice text,
                          struct indicator_fields *ret, struct diag *diag) MUST_USE;

struct indicator_list {
    const char *name, *version;
    enum sigma_level level;
    const struct indicators *in; /* borrowed for as long as the set lives */
};
/* Before sigma_set_finish(). The set ends when the first of the indicators does. ERR_NOMEM. */
int indicator_rules_add(struct sigma_set *set, const struct indicator_fields *fields,
                        const struct indicator_list *list) MUST_USE;
/* Whether a rule is one of those: there is no file with its text. */
bool indicator_rules_has(const struct sigma_doc *doc);
/* Whether it is one of that list. */
bool indicator_rules_are_of(const struct sigma_doc *doc, const char *list);

#endif
