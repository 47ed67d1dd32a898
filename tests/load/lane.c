/* SPDX-License-Identifier: EUPL-1.2 */
#include "lane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX = 64 * 1024 * 1024,
    OUT_ENOUGH = 512 * 1024, /* waits for the kernel before nothing more is made */
    IN_MAX = 4 * 1024 * 1024,
    PIECE = 64 * 1024,
    UNITS_MAX = 64 * 1024, /* a power of two */
    AGAIN_AFTER = 20,      /* ms */
};

/* ---- units ------------------------------------------------------------------------------- */

static struct unit *unit_at(struct lane *l, uint32_t i)
{
    return &l->units[(l->first + i) % UNITS_MAX];
}

struct unit *lane_oldest(struct lane *l)
{
    return l->n_units ? unit_at(l, 0) : NULL;
}

/* A gathered unit goes out when it is full, or when its first record has waited for long enough. */
static nsec unit_due(const struct lane *l)
{
    if (!l->options.kind->batches || l->n_gathered >= l->options.batch) return l->last_due;
    return l->first_due + l->options.linger;
}

void lane_add_unit(struct lane *l, uint64_t id, uint32_t records, uint32_t plant)
{
    ASSERT(l->n_units < UNITS_MAX);
    *unit_at(l, l->n_units++) = (struct unit){.end = l->handed + (l->out.len - l->out_done),
                                              .id = id,
                                              .records = records,
                                              .plant = plant,
                                              .due = unit_due(l)};
}

static void drop_unit(struct lane *l)
{
    l->first = (l->first + 1) % UNITS_MAX;
    l->n_units--;
    l->n_sent--;
}

void lane_take_unit(struct lane *l, nsec now)
{
    const struct unit *u = unit_at(l, 0);
    ASSERT(l->n_sent > 0);
    if (u->records && u->due >= l->warm_at) histogram_add(&l->acks, now - u->due, u->records);
    drop_unit(l);
}

static void note_sent(struct lane *l)
{
    struct clock clock = clock_system();
    nsec now = clock_monotonic(&clock);
    while (l->n_sent < l->n_units && unit_at(l, l->n_sent)->end <= l->handed) {
        struct unit *u = unit_at(l, l->n_sent++);
        if (u->plant) plants_sent(l->options.plants, u->plant - 1, now);
        if (!l->options.kind->acked) drop_unit(l);
    }
}

/* ---- beginning and end ------------------------------------------------------------------- */

static int connect_to(const struct lane_options *o)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(o->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, o->kind->socket | SOCK_CLOEXEC, 0);
    if (fd < 0) return ERR_IO;
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(fd);
        return ERR_IO;
    }
    if (o->kind->socket == SOCK_STREAM)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int lane_open(const struct lane_options *options, struct lane **ret)
{
    int fd = connect_to(options);
    if (fd < 0) return fd;
    struct lane *l = calloc(1, sizeof *l);
    struct unit *units = calloc(UNITS_MAX, sizeof *units);
    if (!l || !units) {
        (void)close(fd);
        free(l);
        free(units);
        return ERR_NOMEM;
    }
    ASSERT(options->kind->outstanding < UNITS_MAX);
    l->options = *options;
    if (options->kind->batch_max && options->batch > options->kind->batch_max)
        l->options.batch = options->kind->batch_max;
    l->fd = fd;
    l->units = units;
    buf_init(&l->out, OUT_MAX);
    buf_init(&l->gathered, OUT_MAX);
    buf_init(&l->in, IN_MAX);
    buf_init(&l->request, OUT_MAX);
    if (options->kind->open) options->kind->open(l);
    *ret = l;
    return 0;
}

void lane_close(struct lane *l)
{
    if (!l) return;
    (void)close(l->fd);
    buf_done(&l->out);
    buf_done(&l->gathered);
    buf_done(&l->in);
    buf_done(&l->request);
    free(l->units);
    free(l);
}

void lane_end(struct lane *l)
{
    (void)shutdown(l->fd, SHUT_WR);
}

