/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/product.h"

#include <stdlib.h>

#include "test.h"

#define CHECK_STR(got, want) CHECK_SLICE(slice_of(got), want)

struct bench {
    struct taxonomy *taxonomy;
    struct products *products;
    struct keys *keys;
    struct arena arena;
    struct event ev;
    struct router *router;
    struct product_reader *reader;
    struct buf out;
    struct diag diag;
};

static void bench_init(struct bench *b)
{
    b->taxonomy = taxonomy_new();
    b->products = b->taxonomy ? products_new(b->taxonomy) : NULL;
    b->keys = keys_new();
    b->router = NULL;
    b->reader = NULL;
    REQUIRE(b->products && b->keys);
    arena_init(&b->arena, 4 * 1024 * 1024);
    event_init(&b->ev, b->keys, &b->arena);
    buf_init(&b->out, 1024 * 1024);
}

static void bench_done(struct bench *b)
{
    buf_done(&b->out);
    event_done(&b->ev);
    arena_done(&b->arena);
    product_reader_free(b->reader);
    router_free(b->router);
    keys_free(b->keys);
    products_free(b->products);
    taxonomy_free(b->taxonomy);
}

static int add(struct bench *b, const char *file, const char *text)
{
    return products_add(b->products, file, slice_of(text), &b->diag);
}

/* The event of NAME, VALUE, …, NULL as JSON, after its product had its say. */
static const char *read(struct bench *b, const char *const *pairs)
{
    if (!b->router) {
        b->router = router_new(b->taxonomy, b->keys);
        b->reader = product_reader_new(b->products, b->keys);
        REQUIRE(b->router && b->reader);
        product_reader_set_now(b->reader, INT64_C(1795651200) * NSEC_PER_SEC); /* 2026-11-26 */
    }
    event_reset(&b->ev);
    for (size_t i = 0; pairs[i]; i += 2)
        event_add_named(&b->ev, slice_of(pairs[i]), VALUE_STRING, slice_of(pairs[i + 1]));
    const struct taxonomy_route *route = router_route(b->router, &b->ev);
    if (product_read(b->reader, &b->ev, route)) {
        const struct taxonomy_route *again = router_route(b->router, &b->ev);
        if (again->owner != route->owner) (void)product_read(b->reader, &b->ev, again);
    }
    buf_clear(&b->out);
    event_write_fields(&b->ev, &b->out);
    buf_putc(&b->out, '\0');
    return b->out.ptr;
}

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(steps_are_done_in_their_order)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "x/mine.yml",
                "title: Mine\n"
                "evidence: unverified\n"
                "recognise: {maker: mine}\n"
                "sources: [{product: mine}]\n"
                "tables:\n"
                "  verdict: {yes: [allowed, end], '*': denied}\n"
                "steps:\n"
                "  - pattern: text\n"
                "    any:\n"
                "      - is: ['{_who:word} said {_what:word}', '{_who:word} says {_what:word}']\n"
                "        set: {event.action: said}\n"
                "        map: {event.type: _what | table verdict}\n"
                "      - '{_who:word} left'\n"
                "    map: {user.name: _who | lower}\n"
                "  - when: {event.action: {exists: false}}\n"
                "    set: {event.action: none}\n"
                "  - switch: code\n"
                "    cases:\n"
                "      1, 2: {set: {event.code: low}}\n"
                "      A: [{set: {event.code: letter}}, {map: {a.b: code}}]\n"
                "      default: {set: {event.code: other}}\n"
                "  - when: {code: [9*, '*9', '*55*'], text: {not: x}}\n"
                "    set: {nine: [a, b]}\n") == 0);
    CHECK_STR(
        read(&b, PAIRS("maker", "mine", "text", "Anna said yes", "code", "2")),
        "{\"maker\":\"mine\",\"text\":\"Anna said yes\",\"code\":\"2\","
        "\"event.type\":[\"allowed\",\"end\"],\"event.action\":\"said\",\"user.name\":\"anna\","
        "\"event.code\":\"low\"}");
    CHECK_STR(
        read(&b, PAIRS("maker", "mine", "text", "Bo says no", "code", "a")),
        "{\"maker\":\"mine\",\"text\":\"Bo says no\",\"code\":\"a\",\"event.type\":\"denied\","
        "\"event.action\":\"said\",\"user.name\":\"bo\",\"event.code\":\"letter\",\"a.b\":\"a\"}");
    CHECK_STR(read(&b, PAIRS("maker", "mine", "text", "Cy left", "code", "1554")),
              "{\"maker\":\"mine\",\"text\":\"Cy left\",\"code\":\"1554\",\"user.name\":\"cy\","
              "\"event.action\":\"none\",\"event.code\":\"other\",\"nine\":[\"a\",\"b\"]}");
    CHECK_STR(read(&b, PAIRS("maker", "mine", "text", "nothing fits here", "code", "x9")),
              "{\"maker\":\"mine\",\"text\":\"nothing fits here\",\"code\":\"x9\","
              "\"event.action\":\"none\",\"event.code\":\"other\",\"nine\":[\"a\",\"b\"]}");
    CHECK_STR(read(&b, PAIRS("maker", "other", "text", "Anna said yes")),
              "{\"maker\":\"other\",\"text\":\"Anna said yes\"}");
    bench_done(&b);
}

