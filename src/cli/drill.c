/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka drill run, stop, list, show */
#include <inttypes.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "base/when.h"
#include "cli/cli.h"
#include "cli/desk.h"
#include "desk/desk.h"
#include "library/files.h"

enum { OUT_MAX = 4 * 1024 * 1024, BODY_LEN_MAX = 4096, POLL_US = 500 * 1000 };
/* Incidents of a drill are those that are found until so long behind its end. */
#define AFTERWARDS (600 * NSEC_PER_SEC)

struct drill_context {
    struct settings settings;
    const char *at;
    uint64_t speed;
    bool json, wait;
    int status;
    struct buf report; /* what the canary's process says of drills */
    struct buf out;
};

/* ---- asking ------------------------------------------------------------------------------ */

static int take_status(void *ctx, const struct say_answer *answer)
{
    struct drill_context *c = ctx;
    buf_clear(&c->report);
    buf_put(&c->report,
            ask_member(ask_member(ask_member(answer->text, "processes"), "canary"), "drills"));
    return buf_error(&c->report);
}

static int ask_report(struct drill_context *c)
{
    int status = ask_serve(&c->settings, (struct say_ask){.what = ASK_STATUS}, take_status, c);
    if (status == 0 && c->report.len == 0) {
        cli_say("the process that has drills does not answer");
        status = EXIT_UNREADABLE;
    }
    return status;
}

static int take_acted(void *ctx, const struct say_answer *answer)
{
    struct drill_context *c = ctx;
    struct buf text;
    if (answer->id == DESK_DONE) return 0;
    buf_init(&text, BODY_LEN_MAX);
    if (json_string_text(ask_member(answer->text, "message"), &text))
        cli_say("%.*s", SLICE_FMT(buf_slice(&text)));
    buf_done(&text);
    c->status = EXIT_UNREADABLE;
    return 0;
}

static int act(struct drill_context *c, const char *kind, struct slice body)
{
    int status = ask_serve(&c->settings,
                           (struct say_ask){.what = ASK_ACT,
                                            .who = slice_of(settings_who(NULL)),
                                            .kind = slice_of(kind),
                                            .body = body},
                           take_acted, c);
    return status ? status : c->status;
}

/* ---- what a drill came to ---------------------------------------------------------------- */

struct drill_report {
    struct slice run; /* as the canary's process says it */
    nsec begun, ended;
    nsec attack;          /* when it begins in the recording */
    nsec event, received; /* of the first alert: what its event says; when that came */
    uint32_t speed;
    struct buf incidents;
};

/* When the attack begins in the recording; `first`, where that is not known. */
static nsec attack_of(struct slice name, nsec first)
{
    struct slice text = SLICE_NONE, line, word, begins;
    nsec time;
    (void)library_file_find(SLICE("taxonomy/drills.tsv"), &text);
    while (text.len > 0) {
        (void)slice_split(text, '\n', &line, &text);
        if (!slice_split(line, '\t', &word, &line) || !slice_eq(word, name)) continue;
        (void)slice_split(line, '\t', &begins, &line);
        if (time_parse(begins, 0, &time)) return time;
    }
    return first;
}

static nsec time_of(struct slice incident, const char *member)
{
    nsec time;
    return time_parse(ask_text(incident, member), 0, &time) ? time : TIME_NONE;
}

/* The first of all incidents; TIME_NONE: it did not happen. */
static nsec first_of(const struct drill_report *p, const char *member)
{
    struct slice name, incident;
    struct json_parts it;
    nsec first = TIME_NONE;
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) {
        nsec time = time_of(incident, member);
        if (time != TIME_NONE && (first == TIME_NONE || time < first)) first = time;
    }
    return first;
}

static const struct {
    const char *member, *label;
} steps[] = {
    {"detected", "detected"},
    {"notified", "paged"},
    {"acked", "acknowledged"},
    {"contained", "contained"},
};

/* On the clock of the recording: what it took since the event that gave the attack away came. */
static nsec clock_at(const struct drill_report *p, nsec time)
{
    return p->event + (time - p->received);
}

