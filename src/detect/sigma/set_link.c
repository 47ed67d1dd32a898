/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The end of loading: filters are applied to rules, correlations find what they refer to.
 *
 * What a filter's condition says. The specification (Sigma filters 2.1.0, "Introduction") has
 * filters "suppress matches of multiple rules", and its example takes out the administrators'
 * accounts with `User|startswith: 'adm_'` and `condition: selection`: the condition describes what
 * is suppressed. The documentation on sigmahq.io and pySigma (SigmaFilter.apply_on_rule) write the
 * same filter with `condition: not selection` and AND it to the rule: the condition describes what
 * is kept. Read the wrong way round either kind would silence a rule for everything else, so both
 * are read as they are meant, which the sense of the searches tells:
 *
 *     every search stands without negation      suppress: rule and not (condition)
 *     every search is negated                   keep:     rule and (condition)
 *     the whole condition is one `not`          keep:     rule and (condition)
 *     anything else                             refused; `not (...)` around it settles it
 *
 * A refused filter leaves its rules as they are, so that no detection is lost by it.
 *
 * Where it applies: like pySigma's, to rules only, of those it names (or `any`), to the ones whose
 * log source has all that the filter's log source states.
 */
#include "detect/sigma/set_private.h"

/* Nearest names are searched for this often: each search looks at every name there is. */
enum { HINTS_MAX = 200 };

static const char *nearest(struct set_impl *s, struct slice ref, char buf[static HINT_SIZE])
{
    struct hint hint;
    hint_init(&hint, ref);
    if (s->hints++ < HINTS_MAX)
        for (uint32_t i = 0; i < s->n_entries; i++) hint_offer(&hint, s->entries[i].key);
    return hint_text(&hint, buf);
}

/* --- Filters ----------------------------------------------------------------------------- */

enum { PLAIN = 1, NEGATED = 2 };

static unsigned senses(const struct sigma_cond *cond, bool negated)
{
    if (cond->kind == COND_SEARCH) return negated ? NEGATED : PLAIN;
    unsigned found = 0;
    for (uint32_t i = 0; i < cond->n_children; i++)
        found |= senses(cond->child[i], cond->kind == COND_NOT ? !negated : negated);
    return found;
}

static bool states(struct slice filter, struct slice rule)
{
    return filter.len == 0 || slice_eq(filter, rule);
}

static bool covers(const struct sigma_logsource *filter, const struct sigma_logsource *rule)
{
    return states(filter->product, rule->product) && states(filter->category, rule->category) &&
           states(filter->service, rule->service);
}

static struct sigma_expr *new_expr(struct arena *arena, enum expr_kind kind, uint32_t n)
{
    struct sigma_expr *expr = arena_zalloc(arena, 1, sizeof *expr);
    if (!expr) return NULL;
    expr->kind = kind;
    expr->n_children = n;
    expr->child = arena_zalloc(arena, n, sizeof(struct sigma_expr *));
    return expr->child ? expr : NULL;
}

static bool apply(struct set_impl *s, const struct sigma_expr *keep, struct sigma_rule *rule)
{
    struct sigma_expr *both = new_expr(&s->set.arena, EXPR_AND, 2);
    if (!both) return false;
    both->child[0] = rule->expr;
    both->child[1] = keep;
    rule->expr = both;
    return true;
}

/* The part that is ANDed to the rules; NULL when the filter was refused or memory is spent. */
static const struct sigma_expr *kept_part(struct set_impl *s, const struct set_filter *filter)
{
    const struct sigma_cond *cond = filter->doc->detection.condition;
    unsigned found = senses(cond, false);
    bool keep = cond->kind == COND_NOT || found == NEGATED;
    if (!keep && found != PLAIN) {
        set_refuse_at(s, filter->doc, filter->doc->detection.conditions[0].pos, false, ERR_INVALID,
                      "the filter's condition mixes searches with and without `not`; write `not "
                      "(...)` around what is to be suppressed");
        return NULL;
    }
    /* A node of its own, to carry the filter's title. */
    struct sigma_expr *part = new_expr(&s->set.arena, keep ? EXPR_AND : EXPR_NOT, 1);
    if (!part) {
        s->error = ERR_NOMEM;
        return NULL;
    }
    part->child[0] = filter->expr;
    part->label = filter->doc->title;
    return part;
}

