/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Source: Sigma specification 2.1.0, appendix "Sigma Modifiers". Where it is silent (which dashes
 * windash exchanges, the offsets of base64offset, what the UTF-16 modifiers do with wildcards, that
 * neq negates the whole item) the meaning is that of pySigma 1.0, sigma/modifiers.py. Differences
 * from pySigma are named where they are.
 */
#include "detect/sigma/modifier.h"

#include "base/hint.h"
#include "base/utf8.h"
#include "detect/sigma/match.h"
#include "detect/sigma/placeholder.h"

/* Classes, one bit each: what a modifier is, and which ones may stand before it. */
enum {
    MOD_ALL = 1 << 0,
    MOD_NEQ = 1 << 1,
    MOD_CASED = 1 << 2,
    MOD_PLACE = 1 << 3, /* contains, startswith, endswith */
    MOD_DASH = 1 << 4,
    MOD_UTF16 = 1 << 5,
    MOD_BASE64 = 1 << 6,
    MOD_RE = 1 << 7,
    MOD_REFLAG = 1 << 8,
    MOD_COMPARE = 1 << 9,
    MOD_TIME = 1 << 10,
    MOD_CIDR = 1 << 11,
    MOD_REF = 1 << 12,
    MOD_EXISTS = 1 << 13,
    MOD_EXPAND = 1 << 14,
    MOD_ANY = (1 << 15) - 1,
    MOD_LINK = MOD_ALL | MOD_NEQ,
    MOD_TEXTUAL = MOD_LINK | MOD_CASED | MOD_EXPAND | MOD_DASH,
};

enum {
    TAKES_SCALAR = OPERAND_STRING | OPERAND_NUMBER | OPERAND_BOOL,
    TAKES_ANY = (1 << 10) - 1,
};

struct modifier {
    const char *name;
    unsigned is;      /* its class */
    unsigned follows; /* classes that may stand before it */
    unsigned needs;   /* class of which one must stand before it, or 0 */
    unsigned takes;   /* enum operand_kind */
    bool keyword;     /* also without a field */
    int arg;
    int (*apply)(struct modifying *m, const struct modifier *row, const struct operand *in,
                 struct operands *out);
    const char *text;  /* what it says about the value, for people */
    const char *order; /* what to do when it stands in the wrong place, or NULL */
};

static int refuse(struct modifying *m, int error, const char *why)
{
    return diag_set(m->diag, error, m->file, m->value->pos.line, m->value->pos.column, "%s", why);
}

static int refuse_size(struct modifying *m)
{
    if (arena_error(m->scratch) == ERR_NOMEM) return ERR_NOMEM;
    return refuse(m, ERR_LIMIT, "this value expands to more than a rule may hold");
}

static int push(struct modifying *m, struct operands *list, const struct operand *o)
{
    if (list->n == ALTERNATIVES_MAX)
        return refuse(m, ERR_LIMIT, "this value expands to more than 4096 alternatives");
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 4 : 1;
        struct operand *at = arena_zalloc(m->scratch, cap, sizeof *at);
        if (!at) return refuse_size(m);
        if (list->n) memcpy(at, list->at, list->n * sizeof *at);
        list->at = at;
        list->cap = cap;
    }
    list->at[list->n++] = *o;
    return 0;
}

/* Pushes `in` as a string with this pattern. */
static int push_string(struct modifying *m, struct operands *out, const struct operand *in,
                       struct pattern pattern)
{
    struct operand o = *in;
    if (arena_failed(m->scratch)) return refuse_size(m);
    o.kind = OPERAND_STRING;
    o.pattern = pattern;
    return push(m, out, &o);
}

static int apply_link(struct modifying *m, const struct modifier *row, const struct operand *in,
                      struct operands *out)
{
    if (row->is == MOD_ALL) m->all = true;
    if (row->is == MOD_NEQ) m->neq = true;
    if (row->is == MOD_CASED) m->cased = true;
    return push(m, out, in);
}

