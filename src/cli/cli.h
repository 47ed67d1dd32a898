/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The command line. Every command is one struct command: its options are one table, from which the
 * parser, --help, the bash completion and the option lists of the manual page are all made.
 */
#ifndef VAKA_CLI_CLI_H
#define VAKA_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/config.h"

enum exit_status {
    EXIT_RAN = 0,
    EXIT_UNREADABLE = 1, /* some input could not be read; rules: something was refused or failed */
    EXIT_USAGE = 2,
    EXIT_FOUND = 3, /* --fail-on: there was an alert at or above the level */
    EXIT_INTERRUPTED = 130,
};
/* What a command's functions may return instead; cli_run() makes an exit status of it. */
enum { CLI_HELPED = -1, CLI_MISUSE = -2 };

struct cli_option {
    int letter;       /* what it is called by the parser; above 255: no short form */
    const char *name; /* long form */
    const char *arg;  /* NULL: takes none; "FILE", "PATH": completed as files; "a|b|c": one of */
    const char *help; /* a sentence; %s is not special */
};
/* Long options without a short form are numbered from here. */
enum { OPTION_LONG = 256 };

struct command;
struct invocation {
    const struct command *command;
    void *ctx; /* what `option` fills and `run` reads */
    char **operands;
    size_t n_operands;
};

struct command {
    const char *name;        /* "hunt", "rules check" */
    const char *operands;    /* for the synopsis: "PATH..." */
    const char *summary;     /* one line */
    const char *description; /* paragraphs, separated by an empty line */
    const struct cli_option *options;
    size_t n_options;
    bool hidden;
    size_t ctx_size; /* zeroed for `option` and `run` */
    /* One option: 0, or what cli_usage() returned. NULL: there are none. */
    int (*option)(void *ctx, int letter, const char *value);
    int (*run)(const struct invocation *in);
};

extern const struct command command_hunt;
extern const struct command command_init, command_serve, command_alerts, command_status,
    command_reload, command_pull_check, command_backup, command_restore, command_size;
extern const struct command command_rules_check, command_rules_list, command_rules_explain,
    command_rules_test;
extern const struct command command_rules_import, command_rules_versions, command_rules_diff,
    command_rules_show, command_rules_use, command_rules_except, command_rules_exceptions,
    command_rules_noise, command_rules_coverage;
extern const struct command command_indicators_import, command_indicators_list,
    command_indicators_show, command_indicators_remove;
extern const struct command command_config_check, command_config_show, command_config_explain,
    command_config_default;
extern const struct command command_explain, command_products_check, command_products_list,
    command_products_test;
extern const struct command command_search, command_audit;
extern const struct command command_verify, command_store_ls, command_store_index,
    command_store_cat, command_export_evidence, command_export_tiles;
extern const struct command command_incident_try;
extern const struct command command_hold_add, command_hold_ls, command_hold_rm, command_clock_trust;
extern const struct command command_witness, command_key_rotate;
extern const struct command command_help;
/* All of them, in the order of the overview; ends with NULL. */
const struct command *const *cli_commands(void);
/* By name ("rules check" is two words); NULL when there is none. */
const struct command *cli_command(const char *first, const char *second, bool *ret_two_words);

/* Parses argv (argv[0] is the last word of the command's name) and runs it; the exit status. */
int cli_run(const struct command *command, int argc, char **argv);

/* "vaka: …" on stderr; CLI_MISUSE, upon which cli_run() says where to read more. */
int cli_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same for a command that does not exist, with the nearest that does. */
int cli_unknown(const char *first, const char *second);
/* "vaka: …" on stderr. */
void cli_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
void cli_diag(const struct diag *diag, const char *verdict);

/* serve.c: the process of serve with that role; EXIT_USAGE when there is none. */
int serve_role_main(const char *name);

/* help.c */
void cli_overview(FILE *out);
void cli_help(FILE *out, const struct command *command);
/* Of all commands of two words that begin with `first`; false when there are none. */
bool cli_help_family(FILE *out, const char *first);
/* "bash" or "man"; false when unknown. */
bool cli_dump(FILE *out, const char *format);
/* Words of `text`, broken to lines: they begin at `column`, new ones at `indent`. */
void cli_wrap(FILE *out, const char *text, size_t column, size_t indent);
/* The range, the default and the age of a setting, one line each, indented. */
void cli_setting_text(struct buf *out, enum config_key key);

#endif
