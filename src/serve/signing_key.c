/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"

enum { PATH_SIZE = 1024, SECRET_MAX = 4 * CHECKPOINT_KEY_TEXT };

struct slice signing_key_name(const struct config_list *setting, const char *tail, char *space,
                              size_t size)
{
    char host[128] = "";
    if (setting->n) return slice_of(setting->items[0]);
    if (gethostname(host, sizeof host - 1) != 0 || !host[0]) (void)snprintf(host, 10, "localhost");
    (void)snprintf(space, size, "%s%s", host, tail);
    return slice_of(space);
}

/* All of it under its name, or nothing: an end at any time leaves no half of a key. */
static int write_file(const char *folder, const char *path, mode_t mode, struct slice text,
                      struct diag *diag)
{
    char new_path[PATH_SIZE + 8];
    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    (void)unlink(new_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool good = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fsync(fd) == 0 &&
                rename(new_path, path) == 0;
    int error = good ? folder_sync(folder, diag)
                     : diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return error;
}

int signing_seal_read(const struct config *config, struct signing_seal *ret, struct diag *diag)
{
    ret->on = config->keys_seal.n > 0;
    if (!secret_start()) return ERR_IO;
    return ret->on ? strongbox_read(config->keys_seal.items[0], &ret->key, diag) : 0;
}

/* ---- one key ----------------------------------------------------------------------------- */

static void forget(struct buf *text)
{
    if (text->ptr) explicit_bzero(text->ptr, text->cap);
    buf_done(text);
}

static int write_secret(const struct checkpoint_signer *signer, const struct signing_seal *seal,
                        const char *folder, const char *path, struct diag *diag)
{
    struct buf text, sealed;
    buf_init(&text, SECRET_MAX);
    buf_init(&sealed, SECRET_MAX);
    checkpoint_signer_write(&text, signer);
    if (seal->on) {
        strongbox_write(&seal->key, buf_slice(&text), &sealed);
        buf_putc(&sealed, '\n');
    }
    const struct buf *out = seal->on ? &sealed : &text;
    int error = buf_failed(&text) || buf_failed(&sealed)
                    ? ERR_NOMEM
                    : write_file(folder, path, 0600, buf_slice(out), diag);
    forget(&text);
    buf_done(&sealed);
    return error;
}

/* `before`: lines of the keys it takes the place of. */
static int write_pair(const struct checkpoint_signer *signer, const struct signing_seal *seal,
                      struct slice before, const char *folder, const char *path,
                      const char *public_path, struct diag *diag)
{
    struct buf text;
    buf_init(&text, 4 * CHECKPOINT_KEY_TEXT + before.len);
    checkpoint_key_write(&text, &signer->key);
    buf_putc(&text, '\n');
    buf_put(&text, before);
    int error = write_file(folder, public_path, 0644, buf_slice(&text), diag);
    buf_done(&text);
    return error ? error : write_secret(signer, seal, folder, path, diag);
}

static int make_signer(enum checkpoint_key_type type, struct slice name,
                       struct checkpoint_signer *ret, struct diag *diag)
{
    uint8_t seed[CHECKPOINT_SEED];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) return ERR_IO;
    int error = checkpoint_signer_init(ret, name, type, seed);
    explicit_bzero(seed, sizeof seed);
    return error ? diag_set(diag, error, NULL, 0, 0, "`%.*s` is not a name to sign under",
                            SLICE_FMT(name))
                 : 0;
}

static int make(const char *folder, const char *path, const char *public_path,
                enum checkpoint_key_type type, struct slice name, const struct signing_seal *seal,
                struct diag *diag)
{
    struct checkpoint_signer signer;
    int error = make_signer(type, name, &signer, diag);
    if (error) return error;
    error = write_pair(&signer, seal, SLICE_NONE, folder, path, public_path, diag);
    checkpoint_signer_done(&signer);
    return error;
}

