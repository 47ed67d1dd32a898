/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The sample records of all products, sealed with an index: a query for any value that an event of
 * them has, or for one of its words where it is the record's own, passes no block over that has it.
 * And lists: what one has in it stands in random values, in all ways in which it is found there.
 */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "detect/sigma/listed.h"
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

/* ---- lists ------------------------------------------------------------------------------- */

enum { ROUNDS = 300, ENTRIES = 6, VALUE_MAX = 256 };

static const char *const entries[LISTED_KINDS][ENTRIES] = {
    [LISTED_ADDRESS] = {"203.0.113.77", "10.1.2.3", "198.51.100.200", "8.8.8.8", "::ffff:192.0.2.9",
                        "172.16.0.1"},
    [LISTED_DOMAIN] = {"bad.example", "b-ad.evil.example", "xn--bcher-kva.example", "a.b.example",
                       "b\xc3\xbc"
                       "cher.example",
                       "login_1.example"},
    [LISTED_URL] = {"http://bad.example/a/b?c=d", "bad.example/x", "https://10.1.2.3:8443/p",
                    "ftp://evil.example/", "evil.example/2026-11-25/jul", "h.example/%7Eroot"},
    [LISTED_HASH] = {"9f86d081884c7d659a2feaa0c55ad015"},
    [LISTED_EMAIL] = {"anna@bad.example", "bo.ek+x@b.example", "c-d@evil.example", "e@f.example",
                      "admin@10.1.2.3", "a_b@c.example"}};
static const char *const mapped[] = {
    "::ffff:cb00:714d", "::FFFF:0a01:0203", "0:0:0:0:0:ffff:8.8.8.8",
    "::ffff:c633:64c8", "::ffff:808:808",   "::ffff:ac10:1",
    "::ffff:0808:808",  "::ffff:ac10:0001", "0:0::ffff:A01:203"};
static const char *const fronts[] = {"",       "http://", "https://u:p@", "ftp://x.", "sub.", "x",
                                     "Anna <", "a-",      "https://[",    "b@c.de, ", "%41",  "1"};
static const char *const backs[] = {"",   "/",  ":80", "/p?q",   ">",  ", b@c.de", ".", "x",
                                    "-b", "#f", "]",   "]:443/", "//", "%eth0",    "1"};

#define PICK(list, random) ((list)[(random) % (sizeof(list) / sizeof *(list))])

struct lists {
    struct query_index index;
    struct listed *list; /* at hand */
    struct buf text;
    struct slice records[FILTER_BLOCKS], values[FILTER_BLOCKS];
    uint64_t random, found, passed;
};

static uint64_t next_random(struct lists *l)
{
    return l->random = l->random * UINT64_C(6364136223846793005) + 1442695040888963407;
}

static unsigned draw(struct lists *l)
{
    return (unsigned)(next_random(l) >> 33);
}

static void make_value(struct lists *l, enum listed_kind kind, char *value)
{
    const char *entry = entries[kind][draw(l) % ENTRIES];
    if (kind == LISTED_ADDRESS && draw(l) % 4 == 0) entry = PICK(mapped, draw(l));
    if (kind == LISTED_HASH) entry = entries[kind][0];
    if (draw(l) % 3 == 0) entry = "other.example";
    (void)snprintf(value, VALUE_MAX, "%s%s%s", draw(l) % 2 ? "" : PICK(fronts, draw(l)), entry,
                   draw(l) % 2 ? "" : PICK(backs, draw(l)));
    for (char *c = value; *c; c++)
        if (draw(l) % 8 == 0 && *c >= 'a' && *c <= 'z') *c = (char)(*c & ~0x20);
}

static void make_list(struct lists *l, enum listed_kind kind)
{
    bool known;
    l->list = listed_new(kind);
    REQUIRE(l->list);
    for (int i = 0; i < ENTRIES && entries[kind][i]; i++)
        if (draw(l) % 2)
            REQUIRE(listed_add(l->list, &(struct listed_value){.value = slice_of(entries[kind][i])},
                               &known) == 0);
}

static bool finds(const struct listed *list, struct slice value)
{
    char folded[4 * VALUE_MAX];
    return listed_find(list, slice_make(folded, utf8_fold(folded, value))) != NULL;
}

static void check_list(struct lists *l)
{
    const struct sigma_atom atom = {
        .op = ATOM_LISTED, .field = SLICE("f"), .listed = l->list, .pattern = SLICE("l")};
    const struct sigma_expr expr = {.kind = EXPR_ATOM, .atom = &atom};
    struct index_asks *asks = index_asks_new(&expr);
    REQUIRE(asks);
    uint64_t may = index_asks_nothing(asks) ? ~UINT64_C(0) : query_index_may(&l->index, asks);
    for (uint32_t i = 0; i < FILTER_BLOCKS; i++) {
        bool found = finds(l->list, l->values[i]);
        l->found += found;
        l->passed += !(may >> i & 1);
        if (found && !(may >> i & 1))
            test_fail(__FILE__, __LINE__, "a list that has it passes over %.*s",
                      SLICE_FMT(l->values[i]));
    }
    index_asks_free(asks);
}

TEST(values_of_lists_are_found)
{
    static struct lists l = {.random = 1};
    static char values[FILTER_BLOCKS][VALUE_MAX];
    struct slice fields[CELLS_FIELDS_MAX];
    query_index_init(&l.index, fields, cells_fields(fields));
    buf_init(&l.text, 1 << 20);
    REQUIRE(buf_reserve(&l.text, 1 << 20)); /* it does not move */
    for (int round = 0; round < ROUNDS; round++) {
        enum listed_kind kind = (enum listed_kind)(draw(&l) % LISTED_KINDS);
        buf_clear(&l.text);
        for (uint32_t i = 0; i < FILTER_BLOCKS; i++) {
            size_t at = l.text.len;
            make_value(&l, kind, values[i]);
            l.values[i] = slice_of(values[i]);
            buf_puts(&l.text, "{\"f\":");
            json_write_string(&l.text, l.values[i]);
            buf_puts(&l.text, "}");
            l.records[i] = slice_from(buf_slice(&l.text), at);
        }
        query_index_put(&l.index, l.records, FILTER_BLOCKS, RECORD_JSON);
        make_list(&l, kind);
        check_list(&l);
        listed_free(l.list);
    }
    printf("# %llu values are in a list, %llu blocks passed over\n", (unsigned long long)l.found,
           (unsigned long long)l.passed);
    CHECK(l.found > 1000 && l.passed > 1000);
    buf_done(&l.text);
    query_index_done(&l.index);
}
