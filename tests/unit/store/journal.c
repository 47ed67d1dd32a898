/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/journal.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "disk.h"
#include "history.h"
#include "test.h"

enum { FIRST = 100 };

static const struct journal_head head = {
    .first = FIRST, .salt = UINT64_C(0x8000000000001234), .tenant = HISTORY_TENANT, .epoch = 3};

/* A journal in memory: frames are put at its end, bytes can be changed, and it is read by pread. */
struct sample {
    struct buf bytes;
    uint64_t next;
    uint64_t places[8]; /* where the frames are */
    size_t n;
    struct store_io io;
    int file;
    struct journal_reader reader;
};

static void sample_init(struct sample *s)
{
    *s = (struct sample){.next = FIRST, .io = store_io_system(-1), .file = -1};
    buf_init(&s->bytes, 16 << 20);
    REQUIRE(buf_reserve(&s->bytes, JOURNAL_DATA));
    journal_head_write(s->bytes.ptr, &head);
    s->bytes.len = JOURNAL_DATA;
}

static void sample_close(struct sample *s)
{
    if (s->file < 0) return;
    journal_reader_done(&s->reader);
    (void)close(s->file);
    s->file = -1;
}

static void sample_done(struct sample *s)
{
    sample_close(s);
    buf_done(&s->bytes);
}

/* A frame of n records; `commit`: the number of the frame its commit begins with. */
static void sample_put(struct sample *s, uint32_t n, size_t raw_len, size_t commit)
{
    struct buf batch;
    struct batch b;
    buf_init(&batch, BATCH_MAX);
    history_batch(&batch, s->next, n, raw_len);
    REQUIRE(batch_open(buf_slice(&batch), &b) == 0);
    s->places[s->n++] = s->bytes.len;
    const struct journal_place place = {
        .offset = s->bytes.len, .commit = s->places[commit], .first = s->next};
    size_t size = journal_frame_size(batch.len);
    char *to = buf_reserve(&s->bytes, size);
    REQUIRE(to);
    journal_frame_write(to, &head, &b, &place);
    s->bytes.len += size;
    s->next += n;
    buf_done(&batch);
}

static void sample_zeros(struct sample *s, size_t n)
{
    char *to = buf_reserve(&s->bytes, n);
    REQUIRE(to);
    memset(to, 0, n);
    s->bytes.len += n;
}

static int sample_open(struct sample *s)
{
    sample_close(s);
    s->file = memfd_create("journal", MFD_CLOEXEC);
    REQUIRE(s->file >= 0);
    REQUIRE(write(s->file, s->bytes.ptr, s->bytes.len) == (ssize_t)s->bytes.len);
    int result = journal_reader_init(&s->reader, &s->io, s->file, FIRST);
    if (result == 0) return 0;
    s->reader = (struct journal_reader){0};
    return result;
}

/* Says what the reader says: "100+2 103+1 !4300-4500 end". */
static const char *story(struct sample *s, uint64_t limit)
{
    static char text[1000];
    struct buf out = {.ptr = text, .cap = sizeof text, .max = sizeof text};
    struct journal_frame f;
    int result;
    while ((result = journal_reader_next(&s->reader, limit, &f)) == 1 || result == ERR_CORRUPT)
        if (result == 1) {
            buf_printf(&out, "%llu+%u ", (unsigned long long)f.first, f.batch.n);
        } else {
            buf_printf(&out, "!%llu-%llu ", (unsigned long long)f.offset,
                       (unsigned long long)f.end);
        }
    buf_puts(&out, result == 0 ? "end" : error_text(result));
    buf_putc(&out, 0);
    REQUIRE(!buf_failed(&out));
    return text;
}

/* The story with one hole. */
static const char *hole(const char *before, uint64_t from, uint64_t to, const char *behind)
{
    static char text[200];
    (void)snprintf(text, sizeof text, "%s!%llu-%llu %s", before, (unsigned long long)from,
                   (unsigned long long)to, behind);
    return text;
}

#define CHECK_STORY(got, want) CHECK_SLICE(slice_of(got), want)

