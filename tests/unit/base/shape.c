/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/shape.h"

#include "base/hash.h"
#include "test.h"

#define CHECK_STR(got, want) CHECK_SLICE(slice_of(got), want)

enum { NAMES_MAX = 64 };

struct bench {
    struct arena arena;
    struct shape_set *set;
    char names[NAMES_MAX][64];
    int n_names;
    const char *why;
    size_t at;
    uint32_t n;
};

static void bench_init(struct bench *b)
{
    *b = (struct bench){.n_names = 0};
    arena_init(&b->arena, 64 * 1024 * 1024);
    b->set = shape_set_new(&b->arena);
}

static int number_of(void *ctx, struct slice name)
{
    struct bench *b = ctx;
    if (name.len >= sizeof b->names[0]) return ERR_INVALID;
    for (int i = 0; i < b->n_names; i++)
        if (slice_eq(slice_of(b->names[i]), name)) return i;
    if (b->n_names == NAMES_MAX) return ERR_LIMIT;
    memcpy(b->names[b->n_names], name.ptr, name.len);
    return b->n_names++;
}

static int add(struct bench *b, const char *text)
{
    return shape_add(b->set, slice_of(text), b->n++, number_of, b, &b->why, &b->at);
}

/* "2 user=admin ip=192.0.2.1", or "" when nothing fits. */
static const char *find(struct bench *b, const char *text, char out[1024])
{
    struct shape_match m;
    out[0] = '\0';
    if (!shape_find(b->set, slice_of(text), &m)) return out;
    int len = snprintf(out, 1024, "%u", m.number);
    for (uint32_t i = 0; i < m.n_places; i++)
        if (m.names[i] >= 0)
            len += snprintf(out + len, 1024 - (size_t)len, " %s=%.*s", b->names[m.names[i]],
                            SLICE_FMT(m.texts[i]));
    return out;
}

#define FINDS(b, text, want)                                                                       \
    do {                                                                                           \
        char out_[1024];                                                                           \
        CHECK_STR(find(&(b), text, out_), want);                                                   \
    } while (0)

TEST(one_pattern_finds_its_places)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "Failed {how:word} for {?invalid user }{user} from {ip:ip} port {port:int}") ==
            0);
    FINDS(b, "Failed password for root from 192.0.2.1 port 22",
          "0 how=password user=root ip=192.0.2.1 port=22");
    FINDS(b, "Failed none for invalid user a b from ::1 port 22",
          "0 how=none user=a b ip=::1 port=22");
    FINDS(b, "  Failed  password\tfor root from 192.0.2.1 port 22\r\n",
          "0 how=password user=root ip=192.0.2.1 port=22");
    /* The text of a place goes on where what follows is not what has to. */
    FINDS(b, "Failed password for x from y from 192.0.2.1 port 22",
          "0 how=password user=x from y ip=192.0.2.1 port=22");
    FINDS(b, "Failed password for root from 192.0.2.1 port 22 ssh2", "");
    FINDS(b, "Failed password for root from somewhere port 22", "");
    FINDS(b, "failed password for root from 192.0.2.1 port 22", "");
    FINDS(b, "Failed password for  from 192.0.2.1 port 22", "");
    FINDS(b, "", "");
    arena_done(&b.arena);
}

/* What a pattern needs is looked for first, where it begins with any text and stands alone. */
TEST(one_pattern_that_begins_with_any_text)
{
    static const struct {
        const char *pattern, *text, *want;
    } cases[] = {
        {"{a:any}long text {b:int}{? longest part}", "x long \t text 7", "0 a=x  b=7"},
        {"{a:any}long text {b:int}{? longest part}", "long text 7 longest part", "0 a= b=7"},
        {"{a:any}long text {b:int}{? longest part}", "lon text 7", ""},
        {"{a:any}long text {b:int}{? longest part}", "long texts 7", ""},
        {"{a}{b:int}", "x7", "0 a=x b=7"},
        {"{a} {b}", "x\ty", "0 a=x b=y"},
        {"{a}{?z}", "xyz", "0 a=xy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_init(&b);
        REQUIRE(add(&b, cases[i].pattern) == 0);
        FINDS(b, cases[i].text, cases[i].want);
        arena_done(&b.arena);
    }
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "{a} first {b:int}") == 0 && add(&b, "{a} second {b:int}") == 0);
    FINDS(b, "x first 1", "0 a=x b=1");
    FINDS(b, "x second 2", "1 a=x b=2");
    arena_done(&b.arena);
}

