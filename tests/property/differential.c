/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The engine against the slow evaluator on generated rules and events.
 *
 *     differential [--pairs N] [--seed S] [--table] [--require N]
 *
 * --require N: at least N matches and N near misses of every construct, and 30 % of the pairs
 * match, or it fails.
 *
 * Rules are generated as YAML text and events as JSON text, so that both go through the whole
 * product; events are built from values that satisfy items of the rules (witnesses), from those
 * with one edit (near misses) and from noise. The first disagreement is shrunk and printed.
 */
#include <stdlib.h>

#include "base/json_write.h"
#include "base/utf8.h"
#include "detect/engine.h"
#include "normalise/decoder.h"
#include "reference.h"

enum { RULES = 12, EVENTS = 160, ITEMS_MAX = 12, FIELDS_MAX = 96, TEXT_MAX = 512 };

/* clang-format off */
#define CONSTRUCTS(X) \
    X(EQUALS, "") X(EQ_CASED, "|cased") X(CONTAINS, "|contains") \
    X(CON_CASED, "|contains|cased") X(STARTS, "|startswith") X(STA_CASED, "|startswith|cased") \
    X(ENDS, "|endswith") X(END_CASED, "|endswith|cased") X(CON_ALL, "|contains|all") \
    X(WILDCARD, "") X(EMPTY, "") X(NULL_VALUE, "") X(NUMBER, "") X(LIST, "") \
    X(LONG_LIST, "|contains") X(LONG_ENDS, "|endswith") X(EXISTS_YES, "|exists") \
    X(EXISTS_NO, "|exists") X(NEQ, "|neq") X(WINDASH, "|contains|windash") X(BASE64, "|base64") \
    X(OFFSET, "|base64offset|contains") X(WIDE_OFFSET, "|wide|base64offset|contains") \
    X(UTF16LE, "|utf16le|contains") X(UTF16BE, "|utf16be|base64offset|contains") \
    X(UTF16BOM, "|utf16|base64|contains") X(RE, "|re") X(RE_I, "|re|i") X(RE_M, "|re|m") \
    X(RE_S, "|re|s") X(LT, "|lt") X(LTE, "|lte") X(GT, "|gt") X(GTE, "|gte") \
    X(MINUTE, "|minute") X(HOUR, "|hour|gte") X(DAY, "|day") X(WEEK, "|week") \
    X(MONTH, "|month|lt") X(YEAR, "|year") X(CIDR4, "|cidr") X(CIDR6, "|cidr") \
    X(FIELDREF, "|fieldref") X(REF_START, "|fieldref|startswith") \
    X(REF_END, "|fieldref|endswith") X(REF_IN, "|fieldref|contains") \
    X(REF_NEQ, "|fieldref|neq") X(KEYWORD, "") X(KEY_ALL, "|all")
/* clang-format on */

enum construct {
#define X(name, modifiers) C_##name,
    CONSTRUCTS(X)
#undef X
        C_COUNT
};
static const char *const construct_names[] = {
#define X(name, modifiers) #name,
    CONSTRUCTS(X)
#undef X
};
static const char *const construct_modifiers[] = {
#define X(name, modifiers) modifiers,
    CONSTRUCTS(X)
#undef X
};

struct text {
    char at[TEXT_MAX];
    size_t len;
};

struct gen_item {
    enum construct construct;
    int field;
    struct text values[10];
    uint32_t n_values;
    struct text witness; /* a value of the event that satisfies the item (for some: absence) */
    bool has_witness;
    int other_field; /* fieldref */
    struct text other;
    enum ref_type type;
};

struct gen_rule {
    struct gen_item items[ITEMS_MAX];
    uint32_t n_items;
    struct buf yaml;
};

struct gen_event {
    struct ref_field fields[FIELDS_MAX];
    char *names[FIELDS_MAX];
    int near[FIELDS_MAX]; /* rule * ITEMS_MAX + item + 1 when this value is its near miss */
    uint32_t n;
    struct buf json;
};

/* The second half: each name with one edit, for near misses of presence. */
static const char *const field_names[] = {
    "Image", "CommandLine",  "User",  "a.b", "a.c.d", "Data",  "n",
    "Imag",  "CommandLine1", "Users", "ab",  "a.c_d", "DataS", "N"};
enum { FIELD_COUNT = 7 };

static uint64_t seed_state;

static uint32_t pick(uint32_t n)
{
    seed_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = seed_state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % n);
}

static bool chance(uint32_t percent)
{
    return pick(100) < percent;
}

static void add(struct text *t, const char *s)
{
    size_t n = strlen(s);
    if (n > TEXT_MAX - 1 - t->len) return;
    memcpy(t->at + t->len, s, n + 1);
    t->len += n;
}

static struct slice text_slice(const struct text *t)
{
    return slice_make(t->at, t->len);
}

