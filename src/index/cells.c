/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/cells.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "index/files.h"

enum {
    HEAD = 12,
    BLOCK = 8,
    FIELD = 16, /* and its name */
    CRC = 4,
    LEVEL = 3,
    NARROW = 256, /* values that u8 can tell apart */
    NAME_MAX_BYTES = 256,
    TABLE_MAX = 8 * CELLS_TEXT_MAX,
};

uint32_t cells_fields(struct slice ret[CELLS_FIELDS_MAX])
{
    struct slice rest = index_texts[0].text, line;
    uint32_t n = 0;
    while (rest.len) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        ASSERT(n < CELLS_FIELDS_MAX && line.len <= NAME_MAX_BYTES);
        ret[n++] = line;
    }
    return n;
}

/* ---- writing ----------------------------------------------------------------------------- */

struct field {
    struct slice name;
    struct keyed numbers; /* of values */
    struct buf values;
    struct buf events; /* u16 each */
    bool left;         /* of too many values */
};

struct cells_writer {
    struct field fields[CELLS_FIELDS_MAX];
    uint32_t n, blocks, events;
    uint32_t first[FILTER_BLOCKS + 1], undecodable[FILTER_BLOCKS];
    uint64_t whole;
    struct buf cell, plain, packed;
};

struct cells_writer *cells_writer_new(const struct slice *names, uint32_t n)
{
    struct cells_writer *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    ASSERT(n <= CELLS_FIELDS_MAX);
    for (w->n = 0; w->n < n; w->n++) {
        struct field *f = &w->fields[w->n];
        f->name = names[w->n];
        keyed_init(&f->numbers, sizeof(uint32_t), TABLE_MAX);
        buf_init(&f->values, CELLS_TEXT_MAX);
        buf_init(&f->events, CELLS_EVENTS_MAX * sizeof(uint16_t));
    }
    buf_init(&w->cell, CELLS_TEXT_MAX);
    buf_init(&w->plain, CELLS_MAX);
    buf_init(&w->packed, CELLS_MAX);
    return w;
}

void cells_writer_free(struct cells_writer *w)
{
    if (!w) return;
    for (uint32_t i = 0; i < w->n; i++) {
        keyed_done(&w->fields[i].numbers);
        buf_done(&w->fields[i].values);
        buf_done(&w->fields[i].events);
    }
    buf_done(&w->cell);
    buf_done(&w->plain);
    buf_done(&w->packed);
    free(w);
}

void cells_writer_clear(struct cells_writer *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        keyed_clear(&w->fields[i].numbers);
        buf_clear(&w->fields[i].values);
        buf_clear(&w->fields[i].events);
        w->fields[i].left = false;
    }
    w->blocks = w->events = 0;
    w->whole = 0;
}

/* The number of the value in w->cell. ERR_LIMIT: there are too many; ERR_NOMEM. */
static int number_of(const struct cells_writer *w, struct field *f, uint32_t *ret)
{
    if (buf_failed(&w->cell)) return buf_error(&w->cell);
    if (w->cell.len > CELLS_TEXT_MAX - f->values.len) return ERR_LIMIT;
    struct keyed_entry *e = keyed_take(&f->numbers, buf_slice(&w->cell));
    if (!e) return ERR_NOMEM;    /* TABLE_MAX is enough for all that there may be */
    uint32_t *number = e->value; /* and 1 */
    if (*number == 0) {
        if (f->numbers.n > CELLS_VALUES_MAX) return ERR_LIMIT;
        buf_put(&f->values, buf_slice(&w->cell));
        *number = (uint32_t)f->numbers.n;
    }
    *ret = *number - 1;
    return buf_error(&f->values);
}

int cells_writer_add(struct cells_writer *w, const struct cell *cells)
{
    if (w->events == CELLS_EVENTS_MAX) return ERR_LIMIT;
    w->events++;
    for (uint32_t i = 0; i < w->n; i++) {
        struct field *f = &w->fields[i];
        char bytes[2];
        uint32_t number;
        if (f->left) continue;
        buf_clear(&w->cell);
        cell_write(&w->cell, &cells[i]);
        int error = number_of(w, f, &number);
        f->left = error == ERR_LIMIT;
        if (f->left) continue;
        if (error) return error;
        le16_put(bytes, (uint16_t)number);
        buf_put(&f->events, slice_make(bytes, sizeof bytes));
        if (buf_failed(&f->events)) return buf_error(&f->events);
    }
    return 0;
}

