/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/secret.h"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

enum { LINE_MOST = 4096 };

void secret_done(struct buf *secret)
{
    if (secret->ptr) explicit_bzero(secret->ptr, secret->cap);
    buf_done(secret);
}

/* A byte at a time: what is behind the line is not this one's to read. */
static bool read_line(struct buf *out)
{
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 || (n == 0 && out->len == 0)) return false;
        if (n == 0 || c == '\n') break;
        buf_putc(out, c);
    }
    if (out->len && out->ptr[out->len - 1] == '\r') out->len--;
    return !buf_failed(out);
}

/* What ends the program would leave the terminal mute: it waits until the line is read. */
static bool ask_hidden(const char *prompt, struct buf *out)
{
    struct termios seen, hidden;
    sigset_t signals, before;
    if (tcgetattr(STDIN_FILENO, &seen) != 0) return false;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    hidden = seen;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    bool good = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
    (void)fputs(prompt, stderr);
    good = good && read_line(out);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
    (void)fputc('\n', stderr);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return good;
}

static int ask_twice(struct buf *out)
{
    struct buf again;
    buf_init(&again, LINE_MOST);
    bool good = ask_hidden("Password: ", out) && ask_hidden("Again: ", &again);
    bool same = good && slice_eq(buf_slice(out), buf_slice(&again));
    secret_done(&again);
    if (!good) cli_say("no password was read");
    else if (!same) cli_say("these are two different passwords: nothing was changed");
    return same ? 0 : EXIT_UNREADABLE;
}

int secret_read(bool from_stdin, struct buf *out)
{
    if (from_stdin) {
        if (read_line(out)) return 0;
        cli_say("no password was read from standard input");
        return EXIT_UNREADABLE;
    }
    if (isatty(STDIN_FILENO)) return ask_twice(out);
    return cli_usage("there is no terminal to ask for a password: say --stdin or --invite");
}