TEST(names_sort_like_numbers)
{
    char name[STORE_NAME_MAX + 1];
    uint64_t first = 0;
    journal_name_write(name, 12);
    CHECK_SLICE(slice_of(name), "journal-00000000000000000012");
    CHECK(journal_name_read(name, &first) && first == 12);
    journal_name_write(name, UINT64_MAX);
    CHECK(store_name_valid(name));
    CHECK(journal_name_read(name, &first) && first == UINT64_MAX);
    CHECK(!journal_name_read("journal-12", &first));
    CHECK(!journal_name_read("journal-0000000000000000001x", &first));
    CHECK(!journal_name_read("journal-99999999999999999999", &first)); /* above 2^64 */
    CHECK(!journal_name_read("ournal-00000000000000000012", &first));
    journal_damaged_name_write(name, 7);
    CHECK_SLICE(slice_of(name), "damaged-00000000000000000007");
    CHECK(journal_damaged_name_read(name, &first) && first == 7);
    CHECK(!journal_name_read(name, &first));
}

/* The bytes, written out by hand: journals of older versions must stay readable. */
TEST(bytes_are_what_the_format_says)
{
    struct sample s;
    sample_init(&s);
    sample_put(&s, 2, 3, 0);
    const char *h = s.bytes.ptr;
    const char expected[] = "VkJ1\x07\0\0\0\x03\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0"
                            "\x34\x12\0\0\0\0\0\x80";
    CHECK(memcmp(h, expected, 32) == 0);
    for (int i = 32; i < 60; i++) CHECK(h[i] == 0);
    CHECK_INT(le32(h + 60), crc32c(0, slice_make(h, 60)));
    CHECK(memcmp(h, h + 4096, 64) == 0);
    const char *f = h + 4160;
    CHECK(le64(f) == (UINT64_C(0x8000000000001234) ^ 4160));
    CHECK(memcmp(f + 8, "VkF1\x07\0\0\0\x03\0\0\0\x02\0\0\0\x64\0\0\0\0\0\0\0", 24) == 0);
    CHECK_INT(le64(f + 32), 100); /* received */
    CHECK_INT(le64(f + 40), 101);
    size_t len = le32(f + 48);
    CHECK_INT(le32(f + 52), 0);
    CHECK_INT(le32(f + 56), crc32c(0, slice_make(f + 64, len)));
    CHECK_INT(le32(f + 60), crc32c(0, slice_make(f, 60)));
    struct batch b;
    CHECK_INT(batch_open(slice_make(f + 64, len), &b), 0);
    CHECK_INT(s.bytes.len, 4160 + 64 + (len + 7) / 8 * 8);
    sample_done(&s);
}

TEST(frames_come_back_in_order)
{
    struct sample s;
    struct journal_frame f;
    sample_init(&s);
    sample_put(&s, 2, 3, 0);
    sample_put(&s, 1, 500 * 1000, 1); /* more than is read at once */
    sample_put(&s, 3, 0, 1);
    sample_zeros(&s, 10000);
    REQUIRE(sample_open(&s) == 0);
    REQUIRE(journal_reader_next(&s.reader, JOURNAL_ALL, &f) == 1);
    CHECK_INT(f.first, 100);
    CHECK_INT(f.offset, s.places[0]);
    CHECK_INT(f.end, s.places[1]);
    CHECK_INT(f.commit, s.places[0]);
    CHECK_INT(f.earliest, 100);
    CHECK_INT(f.latest, 101);
    REQUIRE(journal_reader_next(&s.reader, JOURNAL_ALL, &f) == 1);
    CHECK_INT(f.first, 102);
    CHECK_INT(f.batch.data.len, 500001);
    REQUIRE(journal_reader_next(&s.reader, JOURNAL_ALL, &f) == 1);
    CHECK_INT(f.first, 103);
    CHECK_INT(f.batch.n, 3);
    CHECK_INT(f.commit, s.places[1]);
    CHECK_INT(journal_reader_next(&s.reader, JOURNAL_ALL, &f), 0);
    CHECK_INT(journal_reader_next(&s.reader, JOURNAL_ALL, &f), 0);
    journal_reader_seek(&s.reader, s.places[1], 102);
    CHECK_STORY(story(&s, JOURNAL_ALL), "102+1 103+3 end");
    sample_done(&s);
}

