/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/checkpoint.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"

#define DASH    "\xe2\x80\x94 "
#define SECRET  "PRIVATE+KEY+"
#define KEY_END "/key-end"

enum {
    ID = 4,
    TIME = 8,
    SIGNATURE = crypto_sign_BYTES,
    BLOB_MAX = ID + TIME + SIGNATURE,
    END_MAX = 512,      /* of what the signature of an end is over */
    COSIGNED_HEAD = 64, /* at least what stands before a cosigned body */
};

/* ---- pieces ------------------------------------------------------------------------------ */

static bool name_valid(struct slice name)
{
    if (name.len == 0 || name.len > CHECKPOINT_NAME_MAX || !utf8_valid(name)) return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '+') return false;
    }
    return true;
}

static void put_base64(struct buf *out, const void *bytes, size_t len)
{
    size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
    char *to = buf_reserve(out, room);
    if (!to) return;
    (void)sodium_bin2base64(to, room, bytes, len, sodium_base64_VARIANT_ORIGINAL);
    out->len += room - 1;
}

/* Exactly `len` bytes. sodium takes some bytes above 0x7f for digits: what it read is written
 * again. */
static bool read_base64(struct slice text, void *to, size_t len)
{
    size_t got;
    const char *end;
    char again[sodium_base64_ENCODED_LEN(BLOB_MAX, sodium_base64_VARIANT_ORIGINAL)];
    ASSERT(len <= BLOB_MAX);
    if (sodium_base642bin(to, len, text.ptr, text.len, NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != len || end != text.ptr + text.len)
        return false;
    (void)sodium_bin2base64(again, sizeof again, to, len, sodium_base64_VARIANT_ORIGINAL);
    return slice_eq(slice_of(again), text);
}

static void set_id(struct checkpoint_key *key)
{
    struct sha256 hash;
    char tail[2 + sizeof key->public] = {'\n', (char)key->type};
    memcpy(tail + 2, key->public, sizeof key->public);
    sha256_many(&(struct sha256_message){slice_of(key->name), slice_make(tail, sizeof tail)}, 1,
                &hash);
    memcpy(key->id, hash.bytes, ID);
}

/* ---- checkpoints ------------------------------------------------------------------------- */

/* Takes a line without its LF. */
static bool take_line(struct slice *rest, struct slice *ret)
{
    size_t end = slice_find_byte(*rest, '\n');
    if (end == SIZE_MAX) return false;
    *ret = slice_until(*rest, end);
    *rest = slice_from(*rest, end + 1);
    return true;
}

static bool text_valid(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n') return false;
    return utf8_valid(text);
}

static bool signatures_valid(struct slice rest)
{
    struct slice line, name, blob;
    unsigned n = 0;
    while (rest.len > 0) {
        if (!take_line(&rest, &line) || ++n > CHECKPOINT_SIGNATURES ||
            !slice_starts_with(line, SLICE(DASH)) ||
            !slice_split(slice_from(line, strlen(DASH)), ' ', &name, &blob) || !name_valid(name) ||
            blob.len == 0)
            return false;
    }
    return n > 0;
}

int checkpoint_parse(struct slice text, struct checkpoint *ret)
{
    struct checkpoint c;
    struct slice size, root, line;
    if (text.len > CHECKPOINT_MAX) return ERR_LIMIT;
    size_t end = slice_find(text, SLICE("\n\n"));
    if (end == SIZE_MAX || !text_valid(text)) return ERR_SYNTAX;
    c.body = slice_until(text, end + 1);
    c.signatures = slice_from(text, end + 2);
    struct slice rest = c.body;
    if (!take_line(&rest, &c.origin) || !take_line(&rest, &size) || !take_line(&rest, &root))
        return ERR_SYNTAX;
    while (take_line(&rest, &line))
        if (line.len == 0) return ERR_SYNTAX;
    if (c.origin.len == 0 || c.origin.len > CHECKPOINT_NAME_MAX || !slice_to_u64(size, &c.size) ||
        (size.len > 1 && size.ptr[0] == '0') || !read_base64(root, &c.root, sizeof c.root) ||
        !signatures_valid(c.signatures))
        return ERR_SYNTAX;
    *ret = c;
    return 0;
}

/* What a witness signs. */
static void put_cosigned(struct buf *out, struct slice body, uint64_t time)
{
    buf_printf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    buf_put(out, body);
}

/* 0, ERR_CORRUPT or ERR_NOMEM. */
static int check_signature(const struct checkpoint *c, const struct checkpoint_key *key,
                           const uint8_t *blob, uint64_t *ret_time)
{
    if (key->type == CHECKPOINT_LOG) {
        *ret_time = 0;
        return crypto_sign_verify_detached(blob, (const unsigned char *)c->body.ptr, c->body.len,
                                           key->public) == 0
                   ? 0
                   : ERR_CORRUPT;
    }
    struct buf message;
    uint64_t time = 0;
    for (int i = 0; i < TIME; i++) time = time << 8 | blob[i];
    buf_init(&message, CHECKPOINT_MAX + COSIGNED_HEAD);
    put_cosigned(&message, c->body, time);
    int error = buf_error(&message);
    if (error == 0 && crypto_sign_verify_detached(blob + TIME, (const unsigned char *)message.ptr,
                                                  message.len, key->public) != 0)
        error = ERR_CORRUPT;
    buf_done(&message);
    *ret_time = time;
    return error;
}

static bool had_ended(const struct checkpoint_key *key, const struct checkpoint *c)
{
    return key->ended && (c->size > key->end.size ||
                          (c->size == key->end.size && !sha256_eq(&c->root, &key->end.root)));
}

int checkpoint_verify(const struct checkpoint *c, const struct checkpoint_key *key,
                      uint64_t *ret_time)
{
    struct slice rest = c->signatures, line, name, text;
    size_t len = ID + SIGNATURE + (key->type == CHECKPOINT_WITNESS ? TIME : 0);
    while (take_line(&rest, &line)) {
        uint8_t blob[BLOB_MAX];
        uint64_t time;
        (void)slice_split(slice_from(line, strlen(DASH)), ' ', &name, &text);
        if (!slice_eq(name, slice_of(key->name)) || !read_base64(text, blob, len) ||
            memcmp(blob, key->id, ID) != 0)
            continue;
        int error = check_signature(c, key, blob + ID, &time);
        if (error == 0 && had_ended(key, c)) error = ERR_INVALID;
        if (error == 0 && ret_time) *ret_time = time;
        return error;
    }
    return ERR_NOT_FOUND;
}

bool checkpoint_read_hash(struct slice text, struct sha256 *ret)
{
    return read_base64(text, ret, sizeof *ret);
}

void checkpoint_write_hash(struct buf *out, const struct sha256 *hash)
{
    put_base64(out, hash, sizeof *hash);
}

void checkpoint_write(struct buf *out, struct slice origin, uint64_t size,
                      const struct sha256 *root)
{
    ASSERT(origin.len > 0 && origin.len <= CHECKPOINT_NAME_MAX);
    buf_put(out, origin);
    buf_printf(out, "\n%llu\n", (unsigned long long)size);
    checkpoint_write_hash(out, root);
    buf_puts(out, "\n\n");
}

void checkpoint_sign(struct buf *out, struct slice body, const struct checkpoint_signer *signer,
                     uint64_t time)
{
    uint8_t blob[BLOB_MAX];
    size_t n = ID;
    struct buf message;
    buf_init(&message, CHECKPOINT_MAX + COSIGNED_HEAD);
    memcpy(blob, signer->key.id, ID);
    if (signer->key.type == CHECKPOINT_WITNESS) {
        for (int i = 0; i < TIME; i++) blob[n++] = (uint8_t)(time >> (56 - 8 * i));
        put_cosigned(&message, body, time);
    } else {
        buf_put(&message, body);
    }
    if (buf_failed(&message)) {
        out->failed = true;
        out->no_memory = message.no_memory;
    } else {
        (void)crypto_sign_detached(blob + n, NULL, (const unsigned char *)message.ptr, message.len,
                                   signer->secret);
        buf_printf(out, DASH "%s ", signer->key.name);
        put_base64(out, blob, n + SIGNATURE);
        buf_putc(out, '\n');
    }
    buf_done(&message);
}

/* ---- keys -------------------------------------------------------------------------------- */

int checkpoint_signer_init(struct checkpoint_signer *ret, struct slice name,
                           enum checkpoint_key_type type, const uint8_t seed[CHECKPOINT_SEED])
{
    if (!name_valid(name)) return ERR_INVALID;
    memset(ret, 0, sizeof *ret);
    memcpy(ret->key.name, name.ptr, name.len);
    ret->key.type = (uint8_t)type;
    (void)crypto_sign_seed_keypair(ret->key.public, ret->secret, seed);
    set_id(&ret->key);
    return 0;
}

void checkpoint_signer_done(struct checkpoint_signer *signer)
{
    sodium_memzero(signer, sizeof *signer);
}

static void put_key(struct buf *out, const struct checkpoint_key *key, const uint8_t bytes[32])
{
    uint8_t blob[33] = {key->type};
    memcpy(blob + 1, bytes, 32);
    buf_printf(out, "%s+%02x%02x%02x%02x+", key->name, key->id[0], key->id[1], key->id[2],
               key->id[3]);
    put_base64(out, blob, sizeof blob);
    sodium_memzero(blob, sizeof blob);
}

/* What the signature of an end is over. */
static void put_end(struct buf *out, const struct checkpoint_key *key)
{
    buf_printf(out, "%s" KEY_END "\n%llu\n", key->name, (unsigned long long)key->end.size);
    checkpoint_write_hash(out, &key->end.root);
    buf_printf(out, "\n%llu\n", (unsigned long long)key->end.time);
}

void checkpoint_key_end(struct checkpoint_key *key, const struct checkpoint_signer *signer,
                        const struct checkpoint *last, uint64_t time)
{
    struct buf text;
    ASSERT(key->type == CHECKPOINT_LOG && memcmp(key->id, signer->key.id, ID) == 0);
    key->ended = true;
    key->end = (struct checkpoint_end){.size = last->size, .root = last->root, .time = time};
    buf_init(&text, END_MAX);
    put_end(&text, key);
    ASSERT(!buf_failed(&text));
    (void)crypto_sign_detached(key->end.signature, NULL, (const unsigned char *)text.ptr, text.len,
                               signer->secret);
    buf_done(&text);
}

void checkpoint_key_write(struct buf *out, const struct checkpoint_key *key)
{
    put_key(out, key, key->public);
    if (!key->ended) return;
    buf_printf(out, " %llu %llu ", (unsigned long long)key->end.size,
               (unsigned long long)key->end.time);
    checkpoint_write_hash(out, &key->end.root);
    buf_putc(out, ' ');
    put_base64(out, key->end.signature, SIGNATURE);
}

/* A number in its only form. */
static bool read_number(struct slice text, uint64_t *ret)
{
    return slice_to_u64(text, ret) && (text.len == 1 || text.ptr[0] != '0');
}

static bool read_end(struct slice text, struct checkpoint_key *key)
{
    struct slice size, time, root;
    struct buf signed_text;
    if (key->type != CHECKPOINT_LOG || !slice_split(text, ' ', &size, &text) ||
        !slice_split(text, ' ', &time, &text) || !slice_split(text, ' ', &root, &text) ||
        !read_number(size, &key->end.size) || !read_number(time, &key->end.time) ||
        !checkpoint_read_hash(root, &key->end.root) ||
        !read_base64(text, key->end.signature, SIGNATURE))
        return false;
    key->ended = true;
    buf_init(&signed_text, END_MAX);
    put_end(&signed_text, key);
    bool right =
        !buf_failed(&signed_text) &&
        crypto_sign_verify_detached(key->end.signature, (const unsigned char *)signed_text.ptr,
                                    signed_text.len, key->public) == 0;
    buf_done(&signed_text);
    return right;
}

void checkpoint_signer_write(struct buf *out, const struct checkpoint_signer *signer)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    (void)crypto_sign_ed25519_sk_to_seed(seed, signer->secret);
    buf_puts(out, SECRET);
    put_key(out, &signer->key, seed);
    sodium_memzero(seed, sizeof seed);
}

