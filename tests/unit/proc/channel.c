/* SPDX-License-Identifier: EUPL-1.2 */
#include "proc/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { PAYLOAD_MAX = 1000 };

static struct channel near_end, far_end;

static void open_pair(void)
{
    int fds[2];
    REQUIRE(channel_pair(fds) == 0);
    CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
    channel_init(&near_end, fds[0], PAYLOAD_MAX);
    channel_init(&far_end, fds[1], PAYLOAD_MAX);
}

static void close_pair(void)
{
    channel_done(&near_end);
    channel_done(&far_end);
}

/* A frame whose payload is n times its type. */
static void put_frame(struct buf *b, uint8_t type, size_t n)
{
    size_t begin = frame_begin(b, type);
    for (size_t i = 0; i < n; i++) frame_put_u8(b, type);
    frame_end(b, begin);
}

static void check_frame(const struct frame *f, uint8_t type, size_t n)
{
    CHECK_INT(f->type, type);
    CHECK_INT(f->payload.len, n);
    for (size_t i = 0; i < f->payload.len; i++) CHECK_INT((uint8_t)f->payload.ptr[i], type);
}

TEST(frames_arrive_whole_however_they_are_cut)
{
    struct buf b;
    struct frame f;
    buf_init(&b, 64 * 1024);
    put_frame(&b, 1, 0);
    put_frame(&b, 2, PAYLOAD_MAX);
    put_frame(&b, 3, 5);
    for (size_t piece = 1; piece < b.len; piece += piece < 16 ? 1 : 97) {
        open_pair();
        uint8_t next = 1;
        for (size_t at = 0; at < b.len; at += piece) {
            struct slice part = slice_until(slice_from(buf_slice(&b), at), piece);
            REQUIRE(channel_send(&near_end, part, -1) == 0);
            REQUIRE(channel_fill(&far_end) == 0);
            int result;
            while ((result = channel_next(&far_end, &f)) > 0) {
                check_frame(&f, next, next == 1 ? 0 : next == 2 ? PAYLOAD_MAX : 5);
                next++;
            }
            CHECK_INT(result, 0);
        }
        CHECK_INT(next, 4);
        close_pair();
    }
    buf_done(&b);
}

TEST(a_frame_above_the_limit_is_corrupt)
{
    struct buf b;
    struct frame f;
    buf_init(&b, 64 * 1024);
    put_frame(&b, 1, PAYLOAD_MAX + 1);
    open_pair();
    REQUIRE(channel_send(&near_end, slice_until(buf_slice(&b), FRAME_HEADER), -1) == 0);
    REQUIRE(channel_fill(&far_end) == 0);
    CHECK_INT(channel_next(&far_end, &f), ERR_CORRUPT);
    close_pair();
    buf_done(&b);
}

/* Whoever fills without taking frames out meets a limit, not more and more memory. */
TEST(what_is_not_taken_is_bounded)
{
    static const char bytes[4096];
    open_pair();
    int result = 0;
    size_t sent = 0;
    while (result == 0 && sent < 1024 * 1024) {
        REQUIRE(channel_send(&near_end, slice_make(bytes, sizeof bytes), -1) == 0);
        sent += sizeof bytes;
        result = channel_fill(&far_end);
    }
    CHECK_INT(result, ERR_LIMIT);
    CHECK(far_end.in.cap <= PAYLOAD_MAX + FRAME_HEADER + 64 * 1024);
    close_pair();
}

TEST(the_end_of_the_other_side_is_stopped_and_what_came_before_is_there)
{
    struct buf b;
    struct frame f;
    buf_init(&b, 4096);
    put_frame(&b, 9, 3);
    open_pair();
    REQUIRE(channel_send(&near_end, buf_slice(&b), -1) == 0);
    REQUIRE(channel_send(&near_end, SLICE("\x0a\0\0"), -1) == 0);
    channel_done(&near_end);
    CHECK_INT(near_end.fd, -1);
    REQUIRE(channel_fill(&far_end) == 0);
    REQUIRE(channel_next(&far_end, &f) == 1);
    check_frame(&f, 9, 3);
    CHECK_INT(channel_next(&far_end, &f), 0); /* the frame that was cut off is none */
    CHECK_INT(channel_fill(&far_end), ERR_STOPPED);
    CHECK_INT(channel_send(&far_end, SLICE("x"), -1), ERR_STOPPED);
    close_pair();
    buf_done(&b);
}

static ino_t inode_of(int fd)
{
    struct stat st = {0};
    CHECK_INT(fstat(fd, &st), 0);
    return st.st_ino;
}

TEST(a_descriptor_travels_and_is_owned_once)
{
    int pipes[2][2];
    REQUIRE(pipe2(pipes[0], O_CLOEXEC) == 0 && pipe2(pipes[1], O_CLOEXEC) == 0);
    open_pair();
    CHECK_INT(channel_take_fd(&far_end), -1);
    REQUIRE(channel_send(&near_end, SLICE("x"), pipes[0][0]) == 0);
    REQUIRE(channel_fill(&far_end) == 0);
    int fd = channel_take_fd(&far_end);
    REQUIRE(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(inode_of(fd) == inode_of(pipes[0][0]));
    CHECK_INT(channel_take_fd(&far_end), -1);
    (void)close(fd);

    /* Those that nobody took yet wait in order; they are closed with the channel. */
    REQUIRE(channel_send(&near_end, SLICE("x"), pipes[0][0]) == 0);
    REQUIRE(channel_fill(&far_end) == 0);
    REQUIRE(channel_send(&near_end, SLICE("x"), pipes[1][0]) == 0);
    REQUIRE(channel_send(&near_end, SLICE("x"), pipes[1][1]) == 0);
    REQUIRE(channel_fill(&far_end) == 0 && channel_fill(&far_end) == 0);
    int first = channel_take_fd(&far_end);
    CHECK(inode_of(first) == inode_of(pipes[0][0]));
    (void)close(first);
    int second = channel_take_fd(&far_end);
    CHECK(inode_of(second) == inode_of(pipes[1][0]));
    (void)close(second);
    REQUIRE(far_end.n_passed == 1);
    second = far_end.passed[0];
    close_pair();
    CHECK(fcntl(second, F_GETFD) < 0);
    for (int i = 0; i < 4; i++) (void)close(pipes[i / 2][i % 2]);
}

/* A message brings one descriptor; what else was sent with it must not stay open unseen. */
TEST(descriptors_beyond_one_do_not_pile_up)
{
    open_pair();
    union {
        char space[CMSG_SPACE(3 * sizeof(int))];
        struct cmsghdr align;
    } control = {.space = {0}};
    char byte = 'x';
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof control.space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(3 * sizeof(int));
    const int fds[3] = {0, 0, 0};
    memcpy(CMSG_DATA(head), fds, sizeof fds);
    int before = fcntl(0, F_DUPFD_CLOEXEC, 3);
    REQUIRE(before >= 0);
    (void)close(before);
    REQUIRE(sendmsg(near_end.fd, &msg, MSG_NOSIGNAL) == 1);
    REQUIRE(channel_fill(&far_end) == 0);
    int taken = channel_take_fd(&far_end);
    CHECK(taken >= 0);
    (void)close(taken);
    int after = fcntl(0, F_DUPFD_CLOEXEC, 3);
    CHECK_INT(after, before);
    (void)close(after);
    close_pair();
}