static bool is_sealed(int fd)
{
    char begin[sizeof STRONGBOX_WORD - 1];
    return pread(fd, begin, sizeof begin, 0) == (ssize_t)sizeof begin &&
           memcmp(begin, STRONGBOX_WORD, sizeof begin) == 0;
}

static int read_sealed(int fd, const char *path, const struct signing_seal *seal,
                       struct checkpoint_signer *ret, struct diag *diag)
{
    struct buf sealed, text;
    if (!seal->on)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: it is sealed: keys.seal has to be set",
                        path);
    int error = file_check_private(fd, path, diag);
    if (error) return error;
    buf_init(&sealed, SECRET_MAX);
    buf_init(&text, SECRET_MAX);
    error = file_read_fd(fd, path, &sealed, diag);
    if (error == 0) error = strongbox_unwrite(&seal->key, slice_trim(buf_slice(&sealed)), &text);
    if (error == ERR_CORRUPT)
        error = diag_set(diag, ERR_ACCESS, NULL, 0, 0,
                         "%s: it was sealed with another key than that of keys.seal", path);
    else if (error == 0) error = checkpoint_signer_parse(slice_trim(buf_slice(&text)), ret);
    forget(&text);
    buf_done(&sealed);
    return error;
}

/* *ret_plain: it is not sealed. */
static int read_key(const char *path, enum checkpoint_key_type type,
                    const struct signing_seal *seal, struct checkpoint_signer *ret, bool *ret_plain,
                    struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    *ret_plain = !is_sealed(fd);
    int error =
        *ret_plain ? checkpoint_signer_read(fd, ret) : read_sealed(fd, path, seal, ret, diag);
    (void)close(fd);
    if (error == ERR_ACCESS)
        return *ret_plain ? diag_set(diag, error, NULL, 0, 0,
                                     "%s: others than its owner may read it", path)
                          : error;
    if (error == 0 && ret->key.type != type) error = ERR_INVALID;
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: not a key for this", path) : 0;
}

int signing_key_read_public(const char *path, enum checkpoint_key_type type,
                            struct checkpoint_key *ret, size_t max, size_t *ret_n,
                            struct diag *diag)
{
    struct buf text;
    struct slice line, rest;
    size_t n = 0;
    buf_init(&text, (SIGNING_KEYS_MAX + 1) * (size_t)CHECKPOINT_KEY_TEXT);
    int error = file_read(path, &text, diag);
    rest = slice_trim(buf_slice(&text));
    for (bool more = error == 0; more && error == 0;) {
        more = slice_split(rest, '\n', &line, &rest);
        if (n == max) {
            error = diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: too many keys", path);
        } else {
            error = checkpoint_key_read(slice_trim(line), &ret[n]);
            if (error == 0 && ret[n].type != type) error = ERR_INVALID;
            if (error)
                (void)diag_set(diag, error, NULL, 0, 0, "%s: not a public key for this", path);
            n++;
        }
    }
    buf_done(&text);
    if (error == 0) *ret_n = n;
    return error;
}

/* ---- another one takes its place --------------------------------------------------------- */

struct rotation {
    char key[PATH_SIZE], key_new[PATH_SIZE], key_old[PATH_SIZE];
    char public[PATH_SIZE], public_new[PATH_SIZE];
    const char *path; /* of the folder */
};

static bool name_files(struct rotation *r, const char *folder, const char *stem)
{
    r->path = folder;
    int n = snprintf(r->key, sizeof r->key, "%s/%s.key", folder, stem);
    (void)snprintf(r->public, sizeof r->public, "%s/%s.pub", folder, stem);
    (void)snprintf(r->key_new, sizeof r->key_new, "%s/%s.key.new", folder, stem);
    (void)snprintf(r->public_new, sizeof r->public_new, "%s/%s.pub.new", folder, stem);
    int last = snprintf(r->key_old, sizeof r->key_old, "%s/%s.key.old", folder, stem);
    return n > 0 && last > 0 && (size_t)last < sizeof r->key_old;
}

