/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/roster.h"

#include "base/file.h"
#include "base/hint.h"
#include "cli/desk.h"

#define SINCE (800 * CALENDAR_DAY) /* changes of so long ago may be asked for */

/* ---- files ------------------------------------------------------------------------------- */

static int open_calendar(struct roster_files *f)
{
    struct diag diag = {0};
    struct buf text;
    int error = 0;
    const char *path = f->config.oncall_holidays.n ? f->config.oncall_holidays.items[0] : NULL;
    buf_init(&text, CALENDAR_FILE_MAX);
    if (path) error = file_read(path, &text, &diag);
    if (error == 0) error = calendar_new(buf_slice(&text), path, f->now, &f->calendar, &diag);
    buf_done(&text);
    if (error) cli_diag(&diag, diag.message[0] ? "" : error_text(error));
    return error ? EXIT_USAGE : EXIT_RAN;
}

static int open_file(struct roster_files *f, const char *path)
{
    struct diag diag = {0};
    struct buf text;
    buf_init(&text, ROSTER_PLAN_MAX);
    int error = file_read(path, &text, &diag);
    if (error == 0) error = roster_read(buf_slice(&text), path, f->calendar, &f->roster, &diag);
    buf_done(&text);
    if (error) cli_diag(&diag, diag.message[0] ? "" : error_text(error));
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static int open_database(struct roster_files *f)
{
    struct diag diag = {0};
    uint64_t plan = 0;
    const char *path =
        arena_printf(&f->config.arena, "%s/oncall/oncall.db", f->config.serve_folder.items[0]);
    int error = path ? db_open_reader(path, &f->db, &diag) : ERR_NOMEM;
    if (error == 0)
        error = roster_load(f->db, f->calendar, f->now - SINCE, &f->roster, &plan, &diag);
    if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    else if (!f->roster)
        cli_say("there is no plan of who is on call yet: 'vaka oncall plan FILE' gives one "
                "(docs/oncall.md)");
    return error || !f->roster ? EXIT_UNREADABLE : EXIT_RAN;
}

int roster_files_calendar(struct roster_files *f, const struct settings *settings)
{
    const struct clock clock = clock_system();
    *f = (struct roster_files){.now = clock_realtime(&clock)};
    int status = settings_load(settings, &f->config, NULL);
    return status ? status : open_calendar(f);
}

/* ---- times ------------------------------------------------------------------------------- */

static int read_time(const struct roster_files *f, const char *option, const char *text,
                     bool end_of_day, nsec *ret)
{
    const struct when when = {.now = f->now, .zone = f->roster->zone};
    if (!text || (when_parse(slice_of(text), &when, end_of_day, ret) && roster_is_time(*ret)))
        return 0;
    return cli_usage("--%s: '%s' is not a point in time (2026-12-23, \"2026-12-23 21:47\", now)",
                     option, text);
}

static int read_times(struct roster_files *f, const struct roster_said *said, nsec span)
{
    f->at = f->from = f->now;
    int status = read_time(f, "at", said->at, false, &f->at);
    if (status == 0) status = read_time(f, "from", said->from, false, &f->from);
    f->until = f->from + span;
    if (status == 0) status = read_time(f, "until", said->until, true, &f->until);
    if (status == 0 && f->from >= f->until) status = cli_usage("--from is not before --until");
    if (status == 0 && f->until - f->from > 780 * CALENDAR_DAY)
        status = cli_usage("from --from to --until are more than 780 days");
    return status;
}

int roster_files_open(struct roster_files *f, const struct settings *settings,
                      const struct roster_said *said, nsec span)
{
    int status = roster_files_calendar(f, settings);
    if (status == 0) status = said->plan ? open_file(f, said->plan) : open_database(f);
    return status ? status : read_times(f, said, span);
}

void roster_files_close(struct roster_files *f)
{
    roster_free(f->roster);
    db_close(f->db);
    calendar_free(f->calendar);
    config_done(&f->config);
}

/* ---- names ------------------------------------------------------------------------------- */

int roster_files_team(const struct roster_files *f, const char *name,
                      const struct roster_team **ret)
{
    char hinted[HINT_SIZE];
    struct hint hint;
    *ret = name ? roster_team(f->roster, slice_of(name)) : NULL;
    if (!name || *ret) return 0;
    hint_init(&hint, slice_of(name));
    for (uint32_t i = 0; i < f->roster->n_teams; i++) hint_offer(&hint, f->roster->teams[i].id);
    cli_say("the plan has no team '%s'%s", name, hint_text(&hint, hinted));
    return EXIT_UNREADABLE;
}

int roster_files_person(const struct roster_files *f, const char *name,
                        const struct roster_person **ret)
{
    char hinted[HINT_SIZE];
    struct hint hint;
    *ret = name ? roster_person(f->roster, slice_of(name)) : NULL;
    if (!name || *ret) return 0;
    hint_init(&hint, slice_of(name));
    for (uint32_t i = 0; i < f->roster->n_people; i++) hint_offer(&hint, f->roster->people[i].id);
    cli_say("the plan has nobody with the id '%s'%s", name, hint_text(&hint, hinted));
    return EXIT_UNREADABLE;
}

int roster_print(const struct buf *out, bool json, int error)
{
    if (error == 0) error = desk_print(out, json);
    if (error) cli_say("%s", error_text(error));
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}
