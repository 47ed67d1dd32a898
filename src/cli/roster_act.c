/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka oncall plan, override, swap, temporary, absence, drop, disturbance, undisturbed */
#include <inttypes.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/desk.h"
#include "cli/roster.h"
#include "roster/show.h"

enum { OUT_MAX = 16 * 1024 * 1024, BODY_LEN_MAX = 4 * 1024 * 1024, SHIFTS_MAX = 64 };

struct act_context {
    struct settings settings;
    const char *team, *person, *instead, *from, *until, *with, *with_from, *with_until, *why;
    const char *shifts[SHIFTS_MAX];
    uint64_t n_shifts;
    bool json, english, force;
    struct roster_files files; /* for the plan's zone */
    struct buf body, out;
};

/* ---- asking ------------------------------------------------------------------------------ */

static void put_breaches(struct act_context *c, struct slice answer)
{
    struct json_parts it;
    struct slice name, breach, list = json_member(answer, "breaches");
    if (list.len == 0) return;
    json_parts_init(&it, list);
    while (json_parts_next(&it, &name, &breach)) {
        buf_puts(&c->out, "  ");
        desk_put_text(&c->out, breach, c->english ? "en" : "sv", 1000);
        buf_putc(&c->out, '\n');
    }
}

static void put_moves(struct act_context *c, struct slice answer)
{
    struct json_parts it;
    struct slice name, moved, list = json_member(answer, "moved");
    if (list.len == 0) return;
    json_parts_init(&it, list);
    while (json_parts_next(&it, &name, &moved)) {
        bool gained = slice_eq(json_member(moved, "gained"), SLICE("true"));
        buf_puts(&c->out, gained ? "  + " : "  - ");
        desk_put_text(&c->out, moved, "team", 40);
        buf_puts(&c->out, "  ");
        desk_put_time(&c->out, moved, "from");
        buf_puts(&c->out, " – ");
        desk_put_time(&c->out, moved, "until");
        buf_puts(&c->out, "  ");
        desk_put_text(&c->out, moved, "person", 40);
        buf_putc(&c->out, '\n');
    }
}

static void put_rest(struct act_context *c, struct slice answer)
{
    struct slice rest = json_member(answer, "rest");
    if (rest.len == 0) return;
    buf_printf(&c->out, "rest owed: %" PRIu64 " min", json_member_u64(rest, "owed"));
    if (json_member_text(rest, "earliest").len) {
        buf_puts(&c->out, "; work and shifts begin again ");
        desk_put_time(&c->out, rest, "earliest");
    }
    buf_putc(&c->out, '\n');
}

