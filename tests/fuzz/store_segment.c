/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A segment with any body and any index behind a footer that fits them: both readings end, whatever
 * they find, and a segment that verify takes can be read. Input: u8 lost, whose highest bit stands
 * for version 2, u16 records, u16 blocks, u16 length of the body, the body, the index.
 */
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/segment.h"
#include "target.h"
#include "verify/segment.h"

enum { IN_MAX = 64 * 1024, HEAD = 7 };

static uint32_t version_of(const uint8_t *head)
{
    return head[0] & 0x80 ? SEGMENT_VERSION : SEGMENT_VERSION_BLOOM;
}

static uint8_t lost_of(const uint8_t *head)
{
    return head[0] & 0x7f;
}

static void write_footer(struct buf *out, const uint8_t *head, size_t index_at, size_t index_len,
                         size_t index_raw)
{
    static struct segment_footer f;
    memset(&f, 0, sizeof f);
    f.version = version_of(head);
    f.lost = lost_of(head);
    f.records = le16((const char *)head + 1);
    f.blocks = le16((const char *)head + 3);
    f.tokens = 1;
    f.index_at = index_at;
    f.index_len = (uint32_t)index_len;
    f.index_raw = (uint32_t)index_raw;
    f.index_crc = crc32c(0, slice_make(out->ptr + index_at, index_len));
    f.range.end = f.lost + f.records;
    f.range.n = tree_range_count(0, f.range.end);
    f.root = tree_range_root(&f.range);
    segment_footer_write(out, &f);
}

static void take(void *ctx, uint64_t seq, const struct verify_record *record)
{
    uint64_t *next = ctx;
    HOLDS(seq >= *next);
    *next = seq + 1;
    (void)record;
}

static int64_t on_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    (void)ctx;
    return pread(file, to, len, (off_t)offset);
}

static int64_t on_size(void *ctx, int file)
{
    (void)file;
    return (int64_t)((struct buf *)ctx)->len;
}

static int on_open(void *ctx, const char *name, enum store_open_mode mode)
{
    struct buf *bytes = ctx;
    (void)name;
    (void)mode;
    int fd = memfd_create("segment", MFD_CLOEXEC);
    HOLDS(fd >= 0 && write(fd, bytes->ptr, bytes->len) == (ssize_t)bytes->len);
    return fd;
}

static void on_close(void *ctx, int file)
{
    (void)ctx;
    (void)close(file);
}

static void check(struct buf *bytes)
{
    struct store_io io = {
        .open = on_open, .close = on_close, .read = on_read, .size = on_size, .ctx = bytes};
    struct segment *s;
    struct segment_cursor c;
    struct record r;
    static struct verify_footer footer;
    struct verify_flaw flaw;
    uint64_t seq, next = 0, tokens[2] = {1, 1234567890123456789};
    struct verify_file file = {.fd = on_open(bytes, "", STORE_READ), .size = bytes->len};
    int right = verify_segment(&file, 0, take, &next, &footer, &flaw);
    HOLDS(right == 0 || right == ERR_CORRUPT);
    verify_file_close(&file);
    int error = segment_open(&io, 0, &s);
    HOLDS(error == 0 || error == ERR_CORRUPT || error == ERR_TRUNCATED || error == ERR_UNSUPPORTED);
    HOLDS(right != 0 || flaw.what || error == 0);
    if (error) return;
    struct segment_query q = SEGMENT_ANY;
    for (q.n_tokens = 0; q.n_tokens < 2; q.n_tokens++) {
        q.tokens = tokens;
        HOLDS(segment_cursor_init(&c, s, &q) == 0);
        while ((error = segment_cursor_next(&c, &seq, &r)) != 0)
            HOLDS(error == 1 || (error == ERR_CORRUPT && flaw.what));
        segment_cursor_done(&c);
    }
    segment_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    if (size < HEAD || size > IN_MAX) return 0;
    size_t body = le16((const char *)data + 5), rest = size - HEAD;
    if (body > rest || lost_of(data) + le16((const char *)data + 1) == 0) return 0;
    char head[SEGMENT_HEAD] = "VkSeg1";
    head[8] = (char)version_of(data);
    buf_init(&out, 4 * (size_t)IN_MAX);
    buf_put(&out, slice_make(head, sizeof head));
    buf_put(&out, slice_make(data + HEAD, body));
    size_t at = out.len, bound = ZSTD_compressBound(rest - body);
    char *to = buf_reserve(&out, bound);
    HOLDS(to);
    size_t n = ZSTD_compress(to, bound, data + HEAD + body, rest - body, 1);
    HOLDS(!ZSTD_isError(n));
    out.len += n;
    write_footer(&out, data, at, n, rest - body);
    HOLDS(!buf_failed(&out));
    check(&out);
    buf_done(&out);
    return 0;
}
