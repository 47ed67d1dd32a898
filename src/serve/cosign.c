/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/cosign.h"

#include "base/json_write.h"
#include "store/tree_read.h"
#include "witness/address.h"

/* ---- what goes out ----------------------------------------------------------------------- */

static struct slice hashes_of(const struct tree_proof *proof)
{
    return slice_make(proof->hashes, proof->n * sizeof *proof->hashes);
}

void cosign_grow(struct cosign *c, const struct tree_range *range)
{
    if (c->n > 0) tree_range_append(&c->since, range, NULL);
}

void cosign_mark(struct cosign *c, const struct tree_range *tree)
{
    if (c->n == 0) return;
    int error = tree_prove_growth(&c->told, &c->since, &c->proof);
    ASSERT(error == 0);
    c->old = c->told.end;
    c->told = *tree;
    tree_range_init(&c->since, tree->end);
}

void cosign_submit(struct cosign *c, struct slice note, uint64_t size, bool kept)
{
    struct link *link = role_link(c->role, ROLE_WITNESS);
    if (c->n == 0) return;
    buf_clear(&c->current);
    buf_put(&c->current, note);
    c->kept = kept;
    if (!link_is_open(link) || link_room(link) < note.len + sizeof c->proof + 1024) return;
    say_submit_write(link_out(link),
                     &(struct say_submit){
                         .old = c->old, .size = size, .note = note, .proof = hashes_of(&c->proof)});
    link_flush(link);
}

/* Reads what is not sealed, and blocks of what is: for a witness that missed checkpoints. */
static int prove(struct cosign *c, uint64_t old, uint64_t size, struct tree_proof *ret)
{
    struct tree_reader *reader;
    int error = tree_reader_new(c->io, &reader);
    if (error) return error;
    struct tree_source source = tree_reader_source(reader);
    error = size > tree_reader_size(reader) ? ERR_INVALID
                                            : tree_prove_consistency(&source, old, size, ret);
    tree_reader_free(reader);
    return error;
}

static int take_prove(struct cosign *c, const struct frame *frame)
{
    struct say_prove m;
    struct tree_proof proof;
    struct link *link = role_link(c->role, ROLE_WITNESS);
    if (say_prove_read(frame->payload, &m) != 0 || m.old >= m.size) return ERR_CORRUPT;
    if (prove(c, m.old, m.size, &proof) != 0) proof.n = 0;
    say_proof_write(link_out(link),
                    &(struct say_proof){.old = m.old, .size = m.size, .proof = hashes_of(&proof)});
    link_flush(link);
    return 0;
}

/* ---- what comes back --------------------------------------------------------------------- */

/* The checkpoint with all signatures of witnesses. */
static struct slice compose(struct cosign *c, struct slice note)
{
    buf_clear(&c->text);
    buf_put(&c->text, note);
    for (size_t i = 0; i < c->n; i++) buf_put(&c->text, buf_slice(&c->lines[i]));
    return buf_failed(&c->text) ? SLICE_NONE : buf_slice(&c->text);
}

/* Whose signature `line` is, under a checkpoint that the log itself has signed; -1: nobody's. */
static int signer_of(struct cosign *c, struct slice note, struct slice line, struct checkpoint *ret,
                     uint64_t *ret_time)
{
    if (!c->log.name[0] || line.len == 0 || slice_find_byte(line, '\n') != line.len - 1) return -1;
    buf_clear(&c->text);
    buf_put(&c->text, note);
    buf_put(&c->text, line);
    if (buf_failed(&c->text) || checkpoint_parse(buf_slice(&c->text), ret) != 0 ||
        checkpoint_verify(ret, &c->log, NULL) != 0)
        return -1;
    for (size_t i = 0; i < c->n; i++)
        if (checkpoint_verify(ret, &c->keys[i], ret_time) == 0) return (int)i;
    return -1;
}

static int store(struct cosign *c, uint64_t size)
{
    struct slice text = compose(c, buf_slice(&c->note));
    int error = store_io_replace(c->io, "witnessed", text);
    if (error == 0 && slice_eq(buf_slice(&c->note), buf_slice(&c->current)))
        error = checkpoint_store(c->io, text, size, c->kept);
    return error;
}

/* Another checkpoint than the one before: the signatures of that one are not its. */
static void begin_note(struct cosign *c, struct slice note)
{
    if (slice_eq(buf_slice(&c->note), note)) return;
    buf_clear(&c->note);
    buf_put(&c->note, note);
    for (size_t i = 0; i < c->n; i++) buf_clear(&c->lines[i]);
}

static int take_cosigned(struct cosign *c, const struct frame *frame)
{
    struct say_cosigned m;
    struct checkpoint checkpoint;
    uint64_t time = 0;
    if (say_cosigned_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    int i = signer_of(c, m.note, m.line, &checkpoint, &time);
    if (i < 0 || checkpoint.size < c->size) {
        c->refused++;
        return 0;
    }
    uint64_t size = checkpoint.size;
    begin_note(c, m.note);
    buf_clear(&c->lines[i]);
    buf_put(&c->lines[i], m.line);
    int error = buf_failed(&c->note) || buf_failed(&c->lines[i]) ? ERR_LIMIT : store(c, size);
    if (error) {
        role_alarm(c->role, "witnessed-failed", slice_of(error_text(error)));
        return 0;
    }
    c->size = size;
    c->at = clock_realtime(&c->role->clock);
    c->told_at = time < INT64_MAX / NSEC_PER_SEC ? (nsec)time * NSEC_PER_SEC : 0;
    return 0;
}

int cosign_frame(struct cosign *c, const struct frame *frame)
{
    if (frame->type == SAY_PROVE) return take_prove(c, frame);
    return frame->type == SAY_COSIGNED ? take_cosigned(c, frame) : ERR_CORRUPT;
}

/* ---- from the beginning ------------------------------------------------------------------ */

int cosign_prepare(struct cosign *c, struct role *r, const struct store_io *io, struct diag *diag)
{
    const struct config_list *list = &r->config.store_witnesses;
    c->role = r;
    c->io = io;
    for (uint32_t i = 0; i < list->n; i++) {
        struct witness_address address;
        const char *why;
        if (witness_address_read(slice_of(list->items[i]), "add-checkpoint", CHECKPOINT_WITNESS,
                                 &address, &why) != 0)
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "store.witnesses: %s: %s",
                            list->items[i], why);
        c->keys[c->n++] = address.key;
        buf_init(&c->lines[i], CHECKPOINT_KEY_TEXT + CHECKPOINT_NAME_MAX);
    }
    buf_init(&c->current, CHECKPOINT_MAX);
    buf_init(&c->note, CHECKPOINT_MAX);
    buf_init(&c->text, CHECKPOINT_MAX);
    return 0;
}

void cosign_start(struct cosign *c, const struct tree_range *tree)
{
    c->told = *tree;
    tree_range_init(&c->since, tree->end);
}

void cosign_set_log(struct cosign *c, const struct checkpoint_key *log)
{
    c->log = *log;
}

void cosign_status(const struct cosign *c, struct buf *out)
{
    json_write_key(out, "witnessed");
    json_write_u64(out, c->size);
    json_write_key(out, "witnessed_at");
    json_write_u64(out, (uint64_t)(c->at / NSEC_PER_SEC));
    json_write_key(out, "cosignatures_refused");
    json_write_u64(out, c->refused);
}
