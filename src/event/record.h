/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A raw record with what was known when it arrived, and batches of records: the form in which they
 * travel between processes and lie in the journal.
 *
 * `raw` is the truth and is never changed: events are computed from it, live and again at search,
 * by the same decoders. A record is whole in itself: what decoding needs beside `raw` (a flow
 * template, a resource of OTLP, the index a shipper named) is its `context`, kept once a batch.
 *
 * A batch, all numbers little-endian:
 *
 *     header   u32 magic "VkB1" · u32 tenant · u32 records n · u32 texts m · u32 bytes of texts ·
 *              u32 bytes of data
 *     rows     n × { u32 length of raw · u8 format · u8 flags · u16 0 · u32 source · u32 delivery ·
 *              u32 context · u32 0 · i64 received · u64 ordinal }       (40 bytes)
 *     ends     m × u32: where each text ends in the texts
 *     texts    their bytes; rows name them by number from 1, 0 is the empty text
 *     data     the records' raw bytes, each with one LF behind it
 *
 * It is valid when: 1 the magic is right; 2 1 <= n <= BATCH_RECORDS_MAX; 3 the parts fill the batch
 * exactly; 4 the ends ascend to the end of the texts; 5 every row names texts that exist, a known
 * format and known flags, and its zeros are 0; 6 no raw is above RECORD_MAX and all of them, with
 * their LFs, fill the data exactly; 7 the batch is at most BATCH_MAX bytes.
 *
 * The LFs let a decoder of lines read many records at once; RECORD_HAS_LF tells that a raw record
 * has a LF inside, so that it must be read by itself.
 */
#ifndef VAKA_EVENT_RECORD_H
#define VAKA_EVENT_RECORD_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/le.h"

enum {
    RECORD_MAX = 1024 * 1024,      /* bytes of one raw record */
    RECORD_TEXT_MAX = 64 * 1024,   /* bytes of one source, delivery or context */
    BATCH_RECORDS_MAX = 64 * 1024, /* records of one batch */
    BATCH_MAX = 4 * 1024 * 1024,   /* bytes of one batch */
    BATCH_HEADER = 24,
    BATCH_ROW = 40,
    /* Where the parts of a row stand. */
    BATCH_ROW_LEN = 0,
    BATCH_ROW_FORMAT = 4,
    BATCH_ROW_FLAGS = 5,
    BATCH_ROW_ZERO16 = 6,
    BATCH_ROW_TEXTS = 8,
    BATCH_ROW_ZERO32 = 20,
    BATCH_ROW_RECEIVED = 24,
    BATCH_ROW_ORDINAL = 32,
};

/*
 * name, what `raw` is, what `context` is (of flows: event/flow.h). The numbers are part of the
 * stored format: new ones go to the end.
 */
#define RECORD_FORMATS(X)                                                                          \
    X(TEXT, "text")       /* one line of unknown form; the decoder is chosen by its look */        \
    X(SYSLOG, "syslog")   /* RFC 3164 or RFC 5424, without its framing */                          \
    X(JSON, "json")       /* one JSON object */                                                    \
    X(BULK, "bulk")       /* one document of Elasticsearch _bulk; context: the action line */      \
    X(HEC, "hec")         /* one object of Splunk's HEC; raw endpoint: a line, context: ?query */  \
    X(OTLP_PROTO, "otlp") /* one LogRecord; context: a ResourceLogs without its records */         \
    X(OTLP_JSON, "otlp-json") /* the same as JSON */                                               \
    X(JOURNAL, "journal")     /* one entry of the journal export format */                         \
    X(BEATS, "beats")         /* one JSON document of Lumberjack v2 */                             \
    X(NETFLOW5, "netflow5")   /* one flow record; context: the packet header */                    \
    X(NETFLOW9, "netflow9")   /* one data record; context: packet header and template */           \
    X(IPFIX, "ipfix")         /* one data record; context: message header and template */          \
    X(EVTX, "evtx")           /* one event record; context: its chunk, 64 KiB */                   \
    X(CSV, "csv")             /* one line; context: the header line */                             \
    X(ZEEK, "zeek")           /* one line; context: the # lines */                                 \
    X(AUDITD, "auditd")       /* the lines of one audit event */                                   \
    X(W3C, "w3c")             /* one line; context: the #Fields line */

enum record_format {
#define X(name, text) RECORD_##name,
    RECORD_FORMATS(X)
#undef X
        RECORD_FORMAT_COUNT,
};

/* "syslog"; "unknown" out of range. */
const char *record_format_name(unsigned format);

enum {
    RECORD_HAS_LF = 1,        /* set by batch_add() */
    RECORD_CUT = 2,           /* longer than its input allowed: `raw` is its beginning */
    RECORD_AUTHENTICATED = 4, /* a certificate or a token said who sent it */
    RECORD_FLAGS_ALL = 7,
};