/* One character; wide: also letters outside ASCII and the two that must not fold into it. */
static const char *character(bool wide)
{
    static const char *const narrow[] = {"a", "b", "c", "A", "B", "k", "s", "S", "-", "/", "\\",
                                         " ", ".", "1", "2", "x", "_", "K", "e", "%", "Z"};
    static const char *const more[] = {"å", "Å", "ö", "ß", "ẞ", "Σ",  "ς", "\xe2\x84\xaa", "ſ",
                                       "İ", "–", "—", "Ⱥ", "ⱥ", "日", "😀", "\t",           "\""};
    return wide && chance(25) ? more[pick(18)] : narrow[pick(21)];
}

static void word(struct text *t, uint32_t min, uint32_t max, bool wide)
{
    uint32_t n = min + pick(max - min + 1);
    for (uint32_t i = 0; i < n; i++) add(t, character(wide));
}

static void plain_word(struct text *t, uint32_t min, uint32_t max)
{
    static const char *const letters[] = {"a", "b", "c", "d", "K", "s", "7", "Z"};
    uint32_t n = min + pick(max - min + 1);
    for (uint32_t i = 0; i < n; i++) add(t, letters[pick(8)]);
}

/* Longer than what is read at once, with a character that JSON escapes here and there. */
static void path_word(struct text *t)
{
    uint32_t n = 2 + pick(3);
    for (uint32_t i = 0; i < n; i++) {
        add(t, "\\");
        plain_word(t, 2, 6);
    }
}

/* The characters of s with the letters' case changed at random (only simple pairs). */
static struct text recase(const struct text *s)
{
    struct text out = {0};
    for (size_t i = 0; i < s->len;) {
        uint32_t cp;
        unsigned n = utf8_decode(text_slice(s), i, &cp);
        char c[5] = {0};
        if (n <= 1) {
            c[0] = s->at[i];
            bool letter = (c[0] >= 'a' && c[0] <= 'z') || (c[0] >= 'A' && c[0] <= 'Z');
            if (letter && chance(40)) c[0] = (char)(c[0] ^ 0x20);
            n = 1;
        } else {
            (void)utf8_encode(c, chance(40) ? utf8_fold_cp(cp) : cp);
        }
        add(&out, c);
        i += n;
    }
    return out;
}

/* A Sigma value that means exactly this text. */
static struct text escaped(const struct text *s)
{
    struct text out = {0};
    for (size_t i = 0; i < s->len; i++) {
        char c[3] = {s->at[i], 0, 0}, next = i + 1 < s->len ? s->at[i + 1] : 0;
        bool must = c[0] == '*' || c[0] == '?' ||
                    (c[0] == '\\' && (next == '*' || next == '?' || next == '\\' || next == 0));
        if (must) c[1] = c[0], c[0] = '\\';
        add(&out, c);
    }
    return out;
}

static struct text edit(const struct text *s)
{
    struct text out = {0};
    size_t chars[TEXT_MAX], n = 0;
    for (size_t i = 0; i < s->len; i += utf8_step(text_slice(s), i)) chars[n++] = i;
    chars[n] = s->len;
    if (n == 0) {
        add(&out, character(false));
        return out;
    }
    size_t at = pick((uint32_t)n);
    uint32_t what = pick(3);
    for (size_t i = 0; i < n; i++) {
        char c[8] = {0};
        memcpy(c, s->at + chars[i], chars[i + 1] - chars[i]);
        if (i != at) add(&out, c);
        else if (what == 0) add(&out, character(false)), add(&out, c);
        else if (what == 1) add(&out, character(true));
    }
    return out;
}

static void noise_around(struct text *t, bool before, bool after, bool wide)
{
    struct text core = *t;
    *t = (struct text){0};
    if (before) word(t, 0, 6, wide);
    add(t, core.at);
    if (after) word(t, 0, 6, wide);
}

/* Sometimes a list of two patterns that differ in nothing but their wildcards. */
static void wildcard_value(struct gen_item *it)
{
    uint32_t parts = 2 + pick(3);
    it->n_values = chance(30) ? 2 : 1;
    bool second = it->n_values == 2 && chance(50); /* is what the witness satisfies */
    for (uint32_t i = 0; i < parts; i++) {
        struct text lit = {0};
        word(&lit, i == 0 || i + 1 == parts ? 0 : 1, 3, true);
        struct text esc = escaped(&lit);
        /* A backslash before a wildcard would escape it. */
        if (esc.len && esc.at[esc.len - 1] == '\\' && i + 1 < parts &&
            !(esc.len > 1 && esc.at[esc.len - 2] == '\\'))
            add(&esc, "\\");
        for (uint32_t v = 0; v < it->n_values; v++) add(&it->values[v], esc.at);
        struct text r = recase(&lit);
        add(&it->witness, r.at);
        if (i + 1 == parts) break;
        bool star = chance(50);
        for (uint32_t v = 0; v < it->n_values; v++)
            add(&it->values[v], star == (v == 0) ? "*" : "?");
        if (star != second) word(&it->witness, 0, 4, true);
        else add(&it->witness, character(true));
    }
}

