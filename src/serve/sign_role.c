/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the key of the log. It signs what it is asked to sign, as long as that is a
 * checkpoint that does not go back, or a tombstone of records that a checkpoint covers: who takes
 * over the process that seals can have nothing signed that is smaller than what was ever signed
 * (log_key.h).
 */
#include <limits.h>

#include "base/file.h"
#include "base/json_write.h"
#include "serve/log_key.h"
#include "serve/role.h"

enum { PUBLIC_MAX = 32 * 1024 };

struct sign_ctx {
    struct log_key key;
    uint64_t signatures, tombstones, refused;
    struct buf lines, public; /* public: its keys as log.pub has them, a line each */
};

/* What everybody may know, and who verifies has to. */
static int read_public(struct sign_ctx *c, const char *folder, struct diag *diag)
{
    char path[PATH_MAX];
    buf_init(&c->public, PUBLIC_MAX);
    int n = snprintf(path, sizeof path, "%s/log.pub", folder);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_LIMIT;
    return file_read(path, &c->public, diag);
}

/* The first start makes the key; who keeps copies elsewhere copies log.pub. */
static int sign_prepare(struct role *r, struct diag *diag)
{
    struct sign_ctx *c = r->ctx;
    char space[160];
    const char *folder = role_make_folder(r, "keys", diag);
    if (!folder) return ERR_ACCESS;
    buf_init(&c->lines, CHECKPOINT_MAX);
    struct signing_seal seal;
    int error = signing_seal_read(&r->config, &seal, diag);
    if (error == 0)
        error = log_key_open(
            &c->key, folder,
            signing_key_name(&r->config.store_origin, "/vaka", space, sizeof space), &seal, diag);
    explicit_bzero(&seal, sizeof seal);
    return error ? error : read_public(c, folder, diag);
}

/* ---- signing ----------------------------------------------------------------------------- */

/* What was not signed; the peer's error, if it is one of its. */
static int refuse(struct role *r, int error, const char *what)
{
    struct sign_ctx *c = r->ctx;
    if (error == ERR_CORRUPT) {
        c->refused++;
        role_alarm(r, "signature-refused", slice_of(what));
        return error;
    }
    /* Started again, it has the key that is in force. */
    if (error != ERR_STOPPED) role_alarm(r, "signing-failed", slice_of(error_text(error)));
    role_end(r, error == ERR_STOPPED ? 0 : error);
    return 0;
}

static int sign_checkpoint(struct role *r, const struct frame *frame)
{
    struct sign_ctx *c = r->ctx;
    struct say_sign m;
    struct link *link = role_link(r, ROLE_SEAL);
    if (say_sign_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_clear(&c->lines);
    int error = log_key_sign(&c->key, m.body, m.size, &c->lines);
    if (error) return refuse(r, error, "a checkpoint that goes back, or is none");
    c->signatures++;
    say_signed_write(link_out(link),
                     &(struct say_signed){.size = m.size, .lines = buf_slice(&c->lines)});
    link_flush(link);
    return 0;
}

/* Removed may be what a checkpoint that was signed has in it. */
static int sign_tombstone(struct role *r, const struct frame *frame)
{
    struct sign_ctx *c = r->ctx;
    struct say_bury m;
    struct link *link = role_link(r, ROLE_SEAL);
    if (say_bury_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    buf_clear(&c->lines);
    int error = log_key_sign_tombstone(&c->key, m.body, &c->lines);
    if (error) return refuse(r, error, "a tombstone of what was not signed, or none");
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

/* The name it signs under is the first thing that seal needs, and what it will not go behind. */
static void sign_peer(struct role *r, enum serve_role peer)
{
    struct sign_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    buf_clear(&c->lines);
    checkpoint_key_write(&c->lines, &c->key.signer.key);
    say_origin_write(link_out(link),
                     &(struct say_origin){.key = buf_slice(&c->lines), .size = c->key.size});
    link_flush(link);
}

static void sign_status(struct role *r, struct buf *out)
{
    struct sign_ctx *c = r->ctx;
    json_write_member_u64(out, "signatures", c->signatures);
    json_write_member_u64(out, "size", c->key.size);
    json_write_member_u64(out, "refused", c->refused);
    json_write_member_u64(out, "tombstones", c->tombstones);
    json_write_member_string(out, "keys", slice_trim(buf_slice(&c->public)));
}

static void sign_stop(struct role *r)
{
    struct sign_ctx *c = r->ctx;
    log_key_close(&c->key);
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
