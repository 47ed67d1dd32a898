/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/cut.h"

static bool is_cut(enum cut kind, const char *at)
{
    if (at[-1] != '\n') return false;
    char last = at[-2] == '\r' ? at[-3] : at[-2];
    if (kind == CUT_JSON) return last == '}' && at[0] == '{';
    return last != '\n' && last != '\r';
}

size_t cut_find(enum cut kind, struct slice data, size_t from)
{
    if (kind == CUT_NONE || from < CUT_BEFORE) return SIZE_MAX;
    while (from < data.len) {
        if (is_cut(kind, data.ptr + from)) return from;
        size_t feed = slice_find_byte(slice_from(data, from), '\n');
        if (feed == SIZE_MAX) return SIZE_MAX;
        from += feed + 1;
    }
    return SIZE_MAX;
}

enum cut cut_kind(struct slice format, struct slice head)
{
    if (head.len <= CUT_BEFORE) return CUT_NONE;
    enum cut kind = CUT_NONE;
    if (slice_eq(format, SLICE("json")) && head.ptr[0] == '{') kind = CUT_JSON;
    /* Octet counting (RFC 6587) starts with a number: there a line feed ends nothing. */
    if (slice_eq(format, SLICE("syslog")) && (head.ptr[0] < '0' || head.ptr[0] > '9'))
        kind = CUT_LINES;
    /* Without a cut nearby the ranges would all be empty but the first. */
    return cut_find(kind, head, CUT_BEFORE) == SIZE_MAX ? CUT_NONE : kind;
}
