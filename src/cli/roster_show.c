/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka oncall who, show, check, gaps, fairness, rest, ics, digest, holidays, changes */
#include "base/json_read.h"
#include "base/text.h"
#include "cli/desk.h"
#include "cli/roster.h"
#include "roster/check.h"
#include "roster/compose.h"
#include "roster/fairness.h"
#include "roster/ics.h"
#include "roster/show.h"

enum { OUT_MAX = 64 * 1024 * 1024, ARENA_MAX = 128 * 1024 * 1024, NAME_COLUMNS = 24 };
#define WEEKS(n) ((n)*7 * CALENDAR_DAY)

struct show_context {
    struct settings settings;
    struct roster_said said;
    uint64_t year;
};

/* What a command needs, and what it says. */
struct showing {
    const struct show_context *c;
    struct roster_files files;
    struct arena arena;
    struct buf out;
    int error;
    bool bad;
};

static int open_showing(struct showing *s, const struct invocation *in, nsec span)
{
    *s = (struct showing){.c = in->ctx};
    buf_init(&s->out, OUT_MAX);
    arena_init(&s->arena, ARENA_MAX);
    if (in->n_operands) {
        return cli_usage("%s takes no operands", in->command->name);
    }
    return roster_files_open(&s->files, &s->c->settings, &s->c->said, span);
}

/* Prints, when all went well so far. */
static int close_showing(struct showing *s, int status)
{
    if (status == 0 && s->c->said.json) buf_putc(&s->out, '\n');
    if (status == 0) status = roster_print(&s->out, s->c->said.json, s->error);
    roster_files_close(&s->files);
    arena_done(&s->arena);
    buf_done(&s->out);
    return status ? status : s->bad ? EXIT_UNREADABLE : EXIT_RAN;
}

static void put_name(struct showing *s, struct slice name)
{
    text_put_padded(&s->out, name, NAME_COLUMNS);
    buf_puts(&s->out, "  ");
}

static void put_time(struct showing *s, nsec time)
{
    if (time == INT64_MAX) buf_puts(&s->out, "-");
    else compose_time(s->files.roster, time, s->c->said.english, &s->out);
}

static void put_person(struct showing *s, const struct roster_person *person)
{
    struct slice nobody = s->c->said.english ? SLICE("(nobody)") : SLICE("(ingen)");
    put_name(s, person ? person->name : nobody);
}

static bool is_wanted(const struct showing *s, const struct roster_team *team)
{
    return !s->c->said.team || slice_eq(team->id, slice_of(s->c->said.team));
}

static int check_names(struct showing *s)
{
    const struct roster_team *team;
    const struct roster_person *person;
    int status = roster_files_team(&s->files, s->c->said.team, &team);
    return status ? status : roster_files_person(&s->files, s->c->said.person, &person);
}

/* ---- who --------------------------------------------------------------------------------- */

static void put_who(struct showing *s, const struct roster_team *team)
{
    const struct roster *r = s->files.roster;
    const struct roster_person *shadow = roster_shadow(r, team, s->files.at);
    struct roster_shift shift;
    roster_who(r, team, s->files.at, &shift);
    s->bad = s->bad || (!shift.person && roster_covers(r, team, s->files.at));
    if (s->c->said.json) return;
    put_name(s, team->name);
    put_person(s, shift.person);
    buf_puts(&s->out, s->c->said.english ? "until " : "till ");
    put_time(s, shift.until);
    if (shift.change) buf_printf(&s->out, "  #%llu", (unsigned long long)shift.change);
    if (shadow) {
        buf_puts(&s->out, s->c->said.english ? "  with " : "  med ");
        (void)text_put_visible(&s->out, shadow->name, NAME_COLUMNS);
    }
    buf_putc(&s->out, '\n');
}

static int who_main(const struct invocation *in)
{
    struct showing s;
    int status = open_showing(&s, in, CALENDAR_DAY);
    if (status == 0) status = check_names(&s);
    if (status == 0 && s.c->said.json) show_who(s.files.roster, s.files.at, &s.out);
    for (uint32_t i = 0; status == 0 && i < s.files.roster->n_teams; i++)
        if (is_wanted(&s, &s.files.roster->teams[i])) put_who(&s, &s.files.roster->teams[i]);
    return close_showing(&s, status);
}

/* ---- show -------------------------------------------------------------------------------- */

