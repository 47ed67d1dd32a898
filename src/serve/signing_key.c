/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { PATH_SIZE = CONFIG_PATH_MAX + 64 };

struct slice signing_key_name(const struct config_list *setting, const char *tail, char *space,
                              size_t size)
{
    char host[128] = "";
    if (setting->n) return slice_of(setting->items[0]);
    if (gethostname(host, sizeof host - 1) != 0 || !host[0]) (void)snprintf(host, 10, "localhost");
    (void)snprintf(space, size, "%s%s", host, tail);
    return slice_of(space);
}

/* The folder of the file, whose names are to be durable. */
static bool sync_folder(const char *path)
{
    char folder[PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash) return false;
    *slash = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) (void)close(fd);
    return good;
}

/* All of it under its name, or nothing: an end at any time leaves no half of a key. */
static int write_file(const char *path, mode_t mode, struct slice text, struct diag *diag)
{
    char new_path[PATH_SIZE + 8];
    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    (void)unlink(new_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool good = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fsync(fd) == 0 &&
                rename(new_path, path) == 0 && sync_folder(path);
    int error = good ? 0 : diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return error;
}

static int write_pair(const struct checkpoint_signer *signer, const char *path,
                      const char *public_path, struct diag *diag)
{
    struct buf text;
    buf_init(&text, 4 * CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&text, &signer->key);
    int error = write_file(public_path, 0644, buf_slice(&text), diag);
    buf_clear(&text);
    checkpoint_signer_write(&text, signer);
    if (error == 0) error = write_file(path, 0600, buf_slice(&text), diag);
    explicit_bzero(text.ptr, text.cap);
    buf_done(&text);
    return error;
}

static int make(const char *path, const char *public_path, enum checkpoint_key_type type,
                struct slice name, struct diag *diag)
{
    uint8_t seed[CHECKPOINT_SEED];
    struct checkpoint_signer signer;
    if (getrandom(seed, sizeof seed, 0) != sizeof seed) return ERR_IO;
    int error = checkpoint_signer_init(&signer, name, type, seed);
    explicit_bzero(seed, sizeof seed);
    if (error)
        return diag_set(diag, error, NULL, 0, 0, "`%.*s` is not a name to sign under",
                        SLICE_FMT(name));
    error = write_pair(&signer, path, public_path, diag);
    checkpoint_signer_done(&signer);
    return error;
}

static int read_key(const char *path, enum checkpoint_key_type type, struct checkpoint_signer *ret,
                    struct diag *diag)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    int error = checkpoint_signer_read(fd, ret);
    (void)close(fd);
    if (error == ERR_ACCESS)
        return diag_set(diag, error, NULL, 0, 0, "%s: others than its owner may read it", path);
    if (error == 0 && ret->key.type != type) error = ERR_INVALID;
    return error ? diag_set(diag, error, NULL, 0, 0, "%s: not a key for this", path) : 0;
}

int signing_key_open(const char *folder, const char *stem, enum checkpoint_key_type type,
                     struct slice name, struct checkpoint_signer *ret, struct diag *diag)
{
    char path[PATH_SIZE], public_path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/%s.key", folder, stem);
    (void)snprintf(public_path, sizeof public_path, "%s/%s.pub", folder, stem);
    if (n < 0 || (size_t)n >= sizeof path)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: too long", folder);
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", folder, strerror(errno));
    int error = access(path, F_OK) == 0 ? 0 : make(path, public_path, type, name, diag);
    return error ? error : read_key(path, type, ret, diag);
}

int signing_key_read_public(const char *path, enum checkpoint_key_type type,
                            struct checkpoint_key *ret, struct diag *diag)
{
    struct buf text;
    buf_init(&text, 4 * CHECKPOINT_KEY_TEXT);
    int error = file_read(path, &text, diag);
    if (error == 0) {
        error = checkpoint_key_read(slice_trim(buf_slice(&text)), ret);
        if (error == 0 && ret->type != type) error = ERR_INVALID;
        if (error) (void)diag_set(diag, error, NULL, 0, 0, "%s: not a public key for this", path);
    }
    buf_done(&text);
    return error;
}
