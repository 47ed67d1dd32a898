/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/time.h"

enum { YEAR_MIN = 1678, YEAR_MAX = 2262, SEC_PER_DAY = 86400 };

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_before_month(int year, int month)
{
    static const short before[13] = {0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    return before[month] + (month > 2 && is_leap(year));
}

static int days_in_month(int year, int month)
{
    if (month == 12) return 31;
    return days_before_month(year, month + 1) - days_before_month(year, month);
}

/* Days from 1970-01-01 to January 1st; leap days counted by the Gregorian rule. */
static int64_t days_before_year(int year)
{
    int64_t y = year - 1;
    return 365 * (y - 1969) + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) + (y / 400 - 1969 / 400);
}

static bool civil_valid(const struct civil_time *c)
{
    return c->year >= YEAR_MIN && c->year <= YEAR_MAX && c->month >= 1 && c->month <= 12 &&
           c->day >= 1 && c->day <= days_in_month(c->year, c->month) && c->hour >= 0 &&
           c->hour <= 23 && c->minute >= 0 && c->minute <= 59 && c->second >= 0 &&
           c->second <= 60 && c->nsec >= 0 && c->nsec < NSEC_PER_SEC;
}

/* A leap second (:60) is the first second of the next minute. */
nsec time_from_civil(const struct civil_time *c)
{
    if (!civil_valid(c)) return TIME_NONE;
    int64_t days = days_before_year(c->year) + days_before_month(c->year, c->month) + c->day - 1;
    int64_t sec = days * SEC_PER_DAY + c->hour * 3600 + c->minute * 60 + c->second;
    nsec t;
    if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &t) || __builtin_add_overflow(t, c->nsec, &t))
        return TIME_NONE;
    return t;
}

void time_to_civil(nsec t, struct civil_time *ret)
{
    int64_t sec = t / NSEC_PER_SEC, frac = t % NSEC_PER_SEC;
    if (frac < 0) {
        sec--;
        frac += NSEC_PER_SEC;
    }
    int64_t days = sec / SEC_PER_DAY, rest = sec % SEC_PER_DAY;
    if (rest < 0) {
        days--;
        rest += SEC_PER_DAY;
    }
    int year = (int)(1970 + days / 366); /* at most a year off in the range of nsec */
    while (days_before_year(year + 1) <= days) year++;
    while (days_before_year(year) > days) year--;
    int in_year = (int)(days - days_before_year(year));
    int month = in_year / 32 + 1;
    if (month < 12 && days_before_month(year, month + 1) <= in_year) month++;
    *ret = (struct civil_time){
        .year = year,
        .month = month,
        .day = in_year - days_before_month(year, month) + 1,
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
        .nsec = (int)frac,
    };
}

/* 0 is Monday. 1970-01-01 was a Thursday. */
static int weekday(int64_t days)
{
    int64_t w = (days + 3) % 7;
    return (int)(w < 0 ? w + 7 : w);
}

/* ISO 8601: week 1 is the one with the year's first Thursday. */
unsigned time_iso_week(const struct civil_time *c)
{
    if (!civil_valid(c)) return 0;
    int in_year = days_before_month(c->year, c->month) + c->day - 1;
    int thursday = in_year - weekday(days_before_year(c->year) + in_year) + 3;
    if (thursday < 0) thursday += 365 + is_leap(c->year - 1);
    else if (thursday >= 365 + is_leap(c->year)) return 1;
    return (unsigned)(thursday / 7 + 1);
}

/* ---- reading ---- */

struct cursor {
    const char *p, *end;
};

static bool take(struct cursor *c, char want)
{
    if (c->p == c->end || *c->p != want) return false;
    c->p++;
    return true;
}

