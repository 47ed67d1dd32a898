/* SPDX-License-Identifier: EUPL-1.2 */
/* White-box: what wakes a rule, what is shared, and what is computed only behind something else. */
#include "detect/engine/plan.h"

#include "test.h"

#define RULE(detection) "title: R\nlogsource:\n    product: windows\ndetection:\n" detection "---\n"

struct world {
    struct sigma_set *set;
    struct plan *plan;
};

static struct plan *plan_of(struct world *w, const char *text)
{
    w->set = sigma_set_new();
    REQUIRE(w->set);
    REQUIRE(sigma_set_add_text(w->set, "r.yml", slice_of(text), NULL) == 0);
    REQUIRE(sigma_set_finish(w->set) == 0);
    for (uint32_t i = 0; i < w->set->n_refusals; i++)
        test_fail(__FILE__, __LINE__, "%s", w->set->refusals[i].diag.message);
    const struct sigma_rule *rules[16];
    REQUIRE(w->set->n_rules <= 16);
    for (uint32_t i = 0; i < w->set->n_rules; i++) rules[i] = w->set->rules[i];
    const struct plan_source source = {.rules = rules, .n_rules = w->set->n_rules, .signature = 7};
    w->plan = plan_new(&source);
    REQUIRE(w->plan);
    CHECK_INT(w->plan->signature, 7);
    CHECK_INT(w->plan->n_rules, w->set->n_rules);
    return w->plan;
}

static void world_done(struct world *w)
{
    plan_free(w->plan);
    sigma_set_free(w->set);
}

/* How many truths wake the rule, and whether it is run on every event. */
static uint32_t triggers(const struct plan *p, uint32_t rule)
{
    uint32_t n = 0;
    for (uint32_t t = 0; t < p->n_truths; t++)
        for (uint32_t k = 0; k < p->trigger[t].n; k++) n += p->index[p->trigger[t].at + k] == rule;
    return n;
}

static bool is_always(const struct plan *p, uint32_t rule)
{
    for (uint32_t k = 0; k < p->always.n; k++)
        if (p->index[p->always.at + k] == rule) return true;
    return false;
}

/* What the rule's program says when the truths in `bits` hold and no lazy one does. */
static bool runs_to(const struct plan *p, uint32_t rule, uint64_t bits)
{
    uint32_t at = p->entry[rule];
    for (uint32_t steps = 0; at < PROGRAM_REJECT && steps <= p->n_code; steps++) {
        const struct plan_insn *i = &p->code[at];
        bool holds = !(i->truth & PROGRAM_LAZY) && (bits >> i->truth & 1);
        at = holds ? i->if_true : i->if_false;
    }
    CHECK(at >= PROGRAM_REJECT);
    return at == PROGRAM_ACCEPT;
}

TEST(a_conjunction_is_woken_by_one_of_its_parts)
{
    struct world w;
    const struct plan *p = plan_of(&w, RULE("    s:\n        A|contains: e\n        B|contains: "
                                            "mimikatz\n    condition: s\n"));
    CHECK_INT(p->n_truths, 2);
    CHECK_INT(triggers(p, 0), 1);
    CHECK(!is_always(p, 0));
    CHECK_INT(p->trigger[1].n, 1); /* the rarer one; truths are in the order of the rule */
    CHECK(runs_to(p, 0, 3) && !runs_to(p, 0, 1) && !runs_to(p, 0, 2));
    world_done(&w);
}

TEST(a_disjunction_is_woken_by_each)
{
    struct world w;
    const struct plan *p = plan_of(&w, RULE("    s:\n        - A: one\n        - B: two\n        - "
                                            "C: three\n    condition: s\n"));
    CHECK_INT(triggers(p, 0), 3);
    for (unsigned t = 0; t < 3; t++) CHECK(runs_to(p, 0, UINT64_C(1) << t));
    CHECK(!runs_to(p, 0, 0));
    world_done(&w);
}

TEST(many_alternatives_are_one_truth)
{
    struct world w;
    const struct plan *p = plan_of(
        &w,
        RULE("    s:\n        A|endswith: [first.exe, second.exe, third.exe]\n    condition: s\n")
            RULE("    s:\n        A|endswith: [fourth.exe, fifth.exe, sixth.exe, last.exe]\n    "
                 "condition: s\n"));
    CHECK_INT(GROUP_MIN, 4);
    CHECK_INT(p->n_truths, 3 + 1);
    CHECK_INT(p->n_needles, 7);
    CHECK_INT(triggers(p, 0), 3);
    CHECK_INT(triggers(p, 1), 1);
    world_done(&w);
}

