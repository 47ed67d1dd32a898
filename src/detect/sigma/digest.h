/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a rule means, as a hash: its id, its log source and its tree with placeholders and filters
 * in place. A title, a level or a comment changes nothing; what makes it hold for other events
 * does.
 */
#ifndef VAKA_DETECT_SIGMA_DIGEST_H
#define VAKA_DETECT_SIGMA_DIGEST_H

#include "base/buf.h"
#include "detect/sigma/set.h"

enum { SIGMA_DIGEST_SIZE = 16 };

struct sigma_digest {
    uint8_t bytes[SIGMA_DIGEST_SIZE];
};

void sigma_digest_rule(const struct sigma_rule *rule, struct sigma_digest *ret);
/* With what it refers to in the set. */
void sigma_digest_correlation(const struct sigma_set *set, const struct sigma_corr_rule *rule,
                              struct sigma_digest *ret);
/* As digits. */
void sigma_digest_write(struct buf *out, const struct sigma_digest *digest);

#endif
