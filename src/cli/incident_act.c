/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka incident ack, assign, note and the others: acts of desk/desk.h, told to vaka serve. */
#include <inttypes.h>

#include "base/file.h"
#include "base/json_write.h"
#include "cli/desk.h"
#include "desk/desk.h"
#include "store/sha256.h"

static const size_t evidence_file_max = (size_t)1 << 30;

struct act_context {
    struct settings settings;
    bool json, nobody;
    const char *why, *at, *protected, *owner, *as, *concerns, *value, *reference, *language, *file;
    uint64_t done, instead;
    struct buf body, text;
};

/* ---- the body ---------------------------------------------------------------------------- */

static void put_text(struct act_context *c, const char *name, const char *value)
{
    if (value) json_write_member_string(&c->body, name, slice_of(value));
}

static void put_bool(struct act_context *c, const char *name, const char *yes_or_no)
{
    if (!yes_or_no) return;
    json_write_key(&c->body, name);
    buf_puts(&c->body, strcmp(yes_or_no, "yes") == 0 ? "true" : "false");
}

static void put_number(struct act_context *c, const char *name, uint64_t value)
{
    if (value) json_write_member_u64(&c->body, name, value);
}

static int put_operand_number(struct act_context *c, const char *name, const char *value)
{
    uint64_t n;
    if (!slice_to_u64(slice_of(value), &n) || n == 0)
        return cli_usage("this is no number from 1: '%s'", value);
    put_number(c, name, n);
    return 0;
}

/* "false_positive" of "false-positive". */
static void put_word(struct act_context *c, const char *name, const char *value)
{
    char word[32];
    size_t n = 0;
    if (!value) return;
    for (; value[n] && n < sizeof word - 1; n++) word[n] = value[n] == '-' ? '_' : value[n];
    json_write_member_string(&c->body, name, slice_make(word, n));
}

/* ---- asking ------------------------------------------------------------------------------ */

static int take_answer(void *ctx, struct slice answer)
{
    struct act_context *c = ctx;
    buf_clear(&c->text);
    if (c->json) buf_put(&c->text, answer);
    if (c->json) buf_putc(&c->text, '\n');
    else desk_put_incident(&c->text, answer, c->language);
    return desk_print(&c->text, c->json);
}

static int ask(struct act_context *c, const char *kind)
{
    put_text(c, "why", c->why);
    put_text(c, "at", c->at);
    put_bool(c, "protected", c->protected);
    buf_putc(&c->body, '}');
    if (buf_failed(&c->body)) return cli_usage("this is too long");
    return ask_act(&c->settings, &(struct ask_act){.kind = kind,
                                                   .body = buf_slice(&c->body),
                                                   .swedish = strcmp(c->language, "sv") == 0,
                                                   .done = take_answer,
                                                   .ctx = c});
}

/* ---- operands ---------------------------------------------------------------------------- */

/* What stands behind the incident's number. */
enum operands {
    NOTHING,
    WHO,
    TEXT,
    TEXT_OR_DONE,
    NUMBER_WITH,
    NUMBER_CHANGE,
    NUMBERS,
    CLOCK,
    RECORDS
};

/* "-": from standard input, so that it stands in no list of processes. */
static int put_said(struct act_context *c, const char *said)
{
    struct diag diag = {0};
    struct buf text;
    int status = 0;
    buf_init(&text, DESK_BODY_MAX / 2);
    if (strcmp(said, "-") != 0) buf_puts(&text, said);
    else if (file_read("-", &text, &diag) != 0) status = EXIT_UNREADABLE;
    if (status) cli_diag(&diag, "");
    else json_write_member_string(&c->body, "text", buf_slice(&text));
    buf_done(&text);
    return status;
}

