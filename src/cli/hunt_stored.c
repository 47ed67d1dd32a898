/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/hunt_stored.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/audited.h"
#include "cli/cli.h"

/* What the process has to say at its end. */
struct outcome {
    int error;
    struct hunt_result result;
};

static void put_words(struct buf *out, const char *option, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s %s", out->len ? " " : "", option, words[i]);
}

static int begin(const struct hunt_question *q, const struct hunt_options *o, struct audited *ret)
{
    struct diag diag;
    struct buf text;
    buf_init(&text, AUDIT_QUERY_MAX);
    put_words(&text, "-r", q->rules, q->n_rules);
    put_words(&text, "--indicators", q->indicators, q->n_indicators);
    const struct audited_look look = {.what = "hunt --store",
                                      .store = o->store,
                                      .query = buf_slice(&text),
                                      .purpose = q->purpose,
                                      .from = o->from == TIME_NONE ? INT64_MIN : o->from,
                                      .to = o->to == TIME_NONE ? INT64_MAX : o->to};
    int error = audited_begin(ret, q->config, &look, &diag);
    buf_done(&text);
    if (error) cli_say("%s", diag.message);
    return error;
}

static _Noreturn void hunt_apart(const struct hunt_options *options, int fd)
{
    struct outcome out = {.error = 0};
    out.error = hunt_run(options, &out.result);
    bool told = write(fd, &out, sizeof out) == (ssize_t)sizeof out;
    _exit(told ? 0 : 1);
}

/* ERR_IO: it ended without a word. */
static int listen(int fd, pid_t pid, struct hunt_result *ret)
{
    struct outcome out;
    ssize_t n;
    do n = read(fd, &out, sizeof out);
    while (n < 0 && errno == EINTR);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (n != (ssize_t)sizeof out) {
        cli_say("the hunt ended without saying why");
        return ERR_IO;
    }
    *ret = out.result;
    return out.error;
}

static int run_apart(const struct hunt_options *options, struct hunt_result *ret)
{
    int ends[2];
    if (pipe(ends) != 0) return ERR_IO;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        hunt_apart(options, ends[1]);
    }
    /* ^C ends the hunt, and what it has found is told then. */
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    (void)close(ends[1]);
    int error = pid < 0 ? ERR_NOMEM : listen(ends[0], pid, ret);
    (void)close(ends[0]);
    (void)signal(SIGINT, before);
    return error;
}

int hunt_stored_run(const struct hunt_question *question, const struct hunt_options *options,
                    struct hunt_result *ret)
{
    struct audited audited = {.on = false};
    int error = begin(question, options, &audited);
    if (error) return error;
    error = run_apart(options, ret);
    audited_end(&audited,
                error              ? "failed"
                : ret->interrupted ? "interrupted"
                                   : "whole",
                error ? 0 : ret->alerts);
    return error;
}
