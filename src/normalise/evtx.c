/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Windows event log files. Little-endian throughout; after libevtx' description of the format.
 *
 *   file header, 4096 bytes           chunk, 65536 bytes
 *      0  "ElfFile\0"                    0  "ElfChnk\0"
 *     32  header size, 128              40  header size, 128
 *     38  major version, 3              48  where the free space begins
 *     42  number of chunks              52  CRC-32 of the records, [512, free space)
 *    120  flags: 1 not closed,         120  flags
 *         2 full, 4 no checksums       124  CRC-32 of [0, 120) and [128, 512)
 *    124  CRC-32 of [0, 120)           512  records
 *
 *   record: 2a 2a 00 00, size:4, number:8, written:8, binary XML, size:4 again
 *
 * Chunks refer to nothing outside themselves, so one is held at a time. Where a chunk should be
 * and is not, its records are still looked for, and the next chunk header may stand anywhere.
 * A record is whole when magic and both sizes agree. Behind the free space mark stand remains of
 * what the chunk's memory held before, except in files copied while in use: there a record
 * belongs to the chunk when it carries the next number.
 */
#include <stdlib.h>

#include "base/le.h"
#include "normalise/binxml.h"
#include "normalise/decoder.h"

enum {
    HEADER_SIZE = 4096,
    CHUNK_SIZE = BINXML_CHUNK_MAX,
    CHUNK_HEADER = 512,
    RECORD_HEADER = 24,
    RECORD_MIN = RECORD_HEADER + 4,
    FLAG_DIRTY = 1,
    FLAG_NO_CRC = 4,
    EVENT_ARENA_MAX = 2 * 1024 * 1024,
};

static const char file_magic[8] = "ElfFile";
static const char chunk_magic[8] = "ElfChnk";
static const char record_magic[4] = {0x2a, 0x2a, 0, 0};

struct evtx {
    struct decoder base;
    struct binxml *xml;
    struct arena arena;
    struct event ev;
    bool header_done;
    bool no_crc;
    bool dirty;
    uint32_t chunks_promised, chunks_seen;
    uint64_t offset; /* in the source, of the first byte in `chunk` */
    size_t have;     /* bytes in `chunk` */
    uint32_t crc[8][256];
    char chunk[CHUNK_SIZE];
};

/* ---- CRC-32 (IEEE 802.3), eight bytes at a time --------------------------------------------- */

static void crc_init(uint32_t crc[8][256])
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (int bit = 0; bit < 8; bit++) v = v >> 1 ^ (v & 1 ? UINT32_C(0xEDB88320) : 0);
        crc[0][i] = v;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++) crc[k][i] = crc[k - 1][i] >> 8 ^ crc[0][crc[k - 1][i] & 255];
}

/* Continues `v`, which starts and ends as all ones; the caller inverts. */
static uint32_t crc_update(const uint32_t crc[8][256], uint32_t v, const char *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w = le64(p) ^ v;
        v = crc[7][w & 255] ^ crc[6][w >> 8 & 255] ^ crc[5][w >> 16 & 255] ^ crc[4][w >> 24 & 255] ^
            crc[3][w >> 32 & 255] ^ crc[2][w >> 40 & 255] ^ crc[1][w >> 48 & 255] ^ crc[0][w >> 56];
    }
    for (; n; n--, p++) v = v >> 8 ^ crc[0][(v ^ (unsigned char)*p) & 255];
    return v;
}

/* ---- records ------------------------------------------------------------------------------ */

static void report(struct evtx *d, uint64_t at, uint64_t record, const char *reason)
{
    d->base.out.bad(d->base.out.ctx, d->offset + at, record, reason);
}

/*
 * The number that Windows shows. In an exported selection it differs from the record header's,
 * which counts anew.
 */
static uint64_t event_record_id(const struct event *ev, key_id key, uint64_t fallback)
{
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        uint64_t id;
        if (ev->fields[i].key == key) return slice_to_u64(ev->fields[i].value, &id) ? id : fallback;
    }
    return fallback;
}