/*
 * What a disk keeps of blocks that were overwritten is beyond a program's reach. One that has a
 * second name is the key that is still in use: swap() did not come to its end.
 */
static bool destroy(const char *path)
{
    static const char zeros[SECRET_MAX];
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT;
    bool good = fstat(fd, &st) == 0 && st.st_size <= (off_t)sizeof zeros;
    if (good && st.st_nlink == 1)
        good = write(fd, zeros, (size_t)st.st_size) == st.st_size && fsync(fd) == 0;
    (void)close(fd);
    return good && unlink(path) == 0;
}

static int failed(const char *path, struct diag *diag)
{
    return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
}

/* What is there beside the key itself. */
static int remove_left(const struct rotation *r, struct diag *diag)
{
    bool good = destroy(r->key_new) && destroy(r->key_old) &&
                (unlink(r->public_new) == 0 || errno == ENOENT);
    return good ? 0 : failed(r->key_new, diag);
}

/* Names become durable one by one: no public key says that the one in use has ended. */
static int publish(const struct rotation *r, struct diag *diag)
{
    int error = rename(r->public_new, r->public) == 0 ? 0 : failed(r->public, diag);
    return error ? error : folder_sync(r->path, diag);
}

/* There is a whole key at the name at any time: nothing makes another one after a crash. */
static int swap(const struct rotation *r, struct diag *diag)
{
    bool good = link(r->key, r->key_old) == 0 && rename(r->key_new, r->key) == 0;
    int error = good ? folder_sync(r->path, diag) : failed(r->key, diag);
    return error ? error : publish(r, diag);
}

/* The line of `key` in `text`, and what stands behind it; false: it has none. */
static bool find_line(struct slice text, const struct checkpoint_key *key, struct slice *ret_rest)
{
    struct slice line, rest = text;
    struct buf own;
    bool found = false;
    buf_init(&own, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&own, key);
    while (!found && rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        found = slice_eq(slice_trim(line), buf_slice(&own));
    }
    buf_done(&own);
    if (found) *ret_rest = rest;
    return found;
}

/* A swap that a crash cut short is brought to its end; what else one left is removed. */
static int settle(const struct rotation *r, const struct checkpoint_key *key, struct diag *diag)
{
    struct buf text;
    struct slice rest;
    buf_init(&text, (SIGNING_KEYS_MAX + 1) * (size_t)CHECKPOINT_KEY_TEXT);
    int error = file_read(r->public_new, &text, diag);
    if (error == ERR_NOT_FOUND) error = diag->message[0] = 0;
    else if (error == 0 && find_line(buf_slice(&text), key, &rest)) error = publish(r, diag);
    buf_done(&text);
    return error ? error : remove_left(r, diag);
}

/* One that lay there as it is comes to lie there sealed. */
static int seal_it(const struct rotation *r, const struct checkpoint_signer *signer,
                   const struct signing_seal *seal, struct diag *diag)
{
    int error = write_secret(signer, seal, r->path, r->key_new, diag);
    if (error) return error;
    bool good = link(r->key, r->key_old) == 0 && rename(r->key_new, r->key) == 0;
    error = good ? folder_sync(r->path, diag) : failed(r->key, diag);
    return error == 0 && !destroy(r->key_old) ? failed(r->key_old, diag) : error;
}

