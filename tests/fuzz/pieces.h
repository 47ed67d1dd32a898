/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A decoder against any bytes. The first byte of the input says how the rest is cut: the decoder
 * gets it whole once and in pieces once, both must give the same events and complaints, and what
 * it hands out must be well-formed and readable.
 */
#ifndef VAKA_TESTS_FUZZ_PIECES_H
#define VAKA_TESTS_FUZZ_PIECES_H

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "normalise/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(expr)                                                                                \
    do {                                                                                           \
        if (!(expr)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expr);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct pieces {
    struct keys *keys;
    struct buf json;
    uint64_t size, record, bad_offset;
    uint64_t hash;
    bool forgetful; /* the owner clears the key table after each event */
};

static inline void pieces_mix(struct pieces *p, struct slice s)
{
    HOLDS(s.len == 0 || s.ptr != NULL);
    p->hash = hash_mix(p->hash, hash64(s) + s.len);
}

static inline int pieces_emit(void *ctx, struct event *ev)
{
    struct pieces *p = ctx;
    HOLDS(ev->keys == p->keys && ev->format != NULL);
    HOLDS(ev->n_fields <= EVENT_FIELDS_MAX && ev->n_fields <= ev->cap_fields);
    HOLDS(ev->record > p->record && ev->raw.len > 0);
    /* Text may be longer than its source only as UTF-16 (three bytes for two). */
    HOLDS(ev->raw.len <= p->size * 3 / 2);
    p->record = ev->record;
    p->hash = hash_mix(p->hash, hash_mix(ev->flags, ev->record));
    pieces_mix(p, ev->raw);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        const struct event_field *f = &ev->fields[i];
        HOLDS(f->key < keys_count(ev->keys));
        HOLDS(f->value.len <= ev->raw.len || f->type == VALUE_BOOL || f->value.len <= 256);
        p->hash = hash_mix(p->hash, f->type);
        pieces_mix(p, keys_name(ev->keys, f->key));
        pieces_mix(p, f->value);
    }
    buf_clear(&p->json);
    event_write_json(ev, &p->json);
    if (p->forgetful || keys_full(p->keys)) keys_clear(p->keys);
    return 0;
}

static inline void pieces_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct pieces *p = ctx;
    HOLDS(offset >= p->bad_offset && offset <= p->size && reason != NULL);
    HOLDS(record == 0 || record > p->record);
    if (record) p->record = record;
    p->bad_offset = offset;
    p->hash = hash_mix(hash_mix(p->hash, offset), record);
    pieces_mix(p, slice_of(reason));
}

/* `cut` 0: in one piece; else the seed of the sizes of the pieces. */
static inline uint64_t pieces_run(const struct decoder_ops *ops, struct slice in, uint64_t cut,
                                  bool forgetful)
{
    struct pieces p = {.keys = keys_new(), .size = in.len, .forgetful = forgetful};
    HOLDS(p.keys != NULL);
    buf_init(&p.json, 1 << 20);
    const struct decoder_out out = {.ctx = &p, .emit = pieces_emit, .bad = pieces_bad};
    struct decoder *d = ops->open(&out, p.keys);
    HOLDS(d != NULL);
    while (in.len) {
        size_t n = in.len;
        if (cut) {
            cut = hash_mix(cut, 0x51ed) | 1;
            size_t want = cut >> 8 & 1 ? 1 + (cut >> 16 & 7) : 1 + (cut >> 16 & 511);
            if (want < n) n = want;
        }
        /* A copy of its own, so that the sanitizer sees what is kept too long. */
        char *copy = malloc(n);
        HOLDS(copy != NULL);
        memcpy(copy, in.ptr, n);
        HOLDS(ops->feed(d, slice_make(copy, n)) == 0);
        free(copy);
        in = slice_from(in, n);
    }
    HOLDS(ops->finish(d) == 0);
    ops->close(d);
    buf_done(&p.json);
    keys_free(p.keys);
    return p.hash;
}

static inline int pieces_fuzz(const struct decoder_ops *ops, const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice in = slice_make(data + 1, size - 1);
    bool forgetful = data[0] & 1;
    int score = ops->sniff(in, data[0] & 2);
    HOLDS(score >= 0 && score <= 100);
    uint64_t whole = pieces_run(ops, in, 0, false);
    HOLDS(whole == pieces_run(ops, in, data[0] + UINT64_C(1), forgetful));
    return 0;
}

#endif
