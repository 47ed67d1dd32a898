/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that has the key of the log. It signs what it is asked to sign, as long as that is a
 * checkpoint that does not go back, or a tombstone of records that a checkpoint covers: who takes
 * over the process that seals can have nothing signed that is smaller than what was signed before.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_write.h"
#include "serve/role.h"
#include "store/checkpoint.h"
#include "store/retain.h"

struct sign_ctx {
    struct checkpoint_signer signer;
    uint64_t size; /* of the largest tree that was signed */
    uint64_t signatures, tombstones, refused;
    struct buf lines;
};

/* ---- the key ----------------------------------------------------------------------------- */

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) (void)close(fd);
    return good;
}

/* All of it under its name, or nothing: an end at any time leaves no half of a key. */
static int write_file(struct role *r, const char *folder, const char *path, mode_t mode,
                      struct slice text, struct diag *diag)
{
    const char *new_path = arena_printf(&r->config.arena, "%s.new", path);
    if (!new_path) return ERR_NOMEM;
    (void)unlink(new_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool good = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fsync(fd) == 0 &&
                rename(new_path, path) == 0 && sync_folder(folder);
    int error = good ? 0 : diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return error;
}

static struct slice origin_of(const struct role *r, char *space, size_t size)
{
    char host[128] = "";
    if (r->config.store_origin.n) return slice_of(r->config.store_origin.items[0]);
    if (gethostname(host, sizeof host - 1) != 0 || !host[0]) (void)snprintf(host, 10, "localhost");
    (void)snprintf(space, size, "%s/vaka", host);
    return slice_of(space);
}

/* The first start makes the key; who keeps copies elsewhere copies log.pub, which is there before
 * anything is signed. */
static int make_key(struct role *r, const char *folder, const char *path, const char *public_path,
                    struct diag *diag)
{
    uint8_t seed[CHECKPOINT_SEED];
    char space[160];
    struct checkpoint_signer signer;
    struct buf text;
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) return ERR_IO;
    int error =
        checkpoint_signer_init(&signer, origin_of(r, space, sizeof space), CHECKPOINT_LOG, seed);
    explicit_bzero(seed, sizeof seed);
    if (error) return diag_set(diag, error, NULL, 0, 0, "store.origin is not a name");
    buf_init(&text, 4 * CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&text, &signer.key);
    error = write_file(r, folder, public_path, 0644, buf_slice(&text), diag);
    buf_clear(&text);
    checkpoint_signer_write(&text, &signer);
    if (error == 0) error = write_file(r, folder, path, 0600, buf_slice(&text), diag);
    explicit_bzero(text.ptr, text.cap);
    buf_done(&text);
    checkpoint_signer_done(&signer);
    return error;
}

static int read_key(struct role *r, const char *path, struct diag *diag)
{
    struct sign_ctx *c = r->ctx;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    int error = checkpoint_signer_read(fd, &c->signer);
    (void)close(fd);
    if (error == ERR_ACCESS)
        return diag_set(diag, error, NULL, 0, 0, "%s: others than its owner may read it", path);
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: not a key", path) : 0;
}

static int sign_prepare(struct role *r, struct diag *diag)
{
    struct sign_ctx *c = r->ctx;
    struct arena *a = &r->config.arena;
    const char *folder = arena_printf(a, "%s/keys", r->config.serve_folder.items[0]);
    const char *path = folder ? arena_printf(a, "%s/log.key", folder) : NULL;
    const char *public_path = folder ? arena_printf(a, "%s/log.pub", folder) : NULL;
    if (!path || !public_path) return ERR_NOMEM;
    buf_init(&c->lines, CHECKPOINT_MAX);
    (void)mkdir(r->config.serve_folder.items[0], 0750);
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", folder, strerror(errno));
    int error = access(path, F_OK) == 0 ? 0 : make_key(r, folder, path, public_path, diag);
    return error ? error : read_key(r, path, diag);
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
    say_origin_write(link_out(link), &(struct say_origin){.name = slice_of(c->signer.key.name)});
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