static void put_done(struct act_context *c, struct slice answer)
{
    static const char *const numbers[] = {"plan", "change", "disturbance"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (json_member_u64(answer, numbers[i]))
            buf_printf(&c->out, "%s #%" PRIu64 "\n", numbers[i],
                       json_member_u64(answer, numbers[i]));
    put_moves(c, answer);
    put_breaches(c, answer);
    put_rest(c, answer);
}

static int take_answer(void *ctx, struct slice answer)
{
    struct act_context *c = ctx;
    if (c->json) buf_put(&c->out, answer);
    else put_done(c, answer);
    if (c->json) buf_putc(&c->out, '\n');
    return desk_print(&c->out, c->json);
}

static void say_breaches(void *ctx, struct slice answer)
{
    struct act_context *c = ctx;
    buf_clear(&c->out);
    put_breaches(c, answer);
    if (c->out.len) (void)fwrite(c->out.ptr, 1, c->out.len, stderr);
}

static int ask(struct act_context *c, const char *kind)
{
    if (c->why) json_write_member_string(&c->body, "why", slice_of(c->why));
    if (c->force) buf_puts(&c->body, ",\"force\":true");
    buf_putc(&c->body, '}');
    if (buf_failed(&c->body)) {
        cli_say("%s", error_text(buf_error(&c->body)));
        return EXIT_UNREADABLE;
    }
    buf_init(&c->out, OUT_MAX);
    int status = ask_act(&c->settings, &(struct ask_act){.kind = kind,
                                                         .body = buf_slice(&c->body),
                                                         .done = take_answer,
                                                         .refused = say_breaches,
                                                         .ctx = c});
    buf_done(&c->out);
    return status;
}

/* ---- members ----------------------------------------------------------------------------- */

static void put_text(struct act_context *c, const char *name, const char *value)
{
    if (value) json_write_member_string(&c->body, name, slice_of(value));
}

/* By the plan's zone. */
static int put_time(struct act_context *c, const char *name, const char *value, bool end_of_day)
{
    const struct when when = {.now = c->files.now, .zone = c->files.roster->zone};
    nsec time;
    if (!value) return 0;
    if (!when_parse(slice_of(value), &when, end_of_day, &time))
        return cli_usage("'%s' is not a point in time (2026-12-23, \"2026-12-23 21:47\", now)",
                         value);
    show_time(&c->body, name, time);
    return 0;
}

static int begin(struct act_context *c, const struct invocation *in)
{
    const struct roster_said said = {0};
    buf_init(&c->body, BODY_LEN_MAX);
    buf_putc(&c->body, '{');
    if (in->n_operands) return cli_usage("%s takes no operands", in->command->name);
    return roster_files_open(&c->files, &c->settings, &said, CALENDAR_DAY);
}

static int end(struct act_context *c, int status, const char *kind)
{
    if (status == 0) status = ask(c, kind);
    roster_files_close(&c->files);
    buf_done(&c->body);
    return status;
}

static int put_span(struct act_context *c)
{
    if (!c->from || !c->until) return cli_usage("--from and --until are missing");
    int status = put_time(c, "from", c->from, false);
    return status ? status : put_time(c, "until", c->until, true);
}

/* ---- acts -------------------------------------------------------------------------------- */

static int print_plan(struct act_context *c)
{
    struct buf text;
    const struct roster_said said = {0};
    buf_init(&text, OUT_MAX);
    buf_init(&c->out, OUT_MAX);
    int status = roster_files_open(&c->files, &c->settings, &said, CALENDAR_DAY);
    int error = status ? 0 : show_plan(c->files.db, &text);
    if (status == 0 && error == 0 && c->json) {
        buf_put(&c->out, buf_slice(&text));
        buf_putc(&c->out, '\n');
    } else if (status == 0 && error == 0) {
        if (!json_string_text(json_member(buf_slice(&text), "text"), &c->out)) error = ERR_CORRUPT;
        buf_putc(&c->out, '\n');
    }
    if (status == 0) status = roster_print(&c->out, c->json, error);
    roster_files_close(&c->files);
    buf_done(&text);
    buf_done(&c->out);
    return status;
}

static int plan_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    struct diag diag = {0};
    struct buf text;
    if (in->n_operands == 0) return print_plan(c);
    if (in->n_operands > 1) return cli_usage("oncall plan takes one file");
    buf_init(&text, ROSTER_PLAN_MAX);
    buf_init(&c->body, BODY_LEN_MAX);
    int error = file_read(in->operands[0], &text, &diag);
    if (error) cli_diag(&diag, "");
    buf_puts(&c->body, "{\"text\":");
    json_write_string(&c->body, buf_slice(&text));
    buf_done(&text);
    int status = error ? EXIT_UNREADABLE : ask(c, "plan");
    buf_done(&c->body);
    return status;
}

static int override_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    int status = begin(c, in);
    put_text(c, "team", c->team);
    put_text(c, "person", c->person);
    put_text(c, "instead", c->instead);
    if (status == 0) status = put_span(c);
    return end(c, status, "override");
}

static int swap_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    int status = begin(c, in);
    put_text(c, "team", c->team);
    put_text(c, "person", c->person);
    put_text(c, "with", c->with);
    if (status == 0) status = put_span(c);
    if (status == 0) status = put_time(c, "with_from", c->with_from, false);
    if (status == 0) status = put_time(c, "with_until", c->with_until, true);
    return end(c, status, "swap");
}