static void base64_text(struct text *out, const char *in, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) v = v << 8 | (i + k < n ? (unsigned char)in[i + k] : 0);
        char c[5] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                     i + 2 < n ? digits[v & 63] : '=', 0};
        add(out, c);
    }
}

static void encoded_value(struct gen_item *it)
{
    struct text v = {0};
    plain_word(&v, 3, 8);
    it->values[0] = v;
    char bytes[64];
    size_t n = 0;
    bool offset =
        it->construct == C_OFFSET || it->construct == C_WIDE_OFFSET || it->construct == C_UTF16BE;
    bool wide = it->construct != C_BASE64 && it->construct != C_OFFSET;
    uint32_t lead = offset ? pick(3) : 0;
    for (uint32_t i = 0; i < lead; i++) bytes[n++] = 'q';
    if (it->construct == C_UTF16BOM) bytes[n++] = (char)0xff, bytes[n++] = (char)0xfe;
    for (size_t i = 0; i < v.len; i++) {
        if (it->construct == C_UTF16BE) bytes[n++] = 0;
        bytes[n++] = v.at[i];
        if (wide && it->construct != C_UTF16BE) bytes[n++] = 0;
    }
    if (it->construct == C_UTF16LE) {
        memcpy(it->witness.at, bytes, n);
        it->witness.len = n;
        return;
    }
    if (offset) bytes[n++] = 'q', bytes[n++] = 'q';
    base64_text(&it->witness, bytes, n);
}

static void regex_value(struct gen_item *it)
{
    struct text a = {0}, b = {0};
    plain_word(&a, 1, 4);
    plain_word(&b, 1, 4);
    struct text *v = &it->values[0], *w = &it->witness;
    bool insensitive = it->construct == C_RE_I;
    switch (pick(6)) {
    case 0:
        add(v, a.at), add(v, "[0-9]+"), add(v, b.at);
        add(w, a.at), add(w, "42"), add(w, b.at);
        break;
    case 1:
        add(v, "(?:"), add(v, a.at), add(v, "|"), add(v, b.at), add(v, ")\\.x?");
        add(w, chance(50) ? a.at : b.at), add(w, "."), add(w, chance(50) ? "x" : "");
        break;
    case 2:
        add(v, "^"), add(v, a.at), add(v, ".*"), add(v, b.at), add(v, "$");
        add(w, a.at), add(w, it->construct == C_RE_S ? "\n" : "--"), add(w, b.at);
        break;
    case 3:
        add(v, a.at), add(v, "{1,3}\\s+("), add(v, b.at), add(v, ")?");
        add(w, a.at), add(w, " "), add(w, b.at);
        break;
    case 4:
        add(v, "^"), add(v, a.at), add(v, "$");
        if (it->construct == C_RE_M) add(w, "x\n"), add(w, a.at), add(w, "\ny");
        else add(w, a.at);
        break;
    default:
        add(v, "["), add(v, a.at), add(v, "]{2}[^"), add(v, b.at), add(v, "]");
        for (int i = 0; i < 2; i++) {
            char c[2] = {a.at[pick((uint32_t)a.len)], 0};
            add(w, c);
        }
        add(w, "!");
        break;
    }
    if (insensitive) *w = recase(w);
    if (chance(30) && v->at[0] != '^') noise_around(w, true, true, true);
}

static void network_value(struct gen_item *it)
{
    char net[64], val[64];
    if (it->construct == C_CIDR4) {
        uint32_t bits = chance(20) ? pick(33) : 8 * (1 + pick(4));
        uint32_t addr = pick(UINT32_MAX), mask = bits ? ~UINT32_C(0) << (32 - bits) : 0;
        uint32_t base = addr & mask;
        snprintf(net, sizeof net, "%u.%u.%u.%u/%u", base >> 24, base >> 16 & 255, base >> 8 & 255,
                 base & 255, bits);
        uint32_t in = base | (pick(UINT32_MAX) & ~mask);
        snprintf(val, sizeof val, "%u.%u.%u.%u", in >> 24, in >> 16 & 255, in >> 8 & 255, in & 255);
    } else {
        uint32_t a = pick(0xffff) + 1, b = pick(0xffff) + 1;
        snprintf(net, sizeof net, "%x:%x::/%u", a, b & 0xfff0, 28u);
        snprintf(val, sizeof val, "%x:%x::%x", a, (b & 0xfff0) | pick(16), pick(0xffff) + 1);
    }
    add(&it->values[0], net);
    add(&it->witness, val);
}

static void time_value(struct gen_item *it)
{
    char stamp[64], number[16];
    struct tm tm = {.tm_year = 120 + (int)pick(8),
                    .tm_mon = (int)pick(12),
                    .tm_mday = 1 + (int)pick(28),
                    .tm_hour = (int)pick(24),
                    .tm_min = (int)pick(60),
                    .tm_sec = (int)pick(60)};
    time_t t = timegm(&tm);
    gmtime_r(&t, &tm);
    strftime(stamp, sizeof stamp, chance(50) ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &tm);
    add(&it->witness, stamp);
    char week[8];
    strftime(week, sizeof week, "%V", &tm);
    int v = it->construct == C_MINUTE  ? tm.tm_min
            : it->construct == C_HOUR  ? tm.tm_hour - (int)pick(2)
            : it->construct == C_DAY   ? tm.tm_mday
            : it->construct == C_WEEK  ? (int)strtol(week, NULL, 10)
            : it->construct == C_MONTH ? tm.tm_mon + 2
                                       : tm.tm_year + 1900;
    snprintf(number, sizeof number, "%d", v < 0 ? 0 : v);
    add(&it->values[0], number);
}

