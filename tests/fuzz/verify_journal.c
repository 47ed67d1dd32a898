/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a journal, whose heads are made right: both readings see the same records. Input:
 * the file from its first frame on.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "store/journal.h"
#include "target.h"
#include "verify/journal.h"

enum { IN_MAX = 64 * 1024 };

struct seen {
    uint64_t n, sum;
};

static void see(struct seen *s, uint64_t seq, struct slice raw, struct slice source)
{
    s->n++;
    s->sum = s->sum * 31 + seq * 7 + raw.len * 3 + source.len;
}

static void take(void *ctx, uint64_t seq, const struct verify_record *r)
{
    see(ctx, seq, r->raw, r->source);
}

static void on_flaw(void *ctx, const struct verify_flaw *flaw)
{
    (void)ctx;
    HOLDS(flaw->what);
}

static void read_by_store(int fd, struct seen *seen)
{
    struct store_io io = store_io_system(-1);
    struct journal_reader reader;
    struct journal_frame frame;
    HOLDS(journal_reader_init(&reader, &io, fd, 5) == 0);
    for (int answer; (answer = journal_reader_next(&reader, JOURNAL_ALL, &frame)) != 0;) {
        HOLDS(answer == 1 || answer == ERR_CORRUPT);
        if (answer != 1) continue;
        struct batch_iter it;
        struct record r;
        batch_iter_init(&it, &frame.batch);
        for (uint64_t seq = frame.first; batch_iter_next(&it, &r); seq++)
            see(seen, seq, r.raw, r.source);
    }
    journal_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char head[JOURNAL_DATA];
    struct journal_head h = {.first = 5, .epoch = 1};
    struct seen a = {0, 0}, b = {0, 0};
    uint64_t rest;
    if (size == 0 || size > IN_MAX) return 0;
    journal_head_write(head, &h);
    int fd = memfd_create("journal", MFD_CLOEXEC);
    HOLDS(fd >= 0 && write(fd, head, sizeof head) == (ssize_t)sizeof head &&
          write(fd, data, size) == (ssize_t)size);
    struct verify_file file = {.fd = fd, .size = sizeof head + size};
    HOLDS(verify_journal(&file, 5, take, on_flaw, &a, &rest) == 0);
    read_by_store(fd, &b);
    HOLDS(a.n == b.n && a.sum == b.sum);
    verify_file_close(&file);
    return 0;
}
