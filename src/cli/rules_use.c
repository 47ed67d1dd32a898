/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules use */
#include <inttypes.h>
#include <unistd.h>

#include "base/json_write.h"
#include "cli/rules_library.h"
#include "cli/rules_report.h"

enum { O_YES = OPTION_LONG, REPORT_DAYS = 7 };

struct use_context {
    struct settings settings;
    const char *by;
    bool no_report, yes, json;
};

/* At a terminal a person decides; elsewhere the command line has said it. */
static bool is_meant(const struct use_context *c)
{
    char answer[16] = "";
    if (c->yes || c->no_report || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) return true;
    (void)fputs("Switch it on? [y/N] ", stderr);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What it changes of what is in force, as far as that can still be read. */
static void put_changes(struct rules_work *w, const struct use_context *c,
                        const struct library_version *v)
{
    struct library_version before;
    struct library_name name;
    struct differences d;
    struct diag diag = {0};
    if (!library_current(&w->library, v->set.text, &name) ||
        rules_version_read(w, v->set.text, name.text, &before, &diag) != 0)
        return;
    if (difference_make(&d, &before.catalog, &v->catalog) == 0) {
        if (c->json) {
            json_write_key(&w->out, "changes");
            buf_putc(&w->out, '{');
            differences_write_counts(&w->out, &d);
            buf_putc(&w->out, '}');
        } else {
            buf_printf(&w->out, "from %s: ", name.text);
            rules_put_counts(&w->out, &d);
        }
        difference_done(&d);
    }
    library_version_done(&before);
}

/* Reads all of it, so that nothing is switched on that does not load or is damaged. */
static int check(struct rules_work *w, const struct use_context *c, const char *set,
                 const char *version, struct diag *diag)
{
    struct library_version v;
    int error = rules_version_read(w, set, version, &v, diag);
    if (error) return error;
    uint32_t on = catalog_count_on(&v.catalog);
    if (c->json) json_write_member_u64(&w->out, "on", on);
    else buf_printf(&w->out, "%s %s: %" PRIu32 " rules are on\n", set, version, on);
    put_changes(w, c, &v);
    library_version_done(&v);
    return on ? 0
              : diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0,
                         "no rule of it is switched on: import it with another profile");
}

static int switch_to(struct rules_work *w, const struct use_context *c, const char *set,
                     const char *version, struct diag *diag)
{
    const struct library_change change = {.who = slice_of(c->by ? c->by : w->who), .now = w->now};
    struct library_name before;
    int error = library_version_use(&w->library, set, version, &change, &before, diag);
    library_unlock(&w->library);
    if (error) return error;
    if (c->json) {
        json_write_member_string(&w->out, "set", slice_of(set));
        json_write_member_string(&w->out, "version", slice_of(version ? version : "off"));
        json_write_member_string(&w->out, "before", slice_of(before.text));
        buf_puts(&w->out, "}\n");
    } else if (version && strcmp(before.text, version) == 0) {
        buf_printf(&w->out, "%s %s is in force already\n", set, version);
    } else {
        buf_printf(&w->out, "%s: %s is in force, before it was %s\n", set,
                   version ? version : "none", before.text);
    }
    return 0;
}

static int use(struct rules_work *w, const struct use_context *c, const char *set,
               const char *version, struct diag *diag)
{
    struct library_name name;
    if (!library_name_read(slice_of(set), &name) ||
        (version && !library_name_read(slice_of(version), &name)))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "'%.64s %.64s' is no set and version", set,
                        version ? version : "off");
    if (c->json) buf_putc(&w->out, '{');
    int error = version ? check(w, c, set, version, diag) : 0;
    if (!c->json) rules_print(&w->out);
    if (error == 0 && version && !c->no_report)
        error = rules_report_summary(w, set, version, REPORT_DAYS, c->json, diag);
    if (!c->json) rules_print(&w->out);
    if (error) return error;
    if (version && !is_meant(c))
        return diag_set(diag, ERR_STOPPED, NULL, 0, 0, "nothing was changed");
    /* Reading all of it may take long: only now others have to wait. */
    library_close(&w->library);
    error = library_open(&w->library, w->path, true, diag);
    return error ? error : switch_to(w, c, set, version, diag);
}

static int use_run(const struct invocation *in)
{
    const struct use_context *c = in->ctx;
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands != 2) return cli_usage("rules use wants a set and a version, or off");
    const char *version = strcmp(in->operands[1], "off") == 0 ? NULL : in->operands[1];
    int status = rules_work_enter(&work, &c->settings, false);
    if (status == 0) {
        int error = use(&work, c, in->operands[0], version, &diag);
        if (error) buf_clear(&work.out);
        if (error) status = rules_work_failed(&diag, error);
        else rules_reload(&work);
        /* It is in force: what is said of exceptions from here on changes nothing of that. */
        if (error == 0 && !c->json && rules_exceptions_put(&work, true, false, &diag) != 0)
            cli_say("the exceptions: %s", diag.message);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

static const struct cli_option use_options[] = {
    {0, "no-report", NULL,
     "Do not tell what it would have found in the records of the last 7 days, and ask nothing.",
     OPTION_FLAG(struct use_context, no_report)},
    {'y', "yes", NULL, "Switch it on without asking.", OPTION_FLAG(struct use_context, yes)},
    {0, "by", "NAME", "Who says so; default: the user.", OPTION_TEXT(struct use_context, by)},
    {'f', "format", "text|json", "Lines for people, or one JSON object.",
     OPTION_CHOICE(struct use_context, json)},
    OPTION_SETTINGS(struct use_context),
};

const struct command command_rules_use = {
    .name = "rules use",
    .operands = "NAME VERSION|off",
    .summary = "switch imported rules on, or off",
    .description =
        "Puts a version of an imported set into force, beside the rules that the settings name (or "
        "those that come with Vaka), and lets a running vaka serve read its rules again. A version "
        "that cannot be read, is not what was imported any more, or has no rule switched on is "
        "refused. Before that it tells what the rules would have found in the records of the last "
        "7 "
        "days, as vaka rules noise does, and asks when a person sits at the terminal.\n\n"
        "Exit status: 0 it is in force; 1 nothing was changed; 2 the command line could not be "
        "understood.",
    .options = use_options,
    .n_options = sizeof use_options / sizeof *use_options,
    .ctx_size = sizeof(struct use_context),
    .run = use_run,
};
