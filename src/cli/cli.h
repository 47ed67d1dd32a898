/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The command line. Every command is one struct command: its options are one table, from which the
 * parser, --help, the bash completion and the option lists of the manual page are all made.
 */
#ifndef VAKA_CLI_CLI_H
#define VAKA_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* What is done with an option. */
enum cli_kind {
    CLI_CALL,    /* the command's `option` is called */
    CLI_FLAG,    /* a bool is set */
    CLI_TEXT,    /* a const char * is set, borrowed from argv */
    CLI_CHOICE,  /* which one of "a|b|c" was said, from 0: an unsigned, an enum or a bool */
    CLI_LEVEL,   /* an enum sigma_level by its word */
    CLI_NUMBER,  /* a uint64_t, within least and most */
    CLI_CONFIG,  /* any setting or a file of them: struct settings */
    CLI_SETTING, /* one setting of those */
};

struct cli_option {
    int letter;       /* short form; 0 or above 255: none. The command's `option` is told it */
    const char *name; /* long form */
    const char *arg;  /* NULL: takes none; "FILE", "PATH": completed as files; "a|b|c": one of */
    const char *help; /* a sentence; %s is not special */
    enum cli_kind kind;
    size_t at, size;      /* of the member of the command's context */
    uint64_t least, most; /* CLI_NUMBER */
    enum config_key key;  /* CLI_SETTING */
    const char *value;    /* CLI_SETTING without `arg`: what it is set to; the option is "--name" */
};
/* Long options without a short form that `option` is told of are numbered from here. */
enum { OPTION_LONG = 256 };

/* Where an option goes to, as the last part of its row: to the command's `option`, or into a member
 * of the context, which is a T. */
#define OPTION_CALL         .kind = CLI_CALL
#define OPTION_FLAG(T, m)   .kind = CLI_FLAG, OPTION_MEMBER(T, m, bool : 0)
#define OPTION_TEXT(T, m)   .kind = CLI_TEXT, OPTION_MEMBER(T, m, const char * : 0)
#define OPTION_CHOICE(T, m) .kind = CLI_CHOICE, OPTION_MEMBER(T, m, bool : 0, unsigned : 0)
#define OPTION_LEVELS       "informational|low|medium|high|critical"
#define OPTION_LEVEL(T, m)  .kind = CLI_LEVEL, OPTION_MEMBER(T, m, unsigned : 0)
#define OPTION_NUMBER(T, m, from, to)                                                              \
    .kind = CLI_NUMBER, OPTION_MEMBER(T, m, uint64_t : 0), .least = (from), .most = (to)
/* The context has a member `settings`. The second is of an option without an argument. */
#define OPTION_SETTING(T, config_key)                                                              \
    .kind = CLI_SETTING, OPTION_MEMBER(T, settings, struct settings : 0), .key = (config_key)
#define OPTION_SETS(T, config_key, text) OPTION_SETTING(T, config_key), .value = (text)
/* Of another type than is named it does not compile. */
#define OPTION_MEMBER(T, m, ...)                                                                   \
    .at = offsetof(T, m) + 0 * sizeof(_Generic(((T *)0)->m, __VA_ARGS__)),                         \
    .size = sizeof(((T *)0)->m)

static inline bool cli_is_short(const struct cli_option *option)
{
    return option->letter > 0 && option->letter < OPTION_LONG;
}

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
    /* An option of CLI_CALL: 0, or what cli_usage() returned. NULL: there are none. */
    int (*option)(void *ctx, int letter, const char *value);
    int (*run)(const struct invocation *in);
};

extern const struct command command_hunt;
extern const struct command command_init, command_serve, command_alerts, command_status,
    command_reload, command_pull_check, command_backup, command_restore, command_size;
extern const struct command command_notify_providers, command_notify_test;
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
extern const struct command command_incident_list, command_incident_show, command_incident_try;
extern const struct command command_incident_ack, command_incident_assign, command_incident_note,
    command_incident_task, command_incident_evidence, command_incident_triage,
    command_incident_contain, command_incident_close, command_incident_reopen,
    command_incident_merge, command_incident_split, command_incident_undo, command_incident_protect,
    command_incident_aware, command_incident_significant, command_incident_breach,
    command_incident_report;
extern const struct command command_asset_import, command_asset_list, command_asset_show;
extern const struct command command_oncall_who, command_oncall_show, command_oncall_check,
    command_oncall_gaps, command_oncall_fairness, command_oncall_rest, command_oncall_ics,
    command_oncall_digest, command_oncall_holidays, command_oncall_changes;
extern const struct command command_oncall_plan, command_oncall_override, command_oncall_swap,
    command_oncall_temporary, command_oncall_absence, command_oncall_drop,
    command_oncall_disturbance, command_oncall_undisturbed;
extern const struct command command_suppression_add, command_suppression_list,
    command_suppression_end;
extern const struct command command_hold_add, command_hold_ls, command_hold_rm, command_clock_trust;
extern const struct command command_user_add, command_user_list, command_user_show,
    command_user_disable, command_user_enable, command_user_password, command_user_totp,
    command_user_unlock, command_user_remove, command_user_log, command_user_lift;
extern const struct command command_role_list, command_role_show, command_role_grant,
    command_role_revoke;
extern const struct command command_token_add, command_token_list, command_token_revoke;
extern const struct command command_awake;
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