static int apply_place(struct modifying *m, const struct modifier *row, const struct operand *in,
                       struct operands *out)
{
    enum anchor anchor = (enum anchor)row->arg;
    if (in->kind == OPERAND_REF) {
        struct operand o = *in;
        o.anchor = anchor;
        return push(m, out, &o);
    }
    struct pattern_builder b;
    pattern_begin(&b, m->scratch, (size_t)in->pattern.n + 2, pattern_bytes(&in->pattern));
    if (anchor != ANCHOR_START) pattern_add(&b, PIECE_ANY, SLICE_NONE);
    pattern_add_all(&b, &in->pattern);
    if (anchor != ANCHOR_END) pattern_add(&b, PIECE_ANY, SLICE_NONE);
    return push_string(m, out, in, b.pattern);
}

/*
 * windash. pySigma exchanges what its regular expression \B[-/]\b finds: a dash behind a character
 * that is no word character (or at the start) and before one that is, so `-param-name` has one.
 * The specification names five characters, each standing for each other; pySigma looks for the
 * first two only, here all five are looked for. Wildcards and placeholders are no word characters.
 */
static const char *const dashes[] = {"-", "/", "\u2013", "\u2014", "\u2015"};
enum { N_DASHES = 5, DASHES_MAX = 5 /* places; 5^5 = 3125 alternatives */ };

/* Python's \w, short of its rarer letters: ASCII letters, digits, `_`, and letters beyond. */
static bool is_word(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
               cp == '_';
    if (cp < 0xC0) return cp == 0xAA || cp == 0xB5 || cp == 0xBA;
    return cp != 0xD7 && cp != 0xF7 && !(cp >= 0x2000 && cp <= 0x206F) &&
           !(cp >= 0x3000 && cp <= 0x303F);
}

static bool is_dash(uint32_t cp)
{
    return cp == '-' || cp == '/' || (cp >= 0x2013 && cp <= 0x2015);
}

struct dash {
    uint32_t piece;
    size_t at, len;
};

static uint32_t find_dashes(const struct pattern *p, struct dash *ret, uint32_t max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        struct slice s = p->pieces[i].text;
        bool behind_word = false;
        if (p->pieces[i].kind != PIECE_TEXT) continue;
        for (size_t at = 0; at < s.len && n < max;) {
            uint32_t cp, next;
            unsigned len = utf8_decode(s, at, &cp);
            if (len == 0) {
                at++;
                behind_word = false;
                continue;
            }
            if (is_dash(cp) && !behind_word && at + len < s.len &&
                utf8_decode(s, at + len, &next) && is_word(next))
                ret[n++] = (struct dash){i, at, len};
            behind_word = is_word(cp);
            at += len;
        }
    }
    return n;
}

static struct pattern with_dashes(struct arena *arena, const struct pattern *p,
                                  const struct dash *dash, uint32_t n, uint32_t choice)
{
    struct pattern_builder b;
    pattern_begin(&b, arena, (size_t)p->n + 1, pattern_bytes(p) + (size_t)n * 3);
    uint32_t d = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        struct slice s = p->pieces[i].text;
        size_t from = 0;
        for (; d < n && dash[d].piece == i; d++, choice /= N_DASHES) {
            pattern_add(&b, PIECE_TEXT, slice_make(s.ptr + from, dash[d].at - from));
            pattern_add(&b, PIECE_TEXT, slice_of(dashes[choice % N_DASHES]));
            from = dash[d].at + dash[d].len;
        }
        pattern_add(&b, p->pieces[i].kind, slice_from(s, from));
    }
    return b.pattern;
}

static int apply_windash(struct modifying *m, const struct modifier *row, const struct operand *in,
                         struct operands *out)
{
    struct dash dash[DASHES_MAX + 1];
    uint32_t n = find_dashes(&in->pattern, dash, DASHES_MAX + 1), choices = 1;
    if (n > DASHES_MAX)
        return refuse(m, ERR_LIMIT,
                      "windash: more than 5 dashes in one value (over 3125 variants)");
    for (uint32_t i = 0; i < n; i++) choices *= N_DASHES;
    for (uint32_t i = 0; i < choices; i++) {
        int r = push_string(m, out, in, with_dashes(m->scratch, &in->pattern, dash, n, i));
        if (r < 0) return r;
    }
    return 0;
}

