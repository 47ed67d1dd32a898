/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka config check, show, explain, default */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/settings.h"
#include "notify/provider.h"
#include "pull/source.h"

enum { OUTPUT_MAX = 8 * 1024 * 1024 };

struct config_context {
    struct settings settings;
    bool json;
};

/* Paths are not ours: a terminal is not shown what could command it. */
static void print(const struct buf *out)
{
    struct buf shown;
    buf_init(&shown, 8 * (size_t)OUTPUT_MAX);
    text_put_lines(&shown, buf_slice(out));
    if (shown.len) (void)fwrite(shown.ptr, 1, shown.len, stdout);
    buf_done(&shown);
}

/* ---- check, show ------------------------------------------------------------------------- */

static uint32_t count_from_file(const struct config *config)
{
    uint32_t n = 0;
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) n += config->origin[key].line > 0;
    return n;
}

/* What is wrong with a setting that only a part of the program reads. */
static bool is_good(const struct config *config, enum config_key key, int error, struct diag *diag)
{
    const struct config_origin *origin = &config->origin[key];
    if (error == 0) return true;
    diag->file = origin->name;
    diag->line = origin->line;
    diag->column = 1;
    if (!diag->message[0])
        (void)snprintf(diag->message, sizeof diag->message, "%s", error_text(error));
    cli_diag(diag, "");
    return false;
}

static bool is_cloud_good(const struct config *config)
{
    struct diag diag = {0};
    const struct config_list *list = &config->cloud_sources;
    struct pull_source *sources = calloc(PULL_SOURCES_MAX, sizeof *sources);
    int error = sources ? pull_sources_read(list->items, list->n, sources, &diag) : ERR_NOMEM;
    free(sources);
    return is_good(config, CONFIG_CLOUD_SOURCES, error, &diag);
}

static bool is_notify_good(const struct config *config)
{
    struct diag diag = {0};
    const struct config_list *list = &config->notify_providers;
    struct notify_provider *providers = calloc(NOTIFY_PROVIDERS_MAX, sizeof *providers);
    int error =
        providers ? notify_providers_read(list->items, list->n, providers, &diag) : ERR_NOMEM;
    free(providers);
    return is_good(config, CONFIG_NOTIFY_PROVIDERS, error, &diag);
}

static bool is_address_good(const struct config *config)
{
    struct diag diag = {0};
    int error = 0;
    if (config->web_address.n && !notify_is_address(slice_of(config->web_address.items[0])))
        error = diag_set(&diag, ERR_INVALID, NULL, 0, 0, "web.address is no https://HOST[:PORT]");
    return is_good(config, CONFIG_WEB_ADDRESS, error, &diag);
}

static int config_check_run(const struct invocation *in)
{
    struct config_context *c = in->ctx;
    struct config config;
    const char *file;
    if (in->n_operands > 1) return cli_usage("config check reads one file");
    if (in->n_operands == 1) c->settings.file = in->operands[0];
    int status = settings_load(&c->settings, &config, &file) ? EXIT_UNREADABLE : EXIT_RAN;
    if (status == EXIT_RAN &&
        (!is_cloud_good(&config) || !is_notify_good(&config) || !is_address_good(&config)))
        status = EXIT_UNREADABLE;
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (file) buf_printf(&out, "%s: good, %" PRIu32 " settings\n", file, count_from_file(&config));
    else buf_puts(&out, "no configuration file: all settings have their defaults\n");
    if (status == EXIT_RAN) print(&out);
    buf_done(&out);
    config_done(&config);
    return status;
}

static void show_json(struct buf *out, const struct config *config, enum config_key key)
{
    const struct config_origin *origin = &config->origin[key];
    buf_putc(out, '{');
    json_write_key(out, "key");
    json_write_string(out, slice_of(config_settings[key].key));
    json_write_key(out, "value");
    config_write_json(out, config, key);
    json_write_key(out, "from");
    json_write_string(out, slice_of(!origin->name      ? "default"
                                    : origin->line > 0 ? "file"
                                                       : "option"));
    if (origin->name) {
        json_write_key(out, origin->line > 0 ? "file" : "option");
        json_write_string(out, slice_of(origin->name));
    }
    if (origin->line > 0) {
        json_write_key(out, "line");
        json_write_u64(out, origin->line);
    }
    buf_puts(out, "}\n");
}