static bool peek_digit(const struct cursor *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool take_digits(struct cursor *c, int count, int *ret)
{
    int v = 0;
    if (c->end - c->p < count) return false;
    for (int i = 0; i < count; i++) {
        unsigned d = (unsigned char)c->p[i] - (unsigned)'0';
        if (d > 9) return false;
        v = v * 10 + (int)d;
    }
    c->p += count;
    *ret = v;
    return true;
}

/* Fraction digits after the point, 1 to 9, as nanoseconds. */
static bool take_fraction(struct cursor *c, int *ret)
{
    int v = 0, n = 0;
    for (; n < 9 && peek_digit(c); n++) v = v * 10 + (*c->p++ - '0');
    if (n == 0 || peek_digit(c)) return false;
    for (; n < 9; n++) v *= 10;
    *ret = v;
    return true;
}

/* hh:mm:ss with an optional fraction. */
static bool take_clock(struct cursor *c, struct civil_time *t)
{
    if (!take_digits(c, 2, &t->hour) || !take(c, ':') || !take_digits(c, 2, &t->minute) ||
        !take(c, ':') || !take_digits(c, 2, &t->second))
        return false;
    if (take(c, '.') || take(c, ',')) return take_fraction(c, &t->nsec);
    return true;
}

/* Names of zones that mean one thing only; CST, EST and the like are used on several continents. */
static bool zone_named(struct slice name, int *ret)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"Z", 0},   {"UTC", 0},  {"GMT", 0}, {"WET", 0},
                 {"CET", 1}, {"CEST", 2}, {"EET", 2}, {"EEST", 3}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (!slice_eq_nocase(name, slice_of(zones[i].name))) continue;
        *ret = zones[i].hours * 3600;
        return true;
    }
    return false;
}

