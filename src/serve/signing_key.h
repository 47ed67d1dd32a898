/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Keys that sign, as files of a folder: STEM.key, which only its owner may read, and STEM.pub,
 * which has its public key and behind it those of the keys it took the place of, a line each, with
 * their ends (store/checkpoint.h). With keys.seal what stands in STEM.key is sealed under a key
 * that lies elsewhere (account/strongbox.h).
 */
#ifndef VAKA_SERVE_SIGNING_KEY_H
#define VAKA_SERVE_SIGNING_KEY_H

#include "account/strongbox.h"
#include "config/config.h"
#include "store/checkpoint.h"

/* What the setting says, else the machine's name with `tail` behind it, in `space`. */
struct slice signing_key_name(const struct config_list *setting, const char *tail, char *space,
                              size_t size);

struct signing_seal {
    bool on;
    struct strongbox_key key;
};
/* As keys.seal says; errors of strongbox_read(). */
int signing_seal_read(const struct config *config, struct signing_seal *ret,
                      struct diag *diag) MUST_USE;

/*
 * Reads the key, and makes folder and key when they are not there; one that is not sealed and
 * should be is, durably, and what it was is overwritten. ERR_ACCESS: it cannot be read, others than
 * its owner may, or it was sealed with another key than that of `seal`; ERR_SYNTAX, ERR_INVALID: it
 * is none of that type, or `name` is no name; diag tells.
 */
int signing_key_open(const char *folder, const char *stem, enum checkpoint_key_type type,
                     struct slice name, const struct signing_seal *seal,
                     struct checkpoint_signer *ret, struct diag *diag) MUST_USE;
enum { SIGNING_KEYS_MAX = 64 };
/* The public keys of a file; *ret_n of at most `max`. ERR_SYNTAX, ERR_INVALID, ERR_LIMIT, and as of
 * file_read(). */
int signing_key_read_public(const char *path, enum checkpoint_key_type type,
                            struct checkpoint_key *ret, size_t max, size_t *ret_n,
                            struct diag *diag) MUST_USE;

/*
 * Another key takes the place of that of a log, while the folder is locked (flock). `introduce`
 * makes known what both have signed, and gives the old key its end; its error ends it, and nothing
 * has changed. The old key is overwritten. Whoever signs reads it again. What a crash leaves half
 * done is brought to its end by the next signing_key_open() or this.
 */
int signing_key_rotate(const char *folder, const char *stem, const struct signing_seal *seal,
                       int (*introduce)(void *ctx, const struct checkpoint_signer *old,
                                        const struct checkpoint_signer *fresh,
                                        struct checkpoint_key *ret_ended, struct diag *diag),
                       void *ctx, struct diag *diag) MUST_USE;

#endif
