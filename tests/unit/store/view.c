/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/view.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal.h"
#include "store/segment.h"
#include "test.h"

/* A table whose owner seals, and removes the journal of that, behind the first listing. */
struct busy {
    struct store_io real;
    void (*meanwhile)(struct store_io *io);
};

static struct store_io open_folder(const char *name)
{
    REQUIRE(mkdir(test_path(name), 0700) == 0);
    int fd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return store_io_system(fd);
}

static void make_journal(struct store_io *io, uint64_t first)
{
    char name[STORE_NAME_MAX + 1];
    journal_name_write(name, first);
    int file = io->open(io->ctx, name, STORE_CREATE);
    REQUIRE(file >= 0);
    io->close(io->ctx, file);
}

static void seal(struct store_io *io, uint64_t n)
{
    struct tree_range tree;
    struct segment_options options;
    struct segment_writer *w;
    tree_range_init(&tree, 0);
    segment_options_default(&options);
    options.before = &tree;
    REQUIRE(segment_writer_new(io, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    for (uint64_t i = 0; i < n; i++)
        REQUIRE(segment_writer_add(w, &(struct record){.raw = SLICE("x")}, NULL) == 0);
    REQUIRE(segment_writer_finish(w, 0, &tree) == 0);
    segment_writer_free(w);
}

static void seal_and_remove(struct store_io *io)
{
    char name[STORE_NAME_MAX + 1];
    journal_name_write(name, 0);
    seal(io, 10);
    REQUIRE(io->unlink(io->ctx, name) == 0);
    make_journal(io, 20);
}

static int busy_list(void *ctx, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
    struct busy *b = ctx;
    int error = b->real.list(b->real.ctx, each, each_ctx);
    if (b->meanwhile) b->meanwhile(&b->real);
    b->meanwhile = NULL;
    return error;
}

static int busy_open(void *ctx, const char *name, enum store_open_mode mode)
{
    struct busy *b = ctx;
    return b->real.open(b->real.ctx, name, mode);
}

static void view_is(struct busy *b, size_t segments, uint64_t sealed, uint64_t journal)
{
    struct store_io io = b->real;
    struct store_view v;
    io.list = busy_list;
    io.open = busy_open;
    io.ctx = b;
    REQUIRE(store_view_open(&io, &v) == 0);
    CHECK_INT(store_view_segments(&v), segments);
    CHECK_INT(v.sealed, sealed);
    REQUIRE(v.n_journals == 1);
    CHECK_INT(v.journals[0].first, journal);
    store_view_close(&io, &v);
}

TEST(what_is_sealed_meanwhile_is_seen_as_a_segment)
{
    struct busy b = {.real = open_folder("busy"), .meanwhile = seal_and_remove};
    make_journal(&b.real, 0);
    make_journal(&b.real, 10);
    view_is(&b, 1, 10, 10);
}

TEST(a_store_that_rests_is_seen_as_it_is)
{
    struct busy b = {.real = open_folder("rest")};
    make_journal(&b.real, 0);
    view_is(&b, 0, 0, 0);
    seal(&b.real, 3);
    view_is(&b, 1, 3, 0);
}
