/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the key of the log. It signs what it is asked to sign, as long as that is a
 * checkpoint that does not go back, or a tombstone of records that a checkpoint covers: who takes
 * over the process that seals can have nothing signed that is smaller than what was signed before.
 */
#include "base/json_write.h"
#include "serve/role.h"
#include "serve/signing_key.h"
#include "store/checkpoint.h"
#include "store/retain.h"

struct sign_ctx {
    struct checkpoint_signer signer;
    uint64_t size; /* of the largest tree that was signed */
    uint64_t signatures, tombstones, refused;
    struct buf lines;
};

/* The first start makes the key; who keeps copies elsewhere copies log.pub. */
static int sign_prepare(struct role *r, struct diag *diag)
{
    struct sign_ctx *c = r->ctx;
    char space[160];
    const char *folder = role_make_folder(r, "keys", diag);
    if (!folder) return ERR_ACCESS;
    buf_init(&c->lines, CHECKPOINT_MAX);
    return signing_key_open(folder, "log", CHECKPOINT_LOG,
                            signing_key_name(&r->config.store_origin, "/vaka", space, sizeof space),
                            &c->signer, diag);
}

/* ---- signing ----------------------------------------------------------------------------- */

static int refuse(struct role *r, const char *what)
{
    struct sign_ctx *c = r->ctx;
    c->refused++;
    role_alarm(r, "signature-refused", slice_of(what));
    return ERR_CORRUPT;
}

static int sign_checkpoint(struct role *r, const struct frame *frame)
{
    struct sign_ctx *c = r->ctx;
    struct say_sign m;
    struct checkpoint checkpoint;
    struct link *link = role_link(r, ROLE_SEAL);
    if (say_sign_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_clear(&c->lines);
    buf_put(&c->lines, m.body);
    /* Signed is what stands before the empty line at its end. */
    size_t lines = c->lines.len;
    checkpoint_sign(&c->lines, slice_until(m.body, lines ? lines - 1 : 0), &c->signer, 0);
    bool good = checkpoint_parse(buf_slice(&c->lines), &checkpoint) == 0 &&
                checkpoint.size == m.size && m.size >= c->size &&
                slice_eq(checkpoint.origin, slice_of(c->signer.key.name));
    if (!good) return refuse(r, "a checkpoint that goes back, or is none");
    c->size = m.size;
    c->signatures++;
    say_signed_write(
        link_out(link),
        &(struct say_signed){.size = m.size, .lines = slice_from(buf_slice(&c->lines), lines)});
    link_flush(link);
    return 0;
}

/* Removed may be what a checkpoint that was signed has in it. */
static int sign_tombstone(struct role *r, const struct frame *frame)
{
    struct sign_ctx *c = r->ctx;
    struct say_bury m;
    struct link *link = role_link(r, ROLE_SEAL);
    uint64_t end;
    if (say_bury_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (!retain_tombstone_valid(m.body, slice_of(c->signer.key.name), &end) || end > c->size)
        return refuse(r, "a tombstone of what was not signed, or none");
    buf_clear(&c->lines);
    checkpoint_sign(&c->lines, m.body, &c->signer, 0);
    if (buf_failed(&c->lines)) return buf_error(&c->lines);
    c->tombstones++;
    say_buried_write(link_out(link),
                     &(struct say_buried){.begin = m.begin, .lines = buf_slice(&c->lines)});
    link_flush(link);
    return 0;
}

static int sign_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer != ROLE_SEAL) return ERR_CORRUPT;
    if (frame->type == SAY_SIGN) return sign_checkpoint(r, frame);
    return frame->type == SAY_BURY ? sign_tombstone(r, frame) : ERR_CORRUPT;
}

/* The name it signs under is the first thing that seal needs. */
static void sign_peer(struct role *r, enum serve_role peer)
{
    struct sign_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    buf_clear(&c->lines);
    checkpoint_key_write(&c->lines, &c->signer.key);
    say_origin_write(link_out(link), &(struct say_origin){.key = buf_slice(&c->lines)});
    link_flush(link);
}

static void sign_status(struct role *r, struct buf *out)
{
    struct sign_ctx *c = r->ctx;
    json_write_member_u64(out, "signatures", c->signatures);
    json_write_member_u64(out, "size", c->size);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "tombstones", c->tombstones);
}

static void sign_stop(struct role *r)
{
    struct sign_ctx *c = r->ctx;
    checkpoint_signer_done(&c->signer);
    role_end(r, 0);
}

const struct role_ops role_sign = {
    .ctx_size = sizeof(struct sign_ctx),
    .prepare = sign_prepare,
    .peer = sign_peer,
    .frame = sign_frame,
    .status = sign_status,
    .stop = sign_stop,
};
