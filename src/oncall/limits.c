/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/config.h"
#include "oncall/oncall.h"

void oncall_limits_read(const struct config *c, struct oncall_limits *ret)
{
    *ret = (struct oncall_limits){.per_person = (uint32_t)c->oncall_per_person,
                                  .per_channel = (uint32_t)c->oncall_per_channel,
                                  .within = c->oncall_within,
                                  .bundle = c->oncall_bundle,
                                  .more_after = c->oncall_more_after,
                                  .loud_again = c->oncall_loud_again,
                                  .code_lives = c->oncall_code_lives,
                                  .wrong_codes = (uint32_t)c->oncall_wrong_codes,
                                  .disturbed = c->oncall_disturbed};
}
