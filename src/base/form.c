/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/form.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool put_plain(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '+') c = ' ';
        if (c == '%') {
            int high = value.len - i > 2 ? digit(value.ptr[i + 1]) : -1;
            int low = high >= 0 ? digit(value.ptr[i + 2]) : -1;
            if (low < 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        buf_putc(out, c);
    }
    return !buf_failed(out);
}

bool form_find(struct slice form, const char *name, struct buf *out)
{
    struct slice pair, field, value;
    bool more = true;
    buf_clear(out);
    while (more) {
        more = slice_split(form, '&', &pair, &form);
        (void)slice_split(pair, '=', &field, &value);
        if (slice_eq(field, slice_of(name))) return put_plain(out, value);
    }
    return false;
}

void form_put_escaped(struct buf *out, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr("-._~", c)))
            buf_putc(out, (char)c);
        else buf_printf(out, "%%%c%c", digits[c >> 4], digits[c & 15]);
    }
}

void form_put(struct buf *out, const char *name, struct slice value)
{
    if (out->len) buf_putc(out, '&');
    buf_printf(out, "%s=", name);
    form_put_escaped(out, value);
}
