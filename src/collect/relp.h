/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * RELP, the receiving side; format of https://www.rsyslog.com/doc/relp.html:
 *
 *     TXNR SP COMMAND SP DATALEN [SP DATA] LF       TXNR 1-999999999, DATALEN of at most 9 digits
 *
 * A session is `open` (offers), any number of `syslog`, `close`. A record is answered with
 * "TXNR rsp 6 200 OK" by acked(), never before. The ordinal of a record is its TXNR: it counts
 * within one connection only.
 */
#ifndef VAKA_COLLECT_RELP_H
#define VAKA_COLLECT_RELP_H

#include "collect/protocol.h"

struct relp {
    uint32_t record_max, pending_max;
    bool open;
    uint32_t skip;     /* bytes that come are the rest of a cut record */
    uint32_t *pending; /* TXNR of records without an ack: a ring, oldest at `first` */
    uint32_t first, n, cap;
};

extern const struct protocol_ops relp_protocol;

#endif