static int put_numbers(struct act_context *c, char **operands, size_t n)
{
    json_write_key(&c->body, "alerts");
    buf_putc(&c->body, '[');
    for (size_t i = 0; i < n; i++) {
        uint64_t id;
        if (!slice_to_u64(slice_of(operands[i]), &id) || id == 0)
            return cli_usage("this is no number of an alert: '%s'", operands[i]);
        buf_printf(&c->body, "%s%" PRIu64, i ? "," : "", id);
    }
    buf_putc(&c->body, ']');
    return 0;
}

/* What identifies the file that was taken out with them. */
static int put_sha256(struct act_context *c, const char *path)
{
    struct diag diag = {0};
    struct buf file;
    struct sha256 hash;
    if (!path) return 0;
    buf_init(&file, evidence_file_max);
    int error = file_read(path, &file, &diag);
    if (error) cli_diag(&diag, "");
    else sha256_many(&(struct sha256_message){.body = buf_slice(&file)}, 1, &hash);
    buf_done(&file);
    if (error) return EXIT_UNREADABLE;
    json_write_key(&c->body, "sha256");
    buf_putc(&c->body, '"');
    for (size_t i = 0; i < SHA256_SIZE; i++) buf_printf(&c->body, "%02x", hash.bytes[i]);
    buf_putc(&c->body, '"');
    return 0;
}

static int put_records(struct act_context *c, char **operands)
{
    static const char *const members[] = {"first", "last"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t n;
        if (!slice_to_u64(slice_of(operands[i]), &n))
            return cli_usage("this is no number of a record: '%s'", operands[i]);
        json_write_member_u64(&c->body, members[i], n);
    }
    int status = put_said(c, operands[2]);
    return status ? status : put_sha256(c, c->file);
}

static int put_operands(struct act_context *c, const struct invocation *in, enum operands what)
{
    const bool none =
        what == NOTHING || (what == WHO && c->nobody) || (what == TEXT_OR_DONE && c->done);
    size_t n = in->n_operands ? in->n_operands - 1 : 0;
    const size_t most = what == NUMBERS ? SIZE_MAX : what == RECORDS ? 3 : 1;
    const size_t least = none ? 0 : what == RECORDS ? 3 : 1;
    if (in->n_operands == 0 || n < least || n > (none ? 0 : most))
        return cli_usage("%s takes %s", in->command->name, in->command->operands);
    int status = put_operand_number(c, "incident", in->operands[0]);
    if (status || none) {
        if (what == WHO) json_write_key(&c->body, "to");
        if (what == WHO) buf_puts(&c->body, "null");
        return status;
    }
    switch (what) {
    case WHO:
        put_text(c, "to", in->operands[1]);
        return 0;
    case TEXT:
    case TEXT_OR_DONE:
        return put_said(c, in->operands[1]);
    case NUMBER_WITH:
        return put_operand_number(c, "with", in->operands[1]);
    case NUMBER_CHANGE:
        return put_operand_number(c, "change", in->operands[1]);
    case NUMBERS:
        return put_numbers(c, in->operands + 1, n);
    case CLOCK:
        put_text(c, "clock", in->operands[1]);
        return 0;
    case RECORDS:
        return put_records(c, in->operands + 1);
    case NOTHING:
        break;
    }
    return 0;
}

static int run_act(const struct invocation *in, const char *kind, enum operands what)
{
    struct act_context *c = in->ctx;
    buf_init(&c->body, DESK_BODY_MAX);
    buf_init(&c->text, 16 * 1024 * 1024);
    if (!c->language) c->language = "sv";
    buf_putc(&c->body, '{');
    int status = put_operands(c, in, what);
    put_text(c, "owner", c->owner);
    put_number(c, "task", c->done);
    put_number(c, "instead", c->instead);
    put_word(c, "disposition", c->as);
    put_bool(c, "concerns", c->concerns);
    put_bool(c, "value", c->value);
    put_text(c, "reference", c->reference);
    if (status == 0) status = ask(c, c->done ? "task_done" : kind);
    buf_done(&c->body);
    buf_done(&c->text);
    return status;
}

