/* SPDX-License-Identifier: EUPL-1.2 */
/* A few records in a sealed segment, each a block by itself, and the segment's index. */
#ifndef VAKA_TESTS_PROPERTY_QUERY_INDEX_H
#define VAKA_TESTS_PROPERTY_QUERY_INDEX_H

#include "index/ask.h"
#include "index/maker.h"
#include "store/disk.h"

struct query_index {
    struct disk disk;
    struct store_io io;
    struct config config;
    struct ruleset rules;
    struct segment_writer *writer;
    struct index_maker *maker;
    struct segment *segment; /* NULL: none */
    struct index_file file;
    int fd;
};

/* A segment of these records, the first of which has number 0; blocks end at so many bytes. */
void query_index_seal(struct segment_writer *w, const struct record *records, uint32_t n,
                      uint32_t block_bytes);
/* The index of that segment. */
void query_index_make(struct index_maker *maker, const struct store_io *io,
                      const struct store_io *folder);

/* The names are borrowed: those of fields of which cells are kept. */
void query_index_init(struct query_index *q, const struct slice *names, uint32_t n);
void query_index_done(struct query_index *q);
/* Instead of what was there before. At most FILTER_BLOCKS records. */
void query_index_put(struct query_index *q, const struct slice *records, uint32_t n,
                     enum record_format format);
/* The same, all of them in one block. */
void query_index_put_together(struct query_index *q, const struct slice *records, uint32_t n,
                              enum record_format format);
/* A bit for each record that may be one for which the filter holds. */
uint64_t query_index_may(struct query_index *q, struct index_asks *asks);
/* The same for one who reads records otherwise: it is asked nothing. */
bool query_index_is_for(struct query_index *q, uint64_t version);

#endif
