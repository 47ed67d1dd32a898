/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka suppression add, list, end */
#include <inttypes.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/desk.h"
#include "desk/desk.h"

enum { PAGE = 500, OUT_MAX = 16 * 1024 * 1024 };

struct suppression_context {
    struct settings settings;
    bool json;
    const char *rule, *name, *owner, *span, *why;
    struct buf body, out;
};

/* ---- asking ------------------------------------------------------------------------------ */

static int take_answer(void *ctx, struct slice answer)
{
    struct suppression_context *c = ctx;
    if (c->json) buf_put(&c->out, answer);
    else buf_printf(&c->out, "suppression %" PRIu64, json_member_u64(answer, "suppression"));
    buf_putc(&c->out, '\n');
    return desk_print(&c->out, c->json);
}

static int ask(struct suppression_context *c, const char *kind)
{
    buf_init(&c->out, OUT_MAX);
    int status =
        ask_act(&c->settings,
                &(struct ask_act){
                    .kind = kind, .body = buf_slice(&c->body), .done = take_answer, .ctx = c});
    buf_done(&c->out);
    return status;
}

static void put_text(struct suppression_context *c, const char *name, const char *value)
{
    if (value) json_write_member_string(&c->body, name, slice_of(value));
}

static int add_main(const struct invocation *in)
{
    struct suppression_context *c = in->ctx;
    const struct clock clock = clock_system();
    nsec span;
    if (in->n_operands) return cli_usage("suppression add takes no operands");
    if (!c->span) return cli_usage("--for says how long it holds: 7d, 12h");
    if (!when_parse_span(slice_of(c->span), &span))
        return cli_usage("--for: '%s' is no span of time such as 7d, 12h", c->span);
    buf_init(&c->body, DESK_BODY_MAX);
    buf_putc(&c->body, '{');
    put_text(c, "rule", c->rule);
    put_text(c, "name", c->name);
    put_text(c, "owner", c->owner ? c->owner : settings_who(NULL));
    put_text(c, "why", c->why);
    json_write_key(&c->body, "expires");
    buf_putc(&c->body, '"');
    time_write_rfc3339(&c->body, clock_realtime(&clock) + span);
    buf_puts(&c->body, "\"}");
    int status = ask(c, "suppress");
    buf_done(&c->body);
    return status;
}

static int end_main(const struct invocation *in)
{
    struct suppression_context *c = in->ctx;
    uint64_t id;
    if (in->n_operands != 1 || !slice_to_u64(slice_of(in->operands[0]), &id) || id == 0)
        return cli_usage("suppression end takes the number of one suppression");
    buf_init(&c->body, DESK_BODY_MAX);
    buf_printf(&c->body, "{\"suppression\":%" PRIu64, id);
    put_text(c, "why", c->why);
    buf_putc(&c->body, '}');
    int status = ask(c, "unsuppress");
    buf_done(&c->body);
    return status;
}

/* ---- list -------------------------------------------------------------------------------- */

static void put_row(struct buf *out, struct slice s)
{
    buf_printf(out, "%-5" PRIu64 " ", json_member_u64(s, "id"));
    text_put_padded(out, json_member_text(s, "state"), 8);
    buf_puts(out, " until ");
    desk_put_time(out, s, "expires");
    buf_printf(out, "  %6" PRIu64 " alerts  ", json_member_u64(s, "alerts"));
    desk_put_text(out, s, "owner", 40);
    buf_puts(out, "\n    ");
    desk_put_text(out, s, "rule", 60);
    buf_puts(out,
             json_member_text(s, "rule").len && json_member_text(s, "name").len ? " about " : "");
    desk_put_text(out, s, "name", 60);
    buf_puts(out, ": ");
    desk_put_text(out, s, "why", 500);
    buf_putc(out, '\n');
}

