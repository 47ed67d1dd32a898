/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/journal.h"

#include "base/crc32c.h"
#include "base/le.h"

enum {
    HEAD = 64,
    SECOND_HEAD = 4096,
    FRAMES = 4160,
    FRAME_HEAD = 64,
    PAYLOAD_MAX = 4 * 1024 * 1024,
    BATCH_HEAD = 24,
    ROW = 40,
    RECORDS_MAX = 64 * 1024,
    RAW_MAX = 1024 * 1024,
    TEXT_MAX = 64 * 1024,
    FORMATS = 16,
    FLAGS = 7,
    WINDOW = 256 * 1024,
};

struct journal {
    const struct verify_file *file;
    uint64_t first, salt, next; /* next: sequence number that is expected */
    uint32_t tenant, epoch;
    struct buf head, payload, window;
    verify_take *take;
    void (*flaw)(void *ctx, const struct verify_flaw *flaw);
    void *ctx;
};

struct frame {
    uint64_t first, end;
    uint32_t n, len;
};

/* ---- batches ----------------------------------------------------------------------------- */

struct batch {
    const char *rows, *ends, *texts, *data;
    size_t n, m, texts_len, data_len;
};

static bool text_of(const struct batch *b, const char *at, struct slice *ret)
{
    uint32_t number = le32(at);
    *ret = SLICE_NONE;
    if (number == 0) return true;
    if (number > b->m) return false;
    uint32_t from = number > 1 ? le32(b->ends + 4 * (size_t)(number - 2)) : 0;
    uint32_t to = le32(b->ends + 4 * (size_t)(number - 1));
    if (to < from || to > b->texts_len || to - from > TEXT_MAX) return false;
    *ret = slice_make(b->texts + from, to - from);
    return true;
}

static bool record_of(const struct batch *b, size_t i, size_t *at, struct verify_record *ret)
{
    const char *row = b->rows + i * ROW;
    uint32_t len = le32(row);
    if (len > RAW_MAX || len >= b->data_len - *at || b->data[*at + len] != '\n' ||
        (uint8_t)row[4] >= FORMATS || (uint8_t)row[5] > FLAGS)
        return false;
    ret->raw = slice_make(b->data + *at, len);
    ret->format = (uint8_t)row[4];
    ret->flags = (uint8_t)row[5];
    ret->received = (int64_t)le64(row + 24);
    ret->ordinal = le64(row + 32);
    *at += (size_t)len + 1;
    return text_of(b, row + 8, &ret->source) && text_of(b, row + 12, &ret->delivery) &&
           text_of(b, row + 16, &ret->context);
}

static bool batch_of(struct slice bytes, const struct journal *j, struct batch *ret)
{
    const char *p = bytes.ptr;
    if (bytes.len < BATCH_HEAD || memcmp(p, "VkB1", 4) != 0 || le32(p + 4) != j->tenant)
        return false;
    *ret = (struct batch){
        .n = le32(p + 8), .m = le32(p + 12), .texts_len = le32(p + 16), .data_len = le32(p + 20)};
    if (ret->n == 0 || ret->n > RECORDS_MAX ||
        BATCH_HEAD + ret->n * ROW + ret->m * 4 + ret->texts_len + ret->data_len != bytes.len)
        return false;
    ret->rows = p + BATCH_HEAD;
    ret->ends = ret->rows + ret->n * ROW;
    ret->texts = ret->ends + ret->m * 4;
    ret->data = ret->texts + ret->texts_len;
    return true;
}

/* Whether all of it can be read; tells the records when `tell` is set. */
static bool read_batch(struct journal *j, const struct frame *f, bool tell)
{
    struct batch b;
    struct verify_record r;
    size_t at = 0;
    if (!batch_of(buf_slice(&j->payload), j, &b) || b.n != f->n) return false;
    for (size_t i = 0; i < b.n; i++) {
        if (!record_of(&b, i, &at, &r)) return false;
        if (tell) j->take(j->ctx, f->first + i, &r);
    }
    return at == b.data_len;
}

/* ---- frames ------------------------------------------------------------------------------ */

/* 1: a frame whose head and payload have their CRCs. 0: none. */
static int frame_at(struct journal *j, uint64_t offset, struct frame *ret)
{
    int error = verify_file_read(j->file, offset, FRAME_HEAD, &j->head);
    if (error) return error == ERR_TRUNCATED ? 0 : error;
    const char *p = j->head.ptr;
    ret->n = le32(p + 20);
    ret->first = le64(p + 24);
    ret->len = le32(p + 48);
    if (le64(p) != (j->salt ^ offset) || memcmp(p + 8, "VkF1", 4) != 0 ||
        crc32c(0, slice_make(p, 60)) != le32(p + 60) || le32(p + 12) != j->tenant ||
        le32(p + 16) != j->epoch || ret->len > PAYLOAD_MAX)
        return 0;
    error = verify_file_read(j->file, offset + FRAME_HEAD, ret->len, &j->payload);
    if (error) return error == ERR_TRUNCATED ? 0 : error;
    if (crc32c(0, buf_slice(&j->payload)) != le32(p + 56)) return 0;
    ret->end = offset + FRAME_HEAD + (ret->len + UINT64_C(7)) / 8 * 8;
    return 1;
}

