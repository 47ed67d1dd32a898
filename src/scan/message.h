/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a reader of stored records and its parent say to each other, see proc/message.h. Beside
 * these a reader sends what the room says that has it work; those messages count from SCAN_OWN.
 *
 * parent → reader, with a descriptor
 *   turns   it takes turns with all that lock this file (flock(2)), one at a time; comes first
 *   beside  the file that stands beside the segment of the unit that follows
 *   unit    blocks from…to of the segment, or the records from `seq` on of the journal, that begins
 *           with `begin`
 * reader → parent, about that unit
 *   damage  something of it could not be read, see scan_damage
 *   done    the unit has come to its end: bytes of raw records in it, and its blocks and frames:
 * those passed over for their time, those passed over by filters, and those read; how
 *           many records are in those passed over by filters; the sequence number behind its last
 *           record, 0: it has none
 */
#ifndef VAKA_SCAN_MESSAGE_H
#define VAKA_SCAN_MESSAGE_H

#include "proc/message.h"

enum { SCAN_OWN = 16 };

#define SCAN_TURNS_FIELDS(F)
#define SCAN_BESIDE_FIELDS(F)
#define SCAN_UNIT_FIELDS(F)   F(u8, journal) F(u64, begin) F(u32, from) F(u32, to) F(u64, seq)
#define SCAN_DAMAGE_FIELDS(F) F(u8, what) F(u64, seq)
#define SCAN_DONE_FIELDS(F)                                                                        \
    F(u64, bytes) F(u64, early) F(u64, filtered) F(u64, read) F(u64, unread) F(u64, next)

#define SCAN_MESSAGES(M)                                                                           \
    M(unit, UNIT, 1)                                                                               \
    M(damage, DAMAGE, 2)                                                                           \
    M(done, DONE, 3)                                                                               \
    M(beside, BESIDE, 4)                                                                           \
    M(turns, TURNS, 5)

enum scan_message {
#define M(name, NAME, number) SCAN_##NAME = number,
    SCAN_MESSAGES(M)
#undef M
};

#define M(name, NAME, number) MESSAGE_DECLARE(scan, name, SCAN_##NAME##_FIELDS)
SCAN_MESSAGES(M)
#undef M

#endif
