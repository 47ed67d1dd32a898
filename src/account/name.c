/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/name.h"

bool name_read(struct slice text, char ret[static ACCOUNT_NAME_MAX + 1])
{
    if (!slice_is_plain(text, "._-@") || !slice_copy(text, ret, ACCOUNT_NAME_MAX + 1)) return false;
    for (char *c = ret; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c | 0x20);
    return true;
}
