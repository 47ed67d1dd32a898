/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka audit */
#include "audit/audit.h"

#include <inttypes.h>

#include "base/json_read.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/ask.h"
#include "cli/settings.h"

enum { LINE_MAX_BYTES = 16 * 1024 * 1024 };

struct audit_context {
    struct settings settings;
    const char *from, *to;
    bool json;
    struct buf out, shown;
};

static void put_span(struct buf *out, struct slice line)
{
    static const char *const bounds[] = {"from", "to"};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct slice time = json_member_text(line, bounds[i]);
        if (time.len == 0) continue;
        buf_printf(out, "  %s ", bounds[i]);
        (void)text_put_visible(out, slice_until(time, 19), 19);
    }
}

static void put_text(struct buf *out, struct slice line, struct slice end)
{
    struct slice user = json_member_text(line, "user"), login = json_member_text(line, "login");
    (void)text_put_visible(out, slice_until(json_member_text(line, "time"), 19), 19);
    buf_puts(out, "  ");
    text_put_padded(out, user, 12);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(line, "what"), 16);
    if (end.len) buf_printf(out, " %10" PRIu64 " found, ", json_member_u64(end, "found"));
    (void)text_put_visible(out, end.len ? json_member_text(end, "end") : SLICE("has not ended"),
                           40);
    put_span(out, line);
    if (login.len && !slice_eq(login, user)) {
        buf_puts(out, "  login ");
        (void)text_put_visible(out, login, 64);
    }
    buf_puts(out, "\n    ");
    (void)text_put_visible(out, json_member_text(line, "query"), 1000);
    struct slice purpose = json_member_text(line, "purpose");
    if (purpose.len) buf_puts(out, "\n    purpose: ");
    (void)text_put_visible(out, purpose, 1000);
    buf_putc(out, '\n');
}

static int on_entry(void *ctx, struct slice line, struct slice end)
{
    struct audit_context *c = ctx;
    buf_clear(&c->out);
    buf_clear(&c->shown);
    if (c->json) audit_write_json(&c->out, line, end);
    else put_text(&c->out, line, end);
    text_put_lines(&c->shown, buf_slice(&c->out));
    if (buf_failed(&c->out) || buf_failed(&c->shown)) return ERR_LIMIT;
    return fwrite(c->shown.ptr, 1, c->shown.len, stdout) == c->shown.len ? 0 : ERR_IO;
}

static int read_times(const struct audit_context *c, nsec *ret_from, nsec *ret_to)
{
    const struct clock clock = clock_system();
    const struct when when = {.now = clock_realtime(&clock)};
    *ret_from = INT64_MIN;
    *ret_to = INT64_MAX;
    if (c->from && !when_parse(slice_of(c->from), &when, false, ret_from))
        return cli_usage("--from: '%s' is not a point in time", c->from);
    if (c->to && !when_parse(slice_of(c->to), &when, true, ret_to))
        return cli_usage("--to: '%s' is not a point in time", c->to);
    return *ret_from < *ret_to ? 0 : cli_usage("--from is not before --to");
}

static int read_log(struct audit_context *c, const struct config *config, nsec from, nsec to)
{
    struct diag diag = {0};
    uint64_t damaged = 0;
    buf_init(&c->out, LINE_MAX_BYTES);
    buf_init(&c->shown, 4 * (size_t)LINE_MAX_BYTES);
    int error = audit_read(config->serve_folder.items[0], from, to, c, on_entry, &damaged, &diag);
    buf_done(&c->out);
    buf_done(&c->shown);
    if (error) cli_say("%s", diag.message[0] ? diag.message : error_text(error));
    if (damaged) cli_say("%" PRIu64 " lines of the audit log are damaged", damaged);
    return error || damaged ? EXIT_UNREADABLE : EXIT_RAN;
}

static int audit_run(const struct invocation *in)
{
    struct audit_context *c = in->ctx;
    struct config config;
    nsec from, to;
    if (in->n_operands) return cli_usage("audit takes no operands");
    int status = read_times(c, &from, &to);
    if (status) return status;
    status = settings_load(&c->settings, &config, NULL);
    if (status == 0) status = read_log(c, &config, from, to);
    config_done(&config);
    return status;
}

static const struct cli_option audit_options[] = {
    {0, "from", "TIME",
     "Only what began at or after this time: 2026-12-23, 2026-12-23T21:47:00+01:00, or before now "
     "as in -7d, -12h.",
     OPTION_TEXT(struct audit_context, from)},
    {0, "to", "TIME", "Only what began before this time; a date is its end.",
     OPTION_TEXT(struct audit_context, to)},
    {'f', "format", "table|json", "Lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct audit_context, json)},
    OPTION_SETTINGS(struct audit_context),
};

const struct command command_audit = {
    .name = "audit",
    .operands = "",
    .summary = "tell who looked at the records, for what and when",
    .description =
        "Tells the audit log of serve.folder in the order in which things ended: every search, "
        "export, look with vaka store cat and try of rules on the stored records, with who it was "
        "(and who had logged in), what was asked, of what time, how much was found, and the "
        "purpose that was given. What has no end was broken off, or goes on.\n\n"
        "Exit status: 0 it was read; 1 it was not, or lines of it are damaged; 2 the command line "
        "could not be understood.",
    .options = audit_options,
    .n_options = sizeof audit_options / sizeof *audit_options,
    .ctx_size = sizeof(struct audit_context),
    .run = audit_run,
};
