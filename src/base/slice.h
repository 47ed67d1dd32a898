/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A borrowed run of bytes. Passed by value; never NUL-terminated, may hold any byte, does not own.
 * The bytes live as long as whoever produced the slice says they do.
 */
#ifndef VAKA_BASE_SLICE_H
#define VAKA_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice over a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE     ((struct slice){NULL, 0})
/* For printf("%.*s", SLICE_FMT(s)); only for bytes known to be printable. */
#define SLICE_FMT(s) (int)(s).len, (s).ptr

static inline struct slice slice_of(const char *cstr)
{
    return (struct slice){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct slice slice_make(const void *ptr, size_t len)
{
    return (struct slice){(const char *)ptr, len};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Byte order; a prefix sorts first. */
int slice_cmp(struct slice a, struct slice b);

/* ASCII-only case folding; for keywords of file formats, never for Sigma values (see utf8.h). */
bool slice_eq_nocase(struct slice a, struct slice b);
static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}
bool slice_ends_with(struct slice s, struct slice suffix);

/* Position of the first occurrence, or SIZE_MAX. */
size_t slice_find(struct slice s, struct slice needle);
static inline size_t slice_find_byte(struct slice s, char c)
{
    const char *hit = s.len ? (const char *)memchr(s.ptr, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}
/* Position of the last occurrence, or SIZE_MAX; an empty needle has none. */
size_t slice_find_last(struct slice s, struct slice needle);
size_t slice_find_last_byte(struct slice s, char c);

struct slice slice_trim_blanks(struct slice s); /* used by slice_trim */

/* Drops ASCII space, tab, CR and LF at both ends. */
static inline struct slice slice_trim(struct slice s)
{
    bool bare =
        s.len == 0 || ((unsigned char)s.ptr[0] > ' ' && (unsigned char)s.ptr[s.len - 1] > ' ');
    return bare ? s : slice_trim_blanks(s);
}

/* The rest of s from offset; offsets past the end give an empty slice. */
static inline struct slice slice_from(struct slice s, size_t offset)
{
    if (offset > s.len) offset = s.len;
    return (struct slice){s.ptr ? s.ptr + offset : NULL, s.len - offset};
}

static inline struct slice slice_until(struct slice s, size_t end)
{
    if (end < s.len) s.len = end;
    return s;
}

/*
 * Splits at the first `sep`: *head gets what stands before it, *rest what stands after.
 * Without a separator head is all of s and rest is SLICE_NONE; returns whether one was found.
 */
bool slice_split(struct slice s, char sep, struct slice *ret_head, struct slice *ret_rest);

/* Takes the next word off, one of those that blanks and tabs are between; empty: there is none. */
struct slice slice_next_word(struct slice *rest);
/* Letters and digits of ASCII, and the characters in `more`, alone. */
bool slice_is_plain(struct slice s, const char *more);
/* With a NUL behind it; false, and nothing is written: it is empty, or there is no room. */
bool slice_copy(struct slice s, char *to, size_t size);

/* Whole of s as a decimal number without sign; false on empty, other bytes or overflow. */
bool slice_to_u64(struct slice s, uint64_t *ret);
/* Optional sign, decimal. */
bool slice_to_i64(struct slice s, int64_t *ret);
/* A finite decimal floating number, the whole of s; no hex, no inf, no nan, at most 400 bytes. */
bool slice_to_double(struct slice s, double *ret);

#endif
