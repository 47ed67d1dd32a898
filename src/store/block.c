/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/block.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/le.h"

enum {
    LEVEL_OF_META = 3,
    /*
     * Bytes of the shortest repetition that is looked for in records: a short one costs more to
     * read than it saves. docs/evidence/store.md has what that does.
     */
    DATA_REPEATS = 7,
    META_HEADER = 16,
    VARINT_MAX = 10,
};

struct block_codec {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    struct buf meta;
};

struct block_codec *block_codec_new(void)
{
    struct block_codec *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    buf_init(&c->meta, BLOCK_META_MAX);
    c->compress = ZSTD_createCCtx();
    c->decompress = ZSTD_createDCtx();
    if (c->compress && c->decompress) return c;
    block_codec_free(c);
    return NULL;
}

void block_codec_free(struct block_codec *c)
{
    if (!c) return;
    (void)ZSTD_freeCCtx(c->compress);
    (void)ZSTD_freeDCtx(c->decompress);
    buf_done(&c->meta);
    free(c);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_varint(struct buf *out, uint64_t v)
{
    char bytes[VARINT_MAX];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = (char)(v | 0x80);
    bytes[n++] = (char)v;
    buf_put(out, slice_make(bytes, n));
}

static void put_difference(struct buf *out, uint64_t difference)
{
    put_varint(out, difference << 1 ^ (difference >> 63 ? ~UINT64_C(0) : 0));
}

static void put_u32_column(struct buf *out, const struct batch *b, size_t offset)
{
    for (uint32_t i = 0; i < b->n; i++) put_varint(out, le32(b->rows + i * BATCH_ROW + offset));
}

static void put_byte_column(struct buf *out, const struct batch *b, size_t offset)
{
    for (uint32_t i = 0; i < b->n; i++) buf_putc(out, b->rows[i * (size_t)BATCH_ROW + offset]);
}

static void put_difference_column(struct buf *out, const struct batch *b, size_t offset)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        uint64_t now = le64(b->rows + i * BATCH_ROW + offset);
        put_difference(out, now - before);
        before = now;
    }
}

static void put_meta(struct buf *out, const struct batch *b)
{
    char header[META_HEADER];
    le32_put(header, b->n);
    le32_put(header + 4, b->n_texts);
    le32_put(header + 8, (uint32_t)b->texts.len);
    le32_put(header + 12, (uint32_t)b->data.len);
    buf_put(out, slice_make(header, sizeof header));
    put_u32_column(out, b, 0);
    put_byte_column(out, b, BATCH_ROW_FORMAT);
    put_byte_column(out, b, BATCH_ROW_FLAGS);
    for (size_t i = 0; i < 3; i++) put_u32_column(out, b, BATCH_ROW_TEXTS + 4 * i);
    put_difference_column(out, b, BATCH_ROW_RECEIVED);
    put_difference_column(out, b, BATCH_ROW_ORDINAL);
    for (uint32_t i = 0, before = 0; i < b->n_texts; i++) {
        uint32_t end = le32(b->ends + 4 * (size_t)i);
        put_varint(out, end - before);
        before = end;
    }
    buf_put(out, b->texts);
}

/* repeats: 0 is that of the level. */
static int put_compressed(struct block_codec *c, struct slice in, int level, int repeats,
                          struct buf *out, uint32_t *ret_len)
{
    size_t bound = ZSTD_compressBound(in.len);
    char *to = buf_reserve(out, bound);
    if (!to) return buf_error(out);
    (void)ZSTD_CCtx_setParameter(c->compress, ZSTD_c_compressionLevel, level);
    (void)ZSTD_CCtx_setParameter(c->compress, ZSTD_c_minMatch, repeats);
    size_t n = ZSTD_compress2(c->compress, to, bound, in.ptr, in.len);
    if (ZSTD_isError(n)) return ERR_NOMEM;
    out->len += n;
    *ret_len = (uint32_t)n;
    return 0;
}