static void find_first(struct drill_report *p)
{
    struct slice name, incident;
    struct json_parts it;
    p->event = p->received = TIME_NONE;
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) {
        nsec received = time_of(incident, "first_received");
        if (received == TIME_NONE || (p->received != TIME_NONE && received >= p->received))
            continue;
        p->received = received;
        p->event = time_of(incident, "first_event");
    }
    if (p->event == TIME_NONE) p->event = p->received;
}

static void put_time(struct buf *out, const char *name, nsec time)
{
    json_write_key(out, name);
    if (time == TIME_NONE) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

static void put_steps(struct buf *out, const struct drill_report *p)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        nsec time = first_of(p, steps[i].member);
        json_write_key(out, steps[i].label);
        if (time == TIME_NONE) {
            buf_puts(out, "null");
            continue;
        }
        nsec recorded = clock_at(p, time);
        buf_putc(out, '{');
        put_time(out, "at", time);
        put_time(out, "recorded", recorded);
        json_write_key(out, "after_s");
        buf_printf(out, "%.1f}", (double)(recorded - p->attack) / (double)NSEC_PER_SEC);
    }
}

static void put_json(struct buf *out, const struct drill_report *p)
{
    buf_putc(out, '{');
    json_write_member_u64(out, "id", ask_number(p->run, "id"));
    json_write_member_string(out, "scenario", ask_text(p->run, "scenario"));
    json_write_member_u64(out, "speed", p->speed);
    put_time(out, "begun", p->begun);
    put_time(out, "ended", p->ended ? p->ended : TIME_NONE);
    json_write_member_u64(out, "records", ask_number(p->run, "records"));
    json_write_member_u64(out, "sent", ask_number(p->run, "sent"));
    json_write_member_u64(out, "left_out", ask_number(p->run, "left_out"));
    json_write_member_string(out, "why", ask_text(p->run, "why"));
    put_time(out, "attack_begins", p->attack);
    put_steps(out, p);
    json_write_key(out, "incidents");
    buf_put(out, buf_slice(&p->incidents));
    buf_puts(out, "}\n");
}

static void put_table(struct buf *out, const struct drill_report *p)
{
    struct slice name, incident, why = ask_text(p->run, "why");
    struct json_parts it;
    buf_printf(out, "drill %" PRIu64 ": %.*s, %" PRIu64 " of %" PRIu64 " records sent%s%.*s%s\n",
               ask_number(p->run, "id"), SLICE_FMT(ask_text(p->run, "scenario")),
               ask_number(p->run, "sent"), ask_number(p->run, "records"), why.len ? " (" : "",
               SLICE_FMT(why),
               why.len    ? ")"
               : p->ended ? ""
                          : ", it runs");
    buf_puts(out, "  the attack begins    ");
    if (p->attack != TIME_NONE) time_write_rfc3339(out, p->attack);
    buf_putc(out, '\n');
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        nsec time = first_of(p, steps[i].member);
        buf_puts(out, "  ");
        text_put_padded(out, slice_of(steps[i].label), 21);
        if (time == TIME_NONE) {
            buf_puts(out, "not\n");
            continue;
        }
        nsec recorded = clock_at(p, time);
        time_write_rfc3339(out, recorded);
        buf_printf(out, "  after %.1f s\n", (double)(recorded - p->attack) / (double)NSEC_PER_SEC);
    }
    json_parts_init(&it, buf_slice(&p->incidents));
    while (json_parts_next(&it, &name, &incident)) desk_put_incident(out, incident, "sv");
}

static int read_report(struct drill_context *c, struct drill_report *p)
{
    struct desk_files files;
    nsec until = p->ended ? p->ended : p->begun;
    int status = desk_files_open(&files, &c->settings);
    int error = 0;
    if (!p->ended) until = files.view.now;
    if (status == 0)
        error = desk_write_exercises(&files.view, p->begun, until + AFTERWARDS, &p->incidents);
    desk_files_close(&files);
    if (error) return EXIT_UNREADABLE;
    if (status) return status;
    find_first(p);
    p->attack = attack_of(ask_text(p->run, "scenario"), p->event);
    return EXIT_RAN;
}

