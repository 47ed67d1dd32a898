/* SPDX-License-Identifier: EUPL-1.2 */
#include "dial/resolver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Numbers: what a machine's files and name servers say is not the same everywhere. */
static const char *const hosts[] = {"192.0.2.7", "2001:db8::7", "not a host", "127.0.0.1"};
enum { HOSTS = sizeof hosts / sizeof *hosts };

struct asking {
    struct loop *loop;
    struct resolver *resolver;
    char found[HOSTS][64];
    unsigned n, rounds, lost;
    unsigned until; /* found; behind that the loop ends */
};

static void on_found(void *ctx, unsigned host, struct slice addresses)
{
    struct asking *a = ctx;
    REQUIRE(host < HOSTS);
    CHECK(slice_copy(addresses, a->found[host], sizeof a->found[host]));
    if (++a->n == a->until) loop_stop(a->loop, 0);
}

static void on_lost(void *ctx)
{
    struct asking *a = ctx;
    a->lost++;
    loop_stop(a->loop, 0);
}

static void begin(struct asking *a)
{
    *a = (struct asking){.until = 3};
    a->loop = loop_new(
        &(struct loop_options){.clock = clock_system(), .max_watches = 8, .max_timers = 8});
    REQUIRE(a->loop);
    REQUIRE(resolver_new(&(struct resolver_options){.loop = a->loop,
                                                    .hosts = hosts,
                                                    .n_hosts = HOSTS,
                                                    .found = on_found,
                                                    .lost = on_lost,
                                                    .ctx = a},
                         &a->resolver) == 0);
}

static void end(struct asking *a)
{
    resolver_free(a->resolver);
    loop_free(a->loop);
    /* Its process ends with the channel. */
    (void)wait(NULL);
}

TEST(every_host_that_has_an_address_is_found_as_often_as_it_is_asked_for)
{
    struct asking a;
    begin(&a);
    for (unsigned round = 0; round < 3; round++) {
        a.n = 0;
        memset(a.found, 0, sizeof a.found);
        resolver_ask(a.resolver);
        /* Nothing is asked twice at once. */
        resolver_ask(a.resolver);
        REQUIRE(loop_run(a.loop) == 0);
        CHECK_SLICE(slice_of(a.found[0]), "192.0.2.7");
        CHECK_SLICE(slice_of(a.found[1]), "[2001:db8::7]");
        CHECK_SLICE(slice_of(a.found[2]), "");
        CHECK_SLICE(slice_of(a.found[3]), "127.0.0.1");
    }
    CHECK_INT(a.n, 3);
    CHECK_INT(a.lost, 0);
    end(&a);
}

/* The only child there is. */
static pid_t child(void)
{
    char path[64], text[32] = "";
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    REQUIRE(file);
    CHECK(fgets(text, sizeof text, file) != NULL);
    (void)fclose(file);
    return (pid_t)strtoul(text, NULL, 10);
}

TEST(its_end_is_told)
{
    struct asking a;
    begin(&a);
    REQUIRE(kill(child(), SIGKILL) == 0);
    REQUIRE(loop_run(a.loop) == 0);
    CHECK_INT(a.lost, 1);
    /* Nobody is there to ask. */
    resolver_ask(a.resolver);
    end(&a);
}

TEST(an_address_is_written_as_it_is_connected_to)
{
    struct buf out;
    buf_init(&out, 64);
    CHECK(resolver_look_up("2001:db8::7", &out));
    CHECK_SLICE(buf_slice(&out), "[2001:db8::7]");
    CHECK(!resolver_look_up("not a host", &out));
    buf_done(&out);
}
