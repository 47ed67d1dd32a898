/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/credential.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES_MAX = 255 };

bool credential_is(struct slice text)
{
    return slice_starts_with(text, SLICE(CREDENTIAL_MARK));
}

int credential_path(struct slice text, char *ret, size_t size)
{
    struct slice name = slice_from(text, sizeof CREDENTIAL_MARK - 1);
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (name.len == 0 || name.len > NAME_BYTES_MAX || name.ptr[0] == '.' ||
        !slice_is_plain(name, "._-"))
        return ERR_INVALID;
    if (!folder || folder[0] != '/') folder = CREDENTIAL_FOLDER;
    int n = snprintf(ret, size, "%s/%.*s", folder, SLICE_FMT(name));
    return n > 0 && (size_t)n < size ? 0 : ERR_LIMIT;
}
