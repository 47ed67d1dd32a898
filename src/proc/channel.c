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
    *c = (struct channel){.fd = fd, .max_payload = max_payload};
    buf_init(&c->in, max_payload + FRAME_HEADER + READ_PIECE);
}

void channel_done(struct channel *c)
{
    if (c->fd >= 0) (void)close(c->fd);
    for (unsigned i = 0; i < c->n_passed; i++) (void)close(c->passed[i]);
    c->n_passed = 0;
    c->fd = -1;
    buf_done(&c->in);
}

union fd_message {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static ssize_t send_once(int fd, struct slice bytes, int pass_fd, int flags)
{
    union fd_message control = {.space = {0}};
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
    ssize_t n;
    do n = sendmsg(fd, &msg, MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    return n;
}

static int send_error(void)
{
    return errno == EPIPE || errno == ECONNRESET ? ERR_STOPPED : ERR_IO;
}

int channel_send(struct channel *c, struct slice bytes, int pass_fd)
{
    while (bytes.len > 0) {
        ssize_t n = send_once(c->fd, bytes, pass_fd, 0);
        if (n <= 0) return send_error();
        pass_fd = -1;
        bytes = slice_from(bytes, (size_t)n);
    }
    return 0;
}

int channel_try_send(struct channel *c, struct slice bytes, int pass_fd, size_t *ret_written)
{
    ssize_t n = send_once(c->fd, bytes, pass_fd, MSG_DONTWAIT);
    *ret_written = n > 0 ? (size_t)n : 0;
    return n >= 0 || errno == EAGAIN ? 0 : send_error();
}

static int take_control(struct channel *c, struct msghdr *msg)
{
    int result = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        int fd;
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        if (h->cmsg_len != CMSG_LEN(sizeof(int))) continue;
        memcpy(&fd, CMSG_DATA(h), sizeof(int));
        if (c->n_passed < CHANNEL_FDS_MAX) {
            c->passed[c->n_passed++] = fd;
        } else {
            (void)close(fd);
            result = ERR_CORRUPT;
        }
    }
    return result;
}

static int fill(struct channel *c, int flags)
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
    do n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | flags);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) return ERR_LIMIT; /* Linux: the same as EWOULDBLOCK */
    if (n < 0) return errno == ECONNRESET ? ERR_STOPPED : ERR_IO;
    if (n == 0) return ERR_STOPPED;
    c->in.len += (size_t)n;
    return take_control(c, &msg);
}

int channel_fill(struct channel *c)
{
    return fill(c, 0);
}

int channel_fill_now(struct channel *c)
{
    return fill(c, MSG_DONTWAIT);
}

int channel_next(struct channel *c, struct frame *ret)
{
    int result = frame_next(slice_from(buf_slice(&c->in), c->in_used), c->max_payload, ret);
    if (result > 0) c->in_used += ret->size;
    return result;
}

int channel_take_fd(struct channel *c)
{
    if (c->n_passed == 0) return -1;
    int fd = c->passed[0];
    memmove(c->passed, c->passed + 1, --c->n_passed * sizeof *c->passed);
    return fd;
}
