/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Looking through JSON without building anything: a value is the slice of its text, found by its
 * structure, and the members of an object are gone through one after the other. For containers,
 * whose parts go on as they came; what is inside of them others read.
 *
 * The structure must be RFC 8259's: brackets, commas, colons, names, literals and numbers. What
 * stands between quotes is not looked at, so that one odd byte there costs nobody a record.
 */
#ifndef VAKA_BASE_JSON_READ_H
#define VAKA_BASE_JSON_READ_H

#include "base/buf.h"

enum { JSON_READ_DEPTH_MAX = 64 }; /* containers in one another */

/* Where the next byte is that is no blank, from `at` on; s.len when there is none. */
size_t json_skip_blank(struct slice s, size_t at);

/*
 * The value that begins at s.ptr[at] (no blank). ERR_TRUNCATED when s ends inside of it, ERR_LIMIT
 * when it is too deep, ERR_SYNTAX.
 */
int json_read_value(struct slice s, size_t at, struct slice *ret) MUST_USE;

/* Whether all of s is one object, blanks around it apart. */
bool json_is_object(struct slice s);

/*
 * The parts of an object or array that json_read_value() found. Names are without their quotes,
 * their escapes as they stand; `ret_name` is empty in arrays.
 */
struct json_parts {
    struct slice s;
    size_t at;
};
void json_parts_init(struct json_parts *it, struct slice container);
bool json_parts_next(struct json_parts *it, struct slice *ret_name, struct slice *ret_value);

/* The value of the first member with one of the two names; false without. `or` may be NULL. */
bool json_find_member(struct slice object, const char *name, const char *or_name,
                      struct slice *ret);

/* The same of one name; empty without. */
struct slice json_member(struct slice object, const char *name);
/* What stands between the quotes of that member; empty when it is no string. */
struct slice json_member_text(struct slice object, const char *name);
/* 0 when it is no number, or not a whole one. */
uint64_t json_member_u64(struct slice object, const char *name);

/* What stands between the quotes of a string; false for any other value. */
bool json_string_inside(struct slice value, struct slice *ret);
/* Appends what a string means, without its escapes; half of a surrogate pair is U+FFFD. False for
 * any other value, and for an escape that is none. Overflow is out's. */
bool json_string_text(struct slice value, struct buf *out) MUST_USE;

#endif
