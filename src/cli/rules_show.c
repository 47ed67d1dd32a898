/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka rules show */
#include "base/file.h"
#include "base/json_write.h"
#include "cli/load.h"
#include "cli/rules_library.h"
#include "cli/rules_retro.h"
#include "indicator/rules.h"

struct show_context {
    struct settings settings;
    bool json;
};

/* A rule, and where it is from. */
struct shown {
    const struct sigma_doc *doc;
    struct slice text;         /* of its file */
    const char *set, *version; /* NULL: the settings name it, or it comes with Vaka */
    bool on, in_force;
    const struct retro_rule *retro; /* NULL: it was not looked at */
};

static void put_member_or_null(struct buf *out, const char *key, const char *value)
{
    if (value) {
        json_write_member_string(out, key, slice_of(value));
        return;
    }
    json_write_key(out, key);
    buf_puts(out, "null");
}

static void put_shown_json(struct buf *out, const struct shown *s)
{
    const struct sigma_doc *doc = s->doc;
    buf_putc(out, '{');
    put_member_or_null(out, "set", s->set);
    put_member_or_null(out, "version", s->version);
    json_write_member_string(out, "file", slice_of(doc->file));
    json_write_key(out, "on");
    buf_puts(out, s->on ? "true" : "false");
    json_write_key(out, "in_force");
    buf_puts(out, s->in_force ? "true" : "false");
    json_write_member_string(out, "id", doc->id);
    json_write_member_string(out, "title", doc->title);
    json_write_member_string(out, "level", slice_of(sigma_level_name(doc->level)));
    json_write_member_string(out, "status", doc->status);
    if (doc->respond.sv.len) {
        json_write_key(out, "respond");
        buf_putc(out, '{');
        json_write_member_string(out, "sv", doc->respond.sv);
        json_write_member_string(out, "en", doc->respond.en);
        buf_putc(out, '}');
    }
    json_write_key(out, "retro");
    retro_rule_write_json(out, s->retro);
    json_write_member_string(out, "text", s->text);
    buf_puts(out, "}\n");
}

static void put_shown(struct buf *out, const struct shown *s)
{
    const char *state = !s->on ? "off" : s->in_force ? "on, in force" : "on, not in force";
    if (s->set) buf_printf(out, "# %s %s, %s\n", s->set, s->version, state);
    else buf_printf(out, "# %s\n", state);
    buf_printf(out, "# %s\n", s->doc->file);
    if (s->retro && s->retro->state != RETRO_KNOWN) {
        buf_puts(out, "# ");
        rules_retro_put(out, s->retro);
        buf_putc(out, '\n');
    }
    buf_put(out, s->text);
}

static int show_imported(const struct show_context *c, const char *id)
{
    struct rules_work work;
    struct rules_found found;
    struct retro_rule retro;
    struct diag diag = {0};
    int status = rules_work_enter(&work, &c->settings, false);
    int error = status ? 0 : rules_find(&work, id, &found, &diag);
    if (error) status = rules_work_failed(&diag, error);
    if (status == 0) {
        bool looked = rules_retro_find(&c->settings, slice_of(id), &retro);
        const struct shown shown = {.doc = found.rule->doc,
                                    .retro = looked ? &retro : NULL,
                                    .text = found.version.pack.files[found.rule->file].text,
                                    .set = found.version.set.text,
                                    .version = found.version.version.text,
                                    .on = found.rule->on,
                                    .in_force = found.rule->on && found.current};
        if (c->json) put_shown_json(&work.out, &shown);
        else put_shown(&work.out, &shown);
        library_version_done(&found.version);
    }
    rules_print(&work.out);
    rules_work_done(&work);
    return status;
}

static const struct sigma_doc *find_called(const struct sigma_set *set, struct slice id)
{
    for (uint32_t i = 0; i < set->n_rules; i++)
        if (rules_is_called(set->rules[i]->doc, id)) return set->rules[i]->doc;
    for (uint32_t i = 0; i < set->n_correlations; i++)
        if (rules_is_called(set->correlations[i]->doc, id)) return set->correlations[i]->doc;
    return NULL;
}

/* Of an imported set, which has more to tell of it. */
static bool is_imported(const struct config *config, const char *file)
{
    char path[PATH_MAX];
    struct diag diag;
    if (ruleset_folder_path(config, RULESET_RULES, path, &diag) != 0) return false;
    struct slice rest = slice_of(file ? file : "");
    if (!slice_starts_with(rest, slice_of(path))) return false;
    rest = slice_from(rest, strlen(path));
    return slice_starts_with(rest, SLICE("/")) &&
           !slice_starts_with(rest, SLICE("/" LIBRARY_OWN "/"));
}

/* Of the rules that the settings name, that come with Vaka, or are one's own. *ret_found: it is one
 * of them. */
static int show_named(const struct show_context *c, const char *id, bool *ret_found)
{
    struct config config;
    struct ruleset rules = {0};
    struct retro_rule retro;
    struct diag diag = {0};
    struct buf out, text;
    buf_init(&out, 2 * RULESET_FILE_MAX + 4096);
    buf_init(&text, RULESET_FILE_MAX);
    int status = settings_load(&c->settings, &config, NULL);
    if (status == 0 && load_watch(&rules, &config)) status = EXIT_USAGE;
    const struct sigma_doc *doc = status ? NULL : find_called(rules.set, slice_of(id));
    if (doc && (is_imported(&config, doc->file) || indicator_rules_has(doc))) doc = NULL;
    int error = doc ? file_read(doc->file, &text, &diag) : 0;
    if (error) status = rules_work_failed(&diag, error);
    *ret_found = doc != NULL;
    if (doc && status == 0) {
        bool looked = rules_retro_find(&c->settings, slice_of(id), &retro);
        const struct shown shown = {.doc = doc,
                                    .retro = looked ? &retro : NULL,
                                    .text = buf_slice(&text),
                                    .on = true,
                                    .in_force = true};
        if (c->json) put_shown_json(&out, &shown);
        else put_shown(&out, &shown);
        rules_print(&out);
    }
    ruleset_done(&rules);
    config_done(&config);
    buf_done(&text);
    buf_done(&out);
    return status;
}

static int show_run(const struct invocation *in)
{
    const struct show_context *c = in->ctx;
    bool found;
    if (in->n_operands != 1) return cli_usage("rules show wants the id or title of a rule");
    int status = show_named(c, in->operands[0], &found);
    return status || found ? status : show_imported(c, in->operands[0]);
}

static const struct cli_option show_options[] = {
    {'f', "format", "text|json", "The rule as it was written, or one JSON object.",
     OPTION_CHOICE(struct show_context, json)},
    OPTION_SETTINGS(struct show_context),
};

const struct command command_rules_show = {
    .name = "rules show",
    .operands = "ID",
    .summary = "print a rule as it was written",
    .description = "Prints the rule with that id or title, of those that the settings name or that "
                   "come with Vaka, of what is in force or was imported last; and says where it is "
                   "from, whether it is switched on, and what it would have found in the past, as "
                   "far as vaka serve has looked (docs/retro-hunt.md).",
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct show_context),
    .run = show_run,
};
