/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Tokens: what the filters of sealed blocks can be asked for. The rule is part of the stored
 * format; TOKEN_VERSION changes with it.
 *
 * Of a record that begins with { the escapes of JSON strings are decoded first. A *run* is a
 * longest row of word bytes (letters, digits, bytes from 0x80), strong joiners and weak joiners:
 *
 *     strong    . - _ $
 *     weak      : / + % ~ # @
 *
 * Timestamps at its beginning are left out, each when a joiner or the end follows it; what is
 * behind them is the run. A timestamp is one of (d: digit, m: letter)
 *
 *     date      dddd-dd-dd or dddd/dd/dd; a clock may follow behind t, -, : or _
 *     other     dd/mmm/dddd: and a clock
 *     clock     dd:dd:dd; then .d… may follow; then z, +dd:dd, +dddd, -dd:dd or -dddd may
 *
 * Tokens, in lower case (base/utf8.h, folding), are the words of the run; its parts of words and
 * strong joiners; the run; each without the joiners at its ends; and an IPv4 address that stands
 * between words of a part. `user@host-1.example:22` has user, host, example, 22, host-1.example and
 * the whole. A token has 2 to TOKEN_MAX bytes; others are neither kept nor asked for.
 *
 * The hash of a token of n bytes: h = 0x9e3779b97f4a7c15 xor n. For each 16 bytes, the last ones
 * filled with zeros, as two little-endian numbers a and b: h = fold(a xor 0xe7037ed1a0b428db,
 * b xor h). At last h = fold(h xor 0x8ebc6af09c88c6e3, 0xa0761d6478bd642f), or 1 when that is 0.
 * fold(x, y) is the low half of the 128-bit product xor the high half.
 */
#ifndef VAKA_STORE_TOKEN_H
#define VAKA_STORE_TOKEN_H

#include "base/buf.h"

enum {
    TOKEN_VERSION = 1,
    TOKEN_MAX = 128,           /* bytes of a token */
    TOKEN_SET_MAX = 64 * 1024, /* tokens of a set */
    TOKEN_LITERAL_MAX = 32,    /* tokens that are taken of a literal */
};

/*
 * Distinct tokens, and working space; about 1 MiB. Of each token only the *key* is kept, which is
 * all that filters are made of: the upper half of its hash with the lowest bit set. Tokens of the
 * same key are one.
 */
struct token_set;

/* NULL: out of memory. */
struct token_set *token_set_new(void) MUST_USE;
void token_set_free(struct token_set *set);
void token_set_clear(struct token_set *set);
/*
 * Adds the tokens of a record of at most RECORD_MAX bytes. ERR_NOMEM. What is above TOKEN_SET_MAX
 * is not added, and the set is full.
 */
int token_set_add(struct token_set *set, struct slice raw) MUST_USE;
bool token_set_full(const struct token_set *set);
/*
 * Adds what tokens of a value's text `beside` has not. It is no record: no escape in it is decoded,
 * and it has more tokens: also each word of up to three letters of a timestamp, and each IPv4
 * address between words, wherever it stands. So token_of_text() knows them without what stands
 * around. A text above RECORD_MAX makes the set full. ERR_NOMEM.
 */
int token_set_add_value(struct token_set *set, struct slice text,
                        const struct token_set *beside) MUST_USE;
/* The keys, in no order, borrowed until the next call. */
const uint32_t *token_set_keys(struct token_set *set, uint32_t *ret_n);
static inline uint32_t token_key(uint64_t hash)
{
    return (uint32_t)(hash >> 32) | 1;
}

/*
 * Hashes of tokens that every record has which has `literal` in its raw bytes: of the runs that lie
 * whole in it, with a byte before and behind. Returns how many, at most TOKEN_LITERAL_MAX; 0: the
 * filters cannot help. ERR_NOMEM.
 */
int token_of_literal(struct slice literal, uint64_t ret[TOKEN_LITERAL_MAX]) MUST_USE;

/* What is known of an end of a text that stands in a value. */
enum token_end {
    TOKEN_OPEN, /* nothing: a word may go on there */
    TOKEN_WORD, /* no word goes on over it */
    TOKEN_WHOLE /* the value begins or ends there */
};

/*
 * Hashes of tokens that every value has, given to token_set_add_value(), in which `text` stands,
 * whatever its case. Returns how many, at most TOKEN_LITERAL_MAX; 0: nothing can be asked for.
 * ERR_NOMEM.
 */
int token_of_text(struct slice text, enum token_end begin, enum token_end end,
                  uint64_t ret[TOKEN_LITERAL_MAX]) MUST_USE;

#endif