static void number_value(struct gen_item *it)
{
    char want[24], have[24];
    int v = (int)pick(2000) - 200, w = v;
    switch (it->construct) {
    case C_LT:
        w = v - 1 - (int)pick(3);
        break;
    case C_LTE:
        w = v - (int)pick(2);
        break;
    case C_GT:
        w = v + 1 + (int)pick(3);
        break;
    case C_GTE:
        w = v + (int)pick(2);
        break;
    default:
        break;
    }
    snprintf(want, sizeof want, "%d", v);
    snprintf(have, sizeof have, it->construct == C_NUMBER && chance(20) ? "%d.0" : "%d", w);
    it->type = strchr(have, '.') || chance(60) ? REF_NUMBER : REF_STRING;
    add(&it->values[0], want);
    add(&it->witness, have);
}

static void string_value(struct gen_item *it)
{
    bool cased = it->construct == C_EQ_CASED || it->construct == C_CON_CASED ||
                 it->construct == C_STA_CASED || it->construct == C_END_CASED;
    bool long_list = it->construct == C_LONG_LIST || it->construct == C_LONG_ENDS;
    bool list = it->construct == C_LIST || it->construct == C_CON_ALL || it->construct == C_KEY_ALL;
    it->n_values = long_list ? 5 + pick(5) : list ? 2 + pick(2) : 1;
    bool before = false, after = false;
    switch (it->construct) {
    case C_CONTAINS:
    case C_CON_CASED:
    case C_CON_ALL:
    case C_LONG_LIST:
    case C_KEYWORD:
    case C_KEY_ALL:
    case C_WINDASH:
        before = after = true;
        break;
    case C_STARTS:
    case C_STA_CASED:
        after = true;
        break;
    case C_ENDS:
    case C_END_CASED:
    case C_LONG_ENDS:
        before = true;
        break;
    default:
        break;
    }
    struct text lits[10] = {0};
    for (uint32_t i = 0; i < it->n_values; i++) {
        if (it->construct == C_WINDASH) {
            add(&lits[i], " -");
            plain_word(&lits[i], 1, 3);
        } else if (chance(15)) {
            path_word(&lits[i]);
        } else {
            word(&lits[i], 1, chance(20) ? 14 : 5, true);
        }
        it->values[i] = escaped(&lits[i]);
    }
    if (it->construct == C_CON_ALL || it->construct == C_KEY_ALL) {
        for (uint32_t i = 0; i < it->n_values; i++) {
            struct text r = recase(&lits[i]);
            add(&it->witness, r.at);
            word(&it->witness, 0, 2, true);
        }
    } else {
        const struct text *l = &lits[pick(it->n_values)];
        it->witness = cased ? *l : recase(l);
        if (it->construct == C_WINDASH && chance(50)) {
            static const char *const dashes[] = {" /", " –", " —", " ―"};
            struct text w = {0};
            add(&w, dashes[pick(4)]);
            add(&w, it->witness.at + 2);
            it->witness = w;
        }
    }
    noise_around(&it->witness, before, after, true);
}

static void make_item(struct gen_item *it)
{
    *it = (struct gen_item){.construct = (enum construct)pick(C_COUNT),
                            .field = (int)pick(FIELD_COUNT),
                            .n_values = 1,
                            .has_witness = true};
    switch (it->construct) {
    case C_WILDCARD:
        wildcard_value(it);
        break;
    case C_EMPTY:
        break;
    case C_NULL_VALUE:
        it->type = REF_NULL;
        add(&it->witness, "null");
        break;
    case C_EXISTS_YES:
        add(&it->values[0], "true");
        word(&it->witness, 0, 3, true);
        break;
    case C_EXISTS_NO:
        add(&it->values[0], "false");
        it->has_witness = false;
        break;
    case C_NUMBER:
    case C_LT:
    case C_LTE:
    case C_GT:
    case C_GTE:
        number_value(it);
        break;
    case C_BASE64:
    case C_OFFSET:
    case C_WIDE_OFFSET:
    case C_UTF16LE:
    case C_UTF16BE:
    case C_UTF16BOM:
        encoded_value(it);
        break;
    case C_RE:
    case C_RE_I:
    case C_RE_M:
    case C_RE_S:
        regex_value(it);
        break;
    case C_MINUTE:
    case C_HOUR:
    case C_DAY:
    case C_WEEK:
    case C_MONTH:
    case C_YEAR:
        time_value(it);
        break;
    case C_CIDR4:
    case C_CIDR6:
        network_value(it);
        break;
    case C_FIELDREF:
    case C_REF_START:
    case C_REF_END:
    case C_REF_IN:
    case C_REF_NEQ:
        it->other_field = (int)pick(FIELD_COUNT);
        add(&it->values[0], field_names[it->other_field]);
        word(&it->other, 1, 4, true);
        it->witness = recase(&it->other);
        noise_around(&it->witness, it->construct == C_REF_END || it->construct == C_REF_IN,
                     it->construct == C_REF_START || it->construct == C_REF_IN, true);
        break;
    default:
        string_value(it);
        break;
    }
}

