/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Names of people in what the API answers: found in fields that have them (taxonomy/people.tsv) and
 * where texts say so, and from then on wherever they stand as words, whatever their case.
 * `KOMMUN\anna` and anna@kommun.example are both anna (incident/names.h); accounts of machines and
 * of the system are nobody.
 *
 * What is looked through is JSON among other bytes: one value, lines of them, or events of a
 * stream. Keys of objects stay as they are, and so do members that the API makes itself: who works
 * on an incident, levels, states.
 */
#ifndef VAKA_WEB_PEOPLE_H
#define VAKA_WEB_PEOPLE_H

#include "base/buf.h"

enum {
    PEOPLE_MAX = 200 * 1000, /* names that are known at a time */
    PEOPLE_NONE = -1,
};

struct people;

/* ERR_NOMEM. */
int people_new(uint64_t seed, struct people **ret) MUST_USE;
void people_free(struct people *p);

/* A name as it is compared, or its number when it is there; PEOPLE_NONE: it cannot be told in
 * texts, or there is no room. */
int people_add(struct people *p, struct slice name);
/* What one is shown as when nothing is lifted; kept for people_find_pseudonym(). */
void people_set_pseudonym(struct people *p, int name, struct slice pseudonym);
/* The name behind it; empty: none that is known here. */
struct slice people_find_pseudonym(const struct people *p, struct slice pseudonym);
struct slice people_name(const struct people *p, int name);
uint32_t people_count(const struct people *p);

/* Names of the fields and texts of an answer are known from now on. ERR_LIMIT: there is no room for
 * all of them. */
int people_learn(struct people *p, struct slice text) MUST_USE;

/* What stands for a name that is there; an empty one leaves it. */
typedef struct slice people_shown_fn(void *ctx, int name);
/* Appends the text with what is shown in place of each name. */
void people_rewrite(const struct people *p, struct slice text, people_shown_fn *shown, void *ctx,
                    struct buf *out);

#endif
