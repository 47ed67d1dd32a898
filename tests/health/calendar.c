/* SPDX-License-Identifier: EUPL-1.2 */
#include "calendar.h"

#define DAY 86400

/* Days since 1970 of a date, by the algorithm of Howard Hinnant's "chrono-Compatible Low-Level Date
 * Algorithms". */
static int64_t days_of(int y, int m, int d)
{
    y -= m <= 2;
    int64_t era = y / 400;
    unsigned yoe = (unsigned)(y - (int)era * 400);
    unsigned doy = (unsigned)((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1);
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

static void date_of(int64_t days, struct moment *ret)
{
    int64_t z = days + 719468, era = z / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    ret->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    ret->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    ret->year = (int)(yoe + era * 400) + (ret->month <= 2);
}

static int weekday_of(int64_t days)
{
    return (int)((days + 3) % 7);
}

/* The last Sunday of a month with 31 days. */
static int64_t last_sunday(int year, int month)
{
    int64_t end = days_of(year, month, 31);
    return end - (weekday_of(end) + 1) % 7;
}

int32_t calendar_offset(nsec time)
{
    struct moment at;
    int64_t seconds = time / NSEC_PER_SEC;
    date_of(seconds / DAY, &at);
    int64_t from = last_sunday(at.year, 3) * DAY + 3600, to = last_sunday(at.year, 10) * DAY + 3600;
    return seconds >= from && seconds < to ? 7200 : 3600;
}

/* Easter Sunday: the anonymous Gregorian algorithm. */
static int64_t easter(int y)
{
    int a = y % 19, b = y / 100, c = y % 100, d = b / 4, e = b % 4, f = (b + 8) / 25;
    int g = (b - f + 1) / 3, h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4;
    int l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
    int n = h + l - 7 * m + 114;
    return days_of(y, n / 31, n % 31 + 1);
}

/* Fixed days, Easter's, midsummer, All Saints' and the eves that count as days off. */
static bool is_red(int64_t days)
{
    static const int fixed[][2] = {{1, 1},   {1, 6},   {5, 1},   {6, 6},
                                   {12, 24}, {12, 25}, {12, 26}, {12, 31}};
    static const int after_easter[] = {-2, 0, 1, 39, 49};
    struct moment at;
    date_of(days, &at);
    int weekday = weekday_of(days);
    if (weekday == 6) return true;
    for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (at.month == fixed[i][0] && at.day == fixed[i][1]) return true;
    for (unsigned i = 0; i < sizeof after_easter / sizeof *after_easter; i++)
        if (days - easter(at.year) == after_easter[i]) return true;
    bool midsummer = at.month == 6 && weekday == 5 && at.day >= 20 && at.day <= 26;
    bool its_eve = at.month == 6 && weekday == 4 && at.day >= 19 && at.day <= 25;
    bool saints =
        weekday == 5 && ((at.month == 10 && at.day == 31) || (at.month == 11 && at.day <= 6));
    return midsummer || its_eve || saints;
}

static bool is_off(int64_t days)
{
    return is_red(days) || weekday_of(days) == 5;
}

static bool has_school(int64_t days, const struct moment *at)
{
    int date = at->month * 100 + at->day;
    int64_t from_easter = days - easter(at->year);
    bool winter = date >= 1221 || date <= 107, summer = date >= 611 && date <= 818;
    bool sports = date >= 209 && date <= 215, autumn = date >= 1026 && date <= 1101;
    return !winter && !summer && !sports && !autumn && !(from_easter >= 1 && from_easter <= 5);
}

void calendar_at(nsec time, struct moment *ret)
{
    int64_t seconds = time / NSEC_PER_SEC + calendar_offset(time), days = seconds / DAY;
    date_of(days, ret);
    ret->weekday = weekday_of(days);
    ret->hour = (double)(seconds % DAY) / 3600;
    ret->red = is_red(days);
    ret->bridge = !is_off(days) && is_off(days - 1) && is_off(days + 1);
    ret->school = !ret->red && ret->weekday < 5 && has_school(days, ret);
    int date = ret->month * 100 + ret->day;
    ret->summer = date >= 706 && date <= 802;
}