static int decode_record(struct evtx *d, struct slice chunk, size_t at, size_t size)
{
    struct event *ev = &d->ev;
    const char *reason = NULL;
    event_reset(ev);
    ev->record = le64(chunk.ptr + at + 8);
    ev->raw = slice_make(chunk.ptr + at, size);
    ev->format = "evtx";
    ev->flags = EVENT_CANONICAL;
    int r = binxml_decode(d->xml, at + RECORD_HEADER, at + size - 4, ev, &reason);
    key_id id = keys_intern(d->base.keys, KEY_ROOT, SLICE("EventRecordID"));
    ev->record = event_record_id(ev, id, ev->record);
    if (r) {
        report(d, at, ev->record, reason);
        /* What was readable is still evidence. */
        if (ev->n_fields == 0) return 0;
        ev->flags |= EVENT_DAMAGED;
    }
    return d->base.out.emit(d->base.out.ctx, ev);
}

static bool is_record_start(struct slice chunk, size_t at)
{
    return chunk.len - at >= RECORD_MIN && memcmp(chunk.ptr + at, record_magic, 4) == 0;
}

/* The size of the record at `at`, or 0 when there is no whole one. */
static size_t record_size(struct slice chunk, size_t at)
{
    if (!is_record_start(chunk, at)) return 0;
    size_t size = le32(chunk.ptr + at + 4);
    if (size < RECORD_MIN || size > chunk.len - at) return 0;
    return le32(chunk.ptr + at + size - 4) == size ? size : 0;
}

/* Where the next whole record is, from `at` on; the end when there is none. */
static size_t find_record(struct slice chunk, size_t at)
{
    while (at < chunk.len) {
        size_t found = slice_find(slice_from(chunk, at), slice_make(record_magic, 4));
        if (found == SIZE_MAX) break;
        at += found;
        if (record_size(chunk, at)) return at;
        at++;
    }
    return chunk.len;
}

static const char *why_no_record(struct slice chunk, size_t at)
{
    if (chunk.len - at < RECORD_MIN) return "the chunk is cut off inside a record";
    if (!is_record_start(chunk, at)) return "no record where one should be";
    size_t size = le32(chunk.ptr + at + 4);
    if (size < RECORD_MIN) return "record size is too small";
    if (size > chunk.len - at) return "record is cut off or its size is wrong";
    return "the two sizes of the record differ";
}

/*
 * A record whose second size is damaged: the first is right when the next record, or the free
 * space, begins exactly behind it.
 */
static size_t plausible_size(struct slice chunk, size_t at, size_t used)
{
    if (!is_record_start(chunk, at)) return 0;
    size_t size = le32(chunk.ptr + at + 4);
    if (size < RECORD_MIN || size > chunk.len - at) return 0;
    return at + size == used || record_size(chunk, at + size) ? size : 0;
}

/* All records in chunk[CHUNK_HEADER, …); `used` is where the header says that they end. */
static int decode_records(struct evtx *d, struct slice chunk, size_t used)
{
    uint64_t number = le64(chunk.ptr + 32); /* of the last record, says the header */
    binxml_set_chunk(d->xml, chunk);
    for (size_t at = CHUNK_HEADER; at < chunk.len;) {
        size_t size = record_size(chunk, at);
        if (at >= used && (!size || le64(chunk.ptr + at + 8) != number + 1)) break;
        if (!size) {
            size = plausible_size(chunk, at, used);
            report(d, at, is_record_start(chunk, at) ? le64(chunk.ptr + at + 8) : 0,
                   why_no_record(chunk, at));
            if (!size) {
                at = find_record(slice_until(chunk, used), at + 1);
                continue;
            }
        }
        number = le64(chunk.ptr + at + 8);
        int r = decode_record(d, chunk, at, size);
        if (r) return r;
        at += size;
    }
    return 0;
}

/* ---- chunks ------------------------------------------------------------------------------- */

static bool is_zero(struct slice s)
{
    return s.len == 0 || (s.ptr[0] == 0 && memcmp(s.ptr, s.ptr + 1, s.len - 1) == 0);
}

static bool is_chunk(struct slice s)
{
    return s.len >= sizeof chunk_magic && memcmp(s.ptr, chunk_magic, sizeof chunk_magic) == 0;
}

/* Where another chunk header begins, or may begin when only a part of it is there; or the end. */
static size_t find_chunk(struct slice s, size_t at)
{
    for (; at < s.len; at++) {
        const char *p = memchr(s.ptr + at, chunk_magic[0], s.len - at);
        if (!p) break;
        at = (size_t)(p - s.ptr);
        size_t n = s.len - at < sizeof chunk_magic ? s.len - at : sizeof chunk_magic;
        if (memcmp(p, chunk_magic, n) == 0 && (s.len - at < 44 || le32(p + 40) == 128)) return at;
    }
    return s.len;
}

