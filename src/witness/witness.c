/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/witness.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS = 32 };

/* What is known of a log. */
struct known {
    uint64_t size;
    struct sha256 root;
};

/* ---- the folder -------------------------------------------------------------------------- */

static void name_file(char name[STORE_NAME_MAX + 1], const char *kind, struct slice origin)
{
    struct sha256 hash;
    size_t n = (size_t)snprintf(name, STORE_NAME_MAX, "%s-", kind);
    sha256_many(&(struct sha256_message){origin, SLICE_NONE}, 1, &hash);
    for (size_t i = 0; i < DIGITS / 2; i++)
        (void)snprintf(name + n + 2 * i, 3, "%02x", hash.bytes[i]);
}

static int load(const struct witness *w, const char *name, struct buf *out)
{
    int file = w->io->open(w->io->ctx, name, STORE_READ);
    if (file < 0) return file;
    char *to = buf_reserve(out, CHECKPOINT_MAX);
    int64_t n = to ? store_io_read(w->io, file, to, CHECKPOINT_MAX, 0) : ERR_NOMEM;
    w->io->close(w->io->ctx, file);
    if (n < 0) return (int)n;
    out->len += (size_t)n;
    return 0;
}

static int known_of_text(const struct witness *w, struct slice text, struct slice origin,
                         struct known *ret)
{
    struct checkpoint c;
    if (checkpoint_parse(text, &c) != 0 || !slice_eq(c.origin, origin) ||
        checkpoint_verify(&c, &w->signer->key, NULL) != 0)
        return ERR_CORRUPT;
    *ret = (struct known){.size = c.size, .root = c.root};
    return 0;
}

/* An empty tree of a log that was never seen. */
static int read_known(const struct witness *w, struct slice origin, struct known *ret)
{
    char name[STORE_NAME_MAX + 1];
    struct buf text;
    struct tree_range empty;
    buf_init(&text, CHECKPOINT_MAX + 1);
    name_file(name, "log", origin);
    int error = load(w, name, &text);
    if (error == 0) {
        error = known_of_text(w, buf_slice(&text), origin, ret);
    } else if (error == ERR_NOT_FOUND) {
        tree_range_init(&empty, 0);
        *ret = (struct known){.size = 0, .root = tree_range_root(&empty)};
        error = 0;
    }
    buf_done(&text);
    return error;
}

/* The first one is the proof; that it cannot be kept must not keep the answer from being no. */
static void keep_fork(const struct witness *w, const struct checkpoint *c, struct slice note)
{
    char name[STORE_NAME_MAX + 1];
    name_file(name, "fork", c->origin);
    int file = w->io->open(w->io->ctx, name, STORE_READ);
    if (file >= 0) w->io->close(w->io->ctx, file);
    int error = file == ERR_NOT_FOUND ? store_io_replace(w->io, name, note) : 0;
    (void)error;
}

/* ---- deciding ---------------------------------------------------------------------------- */

static enum witness_status check_signature(const struct witness *w, const struct checkpoint *c)
{
    enum witness_status status = WITNESS_UNKNOWN;
    for (size_t i = 0; i < w->n_logs; i++) {
        if (!slice_eq(slice_of(w->logs[i].name), c->origin)) continue;
        status = WITNESS_UNSIGNED;
        /* A log that has another key signs what is new with that. */
        if (!w->logs[i].ended && checkpoint_verify(c, &w->logs[i], NULL) == 0)
            return WITNESS_SIGNED;
    }
    return status;
}

static enum witness_status check_growth(const struct witness_request *r, const struct known *known,
                                        bool *ret_forked)
{
    const struct checkpoint *c = &r->checkpoint;
    if (r->old_size > c->size) return WITNESS_MALFORMED;
    if (r->old_size != known->size) return WITNESS_CONFLICT;
    *ret_forked = c->size == known->size && !sha256_eq(&c->root, &known->root);
    if (*ret_forked) return WITNESS_CONFLICT;
    *ret_forked = !tree_verify_consistency(&r->proof, known->size, c->size, &known->root, &c->root);
    return *ret_forked ? WITNESS_UNPROVED : WITNESS_SIGNED;
}

/* The checkpoint with the log's signatures and ours becomes what we know; out: ours. */
static int sign(const struct witness *w, const struct witness_request *r, uint64_t now,
                struct buf *out)
{
    char name[STORE_NAME_MAX + 1];
    struct buf note, line;
    buf_init(&note, CHECKPOINT_MAX);
    buf_init(&line, WITNESS_ANSWER_MAX);
    checkpoint_sign(&line, r->checkpoint.body, w->signer, now);
    /* Ours alone: the log's may be many, and are not what we vouch for. */
    buf_put(&note, r->checkpoint.body);
    buf_putc(&note, '\n');
    buf_put(&note, buf_slice(&line));
    name_file(name, "log", r->checkpoint.origin);
    int error = buf_failed(&note) || buf_failed(&line)
                    ? ERR_LIMIT
                    : store_io_replace(w->io, name, buf_slice(&note));
    if (error == 0) buf_put(out, buf_slice(&line));
    buf_done(&note);
    buf_done(&line);
    return error;
}

static enum witness_status decide(const struct witness *w, const struct witness_request *r,
                                  uint64_t now, struct buf *out, struct witness_answer *ret)
{
    const struct checkpoint *c = &r->checkpoint;
    struct known known;
    enum witness_status status = check_signature(w, c);
    if (status == WITNESS_UNKNOWN) return status;
    memcpy(ret->origin, c->origin.ptr, c->origin.len);
    if (status != WITNESS_SIGNED) return status;
    if (read_known(w, c->origin, &known) != 0) return WITNESS_FAILED;
    ret->size = known.size;
    status = check_growth(r, &known, &ret->forked);
    if (ret->forked) keep_fork(w, c, r->note);
    if (status != WITNESS_SIGNED) return status;
    if (sign(w, r, now, out) != 0) return WITNESS_FAILED;
    ret->size = c->size;
    return status;
}

void witness_add(const struct witness *w, struct slice request, uint64_t now, struct buf *out,
                 struct witness_answer *ret)
{
    struct witness_request *r = malloc(sizeof *r);
    *ret = (struct witness_answer){.status = WITNESS_FAILED};
    if (!r) return;
    ret->status =
        witness_request_read(request, r) == 0 ? decide(w, r, now, out, ret) : WITNESS_MALFORMED;
    if (ret->status == WITNESS_CONFLICT) witness_size_write(out, ret->size);
    free(r);
}
