/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Wildcard patterns against a matcher that tries everything. The first byte says which modifiers
 * there are, then comes the pattern up to a NUL byte, then the value. Patterns that a rule can hold
 * also go through the engine.
 */
#include "base/utf8.h"
#include "detect/sigma/match.h"
#include "detect/sigma/pattern.h"
#include "rules.h"

enum { PATTERN_LEN_MAX = 256, VALUE_LEN_MAX = 1024, STEPS_MAX = 1 << 20, ONE = 256, ANY = 257 };
enum how { STAR_BEFORE = 1, STAR_BEHIND = 2, CASED = 4, THROUGH_ENGINE = 8 };

/* A pattern as bytes and wildcards, each one number. */
struct tokens {
    uint16_t at[2 * PATTERN_LEN_MAX + 64];
    size_t n;
    char run[PATTERN_LEN_MAX]; /* bytes that are to be folded together */
    size_t n_run;
    bool cased;
};

static void end_run(struct tokens *t)
{
    char folded[PATTERN_LEN_MAX + PATTERN_LEN_MAX / 2 + 16];
    struct slice run = slice_make(t->run, t->n_run);
    size_t n = t->n_run;
    if (t->cased) memcpy(folded, t->run, n);
    else n = utf8_fold(folded, run);
    for (size_t i = 0; i < n; i++) t->at[t->n++] = (unsigned char)folded[i];
    t->n_run = 0;
}

static void add_wildcard(struct tokens *t, uint16_t token)
{
    end_run(t);
    t->at[t->n++] = token;
}

/* By the specification's table of escapes. */
static void read_tokens(struct tokens *t, struct slice p, unsigned how)
{
    if (how & STAR_BEFORE) add_wildcard(t, ANY);
    for (size_t i = 0; i < p.len; i++) {
        char c = p.ptr[i];
        bool escapes = c == '\\' && i + 1 < p.len && strchr("*?\\", p.ptr[i + 1]) && p.ptr[i + 1];
        if (escapes) c = p.ptr[++i];
        if (!escapes && c == '*') add_wildcard(t, ANY);
        else if (!escapes && c == '?') add_wildcard(t, ONE);
        else t->run[t->n_run++] = c;
    }
    end_run(t);
    if (how & STAR_BEHIND) add_wildcard(t, ANY);
}

/* Whether the tokens from `i` on are the value from `at` on. Means nothing when `steps` is 0. */
static bool tokens_match(const struct tokens *t, size_t i, struct slice value, size_t at,
                         uint32_t *steps)
{
    for (; i < t->n; i++) {
        if (*steps == 0) return false;
        --*steps;
        if (t->at[i] == ANY) {
            for (;; at += utf8_step(value, at)) {
                if (tokens_match(t, i + 1, value, at, steps)) return true;
                if (at >= value.len) return false;
            }
        }
        if (at >= value.len) return false;
        if (t->at[i] == ONE) at += utf8_step(value, at);
        else if (t->at[i] != (unsigned char)value.ptr[at++]) return false;
    }
    return at == value.len;
}

static bool glob_holds(struct slice written, struct slice value, unsigned how)
{
    struct arena arena;
    struct pattern_builder b;
    arena_init(&arena, 1 << 20);
    struct pattern p = pattern_parse(&arena, written, false);
    pattern_begin(&b, &arena, p.n + 2, pattern_bytes(&p));
    if (how & STAR_BEFORE) pattern_add(&b, PIECE_ANY, SLICE_NONE);
    pattern_add_all(&b, &p);
    if (how & STAR_BEHIND) pattern_add(&b, PIECE_ANY, SLICE_NONE);
    const struct glob_piece *glob = pattern_glob(&arena, &b.pattern, how & CASED);
    HOLDS(!arena_failed(&arena));
    for (uint32_t i = 0; i < b.pattern.n; i++) {
        HOLDS(glob[i].kind != GLOB_LITERAL || glob[i].text.len > 0);
        if (i) HOLDS(glob[i].kind != glob[i - 1].kind || glob[i].kind == GLOB_ONE);
    }
    bool holds = glob_match(glob, b.pattern.n, value);
    arena_done(&arena);
    return holds;
}

/* Whether the pattern can stand between single quotes in YAML and be the same afterwards. */
static bool is_quotable(struct slice s)
{
    for (size_t i = 0; i < s.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(s, i, &cp);
        if (n == 0 || cp < 0x20 || (cp > 0x7e && cp < 0xa1) || (cp > 0x17ff && cp < 0x3000) ||
            (cp > 0xd7ff && cp < 0x10000))
            return false;
        i += n;
    }
    return true;
}

static void write_rule(struct buf *out, struct slice written, unsigned how)
{
    static const char *const places[] = {"", "|endswith", "|startswith", "|contains"};
    buf_puts(out, "title: t\nlogsource: {product: any}\ndetection:\n  s:\n    f");
    buf_puts(out, places[how & (STAR_BEFORE | STAR_BEHIND)]);
    buf_puts(out, how & CASED ? "|cased: '" : ": '");
    for (size_t i = 0; i < written.len; i++) {
        buf_putc(out, written.ptr[i]);
        if (written.ptr[i] == '\'') buf_putc(out, '\'');
    }
    buf_puts(out, "'\n  condition: s\n");
    HOLDS(!buf_failed(out));
}

static bool engine_holds(struct slice written, struct slice value, unsigned how)
{
    struct buf rule;
    struct arena arena;
    struct event ev;
    struct engine_result result;
    buf_init(&rule, 4096);
    write_rule(&rule, written, how);
    struct sigma_set *set = rules_load(buf_slice(&rule), NULL);
    HOLDS(set->n_rules == 1);
    struct engine *engine = rules_engine(set, true, true);
    arena_init(&arena, 1 << 20);
    event_init(&ev, engine_keys(engine), &arena);
    ev.record = 1;
    ev.format = "json";
    event_add_named(&ev, SLICE("f"), VALUE_STRING, value);
    HOLDS(engine_match(engine, &ev, &result) == 0);
    HOLDS(result.n_hits == 0 || !result.hits[0].undetermined);
    bool holds = result.n_hits == 1;
    event_done(&ev);
    arena_done(&arena);
    engine_free(engine);
    sigma_set_free(set);
    buf_done(&rule);
    return holds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    unsigned how = data[0];
    struct slice written, value;
    (void)slice_split(slice_make(data + 1, size - 1), '\0', &written, &value);
    if (written.len > PATTERN_LEN_MAX || value.len > VALUE_LEN_MAX) return 0;
    char *folded = malloc(utf8_fold_bound(value.len));
    HOLDS(folded != NULL);
    struct slice text = how & CASED ? value : slice_make(folded, utf8_fold(folded, value));
    bool glob = glob_holds(written, text, how);
    /* A rule is valid UTF-8; only then does no literal begin inside a character of the value. */
    if (utf8_valid(written)) {
        struct tokens t = {.cased = how & CASED};
        uint32_t steps = STEPS_MAX;
        read_tokens(&t, written, how);
        bool wanted = tokens_match(&t, 0, text, 0, &steps);
        HOLDS(steps == 0 || glob == wanted);
    }
    free(folded);
    if (how & THROUGH_ENGINE && is_quotable(written))
        HOLDS(engine_holds(written, value, how) == glob);
    return 0;
}
