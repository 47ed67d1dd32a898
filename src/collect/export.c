/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/export.h"

#include "event/record.h"

static void export_init(void *p, const struct protocol_limits *limits)
{
    struct export *e = p;
    ASSERT(limits->record_max > 0 && limits->record_max <= RECORD_MAX);
    *e = (struct export){.record_max = limits->record_max};
}

static void export_done(void *p)
{
    (void)p;
}

/* Takes the bytes of a line. */
static size_t scan_line(struct export *e, struct slice in)
{
    size_t lf = slice_find_byte(in, '\n');
    struct slice line = slice_until(in, lf);
    if (line.len > 0) e->filled = true;
    if (slice_find_byte(line, '=') != SIZE_MAX) e->equals = true;
    return lf == SIZE_MAX ? in.len : lf;
}

static int scan_length(struct export *e, char byte, struct piece *ret)
{
    e->value |= (uint64_t)(uint8_t)byte << (8 * e->length_bytes);
    if (++e->length_bytes < 8) return 0;
    e->state = EXPORT_VALUE;
    ret->reason = "a value of an impossible length";
    if (__builtin_add_overflow(e->value, UINT64_C(1), &e->value)) return ERR_CORRUPT;
    ret->reason = NULL;
    return 0;
}

static size_t scan_value(struct export *e, struct slice in)
{
    size_t n = e->value < in.len ? (size_t)e->value : in.len;
    e->value -= n;
    return n;
}

/* Looks at what comes until the entry ends: 1, 0: it goes on, or an error. */
static int scan(struct export *e, struct slice in, struct piece *ret)
{
    while (e->scanned < in.len) {
        struct slice rest = slice_from(in, e->scanned);
        if (e->state == EXPORT_LINE) {
            size_t n = scan_line(e, rest);
            e->scanned += n;
            if (n == rest.len) continue;
            e->scanned++;
            bool end = !e->filled;
            if (e->filled && !e->equals) e->state = EXPORT_LENGTH;
            e->filled = e->equals = false;
            e->length_bytes = 0;
            e->value = 0;
            if (end) return 1;
        } else if (e->state == EXPORT_LENGTH) {
            e->scanned++;
            int error = scan_length(e, rest.ptr[0], ret);
            if (error) return error;
        } else {
            size_t n = scan_value(e, rest);
            e->scanned += n;
            if (e->value > 0) continue;
            ret->reason = "a value that does not end where it says";
            if (rest.ptr[n - 1] != '\n') return ERR_CORRUPT;
            ret->reason = NULL;
            e->state = EXPORT_LINE;
        }
    }
    return 0;
}

static int export_next(void *p, struct slice in, struct buf *out, size_t *ret_used,
                       struct piece *ret)
{
    struct export *e = p;
    size_t used = 0;
    (void)out;
    *ret = (struct piece){0};
    for (;;) {
        struct slice entry = slice_from(in, used);
        /* Cut before more of it is looked at: what is wrong behind that comes behind the record. */
        size_t most = (size_t)e->record_max + 2;
        int r = scan(e, e->skip ? entry : slice_until(entry, most), ret);
        if (r < 0) return r;
        bool cut = e->scanned == most, skipped = e->skip;
        if (r == 0 && !cut && !skipped) break;
        struct slice raw = slice_until(entry, e->scanned - (r == 1 ? 1 : 0));
        used += e->scanned;
        e->scanned = 0;
        e->skip = r == 0;
        if (!skipped && raw.len > 0) {
            *ret = (struct piece){.raw = slice_until(raw, e->record_max),
                                  .flags = cut ? (uint8_t)RECORD_CUT : (uint8_t)0};
            *ret_used = used;
            return 1;
        }
        if (r == 0) break;
    }
    *ret_used = used;
    return 0;
}

/* Every entry of a stream that ended as it should has its end. */
static int export_finish(void *p, struct slice rest, struct piece *ret)
{
    const struct export *e = p;
    if (rest.len == 0 || e->skip) return 0;
    *ret = (struct piece){.raw = slice_until(rest, e->record_max),
                          .flags = RECORD_CUT,
                          .reason = "the stream ended inside of an entry"};
    return 1;
}

const struct protocol_ops export_protocol = {
    .size = sizeof(struct export),
    .init = export_init,
    .done = export_done,
    .next = export_next,
    .finish = export_finish,
};

/* ---- cursors ----------------------------------------------------------------------------- */

static bool read_hex(struct slice s, uint64_t *ret)
{
    uint64_t v = 0;
    if (s.len == 0 || s.len > 16) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16) return false;
        v = v << 4 | digit;
    }
    *ret = v;
    return true;
}

void export_cursor(struct slice cursor, struct slice *ret_delivery, uint64_t *ret_ordinal)
{
    struct slice sequence, number, rest;
    (void)slice_split(cursor, ';', &sequence, &rest);
    (void)slice_split(rest, ';', &number, &rest);
    if (slice_starts_with(sequence, SLICE("s=")) && slice_starts_with(number, SLICE("i=")) &&
        read_hex(slice_from(number, 2), ret_ordinal)) {
        *ret_delivery = sequence;
        return;
    }
    *ret_delivery = cursor;
    *ret_ordinal = 0;
}

struct slice export_cursor_of(struct slice entry)
{
    static const char name[] = "__CURSOR=";
    struct slice line;
    if (!slice_starts_with(entry, SLICE("__CURSOR="))) return SLICE_NONE;
    (void)slice_split(slice_from(entry, sizeof name - 1), '\n', &line, &entry);
    return line.len <= EXPORT_CURSOR_MAX ? line : SLICE_NONE;
}
