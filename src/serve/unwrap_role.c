/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that takes bodies apart: it has no keys, no files and no network, so that a mistake
 * in a parser of protocols gives away nothing. Senders are answered when all of their records are
 * durable.
 */
#include "unwrap/unwrap.h"

#include <stdlib.h>

#include "base/json_write.h"
#include "serve/inflight.h"
#include "serve/role.h"

enum { PENDING_MAX = 4096, BATCH_TARGET = 1024 * 1024 };

/* A container some of whose records are on their way. */
struct pending {
    uint64_t id;               /* collect's; of the channel at hand */
    bool used, failed, orphan; /* orphan: collect was replaced, nobody waits */
    bool flow;
    uint32_t batches;
    uint64_t bytes; /* of them, ever */
    struct unwrap_answer answer;
};

struct unwrap_ctx {
    struct unwrap *unwrap;
    struct batch_writer writer;
    struct buf batch;
    struct inflight inflight;
    struct pending *pending;
    size_t n_used;
    size_t at; /* of the container that is being taken apart */
    uint64_t next_id;
    uint64_t containers, records, refused, failed;
};

/* ---- answers ----------------------------------------------------------------------------- */

static void reply(struct role *r, struct pending *p)
{
    struct unwrap_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_COLLECT);
    struct say_reply m = {.id = p->id,
                          .bytes = p->bytes,
                          .status = p->answer.status,
                          .type = slice_of(p->answer.content_type),
                          .header = slice_of(p->answer.header),
                          .body = buf_slice(&p->answer.body)};
    if (!p->failed) {
        unwrap_number_answer(c->unwrap, &p->answer);
        m.body = buf_slice(&p->answer.body);
        p->failed = buf_failed(&p->answer.body);
    }
    if (p->failed) {
        c->failed++;
        m = (struct say_reply){.id = p->id,
                               .bytes = p->bytes,
                               .status = 503,
                               .body = SLICE("not stored\n"),
                               .type = SLICE("text/plain")};
    }
    if (!p->orphan && link_is_open(link)) {
        say_reply_write(link_out(link), &m);
        link_flush(link);
    }
    unwrap_answer_done(&p->answer);
    *p = (struct pending){0};
    c->n_used--;
}

static int send_batch(struct role *r)
{
    struct unwrap_ctx *c = r->ctx;
    buf_clear(&c->batch);
    batch_writer_finish(&c->writer, &c->batch);
    if (c->batch.len == 0) return buf_error(&c->batch);
    int error = inflight_send(&c->inflight, role_link(r, ROLE_STORE), ++c->next_id, c->at,
                              buf_slice(&c->batch));
    if (error) return error;
    c->pending[c->at].batches++;
    c->pending[c->at].bytes += c->batch.len;
    return 0;
}

static int writer_full(void *ctx, struct batch_writer *writer)
{
    (void)writer;
    return send_batch(ctx);
}

/* ---- containers -------------------------------------------------------------------------- */

static void open_container(const struct say_container *m, struct container *ret)
{
    *ret = (struct container){
        .kind = m->kind,
        .tenant = m->tenant,
        .flags = m->flags,
        .received = m->received,
        .source = m->source,
        .delivery = m->delivery,
        .target = m->target,
        .query = m->query,
        .content_type = m->type,
        .content_encoding = m->encoding,
        .body = m->body,
    };
}

static size_t free_place(struct unwrap_ctx *c)
{
    for (size_t i = 0; i < PENDING_MAX; i++)
        if (!c->pending[i].used) return i;
    return PENDING_MAX;
}