/* A reader beside the writer: what is behind the limit does not exist, whatever it looks like. */
TEST(nothing_is_read_behind_the_limit)
{
    struct sample s;
    sample_init(&s);
    sample_put(&s, 1, 10, 0);
    sample_put(&s, 1, 10, 1);
    uint64_t end = s.bytes.len;
    sample_zeros(&s, 1000);
    REQUIRE(sample_open(&s) == 0);
    CHECK_STORY(story(&s, JOURNAL_DATA), "end");
    CHECK_STORY(story(&s, s.places[1]), "100+1 end");
    /* The next frame is written in a moment: it must not have been read before. */
    s.bytes.len = end;
    sample_put(&s, 1, 10, 2);
    REQUIRE(pwrite(s.file, s.bytes.ptr + end, s.bytes.len - end, (off_t)end) > 0);
    CHECK_STORY(story(&s, end), "101+1 end");
    CHECK_STORY(story(&s, s.bytes.len), "102+1 end");
    /* What is called durable and is not there is damage, not an end. */
    CHECK_STORY(story(&s, s.bytes.len + 64), hole("", s.bytes.len, s.bytes.len + 64, "end"));
    sample_done(&s);
}

TEST(one_head_is_enough)
{
    struct sample s;
    sample_init(&s);
    sample_put(&s, 1, 10, 0);
    memset(s.bytes.ptr, 0xee, JOURNAL_SECOND_HEAD);
    REQUIRE(sample_open(&s) == 0);
    CHECK_STORY(story(&s, JOURNAL_ALL), "100+1 end");
    memcpy(s.bytes.ptr, s.bytes.ptr + JOURNAL_SECOND_HEAD, JOURNAL_HEAD);
    s.bytes.ptr[JOURNAL_SECOND_HEAD + 5] ^= 1;
    REQUIRE(sample_open(&s) == 0);
    s.bytes.ptr[5] ^= 1;
    CHECK_INT(sample_open(&s), ERR_CORRUPT);
    sample_done(&s);
}

TEST(a_head_of_another_number_or_too_short_is_none)
{
    struct sample s;
    sample_init(&s);
    s.bytes.ptr[16]++;
    le32_put(s.bytes.ptr + 60, crc32c(0, slice_make(s.bytes.ptr, 60)));
    memcpy(s.bytes.ptr + JOURNAL_SECOND_HEAD, s.bytes.ptr, JOURNAL_HEAD);
    CHECK_INT(sample_open(&s), ERR_CORRUPT);
    s.bytes.len = 63;
    CHECK_INT(sample_open(&s), ERR_CORRUPT);
    s.bytes.len = 0;
    CHECK_INT(sample_open(&s), ERR_CORRUPT);
    sample_done(&s);
}

TEST(damage_costs_its_frame_only)
{
    struct sample s;
    for (int part = 0; part < 3; part++) {
        sample_init(&s);
        for (size_t i = 0; i < 4; i++) sample_put(&s, 1, 100, i);
        /* the mark, the length, the payload */
        s.bytes.ptr[s.places[1] + (const uint8_t[]){2, 49, 80}[part]] ^= 4;
        s.bytes.ptr[s.places[2] + (const uint8_t[]){2, 49, 80}[part]] ^= 4;
        sample_zeros(&s, 3000);
        REQUIRE(sample_open(&s) == 0);
        CHECK_STORY(story(&s, JOURNAL_ALL), hole("100+1 ", s.places[1], s.places[3], "103+1 end"));
        sample_done(&s);
    }
}

