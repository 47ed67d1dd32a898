/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/journal.h"

#include "base/crc32c.h"
#include "base/le.h"

/* Read at once, when frames are small. */
enum { READ_AHEAD = 256 * 1024, PAGE = 4096 };

_Static_assert(JOURNAL_DATA % 8 == 0 && JOURNAL_FRAME_MAX % 8 == 0, "frames begin at eights");

static const char head_magic[4] = {'V', 'k', 'J', '1'};
static const char frame_magic[4] = {'V', 'k', 'F', '1'};

enum {
    HEAD_TENANT = 4,
    HEAD_EPOCH = 8,
    HEAD_ZERO = 12,
    HEAD_FIRST = 16,
    HEAD_SALT = 24,
    HEAD_ZEROS = 32,
    HEAD_CRC = 60,
};

enum {
    FRAME_MARK = 0,
    FRAME_MAGIC = 8,
    FRAME_TENANT = 12,
    FRAME_EPOCH = 16,
    FRAME_N = 20,
    FRAME_FIRST = 24,
    FRAME_EARLIEST = 32,
    FRAME_LATEST = 40,
    FRAME_LEN = 48,
    FRAME_BACK = 52,
    FRAME_PAYLOAD_CRC = 56,
    FRAME_CRC = 60,
};

/* ---- names ------------------------------------------------------------------------------- */

static const char journal_prefix[] = "journal-", damaged_prefix[] = "damaged-";
enum { NAME_DIGITS = 20 };

static void name_write(char name[STORE_NAME_MAX + 1], const char *prefix, uint64_t first)
{
    (void)snprintf(name, STORE_NAME_MAX + 1, "%s%020llu", prefix, (unsigned long long)first);
}

static bool name_read(const char *name, const char *prefix, uint64_t *ret_first)
{
    struct slice s = slice_of(name), before = slice_of(prefix);
    if (!slice_starts_with(s, before)) return false;
    s = slice_from(s, before.len);
    return s.len == NAME_DIGITS && slice_to_u64(s, ret_first);
}

void journal_name_write(char name[STORE_NAME_MAX + 1], uint64_t first)
{
    name_write(name, journal_prefix, first);
}

bool journal_name_read(const char *name, uint64_t *ret_first)
{
    return name_read(name, journal_prefix, ret_first);
}

void journal_damaged_name_write(char name[STORE_NAME_MAX + 1], uint64_t first)
{
    name_write(name, damaged_prefix, first);
}

bool journal_damaged_name_read(const char *name, uint64_t *ret_first)
{
    return name_read(name, damaged_prefix, ret_first);
}

int journal_open(const struct store_io *io, uint64_t first, enum store_open_mode mode)
{
    char name[STORE_NAME_MAX + 1];
    journal_name_write(name, first);
    return io->open(io->ctx, name, mode);
}

