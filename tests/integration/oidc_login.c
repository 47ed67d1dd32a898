/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Logins by an identity provider, for oidc.py: oidc-login ISSUER CLIENT SECRET REDIRECT TRUST
 * [ACR…]. A line of standard input is begin               → "url URL", "state STATE"; or "stopped
 * WHY" return STATE CODE   → "claims JSON", "refused WHY", or "error TEXT" pass SECONDS        the
 * monotonic clock goes on by so many
 */
#include <stdio.h>
#include <unistd.h>

#include "oidc/login.h"

struct program {
    struct loop *loop;
    struct logins *logins;
    struct loop_watch input;
    struct buf line;
};

static nsec passed;

static nsec real(void *ctx)
{
    struct clock system = clock_system();
    (void)ctx;
    return clock_realtime(&system);
}

static nsec monotonic(void *ctx)
{
    struct clock system = clock_system();
    (void)ctx;
    return clock_monotonic(&system) + passed;
}

static void on_result(void *ctx, const struct login_result *result)
{
    (void)ctx;
    if (result->why) (void)printf("refused %s\n", result->why);
    else (void)printf("claims %.*s\n", SLICE_FMT(result->claims));
    (void)fflush(stdout);
}

static void begin(struct program *p)
{
    struct buf url;
    char state[LOGIN_RANDOM + 1];
    buf_init(&url, LOGIN_URL_MAX);
    if (logins_begin(p->logins, &url, state) == 0)
        (void)printf("url %.*s\nstate %s\n", SLICE_FMT(buf_slice(&url)), state);
    else (void)printf("stopped %s\n", logins_trouble(p->logins));
    buf_done(&url);
}

static void run(struct program *p, struct slice line)
{
    struct slice word = slice_next_word(&line), first = slice_next_word(&line),
                 second = slice_next_word(&line);
    uint64_t seconds;
    int error = 0;
    if (slice_eq(word, SLICE("begin"))) begin(p);
    if (slice_eq(word, SLICE("pass")) && slice_to_u64(first, &seconds))
        passed += (nsec)seconds * NSEC_PER_SEC;
    if (slice_eq(word, SLICE("return")))
        error = logins_return(p->logins, first, second, on_result, NULL);
    if (error) (void)printf("error %s\n", error_text(error));
    (void)fflush(stdout);
}

static void on_input(void *ctx, unsigned what)
{
    struct program *p = ctx;
    char bytes[8192];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    (void)what;
    if (n <= 0) {
        loop_stop(p->loop, 0);
        return;
    }
    buf_put(&p->line, slice_make(bytes, (size_t)n));
    for (size_t at; (at = slice_find_byte(buf_slice(&p->line), '\n')) != SIZE_MAX;) {
        run(p, slice_until(buf_slice(&p->line), at));
        buf_consume(&p->line, at + 1);
    }
}

/* https://HOST:PORT… */
static int look_up(struct dial *dial, const char *issuer)
{
    char host[256];
    unsigned port;
    if (sscanf(issuer, "https://%255[^:/]:%5u", host, &port) != 2) return ERR_INVALID;
    return dial_look_up(dial, host, (uint16_t)port);
}

int main(int argc, char **argv)
{
    static struct program p;
    struct dial *dial = NULL;
    if (argc < 6) return 2;
    struct clock clock = {.realtime = real, .monotonic = monotonic};
    p.loop = loop_new(
        &(struct loop_options){.clock = clock_system(), .max_watches = 64, .max_timers = 16});
    if (!p.loop) return 1;
    int error = dial_new(&(struct dial_options){.loop = p.loop, .trust = argv[5]}, &dial);
    if (error == 0) error = look_up(dial, argv[1]);
    if (error == 0)
        error = logins_new(&(struct login_options){.loop = p.loop,
                                                   .clock = clock,
                                                   .dial = dial,
                                                   .issuer = argv[1],
                                                   .client = argv[2],
                                                   .secret = slice_of(argv[3]),
                                                   .redirect = argv[4],
                                                   .acr = (const char *const *)argv + 6,
                                                   .n_acr = (uint32_t)argc - 6},
                           &p.logins);
    buf_init(&p.line, 64 * 1024);
    p.input = (struct loop_watch){.fd = STDIN_FILENO, .ready = on_input, .ctx = &p};
    if (error == 0) error = loop_watch_add(p.loop, &p.input, LOOP_READ);
    if (error == 0) error = loop_run(p.loop);
    logins_free(p.logins);
    dial_free(dial);
    loop_free(p.loop);
    buf_done(&p.line);
    return error ? 1 : 0;
}