static void yaml_scalar(struct buf *y, const struct gen_item *it, const struct text *v)
{
    bool bare = it->construct == C_NUMBER || it->construct == C_EXISTS_YES ||
                it->construct == C_EXISTS_NO || it->construct == C_NULL_VALUE ||
                (it->construct >= C_LT && it->construct <= C_YEAR);
    if (it->construct == C_NULL_VALUE) buf_puts(y, "null");
    else if (bare) buf_put(y, text_slice(v));
    else json_write_string(y, text_slice(v)); /* a YAML double-quoted scalar */
}

static void yaml_item(struct buf *y, const struct gen_item *it)
{
    bool keyword = it->construct == C_KEYWORD || it->construct == C_KEY_ALL;
    if (it->construct == C_KEYWORD) {
        for (uint32_t i = 0; i < it->n_values; i++) {
            buf_puts(y, "    - ");
            yaml_scalar(y, it, &it->values[i]);
            buf_putc(y, '\n');
        }
        return;
    }
    buf_printf(y, "      \"%s%s\":", keyword ? "" : field_names[it->field],
               construct_modifiers[it->construct]);
    if (it->n_values == 1) {
        buf_putc(y, ' ');
        yaml_scalar(y, it, &it->values[0]);
        buf_putc(y, '\n');
        return;
    }
    buf_putc(y, '\n');
    for (uint32_t i = 0; i < it->n_values; i++) {
        buf_puts(y, "        - ");
        yaml_scalar(y, it, &it->values[i]);
        buf_putc(y, '\n');
    }
}

/* The same key twice in one map is refused, so a clash starts a new search. */
static bool clashes(const struct gen_rule *r, uint32_t from, const struct gen_item *it)
{
    for (uint32_t i = from; i < r->n_items; i++)
        if (r->items[i].field == it->field &&
            !strcmp(construct_modifiers[r->items[i].construct], construct_modifiers[it->construct]))
            return true;
    return false;
}

static void make_rule(struct gen_rule *r, uint32_t number)
{
    static const char *const conditions[][3] = {
        {"s0", "not s0", "1 of s*"},
        {"s0 and s1", "s0 or s1", "s0 and not s1"},
        {"(s0 or s1) and not s2", "all of them", "s0 and not 1 of s*1 or s2"},
    };
    uint32_t searches = chance(50) ? 1 : 2 + pick(2);
    r->n_items = 0;
    buf_clear(&r->yaml);
    buf_printf(&r->yaml,
               "title: generated %u\nid: 00000000-0000-4000-8000-%012u\n"
               "logsource:\n  product: windows\ndetection:\n",
               number, number);
    for (uint32_t s = 0; s < searches; s++) {
        uint32_t n = chance(60) ? 1 : 2, from = r->n_items;
        buf_printf(&r->yaml, "  s%u:\n", s);
        for (uint32_t i = 0; i < n && r->n_items < ITEMS_MAX; i++) {
            struct gen_item *it = &r->items[r->n_items];
            make_item(it);
            bool alone = it->construct == C_KEYWORD || it->construct == C_KEY_ALL;
            if (alone && r->n_items > from) break;
            if (clashes(r, from, it)) break;
            if (!alone && r->n_items == from) buf_puts(&r->yaml, "    -\n");
            if (it->construct == C_KEY_ALL) buf_puts(&r->yaml, "    -\n");
            if (!alone && r->n_items > from && chance(30)) buf_puts(&r->yaml, "    -\n");
            yaml_item(&r->yaml, it);
            r->n_items++;
            if (alone) break;
        }
    }
    const char *condition =
        conditions[searches - 1][searches == 1 ? (chance(70) ? 0 : 1 + pick(2)) : pick(3)];
    buf_printf(&r->yaml, "  condition: %s\n", condition);
}

static void put_field(struct gen_event *ev, struct arena *a, int field, enum ref_type type,
                      const struct text *value, int near)
{
    if (ev->n == FIELDS_MAX) return;
    ev->near[ev->n] = near;
    ev->fields[ev->n++] =
        (struct ref_field){slice_of(field_names[field]), type, arena_dup(a, text_slice(value))};
}

static bool is_time(const struct gen_item *it)
{
    return it->construct >= C_MINUTE && it->construct <= C_YEAR;
}

