/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/open.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static struct buf story;
static int stop_at; /* refuse this event; 0: none */
static unsigned n_events;

static void on_begin(void *ctx, struct slice name, const struct decoder_ops *format)
{
    (void)format;
    (void)ctx;
    buf_puts(&story, "<");
    buf_put(&story, name);
    buf_puts(&story, ">");
}
static void on_end(void *ctx)
{
    (void)ctx;
    buf_puts(&story, "</>");
}
static void on_unreadable(void *ctx, struct slice name, struct slice why)
{
    (void)ctx;
    buf_puts(&story, "{");
    buf_put(&story, name);
    buf_puts(&story, ": ");
    buf_put(&story, why);
    buf_puts(&story, "}");
}
static int on_progress(void *ctx, uint64_t position, uint64_t bytes)
{
    (void)ctx;
    (void)position;
    (void)bytes;
    return 0;
}
static int on_emit(void *ctx, struct event *ev)
{
    (void)ctx;
    n_events++;
    if ((int)n_events == stop_at) return ERR_STOPPED;
    if (n_events <= 20) {
        buf_putc(&story, ' ');
        buf_put(&story, ev->n_fields ? ev->fields[0].value : SLICE("-"));
    }
    return 0;
}
static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)ctx;
    (void)record;
    buf_printf(&story, " bad@%llu %s", (unsigned long long)offset, reason);
}

static const struct open_events events = {.begin = on_begin,
                                          .end = on_end,
                                          .unreadable = on_unreadable,
                                          .progress = on_progress,
                                          .emit = on_emit,
                                          .bad = on_bad};

static int file_of(struct slice bytes)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = write(fd, bytes.ptr + at, bytes.len - at);
        REQUIRE(n > 0);
        at += (size_t)n;
    }
    return fd;
}

static int result_of_open;

/* What reading the bytes does, as text. */
static struct slice read_all(struct slice bytes, uint64_t split_from, struct open_split *split)
{
    buf_done(&story);
    buf_init(&story, 1024 * 1024);
    n_events = 0;
    struct keys *keys = keys_new();
    REQUIRE(keys);
    const struct open_input in = {
        .fd = file_of(bytes), .regular = true, .size = bytes.len, .name = SLICE("f")};
    result_of_open = open_file(&in, keys, &events, split_from, split);
    (void)close(in.fd);
    keys_free(keys);
    return buf_slice(&story);
}

static struct slice tell(struct slice bytes)
{
    struct open_split split;
    return read_all(bytes, 0, &split);
}

struct member {
    const char *name;
    struct slice bytes;
};

/* An archive made with libarchive; freed by the caller. */
static struct slice pack(int format, int filter, const struct member *members, size_t n)
{
    enum { SIZE = 4 * 1024 * 1024 };
    char *space = malloc(SIZE);
    size_t used = 0;
    struct archive *a = archive_write_new();
    REQUIRE(space && a);
    REQUIRE(archive_write_set_format(a, format) == ARCHIVE_OK);
    REQUIRE(archive_write_add_filter(a, filter) == ARCHIVE_OK);
    REQUIRE(archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK);
    REQUIRE(archive_write_open_memory(a, space, SIZE, &used) == ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, members[i].name);
        archive_entry_set_filetype(e, members[i].bytes.ptr ? AE_IFREG : AE_IFDIR);
        archive_entry_set_size(e, (la_int64_t)members[i].bytes.len);
        REQUIRE(archive_write_header(a, e) == ARCHIVE_OK);
        if (members[i].bytes.len)
            REQUIRE(archive_write_data(a, members[i].bytes.ptr, members[i].bytes.len) > 0);
        archive_entry_free(e);
    }
    REQUIRE(archive_write_close(a) == ARCHIVE_OK);
    (void)archive_write_free(a);
    return slice_make(space, used);
}

static void drop(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

static const struct member one[] = {{"a.json", {"{\"a\":1}\n", 8}}};
static const struct member three[] = {{"a.json", {"{\"a\":1}\n", 8}},
                                      {"d/", {NULL, 0}},
                                      {"d/b.json", {"{\"a\":2}\n{\"a\":3}\n", 16}},
                                      {"notes", {"\1\2\3", 3}}};

TEST(plain_files)
{
    CHECK_SLICE(tell(SLICE("{\"a\":1}\n{\"a\":2}\n")), "<f> 1 2</>");
    CHECK_SLICE(tell(SLICE("")), "");
    CHECK_SLICE(tell(SLICE("\1\2\3")), "{f: not a log format I know}");
    CHECK_INT(result_of_open, 0);
}

TEST(members_are_named_and_read_one_by_one)
{
    static const int formats[] = {ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_TAR_USTAR,
                                  ARCHIVE_FORMAT_TAR_PAX_RESTRICTED};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct slice file = pack(formats[i], ARCHIVE_FILTER_NONE, three, 4);
        CHECK_SLICE(tell(file), "<f!a.json> 1</><f!d/b.json> 2 3</>"
                                "{f!notes: not a log format I know}");
        drop(file);
    }
}

TEST(compressed_files_have_their_own_name_and_archives_in_them_members)
{
    static const int filters[] = {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct slice file = pack(ARCHIVE_FORMAT_RAW, filters[i], one, 1);
        CHECK_SLICE(tell(file), "<f> 1</>");
        drop(file);
        file = pack(ARCHIVE_FORMAT_TAR_USTAR, filters[i], three, 3);
        CHECK_SLICE(tell(file), "<f!a.json> 1</><f!d/b.json> 2 3</>");
        drop(file);
    }
}

