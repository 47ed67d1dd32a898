/* SPDX-License-Identifier: EUPL-1.2 */
/* Lists of indicators: which values of events are one, alone and in the engine. */
#include "detect/sigma/listed.h"

#include <stdlib.h>

#include "detect/engine.h"
#include "detect/sigma/match.h"
#include "detect/sigma/tree.h"
#include "test.h"

static struct listed *list_of(enum listed_kind kind, const char *const *values)
{
    struct listed *l = listed_new(kind);
    REQUIRE(l != NULL);
    for (bool known; *values; values++) {
        REQUIRE(listed_add(l, &(struct listed_value){.value = slice_of(*values)}, &known) == 0);
        REQUIRE(!known);
    }
    return l;
}
#define LIST(kind, ...) list_of(kind, (const char *const[]){__VA_ARGS__, NULL})

/* What is found for a text, or "". */
static struct slice found(const struct listed *l, const char *text)
{
    const struct listed_value *v = listed_find(l, slice_of(text));
    return v ? v->value : SLICE("");
}

TEST(addresses_are_compared_as_addresses)
{
    struct listed *l = LIST(LISTED_ADDRESS, "198.51.100.7", "2001:db8::1");
    CHECK_SLICE(found(l, "198.51.100.7"), "198.51.100.7");
    CHECK_SLICE(found(l, "::ffff:198.51.100.7"), "198.51.100.7");
    CHECK_SLICE(found(l, "198.51.100.7:443"), "198.51.100.7");
    CHECK_SLICE(found(l, "http://198.51.100.7/a/b?c"), "198.51.100.7");
    CHECK_SLICE(found(l, "http://u:p@198.51.100.7:8080"), "198.51.100.7");
    CHECK_SLICE(found(l, "2001:db8:0:0:0:0:0:1"), "2001:db8::1");
    CHECK_SLICE(found(l, "http://[2001:db8::1]:80/"), "2001:db8::1");
    CHECK_SLICE(found(l, "198.51.100.8"), "");
    CHECK_SLICE(found(l, "198.51.100.70"), "");
    CHECK_SLICE(found(l, "x198.51.100.7"), "");
    CHECK_SLICE(found(l, ""), "");
    listed_free(l);
}

TEST(the_narrowest_network_that_has_an_address_is_told)
{
    struct listed *l =
        LIST(LISTED_ADDRESS, "198.51.0.0/16", "198.51.100.0/23", "198.51.100.7", "2001:db8::/33");
    CHECK_SLICE(found(l, "198.51.100.7"), "198.51.100.7");
    CHECK_SLICE(found(l, "198.51.101.255"), "198.51.100.0/23");
    CHECK_SLICE(found(l, "198.51.102.0"), "198.51.0.0/16");
    CHECK_SLICE(found(l, "198.50.255.255"), "");
    CHECK_SLICE(found(l, "2001:db8:7fff::1"), "2001:db8::/33");
    CHECK_SLICE(found(l, "2001:db8:8000::1"), "");
    listed_free(l);
}

TEST(a_name_stands_for_all_below_it)
{
    struct listed *l = LIST(LISTED_DOMAIN, "evil.example", "a.evil.example");
    CHECK_SLICE(found(l, "evil.example"), "evil.example");
    CHECK_SLICE(found(l, "www.evil.example."), "evil.example");
    CHECK_SLICE(found(l, "b.a.evil.example"), "a.evil.example");
    CHECK_SLICE(found(l, "https://evil.example:8443/login"), "evil.example");
    CHECK_SLICE(found(l, "notevil.example"), "");
    CHECK_SLICE(found(l, "evil.example.org"), "");
    CHECK_SLICE(found(l, "example"), "");
    listed_free(l);
}

TEST(of_a_url_neither_scheme_nor_last_slash_count)
{
    struct listed *l = LIST(LISTED_URL, "http://evil.example/a", "https://b.example/");
    CHECK_SLICE(found(l, "https://evil.example/a/"), "http://evil.example/a");
    CHECK_SLICE(found(l, "evil.example/a"), "http://evil.example/a");
    CHECK_SLICE(found(l, "http://b.example"), "https://b.example/");
    CHECK_SLICE(found(l, "http://evil.example/a/b"), "");
    CHECK_SLICE(found(l, "http://evil.example/"), "");
    listed_free(l);
}

TEST(a_hash_is_found_among_others)
{
    static const char md5[] = "0123456789abcdef0123456789abcdef";
    struct listed *l = LIST(LISTED_HASH, md5);
    CHECK_SLICE(found(l, md5), md5);
    CHECK_SLICE(found(l, "sha1=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,"
                         "md5=0123456789abcdef0123456789abcdef,imphash=00"),
                md5);
    CHECK_SLICE(found(l, "0123456789abcdef0123456789abcdef0"), "");
    CHECK_SLICE(found(l, "0123456789abcdef0123456789abcde"), "");
    listed_free(l);
}

