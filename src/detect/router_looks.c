/* SPDX-License-Identifier: EUPL-1.2 */
/* Facts about the look of a text: asked last, and only where they matter. */
#include <stdlib.h>

#include "detect/router_state.h"

/*
 * A fact about the look of a text, which costs far more than the others. It is looked at when it
 * matters: all else that one of the conditions with it asks for holds, and these ask for more than
 * those by which a product is known already. Of one that does not matter the route is the same
 * either way.
 */
struct like {
    uint32_t fact, slot;
    uint32_t when_at, n_whens; /* into like_whens[] */
    uint32_t owner;            /* of all of these; 0: of several, or nobody's */
    uint32_t most;             /* how much the longest of them asks for */
    bool negated;              /* it is what must not be, somewhere */
};

static bool asks_for(const struct taxonomy_cond *cond, uint32_t fact)
{
    for (uint32_t f = 0; f < cond->n_facts; f++)
        if (cond->facts[f] == fact) return true;
    return false;
}

static bool take_when(struct like *like, const struct taxonomy_when *when)
{
    bool any = false;
    for (uint32_t c = 0; c < when->n_conds; c++) {
        if (!asks_for(&when->conds[c], like->fact)) continue;
        any = true;
        like->negated |= when->conds[c].absent;
    }
    if (any && when->n_conds > like->most) like->most = when->n_conds;
    return any;
}

/* The conditions with this fact, into `ret` unless that is NULL. */
static void list_whens(const struct taxonomy *t, struct like *like,
                       const struct taxonomy_when **ret)
{
    like->n_whens = 0;
    for (uint32_t s = 0; s < t->sources.n; s++) {
        const struct taxonomy_source *source = &t->sources.at[s];
        for (uint32_t w = 0; w < source->n_whens; w++) {
            if (!take_when(like, &source->whens[w])) continue;
            if (like->n_whens == 0) like->owner = source->owner;
            if (like->owner != source->owner) like->owner = 0;
            if (ret) ret[like->n_whens] = &source->whens[w];
            like->n_whens++;
        }
    }
}

bool router_looks_init(struct router *r)
{
    const struct taxonomy *t = r->t;
    uint32_t n_whens = 0;
    for (uint32_t f = 0; f < t->facts.n; f++) r->n_likes += t->facts.at[f].kind == FACT_LIKE;
    r->likes = calloc((size_t)r->n_likes + 1, sizeof *r->likes);
    if (!r->likes) return false;
    struct like *like = r->likes;
    for (uint32_t f = 0; f < t->facts.n; f++) {
        if (t->facts.at[f].kind != FACT_LIKE) continue;
        *like = (struct like){.fact = f, .slot = t->facts.at[f].slot, .when_at = n_whens};
        list_whens(t, like, NULL);
        n_whens += like++->n_whens;
    }
    r->like_whens = calloc((size_t)n_whens + 1, sizeof *r->like_whens);
    if (!r->like_whens) return false;
    for (uint32_t i = 0; i < r->n_likes; i++)
        list_whens(t, &r->likes[i], r->like_whens + r->likes[i].when_at);
    return true;
}

void router_looks_done(struct router *r)
{
    free(r->likes);
    free(r->like_whens);
}

/* `like` is being looked at: it and those behind it may still turn out to hold. */
static bool may_hold(const struct router *r, const struct taxonomy_cond *cond,
                     const struct like *like)
{
    bool open = false;
    for (uint32_t f = 0; f < cond->n_facts; f++) {
        uint32_t fact = cond->facts[f];
        if (router_fact_holds(r, fact)) return !cond->absent;
        open |= fact >= like->fact && r->t->facts.at[fact].kind == FACT_LIKE;
    }
    return cond->absent || open;
}

/* A look does not outweigh what a product is known by as long as it does not ask for more. */
static bool is_outdone(const struct like *like, const struct taxonomy_route *known)
{
    return !like->negated && known->owner && like->owner && like->owner != known->owner &&
           like->most <= known->asked;
}

static bool like_matters(const struct router *r, const struct like *like)
{
    bool may = like->negated;
    for (uint32_t w = 0; w < like->n_whens && !may; w++) {
        const struct taxonomy_when *when = r->like_whens[like->when_at + w];
        may = true;
        for (uint32_t c = 0; c < when->n_conds && may; c++)
            may = may_hold(r, &when->conds[c], like);
    }
    return may;
}

static void look_at(struct router *r, const struct like *like, struct slice text)
{
    if (router_fact_holds(r, like->fact)) return;
    if (shape_find(r->t->facts.at[like->fact].shape, text, &r->match))
        router_set_fact(r, like->fact);
}

bool router_looks_collect(struct router *r, const struct taxonomy_route *known)
{
    r->n_noted = 0;
    for (const struct like *like = r->likes; like < r->likes + r->n_likes; like++) {
        if (is_outdone(like, known) || !like_matters(r, like)) continue;
        for (uint32_t i = 0; i < r->n_like_texts; i++)
            if (r->like_texts[i].slot == like->slot) look_at(r, like, r->like_texts[i].text);
    }
    return r->n_noted > 0;
}

/* When there are too many to keep, all is looked at now. */
void router_looks_keep(struct router *r, uint32_t s, struct slice text)
{
    if (r->n_like_texts < LIKE_TEXTS_MAX) {
        r->like_texts[r->n_like_texts].slot = s;
        r->like_texts[r->n_like_texts++].text = text;
        return;
    }
    for (uint32_t i = 0; i < r->n_likes; i++)
        if (r->likes[i].slot == s) look_at(r, &r->likes[i], text);
}