int journal_open_shared(const struct store_io *io, uint64_t first)
{
    int file = journal_open(io, first, STORE_READ);
    int error = file < 0 ? file : io->share(io->ctx, file);
    if (error == 0) return file;
    if (file >= 0) io->close(io->ctx, file);
    return error;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Of a head of either kind: both have it in their last four bytes. */
static uint32_t head_crc(const char *head)
{
    return crc32c(0, slice_make(head, HEAD_CRC));
}

void journal_head_write(char bytes[JOURNAL_DATA], const struct journal_head *head)
{
    memset(bytes, 0, JOURNAL_DATA);
    memcpy(bytes, head_magic, sizeof head_magic);
    le32_put(bytes + HEAD_TENANT, head->tenant);
    le32_put(bytes + HEAD_EPOCH, head->epoch);
    le64_put(bytes + HEAD_FIRST, head->first);
    le64_put(bytes + HEAD_SALT, head->salt);
    le32_put(bytes + HEAD_CRC, head_crc(bytes));
    memcpy(bytes + JOURNAL_SECOND_HEAD, bytes, JOURNAL_HEAD);
}

static size_t align8(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

size_t journal_frame_size(size_t batch_len)
{
    return JOURNAL_FRAME_HEAD + align8(batch_len);
}

static void received_range(const struct batch *batch, nsec *ret_earliest, nsec *ret_latest)
{
    struct batch_iter it;
    struct record r;
    batch_iter_init(&it, batch);
    *ret_earliest = INT64_MAX;
    *ret_latest = INT64_MIN;
    while (batch_iter_next(&it, &r)) {
        if (r.received < *ret_earliest) *ret_earliest = r.received;
        if (r.received > *ret_latest) *ret_latest = r.received;
    }
}

void journal_frame_write(char *to, const struct journal_head *head, const struct batch *batch,
                         const struct journal_place *place)
{
    nsec earliest, latest;
    struct slice payload = batch->bytes;
    received_range(batch, &earliest, &latest);
    memcpy(to + JOURNAL_FRAME_HEAD, payload.ptr, payload.len);
    memset(to + JOURNAL_FRAME_HEAD + payload.len, 0, align8(payload.len) - payload.len);
    le64_put(to + FRAME_MARK, head->salt ^ place->offset);
    memcpy(to + FRAME_MAGIC, frame_magic, sizeof frame_magic);
    le32_put(to + FRAME_TENANT, head->tenant);
    le32_put(to + FRAME_EPOCH, head->epoch);
    le32_put(to + FRAME_N, batch->n);
    le64_put(to + FRAME_FIRST, place->first);
    le64_put(to + FRAME_EARLIEST, (uint64_t)earliest);
    le64_put(to + FRAME_LATEST, (uint64_t)latest);
    le32_put(to + FRAME_LEN, (uint32_t)payload.len);
    le32_put(to + FRAME_BACK, (uint32_t)(place->offset - place->commit));
    le32_put(to + FRAME_PAYLOAD_CRC, crc32c(0, payload));
    le32_put(to + FRAME_CRC, head_crc(to));
}

/* ---- the window -------------------------------------------------------------------------- */

/*
 * Page by page, because the kernel fails a whole read for one bad sector. What cannot be read is
 * ones: not zeros, which would look like the end.
 */
static int64_t read_pages(struct journal_reader *r, char *to, size_t len, uint64_t offset)
{
    size_t done = 0;
    bool some = false;
    while (done < len) {
        size_t part = (size_t)(PAGE - (offset + done) % PAGE);
        if (part > len - done) part = len - done;
        int64_t n = store_io_read(r->io, r->file, to + done, part, offset + done);
        if (n == ERR_IO) {
            memset(to + done, 0xff, part);
            r->unreadable = true;
            n = (int64_t)part;
        } else if (n >= 0) {
            some = true;
        } else {
            return n;
        }
        done += (size_t)n;
        if ((size_t)n < part) break;
    }
    return some ? (int64_t)done : ERR_IO;
}

/*
 * Makes *ret the bytes from `offset` (at most `limit`): at least `len`, or as many as there are
 * below `limit`. What lies behind the limit is not read, because it may still change.
 */
static int look(struct journal_reader *r, uint64_t offset, size_t len, uint64_t limit,
                struct slice *ret)
{
    struct buf *w = &r->window;
    uint64_t below = limit - offset;
    if (len > below) len = (size_t)below;
    if (offset < r->window_at || offset - r->window_at > w->len) {
        buf_clear(w);
        r->window_at = offset;
    }
    size_t skipped = (size_t)(offset - r->window_at);
    if (w->len - skipped < len) {
        buf_consume(w, skipped);
        r->window_at = offset;
        skipped = 0;
        size_t more = len - w->len < READ_AHEAD ? READ_AHEAD : len - w->len;
        if (more > below - w->len) more = (size_t)(below - w->len);
        char *to = buf_reserve(w, more);
        if (!to) {
            buf_clear(w);
            return ERR_NOMEM;
        }
        int64_t n = store_io_read(r->io, r->file, to, more, offset + w->len);
        if (n == ERR_IO) n = read_pages(r, to, more, offset + w->len);
        if (n < 0) return (int)n;
        w->len += (size_t)n;
    }
    *ret = slice_until(slice_from(buf_slice(w), skipped), (size_t)below);
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool head_valid(const char *bytes, uint64_t first, struct journal_head *ret)
{
    if (memcmp(bytes, head_magic, sizeof head_magic) != 0 ||
        le32(bytes + HEAD_CRC) != head_crc(bytes) || le64(bytes + HEAD_FIRST) != first)
        return false;
    if (le32(bytes + HEAD_ZERO) != 0) return false;
    for (int i = HEAD_ZEROS; i < HEAD_CRC; i++)
        if (bytes[i] != 0) return false;
    *ret = (struct journal_head){.first = first,
                                 .salt = le64(bytes + HEAD_SALT),
                                 .tenant = le32(bytes + HEAD_TENANT),
                                 .epoch = le32(bytes + HEAD_EPOCH)};
    return true;
}

int journal_reader_init(struct journal_reader *r, const struct store_io *io, int file,
                        uint64_t first)
{
    static const uint64_t places[] = {0, JOURNAL_SECOND_HEAD};
    int why = ERR_CORRUPT;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char bytes[JOURNAL_HEAD];
        struct journal_head head;
        int64_t n = store_io_read(io, file, bytes, sizeof bytes, places[i]);
        if (n < 0) why = (int)n;
        if (n < JOURNAL_HEAD || !head_valid(bytes, first, &head)) continue;
        *r = (struct journal_reader){
            .io = io, .file = file, .head = head, .at = JOURNAL_DATA, .next = first};
        buf_init(&r->window, JOURNAL_FRAME_MAX + READ_AHEAD);
        return 0;
    }
    return why;
}

void journal_reader_done(struct journal_reader *r)
{
    buf_done(&r->window);
}

void journal_reader_seek(struct journal_reader *r, uint64_t offset, uint64_t next)
{
    r->at = offset;
    r->next = next;
}

/* Conditions 2 to 6; `offset` is a multiple of 8, *ret_len its length. */
static bool frame_head_valid(const struct journal_reader *r, const char *p, uint64_t offset,
                             struct journal_frame *ret, size_t *ret_len)
{
    if (le64(p + FRAME_MARK) != (r->head.salt ^ offset) ||
        memcmp(p + FRAME_MAGIC, frame_magic, sizeof frame_magic) != 0 ||
        le32(p + FRAME_CRC) != head_crc(p))
        return false;
    uint64_t first = le64(p + FRAME_FIRST), behind;
    uint32_t n = le32(p + FRAME_N), back = le32(p + FRAME_BACK), len = le32(p + FRAME_LEN);
    if (le32(p + FRAME_TENANT) != r->head.tenant || le32(p + FRAME_EPOCH) != r->head.epoch ||
        first < r->next || __builtin_add_overflow(first, n, &behind) ||
        back > offset - JOURNAL_DATA || len > BATCH_MAX)
        return false;
    *ret = (struct journal_frame){.offset = offset,
                                  .end = offset + journal_frame_size(len),
                                  .commit = offset - back,
                                  .first = first,
                                  .earliest = (nsec)le64(p + FRAME_EARLIEST),
                                  .latest = (nsec)le64(p + FRAME_LATEST)};
    *ret_len = len;
    return true;
}

/*
 * The frame at `offset`: 1 it is whole; 0 it is not, then *ret_end is how far it says it reaches
 * (offset when it says nothing that can be believed); or an error.
 */
static int frame_read(struct journal_reader *r, uint64_t offset, uint64_t limit,
                      struct journal_frame *ret, uint64_t *ret_end)
{
    struct slice s = SLICE_NONE;
    struct journal_frame f;
    size_t len;
    *ret_end = offset;
    if (offset % 8 != 0) return 0;
    int result = look(r, offset, JOURNAL_FRAME_HEAD, limit, &s);
    if (result != 0) return result;
    if (s.len < JOURNAL_FRAME_HEAD || !frame_head_valid(r, s.ptr, offset, &f, &len)) return 0;
    if (f.end > limit) return 0;
    result = look(r, offset, (size_t)(f.end - offset), limit, &s);
    if (result != 0) return result;
    if (s.len < f.end - offset) return 0;
    *ret_end = f.end;
    struct slice payload = slice_make(s.ptr + JOURNAL_FRAME_HEAD, len);
    if (le32(s.ptr + FRAME_PAYLOAD_CRC) != crc32c(0, payload)) return 0;
    if (batch_open(payload, &f.batch) != 0 || f.batch.tenant != r->head.tenant ||
        f.batch.n != le32(s.ptr + FRAME_N))
        return 0;
    *ret = f;
    return 1;
}

/* How far a search has come. */
struct search {
    uint64_t at;
    uint64_t end, next; /* bytes that were written end there; the next ones, as they were then */
    bool zeros;         /* nothing else was seen */
};

/* To where bytes were written, as the rest is zeros; false: there are no more below the limit.
 * Which ones are next is asked before these are read, because what was read is no hole any more. */
static bool find_written(struct journal_reader *r, uint64_t limit, struct search *search)
{
    uint64_t end, ignored;
    if (search->at < search->end) return true;
    if (search->at < search->next) search->at = search->next;
    if (search->at >= limit) return false;
    uint64_t begin = r->io->data(r->io->ctx, r->file, search->at, &end);
    if (begin >= limit) return false;
    search->at = begin & ~UINT64_C(7);
    search->end = begin < end && end < limit ? end : limit;
    search->next = search->end < limit ? r->io->data(r->io->ctx, r->file, end, &ignored) : limit;
    return true;
}

/* Goes to the next place whose bytes are its mark. 1: found; 0: the limit or the end of the file.
 */
static int find_mark(struct journal_reader *r, uint64_t limit, struct search *search)
{
    while (find_written(r, limit, search)) {
        struct slice s = SLICE_NONE;
        int result = look(r, search->at, READ_AHEAD, search->end, &s);
        if (result != 0) return result;
        size_t i = 0;
        for (; s.len - i >= 8; i += 8) {
            uint64_t word = le64(s.ptr + i);
            if (word == (r->head.salt ^ (search->at + i))) {
                search->at += i;
                return 1;
            }
            if (word != 0) search->zeros = false;
        }
        search->at = s.len < READ_AHEAD ? search->end : search->at + i;
        for (; i < s.len; i++)
            if (s.ptr[i] != 0) search->zeros = false;
    }
    return 0;
}

/* Of what is not a frame: where the next whole one begins, `limit` when there is none. */
static int pass_over(struct journal_reader *r, uint64_t limit, struct search *search)
{
    search->at += -search->at & 7;
    for (;;) {
        if (search->at > limit) search->at = limit;
        struct journal_frame f;
        uint64_t end;
        int result = find_mark(r, limit, search);
        if (result < 0) return result;
        if (result == 0) {
            search->at = limit;
            return 0;
        }
        result = frame_read(r, search->at, limit, &f, &end);
        if (result != 0) return result < 0 ? result : 0;
        search->zeros = false;
        /* Its own head says where it ends: nothing in its payload is a frame. */
        search->at = end > search->at ? end : search->at + 8;
    }
}

/*
 * What was half written when it was looked at is whole when what was written behind it is there:
 * it is looked at once more, and not where it was read into before.
 */
static int frame_read_again(struct journal_reader *r, uint64_t limit, struct journal_frame *ret)
{
    uint64_t end;
    buf_clear(&r->window);
    return frame_read(r, r->at, limit, ret, &end);
}

int journal_reader_next(struct journal_reader *r, uint64_t limit, struct journal_frame *ret)
{
    bool all = limit == JOURNAL_ALL;
    if (all) {
        int64_t size = r->io->size(r->io->ctx, r->file);
        if (size < 0) return (int)size;
        limit = (uint64_t)size;
    }
    if (r->at >= limit) return 0;
    uint64_t end;
    int result = frame_read(r, r->at, limit, ret, &end);
    struct search search = {.at = r->at, .zeros = true};
    if (result == 0) {
        result = pass_over(r, limit, &search);
        if (result == 0 && all && search.zeros && search.at == limit) return 0;
        if (result == 0 && all) result = frame_read_again(r, limit, ret);
    }
    if (result < 0) return result;
    if (result == 1) {
        r->at = ret->end;
        r->next = ret->first + ret->batch.n;
        return 1;
    }
    uint64_t from = r->at;
    r->at = search.at;
    *ret = (struct journal_frame){.offset = from, .end = search.at, .first = r->next};
    return ERR_CORRUPT;
}
