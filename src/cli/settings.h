/* SPDX-License-Identifier: EUPL-1.2 */
/* Settings as commands get them: defaults, then the configuration file, then options. */
#ifndef VAKA_CLI_SETTINGS_H
#define VAKA_CLI_SETTINGS_H

#include "base/log.h"
#include "cli/cli.h"
#include "config/config.h"

enum { SETTINGS_SAID_MAX = 1024, SETTINGS_OPTION_SIZE = 24 };

/* What the command line says; all zero is nothing. Texts are borrowed from argv. */
struct settings {
    const char *file; /* -c */
    struct {
        enum config_key key;
        const char *value;
        char option[SETTINGS_OPTION_SIZE]; /* "--jobs" */
    } said[SETTINGS_SAID_MAX];
    size_t n;
};

/* The two rows of options that every command with settings has; its context is a T with a member
 * `settings`. */
#define OPTION_SETTINGS(T)                                                                         \
    {'c',                                                                                          \
     "config",                                                                                     \
     "FILE",                                                                                       \
     "Read settings from FILE; without it from the one that VAKA_CONFIG names, else from "         \
     "/etc/vaka/vaka.yaml when there is one.",                                                     \
     .kind = CLI_CONFIG,                                                                           \
     OPTION_MEMBER(T, settings, struct settings : 0)},                                             \
    {                                                                                              \
        SETTINGS_SET, "set", "KEY=VALUE",                                                          \
            "Change one setting; 'vaka config explain' lists them. May be repeated.",              \
            .kind = CLI_CONFIG, OPTION_MEMBER(T, settings, struct settings : 0)                    \
    }
enum { SETTINGS_SET = OPTION_LONG + 512 };

#define OPTION_PLACEHOLDERS(T)                                                                     \
    {                                                                                              \
        0, "placeholders", "FILE",                                                                 \
            "Values for %placeholders% in rules: a YAML map from name to values; may be "          \
            "repeated.",                                                                           \
            OPTION_SETTING(T, CONFIG_PLACEHOLDERS)                                                 \
    }
#define OPTION_TAXONOMY(T)                                                                         \
    {                                                                                              \
        0, "taxonomy", "FILE",                                                                     \
            "More log sources and field names, asked before the built-in ones; may be repeated.",  \
            OPTION_SETTING(T, CONFIG_TAXONOMY)                                                     \
    }

/* One of the two options above, by its letter; 0 or CLI_MISUSE. */
int settings_option(struct settings *s, int letter, const char *value) MUST_USE;
/* Whether the command line says that one. */
bool settings_says(const struct settings *s, enum config_key key);
/* An option that stands for a setting, by its long name; 0 or CLI_MISUSE. */
int settings_say(struct settings *s, enum config_key key, const char *value,
                 const char *name) MUST_USE;

/* Who does something: `said`, or the user when that is NULL. */
const char *settings_who(const char *said);

/* log.level */
enum log_level settings_log_level(const struct config *config);

/* Installs `log`, to stderr as the settings say; the caller finishes it. */
void settings_log(struct log *log, const struct clock *clock, const struct config *config);

/*
 * All of it together. 0, or EXIT_USAGE after what is wrong was told; *ret is to be given to
 * config_done() in both cases. *ret_file (may be NULL) is the file that was read, or NULL.
 */
int settings_load(const struct settings *s, struct config *ret, const char **ret_file) MUST_USE;

/*
 * The folder of records that a command works on: its only operand, else the one that vaka serve
 * keeps with these settings, which are only read then. 0, CLI_MISUSE, or EXIT_USAGE as from
 * settings_load(); *config is to be given to config_done() in every case, and *ret_folder lives as
 * long.
 */
int settings_store(const struct settings *s, const struct invocation *in, struct config *config,
                   const char **ret_folder) MUST_USE;
/* The folder that vaka serve keeps with these settings. 0, or EXIT_USAGE after it was told why. */
int settings_kept(struct config *config, const char **ret_folder) MUST_USE;
/* The public key of that folder's log; lives as long as *config. NULL: out of memory. */
const char *settings_log_key(struct config *config);

#endif