enum utf16_form { UTF16_LE, UTF16_BE, UTF16_BOM };

static size_t put_utf16(char *to, uint32_t unit, bool big)
{
    to[big ? 0 : 1] = (char)(unit >> 8);
    to[big ? 1 : 0] = (char)(unit & 0xff);
    return 2;
}

static size_t to_utf16(char *to, struct slice s, bool big)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t cp;
        unsigned len = utf8_decode(s, at, &cp);
        if (len == 0) return SIZE_MAX;
        at += len;
        if (cp >= 0x10000) {
            n += put_utf16(to + n, 0xD800 + ((cp - 0x10000) >> 10), big);
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        n += put_utf16(to + n, cp, big);
    }
    return n;
}

/*
 * Text becomes its UTF-16 bytes. A star stays one, as in pySigma; a question mark, which stands for
 * one character, would stand for half of one. Unlike pySigma, text outside ASCII is allowed.
 */
static int apply_utf16(struct modifying *m, const struct modifier *row, const struct operand *in,
                       struct operands *out)
{
    if (pattern_has(&in->pattern, PIECE_ONE))
        return refuse(m, ERR_UNSUPPORTED, "a `?` wildcard cannot be encoded as UTF-16");
    struct pattern_builder b;
    pattern_begin(&b, m->scratch, (size_t)in->pattern.n + 1, 2 * pattern_bytes(&in->pattern) + 2);
    if (row->arg == UTF16_BOM) pattern_add(&b, PIECE_TEXT, SLICE("\xff\xfe"));
    for (uint32_t i = 0; i < in->pattern.n; i++) {
        const struct piece *p = &in->pattern.pieces[i];
        struct slice text = SLICE_NONE;
        if (p->kind == PIECE_TEXT) {
            char *to = arena_alloc(m->scratch, 2 * p->text.len);
            if (!to) return refuse_size(m);
            text = slice_make(to, to_utf16(to, p->text, row->arg == UTF16_BE));
            if (text.len == SIZE_MAX)
                return refuse(m, ERR_INVALID, "only UTF-8 text can be encoded as UTF-16");
        }
        pattern_add(&b, p->kind, text);
    }
    return push_string(m, out, in, b.pattern);
}

/* RFC 4648 section 4. `skip` bytes of zero stand in front; returns the length with padding. */
static size_t base64_encode(char *to, struct slice s, size_t skip)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0, len = s.len + skip;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = 0;
        for (size_t k = i; k < i + 3; k++) {
            uint32_t byte = k < skip || k >= len ? 0 : (unsigned char)s.ptr[k - skip];
            group = group << 8 | byte;
        }
        to[n++] = digits[group >> 18];
        to[n++] = digits[group >> 12 & 63];
        to[n++] = len - i > 1 ? digits[group >> 6 & 63] : '=';
        to[n++] = len - i > 2 ? digits[group & 63] : '=';
    }
    return n;
}

/*
 * base64, and base64offset: the value after 0, 1 and 2 unknown bytes, without the first digits
 * (0, 2, 3), which those bytes have a part in, and the last (0, 3, 2 by length modulo 3), in which
 * what follows has one. The result is text like any other: compared without case unless `cased`
 * is given, as pySigma's strings are.
 */
static int apply_base64(struct modifying *m, const struct modifier *row, const struct operand *in,
                        struct operands *out)
{
    static const uint8_t cut_start[3] = {0, 2, 3}, cut_end[3] = {0, 3, 2};
    bool offsets = row->arg != 0;
    if (pattern_has(&in->pattern, PIECE_ANY) || pattern_has(&in->pattern, PIECE_ONE))
        return refuse(m, ERR_INVALID, "wildcards cannot be encoded as base64");
    struct slice text = pattern_text(&in->pattern);
    if (text.len < (offsets ? 2u : 1u))
        return refuse(m, ERR_INVALID, "this value is too short to be searched for in base64");
    for (size_t skip = 0; skip < (offsets ? 3u : 1u); skip++) {
        char *to = arena_alloc(m->scratch, (text.len + skip + 2) / 3 * 4);
        if (!to) return refuse_size(m);
        struct slice s = slice_make(to, base64_encode(to, text, skip));
        if (offsets) {
            s = slice_until(s, s.len - cut_end[(text.len + skip) % 3]);
            s = slice_from(s, cut_start[skip]);
        }
        int r = push_string(m, out, in, pattern_plain(m->scratch, s));
        if (r < 0) return r;
    }
    return 0;
}

