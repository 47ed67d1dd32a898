/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/note.h"

#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <nettle/sha2.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { LOG = 1, WITNESS = 4, ID = 4, TIME = 8, BLOB_MAX = 96 };

/* `len` bytes exactly; what encodes to the same text again. */
static bool decode(struct slice text, uint8_t *to, size_t len)
{
    struct base64_decode_ctx ctx;
    uint8_t bytes[BLOB_MAX + 3];
    char again[BASE64_ENCODE_RAW_LENGTH(BLOB_MAX)];
    size_t n = sizeof bytes;
    ASSERT(len <= BLOB_MAX);
    if (text.len != BASE64_ENCODE_RAW_LENGTH(len)) return false;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, bytes, text.len, text.ptr) || n != len ||
        !base64_decode_final(&ctx))
        return false;
    base64_encode_raw(again, len, bytes);
    if (!slice_eq(slice_make(again, text.len), text)) return false;
    memcpy(to, bytes, len);
    return true;
}

bool verify_hash_read(struct slice text, struct verify_hash *ret)
{
    return decode(text, ret->bytes, sizeof ret->bytes);
}

static bool is_hex(struct slice text, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    if (text.len != 2 * n) return false;
    for (size_t i = 0; i < n; i++)
        if (text.ptr[2 * i] != digits[bytes[i] >> 4] ||
            text.ptr[2 * i + 1] != digits[bytes[i] & 15])
            return false;
    return true;
}

/* SIZE TIME ROOT SIGNATURE: the signature is over lines that say the same. */
static bool read_end(struct slice text, struct verify_key *key)
{
    struct slice size, time, root, signature;
    uint8_t bytes[ED25519_SIGNATURE_SIZE];
    struct buf lines;
    if (key->type != LOG || !slice_split(text, ' ', &size, &text) ||
        !slice_split(text, ' ', &time, &text) || !slice_split(text, ' ', &root, &signature) ||
        !slice_to_u64(size, &key->end_size) || !slice_to_u64(time, &key->end_time) ||
        !decode(root, key->end_root.bytes, VERIFY_HASH) || !decode(signature, bytes, sizeof bytes))
        return false;
    buf_init(&lines, VERIFY_NOTE_MAX);
    buf_printf(&lines, "%.*s/key-end\n%.*s\n%.*s\n%.*s\n", SLICE_FMT(key->name), SLICE_FMT(size),
               SLICE_FMT(root), SLICE_FMT(time));
    key->ended = !buf_failed(&lines) &&
                 ed25519_sha512_verify(key->public, lines.len, (const uint8_t *)lines.ptr, bytes);
    buf_done(&lines);
    return key->ended;
}

int verify_key_read(struct slice text, struct verify_key *ret)
{
    struct slice name, id, blob, end;
    struct sha256_ctx sha;
    uint8_t bytes[33], digest[SHA256_DIGEST_SIZE];
    bool ended = slice_split(slice_trim(text), ' ', &text, &end);
    if (!slice_split(text, '+', &name, &text) || !slice_split(text, '+', &id, &blob) ||
        name.len == 0 || !decode(blob, bytes, sizeof bytes) ||
        (bytes[0] != LOG && bytes[0] != WITNESS))
        return ERR_SYNTAX;
    sha256_init(&sha);
    sha256_update(&sha, name.len, (const uint8_t *)name.ptr);
    sha256_update(&sha, 1, (const uint8_t *)"\n");
    sha256_update(&sha, sizeof bytes, bytes);
    sha256_digest(&sha, sizeof digest, digest);
    if (!is_hex(id, digest, ID)) return ERR_SYNTAX;
    ret->name = name;
    ret->type = bytes[0];
    memcpy(ret->id, digest, ID);
    memcpy(ret->public, bytes + 1, sizeof ret->public);
    ret->ended = false;
    return !ended || read_end(end, ret) ? 0 : ERR_SYNTAX;
}

int verify_note_read(struct slice text, struct verify_note *ret)
{
    struct slice rest, size, root;
    size_t end = slice_find(text, SLICE("\n\n"));
    if (text.len > VERIFY_NOTE_MAX || end == SIZE_MAX || !utf8_valid(text)) return ERR_SYNTAX;
    ret->body = slice_until(text, end + 1);
    ret->signatures = slice_from(text, end + 2);
    if (ret->signatures.len == 0 || ret->signatures.ptr[ret->signatures.len - 1] != '\n')
        return ERR_SYNTAX;
    if (!slice_split(ret->body, '\n', &ret->origin, &rest) ||
        !slice_split(rest, '\n', &size, &rest) || !slice_split(rest, '\n', &root, &rest) ||
        ret->origin.len == 0 || !slice_to_u64(size, &ret->size) ||
        (size.len > 1 && size.ptr[0] == '0') || !decode(root, ret->root.bytes, VERIFY_HASH))
        return ERR_SYNTAX;
    return 0;
}

/* 0, ERR_CORRUPT or ERR_NOMEM. */
static int check_signature(const struct verify_note *note, const struct verify_key *key,
                           const uint8_t *blob)
{
    struct buf message;
    uint64_t time = 0;
    buf_init(&message, VERIFY_NOTE_MAX + 64);
    if (key->type == WITNESS) {
        for (int i = 0; i < TIME; i++) time = time << 8 | *blob++;
        buf_printf(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    }
    buf_put(&message, note->body);
    int error = buf_error(&message);
    if (error == 0 &&
        !ed25519_sha512_verify(key->public, message.len, (const uint8_t *)message.ptr, blob))
        error = ERR_CORRUPT;
    buf_done(&message);
    return error;
}

int verify_note_check(const struct verify_note *note, const struct verify_key *key)
{
    struct slice rest = note->signatures, line, name, text;
    size_t len = ID + ED25519_SIGNATURE_SIZE + (key->type == WITNESS ? TIME : 0);
    while (slice_split(rest, '\n', &line, &rest)) {
        uint8_t blob[BLOB_MAX];
        if (!slice_starts_with(line, SLICE("\xe2\x80\x94 ")) ||
            !slice_split(slice_from(line, 4), ' ', &name, &text) || !slice_eq(name, key->name) ||
            !decode(text, blob, len) || memcmp(blob, key->id, ID) != 0)
            continue;
        return check_signature(note, key, blob + ID);
    }
    return ERR_NOT_FOUND;
}
