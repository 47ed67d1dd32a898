/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka alerts, vaka status and vaka reload: what the running vaka serve is asked. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "serve/client.h"

enum { O_AFTER = OPTION_LONG };

struct ask_context {
    struct settings settings;
    bool follow, json, line;
    uint64_t records; /* that were stored when the status was told last */
    uint64_t after, limit;
};

static int ask(struct ask_context *c, struct say_ask question,
               int (*answer)(void *ctx, const struct say_answer *answer))
{
    struct config config;
    struct diag diag;
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0) {
        int error = client_ask(&(struct client_question){.socket = config.serve_socket.items[0],
                                                         .ask = question,
                                                         .answer = answer,
                                                         .ctx = c},
                               &diag);
        if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
        status = error ? EXIT_UNREADABLE : EXIT_RAN;
    }
    config_done(&config);
    return status;
}

/* ---- alerts ------------------------------------------------------------------------------ */

static struct slice member(struct slice object, const char *name)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value) ? value : SLICE_NONE;
}

/* What stands between the quotes; empty for null and for anything else. */
static struct slice text_member(struct slice object, const char *name)
{
    struct slice inside;
    return json_string_inside(member(object, name), &inside) ? inside : SLICE_NONE;
}

static void put_local_time(struct buf *out, struct slice rfc3339)
{
    nsec t;
    struct tm tm;
    char text[32] = "                   ";
    if (time_parse(rfc3339, 0, &t) && t != TIME_NONE) {
        time_t seconds = (time_t)(t / NSEC_PER_SEC);
        if (localtime_r(&seconds, &tm)) (void)strftime(text, sizeof text, "%F %T", &tm);
    }
    buf_puts(out, text);
}

static void put_matched(struct buf *out, struct slice matched)
{
    struct json_parts it;
    struct slice name, item;
    int n = 0;
    if (matched.len == 0 || matched.ptr[0] != '[') return;
    json_parts_init(&it, matched);
    while (n < 4 && json_parts_next(&it, &name, &item)) {
        struct slice field = text_member(item, "field");
        buf_puts(out, n++ ? "  " : "");
        (void)text_put_visible(out, field, 60);
        if (field.len) buf_putc(out, '=');
        (void)text_put_visible(out, text_member(item, "value"), 120);
    }
}

