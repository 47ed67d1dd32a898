/* SPDX-License-Identifier: EUPL-1.2 */
/* The worked cases of rest.tsv, which says what its columns are. */
#include "roster/rest.h"

#include <stdlib.h>

#include "base/when.h"
#include "test.h"

enum { COLUMNS = 9, DISTURBANCES_MAX = 16 };

struct rest_case {
    struct slice name, office, team, rest, from, until, disturbed, expected, source;
};

static struct slice minutes_text(nsec span, char text[32])
{
    long minutes = (long)(span / (60 * NSEC_PER_SEC));
    int n = minutes % 60 ? snprintf(text, 32, "%ldh%ldm", minutes / 60, minutes % 60)
                         : snprintf(text, 32, "%ldh", minutes / 60);
    return slice_make(text, (size_t)n);
}

static nsec at(const struct roster *r, struct slice text)
{
    const struct when when = {.zone = r->zone};
    nsec time = 0;
    if (!when_parse(text, &when, false, &time))
        test_fail(__FILE__, __LINE__, "no time: %.*s", SLICE_FMT(text));
    return time;
}

static void write_local(const struct roster *r, nsec time, struct buf *out)
{
    size_t begin = out->len;
    roster_write_time(r, time, out);
    for (size_t i = begin; i < out->len; i++)
        if (out->ptr[i] == ' ') out->ptr[i] = 'T';
}

static void say_breaches(const struct roster *r, const struct rest_case *c, struct arena *arena,
                         struct buf *out)
{
    static const char *const rules[] = {"daily", "weekly", "jour"};
    struct rest_breaches breaches = {0};
    char text[32];
    CHECK_INT(rest_check(r, at(r, c->from), at(r, c->until), arena, &breaches), 0);
    for (uint32_t i = 0; i < breaches.n; i++) {
        const struct rest_breach *b = &breaches.items[i];
        buf_printf(out, "%s%s %.*s ", i ? "; " : "", rules[b->rule], SLICE_FMT(b->person->id));
        write_local(r, b->from, out);
        buf_putc(out, ' ');
        buf_put(out, minutes_text(b->got, text));
        CHECK(b->law.len > 0);
    }
    if (breaches.n == 0) buf_puts(out, "none");
}

static uint32_t read_disturbances(const struct roster *r, struct slice list,
                                  struct rest_disturbance ret[DISTURBANCES_MAX])
{
    struct slice word, from, until;
    uint32_t n = 0;
    while ((word = slice_next_word(&list)).len > 0 && n < DISTURBANCES_MAX) {
        if (!slice_split(word, '/', &from, &until)) test_fail(__FILE__, __LINE__, "no /");
        ret[n++] = (struct rest_disturbance){at(r, from), at(r, until)};
    }
    return n;
}

static void say_owed(const struct roster *r, const struct rest_case *c, struct arena *arena,
                     struct buf *out)
{
    struct rest_disturbance list[DISTURBANCES_MAX];
    uint32_t n = read_disturbances(r, c->disturbed, list);
    struct rest_owed owed;
    char text[32];
    CHECK_INT(rest_owed(r, roster_person(r, SLICE("p")), list, n, arena, &owed), 0);
    buf_puts(out, "owed ");
    buf_put(out, minutes_text(owed.owed, text));
    if (owed.owed == 0) return;
    buf_puts(out, owed.at_once ? " once " : " behind ");
    write_local(r, owed.earliest, out);
    if (!owed.shift.team) return;
    buf_puts(out, " shift ");
    write_local(r, owed.shift.from, out);
    buf_printf(out, " %.*s", owed.instead ? (int)owed.instead->id.len : 6,
               owed.instead ? owed.instead->id.ptr : "nobody");
}

static char *write_plan(const struct rest_case *c)
{
    char *plan = NULL;
    int n = asprintf(&plan,
                     "zone: Europe/Stockholm\noffice_hours: [%.*s]\n"
                     "people: [{id: p}, {id: q}, {id: r}, {id: s}, {id: t}, {id: n, work: none}]\n"
                     "teams: [{id: x, %.*s}]\nrest: {%.*s}\n"
                     "policies: [{id: a, steps: [{targets: [{oncall: x}]}]}]\n",
                     SLICE_FMT(c->office), SLICE_FMT(c->team), SLICE_FMT(c->rest));
    REQUIRE(n > 0);
    return plan;
}

static void run_case(struct calendar *calendar, const struct rest_case *c)
{
    struct roster *roster = NULL;
    struct diag diag = {0};
    struct arena arena;
    struct buf out;
    char *plan = write_plan(c);
    int error = roster_read(slice_of(plan), "case", calendar, &roster, &diag);
    if (error)
        test_fail(__FILE__, __LINE__, "%.*s: %u:%u %s", SLICE_FMT(c->name), diag.line, diag.column,
                  diag.message);
    REQUIRE(error == 0);
    arena_init(&arena, 64 * 1024 * 1024);
    buf_init(&out, 64 * 1024);
    if (c->disturbed.len > 1) say_owed(roster, c, &arena, &out);
    else say_breaches(roster, c, &arena, &out);
    if (!slice_eq(buf_slice(&out), c->expected))
        test_fail(__FILE__, __LINE__, "%.*s: %.*s", SLICE_FMT(c->name), SLICE_FMT(buf_slice(&out)));
    buf_done(&out);
    arena_done(&arena);
    roster_free(roster);
    free(plan);
}

TEST(worked_cases_come_out_as_their_sources_have_it)
{
    size_t len = 0;
    char *text = test_read_file("tests/unit/roster/rest.tsv", &len);
    struct slice rest = slice_make(text, len), line;
    struct calendar *calendar = NULL;
    struct diag diag = {0};
    uint32_t n = 0;
    REQUIRE(calendar_new(SLICE_NONE, NULL, INT64_C(1767225600) * NSEC_PER_SEC, &calendar, &diag) ==
            0);
    while (rest.len > 0) {
        struct slice cells[COLUMNS];
        (void)slice_split(rest, '\n', &line, &rest);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        for (size_t i = 0; i < COLUMNS; i++) (void)slice_split(line, '\t', &cells[i], &line);
        const struct rest_case c = {cells[0], cells[1], cells[2], cells[3], cells[4],
                                    cells[5], cells[6], cells[7], cells[8]};
        CHECK(c.source.len > 0);
        run_case(calendar, &c);
        n++;
    }
    CHECK(n >= 30);
    calendar_free(calendar);
    free(text);
}