struct record {
    struct slice raw;
    struct slice source;   /* who sent it, see record_source_write() */
    struct slice delivery; /* whose sequence `ordinal` is of; empty: it has none */
    struct slice context;
    nsec received;    /* realtime, when its last byte was read */
    uint64_t ordinal; /* sequence number, offset or position in the request */
    uint8_t format;   /* enum record_format */
    uint8_t flags;
};

/*
 * Where a record came from: the input it came in by, the listener's name in the configuration, the
 * identity a certificate or token proved (empty: none), the peer's address as text (empty: local).
 * Nothing of it is from the record itself. As text the four stand in this order, separated by TAB;
 * control characters, % and bytes that are not UTF-8 are written %XX.
 */
struct record_source {
    struct slice input, listener, identity, address;
};
void record_source_write(struct buf *out, const struct record_source *source);
/* The four fields, still escaped, borrowed from text; missing ones are empty. */
void record_source_read(struct slice text, struct record_source *ret);

/*
 * What records are that were made by Vaka itself and say nothing of the city: they come by
 * connections that only its canary can make, whose listener has the mark's name in place of an
 * address.
 */
enum { RECORD_MARK_EXERCISE = 1, RECORD_MARK_CANARY = 2 };
/* Of a source as text; 0: none. */
unsigned record_mark(struct slice source);
/* "canary", "exercise". */
const char *record_mark_name(unsigned mark);

/*
 * The bytes that a record's leaf in the Merkle tree is made of, but for the raw record, which
 * follows them (RFC 6962, 2.1; numbers little-endian):
 *
 *     u8 0 · u8 version 1 · u8 format · u8 flags · i64 received · u64 ordinal ·
 *     3 × { u32 length, bytes } source, delivery, context · u32 length of raw
 */
void record_leaf_head(struct buf *out, const struct record *record);

/* ---- reading ---- */

/* A batch that was found valid. Everything in it is borrowed from its bytes. */
struct batch {
    struct slice bytes, data;
    const char *rows, *ends;
    struct slice texts;
    uint32_t tenant, n, n_texts;
};

/* ERR_TRUNCATED, ERR_CORRUPT or ERR_LIMIT when it is not valid. Time is linear in its bytes. */
int batch_open(struct slice bytes, struct batch *ret) MUST_USE;

/* Goes through the records of a batch in order. */
struct batch_iter {
    const struct batch *batch;
    uint32_t next;      /* number of the next record */
    size_t data_offset; /* of the next record */
};
void batch_iter_init(struct batch_iter *it, const struct batch *batch);
bool batch_iter_next(struct batch_iter *it, struct record *ret);
/* The same, but only raw, format and flags are filled: for those who need no more. */
static inline bool batch_iter_next_raw(struct batch_iter *it, struct record *ret)
{
    const struct batch *b = it->batch;
    if (it->next == b->n) return false;
    const char *row = b->rows + (size_t)it->next++ * BATCH_ROW;
    size_t len = le32(row + BATCH_ROW_LEN);
    ret->raw = slice_make(b->data.ptr + it->data_offset, len);
    ret->format = (uint8_t)row[BATCH_ROW_FORMAT];
    ret->flags = (uint8_t)row[BATCH_ROW_FLAGS];
    it->data_offset += len + 1;
    return true;
}
/*
 * The record of that number: *record, unless it is that of the call before. Quick when numbers
 * ascend. The number is below batch->n.
 */
void batch_iter_find(struct batch_iter *it, uint32_t number, struct record *record);

/* ---- writing ---- */

/* Collects records; what is added is copied. */
struct batch_writer {
    struct buf rows, ends, texts, data;
    uint32_t tenant, n, n_texts;
    size_t max; /* bytes of the finished batch */
    struct {
        uint64_t hash;
        uint32_t number; /* 0: empty */
        uint32_t offset; /* of its bytes in texts */
        uint32_t len;
    } known[64]; /* texts by hash: one that is not found any more is written again */
};

/* max: at most BATCH_MAX. */
void batch_writer_init(struct batch_writer *w, uint32_t tenant, size_t max);
void batch_writer_done(struct batch_writer *w);
void batch_writer_clear(struct batch_writer *w);
/*
 * ERR_LIMIT: the batch is full, nothing was added (a batch always takes one record);
 * ERR_INVALID: the record is above its limits; ERR_NOMEM.
 */
int batch_writer_add(struct batch_writer *w, const struct record *record) MUST_USE;
/* Bytes that the batch would have now. */
size_t batch_writer_size(const struct batch_writer *w);
/* Appends the batch to out and clears the writer; nothing for one without records. Overflow is
 * out's. */
void batch_writer_finish(struct batch_writer *w, struct buf *out);

#endif
