/* SPDX-License-Identifier: EUPL-1.2 */
/* Power cuts between single calls, each a promise that one sync stands for. */
#include "disk.h"
#include "store/sealed.h"
#include "store/segment.h"
#include "store/tiles.h"
#include "test.h"

enum { LEAVES = 256 /* that have a kept node */, CHOICES = 64 };

/* Cuts the recording behind every step, with some choices of what was pending; all of it is one,
 * none of it another. */
static void cut_everywhere(const struct disk *disk, void (*check)(const struct store_io *io))
{
    struct disk_cut cut;
    struct disk image;
    disk_init(&image);
    struct store_io io = disk_io(&image);
    disk_cut_init(&cut, disk);
    while (disk_cut_next(&cut)) {
        disk_cut_image(&cut, REACHED_ALL, 0, &image);
        check(&io);
        disk_cut_image(&cut, REACHED_NONE, 0, &image);
        check(&io);
        for (uint64_t i = 0; i < CHOICES && cut.n_pending > 1; i++) {
            disk_cut_image(&cut, REACHED_SOME, i, &image);
            check(&io);
        }
    }
    disk_cut_done(&cut);
    disk_done(&image);
}

static void put_half(const struct store_io *io, const char *name)
{
    int file = io->open(io->ctx, name, STORE_CREATE);
    REQUIRE(file >= 0);
    REQUIRE(store_io_write(io, file, SLICE("half"), 0) == 0);
    io->close(io->ctx, file);
}

static void check_whole(const struct store_io *io)
{
    char text[16];
    int file = io->open(io->ctx, "note", STORE_READ);
    if (file == ERR_NOT_FOUND) return;
    REQUIRE(file >= 0);
    int64_t n = store_io_read(io, file, text, sizeof text, 0);
    CHECK_SLICE(slice_make(text, n > 0 ? (size_t)n : 0), "whole");
    io->close(io->ctx, file);
}

TEST(what_was_left_over_replaces_nothing)
{
    struct disk disk;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    put_half(&io, "note.new");
    disk_record(&disk);
    CHECK_INT(store_io_replace(&io, "note", SLICE("whole")), 0);
    cut_everywhere(&disk, check_whole);
    disk_done(&disk);
}

static int seal(const struct store_io *io, int n, struct tree_range *tree)
{
    struct segment_options options;
    struct segment_writer *w;
    tree_range_init(tree, 0);
    segment_options_default(&options);
    options.before = tree;
    REQUIRE(segment_writer_new(io, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    for (int i = 0; i < n; i++)
        REQUIRE(segment_writer_add(w, &(struct record){.raw = SLICE("x")}, NULL) == 0);
    int error = segment_writer_finish(w, 1, tree);
    segment_writer_free(w);
    return error;
}

static void check_sealed(const struct store_io *io)
{
    struct tree_range tree;
    struct sha256 node;
    struct segment *s;
    CHECK_INT(sealed_tree(io, &tree), 0);
    if (tree.end == 0) return;
    CHECK_INT(tree.end, LEAVES);
    REQUIRE(segment_open(io, 0, &s) == 0);
    segment_close(s);
    CHECK_INT(tiles_read(io, 1, 0, 1, &node), 0);
    CHECK(sha256_eq(&node, &tree.nodes[0]));
}

TEST(a_segment_has_its_name_only_when_it_and_its_nodes_are_whole)
{
    struct disk disk;
    struct tree_range tree;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    put_half(&io, "sealing-00000000000000000000");
    disk_record(&disk);
    CHECK_INT(seal(&io, LEAVES, &tree), 0);
    cut_everywhere(&disk, check_sealed);
    disk_done(&disk);
}

static int no_sync(void *ctx)
{
    (void)ctx;
    return ERR_IO;
}

static void check_somewhere(const struct store_io *io)
{
    struct tree_range tree;
    int file = io->open(io->ctx, "journal", STORE_READ);
    CHECK_INT(sealed_tree(io, &tree), 0);
    CHECK(file >= 0 || tree.end > 0);
    if (file >= 0) io->close(io->ctx, file);
}

/* The process that sealed ended behind the rename; the next one tells the store what is sealed. */
TEST(a_journal_goes_for_a_segment_whose_name_is_durable)
{
    struct disk disk;
    struct tree_range tree;
    disk_init(&disk);
    struct store_io io = disk_io(&disk), dying = io;
    put_half(&io, "journal");
    disk_record(&disk);
    dying.sync_names = no_sync;
    CHECK_INT(seal(&dying, LEAVES - 1, &tree), ERR_IO);
    CHECK_INT(sealed_tree(&io, &tree), 0);
    CHECK_INT(tree.end, LEAVES - 1);
    CHECK_INT(io.unlink(io.ctx, "journal"), 0);
    CHECK_INT(io.sync_names(io.ctx), 0);
    cut_everywhere(&disk, check_somewhere);
    disk_done(&disk);
}
