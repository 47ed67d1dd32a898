/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The sender's side of RELP, as far as the canary needs it: what is to be sent is appended to a
 * buffer, what came is taken from one. https://www.rsyslog.com/doc/relp.html has the frames:
 *
 *     TXNR SP COMMAND SP LENGTH [SP DATA] LF
 */
#ifndef VAKA_CANARY_RELP_H
#define VAKA_CANARY_RELP_H

#include "base/buf.h"

struct relp_sender {
    uint32_t sent;     /* TXNR of the last frame */
    uint32_t answered; /* TXNR of the last answer: 1 is that to open */
};

/* Begins a session. */
void relp_sender_open(struct relp_sender *s, struct buf *out);
void relp_sender_record(struct relp_sender *s, struct slice record, struct buf *out);
/* Takes the answers that are whole. ERR_CORRUPT: something else, or another answer than 200. */
int relp_sender_read(struct relp_sender *s, struct buf *in) MUST_USE;
/* Records that were acknowledged. */
static inline uint32_t relp_sender_stored(const struct relp_sender *s)
{
    return s->answered > 1 ? s->answered - 1 : 0;
}

#endif
