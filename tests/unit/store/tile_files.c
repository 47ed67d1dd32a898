/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tile_files.h"

#include <fcntl.h>
#include <unistd.h>

#include "store/segment.h"
#include "test.h"

enum { RECORDS = 256 * 1001 + 5 };

struct seen {
    struct sha256 first[TREE_TILE_WIDTH]; /* tile/0/000 */
    struct sha256 above;                  /* the first hash of tile/1/000 */
    uint64_t files, hashes;
    const char *const *wanted; /* paths that have to come, in this order */
    bool ended;
};

static int take(void *ctx, const char *path, struct slice bytes)
{
    struct seen *s = ctx;
    s->files++;
    CHECK(!s->ended);
    if (strcmp(path, "checkpoint") == 0) s->ended = true;
    else s->hashes += bytes.len / SHA256_SIZE;
    if (strcmp(path, "tile/0/000") == 0) memcpy(s->first, bytes.ptr, sizeof s->first);
    if (strncmp(path, "tile/1/000", 10) == 0) memcpy(&s->above, bytes.ptr, sizeof s->above);
    if (*s->wanted && strcmp(path, *s->wanted) == 0) s->wanted++;
    return 0;
}

static void seal(const struct store_io *io, struct tree_range *tree)
{
    struct segment_options options;
    struct segment_writer *w;
    segment_options_default(&options);
    tree_range_init(tree, 0);
    options.before = tree;
    REQUIRE(segment_writer_new(io, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct record r = {.raw = slice_make(&i, sizeof i), .ordinal = i};
        REQUIRE(segment_writer_add(w, &r, NULL) == 0);
    }
    REQUIRE(segment_writer_finish(w, 1, tree) == 0);
    segment_writer_free(w);
}

static void write_note(struct buf *out, const struct tree_range *tree)
{
    struct checkpoint_signer signer;
    const uint8_t seed[CHECKPOINT_SEED] = {1};
    struct sha256 root = tree_range_root(tree);
    REQUIRE(checkpoint_signer_init(&signer, SLICE("o"), CHECKPOINT_LOG, seed) == 0);
    checkpoint_write(out, SLICE("o"), tree->end, &root);
    checkpoint_sign(out, slice_until(buf_slice(out), out->len - 1), &signer, 0);
}

TEST(tiles_of_many_records_are_named_in_groups)
{
    static const char *const wanted[] = {
        "tile/0/000",          "tile/0/001", "tile/0/999",       "tile/0/x001/000",
        "tile/0/x001/001.p/5", "tile/1/000", "tile/1/003.p/233", "tile/2/000.p/3",
        "checkpoint",          NULL};
    static struct tree_range tree, range;
    struct seen seen = {.wanted = wanted};
    struct tile_files_counts counts;
    struct tree_reader *reader;
    struct buf note;
    test_write("folder/x", "");
    int fd = open(test_path("folder"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    const struct store_io io = store_io_system(fd);
    seal(&io, &tree);
    buf_init(&note, CHECKPOINT_MAX);
    write_note(&note, &tree);
    REQUIRE(tree_reader_new(&io, &reader) == 0);
    REQUIRE(tile_files_write(reader, buf_slice(&note), take, &seen, &counts) == 0);
    CHECK(*seen.wanted == NULL);
    CHECK(seen.ended);
    CHECK_INT(counts.tiles + 1, seen.files);
    CHECK_INT(counts.left_out, 0);
    CHECK_INT(seen.hashes, RECORDS + RECORDS / 256 + RECORDS / 65536);
    tree_range_of_leaves(&range, 0, seen.first, TREE_TILE_WIDTH, NULL);
    CHECK(sha256_eq(&range.nodes[0], &seen.above));
    tree_reader_free(reader);
    buf_done(&note);
    (void)close(fd);
}
