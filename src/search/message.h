/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a reader of stored records says to a search, beside scan/message.h:
 *
 *   row    an event for which the filter holds: cells of the query's columns (query/cell.h)
 *   piece  of a table of groups (query/groups.h)
 *   sum    what is to be added up of the unit
 */
#ifndef VAKA_SEARCH_MESSAGE_H
#define VAKA_SEARCH_MESSAGE_H

#include "scan/message.h"

enum { SEARCH_TEXT_MAX = 64 * 1024 * 1024, SEARCH_PAYLOAD_MAX = SEARCH_TEXT_MAX + 64 };

#define SEARCH_ROW_FIELDS(F)   F(text, cells)
#define SEARCH_PIECE_FIELDS(F) F(text, bytes)
#define SEARCH_SUM_FIELDS(F)                                                                       \
    F(u64, records) F(u64, events) F(u64, matches) F(u64, undecodable) F(u64, unindexed)

#define SEARCH_MESSAGES(M)                                                                         \
    M(row, ROW, SCAN_OWN)                                                                          \
    M(piece, PIECE, SCAN_OWN + 1)                                                                  \
    M(sum, SUM, SCAN_OWN + 2)

enum search_message {
#define M(name, NAME, number) SEARCH_##NAME = number,
    SEARCH_MESSAGES(M)
#undef M
};

#define M(name, NAME, number) MESSAGE_DECLARE(search, name, SEARCH_##NAME##_FIELDS)
SEARCH_MESSAGES(M)
#undef M

#endif
