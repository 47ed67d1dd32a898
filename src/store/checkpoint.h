/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checkpoints: what the tree of a tenant is at a size, signed. The text is a checkpoint of C2SP
 * tlog-checkpoint in a C2SP signed-note:
 *
 *     origin LF size in decimal LF base64 of the root LF, further lines that are not empty;
 *     an empty line; and for each signature: "— " name " " base64 of { 4 bytes key id, signature }
 * LF
 *
 * Ed25519. A log's own key (type 1) signs the text up to the empty line; a witness's (type 4,
 * C2SP tlog-cosignature) signs "cosignature/v1\ntime T\n" and that text, its signature has the
 * time T (8 bytes, big-endian, seconds) in front. The key id is the beginning of SHA-256(name LF
 * type public key). As text a key is name+hex of the id+base64 of { type, public key }, a secret
 * one PRIVATE+KEY+ and the same with its seed.
 *
 * A log's key that another one took the place of has an end. As text it is followed by
 *
 *     " " size " " seconds since 1970 " " base64 of the root " " base64 of the signature
 *
 * Size and root are of the tree that it signed last. The signature is its own over the lines
 *
 *     name "/key-end" · size · base64 of the root · seconds since 1970
 *
 * What it signs of a larger tree, or with another root of that size, is not believed.
 *
 * The signature of a key on this machine proves nothing against who may read that key: only
 * cosignatures of others do.
 */
#ifndef VAKA_STORE_CHECKPOINT_H
#define VAKA_STORE_CHECKPOINT_H

#include "base/buf.h"
#include "store/io.h"
#include "store/sha256.h"

enum {
    CHECKPOINT_MAX = 64 * 1024, /* bytes of a note */
    CHECKPOINT_SIGNATURES = 64, /* of a note */
    CHECKPOINT_NAME_MAX = 128,  /* bytes of an origin or of the name of a key */
    CHECKPOINT_KEY_TEXT = 512,  /* bytes of a key as text, at most */
    CHECKPOINT_SEED = 32,
};

enum checkpoint_key_type { CHECKPOINT_LOG = 1, CHECKPOINT_WITNESS = 4 };

struct checkpoint_end {
    uint64_t size, time; /* seconds since 1970 */
    struct sha256 root;
    uint8_t signature[64];
};

struct checkpoint_key {
    char name[CHECKPOINT_NAME_MAX + 1];
    uint8_t type; /* enum checkpoint_key_type */
    uint8_t id[4];
    uint8_t public[32];
    bool ended;
    struct checkpoint_end end;
};

struct checkpoint_signer {
    struct checkpoint_key key;
    uint8_t secret[64];
};

/* A note that has the form of a checkpoint; borrows from its text. */
struct checkpoint {
    struct slice origin, body, signatures; /* body: what is signed */
    uint64_t size;
    struct sha256 root;
};

/* ERR_SYNTAX, ERR_LIMIT. No signature is looked at. */
int checkpoint_parse(struct slice text, struct checkpoint *ret) MUST_USE;
/*
 * Whether `key` has signed it: 0; ERR_NOT_FOUND: it has not; ERR_CORRUPT: a signature with its name
 * and id is wrong; ERR_INVALID: it is right, but the key had ended; ERR_NOMEM. *ret_time: seconds,
 * of a witness; 0 of a log. May be NULL.
 */
int checkpoint_verify(const struct checkpoint *c, const struct checkpoint_key *key,
                      uint64_t *ret_time) MUST_USE;

/* From base64, the only form of it; false when it is none. */
bool checkpoint_read_hash(struct slice text, struct sha256 *ret);
/* Appends the hash as base64. */
void checkpoint_write_hash(struct buf *out, const struct sha256 *hash);
/* Appends the text up to the empty line, and this. */
void checkpoint_write(struct buf *out, struct slice origin, uint64_t size,
                      const struct sha256 *root);
/* Appends the line of a signature over `body`. `time` in seconds, for a witness. */
void checkpoint_sign(struct buf *out, struct slice body, const struct checkpoint_signer *signer,
                     uint64_t time);

/* Of 32 random bytes. ERR_INVALID: the name is empty, too long or has blanks, + or control bytes.
 */
int checkpoint_signer_init(struct checkpoint_signer *ret, struct slice name,
                           enum checkpoint_key_type type,
                           const uint8_t seed[CHECKPOINT_SEED]) MUST_USE;
void checkpoint_signer_write(struct buf *out, const struct checkpoint_signer *signer);
/* Overwrites the secret. */
void checkpoint_signer_done(struct checkpoint_signer *signer);
/*
 * The key in an open file, which must be a regular one of this user that no other may read
 * (ERR_ACCESS). ERR_IO, ERR_SYNTAX.
 */
int checkpoint_signer_read(int fd, struct checkpoint_signer *ret) MUST_USE;
/* The same of its text. ERR_SYNTAX. */
int checkpoint_signer_parse(struct slice text, struct checkpoint_signer *ret) MUST_USE;
/* The key's end, at what `last` is, signed by itself. `time` in seconds. */
void checkpoint_key_end(struct checkpoint_key *key, const struct checkpoint_signer *signer,
                        const struct checkpoint *last, uint64_t time);
void checkpoint_key_write(struct buf *out, const struct checkpoint_key *key);
/* ERR_SYNTAX, also when an end is not signed with the key. */
int checkpoint_key_read(struct slice text, struct checkpoint_key *ret) MUST_USE;

/*
 * Beside what follows there may be a file `witnessed`: the newest that a witness has signed.
 * Makes it the newest: file `checkpoint`, replaced as a whole; durable when 0 is returned. keep: it
 * also stays as checkpoint-N, N being its size in 20 digits. The table's errors.
 */
int checkpoint_store(const struct store_io *io, struct slice text, uint64_t size,
                     bool keep) MUST_USE;

#endif
