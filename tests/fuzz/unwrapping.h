/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A container of any bytes. Its records go to batches of one size and then of another, which must
 * give the same records and the same answer; all that was met is either taken or refused.
 */
#ifndef VAKA_TESTS_FUZZ_UNWRAPPING_H
#define VAKA_TESTS_FUZZ_UNWRAPPING_H

#include "base/hash.h"
#include "base/json_read.h"
#include "target.h"
#include "unwrap/unwrap.h"

struct unwrapping {
    struct unwrap *unwrap;
    struct batch_writer writer;
    struct buf bytes;
    struct unwrap_answer answer;
    uint64_t hash, records;
};

static inline void unwrapping_mix(struct unwrapping *t, struct slice s)
{
    HOLDS(s.len == 0 || s.ptr != NULL);
    t->hash = hash_mix(t->hash, hash64(s) + s.len);
}

static inline int unwrapping_full(void *ctx, struct batch_writer *writer)
{
    struct unwrapping *t = ctx;
    struct batch batch;
    struct batch_iter it;
    struct record r;
    buf_clear(&t->bytes);
    batch_writer_finish(writer, &t->bytes);
    if (t->bytes.len == 0) return 0;
    HOLDS(batch_open(buf_slice(&t->bytes), &batch) == 0);
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &r)) {
        t->records++;
        t->hash = hash_mix(hash_mix(t->hash, r.format), r.ordinal + (uint64_t)r.received);
        unwrapping_mix(t, r.raw);
        unwrapping_mix(t, r.context);
    }
    return 0;
}

static inline void unwrapping_init(struct unwrapping *t, size_t batch_max)
{
    struct unwrap_options options = unwrap_options_default();
    options.body_max = 1024 * 1024;
    options.records_max = 2000;
    options.templates_max = 16;
    options.domains_max = 4;
    options.template_bytes_max = 1024;
    options.waiting_bytes_max = 4096;
    options.template_life = 60;
    options.waiting_life = 20;
    *t = (struct unwrapping){.unwrap = unwrap_new(&options)};
    HOLDS(t->unwrap != NULL);
    batch_writer_init(&t->writer, 1, batch_max);
    buf_init(&t->bytes, BATCH_MAX);
    unwrap_answer_init(&t->answer);
}

static inline void unwrapping_done(struct unwrapping *t)
{
    unwrap_free(t->unwrap);
    batch_writer_done(&t->writer);
    buf_done(&t->bytes);
    unwrap_answer_done(&t->answer);
}

static inline void unwrapping_run(struct unwrapping *t, struct container c, struct slice body)
{
    const struct unwrap_sink sink = {.writer = &t->writer, .full = unwrapping_full, .ctx = t};
    /* A copy of its own, so that the sanitizer sees what is read beyond. */
    char *copy = malloc(body.len ? body.len : 1);
    HOLDS(copy != NULL);
    if (body.len) memcpy(copy, body.ptr, body.len);
    c.body = slice_make(copy, body.len);
    c.tenant = 1;
    c.received += 1000;
    uint64_t before = t->records;
    HOLDS(unwrap_container(t->unwrap, &c, &sink, &t->answer) == 0);
    HOLDS(unwrapping_full(t, &t->writer) == 0);
    unwrap_number_answer(t->unwrap, &t->answer);
    free(copy);
    const struct unwrap_answer *a = &t->answer;
    HOLDS(a->taken == t->records - before);
    t->hash = hash_mix(t->hash, a->status);
    for (int i = 0; i < UNWRAP_REASON_COUNT; i++) t->hash = hash_mix(t->hash, a->refused[i]);
    unwrapping_mix(t, buf_slice(&a->body));
    if (c.kind == CONTAINER_FLOW) return;
    HOLDS(a->status >= 200 && a->status < 500 && a->content_type);
    bool hec = c.kind == CONTAINER_HEC || c.kind == CONTAINER_HEC_RAW;
    HOLDS(a->taken == 0 || a->status < 300 || hec);
    if (slice_eq(slice_of(a->content_type), SLICE("application/json")))
        HOLDS(json_is_object(buf_slice(&a->body)));
}

/* One container by itself. */
static inline void unwrapping_fuzz(struct container c, struct slice body)
{
    uint64_t hash = 0;
    for (int i = 0; i < 2; i++) {
        struct unwrapping t;
        unwrapping_init(&t, i == 0 ? BATCH_MAX : 256);
        unwrapping_run(&t, c, body);
        HOLDS(i == 0 || hash == t.hash);
        hash = t.hash;
        unwrapping_done(&t);
    }
}

#endif
