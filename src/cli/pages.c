/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka oncall pages, ack, escalate, test */
#include <inttypes.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "cli/desk.h"
#include "oncall/read.h"
#include "roster/rows.h"

enum { OUT_MAX = 64 * 1024 * 1024, LISTED = 50 };

struct page_context {
    struct settings settings;
    const char *why;
    bool json, all;
    struct buf body, out;
};

/* ---- pages as people see them ------------------------------------------------------------ */

static void put_incidents(struct buf *out, struct slice page)
{
    struct json_parts it;
    struct slice name, number;
    unsigned n = 0;
    json_parts_init(&it, json_member(page, "incidents"));
    while (json_parts_next(&it, &name, &number)) {
        if (++n > 12) continue;
        buf_puts(out, n > 1 ? ", #" : "#");
        buf_put(out, number);
    }
    if (n > 12) buf_printf(out, " and %u more", n - 12);
    if (slice_eq(json_member(page, "outage"), SLICE("true"))) buf_puts(out, "the watch itself");
    if (slice_eq(json_member(page, "test"), SLICE("true"))) buf_puts(out, "test");
}

/* "page #3  loud  critical  2026-12-23 22:47  incidents #7, #9" */
static void put_page(struct buf *out, struct slice page)
{
    buf_printf(out, "page #%" PRIu64 "  ", json_member_u64(page, "id"));
    desk_put_text(out, page, "state", 20);
    buf_puts(out, "  ");
    desk_put_text(out, page, "level", 20);
    buf_puts(out, "  ");
    desk_put_time(out, page, "begun");
    buf_puts(out, "  ");
    put_incidents(out, page);
    if (slice_eq(json_member(page, "exercise"), SLICE("true"))) buf_puts(out, "  EXERCISE");
    if (json_member_text(page, "ended_by").len) {
        buf_puts(out, "  by ");
        desk_put_text(out, page, "ended_by", 80);
    }
    buf_putc(out, '\n');
}

static void put_attempts(struct buf *out, struct slice notice)
{
    struct json_parts it;
    struct slice name, attempt;
    json_parts_init(&it, json_member(notice, "attempts"));
    while (json_parts_next(&it, &name, &attempt)) {
        static const char *const members[] = {"channel", "address", "provider", "state", "detail"};
        buf_puts(out, "      ");
        desk_put_time(out, attempt, "accepted");
        for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
            buf_puts(out, "  ");
            desk_put_text(out, attempt, members[i], 100);
        }
        buf_putc(out, '\n');
    }
}

static void put_told(struct buf *out, struct slice page)
{
    struct json_parts it;
    struct slice name, notice;
    json_parts_init(&it, json_member(page, "told"));
    while (json_parts_next(&it, &name, &notice)) {
        buf_printf(out, "  step %" PRIu64 "  ", json_member_u64(notice, "step"));
        desk_put_text(out, notice, "name", 40);
        buf_puts(out, "  ");
        desk_put_text(out, notice, "state", 20);
        buf_putc(out, '\n');
        put_attempts(out, notice);
    }
}

static void put_whole_page(struct buf *out, struct slice page)
{
    put_page(out, page);
    put_told(out, page);
}

/* ---- reading ----------------------------------------------------------------------------- */

static int write_list(struct page_context *c, const struct oncall_view *view)
{
    struct oncall_query query = {.open = !c->all, .limit = LISTED};
    struct buf list;
    buf_init(&list, OUT_MAX);
    int error = oncall_write_pages(view, &query, &list);
    struct json_parts it;
    struct slice name, page;
    json_parts_init(&it, buf_slice(&list));
    while (error == 0 && json_parts_next(&it, &name, &page)) {
        if (!c->json) put_page(&c->out, page);
        else buf_put(&c->out, page);
        if (c->json) buf_putc(&c->out, '\n');
    }
    buf_done(&list);
    return error ? error : buf_error(&c->out);
}

static int write_one(struct page_context *c, const struct oncall_view *view, uint64_t id)
{
    struct buf page;
    bool found = false;
    buf_init(&page, OUT_MAX);
    int error = oncall_write_page(view, id, &page, &found);
    if (error == 0 && found && c->json) {
        buf_put(&c->out, buf_slice(&page));
        buf_putc(&c->out, '\n');
    } else if (error == 0 && found) {
        put_whole_page(&c->out, buf_slice(&page));
    }
    buf_done(&page);
    return error ? error : found ? buf_error(&c->out) : ERR_NOT_FOUND;
}

