/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/counting.h"

#include <stdlib.h>

bool counting_is_enough(const struct query *q)
{
    const struct query_pipe *p = &q->pipes[0];
    if (q->filter->kind != EXPR_TRUE || q->n_pipes == 0 || p->kind != QUERY_GROUP || p->span ||
        q->n_columns > 1 || p->n_columns != q->n_columns)
        return false;
    for (uint32_t i = 0; i < p->n_measures; i++)
        if (p->measures[i].column != QUERY_NO_COLUMN) return false;
    return q->n_columns == 0 || q->columns[0].place == QUERY_FIELD;
}

void counting_init(struct counting *c, const struct query *query)
{
    *c = (struct counting){.query = counting_is_enough(query) ? query : NULL};
    buf_init(&c->bytes, CELLS_MAX + 1);
}

void counting_leave(struct counting *c)
{
    if (c->is_there && c->query->n_columns) cells_column_done(&c->column);
    free(c->counts);
    c->counts = NULL;
    c->looked = c->is_there = false;
}

bool counting_wants(const struct counting *c)
{
    return c->query && !c->looked;
}

int counting_enter(struct counting *c, const struct index_file *f, uint32_t group)
{
    c->looked = true;
    int error = index_file_cells(f, group, &c->bytes);
    if (error == 0) error = cells_group_read(buf_slice(&c->bytes), &c->group);
    if (error) return error;
    int got = 1;
    if (c->query->n_columns)
        got = cells_column_read(&c->group, c->query->columns[0].name, &c->column);
    if (got < 0) return got;
    c->is_there = got;
    return 0;
}

static int count_by_value(struct counting *c, uint32_t from, uint32_t to, struct groups *groups)
{
    if (!c->counts) c->counts = calloc(c->column.n + (size_t)1, sizeof *c->counts);
    if (!c->counts) return ERR_NOMEM;
    for (uint32_t i = from; i < to; i++) c->counts[cells_column_at(&c->column, i)]++;
    for (uint32_t v = 0; v < c->column.n; v++) {
        if (c->counts[v]) groups_add_times(groups, &c->column.values[v], c->counts[v]);
        c->counts[v] = 0;
    }
    return 0;
}

int counting_add(struct counting *c, uint32_t block, struct groups *groups, struct counted *ret)
{
    if (!c->is_there || block >= c->group.blocks || !(c->group.whole >> block & 1)) return 0;
    uint32_t from = c->group.first[block], to = c->group.first[block + 1];
    int error = 0;
    if (c->query->n_columns) error = count_by_value(c, from, to, groups);
    else if (to > from) groups_add_times(groups, NULL, to - from);
    if (error) return error;
    *ret = (struct counted){.events = to - from, .undecodable = c->group.undecodable[block]};
    return 1;
}
