/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/regex.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "test.h"

static int match(const char *source, unsigned flags, struct slice text)
{
    struct regex *re;
    struct diag diag = {0};
    if (regex_compile(slice_of(source), flags, &diag, &re) < 0) return -100;
    int r = regex_match(re, text);
    regex_free(re);
    return r;
}

TEST(regex_matches)
{
    CHECK_INT(match("b+", 0, SLICE("abbc")), 1);
    CHECK_INT(match("B", 0, SLICE("abbc")), 0);
    CHECK_INT(match("B", REGEX_I, SLICE("abbc")), 1);
    CHECK_INT(match("(?i)B", 0, SLICE("abbc")), 1);
    CHECK_INT(match("Å", REGEX_I, SLICE("å")), 1);
    CHECK_INT(match("^b", 0, SLICE("a\nb")), 0);
    CHECK_INT(match("^b", REGEX_M, SLICE("a\nb")), 1);
    CHECK_INT(match("a.b", 0, SLICE("a\nb")), 0);
    CHECK_INT(match("a.b", REGEX_S, SLICE("a\nb")), 1);
    CHECK_INT(match("a.b", 0, SLICE("a\rb")), 1);
    CHECK_INT(match("a.b", 0, SLICE("aåb")), 1);
    CHECK_INT(match("^\\w$", 0, SLICE("å")), 0); /* no UCP */
    CHECK_INT(match("", 0, SLICE("")), 1);
    CHECK_INT(match("", 0, SLICE_NONE), 1);
    CHECK_INT(match("a", 0, SLICE_NONE), 0);
    CHECK_INT(match("b", 0, SLICE("a\0b")), 1);
}

TEST(regex_searches_beside_damaged_bytes)
{
    CHECK_INT(match("cmd", 0, SLICE("\xff\xfe cmd \xc3")), 1);
    CHECK_INT(match("a.b", 0,
                    SLICE("a\xff"
                          "b")),
              0);
    CHECK_INT(match("b$", 0,
                    SLICE("\xe2\x82"
                          "b")),
              1);
}

TEST(regex_refusals_say_why_and_where)
{
    struct regex *re;
    struct diag diag = {0};
    CHECK(regex_compile(SLICE("ab(c"), 0, &diag, &re) == ERR_SYNTAX);
    CHECK(strstr(diag.message, "parenthesis"));
    CHECK_INT(diag.column, 5);
    CHECK(regex_compile(SLICE("[z-a]"), 0, &diag, &re) == ERR_SYNTAX);
    CHECK(regex_compile(SLICE("(*UCP)a"), 0, &diag, &re) < 0);
    CHECK(regex_compile(SLICE("a\\C"), 0, &diag, &re) < 0);
    CHECK(regex_compile(SLICE("\xff"), 0, &diag, &re) < 0);
    CHECK(regex_compile(SLICE("*"), 0, NULL, &re) < 0);
    char *big = malloc(REGEX_SOURCE_MAX + 1);
    REQUIRE(big);
    memset(big, 'a', REGEX_SOURCE_MAX + 1);
    CHECK(regex_compile(slice_make(big, REGEX_SOURCE_MAX + 1), 0, &diag, &re) == ERR_LIMIT);
    memset(big, '(', REGEX_SOURCE_MAX);
    CHECK(regex_compile(slice_make(big, REGEX_SOURCE_MAX), 0, &diag, &re) < 0);
    free(big);
    CHECK(regex_compile(SLICE("((a{1000}){1000}){1000}"), 0, &diag, &re) < 0);
    regex_free(NULL);
}

TEST(regex_gives_up_at_its_limits)
{
    char text[64];
    memset(text, 'a', sizeof text);
    CHECK_INT(match("(a+)+$", 0, slice_make(text, sizeof text)), 1);
    text[sizeof text - 1] = 'b';
    CHECK_INT(match("^(a+)+$", 0, slice_make(text, sizeof text)), ERR_LIMIT);
    enum { LONG = 1 << 20 };
    char *many = malloc(LONG);
    REQUIRE(many);
    memset(many, 'a', LONG);
    struct regex *re;
    REQUIRE(regex_compile(SLICE("^(?:a|b)*c"), 0, NULL, &re) == 0);
    CHECK_INT(regex_match(re, slice_make(many, LONG)), ERR_LIMIT);
    /* It is usable afterwards. */
    CHECK_INT(regex_match(re, SLICE("abac")), 1);
    CHECK_INT(regex_match(re, SLICE("abad")), 0);
    regex_free(re);
    free(many);
}

