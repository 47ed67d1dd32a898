/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/token.h"

#include <nettle/base64.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

enum { IDENTITY_MAX = 1024 };

struct row {
    uint8_t hash[SHA256_DIGEST_SIZE];
    struct token token;
};

struct tokens {
    struct row *rows;
    uint32_t n, cap;
};

struct tokens *tokens_new(void)
{
    return calloc(1, sizeof(struct tokens));
}

void tokens_free(struct tokens *t)
{
    if (!t) return;
    for (uint32_t i = 0; i < t->n; i++) free((void *)(uintptr_t)t->rows[i].token.identity.ptr);
    free(t->rows);
    free(t);
}

static void hash_secret(struct slice secret, uint8_t ret[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, secret.len, (const uint8_t *)secret.ptr);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
}

static int make_room(struct tokens *t)
{
    if (t->n < t->cap) return 0;
    if (t->n >= TOKENS_MAX) return ERR_LIMIT;
    uint32_t cap = t->cap ? t->cap * 2 : 16;
    struct row *rows = reallocarray(t->rows, cap, sizeof *rows);
    if (!rows) return ERR_NOMEM;
    t->rows = rows;
    t->cap = cap;
    return 0;
}

int tokens_add(struct tokens *t, struct slice secret, const struct token *token)
{
    if (secret.len < TOKEN_MIN || secret.len > TOKEN_MAX || token->identity.len == 0 ||
        token->identity.len > IDENTITY_MAX || tokens_find(t, secret))
        return ERR_INVALID;
    int error = make_room(t);
    if (error) return error;
    char *identity = malloc(token->identity.len);
    if (!identity) return ERR_NOMEM;
    memcpy(identity, token->identity.ptr, token->identity.len);
    struct row *row = &t->rows[t->n++];
    hash_secret(secret, row->hash);
    row->token = *token;
    row->token.identity = slice_make(identity, token->identity.len);
    return 0;
}

/* All rows are looked at, whichever it is. */
const struct token *tokens_find(const struct tokens *t, struct slice secret)
{
    uint8_t hash[SHA256_DIGEST_SIZE];
    const struct token *found = NULL;
    if (!t || secret.len == 0 || secret.len > TOKEN_MAX) return NULL;
    hash_secret(secret, hash);
    for (uint32_t i = 0; i < t->n; i++)
        if (memeql_sec(hash, t->rows[i].hash, sizeof hash)) found = &t->rows[i].token;
    return found;
}

static int read_base64(struct slice coded, char scratch[TOKEN_MAX], struct slice *ret)
{
    struct base64_decode_ctx ctx;
    size_t len = TOKEN_MAX;
    struct slice name;
    if (BASE64_DECODE_LENGTH(coded.len) > TOKEN_MAX) return ERR_SYNTAX;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, (uint8_t *)scratch, coded.len, coded.ptr) ||
        !base64_decode_final(&ctx))
        return ERR_SYNTAX;
    return slice_split(slice_make(scratch, len), ':', &name, ret) ? 0 : ERR_SYNTAX;
}

int token_read_header(struct slice value, char scratch[TOKEN_MAX], struct slice *ret)
{
    struct slice scheme, rest;
    if (!slice_split(slice_trim(value), ' ', &scheme, &rest)) return ERR_SYNTAX;
    rest = slice_trim(rest);
    if (rest.len == 0 || rest.len > BASE64_ENCODE_RAW_LENGTH(TOKEN_MAX)) return ERR_SYNTAX;
    if (slice_eq_nocase(scheme, SLICE("basic")) || slice_eq_nocase(scheme, SLICE("apikey")))
        return read_base64(rest, scratch, ret);
    if (!slice_eq_nocase(scheme, SLICE("bearer")) && !slice_eq_nocase(scheme, SLICE("splunk")))
        return ERR_SYNTAX;
    if (rest.len > TOKEN_MAX) return ERR_SYNTAX;
    *ret = rest;
    return 0;
}

unsigned token_right_of(struct slice name)
{
    static const char *const names[] = {
#define X(id, text) text,
        TOKEN_RIGHTS(X)
#undef X
    };
    for (unsigned i = 0; i < TOKEN_RIGHT_COUNT; i++)
        if (slice_eq(name, slice_of(names[i]))) return 1u << i;
    return 0;
}
