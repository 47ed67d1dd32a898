/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a journal: what is read and what is passed over fill the file without a gap, numbers
 * ascend, a reader that stops at limits sees the same, and a store opens on it, tells of damage,
 * goes on, and finds the same again.
 *
 * The first byte says what the file begins with: 1, 2 the first or second head is damaged; 4 the
 * input is the whole file. Else the input is what stands behind the heads, and where it has the
 * magic of a frame it is made one, because no fuzzer finds a CRC by chance: the first byte of the
 * mark says what is not (1 the CRC of the payload, 2 that of the head, 4 the mark).
 */
#include "base/crc32c.h"
#include "base/le.h"
#include "store/disk.h"
#include "store/history.h"
#include "store/store.h"
#include "target.h"

enum { FILE_MAX = 1 << 20, PARTS_MAX = 1 << 16 };

static const struct journal_head head = {
    .first = 10, .salt = UINT64_C(0x8877665544332211), .tenant = HISTORY_TENANT, .epoch = 4};

/* ---- the file ---------------------------------------------------------------------------- */

static void make_frame(char *p, uint64_t offset, size_t left)
{
    uint8_t leave = (uint8_t)p[0];
    size_t len = le32(p + 48);
    if (!(leave & 4)) le64_put(p, head.salt ^ offset);
    le32_put(p + 12, head.tenant);
    le32_put(p + 16, head.epoch);
    if (!(leave & 1) && len <= left - JOURNAL_FRAME_HEAD)
        le32_put(p + 56, crc32c(0, slice_make(p + JOURNAL_FRAME_HEAD, len)));
    if (!(leave & 2)) le32_put(p + 60, crc32c(0, slice_make(p, 60)));
}

/* Returns the bytes of the file. */
static size_t make_file(char *file, struct slice in)
{
    uint8_t how = (uint8_t)in.ptr[0];
    in = slice_from(in, 1);
    if (how & 4) {
        memcpy(file, in.ptr, in.len);
        return in.len;
    }
    journal_head_write(file, &head);
    if (how & 1) file[20] ^= 1;
    if (how & 2) file[JOURNAL_SECOND_HEAD + 20] ^= 1;
    memcpy(file + JOURNAL_DATA, in.ptr, in.len);
    size_t size = JOURNAL_DATA + in.len;
    for (size_t at = JOURNAL_DATA; size - at >= JOURNAL_FRAME_HEAD; at += 8)
        if (memcmp(file + at + 8, "VkF1", 4) == 0) make_frame(file + at, at, size - at);
    return size;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct part {
    uint64_t end, first;
    bool whole;
};

static void check_frame(const struct journal_frame *f, const struct journal_reader *r,
                        uint64_t next)
{
    struct batch b;
    HOLDS(f->first >= next && r->next == f->first + f->batch.n);
    HOLDS(f->offset % 8 == 0 && f->commit >= JOURNAL_DATA && f->commit <= f->offset);
    HOLDS(f->end == f->offset + journal_frame_size(f->batch.bytes.len));
    HOLDS(batch_open(f->batch.bytes, &b) == 0 && b.n == f->batch.n && b.tenant == r->head.tenant);
}

/* All parts up to the limit; at most PARTS_MAX fit into a file of FILE_MAX. */
static size_t read_parts(struct journal_reader *r, uint64_t limit, struct part *parts, size_t n)
{
    struct journal_frame f;
    int result;
    for (;;) {
        uint64_t at = r->at, next = r->next;
        result = journal_reader_next(r, limit, &f);
        if (result == 0) return n;
        HOLDS(result == 1 || result == ERR_CORRUPT);
        HOLDS(f.offset == at && f.end > at && f.end <= limit && r->at == f.end && n < PARTS_MAX);
        /* Damage reaches to a whole frame or to the end. */
        HOLDS(result == 1 || n == 0 || parts[n - 1].whole || parts[n - 1].end < at);
        if (result == 1) check_frame(&f, r, next);
        parts[n++] = (struct part){.end = f.end, .first = f.first, .whole = result == 1};
    }
}

static void check_reader(const struct store_io *io, uint64_t first, uint64_t size)
{
    static struct part all[PARTS_MAX], some[PARTS_MAX];
    struct journal_reader r;
    int file = journal_open(io, first, STORE_READ);
    HOLDS(file >= 0);
    int result = journal_reader_init(&r, io, file, first);
    HOLDS(result == 0 || result == ERR_CORRUPT);
    if (result == 0) {
        size_t n = read_parts(&r, JOURNAL_ALL, all, 0), got = 0;
        HOLDS(n == 0 || all[n - 1].end <= size);
        journal_reader_seek(&r, JOURNAL_DATA, first);
        for (size_t i = 0; i < n; i++)
            if (all[i].whole) got = read_parts(&r, all[i].end, some, got);
        /* Each frame, and what is damaged before it. */
        size_t same = 0;
        while (same < got && all[same].end == some[same].end && all[same].whole == some[same].whole)
            same++;
        HOLDS(same == got && (got == n || (got + 1 == n && !all[got].whole)));
        journal_reader_done(&r);
    }
    io->close(io->ctx, file);
}

/* ---- a store on it ----------------------------------------------------------------------- */

static bool open_store(const struct store_io *io, struct history_found *found, struct store **ret)
{
    struct clock_settable clock = {0};
    struct store_options o;
    *found = (struct history_found){0};
    history_options(&o, io, &clock, found);
    int result = store_open(&o, ret);
    HOLDS(result == 0 || result == ERR_INVALID); /* another tenant's */
    return result == 0;
}

static void check_store(const struct store_io *io)
{
    struct history_found before, after;
    struct store *s;
    if (!open_store(io, &before, &s)) return;
    uint64_t next = store_durable(s).next;
    store_free(s);
    HOLDS(open_store(io, &after, &s));
    HOLDS(store_durable(s).next == next && after.n_journals == before.n_journals);
    HOLDS(after.damages[STORE_DAMAGE_TAIL] == 0 && after.damages[STORE_DAMAGE_HEAD] == 0);
    HOLDS(after.damages[STORE_DAMAGE_LOST] == before.damages[STORE_DAMAGE_LOST]);
    HOLDS(after.damages[STORE_DAMAGE_TORN] == before.damages[STORE_DAMAGE_TORN]);
    struct history h;
    history_init(&h);
    int result = history_append(&h, s, 1, 1, 10);
    HOLDS(result == 0 || (result == ERR_LIMIT && next == UINT64_MAX));
    HOLDS(store_commit(s) == 0);
    store_free(s);
    HOLDS(open_store(io, &after, &s));
    HOLDS(store_durable(s).next == next + (result == 0));
    store_free(s);
    history_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[FILE_MAX];
    static struct disk disk;
    char name[STORE_NAME_MAX + 1];
    if (size == 0 || size > FILE_MAX - JOURNAL_DATA) return 0;
    size_t len = make_file(file, slice_make(data, size));
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    journal_name_write(name, head.first);
    int f = io.open(io.ctx, name, STORE_CREATE);
    HOLDS(f >= 0);
    if (len > 0) HOLDS(store_io_write(&io, f, slice_make(file, len), 0) == 0);
    io.close(io.ctx, f);
    check_reader(&io, head.first, len);
    check_store(&io);
    disk_done(&disk);
    return 0;
}