/* Whether it was applied; where not, why is told. */
static bool apply_to_ref(struct set_impl *s, const struct set_filter *filter,
                         const struct sigma_expr *part, const struct sigma_value *ref)
{
    char shown[HINT_SHOW_SIZE], hint[HINT_SIZE];
    const struct set_entry *e = set_find(s, ref->text);
    hint_show(shown, ref->text);
    if (!e) {
        set_refuse_at(s, filter->doc, ref->pos, true, ERR_NOT_FOUND,
                      "the filter names the rule `%s`, which is not loaded%s", shown,
                      nearest(s, ref->text, hint));
    } else if (e->kind == SET_REFUSED) {
        set_refuse_at(s, filter->doc, ref->pos, true, ERR_NOT_FOUND,
                      "the filter names the rule `%s`, which was refused", shown);
    } else if (e->kind != SET_RULE) {
        set_refuse_at(s, filter->doc, ref->pos, true, ERR_INVALID,
                      "the filter names `%s`, which is a %s; filters apply to rules", shown,
                      e->kind == SET_FILTER ? "filter" : "correlation");
    } else if (!covers(&filter->doc->logsource, &s->set.rules[e->index]->logsource)) {
        set_refuse_at(s, filter->doc, ref->pos, true, ERR_INVALID,
                      "the filter does not apply to the rule `%s`: its log source is another",
                      shown);
    } else if (!apply(s, part, s->set.rules[e->index])) {
        s->error = ERR_NOMEM;
    } else {
        return true;
    }
    return false;
}

/* How many rules it was applied to. */
static uint32_t apply_filter(struct set_impl *s, const struct set_filter *filter,
                             const struct sigma_expr *part)
{
    const struct sigma_filter *f = &filter->doc->filter;
    uint32_t n = 0;
    for (uint32_t k = 0; k < f->n_rules && !s->error; k++)
        n += apply_to_ref(s, filter, part, &f->rules[k]);
    for (uint32_t k = 0; f->any && k < s->set.n_rules && !s->error; k++) {
        if (!covers(&filter->doc->logsource, &s->set.rules[k]->logsource)) continue;
        if (apply(s, part, s->set.rules[k])) n++;
        else s->error = ERR_NOMEM;
    }
    return n;
}

/* Whether it is over; of the others it is remembered when the first one will be. */
static bool has_ended(struct set_impl *s, const struct sigma_doc *doc)
{
    nsec until = doc->filter.until;
    if (until == 0) return false;
    if (s->now >= until) {
        set_refuse_at(s, doc, doc->pos, true, ERR_INVALID, "the filter has ended");
        return true;
    }
    sigma_set_holds_until(&s->set, until);
    return false;
}

static void apply_filters(struct set_impl *s)
{
    s->set.filters = s->n_filters ? calloc(s->n_filters, sizeof *s->set.filters) : NULL;
    if (s->n_filters && !s->set.filters) s->error = ERR_NOMEM;
    for (uint32_t i = 0; i < s->n_filters && !s->error; i++) {
        const struct set_filter *filter = &s->read_filters[i];
        if (has_ended(s, filter->doc)) continue;
        const struct sigma_expr *part = kept_part(s, filter);
        if (!part) continue;
        s->set.filters[s->set.n_filters].doc = filter->doc;
        s->set.filters[s->set.n_filters++].n_rules = apply_filter(s, filter, part);
    }
}

/* --- Correlations ------------------------------------------------------------------------ */

/* Resolving is a walk over the graph of correlations, referred ones first (Kahn's algorithm). */
struct graph {
    struct sigma_corr_rule **corr; /* in load order */
    uint32_t n;
    bool *refused;
    bool *done;
    uint32_t *waits; /* references to correlations that are not done */
    uint32_t *first; /* n + 1: where the ones that refer to i start in `referrer` */
    uint32_t *referrer;
    uint32_t *order; /* done, in order */
    uint32_t n_order;
};

static bool resolve_aliases(struct set_impl *s, const struct sigma_corr_rule *c)
{
    for (uint32_t i = 0; i < c->corr->n_aliases; i++) {
        const struct sigma_alias *alias = &c->corr->aliases[i];
        for (uint32_t k = 0; k < alias->n_sources; k++) {
            struct slice rule = alias->sources[k].rule;
            char shown[HINT_SHOW_SIZE], hint[HINT_SIZE];
            const struct set_entry *e = set_find(s, rule);
            if (e && (e->kind == SET_RULE || e->kind == SET_CORRELATION)) continue;
            set_refuse_at(s, c->doc, c->doc->pos, false, ERR_NOT_FOUND,
                          "an alias names the rule `%s`, which is not loaded%s",
                          hint_show(shown, rule), nearest(s, rule, hint));
            return false;
        }
    }
    return true;
}