TEST(an_address_of_mail_is_found_among_others)
{
    struct listed *l = LIST(LISTED_EMAIL, "eve@evil.example");
    CHECK_SLICE(found(l, "eve@evil.example"), "eve@evil.example");
    CHECK_SLICE(found(l, "\"eve\" <eve@evil.example>, bo@b.example"), "eve@evil.example");
    CHECK_SLICE(found(l, "bo@b.example; smtp:eve@evil.example"), "eve@evil.example");
    CHECK_SLICE(found(l, "steve@evil.example"), "");
    listed_free(l);
}

TEST(a_value_is_kept_once)
{
    bool known;
    struct listed *l = LIST(LISTED_ADDRESS, "198.51.100.7");
    REQUIRE(listed_add(l, &(struct listed_value){.value = SLICE("198.51.100.7/32")}, &known) == 0);
    CHECK(known);
    CHECK(listed_add(l, &(struct listed_value){.value = SLICE("no address")}, &known) ==
          ERR_INVALID);
    CHECK_INT(listed_count(l), 1);
    listed_free(l);
}

/* Against a look at each of them. */
TEST(in_a_long_list_each_is_found_and_no_other)
{
    enum { N = 20000 };
    static char texts[2 * N][32];
    struct listed *l = listed_new(LISTED_DOMAIN);
    REQUIRE(l != NULL);
    for (uint32_t i = 0; i < 2 * N; i++) {
        bool known;
        (void)snprintf(texts[i], sizeof texts[i], "h%u.example", i * 7919u);
        if (i % 2) continue;
        REQUIRE(listed_add(l, &(struct listed_value){.value = slice_of(texts[i])}, &known) == 0);
    }
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < 2 * N; i++) {
        const struct listed_value *v = listed_find(l, slice_of(texts[i]));
        wrong += i % 2 ? v != NULL : v == NULL || !slice_eq(v->value, slice_of(texts[i]));
    }
    CHECK_INT(wrong, 0);
    listed_free(l);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* 16 addresses and their IPv6 spelling, or networks among them, so that many hold many. */
static void random_network(uint64_t *seed, bool v6, char text[static 64])
{
    unsigned bits = 28 + next_random(seed) % 5;
    unsigned last = next_random(seed) % 16 & (0xffu << (32 - bits));
    if (v6) (void)snprintf(text, 64, "2001:db8::%x/%u", last, 96 + bits);
    else (void)snprintf(text, 64, "198.51.100.%u/%u", last, bits);
}

/* The narrowest by the plain definition. */
static struct slice narrowest(char texts[][64], uint32_t n, struct slice address)
{
    struct slice best = SLICE("");
    int bits = -1;
    for (uint32_t i = 0; i < n; i++) {
        struct sigma_atom atom = {.op = ATOM_CIDR};
        REQUIRE(cidr_read(slice_of(texts[i]), &atom) == NULL);
        if (!cidr_contains(&atom, address) || atom.cidr.bits <= bits) continue;
        bits = atom.cidr.bits;
        best = slice_of(texts[i]);
    }
    return best;
}

TEST(networks_hold_what_a_look_at_each_says)
{
    enum { LISTS = 300, NETWORKS = 8 };
    uint64_t seed = 7;
    uint32_t wrong = 0, hits = 0;
    for (unsigned round = 0; round < LISTS; round++) {
        char texts[NETWORKS][64], address[64];
        uint32_t n = 0;
        struct listed *l = listed_new(LISTED_ADDRESS);
        REQUIRE(l != NULL);
        for (unsigned i = 0; i < NETWORKS; i++) {
            bool known;
            random_network(&seed, next_random(&seed) % 3 == 0, texts[n]);
            const struct listed_value v = {.value = slice_of(texts[n])};
            REQUIRE(listed_add(l, &v, &known) == 0);
            n += !known;
        }
        for (unsigned i = 0; i < 32; i++) {
            if (i < 16) (void)snprintf(address, sizeof address, "198.51.100.%u", i);
            else (void)snprintf(address, sizeof address, "2001:db8::%x", i - 16);
            const struct listed_value *v = listed_find(l, slice_of(address));
            wrong += !slice_eq(v ? v->value : SLICE(""), narrowest(texts, n, slice_of(address)));
            hits += v != NULL;
        }
        listed_free(l);
    }
    CHECK_INT(wrong, 0);
    CHECK(hits > LISTS && hits < 31 * LISTS);
}

/* ---- in the engine ----------------------------------------------------------------------- */