static void check_chunk_header(struct evtx *d, struct slice chunk, size_t *ret_used)
{
    size_t used = le32(chunk.ptr + 48);
    bool no_crc = d->no_crc || (le32(chunk.ptr + 120) & FLAG_NO_CRC);
    uint32_t crc = crc_update(d->crc, UINT32_MAX, chunk.ptr, 120);
    crc = ~crc_update(d->crc, crc, chunk.ptr + 128, CHUNK_HEADER - 128);
    if (!no_crc && crc != le32(chunk.ptr + 124)) report(d, 0, 0, "chunk header checksum is wrong");
    if (used < CHUNK_HEADER || used > CHUNK_SIZE) {
        report(d, 48, 0, "chunk header: the records' end lies outside the chunk");
        used = CHUNK_SIZE;
    } else if (used <= chunk.len && !no_crc) {
        crc = ~crc_update(d->crc, UINT32_MAX, chunk.ptr + CHUNK_HEADER, used - CHUNK_HEADER);
        if (crc != le32(chunk.ptr + 52)) report(d, 0, 0, "chunk data checksum is wrong");
    }
    *ret_used = used;
}

/*
 * One slot, whole or what the source's end left of it. *ret_done is how much of it is finished:
 * all, or as far as the place where a displaced chunk begins.
 */