static int apply_re(struct modifying *m, const struct modifier *row, const struct operand *in,
                    struct operands *out)
{
    struct operand o = *in;
    o.kind = OPERAND_REGEX;
    return push(m, out, &o);
}

static int apply_reflag(struct modifying *m, const struct modifier *row, const struct operand *in,
                        struct operands *out)
{
    struct operand o = *in;
    o.regex_flags |= (unsigned)row->arg;
    return push(m, out, &o);
}

static int apply_compare(struct modifying *m, const struct modifier *row, const struct operand *in,
                         struct operands *out)
{
    struct operand o = *in;
    if (o.kind == OPERAND_NUMBER) o.kind = OPERAND_COMPARE;
    o.cmp = (enum sigma_cmp)row->arg;
    return push(m, out, &o);
}

static int apply_time(struct modifying *m, const struct modifier *row, const struct operand *in,
                      struct operands *out)
{
    struct operand o = *in;
    o.kind = OPERAND_TIME;
    o.part = (enum time_part)row->arg;
    o.cmp = CMP_EQ;
    return push(m, out, &o);
}

static int apply_exists(struct modifying *m, const struct modifier *row, const struct operand *in,
                        struct operands *out)
{
    struct operand o = *in;
    o.kind = OPERAND_EXISTS;
    o.flag = slice_eq_nocase(in->written, SLICE("true"));
    return push(m, out, &o);
}

/* A field's name, whose spaces are stripped as in the rule's own field names. */
static int apply_fieldref(struct modifying *m, const struct modifier *row, const struct operand *in,
                          struct operands *out)
{
    if (pattern_has(&in->pattern, PIECE_ANY) || pattern_has(&in->pattern, PIECE_ONE))
        return refuse(m, ERR_INVALID, "a field reference cannot contain wildcards");
    struct slice name = pattern_text(&in->pattern);
    struct pattern_builder b;
    pattern_begin(&b, m->scratch, 1, name.len);
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != ' ') pattern_add(&b, PIECE_TEXT, slice_make(name.ptr + i, 1));
    struct operand o = *in;
    o.kind = OPERAND_REF;
    o.anchor = ANCHOR_WHOLE;
    o.pattern = b.pattern;
    if (arena_failed(m->scratch)) return refuse_size(m);
    if (b.pattern.n == 0) return refuse(m, ERR_INVALID, "fieldref needs the name of a field");
    return push(m, out, &o);
}

/*
 * An address with a prefix length, or alone. Set bits behind the prefix are a mistake (as in
 * pySigma): 192.168.1.0/8 would otherwise silently mean all of 192. An IPv4-mapped network is the
 * IPv4 network, as addr_parse() makes of addresses.
 */
static int apply_cidr(struct modifying *m, const struct modifier *row, const struct operand *in,
                      struct operands *out)
{
    struct operand o = *in;
    if (pattern_has(&in->pattern, PIECE_ANY) || pattern_has(&in->pattern, PIECE_ONE))
        return refuse(m, ERR_INVALID, "a network cannot contain wildcards");
    const char *why = cidr_read(pattern_text(&in->pattern), &o.network);
    if (why) return refuse(m, ERR_INVALID, why);
    o.kind = OPERAND_CIDR;
    return push(m, out, &o);
}

