/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a reader of stored records says to its parent, beside scan/message.h, about a unit:
 *   run     a rule held `count` times about one entity, each at most noise_begin.alike behind the
 *           one before; `seq` is the first of the records
 *   tuple   what a correlation wants of the record `seq`
 *   value   a rule held that often (about) with this value in that field
 *   source  so many events were of this log source
 *   data    a bit for each rule: some event was of its log source
 *   sum     what else is to be added up of the unit
 */
#ifndef VAKA_NOISE_MESSAGE_H
#define VAKA_NOISE_MESSAGE_H

#include "scan/message.h"

enum { NOISE_TEXT_MAX = 4 * 1024 * 1024, NOISE_PAYLOAD_MAX = NOISE_TEXT_MAX + 64 * 1024 };

#define NOISE_RUN_FIELDS(F)                                                                        \
    F(u32, rule)                                                                                   \
    F(u64, entity) F(u64, host) F(u64, user) F(i64, first) F(i64, last) F(u64, count) F(u64, seq)
#define NOISE_TUPLE_FIELDS(F)  F(u64, seq) F(text, body)
#define NOISE_VALUE_FIELDS(F)  F(u32, rule) F(u64, count) F(text, field) F(text, value)
#define NOISE_SOURCE_FIELDS(F) F(u64, events) F(text, product) F(text, category) F(text, service)
#define NOISE_DATA_FIELDS(F)   F(text, bits)
#define NOISE_SUM_FIELDS(F)                                                                        \
    F(u64, records)                                                                                \
    F(u64, events) F(u64, undecodable) F(u64, unknown) F(i64, first) F(i64, last)

#define NOISE_MESSAGES(M)                                                                          \
    M(run, RUN, SCAN_OWN)                                                                          \
    M(tuple, TUPLE, SCAN_OWN + 1)                                                                  \
    M(value, VALUE, SCAN_OWN + 2)                                                                  \
    M(source, SOURCE, SCAN_OWN + 3)                                                                \
    M(data, DATA, SCAN_OWN + 4)                                                                    \
    M(sum, SUM, SCAN_OWN + 5)

enum noise_message {
#define M(name, NAME, number) NOISE_##NAME = number,
    NOISE_MESSAGES(M)
#undef M
};

#define M(name, NAME, number) MESSAGE_DECLARE(noise, name, NOISE_##NAME##_FIELDS)
NOISE_MESSAGES(M)
#undef M

#endif
