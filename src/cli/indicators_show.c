/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka indicators list, show */
#include <inttypes.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/ask.h"
#include "cli/indicators.h"
#include "cli/rules_library.h"

enum { ABOUT_MAX = 64 * 1024, PRINT_AT = 1024 * 1024 };
enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

struct show_context {
    struct settings settings;
    enum form form;
};

/* ---- list -------------------------------------------------------------------------------- */

static void put_about(struct buf *out, struct slice about)
{
    text_put_padded(out, json_member_text(about, "list"), 24);
    buf_putc(out, ' ');
    text_put_padded(out, json_member_text(about, "level"), 13);
    buf_printf(out, " %8" PRIu64 " indicators, imported ", json_member_u64(about, "indicators"));
    (void)text_put_visible(out, slice_until(json_member_text(about, "imported"), 16), 16);
    buf_puts(out, " by ");
    (void)text_put_visible(out, json_member_text(about, "by"), 64);
    buf_puts(out, " from ");
    (void)text_put_visible(out, json_member_text(about, "from"), 120);
    buf_putc(out, '\n');
}

static int put_list(struct rules_work *w, const char *name, enum form form, struct diag *diag)
{
    struct library_name version;
    struct buf about;
    if (!library_current(&w->library, name, &version)) return 0;
    buf_init(&about, ABOUT_MAX);
    int error = library_about(&w->library, name, version.text, &about, diag);
    if (error == 0 && form == FORM_JSON) text_put_lines(&w->out, buf_slice(&about));
    else if (error == 0) put_about(&w->out, buf_slice(&about));
    buf_done(&about);
    return error;
}

static int list_run(const struct invocation *in)
{
    const struct show_context *c = in->ctx;
    struct rules_work work;
    struct library_list names;
    struct diag diag = {0};
    if (in->n_operands) return cli_usage("indicators list takes no operands");
    int status = rules_work_enter_folder(&work, &c->settings, RULESET_INDICATORS, false);
    if (status == 0) {
        int error = library_sets(&work.library, &names, &diag);
        for (uint32_t i = 0; i < names.n && error == 0; i++)
            error = put_list(&work, names.items[i].text, c->form, &diag);
        library_list_done(&names);
        if (error) status = rules_work_failed(&diag, error);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- show -------------------------------------------------------------------------------- */

static void put_json(struct buf *out, const char *kind, const struct listed_value *v)
{
    buf_putc(out, '{');
    json_write_member_string(out, "type", slice_of(kind));
    json_write_member_string(out, "value", v->value);
    json_write_key(out, "expires");
    buf_puts(out, v->expires ? "\"" : "null");
    if (v->expires) time_write_rfc3339(out, v->expires);
    if (v->expires) buf_putc(out, '"');
    json_write_member_string(out, "description", v->description);
    json_write_member_string(out, "source", v->source);
    buf_puts(out, "}\n");
}

static void put_csv(struct buf *out, const char *kind, const struct listed_value *v)
{
    buf_printf(out, "\"%s\",", kind);
    text_put_csv(out, v->value);
    buf_puts(out, ",\"");
    if (v->expires) time_write_rfc3339(out, v->expires);
    buf_puts(out, "\",");
    text_put_csv(out, v->description);
    buf_putc(out, ',');
    text_put_csv(out, v->source);
    buf_putc(out, '\n');
}

static void put_text(struct buf *out, const char *kind, const struct listed_value *v)
{
    text_put_padded(out, slice_of(kind), 8);
    text_put_padded(out, v->value, 40);
    if (v->expires) buf_puts(out, " until ");
    if (v->expires) time_write_rfc3339(out, v->expires);
    buf_putc(out, ' ');
    (void)text_put_visible(out, v->description, 120);
    if (v->source.len) {
        buf_puts(out, " (");
        (void)text_put_visible(out, v->source, 120);
        buf_putc(out, ')');
    }
    buf_putc(out, '\n');
}

static void put_indicators(struct rules_work *w, const struct indicators *in, enum form form)
{
    static void (*const put[])(struct buf *, const char *, const struct listed_value *) = {
        [FORM_TEXT] = put_text, [FORM_JSON] = put_json, [FORM_CSV] = put_csv};
    if (form == FORM_CSV) buf_puts(&w->out, "type,value,expires,description,source\n");
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        for (uint32_t i = 0; in->lists[k] && i < listed_count(in->lists[k]); i++) {
            put[form](&w->out, listed_kind_name((enum listed_kind)k), listed_at(in->lists[k], i));
            if (w->out.len > PRINT_AT) rules_print(&w->out);
        }
}

static int show_run(const struct invocation *in)
{
    const struct show_context *c = in->ctx;
    struct rules_work work;
    struct library_name name;
    struct indicators_kept kept;
    struct diag diag = {0};
    if (in->n_operands != 1) return cli_usage("indicators show wants the name of one list");
    if (!library_name_read(slice_of(in->operands[0]), &name))
        return cli_usage("'%.80s' is no name of a list", in->operands[0]);
    int status = rules_work_enter_folder(&work, &c->settings, RULESET_INDICATORS, false);
    if (status == 0) {
        int error = indicators_load(&work.library, name.text, work.now, &kept, &diag);
        if (error == 0) {
            put_indicators(&work, &kept.in, c->form);
            indicators_done(&kept.in);
        } else {
            status = rules_work_failed(&diag, error);
        }
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct cli_option list_options[] = {
    {'f', "format", "text|json", "Lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct show_context, form)},
    OPTION_SETTINGS(struct show_context),
};
static const struct cli_option show_options[] = {
    {'f', "format", "text|json|csv", "Lines for people, one JSON object a line, or CSV.",
     OPTION_CHOICE(struct show_context, form)},
    OPTION_SETTINGS(struct show_context),
};

const struct command command_indicators_list = {
    .name = "indicators list",
    .operands = "",
    .summary = "list the lists of indicators that are in force",
    .description = "Lists what 'vaka indicators import' took in and is in force: the level of its "
                   "alerts, how many there are, when it was imported, by whom and from where.",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct show_context),
    .run = list_run,
};

const struct command command_indicators_show = {
    .name = "indicators show",
    .operands = "NAME",
    .summary = "show the indicators of a list",
    .description = "Shows the indicators of a list that are in force, without those that have "
                   "ended.",
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct show_context),
    .run = show_run,
};