/* Fills c->refs; false when c was refused. References to correlations are by load order. */
static bool resolve_refs(struct set_impl *s, struct sigma_corr_rule *c)
{
    for (uint32_t i = 0; i < c->corr->n_rules; i++) {
        const struct sigma_value *ref = &c->corr->rules[i];
        char shown[HINT_SHOW_SIZE], hint[HINT_SIZE];
        hint_show(shown, ref->text);
        const struct set_entry *e = set_find(s, ref->text);
        if (!e)
            set_refuse_at(s, c->doc, ref->pos, false, ERR_NOT_FOUND,
                          "the correlation refers to the rule `%s`, which is not loaded%s", shown,
                          nearest(s, ref->text, hint));
        else if (e->kind == SET_REFUSED)
            set_refuse_at(s, c->doc, ref->pos, false, ERR_NOT_FOUND,
                          "the correlation refers to the rule `%s`, which was refused", shown);
        else if (e->kind == SET_FILTER)
            set_refuse_at(s, c->doc, ref->pos, false, ERR_INVALID,
                          "the correlation refers to `%s`, which is a filter", shown);
        if (!e || e->kind == SET_REFUSED || e->kind == SET_FILTER) return false;
        c->refs[i].index = e->index;
        c->refs[i].is_corr = e->kind == SET_CORRELATION;
        for (uint32_t k = 0; k < i; k++) {
            if (c->refs[k].index != e->index || c->refs[k].is_corr != c->refs[i].is_corr) continue;
            set_refuse_at(s, c->doc, ref->pos, false, ERR_INVALID,
                          "`%s` is the same rule as one listed before", shown);
            return false;
        }
    }
    return resolve_aliases(s, c);
}

static bool graph_alloc(struct set_impl *s, struct graph *g)
{
    struct arena *a = &s->set.arena;
    g->corr = s->set.correlations;
    g->n = s->set.n_correlations;
    g->refused = arena_zalloc(a, g->n, sizeof *g->refused);
    g->done = arena_zalloc(a, g->n, sizeof *g->done);
    g->waits = arena_zalloc(a, g->n, sizeof *g->waits);
    g->first = arena_zalloc(a, (size_t)g->n + 1, sizeof *g->first);
    g->order = arena_zalloc(a, g->n, sizeof *g->order);
    return g->refused && g->done && g->waits && g->first && g->order;
}

static bool graph_edges(struct set_impl *s, struct graph *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        g->refused[i] = !resolve_refs(s, g->corr[i]);
        for (uint32_t k = 0; !g->refused[i] && k < g->corr[i]->corr->n_rules; k++) {
            if (!g->corr[i]->refs[k].is_corr) continue;
            g->waits[i]++;
            g->first[g->corr[i]->refs[k].index + 1]++;
        }
    }
    for (uint32_t i = 0; i < g->n; i++) g->first[i + 1] += g->first[i];
    g->referrer = arena_zalloc(&s->set.arena, g->first[g->n], sizeof *g->referrer);
    uint32_t *next = arena_zalloc(&s->set.arena, g->n, sizeof *next);
    if (!g->referrer || !next) return false;
    for (uint32_t i = 0; i < g->n; i++) {
        for (uint32_t k = 0; !g->refused[i] && k < g->corr[i]->corr->n_rules; k++) {
            uint32_t to = g->corr[i]->refs[k].index;
            if (g->corr[i]->refs[k].is_corr) g->referrer[g->first[to] + next[to]++] = i;
        }
    }
    return true;
}

static struct slice called(const struct sigma_corr_rule *c)
{
    return c->doc->name.len > 0 ? c->doc->name : c->doc->id.len > 0 ? c->doc->id : c->doc->title;
}

static void refuse_through(struct set_impl *s, struct graph *g, uint32_t i, uint32_t through)
{
    const struct sigma_corr_rule *c = g->corr[i];
    char shown[HINT_SHOW_SIZE];
    struct yaml_pos pos = c->doc->pos;
    for (uint32_t k = 0; k < c->corr->n_rules; k++)
        if (c->refs[k].is_corr && c->refs[k].index == through) pos = c->corr->rules[k].pos;
    set_refuse_at(s, c->doc, pos, false, ERR_INVALID,
                  "the correlation refers to the correlation `%s`, which was refused",
                  hint_show(shown, called(g->corr[through])));
    g->refused[i] = true;
}

static void graph_walk(struct set_impl *s, struct graph *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->waits[i] > 0) continue;
        g->order[g->n_order++] = i;
        g->done[i] = true;
    }
    for (uint32_t at = 0; at < g->n_order; at++) {
        uint32_t i = g->order[at];
        for (uint32_t k = g->first[i]; k < g->first[i + 1]; k++) {
            uint32_t by = g->referrer[k];
            if (g->refused[i] && !g->refused[by]) refuse_through(s, g, by, i);
            if (--g->waits[by] > 0) continue;
            g->order[g->n_order++] = by;
            g->done[by] = true;
        }
    }
}