/* PERSON,FROM,UNTIL */
static int put_shift(struct act_context *c, const char *said)
{
    struct slice person, from, until;
    char begins[64], ends[64];
    if (!slice_split(slice_of(said), ',', &person, &until) ||
        !slice_split(until, ',', &from, &until) || !slice_copy(from, begins, sizeof begins) ||
        !slice_copy(until, ends, sizeof ends))
        return cli_usage("--shift is PERSON,FROM,UNTIL, not '%s'", said);
    buf_puts(&c->body, c->body.ptr[c->body.len - 1] == '[' ? "{" : ",{");
    json_write_member_string(&c->body, "person", person);
    int status = put_time(c, "from", begins, false);
    if (status == 0) status = put_time(c, "until", ends, true);
    buf_putc(&c->body, '}');
    return status;
}

static int temporary_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    int status = begin(c, in);
    put_text(c, "team", c->team);
    if (status == 0) status = put_span(c);
    json_write_key(&c->body, "shifts");
    buf_putc(&c->body, '[');
    for (uint64_t i = 0; i < c->n_shifts && status == 0; i++) status = put_shift(c, c->shifts[i]);
    buf_putc(&c->body, ']');
    return end(c, status, "temporary");
}

static int temporary_option(void *ctx, int letter, const char *value)
{
    struct act_context *c = ctx;
    (void)letter;
    if (c->n_shifts == SHIFTS_MAX) return cli_usage("there are more than %d shifts", SHIFTS_MAX);
    c->shifts[c->n_shifts++] = value;
    return 0;
}

static int absence_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    int status = begin(c, in);
    put_text(c, "person", c->person);
    if (status == 0) status = put_span(c);
    return end(c, status, "absence");
}

static int disturbance_main(const struct invocation *in)
{
    struct act_context *c = in->ctx;
    int status = begin(c, in);
    put_text(c, "person", c->person);
    if (status == 0) status = put_time(c, "from", c->from, false);
    if (status == 0) status = put_time(c, "until", c->until, false);
    return end(c, status, "disturbance");
}

/* The number that is the only operand. */
static int ask_number_of(const struct invocation *in, const char *member, const char *kind)
{
    struct act_context *c = in->ctx;
    uint64_t number = 0;
    struct slice said = in->n_operands == 1 ? slice_of(in->operands[0]) : SLICE_NONE;
    if (said.len && said.ptr[0] == '#') said = slice_from(said, 1);
    if (!slice_to_u64(said, &number)) return cli_usage("%s takes one number", in->command->name);
    buf_init(&c->body, BODY_LEN_MAX);
    buf_printf(&c->body, "{\"%s\":%" PRIu64, member, number);
    int status = ask(c, kind);
    buf_done(&c->body);
    return status;
}

static int drop_main(const struct invocation *in)
{
    return ask_number_of(in, "change", "drop");
}

static int undisturbed_main(const struct invocation *in)
{
    return ask_number_of(in, "disturbance", "undisturbed");
}

/* ---- the commands ------------------------------------------------------------------------ */

#define OPTIONS_LAST                                                                               \
    {0, "why", "TEXT", "Why; it is written down.", OPTION_TEXT(struct act_context, why)},          \
        {0, "force", NULL, "Also when it breaks rules of rest; wants --why.",                      \
         OPTION_FLAG(struct act_context, force)},                                                  \
        {'l', "language", "sv|en", "Language of breaches. Default: sv.",                           \
         OPTION_CHOICE(struct act_context, english)},                                              \
        {0, "json", NULL, "Print the answer as JSON.", OPTION_FLAG(struct act_context, json)},     \
        OPTION_SETTINGS(struct act_context)
#define OPTION_TEAM                                                                                \
    {                                                                                              \
        0, "team", "ID", "The team.", OPTION_TEXT(struct act_context, team)                        \
    }
#define OPTION_WHO(text)                                                                           \
    {                                                                                              \
        0, "person", "ID", text, OPTION_TEXT(struct act_context, person)                           \
    }
#define OPTION_TIMES                                                                               \
    {0, "from", "TIME", "From when, by the plan's zone.", OPTION_TEXT(struct act_context, from)},  \
    {                                                                                              \
        0, "until", "TIME", "Until when; a date alone is all of it.",                              \
            OPTION_TEXT(struct act_context, until)                                                 \
    }