static int put_shifts(struct showing *s, const struct roster_team *team)
{
    struct roster_shifts shifts = {0};
    int error =
        roster_schedule(s->files.roster, team, s->files.from, s->files.until, &s->arena, &shifts);
    for (uint32_t i = 0; i < shifts.n; i++) {
        const struct roster_shift *shift = &shifts.items[i];
        struct slice id = shift->person ? shift->person->id : SLICE_NONE;
        if (s->c->said.person && !slice_eq(id, slice_of(s->c->said.person))) continue;
        if (!shift->person && !roster_covers(s->files.roster, team, shift->from)) continue;
        put_name(s, team->name);
        put_time(s, shift->from);
        buf_puts(&s->out, " – ");
        put_time(s, shift->until);
        buf_puts(&s->out, "  ");
        put_person(s, shift->person);
        if (shift->change) buf_printf(&s->out, "#%llu ", (unsigned long long)shift->change);
        (void)text_put_visible(&s->out, shift->rotation, NAME_COLUMNS);
        buf_putc(&s->out, '\n');
    }
    return error;
}

static int show_main(const struct invocation *in)
{
    struct showing s;
    int status = open_showing(&s, in, WEEKS(4));
    if (status == 0) status = check_names(&s);
    if (status == 0 && s.c->said.json)
        s.error = show_schedule(s.files.roster, s.files.from, s.files.until, &s.out);
    for (uint32_t i = 0; status == 0 && s.error == 0 && i < s.files.roster->n_teams; i++)
        if (!s.c->said.json && is_wanted(&s, &s.files.roster->teams[i]))
            s.error = put_shifts(&s, &s.files.roster->teams[i]);
    return close_showing(&s, status);
}

/* ---- check, gaps ------------------------------------------------------------------------- */

static int put_finding(void *ctx, const struct finding *finding)
{
    struct showing *s = ctx;
    bool fails = check_fails(finding->kind);
    s->bad = s->bad || fails;
    if (finding->line) buf_printf(&s->out, "%s%u: ", s->c->said.plan ? "" : "plan ", finding->line);
    if (!fails) buf_puts(&s->out, s->c->said.english ? "warning: " : "varning: ");
    check_write(s->files.roster, finding, s->c->said.english, &s->out);
    buf_putc(&s->out, '\n');
    return buf_error(&s->out);
}

static int note_finding(void *ctx, const struct finding *finding)
{
    struct showing *s = ctx;
    s->bad = s->bad || check_fails(finding->kind);
    return 0;
}

static int check_main(const struct invocation *in)
{
    struct showing s;
    int status = open_showing(&s, in, WEEKS(26));
    if (status == 0)
        s.error = roster_check(s.files.roster, s.files.from, s.files.until, &s.arena,
                               s.c->said.json ? note_finding : put_finding, &s);
    if (status == 0 && s.error == 0 && s.c->said.json)
        s.error = show_check(s.files.roster, s.files.from, s.files.until, &s.out);
    return close_showing(&s, status);
}

static int put_gap(void *ctx, const struct roster_gap *gap)
{
    struct showing *s = ctx;
    if (!is_wanted(s, gap->team)) return 0;
    s->bad = true;
    if (s->c->said.json) return 0;
    put_name(s, gap->team->name);
    put_time(s, gap->from);
    buf_puts(&s->out, " – ");
    put_time(s, gap->until);
    buf_putc(&s->out, '\n');
    return buf_error(&s->out);
}

static int gaps_main(const struct invocation *in)
{
    struct showing s;
    int status = open_showing(&s, in, WEEKS(13));
    if (status == 0) status = check_names(&s);
    if (status == 0)
        s.error = roster_gaps(s.files.roster, s.files.from, s.files.until, put_gap, &s);
    if (status == 0 && s.error == 0 && s.c->said.json)
        s.error = show_gaps(s.files.roster, s.files.from, s.files.until, &s.out);
    return close_showing(&s, status);
}

/* ---- fairness, rest ---------------------------------------------------------------------- */

static void put_hours(struct showing *s, nsec span)
{
    buf_printf(&s->out, " %9.1f", (double)span / (double)CALENDAR_HOUR);
}

