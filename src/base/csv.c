/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/csv.h"

struct csv_cell csv_take_cell(struct slice *s, char delimiter, bool *ret_more)
{
    struct csv_cell c = {.quoted = s->len && s->ptr[0] == '"'};
    size_t i = 0;
    if (c.quoted) {
        for (i = 1;; i += 2) {
            size_t q = slice_find_byte(slice_from(*s, i), '"');
            if (q == SIZE_MAX) {
                c.open = true;
                i = s->len;
                break;
            }
            i += q;
            if (i + 1 >= s->len || s->ptr[i + 1] != '"') {
                i++;
                break;
            }
        }
    }
    size_t d = slice_find_byte(slice_from(*s, i), delimiter);
    *ret_more = d != SIZE_MAX;
    size_t end = *ret_more ? i + d : s->len;
    c.text = slice_until(*s, end);
    *s = slice_from(*s, *ret_more ? end + 1 : end);
    return c;
}

struct slice csv_cell_text(struct csv_cell c, char *(*room)(void *ctx, size_t n), void *ctx)
{
    if (!c.quoted) return c.text;
    struct slice inner = slice_from(c.text, 1);
    size_t q = slice_find_byte(inner, '"');
    if (q == SIZE_MAX) return inner;
    if (q + 1 == inner.len) return slice_until(inner, q);
    char *dst = room(ctx, inner.len - 1); /* at least one quote goes */
    if (!dst) return inner;
    size_t o = 0;
    bool open = true;
    for (size_t i = 0; i < inner.len; i++) {
        char ch = inner.ptr[i];
        if (ch == '"' && open) {
            if (i + 1 < inner.len && inner.ptr[i + 1] == '"') {
                i++;
            } else {
                open = false;
                continue;
            }
        }
        dst[o++] = ch;
    }
    return slice_make(dst, o);
}
