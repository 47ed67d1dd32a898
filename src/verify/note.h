/* SPDX-License-Identifier: EUPL-1.2 */
/* Signed checkpoints as C2SP signed-note, tlog-checkpoint and tlog-cosignature define them. */
#ifndef VAKA_VERIFY_NOTE_H
#define VAKA_VERIFY_NOTE_H

#include "base/error.h"
#include "verify/tree.h"

enum { VERIFY_NOTE_MAX = 64 * 1024 };

struct verify_key {
    struct slice name; /* borrows from the text */
    uint8_t type;      /* 1: a log's, 4: a witness's */
    uint8_t id[4];
    uint8_t public[32];
    bool ended; /* it was replaced: what it signed last, which it has signed as well */
    uint64_t end_size, end_time; /* seconds since 1970 */
    struct verify_hash end_root;
};

/* A key as text, name+id+base64, and its end (store/checkpoint.h). ERR_SYNTAX. */
int verify_key_read(struct slice text, struct verify_key *ret) MUST_USE;

/* Borrows from its text. */
struct verify_note {
    struct slice origin, body, signatures;
    uint64_t size;
    struct verify_hash root;
};

/* ERR_SYNTAX. */
int verify_note_read(struct slice text, struct verify_note *ret) MUST_USE;
/* From base64; false when it is none. */
bool verify_hash_read(struct slice text, struct verify_hash *ret);
/* Whether it has signed the body: 0; ERR_NOT_FOUND: it has not; ERR_CORRUPT: its signature is
 * wrong; ERR_NOMEM. That it had ended then is not looked at. */
int verify_note_check(const struct verify_note *note, const struct verify_key *key) MUST_USE;

/* Whether what the key signs of a tree of `size` is not to be believed. */
static inline bool verify_key_had_ended(const struct verify_key *key, uint64_t size)
{
    return key->ended && size > key->end_size;
}

#endif
