/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/segment.h"

#include "base/crc32c.h"
#include "base/le.h"

static const char magic_footer[8] = "VkFoot1", magic_end[8] = "VkEnd1\0";
enum { NUMBER_DIGITS = 20 };

void segment_name(char name[STORE_NAME_MAX + 1], const char *kind, uint64_t begin)
{
    (void)snprintf(name, STORE_NAME_MAX + 1, "%s-%020llu", kind, (unsigned long long)begin);
}

bool segment_name_read(const char *name, const char *kind, uint64_t *ret_begin)
{
    struct slice s = slice_of(name), prefix = slice_of(kind);
    if (!slice_starts_with(s, prefix) || s.len != prefix.len + 1 + NUMBER_DIGITS ||
        s.ptr[prefix.len] != '-')
        return false;
    return slice_to_u64(slice_from(s, prefix.len + 1), ret_begin);
}

/* ---- footer ------------------------------------------------------------------------------ */

static void put_u32(struct buf *out, uint32_t v)
{
    char bytes[4];
    le32_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

static void put_u64(struct buf *out, uint64_t v)
{
    char bytes[8];
    le64_put(bytes, v);
    buf_put(out, slice_make(bytes, sizeof bytes));
}

void segment_footer_write(struct buf *out, const struct segment_footer *f)
{
    size_t start = out->len;
    buf_put(out, slice_make(magic_footer, sizeof magic_footer));
    put_u32(out, f->version);
    put_u32(out, f->tenant);
    put_u64(out, f->begin);
    put_u64(out, f->lost);
    put_u64(out, f->records);
    put_u64(out, (uint64_t)f->earliest);
    put_u64(out, (uint64_t)f->latest);
    put_u64(out, (uint64_t)f->sealed);
    put_u64(out, f->raw_bytes);
    put_u64(out, f->index_at);
    put_u32(out, f->index_len);
    put_u32(out, f->index_raw);
    put_u32(out, f->index_crc);
    put_u32(out, f->blocks);
    put_u32(out, f->normaliser);
    put_u32(out, f->tokens);
    put_u32(out, f->before.n);
    put_u32(out, f->range.n);
    buf_put(out, slice_make(&f->root, sizeof f->root));
    buf_put(out, slice_make(f->before.nodes, f->before.n * sizeof f->root));
    buf_put(out, slice_make(f->range.nodes, f->range.n * sizeof f->root));
    if (buf_failed(out)) return;
    size_t len = out->len - start;
    uint32_t crc = crc32c(0, slice_make(out->ptr + start, len));
    put_u32(out, (uint32_t)(len + SEGMENT_TAIL));
    put_u32(out, crc);
    buf_put(out, slice_make(magic_end, sizeof magic_end));
}

static void read_numbers(const char *p, struct segment_footer *f)
{
    f->version = le32(p + 8);
    f->tenant = le32(p + 12);
    f->begin = le64(p + 16);
    f->lost = le64(p + 24);
    f->records = le64(p + 32);
    f->earliest = (nsec)le64(p + 40);
    f->latest = (nsec)le64(p + 48);
    f->sealed = (nsec)le64(p + 56);
    f->raw_bytes = le64(p + 64);
    f->index_at = le64(p + 72);
    f->index_len = le32(p + 80);
    f->index_raw = le32(p + 84);
    f->index_crc = le32(p + 88);
    f->blocks = le32(p + 92);
    f->normaliser = le32(p + 96);
    f->tokens = le32(p + 100);
    f->before.n = le32(p + 104);
    f->range.n = le32(p + 108);
    memcpy(&f->root, p + 112, sizeof f->root);
}

/* The nodes stand behind the numbers; whether they are as many as they must be and give the root.
 */
static int read_nodes(struct slice nodes, struct segment_footer *f)
{
    uint64_t end;
    if (f->lost > SEGMENT_LOST_MAX || __builtin_add_overflow(f->begin, f->lost, &end) ||
        __builtin_add_overflow(end, f->records, &end) || end > TREE_SIZE_MAX || end == f->begin)
        return ERR_CORRUPT;
    if (f->before.n != tree_range_count(0, f->begin) ||
        f->range.n != tree_range_count(f->begin, end) ||
        nodes.len != (f->before.n + (size_t)f->range.n) * sizeof f->root)
        return ERR_CORRUPT;
    f->before.begin = 0;
    f->before.end = f->range.begin = f->begin;
    f->range.end = end;
    size_t split = f->before.n * sizeof f->root;
    if (split) memcpy(f->before.nodes, nodes.ptr, split);
    memcpy(f->range.nodes, nodes.ptr + split, nodes.len - split);
    struct tree_range whole = f->before;
    tree_range_append(&whole, &f->range, NULL);
    struct sha256 root = tree_range_root(&whole);
    return sha256_eq(&root, &f->root) ? 0 : ERR_CORRUPT;
}

int segment_footer_read(struct slice bytes, struct segment_footer *ret, size_t *ret_len)
{
    if (bytes.len < SEGMENT_TAIL) return ERR_TRUNCATED;
    const char *tail = bytes.ptr + bytes.len - SEGMENT_TAIL;
    size_t len = le32(tail);
    if (memcmp(tail + 8, magic_end, sizeof magic_end) != 0 || len > SEGMENT_FOOTER_MAX ||
        len < SEGMENT_FOOTER_MIN + SEGMENT_TAIL)
        return ERR_CORRUPT;
    if (len > bytes.len) return ERR_TRUNCATED;
    struct slice body = slice_make(bytes.ptr + bytes.len - len, len - SEGMENT_TAIL);
    if (crc32c(0, body) != le32(tail + 4) ||
        memcmp(body.ptr, magic_footer, sizeof magic_footer) != 0)
        return ERR_CORRUPT;
    uint32_t version = le32(body.ptr + 8);
    if (version != SEGMENT_VERSION && version != SEGMENT_VERSION_BLOOM) return ERR_UNSUPPORTED;
    read_numbers(body.ptr, ret);
    *ret_len = len;
    return read_nodes(slice_from(body, SEGMENT_FOOTER_MIN), ret);
}

int segment_footer_load(const struct store_io *io, const char *kind, uint64_t begin,
                        struct segment_footer *ret)
{
    char name[STORE_NAME_MAX + 1], bytes[SEGMENT_FOOTER_MAX];
    size_t len;
    segment_name(name, kind, begin);
    int file = io->open(io->ctx, name, STORE_READ);
    if (file < 0) return file;
    int64_t size = io->size(io->ctx, file);
    int64_t want = size < (int64_t)sizeof bytes ? size : (int64_t)sizeof bytes;
    int64_t got = want < 0 ? want
                  : want == 0
                      ? ERR_TRUNCATED
                      : store_io_read(io, file, bytes, (size_t)want, (uint64_t)(size - want));
    io->close(io->ctx, file);
    if (got < 0) return (int)got;
    int error = segment_footer_read(slice_make(bytes, (size_t)got), ret, &len);
    return error == 0 && ret->begin != begin ? ERR_CORRUPT : error;
}
