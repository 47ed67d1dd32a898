/* SPDX-License-Identifier: EUPL-1.2 */
#include "desk/clocks.h"

#include "base/when.h"
#include "desk/files.h"

struct slice desk_clocks_text(void)
{
    return desk_files[DESK_FILE_CLOCKS].text;
}

static bool read_line(struct slice line, struct desk_clock *ret)
{
    struct slice span;
    if (!slice_split(line, '\t', &ret->key, &line) ||
        !slice_split(line, '\t', &ret->begins, &line) || !slice_split(line, '\t', &span, &line) ||
        !slice_split(line, '\t', &ret->sv, &line) || !slice_split(line, '\t', &ret->en, &ret->law))
        return false;
    ret->span = 0;
    return slice_is_plain(ret->key, "-_") &&
           (slice_eq(span, SLICE("1month")) || when_parse_span(span, &ret->span));
}

int desk_clocks_next(struct slice *rest, uint32_t *line_number, struct desk_clock *ret)
{
    while (rest->len > 0) {
        struct slice line;
        (void)slice_split(*rest, '\n', &line, rest);
        ++*line_number;
        line = slice_trim(line);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        return read_line(line, ret) ? 1 : ERR_SYNTAX;
    }
    return 0;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* The same day of the next month, or its last one. */
static nsec add_month(nsec begin)
{
    struct civil_time c;
    time_to_civil(begin, &c);
    c.month = c.month % 12 + 1;
    c.year += c.month == 1;
    if (c.day > days_of(c.year, c.month)) c.day = days_of(c.year, c.month);
    return time_from_civil(&c);
}

nsec desk_clocks_due(const struct desk_clock *clock, nsec begin)
{
    nsec due;
    if (clock->span == 0) return add_month(begin);
    return __builtin_add_overflow(begin, clock->span, &due) ? INT64_MAX : due;
}
