/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/service.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/listeners.h"
#include "test.h"

enum { SELF = 4711 };

static struct service service;

static int init(struct service_said said)
{
    struct diag diag;
    return service_init(&service, &said, SELF, &diag);
}

/* A datagram socket at that address, as systemd has it. */
static int listen_at(const char *name, socklen_t len)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, name, len);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&at, (socklen_t)(sizeof at.sun_family + len)) == 0);
    return fd;
}

TEST(without_a_service_manager_nothing_is_said)
{
    CHECK_INT(init((struct service_said){0}), 0);
    CHECK_INT(service.notify_fd, -1);
    CHECK_INT(service.watchdog, 0);
    CHECK_INT(service.n_fds, 0);
    service_tell(&service, SLICE("READY=1"));
    service_done(&service);
}

static void check_told(int fd, const char *name)
{
    char got[64];
    CHECK_INT(init((struct service_said){.notify_socket = name}), 0);
    service_tell(&service, SLICE("READY=1"));
    ssize_t n = recv(fd, got, sizeof got, MSG_DONTWAIT);
    REQUIRE(n > 0);
    CHECK_SLICE(slice_make(got, (size_t)n), "READY=1");
    service_done(&service);
    (void)close(fd);
}

TEST(it_tells_a_path)
{
    test_write("x", "");
    const char *path = test_path("notify");
    check_told(listen_at(path, (socklen_t)strlen(path) + 1), path);
}

TEST(it_tells_an_abstract_name)
{
    char name[64];
    int n = snprintf(name, sizeof name, "@vaka-test-%d", (int)getpid());
    char abstract[64];
    memcpy(abstract, name, sizeof name);
    abstract[0] = '\0';
    check_told(listen_at(abstract, (socklen_t)n), name);
}

TEST(a_manager_that_has_gone_is_no_harm)
{
    CHECK_INT(init((struct service_said){.notify_socket = "/nowhere/notify"}), 0);
    service_tell(&service, SLICE("READY=1"));
    service_done(&service);
}

TEST(a_watchdog_is_for_the_process_that_is_named)
{
    CHECK_INT(init((struct service_said){.watchdog_usec = "30000000"}), 0);
    CHECK_INT(service.watchdog, 30 * NSEC_PER_SEC);
    CHECK_INT(init((struct service_said){.watchdog_usec = "1", .watchdog_pid = "4711"}), 0);
    CHECK_INT(service.watchdog, 1000);
    CHECK_INT(init((struct service_said){.watchdog_usec = "1", .watchdog_pid = "4712"}), 0);
    CHECK_INT(service.watchdog, 0);
}

TEST(nonsense_is_refused)
{
    static const struct service_said said[] = {
        {.notify_socket = "relative"},
        {.notify_socket = ""},
        {.notify_socket = "/"},
        {.watchdog_usec = "soon"},
        {.watchdog_usec = "0"},
        {.watchdog_usec = "9223372036854775807"},
        {.watchdog_usec = "1", .watchdog_pid = "me"},
        {.listen_pid = "4711", .listen_fds = "many"},
        {.listen_pid = "", .listen_fds = "1"},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) CHECK_INT(init(said[i]), ERR_INVALID);
    CHECK_INT(init((struct service_said){.listen_pid = "4711", .listen_fds = "65"}), ERR_LIMIT);
}

TEST(descriptors_are_for_the_process_that_is_named)
{
    CHECK_INT(init((struct service_said){.listen_pid = "4712", .listen_fds = "1"}), 0);
    CHECK_INT(service.n_fds, 0);
    CHECK_INT(init((struct service_said){.listen_fds = "1"}), 0);
    CHECK_INT(service.n_fds, 0);
}

/* ---- sockets that were passed ------------------------------------------------------------ */

static int bound(int type, bool only_six, uint16_t *ret_port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6};
    socklen_t len = sizeof at;
    int only = only_six;
    int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0);
    REQUIRE(bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    *ret_port = ntohs(at.sin6_port);
    return fd;
}

TEST(a_socket_is_the_one_of_its_kind_and_address)
{
    uint16_t port, other;
    int udp = bound(SOCK_DGRAM, false, &port), six = bound(SOCK_DGRAM, true, &other);
    CHECK(listen_is_same(LISTEN_SYSLOG_UDP, SLICE("::"), port, udp));
    CHECK(!listen_is_same(LISTEN_SYSLOG_UDP, SLICE("::1"), port, udp));
    CHECK(!listen_is_same(LISTEN_SYSLOG_UDP, SLICE("0.0.0.0"), port, udp));
    CHECK(!listen_is_same(LISTEN_SYSLOG_UDP, SLICE("::"), port == 1 ? 2 : 1, udp));
    CHECK(!listen_is_same(LISTEN_SYSLOG_TCP, SLICE("::"), port, udp));
    CHECK(!listen_is_same(LISTEN_SYSLOG_UDP, SLICE("::"), other, six));
    CHECK(!listen_is_same(LISTEN_SYSLOG_UDP, SLICE("::"), port, -1));
    int tcp = bound(SOCK_STREAM, false, &port);
    CHECK(!listen_is_same(LISTEN_SYSLOG_TCP, SLICE("::"), port, tcp));
    REQUIRE(listen(tcp, 1) == 0);
    CHECK(listen_is_same(LISTEN_SYSLOG_TCP, SLICE("::"), port, tcp));
    (void)close(udp);
    (void)close(six);
    (void)close(tcp);
}

static int keep(void *ctx, enum listen_input input, struct slice name, int fd)
{
    (void)input;
    (void)name;
    *(int *)ctx = fd;
    return 0;
}

TEST(a_listener_takes_the_socket_that_was_passed)
{
    uint16_t port, other;
    struct config config;
    struct diag diag;
    char text[32];
    int got = -1;
    memset(&service, 0, sizeof service);
    service.notify_fd = -1;
    service.n_fds = 2;
    service.fds[0].fd = bound(SOCK_DGRAM, false, &other);
    service.fds[1].fd = bound(SOCK_DGRAM, false, &port);
    int passed = service.fds[1].fd;
    config_init(&config);
    (void)snprintf(text, sizeof text, "[::]:%u", port);
    REQUIRE(config_set(&config, CONFIG_LISTEN_SYSLOG_UDP, slice_of(text), "test", &diag) == 0);
    CHECK_INT(listeners_open(&config, &service, keep, &got, &diag), 0);
    CHECK_INT(got, passed);
    CHECK_INT(service.fds[1].fd, -1);
    CHECK(service.fds[0].fd >= 0);
    (void)close(got);
    service_done(&service);
    config_done(&config);
}