/* The first placeholder's values, each followed by what the rest expands to. */
static int expand_from(struct modifying *m, const struct operand *in, struct operands *out)
{
    const struct pattern *p = &in->pattern;
    uint32_t k = 0;
    while (k < p->n && p->pieces[k].kind != PIECE_PLACEHOLDER) k++;
    if (k == p->n) return push(m, out, in);
    char shown[HINT_SHOW_SIZE];
    const struct placeholder *ph = placeholders_find(m->placeholders, p->pieces[k].text);
    if (!ph)
        return diag_set(m->diag, ERR_NOT_FOUND, m->file, m->value->pos.line, m->value->pos.column,
                        "placeholder %%%s%% has no values (give them with --placeholders FILE)",
                        hint_show(shown, p->pieces[k].text));
    for (uint32_t i = 0; i < ph->n_values; i++) {
        struct pattern value = pattern_parse(m->scratch, ph->values[i], false);
        size_t bytes = pattern_bytes(p) + pattern_bytes(&value);
        struct pattern_builder b;
        pattern_begin(&b, m->scratch, (size_t)p->n + value.n, bytes);
        for (uint32_t j = 0; j < p->n; j++) {
            if (j == k) pattern_add_all(&b, &value);
            else pattern_add(&b, p->pieces[j].kind, p->pieces[j].text);
        }
        struct operand o = *in;
        o.pattern = b.pattern;
        if (arena_failed(m->scratch)) return refuse_size(m);
        int r = expand_from(m, &o, out);
        if (r < 0) return r;
    }
    return 0;
}

enum { PLACEHOLDERS_IN_VALUE_MAX = 8 };

static int apply_expand(struct modifying *m, const struct modifier *row, const struct operand *in,
                        struct operands *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->pattern.n; i++)
        n += in->pattern.pieces[i].kind == PIECE_PLACEHOLDER;
    if (n > PLACEHOLDERS_IN_VALUE_MAX)
        return refuse(m, ERR_LIMIT, "more than 8 placeholders in one value");
    return expand_from(m, in, out);
}

static const char first_encode[] =
    "encode first and say where it stands last (base64offset|contains)";
static const char re_alone[] =
    "a regular expression is searched for anywhere; anchor it with ^ and $";
static const char alone[] = "it takes the value as it is written";
static const char part_first[] = "name the part first, then the comparison (hour|gte)";
static const char ref_first[] = "write fieldref first (fieldref|endswith)";
static const char dash_first[] =
    "exchange dashes before encoding (windash|wide|base64offset|contains)";

#define PLACE_FOLLOWS   (MOD_TEXTUAL | MOD_UTF16 | MOD_BASE64 | MOD_REF)
#define TIME_FOLLOWS    MOD_LINK
#define COMPARE_FOLLOWS (MOD_ALL | MOD_TIME)