/* ---- options ----------------------------------------------------------------------------- */

#define OPTION_WHY                                                                                 \
    {                                                                                              \
        0, "why", "TEXT", "Why, for the log of the incident.",                                     \
            OPTION_TEXT(struct act_context, why)                                                   \
    }
#define OPTION_AT                                                                                  \
    {                                                                                              \
        0, "at", "TIME", "When it was, as 2026-12-23T21:47:00+01:00. Default: now.",               \
            OPTION_TEXT(struct act_context, at)                                                    \
    }
#define OPTION_PROTECTED                                                                           \
    {                                                                                              \
        0, "protected", "yes|no",                                                                  \
            "Whether the incident may concern säkerhetsskydd; to be said once, before anything "  \
            "is "                                                                                  \
            "written about it. What may, must not be written here.",                               \
            OPTION_TEXT(struct act_context, protected)                                             \
    }
#define OPTIONS_LAST                                                                               \
    {'f', "format", "table|json", "What is printed: the incident as it is then. Default: table.",  \
     OPTION_CHOICE(struct act_context, json)},                                                     \
        OPTION_LANGUAGE(struct act_context), OPTION_SETTINGS(struct act_context)

#define EXIT_TEXT                                                                                  \
    "\n\nExit status: 0 it is done and durable; 1 it was refused, or vaka serve does not run; 2 "  \
    "the command line could not be understood."

/* id, name of the act, operands as they are told, what they are, summary, description, options */
#define INCIDENT_COMMAND(id, words, what, shown, line, text, ...)                                  \
    static const struct cli_option id##_options[] = {__VA_ARGS__ OPTIONS_LAST};                    \
    static int id##_main(const struct invocation *in)                                              \
    {                                                                                              \
        return run_act(in, #id, what);                                                             \
    }                                                                                              \
    const struct command command_incident_##id = {                                                 \
        .name = "incident " words,                                                                 \
        .operands = shown,                                                                         \
        .summary = line,                                                                           \
        .description = text EXIT_TEXT,                                                             \
        .options = id##_options,                                                                   \
        .n_options = sizeof id##_options / sizeof *id##_options,                                   \
        .ctx_size = sizeof(struct act_context),                                                    \
        .run = id##_main,                                                                          \
    };

/* clang-format off */
INCIDENT_COMMAND(ack, "ack", NOTHING, "ID", "say that you have seen an incident",
    "The time is kept. An incident that nobody has is yours from then on.",
    OPTION_AT,)
INCIDENT_COMMAND(assign, "assign", WHO, "ID WHO", "give an incident to somebody",
    "WHO has it from now on.",
    {0, "nobody", NULL, "Nobody has it from now on; without WHO.", OPTION_FLAG(struct act_context, nobody)},)
INCIDENT_COMMAND(note, "note", TEXT, "ID TEXT", "write a note about an incident",
    "TEXT - is read from standard input. A note is never changed: a better one names it.",
    {0, "instead", "NUMBER", "Of the note that this one takes the place of.", OPTION_NUMBER(struct act_context, instead, 1, UINT64_MAX)},
    OPTION_PROTECTED,)
INCIDENT_COMMAND(task, "task", TEXT_OR_DONE, "ID TEXT", "say what is to be done about an incident",
    "Adds a task, or with --done and without TEXT says that one is done.",
    {0, "owner", "WHO", "Who is to do it.", OPTION_TEXT(struct act_context, owner)},
    {0, "done", "TASK", "The number of the task that is done.", OPTION_NUMBER(struct act_context, done, 1, UINT64_MAX)},
    OPTION_PROTECTED,)