TEST(types_take_what_they_allow)
{
    static const struct {
        const char *pattern, *text, *want;
    } cases[] = {
        {"a {x:int} b", "a -12 b", "0 x=-12"},
        {"a {x:int} b", "a 1x b", ""},
        {"a {x:hex}", "a 0xBEef", "0 x=0xBEef"},
        {"a {x:hex}", "a xyz", ""},
        {"{x:mac},", "00:1b:21:AA:bb:cc,", "0 x=00:1b:21:AA:bb:cc"},
        {"{x:mac},", "00-1b-21-aa-bb-cc,", "0 x=00-1b-21-aa-bb-cc"},
        {"{x:mac},", "00-1b-21-aa-bb,", ""},
        {"{x:host}: y", "web1.example.se: y", "0 x=web1.example.se"},
        {"{x:host}/{p:int}", "srv-1/80", "0 x=srv-1 p=80"},
        {"[{x:word}] y", "[a:b/c] y", "0 x=a:b/c"},
        {"{x:ip}/{p:int}", "192.0.2.1/80", "0 x=192.0.2.1 p=80"},
        {"{x:ip}:{p:int}", "192.0.2.1:80", "0 x=192.0.2.1 p=80"},
        {"a{x:any}", "a", "0 x="},
        {"a{x:any}", "a bc", "0 x= bc"},
        {"a{x}", "a", ""},
        {"a {:any}b {x}", "a b c", "0 x=c"},
        {"a {:any}b {x}", "a 123 b c", "0 x=c"},
        {"a {} b {x}", "a 1 2 b c", "0 x=c"},
        {"{{{x}}}", "{y}", "0 x=y"},
        {"{x}{y:ip}", "at 192.0.2.1", "0 x=at  y=192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_init(&b);
        if (add(&b, cases[i].pattern) != 0)
            test_fail(__FILE__, __LINE__, "%s: %s", cases[i].pattern, b.why);
        else FINDS(b, cases[i].text, cases[i].want);
        arena_done(&b.arena);
    }
}

TEST(the_most_telling_of_several_is_found_whatever_their_order)
{
    static const char *const patterns[] = {"user {x}",    "user {x:int}",  "user root",
                                           "user {x:ip}", "user {x} left", "{x:any}"};
    enum { N = sizeof patterns / sizeof *patterns };
    for (unsigned turn = 0; turn < N; turn++) {
        struct bench b;
        bench_init(&b);
        for (unsigned i = 0; i < N; i++) {
            b.n = (i + turn) % N;
            REQUIRE(add(&b, patterns[(i + turn) % N]) == 0);
        }
        FINDS(b, "user root", "2");
        FINDS(b, "user 42", "1 x=42");
        FINDS(b, "user 192.0.2.1", "3 x=192.0.2.1");
        FINDS(b, "user anna left", "4 x=anna");
        FINDS(b, "user anna", "0 x=anna");
        FINDS(b, "users", "5 x=users");
        arena_done(&b.arena);
    }
}

TEST(mistakes_are_refused_with_their_place)
{
    static const struct {
        const char *pattern, *why;
    } cases[] = {
        {"a {x", "} is missing"},
        {"a {x:number}", "not a type"},
        {"a } b", "} without {"},
        {"a {?b {?c}}", "inside of another"},
        {"a {?b", "no end"},
        {"", "empty"},
        {"{x}{y}", "no text between"},
        {"{x}{?,}{y}", "no text between"},
        {"{?1}{?2}{?3}{?4}{?5}{?6}{?7}", "too many optional"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench b;
        bench_init(&b);
        CHECK(add(&b, cases[i].pattern) < 0);
        if (!strstr(b.why, cases[i].why))
            test_fail(__FILE__, __LINE__, "%s: %s", cases[i].pattern, b.why);
        arena_done(&b.arena);
    }
    struct bench b;
    bench_init(&b);
    CHECK_INT(add(&b, "a {x} b"), 0);
    CHECK_INT(add(&b, "a {y} b"), ERR_INVALID);
    CHECK_INT(add(&b, "a {x:word} b"), 0);
    char many[8 * (SHAPE_PLACES_MAX + 2)] = "";
    for (int i = 0; i <= SHAPE_PLACES_MAX; i++) memcpy(many + 8 * (size_t)i, ",{x:int}", 9);
    CHECK_INT(add(&b, many), ERR_LIMIT);
    arena_done(&b.arena);
}

TEST(blanks_are_one_however_many_and_whichever)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "{user} from {ip:ip}{? port {port:int}}") == 0);
    FINDS(b, "anna\tfrom 192.0.2.1", "0 user=anna ip=192.0.2.1");
    FINDS(b, "anna  \t from\t\t192.0.2.1\tport  22", "0 user=anna ip=192.0.2.1 port=22");
    FINDS(b, "from from from 192.0.2.1", "0 user=from from ip=192.0.2.1");
    FINDS(b, "f \tfrob from 192.0.2.1", "0 user=f \tfrob ip=192.0.2.1");
    FINDS(b, " from 192.0.2.1", "");
    FINDS(b, "anna from", "");
    FINDS(b, "annafrom 192.0.2.1", "");
    arena_done(&b.arena);
}

