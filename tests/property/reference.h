/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The slow evaluator: one rule, one event, straight from the document as written. It shares with
 * the product the YAML reader, the case-folding table and PCRE2, and nothing else: modifiers,
 * wildcards, conditions, encodings, networks and times are written here a second time, in the
 * plainest way, so that agreement means something.
 */
#ifndef VAKA_TESTS_PROPERTY_REFERENCE_H
#define VAKA_TESTS_PROPERTY_REFERENCE_H

#include "detect/sigma/doc.h"

enum ref_type { REF_STRING, REF_NUMBER, REF_BOOL, REF_NULL };

struct ref_field {
    struct slice name; /* dotted path */
    enum ref_type type;
    struct slice text; /* decoded */
};

/* What items said of the same values before: real rules and events repeat themselves a lot. */
struct ref_cache;
struct ref_cache *ref_cache_new(void);
void ref_cache_free(struct ref_cache *cache);

enum { REF_NAMES_MAX = 8 };

struct ref_event {
    const struct ref_field *fields;
    uint32_t n;
    struct ref_cache *cache; /* NULL: everything is evaluated anew */
    /*
     * The names under which a rule's field is to be looked for in this event, REF_NAMES_MAX at
     * most; returns their number. NULL: the field's own name.
     */
    uint32_t (*names)(const void *ctx, struct slice field, struct slice *ret);
    const void *ctx;
};

/* 1 the rule holds, 0 it does not, -1 the evaluator cannot say (never for what the generators
 * make). */
int ref_evaluate(const struct sigma_doc *rule, const struct ref_event *event);

/* The truth of one item of a map alone. */
bool ref_item_holds(const struct sigma_item *item, const struct ref_event *event);

#endif
