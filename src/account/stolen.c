/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/stolen.h"

#include <errno.h>
#include <nettle/base16.h>
#include <nettle/sha1.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH = SHA1_DIGEST_SIZE, LINE_MOST = 128, LOOKED_AT = 1000 };

static int read_at(int fd, off_t at, char *ret, size_t size, size_t *ret_n)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = pread(fd, ret + n, size - n, at + (off_t)n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ERR_IO;
        if (got == 0) break;
        n += (size_t)got;
    }
    *ret_n = n;
    return 0;
}

static int read_size(int fd, off_t *ret)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return ERR_IO;
    if (!S_ISREG(st.st_mode) || st.st_size == 0) return ERR_INVALID;
    *ret = st.st_size;
    return 0;
}

struct line {
    off_t begin, end; /* end: of the next one's begin */
    uint8_t hash[HASH];
};

static bool read_hash(struct slice hex, uint8_t ret[HASH])
{
    struct base16_decode_ctx ctx;
    uint8_t bytes[BASE16_DECODE_LENGTH(2 * HASH)];
    size_t n = sizeof bytes;
    base16_decode_init(&ctx);
    if (!base16_decode_update(&ctx, &n, bytes, hex.len, hex.ptr) || !base16_decode_final(&ctx) ||
        n != HASH)
        return false;
    memcpy(ret, bytes, HASH);
    return true;
}

/* The line that begins at `at` or is the first to begin behind it. ERR_NOT_FOUND: none does. */
static int line_behind(int fd, off_t at, struct line *ret)
{
    char room[2 * LINE_MOST];
    size_t n, skip = 0;
    off_t from = at > 0 ? at - 1 : 0;
    int error = read_at(fd, from, room, sizeof room, &n);
    if (error) return error;
    struct slice text = slice_make(room, n);
    if (at > 0) {
        const char *before = memchr(text.ptr, '\n', text.len);
        if (!before) return n < sizeof room ? ERR_NOT_FOUND : ERR_SYNTAX;
        skip = (size_t)(before + 1 - text.ptr);
    }
    text = slice_from(text, skip);
    if (text.len == 0) return ERR_NOT_FOUND;
    const char *newline = memchr(text.ptr, '\n', text.len);
    if (!newline && n == sizeof room) return ERR_SYNTAX;
    size_t len = newline ? (size_t)(newline - text.ptr) : text.len;
    if (len < 2 * HASH || !read_hash(slice_make(text.ptr, 2 * HASH), ret->hash)) return ERR_SYNTAX;
    if (len > 2 * HASH && text.ptr[2 * HASH] != ':' && text.ptr[2 * HASH] != '\r')
        return ERR_SYNTAX;
    ret->begin = from + (off_t)skip;
    ret->end = ret->begin + (off_t)len + (newline != NULL);
    return 0;
}

int stolen_check(int fd, const char *path, struct diag *diag)
{
    off_t size = 0;
    struct line before = {.begin = -1}, line;
    int error = read_size(fd, &size);
    if (error) return diag_set(diag, error, path, 0, 0, "is no file, or an empty one");
    for (int i = 0; i < LOOKED_AT; i++) {
        error = line_behind(fd, size / LOOKED_AT * i, &line);
        if (error == ERR_NOT_FOUND) break;
        if (error == ERR_SYNTAX)
            return diag_set(diag, error, path, 0, 0, "no line of a SHA-1 at byte %lld",
                            (long long)(size / LOOKED_AT * i));
        if (error) return diag_set(diag, error, path, 0, 0, "cannot be read");
        if (before.begin >= 0 && line.begin != before.begin &&
            memcmp(before.hash, line.hash, HASH) >= 0)
            return diag_set(diag, ERR_SYNTAX, path, 0, 0, "is not ordered by hash at byte %lld",
                            (long long)line.begin);
        before = line;
    }
    return 0;
}

int stolen_has(int fd, struct slice password, bool *ret)
{
    struct sha1_ctx sha1;
    uint8_t wanted[HASH];
    off_t low = 0, high = 0; /* lines that begin in [low, high) may be it */
    sha1_init(&sha1);
    sha1_update(&sha1, password.len, (const uint8_t *)password.ptr);
    sha1_digest(&sha1, HASH, wanted);
    int error = read_size(fd, &high);
    *ret = false;
    while (error == 0 && low < high) {
        struct line line;
        off_t middle = low + (high - low) / 2;
        error = line_behind(fd, middle, &line);
        if (error == ERR_NOT_FOUND || (error == 0 && line.begin >= high)) {
            error = 0;
            high = middle;
            continue;
        }
        if (error) break;
        int order = memcmp(wanted, line.hash, HASH);
        if (order == 0) {
            *ret = true;
            break;
        }
        if (order < 0) high = middle;
        else low = line.end;
    }
    return error;
}
