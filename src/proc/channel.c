/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_PIECE = 64 * 1024 };

int channel_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) == 0 ? 0 : ERR_IO;
}

void channel_init(struct channel *c, int fd, size_t max_payload)
{
    *c = (struct channel){.fd = fd, .max_payload = max_payload, .passed_fd = -1};
    buf_init(&c->in, max_payload + FRAME_HEADER + READ_PIECE);
}

void channel_done(struct channel *c)
{
    if (c->fd >= 0) (void)close(c->fd);
    if (c->passed_fd >= 0) (void)close(c->passed_fd);
    c->fd = c->passed_fd = -1;
    buf_done(&c->in);
}

union fd_message {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int channel_send(struct channel *c, struct slice bytes, int pass_fd)
{
    union fd_message control = {.space = {0}};
    while (bytes.len > 0) {
        struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        if (pass_fd >= 0) {
            msg.msg_control = control.space;
            msg.msg_controllen = sizeof(control.space);
            struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
            head->cmsg_level = SOL_SOCKET;
            head->cmsg_type = SCM_RIGHTS;
            head->cmsg_len = CMSG_LEN(sizeof(int));
            memcpy(CMSG_DATA(head), &pass_fd, sizeof(int));
        }
        ssize_t n = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return errno == EPIPE ? ERR_STOPPED : ERR_IO;
        pass_fd = -1;
        bytes = slice_from(bytes, (size_t)n);
    }
    return 0;
}

static void take_control(struct channel *c, struct msghdr *msg)
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        if (h->cmsg_len != CMSG_LEN(sizeof(int))) continue;
        if (c->passed_fd >= 0) (void)close(c->passed_fd);
        memcpy(&c->passed_fd, CMSG_DATA(h), sizeof(int));
    }
}

int channel_fill(struct channel *c)
{
    if (c->in_used > 0) {
        buf_consume(&c->in, c->in_used);
        c->in_used = 0;
    }
    char *space = buf_reserve(&c->in, READ_PIECE);
    if (!space) return ERR_LIMIT;
    union fd_message control;
    struct iovec iov = {.iov_base = space, .iov_len = READ_PIECE};
    /* Not all of the space: behind one descriptor its padding would take in a second. */
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t n;
    do n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == ECONNRESET ? ERR_STOPPED : ERR_IO;
    if (n == 0) return ERR_STOPPED;
    take_control(c, &msg);
    c->in.len += (size_t)n;
    return 0;
}

int channel_next(struct channel *c, struct frame *ret)
{
    int result = frame_next(slice_from(buf_slice(&c->in), c->in_used), c->max_payload, ret);
    if (result > 0) c->in_used += ret->size;
    return result;
}

int channel_take_fd(struct channel *c)
{
    int fd = c->passed_fd;
    c->passed_fd = -1;
    return fd;
}
