/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka asset import, list, show */
#include <inttypes.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/desk.h"
#include "desk/desk.h"
#include "incident/assets.h"

enum { PAGE = 500, OUT_MAX = 16 * 1024 * 1024 };

struct asset_context {
    struct settings settings;
    bool json, replace;
    struct buf body, out;
};

/* ---- import ------------------------------------------------------------------------------ */

static int put_asset(void *ctx, const struct asset *a)
{
    struct asset_context *c = ctx;
    buf_puts(&c->body, c->body.ptr[c->body.len - 1] == '[' ? "{" : ",{");
    json_write_member_string(&c->body, "host", a->host);
    json_write_member_string(&c->body, "addresses", a->addresses);
    json_write_member_string(&c->body, "service", a->service);
    json_write_member_string(&c->body, "owner", a->owner);
    json_write_member_string(&c->body, "importance",
                             slice_of(asset_importance_word(a->importance)));
    buf_puts(&c->body, a->shared ? ",\"shared\":true}" : ",\"shared\":false}");
    return buf_error(&c->body);
}

static int take_answer(void *ctx, struct slice answer)
{
    struct asset_context *c = ctx;
    if (c->json) buf_put(&c->out, answer);
    else
        buf_printf(&c->out, "%" PRIu64 " assets, %" PRIu64 " removed",
                   json_member_u64(answer, "assets"), json_member_u64(answer, "removed"));
    buf_putc(&c->out, '\n');
    return desk_print(&c->out, c->json);
}

static int read_file(struct asset_context *c, const char *path)
{
    struct diag diag = {0};
    struct buf text;
    buf_init(&text, DESK_BODY_MAX);
    int error = file_read(path, &text, &diag);
    buf_puts(&c->body, "{\"assets\":[");
    if (error == 0) error = assets_read(buf_slice(&text), path, put_asset, c, &diag);
    buf_printf(&c->body, "],\"replace\":%s}", c->replace ? "true" : "false");
    buf_done(&text);
    if (error) cli_diag(&diag, diag.message[0] ? "nothing was changed" : error_text(error));
    return error ? EXIT_UNREADABLE : EXIT_RAN;
}

static int import_main(const struct invocation *in)
{
    struct asset_context *c = in->ctx;
    if (in->n_operands != 1) return cli_usage("asset import takes one file");
    buf_init(&c->body, DESK_BODY_MAX);
    buf_init(&c->out, OUT_MAX);
    int status = read_file(c, in->operands[0]);
    if (status == 0)
        status = ask_act(&c->settings, &(struct ask_act){.kind = "assets",
                                                         .body = buf_slice(&c->body),
                                                         .done = take_answer,
                                                         .ctx = c});
    buf_done(&c->body);
    buf_done(&c->out);
    return status;
}

/* ---- list -------------------------------------------------------------------------------- */

static void put_row(struct buf *out, struct slice asset)
{
    struct json_parts it;
    struct slice name, address;
    struct slice addresses = json_member(asset, "addresses");
    text_put_padded(out, json_member_text(asset, "host"), 24);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(asset, "importance"), 9);
    text_put_padded(out, json_member_text(asset, "service"), 20);
    buf_putc(out, ' ');
    desk_put_text(out, asset, "owner", 40);
    if (slice_eq(json_member(asset, "shared"), SLICE("true"))) buf_puts(out, "  shared");
    json_parts_init(&it, addresses);
    while (json_parts_next(&it, &name, &address)) {
        struct slice inside = SLICE_NONE;
        (void)json_string_inside(address, &inside);
        buf_printf(out, "  %.*s", SLICE_FMT(inside));
    }
    if (json_member_u64(asset, "incidents"))
        buf_printf(out, "  in %" PRIu64 " open incidents", json_member_u64(asset, "incidents"));
    buf_putc(out, '\n');
}

static int print_page(struct asset_context *c, struct slice page, struct buf *text, uint64_t *n)
{
    struct json_parts it;
    struct slice name, asset;
    buf_clear(text);
    json_parts_init(&it, page);
    for (; json_parts_next(&it, &name, &asset); ++*n) {
        if (c->json) buf_put(text, asset);
        if (c->json) buf_putc(text, '\n');
        else put_row(text, asset);
    }
    return desk_print(text, c->json);
}

