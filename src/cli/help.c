/* SPDX-License-Identifier: EUPL-1.2 */
/* Everything that is told about the commands, made from their tables. */
#include "base/slice.h"
#include "cli/cli.h"

enum { HELP_WIDTH = 79, HELP_COLUMN = 26 };

void cli_wrap(FILE *out, const char *text, size_t column, size_t indent)
{
    size_t at = column;
    while (*text) {
        if (text[0] == '\n' && text[1] == '\n') {
            (void)fputs("\n\n", out);
            at = 0;
            text += 2;
        }
        while (*text == ' ' || *text == '\n') text++;
        size_t len = strcspn(text, " \n");
        if (len == 0) continue;
        if (at > indent && at + 1 + len > HELP_WIDTH) {
            (void)fputc('\n', out);
            at = 0;
        }
        if (at == 0) at += (size_t)fprintf(out, "%*s", (int)indent, "");
        else if (at > indent) at += (size_t)fprintf(out, " ");
        at += (size_t)fprintf(out, "%.*s", (int)len, text);
        text += len;
    }
    (void)fputc('\n', out);
}

void cli_overview(FILE *out)
{
    (void)fputs("vaka: keep watch over what systems log, and find attacks with Sigma rules\n\n"
                "Usage: vaka COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n",
                out);
    for (const struct command *const *c = cli_commands(); *c; c++)
        if (!(*c)->hidden) (void)fprintf(out, "  %-16s %s\n", (*c)->name, (*c)->summary);
    (void)fputs("\n'vaka COMMAND --help' tells more about one of them.\n"
                "'vaka --version' prints the version.\n",
                out);
}

static void help_option(FILE *out, const struct cli_option *o)
{
    int n = cli_is_short(o) ? fprintf(out, "  -%c, --%s", o->letter, o->name)
                            : fprintf(out, "      --%s", o->name);
    if (o->arg) n += fprintf(out, " %s", o->arg);
    size_t at = n > 0 ? (size_t)n : 0;
    if (at + 2 > HELP_COLUMN) {
        (void)fputc('\n', out);
        at = 0;
    } else {
        at += (size_t)fprintf(out, "%*s", (int)(HELP_COLUMN - at), "");
    }
    cli_wrap(out, o->help, at, HELP_COLUMN);
}

void cli_help(FILE *out, const struct command *c)
{
    (void)fprintf(out, "Usage: vaka %s%s%s%s\n\n", c->name, c->n_options ? " [OPTION]..." : "",
                  *c->operands ? " " : "", c->operands);
    cli_wrap(out, c->description, 0, 0);
    (void)fputs("\nOptions:\n", out);
    for (size_t i = 0; i < c->n_options; i++) help_option(out, &c->options[i]);
    help_option(out, &(struct cli_option){'h', "help", NULL, "Print this help.", OPTION_CALL});
}

bool cli_help_family(FILE *out, const char *first)
{
    bool found = false;
    for (const struct command *const *c = cli_commands(); *c; c++) {
        struct slice head, rest;
        if (!slice_split(slice_of((*c)->name), ' ', &head, &rest)) continue;
        if (!slice_eq(head, slice_of(first))) continue;
        if (found) (void)fputc('\n', out);
        cli_help(out, *c);
        found = true;
    }
    return found;
}

/* What is true of every setting is said in its row; this is how it is said. */
void cli_setting_text(struct buf *out, enum config_key key)
{
    const struct setting *s = &config_settings[key];
    buf_puts(out, "  value:   ");
    config_write_range(out, key);
    buf_printf(out, "\n  default: %s\n  since:   %s\n", config_default(key), s->since);
}

/* ---- manual page ------------------------------------------------------------------------- */

/* roff: a backslash and a leading dot or apostrophe mean something; a minus is not a hyphen. */
static void roff(FILE *out, const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            (void)fputs("\n.PP\n", out);
            text++;
            start = true;
            continue;
        }
        if (start && (*text == '.' || *text == '\'')) (void)fputs("\\&", out);
        start = *text == '\n';
        if (*text == '\\') (void)fputs("\\e", out);
        else if (*text == '-') (void)fputs("\\-", out);
        else (void)fputc(*text, out);
    }
}

static void man_option(FILE *out, const struct cli_option *o)
{
    (void)fputs(".TP\n", out);
    if (cli_is_short(o)) (void)fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    (void)fputs("\\fB\\-\\-", out);
    roff(out, o->name);
    (void)fputs("\\fR", out);
    if (o->arg) {
        (void)fputs(" \\fI", out);
        roff(out, o->arg);
        (void)fputs("\\fR", out);
    }
    (void)fputc('\n', out);
    roff(out, o->help);
    (void)fputc('\n', out);
}

static void man_setting(FILE *out, enum config_key key)
{
    const struct setting *s = &config_settings[key];
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text, "%s (", s->text);
    config_write_range(&text, key);
    buf_printf(&text, "; default %s; since %s.)", config_default(key), s->since);
    buf_putc(&text, '\0');
    (void)fprintf(out, ".TP\n\\fB%s\\fR\n", s->key);
    if (!buf_failed(&text)) roff(out, text.ptr);
    (void)fputc('\n', out);
    buf_done(&text);
}

static void dump_man(FILE *out)
{
    for (const struct command *const *c = cli_commands(); *c; c++) {
        if ((*c)->hidden) continue;
        (void)fprintf(out, ".SS vaka %s%s %s\n", (*c)->name,
                      (*c)->n_options ? " [\\fIOPTION\\fR]..." : "", (*c)->operands);
        roff(out, (*c)->description);
        (void)fputc('\n', out);
        for (size_t i = 0; i < (*c)->n_options; i++) man_option(out, &(*c)->options[i]);
    }
    (void)fputs(".SH SETTINGS\n", out);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) man_setting(out, key);
}