/* Another digit somewhere in YYYY-MM-DD HH:MM. */
static struct text edit_digit(const struct text *s)
{
    struct text out = *s;
    size_t at = 2 + pick(14); /* the century stays: nanoseconds reach from 1678 to 2262 */
    if (out.at[at] >= '0' && out.at[at] <= '9') out.at[at] = (char)('0' + pick(10));
    return out;
}

/* Presence and null are missed by another name, a null, or a value that only looks like one. */
static bool near_presence(struct gen_event *ev, struct arena *a, const struct gen_item *it,
                          int near)
{
    struct text v = {0};
    switch (it->construct) {
    case C_EXISTS_YES:
        add(&v, "x");
        put_field(ev, a, it->field + FIELD_COUNT, REF_STRING, &v, near);
        return true;
    case C_EXISTS_NO:
        add(&v, "null");
        put_field(ev, a, it->field, REF_NULL, &v, near);
        return true;
    case C_NULL_VALUE:
        add(&v, chance(50) ? "null" : "");
        put_field(ev, a, it->field, REF_STRING, &v, near);
        return true;
    default:
        return false;
    }
}

/* One more value that, decoded, is what JSON writes for a value there is. */
static void put_json_twin(struct gen_event *ev, struct arena *a)
{
    if (ev->n == 0 || ev->n == FIELDS_MAX) return;
    struct ref_field twin = ev->fields[pick(ev->n)];
    struct buf json;
    if (twin.type != REF_STRING) return;
    buf_init(&json, 8 * TEXT_MAX);
    json_write_string(&json, twin.text);
    twin.text = arena_dup(a, slice_make(json.ptr + 1, json.len - 2));
    ev->near[ev->n] = 0;
    ev->fields[ev->n++] = twin;
    buf_done(&json);
}

static void make_event(struct gen_event *ev, struct arena *a, const struct gen_rule *rules)
{
    arena_reset(a);
    ev->n = 0;
    uint32_t take = 1 + pick(RULES);
    for (uint32_t r = 0; r < RULES; r++) {
        if (pick(RULES) > take) continue;
        for (uint32_t i = 0; i < rules[r].n_items; i++) {
            const struct gen_item *it = &rules[r].items[i];
            if (chance(20)) continue;
            /* Another item often gives the field, and then its presence is not missed after all. */
            if (chance(it->construct == C_EXISTS_YES ? 60 : 30) &&
                near_presence(ev, a, it, (int)(r * ITEMS_MAX + i + 1)))
                continue;
            if (!it->has_witness) continue;
            bool near = chance(33) && it->type != REF_NULL;
            struct text v = !near         ? it->witness
                            : is_time(it) ? edit_digit(&it->witness)
                                          : edit(&it->witness);
            enum ref_type type = it->type;
            double unused;
            if (type == REF_NUMBER &&
                (!slice_to_double(text_slice(&v), &unused) || v.at[0] == '.' || v.at[0] == '+' ||
                 v.at[v.len - 1] == '.' || v.at[0] == '0' ||
                 (v.at[0] == '-' && (v.at[1] == '0' || v.at[1] == '.')) || strchr(v.at, 'e')))
                type = REF_STRING;
            if (it->construct == C_NEQ) near = !near; /* what is equal just misses */
            put_field(ev, a, it->field, type, &v, near ? (int)(r * ITEMS_MAX + i + 1) : 0);
            if (it->other.len && chance(85))
                put_field(ev, a, it->other_field, REF_STRING, &it->other, 0);
        }
    }
    if (chance(50)) {
        struct text v = {0};
        word(&v, 0, 10, true);
        put_field(ev, a, (int)pick(FIELD_COUNT), REF_STRING, &v, 0);
    }
    if (chance(20)) put_json_twin(ev, a);
}

static void json_string(struct buf *out, struct slice s)
{
    if (chance(70)) {
        json_write_string(out, s);
        return;
    }
    buf_putc(out, '"'); /* everything that can be is written as an escape */
    for (size_t i = 0; i < s.len;) {
        uint32_t cp;
        unsigned n = utf8_decode(s, i, &cp);
        if (n == 0) cp = 0xfffd, n = 1;
        if (cp >= 0x10000)
            buf_printf(out, "\\u%04x\\u%04X", 0xd800 + ((cp - 0x10000) >> 10),
                       0xdc00 + (cp & 0x3ff));
        else buf_printf(out, chance(50) ? "\\u%04x" : "\\u%04X", cp);
        i += n;
    }
    buf_putc(out, '"');
}

/* Values of one name become an array; dotted names are written flat or nested. */
static void write_event(struct gen_event *ev)
{
    struct buf *out = &ev->json;
    buf_clear(out);
    buf_putc(out, '{');
    for (int f = 0; f < 2 * FIELD_COUNT; f++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < ev->n; i++) n += ev->fields[i].name.ptr == field_names[f];
        if (n == 0) continue;
        if (out->len > 1) buf_putc(out, ',');
        int closes = 0;
        bool nested = chance(50);
        buf_putc(out, '"');
        for (const char *c = field_names[f]; *c; c++) {
            if (*c == '.' && nested) buf_puts(out, "\":{\""), closes++;
            else buf_putc(out, *c);
        }
        buf_puts(out, n > 1 ? "\":[" : "\": ");
        bool first = true;
        for (uint32_t i = 0; i < ev->n; i++) {
            if (ev->fields[i].name.ptr != field_names[f]) continue;
            if (!first) buf_putc(out, ',');
            first = false;
            if (ev->fields[i].type == REF_STRING) json_string(out, ev->fields[i].text);
            else buf_put(out, ev->fields[i].text);
        }
        if (n > 1) buf_putc(out, ']');
        while (closes--) buf_putc(out, '}');
    }
    buf_puts(out, "}\n");
}

