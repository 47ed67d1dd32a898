/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/maker.h"

#include <stdlib.h>

#include "base/hash.h"
#include "index/value.h"
#include "normalise/record_decoder.h"
#include "query/fields.h"
#include "store/token.h"

struct index_maker {
    const struct ruleset *rules;
    struct matcher matcher;
    struct record_decoder *decoder;
    uint64_t version;
    struct token_set *raw, *values; /* of the block at hand */
    bool unsure;                    /* its events were not all whole */
    uint32_t undecodable;           /* of its records */
    const struct slice *names;
    uint32_t n_names;
    struct sigma_rule any; /* of which the names are */
    struct fields *fields;
    struct cells_writer *cells;
    struct filter_group group;
    struct index_writer writer;
    struct buf out;
    struct segment *segment; /* NULL: none */
    uint32_t block;          /* the next one */
    uint64_t bytes;
    uint64_t before; /* the group at hand */
};

uint64_t index_version(const struct ruleset *rules)
{
    return hash_mix(taxonomy_hash(rules->taxonomy), NORMALISER_VERSION);
}

static void stop_reading(struct index_maker *m)
{
    fields_free(m->fields);
    m->fields = NULL;
    record_decoder_free(m->decoder);
    matcher_done(&m->matcher);
    m->decoder = NULL;
}

static int start_reading(struct index_maker *m)
{
    const struct engine_options options = {.read_all = true};
    int error = matcher_init(&m->matcher, m->rules, &options);
    if (error == 0) m->fields = fields_new(m->names, m->n_names, m->matcher.engine, &m->any);
    if (m->fields) m->decoder = record_decoder_new(engine_keys(m->matcher.engine));
    if (m->decoder) return 0;
    stop_reading(m);
    return ERR_NOMEM;
}

static bool is_crowded(const struct index_maker *m)
{
    return router_is_crowded(engine_router(m->matcher.engine));
}

int index_maker_new(const struct ruleset *rules, const struct slice *fields, uint32_t n,
                    struct index_maker **ret)
{
    struct index_maker *m = calloc(1, sizeof *m);
    if (!m) return ERR_NOMEM;
    filter_group_init(&m->group);
    m->group.sparse = INDEX_SPARSE;
    index_writer_init(&m->writer);
    buf_init(&m->out, INDEX_FILE_MAX + INDEX_FILE_MAX / 4);
    m->rules = rules;
    m->names = fields;
    m->n_names = n;
    m->cells = cells_writer_new(fields, n);
    m->version = index_version(rules);
    m->raw = token_set_new();
    m->values = token_set_new();
    if (m->cells && m->raw && m->values && start_reading(m) == 0) {
        *ret = m;
        return 0;
    }
    index_maker_free(m);
    return ERR_NOMEM;
}

void index_maker_free(struct index_maker *m)
{
    if (!m) return;
    segment_close(m->segment);
    stop_reading(m);
    token_set_free(m->raw);
    token_set_free(m->values);
    cells_writer_free(m->cells);
    filter_group_done(&m->group);
    index_writer_done(&m->writer);
    buf_done(&m->out);
    free(m);
}

int index_maker_begin(struct index_maker *m, const struct store_io *io, uint64_t begin)
{
    segment_close(m->segment);
    m->segment = NULL;
    m->block = 0;
    m->bytes = m->before = 0;
    filter_group_clear(&m->group);
    cells_writer_clear(m->cells);
    index_writer_clear(&m->writer);
    int error = 0;
    if (m->decoder && is_crowded(m)) stop_reading(m);
    if (!m->decoder) error = start_reading(m);
    if (error == 0) error = segment_open(io, begin, &m->segment);
    if (error) return error;
    return segment_has_filters(m->segment) ? 0 : ERR_INVALID;
}

/* ---- a block ----------------------------------------------------------------------------- */