static void show_line(struct buf *out, const struct config *config, enum config_key key)
{
    buf_printf(out, "%s = ", config_settings[key].key);
    config_write_value(out, config, key);
    buf_puts(out, "    (");
    config_write_origin(out, config, key);
    buf_puts(out, ")\n");
}

static int config_show_run(const struct invocation *in)
{
    const struct config_context *c = in->ctx;
    struct config config;
    if (in->n_operands > 0) return cli_usage("config show takes no operand");
    int status = settings_load(&c->settings, &config, NULL);
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    for (unsigned key = 0; status == 0 && key < CONFIG_KEY_COUNT; key++) {
        if (c->json) show_json(&out, &config, key);
        else show_line(&out, &config, key);
    }
    print(&out);
    buf_done(&out);
    config_done(&config);
    return status;
}

/* ---- explain, default -------------------------------------------------------------------- */

static void explain(enum config_key key)
{
    const struct setting *s = &config_settings[key];
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    buf_printf(&out, "%s\n", s->key);
    cli_setting_text(&out, key);
    print(&out);
    cli_wrap(stdout, s->text, 0, 2);
    buf_done(&out);
}

static int config_explain_run(const struct invocation *in)
{
    struct diag diag;
    enum config_key key = 0, end = CONFIG_KEY_COUNT;
    if (in->n_operands > 1) return cli_usage("config explain wants one setting, or none for all");
    if (in->n_operands == 1) {
        key = config_find(slice_of(in->operands[0]), &diag);
        if (key == CONFIG_KEY_COUNT) return cli_usage("%s", diag.message);
        end = key + 1;
    }
    for (bool first = true; key < end; key++, first = false) {
        if (!first) (void)fputc('\n', stdout);
        explain(key);
    }
    return EXIT_RAN;
}

static int config_default_run(const struct invocation *in)
{
    struct buf out;
    if (in->n_operands > 0) return cli_usage("config default takes no operand");
    buf_init(&out, OUTPUT_MAX);
    config_write_file(&out, NULL);
    print(&out);
    buf_done(&out);
    return EXIT_RAN;
}

/* ---- tables ------------------------------------------------------------------------------ */

static const struct cli_option check_options[] = {OPTION_SETTINGS(struct config_context)};
static const struct cli_option show_options[] = {
    OPTION_SETTINGS(struct config_context),
    {'f', "format", "table|json", "What to print: lines for people, or one JSON object a line.",
     OPTION_CHOICE(struct config_context, json)},
};

const struct command command_config_check = {
    .name = "config check",
    .operands = "[FILE]",
    .summary = "read the configuration and say what is wrong with it",
    .description = "Reads the configuration file, FILE or the one that other commands would read, "
                   "and tells the first mistake with its file, line and column.\n\n"
                   "Exit status: 0 it is good; 1 it is not, or could not be read.",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .ctx_size = sizeof(struct config_context),
    .run = config_check_run,
};

const struct command command_config_show = {
    .name = "config show",
    .operands = "",
    .summary = "print all settings and where each comes from",
    .description = "Prints the value of every setting, and where it comes from: the default, a "
                   "line of the configuration file, or an option.",
    .options = show_options,
    .n_options = sizeof show_options / sizeof *show_options,
    .ctx_size = sizeof(struct config_context),
    .run = config_show_run,
};

const struct command command_config_explain = {
    .name = "config explain",
    .operands = "[KEY]",
    .summary = "tell what a setting means and which values it may have",
    .description = "Tells what a setting means, which values it may have and what it is when "
                   "nothing is said; without KEY, of all settings.",
    .ctx_size = sizeof(struct config_context),
    .run = config_explain_run,
};

const struct command command_config_default = {
    .name = "config default",
    .operands = "",
    .summary = "print a configuration file with every setting, commented out",
    .description = "Prints a configuration file with every setting, what it means and its default, "
                   "commented out: something to begin with.",
    .ctx_size = sizeof(struct config_context),
    .run = config_default_run,
};