void cells_writer_end(struct cells_writer *w, uint32_t undecodable, bool whole)
{
    ASSERT(w->blocks < FILTER_BLOCKS);
    w->undecodable[w->blocks] = undecodable;
    w->whole |= (uint64_t)whole << w->blocks;
    w->first[++w->blocks] = w->events;
}

static void put_u32(struct buf *out, uint32_t v)
{
    char bytes[4];
    le32_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

/* Values and numbers, as they are packed. */
static struct slice plain_of(struct cells_writer *w, const struct field *f)
{
    bool narrow = f->numbers.n <= NARROW;
    buf_clear(&w->plain);
    buf_put(&w->plain, buf_slice(&f->values));
    for (size_t i = 0; i < f->events.len; i += narrow ? 2 : f->events.len)
        buf_put(&w->plain, slice_make(f->events.ptr + i, narrow ? 1 : f->events.len));
    return buf_slice(&w->plain);
}

static int pack(struct slice plain, struct buf *out, size_t *ret)
{
    size_t bound = ZSTD_compressBound(plain.len);
    char *to = buf_reserve(out, bound);
    if (!to) return buf_error(out);
    size_t n = ZSTD_compress(to, bound, plain.ptr, plain.len, LEVEL);
    if (ZSTD_isError(n)) return ERR_NOMEM;
    out->len += n;
    *ret = n;
    return 0;
}

static void put_head(const struct cells_writer *w, struct buf *out)
{
    char whole[8];
    put_u32(out, w->blocks);
    le64_put(whole, w->whole);
    buf_put(out, slice_make(whole, sizeof whole));
    for (uint32_t i = 0; i < w->blocks; i++) {
        put_u32(out, w->first[i + 1] - w->first[i]);
        put_u32(out, w->undecodable[i]);
    }
}

/* What of w->packed is a field's. */
struct packed {
    struct slice bytes; /* none: it is left out */
    size_t at;          /* of them, until all are packed */
    uint32_t plain;
};

static int pack_all(struct cells_writer *w, struct packed *packed)
{
    int error = 0;
    buf_clear(&w->packed);
    for (uint32_t i = 0; i < w->n && error == 0; i++) {
        packed[i] = (struct packed){.at = w->packed.len};
        if (w->fields[i].left) continue;
        struct slice plain = plain_of(w, &w->fields[i]);
        packed[i].plain = (uint32_t)plain.len;
        error = buf_failed(&w->plain) ? buf_error(&w->plain)
                                      : pack(plain, &w->packed, &packed[i].bytes.len);
    }
    for (uint32_t i = 0; i < w->n; i++) packed[i].bytes.ptr = w->packed.ptr + packed[i].at;
    return error;
}

/* The largest first, until what is left has no more than `most` bytes. */
static void leave_out(struct packed *packed, uint32_t n, size_t most)
{
    size_t all = 0;
    for (uint32_t i = 0; i < n; i++) all += packed[i].bytes.len;
    while (all > most) {
        struct packed *largest = packed;
        for (uint32_t i = 1; i < n; i++)
            if (packed[i].bytes.len > largest->bytes.len) largest = &packed[i];
        all -= largest->bytes.len;
        largest->bytes = SLICE_NONE;
    }
}

/* Fields that are there, and behind them what is packed. */
static void put_fields(const struct cells_writer *w, const struct packed *packed, struct buf *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->n; i++) n += packed[i].bytes.len != 0;
    put_u32(out, n);
    for (uint32_t i = 0; i < w->n; i++) {
        if (packed[i].bytes.len == 0) continue;
        put_u32(out, (uint32_t)w->fields[i].name.len);
        buf_put(out, w->fields[i].name);
        put_u32(out, (uint32_t)w->fields[i].numbers.n);
        put_u32(out, packed[i].plain);
        put_u32(out, (uint32_t)packed[i].bytes.len);
    }
    for (uint32_t i = 0; i < w->n; i++) buf_put(out, packed[i].bytes);
}

