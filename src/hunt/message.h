/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the hunt and its decoders say to each other. One table: structs, writers and readers are
 * made from it, see proc/message.h.
 *
 *   unit        hunt → decoder: read this; the descriptor comes along
 *   alert       a rule held. `line` is the finished output line (json, csv) or the matched values
 *               (table); the record's number goes in at `splice`. Readers of stored records say
 *               it as well, beside noise/message.h
 *   tuple       a match some correlation wants: `body` is a correlator_tuple
 *   bad         something of `source` could not be read: records == 0: the source itself, else so
 *               many records of it, of which the first is at `offset`
 *   split       the unit is a text file that can be read in ranges; nothing was read of it
 *   progress    how far it is; numbers are of the whole unit so far
 *   end         the unit is done
 */
#ifndef VAKA_HUNT_MESSAGE_H
#define VAKA_HUNT_MESSAGE_H

#include "proc/message.h"

enum {
    MESSAGE_UNIT_MAX = 64 * 1024,               /* payload towards a decoder */
    MESSAGE_TEXT_MAX = 4 * 1024 * 1024 + 65536, /* one text */
    MESSAGE_MAX = 5 * 1024 * 1024,              /* payload from a decoder */
    MESSAGE_FIRST = 64, /* numbers below are those of readers of stored records */
};
/* As a splice: the record's number is in the line. */
#define MESSAGE_IN_PLACE UINT32_MAX

#define MESSAGE_FIELDS_UNIT(F)                                                                     \
    F(text, name) F(text, format) F(u64, size) F(u64, begin) F(u64, end) F(u8, cut) F(u8, regular)
#define MESSAGE_FIELDS_ALERT(F)                                                                    \
    F(u32, rule)                                                                                   \
    F(u8, undetermined)                                                                            \
    F(i64, time) F(u64, record) F(u32, splice) F(text, host) F(text, source) F(text, line)
#define MESSAGE_FIELDS_TUPLE(F) F(u64, record) F(text, source) F(text, body)
#define MESSAGE_FIELDS_BAD(F)                                                                      \
    F(text, source) F(text, reason) F(u64, records) F(u64, offset) F(u64, record)
#define MESSAGE_FIELDS_SPLIT(F) F(text, format) F(u8, cut)
#define MESSAGE_FIELDS_PROGRESS(F)                                                                 \
    F(u64, position)                                                                               \
    F(u64, bytes) F(u64, events) F(u64, last_record) F(u64, untimed) F(u64, unknown)
#define MESSAGE_FIELDS_END(F)                                                                      \
    F(u64, position)                                                                               \
    F(u64, bytes)                                                                                  \
    F(u64, events) F(u64, last_record) F(u64, untimed) F(u64, unknown) F(u64, sources) F(u64, rss)

#define MESSAGES(M)                                                                                \
    M(unit, UNIT, MESSAGE_FIRST + 0)                                                               \
    M(alert, ALERT, MESSAGE_FIRST + 1)                                                             \
    M(tuple, TUPLE, MESSAGE_FIRST + 2)                                                             \
    M(bad, BAD, MESSAGE_FIRST + 3)                                                                 \
    M(split, SPLIT, MESSAGE_FIRST + 4)                                                             \
    M(progress, PROGRESS, MESSAGE_FIRST + 5)                                                       \
    M(end, END, MESSAGE_FIRST + 6)

enum message_type {
#define M(name, NAME, number) MESSAGE_##NAME = number,
    MESSAGES(M)
#undef M
};

#define M(name, NAME, number) MESSAGE_DECLARE(message, name, MESSAGE_FIELDS_##NAME)
MESSAGES(M)
#undef M

#endif