static void put_fairness(struct showing *s, const struct fairness *all, uint32_t n)
{
    bool en = s->c->said.english;
    put_name(s, en ? SLICE("hours") : SLICE("timmar"));
    buf_printf(&s->out, "%6s %9s %9s %9s %9s %9s %9s %9s %9s\n", en ? "shifts" : "pass",
               en ? "total" : "summa", en ? "nights" : "nätter", en ? "weekends" : "helger",
               en ? "red days" : "röda", "beredskap", en ? "above" : "över", "jour",
               en ? "above" : "över");
    for (uint32_t i = 0; i < n; i++) {
        const struct fairness *f = &all[i];
        put_name(s, f->person->name);
        buf_printf(&s->out, "%6u", f->shifts);
        put_hours(s, f->total);
        put_hours(s, f->nights);
        put_hours(s, f->weekends);
        put_hours(s, f->red);
        put_hours(s, f->beredskap);
        put_hours(s, f->beredskap_above);
        put_hours(s, f->jour);
        put_hours(s, f->jour_above);
        buf_putc(&s->out, '\n');
    }
}

static int fairness_main(const struct invocation *in)
{
    struct showing s;
    struct fairness *all = NULL;
    uint32_t n = 0;
    int status = open_showing(&s, in, WEEKS(52));
    if (status == 0 && s.c->said.json)
        s.error = show_fairness(s.files.roster, s.files.from, s.files.until, &s.out);
    else if (status == 0) {
        s.error = fairness_count(s.files.roster, s.files.from, s.files.until, &s.arena, &all, &n);
        if (s.error == 0) put_fairness(&s, all, n);
    }
    return close_showing(&s, status);
}

static int put_rest(struct showing *s, const struct roster_person *person)
{
    struct rest_owed owed = {0};
    struct buf subject;
    int error = roster_owed(s->files.db, s->files.roster, person, s->files.now, &s->arena, &owed);
    if (error || owed.owed == 0 || owed.earliest <= s->files.now) return error;
    buf_init(&subject, 256);
    put_name(s, person->name);
    struct roster_person told = *person;
    told.english = s->c->said.english;
    compose_owed(s->files.roster, &told, &owed, &subject, &s->out);
    buf_done(&subject);
    return 0;
}

static int rest_main(const struct invocation *in)
{
    struct showing s;
    int status = open_showing(&s, in, CALENDAR_DAY);
    if (status == 0 && s.c->said.json)
        s.error = show_rest(s.files.db, s.files.roster, s.files.now, &s.out);
    for (uint32_t i = 0; status == 0 && s.error == 0 && i < s.files.roster->n_people; i++)
        if (!s.c->said.json) s.error = put_rest(&s, &s.files.roster->people[i]);
    return close_showing(&s, status);
}

/* ---- ics, digest ------------------------------------------------------------------------- */

static int ics_main(const struct invocation *in)
{
    struct showing s;
    const struct roster_team *team = NULL;
    const struct roster_person *person = NULL;
    int status = open_showing(&s, in, WEEKS(26));
    if (status == 0) status = roster_files_team(&s.files, s.c->said.team, &team);
    if (status == 0) status = roster_files_person(&s.files, s.c->said.person, &person);
    if (status == 0)
        s.error = ics_write(s.files.roster, team, person, s.files.from, s.files.until, s.files.now,
                            &s.out);
    return close_showing(&s, status);
}

static int digest_main(const struct invocation *in)
{
    struct showing s;
    const struct roster_person *person = NULL;
    struct buf subject;
    bool any = false;
    buf_init(&subject, 256);
    int status = open_showing(&s, in, WEEKS(2));
    if (status == 0 && !s.c->said.person) status = cli_usage("oncall digest wants --person");
    if (status == 0) status = roster_files_person(&s.files, s.c->said.person, &person);
    if (status == 0)
        s.error = compose_digest(s.files.roster, person, s.files.from, s.files.until, &s.arena,
                                 &subject, &s.out, &any);
    buf_done(&subject);
    return close_showing(&s, status);
}

/* ---- holidays, changes ------------------------------------------------------------------- */

static int64_t first_day(uint64_t year)
{
    return calendar_day_from_civil((int)year, 1, 1);
}

