/* SPDX-License-Identifier: EUPL-1.2 */
#include "yaml/quoted.h"

#include "base/utf8.h"

struct unquoting {
    struct slice in;
    size_t at;
    char *out;
    size_t n;
    size_t kept; /* blanks behind this much of the text go when the line ends */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The bytes of the line break at u->at: LF, CR LF, CR; 0 when there is none. */
static size_t break_length(const struct unquoting *u)
{
    if (u->at == u->in.len) return 0;
    if (u->in.ptr[u->at] == '\n') return 1;
    if (u->in.ptr[u->at] != '\r') return 0;
    return u->at + 1 < u->in.len && u->in.ptr[u->at + 1] == '\n' ? 2 : 1;
}

/* One break is a blank, or nothing when it is escaped; every empty line behind it is one break. */
static void fold_lines(struct unquoting *u, bool escaped)
{
    unsigned breaks = 0;
    for (size_t len; (len = break_length(u)) > 0; breaks++) {
        u->at += len;
        if (breaks > 0) u->out[u->n++] = '\n';
        while (u->at < u->in.len && is_blank(u->in.ptr[u->at])) u->at++;
    }
    if (breaks == 1 && !escaped) u->out[u->n++] = ' ';
    u->kept = u->n;
}

static uint32_t hex(struct slice s)
{
    uint32_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        unsigned digit = (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        v = v << 4 | (digit & 15);
    }
    return v;
}

/* The character an escape of one letter stands for (5.7); the letter itself for / " \ and blank. */
static uint32_t letter(char c)
{
    switch (c) {
    case '0':
        return 0;
    case 'a':
        return 7;
    case 'b':
        return 8;
    case 't':
        return 9;
    case 'n':
        return 10;
    case 'v':
        return 11;
    case 'f':
        return 12;
    case 'r':
        return 13;
    case 'e':
        return 27;
    case 'N':
        return 0x85;
    case '_':
        return 0xA0;
    case 'L':
        return 0x2028;
    case 'P':
        return 0x2029;
    default:
        return (unsigned char)c;
    }
}

/* Behind a backslash. */
static void unescape(struct unquoting *u)
{
    if (break_length(u)) {
        fold_lines(u, true);
        return;
    }
    if (u->at == u->in.len) return;
    char c = u->in.ptr[u->at++];
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > u->in.len - u->at) digits = u->in.len - u->at;
    uint32_t cp = digits ? hex(slice_make(u->in.ptr + u->at, digits)) : letter(c);
    u->at += digits;
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) cp = 0xFFFD;
    u->n += utf8_encode(u->out + u->n, cp);
    u->kept = u->n;
}

size_t yaml_unquote(char *dst, struct slice inner, char quote)
{
    struct unquoting u = {.in = inner, .out = dst};
    while (u.at < inner.len) {
        char c = inner.ptr[u.at];
        if (break_length(&u)) {
            u.n = u.kept;
            fold_lines(&u, false);
        } else if (quote == '"' && c == '\\') {
            u.at++;
            unescape(&u);
        } else {
            u.at += quote == '\'' && c == '\'' ? 2 : 1;
            u.out[u.n++] = c;
            if (!is_blank(c)) u.kept = u.n;
        }
    }
    return u.n;
}
