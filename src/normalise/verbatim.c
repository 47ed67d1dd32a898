/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/verbatim.h"

#include "base/find.h"

enum { TEXTS_MAX = 64 };

bool verbatim_is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(".-_:@$", c));
}

static void set(uint64_t *bits, uint32_t number)
{
    bits[number / 64] |= UINT64_C(1) << number % 64;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The next %hh. */
static size_t find_percent(struct slice s, size_t from)
{
    while (from < s.len) {
        size_t at = slice_find_byte(slice_from(s, from), '%');
        if (at == SIZE_MAX) return SIZE_MAX;
        at += from;
        if (at + 2 < s.len && is_hex(s.ptr[at + 1]) && is_hex(s.ptr[at + 2])) return at;
        from = at + 1;
    }
    return SIZE_MAX;
}

static size_t find_byte(struct slice s, char c, size_t from)
{
    size_t at = slice_find_byte(slice_from(s, from), c);
    return at == SIZE_MAX ? at : at + from;
}

static size_t find_text(struct slice s, struct slice text, size_t from)
{
    size_t at = slice_find(slice_from(s, from), text);
    return at == SIZE_MAX ? at : at + from;
}

/* What makes records opaque; each is searched for in all of them at once. */
enum mark { MARK_U, MARK_NUL, MARK_PERCENT, MARK_ENTITY, MARK_MARKUP, MARK_AUDIT, N_MARKS };

static size_t find_mark(struct slice s, enum mark mark, size_t from)
{
    switch (mark) {
    case MARK_U:
        return find_text(s, SLICE("\\u"), from);
    case MARK_NUL:
        return find_byte(s, '\0', from);
    case MARK_PERCENT:
        return find_percent(s, from);
    case MARK_ENTITY:
        return find_text(s, SLICE("&#"), from);
    case MARK_MARKUP:
        return find_text(s, SLICE("</"), from);
    case MARK_AUDIT:
        return find_text(s, SLICE("msg=audit("), from);
    case N_MARKS:
        break;
    }
    return SIZE_MAX;
}

static bool is_plain_format(uint8_t format)
{
    return format == RECORD_TEXT || format == RECORD_SYSLOG || format == RECORD_JSON ||
           format == RECORD_BULK || format == RECORD_BEATS;
}

void verbatim_mark_opaque(const struct batch *batch, uint64_t *bits)
{
    struct batch_iter it;
    struct record r;
    size_t next[N_MARKS];
    for (int m = 0; m < N_MARKS; m++) next[m] = find_mark(batch->data, (enum mark)m, 0);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next_raw(&it, &r); i++) {
        size_t from = (size_t)(r.raw.ptr - batch->data.ptr), to = from + r.raw.len;
        bool opaque = !is_plain_format(r.format);
        for (int m = 0; m < N_MARKS; m++) {
            if (next[m] >= to) continue;
            if (next[m] < from) next[m] = find_mark(batch->data, (enum mark)m, from);
            opaque |= next[m] < to;
        }
        if (opaque) set(bits, i);
    }
}

void verbatim_mark_texts(const struct batch *batch, const struct slice *texts, uint32_t n,
                         uint64_t *bits)
{
    struct batch_iter it;
    struct record r;
    size_t next[TEXTS_MAX];
    ASSERT(n <= TEXTS_MAX);
    for (uint32_t k = 0; k < n; k++) next[k] = find_nocase(batch->data, texts[k], 0);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next_raw(&it, &r); i++) {
        size_t from = (size_t)(r.raw.ptr - batch->data.ptr), to = from + r.raw.len;
        for (uint32_t k = 0; k < n; k++) {
            if (next[k] >= to) continue;
            if (next[k] < from) next[k] = find_nocase(batch->data, texts[k], from);
            if (next[k] < to) set(bits, i);
        }
    }
}