static int add_field(struct index_maker *m, struct event *ev, struct event_field *f)
{
    char space[VALUE_PLAIN_MAX];
    struct slice text = event_text(ev, f);
    struct slice plain = f->type == VALUE_NUMBER ? value_plain_number(text, space)
                                                 : value_plain_address(text, space);
    int error = token_set_add_value(m->values, text, m->raw);
    if (error || plain.len == 0 || slice_eq(plain, text)) return error;
    return token_set_add_value(m->values, plain, m->raw);
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct index_maker *m = ctx;
    struct engine_result result;
    struct cell cells[CELLS_FIELDS_MAX];
    (void)number;
    int error = engine_match(m->matcher.engine, ev, &result);
    for (uint32_t i = 0; i < ev->n_fields && error == 0; i++)
        error = add_field(m, ev, &ev->fields[i]);
    if (error == 0) {
        m->unsure |= !fields_fill(m->fields, ev, result.route, cells);
        error = cells_writer_add(m->cells, cells);
    }
    m->unsure |= (ev->flags & EVENT_CUT) || arena_failed(ev->arena) || is_crowded(m);
    engine_housekeep(m->matcher.engine);
    return error;
}

/* Nothing holds for what cannot be read. */
static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct index_maker *m = ctx;
    (void)number;
    (void)reason;
    m->undecodable++;
}

static int add_raw(struct index_maker *m, const struct batch *batch)
{
    struct batch_iter it;
    struct record record;
    int error = 0;
    batch_iter_init(&it, batch);
    while (error == 0 && batch_iter_next_raw(&it, &record))
        error = token_set_add(m->raw, record.raw);
    return error;
}

static int add_values(struct index_maker *m, const struct batch *batch, nsec latest)
{
    const struct record_sink sink = {.ctx = m, .event = on_event, .undecodable = on_undecodable};
    matcher_set_now(&m->matcher, latest);
    return record_decoder_batch(m->decoder, batch, 0, batch->n, &sink);
}

/* What a damaged block has is not known: it may have anything, and who searches it is told. */
static int add_block(struct index_maker *m)
{
    struct segment_block block;
    struct batch batch;
    uint32_t n;
    segment_block_of(m->segment, m->block, &block);
    m->bytes += block.sizes.data_raw;
    token_set_clear(m->raw);
    token_set_clear(m->values);
    int error = segment_read_block(m->segment, m->block, &batch);
    m->unsure = error == ERR_CORRUPT;
    m->undecodable = 0;
    if (error == 0) error = add_raw(m, &batch);
    if (error == 0) error = add_values(m, &batch, block.latest);
    if (error && !m->unsure) return error;
    const uint32_t *keys = token_set_keys(m->values, &n);
    cells_writer_end(m->cells, m->undecodable, !m->unsure);
    return filter_group_add(&m->group, keys, n, m->unsure || token_set_full(m->values));
}

int index_maker_step(struct index_maker *m)
{
    uint32_t blocks = segment_footer_of(m->segment)->blocks;
    if (m->block == blocks) return 0;
    int error = add_block(m);
    if (error) return error;
    m->block++;
    if (m->block % FILTER_BLOCKS == 0 || m->block == blocks) {
        error = index_writer_add(&m->writer, &m->group, m->cells, m->bytes - m->before);
        m->before = m->bytes;
    }
    return error ? error : m->block < blocks;
}

uint32_t index_maker_blocks(const struct index_maker *m)
{
    return m->block;
}

uint64_t index_maker_bytes(const struct index_maker *m)
{
    return m->bytes;
}

int index_maker_finish(struct index_maker *m, const struct store_io *folder, uint64_t *ret_bytes)
{
    char name[STORE_NAME_MAX + 1];
    const struct segment_footer *f = segment_footer_of(m->segment);
    ASSERT(m->block == f->blocks);
    segment_name(name, "index", f->begin);
    buf_clear(&m->out);
    int error = index_writer_put(&m->writer, &(struct index_key){f, m->version}, &m->out);
    if (error == 0) error = store_io_replace(folder, name, buf_slice(&m->out));
    if (error) return error;
    *ret_bytes = m->out.len;
    segment_close(m->segment);
    m->segment = NULL;
    return 0;
}