struct run {
    struct engine *engine;
    struct sigma_set *set;
    bool holds[RULES];
    uint32_t events;
};

static int on_event(void *ctx, struct event *ev)
{
    struct run *run = ctx;
    struct engine_result result;
    memset(run->holds, 0, sizeof run->holds);
    if (engine_match(run->engine, ev, &result) < 0) abort();
    for (uint32_t i = 0; i < result.n_hits; i++) run->holds[result.hits[i].rule->index] = true;
    run->events++;
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx, (void)offset, (void)record;
    fprintf(stderr, "generated event refused: %s\n", reason);
    abort();
}

static bool no_memo; /* alternates, so that both ways are compared */

static struct run run_new(struct taxonomy *taxonomy, struct buf *yaml)
{
    struct run run = {.set = sigma_set_new()};
    const struct sigma_set_options options = {0};
    if (sigma_set_add_text(run.set, "generated.yml", buf_slice(yaml), &options) < 0 ||
        sigma_set_finish(run.set) < 0)
        abort();
    for (uint32_t i = 0; i < run.set->n_refusals; i++)
        if (!run.set->refusals[i].warning) {
            const struct diag *d = &run.set->refusals[i].diag;
            fprintf(stderr, "generated rule refused: %u:%u: %s\n%.*s\n", d->line, d->column,
                    d->message, SLICE_FMT(buf_slice(yaml)));
            exit(2);
        }
    struct engine_options any = {.any_logsource = true, .no_memo = no_memo};
    run.engine = engine_new(run.set, taxonomy, &any);
    return run;
}

static void run_done(struct run *run)
{
    engine_free(run->engine);
    sigma_set_free(run->set);
}

static void run_event(struct run *run, struct slice json)
{
    struct decoder_out out = {run, on_event, on_bad};
    struct decoder *d = decoder_json.open(&out, engine_keys(run->engine));
    run->events = 0;
    if (decoder_json.feed(d, json) < 0 || decoder_json.finish(d) < 0 || run->events != 1) abort();
    decoder_json.close(d);
    engine_housekeep(run->engine);
    /* As when a sender invents names without end. */
    if (chance(2)) keys_clear(engine_keys(run->engine));
}

/* Whether rule text alone and this event disagree. */
static bool disagrees(struct taxonomy *taxonomy, const struct gen_rule *rule, struct gen_event *ev)
{
    struct buf yaml;
    buf_init(&yaml, 1 << 20);
    buf_put(&yaml, buf_slice(&rule->yaml));
    struct run run = run_new(taxonomy, &yaml);
    run_event(&run, buf_slice(&ev->json));
    struct ref_event ref = {.fields = ev->fields, .n = ev->n};
    bool bad = run.holds[0] != (ref_evaluate(run.set->rules[0]->doc, &ref) == 1);
    run_done(&run);
    buf_done(&yaml);
    return bad;
}

static void report(struct taxonomy *taxonomy, const struct gen_rule *rule, struct gen_event *ev,
                   bool engine, uint64_t seed)
{
    bool alone = disagrees(taxonomy, rule, ev);
    for (uint32_t i = 0; alone && i < ev->n;) { /* drop what is not needed */
        struct ref_field gone = ev->fields[i];
        memmove(&ev->fields[i], &ev->fields[i + 1], (ev->n - i - 1) * sizeof *ev->fields);
        ev->n--;
        write_event(ev);
        if (disagrees(taxonomy, rule, ev)) continue;
        memmove(&ev->fields[i + 1], &ev->fields[i], (ev->n - i) * sizeof *ev->fields);
        ev->fields[i++] = gone;
        ev->n++;
        write_event(ev);
    }
    printf("disagreement (batch seed %llu%s): the engine says %s\n%.*s%.*s",
           (unsigned long long)seed, alone ? "" : ", only together with the other rules",
           engine ? "match" : "no match", SLICE_FMT(buf_slice(&rule->yaml)),
           SLICE_FMT(buf_slice(&ev->json)));
}

struct tally {
    uint64_t pairs, matches;
    uint64_t item_matches[C_COUNT], item_near[C_COUNT];
};

static bool is_near_miss(const struct gen_event *ev, uint32_t rule, uint32_t item)
{
    for (uint32_t f = 0; f < ev->n; f++)
        if (ev->near[f] == (int)(rule * ITEMS_MAX + item + 1)) return true;
    return false;
}

