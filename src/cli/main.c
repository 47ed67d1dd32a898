/* SPDX-License-Identifier: EUPL-1.2 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>

#include "base/buf.h"
#include "base/hint.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/settings.h"
#include "detect/sigma/doc.h"

/* What getopt calls long options: by their row. */
enum { OPTIONS_MAX = 48, LETTER_HELP = 1000, LETTER_FIRST };

const struct command *const *cli_commands(void)
{
    static const struct command *const commands[] = {
#define COMMAND(id) &command_##id,
#include "cli/commands.tbl"
#undef COMMAND
        NULL};
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
    return CLI_MISUSE;
}

void cli_diag(const struct diag *diag, const char *verdict)
{
    char place[32] = "";
    if (diag->line) (void)snprintf(place, sizeof place, "%u:%u:", diag->line, diag->column);
    cli_say("%s%s%s%s%s%s%s", diag->file ? diag->file : "", diag->file ? ":" : "", place,
            diag->file ? " " : "", verdict, *verdict ? ": " : "", diag->message);
}

/* ---- parsing ----------------------------------------------------------------------------- */

/* Which of "a|b|c" it is; -1: none. */
static int choice_of(const char *choices, const char *value)
{
    struct slice rest = slice_of(choices), choice;
    int at = 0;
    for (bool more = true; more; at++) {
        more = slice_split(rest, '|', &choice, &rest);
        if (slice_eq(choice, slice_of(value))) return at;
    }
    return -1;
}

static int take_number(const struct cli_option *o, const char *value, uint64_t *ret)
{
    if (slice_to_u64(slice_of(value), ret) && *ret >= o->least && *ret <= o->most) return 0;
    if (o->most == UINT64_MAX)
        return cli_usage("--%s wants a number from %" PRIu64 ", not '%s'", o->name, o->least,
                         value);
    return cli_usage("--%s wants a number from %" PRIu64 " to %" PRIu64 ", not '%s'", o->name,
                     o->least, o->most, value);
}

static int take_option(const struct invocation *in, const struct cli_option *o, const char *value)
{
    void *to = (char *)in->ctx + o->at;
    int choice = o->arg && strchr(o->arg, '|') ? choice_of(o->arg, value) : 0;
    if (choice < 0) return cli_usage("--%s is one of %s, not '%s'", o->name, o->arg, value);
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)to = true;
        return 0;
    case CLI_TEXT:
        *(const char **)to = value;
        return 0;
    case CLI_CHOICE:
        if (o->size == sizeof(bool)) *(bool *)to = choice > 0;
        else *(unsigned *)to = (unsigned)choice;
        return 0;
    case CLI_LEVEL:
        return sigma_level_parse(slice_of(value), to) ? 0 : EXIT_USAGE;
    case CLI_NUMBER:
        return take_number(o, value, to);
    case CLI_CONFIG:
        return settings_option(to, o->letter, value);
    case CLI_SETTING:
        return settings_say(to, o->key, o->arg ? value : o->value, o->name);
    case CLI_CALL:
    default:
        return in->command->option(in->ctx, o->letter, value);
    }
}

/* said: "--nope" or "--nope=value" */
static int unknown_option(const struct command *command, const char *said)
{
    struct hint hint;
    const char *name = said + strspn(said, "-");
    hint_init(&hint, slice_make(name, strcspn(name, "=")));
    for (size_t i = 0; i < command->n_options; i++)
        hint_offer(&hint, slice_of(command->options[i].name));
    if (hint.best.len == 0) return cli_usage("unknown option %s", said);
    return cli_usage("unknown option %s; did you mean --%.*s?", said, SLICE_FMT(hint.best));
}

static const struct cli_option *by_letter(const struct command *command, int letter)
{
    size_t i = 0;
    while (i + 1 < command->n_options && command->options[i].letter != letter) i++;
    return &command->options[i];
}

static int parse(struct invocation *in, int argc, char **argv)
{
    struct option longs[OPTIONS_MAX + 2] = {0};
    char shorts[2 * OPTIONS_MAX + 4] = ":h";
    size_t n = 0, at = 2;
    ASSERT(in->command->n_options <= OPTIONS_MAX);
    for (; n < in->command->n_options; n++) {
        const struct cli_option *o = &in->command->options[n];
        longs[n] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL,
                                   LETTER_FIRST + (int)n};
        if (!cli_is_short(o)) continue;
        shorts[at++] = (char)o->letter;
        if (o->arg) shorts[at++] = ':';
    }
    longs[n] = (struct option){"help", no_argument, NULL, LETTER_HELP};
    opterr = 0;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (c == LETTER_HELP || c == 'h') {
            cli_help(stdout, in->command);
            return CLI_HELPED;
        }
        if (c == ':') return cli_usage("%s needs a value", argv[optind - 1]);
        /* Of a long one getopt tells no letter, but it has moved past the word. */
        if (c == '?' && optopt > 0 && optopt < OPTION_LONG)
            return cli_usage("unknown option -%c", optopt);
        if (c == '?') return unknown_option(in->command, argv[optind - 1]);
        const struct cli_option *said =
            c < LETTER_FIRST ? by_letter(in->command, c) : &in->command->options[c - LETTER_FIRST];
        int status = take_option(in, said, optarg);
        if (status) return status;
    }
    in->operands = argv + optind;
    in->n_operands = (size_t)(argc - optind);
    return 0;
}

/* The exit status; after cli_usage() it is also said where to read more. */
static int conclude(int status, const char *command)
{
    if (status == CLI_HELPED) return EXIT_RAN;
    if (status != CLI_MISUSE) return status;
    (void)fprintf(stderr, "Try 'vaka %s%s--help'.\n", command, *command ? " " : "");
    return EXIT_USAGE;
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
    return conclude(status, command->name);
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

/* The first of two words was said; which are the second? */
static int incomplete(const char *first)
{
    struct buf choices;
    struct slice head, rest;
    buf_init(&choices, 512);
    for (const struct command *const *c = cli_commands(); *c; c++) {
        if (!slice_split(slice_of((*c)->name), ' ', &head, &rest)) continue;
        if (!slice_eq(head, slice_of(first))) continue;
        if (choices.len) buf_puts(&choices, ", ");
        buf_put(&choices, rest);
    }
    int status = cli_usage("`%s` needs a second word: %.*s", first, SLICE_FMT(buf_slice(&choices)));
    buf_done(&choices);
    return status;
}

int cli_unknown(const char *first, const char *second)
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
    if (family && !second) return incomplete(first);
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

static bool is_help(const char *word)
{
    return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static int dispatch(int argc, char **argv)
{
    bool two = false;
    if (argc < 2) {
        cli_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        (void)puts("vaka " VAKA_VERSION);
        return EXIT_RAN;
    }
    if (is_help(argv[1])) {
        cli_overview(stdout);
        return EXIT_RAN;
    }
    const char *second = argc > 2 ? argv[2] : NULL;
    /* Not for people: how serve starts its own processes. */
    if (strcmp(argv[1], "--role") == 0 && second) return serve_role_main(second);
    const struct command *command = cli_command(argv[1], second, &two);
    int skip = two ? 2 : 1;
    if (command) return cli_run(command, argc - skip, argv + skip);
    if (is_help(second) && cli_help_family(stdout, argv[1])) return EXIT_RAN;
    return conclude(cli_unknown(argv[1], second), "");
}

int main(int argc, char **argv)
{
    /* Only the character set: numbers, sorting and messages stay those of the C locale. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    int status = dispatch(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    cli_say("standard output: %s", strerror(errno));
    return status == EXIT_RAN ? EXIT_UNREADABLE : status;
}
