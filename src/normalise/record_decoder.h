/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Events out of stored records: what live matching and search read. A record is decoded by its
 * format with its context alone; what came before it, or how it is broken, changes no other one.
 *
 * Each record is reported exactly once: by its events, nearly always one (a JSON record may wrap a
 * list, an audit event has several lines), or as undecodable with the reason.
 */
#ifndef VAKA_NORMALISE_RECORD_DECODER_H
#define VAKA_NORMALISE_RECORD_DECODER_H

#include "event/event.h"
#include "event/record.h"

/*
 * Raised when events of a record, or what products make of them, become others than before without
 * a change of the products' texts: what was kept of them before is made anew (index/file.h).
 */
enum { NORMALISER_VERSION = 1 };

struct record_sink {
    void *ctx;
    /*
     * The event, valid during the call, of the record with this number in its batch, from 0. Its
     * `raw` is the record or a part of it (of one in UTF-16 its text in UTF-8); its `record` is the
     * number, from 1. A non-zero return ends the decoding and is passed through. The key table may
     * be cleared.
     */
    int (*event)(void *ctx, uint32_t number, struct event *ev);
    /* A record without events; the reason is a constant sentence. */
    void (*undecodable)(void *ctx, uint32_t number, const char *reason);
};

struct record_decoder;

/* keys is borrowed and outlives the decoder. NULL when out of memory. */
struct record_decoder *record_decoder_new(struct keys *keys);
void record_decoder_free(struct record_decoder *d);

/*
 * Decodes records [first, end) of a batch, in order; an `end` behind the last means all. 0,
 * ERR_NOMEM, or what the sink returned: then the record of that event is the last one reported.
 * Runs of JSON records without line ends inside are read at the speed of a file of them.
 */
int record_decoder_batch(struct record_decoder *d, const struct batch *batch, uint32_t first,
                         uint32_t end, const struct record_sink *sink) MUST_USE;
/* Which records of a batch are asked for. */
struct record_choice {
    nsec from, to;        /* received at or after, and before */
    const uint64_t *bits; /* a bit for each record of the batch; NULL: all */
};
/* The same for some of these records, one by one; adds their number to *ret_n. */
int record_decoder_some(struct record_decoder *d, const struct batch *batch, uint32_t first,
                        uint32_t end, const struct record_choice *choice,
                        const struct record_sink *sink, uint32_t *ret_n) MUST_USE;
/* The same for one record by itself; it is reported as number 0. */
int record_decoder_one(struct record_decoder *d, const struct record *record,
                       const struct record_sink *sink) MUST_USE;

#endif