TEST(what_the_record_says_itself_stays)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "mine.yml",
                "title: Mine\nevidence: unverified\nrecognise: {maker: mine}\n"
                "steps:\n"
                "  - map: {user.name: TargetUserName, host.name: Computer or maker}\n"
                "    set: {user.name: nobody}\n") == 0);
    CHECK_STR(read(&b, PAIRS("maker", "mine", "user.name", "anna", "TargetUserName", "bo")),
              "{\"maker\":\"mine\",\"user.name\":\"anna\",\"TargetUserName\":\"bo\","
              "\"host.name\":\"mine\"}");
    /* By the plain name of a shipper's path. */
    CHECK_STR(
        read(&b, PAIRS("maker", "mine", "winlog.event_data.TargetUserName", "bo")),
        "{\"maker\":\"mine\",\"winlog.event_data.TargetUserName\":\"bo\",\"user.name\":\"bo\","
        "\"host.name\":\"mine\"}");
    /* Words that are searched anywhere do not count in what was derived. */
    for (uint32_t i = 0; i < b.ev.n_fields; i++) CHECK_INT(b.ev.fields[i].derived, i >= 2);
    bench_done(&b);
}

TEST(one_product_shows_another)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "outer.yml",
                "title: Outer\nevidence: unverified\nrecognise: {form: outer}\nagain: true\n"
                "steps:\n  - pattern: text\n    any: ['from {maker:word}']\n") == 0);
    REQUIRE(add(&b, "inner.yml",
                "title: Inner\nevidence: unverified\nrecognise: {form: outer, maker: acme}\n"
                "steps:\n  - set: {event.module: inner}\n") == 0);
    CHECK_STR(read(&b, PAIRS("form", "outer", "text", "from acme")),
              "{\"form\":\"outer\",\"text\":\"from "
              "acme\",\"maker\":\"acme\",\"event.module\":\"inner\"}");
    CHECK_STR(read(&b, PAIRS("form", "outer", "text", "from others")),
              "{\"form\":\"outer\",\"text\":\"from others\",\"maker\":\"others\"}");
    bench_done(&b);
}

TEST(entries_are_fields_of_their_own)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "listed.yml",
                "title: L\nevidence: unverified\nrecognise: {maker: listed}\n"
                "steps:\n  - {entries: p.name, values: p.value, prefix: q., set: {done: yes}}\n"
                "  - map: {agent: q.agent}\n") == 0);
    /* A value before any name, a name without a value, one with two. */
    CHECK_STR(read(&b, PAIRS("maker", "listed", "p.value", "x", "p.name", "none", "p.name", "agent",
                             "p.value", "y", "p.name", "two", "p.value", "1", "p.value", "2")),
              "{\"maker\":\"listed\",\"p.value\":[\"x\",\"y\",\"1\",\"2\"],"
              "\"p.name\":[\"none\",\"agent\",\"two\"],\"q.agent\":\"y\",\"q.two\":[\"1\",\"2\"],"
              "\"done\":\"yes\",\"agent\":\"y\"}");
    /* The rest of the step needs one. */
    CHECK_STR(read(&b, PAIRS("maker", "listed", "p.name", "none")),
              "{\"maker\":\"listed\",\"p.name\":\"none\"}");
    bench_done(&b);
}

TEST(a_users_file_is_asked_first)
{
    struct bench b;
    bench_init(&b);
    for (int i = 0; i < 2; i++)
        REQUIRE(add(&b, "same.yml",
                    i ? "title: B\nevidence: unverified\nrecognise: {maker: mine}\n"
                        "steps: [{set: {who: second}}]\n"
                      : "title: A\nevidence: unverified\nrecognise: {maker: mine}\n"
                        "steps: [{set: {who: first}}]\n") == 0);
    CHECK_STR(read(&b, PAIRS("maker", "mine")), "{\"maker\":\"mine\",\"who\":\"second\"}");
    bench_done(&b);
}