struct matching {
    struct sigma_set *set;
    struct taxonomy *taxonomy;
    struct engine *engine;
    struct arena arena;
    struct event event;
    struct buf out;
};

/* `source.ip` or `other` is in the list. */
static void add_rule(struct sigma_set *set, const struct listed *l)
{
    static const struct sigma_doc doc = {.title = {"T", 1}, .id = {"an-id", 5}, .file = "lists"};
    static const struct slice fields[] = {{"source.ip", 9}, {"other", 5}};
    struct expr_list any = {0};
    for (unsigned i = 0; i < 2; i++) {
        struct sigma_expr *e = expr_new(&set->arena, EXPR_ATOM);
        struct sigma_atom *atom = arena_zalloc(&set->arena, 1, sizeof *atom);
        REQUIRE(e && atom);
        *atom = (struct sigma_atom){
            .op = ATOM_LISTED, .field = fields[i], .listed = l, .pattern = SLICE("L")};
        e->atom = atom;
        REQUIRE(expr_list_add(&set->arena, &any, e));
    }
    const struct sigma_expr *expr = expr_join(&set->arena, EXPR_OR, &any);
    REQUIRE(sigma_set_add_made(set, &doc, expr) == 0);
    CHECK(sigma_set_add_made(set, &doc, expr) == ERR_INVALID); /* the id is taken */
}

static void matching_init(struct matching *m, const struct listed *l)
{
    static const char filter[] = "title: F\nlogsource: {}\nfilter:\n    rules: [an-id]\n"
                                 "    s: {ok: 'yes'}\n    condition: s\n";
    m->set = sigma_set_new();
    m->taxonomy = taxonomy_new();
    REQUIRE(m->set && m->taxonomy);
    add_rule(m->set, l);
    REQUIRE(sigma_set_add_text(m->set, "f.yml", slice_of(filter), NULL) == 0);
    REQUIRE(sigma_set_finish(m->set) == 0);
    CHECK_INT(m->set->n_filters, 1);
    CHECK_INT(m->set->n_refusals, 1); /* of the second with that id */
    m->engine = engine_new(m->set, m->taxonomy, &(struct engine_options){0});
    REQUIRE(m->engine != NULL);
    arena_init(&m->arena, 1024 * 1024);
    event_init(&m->event, engine_keys(m->engine), &m->arena);
    buf_init(&m->out, 65536);
}

static void matching_done(struct matching *m)
{
    buf_done(&m->out);
    event_done(&m->event);
    arena_done(&m->arena);
    engine_free(m->engine);
    taxonomy_free(m->taxonomy);
    sigma_set_free(m->set);
}

/* What is told of the event when the rule holds, or "". */
static struct slice match(struct matching *m, const char *path, const char *value, const char *ok)
{
    struct engine_result result;
    event_reset(&m->event);
    event_add_named(&m->event, slice_of(path), VALUE_STRING, slice_of(value));
    event_add_named(&m->event, SLICE("ok"), VALUE_STRING, slice_of(ok));
    REQUIRE(engine_match(m->engine, &m->event, &result) == 0);
    buf_clear(&m->out);
    for (uint32_t i = 0; i < result.n_hits; i++)
        engine_write_matched(m->engine, &m->event, &result.hits[i], &m->out);
    return m->out.len ? buf_slice(&m->out) : SLICE("");
}

TEST(a_rule_of_a_list_tells_the_indicator_and_has_exceptions)
{
    bool known;
    struct matching m;
    struct listed *l = listed_new(LISTED_ADDRESS);
    REQUIRE(l != NULL);
    const struct listed_value v = {SLICE("198.51.100.0/24"), SLICE("a \"d\""), SLICE("CERT"), 0};
    REQUIRE(listed_add(l, &v, &known) == 0);
    matching_init(&m, l);
    for (unsigned round = 0; round < 2; round++) { /* the second is from memory */
        CHECK_SLICE(match(&m, "source.ip", "198.51.100.9", "no"),
                    "[{\"field\":\"source.ip\",\"value\":\"198.51.100.9\",\"pattern\":\"L\","
                    "\"indicator\":{\"value\":\"198.51.100.0/24\",\"description\":"
                    "\"a \\\"d\\\"\",\"source\":\"CERT\"}}]");
        CHECK(match(&m, "other", "::FFFF:198.51.100.255", "no").len > 0);
        CHECK_SLICE(match(&m, "source.ip", "198.51.100.9", "yes"), "");
        CHECK_SLICE(match(&m, "source.ip", "198.51.101.9", "no"), "");
        CHECK_SLICE(match(&m, "another", "198.51.100.9", "no"), "");
    }
    matching_done(&m);
    listed_free(l);
}