static int read_pages(struct page_context *c, const struct config *config, uint64_t id)
{
    char path[4096];
    struct diag diag = {.line = 0};
    struct oncall_view view = {.tenant = 0};
    int n = snprintf(path, sizeof path, "%s/oncall/oncall.db", config->serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    int error = db_open_reader(path, &view.db, &diag);
    if (error == 0) error = id ? write_one(c, &view, id) : write_list(c, &view);
    db_close(view.db);
    if (error == ERR_NOT_FOUND) cli_say("there is no page %" PRIu64, id);
    else if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    return error;
}

static int pages_main(const struct invocation *in)
{
    struct page_context *c = in->ctx;
    struct config config;
    uint64_t id = 0;
    if (in->n_operands > 1 ||
        (in->n_operands == 1 && (!slice_to_u64(slice_of(in->operands[0]), &id) || !id)))
        return cli_usage("oncall pages takes the number of a page, or nothing");
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0) {
        buf_init(&c->out, OUT_MAX);
        int error = read_pages(c, &config, id);
        if (error == 0) error = desk_print(&c->out, c->json);
        status = error ? EXIT_UNREADABLE : EXIT_RAN;
        buf_done(&c->out);
    }
    config_done(&config);
    return status;
}

/* ---- acts -------------------------------------------------------------------------------- */

static int take_answer(void *ctx, struct slice answer)
{
    struct page_context *c = ctx;
    if (c->json) {
        buf_put(&c->out, answer);
        buf_putc(&c->out, '\n');
    } else {
        put_whole_page(&c->out, answer);
    }
    return desk_print(&c->out, c->json);
}

static int ask(struct page_context *c, const char *kind)
{
    if (c->why) json_write_member_string(&c->body, "why", slice_of(c->why));
    buf_putc(&c->body, '}');
    buf_init(&c->out, OUT_MAX);
    int status =
        ask_act(&c->settings,
                &(struct ask_act){
                    .kind = kind, .body = buf_slice(&c->body), .done = take_answer, .ctx = c});
    buf_done(&c->out);
    buf_done(&c->body);
    return status;
}

static int ask_page(const struct invocation *in, const char *kind)
{
    struct page_context *c = in->ctx;
    uint64_t id;
    if (in->n_operands != 1 || !slice_to_u64(slice_of(in->operands[0]), &id) || !id)
        return cli_usage("%s takes the number of a page", in->command->name);
    buf_init(&c->body, 64 * 1024);
    buf_printf(&c->body, "{\"page\":%" PRIu64, id);
    return ask(c, kind);
}

static int ack_main(const struct invocation *in)
{
    return ask_page(in, "page_ack");
}

static int escalate_main(const struct invocation *in)
{
    return ask_page(in, "page_escalate");
}

static int test_main(const struct invocation *in)
{
    struct page_context *c = in->ctx;
    if (in->n_operands != 1) return cli_usage("oncall test takes one person");
    buf_init(&c->body, 64 * 1024);
    buf_putc(&c->body, '{');
    json_write_member_string(&c->body, "person", slice_of(in->operands[0]));
    return ask(c, "page_test");
}

/* ---- the commands ------------------------------------------------------------------------ */

#define OPTION_JSON                                                                                \
    {                                                                                              \
        'f', "format", "table|json", "What is printed; json: one page a line. Default: table.",    \
            OPTION_CHOICE(struct page_context, json)                                               \
    }

static const struct cli_option pages_options[] = {
    {0, "all", NULL, "Also those that somebody has, or that need nobody any more.",
     OPTION_FLAG(struct page_context, all)},
    OPTION_JSON,
    OPTION_SETTINGS(struct page_context),
};
static const struct cli_option act_options[] = {
    OPTION_JSON,
    OPTION_SETTINGS(struct page_context),
};
static const struct cli_option escalate_options[] = {
    {0, "why", "TEXT", "Why; it is written down.", OPTION_TEXT(struct page_context, why)},
    OPTION_JSON,
    OPTION_SETTINGS(struct page_context),
};

#define EXITS                                                                                      \
    "\n\nExit status: 0; 1 it was refused, or vaka serve is not there; 2 the command line could "  \
    "not be understood."
#define COMMAND(id, operand, text, rows, told)                                                     \
    const struct command command_oncall_##id = {                                                   \
        .name = "oncall " #id,                                                                     \
        .operands = operand,                                                                       \
        .summary = text,                                                                           \
        .description = told EXITS,                                                                 \
        .options = rows,                                                                           \
        .n_options = sizeof rows / sizeof *rows,                                                   \
        .ctx_size = sizeof(struct page_context),                                                   \
        .run = id##_main,                                                                          \
    }

COMMAND(pages, "[NUMBER]", "show who was told of what, and who has it", pages_options,
        "Lists the pages that nobody has yet, the newest first; with a number shows that one: its "
        "steps, whom they told by which provider, and what became of it.");
COMMAND(ack, "NUMBER", "take a page: nobody else is told", act_options,
        "Says that you have all incidents of the page. Nobody else is told, and they are "
        "acknowledged in your name.");
COMMAND(escalate, "NUMBER", "tell the next ones of a page, now", escalate_options,
        "Ends the step at hand and begins the next one.");
COMMAND(test, "PERSON", "send somebody a test by all of his contacts", act_options,
        "Makes a page that is marked as a test, and sends it by each contact of the person (an id "
        "of the plan, or an account). It ends after ten minutes, or when he answers.");