TEST(mistakes_are_refused_with_their_place)
{
    static const char head[] = "title: T\nevidence: unverified\nrecognise: {a: b}\n";
    static const struct {
        const char *text, *why;
        uint32_t line;
    } cases[] = {
        {"steps:\n  - sett: {a: b}\n", "unknown key `sett` in a step; did you mean `set`?", 5},
        {"step: []\n", "did you mean `steps`?", 4},
        {"steps: {}\n", "steps must be a list", 4},
        {"steps:\n  - map: {a: b c}\n", "missing here at `c`", 5},
        {"steps:\n  - map: {a: b | table t}\n", "no such table at `t`", 5},
        {"steps:\n  - map: {a: b | lowr}\n", "such function at `lowr`; did you mean `lower`?", 5},
        {"steps:\n  - map: {a: b | lowr | upper}\n", "at `lowr`; did you", 5},
        {"tables: {out: {a: b}}\nsteps:\n  - map: {a: b | table 'uot'}\n", "did you mean `out`?",
         6},
        {"steps:\n  - map: {a: b +}\n", "is missing at the end", 5},
        {"steps:\n  - pattern: m\n    any: []\n", "`any` has no pattern", 6},
        {"steps:\n  - pattern: m\n", "`any` is missing", 5},
        {"steps:\n  - pattern: m\n    any: ['{a', b]\n", "} is missing", 6},
        {"steps:\n  - pattern: m\n    any:\n      - 'a {x}'\n      - 'a {y}'\n",
         "takes the same texts, at the end", 8},
        {"steps:\n  - switch: a\n", "belong together", 5},
        {"steps:\n  - {switch: a, cases: {b: {}, B: {}}}\n", "there already", 5},
        {"steps:\n  - {kv: m, csv: m, columns: [a]}\n", "in one way", 5},
        {"steps:\n  - {csv: m}\n", "`columns` is missing", 5},
        {"steps:\n  - {entries: m}\n", "`values` is missing", 5},
        {"steps:\n  - {kv: m, entries: m, values: n}\n", "in one way", 5},
        {"steps:\n  - {kv: m, separator: ab}\n", "one byte", 5},
        {"steps:\n  - when: {a: {is: b}}\n", "a condition is a value", 5},
        {"steps:\n  - when: {a: '*'}\n", "{exists: true} means any", 5},
        {"tables: {t: {a: b, A: c}}\n", "this key already", 4},
        {"samples:\n  - record: x\n", "what to expect", 5},
        {"samples: [{record: '', expect: {}}]\n", "a record is empty", 4},
        {"again: maybe\n", "true or false", 4},
        {"steps:\n- steps:\n  - steps:\n    - steps:\n      - steps:\n        - steps:\n"
         "          - steps:\n            - steps:\n              - steps:\n                - "
         "steps: "
         "[]\n",
         "more than 8 deep", 0},
    };
    struct bench b;
    bench_init(&b);
    uint32_t before = products_count(b.products);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "%s%s", head, cases[i].text);
        CHECK(add(&b, "bad.yml", text) < 0);
        if (!strstr(b.diag.message, cases[i].why) ||
            (cases[i].line && b.diag.line != cases[i].line))
            test_fail(__FILE__, __LINE__, "%s: line %u: %s", cases[i].text, b.diag.line,
                      b.diag.message);
    }
    CHECK(add(&b, "bad.yml", "evidence: x\nrecognise: {a: b}\n") < 0);
    CHECK(strstr(b.diag.message, "`title` is missing") != NULL);
    CHECK(add(&b, "bad.yml", "title: T\nevidence: x\n") < 0);
    CHECK(strstr(b.diag.message, "`recognise` is missing") != NULL);
    CHECK(add(&b, "bad.yml", "title: T\nevidence: x\nrecognise: {}\n") < 0);
    CHECK(strstr(b.diag.message, "a map of conditions") != NULL);
    CHECK_INT(b.diag.line, 3);
    CHECK(add(&b, "bad.yml", "") < 0);
    CHECK_INT(products_count(b.products), before);
    bench_done(&b);
}

