/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/score.h"

#include "base/hash.h"

enum { STEP = 5, MOST = 100, CLOSED_LEAST = 5 };

static void add_tactic(struct score *s, uint64_t hash)
{
    for (uint32_t i = 0; i < s->n_tactics; i++)
        if (s->tactics[i] == hash) return;
    if (s->n_tactics < FACTS_TACTICS_MAX) s->tactics[s->n_tactics++] = hash;
}

static void add_rule(struct score *s, uint64_t rule)
{
    if (s->rule == 0) s->rule = rule;
    else if (s->rule != rule) s->many_rules = true;
}

void score_add_rule(struct score *s, struct slice rule, enum sigma_level level,
                    const struct slice *tactics, uint32_t n)
{
    if (level > s->level) s->level = level;
    for (uint32_t i = 0; i < n; i++) add_tactic(s, hash64(tactics[i]));
    add_rule(s, hash64(rule));
}

void score_add(struct score *s, const struct facts *facts)
{
    score_add_rule(s, facts->rule, facts->level, facts->tactics, facts->n_tactics);
}

void score_merge(struct score *s, const struct score *other)
{
    if (other->level > s->level) s->level = other->level;
    for (uint32_t i = 0; i < other->n_tactics; i++) add_tactic(s, other->tactics[i]);
    add_rule(s, other->rule);
    s->many_rules |= other->many_rules;
    if (other->importance > s->importance) s->importance = other->importance;
}

unsigned score_value(const struct score *s)
{
    static const unsigned of_level[] = {
        [LEVEL_NONE] = 0,    [LEVEL_INFORMATIONAL] = 5, [LEVEL_LOW] = 15,
        [LEVEL_MEDIUM] = 40, [LEVEL_HIGH] = 70,         [LEVEL_CRITICAL] = 90};
    unsigned value = of_level[s->level];
    if (s->n_tactics > 1) value += STEP * (s->n_tactics - 1);
    if (s->many_rules) value += STEP;
    value += STEP * s->importance;
    unsigned least = s->level > LEVEL_NONE ? of_level[s->level - 1] : 0;
    value = value > least + STEP * s->doubt ? value - STEP * s->doubt : least;
    return value < MOST ? value : MOST;
}

unsigned score_doubt(uint64_t closed, uint64_t no_attack)
{
    if (closed < CLOSED_LEAST || 2 * no_attack <= closed) return 0;
    return 10 * no_attack >= 9 * closed ? 3 : 1;
}

bool score_counts(const struct score *s)
{
    return s->level >= LEVEL_MEDIUM;
}
