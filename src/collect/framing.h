/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Syslog over a stream, RFC 6587 and RFC 5425. Two ways to tell where a record ends:
 *
 *     octet counting (3.4.1)    MSG-LEN SP MSG         "18 <34>message of 18"
 *     LF framing (3.4.2)        MSG LF
 *
 * At the start of each record: up to eight digits that do not begin with 0, and a blank, are a
 * count when "<" follows, or when the stream has used counts before. Everything else is a line. So
 * a stream that changes its way, or loses its count, is understood again with the next record; a
 * record never ends because of what it says, but for LF in a line.
 *
 * A count above FRAMING_COUNT_MAX is none. A longer record than the limit is cut and the rest of it
 * skipped. One CR before the LF, and one LF at the end of a counted record, are framing. Empty
 * lines are no records.
 */
#ifndef VAKA_COLLECT_FRAMING_H
#define VAKA_COLLECT_FRAMING_H

#include "collect/protocol.h"

enum { FRAMING_COUNT_MAX = 16 * 1024 * 1024 };

struct framing {
    uint32_t record_max;
    bool lines;      /* set by the owner after init(): every record is a line */
    bool counts;     /* the last record had a count */
    bool skip_line;  /* what comes is the rest of a cut line */
    uint32_t skip;   /* bytes that come are the rest of a cut record */
    size_t scanned;  /* bytes of a line that are known to have no LF */
    const char *odd; /* what is to be said of the line when it is whole */
};

extern const struct protocol_ops framing_protocol;

#endif