static const struct modifier modifiers[] = {
    {"contains", MOD_PLACE, PLACE_FOLLOWS, 0, TAKES_SCALAR | OPERAND_REF, true, ANCHOR_INSIDE,
     apply_place, "the value stands anywhere in the field", NULL},
    {"startswith", MOD_PLACE, PLACE_FOLLOWS, 0, TAKES_SCALAR | OPERAND_REF, false, ANCHOR_START,
     apply_place, "the field starts with the value", NULL},
    {"endswith", MOD_PLACE, PLACE_FOLLOWS, 0, TAKES_SCALAR | OPERAND_REF, false, ANCHOR_END,
     apply_place, "the field ends with the value", NULL},
    {"all", MOD_ALL, MOD_ANY & ~(MOD_ALL | MOD_EXISTS), 0, TAKES_ANY, true, 0, apply_link,
     "every value of the list must match, not just one", NULL},
    {"exists", MOD_EXISTS, MOD_NEQ, 0, OPERAND_BOOL, false, 0, apply_exists,
     "the field is there (true) or not (false)", alone},
    {"cased", MOD_CASED, MOD_TEXTUAL | MOD_PLACE | MOD_UTF16 | MOD_BASE64 | MOD_REF, 0,
     TAKES_SCALAR | OPERAND_REF, true, 0, apply_link, "upper and lower case differ", NULL},
    {"neq", MOD_NEQ, MOD_ANY & ~(MOD_NEQ | MOD_COMPARE), 0, TAKES_ANY, false, 0, apply_link,
     "the field is not that (also when it is missing)", "a comparison says it already"},
    {"windash", MOD_DASH, MOD_TEXTUAL | MOD_PLACE, 0, OPERAND_STRING, true, 0, apply_windash,
     "- / and the longer dashes before a word mean the same", dash_first},
    {"base64", MOD_BASE64, MOD_TEXTUAL | MOD_UTF16 | MOD_BASE64, 0, OPERAND_STRING, true, 0,
     apply_base64, "the value's base64", first_encode},
    {"base64offset", MOD_BASE64, MOD_TEXTUAL | MOD_UTF16 | MOD_BASE64, 0, OPERAND_STRING, true, 1,
     apply_base64, "the value somewhere inside what was encoded as base64", first_encode},
    {"utf16le", MOD_UTF16, MOD_TEXTUAL | MOD_BASE64 | MOD_PLACE, 0, OPERAND_STRING, true, UTF16_LE,
     apply_utf16, "the value as UTF-16, low byte first", NULL},
    {"wide", MOD_UTF16, MOD_TEXTUAL | MOD_BASE64 | MOD_PLACE, 0, OPERAND_STRING, true, UTF16_LE,
     apply_utf16, "the same as utf16le", NULL},
    {"utf16be", MOD_UTF16, MOD_TEXTUAL | MOD_BASE64 | MOD_PLACE, 0, OPERAND_STRING, true, UTF16_BE,
     apply_utf16, "the value as UTF-16, high byte first", NULL},
    {"utf16", MOD_UTF16, MOD_TEXTUAL | MOD_BASE64, 0, OPERAND_STRING, true, UTF16_BOM, apply_utf16,
     "the value as UTF-16 with a byte order mark", first_encode},
    {"re", MOD_RE, MOD_LINK, 0, OPERAND_STRING, true, 0, apply_re,
     "the value is a regular expression (PCRE2)", alone},
    {"i", MOD_REFLAG, MOD_LINK | MOD_RE | MOD_REFLAG, MOD_RE, OPERAND_REGEX, true, REGEX_I,
     apply_reflag, "the expression ignores case", NULL},
    {"m", MOD_REFLAG, MOD_LINK | MOD_RE | MOD_REFLAG, MOD_RE, OPERAND_REGEX, true, REGEX_M,
     apply_reflag, "^ and $ match at every line", NULL},
    {"s", MOD_REFLAG, MOD_LINK | MOD_RE | MOD_REFLAG, MOD_RE, OPERAND_REGEX, true, REGEX_S,
     apply_reflag, "the dot matches line ends as well", NULL},
    {"lt", MOD_COMPARE, COMPARE_FOLLOWS, 0, OPERAND_NUMBER | OPERAND_TIME, false, CMP_LT,
     apply_compare, "the field is less", NULL},
    {"lte", MOD_COMPARE, COMPARE_FOLLOWS, 0, OPERAND_NUMBER | OPERAND_TIME, false, CMP_LTE,
     apply_compare, "the field is less or equal", NULL},
    {"gt", MOD_COMPARE, COMPARE_FOLLOWS, 0, OPERAND_NUMBER | OPERAND_TIME, false, CMP_GT,
     apply_compare, "the field is greater", NULL},
    {"gte", MOD_COMPARE, COMPARE_FOLLOWS, 0, OPERAND_NUMBER | OPERAND_TIME, false, CMP_GTE,
     apply_compare, "the field is greater or equal", NULL},
    {"minute", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_MINUTE, apply_time,
     "the minute of the field's time, 0 to 59", part_first},
    {"hour", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_HOUR, apply_time,
     "the hour of the field's time, 0 to 23", part_first},
    {"day", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_DAY, apply_time,
     "the day of the month of the field's time, 1 to 31", part_first},
    {"week", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_WEEK, apply_time,
     "the ISO week of the field's time, 1 to 53", part_first},
    {"month", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_MONTH, apply_time,
     "the month of the field's time, 1 to 12", part_first},
    {"year", MOD_TIME, TIME_FOLLOWS, 0, OPERAND_NUMBER, false, TIME_YEAR, apply_time,
     "the year of the field's time", part_first},
    {"cidr", MOD_CIDR, MOD_LINK | MOD_EXPAND, 0, OPERAND_STRING, false, 0, apply_cidr,
     "the field is an address in that network", alone},
    {"fieldref", MOD_REF, MOD_LINK | MOD_CASED, 0, OPERAND_STRING, false, 0, apply_fieldref,
     "the value names another field, whose value is compared", ref_first},
    {"expand", MOD_EXPAND, MOD_TEXTUAL | MOD_PLACE, 0, OPERAND_STRING | OPERAND_NUMBER, true, 0,
     apply_expand, "%name% stands for values given by the user", alone},
};