static int print_page(struct suppression_context *c, struct slice page)
{
    struct json_parts it;
    struct slice name, row;
    buf_clear(&c->body);
    json_parts_init(&it, page);
    while (json_parts_next(&it, &name, &row)) {
        if (c->json) buf_put(&c->body, row);
        if (c->json) buf_putc(&c->body, '\n');
        else put_row(&c->body, row);
    }
    return desk_print(&c->body, c->json);
}

static int list_main(const struct invocation *in)
{
    struct suppression_context *c = in->ctx;
    struct desk_files files;
    struct desk_page page = {.limit = PAGE};
    char cursor[DESK_CURSOR_MAX];
    if (in->n_operands) return cli_usage("suppression list takes no operands");
    int status = desk_files_open(&files, &c->settings), error = 0;
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->body, OUT_MAX);
    do {
        if (status) break;
        memcpy(cursor, page.next, sizeof cursor);
        page.after = slice_of(cursor);
        buf_clear(&c->out);
        error = desk_write_suppressions(&files.view, &page, &c->out);
        if (error == 0) error = print_page(c, buf_slice(&c->out));
    } while (error == 0 && page.next[0]);
    if (error) cli_say("the database: %s", db_trouble(files.view.db));
    buf_done(&c->out);
    buf_done(&c->body);
    desk_files_close(&files);
    return status ? status : error ? EXIT_UNREADABLE : EXIT_RAN;
}

/* ---- the commands ------------------------------------------------------------------------ */

#define OPTIONS_LAST                                                                               \
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table.",     \
     OPTION_CHOICE(struct suppression_context, json)},                                             \
        OPTION_SETTINGS(struct suppression_context)
static const struct cli_option add_options[] = {
    {0, "rule", "ID", "Alerts of this rule.", OPTION_TEXT(struct suppression_context, rule)},
    {0, "name", "NAME", "Alerts that name this user, address, computer or hash; with --rule both.",
     OPTION_TEXT(struct suppression_context, name)},
    {0, "for", "SPAN", "How long it holds, at most a year: 7d, 12h; must be said.",
     OPTION_TEXT(struct suppression_context, span)},
    {0, "why", "TEXT", "Why; must be said.", OPTION_TEXT(struct suppression_context, why)},
    {0, "owner", "WHO", "Who answers for it. Default: you.",
     OPTION_TEXT(struct suppression_context, owner)},
    OPTIONS_LAST,
};
static const struct cli_option list_options[] = {OPTIONS_LAST};
static const struct cli_option end_options[] = {
    {0, "why", "TEXT", "Why, for the log.", OPTION_TEXT(struct suppression_context, why)},
    OPTIONS_LAST,
};

#define EXIT_TEXT                                                                                  \
    "\n\nExit status: 0; 1 it was refused, or could not be asked; 2 the command line could not "   \
    "be "                                                                                          \
    "understood."

const struct command command_suppression_add = {
    .name = "suppression add",
    .operands = "",
    .summary = "keep alerts out of incidents for a while",
    .description =
        "The alerts are there, in 'vaka alerts' as in the database, and are counted with the "
        "suppression; they begin no incident and join none. What is to hold for good is an "
        "exception "
        "of the rule ('vaka rules except')." EXIT_TEXT,
    .options = add_options,
    .n_options = sizeof add_options / sizeof *add_options,
    .ctx_size = sizeof(struct suppression_context),
    .run = add_main,
};

const struct command command_suppression_list = {
    .name = "suppression list",
    .operands = "",
    .summary = "list what keeps alerts out of incidents",
    .description = "The newest first, also those that have ended, with how many alerts each has "
                   "kept out." EXIT_TEXT,
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct suppression_context),
    .run = list_main,
};

const struct command command_suppression_end = {
    .name = "suppression end",
    .operands = "ID",
    .summary = "let alerts make incidents again",
    .description = "From now on; what was kept out stays so." EXIT_TEXT,
    .options = end_options,
    .n_options = sizeof end_options / sizeof *end_options,
    .ctx_size = sizeof(struct suppression_context),
    .run = end_main,
};