/* name+id+base64 of { type, 32 bytes }; the id is read, not checked. */
static int read_key(struct slice text, struct checkpoint_key *ret, uint8_t bytes[32])
{
    struct slice name, id, blob;
    uint8_t raw[33];
    char again[2 * ID + 1];
    size_t id_len;
    if (!slice_split(text, '+', &name, &text) || !slice_split(text, '+', &id, &blob) ||
        !name_valid(name) || id.len != 2 * (size_t)ID || !read_base64(blob, raw, sizeof raw))
        return ERR_SYNTAX;
    if (raw[0] != CHECKPOINT_LOG && raw[0] != CHECKPOINT_WITNESS) return ERR_SYNTAX;
    memset(ret, 0, sizeof *ret);
    if (sodium_hex2bin(ret->id, ID, id.ptr, id.len, NULL, &id_len, NULL) != 0 || id_len != ID)
        return ERR_SYNTAX;
    /* Upper case is another text. */
    if (!slice_eq(slice_of(sodium_bin2hex(again, sizeof again, ret->id, ID)), id))
        return ERR_SYNTAX;
    memcpy(ret->name, name.ptr, name.len);
    ret->type = raw[0];
    memcpy(bytes, raw + 1, 32);
    sodium_memzero(raw, sizeof raw);
    return 0;
}

