/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records that end in the middle: every sample of every product is cut at every byte and read. What
 * was understood before the cut is the same as in the whole record, and a cut record changes
 * nothing of how the next one is read.
 */
#include <stdlib.h>

#include "normalise/record_decoder.h"
#include "product/product.h"
#include "test.h"

enum { TEXT_MAX = 4 * 1024 * 1024, PLACED_MAX = 512 };

/* One way of reading, with all that lives from record to record. */
struct bench {
    struct taxonomy *taxonomy;
    struct products *products;
    struct keys *keys;
    struct router *router;
    struct product_reader *reader;
    struct record_decoder *decoder;
};

/* What one record was read as: LF NAME=VALUE LF, field by field. */
struct read {
    struct bench *bench;
    struct slice raw;
    const char *format; /* of the last event */
    uint32_t events;
    struct buf decoded; /* what the decoder said, of the last event */
    struct buf all;     /* and what products made of it, of all events */
    /* Fields of the last event whose values stand in the record, with their texts in `decoded`. */
    struct {
        size_t end, text, len;
    } placed[PLACED_MAX];
    uint32_t n_placed;
    size_t message; /* where the message begins, or the record's length */
};

static void bench_init(struct bench *b)
{
    b->taxonomy = taxonomy_new();
    b->products = b->taxonomy ? products_new(b->taxonomy) : NULL;
    b->keys = keys_new();
    REQUIRE(b->products && b->keys);
    b->router = router_new(b->taxonomy, b->keys);
    b->reader = product_reader_new(b->products, b->keys);
    b->decoder = record_decoder_new(b->keys);
    REQUIRE(b->router && b->reader && b->decoder);
    const nsec now = INT64_C(1795651200) * NSEC_PER_SEC; /* 2026-11-26 */
    router_set_now(b->router, now);
    product_reader_set_now(b->reader, now);
}

static void bench_done(struct bench *b)
{
    record_decoder_free(b->decoder);
    product_reader_free(b->reader);
    router_free(b->router);
    keys_free(b->keys);
    products_free(b->products);
    taxonomy_free(b->taxonomy);
}

static void put_field(struct buf *out, struct event *ev, struct event_field *f)
{
    buf_putc(out, '\n');
    buf_put(out, keys_name(ev->keys, f->key));
    buf_putc(out, '=');
    buf_put(out, event_text(ev, f));
    buf_putc(out, '\n');
}

static void put_decoded(struct read *r, struct event *ev, struct event_field *f)
{
    /* As it stands there: reading it as text resolves its escapes. */
    size_t text = r->decoded.len, at = (size_t)(f->value.ptr - r->raw.ptr);
    size_t end = at + f->value.len;
    put_field(&r->decoded, ev, f);
    if (at >= r->raw.len || r->n_placed == PLACED_MAX) return; /* made */
    if (slice_eq(keys_name(ev->keys, f->key), SLICE("message")) && at < r->message) r->message = at;
    r->placed[r->n_placed].end = end;
    r->placed[r->n_placed].text = text;
    r->placed[r->n_placed++].len = r->decoded.len - text;
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct read *r = ctx;
    struct bench *b = r->bench;
    (void)number;
    r->events++;
    r->format = ev->format;
    r->n_placed = 0;
    buf_clear(&r->decoded);
    for (uint32_t i = 0; i < ev->n_fields; i++) put_decoded(r, ev, &ev->fields[i]);
    const struct taxonomy_route *route = router_route(b->router, ev);
    if (product_read(b->reader, ev, route)) {
        const struct taxonomy_route *again = router_route(b->router, ev);
        if (again->owner != route->owner) (void)product_read(b->reader, ev, again);
        route = again;
    }
    const struct product *product = products_of(b->products, route);
    buf_puts(&r->all, product ? product->file : "nobody's");
    for (uint32_t i = 0; i < ev->n_fields; i++) put_field(&r->all, ev, &ev->fields[i]);
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct read *r = ctx;
    (void)number;
    buf_puts(&r->all, reason);
}

static void read_init(struct read *r, struct bench *b)
{
    *r = (struct read){.bench = b};
    buf_init(&r->decoded, TEXT_MAX);
    buf_init(&r->all, TEXT_MAX);
}

static void read_done(struct read *r)
{
    buf_done(&r->decoded);
    buf_done(&r->all);
}

/* The record ends where its memory does, which the sanitizers watch. */
static void read_record(struct read *r, struct slice raw)
{
    char *copy = malloc(raw.len ? raw.len : 1);
    REQUIRE(copy);
    memcpy(copy, raw.ptr, raw.len);
    const struct record record = {.raw = slice_make(copy, raw.len), .format = RECORD_TEXT};
    const struct record_sink sink = {.ctx = r, .event = on_event, .undecodable = on_undecodable};
    r->raw = record.raw;
    r->format = "";
    r->events = r->n_placed = 0;
    r->message = raw.len;
    buf_clear(&r->decoded);
    buf_clear(&r->all);
    CHECK_INT(record_decoder_one(r->bench->decoder, &record, &sink), 0);
    free(copy);
}

/*
 * Of the whole record those fields that stand before the cut are also in the cut one, when this has
 * enough to be known as of the same form. The header of syslog is only known for one when its end
 * is there, and what stands in a message when it is whole.
 */
static void check_cut(const struct read *whole, const struct read *cut, const char *file,
                      uint32_t line, size_t n)
{
    for (uint32_t i = 0; i < whole->n_placed; i++) {
        struct slice field = slice_until(
            slice_from(buf_slice(&whole->decoded), whole->placed[i].text), whole->placed[i].len);
        bool header = whole->message < whole->raw.len;
        size_t end = whole->placed[i].end;
        if (header ? end > whole->message || whole->message >= n : end >= n) continue;
        if (slice_find(buf_slice(&cut->decoded), field) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "%s:%u, cut at %zu, has not%.*s", file, line, n,
                      SLICE_FMT(field));
    }
}

static void check_cuts(struct read *whole, struct read *cut, const struct product *p,
                       const struct product_sample *sample)
{
    read_record(whole, sample->record);
    for (size_t n = 0; n < sample->record.len; n++) {
        read_record(cut, slice_until(sample->record, n));
        if (whole->events == 1 && strcmp(whole->format, cut->format) == 0)
            check_cut(whole, cut, p->file, sample->line, n);
        read_record(cut, sample->record);
        if (!slice_eq(buf_slice(&cut->all), buf_slice(&whole->all)))
            test_fail(__FILE__, __LINE__, "%s:%u: cut at %zu changes the next record", p->file,
                      sample->line, n);
    }
}

TEST(samples_cut_at_every_byte)
{
    static struct read whole, cut;
    struct bench b;
    bench_init(&b);
    read_init(&whole, &b);
    read_init(&cut, &b);
    for (uint32_t i = 0; i < products_count(b.products); i++) {
        const struct product *p = products_at(b.products, i);
        for (uint32_t k = 0; k < p->n_samples; k++) check_cuts(&whole, &cut, p, &p->samples[k]);
    }
    read_done(&cut);
    read_done(&whole);
    bench_done(&b);
}