TEST(containers_may_be_nested_once)
{
    struct slice gz = pack(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, one, 1);
    const struct member with_gz[] = {{"x.gz", gz}};
    struct slice zip = pack(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, with_gz, 1);
    CHECK_SLICE(tell(zip), "<f!x.gz> 1</>");
    const struct member with_zip[] = {{"y.zip", zip}, one[0]};
    struct slice tar = pack(ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, with_zip, 2);
    CHECK_SLICE(tell(tar), "{f!y.zip!x.gz: archives are nested too deeply}<f!a.json> 1</>");
    CHECK_INT(result_of_open, 0);
    drop(gz);
    drop(zip);
    drop(tar);
}

/* Damage anywhere: what was read before it stays, the place is named, nothing crashes. */
TEST(every_cut_of_an_archive_is_survived)
{
    static const int kinds[][2] = {{ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP},
                                   {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD},
                                   {ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ},
                                   {ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE}};
    for (size_t k = 0; k < 4; k++) {
        struct slice file = pack(kinds[k][0], kinds[k][1], one, 1);
        for (size_t n = 8; n + 8 < file.len; n += 5) {
            struct slice got = tell(slice_until(file, n));
            CHECK_INT(result_of_open, 0);
            if (slice_find(got, SLICE("{f")) == SIZE_MAX &&
                slice_find(got, SLICE(" 1")) == SIZE_MAX)
                test_fail(__FILE__, __LINE__, "kind %zu cut at %zu of %zu: %.*s", k, n, file.len,
                          SLICE_FMT(got));
        }
        drop(file);
    }
}

TEST(a_bomb_is_left_and_named)
{
    enum { BOMB = 80 * 1024 * 1024 };
    static char space[512 * 1024];
    char *zeros = malloc(BOMB);
    size_t used = 0;
    REQUIRE(zeros);
    memset(zeros, '\n', BOMB);
    memcpy(zeros, "{\"a\":1}\n", 8);
    struct archive *a = archive_write_new();
    REQUIRE(a);
    REQUIRE(archive_write_set_format_raw(a) == ARCHIVE_OK);
    REQUIRE(archive_write_add_filter_zstd(a) == ARCHIVE_OK);
    REQUIRE(archive_write_open_memory(a, space, sizeof space, &used) == ARCHIVE_OK);
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_filetype(e, AE_IFREG);
    REQUIRE(archive_write_header(a, e) == ARCHIVE_OK);
    REQUIRE(archive_write_data(a, zeros, BOMB) == BOMB);
    archive_entry_free(e);
    REQUIRE(archive_write_close(a) == ARCHIVE_OK);
    (void)archive_write_free(a);
    free(zeros);
    REQUIRE(used < BOMB / OPEN_RATIO_MAX);
    struct slice got = tell(slice_make(space, used));
    CHECK_SLICE(slice_until(got, 5), "<f> 1");
    CHECK(slice_find(got, SLICE("a decompression bomb?")) != SIZE_MAX);
}

TEST(an_xz_dictionary_above_the_limit_is_refused)
{
    struct slice file = pack(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, one, 1);
    char *copy = malloc(file.len);
    REQUIRE(copy);
    memcpy(copy, file.ptr, file.len);
    /* Block header: size, flags, filter 0x21, one byte of properties, the dictionary. */
    REQUIRE(copy[14] == 0x21 && copy[15] == 1);
    copy[16] = 29; /* 96 MiB */
    CHECK_SLICE(tell(slice_make(copy, file.len)),
                "{f: asks for too much memory (its xz dictionary is above 64 MiB)}");
    free(copy);
    drop(file);
}

TEST(a_refusal_stops_at_once)
{
    stop_at = 2;
    CHECK_SLICE(tell(SLICE("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")), "<f> 1</>");
    CHECK_INT(result_of_open, ERR_STOPPED);
    CHECK_INT(n_events, 2);
    struct slice file = pack(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, three, 3);
    (void)tell(file);
    CHECK_INT(result_of_open, ERR_STOPPED);
    CHECK_INT(n_events, 2);
    drop(file);
    stop_at = 0;
}

/* All ranges of any length together give what the whole file gives. */
TEST(ranges_are_the_whole_file)
{
    const struct slice text =
        SLICE("{\"a\":1}\n{\"a\":22}\r\n\n{\"a\":333}\n{\n\"a\":4\n}\n{\"a\":5}");
    struct open_split split;
    CHECK_INT(read_all(text, 1, &split).len, 0);
    REQUIRE(split.cut == CUT_JSON && split.ops == &decoder_json);
    int fd = file_of(text);
    for (uint64_t step = 1; step <= text.len; step++) {
        struct keys *keys = keys_new();
        REQUIRE(keys);
        const struct open_input in = {
            .fd = fd, .regular = true, .size = text.len, .name = SLICE("f")};
        struct buf all;
        buf_init(&all, 64 * 1024);
        for (uint64_t begin = 0; begin < text.len; begin += step) {
            buf_clear(&story);
            n_events = 0;
            uint64_t end = begin + step >= text.len ? UINT64_MAX : begin + step;
            CHECK_INT(open_range(&in, keys, &events, &split, begin, end), 0);
            struct slice got = buf_slice(&story);
            REQUIRE(got.len >= 6);
            buf_put(&all, slice_make(got.ptr + 3, got.len - 6));
        }
        if (!slice_eq(buf_slice(&all), SLICE(" 1 22 333 4 5")))
            test_fail(__FILE__, __LINE__, "ranges of %llu: %.*s", (unsigned long long)step,
                      SLICE_FMT(buf_slice(&all)));
        buf_done(&all);
        keys_free(keys);
    }
    (void)close(fd);
    buf_done(&story);
}
