/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/settings.h"

#include <pwd.h>
#include <unistd.h>

#include "cli/load.h"

#define FILE_OF_THE_SYSTEM "/etc/vaka/vaka.yaml"

int settings_say(struct settings *s, enum config_key key, const char *value, const char *name)
{
    if (s->n == SETTINGS_SAID_MAX) return cli_usage("more than %d settings", SETTINGS_SAID_MAX);
    s->said[s->n].key = key;
    s->said[s->n].value = value;
    (void)snprintf(s->said[s->n].option, SETTINGS_OPTION_SIZE, "--%s", name);
    s->n++;
    return 0;
}

bool settings_says(const struct settings *s, enum config_key key)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->said[i].key == key) return true;
    return false;
}

int settings_option(struct settings *s, int letter, const char *value)
{
    struct slice name, text;
    struct diag diag;
    if (letter == 'c') {
        s->file = value;
        return 0;
    }
    if (!slice_split(slice_of(value), '=', &name, &text))
        return cli_usage("--set wants KEY=VALUE, not '%s'", value);
    enum config_key key = config_find(name, &diag);
    if (key == CONFIG_KEY_COUNT) return cli_usage("--set: %s", diag.message);
    return settings_say(s, key, text.ptr, "set");
}

static const char *find_file(const struct settings *s)
{
    const char *named = getenv("VAKA_CONFIG");
    if (s->file) return s->file;
    if (named && *named) return named;
    return access(FILE_OF_THE_SYSTEM, F_OK) == 0 ? FILE_OF_THE_SYSTEM : NULL;
}

int settings_load(const struct settings *s, struct config *ret, const char **ret_file)
{
    struct diag diag;
    config_init(ret);
    const char *file = find_file(s);
    if (ret_file) *ret_file = file;
    if (file) {
        size_t len;
        char *text = load_file(file, CONFIG_FILE_MAX + 1, &len);
        if (!text) return EXIT_USAGE;
        int error = config_read(ret, file, slice_make(text, len), &diag);
        free(text);
        if (error) {
            cli_diag(&diag, "");
            return EXIT_USAGE;
        }
    }
    for (size_t i = 0; i < s->n; i++)
        if (config_set(ret, s->said[i].key, slice_of(s->said[i].value), s->said[i].option, &diag))
            return cli_usage("%s", diag.message);
    return 0;
}

int settings_store(const struct settings *s, const struct invocation *in, struct config *config,
                   const char **ret_folder)
{
    if (in->n_operands > 1) {
        config_init(config);
        return cli_usage("%s takes one folder", in->command->name);
    }
    if (in->n_operands) {
        config_init(config);
        *ret_folder = in->operands[0];
        return 0;
    }
    int status = settings_load(s, config, NULL);
    if (status) return status;
    return settings_kept(config, ret_folder);
}

int settings_kept(struct config *config, const char **ret_folder)
{
    *ret_folder = arena_printf(&config->arena, "%s/store/0", config->serve_folder.items[0]);
    if (*ret_folder) return 0;
    cli_say("out of memory");
    return EXIT_USAGE;
}

const char *settings_log_key(struct config *config)
{
    return arena_printf(&config->arena, "%s/keys/log.pub", config->serve_folder.items[0]);
}

const char *settings_who(const char *said)
{
    const char *sudo = getenv("SUDO_USER");
    if (said) return said;
    if (geteuid() == 0 && sudo && *sudo) return sudo;
    const struct passwd *user = getpwuid(geteuid());
    return user ? user->pw_name : "unknown";
}

enum log_level settings_log_level(const struct config *config)
{
    static const enum log_level levels[] = {LOG_LEVEL_OFF, LOG_LEVEL_ERROR, LOG_LEVEL_WARNING,
                                            LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    return levels[config->log_level];
}

void settings_log(struct log *log, const struct clock *clock, const struct config *config)
{
    log_init(log, &(struct log_options){
                      .clock = *clock,
                      .level = settings_log_level(config),
                      .fd = STDERR_FILENO,
                      .journal = log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM"))});
    log_install(log);
}