static int print_report(struct drill_context *c, struct slice run)
{
    struct drill_report p = {.run = run,
                             .begun = (nsec)ask_number(run, "begun"),
                             .ended = (nsec)ask_number(run, "ended"),
                             .speed = (uint32_t)ask_number(run, "speed")};
    buf_init(&p.incidents, OUT_MAX);
    int status = read_report(c, &p);
    if (status == 0) {
        if (c->json) put_json(&c->out, &p);
        else put_table(&c->out, &p);
        if (fwrite(c->out.ptr, 1, c->out.len, stdout) != c->out.len) status = EXIT_UNREADABLE;
    }
    buf_done(&p.incidents);
    return status;
}

/* The run of that id, or the newest; empty when there is none. */
static struct slice find_run(const struct drill_context *c, uint64_t id)
{
    struct slice runs = ask_member(buf_slice(&c->report), "runs"), name, run, found = SLICE_NONE;
    struct json_parts it;
    if (runs.len == 0 || runs.ptr[0] != '[') return SLICE_NONE;
    json_parts_init(&it, runs);
    while (json_parts_next(&it, &name, &run))
        if (id == 0 || ask_number(run, "id") == id) found = run;
    return found;
}

/* ---- the commands ------------------------------------------------------------------------ */

static void begin(struct drill_context *c)
{
    buf_init(&c->report, OUT_MAX);
    buf_init(&c->out, OUT_MAX);
}

static int end(struct drill_context *c, int status)
{
    buf_done(&c->report);
    buf_done(&c->out);
    return status;
}

static int put_at(struct drill_context *c, struct buf *body)
{
    const struct clock clock = clock_system();
    const struct when when = {.now = clock_realtime(&clock)};
    nsec at;
    if (!c->at) return 0;
    if (!when_parse(slice_of(c->at), &when, false, &at))
        return cli_usage("--at: '%s' is not a point in time (2026-12-23T22:47:00+01:00)", c->at);
    put_time(body, "at", at);
    return 0;
}

static int wait_for_end(struct drill_context *c)
{
    for (;;) {
        int status = ask_report(c);
        struct slice report = buf_slice(&c->report), run = find_run(c, 0);
        if (status) return status;
        bool over = run.len && ask_number(run, "ended") && !ask_number(report, "planned");
        if (over) return print_report(c, run);
        (void)usleep(POLL_US);
    }
}

static int run_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    struct buf body;
    if (in->n_operands != 1) return cli_usage("drill run takes the name of one recording");
    buf_init(&body, BODY_LEN_MAX);
    begin(c);
    buf_putc(&body, '{');
    json_write_member_string(&body, "scenario", slice_of(in->operands[0]));
    if (c->speed) json_write_member_u64(&body, "speed", c->speed);
    int status = put_at(c, &body);
    buf_putc(&body, '}');
    if (status == 0) status = act(c, "drill_run", buf_slice(&body));
    buf_done(&body);
    if (status == 0 && c->wait) status = wait_for_end(c);
    return end(c, status);
}

static int stop_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    if (in->n_operands) return cli_usage("drill stop takes no operands");
    begin(c);
    return end(c, act(c, "drill_stop", SLICE("{}")));
}

static int list_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    struct slice name, run;
    struct json_parts it;
    if (in->n_operands) return cli_usage("drill list takes no operands");
    begin(c);
    int status = ask_report(c);
    if (status == 0 && c->json) {
        (void)printf("%.*s\n", SLICE_FMT(buf_slice(&c->report)));
        return end(c, status);
    }
    struct slice report = buf_slice(&c->report);
    if (status == 0) {
        (void)printf("recordings in %.*s: %.*s\n", SLICE_FMT(ask_text(report, "folder")),
                     SLICE_FMT(ask_member(report, "scenarios")));
        json_parts_init(&it, ask_member(report, "runs"));
        while (json_parts_next(&it, &name, &run)) {
            buf_clear(&c->out);
            time_write_rfc3339(&c->out, (nsec)ask_number(run, "begun"));
            (void)printf(
                "%" PRIu64 "  %.*s  %.*s  %.*s\n", ask_number(run, "id"),
                SLICE_FMT(buf_slice(&c->out)), SLICE_FMT(ask_text(run, "scenario")),
                SLICE_FMT(ask_number(run, "ended") ? ask_text(run, "why") : SLICE("it runs")));
        }
    }
    return end(c, status);
}

