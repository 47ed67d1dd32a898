/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/log_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "store/retain.h"

enum { PATH_SIZE = 1024 };

/* ---- what was signed before -------------------------------------------------------------- */

static bool signed_by_one(const struct checkpoint *c, const struct checkpoint_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (checkpoint_verify(c, &keys[i], NULL) == 0) return true;
    return false;
}

/* By the key in use, or one before it. */
static int check_last(const char *folder, struct slice note, struct checkpoint *ret,
                      struct diag *diag)
{
    char public[PATH_SIZE];
    size_t n = 0;
    struct checkpoint_key *keys = calloc(SIGNING_KEYS_MAX, sizeof *keys);
    if (!keys) return ERR_NOMEM;
    (void)snprintf(public, sizeof public, "%s/log.pub", folder);
    int error = signing_key_read_public(public, CHECKPOINT_LOG, keys, SIGNING_KEYS_MAX, &n, diag);
    if (error == 0 && (checkpoint_parse(note, ret) != 0 || !signed_by_one(ret, keys, n)))
        error = diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                         "%s/log.signed: not signed with a key of log.pub", folder);
    free(keys);
    return error;
}

/* The note is empty when nothing was ever signed; *ret borrows from it. */
static int open_last(struct bookmark *b, const char *folder, struct buf *note,
                     struct checkpoint *ret, struct diag *diag)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/log.signed", folder);
    int error = bookmark_open(b, path, note, diag);
    if (error == 0) error = folder_sync(folder, diag);
    return error || note->len == 0 ? error : check_last(folder, buf_slice(note), ret, diag);
}

/* ---- the key ----------------------------------------------------------------------------- */

static int open_locked(struct log_key *k, const char *folder, struct slice name,
                       const struct signing_seal *seal, struct diag *diag)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/log.key", folder);
    int error = signing_key_open(folder, "log", CHECKPOINT_LOG, name, seal, &k->signer, diag);
    if (error) return error;
    k->file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (k->file < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    struct checkpoint last;
    struct buf note;
    buf_init(&note, BOOKMARK_MAX);
    error = open_last(&k->last, folder, &note, &last, diag);
    if (error == 0 && note.len > 0) {
        k->any = true;
        k->size = last.size;
        k->root = last.root;
    }
    buf_done(&note);
    return error;
}

int log_key_open(struct log_key *k, const char *folder, struct slice name,
                 const struct signing_seal *seal, struct diag *diag)
{
    *k = (struct log_key){.folder = -1, .file = -1, .last = {.fd = -1}};
    int error = folder_make(folder, FOLDER_OWN, diag);
    if (error) return error;
    k->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0 || flock(k->folder, LOCK_SH) != 0)
        return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", folder, strerror(errno));
    error = open_locked(k, folder, name, seal, diag);
    (void)flock(k->folder, LOCK_UN);
    if (error) log_key_close(k);
    return error;
}

void log_key_close(struct log_key *k)
{
    checkpoint_signer_done(&k->signer);
    bookmark_close(&k->last);
    if (k->file >= 0) (void)close(k->file);
    if (k->folder >= 0) (void)close(k->folder);
    k->file = k->folder = -1;
}

/* Locks the folder. ERR_STOPPED: the key's file has no name any more. */
static int begin(const struct log_key *k)
{
    struct stat st;
    if (flock(k->folder, LOCK_SH) != 0) return ERR_IO;
    int error = fstat(k->file, &st) != 0 ? ERR_IO : st.st_nlink == 0 ? ERR_STOPPED : 0;
    if (error) (void)flock(k->folder, LOCK_UN);
    return error;
}

/* ---- signing ----------------------------------------------------------------------------- */

/* Larger, or the same as before. */
static bool goes_on(const struct log_key *k, const struct checkpoint *c)
{
    return !k->any || c->size > k->size || (c->size == k->size && sha256_eq(&c->root, &k->root));
}

static int sign(struct log_key *k, struct slice text, uint64_t size, struct buf *note)
{
    struct checkpoint c;
    buf_put(note, text);
    /* Signed is what stands before the empty line at its end. */
    checkpoint_sign(note, slice_until(text, text.len ? text.len - 1 : 0), &k->signer, 0);
    if (buf_failed(note)) return buf_error(note);
    if (checkpoint_parse(buf_slice(note), &c) != 0 || c.size != size ||
        !slice_eq(c.origin, slice_of(k->signer.key.name)) || !goes_on(k, &c))
        return ERR_CORRUPT;
    int error = bookmark_put(&k->last, buf_slice(note));
    if (error == 0) error = bookmark_sync(&k->last);
    if (error) return error;
    k->any = true;
    k->size = c.size;
    k->root = c.root;
    return 0;
}

