/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a text must contain to be matched, read off the source of an expression.
 *
 * The reader knows a part of PCRE2's syntax (pcre2pattern(3), 10.42) and gives up, with no answer,
 * on all it does not: verbs, callouts, conditions, back references, recursion, comments, \Q..\E,
 * \K, extended mode. What it knows it takes apart into nodes, and of each it keeps two facts:
 *
 *   exact  the whole list of texts the node can stand for, while that is short
 *   need   a list of literals of which one is inside every text the node stands for
 *
 * In a sequence neighbouring exact lists are multiplied; where that ends, at a dot, a star or a
 * list grown too long, the product becomes a candidate for `need`. An alternation needs one of what
 * its branches need, and nothing when one of them needs nothing.
 *
 * Literals are compared in folded text while PCRE2 sees the text itself. For a case-sensitive
 * character c the text holds c, hence its folding holds fold(c). Case-insensitively PCRE2 equates
 * k with U+212A and s with U+017F, which folding here does not, and outside ASCII the two tables
 * need not agree: there only the other ASCII characters count as known.
 */
#include "base/utf8.h"
#include "detect/sigma/regex.h"

enum {
    TEXTS_MAX = REGEX_LITERALS_MAX,
    TEXT_MAX = 48,
    NESTING_MAX = 24,
    REPEAT_MAX = 8, /* x{n} is written out up to this n */
};

struct texts {
    uint32_t n;
    struct text {
        uint8_t len;
        char at[TEXT_MAX];
    } text[TEXTS_MAX];
};

struct node {
    bool is_exact, has_need;
    bool repeats; /* one or more of the texts in `exact`, behind each other */
    struct texts exact, need;
};

struct reader {
    struct slice src;
    size_t pos;
    unsigned depth;
    bool insensitive;
    bool lost; /* something not understood: no answer */
};

static const struct texts TEXTS_EMPTY = {.n = 1};

static void lose(struct reader *r)
{
    r->lost = true;
    r->pos = r->src.len;
}

static bool at_end(const struct reader *r)
{
    return r->pos >= r->src.len;
}

/* The byte `ahead` of the position; 0 past the end (a NUL in the source loses the reader). */
static char look(const struct reader *r, size_t ahead)
{
    return !at_end(r) && ahead < r->src.len - r->pos ? r->src.ptr[r->pos + ahead] : '\0';
}

static bool add_text(struct texts *t, const char *at, size_t len)
{
    if (len > TEXT_MAX) return false;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->text[i].len == len && memcmp(t->text[i].at, at, len) == 0) return true;
    if (t->n == TEXTS_MAX) return false;
    t->text[t->n].len = (uint8_t)len;
    if (len) memcpy(t->text[t->n].at, at, len);
    t->n++;
    return true;
}

static bool add_texts(struct texts *t, const struct texts *more)
{
    for (uint32_t i = 0; i < more->n; i++)
        if (!add_text(t, more->text[i].at, more->text[i].len)) return false;
    return true;
}

/* Every text of a followed by every text of b; false when that is too many or too long. */
static bool multiply(struct texts *a, const struct texts *b)
{
    struct texts product = {.n = 0};
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            char both[2 * TEXT_MAX];
            memcpy(both, a->text[i].at, a->text[i].len);
            memcpy(both + a->text[i].len, b->text[k].at, b->text[k].len);
            if (!add_text(&product, both, (size_t)a->text[i].len + b->text[k].len)) return false;
        }
    *a = product;
    return true;
}

/* The worth of a list: its shortest literal decides, then the fewer the better. 0: worthless. */
static uint32_t worth(const struct texts *t)
{
    uint32_t shortest = TEXT_MAX;
    for (uint32_t i = 0; i < t->n; i++)
        if (t->text[i].len < shortest) shortest = t->text[i].len;
    return t->n && shortest ? shortest * 64 + (TEXTS_MAX - t->n) : 0;
}

static void offer(struct node *to, const struct texts *candidate)
{
    uint32_t value = worth(candidate);
    if (value == 0 || (to->has_need && value <= worth(&to->need))) return;
    to->need = *candidate;
    to->has_need = true;
}

static void set_exact_empty(struct node *n)
{
    n->is_exact = true;
    n->has_need = n->repeats = false;
    n->exact = TEXTS_EMPTY;
}

static void set_unknown(struct node *n)
{
    n->is_exact = n->has_need = n->repeats = false;
}

/* One character, as it stands in folded text; unknown when matching may accept what folding does
 * not. */