int signing_key_open(const char *folder, const char *stem, enum checkpoint_key_type type,
                     struct slice name, const struct signing_seal *seal,
                     struct checkpoint_signer *ret, struct diag *diag)
{
    struct rotation r;
    struct checkpoint_signer signer;
    bool plain = false;
    if (!name_files(&r, folder, stem))
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: too long", folder);
    int error = folder_make(folder, FOLDER_OWN, diag);
    if (error == 0 && access(r.key, F_OK) != 0)
        error = make(folder, r.key, r.public, type, name, seal, diag);
    if (error == 0) error = read_key(r.key, type, seal, &signer, &plain, diag);
    if (error) return error;
    error = settle(&r, &signer.key, diag);
    if (error == 0 && plain && seal->on) error = seal_it(&r, &signer, seal, diag);
    if (error == 0) *ret = signer;
    checkpoint_signer_done(&signer);
    return error;
}

/* Behind the end of the one that was in use: those that ended before. */
static int list_before(const struct rotation *r, const struct checkpoint_key *ended,
                       struct buf *out, struct diag *diag)
{
    struct buf text;
    struct checkpoint_key in_use = *ended;
    buf_init(&text, SIGNING_KEYS_MAX * (size_t)CHECKPOINT_KEY_TEXT);
    int error = file_read(r->public, &text, diag);
    struct slice rest = buf_slice(&text);
    in_use.ended = false;
    (void)find_line(rest, &in_use, &rest);
    checkpoint_key_write(out, ended);
    buf_putc(out, '\n');
    buf_put(out, rest);
    if (out->len && out->ptr[out->len - 1] != '\n') buf_putc(out, '\n');
    buf_done(&text);
    return error ? error : buf_error(out);
}

static int rotate(const struct rotation *r, const struct checkpoint_signer *old,
                  const struct signing_seal *seal,
                  int (*introduce)(void *ctx, const struct checkpoint_signer *old,
                                   const struct checkpoint_signer *fresh,
                                   struct checkpoint_key *ret_ended, struct diag *diag),
                  void *ctx, struct diag *diag)
{
    struct checkpoint_signer fresh;
    struct checkpoint_key ended;
    struct buf before;
    int error = make_signer(old->key.type, slice_of(old->key.name), &fresh, diag);
    if (error) return error;
    buf_init(&before, SIGNING_KEYS_MAX * (size_t)CHECKPOINT_KEY_TEXT);
    error = introduce(ctx, old, &fresh, &ended, diag);
    if (error == 0) error = list_before(r, &ended, &before, diag);
    if (error == 0)
        error =
            write_pair(&fresh, seal, buf_slice(&before), r->path, r->key_new, r->public_new, diag);
    if (error == 0) error = swap(r, diag);
    buf_done(&before);
    checkpoint_signer_done(&fresh);
    return error;
}

/* What is left beside the key that is there now, whichever that is. */
static int clean_up(const struct rotation *r, const struct signing_seal *seal, struct diag *diag)
{
    struct checkpoint_signer signer;
    bool plain;
    int error = read_key(r->key, CHECKPOINT_LOG, seal, &signer, &plain, diag);
    if (error) return error;
    error = settle(r, &signer.key, diag);
    checkpoint_signer_done(&signer);
    return error;
}

int signing_key_rotate(const char *folder, const char *stem, const struct signing_seal *seal,
                       int (*introduce)(void *ctx, const struct checkpoint_signer *old,
                                        const struct checkpoint_signer *fresh,
                                        struct checkpoint_key *ret_ended, struct diag *diag),
                       void *ctx, struct diag *diag)
{
    struct rotation r;
    struct checkpoint_signer old;
    if (!name_files(&r, folder, stem))
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: too long", folder);
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        int error = failed(folder, diag);
        if (lock >= 0) (void)close(lock);
        return error;
    }
    struct diag other;
    bool plain;
    int error = clean_up(&r, seal, diag);
    if (error == 0) error = read_key(r.key, CHECKPOINT_LOG, seal, &old, &plain, diag);
    if (error == 0) {
        error = rotate(&r, &old, seal, introduce, ctx, diag);
        checkpoint_signer_done(&old);
        int left = clean_up(&r, seal, error ? &other : diag);
        if (error == 0) error = left;
    }
    (void)close(lock);
    return error;
}
