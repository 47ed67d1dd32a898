/* SPDX-License-Identifier: EUPL-1.2 */
/* When an engine has a product read an event: before rules that ask for it, else for hits. */
#include "detect/engine.h"
#include "product/product.h"
#include "test.h"

struct bench {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct products *products;
    struct product_reader *reader;
    struct engine *engine;
    struct arena arena;
    struct event ev;
};

static void read_event(void *ctx, struct event *ev, const struct taxonomy_route *route, void *part)
{
    if (part) product_read_part(ctx, ev, part);
    else (void)product_read(ctx, ev, route);
}

static void *part_of(void *ctx, const struct taxonomy_route *route,
                     bool (*asks)(void *asks_ctx, struct slice path), void *asks_ctx)
{
    return product_part_of(ctx, route, asks, asks_ctx);
}

static bool shows(void *ctx, const struct taxonomy_route *route)
{
    return product_shows(ctx, route);
}

static void bench_init(struct bench *b, const char *steps, const char *detection, bool read_all)
{
    char product[1024], rule[1024];
    (void)snprintf(product, sizeof product,
                   "title: t\nevidence: unverified\nrecognise: {a: 1}\nsources: [{product: p}]\n"
                   "steps:\n%s",
                   steps);
    (void)snprintf(rule, sizeof rule,
                   "title: t\nlogsource: {product: p}\ndetection:\n  s: %s\n  condition: s\n",
                   detection);
    struct diag diag = {0};
    b->set = sigma_set_new();
    b->taxonomy = taxonomy_new();
    b->products = products_new(b->taxonomy);
    REQUIRE(b->set && b->taxonomy && b->products);
    REQUIRE(products_add(b->products, "p.yml", slice_of(product), &diag) == 0);
    REQUIRE(sigma_set_add_text(b->set, "r.yml", slice_of(rule), NULL) == 0);
    REQUIRE(sigma_set_finish(b->set) == 0 && b->set->n_rules == 1);
    b->engine = engine_new(b->set, b->taxonomy, &(struct engine_options){.read_all = read_all});
    REQUIRE(b->engine);
    b->reader = product_reader_new(b->products, engine_keys(b->engine));
    REQUIRE(b->reader);
    engine_set_reading(b->engine, &(struct engine_reading){b->reader, read_event, part_of, shows});
    arena_init(&b->arena, 1024 * 1024);
    event_init(&b->ev, engine_keys(b->engine), &b->arena);
}

static void bench_done(struct bench *b)
{
    event_done(&b->ev);
    arena_done(&b->arena);
    engine_free(b->engine);
    product_reader_free(b->reader);
    products_free(b->products);
    taxonomy_free(b->taxonomy);
    sigma_set_free(b->set);
}

/* a=1 b=y EventID=7 and a null: whether the rule holds, and whether fields were added. */
static void match(struct bench *b, bool *ret_holds, bool *ret_read)
{
    struct engine_result result;
    event_reset(&b->ev);
    event_add_named(&b->ev, SLICE("a"), VALUE_STRING, SLICE("1"));
    event_add_named(&b->ev, SLICE("b"), VALUE_STRING, SLICE("y"));
    event_add_named(&b->ev, SLICE("EventID"), VALUE_STRING, SLICE("7"));
    event_add_named(&b->ev, SLICE("n.m"), VALUE_NULL, SLICE("null"));
    uint32_t n = b->ev.n_fields;
    REQUIRE(engine_match(b->engine, &b->ev, &result) == 0);
    *ret_holds = result.n_hits > 0;
    *ret_read = b->ev.n_fields > n;
    if (result.n_hits == 0) return;
    struct buf out;
    buf_init(&out, 65536);
    engine_write_matched(b->engine, &b->ev, &result.hits[0], &out);
    CHECK(out.len > 2);
    buf_done(&out);
}

#define TO_NAME "  - map: {user.name: b}\n"

TEST(read_when_asked)
{
    static const struct {
        const char *what, *steps, *detection;
        bool read_all, holds, read;
    } cases[] = {
        {"no rule asks, none holds", TO_NAME, "{b: z}", false, false, false},
        {"all are read", TO_NAME, "{b: z}", true, false, true},
        {"a rule holds", TO_NAME, "{b: y}", false, true, true},
        {"a rule asks for it", TO_NAME, "{user.name: y}", false, true, true},
        {"asks in vain", TO_NAME, "{user.name: z}", false, false, true},
        {"asks for what it lies in", TO_NAME, "{user|exists: true}", false, true, true},
        {"asks for a longer name", TO_NAME, "{user.name.full: y}", false, false, false},
        {"asks for a name like it", TO_NAME, "{username: y}", false, false, false},
        {"refers to it", TO_NAME, "{b|fieldref: user.name}", false, true, true},
        {"asks whether it is null", TO_NAME, "{user.name: null}", false, false, true},
        {"fills what is null", "  - set: {n.m: x}\n", "{n.m: x}", false, true, true},
        {"sets it", "  - set: {k: x}\n", "{k: x}", false, true, true},
        {"in a case", "  - switch: b\n    cases: {y: {set: {k: x}}}\n", "{k: x}", false, true,
         true},
        {"a pattern's place", "  - pattern: b\n    any: ['{k}']\n", "{k: y}", false, true, true},
        {"a pattern's fields", "  - pattern: b\n    any: [{is: y, set: {k: x}}]\n", "{k: x}", false,
         true, true},
        {"names in a text", "  - kv: b\n", "{b: z}", false, false, false},
        /* What a name is another word for is there already. */
        {"another word", "  - map: {event.code: EventID}\n", "{EventID: 8}", false, false, false},
        {"another word, made", "  - map: {event.code: b}\n", "{EventID: y}", false, true, true},
        {"columns", "  - csv: b\n    columns: [c]\n", "{b: z}", false, false, false},
        {"a column", "  - csv: b\n    columns: [c]\n", "{c: y}", false, true, true},
        {"a URL", "  - url: b\n", "{b: z}", false, false, false},
        {"on a condition", "  - map: {_t: b}\n  - when: {_t: y}\n    set: {k: x}\n", "{k: x}",
         false, true, true},
        {"the first counts", "  - set: {k: x}\n  - map: {k: b}\n", "{k: y}", false, false, true},
        {"for steps only", "  - map: {_x: b}\n  - map: {k: _x}\n", "{_x: y}", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bool holds, read;
        bench_init(&b, cases[i].steps, cases[i].detection, cases[i].read_all);
        for (int again = 0; again < 2; again++) {
            match(&b, &holds, &read);
            if (holds != cases[i].holds || read != cases[i].read)
                test_fail(__FILE__, __LINE__, "%s: holds %d, read %d", cases[i].what, holds, read);
        }
        bench_done(&b);
    }
}

/* A text's names are not known before it is read. */
TEST(names_in_a_text_are_read_first)
{
    struct bench b;
    bool holds, read;
    bench_init(&b, "  - map: {_t: '''k='' + b'}\n  - kv: _t\n", "{k: y}", false);
    match(&b, &holds, &read);
    CHECK(holds && read);
    bench_done(&b);
}