/* How often each construct held and was nearly true, over the items of one rule. */
static void count_items(struct tally *t, const struct gen_rule *rule, uint32_t number,
                        const struct sigma_detection *d, const struct gen_event *ev)
{
    struct ref_event ref = {.fields = ev->fields, .n = ev->n};
    uint32_t item = 0;
    for (uint32_t s = 0; s < d->n_searches; s++)
        for (uint32_t m = 0; m < d->searches[s].n_maps; m++)
            for (uint32_t x = 0; x < d->searches[s].maps[m].n_items; x++, item++) {
                enum construct c = rule->items[item].construct;
                bool holds = ref_item_holds(&d->searches[s].maps[m].items[x], &ref);
                t->item_matches[c] += holds;
                t->item_near[c] += !holds && is_near_miss(ev, number, item);
            }
}

/* false: a disagreement, which was reported. */
static bool compare_event(struct tally *t, struct taxonomy *taxonomy, struct run *run,
                          const struct gen_rule *rules, struct gen_event *ev, uint64_t seed)
{
    write_event(ev);
    run_event(run, buf_slice(&ev->json));
    struct ref_event ref = {.fields = ev->fields, .n = ev->n};
    for (uint32_t i = 0; i < RULES; i++) {
        int r = ref_evaluate(run->set->rules[i]->doc, &ref);
        t->pairs++;
        t->matches += r == 1;
        if (r >= 0 && run->holds[i] == (r == 1)) continue;
        report(taxonomy, &rules[i], ev, run->holds[i], seed);
        return false;
    }
    for (uint32_t i = 0; i < RULES; i++)
        count_items(t, &rules[i], i, &run->set->rules[i]->doc->detection, ev);
    return true;
}

/* A dozen new rules against EVENTS new events. */
static bool compare_batch(struct tally *t, struct taxonomy *taxonomy, uint64_t seed)
{
    static struct gen_rule rules[RULES];
    static struct gen_event ev;
    struct arena arena;
    struct buf yaml;
    arena_init(&arena, 16 << 20);
    buf_init(&yaml, 1 << 20);
    buf_init(&ev.json, 1 << 20);
    seed_state = seed * UINT64_C(0x2545f4914f6cdd1d);
    no_memo = seed & 1;
    for (uint32_t i = 0; i < RULES; i++) {
        buf_init(&rules[i].yaml, 1 << 16);
        make_rule(&rules[i], i);
        if (i) buf_puts(&yaml, "---\n");
        buf_put(&yaml, buf_slice(&rules[i].yaml));
    }
    struct run run = run_new(taxonomy, &yaml);
    bool equal = true;
    for (uint32_t e = 0; e < EVENTS && equal; e++) {
        make_event(&ev, &arena, rules);
        equal = compare_event(t, taxonomy, &run, rules, &ev, seed);
    }
    run_done(&run);
    for (int i = 0; i < RULES; i++) buf_done(&rules[i].yaml);
    buf_done(&ev.json);
    buf_done(&yaml);
    arena_done(&arena);
    return equal;
}

/*
 * Prints the counts; false when a construct has fewer than `require` matches or near misses, or
 * when hardly anything matches.
 */
static bool print_table(const struct tally *t, uint64_t require)
{
    bool enough = require == 0 || t->matches * 10 >= t->pairs * 3;
    for (int c = 0; c < C_COUNT; c++) {
        bool few = t->item_matches[c] < require || t->item_near[c] < require;
        enough &= !few;
        printf("%-12s %10llu matches %10llu near misses%s\n", construct_names[c],
               (unsigned long long)t->item_matches[c], (unsigned long long)t->item_near[c],
               few ? "  TOO FEW" : "");
    }
    return enough;
}

int main(int argc, char **argv)
{
    uint64_t pairs = 200000, seed = 1, require = 0;
    bool table = false;
    for (int i = 1; i < argc; i++) {
        uint64_t *number = !strcmp(argv[i], "--pairs")     ? &pairs
                           : !strcmp(argv[i], "--seed")    ? &seed
                           : !strcmp(argv[i], "--require") ? &require
                                                           : NULL;
        if (!strcmp(argv[i], "--table")) table = true;
        else if (!number || ++i == argc || !slice_to_u64(slice_of(argv[i]), number)) {
            fprintf(stderr, "usage: differential [--pairs N] [--seed S] [--table] [--require N]\n");
            return 2;
        }
    }
    printf("# seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    static struct tally t;
    struct taxonomy *taxonomy = taxonomy_new();
    bool good = taxonomy != NULL;
    for (uint64_t batch = seed; good && t.pairs < pairs; batch++)
        good = compare_batch(&t, taxonomy, batch);
    taxonomy_free(taxonomy);
    if (!good) return 1;
    if (table || require) good = print_table(&t, require);
    printf("%llu pairs, %llu matches (%.1f %%), 0 differences\n", (unsigned long long)t.pairs,
           (unsigned long long)t.matches, 100.0 * (double)t.matches / (double)t.pairs);
    return good ? 0 : 1;
}