static void check_literals(const char *source, unsigned flags, const char *want)
{
    struct arena arena;
    struct slice literals[REGEX_LITERALS_MAX];
    char got[2048] = "";
    size_t n = 0;
    arena_init(&arena, 1 << 20);
    uint32_t count = regex_required_literals(slice_of(source), flags, &arena, literals);
    for (uint32_t i = 0; i < count; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", i ? " " : "",
                              SLICE_FMT(literals[i]));
    if (strcmp(got, want) != 0)
        test_fail(__FILE__, __LINE__, "/%s/%u gives \"%s\", not \"%s\"", source, flags, got, want);
    arena_done(&arena);
}

TEST(regex_literals)
{
    static const struct {
        const char *source;
        unsigned flags;
        const char *want;
    } cases[] = {
        {"", 0, ""},
        {"abc", 0, "abc"},
        {"ABC", 0, "abc"},
        {"Åb", 0, "åb"},
        {"(?:foo|bar)\\d+baz", 0, "baz"},
        {"(?:foo|barn)\\d+ba", 0, "foo barn"},
        {"foo|bar", 0, "foo bar"},
        {"foo|", 0, ""},
        {"foo|.", 0, ""},
        {"a.bc", 0, "bc"},
        {"ab?c", 0, "abc ac"},
        {"ab*cd", 0, "cd"},
        {"ab+c", 0, "ab"},
        {"x(ab)+y", 0, "xab"},
        {"(?:abc)*", 0, ""},
        {"(abc)?", 0, ""},
        {"(abc){0}", 0, ""},
        {"(abc){0,3}d", 0, "d"},
        {"(ab){2}", 0, "abab"},
        {"(ab){2,}", 0, "ab"},
        {"(a.b){0}", 0, ""},
        {"x{,3}", 0, ""},
        {"\\bcmd\\b", 0, "cmd"},
        {"^cmd$", 0, "cmd"},
        {"a\\.exe", 0, "a.exe"},
        {"a\\x41\\x{e5}", 0, "aaå"},
        {"a\\tb", 0, "a\tb"},
        {"[ab]cd", 0, "acd bcd"},
        {"[Cc]md", 0, "cmd"},
        {"[a-c]md", 0, "md"},
        {"[^a]md", 0, "md"},
        {"[]a]md", 0, "]md amd"},
        {"[^]a]md", 0, "md"},
        {"[-a]md", 0, "-md amd"},
        {"[a-]md", 0, "amd -md"},
        {"[\\w-]md", 0, "md"},
        {"[[:alpha:]]md", 0, "md"},
        {"[[.a.]]md", 0, ""},
        {"ab(?=cd)ef", 0, "abef"},
        {"ab(?!cd)ef", 0, "abef"},
        {"(?<=ab)ef", 0, "ef"},
        {"(?<n>ab)ef", 0, "abef"},
        {"(?P<n>ab)ef", 0, "abef"},
        {"(?>ab)ef", 0, "abef"},
        {"\\p{Lu}ab", 0, "ab"},
        {"\\pLab", 0, "ab"},
        {"(a|b|c|d|e|f|g|h|i)(xyz|w)?", 0, "a b c d e f g h i"},
        {"a{b", 0, "a{b"},
        {"ab}c", 0, "ab}c"},
        /* Not understood, no answer. */
        {"(*ACCEPT)ab", 0, ""},
        {"ab(*COMMIT)", 0, ""},
        {"(a)\\1bcd", 0, ""},
        {"\\Qa.b\\E", 0, ""},
        {"abc\\Kd", 0, ""},
        {"a(?#x)*bcd", 0, ""},
        {"(?x)a b", 0, ""},
        {"(?(1)ab|cd)", 0, ""},
        {"(?R)?abc", 0, ""},
        {"a(?i)*bcd", 0, ""},
        {"abc(", 0, ""},
        {"abc)", 0, ""},
        /* Without case: not beyond ASCII, not at k and s. */
        {"POWER", REGEX_I, "power"},
        {"powershell", REGEX_I, "power"},
        {"task", REGEX_I, "ta"},
        {"sks", REGEX_I, ""},
        {"blå", REGEX_I, "bl"},
        {"[ks]ab", REGEX_I, "ab"},
        {"[ab]cs", REGEX_I, "ac bc"},
        {"(?i)task", 0, "ta"},
        {"(?i:kab)kcd", 0, "kcd"},
        {"(?-i:kab)kcd", REGEX_I, "kab"},
        {"(?i)a|kkk", 0, ""},
        {"x(?i)kkk|kkk", 0, ""},
        {"(x(?i)y)kkk", 0, "xykkk"},
        {"(?i-s)kab", 0, "ab"},
        {"(?m)kab", 0, "kab"},
        {"(?ix)kab", 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_literals(cases[i].source, cases[i].flags, cases[i].want);
}

TEST(regex_literals_of_large_sources)
{
    struct arena arena;
    struct slice literals[REGEX_LITERALS_MAX];
    char *big = malloc(REGEX_SOURCE_MAX + 1);
    REQUIRE(big);
    arena_init(&arena, 1 << 20);
    memset(big, '(', REGEX_SOURCE_MAX);
    CHECK_INT(regex_required_literals(slice_make(big, REGEX_SOURCE_MAX), 0, &arena, literals), 0);
    memset(big, 'a', REGEX_SOURCE_MAX);
    CHECK_INT(regex_required_literals(slice_make(big, REGEX_SOURCE_MAX), 0, &arena, literals), 1);
    CHECK_INT(regex_required_literals(slice_make(big, REGEX_SOURCE_MAX + 1), 0, &arena, literals),
              0);
    for (size_t i = 0; i < REGEX_SOURCE_MAX; i++) big[i] = "(ab?c)|"[i % 7];
    CHECK_INT(regex_required_literals(slice_make(big, REGEX_SOURCE_MAX - 3), 0, &arena, literals),
              2);
    arena_done(&arena);
    free(big);
}

/* Generators. Sources are built together with a text that tends to match. */
struct gen {
    uint64_t seed;
    char source[512], text[512];
    size_t n_source, n_text;
};

static uint32_t pick(struct gen *g, uint32_t n)
{
    g->seed = g->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(g->seed >> 33) % n;
}

static void put(struct gen *g, const char *s)
{
    size_t n = strlen(s);
    if (n > sizeof g->source - g->n_source) return;
    memcpy(g->source + g->n_source, s, n);
    g->n_source += n;
}

static void say(struct gen *g, const char *s)
{
    size_t n = strlen(s);
    if (n > sizeof g->text - g->n_text) return;
    memcpy(g->text + g->n_text, s, n);
    g->n_text += n;
}

/* Characters that one case-insensitive comparison or another takes for each other. */
static const char *const letters[] = {"a", "A",      "b",      "k", "K",      "\u212a", "s",
                                      "S", "\u017f", "å",      "Å", "\u212b", "1",      "-",
                                      "i", "\u0131", "\u0130", "ß", "µ",      "μ"};
enum { N_LETTERS = sizeof letters / sizeof *letters };

static void gen_alternation(struct gen *g, unsigned depth);

static void gen_class(struct gen *g)
{
    put(g, "[");
    for (uint32_t n = 1 + pick(g, 3), chosen = pick(g, n); n--;) {
        const char *c = letters[pick(g, N_LETTERS)];
        if (*c == '-') put(g, "\\");
        put(g, c);
        if (n == chosen) say(g, letters[pick(g, 3)]), say(g, c);
    }
    put(g, pick(g, 6) ? "]" : "a-c]");
}

static void gen_atom(struct gen *g, unsigned depth)
{
    static const char *const open[] = {"(", "(?:", "(?i:", "(?-i:", "(?>", "(?<n>", "(?|"};
    static const char *const others[] = {".",         "\\w",   "\\d",   "\\b",         "^",
                                         "$",         "(?i)",  "(?-i)", "(?=a)",       "\\x41",
                                         "\\x{212a}", "(?!q)", "\\-",   "[[:alpha:]]", "\\s"};
    static const char *const said[] = {"a", "k", "1",      "", "",  "",  "", "",
                                       "",  "A", "\u212a", "", "-", "s", " "};
    uint32_t kind = pick(g, 12);
    if (kind < 6) {
        const char *c = letters[pick(g, N_LETTERS)];
        put(g, c);
        say(g, pick(g, 4) ? c : letters[pick(g, N_LETTERS)]);
    } else if (kind < 8) {
        gen_class(g);
    } else if (kind < 10 && depth < 4) {
        put(g, open[pick(g, 7)]);
        gen_alternation(g, depth + 1);
        put(g, ")");
    } else {
        uint32_t i = pick(g, 15);
        put(g, others[i]);
        say(g, said[i]);
    }
}

static void gen_alternation(struct gen *g, unsigned depth)
{
    static const char *const quantifiers[] = {"*",     "+",     "?",  "{2}", "{0}",
                                              "{1,2}", "{0,1}", "+?", "*+",  "{2,}"};
    for (uint32_t branch = 1 + (pick(g, 4) == 0); branch--;) {
        size_t before = g->n_text;
        for (uint32_t n = pick(g, 4) + (depth == 0); n--;) {
            size_t start = g->n_text;
            gen_atom(g, depth);
            if (pick(g, 4)) continue;
            uint32_t q = pick(g, 10);
            put(g, quantifiers[q]);
            size_t len = g->n_text - start;
            bool none = q == 4 || ((q == 0 || q == 2 || q == 6) && pick(g, 2));
            if (none) g->n_text = start;
            else if ((q == 3 || q == 9) && len <= sizeof g->text - g->n_text) {
                memcpy(g->text + g->n_text, g->text + start, len);
                g->n_text += len;
            }
        }
        if (branch) {
            put(g, "|");
            if (pick(g, 2)) g->n_text = before;
        }
    }
}

/* Anything over the characters that mean something. */
static void gen_noise(struct gen *g)
{
    static const char *const parts[] = {
        "(", ")", "(?", "[", "]", "[^",   "{",  "}",  "|",   "*", "+", "?", "\\", "^", "$", ".",
        "-", ",", ":",  "=", "!", "<",    ">",  "#",  "i",   "k", "s", "a", "b",  "1", "2", " ",
        "P", "Q", "E",  "x", "å", "(?i)", "[:", ":]", "\\b", "n", "'", "&", "0",  "R"};
    for (uint32_t n = 1 + pick(g, 12); n--;) put(g, parts[pick(g, sizeof parts / sizeof *parts)]);
    for (uint32_t n = pick(g, 8); n--;) say(g, letters[pick(g, N_LETTERS)]);
}

static bool contains_one(const struct slice *literals, uint32_t n, struct slice text)
{
    char *folded = malloc(utf8_fold_bound(text.len));
    REQUIRE(folded);
    struct slice f = slice_make(folded, utf8_fold(folded, text));
    bool found = false;
    for (uint32_t i = 0; i < n; i++) found |= slice_find(f, literals[i]) != SIZE_MAX;
    free(folded);
    return found;
}

struct tally {
    unsigned compiled, matched, guarded;
};

static void check_sound(struct gen *g, struct arena *arena, struct tally *t)
{
    struct regex *re;
    struct slice literals[REGEX_LITERALS_MAX];
    struct slice source = slice_make(g->source, g->n_source);
    unsigned flags = pick(g, 8);
    if (regex_compile(source, flags, NULL, &re) < 0) return;
    t->compiled++;
    arena_reset(arena);
    uint32_t n = regex_required_literals(source, flags, arena, literals);
    for (unsigned k = 0; k < 6; k++) {
        /* The text as made, then with characters exchanged. */
        struct slice text = slice_make(g->text, g->n_text);
        if (regex_match(re, text) == 1) {
            t->matched++;
            t->guarded += n > 0;
            if (n && !contains_one(literals, n, text))
                test_fail(__FILE__, __LINE__, "/%.*s/ flags %u matches \"%.*s\" without \"%.*s\"",
                          SLICE_FMT(source), flags, SLICE_FMT(text), SLICE_FMT(literals[0]));
        }
        if (pick(g, 2)) g->n_text = 0;
        for (uint32_t m = pick(g, 4); m--;) say(g, letters[pick(g, N_LETTERS)]);
    }
    regex_free(re);
}

TEST(regex_literals_are_necessary)
{
    enum { ROUNDS = 60000 };
    static struct gen g = {.seed = 20260805};
    struct arena arena;
    struct tally t = {0};
    arena_init(&arena, 1 << 20);
    for (unsigned i = 0; i < ROUNDS; i++) {
        g.n_source = g.n_text = 0;
        if (i % 3 == 2) gen_noise(&g);
        else gen_alternation(&g, 0);
        check_sound(&g, &arena, &t);
    }
    printf("# %d sources, %u compile, %u matches, %u of them of a source with literals\n", ROUNDS,
           t.compiled, t.matched, t.guarded);
    CHECK(t.guarded > 10000);
    arena_done(&arena);
}
