/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The timeline and the summaries. Rows are kept until the end, to be shown in order of time:
 * TABLE_ROWS_MAX of them, TABLE_MEMORY_MAX bytes; beyond that what there is is printed, in order,
 * with a notice, and a new run begins.
 */
#ifndef VAKA_HUNT_TABLE_H
#define VAKA_HUNT_TABLE_H

#include "base/buf.h"
#include "hunt/output.h"

enum {
    TABLE_ROWS_MAX = 200 * 1000,
    TABLE_MEMORY_MAX = 64 * 1024 * 1024,
    TABLE_HOSTS_MAX = 4096, /* computers counted by name; more are "others" */
    TABLE_TOP_RULES = 20,
    TABLE_TOP_HOSTS = 20,
    TABLE_WIDTH_DEFAULT = 100,
    TABLE_WIDTH_MIN = 60,
    TABLE_WIDTH_MAX = 400,
};

struct table;

/* options is borrowed. `write` takes finished text. */
struct table *table_new(const struct output_options *options, void *ctx,
                        void (*write)(void *ctx, struct slice text));
void table_free(struct table *t);
struct table_row {
    nsec time;
    const struct sigma_doc *doc;
    uint32_t rule; /* index; correlations come after the rules */
    bool undetermined;
    struct slice host, details;
};
/* Copies what it needs. */
void table_add(struct table *t, const struct table_row *row);
void table_finish(struct table *t, uint64_t events);
/* There was no memory to compose some of the text: what was written is not whole. */
bool table_failed(const struct table *t);

#endif
