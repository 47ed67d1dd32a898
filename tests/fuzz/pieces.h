/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A decoder against any bytes. It gets them whole once and in pieces once, both must give the same
 * events and complaints, and what it hands out must be well-formed and readable. The last byte of
 * the input says how it is cut (and is not decoded), so that any log file is an input.
 */
#ifndef VAKA_TESTS_FUZZ_PIECES_H
#define VAKA_TESTS_FUZZ_PIECES_H

#include "base/hash.h"
#include "normalise/decoder.h"
#include "target.h"

/* What a target asks of each event besides, before its values are decoded. May be NULL. */
typedef void (*pieces_check)(struct event *ev);

struct pieces {
    const struct decoder_ops *ops;
    pieces_check check;
    struct keys *keys;
    struct buf json;
    uint64_t size, record, bad_record, bad_offset;
    uint64_t hash;
    bool forgetful; /* the owner clears the key table after each event */
};

/*
 * The numbers are the log's own, templates of a chunk serve many records, and what is wrong with a
 * chunk is said before its records are read.
 */
static inline bool pieces_is_evtx(const struct pieces *p)
{
    return p->ops == &decoder_evtx;
}

/* What is readable of a broken record is handed out before the complaint about it. */
static inline bool pieces_keeps_broken(const struct pieces *p)
{
    return p->ops == &decoder_json;
}

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
    HOLDS(ev->raw.len > 0);
    HOLDS(ev->record > p->record || pieces_is_evtx(p));
    /* Text may be longer than its source only as UTF-16 (three bytes for two). */
    HOLDS(ev->raw.len <= p->size * 3 / 2);
    p->record = ev->record;
    p->hash = hash_mix(p->hash, hash_mix(ev->flags, ev->record));
    pieces_mix(p, ev->raw);
    if (p->check) p->check(ev);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        HOLDS(f->key < keys_count(ev->keys));
        HOLDS(f->value.len <= ev->raw.len || f->type == VALUE_BOOL || f->value.len <= 256 ||
              pieces_is_evtx(p));
        p->hash = hash_mix(p->hash, f->type);
        pieces_mix(p, keys_name(ev->keys, f->key));
        pieces_mix(p, f->value);
        size_t len = f->value.len;
        struct slice text = event_text(ev, f);
        HOLDS(text.len <= len);
        pieces_mix(p, text);
    }
    buf_clear(&p->json);
    event_write_json(ev, &p->json);
    if (p->forgetful || keys_full(p->keys)) keys_clear(p->keys);
    return 0;
}

static inline void pieces_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct pieces *p = ctx;
    HOLDS(offset <= p->size && reason != NULL);
    HOLDS(offset >= p->bad_offset || pieces_is_evtx(p));
    if (record && !pieces_is_evtx(p)) {
        HOLDS(record > p->bad_record);
        HOLDS(record > p->record || (record == p->record && pieces_keeps_broken(p)));
        p->record = p->bad_record = record;
    }
    p->bad_offset = offset;
    p->hash = hash_mix(hash_mix(p->hash, offset), record);
    pieces_mix(p, slice_of(reason));
}

/* Feeds `in` in pieces; `cut` 0: in one, else the seed of their sizes. */
static inline void pieces_feed(struct decoder *d, struct slice in, uint64_t cut)
{
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
        HOLDS(d->ops->feed(d, slice_make(copy, n)) == 0);
        free(copy);
        in = slice_from(in, n);
    }
}

/* A number that stands for all events and complaints. */
static inline uint64_t pieces_run(const struct decoder_ops *ops, pieces_check check,
                                  struct slice in, uint64_t cut, bool forgetful)
{
    struct pieces p = {
        .ops = ops, .check = check, .keys = keys_new(), .size = in.len, .forgetful = forgetful};
    HOLDS(p.keys != NULL);
    buf_init(&p.json, 1 << 20);
    const struct decoder_out out = {.ctx = &p, .emit = pieces_emit, .bad = pieces_bad};
    struct decoder *d = ops->open(&out, p.keys);
    HOLDS(d != NULL);
    pieces_feed(d, in, cut);
    HOLDS(ops->finish(d) == 0);
    ops->close(d);
    buf_done(&p.json);
    keys_free(p.keys);
    return p.hash;
}

/* `how`: which pieces, and whether the key table is cleared between events. */
static inline void pieces_compare(const struct decoder_ops *ops, pieces_check check,
                                  struct slice in, uint8_t how)
{
    uint64_t whole = pieces_run(ops, check, in, 0, false);
    HOLDS(whole == pieces_run(ops, check, in, how + UINT64_C(1), how & 1));
}

static inline int pieces_fuzz(const struct decoder_ops *ops, pieces_check check,
                              const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice in = slice_make(data, size - 1);
    uint8_t how = data[size - 1];
    int score = ops->sniff(in, how & 2);
    HOLDS(score >= 0 && score <= 100);
    pieces_compare(ops, check, in, how);
    return 0;
}

#endif
