/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Facts about the look of a text, which cost far more than the others. They are asked after those,
 * and only where they matter: all else that one of the conditions with it asks for holds, and asks
 * for more than what a product is known by already. Of a look that does not matter the route is the
 * same either way. Which ones may matter depends on nothing but what the route depends on, so it is
 * worked out once for each row of the cache; of these the text's first byte rules out nearly all.
 */
#include <stdlib.h>

#include "detect/router_state.h"

/* Conditions with a look among them. */
struct look_when {
    const struct taxonomy_when *when;
    uint32_t owner;
    uint32_t n_fields; /* that it asks about: two looks at one text say no more than one */
};

struct look {
    uint32_t fact, slot;
    uint32_t when_at, n_whens; /* into look_whens[] */
    bool negated;              /* it is what must not be, somewhere */
};

static bool asks_for(const struct taxonomy_cond *cond, uint32_t fact)
{
    for (uint32_t f = 0; f < cond->n_facts; f++)
        if (cond->facts[f] == fact) return true;
    return false;
}

static bool take_when(struct look *look, const struct taxonomy_when *when)
{
    bool any = false;
    for (uint32_t c = 0; c < when->n_conds; c++) {
        if (!asks_for(&when->conds[c], look->fact)) continue;
        any = true;
        look->negated |= when->conds[c].absent;
    }
    return any;
}

static uint32_t slot_of(const struct router *r, const struct taxonomy_cond *cond)
{
    return r->t->facts.at[cond->facts[0]].slot;
}

static uint32_t count_fields(const struct router *r, const struct taxonomy_when *when)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < when->n_conds; c++) {
        bool again = false;
        for (uint32_t d = 0; d < c && !again; d++)
            again = slot_of(r, &when->conds[c]) == slot_of(r, &when->conds[d]);
        n += !again;
    }
    return n;
}

/* The conditions with this look, into `ret` unless that is NULL. */
static void list_whens(const struct router *r, struct look *look, struct look_when *ret)
{
    look->n_whens = 0;
    for (uint32_t s = 0; s < r->t->sources.n; s++) {
        const struct taxonomy_source *source = &r->t->sources.at[s];
        for (uint32_t w = 0; w < source->n_whens; w++) {
            const struct taxonomy_when *when = &source->whens[w];
            if (!take_when(look, when)) continue;
            if (ret)
                ret[look->n_whens] = (struct look_when){when, source->owner, count_fields(r, when)};
            look->n_whens++;
        }
    }
}

static void set_bit(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}

bool router_looks_init(struct router *r)
{
    const struct taxonomy *t = r->t;
    uint32_t n_whens = 0;
    for (uint32_t f = 0; f < t->facts.n; f++) r->n_looks += t->facts.at[f].kind == FACT_LIKE;
    r->n_look_words = (r->n_looks + 63) / 64;
    r->looks = calloc((size_t)r->n_looks + 1, sizeof *r->looks);
    r->looks_by_byte =
        calloc((LOOK_EMPTY + 1) * (size_t)r->n_look_words + 1, sizeof *r->looks_by_byte);
    if (!r->looks || !r->looks_by_byte) return false;
    struct look *look = r->looks;
    for (uint32_t f = 0; f < t->facts.n; f++) {
        if (t->facts.at[f].kind != FACT_LIKE) continue;
        *look = (struct look){.fact = f, .slot = t->facts.at[f].slot, .when_at = n_whens};
        list_whens(r, look, NULL);
        for (unsigned c = 0; c <= LOOK_EMPTY; c++)
            if (c == LOOK_EMPTY || shape_may_begin(t->facts.at[f].shape, (char)c))
                set_bit(r->looks_by_byte + c * r->n_look_words, (uint32_t)(look - r->looks));
        n_whens += look++->n_whens;
    }
    r->look_whens = calloc((size_t)n_whens + 1, sizeof *r->look_whens);
    if (!r->look_whens) return false;
    for (uint32_t i = 0; i < r->n_looks; i++)
        list_whens(r, &r->looks[i], r->look_whens + r->looks[i].when_at);
    return true;
}

