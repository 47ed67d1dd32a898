/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka alerts and vaka reload */
#include <inttypes.h>
#include <time.h>

#include "base/json_read.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/ask.h"

struct alerts_context {
    struct settings settings;
    bool follow, json;
    uint64_t after, limit;
    uint64_t id; /* the only one asked for; 0: those after `after` */
    bool found;
};

/* ---- alerts ------------------------------------------------------------------------------ */

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

/* " (VALUE: DESCRIPTION, SOURCE)": which indicator a value is, if it is one. */
static void put_indicator(struct buf *out, struct slice indicator)
{
    static const char *const members[] = {"description", "source"}, *const between[] = {": ", ", "};
    if (indicator.len == 0) return;
    buf_puts(out, " (");
    (void)text_put_visible(out, json_member_text(indicator, "value"), 120);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct slice text = json_member_text(indicator, members[i]);
        if (text.len) buf_puts(out, between[i]);
        (void)text_put_visible(out, text, 120);
    }
    buf_putc(out, ')');
}

static void put_matched(struct buf *out, struct slice matched)
{
    struct json_parts it;
    struct slice name, item;
    int n = 0;
    if (matched.len == 0 || matched.ptr[0] != '[') return;
    json_parts_init(&it, matched);
    while (n < 4 && json_parts_next(&it, &name, &item)) {
        struct slice field = json_member_text(item, "field");
        buf_puts(out, n++ ? "  " : "");
        (void)text_put_visible(out, field, 60);
        if (field.len) buf_putc(out, '=');
        (void)text_put_visible(out, json_member_text(item, "value"), 120);
        put_indicator(out, json_member(item, "indicator"));
    }
}

/* What to do first, a language a line. */
static void put_respond(struct buf *out, struct slice rule)
{
    static const char *const languages[] = {"sv", "en"};
    struct slice respond = json_member(rule, "respond");
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        struct slice text = json_member_text(respond, languages[i]);
        if (text.len == 0) continue;
        buf_printf(out, "    %s: ", languages[i]);
        (void)text_put_visible(out, text, 1024);
        buf_putc(out, '\n');
    }
}

static int print_row(struct alerts_context *c, const struct say_answer *a)
{
    struct slice rule = json_member(a->text, "rule"), time = json_member_text(a->text, "time");
    struct buf out;
    buf_init(&out, 16 * 1024);
    put_local_time(&out, time.len ? time : json_member_text(a->text, "received"));
    buf_puts(&out, "  ");
    text_put_padded(&out, json_member_text(rule, "level"), 13);
    buf_putc(&out, ' ');
    text_put_padded(&out, json_member_text(a->text, "host"), 20);
    buf_putc(&out, ' ');
    (void)text_put_visible(&out, json_member_text(rule, "title"), 100);
    if (a->count > 1) buf_printf(&out, " (%" PRIu64 " times)", a->count);
    buf_printf(&out, "  #%" PRIu64 "\n    ", a->id);
    put_matched(&out, json_member(a->text, "matched"));
    buf_putc(&out, '\n');
    if (c->id) put_respond(&out, rule);
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

/* {"id":…,"count":…, and the alert's own members. */
static int print_json(const struct say_answer *a)
{
    struct buf out;
    if (a->text.len < 2) return ERR_CORRUPT;
    buf_init(&out, 2 * a->text.len * 6 + 256);
    buf_printf(&out, "{\"id\":%" PRIu64 ",\"count\":%" PRIu64 ",", a->id, a->count);
    text_put_lines(&out, slice_from(a->text, 1));
    bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_done(&out);
    return written ? 0 : ERR_IO;
}

/* Asked for one alert, the first that is not before it comes. */
static int print_alert(void *ctx, const struct say_answer *a)
{
    struct alerts_context *c = ctx;
    if (c->id && a->id != c->id) return 0;
    c->found = true;
    return c->json ? print_json(a) : print_row(c, a);
}

static const struct cli_option alerts_options[] = {
    {'F', "follow", NULL, "Go on with those that come, until it is interrupted.",
     OPTION_FLAG(struct alerts_context, follow)},
    {'f', "format", "table|json", "What is printed; json: one object a line. Default: table.",
     OPTION_CHOICE(struct alerts_context, json)},
    {'n', "last", "N", "At most N alerts; with --follow, of those that are there. Default: all.",
     OPTION_NUMBER(struct alerts_context, limit, 1, UINT32_MAX)},
    {0, "after", "ID",
     "Only alerts with a higher id than this: what a reader had last is where it goes on.",
     OPTION_NUMBER(struct alerts_context, after, 0, UINT64_MAX)},
    OPTION_SETTINGS(struct alerts_context),
};

static int alerts_main(const struct invocation *in)
{
    struct alerts_context *c = in->ctx;
    if (in->n_operands > 1) return cli_usage("alerts takes the id of one alert");
    if (in->n_operands == 1) {
        if (c->follow || c->after || c->limit)
            return cli_usage("one alert is asked for: neither --follow, --after nor --last");
        if (!slice_to_u64(slice_of(in->operands[0]), &c->id) || c->id == 0)
            return cli_usage("an alert's id is a number from 1, not '%s'", in->operands[0]);
        c->after = c->id - 1;
        c->limit = 1;
    }
    int status = ask_serve(&c->settings,
                           (struct say_ask){.what = ASK_ALERTS,
                                            .after = c->after,
                                            .limit = (uint32_t)c->limit,
                                            .follow = c->follow},
                           print_alert, c);
    if (status || !c->id || c->found) return status;
    cli_say("there is no alert %" PRIu64, c->id);
    return EXIT_UNREADABLE;
}

const struct command command_alerts = {
    .name = "alerts",
    .operands = "[ID]",
    .summary = "show what vaka serve has found",
    .description =
        "Prints the alerts of the running vaka serve, oldest first. An alert is a rule and what it "
        "was about; the same again within triage.alike is counted with it. With an ID (#17 in the "
        "table is 17) only that alert, and what its rule says is to be done first.\n\n"
        "Exit status: 0; 1 vaka serve does not run, or ended meanwhile, or there is no such alert; "
        "2 the command line could not be understood.",
    .options = alerts_options,
    .n_options = sizeof alerts_options / sizeof *alerts_options,
    .ctx_size = sizeof(struct alerts_context),
    .run = alerts_main,
};

/* ---- reload ------------------------------------------------------------------------------ */

static const struct cli_option reload_options[] = {OPTION_SETTINGS(struct alerts_context)};

static int tell_restart(void *ctx, const struct say_answer *answer)
{
    (void)ctx;
    cli_say("these settings have changed and take effect when vaka serve is started again: %.*s",
            SLICE_FMT(answer->text));
    return 0;
}

static int reload_main(const struct invocation *in)
{
    struct alerts_context *c = in->ctx;
    if (in->n_operands) return cli_usage("reload takes no operands");
    return ask_serve(&c->settings, (struct say_ask){.what = ASK_RELOAD}, tell_restart, NULL);
}

const struct command command_reload = {
    .name = "reload",
    .operands = "",
    .summary = "let vaka serve read its rules, certificate and tokens again",
    .description =
        "The rules before stay in force until the new ones are read, and when those cannot be "
        "read; no record is missed or matched by neither. Certificate, key, authorities (tls.*) "
        "and "
        "tokens (listen.tokens) are those of connections from now on; those that are there go on. "
        "Other settings that have changed are named: they need a new start of vaka serve.",
    .options = reload_options,
    .n_options = sizeof reload_options / sizeof *reload_options,
    .ctx_size = sizeof(struct alerts_context),
    .run = reload_main,
};