/* The first reference of i that keeps it waiting. */
static uint32_t waiting_ref(const struct graph *g, uint32_t i)
{
    const struct sigma_corr_rule *c = g->corr[i];
    for (uint32_t k = 0; k < c->corr->n_rules; k++)
        if (c->refs[k].is_corr && !g->done[c->refs[k].index]) return k;
    return 0; /* does not happen: i is not done */
}

/*
 * Whoever is not done refers to itself, directly or through others, or to one that does. Following
 * one waiting reference each, every walk ends in a circle; a mark tells which walk came by.
 */
static bool refuse_circles(struct set_impl *s, struct graph *g)
{
    uint32_t *mark = arena_zalloc(&s->set.arena, g->n, sizeof *mark);
    if (!mark) return false;
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->done[i] || mark[i]) continue;
        uint32_t at = i;
        for (; !mark[at]; at = g->corr[at]->refs[waiting_ref(g, at)].index) mark[at] = i + 1;
        if (mark[at] != i + 1) continue;
        uint32_t start = at;
        do {
            const struct sigma_corr_rule *c = g->corr[at];
            uint32_t k = waiting_ref(g, at);
            char shown[HINT_SHOW_SIZE];
            set_refuse_at(s, c->doc, c->corr->rules[k].pos, false, ERR_INVALID,
                          c->refs[k].index == at
                              ? "the correlation refers to itself (`%s`)"
                              : "the correlation refers to itself in a circle through `%s`",
                          hint_show(shown, c->corr->rules[k].text));
            g->refused[at] = true;
            at = c->refs[k].index;
        } while (at != start);
    }
    for (uint32_t i = 0; i < g->n; i++)
        if (!g->done[i] && !g->refused[i])
            refuse_through(s, g, i, g->corr[i]->refs[waiting_ref(g, i)].index);
    return true;
}

/* Keeps the live ones in dependency order and says of what they refer to that it is needed. */
static bool graph_finish(struct set_impl *s, struct graph *g)
{
    struct sigma_set *set = &s->set;
    uint32_t *place = arena_zalloc(&set->arena, g->n, sizeof *place);
    struct sigma_corr_rule **live = arena_zalloc(&set->arena, g->n, sizeof *live);
    bool *alone_rule = arena_zalloc(&set->arena, set->n_rules, sizeof *alone_rule);
    bool *alone_corr = arena_zalloc(&set->arena, g->n, sizeof *alone_corr);
    if (!place || !live || !alone_rule || !alone_corr) return false;
    uint32_t n = 0;
    for (uint32_t at = 0; at < g->n_order; at++) {
        struct sigma_corr_rule *c = g->corr[g->order[at]];
        if (g->refused[g->order[at]]) continue;
        place[g->order[at]] = n;
        c->index = n;
        live[n++] = c;
        for (uint32_t k = 0; k < c->corr->n_rules; k++) {
            struct sigma_corr_ref *ref = &c->refs[k];
            if (ref->is_corr) ref->index = place[ref->index];
        }
    }
    /* `generate: true` in one referrer is enough to let a rule stand alone. */
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < live[i]->corr->n_rules; k++) {
            const struct sigma_corr_ref *ref = &live[i]->refs[k];
            bool *alone = ref->is_corr ? &alone_corr[ref->index] : &alone_rule[ref->index];
            *alone = *alone || live[i]->corr->generate;
            if (ref->is_corr) {
                live[ref->index]->silent = !*alone;
            } else {
                set->rules[ref->index]->needed_by_correlation = true;
                set->rules[ref->index]->silent = !*alone;
            }
        }
    }
    if (n > 0) memcpy(set->correlations, live, n * sizeof(struct sigma_corr_rule *));
    set->n_correlations = n;
    return true;
}

int sigma_set_finish(struct sigma_set *set)
{
    struct set_impl *s = set_impl(set);
    struct graph g = {0};
    apply_filters(s);
    if (s->error) return s->error;
    if (!graph_alloc(s, &g) || !graph_edges(s, &g)) return ERR_NOMEM;
    graph_walk(s, &g);
    if (!refuse_circles(s, &g) || !graph_finish(s, &g)) return ERR_NOMEM;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&s->sha, sizeof digest, digest);
    memcpy(set->digest, digest, sizeof set->digest);
    return s->error;
}
