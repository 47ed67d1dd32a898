/* SPDX-License-Identifier: EUPL-1.2 */
/* Journals that are recovered, written and read while memory runs out. */
#include <fcntl.h>
#include <unistd.h>

#include "store/store.h"
#include "torture.h"

struct place {
    int dirfd;
    struct store_io io;
    struct slice batch; /* written before memory runs out */
};

static void put_journal(void *ctx, const struct store_journal *journal)
{
    buf_printf(ctx, "journal %llu-%llu\n", (unsigned long long)journal->first,
               (unsigned long long)journal->next);
}

static void put_damage(void *ctx, const struct store_damage *damage)
{
    buf_printf(ctx, "damage %d\n", (int)damage->kind);
}

static int remove_name(void *ctx, const char *name)
{
    const struct store_io *io = ctx;
    return io->unlink(io->ctx, name);
}

/* Frames of one journal; what memory does not suffice for must not look like damage. */
static int read_back(const struct store_io *io, struct buf *out)
{
    struct journal_reader r;
    struct journal_frame f;
    int file = journal_open(io, 0, STORE_READ);
    if (file < 0) return file;
    int result = journal_reader_init(&r, io, file, 0);
    if (result == 0) {
        while ((result = journal_reader_next(&r, JOURNAL_ALL, &f)) == 1)
            buf_printf(out, "frame %llu %u\n", (unsigned long long)f.first, f.batch.n);
        journal_reader_done(&r);
    }
    io->close(io->ctx, file);
    return result;
}

static int write_some(const struct place *p, struct store *s)
{
    struct batch b;
    uint64_t first;
    int result = batch_open(p->batch, &b);
    for (int i = 0; i < 2 && result == 0; i++) {
        result = store_append(s, &b, &first);
        if (result == 0) result = store_commit(s);
    }
    return result;
}

static int live_twice(const struct place *p, struct buf *out)
{
    const struct store_options options = {.io = &p->io,
                                          .clock = clock_system(),
                                          .events = {.complete = put_journal,
                                                     .damage = put_damage,
                                                     .opened = put_journal,
                                                     .ctx = out},
                                          .seed = 1,
                                          .tenant = 7,
                                          .journal_age = 3600 * NSEC_PER_SEC,
                                          .journal_bytes = 100000,
                                          .commit_bytes = 100000,
                                          .ahead_bytes = 10000};
    struct store *s;
    int result = store_open(&options, &s);
    if (result != 0) return result;
    result = write_some(p, s);
    store_free(s);
    if (result == 0) result = store_open(&options, &s);
    if (result != 0) return result;
    store_free(s);
    return read_back(&p->io, out);
}

/* From an empty directory to an empty one. */
static int run_store(void *ctx, struct buf *out)
{
    struct place *p = ctx;
    int result = live_twice(p, out);
    torture_spare();
    for (int i = 0; i < 3; i++) (void)p->io.list(p->io.ctx, remove_name, &p->io);
    torture_go_on();
    return result;
}

TEST(journals)
{
    struct batch_writer w;
    struct buf bytes;
    test_write("journals/.keep", "");
    struct place p = {.dirfd = open(test_path("journals"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    REQUIRE(p.dirfd >= 0);
    p.io = store_io_system(p.dirfd);
    buf_init(&bytes, BATCH_MAX);
    batch_writer_init(&w, 7, BATCH_MAX);
    REQUIRE(batch_writer_add(&w, &(struct record){.raw = SLICE("one"), .source = SLICE("s")}) == 0);
    batch_writer_finish(&w, &bytes);
    batch_writer_done(&w);
    p.batch = buf_slice(&bytes);
    torture_run(&(struct torture){.run = run_store, .ctx = &p, .calls = true});
    (void)close(p.dirfd);
    buf_done(&bytes);
}
