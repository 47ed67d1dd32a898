/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Which records say what they say in plain bytes. Of those that are not opaque, every text of a
 * value that is not made of others, and of one that is copied from such a value, stands in the raw
 * bytes as it is, as far as it has no other bytes than
 *
 *     a-z A-Z 0-9 . - _ : @ $
 *
 * Decoders take texts out of the record whole; what they resolve (the escapes of JSON, CEF and
 * syslog, the quotes of CSV; percent signs of URLs stay) gives other bytes than these, but for what
 * makes a record opaque:
 *
 *     \u        an escape that may be any letter
 *     NUL       JSON in UTF-16
 *     &#, </         what XML inside may make of other bytes, or join
 *     msg=audit(     fields of audit records may be in hexadecimal
 *
 * and all formats but text, syslog and JSON objects that need no context, whose values are numbers
 * in binary, in a header, or else not in the record.
 */
#ifndef VAKA_NORMALISE_VERBATIM_H
#define VAKA_NORMALISE_VERBATIM_H

#include "event/record.h"

/* Whether it is one of the bytes above. */
bool verbatim_is_plain(char c);
/*
 * Sets the bits of records that are opaque, or have one of the texts in their raw bytes, whatever
 * the case of its ASCII letters; the other bits stay. That of the first record is the lowest of the
 * first word. `bits` has room for all records of the batch; texts are not empty and have no ASCII
 * capitals.
 */
void verbatim_mark(const struct batch *batch, const struct slice *texts, uint32_t n,
                   uint64_t *bits);

#endif