TEST(a_tail_that_is_not_zeros_is_damage)
{
    struct sample s;
    sample_init(&s);
    sample_put(&s, 1, 100, 0);
    uint64_t end = s.bytes.len;
    for (size_t n = 0; n < 200; n += 7) {
        s.bytes.len = end;
        sample_zeros(&s, n + 1);
        REQUIRE(sample_open(&s) == 0);
        CHECK_STORY(story(&s, JOURNAL_ALL), "100+1 end");
        s.bytes.ptr[end + n] = 1;
        REQUIRE(sample_open(&s) == 0);
        CHECK_STORY(story(&s, JOURNAL_ALL), hole("100+1 ", end, end + n + 1, "end"));
    }
    /* A frame that the file breaks off in. */
    s.bytes.len = end;
    sample_put(&s, 1, 100, 1);
    for (size_t cut = 1; s.bytes.len > end + 1; cut += 13) {
        s.bytes.len -= cut < s.bytes.len - end ? cut : s.bytes.len - end - 1;
        REQUIRE(sample_open(&s) == 0);
        CHECK_STORY(story(&s, JOURNAL_ALL), hole("100+1 ", end, s.bytes.len, "end"));
    }
    sample_done(&s);
}

/* What was read in front of `written` is not there yet when it is read for the first time. */
struct half_written {
    const struct store_io *below;
    uint64_t from, to;
    bool written;
};

static int64_t half_written_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    struct half_written *h = ctx;
    int64_t n = h->below->read(h->below->ctx, file, to, len, offset);
    bool there = n > 0 && offset <= h->from && offset + (uint64_t)n >= h->to;
    if (there && !h->written) memset((char *)to + (h->from - offset), 0, h->to - h->from);
    h->written |= there;
    return n;
}

static int64_t half_written_size(void *ctx, int file)
{
    const struct half_written *h = ctx;
    return h->below->size(h->below->ctx, file);
}

/* All of it may be data: a table's function that knows nothing. */
static uint64_t all_is_data(void *ctx, int file, uint64_t offset, uint64_t *ret_end)
{
    (void)ctx, (void)file;
    *ret_end = UINT64_MAX;
    return offset;
}

/* Who reads what is being written meets frames that are half there, and later ones behind them. */
TEST(a_frame_that_was_half_written_is_looked_at_again)
{
    for (size_t cut = 0; cut < 200; cut += 40) {
        struct sample s;
        sample_init(&s);
        for (size_t i = 0; i < 4; i++) sample_put(&s, 1, 100, i);
        sample_zeros(&s, 8000);
        REQUIRE(sample_open(&s) == 0);
        struct half_written half = {.below = &s.io, .from = s.places[2] + cut, .to = s.places[3]};
        const struct store_io io = {.read = half_written_read,
                                    .size = half_written_size,
                                    .data = all_is_data,
                                    .ctx = &half};
        REQUIRE(half.from < half.to);
        s.reader.io = &io;
        CHECK_STORY(story(&s, JOURNAL_ALL), "100+1 101+1 102+1 103+1 end");
        sample_done(&s);
    }
}

/* A hole that the disk gives back as zeros, in front of a frame. */
TEST(zeros_before_a_frame_are_damage)
{
    struct sample s;
    sample_init(&s);
    for (size_t i = 0; i < 3; i++) sample_put(&s, 1, 100, i);
    memset(s.bytes.ptr + s.places[1], 0, s.places[2] - s.places[1]);
    REQUIRE(sample_open(&s) == 0);
    CHECK_STORY(story(&s, JOURNAL_ALL), hole("100+1 ", s.places[1], s.places[2], "102+1 end"));
    sample_done(&s);
}

/* Changes one number of frame 1's head and makes the head's CRC right again. */
static const char *story_with(size_t at, uint64_t value, size_t width)
{
    struct sample s;
    static char told[1000];
    sample_init(&s);
    for (size_t i = 0; i < 3; i++) sample_put(&s, 1, 100, i);
    char *f = s.bytes.ptr + s.places[1];
    if (width == 8) {
        le64_put(f + at, value);
    } else {
        le32_put(f + at, (uint32_t)value);
    }
    le32_put(f + 60, crc32c(0, slice_make(f, 60)));
    REQUIRE(sample_open(&s) == 0);
    (void)snprintf(told, sizeof told, "%s", story(&s, JOURNAL_ALL));
    sample_done(&s);
    return told;
}

