/* SPDX-License-Identifier: EUPL-1.2 */
/* The rules in force, as they are told: written once, for they change with the process. */
#ifndef VAKA_WEB_RULES_H
#define VAKA_WEB_RULES_H

#include "base/buf.h"

struct sigma_set;

struct api_rule {
    size_t at, len;       /* one object, of the text */
    size_t id_at, id_len; /* what alerts call it, of the names */
    unsigned level;       /* enum sigma_level */
};

struct api_rules {
    struct buf text, names;
    struct api_rule *rows; /* in the order of the set: rules, then correlations */
    uint32_t n;
};

/* The set is not needed any more. ERR_NOMEM, ERR_LIMIT: more than 64 MiB of text. */
int api_rules_init(struct api_rules *r, const struct sigma_set *set) MUST_USE;
void api_rules_done(struct api_rules *r);
/* NULL: there is none that is called so. */
const struct api_rule *api_rules_find(const struct api_rules *r, struct slice id);
struct slice api_rules_text(const struct api_rules *r, const struct api_rule *row);

#endif
