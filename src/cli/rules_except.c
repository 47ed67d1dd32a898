/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules except, exceptions */
#include <inttypes.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/rules_library.h"
#include "indicator/rules.h"
#include "library/own.h"

enum { O_WHEN = OPTION_LONG };

struct except_context {
    struct settings settings;
    const char *when[EXCEPTION_WHEN_MAX], *reason, *until, *by;
    uint32_t n_when;
    bool json, lift;
};

static int except_option(void *ctx, int letter, const char *value)
{
    struct except_context *c = ctx;
    (void)letter;
    if (c->n_when == EXCEPTION_WHEN_MAX)
        return cli_usage("more than %d conditions", EXCEPTION_WHEN_MAX);
    c->when[c->n_when++] = value;
    return 0;
}

/* ---- the rule it is for ------------------------------------------------------------------ */

static const struct sigma_doc *find_loaded(const struct sigma_set *set, struct slice id)
{
    for (uint32_t i = 0; i < set->n_rules; i++) {
        const struct sigma_doc *doc = set->rules[i]->doc;
        if (slice_eq_nocase(doc->id, id) || slice_eq_nocase(doc->title, id)) return doc;
    }
    return NULL;
}

static struct library_change change_of(const struct rules_work *w, const struct except_context *c)
{
    return (struct library_change){
        .who = slice_of(c->by ? c->by : w->who), .now = w->now, .placeholders = w->placeholders};
}

static void put_added(struct rules_work *w, const struct except_context *c, const char *id)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/" LIBRARY_EXCEPTIONS "/%s.yml", w->path, id);
    if (!c->json) {
        buf_printf(&w->out, "%s\n", path);
        return;
    }
    buf_putc(&w->out, '{');
    json_write_member_string(&w->out, "id", slice_of(id));
    json_write_member_string(&w->out, "file", slice_of(path));
    buf_puts(&w->out, "}\n");
}

static int add(struct rules_work *w, const struct except_context *c, const struct sigma_doc *rule,
               struct slice text, struct diag *diag)
{
    const struct exception e = {.rule = rule,
                                .when = c->when,
                                .n_when = c->n_when,
                                .reason = slice_of(c->reason),
                                .who = slice_of(c->by ? c->by : w->who),
                                .now = w->now,
                                .until = c->until};
    const struct library_change change = change_of(w, c);
    char id[EXCEPTION_ID + 1];
    int error = library_except(&w->library, &e, text, &change, id, diag);
    if (error == 0) put_added(w, c, id);
    return error;
}

static int add_for_imported(struct rules_work *w, const struct except_context *c, const char *id,
                            struct diag *diag)
{
    struct rules_found found;
    int error = rules_find(w, id, &found, diag);
    if (error) return error;
    error = add(w, c, found.rule->doc, found.version.pack.files[found.rule->file].text, diag);
    library_version_done(&found.version);
    return error;
}

/* Of the rules in force, else of those that were imported. */
static int add_for(struct rules_work *w, const struct except_context *c, const char *id,
                   struct diag *diag)
{
    struct ruleset rules;
    int error = ruleset_load_watch(&rules, &w->config, w->now, diag);
    if (error) return error;
    const struct sigma_doc *rule = find_loaded(rules.set, slice_of(id));
    size_t len;
    bool made = rule && indicator_rules_has(rule);
    char *text = rule && !made ? load_file(rule->file, YAML_FILE_MAX, &len) : NULL;
    if (made) error = add(w, c, rule, SLICE(""), diag);
    else if (text) error = add(w, c, rule, slice_make(text, len), diag);
    else if (rule) error = ERR_IO;
    else error = add_for_imported(w, c, id, diag);
    free(text);
    ruleset_done(&rules);
    return error;
}

