/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Blocks whose events are only counted, all of them or by one field, and that need not be read: an
 * index keeps which value each of them has (index/cells.h).
 */
#ifndef VAKA_SEARCH_COUNTING_H
#define VAKA_SEARCH_COUNTING_H

#include "index/file.h"
#include "query/groups.h"
#include "query/query.h"

struct counting {
    const struct query *query; /* NULL: it needs more than that */
    struct buf bytes;
    bool looked, is_there; /* of the group at hand */
    struct cells_group group;
    struct cells_column column; /* none without a field */
    uint32_t *counts;
};

/* Whether the query asks for nothing else: of all events how many, by one field or by none. */
bool counting_is_enough(const struct query *query);
/* The query is borrowed. */
void counting_init(struct counting *c, const struct query *query);
/* Blocks of another group, or of another segment, follow. */
void counting_leave(struct counting *c);
/* Whether it has nothing of the group at hand yet, and there is something to be had. */
bool counting_wants(const struct counting *c);
/* What an index has of the group. ERR_CORRUPT, ERR_NOMEM, the table's errors. */
int counting_enter(struct counting *c, const struct index_file *f, uint32_t group) MUST_USE;

struct counted {
    uint32_t events, undecodable;
};
/* 1: all events of a block of the group were added; 0: it is to be read. ERR_NOMEM. */
int counting_add(struct counting *c, uint32_t block, struct groups *groups,
                 struct counted *ret) MUST_USE;

#endif