TEST(each_condition_is_asked_for)
{
    struct sample s;
    sample_init(&s);
    for (size_t i = 0; i < 3; i++) sample_put(&s, 1, 100, i);
    char without[200];
    (void)snprintf(without, sizeof without, "%s",
                   hole("100+1 ", s.places[1], s.places[2], "102+1 end"));
    uint64_t place = s.places[1];
    sample_done(&s);
    CHECK_STORY(story_with(24, 101, 8), "100+1 101+1 102+1 end"); /* what it was */
    CHECK_STORY(story_with(0, head.salt ^ (place + 8), 8), without);
    CHECK_STORY(story_with(8, 0, 4), without);                         /* magic */
    CHECK_STORY(story_with(12, HISTORY_TENANT + 1, 4), without);       /* tenant */
    CHECK_STORY(story_with(16, 4, 4), without);                        /* epoch */
    CHECK_STORY(story_with(20, 2, 4), without);                        /* n */
    CHECK_STORY(story_with(24, 100, 8), without);                      /* a number again */
    CHECK_STORY(story_with(24, UINT64_MAX, 8), without);               /* overflow */
    CHECK_STORY(story_with(48, BATCH_MAX + 1, 4), without);            /* length */
    CHECK_STORY(story_with(48, 8, 4), without);                        /* length */
    CHECK_STORY(story_with(52, place - JOURNAL_DATA + 1, 4), without); /* back */
    CHECK_STORY(story_with(56, 1, 4), without);                        /* CRC of the payload */
}

/*
 * A record that holds the bytes of frames, of this journal even, at every address: when the frame
 * around it is damaged, none of them is taken for a frame.
 */
TEST(a_frame_inside_a_record_is_no_frame)
{
    struct sample inner, s;
    struct batch_writer w;
    struct batch b;
    struct buf batch;
    sample_init(&inner);
    sample_put(&inner, 1, 40, 0);
    struct slice image = slice_from(buf_slice(&inner.bytes), inner.places[0]);
    buf_init(&batch, BATCH_MAX);
    batch_writer_init(&w, HISTORY_TENANT, BATCH_MAX);
    for (int i = 0; i < 16; i++) {
        char raw[1000];
        REQUIRE(image.len + 16 <= sizeof raw);
        memset(raw, 0, sizeof raw);
        memcpy(raw + i, image.ptr, image.len);
        const struct record r = {.raw = slice_make(raw, image.len + 16), .received = 1};
        REQUIRE(batch_writer_add(&w, &r) == 0);
    }
    batch_writer_finish(&w, &batch);
    REQUIRE(batch_open(buf_slice(&batch), &b) == 0);
    sample_init(&s);
    size_t size = journal_frame_size(batch.len);
    char *to = buf_reserve(&s.bytes, size);
    REQUIRE(to);
    journal_frame_write(to, &head, &b, &(struct journal_place){JOURNAL_DATA, JOURNAL_DATA, FIRST});
    s.bytes.len += size;
    s.next += b.n;
    uint64_t end = s.bytes.len;
    sample_put(&s, 1, 10, 0);
    s.bytes.ptr[JOURNAL_DATA + 30] ^= 1; /* its head */
    REQUIRE(sample_open(&s) == 0);
    CHECK_STORY(story(&s, JOURNAL_ALL), hole("", JOURNAL_DATA, end, "116+1 end"));
    batch_writer_done(&w);
    buf_done(&batch);
    sample_done(&s);
    sample_done(&inner);
}

