/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/retain.h"

#include <fcntl.h>
#include <unistd.h>

#include "test.h"

enum { EACH = 50 };

/* Four segments of 50 records, record i received at second i. */
static struct store_io folder(const char *name)
{
    static struct tree_range tree;
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/x", name);
    test_write(inside, "");
    int fd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    static struct store_io io;
    io = store_io_system(fd);
    tree_range_init(&tree, 0);
    struct segment_writer *w;
    REQUIRE(segment_writer_new(&io, &w) == 0);
    for (int64_t i = 0; i < 4; i++) {
        struct segment_options options;
        segment_options_default(&options);
        options.before = &tree;
        REQUIRE(segment_writer_begin(w, &options) == 0);
        for (int64_t k = 0; k < EACH; k++) {
            struct record r = {.raw = SLICE("x"), .received = (i * EACH + k) * NSEC_PER_SEC};
            REQUIRE(segment_writer_add(w, &r, NULL) == 0);
        }
        REQUIRE(segment_writer_finish(w, 0, &tree) == 0);
    }
    segment_writer_free(w);
    return io;
}

static int sign(void *ctx, struct slice body, struct buf *out)
{
    (void)body;
    if (ctx) return ERR_IO;
    buf_puts(out, "\xe2\x80\x94 a AAAA\n");
    return 0;
}

static struct retain_options options_of(const struct store_io *io, int64_t before)
{
    return (struct retain_options){.io = io,
                                   .before = before * NSEC_PER_SEC,
                                   .now = 1000 * NSEC_PER_SEC,
                                   .origin = SLICE("vaka.example/1"),
                                   .reason = SLICE("older than 400 days"),
                                   .sign = sign};
}

static bool exists(const struct store_io *io, const char *kind, uint64_t begin)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, kind, begin);
    int file = io->open(io->ctx, name, STORE_READ);
    if (file >= 0) io->close(io->ctx, file);
    return file >= 0;
}

TEST(old_segments_go_and_leave_footer_and_tombstone)
{
    struct store_io io = folder("old");
    struct retain_counts counts;
    struct retain_options o = options_of(&io, 100); /* the third begins at second 100 */
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 2);
    CHECK_INT(counts.records, 2 * EACH);
    CHECK_INT(counts.held, 0);
    for (uint64_t begin = 0; begin < 4 * EACH; begin += EACH) {
        CHECK(exists(&io, "segment", begin) == (begin >= 2 * EACH));
        CHECK(exists(&io, "footer", begin) == (begin < 2 * EACH));
        CHECK(exists(&io, "tombstone", begin) == (begin < 2 * EACH));
    }
    size_t len;
    char *text = test_read_file(test_path("old/tombstone-00000000000000000050"), &len);
    CHECK(slice_starts_with(slice_make(text, len), SLICE("vaka.example/1/tombstone\n50\n100\n")));
    CHECK(slice_ends_with(
        slice_make(text, len),
        SLICE("\n1970-01-01T00:16:40.000Z\nolder than 400 days\n\n\xe2\x80\x94 a AAAA\n")));
    free(text);
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 0);
}

TEST(what_is_held_stays)
{
    struct store_io io = folder("held");
    struct retain_counts counts;
    struct retain_hold holds[] = {{99, 100}, {150, 150}, {1000, 2000}};
    struct retain_options o = options_of(&io, 1000);
    o.holds = holds;
    o.n_holds = 3;
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 3);
    CHECK_INT(counts.held, 1);
    CHECK(exists(&io, "segment", 50));
    CHECK(!exists(&io, "footer", 50));
    holds[0] = (struct retain_hold){100, 101}; /* the first behind it */
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 1);
}

/* Without a signature nothing goes; what was begun is done by the next call. */
TEST(nothing_goes_unsigned)
{
    struct store_io io = folder("unsigned");
    struct retain_counts counts;
    struct retain_options o = options_of(&io, 1000);
    o.ctx = &counts; /* sign() fails */
    CHECK_INT(retain_run(&o, &counts), ERR_IO);
    CHECK_INT(counts.removed, 0);
    for (uint64_t begin = 0; begin < 4 * EACH; begin += EACH) CHECK(exists(&io, "segment", begin));
    o.ctx = NULL;
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 4);
    o.reason = SLICE("two\nlines");
    CHECK_INT(retain_run(&o, &counts), ERR_INVALID);
    o.reason = SLICE("");
    CHECK_INT(retain_run(&o, &counts), ERR_INVALID);
}

TEST(what_cannot_be_read_stays)
{
    struct store_io io = folder("unreadable");
    struct retain_counts counts;
    struct retain_options o = options_of(&io, 1000);
    int file = io.open(io.ctx, "segment-00000000000000000050", STORE_WRITE);
    REQUIRE(file >= 0 && io.truncate(io.ctx, file, 100) == 0);
    io.close(io.ctx, file);
    REQUIRE(retain_run(&o, &counts) == 0);
    CHECK_INT(counts.removed, 3);
    CHECK_INT(counts.unreadable, 1);
    CHECK(exists(&io, "segment", 50));
}

/* The key is another process's: between two steps nothing has gone. */
TEST(a_pass_stops_until_it_is_signed)
{
    struct store_io io = folder("pass");
    struct retain_pass p;
    struct retain_options o = options_of(&io, 100);
    uint64_t end;
    REQUIRE(retain_pass_init(&p, &o) == 0);
    for (uint64_t begin = 0; begin < 2 * EACH; begin += EACH) {
        REQUIRE(retain_pass_next(&p) == 1);
        CHECK(exists(&io, "segment", begin));
        CHECK(!exists(&io, "tombstone", begin));
        CHECK(retain_tombstone_valid(buf_slice(&p.body), o.origin, &end));
        CHECK_INT(end, begin + EACH);
        REQUIRE(retain_pass_bury(&p, SLICE("\xe2\x80\x94 a AAAA\n")) == 0);
        CHECK(!exists(&io, "segment", begin));
        CHECK(exists(&io, "tombstone", begin));
    }
    CHECK_INT(retain_pass_next(&p), 0);
    CHECK_INT(p.counts.removed, 2);
    CHECK_INT(p.counts.records, 2 * EACH);
    retain_pass_done(&p);
}

TEST(a_tombstone_has_one_form)
{
    static const char good[] = "o/tombstone\n5\n9\n"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                               "2026-11-26T04:00:00.000Z\nold\n";
    static const struct {
        const char *from, *to;
    } bad[] = {
        {"o/tombstone", "p/tombstone"},
        {"o/tombstone", "o"},
        {"\n5\n", "\n05\n"},
        {"\n9\n", "\n5\n"},
        {"A=", "B="},
        {"04:00:00.000Z", "04:00:00Z"},
        {"old\n", "\n"},
        {"old\n", "old\nmore\n"},
        {"old\n", "old"},
    };
    uint64_t end = 0;
    CHECK(retain_tombstone_valid(slice_of(good), SLICE("o"), &end));
    CHECK_INT(end, 9);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[sizeof good + 16];
        const char *at = strstr(good, bad[i].from);
        REQUIRE(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, bad[i].to,
                       at + strlen(bad[i].from));
        CHECK(!retain_tombstone_valid(slice_of(text), SLICE("o"), &end));
    }
}
