/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/when.h"

enum { TEXT_MAX = 64 };
#define DAY (86400 * NSEC_PER_SEC)

static bool parse_span(struct slice text, nsec *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    uint64_t n;
    if (text.len < 2 || !slice_to_u64(slice_until(text, text.len - 1), &n)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        int64_t span;
        if (text.ptr[text.len - 1] != units[i].unit) continue;
        if (n > INT64_MAX || __builtin_mul_overflow((int64_t)n, units[i].seconds, &span) ||
            __builtin_mul_overflow(span, NSEC_PER_SEC, &span))
            return false;
        *ret = span;
        return true;
    }
    return false;
}

bool when_parse_span(struct slice text, nsec *ret)
{
    nsec span;
    if (!parse_span(text, &span) || span == 0) return false;
    *ret = span;
    return true;
}

/* yyyy-mm-dd and nothing else. */
static bool is_date(struct slice text)
{
    if (text.len != 10) return false;
    for (size_t i = 0; i < text.len; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text.ptr[i] != '-' : text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    }
    return true;
}

/* Whether a zone could still follow. */
static bool lacks_zone(struct slice text)
{
    char zoned[TEXT_MAX];
    nsec t;
    if (is_date(text)) return true;
    if (text.len >= sizeof zoned) return false;
    memcpy(zoned, text.ptr, text.len);
    zoned[text.len] = 'Z';
    return time_parse(slice_make(zoned, text.len + 1), 0, &t);
}

bool when_parse(struct slice text, const struct when *when, bool end_of_day, nsec *ret)
{
    nsec t = when->now, span;
    struct slice rest = slice_starts_with(text, SLICE("now")) ? slice_from(text, 3) : text;
    if (rest.len == 0 && text.len) {
        *ret = t;
        return true;
    }
    if (rest.len > 0 && rest.ptr[0] == '-') {
        if (!parse_span(slice_from(rest, 1), &span) || __builtin_sub_overflow(t, span, &t))
            return false;
        *ret = t;
        return true;
    }
    if (rest.len != text.len || !time_parse(text, 0, &t) || t == TIME_NONE) return false;
    if (when->zone && lacks_zone(text)) t = zone_from_local(when->zone, t);
    if (end_of_day && is_date(text) && __builtin_add_overflow(t, DAY - 1, &t)) return false;
    *ret = t;
    return true;
}