static int except_run(const struct invocation *in)
{
    const struct except_context *c = in->ctx;
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands != 1)
        return cli_usage("rules except wants the id of one %s", c->lift ? "exception" : "rule");
    if (!c->lift && (c->n_when == 0 || !c->reason))
        return cli_usage("rules except wants --when and --reason");
    int status = rules_work_enter(&work, &c->settings, true);
    if (status == 0) {
        const struct library_change change = change_of(&work, c);
        int error = c->lift ? library_lift(&work.library, in->operands[0], &change, &diag)
                            : add_for(&work, c, in->operands[0], &diag);
        library_unlock(&work.library);
        if (error) status = rules_work_failed(&diag, error);
        else rules_reload(&work);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- the list ---------------------------------------------------------------------------- */

/* Whether a rule of that id was imported, in any set, as it is or was meant to be in force. */
static bool is_imported(struct rules_work *w, struct slice id)
{
    struct rules_found found;
    struct diag diag;
    char text[64];
    (void)snprintf(text, sizeof text, "%.*s", (int)slice_until(id, sizeof text - 1).len, id.ptr);
    if (rules_find(w, text, &found, &diag) != 0) return false;
    library_version_done(&found.version);
    return true;
}

static bool does_something(const struct rules_work *w, const struct sigma_filter_rule *f)
{
    nsec until = f->doc->filter.until;
    return f->n_rules > 0 && (until == 0 || until > w->now);
}

static const char *state_of(struct rules_work *w, const struct sigma_filter_rule *f)
{
    const struct sigma_filter *filter = &f->doc->filter;
    if (does_something(w, f)) return "applies";
    if (filter->until && filter->until <= w->now) return "ended";
    for (uint32_t i = 0; i < filter->n_rules; i++)
        if (is_imported(w, filter->rules[i].text)) return "its rule is not in force";
    return "its rule is gone";
}

static void put_exception(struct rules_work *w, const struct sigma_filter_rule *f, bool json)
{
    struct buf *out = &w->out;
    const struct sigma_doc *doc = f->doc;
    const char *state = state_of(w, f);
    struct slice rule = doc->filter.any ? SLICE("any") : doc->filter.rules[0].text;
    if (json) {
        buf_putc(out, '{');
        json_write_member_string(out, "id", doc->id);
        json_write_member_string(out, "rule", rule);
        json_write_member_string(out, "title", doc->title);
        json_write_member_string(out, "state", slice_of(state));
        json_write_member_u64(out, "rules", f->n_rules);
        json_write_member_string(out, "reason", doc->description);
        json_write_member_string(out, "by", doc->author);
        json_write_member_string(out, "date", doc->date);
        json_write_key(out, "until");
        buf_puts(out, doc->filter.until ? "\"" : "null");
        if (doc->filter.until) time_write_rfc3339(out, doc->filter.until);
        if (doc->filter.until) buf_putc(out, '"');
        json_write_member_string(out, "file", slice_of(doc->file));
        buf_puts(out, "}\n");
        return;
    }
    (void)text_put_visible(out, doc->id, 64);
    buf_printf(out, "  %s  ", state);
    (void)text_put_visible(out, doc->title, 120);
    buf_puts(out, "\n    ");
    (void)text_put_visible(out, doc->author, 64);
    buf_putc(out, ' ');
    (void)text_put_visible(out, slice_until(doc->date, strlen("2026-11-26")), 16);
    if (doc->filter.until) {
        buf_puts(out, ", until ");
        time_write_rfc3339(out, doc->filter.until);
    }
    buf_puts(out, ": ");
    (void)text_put_visible(out, doc->description, 200);
    buf_putc(out, '\n');
}

static bool is_own(const struct rules_work *w, const char *file)
{
    struct slice path = slice_of(w->path), s = slice_of(file ? file : "");
    return slice_starts_with(s, path) &&
           slice_starts_with(slice_from(s, path.len), SLICE("/" LIBRARY_EXCEPTIONS "/"));
}

/* All of them, or only those that do nothing. */
static void put_exceptions(struct rules_work *w, const struct sigma_set *set, bool idle, bool json)
{
    for (uint32_t i = 0; i < set->n_filters; i++) {
        const struct sigma_filter_rule *f = &set->filters[i];
        if (!is_own(w, f->doc->file) || (idle && does_something(w, f))) continue;
        put_exception(w, f, json);
    }
    for (uint32_t i = 0; i < set->n_refusals; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        if (!r->warning && is_own(w, r->diag.file)) cli_diag(&r->diag, "refused");
    }
}

int rules_exceptions_put(struct rules_work *w, bool idle, bool json, struct diag *diag)
{
    struct ruleset rules;
    /* At no time, so that those that have ended are among them. */
    int error = ruleset_load_watch(&rules, &w->config, 0, diag);
    if (error) return error;
    put_exceptions(w, rules.set, idle, json);
    ruleset_done(&rules);
    return 0;
}

static int exceptions_run(const struct invocation *in)
{
    const struct except_context *c = in->ctx;
    struct rules_work work;
    struct diag diag = {0};
    if (in->n_operands) return cli_usage("rules exceptions takes no operands");
    int status = rules_work_enter(&work, &c->settings, false);
    if (status == 0) {
        int error = rules_exceptions_put(&work, false, c->json, &diag);
        if (error) status = rules_work_failed(&diag, error);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct cli_option except_options[] = {
    {O_WHEN, "when", "'FIELD: VALUE'",
     "What is not to fire: a field, with Sigma's modifiers (Image|endswith), and a value. May be "
     "repeated: values of one field are alternatives, different fields must all hold.",
     OPTION_CALL},
    {0, "reason", "TEXT", "Why. Needed.", OPTION_TEXT(struct except_context, reason)},
    {0, "until", "DATE", "The last day on which it holds, in UTC; or a moment.",
     OPTION_TEXT(struct except_context, until)},
    {0, "by", "NAME", "Who says so; default: the user.", OPTION_TEXT(struct except_context, by)},
    {0, "lift", NULL, "Take an exception away again: ID is that of the exception.",
     OPTION_FLAG(struct except_context, lift)},
    {'f', "format", "text|json", "The new file, or one JSON object.",
     OPTION_CHOICE(struct except_context, json)},
    OPTION_SETTINGS(struct except_context),
};
static const struct cli_option exceptions_options[] = {
    {'f', "format", "text|json", "Lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct except_context, json)},
    OPTION_SETTINGS(struct except_context),
};

const struct command command_rules_except = {
    .name = "rules except",
    .operands = "ID",
    .summary = "say what a rule is not to fire on",
    .description = "Writes a Sigma filter for the rule with that id or title into "
                   "serve.folder/rules/exceptions, "
                   "apart from the imported text, and lets a running vaka serve read its rules "
                   "again. A filter "
                   "that would not apply to the rule is refused.",
    .options = except_options,
    .n_options = sizeof except_options / sizeof *except_options,
    .ctx_size = sizeof(struct except_context),
    .option = except_option,
    .run = except_run,
};

const struct command command_rules_exceptions = {
    .name = "rules exceptions",
    .operands = "",
    .summary = "list what rules are not to fire on, and why",
    .description =
        "Lists the exceptions: whether each applies, has ended, is for a rule that is "
        "not in force or that there is none of any more; by whom, since when, until when "
        "and why.",
    .options = exceptions_options,
    .n_options = sizeof exceptions_options / sizeof *exceptions_options,
    .ctx_size = sizeof(struct except_context),
    .option = except_option,
    .run = exceptions_run,
};
