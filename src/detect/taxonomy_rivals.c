/* SPDX-License-Identifier: EUPL-1.2 */
/* Products that claim the same records. */
#include "detect/taxonomy.h"

#include "detect/taxonomy_model.h"

/* That a field is there is too little to be called the same records. */
static bool both_hold(const struct taxonomy_fact *a, const struct taxonomy_fact *b)
{
    if (a->slot != b->slot) return false;
    if (a->kind == b->kind && slice_eq(a->text, b->text)) return true;
    return (a->kind == FACT_PREFIX && slice_starts_with(b->text, a->text)) ||
           (b->kind == FACT_PREFIX && slice_starts_with(a->text, b->text));
}

/* Whether some value of one field meets both. */
static bool agree(const struct taxonomy *t, const struct taxonomy_cond *a,
                  const struct taxonomy_cond *b)
{
    if (a->absent || b->absent) return false;
    for (uint32_t i = 0; i < a->n_facts; i++)
        for (uint32_t k = 0; k < b->n_facts; k++)
            if (both_hold(&t->facts.at[a->facts[i]], &t->facts.at[b->facts[k]])) return true;
    return false;
}

/* Whether records that meet the longer one can be seen to meet the shorter one. */
static bool overlap(const struct taxonomy *t, const struct taxonomy_when *a,
                    const struct taxonomy_when *b)
{
    const struct taxonomy_when *shorter = a->n_conds < b->n_conds ? a : b;
    const struct taxonomy_when *longer = shorter == a ? b : a;
    bool any = false;
    for (uint32_t i = 0; i < shorter->n_conds; i++) {
        bool found = shorter->conds[i].absent; /* which says nothing of what is there */
        any |= !found;
        for (uint32_t k = 0; k < longer->n_conds && !found; k++)
            found = agree(t, &shorter->conds[i], &longer->conds[k]);
        if (!found) return false;
    }
    return any;
}

/* What a product is recognised by is a source without a label. */
static bool recognises(const struct taxonomy *t, uint32_t source, uint32_t owner)
{
    const struct taxonomy_label *l = &t->labels.at[source];
    return t->sources.at[source].owner == owner && !l->product.len && !l->category.len &&
           !l->service.len;
}

/* The first two conditions of the sources that overlap. */
static bool find_rivals(const struct taxonomy *t, const struct taxonomy_source *a,
                        const struct taxonomy_source *b, struct taxonomy_rival *ret)
{
    for (uint32_t i = 0; i < a->n_whens; i++) {
        for (uint32_t k = 0; k < b->n_whens; k++) {
            const struct taxonomy_when *mine = &a->whens[i], *other = &b->whens[k];
            if (!overlap(t, mine, other)) continue;
            *ret = (struct taxonomy_rival){.line = mine->line,
                                           .column = mine->column,
                                           .other = b->owner,
                                           .other_line = other->line,
                                           .asked = mine->n_conds,
                                           .other_asked = other->n_conds};
            return true;
        }
    }
    return false;
}

bool taxonomy_next_rival(const struct taxonomy *t, uint32_t owner, uint32_t *at,
                         struct taxonomy_rival *ret)
{
    uint32_t own = 0;
    while (own < t->sources.n && !recognises(t, own, owner)) own++;
    while (own < t->sources.n && *at < t->sources.n) {
        uint32_t other = (*at)++;
        const struct taxonomy_source *source = &t->sources.at[other];
        if (source->owner && source->owner != owner && recognises(t, other, source->owner) &&
            find_rivals(t, &t->sources.at[own], source, ret))
            return true;
    }
    return false;
}
