/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/relp.h"

#include "event/record.h"

enum { NUMBER_DIGITS = 9, COMMAND_MAX = 32 };

static void relp_init(void *p, const struct protocol_limits *limits)
{
    struct relp *r = p;
    ASSERT(limits->record_max > 0 && limits->record_max <= RECORD_MAX);
    *r = (struct relp){.record_max = limits->record_max, .pending_max = limits->pending_max};
}

static void relp_done(void *p)
{
    struct relp *r = p;
    free(r->pending);
    *r = (struct relp){0};
}

/* ---- TXNRs that wait --------------------------------------------------------------------- */

static int grow(struct relp *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : 128;
    uint32_t *ring = calloc(cap, sizeof *ring);
    if (!ring) return ERR_NOMEM;
    for (uint32_t i = 0; i < r->n; i++) ring[i] = r->pending[(r->first + i) % r->cap];
    free(r->pending);
    r->pending = ring;
    r->cap = cap;
    r->first = 0;
    return 0;
}

static int push(struct relp *r, uint32_t txnr)
{
    if (r->n >= r->pending_max) return ERR_LIMIT;
    if (r->n == r->cap) {
        int error = grow(r);
        if (error) return error;
    }
    r->pending[(r->first + r->n++) % r->cap] = txnr;
    return 0;
}

static void relp_acked(void *p, uint64_t n, struct buf *out)
{
    struct relp *r = p;
    ASSERT(n <= r->n);
    for (; n > 0; n--) {
        buf_printf(out, "%u rsp 6 200 OK\n", r->pending[r->first]);
        r->first = (r->first + 1) % r->cap;
        r->n--;
    }
}

/* ---- frames ------------------------------------------------------------------------------ */

struct relp_frame {
    uint32_t txnr, len;
    struct slice command;
    size_t header; /* bytes before the data */
};

/* Decimal digits at *at, and the blank behind them. 1, 0: not whole yet, ERR_CORRUPT. */
static int read_number(struct slice in, size_t *at, bool last, uint32_t *ret)
{
    uint32_t v = 0;
    size_t i = *at;
    for (; i < in.len && in.ptr[i] >= '0' && in.ptr[i] <= '9'; i++) {
        if (i - *at == NUMBER_DIGITS) return ERR_CORRUPT;
        v = v * 10 + (uint32_t)(in.ptr[i] - '0');
    }
    if (i == in.len) return 0;
    if (i == *at || (in.ptr[i] != ' ' && !(last && v == 0 && in.ptr[i] == '\n')))
        return ERR_CORRUPT;
    *at = in.ptr[i] == ' ' ? i + 1 : i;
    *ret = v;
    return 1;
}

static int read_command(struct slice in, size_t *at, struct slice *ret)
{
    size_t i = *at;
    while (i < in.len &&
           ((in.ptr[i] >= 'a' && in.ptr[i] <= 'z') || (in.ptr[i] >= 'A' && in.ptr[i] <= 'Z')))
        if (++i - *at > COMMAND_MAX) return ERR_CORRUPT;
    if (i == in.len) return 0;
    if (i == *at || in.ptr[i] != ' ') return ERR_CORRUPT;
    *ret = slice_make(in.ptr + *at, i - *at);
    *at = i + 1;
    return 1;
}

static int read_header(struct slice in, struct relp_frame *ret)
{
    size_t at = 0;
    int r = read_number(in, &at, false, &ret->txnr);
    if (r > 0) r = read_command(in, &at, &ret->command);
    if (r > 0) r = read_number(in, &at, true, &ret->len);
    if (r > 0) ret->header = at;
    return r;
}

static void answer(struct buf *out, uint32_t txnr, struct slice data)
{
    buf_printf(out, "%u rsp %zu ", txnr, data.len);
    buf_put(out, data);
    buf_putc(out, '\n');
}

/* A whole frame that is no record: 2 when the session goes on. */
static int take_command(struct relp *r, const struct relp_frame *f, struct buf *out,
                        struct piece *ret)
{
    if (slice_eq(f->command, SLICE("open"))) {
        r->open = true;
        answer(out, f->txnr, SLICE("200 OK\nrelp_version=0\nrelp_software=vaka\ncommands=syslog"));
        return 2;
    }
    if (slice_eq(f->command, SLICE("close"))) {
        buf_printf(out, "%u rsp 0\n0 serverclose 0\n", f->txnr);
        return ERR_STOPPED;
    }
    answer(out, f->txnr, SLICE("500 command not supported"));
    ret->reason = "a command that was not offered";
    return ERR_CORRUPT;
}

/* A record, cut at the limit. The LF behind a cut one is skipped with its rest. */
static int take_record(struct relp *r, const struct relp_frame *f, struct slice in,
                       size_t *ret_used, struct piece *ret)
{
    bool cut = f->len > r->record_max;
    struct slice raw = slice_until(slice_from(in, f->header), cut ? r->record_max : f->len);
    if (!r->open) {
        ret->reason = "a record before the session was opened";
        return ERR_CORRUPT;
    }
    int error = push(r, f->txnr);
    if (error) {
        ret->reason = "too many records wait for their answer";
        return error;
    }
    *ret = (struct piece){
        .raw = raw, .ordinal = f->txnr, .flags = cut ? (uint8_t)RECORD_CUT : (uint8_t)0};
    r->skip = cut ? f->len - r->record_max + 1 : 0;
    *ret_used = f->header + raw.len + (cut ? 0 : 1);
    return 1;
}

/* 1 a record, 0 more is needed, 2 bytes were used and nothing came of it, or an error. */
static int relp_step(struct relp *r, struct slice in, struct buf *out, size_t *ret_used,
                     struct piece *ret)
{
    struct relp_frame f = {0};
    if (in.len == 0) return 0;
    if (r->skip) {
        size_t n = r->skip < in.len ? r->skip : in.len;
        r->skip -= (uint32_t)n;
        *ret_used = n;
        return 2;
    }
    int error = read_header(in, &f);
    if (error < 0) ret->reason = "not a RELP frame";
    if (error <= 0) return error;
    bool is_record = slice_eq(f.command, SLICE("syslog"));
    uint32_t most = is_record ? r->record_max : PROTOCOL_COMMAND_MAX;
    if (!is_record && f.len > most) {
        ret->reason = "a command with too much data";
        return ERR_LIMIT;
    }
    size_t have = in.len - f.header;
    if (f.len > most ? have < most : have <= f.len) return 0;
    if (f.len <= most && in.ptr[f.header + f.len] != '\n') {
        ret->reason = "a frame that does not end where it says";
        return ERR_CORRUPT;
    }
    if (is_record) return take_record(r, &f, in, ret_used, ret);
    *ret_used = f.header + f.len + 1;
    return take_command(r, &f, out, ret);
}

static int relp_next(void *p, struct slice in, struct buf *out, size_t *ret_used, struct piece *ret)
{
    size_t done = 0;
    int r;
    *ret = (struct piece){0};
    do {
        size_t used = 0;
        r = relp_step(p, slice_from(in, done), out, &used, ret);
        done += used;
    } while (r == 2);
    *ret_used = done;
    return r;
}

/* What was not whole gets no answer and is sent again. */
static int relp_finish(void *p, struct slice rest, struct piece *ret)
{
    (void)p;
    (void)rest;
    (void)ret;
    return 0;
}

const struct protocol_ops relp_protocol = {
    .size = sizeof(struct relp),
    .init = relp_init,
    .done = relp_done,
    .next = relp_next,
    .finish = relp_finish,
    .acked = relp_acked,
};