INCIDENT_COMMAND(evidence, "evidence", RECORDS, "ID FIRST LAST TEXT", "say which records prove something",
    "Records by their numbers in the store, the first and the last of them, and what they show. Who took "
    "them and when is kept. 'vaka export evidence' takes them out with their proofs.",
    {0, "file", "FILE", "What was taken out: its SHA-256 is kept.", OPTION_TEXT(struct act_context, file)},
    OPTION_PROTECTED,)
INCIDENT_COMMAND(triage, "triage", NOTHING, "ID", "say that an incident was judged",
    "The time is kept.",
    OPTION_AT,)
INCIDENT_COMMAND(contain, "contain", NOTHING, "ID", "say that an attack was stopped",
    "The time is kept.",
    OPTION_AT,)
INCIDENT_COMMAND(close, "close", NOTHING, "ID", "close an incident",
    "Nothing joins it any more: alerts that name the same begin an incident that follows it.",
    {0, "as", "true-positive|benign|false-positive|undetermined", "What it was; must be said.", OPTION_TEXT(struct act_context, as)},
    OPTION_WHY, OPTION_PROTECTED,)
INCIDENT_COMMAND(reopen, "reopen", NOTHING, "ID", "open a closed incident again",
    "How and when it was closed stays in its log.",
    OPTION_WHY, OPTION_PROTECTED,)
INCIDENT_COMMAND(merge, "merge", NUMBER_WITH, "ID OTHER", "make one incident part of another",
    "OTHER is part of ID from then on, with all that it has. 'vaka incident undo' parts them again.",
    OPTION_WHY, OPTION_PROTECTED,)
INCIDENT_COMMAND(split, "split", NUMBERS, "ID ALERT...", "make an incident of some alerts of one",
    "The alerts by their numbers become an incident, and names that only they have lead there. Both "
    "are not joined again by themselves.",
    OPTION_WHY, OPTION_PROTECTED,)
INCIDENT_COMMAND(undo, "undo", NUMBER_CHANGE, "ID CHANGE", "take back what was done to an incident",
    "CHANGE is a number of 'vaka incident show --log ID'. What was done and that it was undone stay in "
    "the log.",
    OPTION_WHY, OPTION_PROTECTED,)
INCIDENT_COMMAND(protect, "protect", NOTHING, "ID", "say whether an incident may concern säkerhetsskydd",
    "What may concern säkerhetsskydd must not be written into this system: no note, no task, no "
    "reason is taken then. It is asked before the first of them.",
    {0, "concerns", "yes|no", "Whether it may; must be said.", OPTION_TEXT(struct act_context, concerns)},)
INCIDENT_COMMAND(aware, "aware", NOTHING, "ID", "say when the organisation became aware of an incident",
    "Clocks of the law run from then, until it is judged not to be significant.",
    OPTION_AT,)
INCIDENT_COMMAND(significant, "significant", NOTHING, "ID", "judge whether an incident is significant",
    "By cybersäkerhetslagen (2025:1506). A later judgement takes the place of one before; the log has "
    "both.",
    {0, "value", "yes|no", "Whether it is; must be said.", OPTION_TEXT(struct act_context, value)},
    OPTION_WHY, OPTION_AT, OPTION_PROTECTED,)
INCIDENT_COMMAND(breach, "breach", NOTHING, "ID", "judge whether personal data was breached",
    "The clock towards IMY runs from when the organisation became aware of it.",
    {0, "value", "yes|no", "Whether it was; must be said.", OPTION_TEXT(struct act_context, value)},
    OPTION_WHY, OPTION_AT, OPTION_PROTECTED,)
INCIDENT_COMMAND(report, "report", CLOCK, "ID CLOCK", "say that a report to an authority was sent",
    "CLOCK is one of those that 'vaka incident show -f json' names: upplysning, incidentanmalan, "
    "slutrapport, imy. It stops, and what begins with it begins.",
    {0, "reference", "TEXT", "The number that the authority gave.", OPTION_TEXT(struct act_context, reference)},
    OPTION_AT, OPTION_PROTECTED,)
/* clang-format on */