#define OWN "Without it who does this, where the plan has his account."

static const struct cli_option plan_options[] = {OPTIONS_LAST};
static const struct cli_option override_options[] = {
    OPTION_TEAM,
    OPTION_WHO("Who takes it. " OWN),
    {0, "instead", "ID", "Only what this person would have. Default: whoever has it.",
     OPTION_TEXT(struct act_context, instead)},
    OPTION_TIMES,
    OPTIONS_LAST,
};
static const struct cli_option swap_options[] = {
    OPTION_TEAM,
    OPTION_WHO("Who gives the first shift away. " OWN),
    OPTION_TIMES,
    {0, "with", "ID", "With whom.", OPTION_TEXT(struct act_context, with)},
    {0, "with-from", "TIME", "From when his shift is.", OPTION_TEXT(struct act_context, with_from)},
    {0, "with-until", "TIME", "Until when.", OPTION_TEXT(struct act_context, with_until)},
    OPTIONS_LAST,
};
static const struct cli_option temporary_options[] = {
    OPTION_TEAM,
    OPTION_TIMES,
    {'s', "shift", "PERSON,FROM,UNTIL", "A shift of it; may be repeated.", OPTION_CALL},
    OPTIONS_LAST,
};
static const struct cli_option absence_options[] = {
    OPTION_WHO("Who is not there. " OWN),
    OPTION_TIMES,
    OPTIONS_LAST,
};
static const struct cli_option disturbance_options[] = {
    OPTION_WHO("Who is disturbed. " OWN),
    {0, "from", "TIME", "It begins. Default without --until: now.",
     OPTION_TEXT(struct act_context, from)},
    {0, "until", "TIME", "It ends; without --from the one that goes on.",
     OPTION_TEXT(struct act_context, until)},
    OPTIONS_LAST,
};

#define EXITS                                                                                      \
    "\n\nExit status: 0; 1 it was refused, or vaka serve is not there; 2 the command line could "  \
    "not be understood."
#define COMMAND(id, operand, text, rows, taker, told)                                              \
    const struct command command_oncall_##id = {                                                   \
        .name = "oncall " #id,                                                                     \
        .operands = operand,                                                                       \
        .summary = text,                                                                           \
        .description = told EXITS,                                                                 \
        .options = rows,                                                                           \
        .n_options = sizeof rows / sizeof *rows,                                                   \
        .ctx_size = sizeof(struct act_context),                                                    \
        .option = taker,                                                                           \
        .run = id##_main,                                                                          \
    }

COMMAND(plan, "[FILE]", "give vaka serve a plan, or print it", plan_options, NULL,
        "Makes FILE the plan of who is on call and what pages whom, at once; without FILE prints "
        "the one in force. A plan is taken whole or not at all: what is wrong is named with its "
        "line, and breaches of rest that were not there before need --force. 'vaka oncall check "
        "--plan FILE' tells more, before.");
COMMAND(override, "", "put somebody on call for a time", override_options, NULL,
        "Puts somebody on call in a team, in place of whoever has it then. Both are told.");
COMMAND(swap, "", "exchange two shifts", swap_options, NULL,
        "What one has in the first span the other takes, and the other way round in the second.");
COMMAND(temporary, "", "replace a team's rotations for a time", temporary_options, temporary_option,
        "In that span only the shifts that are named count. What none of them covers is a gap.");
COMMAND(absence, "", "say that somebody is not there", absence_options, NULL,
        "His turns in rotations are the next one's then, in every team.");
COMMAND(drop, "NUMBER", "take a change back", plan_options, NULL,
        "Takes an override, a swap, a temporary schedule or an absence back, by its number.");
COMMAND(disturbance, "", "write down a disturbance of somebody on call", disturbance_options, NULL,
        "Writes down when somebody on call was disturbed, and says which rest that leaves owed, "
        "and who could take the shift that comes too early.");
COMMAND(undisturbed, "NUMBER", "take a disturbance back", plan_options, NULL,
        "Takes a disturbance back that was written down by mistake, by its number.");
