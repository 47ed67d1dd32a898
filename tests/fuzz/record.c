/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records of any format, one after the other: u8 format, u16 length of raw, u16 length of context
 * (little-endian), the bytes. Each is reported once; decoded as a batch they give what each gives
 * by itself, so none changes another one.
 */
#include "base/hash.h"
#include "base/le.h"
#include "normalise/record_decoder.h"
#include "target.h"

enum { RECORDS_MAX = 64, HEAD = 5 };

struct decoding {
    struct keys *keys;
    struct record_decoder *decoder;
    uint64_t hash[RECORDS_MAX];
    unsigned events[RECORDS_MAX], undecodable[RECORDS_MAX];
    uint32_t base, last; /* the number of record 0 of the call; the last one reported */
    bool forgetful;
};

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct decoding *d = ctx;
    uint32_t n = d->base + number;
    HOLDS(n < RECORDS_MAX && n >= d->last && d->undecodable[n] == 0);
    HOLDS(ev->format && ev->n_fields <= EVENT_FIELDS_MAX);
    HOLDS(ev->record == number + UINT64_C(1));
    d->last = n;
    d->events[n]++;
    d->hash[n] = hash_mix(d->hash[n], hash64(slice_of(ev->format)) + ev->flags);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        HOLDS(f->key < keys_count(ev->keys));
        d->hash[n] = hash_mix(d->hash[n], f->type + hash64(keys_name(ev->keys, f->key)));
        d->hash[n] = hash_mix(d->hash[n], hash64(event_text(ev, f)));
    }
    if (d->forgetful || keys_full(d->keys)) keys_clear(d->keys);
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct decoding *d = ctx;
    uint32_t n = d->base + number;
    HOLDS(n < RECORDS_MAX && n >= d->last && reason && d->events[n] == 0);
    d->last = n;
    d->undecodable[n]++;
    d->hash[n] = hash_mix(d->hash[n], hash64(slice_of(reason)));
}

static void begin(struct decoding *d, bool forgetful)
{
    *d = (struct decoding){.keys = keys_new(), .forgetful = forgetful};
    HOLDS(d->keys != NULL);
    d->decoder = record_decoder_new(d->keys);
    HOLDS(d->decoder != NULL);
}

static void end(struct decoding *d)
{
    record_decoder_free(d->decoder);
    keys_free(d->keys);
}

static bool take_record(struct slice *in, struct record *ret)
{
    if (in->len < HEAD) return false;
    size_t raw = le16(in->ptr + 1), context = le16(in->ptr + 3);
    *ret = (struct record){.format = (uint8_t)((unsigned char)in->ptr[0] % RECORD_FORMAT_COUNT)};
    *in = slice_from(*in, HEAD);
    ret->raw = slice_until(*in, raw);
    *in = slice_from(*in, ret->raw.len);
    ret->context = slice_until(*in, context);
    *in = slice_from(*in, ret->context.len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    struct decoding alone, together;
    struct batch_writer w;
    struct buf bytes;
    struct record r;
    begin(&alone, false);
    batch_writer_init(&w, 1, BATCH_MAX);
    const struct record_sink sink = {
        .ctx = &alone, .event = on_event, .undecodable = on_undecodable};
    uint32_t n = 0;
    for (; n < RECORDS_MAX && take_record(&in, &r); n++) {
        HOLDS(batch_writer_add(&w, &r) == 0);
        alone.base = n;
        HOLDS(record_decoder_one(alone.decoder, &r, &sink) == 0);
    }
    begin(&together, size & 1);
    const struct record_sink all = {
        .ctx = &together, .event = on_event, .undecodable = on_undecodable};
    buf_init(&bytes, BATCH_MAX);
    batch_writer_finish(&w, &bytes);
    struct batch batch;
    if (n > 0) {
        HOLDS(batch_open(buf_slice(&bytes), &batch) == 0);
        HOLDS(record_decoder_batch(together.decoder, &batch, 0, n, &all) == 0);
    }
    for (uint32_t i = 0; i < n; i++) {
        HOLDS((together.events[i] > 0) + together.undecodable[i] == 1);
        HOLDS(together.hash[i] == alone.hash[i]);
    }
    buf_done(&bytes);
    batch_writer_done(&w);
    end(&alone);
    end(&together);
    return 0;
}
