/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/text.h"

#include <wchar.h>

#include "base/utf8.h"

struct span {
    uint32_t first, last;
};

/* Characters that print as nothing or turn what follows around (Unicode 15, Bidi_Control and Cf).
 */
static const struct span hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f}, {0x00ad, 0x00ad},    {0x061c, 0x061c}, {0x180e, 0x180e},
    {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f},    {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    {0xe0000, 0xe007f}, {0xe000, 0xf8ff}, {0xf0000, 0x10ffff},
};

bool text_is_visible(uint32_t cp)
{
    if (cp >= 0x20 && cp < 0x7f) return true;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (cp >= hidden[i].first && cp <= hidden[i].last) return false;
    return true;
}

/* What is shown for the character at s.ptr[at]; its length in the text and its columns. */
struct shown {
    struct slice text;
    size_t bytes, columns;
    char space[16];
};

static void show(struct shown *ret, struct slice s, size_t at)
{
    uint32_t cp = (unsigned char)s.ptr[at];
    unsigned n = cp < 0x80 ? 1 : utf8_decode(s, at, &cp);
    ret->bytes = n ? n : 1;
    if (n && text_is_visible(cp)) {
        int width = cp < 0x80 ? 1 : wcwidth((wchar_t)cp);
        ret->text = slice_make(s.ptr + at, n);
        ret->columns = width < 0 ? 1 : (size_t)width;
        return;
    }
    const char *name = !n           ? NULL
                       : cp == '\n' ? "\\n"
                       : cp == '\t' ? "\\t"
                       : cp == '\r' ? "\\r"
                                    : NULL;
    if (name) (void)snprintf(ret->space, sizeof ret->space, "%s", name);
    else if (!n || cp < 0x100)
        (void)snprintf(ret->space, sizeof ret->space, "\\x%02x", (unsigned)cp & 0xff);
    else (void)snprintf(ret->space, sizeof ret->space, "\\u{%x}", (unsigned)cp);
    ret->text = slice_of(ret->space);
    ret->columns = ret->text.len;
}

size_t text_put_visible(struct buf *out, struct slice s, size_t max_columns)
{
    struct shown c;
    size_t columns = 0;
    /* Where the text is cut if it turns out to be too long: room for the … after it. */
    size_t cut_at = out->len, cut_columns = 0;
    for (size_t at = 0; at < s.len; at += c.bytes) {
        show(&c, s, at);
        if (c.columns > max_columns - columns) {
            if (max_columns == 0) return 0;
            if (buf_failed(out)) return columns;
            out->len = cut_at;
            buf_puts(out, "…");
            return cut_columns + 1;
        }
        buf_put(out, c.text);
        columns += c.columns;
        if (columns < max_columns) {
            cut_at = out->len;
            cut_columns = columns;
        }
    }
    return columns;
}

static bool is_word(struct slice s)
{
    struct shown c;
    for (size_t at = 0; at < s.len; at += c.bytes) {
        show(&c, s, at);
        if (c.text.ptr == c.space || memchr(" \"\\=", s.ptr[at], 4)) return false;
    }
    return s.len > 0;
}

void text_put_value(struct buf *out, struct slice s)
{
    struct shown c;
    if (is_word(s)) {
        buf_put(out, s);
        return;
    }
    buf_putc(out, '"');
    for (size_t at = 0; at < s.len; at += c.bytes) {
        show(&c, s, at);
        if (s.ptr[at] == '"' || s.ptr[at] == '\\') buf_putc(out, '\\');
        buf_put(out, c.text);
    }
    buf_putc(out, '"');
}

size_t text_columns(struct slice s, size_t max_columns)
{
    struct shown c;
    size_t columns = 0;
    for (size_t at = 0; at < s.len && columns < max_columns; at += c.bytes) {
        show(&c, s, at);
        columns += c.columns;
    }
    return columns < max_columns ? columns : max_columns;
}

void text_put_padded(struct buf *out, struct slice s, size_t columns)
{
    size_t used = text_put_visible(out, s, columns);
    for (; used < columns; used++) buf_putc(out, ' ');
}

static void put_escape(struct buf *out, uint32_t cp)
{
    if (cp >= 0x10000) {
        uint32_t rest = cp - 0x10000;
        buf_printf(out, "\\u%04x", (unsigned)(0xd800 + (rest >> 10)));
        cp = 0xdc00 + (rest & 0x3ff);
    }
    buf_printf(out, "\\u%04x", (unsigned)cp);
}

void text_put_lines(struct buf *out, struct slice s)
{
    size_t run = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t cp = (unsigned char)s.ptr[at];
        unsigned n = cp < 0x80 ? 1 : utf8_decode(s, at, &cp);
        if (n && (cp == '\n' || text_is_visible(cp))) {
            at += n;
            continue;
        }
        buf_put(out, slice_make(s.ptr + run, at - run));
        put_escape(out, n ? cp : 0xfffd);
        at += n ? n : 1;
        run = at;
    }
    if (run < s.len) buf_put(out, slice_make(s.ptr + run, s.len - run));
}

void text_put_csv(struct buf *out, struct slice s)
{
    buf_putc(out, '"');
    if (s.len > 0 && memchr("=+-@\t\r", s.ptr[0], 6)) buf_putc(out, '\'');
    while (s.len > 0) {
        struct slice piece;
        if (slice_split(s, '"', &piece, &s)) {
            buf_put(out, piece);
            buf_puts(out, "\"\"");
        } else {
            buf_put(out, piece);
        }
    }
    buf_putc(out, '"');
}
