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

#define COMMAND(id) extern const struct command command_##id;
#include "cli/commands.tbl"
#undef COMMAND
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
