/* SPDX-License-Identifier: EUPL-1.2 */
#include "ruleset/coverage.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "ruleset/verdict.h"

enum { TECHNIQUES_MAX = 4096 };

static struct coverage_technique *find(struct coverage *c, const char *id)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (strcmp(c->techniques[i].id, id) == 0) return &c->techniques[i];
    if (c->n == TECHNIQUES_MAX) return NULL;
    struct coverage_technique *t = &c->techniques[c->n++];
    struct attack_technique known;
    (void)snprintf(t->id, sizeof t->id, "%s", id);
    if (attack_find(slice_of(id), &known)) {
        t->name = known.name;
        t->tactics = known.tactics;
    }
    return t;
}

static enum coverage_data data_of_rule(const struct ruleset *rules,
                                       const struct coverage_rule *known, uint32_t index)
{
    if (known && known[index].has_data) return COVERAGE_STORED;
    bool can = ruleset_judge(rules->taxonomy, rules->set->rules[index]).can_fire;
    return can ? COVERAGE_KNOWN : COVERAGE_NONE;
}

/* Of a correlation: the best of its rules'. */
static enum coverage_data data_of(const struct ruleset *rules, const struct coverage_rule *known,
                                  uint32_t number)
{
    const struct sigma_set *set = rules->set;
    if (number < set->n_rules) return data_of_rule(rules, known, number);
    const struct sigma_corr_rule *corr = set->correlations[number - set->n_rules];
    enum coverage_data best = known && known[number].has_data ? COVERAGE_STORED : COVERAGE_NONE;
    for (uint32_t i = 0; i < corr->corr->n_rules; i++) {
        if (corr->refs[i].is_corr) continue;
        enum coverage_data data = data_of_rule(rules, known, corr->refs[i].index);
        if (data > best) best = data;
    }
    return best;
}

static const struct sigma_doc *doc_of(const struct sigma_set *set, uint32_t number)
{
    return number < set->n_rules ? set->rules[number]->doc
                                 : set->correlations[number - set->n_rules]->doc;
}

static bool is_tested(const struct sigma_doc *doc)
{
    for (uint32_t i = 0; i < doc->n_tests; i++)
        if (doc->tests[i].fires) return true;
    return false;
}

static void add_rule(struct coverage *c, const struct ruleset *rules,
                     const struct coverage_rule *known, uint32_t number)
{
    const struct sigma_doc *doc = doc_of(c->set, number);
    enum coverage_data data = data_of(rules, known, number);
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        char id[ATTACK_ID_MAX + 1];
        struct coverage_technique *t = attack_of_tag(doc->tags[i], id) ? find(c, id) : NULL;
        if (!t) continue;
        t->rules++;
        t->tested += is_tested(doc);
        if (data > t->data) t->data = data;
        if (!known) continue;
        t->alerts += known[number].alerts;
        if (known[number].last > t->last) t->last = known[number].last;
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct coverage_technique *)a)->id,
                  ((const struct coverage_technique *)b)->id);
}

int coverage_make(struct coverage *c, const struct ruleset *rules,
                  const struct coverage_rule *known)
{
    struct attack_technique technique;
    *c = (struct coverage){.set = rules->set,
                           .techniques = calloc(TECHNIQUES_MAX, sizeof *c->techniques)};
    if (!c->techniques) return ERR_NOMEM;
    uint32_t n = rules->set->n_rules + rules->set->n_correlations;
    for (uint32_t i = 0; i < n; i++) add_rule(c, rules, known, i);
    for (size_t at = 0; attack_next(&at, &technique);) {
        char id[ATTACK_ID_MAX + 1];
        (void)snprintf(id, sizeof id, "%.*s", (int)slice_until(technique.id, ATTACK_ID_MAX).len,
                       technique.id.ptr);
        (void)find(c, id);
    }
    if (c->n) qsort(c->techniques, c->n, sizeof *c->techniques, by_id);
    return 0;
}

void coverage_done(struct coverage *c)
{
    free(c->techniques);
    c->techniques = NULL;
}

const char *coverage_data_name(enum coverage_data data)
{
    static const char *const names[] = {"none", "known", "stored"};
    return names[data];
}

static bool is_tagged(const struct sigma_doc *doc, const char *technique)
{
    char id[ATTACK_ID_MAX + 1];
    for (uint32_t i = 0; i < doc->n_tags; i++)
        if (attack_of_tag(doc->tags[i], id) && strcmp(id, technique) == 0) return true;
    return false;
}

void coverage_write_rules(const struct coverage *c, const struct coverage_technique *t,
                          struct buf *out)
{
    bool first = true;
    uint32_t n = c->set->n_rules + c->set->n_correlations;
    json_write_key(out, "rules");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_doc *doc = doc_of(c->set, i);
        if (!is_tagged(doc, t->id)) continue;
        if (!first) buf_putc(out, ',');
        json_write_string(out, doc->id.len ? doc->id : doc->title);
        first = false;
    }
    buf_putc(out, ']');
}
