/* SPDX-License-Identifier: EUPL-1.2 */
/* Values for `%name%`, looked up while rules are interpreted. Made by placeholders_*() of rule.h.
 */
#ifndef VAKA_DETECT_SIGMA_PLACEHOLDER_H
#define VAKA_DETECT_SIGMA_PLACEHOLDER_H

#include "detect/sigma/rule.h"

enum {
    PLACEHOLDERS_MAX = 4096,
    PLACEHOLDER_BYTES_MAX = 16 * 1024 * 1024, /* all names and values */
};

struct placeholder {
    struct slice name;
    const struct slice *values;
    uint32_t n_values;
};

/* NULL when unknown; p may be NULL. Names are compared as they are written. */
const struct placeholder *placeholders_find(const struct placeholders *p, struct slice name);

#endif
