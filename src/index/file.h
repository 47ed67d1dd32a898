/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a segment's filters do not know: the tokens (store/token.h) of the values that its records'
 * events have, also those that decoders and products make, beside the tokens of the records' bytes.
 * A block of which filters and index both say that it has not a token has no event with a value
 * that has it.
 *
 * It is true for one way of reading records alone, the *version*: of the decoders, and of the texts
 * of taxonomy and products. An index of another version is none.
 *
 * The file is called index-N, as its segment is segment-N, and lies in the folder `index` beside
 * the segments. It can be made anew at any time and is no evidence. All numbers are little-endian.
 *
 *     magic "VkIdx1\0\0" · u32 format 2 · u32 tenant · u64 begin · 32 bytes root of the segment ·
 *     u64 version · u32 token rule · u32 blocks · u32 groups G · u32 pages P ·
 *     G × { u64 full · u32 bytes · u32 values · u32 rice · u32 cells }: groups as in
 *     store/segment.h, and how many bytes of cells stand behind its pages ·
 *     P × u32: the first value of each page · u32 CRC32C of all before ·
 *     G × { pages (store/filter.h) · cells (index/cells.h) }
 *
 * The number of values of a group is INDEX_SPARSE for each token that a block has on average, at
 * least 1 and at most FILTER_VALUES_MAX.
 */
#ifndef VAKA_INDEX_FILE_H
#define VAKA_INDEX_FILE_H

#include "index/cells.h"
#include "store/filter.h"
#include "store/segment.h"

#define INDEX_FOLDER "index"

enum {
    INDEX_FORMAT = 2,
    INDEX_SPARSE = 1024,
    INDEX_OF_RAW = 76,       /* of so many raw bytes one is the most that a group takes, … */
    INDEX_LEAST = 64 * 1024, /* … but that it may take */
    INDEX_HEAD = 80,
    INDEX_GROUP = 24,
    INDEX_FILE_MAX = 256 * 1024 * 1024,
};

/* What it is the index of. */
struct index_key {
    const struct segment_footer *segment; /* borrowed */
    uint64_t version;
};

/* An index that is being made: groups, one behind the other. */
struct index_writer {
    uint32_t n;
    struct filter_head heads[SEGMENT_GROUPS_MAX];
    uint32_t cells[SEGMENT_GROUPS_MAX];
    struct buf firsts, pages;
};

void index_writer_init(struct index_writer *w);
void index_writer_done(struct index_writer *w);
/* Nothing in it; the memory stays. */
void index_writer_clear(struct index_writer *w);
/*
 * The next group, of blocks of so many raw bytes; tokens and cells are empty behind it. Cells are
 * left out that make more of it than INDEX_OF_RAW allows. ERR_NOMEM, ERR_LIMIT.
 */
int index_writer_add(struct index_writer *w, struct filter_group *group, struct cells_writer *cells,
                     uint64_t raw) MUST_USE;
/* All of the file, appended to `out`. ERR_NOMEM, ERR_LIMIT. */
int index_writer_put(const struct index_writer *w, const struct index_key *key,
                     struct buf *out) MUST_USE;

struct index_file {
    const struct store_io *io; /* borrowed, as is the file */
    int file;
    uint64_t pages_at;
    struct buf head;
    uint32_t n_groups;
    struct index_file_group {
        uint64_t offset;
        uint32_t cells;
        struct filter_head head;
        const char *firsts;
    } groups[SEGMENT_GROUPS_MAX];
};

/*
 * ERR_UNSUPPORTED: of another version, or of other records; ERR_CORRUPT: it is damaged; ERR_NOMEM,
 * the table's errors. To be given to index_file_done() after success only.
 */
int index_file_init(struct index_file *f, const struct store_io *io, int file,
                    const struct index_key *key) MUST_USE;
void index_file_done(struct index_file *f);
/*
 * The index that stands beside a segment, of that version. ERR_UNSUPPORTED: none that is current
 * does (`file` may be negative), or the segment has no filters that it could stand beside; else as
 * above.
 */
int index_file_beside(struct index_file *f, const struct segment *s, const struct store_io *io,
                      int file, uint64_t version) MUST_USE;
/* The cells of a group, to be read by cells_group_read(). The table's errors. */
int index_file_cells(const struct index_file *f, uint32_t group, struct buf *ret) MUST_USE;
/* Whether each page is what was written: 0, ERR_CORRUPT, the table's errors. */
int index_file_check(const struct index_file *f) MUST_USE;
/*
 * Which of the n blocks of a group may have a token. ERR_CORRUPT: a page is damaged; the table's
 * errors.
 */
int index_file_ask(const struct index_file *f, uint32_t group, uint32_t n, uint64_t hash,
                   uint64_t *ret) MUST_USE;

/* ---- finding them ---- */

/* The folder that has the indexes of a store, as a descriptor; negative: there is none. */
int index_folder_open(const char *store);
/* In it the index of the segment that begins with that number; negative: there is none. */
int index_folder_file(int folder, uint64_t begin);

#endif
