/* SPDX-License-Identifier: EUPL-1.2 */
#include "calendar/calendar.h"

#include "base/when.h"
#include "calendar/hours.h"
#include "test.h"

static struct calendar *calendar;
static const struct zone *zone;

static void begin(void)
{
    struct diag diag = {0};
    nsec now = INT64_C(1767225600) * NSEC_PER_SEC; /* 2026-01-01T00:00:00Z */
    REQUIRE(calendar_new(SLICE_NONE, NULL, now, &calendar, &diag) == 0);
    REQUIRE(calendar_zone(calendar, SLICE("Europe/Stockholm"), &zone, &diag) == 0);
}

static nsec at(const char *text)
{
    const struct when when = {.zone = zone};
    nsec t = 0;
    if (!when_parse(slice_of(text), &when, false, &t)) test_fail(__FILE__, __LINE__, "%s", text);
    return t;
}

static struct calendar_day day(int year, int month, int number)
{
    struct calendar_day ret;
    calendar_day(calendar, calendar_day_from_civil(year, month, number), &ret);
    return ret;
}

TEST(days_have_their_names_and_kinds)
{
    begin();
    CHECK_SLICE(day(2026, 4, 3).key, "langfredag");
    CHECK_INT(day(2026, 4, 3).kind, CALENDAR_RED);
    CHECK_SLICE(day(2026, 6, 19).sv, "Midsommarafton");
    CHECK_INT(day(2026, 6, 19).kind, CALENDAR_EVE);
    CHECK_INT(day(2026, 10, 31).kind, CALENDAR_RED); /* All Saints' on its first day */
    CHECK_INT(day(2026, 4, 2).kind, CALENDAR_HALF);
    CHECK_INT(day(2026, 11, 26).kind, CALENDAR_PLAIN);
    CHECK_INT(day(2028, 2, 29).weekday, 1); /* leap day, a Tuesday */
    CHECK_INT(day(2028, 2, 29).kind, CALENDAR_PLAIN);
    /* years that a day is one in */
    CHECK_SLICE(day(2004, 5, 31).key, "annandag-pingst");
    CHECK_INT(day(2005, 5, 16).kind, CALENDAR_PLAIN);
    CHECK_INT(day(2004, 6, 6).kind, CALENDAR_PLAIN);
    CHECK_INT(day(2005, 6, 6).kind, CALENDAR_RED);
    calendar_free(calendar);
}

TEST(a_bridge_is_a_working_day_between_free_ones)
{
    begin();
    CHECK(day(2026, 5, 15).bridge); /* Friday behind Ascension Day */
    CHECK(day(2026, 1, 2).bridge);  /* Friday behind New Year's Day */
    CHECK(day(2026, 1, 5).bridge);  /* Monday, then Epiphany; a half day as well */
    CHECK_INT(day(2026, 1, 5).kind, CALENDAR_HALF);
    CHECK(!day(2026, 5, 13).bridge);
    CHECK(!day(2026, 12, 28).bridge);
    calendar_free(calendar);
}

static void add(struct hours *hours, const char *text)
{
    const char *why = "";
    if (hours_add(hours, slice_of(text), &why)) test_fail(__FILE__, __LINE__, "%s: %s", text, why);
}

TEST(hours_hold_by_the_clock_on_the_wall)
{
    struct hours hours = {.closed_on_red = true};
    begin();
    add(&hours, "mon-fri 08:00-16:30");
    add(&hours, "half 08:00-12:00");
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-11-26T07:59:59")));
    CHECK(hours_hold(&hours, calendar, zone, at("2026-11-26T08:00:00")));
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-11-26T16:30:00")));
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-11-28T10:00:00")));
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-12-24T10:00:00")));
    CHECK(hours_hold(&hours, calendar, zone, at("2026-04-02T11:59:00")));
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-04-02T12:00:00")));
    CHECK(hours_next_edge(&hours, calendar, zone, at("2026-12-23T16:30:00")) ==
          at("2026-12-28T08:00:00"));
    calendar_free(calendar);
}

TEST(hours_over_midnight_last_when_the_clock_is_changed)
{
    struct hours hours = {0};
    begin();
    add(&hours, "sat 22:00-04:00");
    CHECK(hours_hold(&hours, calendar, zone, at("2026-03-29T00:30:00Z"))); /* 01:30 */
    CHECK(hours_hold(&hours, calendar, zone, at("2026-03-29T01:30:00Z"))); /* 03:30 */
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-03-29T02:00:00Z")));
    CHECK(hours_hold(&hours, calendar, zone, at("2026-10-25T02:59:59Z"))); /* 03:59:59 */
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-10-25T03:00:00Z")));
    CHECK(!hours_hold(&hours, calendar, zone, at("2026-10-26T00:30:00Z")));
    calendar_free(calendar);
}

TEST(what_is_no_hours_is_refused)
{
    static const char *const wrong[] = {
        "",
        "mon",
        "mon 08:00",
        "mon 08:00-25:00",
        "mon 8-16",
        "xyz 08:00-16:00",
        "mon 24:00-08:00",
        "mon 08:00-16:00 x",
        "half-red 08:00-09:00",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hours hours = {0};
        const char *why;
        CHECK_INT(hours_add(&hours, slice_of(wrong[i]), &why), ERR_SYNTAX);
    }
}

TEST(a_file_of_ones_own_is_read_or_refused_with_its_line)
{
    static const struct {
        const char *text;
        uint32_t line;
    } wrong[] = {
        {"# x\nkey\t01-01\tred\t0\t0\ta\n", 2},
        {"key\t13-01\tred\t0\t0\ta\tb\tc\n", 1},
        {"key\teaster+x\tred\t0\t0\ta\tb\tc\n", 1},
        {"key\tfriday 06-25 06-19\tred\t0\t0\ta\tb\tc\n", 1},
        {"key\t01-01\tblue\t0\t0\ta\tb\tc\n", 1},
    };
    struct diag diag = {0};
    struct calendar_day found;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_INT(calendar_new(slice_of(wrong[i].text), "h.tsv", 0, &calendar, &diag), ERR_SYNTAX);
        CHECK_INT(diag.line, wrong[i].line);
    }
    REQUIRE(calendar_new(SLICE("own\t07-01\tred\t2026\t2026\tA\tB\tC\n"), "h.tsv", 0, &calendar,
                         &diag) == 0);
    calendar_day(calendar, calendar_day_from_civil(2026, 7, 1), &found);
    CHECK_SLICE(found.en, "B");
    calendar_day(calendar, calendar_day_from_civil(2027, 7, 1), &found);
    CHECK_INT(found.kind, CALENDAR_PLAIN);
    calendar_free(calendar);
}