static void put_days(struct showing *s, uint64_t year)
{
    static const char *const kinds[][2] = {[CALENDAR_PLAIN] = {"klämdag", "bridge"},
                                           [CALENDAR_HALF] = {"halvdag", "half"},
                                           [CALENDAR_EVE] = {"helgdagsafton", "eve"},
                                           [CALENDAR_RED] = {"röd dag", "red"}};
    bool en = s->c->said.english;
    for (int64_t day = first_day(year); day < first_day(year + 1); day++) {
        struct calendar_day is;
        struct civil_time date;
        calendar_day(s->files.calendar, day, &is);
        if (is.kind == CALENDAR_PLAIN && !is.bridge) continue;
        time_to_civil(day * CALENDAR_DAY, &date);
        buf_printf(&s->out, "%04d-%02d-%02d  ", date.year, date.month, date.day);
        if (is.sv.len) text_put_padded(&s->out, slice_of(kinds[is.kind][en]), 14);
        buf_put(&s->out, is.sv.len ? en ? is.en : is.sv : slice_of(kinds[CALENDAR_PLAIN][en]));
        buf_putc(&s->out, '\n');
    }
}

static int holidays_main(const struct invocation *in)
{
    struct showing s = {.c = in->ctx};
    struct civil_time today;
    buf_init(&s.out, OUT_MAX);
    arena_init(&s.arena, ARENA_MAX);
    int status = roster_files_calendar(&s.files, &s.c->settings);
    if (status == 0 && in->n_operands) status = cli_usage("oncall holidays takes no operands");
    time_to_civil(s.files.now, &today);
    uint64_t year = s.c->year ? s.c->year : (uint64_t)today.year;
    if (status == 0 && s.c->said.json)
        show_days(s.files.calendar, first_day(year), first_day(year + 1), &s.out);
    else if (status == 0) put_days(&s, year);
    return close_showing(&s, status);
}

static void put_change(struct showing *s, struct slice change)
{
    bool dropped = json_member_text(change, "dropped").len > 0;
    buf_printf(&s->out, "#%-5llu ", (unsigned long long)json_member_u64(change, "change"));
    text_put_padded(&s->out, json_member_text(change, "kind"), 10);
    desk_put_time(&s->out, change, "from");
    buf_puts(&s->out, " – ");
    desk_put_time(&s->out, change, "until");
    buf_puts(&s->out, "  ");
    desk_put_text(&s->out, change, "team", NAME_COLUMNS);
    buf_putc(&s->out, ' ');
    desk_put_text(&s->out, change, "person", NAME_COLUMNS);
    if (json_member_text(change, "instead").len) buf_puts(&s->out, " < ");
    desk_put_text(&s->out, change, "instead", NAME_COLUMNS);
    buf_puts(&s->out, "  (");
    desk_put_text(&s->out, change, "actor", NAME_COLUMNS);
    buf_puts(&s->out, dropped ? ") dropped\n" : ")\n");
}

static int changes_main(const struct invocation *in)
{
    struct showing s;
    struct buf list;
    struct json_parts it;
    struct slice name, change;
    int status = open_showing(&s, in, CALENDAR_DAY);
    buf_init(&list, OUT_MAX);
    if (status == 0 && !s.files.db) status = cli_usage("a plan of a file has no changes");
    if (status == 0) s.error = show_changes(s.files.db, s.files.from, &list);
    if (status == 0 && s.error == 0 && s.c->said.json) buf_put(&s.out, buf_slice(&list));
    else if (status == 0 && s.error == 0) {
        json_parts_init(&it, buf_slice(&list));
        while (json_parts_next(&it, &name, &change)) put_change(&s, change);
    }
    buf_done(&list);
    return close_showing(&s, status);
}

/* ---- the commands ------------------------------------------------------------------------ */

#define OPTION_JSON                                                                                \
    {                                                                                              \
        0, "json", NULL, "Print JSON, as docs/oncall.md has it.",                                  \
            OPTION_FLAG(struct show_context, said.json)                                            \
    }
#define OPTION_TEAM                                                                                \
    {                                                                                              \
        0, "team", "ID", "This team alone.", OPTION_TEXT(struct show_context, said.team)           \
    }
#define OPTION_PERSON                                                                              \
    {                                                                                              \
        0, "person", "ID", "This person alone.", OPTION_TEXT(struct show_context, said.person)     \
    }
#define OPTIONS_COMMON                                                                             \
    OPTION_PLAN(struct show_context), OPTION_LANGUAGE_OF(struct show_context), OPTION_JSON,        \
        OPTION_SETTINGS(struct show_context)