TEST(one_of_many_beginnings_is_found)
{
    struct bench b;
    bench_init(&b);
    for (char c = 'a'; c <= 'z'; c++) {
        char text[] = {'m', c, c, c, ' ', 'x', ' ', '{', 'v', ':', 'i', 'n', 't', '}', '\0'};
        REQUIRE(add(&b, text) == 0);
    }
    REQUIRE(add(&b, "maa {w:word}") == 0);
    FINDS(b, "maaa x 1", "0 v=1");
    FINDS(b, "mzzz x 26", "25 v=26");
    FINDS(b, "maa x", "26 w=x");
    FINDS(b, "mqqq\tx\t17", "16 v=17");
    FINDS(b, "mqqr x 17", "");
    FINDS(b, "m", "");
    arena_done(&b.arena);
}

/* Looking has an end, however often a text could be cut in another way. */
TEST(hostile_texts_end)
{
    struct bench b;
    bench_init(&b);
    REQUIRE(add(&b, "{a} {b} {c} {d} {e} {f} {g} {h} {i} end") == 0);
    static char text[60000];
    for (size_t i = 0; i + 1 < sizeof text; i++) text[i] = i % 2 ? ' ' : 'x';
    struct shape_match m;
    CHECK(!shape_find(b.set, slice_of(text), &m));
    arena_done(&b.arena);
}

static const char *const words[] = {
    "a",        "b",    "a b",     " ",  "{x}",     "{y:int}", "{z:ip}",     "{w:word}",
    "{h:host}", "{?a}", "{?{v}b}", "12", "1.2.3.4", ",",       "{}",         "{o:any}",
    "::1",      "c:",   "\t",      " a", "c",       "d e",     "long text: "};
enum { N_WORDS = sizeof words / sizeof *words, N_ALONE = 8 };

static void random_text(uint64_t *state, bool pattern, char *ret, size_t size)
{
    size_t n = 1 + hash_mix(++*state, 1) % 6, len = 0;
    ret[0] = '\0';
    while (n-- > 0) {
        const char *word = words[hash_mix(++*state, 2) % N_WORDS];
        if (!pattern && strchr(word, '{')) word = "a";
        len += (size_t)snprintf(ret + len, size - len, "%s", word);
    }
}

/*
 * A set finds something exactly when one of its patterns alone does, and what it finds is what
 * that pattern alone finds.
 */
TEST(a_set_finds_what_its_patterns_find)
{
    uint64_t state = 20261126;
    unsigned found = 0;
    for (int round = 0; round < 4000; round++) {
        static struct bench all, alone[N_ALONE];
        bench_init(&all);
        bool whole = true;
        for (uint32_t i = 0; i < N_ALONE; i++) {
            char pattern[256];
            bench_init(&alone[i]);
            alone[i].n = all.n = i;
            random_text(&state, true, pattern, sizeof pattern);
            bool fits = add(&alone[i], pattern) == 0;
            if (!fits) alone[i].set = shape_set_new(&alone[i].arena);
            if (fits) whole &= add(&all, pattern) == 0; /* not when it is there already */
        }
        for (int k = 0; k < 20 && whole; k++) {
            char text[256], one[1024], two[1024];
            random_text(&state, false, text, sizeof text);
            struct shape_match m;
            bool any = false;
            for (int i = 0; i < N_ALONE; i++) any |= shape_find(alone[i].set, slice_of(text), &m);
            bool has = shape_find(all.set, slice_of(text), &m);
            CHECK_INT(has, any);
            if (!has) continue;
            found++;
            CHECK_STR(find(&all, text, one), find(&alone[m.number], text, two));
        }
        for (int i = 0; i < N_ALONE; i++) arena_done(&alone[i].arena);
        arena_done(&all.arena);
    }
    CHECK(found > 1000);
}