int cells_writer_put(struct cells_writer *w, size_t most, struct buf *out)
{
    struct packed packed[CELLS_FIELDS_MAX];
    size_t begin = out->len;
    int error = pack_all(w, packed);
    if (error) return error;
    leave_out(packed, w->n, most);
    put_head(w, out);
    put_fields(w, packed, out);
    put_u32(out, crc32c(0, slice_from(buf_slice(out), begin)));
    cells_writer_clear(w);
    return buf_error(out);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool take(struct slice *rest, size_t n, struct slice *ret)
{
    if (rest->len < n) return false;
    *ret = slice_until(*rest, n);
    *rest = slice_from(*rest, n);
    return true;
}

int cells_group_read(struct slice bytes, struct cells_group *ret)
{
    struct cells_group g = {.bytes = bytes};
    struct slice rest = bytes, head, block;
    if (bytes.len < HEAD + CRC || bytes.len > CELLS_MAX) return ERR_CORRUPT;
    rest.len -= CRC;
    if (crc32c(0, rest) != le32(bytes.ptr + rest.len)) return ERR_CORRUPT;
    (void)take(&rest, HEAD, &head);
    g.blocks = le32(head.ptr);
    g.whole = le64(head.ptr + 4);
    if (g.blocks > FILTER_BLOCKS) return ERR_CORRUPT;
    for (uint32_t i = 0; i < g.blocks; i++) {
        if (!take(&rest, BLOCK, &block) || le32(block.ptr) > CELLS_EVENTS_MAX - g.first[i])
            return ERR_CORRUPT;
        g.first[i + 1] = g.first[i] + le32(block.ptr);
        g.undecodable[i] = le32(block.ptr + 4);
    }
    if (!take(&rest, 4, &head)) return ERR_CORRUPT;
    g.fields = le32(head.ptr);
    g.fields_at = (size_t)(rest.ptr - bytes.ptr);
    if (g.fields > CELLS_FIELDS_MAX) return ERR_CORRUPT;
    *ret = g;
    return 0;
}

struct found {
    uint32_t values, plain, packed;
    size_t before; /* packed bytes of the fields in front of it */
};

/* 1: *ret is it, and *rest what is packed; 0: there is none. */
static int find_field(const struct cells_group *g, struct slice name, struct found *ret,
                      struct slice *rest)
{
    struct slice length, own, sizes;
    size_t before = 0;
    bool is_there = false;
    *rest = slice_from(slice_until(g->bytes, g->bytes.len - CRC), g->fields_at);
    for (uint32_t i = 0; i < g->fields; i++) {
        if (!take(rest, 4, &length) || !take(rest, le32(length.ptr), &own) ||
            !take(rest, FIELD - 4, &sizes))
            return ERR_CORRUPT;
        struct found f = {.values = le32(sizes.ptr),
                          .plain = le32(sizes.ptr + 4),
                          .packed = le32(sizes.ptr + 8),
                          .before = before};
        before += f.packed;
        if (!slice_eq(own, name)) continue;
        is_there = true;
        *ret = f;
    }
    return is_there;
}

static int unpack(struct slice packed, uint32_t len, struct buf *out)
{
    if (len > CELLS_MAX) return ERR_CORRUPT;
    char *to = buf_reserve(out, len + (size_t)1);
    if (!to) return buf_error(out);
    size_t n = ZSTD_decompress(to, len, packed.ptr, packed.len);
    if (ZSTD_isError(n) || n != len) return ERR_CORRUPT;
    out->len = len;
    return 0;
}

/* The values, and that each event has one of them. */
static int read_values(struct cells_column *c, uint32_t events)
{
    struct slice rest = buf_slice(&c->bytes);
    c->values = calloc(c->n + (size_t)1, sizeof *c->values);
    if (!c->values) return ERR_NOMEM;
    for (uint32_t i = 0; i < c->n; i++)
        if (!cell_read(&rest, &c->values[i])) return ERR_CORRUPT;
    c->wide = c->n > NARROW;
    c->numbers = rest.ptr;
    if (rest.len != (size_t)events << c->wide) return ERR_CORRUPT;
    for (uint32_t i = 0; i < events; i++)
        if (cells_column_at(c, i) >= c->n) return ERR_CORRUPT;
    return 0;
}

int cells_column_read(const struct cells_group *g, struct slice name, struct cells_column *ret)
{
    struct found f;
    struct slice rest, packed;
    int got = find_field(g, name, &f, &rest);
    if (got != 1) return got;
    rest = f.before > rest.len ? SLICE_NONE : slice_from(rest, f.before);
    if (f.values > CELLS_VALUES_MAX || !take(&rest, f.packed, &packed)) return ERR_CORRUPT;
    *ret = (struct cells_column){.n = f.values};
    buf_init(&ret->bytes, CELLS_MAX);
    int error = unpack(packed, f.plain, &ret->bytes);
    if (error == 0) error = read_values(ret, g->first[g->blocks]);
    if (error == 0) return 1;
    cells_column_done(ret);
    return error;
}

void cells_column_done(struct cells_column *c)
{
    free(c->values);
    buf_done(&c->bytes);
}

uint32_t cells_column_at(const struct cells_column *c, uint32_t event)
{
    return c->wide ? le16(c->numbers + 2 * (size_t)event) : (uint8_t)c->numbers[event];
}
