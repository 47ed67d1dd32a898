/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/secret.h"

#include <sodium.h>

bool secret_start(void)
{
    return sodium_init() >= 0;
}

void secret_make(char ret[static SECRET_TEXT + 1])
{
    uint8_t bytes[SECRET_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    (void)sodium_bin2base64(ret, SECRET_TEXT + 1, bytes, sizeof bytes,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

void secret_hash(struct slice text, struct secret_hash *ret)
{
    (void)crypto_hash_sha256(ret->bytes, (const uint8_t *)text.ptr, text.len);
}

bool secret_same(const struct secret_hash *a, const struct secret_hash *b)
{
    return sodium_memcmp(a->bytes, b->bytes, SECRET_HASH) == 0;
}

void secret_make_word(char *ret, size_t n)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    _Static_assert(sizeof letters == 33, "5 bits a letter");
    randombytes_buf(ret, n);
    for (size_t i = 0; i < n; i++) ret[i] = letters[(unsigned char)ret[i] & 31];
    ret[n] = '\0';
}