int log_key_sign(struct log_key *k, struct slice text, uint64_t size, struct buf *out)
{
    struct buf note;
    int error = begin(k);
    if (error) return error;
    buf_init(&note, CHECKPOINT_MAX);
    error = sign(k, text, size, &note);
    (void)flock(k->folder, LOCK_UN);
    if (error == 0) buf_put(out, slice_from(buf_slice(&note), text.len));
    buf_done(&note);
    return error ? error : buf_error(out);
}

int log_key_sign_tombstone(struct log_key *k, struct slice body, struct buf *out)
{
    uint64_t end;
    if (!retain_tombstone_valid(body, slice_of(k->signer.key.name), &end) || end > k->size)
        return ERR_CORRUPT;
    int error = begin(k);
    if (error) return error;
    checkpoint_sign(out, body, &k->signer, 0);
    (void)flock(k->folder, LOCK_UN);
    return buf_error(out);
}

/* ---- another key takes its place --------------------------------------------------------- */

struct rotation {
    const char *keys, *store;
    uint64_t now;
};

/* The checkpoint of that size in the store, where it has the same body: witnesses may have signed
 * it; else `note`. */
static int find_stored(const struct store_io *io, const char *name, const struct checkpoint *last,
                       struct slice note, struct buf *out)
{
    struct checkpoint c;
    int file = io->open(io->ctx, name, STORE_READ);
    char *to = file < 0 ? NULL : buf_reserve(out, CHECKPOINT_MAX);
    int64_t n = to ? store_io_read(io, file, to, CHECKPOINT_MAX, 0) : 0;
    if (file >= 0) io->close(io->ctx, file);
    else if (file != ERR_NOT_FOUND) return file;
    if (n > 0 && checkpoint_parse(slice_make(to, (size_t)n), &c) == 0 &&
        slice_eq(c.body, last->body))
        out->len += (size_t)n;
    else buf_put(out, note);
    return buf_error(out);
}

static void sign_too(struct buf *note, const struct checkpoint *last,
                     const struct checkpoint_signer *signer)
{
    struct checkpoint c;
    if (checkpoint_parse(buf_slice(note), &c) == 0 &&
        checkpoint_verify(&c, &signer->key, NULL) == ERR_NOT_FOUND)
        checkpoint_sign(note, last->body, signer, 0);
}

/* What the old key signed last, signed by both, is kept: it says who the new one is. */
static int keep(const char *store, const struct checkpoint *last, struct slice note,
                const struct checkpoint_signer *old, const struct checkpoint_signer *fresh,
                struct diag *diag)
{
    char name[STORE_NAME_MAX + 1];
    struct buf text;
    int folder = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", store, strerror(errno));
    const struct store_io io = store_io_system(folder);
    (void)snprintf(name, sizeof name, "checkpoint-%020llu", (unsigned long long)last->size);
    buf_init(&text, 2 * (size_t)CHECKPOINT_MAX);
    int error = find_stored(&io, name, last, note, &text);
    if (error == 0) {
        sign_too(&text, last, old);
        sign_too(&text, last, fresh);
        error =
            buf_failed(&text) ? buf_error(&text) : store_io_replace(&io, name, buf_slice(&text));
    }
    if (error) (void)diag_set(diag, error, NULL, 0, 0, "%s: %s", store, error_text(error));
    buf_done(&text);
    (void)close(folder);
    return error;
}

static int introduce(void *ctx, const struct checkpoint_signer *old,
                     const struct checkpoint_signer *fresh, struct checkpoint_key *ret_ended,
                     struct diag *diag)
{
    const struct rotation *r = ctx;
    struct bookmark b;
    struct checkpoint last;
    struct buf note;
    buf_init(&note, BOOKMARK_MAX);
    int error = open_last(&b, r->keys, &note, &last, diag);
    if (error == 0 && note.len == 0)
        error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "nothing was signed with the key yet");
    if (error == 0) error = keep(r->store, &last, buf_slice(&note), old, fresh, diag);
    if (error == 0) {
        *ret_ended = old->key;
        checkpoint_key_end(ret_ended, old, &last, r->now);
    }
    bookmark_close(&b);
    buf_done(&note);
    return error;
}

int log_key_rotate(const char *folder, const char *store, uint64_t now,
                   const struct signing_seal *seal, struct diag *diag)
{
    return signing_key_rotate(folder, "log", seal, introduce,
                              &(struct rotation){.keys = folder, .store = store, .now = now}, diag);
}