enum { N_MODIFIERS = sizeof modifiers / sizeof *modifiers };

bool modifier_describe(uint32_t i, const char **ret_name, const char **ret_text)
{
    if (i >= N_MODIFIERS) return false;
    *ret_name = modifiers[i].name;
    *ret_text = modifiers[i].text;
    return true;
}

static int refuse_item(struct modifying *m, int error, const char *name, const char *why)
{
    return diag_set(m->diag, error, m->file, m->item->pos.line, m->item->pos.column, "`%s` %s",
                    name, why);
}

static int find_row(struct modifying *m, struct slice name, const struct modifier **ret)
{
    struct hint hint;
    for (uint32_t i = 0; i < N_MODIFIERS; i++) {
        if (!slice_eq(slice_of(modifiers[i].name), name)) continue;
        *ret = &modifiers[i];
        return 0;
    }
    hint_init(&hint, name);
    for (uint32_t i = 0; i < N_MODIFIERS; i++) hint_offer(&hint, slice_of(modifiers[i].name));
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    return diag_set(m->diag, ERR_INVALID, m->file, m->item->pos.line, m->item->pos.column,
                    "unknown modifier `%s`%s", hint_show(shown, name), hint_text(&hint, text));
}

static int check_order(struct modifying *m, uint32_t k)
{
    const struct modifier *row = m->row[k];
    unsigned before = 0;
    for (uint32_t i = 0; i < k; i++) {
        const struct modifier *earlier = m->row[i];
        before |= earlier->is;
        if (row->follows & earlier->is) continue;
        const char *why = row->order;
        if (earlier == row) why = "it is given twice";
        else if (earlier->is == MOD_RE || earlier->is == MOD_REFLAG) why = re_alone;
        return diag_set(m->diag, ERR_INVALID, m->file, m->item->pos.line, m->item->pos.column,
                        "`%s` cannot follow `%s`%s%s", row->name, earlier->name, why ? ": " : "",
                        why ? why : "");
    }
    if (row->needs & ~before) return refuse_item(m, ERR_INVALID, row->name, "is only for `re`");
    return 0;
}

int modifier_begin(struct modifying *m, const struct sigma_item *item)
{
    m->item = item;
    m->n = 0;
    m->expand = m->all = m->neq = m->cased = false;
    if (item->n_modifiers > MODIFIERS_MAX)
        return diag_set(m->diag, ERR_LIMIT, m->file, item->pos.line, item->pos.column,
                        "more than %d modifiers", MODIFIERS_MAX);
    for (uint32_t k = 0; k < item->n_modifiers; k++) {
        int r = find_row(m, item->modifiers[k], &m->row[k]);
        if (r < 0) return r;
        m->n = k + 1;
        r = check_order(m, k);
        if (r < 0) return r;
        const struct modifier *row = m->row[k];
        if (item->field.len == 0 && !row->keyword)
            return refuse_item(m, ERR_INVALID, row->name, "needs a field");
        m->expand |= row->is == MOD_EXPAND;
    }
    bool all = false;
    for (uint32_t k = 0; k < m->n; k++) all |= m->row[k]->is == MOD_ALL;
    if (all && item->n_values < 2)
        return refuse_item(m, ERR_INVALID, "all", "needs a list of two or more values");
    return 0;
}

