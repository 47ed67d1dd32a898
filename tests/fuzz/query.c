/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Queries. What is accepted is a well-formed tree with pipes whose columns exist; the same text in
 * parentheses means the same, and the filter can be written as a rule that is read, or is refused
 * with a place. What is refused names a place in the text, which can be shown.
 */
#include "query/query.h"
#include "query/rule.h"
#include "rules.h"
#include "target.h"

static const struct query_options options = {.when.now = INT64_C(1798062420) * NSEC_PER_SEC};

static void check_tree(const struct sigma_expr *e, unsigned depth)
{
    HOLDS(depth <= 4 * QUERY_DEPTH_MAX);
    if (e->kind == EXPR_ATOM) {
        HOLDS(e->atom != NULL && e->n_children == 0);
        for (uint32_t i = 0; i < e->atom->n_glob; i++)
            HOLDS(e->atom->glob[i].kind == GLOB_ANY || e->atom->glob[i].text.len > 0);
        return;
    }
    HOLDS(e->kind != EXPR_NOT || e->n_children == 1);
    HOLDS((e->kind != EXPR_AND && e->kind != EXPR_OR) || e->n_children > 1);
    for (uint32_t i = 0; i < e->n_children; i++) check_tree(e->child[i], depth + 1);
}

static void check_pipes(const struct query *q)
{
    uint32_t n = q->n_columns;
    HOLDS(q->n_pipes <= QUERY_PIPES_MAX + 1 && n <= QUERY_COLUMNS_MAX && q->n_names > 0);
    for (uint32_t i = 0; i < q->n_pipes; i++) {
        const struct query_pipe *p = &q->pipes[i];
        for (uint32_t k = 0; k < p->n_columns; k++) HOLDS(p->columns[k] < n);
        for (uint32_t k = 0; k < p->n_measures; k++)
            HOLDS(p->measures[k].column == QUERY_NO_COLUMN || p->measures[k].column < n);
        if (p->kind == QUERY_GROUP) HOLDS(p->n_names == p->n_columns + p->n_measures + p->share);
        if (p->names) n = p->n_names;
    }
    HOLDS(n == q->n_names);
}

static void show(struct buf *out, const struct query *q)
{
    buf_clear(out);
    query_show_filter(out, q->filter);
    HOLDS(!buf_failed(out));
}

static void check_again(struct arena *arena, const struct query *q)
{
    struct buf text, before, after;
    struct query again;
    struct diag diag = {0};
    buf_init(&text, 2 * QUERY_TEXT_MAX);
    buf_init(&before, 1 << 26);
    buf_init(&after, 1 << 26);
    buf_printf(&text, "(%.*s)", SLICE_FMT(q->filter_text));
    int error = q->filter_text.len ? query_read(arena, buf_slice(&text), &options, &again, &diag)
                                   : ERR_LIMIT;
    HOLDS(error == 0 || error == ERR_LIMIT);
    if (error == 0) {
        show(&before, q);
        show(&after, &again);
        HOLDS(slice_eq(buf_slice(&before), buf_slice(&after)));
    }
    buf_done(&text);
    buf_done(&before);
    buf_done(&after);
}

/* Rules are less deep than queries, and not all that a query has can be said in YAML. */
static void check_rule(const struct query *q)
{
    const struct query_rule_options o = {.title = SLICE("T"), .level = LEVEL_LOW};
    struct diag diag = {0};
    struct buf rule;
    buf_init(&rule, 1 << 26);
    int error = query_write_rule(&rule, q, &o, &diag);
    HOLDS(error == 0 || (diag.line > 0 && diag.column > 0 && diag.message[0] != '\0'));
    if (error == 0) {
        struct sigma_set *set = rules_load(buf_slice(&rule), NULL);
        HOLDS(set->n_rules + set->n_refusals == 1);
        sigma_set_free(set);
    }
    buf_done(&rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    struct arena arena;
    struct query query;
    struct diag diag = {0};
    struct buf out;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 1 << 20);
    int error = query_read(&arena, text, &options, &query, &diag);
    if (error == 0) {
        check_tree(query.filter, 0);
        check_pipes(&query);
        query_show_pipes(&out, &query);
        check_again(&arena, &query);
        check_rule(&query);
    } else {
        HOLDS(error != ERR_NOMEM && diag.line > 0 && diag.column > 0 && diag.message[0] != '\0');
        query_show_place(&out, text, &diag);
        HOLDS(out.len > 0 && out.ptr[out.len - 1] == '\n');
    }
    HOLDS(!buf_failed(&out));
    buf_done(&out);
    arena_done(&arena);
    return 0;
}
