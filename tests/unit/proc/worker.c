/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { PAYLOAD_MAX = 4096 };

static int null_fd(void)
{
    static int fd = -1;
    if (fd < 0) fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

static struct worker start(int (*run)(void *ctx, struct channel *channel), void *ctx)
{
    struct worker w = {0};
    const struct worker_spec spec = {.run = run,
                                     .ctx = ctx,
                                     .role = SANDBOX_DECODER,
                                     .max_payload = PAYLOAD_MAX,
                                     .null_fd = null_fd()};
    REQUIRE(worker_start(&w, &spec) == 0);
    CHECK(w.pid > 0);
    return w;
}

/* Every frame back with its type one higher, until the parent closes. */
static int echo(void *ctx, struct channel *channel)
{
    struct frame f;
    struct buf out;
    (void)ctx;
    buf_init(&out, 2 * PAYLOAD_MAX);
    while (channel_fill(channel) == 0) {
        while (channel_next(channel, &f) > 0) {
            buf_clear(&out);
            size_t begin = frame_begin(&out, (uint8_t)(f.type + 1));
            buf_put(&out, f.payload);
            frame_end(&out, begin);
            if (channel_send(channel, buf_slice(&out), -1) != 0) return 9;
        }
    }
    buf_done(&out);
    return 3;
}

static void ask(struct worker *w, uint8_t type, struct frame *ret)
{
    struct buf b;
    buf_init(&b, 64);
    size_t begin = frame_begin(&b, type);
    buf_puts(&b, "hello");
    frame_end(&b, begin);
    REQUIRE(channel_send(&w->channel, buf_slice(&b), -1) == 0);
    buf_done(&b);
    int result;
    while ((result = channel_next(&w->channel, ret)) == 0) REQUIRE(channel_fill(&w->channel) == 0);
    REQUIRE(result == 1);
}

TEST(a_worker_answers_and_ends_when_its_channel_closes)
{
    struct worker w = start(echo, NULL);
    struct rusage usage;
    struct frame f;
    ask(&w, 41, &f);
    CHECK_INT(f.type, 42);
    CHECK_SLICE(f.payload, "hello");
    int status = worker_stop(&w, false, &usage);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    CHECK_INT(w.pid, 0);
    CHECK_INT(w.channel.fd, -1);
    CHECK_INT(worker_stop(&w, true, &usage), 0); /* there is none: nothing is killed */
}

static int die(void *ctx, struct channel *channel)
{
    int how = *(const int *)ctx;
    (void)channel;
    if (how > 0) (void)signal(how, SIG_DFL);
    if (how > 0) (void)raise(how);
    return -how;
}

TEST(a_worker_that_dies_is_noticed_and_named)
{
    static const struct {
        int how;
        const char *text;
    } cases[] = {
        {SIGSEGV, "signal 11 (Segmentation fault)"},
        {SIGKILL, "signal 9 (Killed)"},
        {SIGABRT, "signal 6 (Aborted)"},
        {-7, "exit status 7"},
        {0, "exit status 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int how = cases[i].how;
        char text[64];
        struct worker w = start(die, &how);
        struct rusage usage;
        CHECK_INT(channel_fill(&w.channel), ERR_STOPPED);
        worker_describe(worker_stop(&w, false, &usage), text, sizeof text);
        CHECK_SLICE(slice_of(text), cases[i].text);
    }
}

/* In the middle of a frame: what it began is no frame, and the end is seen. */
static int die_in_a_frame(void *ctx, struct channel *channel)
{
    (void)ctx;
    if (channel_send(channel, SLICE("\x10\0\0\0\1half"), -1) == 0) (void)raise(SIGKILL);
    return 0;
}

TEST(half_a_frame_of_a_dead_worker_is_nothing)
{
    struct worker w = start(die_in_a_frame, NULL);
    struct rusage usage;
    struct frame f;
    int result;
    while ((result = channel_fill(&w.channel)) == 0) CHECK_INT(channel_next(&w.channel, &f), 0);
    CHECK_INT(result, ERR_STOPPED);
    CHECK(WIFSIGNALED(worker_stop(&w, false, &usage)));
}

static int never_ends(void *ctx, struct channel *channel)
{
    (void)ctx;
    (void)channel;
    while (pause() != 0) {
    }
    return 0;
}

TEST(a_worker_that_hangs_is_killed)
{
    struct worker w = start(never_ends, NULL);
    struct rusage usage;
    int status = worker_stop(&w, true, &usage);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Bits: 1 descriptor 9 is closed, 2 descriptor 4 is closed, 4 stdout is /dev/null, 8 the signal
 * mask is empty, 16 dies with its parent. */
static int look_around(void *ctx, struct channel *channel)
{
    sigset_t mask;
    int death = 0;
    const int *stdout_is = ctx;
    (void)channel;
    int seen = fcntl(9, F_GETFD) < 0 ? 1 : 0;
    if (fcntl(4, F_GETFD) < 0) seen |= 2;
    if (*stdout_is == 1 && write(1, "not for TAP\n", 12) == 12) seen |= 4;
    if (sigprocmask(SIG_SETMASK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR1)) seen |= 8;
    if (prctl(PR_GET_PDEATHSIG, &death) == 0 && death == SIGKILL) seen |= 16;
    return seen;
}

TEST(a_worker_keeps_nothing_but_its_channel)
{
    sigset_t block, before;
    int one = 1;
    struct worker w = {0};
    struct rusage usage;
    const struct worker_spec spec = {.run = look_around,
                                     .ctx = &one,
                                     .role = SANDBOX_DECODER,
                                     .unconfined = true,
                                     .max_payload = PAYLOAD_MAX,
                                     .null_fd = null_fd()};
    REQUIRE(dup2(null_fd(), 9) == 9);
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGUSR1);
    REQUIRE(sigprocmask(SIG_BLOCK, &block, &before) == 0);
    REQUIRE(worker_start(&w, &spec) == 0);
    int status = worker_stop(&w, false, &usage);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)close(9);
    REQUIRE(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 31);
}

TEST(descriptions_are_cut_to_their_space)
{
    char text[8];
    worker_describe(W_EXITCODE(200, 0), text, sizeof text);
    CHECK_SLICE(slice_of(text), "exit st");
}
