/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The typed values of Windows binary XML as text.
 *
 * Text is appended to one fixed buffer per record. Running out of it is sticky (`full`): writers
 * go on and the owner tests once. Nothing here allocates.
 */
#ifndef VAKA_NORMALISE_BINXML_VALUE_H
#define VAKA_NORMALISE_BINXML_VALUE_H

#include "base/slice.h"

/* [MS-EVEN6] 2.2.12.3 (BinXml types); 0x20 to 0x23 are internal to the event log. */
enum binxml_type {
    BINXML_NULL = 0x00,
    BINXML_STRING = 0x01,
    BINXML_ANSI = 0x02,
    BINXML_INT8 = 0x03,
    BINXML_UINT8 = 0x04,
    BINXML_INT16 = 0x05,
    BINXML_UINT16 = 0x06,
    BINXML_INT32 = 0x07,
    BINXML_UINT32 = 0x08,
    BINXML_INT64 = 0x09,
    BINXML_UINT64 = 0x0a,
    BINXML_REAL32 = 0x0b,
    BINXML_REAL64 = 0x0c,
    BINXML_BOOL = 0x0d,
    BINXML_BINARY = 0x0e,
    BINXML_GUID = 0x0f,
    BINXML_SIZE = 0x10,
    BINXML_FILETIME = 0x11,
    BINXML_SYSTEMTIME = 0x12,
    BINXML_SID = 0x13,
    BINXML_HEX32 = 0x14,
    BINXML_HEX64 = 0x15,
    BINXML_HANDLE = 0x20,
    BINXML_FRAGMENT = 0x21,
    BINXML_XML = 0x23,
    BINXML_ARRAY = 0x80, /* flag */
};

struct binxml_out {
    char *start;     /* where the value being written begins */
    char *pos, *end; /* the free rest of the buffer */
    bool full;
    uint64_t day; /* the date last formatted: days since 1601, and its text */
    char date[16];
    size_t date_len;
};

static inline void binxml_out_begin(struct binxml_out *o)
{
    o->start = o->pos;
}

static inline struct slice binxml_out_text(const struct binxml_out *o)
{
    return (struct slice){o->start, (size_t)(o->pos - o->start)};
}

/* Whether n more bytes fit; otherwise sets `full`. */
static inline bool binxml_out_room(struct binxml_out *o, size_t n)
{
    if (__builtin_expect((size_t)(o->end - o->pos) >= n, 1)) return true;
    o->full = true;
    return false;
}

void binxml_out_put(struct binxml_out *o, struct slice s);
/* UTF-16LE as UTF-8: an unpaired surrogate becomes U+FFFD, an odd last byte is dropped. */
void binxml_out_utf16(struct binxml_out *o, struct slice utf16);
/* Windows-1252 as UTF-8. */
void binxml_out_ansi(struct binxml_out *o, struct slice ansi);

/*
 * Appends one value that is not an array. A size that the type does not have is shown as it is:
 * integers of any width that exists, everything else as hex.
 */
void binxml_out_value(struct binxml_out *o, unsigned type, struct slice data);

/*
 * Takes the next item off an array's bytes. `type` is without BINXML_ARRAY. false at the end;
 * a rest that holds no whole item is taken as one.
 */
bool binxml_array_next(unsigned type, struct slice *rest, struct slice *ret_item);

#endif
