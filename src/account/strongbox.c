/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/strongbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"

enum { PATH_SIZE = 1024, FILE_MAX = 4096, DIGITS = 2 * STRONGBOX_KEY };

_Static_assert(STRONGBOX_KEY == crypto_secretbox_KEYBYTES, "secretbox's");
_Static_assert(STRONGBOX_MORE == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES,
               "secretbox's");

static int take_digits(const char *path, const struct buf *text, struct strongbox_key *ret,
                       struct diag *diag)
{
    size_t len;
    bool good = text->len == DIGITS &&
                sodium_hex2bin(ret->bytes, sizeof ret->bytes, text->ptr, text->len, NULL, &len,
                               NULL) == 0 &&
                len == sizeof ret->bytes;
    return good ? 0
                : diag_set(diag, ERR_SYNTAX, NULL, 0, 0, "%s: %d hexadecimal digits are expected",
                           path, DIGITS);
}

int strongbox_read(const char *path, struct strongbox_key *ret, struct diag *diag)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int error = file_read_secret(path, &text, diag);
    if (error == 0) error = take_digits(path, &text, ret, diag);
    if (text.ptr) sodium_memzero(text.ptr, text.cap);
    buf_done(&text);
    return error;
}

/* All of it under its name, or nothing: an end at any time leaves no half of a key. */
static int make(const char *folder, const char *path, struct diag *diag)
{
    char new_path[PATH_SIZE + 8], text[DIGITS + 1];
    struct strongbox_key key;
    (void)snprintf(new_path, sizeof new_path, "%s.new", path);
    (void)unlink(new_path);
    randombytes_buf(key.bytes, sizeof key.bytes);
    (void)sodium_bin2hex(text, sizeof text, key.bytes, sizeof key.bytes);
    text[DIGITS] = '\n';
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, sizeof text) == (ssize_t)sizeof text && fsync(fd) == 0 &&
                rename(new_path, path) == 0;
    int error = good ? folder_sync(folder, diag)
                     : diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    if (fd >= 0) (void)close(fd);
    sodium_memzero(text, sizeof text);
    sodium_memzero(&key, sizeof key);
    return error;
}

int strongbox_open(const char *folder, struct strongbox_key *ret, struct diag *diag)
{
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/accounts.key", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: the name is too long", folder);
    int error = strongbox_read(path, ret, diag);
    if (error != ERR_NOT_FOUND) return error;
    error = make(folder, path, diag);
    return error ? error : strongbox_read(path, ret, diag);
}

static void seal(const struct strongbox_key *key, struct slice text, uint8_t *ret)
{
    uint8_t *nonce = ret, *box = ret + crypto_secretbox_NONCEBYTES;
    randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(box, (const uint8_t *)text.ptr, text.len, nonce, key->bytes);
}

/* ret has what is sealed without STRONGBOX_MORE bytes. */
static bool unseal(const struct strongbox_key *key, struct slice sealed, uint8_t *ret)
{
    const uint8_t *nonce = (const uint8_t *)sealed.ptr, *box = nonce + crypto_secretbox_NONCEBYTES;
    return sealed.len >= STRONGBOX_MORE &&
           crypto_secretbox_open_easy(ret, box, sealed.len - crypto_secretbox_NONCEBYTES, nonce,
                                      key->bytes) == 0;
}

void strongbox_put(const struct strongbox_key *key, const struct totp_secret *secret,
                   uint8_t ret[static TOTP_SECRET + STRONGBOX_MORE])
{
    seal(key, slice_make(secret->bytes, sizeof secret->bytes), ret);
}

bool strongbox_take(const struct strongbox_key *key, struct slice sealed, struct totp_secret *ret)
{
    return sealed.len == TOTP_SECRET + STRONGBOX_MORE && unseal(key, sealed, ret->bytes);
}

/* ---- texts ------------------------------------------------------------------------------- */

void strongbox_write(const struct strongbox_key *key, struct slice text, struct buf *out)
{
    struct buf sealed;
    size_t n = text.len + STRONGBOX_MORE;
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    buf_init(&sealed, n);
    char *bytes = buf_reserve(&sealed, n);
    buf_puts(out, STRONGBOX_WORD);
    char *word = buf_reserve(out, size);
    if (bytes && word) {
        seal(key, text, (uint8_t *)bytes);
        (void)sodium_bin2base64(word, size, (const uint8_t *)bytes, n,
                                sodium_base64_VARIANT_ORIGINAL);
        out->len += size - 1;
    }
    buf_done(&sealed);
}

int strongbox_unwrite(const struct strongbox_key *key, struct slice word, struct buf *out)
{
    struct buf sealed;
    size_t n = 0;
    if (!slice_starts_with(word, SLICE(STRONGBOX_WORD))) return ERR_SYNTAX;
    struct slice text = slice_from(word, sizeof STRONGBOX_WORD - 1);
    buf_init(&sealed, word.len);
    char *bytes = buf_reserve(&sealed, word.len), *to = buf_reserve(out, word.len);
    int error = !bytes || !to ? ERR_NOMEM
                : sodium_base642bin((uint8_t *)bytes, word.len, text.ptr, text.len, NULL, &n, NULL,
                                    sodium_base64_VARIANT_ORIGINAL) != 0
                    ? ERR_SYNTAX
                : unseal(key, slice_make(bytes, n), (uint8_t *)to) ? 0
                                                                   : ERR_CORRUPT;
    if (error == 0) out->len += n - STRONGBOX_MORE;
    buf_done(&sealed);
    return error;
}
