/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/mime.h"

#include <nettle/base64.h>

#include "base/time.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 76, WORD_BYTES = 42 }; /* of an encoded word: base64 of them fits a line */

static void put_date(struct buf *out, nsec t)
{
    static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil_time c;
    time_to_civil(t, &c);
    buf_printf(out, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n",
               days[t / (86400 * NSEC_PER_SEC) % 7], c.day, months[c.month - 1], c.year, c.hour,
               c.minute, c.second);
}

/* One character that a header may show: of several bytes, or none that ends a line. */
static size_t next_char(struct slice s, size_t at, char ret[4])
{
    uint32_t cp;
    unsigned n = utf8_decode(s, at, &cp);
    if (n == 0) cp = 0xfffd;
    if (cp < ' ' || cp == 0x7f) cp = ' ';
    (void)utf8_encode(ret, cp);
    return n ? n : 1;
}

static unsigned bytes_of(const char first)
{
    unsigned char c = (unsigned char)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static void put_word(struct buf *out, const char *bytes, size_t n)
{
    char text[BASE64_ENCODE_RAW_LENGTH(WORD_BYTES)];
    base64_encode_raw(text, n, (const uint8_t *)bytes);
    buf_printf(out, "=?utf-8?B?%.*s?=", (int)BASE64_ENCODE_RAW_LENGTH(n), text);
}

/* RFC 2047, 2: words of at most 75 bytes, characters whole. */
static void put_subject(struct buf *out, struct slice subject)
{
    char word[WORD_BYTES];
    size_t n = 0;
    buf_puts(out, "Subject: ");
    for (size_t at = 0; at < subject.len;) {
        char c[4];
        size_t step = next_char(subject, at, c);
        unsigned bytes = bytes_of(c[0]);
        if (n + bytes > sizeof word) {
            put_word(out, word, n);
            buf_puts(out, "\r\n ");
            n = 0;
        }
        memcpy(word + n, c, bytes);
        n += bytes;
        at += step;
    }
    if (n) put_word(out, word, n);
    buf_puts(out, "\r\n");
}

static void put_head(struct buf *out, const struct mime *m)
{
    const char *host = strrchr(m->from, '@');
    put_date(out, m->time);
    buf_printf(out, "From: Vaka <%s>\r\nTo: <%.*s>\r\n", m->from, SLICE_FMT(m->to));
    put_subject(out, m->subject);
    buf_printf(out, "Message-ID: <vaka.%llx.%llx%s>\r\n", (unsigned long long)m->id,
               (unsigned long long)m->time, host);
    if (m->thread)
        for (int i = 0; i < 2; i++)
            buf_printf(out, "%s: <vaka.page.%llx%s>\r\n", i ? "References" : "In-Reply-To",
                       (unsigned long long)m->thread, host);
    /* Nobody is to answer this by a machine. */
    buf_puts(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
                  "Importance: high\r\nX-Priority: 1\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* RFC 2045, 6.7; a dot at the beginning of a line is something else to SMTP. */
static void put_line(struct buf *out, struct slice line)
{
    size_t column = 0;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        bool last = i + 1 == line.len;
        bool plain = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
        if (column == 0 && c == '.') plain = false;
        size_t width = plain ? 1 : 3;
        if (column + width > LINE_MAX_BYTES - 1) {
            buf_puts(out, "=\r\n");
            column = 0;
            if (c == '.') plain = false, width = 3;
        }
        if (plain) buf_putc(out, (char)c);
        else buf_printf(out, "=%02X", c);
        column += width;
    }
    buf_puts(out, "\r\n");
}

void mime_write(struct buf *out, const struct mime *m)
{
    struct slice rest = m->body, line;
    bool more = true;
    put_head(out, m);
    while (more) {
        more = slice_split(rest, '\n', &line, &rest);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (more || line.len) put_line(out, line);
    }
}
