/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A heartbeat: what vaka serve and vaka watchdog say to each other, signed. The text is a signed
 * note as those of store/checkpoint.h, with a key of type 1:
 *
 *     "vaka heartbeat 1" LF
 *     "from " name of the key LF  "to " name of the other's LF
 *     "number " decimal LF        grows with every one that its sender signs, over all starts
 *     "answers " decimal LF       the number of the other's that is answered; 0: none is
 *     "time " seconds LF          since 1970, for people: nothing is decided by it
 *     "broken " stage LF          as the canary found it; "nothing"
 *     "loud " 0 or 1 LF           whether a page is loud
 *     "why " text LF              one line
 *     LF and the line of the signature
 *
 * Nothing else may stand in it.
 */
#ifndef VAKA_WATCHDOG_HEARTBEAT_H
#define VAKA_WATCHDOG_HEARTBEAT_H

#include "base/clock.h"
#include "store/checkpoint.h"

enum { HEARTBEAT_MAX = 4096, HEARTBEAT_WORD_MAX = 32, HEARTBEAT_WHY_MAX = 200 };

struct heartbeat {
    uint64_t number, answers, time;
    bool loud;
    char broken[HEARTBEAT_WORD_MAX];
    char why[HEARTBEAT_WHY_MAX];
};

/* Appends it; what is no line of `why` becomes blanks. */
void heartbeat_write(struct buf *out, const struct heartbeat *beat,
                     const struct checkpoint_signer *from, const struct checkpoint_key *to);
/*
 * One of `from` for `to`. ERR_SYNTAX: it is none; ERR_INVALID: it is another's, or for another;
 * ERR_NOT_FOUND, ERR_CORRUPT: it is not signed by `from`.
 */
int heartbeat_read(struct slice text, const struct checkpoint_key *from,
                   const struct checkpoint_key *to, struct heartbeat *ret) MUST_USE;

#endif