void router_looks_done(struct router *r)
{
    free(r->looks);
    free(r->looks_by_byte);
    free(r->look_whens);
}

/* Looks from the fact `first` on may still turn out to hold. */
static bool may_hold(const struct router *r, const struct taxonomy_cond *cond, uint32_t first)
{
    bool open = false;
    for (uint32_t f = 0; f < cond->n_facts; f++) {
        uint32_t fact = cond->facts[f];
        if (router_fact_holds(r, fact)) return !cond->absent;
        open |= fact >= first && r->t->facts.at[fact].kind == FACT_LIKE;
    }
    return cond->absent || open;
}

/* A look does not outweigh what a product is known by as long as it does not ask for more. */
static bool is_outdone(const struct look_when *w, const struct taxonomy_route *known)
{
    return known->owner && w->owner && w->owner != known->owner && w->n_fields <= known->asked;
}

static bool matters(const struct router *r, const struct look *look, uint32_t first,
                    const struct taxonomy_route *known)
{
    bool may = look->negated;
    for (uint32_t i = 0; i < look->n_whens && !may; i++) {
        const struct look_when *w = &r->look_whens[look->when_at + i];
        may = !is_outdone(w, known);
        for (uint32_t c = 0; c < w->when->n_conds && may; c++)
            may = may_hold(r, &w->when->conds[c], first);
    }
    return may;
}

void router_looks_list(const struct router *r, const struct taxonomy_route *known, uint64_t *ret)
{
    uint64_t *ret_later = ret + r->n_look_words;
    memset(ret, 0, 2 * (size_t)r->n_look_words * sizeof *ret);
    for (uint32_t i = 0; i < r->n_looks; i++) {
        const struct look *look = &r->looks[i];
        if (matters(r, look, look->fact, known)) set_bit(ret, i);
        else if (matters(r, look, 0, known)) set_bit(ret_later, i);
    }
}

/* Whether it holds, and did not before. */
static bool look_at(struct router *r, const struct look *look, struct slice text)
{
    if (router_fact_holds(r, look->fact)) return false;
    if (!shape_find(r->t->facts.at[look->fact].shape, text, &r->match)) return false;
    router_set_fact(r, look->fact);
    return true;
}

bool router_looks_collect(struct router *r, const struct taxonomy_route *known,
                          const uint64_t *listed)
{
    const uint64_t *later = listed + r->n_look_words;
    bool any = false;
    for (uint32_t word = 0; word < r->n_look_words; word++) {
        uint64_t fits = 0;
        for (uint32_t i = 0; i < r->n_look_texts; i++)
            fits |= r->looks_by_byte[r->look_texts[i].first * r->n_look_words + word];
        uint64_t left = (listed[word] | later[word]) & fits;
        for (; left; left &= left - 1) {
            bool sure = listed[word] & left & -left;
            const struct look *look = &r->looks[word * 64 + (uint32_t)__builtin_ctzll(left)];
            if (!sure && (!any || !matters(r, look, look->fact, known))) continue;
            for (uint32_t i = 0; i < r->n_look_texts; i++)
                if (r->look_texts[i].slot == look->slot)
                    any |= look_at(r, look, r->look_texts[i].text);
        }
    }
    return any;
}

/* When there are too many to keep, all is looked at now. */
void router_looks_keep(struct router *r, uint32_t s, struct slice text)
{
    text = slice_trim(text);
    if (r->n_look_texts < LOOK_TEXTS_MAX) {
        uint32_t first = text.len ? (unsigned char)text.ptr[0] : LOOK_EMPTY;
        r->look_texts[r->n_look_texts++] = (struct look_text){s, first, text};
        return;
    }
    for (uint32_t i = 0; i < r->n_looks; i++)
        if (r->looks[i].slot == s) (void)look_at(r, &r->looks[i], text);
}
