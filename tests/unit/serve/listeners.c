/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/listeners.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

static void parses(const char *text, const char *address, unsigned port)
{
    struct slice got = SLICE_NONE;
    uint16_t number = 0;
    if (!listeners_parse(slice_of(text), &got, &number))
        test_fail(__FILE__, __LINE__, "refused: %s", text);
    CHECK_SLICE(got, address);
    CHECK_INT(number, port);
}

TEST(listeners_addresses)
{
    static const char *const bad[] = {"",         ":514",      "514",           "1.2.3.4",
                                      "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:5x",
                                      "::1:514",  "[]:514",    "[:514",         "[[::1]]:514",
                                      "[::1]",    "[::1:514",  "a:-1",          "1.2.3.4: 5",
                                      "a:b:514"};
    parses("127.0.0.1:5514", "127.0.0.1", 5514);
    parses("[::]:1", "::", 1);
    parses("[fe80::1%eth0]:65535", "fe80::1%eth0", 65535);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct slice address;
        uint16_t port;
        if (listeners_parse(slice_of(bad[i]), &address, &port))
            test_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
    }
}

struct opened {
    int fds[LISTENERS_MAX], n, fail_at;
    enum listen_input inputs[LISTENERS_MAX];
};

static int take(void *ctx, enum listen_input input, struct slice name, int fd)
{
    struct opened *o = ctx;
    CHECK(name.len > 0);
    if (o->n == o->fail_at) return ERR_NOMEM;
    o->inputs[o->n] = input;
    o->fds[o->n++] = fd;
    return 0;
}

/* A port that was free a moment ago. */
static unsigned free_port(int *ret_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(*ret_fd >= 0 && bind(*ret_fd, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(getsockname(*ret_fd, (struct sockaddr *)&at, &size) == 0);
    return ntohs(at.sin_port);
}

static int open_all(const char *text, struct opened *o, struct diag *diag)
{
    struct config config;
    static struct service none; /* no service manager has opened any */
    config_init(&config);
    REQUIRE(config_read(&config, "test", slice_of(text), diag) == 0);
    int error = listeners_open(&config, &none, take, o, diag);
    config_done(&config);
    return error;
}

static void close_all(struct opened *o)
{
    while (o->n > 0) (void)close(o->fds[--o->n]);
}

TEST(listeners_are_opened_as_the_settings_say)
{
    struct opened o = {.fail_at = -1};
    struct diag diag = {0};
    char text[256];
    int a, b;
    unsigned first = free_port(&a), second = free_port(&b);
    (void)close(a);
    (void)close(b);
    (void)snprintf(text, sizeof text,
                   "listen:\n  relp: 127.0.0.1:%u\n  syslog_udp: [\"127.0.0.1:%u\"]\n", first,
                   second);
    CHECK_INT(open_all(text, &o, &diag), 0);
    CHECK_INT(o.n, 2);
    CHECK_INT(o.inputs[0], LISTEN_SYSLOG_UDP);
    CHECK_INT(o.inputs[1], LISTEN_RELP);
    int kind = 0, listening = 0;
    socklen_t size = sizeof kind;
    CHECK(getsockopt(o.fds[0], SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_DGRAM);
    CHECK(getsockopt(o.fds[1], SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening);
    close_all(&o);
}

TEST(listeners_mistakes_name_setting_and_address)
{
    struct opened o = {.fail_at = -1};
    struct diag diag = {0};
    char text[128];
    int taken;
    CHECK_INT(open_all("listen:\n  relp: nonsense\n", &o, &diag), ERR_INVALID);
    CHECK(slice_find(slice_of(diag.message), SLICE("listen.relp: `nonsense`")) != SIZE_MAX);
    unsigned port = free_port(&taken);
    REQUIRE(listen(taken, 1) == 0);
    (void)snprintf(text, sizeof text, "listen:\n  http: 127.0.0.1:%u\n", port);
    CHECK_INT(open_all(text, &o, &diag), ERR_LIMIT);
    CHECK(slice_find(slice_of(diag.message), SLICE("listen.http: 127.0.0.1:")) != SIZE_MAX);
    CHECK(slice_ends_with(slice_of(diag.message), SLICE("in use")));
    (void)close(taken);
    o.fail_at = 0;
    CHECK_INT(open_all(text, &o, &diag), ERR_NOMEM);
    CHECK_INT(o.n, 0);
    /* What was not taken is closed: it can be had again. */
    o.fail_at = -1;
    CHECK_INT(open_all(text, &o, &diag), 0);
    close_all(&o);
}
