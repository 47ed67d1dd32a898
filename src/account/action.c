/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/action.h"

static const struct {
    const char *name;
    unsigned right;
    const char *members;
} actions[ACTION_COUNT] = {
#define X(id, name, right, members) [ACTION_##id] = {name, RIGHT_##right, members},
    ACCOUNT_ACTIONS(X)
#undef X
};

const char *action_name(enum account_action action)
{
    return actions[action].name;
}

unsigned action_right(enum account_action action)
{
    return actions[action].right;
}

const char *action_members(enum account_action action)
{
    return actions[action].members;
}

enum account_action action_find(struct slice name)
{
    unsigned at = 0;
    while (at < ACTION_COUNT && !slice_eq(slice_of(actions[at].name), name)) at++;
    return at;
}