static int print_row(void *ctx, const struct say_answer *a)
{
    struct slice rule = member(a->text, "rule"), time = text_member(a->text, "time");
    struct buf out;
    (void)ctx;
    buf_init(&out, 16 * 1024);
    put_local_time(&out, time.len ? time : text_member(a->text, "received"));
    buf_puts(&out, "  ");
    text_put_padded(&out, text_member(rule, "level"), 13);
    buf_putc(&out, ' ');
    text_put_padded(&out, text_member(a->text, "host"), 20);
    buf_putc(&out, ' ');
    (void)text_put_visible(&out, text_member(rule, "title"), 100);
    if (a->count > 1) buf_printf(&out, " (%" PRIu64 " times)", a->count);
    buf_puts(&out, "\n    ");
    put_matched(&out, member(a->text, "matched"));
    buf_putc(&out, '\n');
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

/* {"id":…,"count":…, and the alert's own members. */
static int print_json(void *ctx, const struct say_answer *a)
{
    struct buf out;
    (void)ctx;
    if (a->text.len < 2) return ERR_CORRUPT;
    buf_init(&out, 2 * a->text.len * 6 + 256);
    buf_printf(&out, "{\"id\":%" PRIu64 ",\"count\":%" PRIu64 ",", a->id, a->count);
    text_put_lines(&out, slice_from(a->text, 1));
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

static const struct cli_option alerts_options[] = {
    {'F', "follow", NULL, "Go on with those that come, until it is interrupted."},
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table."},
    {'n', "last", "N", "At most N alerts; with --follow, of those that are there. Default: all."},
    {O_AFTER, "after", "ID",
     "Only alerts with a higher id than this: what a reader had last is where it goes on."},
    OPTION_CONFIG,
    OPTION_SET,
};

static int alerts_set(void *ctx, int letter, const char *value)
{
    struct ask_context *c = ctx;
    switch (letter) {
    case 'F':
        c->follow = true;
        return 0;
    case 'f':
        c->json = strcmp(value, "json") == 0;
        c->line = strcmp(value, "line") == 0;
        return 0;
    case 'n':
        return slice_to_u64(slice_of(value), &c->limit) && c->limit > 0 && c->limit <= UINT32_MAX
                   ? 0
                   : cli_usage("--last wants a number from 1, not '%s'", value);
    case O_AFTER:
        return slice_to_u64(slice_of(value), &c->after)
                   ? 0
                   : cli_usage("--after wants an alert's id, not '%s'", value);
    default:
        return settings_option(&c->settings, letter, value);
    }
}

static int alerts_main(const struct invocation *in)
{
    struct ask_context *c = in->ctx;
    if (in->n_operands) return cli_usage("alerts takes no operands");
    return ask(c,
               (struct say_ask){.what = ASK_ALERTS,
                                .after = c->after,
                                .limit = (uint32_t)c->limit,
                                .follow = c->follow},
               c->json ? print_json : print_row);
}

const struct command command_alerts = {
    .name = "alerts",
    .operands = "",
    .summary = "show what vaka serve has found",
    .description =
        "Prints the alerts of the running vaka serve, oldest first. An alert is a rule and what it "
        "was about; the same again within triage.alike is counted with it.\n\n"
        "Exit status: 0; 1 vaka serve does not run, or ended meanwhile; 2 the command line could "
        "not be understood.",
    .options = alerts_options,
    .n_options = sizeof alerts_options / sizeof *alerts_options,
    .ctx_size = sizeof(struct ask_context),
    .option = alerts_set,
    .run = alerts_main,
};

/* ---- status ------------------------------------------------------------------------------ */

static const struct cli_option status_options[] = {
    {'F', "follow", NULL, "Again every second, until it is interrupted."},
    {'f', "format", "table|json|line",
     "What is printed; json: one object a line; line: the figures that matter most. Default: "
     "table."},
    OPTION_CONFIG,
    OPTION_SET,
};

static void put_members(struct buf *out, struct slice object)
{
    struct json_parts it;
    struct slice name, value;
    size_t column = 12;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &name, &value)) {
        if (value.len == 0 || value.ptr[0] == '[' || value.ptr[0] == '{') continue;
        if (column + name.len + value.len + 2 > 96) {
            buf_puts(out, "\n            ");
            column = 12;
        }
        buf_printf(out, "%.*s=", SLICE_FMT(name));
        (void)text_put_visible(out, value, 60);
        buf_puts(out, "  ");
        column += name.len + value.len + 3;
    }
    buf_putc(out, '\n');
}

static void put_lost(struct buf *out, struct slice sums)
{
    struct json_parts it;
    struct slice name, value, lost = member(sums, "lost");
    if (lost.len == 0 || lost.ptr[0] != '{') return;
    json_parts_init(&it, lost);
    while (json_parts_next(&it, &name, &value))
        buf_printf(out, "  lost(%.*s)=%.*s", SLICE_FMT(name), SLICE_FMT(value));
}

static void put_sources(struct buf *out, struct slice sources)
{
    struct json_parts it;
    struct slice name, source;
    if (sources.len == 0 || sources.ptr[0] != '[') return;
    json_parts_init(&it, sources);
    while (json_parts_next(&it, &name, &source)) {
        static const char *const kinds[] = {"records", "requests"};
        struct slice identity = text_member(source, "identity");
        buf_puts(out, "  ");
        text_put_padded(out, text_member(source, "input"), 12);
        (void)text_put_visible(out, text_member(source, "listener"), 40);
        buf_putc(out, ' ');
        (void)text_put_visible(out, identity.len ? identity : text_member(source, "address"), 60);
        for (size_t i = 0; i < 2; i++) {
            struct slice sums = member(source, kinds[i]);
            if (slice_eq(member(sums, "received"), SLICE("0"))) continue;
            buf_printf(out, "  %s: received=%.*s stored=%.*s pending=%.*s", kinds[i],
                       SLICE_FMT(member(sums, "received")), SLICE_FMT(member(sums, "stored")),
                       SLICE_FMT(member(sums, "pending")));
            put_lost(out, sums);
        }
        buf_putc(out, '\n');
    }
}

