/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * SHA-256 (FIPS 180-4) of many short messages. Where the processor has the SHA extensions two
 * messages are computed at once: one waits for itself most of the time. Elsewhere nettle does it.
 */
#ifndef VAKA_STORE_SHA256_H
#define VAKA_STORE_SHA256_H

#include "base/slice.h"

enum { SHA256_SIZE = 32 };

struct sha256 {
    uint8_t bytes[SHA256_SIZE];
};

/* The message is head and then body; both are borrowed for the call. */
struct sha256_message {
    struct slice head, body;
};

/* ret[i] = SHA-256 of messages[i]. `ret` does not overlap the messages. */
void sha256_many(const struct sha256_message *messages, size_t n, struct sha256 *ret);
/* The same by nettle, on every machine. */
void sha256_many_portable(const struct sha256_message *messages, size_t n, struct sha256 *ret);

static inline bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

#endif
