/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/framing.h"

#include "event/record.h"

enum { COUNT_DIGITS = 8 };

static void framing_init(void *p, const struct protocol_limits *limits)
{
    struct framing *f = p;
    ASSERT(limits->record_max > 0 && limits->record_max <= RECORD_MAX);
    *f = (struct framing){.record_max = limits->record_max};
}

static void framing_done(void *p)
{
    (void)p;
}

enum start { START_MORE, START_LINE, START_COUNT, START_BAD_COUNT };

/* How a record begins that begins with `in`. */
static enum start read_start(const struct framing *f, struct slice in, uint32_t *ret_count,
                             size_t *ret_header)
{
    uint32_t count = 0;
    size_t i = 0;
    if (in.len == 0) return START_MORE;
    if (f->lines) return START_LINE;
    if (in.ptr[0] < '1' || in.ptr[0] > '9') return START_LINE;
    for (; i < in.len && in.ptr[i] >= '0' && in.ptr[i] <= '9'; i++) {
        if (i == COUNT_DIGITS) return f->counts ? START_BAD_COUNT : START_LINE;
        count = count * 10 + (uint32_t)(in.ptr[i] - '0');
    }
    if (i == in.len) return START_MORE;
    if (in.ptr[i] != ' ') return f->counts ? START_BAD_COUNT : START_LINE;
    if (i + 1 == in.len) return START_MORE;
    if (in.ptr[i + 1] != '<' && !f->counts) return START_LINE;
    if (count > FRAMING_COUNT_MAX) return START_BAD_COUNT;
    *ret_count = count;
    *ret_header = i + 1;
    return START_COUNT;
}

/* The rest of a record that was cut. Returns the bytes that belong to it. */
static size_t skip_rest(struct framing *f, struct slice in)
{
    if (f->skip_line) {
        size_t lf = slice_find_byte(in, '\n');
        if (lf == SIZE_MAX) return in.len;
        f->skip_line = false;
        return lf + 1;
    }
    size_t n = f->skip < in.len ? f->skip : in.len;
    f->skip -= (uint32_t)n;
    return n;
}

static struct slice without_last(struct slice s, char c)
{
    if (s.len > 0 && s.ptr[s.len - 1] == c) s.len--;
    return s;
}

/* A record with a count; `in` is what follows the header. 1 when it is there. */
static int take_counted(struct framing *f, struct slice in, uint32_t count, size_t *ret_used,
                        struct piece *ret)
{
    uint32_t kept = count < f->record_max ? count : f->record_max;
    if (in.len < kept) return 0;
    struct slice raw = slice_until(in, kept);
    *ret = (struct piece){.raw = kept == count ? without_last(raw, '\n') : raw};
    if (kept < count) {
        ret->flags = RECORD_CUT;
        f->skip = count - kept;
    }
    f->counts = true;
    *ret_used = kept;
    return 1;
}

static int take_line(struct framing *f, struct slice in, size_t *ret_used, struct piece *ret)
{
    size_t from = f->scanned < in.len ? f->scanned : in.len;
    size_t lf = slice_find_byte(slice_from(in, from), '\n');
    bool whole = lf != SIZE_MAX;
    size_t end = whole ? from + lf : in.len;
    /* A CR behind the last byte that fits may be framing. */
    size_t most = f->record_max;
    if (!whole && (end <= most || (end == most + 1 && in.ptr[most] == '\r'))) {
        f->scanned = end;
        return 0;
    }
    f->scanned = 0;
    f->counts = false;
    struct slice raw = slice_until(in, end);
    if (whole) raw = without_last(raw, '\r');
    *ret = (struct piece){.raw = slice_until(raw, most), .reason = f->odd};
    f->odd = NULL;
    if (raw.len > most) {
        ret->flags = RECORD_CUT;
        f->skip_line = !whole;
    }
    *ret_used = whole ? end + 1 : most;
    return 1;
}

/* One step: 1 a record, 0 more is needed, 2 bytes were used and nothing came of it. */
static int framing_step(struct framing *f, struct slice in, size_t *ret_used, struct piece *ret)
{
    uint32_t count = 0;
    size_t header = 0, used = 0;
    if (in.len == 0) return 0;
    if (f->skip_line || f->skip) {
        *ret_used = skip_rest(f, in);
        return 2;
    }
    enum start start = f->scanned ? START_LINE : read_start(f, in, &count, &header);
    if (start == START_MORE) return 0;
    if (start == START_COUNT) {
        int r = take_counted(f, slice_from(in, header), count, &used, ret);
        if (r) *ret_used = header + used;
        return r && ret->raw.len == 0 ? 2 : r;
    }
    if (start == START_BAD_COUNT) f->odd = "a count that is none";
    if (!take_line(f, in, &used, ret)) return 0;
    *ret_used = used;
    return ret->raw.len == 0 ? 2 : 1;
}

static int framing_next(void *p, struct slice in, struct buf *out, size_t *ret_used,
                        struct piece *ret)
{
    size_t done = 0;
    int r;
    (void)out;
    do {
        size_t used = 0;
        r = framing_step(p, slice_from(in, done), &used, ret);
        done += used;
    } while (r == 2);
    *ret_used = done;
    return r;
}

static int framing_finish(void *p, struct slice rest, struct piece *ret)
{
    struct framing *f = p;
    uint32_t count;
    size_t header;
    if (rest.len == 0 || f->skip_line || f->skip) return 0;
    if (f->scanned == 0 && read_start(f, rest, &count, &header) == START_COUNT) {
        *ret = (struct piece){.raw = slice_from(rest, header),
                              .flags = RECORD_CUT,
                              .reason = "the stream ended inside of a record"};
        return ret->raw.len > 0;
    }
    *ret = (struct piece){.raw = slice_until(without_last(rest, '\r'), f->record_max),
                          .reason = f->odd};
    return ret->raw.len > 0;
}

const struct protocol_ops framing_protocol = {
    .size = sizeof(struct framing),
    .init = framing_init,
    .done = framing_done,
    .next = framing_next,
    .finish = framing_finish,
};