static int list(struct asset_context *c, struct slice name, uint64_t *n)
{
    struct desk_files files;
    struct desk_page page = {.limit = PAGE};
    struct buf text;
    char cursor[DESK_CURSOR_MAX];
    int status = desk_files_open(&files, &c->settings), error = 0;
    buf_init(&c->out, OUT_MAX);
    buf_init(&text, OUT_MAX);
    do {
        if (status) break;
        memcpy(cursor, page.next, sizeof cursor);
        page.after = slice_of(cursor);
        buf_clear(&c->out);
        error = desk_write_assets(&files.view, name, &page, &c->out);
        if (error == 0) error = print_page(c, buf_slice(&c->out), &text, n);
    } while (error == 0 && page.next[0]);
    if (error) cli_say("the database: %s", db_trouble(files.view.db));
    buf_done(&text);
    buf_done(&c->out);
    desk_files_close(&files);
    return status ? status : error ? EXIT_UNREADABLE : EXIT_RAN;
}

static int list_main(const struct invocation *in)
{
    uint64_t n = 0;
    if (in->n_operands) return cli_usage("asset list takes no operands");
    return list(in->ctx, SLICE_NONE, &n);
}

static int show_main(const struct invocation *in)
{
    struct buf name;
    uint64_t n = 0;
    if (in->n_operands != 1) return cli_usage("asset show takes one name or address");
    buf_init(&name, 4 * NAME_MAX_BYTES);
    (void)name_write(&name, NAME_HOST, slice_of(in->operands[0]));
    int status = list(in->ctx, name.len ? buf_slice(&name) : SLICE("-"), &n);
    buf_done(&name);
    if (status == 0 && n == 0) cli_say("there is no asset '%s'", in->operands[0]);
    return status == 0 && n == 0 ? EXIT_UNREADABLE : status;
}

/* ---- the commands ------------------------------------------------------------------------ */

#define OPTIONS_LAST                                                                               \
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table.",     \
     OPTION_CHOICE(struct asset_context, json)},                                                   \
        OPTION_SETTINGS(struct asset_context)
static const struct cli_option import_options[] = {
    {0, "replace", NULL, "Assets that are not in the file are removed.",
     OPTION_FLAG(struct asset_context, replace)},
    OPTIONS_LAST,
};
static const struct cli_option list_options[] = {OPTIONS_LAST};

const struct command command_asset_import = {
    .name = "asset import",
    .operands = "FILE",
    .summary = "say which computers there are, what they carry and how much they matter",
    .description =
        "Reads CSV (- is standard input) whose first line says which columns there are: host, "
        "address "
        "(several separated by blanks), service, owner, importance (low, normal, high, critical) "
        "and "
        "shared (yes: many have to do with it, so that to name it joins no alerts). Cells are "
        "separated by commas, or by semicolons. What is there already by its host, or by its "
        "address "
        "when it has no host, is changed. All of the file is taken or nothing.\n\n"
        "Exit status: 0; 1 something in the file is wrong, or vaka serve does not run; 2 the "
        "command "
        "line could not be understood.",
    .options = import_options,
    .n_options = sizeof import_options / sizeof *import_options,
    .ctx_size = sizeof(struct asset_context),
    .run = import_main,
};

const struct command command_asset_list = {
    .name = "asset list",
    .operands = "",
    .summary = "list assets",
    .description =
        "Prints all assets, with how many open incidents name them.\n\n"
        "Exit status: 0; 1 the database could not be read; 2 the command line could not be "
        "understood.",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct asset_context),
    .run = list_main,
};

const struct command command_asset_show = {
    .name = "asset show",
    .operands = "NAME",
    .summary = "show whose a computer or an address is",
    .description =
        "Prints the asset that has this name or address.\n\n"
        "Exit status: 0; 1 there is none, or the database could not be read; 2 the command "
        "line could not be understood.",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct asset_context),
    .run = show_main,
};