/* ---- bash -------------------------------------------------------------------------------- */

static void bash_choices(FILE *out, const struct cli_option *o)
{
    const char *pattern_end = cli_is_short(o) ? "|" : "";
    if (cli_is_short(o)) (void)fprintf(out, "            -%c", o->letter);
    (void)fprintf(out, "%s--%s) ", cli_is_short(o) ? pattern_end : "            ", o->name);
    if (strchr(o->arg, '|')) {
        (void)fputs("COMPREPLY=($(compgen -W '", out);
        for (const char *c = o->arg; *c; c++) (void)fputc(*c == '|' ? ' ' : *c, out);
        (void)fputs("' -- \"$current\")) ;;\n", out);
    } else if (strcmp(o->arg, "FILE") == 0 || strcmp(o->arg, "PATH") == 0) {
        (void)fputs("COMPREPLY=($(compgen -f -- \"$current\")) ;;\n", out);
    } else {
        (void)fputs("COMPREPLY=() ;;\n", out);
    }
}

static void bash_command(FILE *out, const struct command *c)
{
    bool any = false;
    (void)fprintf(out, "    '%s')\n", c->name);
    for (size_t i = 0; i < c->n_options; i++) {
        if (!c->options[i].arg) continue;
        if (!any) (void)fputs("        case \"$previous\" in\n", out);
        any = true;
        bash_choices(out, &c->options[i]);
    }
    if (any) (void)fputs("            *) complete_plain=1 ;;\n        esac\n", out);
    if (!any) (void)fputs("        complete_plain=1\n", out);
    (void)fputs("        options='--help", out);
    for (size_t i = 0; i < c->n_options; i++) (void)fprintf(out, " --%s", c->options[i].name);
    (void)fputs("' ;;\n", out);
}

/* The second words of the family that begins at *first; nothing for any other command. */
static void bash_family(FILE *out, const struct command *const *first)
{
    struct slice family, head, rest;
    if (!slice_split(slice_of((*first)->name), ' ', &family, &rest)) return;
    if (first > cli_commands()) {
        (void)slice_split(slice_of(first[-1]->name), ' ', &head, &rest);
        if (slice_eq(head, family)) return;
    }
    (void)fprintf(out,
                  "    %.*s)\n        if [ \"$COMP_CWORD\" = 2 ]; then\n"
                  "            COMPREPLY=($(compgen -W '",
                  SLICE_FMT(family));
    for (const struct command *const *c = first; *c; c++)
        if (slice_split(slice_of((*c)->name), ' ', &head, &rest) && slice_eq(head, family))
            (void)fprintf(out, "%.*s ", SLICE_FMT(rest));
    (void)fprintf(out,
                  "' -- \"$current\"))\n            return\n        fi\n"
                  "        command=\"%.*s ${COMP_WORDS[2]}\" ;;\n",
                  SLICE_FMT(family));
}

static void dump_bash(FILE *out)
{
    (void)fputs("# bash completion for vaka; made by `vaka help --dump bash`\n"
                "_vaka() {\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                "    local command=${COMP_WORDS[1]} complete_plain= options=\n"
                "    COMPREPLY=()\n",
                out);
    (void)fputs("    if [ \"$COMP_CWORD\" = 1 ]; then\n        COMPREPLY=($(compgen -W '", out);
    struct slice last = SLICE_NONE;
    for (const struct command *const *c = cli_commands(); *c; c++) {
        struct slice head, rest;
        (void)slice_split(slice_of((*c)->name), ' ', &head, &rest);
        if (!slice_eq(head, last)) (void)fprintf(out, "%.*s ", SLICE_FMT(head));
        last = head;
    }
    (void)fputs("--help --version' -- \"$current\"))\n        return\n    fi\n"
                "    case \"$command\" in\n",
                out);
    for (const struct command *const *c = cli_commands(); *c; c++) bash_family(out, c);
    (void)fputs("    esac\n    case \"$command\" in\n", out);
    for (const struct command *const *c = cli_commands(); *c; c++) bash_command(out, *c);
    (void)fputs("    esac\n    [ -n \"$complete_plain\" ] || return 0\n"
                "    case \"$current\" in\n"
                "        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"
                "        *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n    esac\n}\n"
                "complete -o filenames -F _vaka vaka\n",
                out);
}

bool cli_dump(FILE *out, const char *format)
{
    if (strcmp(format, "man") == 0) dump_man(out);
    else if (strcmp(format, "bash") == 0) dump_bash(out);
    else return false;
    return true;
}

/* ---- vaka help --------------------------------------------------------------------------- */

struct help_context {
    const char *dump;
};

static int help_run(const struct invocation *in)
{
    const struct help_context *help = in->ctx;
    bool two;
    if (help->dump) return cli_dump(stdout, help->dump) ? EXIT_RAN : EXIT_USAGE;
    if (in->n_operands == 0) {
        cli_overview(stdout);
        return EXIT_RAN;
    }
    const char *second = in->n_operands > 1 ? in->operands[1] : NULL;
    const struct command *command = cli_command(in->operands[0], second, &two);
    if (command) cli_help(stdout, command);
    else if (second || !cli_help_family(stdout, in->operands[0]))
        return cli_unknown(in->operands[0], second);
    return EXIT_RAN;
}

static const struct cli_option help_options[] = {
    {0, "dump", "bash|man",
     "Print the bash completion, or the manual page's part about the commands.",
     OPTION_TEXT(struct help_context, dump)},
};

const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "tell what a command does and which options it has",
    .description = "Prints what a command does and which options it has.",
    .options = help_options,
    .n_options = sizeof help_options / sizeof *help_options,
    .ctx_size = sizeof(struct help_context),
    .run = help_run,
};