static const char *kind_name(enum operand_kind kind)
{
    switch (kind) {
    case OPERAND_STRING:
        return "a string";
    case OPERAND_NUMBER:
        return "a number";
    case OPERAND_BOOL:
        return "true or false";
    case OPERAND_NULL:
        return "null";
    case OPERAND_REGEX:
        return "a regular expression";
    case OPERAND_COMPARE:
        return "a comparison";
    case OPERAND_TIME:
        return "a part of a time";
    case OPERAND_CIDR:
        return "a network";
    case OPERAND_EXISTS:
        return "a test for presence";
    case OPERAND_REF:
        return "a field reference";
    }
    return "this";
}

static int refuse_kind(struct modifying *m, const struct modifier *row, enum operand_kind kind)
{
    const char *more = "";
    if (kind == OPERAND_STRING && row->takes & OPERAND_NUMBER)
        more = " (write numbers without quotes)";
    else if (kind == OPERAND_STRING && row->takes & OPERAND_BOOL)
        more = " (write true or false without quotes)";
    else if (kind & (OPERAND_NUMBER | OPERAND_BOOL) && row->takes & OPERAND_STRING)
        more = " (put it in quotes)";
    return diag_set(m->diag, ERR_INVALID, m->file, m->value->pos.line, m->value->pos.column,
                    "`%s` does not apply to %s%s", row->name, kind_name(kind), more);
}

bool number_read(struct slice text, double *ret, char buf[static 24], struct slice *ret_decimal)
{
    uint64_t n = 0;
    unsigned base = 10;
    struct slice digits = text;
    bool plus = text.len && text.ptr[0] == '+';
    *ret_decimal = SLICE("");
    if (slice_starts_with(text, SLICE("0x"))) base = 16;
    if (slice_starts_with(text, SLICE("0o"))) base = 8;
    if (base != 10) digits = slice_from(text, 2);
    else if (plus) digits = slice_from(text, 1);
    if (digits.len == 0) return false;
    bool integer = true;
    for (size_t i = 0; i < digits.len && integer; i++) {
        char c = digits.ptr[i];
        unsigned v = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 99;
        integer =
            v < base && !__builtin_mul_overflow(n, base, &n) && !__builtin_add_overflow(n, v, &n);
    }
    if (!integer && base != 10) return false;
    if (integer && (base != 10 || plus || (digits.len > 1 && digits.ptr[0] == '0'))) {
        int len = snprintf(buf, 24, "%llu", (unsigned long long)n);
        *ret_decimal = slice_make(buf, (size_t)len);
        *ret = (double)n;
        return true;
    }
    return slice_to_double(text, ret);
}

static int first_operand(struct modifying *m, const struct sigma_value *value, struct operand *ret)
{
    static const enum operand_kind kinds[] = {[YAML_STRING] = OPERAND_STRING,
                                              [YAML_NUMBER] = OPERAND_NUMBER,
                                              [YAML_BOOL] = OPERAND_BOOL,
                                              [YAML_NULL] = OPERAND_NULL};
    char buf[24];
    struct slice decimal;
    *ret = (struct operand){.kind = kinds[value->type], .written = value->text};
    if (value->type == YAML_STRING)
        ret->pattern = pattern_parse(m->scratch, value->text, m->expand);
    else ret->pattern = pattern_plain(m->scratch, value->text);
    if (arena_failed(m->scratch)) return refuse_size(m);
    /* .inf and .nan are numbers to YAML and text to everything here. */
    if (value->type == YAML_NUMBER && !number_read(value->text, &ret->num, buf, &decimal))
        ret->kind = OPERAND_STRING;
    return 0;
}

int modifier_apply(struct modifying *m, const struct sigma_value *value, struct operands *ret)
{
    struct operands list = {0};
    struct operand first;
    m->value = value;
    int r = first_operand(m, value, &first);
    if (r == 0) r = push(m, &list, &first);
    for (uint32_t k = 0; k < m->n && r == 0; k++) {
        const struct modifier *row = m->row[k];
        struct operands next = {0};
        for (uint32_t i = 0; i < list.n && r == 0; i++) {
            const struct operand *o = &list.at[i];
            r = row->takes & o->kind ? row->apply(m, row, o, &next) : refuse_kind(m, row, o->kind);
        }
        list = next;
    }
    if (r == 0) *ret = list;
    return r;
}
