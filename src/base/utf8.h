/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * UTF-8 and case folding as Sigma values need it.
 *
 * Folding is Unicode simple case folding (CaseFolding.txt, status C and S), applied to both sides
 * of a comparison, except that no character outside ASCII ever folds into ASCII: the Kelvin sign
 * (U+212A) and long s (U+017F) stay themselves. Bytes that are not valid UTF-8 are copied as they
 * are, one at a time, so that damaged text is still compared byte by byte.
 */
#ifndef VAKA_BASE_UTF8_H
#define VAKA_BASE_UTF8_H

#include "base/buf.h"
#include "base/slice.h"

enum { UTF8_FOLD_GROWTH_NUM = 3, UTF8_FOLD_GROWTH_DEN = 2 };

/* Most bytes that folding n bytes can give. */
static inline size_t utf8_fold_bound(size_t n)
{
    return n + n / 2 + 16;
}

/*
 * Folds s into dst, which has utf8_fold_bound(s.len) bytes; returns the length written.
 * dst and s must not overlap.
 */
size_t utf8_fold(char *dst, struct slice s);

/*
 * Decodes the character at s.ptr[at] (at < s.len). Returns its length 1..4 and the code point, or
 * 0 when the bytes there are not well-formed UTF-8 (overlong, surrogate, above U+10FFFF, cut off).
 */
unsigned utf8_decode(struct slice s, size_t at, uint32_t *ret_cp);
/* Writes cp (a scalar value) as 1..4 bytes. */
unsigned utf8_encode(char dst[4], uint32_t cp);
bool utf8_valid(struct slice s);
/* Simple folding of one code point under the rule above. */
uint32_t utf8_fold_cp(uint32_t cp);

/*
 * The length in bytes of the character at s.ptr[at]: a well-formed sequence, or 1 for a byte that
 * is not part of one. This is what a Sigma `?` stands for.
 */
unsigned utf8_step(struct slice s, size_t at);

/* UTF-16 that comes in pieces of any size. Zero-initialised; `big`: the high byte comes first. */
struct utf16_reader {
    uint16_t high; /* a high surrogate that waits for its other half, or 0 */
    uint8_t half;  /* the first byte of a unit */
    bool has_half, big;
};
enum { UTF16_TAIL = 16 };
/*
 * Takes the next unit; writes the 0, 1 or 2 characters that are complete by it. An unpaired
 * surrogate is U+FFFD.
 */
unsigned utf16_push(struct utf16_reader *r, uint16_t unit, uint32_t ret[2]);
/* Converts s; dst has 3 / 2 of its length and UTF16_TAIL more. Returns the length written. */
size_t utf16_read(struct utf16_reader *r, struct slice s, char *dst);
/* What the end leaves: nothing, or U+FFFD for a surrogate without its other half. */
size_t utf16_finish(struct utf16_reader *r, char *dst);

enum { UTF16_LOOK = 8, UTF16_RUN = 7 };
enum utf16_order { UTF16_NONE, UTF16_LITTLE, UTF16_BIG };
/*
 * What text that begins so can be, or become, without a byte order mark: every second of its first
 * UTF16_LOOK bytes is 0, and the others are printable ASCII.
 */
enum utf16_order utf16_shape(struct slice s);
/*
 * Whether a whole text is UTF-16 by its looks: it begins so, behind a mark or without one, and
 * nowhere stand more than UTF16_RUN bytes without a zero. A mark alone before other text would hide
 * it, and so would a few zeros. *ret_mark: the length of the mark.
 */
enum utf16_order utf16_look(struct slice s, size_t *ret_mark);
/*
 * What is UTF-16 by its looks as UTF-8, without the mark. dst as for utf16_read(). A byte alone at
 * the end is a character when the high byte would come behind it: such zeros are taken for ends.
 */
size_t utf16_text(struct slice s, char *dst);

/* UTF-16LE bytes to UTF-8; an unpaired surrogate becomes U+FFFD, an odd last byte is dropped. */
void utf8_from_utf16le(struct buf *out, struct slice utf16);

#endif