/*
 * Looks for a frame from `offset` on. 1: *ret_at; 0: there is none to the end of the file.
 * *ret_rest: the first byte that is not zero, when there is none.
 */
static int find_frame(struct journal *j, uint64_t offset, uint64_t *ret_at, uint64_t *ret_rest)
{
    struct frame f;
    *ret_rest = 0;
    while (offset < j->file->size) {
        uint64_t left = j->file->size - offset;
        size_t len = left < WINDOW ? (size_t)left : WINDOW;
        int error = verify_file_read(j->file, offset, len, &j->window);
        if (error) return error;
        for (size_t i = 0; i < len; i += 8) {
            const char *p = j->window.ptr + i;
            for (size_t k = i; *ret_rest == 0 && k < len && k < i + 8; k++)
                if (j->window.ptr[k]) *ret_rest = offset + k;
            if (len - i < 8 || le64(p) != (j->salt ^ (offset + i))) continue;
            int found = frame_at(j, offset + i, &f);
            if (found < 0) return found;
            *ret_at = offset + i;
            if (found) return 1;
        }
        offset += len;
    }
    return 0;
}

static bool take_head(struct journal *j, const char *p)
{
    static const char zeros[28];
    if (memcmp(p, "VkJ1", 4) != 0 || crc32c(0, slice_make(p, 60)) != le32(p + 60) ||
        le64(p + 16) != j->first || le32(p + 12) != 0 || memcmp(p + 32, zeros, sizeof zeros) != 0)
        return false;
    j->tenant = le32(p + 4);
    j->epoch = le32(p + 8);
    j->salt = le64(p + 24);
    return true;
}

/* 1: there is something where frames would be; 0: zeros, or nothing. */
static int has_data(struct journal *j)
{
    uint64_t at, rest;
    int found = find_frame(j, FRAMES, &at, &rest);
    return found ? found : rest != 0;
}

static int read_head(struct journal *j)
{
    bool right[2] = {false, false};
    for (int i = 1; i >= 0; i--) {
        int error = verify_file_read(j->file, i ? SECOND_HEAD : 0, HEAD, &j->head);
        if (error && error != ERR_TRUNCATED) return error;
        right[i] = error == 0 && take_head(j, j->head.ptr);
    }
    if (right[0] && right[1]) return 0;
    int found = has_data(j);
    if (found <= 0) return found ? found : ERR_TRUNCATED;
    if (!right[0] && !right[1]) return ERR_CORRUPT;
    j->flaw(j->ctx, &(struct verify_flaw){true, "one head of the journal is damaged", j->first,
                                          right[0] ? SECOND_HEAD : 0});
    return 0;
}

static int read_frames(struct journal *j, uint64_t *ret_rest)
{
    uint64_t offset = FRAMES, at = 0;
    struct frame f;
    *ret_rest = 0;
    for (;;) {
        int found = frame_at(j, offset, &f);
        if (found < 0) return found;
        if (found == 0) {
            found = find_frame(j, offset, &at, ret_rest);
            if (found <= 0) return found;
            *ret_rest = 0;
            j->flaw(j->ctx, &(struct verify_flaw){true, "frames are damaged", j->next, offset});
            offset = at;
            continue;
        }
        if (f.first < j->next || !read_batch(j, &f, false)) {
            j->flaw(j->ctx, &(struct verify_flaw){false, "a frame is not what its CRC says",
                                                  j->next, offset});
        } else {
            (void)read_batch(j, &f, true);
            j->next = f.first + f.n;
        }
        offset = f.end;
    }
}

int verify_journal(const struct verify_file *file, uint64_t first, verify_take *take,
                   void (*flaw)(void *ctx, const struct verify_flaw *flaw), void *ctx,
                   uint64_t *ret_rest)
{
    struct journal j = {
        .file = file, .first = first, .next = first, .take = take, .flaw = flaw, .ctx = ctx};
    buf_init(&j.head, 4096);
    buf_init(&j.payload, PAYLOAD_MAX + 1);
    buf_init(&j.window, WINDOW + 1);
    int error = read_head(&j);
    if (error == 0) error = read_frames(&j, ret_rest);
    buf_done(&j.head);
    buf_done(&j.payload);
    buf_done(&j.window);
    return error;
}
