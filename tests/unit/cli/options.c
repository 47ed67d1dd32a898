/* SPDX-License-Identifier: EUPL-1.2 */
/* The command line from outside: main() itself, in a child, with what it prints and returns. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "test.h"

/* main() of cli/main.c, renamed where it is compiled for this test (see meson.build). */
int vaka_main(int argc, char **argv);

static char out_text[64 * 1024], err_text[64 * 1024];

static int capture(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static void keep(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    (void)close(fd);
}

/* Words are separated by blanks. The exit status; -1 when it did not end by itself. */
static int run(const char *words)
{
    char copy[1024], *argv[32] = {copy};
    int argc = 0, status, out = capture(), err = capture();
    (void)snprintf(copy, sizeof copy, "vaka %s", words);
    for (char *at = copy; at && argc < 31; argc++) {
        argv[argc] = at;
        at = strchr(at, ' ');
        if (at) *at++ = '\0';
    }
    if (!*words) argc = 1;
    argv[argc] = NULL;
    (void)fflush(stdout);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)dup2(out, 1);
        (void)dup2(err, 2);
        status = vaka_main(argc, argv);
        (void)fflush(stdout);
        _exit(status);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    keep(out, out_text, sizeof out_text);
    keep(err, err_text, sizeof err_text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_usage(const char *words, const char *message, int line)
{
    int status = run(words);
    if (status != EXIT_USAGE || !strstr(err_text, message) || out_text[0])
        test_fail(__FILE__, line, "vaka %s: %d: %s", words, status, err_text);
}
#define USAGE(words, message) check_usage(words, message, __LINE__)

TEST(commands_that_do_not_exist)
{
    USAGE("hnut x", "unknown command `hnut`; did you mean `hunt`?");
    USAGE("Hunt", "unknown command `Hunt`; did you mean `hunt`?");
    USAGE("rules chekc x", "unknown command `rules chekc`; did you mean `rules check`?");
    USAGE("rule check x", "did you mean `rules`?");
    USAGE("rules",
          "`rules` needs a second word: check, list, explain, test, import, versions, diff, show, "
          "noise, coverage, use, except, exceptions\n");
    USAGE("help rules chekc", "unknown command `rules chekc`; did you mean `rules check`?");
    USAGE("hnut --help", "unknown command `hnut`; did you mean `hunt`?");
    USAGE("frobnicate", "unknown command `frobnicate`\n");
    USAGE("a-word-that-is-much-longer-than-any-command-could-ever-be", "unknown command");
    USAGE("help nothing", "unknown command `nothing`");
}

TEST(options_that_do_not_exist_or_lack_a_value)
{
    USAGE("hunt --nothing x", "unknown option --nothing");
    USAGE("hunt --lvel=high x", "unknown option --lvel=high; did you mean --level?");
    USAGE("hunt -Z x", "unknown option -Z\nTry 'vaka hunt --help'.\n");
    USAGE("rules check -Z x", "Try 'vaka rules check --help'.\n");
    USAGE("hunt --from 2026-12-24 --to 2026-12-23 x", "--from 2026-12-24 is after --to 2026-12-23");
    USAGE("hunt x --rules", "--rules needs a value");
    USAGE("hunt x -r", "-r needs a value");
    USAGE("hunt --format xml x", "--format is one of table|json|csv, not 'xml'");
    USAGE("hunt --format= x", "--format is one of");
    USAGE("hunt --level h x", "--level is one of all|informational|low|medium|high|critical");
    USAGE("hunt --jobs 0 x", "--jobs: a whole number from 1 to 64");
    USAGE("hunt --jobs 65 x", "--jobs: a whole number from 1 to 64");
    USAGE("hunt --jobs 1x x", "--jobs: a whole number from 1 to 64");
    USAGE("hunt --jobs 18446744073709551617 x", "--jobs: a whole number from 1 to 64");
    USAGE("hunt --from yesterday x", "yesterday");
    USAGE("hunt --to 2026-02-30 x", "2026-02-30");
    USAGE("rules check --level high", "unknown option --level");
    USAGE("hunt", "vaka: ");
}

/* What is written on the command line comes back on a terminal. */
TEST(messages_do_not_command_the_terminal)
{
    USAGE("hunt --format \x1b[2J x", "not '\\x1b[2J'");
    USAGE("\x1b[2J", "unknown command `\\x1b[2J`");
    CHECK(!strchr(err_text, '\x1b'));
}

TEST(help_is_no_error)
{
    CHECK_INT(run("--help"), 0);
    CHECK(strstr(out_text, "Commands:") && !err_text[0]);
    CHECK_INT(run("-h"), 0);
    CHECK_INT(run("--version"), 0);
    CHECK_SLICE(slice_of(out_text), "vaka " VAKA_VERSION "\n");
    CHECK_INT(run(""), EXIT_USAGE);
    CHECK(strstr(err_text, "Commands:") && !out_text[0]);
    CHECK_INT(run("rules --help"), 0);
    CHECK(strstr(out_text, "vaka rules check") && strstr(out_text, "vaka rules test"));
    CHECK_INT(run("help rules"), 0);
    CHECK(strstr(out_text, "vaka rules check") && strstr(out_text, "vaka rules test"));
    CHECK_INT(run("hunt -h"), 0);
}

/* --help, the manual page and the completion all name every option of every command. */
TEST(every_option_is_told_everywhere)
{
    char words[64], option[64];
    for (const struct command *const *c = cli_commands(); *c; c++) {
        (void)snprintf(words, sizeof words, "%s --help", (*c)->name);
        CHECK_INT(run(words), 0);
        for (size_t i = 0; i < (*c)->n_options; i++) {
            (void)snprintf(option, sizeof option, "--%s", (*c)->options[i].name);
            if (!strstr(out_text, option))
                test_fail(__FILE__, __LINE__, "%s does not name %s", words, option);
        }
    }
    CHECK_INT(run("help --dump bash"), 0);
    for (const struct command *const *c = cli_commands(); *c; c++)
        for (size_t i = 0; i < (*c)->n_options; i++) {
            (void)snprintf(option, sizeof option, "--%s", (*c)->options[i].name);
            CHECK(strstr(out_text, option));
        }
    CHECK_INT(run("help --dump man"), 0);
    CHECK(strstr(out_text, ".SS vaka hunt"));
    USAGE("help --dump pdf", "--dump is one of bash|man");
}

/* Letters and names are what the parser tells them apart by. */
TEST(options_of_a_command_differ)
{
    for (const struct command *const *c = cli_commands(); *c; c++)
        for (size_t i = 0; i < (*c)->n_options; i++)
            for (size_t k = 0; k < i; k++) {
                CHECK((*c)->options[i].letter == 0 ||
                      (*c)->options[i].letter != (*c)->options[k].letter);
                CHECK(strcmp((*c)->options[i].name, (*c)->options[k].name) != 0);
            }
}

TEST(lines_of_help_fit_a_terminal)
{
    char words[64];
    for (const struct command *const *c = cli_commands(); *c; c++) {
        (void)snprintf(words, sizeof words, "%s --help", (*c)->name);
        CHECK_INT(run(words), 0);
        struct slice rest = slice_of(out_text), line;
        for (bool more = true; more;) {
            more = slice_split(rest, '\n', &line, &rest);
            if (line.len > 80) test_fail(__FILE__, __LINE__, "%s: %.*s", words, SLICE_FMT(line));
        }
    }
}