static int show_main(const struct invocation *in)
{
    struct drill_context *c = in->ctx;
    uint64_t id = 0;
    if (in->n_operands > 1 || (in->n_operands && !slice_to_u64(slice_of(in->operands[0]), &id)))
        return cli_usage("drill show takes the number of one drill, or none for the last one");
    begin(c);
    int status = ask_report(c);
    struct slice run = status ? SLICE_NONE : find_run(c, id);
    if (status == 0 && run.len == 0) {
        cli_say("there is no such drill");
        return end(c, EXIT_UNREADABLE);
    }
    return end(c, status ? status : print_report(c, run));
}

static const struct cli_option run_options[] = {
    {0, "at", "TIME", "When it is to begin. Default: now.", OPTION_TEXT(struct drill_context, at)},
    {0, "speed", "N",
     "How many times faster than it was recorded. Default: drill.speed of the settings.",
     OPTION_NUMBER(struct drill_context, speed, 1, 100000)},
    {'w', "wait", NULL, "Until it is over, and print what it came to.",
     OPTION_FLAG(struct drill_context, wait)},
    {'f', "format", "table|json", "What is printed with --wait. Default: table.",
     OPTION_CHOICE(struct drill_context, json)},
    OPTION_SETTINGS(struct drill_context),
};
static const struct cli_option show_options[] = {
    {'f', "format", "table|json", "What is printed. Default: table.",
     OPTION_CHOICE(struct drill_context, json)},
    OPTION_SETTINGS(struct drill_context),
};
static const struct cli_option stop_options[] = {OPTION_SETTINGS(struct drill_context)};

#define STATUSES                                                                                   \
    "\n\nExit status: 0; 1 it was refused, or vaka serve does not run; 2 the command "             \
    "line could not be understood."

const struct command command_drill_run = {
    .name = "drill run",
    .operands = "SCENARIO",
    .summary = "send a recorded attack through the watch, as an exercise",
    .description =
        "Sends the records of a recording (drill.folder) the way of all records, at the pace of "
        "the recording or faster. All that they lead to is marked as an exercise: alerts, "
        "incidents and pages, which go out as others do and say so. Nothing of it is counted, or "
        "joined, with what happens." STATUSES,
    .options = run_options,
    .n_options = sizeof run_options / sizeof *run_options,
    .ctx_size = sizeof(struct drill_context),
    .run = run_main,
};
const struct command command_drill_stop = {
    .name = "drill stop",
    .operands = "",
    .summary = "end the drill that runs, or that is planned",
    .description = "No more of the recording is sent. What it led to stays." STATUSES,
    .options = stop_options,
    .n_options = sizeof stop_options / sizeof *stop_options,
    .ctx_size = sizeof(struct drill_context),
    .run = stop_main,
};
const struct command command_drill_list = {
    .name = "drill list",
    .operands = "",
    .summary = "which recordings there are, and the last drills",
    .description = "Prints the recordings of drill.folder, and the last 20 drills." STATUSES,
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct drill_context),
    .run = list_main,
};
const struct command command_drill_show = {
    .name = "drill show",
    .operands = "[ID]",
    .summary = "what a drill came to: time to detect, to page, to acknowledge, to contain",
    .description =
        "Prints of a drill, or of the last one, when its attack was detected, paged for, "
        "acknowledged and contained, on the clock of the recording: the time of the event that "
        "gave "
        "it away, and what it took since that came. A drill at a hundredfold pace shortens the "
        "pauses of the attacker, and nobody else's. And the incidents that it led to." STATUSES,
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct drill_context),
    .run = show_main,
};
