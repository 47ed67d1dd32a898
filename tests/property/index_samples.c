/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The sample records of all products, sealed with an index: a query for any value that an event of
 * them has, or for one of its words where it is the record's own, passes no block over that has it.
 */
#include <stdlib.h>

#include "base/json_write.h"
#include "normalise/record_decoder.h"
#include "query/query.h"
#include "query_index.h"
#include "test.h"

enum { TEXT_MAX = 8 * 1024 };

struct samples {
    struct query_index index;
    struct matcher matcher;
    struct record_decoder *decoder;
    struct slice records[FILTER_BLOCKS];
    uint32_t n, at; /* records; the one at hand */
    uint64_t asked, passed;
};

/* Whether the block of the record at hand is one that the query leads to. */
static void ask(struct samples *s, struct slice text)
{
    const struct query_options options = {.whole = true};
    struct arena arena;
    struct query query;
    struct diag diag;
    arena_init(&arena, 16 << 20);
    int error = query_read(&arena, text, &options, &query, &diag);
    /* A network that is none, for one. */
    if (error == 0) {
        struct index_asks *asks = index_asks_new(query.filter);
        REQUIRE(asks);
        uint64_t may = query_index_may(&s->index, asks);
        s->asked++;
        s->passed += s->n - (uint32_t)__builtin_popcountll(may);
        if (!(may >> s->at & 1))
            test_fail(__FILE__, __LINE__, "%.*s passes over %.*s", SLICE_FMT(text),
                      SLICE_FMT(s->records[s->at]));
        index_asks_free(asks);
    }
    arena_done(&arena);
}

static void put_quoted(struct buf *out, struct slice text)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\') buf_putc(out, '\\');
        buf_putc(out, text.ptr[i]);
    }
    buf_putc(out, '"');
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0;
}

/* From the middle of the text to where words begin and end. */
static struct slice some_words(struct slice text)
{
    size_t from = text.len / 3, to = text.len - text.len / 3;
    while (from > 0 && is_word(text.ptr[from]) && is_word(text.ptr[from - 1])) from--;
    while (to < text.len && is_word(text.ptr[to - 1]) && is_word(text.ptr[to])) to++;
    return slice_until(slice_from(text, from), to - from);
}

static void ask_value(struct samples *s, struct slice name, struct slice text, bool own)
{
    struct buf query;
    if (text.len == 0 || text.len > TEXT_MAX / 4 || slice_find_byte(text, '\0') != SIZE_MAX) return;
    if (slice_find_byte(name, '*') != SIZE_MAX) return;
    buf_init(&query, 4 * TEXT_MAX);
    put_quoted(&query, name);
    buf_puts(&query, ": ");
    put_quoted(&query, text);
    ask(s, buf_slice(&query));
    struct slice words = some_words(text);
    if (own && words.len) {
        buf_clear(&query);
        put_quoted(&query, words);
        ask(s, buf_slice(&query));
    }
    buf_done(&query);
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct samples *s = ctx;
    struct engine_result found;
    (void)number;
    REQUIRE(engine_match(s->matcher.engine, ev, &found) == 0);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        if (f->type == VALUE_NULL) continue;
        ask_value(s, keys_name(engine_keys(s->matcher.engine), f->key), event_text(ev, f),
                  !f->derived);
    }
    engine_housekeep(s->matcher.engine);
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)ctx;
    (void)number;
    (void)reason;
}

static void check(struct samples *s)
{
    const struct record_sink sink = {.ctx = s, .event = on_event, .undecodable = on_undecodable};
    query_index_put(&s->index, s->records, s->n, RECORD_TEXT);
    matcher_set_now(&s->matcher, 0);
    for (s->at = 0; s->at < s->n; s->at++) {
        const struct record record = {.raw = s->records[s->at], .format = RECORD_TEXT};
        REQUIRE(record_decoder_one(s->decoder, &record, &sink) == 0);
    }
    s->n = 0;
}

TEST(samples_of_products_are_found)
{
    static struct samples s;
    struct slice fields[CELLS_FIELDS_MAX];
    query_index_init(&s.index, fields, cells_fields(fields));
    const struct products *products = s.index.rules.products;
    const struct engine_options all = {.read_all = true};
    REQUIRE(matcher_init(&s.matcher, &s.index.rules, &all) == 0);
    s.decoder = record_decoder_new(engine_keys(s.matcher.engine));
    REQUIRE(s.decoder);
    for (uint32_t p = 0; p < products_count(products); p++)
        for (uint32_t i = 0; i < products_at(products, p)->n_samples; i++) {
            s.records[s.n++] = products_at(products, p)->samples[i].record;
            if (s.n == FILTER_BLOCKS) check(&s);
        }
    if (s.n) check(&s);
    printf("# %llu queries, %llu blocks passed over\n", (unsigned long long)s.asked,
           (unsigned long long)s.passed);
    CHECK(s.passed > 10 * s.asked);
    record_decoder_free(s.decoder);
    matcher_done(&s.matcher);
    query_index_done(&s.index);
}