TEST(what_two_rules_ask_alike_is_asked_once)
{
    struct world w;
    const struct plan *p =
        plan_of(&w, RULE("    s:\n        A|contains: same\n    condition: s\n")
                        RULE("    s:\n        A|contains: SAME\n    condition: s\n")
                            RULE("    s:\n        A|contains|cased: same\n    condition: s\n"));
    CHECK_INT(p->n_needles, 2); /* case is another question */
    CHECK_INT(p->n_truths, 2);
    CHECK_INT(p->n_fields, 2);
    CHECK(p->fields[1].folded && p->fields[1].cased);
    world_done(&w);
}

TEST(a_rule_that_only_negates_runs_on_every_event)
{
    struct world w;
    const struct plan *p = plan_of(
        &w, RULE("    s:\n        A: x\n    condition: not s\n")
                RULE("    s:\n        A: x\n    t:\n        B: y\n    condition: s and not t\n"));
    CHECK(is_always(p, 0));
    CHECK_INT(triggers(p, 0), 0);
    CHECK(!is_always(p, 1));
    CHECK_INT(triggers(p, 1), 1);
    CHECK(runs_to(p, 0, 0));
    world_done(&w);
}

/* An expression with a literal in it is only tried where the literal was seen. */
TEST(a_regular_expression_stands_behind_its_literal)
{
    struct world w;
    const struct plan *p =
        plan_of(&w, RULE("    s:\n        A|re: 'mimi(katz|dogz)[0-9]+'\n    condition: s\n")
                        RULE("    s:\n        A|re: '[0-9]+'\n    condition: s\n"));
    CHECK_INT(p->n_lazy, 2);
    CHECK(!is_always(p, 0));
    CHECK_INT(triggers(p, 0), 1);
    REQUIRE(p->entry[0] < p->n_code);
    CHECK(!(p->code[p->entry[0]].truth & PROGRAM_LAZY)); /* asked first */
    /* Without one: where the field has any value. */
    CHECK(!is_always(p, 1));
    REQUIRE(triggers(p, 1) == 1 && p->fields[1].any_truth < p->n_truths);
    CHECK_INT(p->index[p->trigger[p->fields[1].any_truth].at], 1);
    for (uint32_t i = 0; i < p->n_lazy; i++) CHECK(p->lazy[i].regex != NULL);
    world_done(&w);
}

TEST(keywords_look_at_every_value)
{
    struct world w;
    const struct plan *p = plan_of(&w, RULE("    s: [evil, worse]\n    condition: s\n"));
    CHECK(p->keywords);
    CHECK(p->fields[0].folded != NULL);
    CHECK_INT(p->n_fields, 1);
    CHECK(p->waking != NULL && p->asks_keywords[0]);
    world_done(&w);
    p = plan_of(&w, RULE("    s:\n        A: evil\n    condition: s\n"));
    CHECK(!p->keywords && !p->waking && !p->asks_keywords[0]);
    world_done(&w);
    /* A rule that is always run may ask for them in any event. */
    p = plan_of(&w, RULE("    s: [evil]\n    condition: not s\n"));
    CHECK(p->keywords && !p->waking && is_always(p, 0));
    world_done(&w);
}

TEST(atoms_know_their_field)
{
    struct world w;
    const struct plan *p =
        plan_of(&w, RULE("    s:\n        A: x\n        B: y\n    condition: s\n"));
    const struct sigma_expr *e = p->rules[0]->expr;
    uint32_t seen = 0;
    while (e->kind == EXPR_OR && e->n_children == 1) e = e->child[0];
    REQUIRE(e->kind == EXPR_AND && e->n_children == 2);
    for (uint32_t i = 0; i < 2; i++) {
        REQUIRE(e->child[i]->kind == EXPR_ATOM);
        uint32_t field = plan_field_of(p, e->child[i]->atom);
        REQUIRE(field > 0 && field < p->n_fields);
        CHECK(slice_eq(p->fields[field].names[0], e->child[i]->atom->field));
        seen |= 1u << field;
    }
    CHECK_INT(seen, 6);
    const struct sigma_atom other = {.op = ATOM_STRING};
    CHECK(plan_field_of(p, &other) == UINT32_MAX);
    world_done(&w);
}

TEST(a_plan_of_no_rules)
{
    const struct plan_source source = {0};
    struct plan *p = plan_new(&source);
    REQUIRE(p);
    CHECK_INT(p->n_truths, 0);
    CHECK_INT(p->always.n, 0);
    plan_free(p);
    plan_free(NULL);
}
