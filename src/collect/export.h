/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The journal export format, https://systemd.io/JOURNAL_EXPORT_FORMATS, as a stream of entries:
 *
 *     NAME=value LF                                a field that is text
 *     NAME LF u64 length, little-endian, bytes LF  any other
 *     LF                                           the end of an entry
 *
 * A record is an entry without the LF that ends it; one that is longer than the limit is cut, the
 * rest of it is read over. Its delivery is in its cursor, see export_cursor().
 */
#ifndef VAKA_COLLECT_EXPORT_H
#define VAKA_COLLECT_EXPORT_H

#include "collect/protocol.h"

enum { EXPORT_CURSOR_MAX = 256 };

/* What the next byte belongs to. */
enum export_state { EXPORT_LINE, EXPORT_LENGTH, EXPORT_VALUE };

struct export
{
    uint32_t record_max;
    size_t scanned; /* bytes of the running entry that were looked at */
    bool skip;      /* what comes is the rest of an entry that was cut */
    enum export_state state;
    bool filled, equals;  /* the running line has bytes, has a = */
    uint8_t length_bytes; /* of a length that were read */
    uint64_t value;       /* the length, then bytes of the value and its LF that are to come */
};

extern const struct protocol_ops export_protocol;

/*
 * The delivery of an entry by its cursor ("s=…;i=…;b=…;…", sd_journal_get_cursor(3)): the sequence
 * it is of ("s=…") and its number in it. A cursor of another form is a delivery by itself, number
 * 0.
 */
void export_cursor(struct slice cursor, struct slice *ret_delivery, uint64_t *ret_ordinal);
/* The cursor of an entry; empty when it does not begin with one. */
struct slice export_cursor_of(struct slice entry);

#endif