int block_encode(struct block_codec *c, const struct batch *batch, int level, struct buf *out,
                 struct block_sizes *ret)
{
    struct block_sizes sizes;
    buf_clear(&c->meta);
    put_meta(&c->meta, batch);
    if (buf_failed(&c->meta)) return buf_error(&c->meta);
    sizes.meta_raw = (uint32_t)c->meta.len;
    sizes.data_raw = (uint32_t)batch->data.len;
    int error = put_compressed(c, buf_slice(&c->meta), LEVEL_OF_META, 0, out, &sizes.meta);
    if (error == 0) error = put_compressed(c, batch->data, level, DATA_REPEATS, out, &sizes.data);
    if (error == 0) *ret = sizes;
    return error;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* What is left of the first part; a number that is not there makes it bad. */
struct columns {
    struct slice rest;
    bool bad;
};

static uint64_t take_long_varint(struct columns *in)
{
    uint64_t v = 0;
    for (size_t i = 0; i < in->rest.len && i < VARINT_MAX; i++) {
        uint64_t byte = (uint8_t)in->rest.ptr[i];
        v |= (byte & 0x7f) << (7 * i);
        if (byte & 0x80) continue;
        /* The tenth byte has one bit to give; a last byte of 0 could have been left out. */
        if ((byte == 0 && i > 0) || (i == VARINT_MAX - 1 && byte > 1)) break;
        in->rest = slice_from(in->rest, i + 1);
        return v;
    }
    in->bad = true;
    in->rest = SLICE_NONE;
    return 0;
}

/* Most have one byte or two. */
static inline uint64_t take_varint(struct columns *in)
{
    const char *p = in->rest.ptr;
    if (in->rest.len < 2) return take_long_varint(in);
    uint64_t low = (uint8_t)p[0], high = (uint8_t)p[1];
    bool one = low < 0x80;
    if (!one && (high == 0 || high >= 0x80)) return take_long_varint(in);
    in->rest = slice_from(in->rest, one ? 1 : 2);
    return one ? low : (low & 0x7f) | high << 7;
}

static uint32_t take_u32(struct columns *in)
{
    uint64_t v = take_varint(in);
    in->bad |= v > UINT32_MAX;
    return (uint32_t)v;
}

static void take_byte_column(struct columns *in, char *rows, size_t n, size_t offset)
{
    if (in->rest.len < n) {
        in->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++) rows[i * BATCH_ROW + offset] = in->rest.ptr[i];
    in->rest = slice_from(in->rest, n);
}

static void take_difference_column(struct columns *in, char *rows, size_t n, size_t offset)
{
    uint64_t now = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = take_varint(in);
        now += v >> 1 ^ (v & 1 ? ~UINT64_C(0) : 0);
        le64_put(rows + i * BATCH_ROW + offset, now);
    }
}

static void take_rows(struct columns *in, char *rows, size_t n)
{
    memset(rows, 0, n * BATCH_ROW);
    for (size_t i = 0; i < n; i++) le32_put(rows + i * BATCH_ROW, take_u32(in));
    take_byte_column(in, rows, n, BATCH_ROW_FORMAT);
    take_byte_column(in, rows, n, BATCH_ROW_FLAGS);
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < n; i++)
            le32_put(rows + i * BATCH_ROW + BATCH_ROW_TEXTS + 4 * k, take_u32(in));
    take_difference_column(in, rows, n, BATCH_ROW_RECEIVED);
    take_difference_column(in, rows, n, BATCH_ROW_ORDINAL);
}

/* Writes the batch up to its data, for which there is room behind it. */
static int take_meta(struct slice meta, const struct block_sizes *sizes, uint32_t tenant,
                     struct buf *out)
{
    if (meta.len < META_HEADER) return ERR_CORRUPT;
    size_t n = le32(meta.ptr), m = le32(meta.ptr + 4), texts = le32(meta.ptr + 8);
    if (le32(meta.ptr + 12) != sizes->data_raw || n > BATCH_RECORDS_MAX || m > meta.len ||
        texts > meta.len)
        return ERR_CORRUPT;
    size_t front = BATCH_HEADER + n * BATCH_ROW + 4 * m + texts;
    if (front > BATCH_MAX || sizes->data_raw > BATCH_MAX - front) return ERR_CORRUPT;
    char *to = buf_reserve(out, front + sizes->data_raw);
    if (!to) return buf_error(out);
    memcpy(to, "VkB1", 4);
    le32_put(to + 4, tenant);
    memcpy(to + 8, meta.ptr, META_HEADER);
    struct columns in = {.rest = slice_from(meta, META_HEADER)};
    take_rows(&in, to + BATCH_HEADER, n);
    char *ends = to + BATCH_HEADER + n * BATCH_ROW;
    uint32_t end = 0;
    for (size_t i = 0; i < m; i++) {
        in.bad |= __builtin_add_overflow(end, take_u32(&in), &end);
        le32_put(ends + 4 * i, end);
    }
    if (in.bad || in.rest.len != texts) return ERR_CORRUPT;
    if (texts) memcpy(ends + 4 * m, in.rest.ptr, texts);
    out->len += front;
    return 0;
}

static int decompress(struct block_codec *c, struct slice in, char *to, size_t len)
{
    size_t n = ZSTD_decompressDCtx(c->decompress, to, len, in.ptr, in.len);
    if (!ZSTD_isError(n)) return n == len ? 0 : ERR_CORRUPT;
    return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? ERR_NOMEM : ERR_CORRUPT;
}

int block_decode(struct block_codec *c, struct slice bytes, const struct block_sizes *sizes,
                 uint32_t tenant, struct buf *out, struct batch *ret)
{
    buf_clear(out);
    buf_clear(&c->meta);
    if (sizes->meta_raw > BLOCK_META_MAX || sizes->data_raw > BATCH_MAX ||
        sizes->meta > bytes.len || sizes->data != bytes.len - sizes->meta)
        return ERR_CORRUPT;
    char *meta = buf_reserve(&c->meta, sizes->meta_raw + (size_t)1);
    if (!meta) return buf_error(&c->meta);
    int error = decompress(c, slice_until(bytes, sizes->meta), meta, sizes->meta_raw);
    if (error == 0) error = take_meta(slice_make(meta, sizes->meta_raw), sizes, tenant, out);
    if (error) return error;
    error = decompress(c, slice_from(bytes, sizes->meta), out->ptr + out->len, sizes->data_raw);
    if (error) return error;
    out->len += sizes->data_raw;
    error = batch_open(buf_slice(out), ret);
    return error == 0 ? 0 : ERR_CORRUPT;
}