/* Even one that has the right mark: a frame that says where it ends is passed over whole. */
TEST(a_frame_inside_a_damaged_frame_is_no_frame)
{
    struct sample s;
    struct batch b;
    struct buf batch;
    sample_init(&s);
    sample_put(&s, 1, 2000, 0);
    sample_put(&s, 1, 10, 0);
    buf_init(&batch, BATCH_MAX);
    history_batch(&batch, 1, 1, 10);
    REQUIRE(batch_open(buf_slice(&batch), &b) == 0);
    const struct journal_place place = {s.places[0] + 512, s.places[0], FIRST};
    journal_frame_write(s.bytes.ptr + place.offset, &head, &b, &place);
    REQUIRE(sample_open(&s) == 0);
    CHECK_STORY(story(&s, JOURNAL_ALL), hole("", s.places[0], s.places[1], "101+1 end"));
    buf_done(&batch);
    sample_done(&s);
}

/* A disk with one bad page: a read that touches it fails as a whole. */
struct bad_page {
    const struct store_io *below;
    uint64_t from, to;
};

static int64_t bad_page_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    const struct bad_page *bad = ctx;
    if (offset < bad->to && offset + len > bad->from) return ERR_IO;
    return bad->below->read(bad->below->ctx, file, to, len, offset);
}

static int64_t bad_page_size(void *ctx, int file)
{
    const struct bad_page *bad = ctx;
    return bad->below->size(bad->below->ctx, file);
}

TEST(a_bad_page_costs_what_lies_in_it)
{
    struct sample s;
    sample_init(&s);
    for (size_t i = 0; i < 8; i++) sample_put(&s, 1, 3000, i);
    struct bad_page bad = {.below = &s.io, .from = 12288, .to = 16384};
    const struct store_io io = {
        .read = bad_page_read, .size = bad_page_size, .data = all_is_data, .ctx = &bad};
    /* The third frame ends in the page, the fourth begins in it. */
    REQUIRE(s.places[2] < bad.from && s.places[3] > bad.from && s.places[4] > bad.to);
    REQUIRE(sample_open(&s) == 0);
    s.reader.io = &io;
    CHECK_STORY(story(&s, JOURNAL_ALL),
                hole("100+1 101+1 ", s.places[2], s.places[4], "104+1 105+1 106+1 107+1 end"));
    CHECK(s.reader.unreadable);
    /* At the end of the file it does not look like zeros. */
    s.bytes.len = s.places[2];
    sample_zeros(&s, bad.to - s.bytes.len);
    REQUIRE(sample_open(&s) == 0);
    s.reader.io = &io;
    CHECK_STORY(story(&s, JOURNAL_ALL), hole("100+1 101+1 ", s.places[2], bad.to, "end"));
    sample_done(&s);
}

TEST(a_bad_page_costs_one_head)
{
    struct sample s;
    struct journal_reader r;
    sample_init(&s);
    sample_put(&s, 1, 10, 0);
    struct bad_page bad = {.below = &s.io, .from = 0, .to = 4096};
    const struct store_io io = {
        .read = bad_page_read, .size = bad_page_size, .data = all_is_data, .ctx = &bad};
    REQUIRE(sample_open(&s) == 0);
    REQUIRE(journal_reader_init(&r, &io, s.file, FIRST) == 0);
    journal_reader_done(&r);
    s.bytes.ptr[JOURNAL_SECOND_HEAD] ^= 1;
    REQUIRE(sample_open(&s) == 0);
    CHECK_INT(journal_reader_init(&r, &io, s.file, FIRST), ERR_IO);
    sample_done(&s);
}

TEST(read_errors_are_errors)
{
    struct sample s;
    struct journal_frame f;
    sample_init(&s);
    sample_put(&s, 1, 10, 0);
    REQUIRE(sample_open(&s) == 0);
    int file = s.reader.file;
    s.reader.file = -1;
    CHECK_INT(journal_reader_next(&s.reader, JOURNAL_ALL, &f), ERR_IO);
    CHECK_INT(journal_reader_next(&s.reader, s.bytes.len, &f), ERR_IO);
    s.reader.file = file;
    CHECK_STORY(story(&s, JOURNAL_ALL), "100+1 end");
    struct journal_reader none;
    CHECK_INT(journal_reader_init(&none, &s.io, -1, FIRST), ERR_IO);
    sample_done(&s);
}
