/* SPDX-License-Identifier: EUPL-1.2 */
/* Whether a rule could ever fire, by what the taxonomy knows of logs. */
#ifndef VAKA_RULESET_VERDICT_H
#define VAKA_RULESET_VERDICT_H

#include "detect/engine.h"

struct ruleset_verdict {
    bool can_fire;
    const char *why; /* when it cannot */
    struct slice field;
};

/* Whether any log source that the taxonomy knows is one the rule asks for, with its fields. */
struct ruleset_verdict ruleset_judge(const struct taxonomy *taxonomy,
                                     const struct sigma_rule *rule);

#endif