static uint64_t number_member(struct slice object, const char *name)
{
    uint64_t n;
    return slice_to_u64(member(object, name), &n) ? n : 0;
}

/* One line, over the one before when it is a terminal. */
static void put_line(struct ask_context *c, struct buf *out, struct slice processes)
{
    struct slice store = member(processes, "store"), collect = member(processes, "collect");
    struct slice triage = member(processes, "triage"), detect = member(processes, "detect");
    uint64_t records = number_member(store, "records");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal) buf_puts(out, "\r\033[K");
    if (c->records && records >= c->records)
        buf_printf(out, "%" PRIu64 " records/s, ", records - c->records);
    c->records = records;
    buf_printf(out,
               "%" PRIu64 " records, %" PRIu64 " sources, %" PRIu64 " alerts, %" PRIu64
               " not matched yet, disk %.*s",
               records, number_member(collect, "sources_active"),
               number_member(triage, "alerts_added"), number_member(detect, "behind"),
               SLICE_FMT(text_member(store, "disk")));
    if (!terminal) buf_putc(out, '\n');
}

static int print_status(void *ctx, const struct say_answer *a)
{
    struct ask_context *c = ctx;
    struct json_parts it;
    struct slice name, process, processes = member(a->text, "processes");
    struct buf out;
    buf_init(&out, 4 * a->text.len + 4096);
    if (c->json) {
        text_put_lines(&out, a->text);
        buf_putc(&out, '\n');
    } else if (c->line) {
        put_line(c, &out, processes);
    } else if (processes.len) {
        json_parts_init(&it, processes);
        while (json_parts_next(&it, &name, &process)) {
            text_put_padded(&out, name, 12);
            if (process.ptr[0] == '{') put_members(&out, process);
            else buf_puts(&out, "has not said anything yet\n");
        }
        put_sources(&out, member(member(processes, "collect"), "sources"));
    }
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

static int status_main(const struct invocation *in)
{
    struct ask_context *c = in->ctx;
    if (in->n_operands) return cli_usage("status takes no operands");
    return ask(c, (struct say_ask){.what = ASK_STATUS, .follow = c->follow}, print_status);
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .summary = "show how vaka serve is",
    .description =
        "Prints what each process of the running vaka serve says about itself, and of each source "
        "what was received, stored and lost, with the reasons.\n\n"
        "Exit status: 0; 1 vaka serve does not run; 2 the command line could not be understood.",
    .options = status_options,
    .n_options = sizeof status_options / sizeof *status_options,
    .ctx_size = sizeof(struct ask_context),
    .option = alerts_set,
    .run = status_main,
};

/* ---- reload ------------------------------------------------------------------------------ */

static const struct cli_option reload_options[] = {OPTION_CONFIG, OPTION_SET};

static int reload_main(const struct invocation *in)
{
    struct ask_context *c = in->ctx;
    if (in->n_operands) return cli_usage("reload takes no operands");
    return ask(c, (struct say_ask){.what = ASK_RELOAD}, NULL);
}

const struct command command_reload = {
    .name = "reload",
    .operands = "",
    .summary = "let vaka serve read its rules again",
    .description = "The rules before stay in force until the new ones are read, and when those "
                   "cannot be read; no record is missed or matched by neither.",
    .options = reload_options,
    .n_options = sizeof reload_options / sizeof *reload_options,
    .ctx_size = sizeof(struct ask_context),
    .option = alerts_set,
    .run = reload_main,
};
