/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka incident list and show: read from the database, whether vaka serve runs or not. */
#include <inttypes.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/text.h"
#include "cli/audited.h"
#include "cli/desk.h"
#include "detect/sigma/doc.h"
#include "incident/names.h"

enum {
    PAGE = 200,
    OUT_MAX = 64 * 1024 * 1024,
    POLL_US = 200 * 1000, /* --follow looks so often */
    ALERTS_SHOWN = 20,
};

struct incident_context {
    struct settings settings;
    bool json, all, follow, log, similar;
    uint64_t last, alerts;
    enum desk_state state;
    const char *assignee, *name, *language, *purpose;
    struct desk_files files;
    struct buf out, text;
};

static int begin(struct incident_context *c)
{
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->text, OUT_MAX);
    if (!c->language) c->language = "sv";
    return desk_files_open(&c->files, &c->settings);
}

static int end(struct incident_context *c, int error)
{
    if (error == ERR_INVALID || error == ERR_IO || error == ERR_CORRUPT)
        cli_say("the database: %s", db_trouble(c->files.view.db));
    else if (error) cli_say("%s", error_text(error));
    buf_done(&c->out);
    buf_done(&c->text);
    desk_files_close(&c->files);
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

/* ---- list -------------------------------------------------------------------------------- */

/* One of a list; below level medium only with --all. */
static int print_one(struct incident_context *c, struct slice incident)
{
    buf_clear(&c->text);
    if (c->json) {
        buf_put(&c->text, incident);
        buf_putc(&c->text, '\n');
    } else {
        desk_put_incident(&c->text, incident, c->language);
    }
    return desk_print(&c->text, c->json);
}

static int print_page(struct incident_context *c, uint64_t *left)
{
    struct json_parts it;
    struct slice name, incident;
    int error = 0;
    json_parts_init(&it, buf_slice(&c->out));
    while (error == 0 && *left > 0 && json_parts_next(&it, &name, &incident)) {
        error = print_one(c, incident);
        --*left;
    }
    return error;
}

static int list_all(struct incident_context *c)
{
    struct desk_page page = {.limit = PAGE};
    char cursor[DESK_CURSOR_MAX] = "";
    struct buf name;
    uint64_t left = c->last ? c->last : UINT64_MAX;
    int error;
    buf_init(&name, 4 * NAME_MAX_BYTES);
    if (c->name) name_write_said(&name, slice_of(c->name));
    const struct desk_filter filter = {.state = c->state,
                                       .level = c->all ? LEVEL_NONE : LEVEL_MEDIUM,
                                       .assignee = slice_of(c->assignee),
                                       .name = buf_slice(&name)};
    do {
        memcpy(cursor, page.next, sizeof cursor);
        page.after = slice_of(cursor);
        buf_clear(&c->out);
        error = desk_write_incidents(&c->files.view, &filter, &page, &c->out);
        if (error == 0) error = print_page(c, &left);
    } while (error == 0 && page.next[0] && left > 0);
    buf_done(&name);
    return error;
}

static bool is_wanted(const struct incident_context *c, struct slice incident)
{
    enum sigma_level level = LEVEL_NONE;
    (void)sigma_level_parse(json_member_text(incident, "level"), &level);
    return c->all || level >= LEVEL_MEDIUM;
}

/* Those that change, as they are then; until it is interrupted. */
static int follow(struct incident_context *c, uint64_t after)
{
    for (;;) {
        struct json_parts it;
        struct slice name, change;
        uint64_t last = after;
        buf_clear(&c->out);
        int error = desk_write_news(&c->files.view, after, PAGE, &c->out, &last);
        if (error) return error;
        json_parts_init(&it, buf_slice(&c->out));
        while (error == 0 && json_parts_next(&it, &name, &change)) {
            struct slice incident = json_member(change, "incident");
            if (is_wanted(c, incident)) error = print_one(c, incident);
        }
        if (error) return error;
        if (last == after) (void)usleep(POLL_US);
        after = last;
    }
}

static int list_main(const struct invocation *in)
{
    struct incident_context *c = in->ctx;
    uint64_t number = 0;
    if (in->n_operands) return cli_usage("incident list takes no operands");
    int status = begin(c);
    if (status) {
        (void)end(c, 0);
        return status;
    }
    int error = desk_last_change(&c->files.view, &number);
    if (error == 0) error = list_all(c);
    if (error == 0 && c->follow) error = follow(c, number);
    return end(c, error);
}

/* ---- show -------------------------------------------------------------------------------- */

static void put_times(struct buf *out, struct slice incident)
{
    static const struct {
        const char *member, *label;
    } times[] = {{"first_activity", "first activity"},
                 {"last_activity", "last activity"},
                 {"detected", "detected"},
                 {"notified", "notified"},
                 {"acked", "acknowledged"},
                 {"triaged", "triaged"},
                 {"contained", "contained"},
                 {"closed", "closed"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (json_member_text(incident, times[i].member).len == 0) continue;
        buf_puts(out, "    ");
        text_put_padded(out, slice_of(times[i].label), 18);
        desk_put_time(out, incident, times[i].member);
        buf_putc(out, '\n');
    }
}

static void put_names(struct buf *out, struct slice names)
{
    struct json_parts it;
    struct slice key, item;
    size_t n = 0;
    json_parts_init(&it, names);
    while (n < 20 && json_parts_next(&it, &key, &item)) {
        buf_puts(out, n++ ? ", " : "    names             ");
        (void)text_put_visible(out, json_member_text(item, "kind"), 20);
        buf_putc(out, ' ');
        desk_put_text(out, item, "name", 60);
    }
    if (n) buf_putc(out, '\n');
}

static void put_rules(struct buf *out, struct slice rules, const char *language)
{
    struct json_parts it;
    struct slice key, rule;
    bool swedish = strcmp(language, "sv") == 0;
    json_parts_init(&it, rules);
    while (json_parts_next(&it, &key, &rule)) {
        bool own = swedish && json_member_text(rule, "title_sv").len > 0;
        buf_printf(out, "    %6" PRIu64 "  ", json_member_u64(rule, "alerts"));
        desk_put_text(out, rule, own ? "title_sv" : "title", 100);
        buf_putc(out, '\n');
    }
}

/* "    vatten on scada-ews01, critical, Anna Berg": what it may have an effect on. */
static void put_impact(struct buf *out, struct slice impact)
{
    struct json_parts it;
    struct slice key, asset;
    json_parts_init(&it, impact);
    for (size_t n = 0; json_parts_next(&it, &key, &asset); n++) {
        buf_puts(out, n ? "                      " : "    impact            ");
        desk_put_text(out, asset, "service", 40);
        buf_puts(out, json_member_text(asset, "service").len ? " on " : "");
        desk_put_text(out, asset, "host", 40);
        buf_puts(out, ", ");
        desk_put_text(out, asset, "importance", 10);
        buf_puts(out, json_member_text(asset, "owner").len ? ", " : "");
        desk_put_text(out, asset, "owner", 60);
        buf_putc(out, '\n');
    }
}

static void put_tasks(struct buf *out, struct slice tasks)
{
    struct json_parts it;
    struct slice key, task;
    json_parts_init(&it, tasks);
    while (json_parts_next(&it, &key, &task)) {
        buf_printf(out, "    %s task %" PRIu64 ": ",
                   json_member_text(task, "done").len ? "[x]" : "[ ]", json_member_u64(task, "id"));
        desk_put_text(out, task, "text", 200);
        if (json_member_text(task, "owner").len) buf_puts(out, " - ");
        desk_put_text(out, task, "owner", 60);
        buf_putc(out, '\n');
    }
}

/* "    Incidentanmälan: 14 h left, due 2026-12-26 22:47 (law)". */
static void put_clocks(struct buf *out, struct slice clocks, const char *language)
{
    struct json_parts it;
    struct slice key, clock;
    json_parts_init(&it, clocks);
    while (json_parts_next(&it, &key, &clock)) {
        int64_t left = 0;
        (void)slice_to_i64(json_member(clock, "left_s"), &left);
        bool late = left<0, sent = json_member_text(clock, "sent").len> 0;
        uint64_t minutes = (uint64_t)(late ? -left : left) / 60;
        buf_puts(out, "    ");
        desk_put_text(out, clock, language, 100);
        buf_printf(out, ": %s%" PRIu64 " h %" PRIu64 " min %s, due ", sent ? "sent, " : "",
                   minutes / 60, minutes % 60, late ? "LATE" : "left");
        desk_put_time(out, clock, "due");
        buf_puts(out, " (");
        desk_put_text(out, clock, "law", 100);
        buf_puts(out, ")\n");
    }
}

static void put_whole(struct buf *out, struct slice incident, const char *language)
{
    desk_put_incident(out, incident, language);
    if (json_member_u64(incident, "part_of"))
        buf_printf(out, "    part of #%" PRIu64 "\n", json_member_u64(incident, "part_of"));
    if (json_member_u64(incident, "follows"))
        buf_printf(out, "    follows #%" PRIu64 ", which is closed\n",
                   json_member_u64(incident, "follows"));
    if (slice_eq(json_member(incident, "protected"), SLICE("true")))
        buf_puts(out, "    MAY CONCERN SÄKERHETSSKYDD: nothing is to be written here\n");
    put_times(out, incident);
    if (json_member_text(incident, "disposition").len) {
        buf_puts(out, "    disposition       ");
        desk_put_text(out, incident, "disposition", 40);
        buf_puts(out, ": ");
        desk_put_text(out, incident, "why", 500);
        buf_putc(out, '\n');
    }
    put_names(out, json_member(incident, "names"));
    put_impact(out, json_member(incident, "impact"));
    put_clocks(out, json_member(incident, "clocks"), language);
    put_tasks(out, json_member(incident, "tasks"));
    put_rules(out, json_member(incident, "rules"), language);
}

static void put_alerts(struct buf *out, struct slice alerts)
{
    struct json_parts it;
    struct slice key, row;
    json_parts_init(&it, alerts);
    while (json_parts_next(&it, &key, &row)) {
        struct slice alert = json_member(row, "alert"), rule = json_member(alert, "rule");
        bool timed = json_member_text(alert, "time").len > 0;
        buf_puts(out, "    ");
        desk_put_time(out, alert, timed ? "time" : "received");
        buf_printf(out, "  alert %" PRIu64 "  ", json_member_u64(row, "id"));
        text_put_padded(out, json_member_text(rule, "level"), 14);
        desk_put_text(out, alert, "host", 30);
        buf_puts(out, "  ");
        desk_put_text(out, rule, "title", 80);
        if (json_member_u64(row, "count") > 1)
            buf_printf(out, " (%" PRIu64 " times)", json_member_u64(row, "count"));
        buf_putc(out, '\n');
    }
}

static void put_log(struct buf *out, struct slice log)
{
    struct json_parts it;
    struct slice key, change;
    json_parts_init(&it, log);
    while (json_parts_next(&it, &key, &change)) {
        buf_puts(out, "    ");
        desk_put_time(out, change, "time");
        buf_printf(out, "  %6" PRIu64 "  ", json_member_u64(change, "number"));
        desk_put_text(out, change, "actor", 40);
        buf_puts(out, ": ");
        desk_put_text(out, change, "kind", 20);
        buf_putc(out, ' ');
        (void)text_put_visible(out, json_member(change, "body"), 300);
        if (json_member_text(change, "why").len) buf_puts(out, "\n            ");
        desk_put_text(out, change, "why", 500);
        buf_putc(out, '\n');
    }
}

static void put_similar(struct buf *out, struct slice similar, const char *language)
{
    struct json_parts it, names;
    struct slice key, incident, name;
    json_parts_init(&it, similar);
    while (json_parts_next(&it, &key, &incident)) {
        struct slice common = json_member(incident, "common");
        desk_put_incident(out, incident, language);
        buf_puts(out, "    in common:");
        json_parts_init(&names, common);
        while (json_parts_next(&names, &key, &name)) {
            buf_putc(out, ' ');
            (void)text_put_visible(out, json_member_text(name, "name"), 60);
        }
        buf_putc(out, '\n');
    }
}

typedef int page_fn(const struct desk_view *v, uint64_t id, struct desk_page *page,
                    struct buf *out);

/* All pages of a list, or its first `most` parts, printed by `put` or as JSON of a member. */
static int show_pages(struct incident_context *c, uint64_t id, uint64_t most, page_fn *write,
                      void (*put)(struct buf *out, struct slice list))
{
    struct desk_page page = {0};
    char cursor[DESK_CURSOR_MAX];
    int error;
    do {
        memcpy(cursor, page.next, sizeof cursor);
        page.after = slice_of(cursor);
        page.limit = most < PAGE ? (uint32_t)most : PAGE;
        buf_clear(&c->out);
        buf_clear(&c->text);
        error = write(&c->files.view, id, &page, &c->out);
        if (error) return error;
        if (c->json) text_put_lines(&c->text, buf_slice(&c->out));
        else put(&c->text, buf_slice(&c->out));
        if (c->json) buf_putc(&c->text, '\n');
        error = desk_print(&c->text, false);
        most -= page.limit;
    } while (error == 0 && page.next[0] && most > 0);
    return error;
}

static int show_similar(struct incident_context *c, uint64_t id)
{
    buf_clear(&c->out);
    buf_clear(&c->text);
    int error = desk_write_similar(&c->files.view, id, &c->out);
    if (error) return error;
    if (c->json) text_put_lines(&c->text, buf_slice(&c->out));
    else put_similar(&c->text, buf_slice(&c->out), c->language);
    if (c->json) buf_putc(&c->text, '\n');
    return desk_print(&c->text, false);
}

static int show_parts(struct incident_context *c, uint64_t id)
{
    int error = 0;
    if (c->similar) error = show_similar(c, id);
    else if (c->log) error = show_pages(c, id, UINT64_MAX, desk_write_log, put_log);
    else if (c->alerts || !c->json)
        error =
            show_pages(c, id, c->alerts ? c->alerts : ALERTS_SHOWN, desk_write_alerts, put_alerts);
    return error;
}

static int show_it(struct incident_context *c, uint64_t id)
{
    bool found, list = c->similar || c->log || (c->json && c->alerts);
    int error = desk_write_incident(&c->files.view, id, &c->out, &found);
    if (error) return error;
    if (!found) {
        cli_say("there is no incident %" PRIu64, id);
        return ERR_NOT_FOUND;
    }
    if (c->json) buf_putc(&c->out, '\n');
    else put_whole(&c->text, buf_slice(&c->out), c->language);
    /* With a list, JSON is that list. */
    if (!(c->json && list)) error = desk_print(c->json ? &c->out : &c->text, c->json);
    return error ? error : show_parts(c, id);
}

/* Alerts have records in them. */
static int show_audited(struct incident_context *c, uint64_t id, const char *words)
{
    struct diag diag = {0};
    struct audited audited;
    const char *store = NULL;
    int status = settings_kept(&c->files.config, &store);
    if (status) return ERR_STOPPED;
    const struct audited_look look = {.what = "incident show",
                                      .store = store,
                                      .query = slice_of(words),
                                      .purpose = c->purpose,
                                      .from = INT64_MIN,
                                      .to = INT64_MAX};
    int error = audited_begin(&audited, &c->files.config, &look, &diag);
    if (error) {
        cli_say("%s", diag.message);
        return error;
    }
    error = show_it(c, id);
    audited_end(&audited, error ? "failed" : "whole", error ? 0 : 1);
    return error;
}

static int show_main(const struct invocation *in)
{
    struct incident_context *c = in->ctx;
    uint64_t id;
    if (in->n_operands != 1 || !slice_to_u64(slice_of(in->operands[0]), &id) || id == 0)
        return cli_usage("incident show takes the number of one incident");
    int status = begin(c);
    int error = status ? 0 : show_audited(c, id, in->operands[0]);
    bool told = error == ERR_NOT_FOUND || error == ERR_STOPPED;
    int ended = end(c, told ? 0 : error);
    return status ? status : told ? EXIT_UNREADABLE : ended;
}

/* ---- the commands ------------------------------------------------------------------------ */

static const struct cli_option list_options[] = {
    {0, "state", "open|closed|any", "Which of them. Default: open.",
     OPTION_CHOICE(struct incident_context, state)},
    {'a', "all", NULL, "Also what is below level medium by all that is known of it.",
     OPTION_FLAG(struct incident_context, all)},
    {0, "assignee", "WHO", "Only those that WHO has.",
     OPTION_TEXT(struct incident_context, assignee)},
    {0, "name", "NAME", "Only those that name this user, address, computer or hash.",
     OPTION_TEXT(struct incident_context, name)},
    {'n', "last", "N", "At most N of them. Default: all.",
     OPTION_NUMBER(struct incident_context, last, 1, UINT64_MAX)},
    {'F', "follow", NULL, "Go on with those that change, until it is interrupted.",
     OPTION_FLAG(struct incident_context, follow)},
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table.",
     OPTION_CHOICE(struct incident_context, json)},
    OPTION_LANGUAGE(struct incident_context),
    OPTION_SETTINGS(struct incident_context),
};

const struct command command_incident_list = {
    .name = "incident list",
    .operands = "",
    .summary = "list incidents, what matters most first",
    .description =
        "Prints the incidents that vaka serve made of its alerts, by their score: the level of the "
        "highest alert, more for each tactic of ATT&CK, for several rules, and for what is "
        "important. It is read from the database, whether vaka serve runs or not.\n\n"
        "Exit status: 0; 1 the database could not be read; 2 the command line could not be "
        "understood.",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct incident_context),
    .run = list_main,
};

static const struct cli_option show_options[] = {
    {'A', "alerts", "N", "The first N alerts; json: them alone, an array a page. Default: 20.",
     OPTION_NUMBER(struct incident_context, alerts, 1, UINT64_MAX)},
    {0, "log", NULL, "What was done with it, by whom, when and why, instead of alerts.",
     OPTION_FLAG(struct incident_context, log)},
    {0, "similar", NULL, "Other incidents that name the same, instead of alerts.",
     OPTION_FLAG(struct incident_context, similar)},
    {'f', "format", "table|json", "What is printed. Default: table.",
     OPTION_CHOICE(struct incident_context, json)},
    OPTION_LANGUAGE(struct incident_context),
    OPTION_PURPOSE(struct incident_context),
    OPTION_SETTINGS(struct incident_context),
};

const struct command command_incident_show = {
    .name = "incident show",
    .operands = "ID",
    .summary = "show one incident",
    .description =
        "Prints what an incident is about, what to do first, its times, names, rules, tasks, the "
        "clocks of the law that run, and its alerts. It leaves a line in the audit log.\n\n"
        "Exit status: 0; 1 there is no such incident, or it could not be read; 2 the command line "
        "could not be understood.",
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct incident_context),
    .run = show_main,
};
