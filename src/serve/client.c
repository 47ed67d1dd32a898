/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proc/channel.h"

static int connect_to(const char *path, int *ret_fd, struct diag *diag)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: too long for a socket", path);
    memcpy(at.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) {
        *ret_fd = fd;
        return 0;
    }
    int number = errno;
    (void)close(fd);
    if (number == EACCES)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(number));
    return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "vaka serve does not run (%s: %s)", path,
                    strerror(number));
}

static int take_answer(const struct client_question *q, const struct frame *frame, bool *ret_done,
                       struct diag *diag)
{
    struct say_answer answer;
    struct say_done done;
    if (frame->type == SAY_ANSWER && say_answer_read(frame->payload, &answer) == 0)
        return q->answer ? q->answer(q->ctx, &answer) : 0;
    if (frame->type != SAY_DONE || say_done_read(frame->payload, &done) != 0)
        return diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                        "the answer makes no sense: another version?");
    *ret_done = true;
    if (done.status == 0) return 0;
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%.*s", SLICE_FMT(done.text));
}

static int talk(const struct client_question *q, struct channel *channel, struct diag *diag)
{
    struct buf out;
    bool done = false;
    buf_init(&out, SAY_MAX);
    if (q->manage) say_manage_write(&out, q->manage);
    else say_ask_write(&out, &q->ask);
    int result = channel_send(channel, buf_slice(&out), -1);
    /* It may have had a password. */
    if (out.ptr) explicit_bzero(out.ptr, out.len);
    buf_done(&out);
    while (result == 0 && !done) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        if (got == 0) result = channel_fill(channel);
        else if (got > 0) result = take_answer(q, &frame, &done, diag);
        else result = got;
    }
    if (result == ERR_STOPPED && !diag->message[0])
        (void)diag_set(diag, result, NULL, 0, 0, "vaka serve has ended");
    return result;
}

int client_ask(const struct client_question *question, struct diag *diag)
{
    int fd;
    diag->message[0] = '\0';
    int result = connect_to(question->socket, &fd, diag);
    if (result) return result;
    struct channel channel;
    channel_init(&channel, fd, SAY_MAX);
    result = talk(question, &channel, diag);
    channel_done(&channel);
    return result;
}
