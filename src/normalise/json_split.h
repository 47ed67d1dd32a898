/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Finds where one JSON record ends, byte by byte, whatever its quality and however it arrives.
 *
 * The end of a well-formed object is its closing brace; line ends inside it mean nothing. A broken
 * one must not swallow the records after it, so these places end it as well (SPLIT_CUT):
 *  - inside a string: a line end followed by {"
 *  - outside: a line end directly followed by { where the grammar allows no object.
 * A { at the start of a line where the grammar does allow one is remembered (`suspect`): should
 * the record turn out to be broken, it ended there. None of this can happen to well-formed text,
 * except that `strict_lines` takes every such { as an end.
 *
 * On the way an object is recognised that only wraps a list of records: its members before the
 * list are paging details, and the list is an array under `Records` (then SPLIT_LIST is returned at
 * once), `records` (Azure's Event Hubs), `value` or `events` (then `list` is its first element and
 * `wraps` says, at the end of the object, that nothing else was in it).
 */
#ifndef VAKA_NORMALISE_JSON_SPLIT_H
#define VAKA_NORMALISE_JSON_SPLIT_H

#include "base/slice.h"

enum split_result {
    SPLIT_MORE, /* all bytes seen that could be judged, no end yet */
    SPLIT_END,  /* the record is [0, pos) */
    SPLIT_CUT,  /* the record is broken and ends before pos */
    SPLIT_LIST, /* pos is at the first element of a list of records */
};

struct split {
    size_t pos;     /* bytes of the record looked at */
    size_t suspect; /* 0: none */
    size_t list;    /* 0: none */
    size_t depth;
    uint64_t kinds;              /* of the innermost 64 containers, last in bit 0; 1 is an array */
    size_t name_start, name_end; /* the last string at depth 1 */
    char previous; /* the last byte outside strings that is no blank; a string is '"' */
    bool deep;     /* kinds has lost something */
    bool in_string;
    bool escaped;     /* the next byte of the string is escaped */
    bool line_start;  /* the previous byte was a line end */
    bool opened_list; /* the array of a list was opened, its first element comes next */
    bool wraps;       /* no member but paging details and one list */
    bool strict_lines;
    uint8_t member; /* enum split_member of the current member at depth 1 */
};

/* For a record that begins at its {. */
void split_init(struct split *sp, bool strict_lines);
/* For the rest of a record of which one { is open; finds no lists. */
void split_init_inside(struct split *sp, bool strict_lines);

/*
 * Goes on from sp->pos; `record` holds the record from its first byte. With `final` there is no
 * more behind it, and SPLIT_MORE then means that the record is cut off.
 */
enum split_result split_scan(struct split *sp, struct slice record, bool final);

/* Continues with a record whose bytes before `pos` are gone: pos becomes 0, no list is found. */
void split_forget(struct split *sp);

/* Whether a member of this name is a detail of paging beside a list of records. */
bool split_is_paging(struct slice name);
/* Whether an array of objects under this name may be a list of records. */
bool split_is_list(struct slice name);

#endif
