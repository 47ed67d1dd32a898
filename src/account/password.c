/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/password.h"

#include <sodium.h>

#include "base/utf8.h"

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_argon2id_STRBYTES, "room for a hash");

/* ---- which are good enough --------------------------------------------------------------- */

static const char *const common[] = {
#define WORD(text) text,
#include "account/common.tbl"
#include "account/common_long.tbl"
#undef WORD
};

/* The letters that are meant: without case, accents of Swedish, and digits that look like them. */
static char plain_of(unsigned char c)
{
    static const char from[] = "013457@$!", to[] = "oieastasi";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) return to[at - from];
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* å, ä and ö, of either case, are their last byte here. */
static char swedish_of(unsigned char second)
{
    switch (second | 0x20) {
    case 0xa5:
    case 0xa4:
        return 'a';
    case 0xb6:
        return 'o';
    default:
        return '?';
    }
}

struct plain {
    char raw[PASSWORD_MAX], text[PASSWORD_MAX]; /* as it was written, and as it is meant */
    bool known[PASSWORD_MAX];                   /* is a part of something that is tried first */
    size_t len;
};

static void make_plain(struct plain *p, struct slice password)
{
    *p = (struct plain){.len = 0};
    for (size_t i = 0; i < password.len && p->len < PASSWORD_MAX; i++) {
        bool swedish = (unsigned char)password.ptr[i] == 0xc3 && i + 1 < password.len;
        if (swedish) i++;
        unsigned char c = (unsigned char)password.ptr[i];
        p->raw[p->len] = (char)c;
        p->text[p->len++] = swedish ? swedish_of(c) : plain_of(c);
    }
}

static void mark(struct plain *p, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) p->known[i] = true;
}

static void mark_word(struct plain *p, struct slice word)
{
    for (size_t at = 0; word.len >= 3 && word.len <= p->len - at; at++) {
        struct slice here = slice_make(p->text + at, word.len);
        if (slice_eq(here, word)) mark(p, at, word.len);
        if (at + word.len == p->len) break;
    }
}

/* Runs of three and more of aaa, abc, cba, 123 and 321, and whatever repeats four before it. */
static void mark_runs(struct plain *p)
{
    for (size_t i = 2; i < p->len; i++) {
        int step = p->raw[i] - p->raw[i - 1];
        if (step >= -1 && step <= 1 && p->raw[i - 1] - p->raw[i - 2] == step) mark(p, i - 2, 3);
    }
    for (size_t period = 1; period <= p->len / 2; period++)
        for (size_t i = period; i + 3 < p->len; i++)
            if (memcmp(p->text + i, p->text + i - period, 4) == 0) mark(p, i, 4);
}

static void mark_years(struct plain *p)
{
    for (size_t i = 0; i + 3 < p->len; i++) {
        uint64_t year;
        if (slice_to_u64(slice_make(p->raw + i, 4), &year) && year >= 1900 && year < 2100)
            mark(p, i, 4);
    }
}

/* Characters that an attacker would have to guess. */
static size_t count_own(const struct plain *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->len; i++) n += !p->known[i];
    return n;
}

static size_t count_characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

int password_check(struct slice password, struct slice name, const char **ret_why)
{
    enum { OWN_LEAST = 6 };
    struct plain plain, own;
    *ret_why = "a password has at most 256 bytes of UTF-8";
    if (password.len > PASSWORD_MAX || !utf8_valid(password)) return ERR_INVALID;
    *ret_why = "a password has at least 12 characters";
    if (count_characters(password) < PASSWORD_MIN) return ERR_INVALID;
    make_plain(&plain, password);
    make_plain(&own, slice_until(name, PASSWORD_MAX));
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        mark_word(&plain, slice_of(common[i]));
    mark_word(&plain, slice_make(own.text, own.len));
    mark_runs(&plain);
    mark_years(&plain);
    bool good = count_own(&plain) >= OWN_LEAST;
    sodium_memzero(&plain, sizeof plain);
    *ret_why = "this is among the first that an attacker tries: words, names, years and sequences";
    return good ? 0 : ERR_INVALID;
}

/* ---- hashes ------------------------------------------------------------------------------ */

static const char *bytes_of(struct slice password)
{
    return password.len ? password.ptr : "";
}

int password_hash(struct slice password, size_t memory, char ret[PASSWORD_HASH_MAX])
{
    return crypto_pwhash_str_alg(ret, bytes_of(password), password.len, PASSWORD_PASSES, memory,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : ERR_NOMEM;
}

bool password_verify(const char *hash, struct slice password)
{
    return crypto_pwhash_str_verify(hash, bytes_of(password), password.len) == 0;
}

bool password_is_dated(const char *hash, size_t memory)
{
    return crypto_pwhash_str_needs_rehash(hash, PASSWORD_PASSES, memory) != 0;
}
