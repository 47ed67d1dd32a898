/* SPDX-License-Identifier: EUPL-1.2 */
#include "query_index.h"

#include "normalise/record_decoder.h"

enum { TOGETHER = 1024 * 1024 };

void query_index_init(struct query_index *q, const struct slice *names, uint32_t n)
{
    struct diag diag;
    *q = (struct query_index){.fd = -1};
    disk_init(&q->disk);
    q->io = disk_io(&q->disk);
    config_init(&q->config);
    ASSERT(ruleset_load_without_rules(&q->rules, &q->config, &diag) == 0);
    ASSERT(segment_writer_new(&q->io, &q->writer) == 0);
    ASSERT(index_maker_new(&q->rules, names, n, &q->maker) == 0);
}

static void drop(struct query_index *q)
{
    if (q->fd < 0) return;
    index_file_done(&q->file);
    q->io.close(q->io.ctx, q->fd);
    segment_close(q->segment);
    q->segment = NULL;
    q->fd = -1;
}

void query_index_done(struct query_index *q)
{
    drop(q);
    index_maker_free(q->maker);
    segment_writer_free(q->writer);
    ruleset_done(&q->rules);
    config_done(&q->config);
    disk_done(&q->disk);
}

void query_index_seal(struct segment_writer *w, const struct record *records, uint32_t n,
                      uint32_t block_bytes)
{
    struct segment_options options;
    struct tree_range tree;
    tree_range_init(&tree, 0);
    segment_options_default(&options);
    options.normaliser = NORMALISER_VERSION;
    options.before = &tree;
    options.block_bytes = block_bytes;
    ASSERT(segment_writer_begin(w, &options) == 0);
    for (uint32_t i = 0; i < n; i++) ASSERT(segment_writer_add(w, &records[i], NULL) == 0);
    ASSERT(segment_writer_finish(w, 1, &tree) == 0);
}

void query_index_make(struct index_maker *maker, const struct store_io *io,
                      const struct store_io *folder)
{
    uint64_t bytes;
    int more = 1;
    ASSERT(index_maker_begin(maker, io, 0) == 0);
    while (more > 0) more = index_maker_step(maker);
    ASSERT(more == 0);
    ASSERT(index_maker_finish(maker, folder, &bytes) == 0);
}

static void put(struct query_index *q, const struct slice *records, uint32_t n,
                enum record_format format, uint32_t block_bytes)
{
    char name[STORE_NAME_MAX + 1];
    struct record all[FILTER_BLOCKS];
    ASSERT(n <= FILTER_BLOCKS);
    for (uint32_t i = 0; i < n; i++)
        all[i] = (struct record){.raw = records[i], .format = (uint8_t)format};
    drop(q);
    disk_clear(&q->disk);
    query_index_seal(q->writer, all, n, block_bytes);
    query_index_make(q->maker, &q->io, &q->io);
    ASSERT(segment_open(&q->io, 0, &q->segment) == 0);
    segment_name(name, "index", 0);
    q->fd = q->io.open(q->io.ctx, name, STORE_READ);
    ASSERT(q->fd >= 0);
    const struct index_key key = {segment_footer_of(q->segment), index_version(&q->rules)};
    ASSERT(index_file_init(&q->file, &q->io, q->fd, &key) == 0);
}

void query_index_put(struct query_index *q, const struct slice *records, uint32_t n,
                     enum record_format format)
{
    put(q, records, n, format, 1);
    ASSERT(segment_footer_of(q->segment)->blocks == n);
}

void query_index_put_together(struct query_index *q, const struct slice *records, uint32_t n,
                              enum record_format format)
{
    put(q, records, n, format, TOGETHER);
    ASSERT(segment_footer_of(q->segment)->blocks == 1);
}

uint64_t query_index_may(struct query_index *q, struct index_asks *asks)
{
    uint64_t may;
    ASSERT(index_asks_run(asks, q->segment, &q->file, 0, &may) == 0);
    return may;
}

bool query_index_is_for(struct query_index *q, uint64_t version)
{
    struct index_file file;
    const struct index_key key = {segment_footer_of(q->segment), version};
    int error = index_file_init(&file, &q->io, q->fd, &key);
    ASSERT(error == 0 || error == ERR_UNSUPPORTED);
    if (error == 0) index_file_done(&file);
    return error == 0;
}
