/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static const struct {
    const char *name;
    int type;
    enum listen_tls tls;
} inputs[] = {
#define X(name, text, type, tls) {text, SOCK_##type, LISTEN_TLS_##tls},
    LISTEN_INPUTS(X)
#undef X
};

const char *listen_input_name(unsigned input)
{
    return input < LISTEN_INPUT_COUNT ? inputs[input].name : "unknown";
}

bool listen_is_stream(enum listen_input input)
{
    return inputs[input].type == SOCK_STREAM;
}

enum listen_tls listen_tls(enum listen_input input)
{
    return inputs[input].tls;
}

static socklen_t read_address(struct slice text, uint16_t port, struct sockaddr_storage *ret)
{
    char cstr[INET6_ADDRSTRLEN + 1];
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    memset(ret, 0, sizeof *ret);
    if (text.len >= sizeof cstr) return 0;
    if (text.len) memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = 0;
    if (inet_pton(AF_INET, cstr, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    if (inet_pton(AF_INET6, cstr, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        return sizeof *six;
    }
    return 0;
}

static int error_of_errno(void)
{
    return errno == EACCES || errno == EPERM ? ERR_ACCESS
           : errno == EADDRINUSE             ? ERR_LIMIT
                                             : ERR_IO;
}

int listen_open(enum listen_input input, struct slice address, uint16_t port,
                uint32_t receive_buffer, int *ret_fd)
{
    struct sockaddr_storage at;
    socklen_t len = read_address(address, port, &at);
    int on = 1, off = 0, size = receive_buffer > INT32_MAX ? INT32_MAX : (int)receive_buffer;
    if (len == 0) return ERR_INVALID;
    int fd = socket(at.ss_family, inputs[input].type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return error_of_errno();
    bool fine =
        !listen_is_stream(input) || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    fine = fine && (at.ss_family != AF_INET6 ||
                    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0);
    /* FORCE goes beyond net.core.rmem_max and needs a right that may be missing. */
    if (fine && size && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
        fine = setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0;
    fine = fine && bind(fd, (const struct sockaddr *)&at, len) == 0;
    fine = fine && (!listen_is_stream(input) || listen(fd, BACKLOG) == 0);
    if (!fine) {
        int error = error_of_errno();
        (void)close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

static int option_of(int fd, int level, int option)
{
    int value;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

static bool is_bound_to(int fd, const struct sockaddr_storage *at)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    const struct sockaddr_in6 *six = (const void *)at, *bound_six = (const void *)&bound;
    const struct sockaddr_in *four = (const void *)at, *bound_four = (const void *)&bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 || bound.ss_family != at->ss_family)
        return false;
    if (at->ss_family == AF_INET)
        return four->sin_port == bound_four->sin_port &&
               four->sin_addr.s_addr == bound_four->sin_addr.s_addr;
    return six->sin6_port == bound_six->sin6_port &&
           memcmp(&six->sin6_addr, &bound_six->sin6_addr, sizeof six->sin6_addr) == 0 &&
           (!IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr) ||
            option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
}

bool listen_is_same(enum listen_input input, struct slice address, uint16_t port, int fd)
{
    struct sockaddr_storage at;
    return read_address(address, port, &at) != 0 &&
           option_of(fd, SOL_SOCKET, SO_TYPE) == inputs[input].type &&
           option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == listen_is_stream(input) &&
           is_bound_to(fd, &at);
}