bool lane_ended(struct lane *l)
{
    char bytes[4096];
    if (l->options.kind->socket == SOCK_DGRAM) return true;
    ssize_t n;
    do n = recv(l->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n > 0);
    return n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* ---- sending ----------------------------------------------------------------------------- */

static int send_datagram(struct lane *l, struct slice datagram)
{
    ssize_t n;
    do n = send(l->fd, datagram.ptr, datagram.len, MSG_NOSIGNAL);
    while (n < 0 && (errno == EINTR || errno == ENOBUFS));
    return n == (ssize_t)datagram.len ? 0 : ERR_IO;
}

static int send_waiting(struct lane *l)
{
    while (l->out_done < l->out.len) {
        ssize_t n = send(l->fd, l->out.ptr + l->out_done, l->out.len - l->out_done,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) return ERR_IO;
        if (n <= 0) break;
        l->out_done += (size_t)n;
        l->handed += (uint64_t)n;
    }
    if (l->out_done == l->out.len) {
        buf_clear(&l->out);
        l->out_done = 0;
    } else if (l->out_done > l->out.len / 2) {
        buf_consume(&l->out, l->out_done);
        l->out_done = 0;
    }
    if (l->n_sent < l->n_units) note_sent(l);
    return 0;
}

static int pack(struct lane *l, bool all, nsec now)
{
    const struct lane_kind *kind = l->options.kind;
    bool due = l->n_gathered > 0 && (all || l->n_gathered >= l->options.batch ||
                                     now - l->gathered_since >= l->options.linger);
    int error = 0;
    if (!due || l->n_units >= kind->outstanding) return 0;
    kind->pack(l);
    l->requests++;
    if (buf_failed(&l->out) || buf_failed(&l->request)) return ERR_LIMIT;
    if (kind->socket == SOCK_DGRAM) {
        error = send_datagram(l, buf_slice(&l->out));
        buf_clear(&l->out);
    }
    buf_clear(&l->gathered);
    l->n_gathered = 0;
    return error;
}

bool lane_ready(const struct lane *l)
{
    const struct lane_kind *kind = l->options.kind;
    if (l->out.len - l->out_done >= OUT_ENOUGH) return false;
    return kind->batches ? l->n_gathered < l->options.batch : l->n_units < kind->outstanding;
}

int lane_add(struct lane *l, struct slice record, uint32_t plant, nsec due, nsec now)
{
    const struct lane_kind *kind = l->options.kind;
    l->made++;
    l->bytes += record.len;
    l->last_due = due;
    if (l->n_gathered == 0) l->first_due = due;
    if (kind->socket == SOCK_DGRAM && !kind->batches) {
        int error = send_datagram(l, record);
        if (plant && error == 0) plants_sent(l->options.plants, plant - 1, now);
        return error;
    }
    kind->put(l, record);
    if (kind->batches && l->n_gathered++ == 0) l->gathered_since = now;
    if (!kind->batches && (kind->acked || plant)) lane_add_unit(l, ++l->next_id, 1, plant);
    if (buf_failed(&l->out) || buf_failed(&l->gathered)) return ERR_LIMIT;
    return pack(l, false, now);
}

/* ---- answers ----------------------------------------------------------------------------- */

static int read_answers(struct lane *l, nsec now)
{
    struct slice rest = buf_slice(&l->in);
    int got;
    size_t used;
    do {
        used = 0;
        got = rest.len ? l->options.kind->answer(l, rest, &used, now) : 0;
        rest = slice_from(rest, used);
    } while (got == 1);
    buf_consume(&l->in, l->in.len - rest.len);
    return got;
}

/* The receiver has closed. What it did not answer, another connection takes. */
static int connect_again(struct lane *l, nsec now)
{
    if (!l->options.kind->resends || l->n_units == 0) return ERR_IO;
    int fd = connect_to(&l->options);
    if (fd < 0) return fd;
    (void)close(l->fd);
    l->fd = fd;
    buf_clear(&l->in);
    buf_clear(&l->out);
    l->out_done = 0;
    l->n_sent = 0;
    if (l->retry_at == 0) l->retry_at = now + AGAIN_AFTER * NSEC_PER_MSEC;
    return 0;
}

static int receive(struct lane *l, nsec now)
{
    if (!l->options.kind->acked) return 0;
    for (;;) {
        char *to = buf_reserve(&l->in, PIECE);
        if (!to) return ERR_LIMIT;
        ssize_t n = recv(l->fd, to, PIECE, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        if (n <= 0) return connect_again(l, now);
        l->in.len += (size_t)n;
        int error = read_answers(l, now);
        if (error) return error;
    }
}

void lane_send_again(struct lane *l, nsec now)
{
    l->n_sent = 0;
    l->retry_at = now + AGAIN_AFTER * NSEC_PER_MSEC;
}

static void retry(struct lane *l)
{
    l->retry_at = 0;
    l->resent += unit_at(l, 0)->records;
    buf_put(&l->out, buf_slice(&l->request));
    unit_at(l, 0)->end = l->handed + (l->out.len - l->out_done);
}

int lane_pump(struct lane *l, bool all, nsec now)
{
    int error = receive(l, now);
    if (error == 0 && l->retry_at && now >= l->retry_at) retry(l);
    if (error == 0 && l->retry_at == 0) error = pack(l, all, now);
    if (error == 0) error = send_waiting(l);
    /* Who refuses a body may close before all of it came. */
    return error == ERR_IO && l->retry_at == 0 ? connect_again(l, now) : error;
}

bool lane_idle(const struct lane *l)
{
    return l->out.len == 0 && l->n_gathered == 0 && l->n_units == 0;
}

bool lane_waits(const struct lane *l)
{
    return l->out.len > 0;
}
