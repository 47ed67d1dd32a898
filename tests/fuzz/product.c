/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A product file, a line of NULs, and texts, one a line, for its field `message`. What loads reads
 * every text; what a product says of a text that is read again is the same.
 */
#include <string.h>

#include "base/hash.h"
#include "product/product.h"
#include "target.h"

enum { TEXTS_MAX = 16 };

struct bench {
    struct taxonomy *taxonomy;
    struct products *products;
    struct keys *keys;
    struct arena arena;
    struct event ev;
    struct router *router;
    struct product_reader *reader;
    struct buf out;
};

static uint64_t read_text(struct bench *b, struct slice text)
{
    event_reset(&b->ev);
    event_add_named(&b->ev, SLICE("message"), VALUE_STRING, text);
    event_add_named(&b->ev, SLICE("program"), VALUE_STRING, SLICE("fuzzed"));
    event_add_named(&b->ev, SLICE("a"), VALUE_NUMBER, SLICE("12"));
    (void)product_read(b->reader, &b->ev, router_route(b->router, &b->ev));
    buf_clear(&b->out);
    event_write_fields(&b->ev, &b->out);
    return hash64(buf_slice(&b->out));
}

static void read_texts(struct bench *b, struct slice texts)
{
    b->router = router_new(b->taxonomy, b->keys);
    b->reader = product_reader_new(b->products, b->keys);
    HOLDS(b->router && b->reader);
    product_reader_set_now(b->reader, INT64_C(1795651200) * NSEC_PER_SEC);
    for (int i = 0; i < TEXTS_MAX && texts.ptr; i++) {
        struct slice line, rest;
        (void)slice_split(texts, '\n', &line, &rest);
        HOLDS(read_text(b, line) == read_text(b, line));
        texts = rest;
    }
    product_reader_free(b->reader);
    router_free(b->router);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice file, texts;
    struct bench b = {.taxonomy = taxonomy_new()};
    struct diag diag;
    (void)slice_split(slice_make(data, size), '\0', &file, &texts);
    HOLDS(b.taxonomy != NULL);
    b.products = products_new(b.taxonomy);
    b.keys = keys_new();
    HOLDS(b.products && b.keys);
    arena_init(&b.arena, 1024 * 1024);
    event_init(&b.ev, b.keys, &b.arena);
    buf_init(&b.out, 4 * 1024 * 1024);
    if (products_add(b.products, "fuzzed.yml", file, &diag) == 0) read_texts(&b, texts);
    buf_done(&b.out);
    event_done(&b.ev);
    arena_done(&b.arena);
    keys_free(b.keys);
    products_free(b.products);
    taxonomy_free(b.taxonomy);
    return 0;
}