/* The zone at the end, in seconds east of UTC: nothing, a name, ±hh, ±hhmm, ±hh:mm. */
static bool take_zone(struct cursor *c, int *ret)
{
    *ret = 0;
    (void)take(c, ' ');
    struct slice rest = slice_make(c->p, (size_t)(c->end - c->p));
    if (rest.len == 0) return c->p[-1] != ' ';
    if (zone_named(rest, ret)) return true;
    bool west = *c->p == '-';
    if (!west && *c->p != '+') return false;
    c->p++;
    int hours, minutes = 0;
    if (!take_digits(c, 2, &hours)) return false;
    if (c->p < c->end) {
        (void)take(c, ':');
        if (!take_digits(c, 2, &minutes)) return false;
    }
    if (c->p != c->end || hours > 23 || minutes > 59) return false;
    *ret = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* A point in time, and the zone it was written in. */
struct zoned {
    nsec utc;
    int zone; /* seconds east */
};

static bool finish(const struct civil_time *t, int zone, struct zoned *ret)
{
    nsec v = time_from_civil(t);
    if (v == TIME_NONE || __builtin_sub_overflow(v, zone * NSEC_PER_SEC, &v) || v == TIME_NONE)
        return false;
    *ret = (struct zoned){v, zone};
    return true;
}

/* 2026-01-02[T ]03:04[:05[.6]][zone], 2026/01/02 the same, 2026-01-02 alone. */
static bool parse_iso(struct cursor c, struct zoned *ret)
{
    struct civil_time t = {0};
    int zone = 0;
    if (!take_digits(&c, 4, &t.year)) return false;
    char sep = take(&c, '-') ? '-' : '/';
    if (sep == '/' && !take(&c, '/')) return false;
    if (!take_digits(&c, 2, &t.month) || !take(&c, sep) || !take_digits(&c, 2, &t.day))
        return false;
    if (c.p == c.end) return finish(&t, 0, ret);
    if (!take(&c, ' ') && !take(&c, 'T') && !take(&c, 't')) return false;
    struct cursor before = c;
    if (!take_clock(&c, &t)) {
        /* Hours and minutes alone. */
        c = before;
        if (!take_digits(&c, 2, &t.hour) || !take(&c, ':') || !take_digits(&c, 2, &t.minute) ||
            (c.p < c.end && *c.p == ':'))
            return false;
        t.second = t.nsec = 0;
    }
    return take_zone(&c, &zone) && finish(&t, zone, ret);
}

/* The sums of a month's second and third letters are different, also their last five bits. */
#define MONTH_SLOT(second, third) (((unsigned)(second) + (unsigned)(third)) & 31)

size_t time_month_len(struct slice s, int *ret_month)
{
    static const struct {
        char name[10];
        uint8_t number; /* 0: no month has this slot */
    } months[32] = {
        [MONTH_SLOT('a', 'n')] = {"january", 1},   [MONTH_SLOT('e', 'b')] = {"february", 2},
        [MONTH_SLOT('a', 'r')] = {"march", 3},     [MONTH_SLOT('p', 'r')] = {"april", 4},
        [MONTH_SLOT('a', 'y')] = {"may", 5},       [MONTH_SLOT('u', 'n')] = {"june", 6},
        [MONTH_SLOT('u', 'l')] = {"july", 7},      [MONTH_SLOT('u', 'g')] = {"august", 8},
        [MONTH_SLOT('e', 'p')] = {"september", 9}, [MONTH_SLOT('c', 't')] = {"october", 10},
        [MONTH_SLOT('o', 'v')] = {"november", 11}, [MONTH_SLOT('e', 'c')] = {"december", 12},
    };
    if (s.len < 3) return 0;
    const unsigned slot =
        MONTH_SLOT((unsigned char)(s.ptr[1] | 0x20), (unsigned char)(s.ptr[2] | 0x20));
    const char *name = months[slot].name;
    size_t n = 0;
    while (n < s.len && name[n] && (s.ptr[n] | 0x20) == name[n]) n++;
    bool sept = n == 4 && months[slot].number == 9;
    if (n < 3 || (n > 3 && name[n] && !sept)) return 0;
    *ret_month = months[slot].number;
    return n;
}

static bool take_month_name(struct cursor *c, int *ret)
{
    size_t n = time_month_len(slice_make(c->p, (size_t)(c->end - c->p)), ret);
    c->p += n;
    return n > 0;
}

/* 02/Jan/2026:03:04:05 +0100 */
static bool parse_clf(struct cursor c, struct zoned *ret)
{
    struct civil_time t = {0};
    int zone;
    return take_digits(&c, 2, &t.day) && take(&c, '/') && take_month_name(&c, &t.month) &&
           take(&c, '/') && take_digits(&c, 4, &t.year) && take(&c, ':') && take_clock(&c, &t) &&
           take_zone(&c, &zone) && finish(&t, zone, ret);
}

static bool take_weekday(struct cursor *c)
{
    static const char names[] = "MonTueWedThuFriSatSun";
    if (c->end - c->p < 4 || c->p[3] != ' ') return false;
    for (int i = 0; i < 7; i++) {
        if (!slice_eq_nocase(slice_make(c->p, 3), slice_make(names + i * 3, 3))) continue;
        c->p += 4;
        return true;
    }
    return false;
}

/* Four digits and a blank, before or behind which a year stands in a time with a month's name. */
static bool take_year(struct cursor *c, int *ret)
{
    struct cursor at = *c;
    int year;
    if (!take_digits(&at, 4, &year) || !take(&at, ' ')) return false;
    *c = at;
    *ret = year;
    return true;
}

/*
 * [Mon ]Jan  2 03:04:05[ 2026], or with the year before the clock (`Jan  2 2026 03:04:05`) or the
 * month (`2026 Jan  2 03:04:05`), as Cisco's devices write it; then a zone may follow. Without the
 * year it is ref_year's.
 */
static bool parse_named(struct cursor c, int ref_year, struct zoned *ret)
{
    struct civil_time t = {.year = ref_year};
    int zone = 0;
    bool dated = take_year(&c, &t.year);
    if (!dated) (void)take_weekday(&c);
    if (!take_month_name(&c, &t.month) || !take(&c, ' ')) return false;
    int digits = take(&c, ' ') ? 1 : 2;
    if (digits == 2 && c.end - c.p > 1 && c.p[1] == ' ') digits = 1;
    if (!take_digits(&c, digits, &t.day) || !take(&c, ' ')) return false;
    dated = dated || take_year(&c, &t.year);
    if (!take_clock(&c, &t)) return false;
    struct cursor behind = c;
    if (!dated && take(&behind, ' ') && take_digits(&behind, 4, &t.year)) c = behind;
    return (c.p == c.end || take_zone(&c, &zone)) && t.year > 0 && finish(&t, zone, ret);
}

/*
 * Seconds up to 11 digits (with a fraction), milliseconds to 14, microseconds to 17, nanoseconds.
 * A number below 100,000,000 (March 1973) is a port, a count or a code, not a time.
 */
static bool parse_epoch(struct slice s, struct zoned *ret)
{
    struct slice whole, fraction;
    bool pointed = slice_split(s, '.', &whole, &fraction);
    uint64_t v;
    int nanos = 0;
    if (!slice_to_u64(whole, &v) || v > INT64_MAX || v < UINT64_C(100000000)) return false;
    uint64_t scale = 1;
    if (v < UINT64_C(100000000000)) scale = (uint64_t)NSEC_PER_SEC;
    else if (v < UINT64_C(100000000000000)) scale = 1000000;
    else if (v < UINT64_C(100000000000000000)) scale = 1000;
    if (pointed) {
        struct cursor c = {fraction.ptr, fraction.ptr + fraction.len};
        if (scale != (uint64_t)NSEC_PER_SEC || !take_fraction(&c, &nanos) || c.p != c.end)
            return false;
    }
    nsec t;
    if (__builtin_mul_overflow(v, scale, &t) || __builtin_add_overflow(t, nanos, &t)) return false;
    *ret = (struct zoned){t, 0};
    return true;
}

static bool parse(struct slice text, int ref_year, struct zoned *ret)
{
    text = slice_trim(text);
    if (text.len == 0 || text.len > 64) return false;
    struct cursor c = {text.ptr, text.ptr + text.len};
    if (!peek_digit(&c)) return parse_named(c, ref_year, ret);
    return parse_iso(c, ret) || parse_clf(c, ret) || parse_epoch(text, ret) ||
           parse_named(c, ref_year, ret);
}

bool time_parse(struct slice text, int ref_year, nsec *ret)
{
    struct zoned t;
    if (!parse(text, ref_year, &t)) return false;
    *ret = t.utc;
    return true;
}

int time_last_year(nsec now)
{
    struct civil_time civil;
    nsec later;
    if (__builtin_add_overflow(now, TIME_GRACE, &later)) later = now;
    time_to_civil(later, &civil);
    return civil.year;
}

bool time_parse_near(struct slice text, nsec now, nsec *ret)
{
    if (time_parse(text, 0, ret)) return true;
    const int last = time_last_year(now);
    for (int year = last; year >= last - 1; year--) {
        nsec t, ahead;
        if (!time_parse(text, year, &t)) continue;
        if (__builtin_sub_overflow(t, now, &ahead) || ahead >= TIME_GRACE) continue;
        *ret = t;
        return true;
    }
    return false;
}

bool time_parse_civil(struct slice text, struct civil_time *ret)
{
    struct zoned t;
    if (!parse(text, 0, &t)) return false;
    /* In range: it is what `utc` was made from. */
    time_to_civil(t.utc + t.zone * NSEC_PER_SEC, ret);
    return true;
}

/* ---- writing ---- */

static void put_digits(char *dst, int count, int v)
{
    for (int i = count - 1; i >= 0; i--) {
        dst[i] = (char)('0' + v % 10);
        v /= 10;
    }
}

void time_write_rfc3339(struct buf *out, nsec t)
{
    if (t == TIME_NONE) return;
    struct civil_time c;
    time_to_civil(t, &c);
    char text[] = "0000-00-00T00:00:00.000000000Z";
    put_digits(text, 4, c.year);
    put_digits(text + 5, 2, c.month);
    put_digits(text + 8, 2, c.day);
    put_digits(text + 11, 2, c.hour);
    put_digits(text + 14, 2, c.minute);
    put_digits(text + 17, 2, c.second);
    put_digits(text + 20, 9, c.nsec);
    size_t len = c.nsec % 1000000 == 0 ? 23 : c.nsec % 1000 == 0 ? 26 : 29;
    text[len] = 'Z';
    buf_put(out, slice_make(text, len + 1));
}
