/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A decoder turns the bytes of one source into events. Bytes are pushed in pieces of any size and
 * the decoder calls back for every record, in order; nothing needs a seekable file, so the same
 * code serves plain files, archives, pipes and (later) sockets.
 *
 * Bounds: a decoder holds at most DECODER_RECORD_MAX bytes of one unfinished record. A record it
 * cannot read is reported through `bad` with its place, counted, and skipped; feeding continues.
 * Only running out of memory or a callback's own refusal ends the feed with an error.
 */
#ifndef VAKA_NORMALISE_DECODER_H
#define VAKA_NORMALISE_DECODER_H

#include "event/event.h"

enum { DECODER_RECORD_MAX = 4 * 1024 * 1024 };

struct decoder_out {
    void *ctx;
    /* The event is valid during the call. A non-zero return ends the feed and is passed through. */
    int (*emit)(void *ctx, struct event *ev);
    /*
     * A record, or a run of bytes, that could not be read: where it starts (byte offset in the
     * source, record number from 1 when known else 0) and a short constant reason.
     */
    void (*bad)(void *ctx, uint64_t offset, uint64_t record, const char *reason);
};

struct decoder;

struct decoder_ops {
    const char *name; /* "json", "json-utf16", "evtx", "syslog", "csv", "zeek", "w3c", "auditd" */
    /*
     * How well the first bytes of a source fit: 0 no, 100 certainly. `final` says that `head` is
     * the whole source. Decoders are asked in the order of the table; the highest wins.
     */
    int (*sniff)(struct slice head, bool final);
    /* keys is borrowed and outlives the decoder. NULL when out of memory. */
    struct decoder *(*open)(const struct decoder_out *out, struct keys *keys);
    /* 0, or an error that ends this source. `data` is borrowed for the call. */
    int (*feed)(struct decoder *d, struct slice data);
    /* The source has ended: the last, unterminated record is delivered. */
    int (*finish)(struct decoder *d);
    /*
     * For records that come one by one, not as a source; a decoder is used for either. Neither what
     * came before a record nor what it holds itself changes what is read in another one. Offsets
     * count from the start of what is handed over, and `raw` of its events lies inside of it (or
     * of the chunk it was found in).
     */
    /* One whole record, which may hold line ends. NULL: a record is nothing without its source. */
    int (*record)(struct decoder *d, struct slice record);
    /* Many, each of them one line with its LF. NULL: not faster than one by one. */
    int (*records)(struct decoder *d, struct slice lines);
    /*
     * What the records to come need: the lines that name their columns, an EVTX chunk. Copied. NULL
     * where they need nothing.
     */
    int (*header)(struct decoder *d, struct slice context);
    void (*close)(struct decoder *d);
};

/* Every implementation embeds this first. */
struct decoder {
    const struct decoder_ops *ops;
    struct decoder_out out;
    struct keys *keys;
};

extern const struct decoder_ops decoder_json;
extern const struct decoder_ops decoder_json_utf16;
extern const struct decoder_ops decoder_evtx;
extern const struct decoder_ops decoder_syslog;
extern const struct decoder_ops decoder_csv;
extern const struct decoder_ops decoder_zeek;
extern const struct decoder_ops decoder_w3c;
extern const struct decoder_ops decoder_auditd;

/* The decoder that fits best, or NULL. 4 KiB of head are enough for every sniff. */
const struct decoder_ops *decoder_sniff(struct slice head, bool final);
const struct decoder_ops *decoder_by_name(struct slice name);

#endif
