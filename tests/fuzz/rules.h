/* SPDX-License-Identifier: EUPL-1.2 */
/* Rule sets and their engine, for the targets that go all the way from rule text to a match. */
#ifndef VAKA_TESTS_FUZZ_RULES_H
#define VAKA_TESTS_FUZZ_RULES_H

#include "detect/engine.h"
#include "target.h"

/* Made once, since it reads all of taxonomy/, and never changed. */
static inline const struct taxonomy *rules_taxonomy(void)
{
    static struct taxonomy *taxonomy;
    if (!taxonomy) taxonomy = taxonomy_new();
    HOLDS(taxonomy != NULL);
    return taxonomy;
}

/* What can be loaded of the text; every refusal must name its place. Free with sigma_set_free(). */
static inline struct sigma_set *rules_load(struct slice text, const struct placeholders *known)
{
    const struct sigma_set_options options = {.placeholders = known};
    struct sigma_set *set = sigma_set_new();
    HOLDS(set != NULL);
    HOLDS(sigma_set_add_text(set, "input.yml", text, &options) == 0);
    HOLDS(sigma_set_finish(set) == 0);
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct diag *d = &set->refusals[i].diag;
        HOLDS(d->file != NULL && d->line > 0 && d->column > 0 && d->message[0] != '\0');
    }
    return set;
}

/* Free with engine_free(), before the set. */
static inline struct engine *rules_engine(const struct sigma_set *set, bool any_logsource,
                                          bool no_memo)
{
    const struct engine_options options = {.any_logsource = any_logsource, .no_memo = no_memo};
    struct engine *engine = engine_new(set, rules_taxonomy(), &options);
    HOLDS(engine != NULL);
    return engine;
}

#endif
