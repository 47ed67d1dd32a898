/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/when.h"

static bool parse_relative(struct slice text, nsec now, nsec *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    uint64_t n;
    if (text.len < 3 || !slice_to_u64(slice_make(text.ptr + 1, text.len - 2), &n)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        int64_t span;
        if (text.ptr[text.len - 1] != units[i].unit) continue;
        return n <= INT64_MAX && !__builtin_mul_overflow((int64_t)n, units[i].seconds, &span) &&
               !__builtin_mul_overflow(span, NSEC_PER_SEC, &span) &&
               !__builtin_sub_overflow(now, span, ret);
    }
    return false;
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

bool when_parse(struct slice text, nsec now, bool end_of_day, nsec *ret)
{
    if (slice_eq(text, SLICE("now"))) {
        *ret = now;
        return true;
    }
    if (text.len > 0 && text.ptr[0] == '-') return parse_relative(text, now, ret);
    nsec t;
    if (!time_parse(text, 0, &t) || t == TIME_NONE) return false;
    if (end_of_day && is_date(text) && __builtin_add_overflow(t, 86400 * NSEC_PER_SEC - 1, &t))
        return false;
    *ret = t;
    return true;
}