static int decode_chunk(struct evtx *d, struct slice slot, bool last, size_t *ret_done)
{
    *ret_done = slot.len;
    size_t used = CHUNK_SIZE;
    if (is_chunk(slot)) {
        d->chunks_seen++;
        if (slot.len < CHUNK_SIZE) report(d, slot.len, 0, "the file ends inside a chunk");
        if (slot.len <= CHUNK_HEADER) return 0;
        check_chunk_header(d, slot, &used);
        return decode_records(d, slot, used < slot.len ? used : slot.len);
    }
    if (is_zero(slot)) {
        if (slot.len == CHUNK_SIZE) d->chunks_seen++;
        if (slot.len < CHUNK_SIZE) report(d, slot.len, 0, "the file ends inside a chunk");
        return 0;
    }
    size_t next = find_chunk(slot, 0);
    if (last && slot.len - next < sizeof chunk_magic) next = slot.len;
    *ret_done = next;
    if (next && !is_zero(slice_until(slot, next))) {
        report(d, 0, 0, "no chunk header where one should be");
        if (next == slot.len) d->chunks_seen++;
    }
    if (next <= CHUNK_HEADER) return 0;
    /* Nothing is known of where the records end: only those that are whole are taken. */
    struct slice rest = slice_until(slot, next);
    size_t first = find_record(rest, CHUNK_HEADER);
    if (first == rest.len) return 0;
    binxml_set_chunk(d->xml, rest);
    for (size_t at = first; at < rest.len; at = find_record(rest, at)) {
        size_t size = record_size(rest, at);
        int r = decode_record(d, rest, at, size);
        if (r) return r;
        at += size;
    }
    return 0;
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool has_header_shape(struct slice s)
{
    return s.len >= 44 && le32(s.ptr + 32) == 128 && le16(s.ptr + 38) == 3 &&
           le16(s.ptr + 40) == HEADER_SIZE;
}

/* The first 4096 bytes (fewer only at the end). Returns how many of them belong to no chunk. */
static size_t read_header(struct evtx *d, struct slice head)
{
    d->header_done = true;
    bool magic = head.len >= 8 && memcmp(head.ptr, file_magic, sizeof file_magic) == 0;
    size_t next = find_chunk(head, 0);
    if (head.len - next < sizeof chunk_magic) next = head.len;
    if (next < head.len || (!magic && !has_header_shape(head))) {
        report(d, 0, 0, next == 0 ? "no file header" : "file header is damaged");
        return next;
    }
    if (!magic) report(d, 0, 0, "file header has the wrong magic");
    if (head.len < HEADER_SIZE) {
        report(d, head.len, 0, "the file ends inside its header");
        return head.len;
    }
    uint32_t flags = le32(head.ptr + 120);
    d->dirty = flags & FLAG_DIRTY;
    d->no_crc = flags & FLAG_NO_CRC;
    d->chunks_promised = le16(head.ptr + 42);
    uint32_t crc = ~crc_update(d->crc, UINT32_MAX, head.ptr, 120);
    if (!d->no_crc && crc != le32(head.ptr + 124)) {
        report(d, 0, 0, "file header checksum is wrong");
        d->chunks_promised = 0;
        d->no_crc = false;
    }
    return head.len;
}

/* Drops n bytes at the front of the buffer. */
static void consume(struct evtx *d, size_t n)
{
    memmove(d->chunk, d->chunk + n, d->have - n);
    d->have -= n;
    d->offset += n;
}

static int evtx_feed(struct decoder *base, struct slice data)
{
    struct evtx *d = (struct evtx *)base;
    while (data.len) {
        size_t want = d->header_done ? CHUNK_SIZE : HEADER_SIZE;
        size_t done;
        if (d->have == 0 && data.len >= want) {
            /* The whole piece is here: no need to copy it. */
            struct slice piece = slice_until(data, want);
            int r = 0;
            if (d->header_done) r = decode_chunk(d, piece, false, &done);
            else done = read_header(d, piece);
            if (r) return r;
            d->offset += done;
            data = slice_from(data, done);
            continue;
        }
        size_t n = want - d->have < data.len ? want - d->have : data.len;
        memcpy(d->chunk + d->have, data.ptr, n);
        d->have += n;
        data = slice_from(data, n);
        if (d->have < want) break;
        int r = 0;
        if (d->header_done) r = decode_chunk(d, slice_make(d->chunk, d->have), false, &done);
        else done = read_header(d, slice_make(d->chunk, d->have));
        if (r) return r;
        consume(d, done);
    }
    return 0;
}

static int evtx_finish(struct decoder *base)
{
    struct evtx *d = (struct evtx *)base;
    if (!d->header_done) consume(d, read_header(d, slice_make(d->chunk, d->have)));
    while (d->have) {
        size_t done;
        int r = decode_chunk(d, slice_make(d->chunk, d->have), true, &done);
        if (r) return r;
        consume(d, done);
    }
    if (!d->dirty && d->chunks_seen < d->chunks_promised)
        report(d, 0, 0, "the file ends before its last chunk");
    return 0;
}

/* A chunk, for records of it that come one by one. */
static int evtx_header(struct decoder *base, struct slice chunk)
{
    struct evtx *d = (struct evtx *)base;
    d->have = chunk.len < CHUNK_SIZE ? chunk.len : CHUNK_SIZE;
    if (d->have) memcpy(d->chunk, chunk.ptr, d->have);
    binxml_set_chunk(d->xml, slice_make(d->chunk, d->have));
    return 0;
}

static int evtx_record(struct decoder *base, struct slice record)
{
    struct evtx *d = (struct evtx *)base;
    struct slice chunk = slice_make(d->chunk, d->have);
    if (record.len < RECORD_MIN || record_size(record, 0) != record.len) {
        report(d, 0, 0, "not an event record");
        return 0;
    }
    /* What it refers to is known by its place in the chunk. */
    size_t at = slice_find(chunk, record);
    if (at == SIZE_MAX) {
        report(d, 0, 0, "its chunk is missing");
        return 0;
    }
    return decode_record(d, chunk, at, record.len);
}

static int evtx_sniff(struct slice head, bool final)
{
    if (head.len < 8) return 0;
    if (memcmp(head.ptr, file_magic, 8) == 0 || is_chunk(head)) return 100;
    if (has_header_shape(head)) return 90;
    return 0;
}

static void evtx_close(struct decoder *base)
{
    struct evtx *d = (struct evtx *)base;
    event_done(&d->ev);
    arena_done(&d->arena);
    binxml_free(d->xml);
    free(d);
}

static struct decoder *evtx_open(const struct decoder_out *out, struct keys *keys)
{
    struct evtx *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->base = (struct decoder){.ops = &decoder_evtx, .out = *out, .keys = keys};
    d->xml = binxml_new(keys);
    if (!d->xml) {
        free(d);
        return NULL;
    }
    arena_init(&d->arena, EVENT_ARENA_MAX);
    event_init(&d->ev, keys, &d->arena);
    crc_init(d->crc);
    return &d->base;
}

const struct decoder_ops decoder_evtx = {
    .name = "evtx",
    .sniff = evtx_sniff,
    .open = evtx_open,
    .feed = evtx_feed,
    .finish = evtx_finish,
    .record = evtx_record,
    .header = evtx_header,
    .close = evtx_close,
};
