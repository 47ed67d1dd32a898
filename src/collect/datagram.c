/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/datagram.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/ip.h"

enum { BURST = 32, BURSTS = 4, DATAGRAM_MAX = 64 * 1024, SOURCE_MAX = 4096 };

struct datagram {
    struct core *core;
    struct listener row;
    struct loop_watch watch;
    struct ledger_row *own; /* of the listener itself */
    uint32_t drops;         /* the kernel's counter when it was read last */
    struct buf source, own_source;
    struct ledger_row *last;              /* the row that `source` is of … */
    struct sockaddr_storage last_address; /* … and its address */
    struct mmsghdr messages[BURST];
    struct iovec vectors[BURST];
    struct sockaddr_storage addresses[BURST];
    char bytes[BURST][DATAGRAM_MAX];
};

void datagram_tick(struct datagram *d)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof info;
    if (getsockopt(d->watch.fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0 || len < sizeof info)
        return;
    uint32_t more = info[SK_MEMINFO_DROPS] - d->drops; /* the kernel's number wraps */
    struct ledger_sums *sums =
        d->row.input == LISTEN_FLOW_UDP ? &d->own->requests : &d->own->records;
    d->drops = info[SK_MEMINFO_DROPS];
    sums->received += more;
    sums->lost[LEDGER_KERNEL] += more;
}

/* A source's port changes as it likes; it is no part of who it is. */
static int find_source(struct datagram *d, const struct sockaddr_storage *address)
{
    char text[IP_TEXT_MAX];
    if (d->last && memcmp(address, &d->last_address, sizeof *address) == 0) return 0;
    ip_write((const struct sockaddr *)address, text);
    const struct record_source source = {.input = slice_of(listen_input_name(d->row.input)),
                                         .listener = d->row.name,
                                         .address = slice_of(text)};
    d->last = NULL;
    int error = core_source(d->core, &source, &d->source, &d->last);
    d->last_address = *address;
    return error;
}

static void count_lost(struct datagram *d, enum ledger_loss why, size_t len)
{
    struct ledger_sums *sums =
        d->row.input == LISTEN_FLOW_UDP ? &d->last->requests : &d->last->records;
    sums->received++;
    sums->lost[why]++;
    d->last->bytes += len;
    d->last->seen = clock_realtime(&d->core->clock);
}

static void take_syslog(struct datagram *d, struct slice bytes, nsec now)
{
    /* What senders put behind the message as if it were a line of a stream. */
    if (bytes.len > 0 && bytes.ptr[bytes.len - 1] == '\n') bytes.len--;
    struct record record = {.raw = slice_until(bytes, d->row.record_max),
                            .source = buf_slice(&d->source),
                            .received = now,
                            .format = RECORD_SYSLOG};
    if (record.raw.len < bytes.len) record.flags = RECORD_CUT;
    int error = outbox_add(d->core->outbox, d->row.tenant, &record, d->last, NULL);
    (void)error; /* counted there */
}

static void take_flow(struct datagram *d, struct slice bytes, nsec now)
{
    const struct container container = {.kind = CONTAINER_FLOW,
                                        .tenant = d->row.tenant,
                                        .received = now,
                                        .source = buf_slice(&d->source),
                                        .body = bytes};
    int error = outbox_put(d->core->outbox, &container, d->last, NULL);
    (void)error; /* counted there */
}

static void take(struct datagram *d, const struct sockaddr_storage *address, struct slice bytes,
                 nsec realtime, nsec monotonic)
{
    if (find_source(d, address) != 0) return;
    bool flow = d->row.input == LISTEN_FLOW_UDP;
    struct ledger_sums *sums = flow ? &d->last->requests : &d->last->records;
    if (bytes.len == 0) count_lost(d, LEDGER_FORM, 0);
    else if (!ledger_take(&d->last->bucket, d->row.bytes_per_second, bytes.len, monotonic))
        count_lost(d, LEDGER_RATE, bytes.len);
    else if (!outbox_admits(d->core->outbox, d->last, sums, bytes.len)) d->last->seen = realtime;
    else if (flow) take_flow(d, bytes, realtime);
    else take_syslog(d, bytes, realtime);
}

static void on_ready(void *ctx, unsigned what)
{
    struct datagram *d = ctx;
    (void)what;
    for (int burst = 0; burst < BURSTS; burst++) {
        for (int i = 0; i < BURST; i++) {
            memset(&d->addresses[i], 0, sizeof d->addresses[i]);
            d->messages[i].msg_hdr.msg_namelen = sizeof d->addresses[i];
        }
        int n = recvmmsg(d->watch.fd, d->messages, BURST, MSG_DONTWAIT, NULL);
        if (n <= 0) break;
        nsec realtime = clock_realtime(&d->core->clock);
        nsec monotonic = clock_monotonic(&d->core->clock);
        for (int i = 0; i < n; i++)
            take(d, &d->addresses[i], slice_make(d->bytes[i], d->messages[i].msg_len), realtime,
                 monotonic);
        if (n < BURST) break;
    }
    datagram_tick(d);
}

int datagram_new(struct core *core, const struct listener *row, struct datagram **ret)
{
    struct datagram *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->core = core;
    d->row = core_listener(row);
    buf_init(&d->source, SOURCE_MAX);
    buf_init(&d->own_source, SOURCE_MAX);
    for (int i = 0; i < BURST; i++) {
        d->vectors[i] = (struct iovec){d->bytes[i], DATAGRAM_MAX};
        d->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &d->addresses[i], .msg_iov = &d->vectors[i], .msg_iovlen = 1};
    }
    const struct record_source own = {.input = slice_of(listen_input_name(row->input)),
                                      .listener = row->name};
    d->watch = (struct loop_watch){.fd = row->fd, .ready = on_ready, .ctx = d};
    int error = core_source(core, &own, &d->own_source, &d->own);
    if (!error) error = loop_watch_add(core->loop, &d->watch, LOOP_READ);
    if (error) {
        buf_done(&d->own_source);
        free(d);
        return error;
    }
    *ret = d;
    return 0;
}

void datagram_stop(struct datagram *d)
{
    loop_watch_remove(d->core->loop, &d->watch);
}

void datagram_free(struct datagram *d)
{
    if (!d) return;
    datagram_stop(d);
    (void)close(d->watch.fd);
    buf_done(&d->source);
    buf_done(&d->own_source);
    free(d);
}
