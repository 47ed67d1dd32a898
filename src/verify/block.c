/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/block.h"

#include <zstd.h>

#include "base/buf.h"
#include "base/le.h"

enum {
    META_MAX = 6 * 1024 * 1024,
    DATA_MAX = 4 * 1024 * 1024,
    RECORDS_MAX = 64 * 1024,
    TEXT_MAX = 64 * 1024,
    RAW_MAX = 1024 * 1024,
    FORMATS = 16,
    FLAGS = 7,
};

struct row {
    uint32_t len, source, delivery, context;
    uint8_t format, flags;
    int64_t received;
    uint64_t ordinal;
};

struct verify_block {
    struct buf meta, data, texts; /* texts: an array of slices into meta */
    struct row *rows;
    uint32_t n, n_texts, next;
    size_t at; /* of the next record in the data */
};

struct verify_block *verify_block_new(void)
{
    struct verify_block *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    buf_init(&b->meta, META_MAX + 1);
    buf_init(&b->data, DATA_MAX + 1);
    buf_init(&b->texts, META_MAX * sizeof(struct slice));
    b->rows = calloc(RECORDS_MAX, sizeof *b->rows);
    if (b->rows) return b;
    verify_block_free(b);
    return NULL;
}

void verify_block_free(struct verify_block *b)
{
    if (!b) return;
    buf_done(&b->meta);
    buf_done(&b->data);
    buf_done(&b->texts);
    free(b->rows);
    free(b);
}

static int unpack(struct slice in, size_t len, struct buf *out)
{
    buf_clear(out);
    if (len >= out->max) return ERR_CORRUPT;
    char *to = buf_reserve(out, len + 1);
    if (!to) return buf_error(out);
    size_t n = ZSTD_decompress(to, len, in.ptr, in.len);
    if (ZSTD_isError(n) || n != len) return ERR_CORRUPT;
    out->len = len;
    return 0;
}

/* A LEB128 number; false when there is none, or not in its shortest form. */
static bool take_number(struct slice *from, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10 && i < from->len; i++) {
        uint8_t byte = (uint8_t)from->ptr[i];
        if (i == 9 && byte > 1) return false;
        v |= (uint64_t)(byte & 127) << (7 * i);
        if (byte < 128) {
            *from = slice_from(*from, i + 1);
            *ret = v;
            return i == 0 || byte != 0;
        }
    }
    return false;
}

static bool take_small(struct slice *from, uint64_t max, uint32_t *ret)
{
    uint64_t v;
    if (!take_number(from, &v) || v > max) return false;
    *ret = (uint32_t)v;
    return true;
}

static bool take_difference(struct slice *from, uint64_t before, uint64_t *ret)
{
    uint64_t v;
    if (!take_number(from, &v)) return false;
    *ret = before + (v % 2 ? ~(v / 2) : v / 2);
    return true;
}

static bool read_columns(struct verify_block *b, struct slice *in)
{
    uint32_t n = b->n;
    uint64_t now = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!take_small(in, RAW_MAX, &b->rows[i].len)) return false;
    if (in->len < 2 * (size_t)n) return false;
    for (uint32_t i = 0; i < n; i++) {
        b->rows[i].format = (uint8_t)in->ptr[i];
        b->rows[i].flags = (uint8_t)in->ptr[n + i];
        if (b->rows[i].format >= FORMATS || b->rows[i].flags > FLAGS) return false;
    }
    *in = slice_from(*in, 2 * (size_t)n);
    for (uint32_t i = 0; i < n; i++)
        if (!take_small(in, b->n_texts, &b->rows[i].source)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!take_small(in, b->n_texts, &b->rows[i].delivery)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!take_small(in, b->n_texts, &b->rows[i].context)) return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!take_difference(in, now, &now)) return false;
        b->rows[i].received = (int64_t)now;
    }
    now = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!take_difference(in, now, &now)) return false;
        b->rows[i].ordinal = now;
    }
    return true;
}

static bool read_texts(struct verify_block *b, struct slice in, size_t total)
{
    struct slice *texts = (struct slice *)(void *)b->texts.ptr;
    size_t sum = 0;
    for (uint32_t i = 0; i < b->n_texts; i++) {
        uint32_t len;
        if (!take_small(&in, TEXT_MAX, &len)) return false;
        texts[i] = slice_make(NULL, len);
        sum += len;
    }
    if (sum != total || in.len != total) return false;
    for (uint32_t i = 0; i < b->n_texts; i++) {
        texts[i].ptr = in.ptr;
        in = slice_from(in, texts[i].len);
    }
    return true;
}

/* Each record has a LF behind it; together they are the data. */
static bool data_fits(const struct verify_block *b)
{
    struct slice rest = buf_slice(&b->data);
    for (uint32_t i = 0; i < b->n; i++) {
        size_t len = b->rows[i].len;
        if (len >= rest.len || rest.ptr[len] != '\n') return false;
        rest = slice_from(rest, len + 1);
    }
    return rest.len == 0;
}

int verify_block_open(struct verify_block *b, struct slice bytes, size_t meta, size_t meta_raw,
                      size_t data_raw)
{
    if (meta > bytes.len) return ERR_CORRUPT;
    int error = unpack(slice_until(bytes, meta), meta_raw, &b->meta);
    if (error == 0) error = unpack(slice_from(bytes, meta), data_raw, &b->data);
    if (error) return error;
    struct slice in = buf_slice(&b->meta);
    if (in.len < 16 || le32(in.ptr) > RECORDS_MAX || le32(in.ptr) == 0 ||
        le32(in.ptr + 4) > in.len || le32(in.ptr + 12) != data_raw)
        return ERR_CORRUPT;
    b->n = le32(in.ptr);
    b->n_texts = le32(in.ptr + 4);
    size_t texts = le32(in.ptr + 8);
    in = slice_from(in, 16);
    buf_clear(&b->texts);
    if (!buf_reserve(&b->texts, (b->n_texts + (size_t)1) * sizeof(struct slice)))
        return buf_error(&b->texts);
    bool right = read_columns(b, &in) && read_texts(b, in, texts) && data_fits(b);
    verify_block_rewind(b);
    return right ? 0 : ERR_CORRUPT;
}

uint32_t verify_block_count(const struct verify_block *b)
{
    return b->n;
}

void verify_block_rewind(struct verify_block *b)
{
    b->next = 0;
    b->at = 0;
}

static struct slice text_of(const struct verify_block *b, uint32_t number)
{
    const struct slice *texts = (const struct slice *)(const void *)b->texts.ptr;
    return number ? texts[number - 1] : SLICE_NONE;
}

bool verify_block_next(struct verify_block *b, struct verify_record *ret)
{
    if (b->next == b->n) return false;
    const struct row *row = &b->rows[b->next++];
    *ret = (struct verify_record){.raw = slice_make(b->data.ptr + b->at, row->len),
                                  .source = text_of(b, row->source),
                                  .delivery = text_of(b, row->delivery),
                                  .context = text_of(b, row->context),
                                  .received = row->received,
                                  .ordinal = row->ordinal,
                                  .format = row->format,
                                  .flags = row->flags};
    b->at += (size_t)row->len + 1;
    return true;
}