static const struct cli_option who_options[] = {
    {0, "at", "TIME", "Who is on call then, by the plan's zone. Default: now.",
     OPTION_TEXT(struct show_context, said.at)},
    OPTION_TEAM,
    OPTIONS_COMMON,
};
static const struct cli_option span_options[] = {
    OPTION_SPAN(struct show_context),
    OPTION_TEAM,
    OPTION_PERSON,
    OPTIONS_COMMON,
};
static const struct cli_option gaps_options[] = {
    OPTION_SPAN(struct show_context),
    OPTION_TEAM,
    OPTIONS_COMMON,
};
static const struct cli_option check_options[] = {
    OPTION_SPAN(struct show_context),
    OPTIONS_COMMON,
};
static const struct cli_option rest_options[] = {
    OPTION_LANGUAGE_OF(struct show_context),
    OPTION_JSON,
    OPTION_SETTINGS(struct show_context),
};
static const struct cli_option changes_options[] = {
    {0, "from", "TIME", "Changes that end behind that. Default: now.",
     OPTION_TEXT(struct show_context, said.from)},
    OPTION_JSON,
    OPTION_SETTINGS(struct show_context),
};
static const struct cli_option holidays_options[] = {
    {0, "year", "YEAR", "Which year. Default: this one.",
     OPTION_NUMBER(struct show_context, year, 1700, 2200)},
    OPTION_LANGUAGE_OF(struct show_context),
    OPTION_JSON,
    OPTION_SETTINGS(struct show_context),
};

#define EXITS                                                                                      \
    "\n\nExit status: 0; 1 there is no plan, or it could not be read; 2 the command line could "   \
    "not be understood."
#define COMMAND(id, words, text, rows, told)                                                       \
    const struct command command_oncall_##id = {                                                   \
        .name = "oncall " words,                                                                   \
        .operands = "",                                                                            \
        .summary = text,                                                                           \
        .description = told,                                                                       \
        .options = rows,                                                                           \
        .n_options = sizeof rows / sizeof *rows,                                                   \
        .ctx_size = sizeof(struct show_context),                                                   \
        .run = id##_main,                                                                          \
    }

COMMAND(
    who, "who", "say who is on call", who_options,
    "Prints for each team who is on call, and until when; #N is the change that put him there. "
    "\n\nExit status: 0; 1 somebody has to be on call and nobody is, or there is no plan; 2 the "
    "command line could not be understood.");
COMMAND(show, "show", "list shifts", span_options,
        "Prints all shifts from one time to another, four weeks without one, after overrides, "
        "swaps and absences; with --json also the lanes of rotations, gaps and holidays." EXITS);
COMMAND(check, "check", "find what is wrong with a plan", check_options,
        "Looks through the plan for people who cannot be woken, gaps, policies without a way out, "
        "rules that never apply and breaches of rest, over half a year without other times."
        "\n\nExit status: 0 nothing but warnings; 1 something is wrong, or there is no plan; 2 the "
        "command line could not be understood.");
COMMAND(gaps, "gaps", "list times at which nobody is on call", gaps_options,
        "Prints where somebody has to be on call and nobody is, over three months without other "
        "times.\n\nExit status: 0 there are none; 1 there are, or there is no plan; 2 the command "
        "line could not be understood.");
COMMAND(fairness, "fairness", "show how duty is shared", check_options,
        "Prints hours of duty by person: all, at night, at weekends, on red days; and hours that "
        "are paid, those above the month's limit by themselves. A year without other times." EXITS);
COMMAND(rest, "rest", "list rest that is owed", rest_options,
        "Prints who was disturbed so that rest is owed, when work may begin again, which shift is "
        "before that, and who could take it." EXITS);
COMMAND(ics, "ics", "print shifts as an iCalendar", span_options,
        "Prints shifts, of all or of a person or team, for a calendar program. Half a year without "
        "other times." EXITS);
COMMAND(digest, "digest", "print what somebody is told of his shifts", span_options,
        "Prints the shifts of --person in the next two weeks, as he is told of them." EXITS);
COMMAND(holidays, "holidays", "list holidays", holidays_options,
        "Prints days that are not like others in a year: public holidays, eves, days that may be "
        "shorter, working days between free ones. The setting oncall.holidays names other ones."
        "\n\nExit status: 0; 2 the command line or a file could not be understood.");
COMMAND(changes, "changes", "list what was changed of shifts", changes_options,
        "Prints overrides, swaps, temporary schedules and absences that are not over." EXITS);
