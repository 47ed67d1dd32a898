/* SPDX-License-Identifier: EUPL-1.2 */
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/hint.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/cli.h"

enum { OPTIONS_MAX = 48 };

const struct command *const *cli_commands(void)
{
    static const struct command *const commands[] = {
        &command_hunt,
        &command_rules_check,
        &command_rules_list,
        &command_rules_explain,
        &command_rules_test,
        &command_config_check,
        &command_config_show,
        &command_config_explain,
        &command_config_default,
        &command_help,
        NULL,
    };
    return commands;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* Names of files and rules are not ours: they are made visible before a terminal sees them. */
static void say(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static void say(const char *fmt, va_list ap)
{
    char text[2048];
    struct buf line;
    (void)vsnprintf(text, sizeof text, fmt, ap);
    buf_init(&line, 4 * sizeof text + 64);
    buf_puts(&line, "vaka: ");
    (void)text_put_visible(&line, slice_of(text), sizeof text);
    buf_putc(&line, '\n');
    (void)fwrite(line.ptr, 1, line.len, stderr);
    buf_done(&line);
}

void cli_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

int cli_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "Try 'vaka --help'.\n");
    return EXIT_USAGE;
}

void cli_diag(const struct diag *diag, const char *verdict)
{
    cli_say("%s:%u:%u: %s%s%s", diag->file ? diag->file : "?", diag->line, diag->column, verdict,
            *verdict ? ": " : "", diag->message);
}

/* ---- parsing ----------------------------------------------------------------------------- */

static bool is_one_of(const char *choices, const char *value)
{
    struct slice rest = slice_of(choices), choice;
    for (bool more = true; more;) {
        more = slice_split(rest, '|', &choice, &rest);
        if (slice_eq(choice, slice_of(value))) return true;
    }
    return false;
}

static const struct cli_option *find_option(const struct command *command, int letter)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (command->options[i].letter == letter) return &command->options[i];
    return NULL;
}

static int take_option(const struct invocation *in, int letter, const char *value)
{
    const struct cli_option *option = find_option(in->command, letter);
    if (!option) return EXIT_USAGE;
    if (option->arg && strchr(option->arg, '|') && !is_one_of(option->arg, value))
        return cli_usage("--%s is one of %s, not '%s'", option->name, option->arg, value);
    return in->command->option(in->ctx, letter, value);
}

enum { LETTER_HELP = 1000 };

static int parse(struct invocation *in, int argc, char **argv)
{
    struct option longs[OPTIONS_MAX + 2] = {0};
    char shorts[2 * OPTIONS_MAX + 4] = ":h";
    size_t n = 0, at = 2;
    ASSERT(in->command->n_options <= OPTIONS_MAX);
    for (; n < in->command->n_options; n++) {
        const struct cli_option *o = &in->command->options[n];
        longs[n] =
            (struct option){o->name, o->arg ? required_argument : no_argument, NULL, o->letter};
        if (o->letter >= OPTION_LONG) continue;
        shorts[at++] = (char)o->letter;
        if (o->arg) shorts[at++] = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, LETTER_HELP};
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (c == LETTER_HELP || c == 'h') {
            cli_help(stdout, in->command);
            return -1;
        }
        if (c == ':') return cli_usage("%s needs a value", argv[optind - 1]);
        /* Of a long one getopt tells no letter, but it has moved past the word. */
        if (c == '?' && optopt > 0 && optopt < OPTION_LONG)
            return cli_usage("unknown option -%c", optopt);
        if (c == '?') return cli_usage("unknown option %s", argv[optind - 1]);
        int status = take_option(in, c, optarg);
        if (status) return status;
    }
    in->operands = argv + optind;
    in->n_operands = (size_t)(argc - optind);
    return 0;
}

int cli_run(const struct command *command, int argc, char **argv)
{
    struct invocation in = {.command = command};
    in.ctx = calloc(1, command->ctx_size ? command->ctx_size : 1);
    if (!in.ctx) {
        cli_say("out of memory");
        return EXIT_UNREADABLE;
    }
    int status = parse(&in, argc, argv);
    if (status == 0) status = command->run(&in);
    free(in.ctx);
    return status < 0 ? EXIT_RAN : status;
}

/* ---- which command ----------------------------------------------------------------------- */

const struct command *cli_command(const char *first, const char *second, bool *ret_two_words)
{
    for (const struct command *const *c = cli_commands(); *c; c++) {
        struct slice head, rest;
        bool two = slice_split(slice_of((*c)->name), ' ', &head, &rest);
        if (!slice_eq(head, slice_of(first))) continue;
        if (two && (!second || !slice_eq(rest, slice_of(second)))) continue;
        *ret_two_words = two;
        return *c;
    }
    return NULL;
}

static int unknown(const char *first, const char *second)
{
    struct buf said;
    struct hint hint;
    char like[HINT_SIZE];
    bool family = false;
    for (const struct command *const *c = cli_commands(); *c; c++) {
        struct slice head, rest;
        family |=
            slice_split(slice_of((*c)->name), ' ', &head, &rest) && slice_eq(head, slice_of(first));
    }
    if (family && !second) return cli_usage("`%s` needs a second word", first);
    buf_init(&said, 512);
    buf_put(&said, slice_until(slice_of(first), 64));
    if (family) buf_printf(&said, " %.64s", second);
    hint_init(&hint, buf_slice(&said));
    for (const struct command *const *c = cli_commands(); *c; c++) {
        struct slice head, rest;
        if ((*c)->hidden) continue;
        hint_offer(&hint, slice_of((*c)->name));
        /* A first word may be nearly the first word of a family. */
        if (!family && slice_split(slice_of((*c)->name), ' ', &head, &rest))
            hint_offer(&hint, head);
    }
    int status =
        cli_usage("unknown command `%.*s`%s", SLICE_FMT(buf_slice(&said)), hint_text(&hint, like));
    buf_done(&said);
    return status;
}

int main(int argc, char **argv)
{
    /* Only the character set: numbers, sorting and messages stay those of the C locale. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (argc < 2) {
        cli_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)puts("vaka " VAKA_VERSION);
        return EXIT_RAN;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_overview(stdout);
        return EXIT_RAN;
    }
    bool two = false;
    const char *second = argc > 2 ? argv[2] : NULL;
    const struct command *command = cli_command(argv[1], second, &two);
    if (!command && second && (strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0)) {
        cli_overview(stdout);
        return EXIT_RAN;
    }
    if (!command) return unknown(argv[1], second);
    int skip = two ? 2 : 1;
    return cli_run(command, argc - skip, argv + skip);
}
