/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrap/encoding.h"

#include <stdlib.h>

#include <zlib.h>
#include <zstd.h>

enum {
    CHUNK = 64 * 1024,
    ZSTD_WINDOW_LOG_MAX = 23, /* 8 MiB */
    WBITS_GZIP = 15 + 16,
    WBITS_ZLIB = 15,
    WBITS_RAW = -15,
};

struct encoding {
    ZSTD_DCtx *zstd;
};

struct encoding *encoding_new(void)
{
    struct encoding *e = calloc(1, sizeof *e);
    if (e) e->zstd = ZSTD_createDCtx();
    if (e && e->zstd &&
        !ZSTD_isError(
            ZSTD_DCtx_setParameter(e->zstd, ZSTD_d_windowLogMax, (int)ZSTD_WINDOW_LOG_MAX)))
        return e;
    encoding_free(e);
    return NULL;
}

void encoding_free(struct encoding *e)
{
    if (!e) return;
    (void)ZSTD_freeDCtx(e->zstd);
    free(e);
}

/* Room for the next piece of output; NULL at the limit or out of memory. */
static char *next_room(struct buf *out, size_t begin, size_t max, size_t *ret_len, int *ret_error)
{
    size_t left = max - (out->len - begin);
    *ret_len = left < CHUNK ? left : CHUNK;
    /* One byte more tells whether all of it was exactly the limit. */
    if (*ret_len == 0) *ret_len = 1;
    char *room = buf_reserve(out, *ret_len);
    *ret_error = room ? 0 : buf_error(out);
    return room;
}

static int count_output(struct buf *out, size_t begin, size_t max, size_t n)
{
    out->len += n;
    if (out->len - begin <= max) return 0;
    out->len = begin + max;
    return ERR_LIMIT;
}

static int inflate_error(int rc)
{
    return rc == Z_MEM_ERROR ? ERR_NOMEM : rc == Z_BUF_ERROR ? ERR_TRUNCATED : ERR_CORRUPT;
}

/* All members of a gzip file, or one stream. */
static int inflate_all(struct slice in, int window_bits, size_t max, struct buf *out)
{
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len};
    int rc = inflateInit2(&z, window_bits);
    if (rc != Z_OK) return inflate_error(rc);
    size_t begin = out->len;
    int error = 0;
    while (error == 0) {
        size_t n;
        char *room = next_room(out, begin, max, &n, &error);
        if (!room) break;
        z.next_out = (Bytef *)room;
        z.avail_out = (uInt)n;
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END) error = inflate_error(rc);
        else error = count_output(out, begin, max, n - z.avail_out);
        if (error != 0 || rc != Z_STREAM_END) continue;
        if (z.avail_in == 0) break;
        if (window_bits != WBITS_GZIP) error = ERR_CORRUPT;
        else if (inflateReset(&z) != Z_OK) error = ERR_CORRUPT;
    }
    (void)inflateEnd(&z);
    return error;
}

/* RFC 1950 begins with CM 8, a window of at most 32 KiB and a check modulo 31. */
static bool has_zlib_header(struct slice in)
{
    if (in.len < 2) return false;
    unsigned cmf = (unsigned char)in.ptr[0], flags = (unsigned char)in.ptr[1];
    return (cmf & 15) == 8 && cmf >> 4 <= 7 && (cmf << 8 | flags) % 31 == 0;
}

static int unzstd(struct encoding *e, struct slice from, size_t max, struct buf *out)
{
    ZSTD_inBuffer in = {.src = from.ptr, .size = from.len};
    size_t begin = out->len, left = 1;
    int error = 0;
    (void)ZSTD_DCtx_reset(e->zstd, ZSTD_reset_session_only);
    while (error == 0 && (in.pos < in.size || left)) {
        size_t n;
        char *room = next_room(out, begin, max, &n, &error);
        if (!room) break;
        ZSTD_outBuffer to = {.dst = room, .size = n};
        size_t before = in.pos;
        left = ZSTD_decompressStream(e->zstd, &to, &in);
        if (ZSTD_isError(left)) return ERR_CORRUPT;
        error = count_output(out, begin, max, to.pos);
        if (error == 0 && left && in.pos == in.size && in.pos == before && to.pos == 0)
            error = ERR_TRUNCATED;
    }
    return error;
}

enum coding { CODING_NONE, CODING_GZIP, CODING_DEFLATE, CODING_ZSTD, CODING_UNKNOWN };

static enum coding coding_of(struct slice name)
{
    name = slice_trim(name);
    if (name.len == 0 || slice_eq_nocase(name, SLICE("identity"))) return CODING_NONE;
    if (slice_eq_nocase(name, SLICE("gzip")) || slice_eq_nocase(name, SLICE("x-gzip")))
        return CODING_GZIP;
    if (slice_eq_nocase(name, SLICE("deflate"))) return CODING_DEFLATE;
    return slice_eq_nocase(name, SLICE("zstd")) ? CODING_ZSTD : CODING_UNKNOWN;
}

bool encoding_is_known(struct slice name)
{
    return coding_of(name) != CODING_UNKNOWN;
}

int encoding_decode(struct encoding *e, struct slice name, struct slice in, size_t max,
                    struct buf *out)
{
    enum coding coding = coding_of(name);
    if (coding == CODING_UNKNOWN) return ERR_UNSUPPORTED;
    if (in.len > UINT32_MAX) return ERR_LIMIT;
    if (coding == CODING_NONE) {
        if (in.len > max) return ERR_LIMIT;
        buf_put(out, in);
        return buf_error(out);
    }
    if (in.len == 0) return ERR_TRUNCATED;
    if (coding == CODING_ZSTD) return unzstd(e, in, max, out);
    return inflate_all(in,
                       coding == CODING_GZIP ? WBITS_GZIP
                       : has_zlib_header(in) ? WBITS_ZLIB
                                             : WBITS_RAW,
                       max, out);
}
