/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A journal: batches in the order of their sequence numbers, as frames in a file. It is written
 * from front to end by one process (store.h) and read by others while it grows.
 *
 * All numbers are little-endian. The file is called journal-N, N being the first sequence number
 * that it can hold, in 20 decimal digits, so that names sort like what they hold.
 *
 *     0      head (64 bytes)
 *     4096   the same head again: losing one sector does not lose the file
 *     4160   frames, one behind the other, each at a multiple of 8
 *     then   zeros: space that was written or allocated ahead, so that a commit changes nothing
 *            but bytes
 *
 *     head   u32 magic "VkJ1" · u32 tenant · u32 epoch · u32 0 · u64 first · u64 salt · 28 × 0 ·
 *            u32 CRC32C of the 60 bytes before
 *     frame  u64 mark · u32 magic "VkF1" · u32 tenant · u32 epoch · u32 n · u64 first ·
 *            i64 earliest and i64 latest time received · u32 length · u32 back ·
 *            u32 CRC32C of the payload · u32 CRC32C of the 60 bytes before
 *            (64 bytes), then the payload: one batch as event/record.h defines it, then 0 to 7
 *            bytes so that the next frame begins at a multiple of 8
 *
 * The mark is the salt XOR the place of the frame in the file. Salts are random and secret: a log
 * record can hold the image of a frame, but not one that is taken for a frame when the one around
 * it is damaged; neither is a frame that the disk has put in another place.
 *
 * A commit is one write of one or more frames, and begins when the commit before it is durable.
 * `back` is how far behind the beginning of its commit a frame begins. So when a frame is missing
 * and a later one is of a later commit, the missing one was durable once; else the power may have
 * failed while both were written.
 *
 * A head is valid when: 1 magic, zeros and CRC are right; 2 `first` is the number in the name.
 * A frame is valid when: 1 it begins at a multiple of 8; 2 its mark, its magic and the CRC of its
 * head are right; 3 tenant and epoch are those of the file; 4 its `first` is not below the
 * sequence number behind the frame before it; 5 first + n does not overflow; 6 `back` does not
 * reach before the first frame; 7 the payload's CRC is right; 8 the payload is a valid batch of n
 * records and the same tenant.
 */
#ifndef VAKA_STORE_JOURNAL_H
#define VAKA_STORE_JOURNAL_H

#include "event/record.h"
#include "store/io.h"

enum {
    JOURNAL_HEAD = 64,
    JOURNAL_SECOND_HEAD = 4096,
    JOURNAL_DATA = JOURNAL_SECOND_HEAD + JOURNAL_HEAD, /* where frames begin */
    JOURNAL_FRAME_HEAD = 64,
    JOURNAL_FRAME_MAX = JOURNAL_FRAME_HEAD + BATCH_MAX, /* bytes of a frame; a multiple of 8 */
};

struct journal_head {
    uint64_t first; /* sequence number */
    uint64_t salt;
    uint32_t tenant;
    uint32_t epoch; /* of the writer: one more each time it starts */
};

/* "journal-00000000000000000012", with a NUL. */
void journal_name_write(char name[STORE_NAME_MAX + 1], uint64_t first);
/* false when it is not the name of a journal. */
bool journal_name_read(const char *name, uint64_t *ret_first);
/* The same for one that was set aside because its heads are damaged: "damaged-N". */
void journal_damaged_name_write(char name[STORE_NAME_MAX + 1], uint64_t first);
bool journal_damaged_name_read(const char *name, uint64_t *ret_first);
/* open() of the table, by number. */
int journal_open(const struct store_io *io, uint64_t first, enum store_open_mode mode) MUST_USE;
/* The same to read what another process writes, and may remove at any time: share() of the table.
 */
int journal_open_shared(const struct store_io *io, uint64_t first) MUST_USE;

/* ---- writing ---- */

/* The first JOURNAL_DATA bytes of a file. */
void journal_head_write(char bytes[JOURNAL_DATA], const struct journal_head *head);

/* Where a frame will be and what it begins with. */
struct journal_place {
    uint64_t offset; /* in the file */
    uint64_t commit; /* where its commit begins */
    uint64_t first;  /* sequence number of its first record */
};
/* Bytes of the frame of a batch of that many bytes. */
size_t journal_frame_size(size_t batch_len);
/* Writes journal_frame_size() bytes. */
void journal_frame_write(char *to, const struct journal_head *head, const struct batch *batch,
                         const struct journal_place *place);

/* ---- reading ---- */

struct journal_reader {
    const struct store_io *io;
    int file;
    struct journal_head head;
    uint64_t at;   /* where the next frame is expected */
    uint64_t next; /* the sequence number that it has at least */
    struct buf window;
    uint64_t window_at; /* where the window is in the file */
    bool unreadable;    /* a page of what was looked at could not be read */
};

struct journal_frame {
    uint64_t offset, end;  /* of the frame; of what is damaged */
    uint64_t commit;       /* where its commit begins */
    uint64_t first;        /* sequence number; of what is damaged: the one that was expected */
    nsec earliest, latest; /* times its records were received */
    struct batch batch;    /* its bytes are borrowed until the next call */
};

/* For journal_reader_next(): the file does not grow any more, zeros at its end are not damage. */
#define JOURNAL_ALL UINT64_MAX

/*
 * `io` and `file` are borrowed; only read() and size() of the table are called. `first` is the
 * number in the name. Holds at most JOURNAL_FRAME_MAX + 256 KiB of memory.
 * ERR_CORRUPT: neither head is valid. ERR_IO: one cannot be read, and the other is not valid.
 */
int journal_reader_init(struct journal_reader *r, const struct store_io *io, int file,
                        uint64_t first) MUST_USE;
/* Nothing happens to one that is all zeros. */
void journal_reader_done(struct journal_reader *r);
/* To a frame's `end` that was told before, and the sequence number behind that frame. */
void journal_reader_seek(struct journal_reader *r, uint64_t offset, uint64_t next);
/*
 * The next frame, of what lies below `limit`: a place that the writer has called durable, or
 * JOURNAL_ALL. 1: *ret is it. 0: the end (for now). ERR_CORRUPT: what lies between ret->offset and
 * ret->end is damaged and was passed over; the next call goes on behind it, where the next whole
 * frame begins, or the end is. ERR_IO, ERR_NOMEM: nothing was passed over.
 * A page that the disk does not give back is damage like any other, and sets `unreadable`; ERR_IO
 * when nothing near it can be read either.
 */
int journal_reader_next(struct journal_reader *r, uint64_t limit,
                        struct journal_frame *ret) MUST_USE;

#endif