int checkpoint_key_read(struct slice text, struct checkpoint_key *ret)
{
    struct checkpoint_key key;
    struct slice end;
    uint8_t id[ID], bytes[32];
    bool ended = slice_split(text, ' ', &text, &end);
    int error = read_key(text, &key, bytes);
    if (error) return error;
    memcpy(key.public, bytes, sizeof key.public);
    memcpy(id, key.id, ID);
    set_id(&key);
    if (memcmp(id, key.id, ID) != 0 || (ended && !read_end(end, &key))) return ERR_SYNTAX;
    *ret = key;
    return 0;
}

int checkpoint_signer_parse(struct slice text, struct checkpoint_signer *ret)
{
    struct checkpoint_key key;
    uint8_t seed[CHECKPOINT_SEED];
    if (!slice_starts_with(text, SLICE(SECRET))) return ERR_SYNTAX;
    int error = read_key(slice_from(text, strlen(SECRET)), &key, seed);
    if (error) return error;
    error = checkpoint_signer_init(ret, slice_of(key.name), key.type, seed);
    sodium_memzero(seed, sizeof seed);
    if (error == 0 && memcmp(key.id, ret->key.id, ID) != 0) error = ERR_SYNTAX;
    return error;
}

int checkpoint_signer_read(int fd, struct checkpoint_signer *ret)
{
    struct stat st;
    char text[2 * CHECKPOINT_KEY_TEXT];
    if (fstat(fd, &st) != 0) return ERR_IO;
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)) return ERR_ACCESS;
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n < 0) return ERR_IO;
    int error = checkpoint_signer_parse(slice_trim(slice_make(text, (size_t)n)), ret);
    sodium_memzero(text, sizeof text);
    return error;
}

/* ---- files ------------------------------------------------------------------------------- */

int checkpoint_store(const struct store_io *io, struct slice text, uint64_t size, bool keep)
{
    char name[STORE_NAME_MAX + 1];
    (void)snprintf(name, sizeof name, "checkpoint-%020llu", (unsigned long long)size);
    int error = keep ? store_io_replace(io, name, text) : 0;
    return error ? error : store_io_replace(io, "checkpoint", text);
}