static void set_char(const struct reader *r, struct node *n, uint32_t cp)
{
    set_unknown(n);
    uint32_t low = utf8_fold_cp(cp);
    if (r->insensitive && (cp >= 0x80 || low == 'k' || low == 's')) return;
    char bytes[4];
    n->is_exact = true;
    n->exact.n = 0;
    (void)add_text(&n->exact, bytes, utf8_encode(bytes, low));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_punctuation(char c)
{
    return c > ' ' && c < 0x7f && !is_digit(c) && !is_letter(c);
}

static int hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* After `\x`: up to two digits, or any number in braces. */
static void read_hex(struct reader *r, uint32_t *ret)
{
    uint32_t cp = 0;
    bool braces = look(r, 0) == '{';
    if (braces) r->pos++;
    unsigned digits = 0;
    for (int v; digits < (braces ? 6u : 2u) && (v = hex_value(look(r, 0))) >= 0; digits++, r->pos++)
        cp = cp << 4 | (uint32_t)v;
    if (braces && look(r, 0) != '}') lose(r);
    else if (braces) r->pos++;
    if (digits == 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) lose(r);
    *ret = cp;
}

/* \p{Lu} \pL and their negations: one character, whichever. */
static void skip_property(struct reader *r)
{
    if (look(r, 0) != '{') {
        if (is_letter(look(r, 0))) r->pos++;
        else lose(r);
        return;
    }
    r->pos++;
    while (look(r, 0) != '}' && !r->lost) {
        char c = look(r, 0);
        if (is_letter(c) || is_digit(c) || c == '_' || c == '^' || c == '&' || c == ' ') r->pos++;
        else lose(r);
    }
    r->pos++;
}

enum escape { ESCAPE_CHAR, ESCAPE_ONE, ESCAPE_NOTHING };

/* After the backslash. ESCAPE_CHAR: *ret_cp; ESCAPE_ONE: some character; ESCAPE_NOTHING: a place.
 */
static enum escape read_escape(struct reader *r, bool in_class, uint32_t *ret_cp)
{
    static const char named[] = "a\ae\033f\fn\nr\rt\t";
    char c = look(r, 0);
    *ret_cp = 0;
    r->pos++;
    if (is_punctuation(c) || c == ' ') {
        *ret_cp = (uint32_t)c;
        return ESCAPE_CHAR;
    }
    for (size_t i = 0; i + 1 < sizeof named; i += 2)
        if (c == named[i]) {
            *ret_cp = (uint32_t)named[i + 1];
            return ESCAPE_CHAR;
        }
    switch (c) {
    case 'x':
        read_hex(r, ret_cp);
        return ESCAPE_CHAR;
    case 'p':
    case 'P':
        skip_property(r);
        return ESCAPE_ONE;
    case 'd':
    case 'D':
    case 'w':
    case 'W':
    case 's':
    case 'S':
    case 'h':
    case 'H':
    case 'v':
    case 'V':
        return ESCAPE_ONE;
    case 'b':
        return in_class ? ESCAPE_ONE : ESCAPE_NOTHING;
    case 'R':
    case 'X':
        if (in_class) lose(r);
        return ESCAPE_ONE;
    case 'N':
        if (in_class || look(r, 0) == '{') lose(r);
        return ESCAPE_ONE;
    case 'B':
    case 'A':
    case 'z':
    case 'Z':
    case 'G':
        if (in_class) lose(r);
        return ESCAPE_NOTHING;
    default:
        lose(r);
        return ESCAPE_NOTHING;
    }
}

/* One member of a class: a character, or more than can be listed (false). */
static bool read_member(struct reader *r, uint32_t *ret_cp)
{
    char c = look(r, 0);
    if (c == '\\') {
        r->pos++;
        return read_escape(r, true, ret_cp) == ESCAPE_CHAR;
    }
    if (c == '[' && (look(r, 1) == ':' || look(r, 1) == '.' || look(r, 1) == '=')) {
        size_t i = 2;
        while (is_letter(look(r, i)) || look(r, i) == '^') i++;
        if (look(r, 1) == ':' && look(r, i) == ':' && look(r, i + 1) == ']') r->pos += i + 2;
        else lose(r);
        return false;
    }
    unsigned n = utf8_decode(r->src, r->pos, ret_cp);
    if (n == 0) lose(r);
    r->pos += n;
    return n != 0;
}

/* After `[`. A short list of characters is exact. */
static void read_class(struct reader *r, struct node *n)
{
    bool listed = true, first = true;
    struct texts members = {.n = 0};
    if (look(r, 0) == '^') {
        listed = false;
        r->pos++;
    }
    for (; !r->lost; first = false) {
        uint32_t cp = 0;
        if (at_end(r)) {
            lose(r);
            break;
        }
        if (look(r, 0) == ']' && !first) break;
        bool one = read_member(r, &cp);
        if (r->lost) break;
        /* A range, or a lone hyphen: its ends are read as members, but they are not the list. */
        if (look(r, 0) == '-' && look(r, 1) != ']') listed = false;
        struct node single;
        if (one) set_char(r, &single, cp);
        if (!one || !single.is_exact || !add_texts(&members, &single.exact)) listed = false;
    }
    r->pos++;
    set_unknown(n);
    if (!listed || members.n == 0) return;
    n->is_exact = true;
    n->exact = members;
}

static bool read_number(struct reader *r, uint32_t *ret)
{
    uint32_t n = 0;
    if (!is_digit(look(r, 0))) return false;
    for (; is_digit(look(r, 0)); r->pos++)
        if (n <= 65535) n = n * 10 + (uint32_t)(look(r, 0) - '0');
    *ret = n;
    return true;
}

/* A quantifier, if one stands here. `{` that starts none is a literal in 10.42, not in all
 * releases. */
static bool read_quantifier(struct reader *r, uint32_t *ret_min, uint32_t *ret_max)
{
    *ret_max = UINT32_MAX;
    switch (look(r, 0)) {
    case '*':
        *ret_min = 0;
        break;
    case '+':
        *ret_min = 1;
        break;
    case '?':
        *ret_min = 0;
        *ret_max = 1;
        break;
    case '{':
        if (look(r, 1) == ',' || look(r, 1) == ' ') lose(r);
        if (!is_digit(look(r, 1))) return false;
        r->pos++;
        (void)read_number(r, ret_min);
        *ret_max = *ret_min;
        if (look(r, 0) == ',') {
            r->pos++;
            if (!read_number(r, ret_max)) *ret_max = UINT32_MAX;
        }
        if (look(r, 0) != '}') lose(r);
        break;
    default:
        return false;
    }
    if (r->lost) return false;
    r->pos++;
    if (look(r, 0) == '+' || look(r, 0) == '?') r->pos++; /* possessive, lazy */
    return true;
}

static void repeat(struct node *n, uint32_t min, uint32_t max)
{
    if (min == 0) n->has_need = false;
    n->repeats = false;
    if (n->is_exact && min == max && min <= REPEAT_MAX) {
        struct texts once = n->exact, all = TEXTS_EMPTY;
        bool fits = true;
        for (uint32_t i = 0; i < min && fits; i++) fits = multiply(&all, &once);
        if (fits) {
            n->exact = all;
            return;
        }
    }
    if (n->is_exact && min == 0 && max == 1 && add_texts(&n->exact, &TEXTS_EMPTY)) return;
    if (min == 0) {
        set_unknown(n);
        return;
    }
    if (n->is_exact) offer(n, &n->exact);
    n->repeats = n->is_exact;
    n->is_exact = false;
}

static void read_alternation(struct reader *r, struct node *ret);

/* After `(`: what kind of group; the position is then at its first alternative. */
enum group { GROUP_PLAIN, GROUP_LOOK, GROUP_OPTIONS };

static void skip_group_name(struct reader *r, char close)
{
    while (is_letter(look(r, 0)) || is_digit(look(r, 0)) || look(r, 0) == '_') r->pos++;
    if (look(r, 0) != close) lose(r);
    r->pos++;
}

/* `(?ims-ims)` and `(?ims-ims:`: only i changes what is read here; x is not understood. */
static enum group read_options(struct reader *r)
{
    bool on = true;
    for (;; r->pos++) {
        switch (look(r, 0)) {
        case 'i':
            r->insensitive = on;
            continue;
        case 'm':
        case 's':
        case 'U':
            continue;
        case '-':
            if (!on) lose(r);
            on = false;
            continue;
        case ':':
            r->pos++;
            return GROUP_PLAIN;
        case ')':
            r->pos++;
            return GROUP_OPTIONS;
        default:
            lose(r);
            return GROUP_OPTIONS;
        }
    }
}

static enum group read_group_start(struct reader *r)
{
    if (look(r, 0) != '?') return GROUP_PLAIN;
    r->pos++;
    char c = look(r, 0), d = look(r, 1);
    switch (c) {
    case ':':
    case '>':
    case '|':
        r->pos++;
        return GROUP_PLAIN;
    case '=':
    case '!':
        r->pos++;
        return GROUP_LOOK;
    case '<':
        r->pos += 2;
        if (d == '=' || d == '!') return GROUP_LOOK;
        r->pos--;
        skip_group_name(r, '>');
        return GROUP_PLAIN;
    case 'P':
        r->pos += 2;
        if (d != '<') lose(r);
        else skip_group_name(r, '>');
        return GROUP_PLAIN;
    case '\'':
        r->pos++;
        skip_group_name(r, '\'');
        return GROUP_PLAIN;
    default:
        return read_options(r);
    }
}

/* After `(`. Options set inside end with the group; a bare `(?i)` goes on to the end of its parent.
 */
static void read_group(struct reader *r, struct node *n)
{
    bool outer = r->insensitive;
    enum group kind = read_group_start(r);
    set_exact_empty(n);
    if (kind == GROUP_OPTIONS) {
        /* A quantifier behind would be the one of what stands before. */
        char c = look(r, 0);
        if (c == '*' || c == '+' || c == '?' || c == '{') lose(r);
        return;
    }
    if (r->lost) return;
    if (++r->depth > NESTING_MAX) {
        lose(r);
        return;
    }
    read_alternation(r, n);
    r->depth--;
    if (look(r, 0) != ')') lose(r);
    r->pos++;
    r->insensitive = outer;
    if (kind == GROUP_LOOK) set_exact_empty(n); /* looks, takes no text */
}

static void read_atom(struct reader *r, struct node *n)
{
    uint32_t cp;
    char c = look(r, 0);
    set_unknown(n);
    switch (c) {
    case '\0':
        lose(r);
        return;
    case '(':
        r->pos++;
        read_group(r, n);
        return;
    case '[':
        r->pos++;
        read_class(r, n);
        return;
    case '.':
        r->pos++;
        return;
    case '^':
    case '$':
        r->pos++;
        set_exact_empty(n);
        return;
    case '*': /* (*VERB) */
    case '+':
    case '?':
        lose(r);
        return;
    case '\\':
        r->pos++;
        switch (read_escape(r, false, &cp)) {
        case ESCAPE_CHAR:
            set_char(r, n, cp);
            return;
        case ESCAPE_ONE:
            return;
        case ESCAPE_NOTHING:
            set_exact_empty(n);
            return;
        }
        return;
    default:
        break;
    }
    unsigned len = utf8_decode(r->src, r->pos, &cp);
    if (len == 0) {
        lose(r);
        return;
    }
    r->pos += len;
    set_char(r, n, cp);
}

/* A sequence, up to `|`, `)` or the end. `run` is the product of the exact nodes just read. */
static void read_sequence(struct reader *r, struct node *ret)
{
    struct texts run = TEXTS_EMPTY;
    set_exact_empty(ret);
    while (!r->lost && !at_end(r) && look(r, 0) != '|' && look(r, 0) != ')') {
        struct node n;
        uint32_t min = 0, max = 0;
        read_atom(r, &n);
        while (!r->lost && read_quantifier(r, &min, &max)) repeat(&n, min, max);
        if (r->lost) return;
        if (n.is_exact && multiply(&run, &n.exact)) continue;
        ret->is_exact = false;
        offer(ret, &run);
        /* The first of the repeated texts follows the run, the last one starts the next. */
        if (n.repeats && multiply(&run, &n.exact)) offer(ret, &run);
        if (n.has_need) offer(ret, &n.need);
        run = n.is_exact || n.repeats ? n.exact : TEXTS_EMPTY;
    }
    offer(ret, &run);
    ret->exact = run;
}

/* What a node needs, whichever way it is known. */
static const struct texts *need_of(const struct node *n)
{
    if (n->is_exact && worth(&n->exact)) return &n->exact;
    return n->has_need ? &n->need : NULL;
}

static void read_alternation(struct reader *r, struct node *ret)
{
    read_sequence(r, ret);
    while (!r->lost && look(r, 0) == '|') {
        struct node other;
        r->pos++;
        read_sequence(r, &other);
        if (r->lost) return;
        const struct texts *a = need_of(ret), *b = need_of(&other);
        struct texts need = {.n = 0};
        bool known = a && b && add_texts(&need, a) && add_texts(&need, b);
        ret->is_exact = ret->is_exact && other.is_exact && add_texts(&ret->exact, &other.exact);
        ret->has_need = known;
        if (known) ret->need = need;
    }
}

uint32_t regex_required_literals(struct slice source, unsigned flags, struct arena *arena,
                                 struct slice *ret)
{
    struct reader r = {.src = source, .insensitive = flags & REGEX_I};
    struct node whole;
    if (source.len > REGEX_SOURCE_MAX) return 0;
    read_alternation(&r, &whole);
    if (r.lost || !at_end(&r)) return 0;
    const struct texts *need = need_of(&whole);
    if (!need) return 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < need->n; i++) {
        struct slice text = slice_make(need->text[i].at, need->text[i].len);
        ret[n] = arena_dup(arena, text);
        if (!ret[n].ptr) return 0;
        n++;
    }
    return n;
}