/* What comes with the program is whole. */
/* "line refused|warning message" of each remark, a line each. */
static const char *remarks(struct bench *b)
{
    buf_clear(&b->out);
    for (const struct product_remark *r = products_remarks(b->products); r; r = r->next)
        buf_printf(&b->out, "%u %s %s\n", r->diag.line, r->refused ? "refused" : "warning",
                   r->diag.message);
    buf_putc(&b->out, '\0');
    return b->out.ptr;
}

TEST(a_file_that_is_refused_is_remarked)
{
    struct bench b;
    bench_init(&b);
    CHECK_STR(remarks(&b), "");
    CHECK(add(&b, "bad.yml", "title: T\nevidence: [\n") < 0);
    CHECK(add(&b, "good.yml", "title: T\nevidence: x\nrecognise: {a: b}\n") == 0);
    CHECK(strstr(remarks(&b), "3 refused not valid YAML") == b.out.ptr);
    CHECK_STR(products_remarks(b.products)->diag.file, "bad.yml");
    CHECK_INT(products_refused(b.products), 1);
    /* More than are kept are counted. */
    for (int i = 0; i < PRODUCT_REMARKS_MAX + 8; i++) CHECK(add(&b, "bad.yml", "") < 0);
    CHECK_INT(products_refused(b.products), PRODUCT_REMARKS_MAX + 9);
    bench_done(&b);
}

TEST(what_looks_like_a_mistake_is_remarked)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "odd.yml",
                "title: T\nevidence: x\nrecognise: {a: b}\nsteps:\n"
                "  - set: {event.category: [network, webb], event.outcome: ok, event.kind: event}\n"
                "    map: {source.pi: x, mine.field: y, source.ip: z, _source.pi: z, sourcepi: z}\n"
                "  - pattern: m\n    any:\n      - '{user.nmae}'\n") == 0);
    CHECK_STR(remarks(&b),
              "6 warning no product that comes with Vaka fills `source.pi`; did you mean "
              "`source.ip`?\n"
              "5 warning event.category has no value `webb`; did you mean `web`?\n"
              "5 warning event.outcome has no value `ok`\n"
              "9 warning no product that comes with Vaka fills `user.nmae`; did you mean "
              "`user.name`?\n");
    bench_done(&b);
}

