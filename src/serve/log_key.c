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

/* By this key, or one before it. */
static int read_last(struct log_key *k, const char *folder, const char *path, struct slice note,
                     struct diag *diag)
{
    char public[PATH_SIZE];
    struct checkpoint c;
    size_t n = 0;
    if (note.len == 0) return 0;
    struct checkpoint_key *keys = calloc(SIGNING_KEYS_MAX, sizeof *keys);
    if (!keys) return ERR_NOMEM;
    (void)snprintf(public, sizeof public, "%s/log.pub", folder);
    int error = signing_key_read_public(public, CHECKPOINT_LOG, keys, SIGNING_KEYS_MAX, &n, diag);
    if (error == 0 && (checkpoint_parse(note, &c) != 0 || !signed_by_one(&c, keys, n)))
        error = diag_set(diag, ERR_CORRUPT, NULL, 0, 0, "%s: not signed with a key of %s", path,
                         public);
    free(keys);
    if (error) return error;
    k->any = true;
    k->size = c.size;
    k->root = c.root;
    return 0;
}

static int open_last(struct log_key *k, const char *folder, struct diag *diag)
{
    char path[PATH_SIZE];
    struct buf note;
    (void)snprintf(path, sizeof path, "%s/log.signed", folder);
    buf_init(&note, BOOKMARK_MAX);
    int error = bookmark_open(&k->last, path, &note, diag);
    if (error == 0) error = folder_sync(folder, diag);
    if (error == 0) error = read_last(k, folder, path, buf_slice(&note), diag);
    buf_done(&note);
    return error;
}

/* ---- the key ----------------------------------------------------------------------------- */

static int open_locked(struct log_key *k, const char *folder, struct slice name, struct diag *diag)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/log.key", folder);
    int error = signing_key_open(folder, "log", CHECKPOINT_LOG, name, &k->signer, diag);
    if (error) return error;
    k->file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (k->file < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    return open_last(k, folder, diag);
}

int log_key_open(struct log_key *k, const char *folder, struct slice name, struct diag *diag)
{
    *k = (struct log_key){.folder = -1, .file = -1, .last = {.fd = -1}};
    int error = folder_make(folder, FOLDER_OWN, diag);
    if (error) return error;
    k->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (k->folder < 0 || flock(k->folder, LOCK_SH) != 0)
        return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", folder, strerror(errno));
    error = open_locked(k, folder, name, diag);
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