static int take_container(struct role *r, const struct frame *frame)
{
    struct unwrap_ctx *c = r->ctx;
    struct say_container m;
    struct container container;
    if (say_container_read(frame->payload, &m) != 0 || m.kind >= CONTAINER_KIND_COUNT)
        return ERR_CORRUPT;
    c->at = free_place(c);
    if (c->at == PENDING_MAX) return ERR_LIMIT; /* collect has fewer under way than this */
    struct pending *p = &c->pending[c->at];
    *p = (struct pending){.id = m.id, .used = true};
    c->n_used++;
    c->containers++;
    unwrap_answer_init(&p->answer);
    open_container(&m, &container);
    c->writer.tenant = m.tenant;
    const struct unwrap_sink sink = {.writer = &c->writer, .full = writer_full, .ctx = r};
    int error = unwrap_container(c->unwrap, &container, &sink, &p->answer);
    if (error == 0) error = send_batch(r);
    if (error) {
        batch_writer_clear(&c->writer);
        p->failed = true;
    }
    c->records += p->answer.taken;
    for (size_t i = 0; i < UNWRAP_REASON_COUNT; i++) c->refused += p->answer.refused[i];
    if (p->batches == 0) reply(r, p);
    return 0;
}

static int take_stored(struct role *r, uint64_t id, bool stored)
{
    struct unwrap_ctx *c = r->ctx;
    uint64_t at;
    if (!inflight_answered(&c->inflight, id, &at)) return ERR_CORRUPT;
    struct pending *p = &c->pending[at];
    p->failed = p->failed || !stored;
    if (--p->batches == 0) reply(r, p);
    return 0;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int unwrap_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct say_stored stored;
    struct say_refused refused;
    if (peer == ROLE_COLLECT && frame->type == SAY_CONTAINER) return take_container(r, frame);
    if (peer != ROLE_STORE) return ERR_CORRUPT;
    if (frame->type == SAY_STORED && say_stored_read(frame->payload, &stored) == 0)
        return take_stored(r, stored.id, true);
    if (frame->type == SAY_REFUSED && say_refused_read(frame->payload, &refused) == 0)
        return take_stored(r, refused.id, false);
    return ERR_CORRUPT;
}

static void unwrap_peer(struct role *r, enum serve_role peer)
{
    struct unwrap_ctx *c = r->ctx;
    if (peer == ROLE_STORE) inflight_resend(&c->inflight, role_link(r, ROLE_STORE));
}

static void unwrap_lost(struct role *r, enum serve_role peer)
{
    struct unwrap_ctx *c = r->ctx;
    if (peer != ROLE_COLLECT) return;
    for (size_t i = 0; i < PENDING_MAX; i++) c->pending[i].orphan = c->pending[i].used;
}

static int unwrap_start(struct role *r)
{
    struct unwrap_ctx *c = r->ctx;
    const struct unwrap_options options = unwrap_options_default();
    c->unwrap = unwrap_new(&options);
    c->pending = calloc(PENDING_MAX, sizeof *c->pending);
    batch_writer_init(&c->writer, 0, BATCH_TARGET);
    buf_init(&c->batch, BATCH_MAX);
    return c->unwrap && c->pending ? 0 : ERR_NOMEM;
}

static void unwrap_status(struct role *r, struct buf *out)
{
    struct unwrap_ctx *c = r->ctx;
    struct unwrap_flow_stats flows;
    unwrap_flow_stats(c->unwrap, &flows);
    json_write_member_u64(out, "containers", c->containers);
    json_write_member_u64(out, "records", c->records);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "failed", c->failed);
    json_write_member_u64(out, "waiting", c->n_used);
    json_write_member_u64(out, "flow_datagrams", flows.datagrams);
    json_write_member_u64(out, "flow_damaged", flows.damaged);
    json_write_member_u64(out, "flow_lost", flows.lost);
    json_write_member_u64(out, "flow_no_template", flows.no_template);
    json_write_member_u64(out, "flow_templates", flows.templates);
}

static void unwrap_stop(struct role *r)
{
    role_end(r, 0);
}

const struct role_ops role_unwrap = {
    .ctx_size = sizeof(struct unwrap_ctx),
    .start = unwrap_start,
    .peer = unwrap_peer,
    .lost = unwrap_lost,
    .frame = unwrap_frame,
    .status = unwrap_status,
    .stop = unwrap_stop,
};