TEST(two_files_that_claim_the_same_records_are_remarked)
{
    static const struct {
        const char *recognise, *said; /* of the file beside {x: [a, b*], y: c} in line 3 */
    } cases[] = {
        {"{x: a, y: c}", "3 warning one.yml:3 recognises such records as well; this file counts, "
                         "for it is read later\n"},
        {"{x: a}", "3 warning one.yml:3 recognises such records as well; that one counts where it "
                   "fits, for it asks for more\n"},
        {"\n  - {y: d}\n  - {x: [q, bc], y: c, z: e}",
         "5 warning one.yml:3 recognises such records as well; this file counts, for it asks for "
         "more\n"},
        /* Not to be seen: other values, other fields, that one is there, or is not. */
        {"{x: ac}", ""},
        {"{x: a, y: d}", ""},
        {"{z: a}", ""},
        {"{x: {exists: true}}", ""},
        {"{x: {not: z}}", ""},
        {"{x: {not: z}, y: C*}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        char text[256];
        bench_init(&b);
        REQUIRE(add(&b, "one.yml", "title: T\nevidence: x\nrecognise: {x: [a, b*], y: c}\n") == 0);
        (void)snprintf(text, sizeof text, "title: T\nevidence: x\nrecognise: %s\n",
                       cases[i].recognise);
        REQUIRE(add(&b, "two.yml", text) == 0);
        CHECK_STR(remarks(&b), cases[i].said);
        bench_done(&b);
    }
}

TEST(every_built_in_product_says_who_it_is)
{
    struct bench b;
    bench_init(&b);
    CHECK(products_count(b.products) > 0);
    for (uint32_t i = 0; i < products_count(b.products); i++) {
        const struct product *p = products_at(b.products, i);
        CHECK(p->title.len > 0 && p->evidence.len > 0 && p->name.len > 0);
        if (p->n_samples == 0) test_fail(__FILE__, __LINE__, "%s has no samples", p->file);
    }
    bench_done(&b);
}

/* Paths with one plain name are one field with several values. */
TEST(all_values_of_a_field_are_asked)
{
    struct bench b;
    bench_init(&b);
    CHECK_INT(add(&b, "p.yml",
                  "title: t\nevidence: unverified\nrecognise: {a: 1}\nsteps:\n"
                  "  - map: {found: \"Data | having 'Host=' | after 'Host='\"}\n"),
              0);
    static const char *const pairs[] = {"a",
                                        "1",
                                        "winlog.event_data.Data",
                                        "Started",
                                        "x",
                                        "Host=no",
                                        "Event.EventData.Data",
                                        "",
                                        "Event.EventData.Data",
                                        "Host=yes",
                                        NULL};
    CHECK(strstr(read(&b, pairs), "\"found\":\"yes\""));
    static const char *const none[] = {"a", "1", "x", "Host=no", NULL};
    CHECK(!strstr(read(&b, none), "found"));
    bench_done(&b);
}

TEST(any_value_meets_a_condition)
{
    struct bench b;
    bench_init(&b);
    CHECK_INT(add(&b, "p.yml",
                  "title: t\nevidence: unverified\nrecognise: {a: 1}\nsteps:\n"
                  "  - when: {role: admin*}\n    set: {first: yes}\n"
                  "  - when: {role: {not: [guest, root]}}\n    set: {second: yes}\n"
                  "  - set: {made: [x, y]}\n"
                  "  - when: {made: Y}\n    set: {third: yes}\n"
                  "  - map: {roles: role | all | upper}\n"),
              0);
    static const char *const pairs[] = {"a",    "1",         "role", "user", "x", "admin",
                                        "role", "ADMINNESS", "role", "user", NULL};
    const char *got = read(&b, pairs);
    CHECK(strstr(got, "\"first\":\"yes\"") && strstr(got, "\"second\":\"yes\""));
    CHECK(strstr(got, "\"third\":\"yes\"") && strstr(got, "\"roles\":[\"USER\",\"ADMINNESS\"]"));
    static const char *const others[] = {"a",     "1",    "role", "user", "x",
                                         "admin", "role", "Root", NULL};
    got = read(&b, others);
    CHECK(!strstr(got, "first") && !strstr(got, "second"));
    bench_done(&b);
}

TEST(all_of_a_value_meets_a_condition)
{
    struct bench b;
    bench_init(&b);
    CHECK_INT(add(&b, "p.yml",
                  "title: t\nevidence: unverified\nrecognise: {a: 1}\nsteps:\n"
                  "  - when: {text: '*needle*'}\n    set: {within: yes}\n"
                  "  - when: {text: '*end'}\n    set: {ends: yes}\n"
                  "  - when: {text: 'begin*'}\n    set: {begins: yes}\n"
                  "  - switch: text\n    cases: {Begin end: {set: {case: yes}}}\n"),
              0);
    char text[600];
    memset(text, '.', sizeof text);
    memcpy(text, "BEGIN", 5);
    memcpy(text + 400, "Needle", 6);
    memcpy(text + sizeof text - 4, "End", 4);
    const char *got = read(&b, PAIRS("a", "1", "text", text));
    CHECK(strstr(got, "\"within\":\"yes\"") && strstr(got, "\"ends\":\"yes\""));
    CHECK(strstr(got, "\"begins\":\"yes\"") && !strstr(got, "case"));
    got = read(&b, PAIRS("a", "1", "text", " bEGIN eND "));
    CHECK(strstr(got, "\"case\":\"yes\"") && !strstr(got, "within") && !strstr(got, "ends"));
    got = read(&b, PAIRS("a", "1", "text", "nd"));
    CHECK(!strstr(got, "yes"));
    bench_done(&b);
}

/* A name that stands for another does so where the other is not there, wherever it stands. */
TEST(stand_ins_are_what_they_stand_for)
{
    struct bench b;
    bench_init(&b);
    CHECK_INT(add(&b, "p.yml",
                  "title: t\nevidence: unverified\nrecognise: {a: 1}\nsteps:\n"
                  "  - {map: {provider: Provider_Name, id: EventID, own: SourceName}}\n"),
              0);
    static const char *const alone[] = {"a", "1", "EventId", "7", "SourceName", "Sysmon", NULL};
    CHECK(strstr(read(&b, alone), "\"provider\":\"Sysmon\",\"id\":\"7\",\"own\":\"Sysmon\""));
    static const char *const both[] = {"a", "1", "SourceName", "x", "winlog.provider_name",
                                       "P", NULL};
    CHECK(strstr(read(&b, both), "\"provider\":\"P\",\"own\":\"x\""));
    static const char *const none[] = {"a", "1", "Sourcename", "x", NULL};
    CHECK(!strstr(read(&b, none), "provider"));
    bench_done(&b);
}
