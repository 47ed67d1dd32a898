/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/container.h"

const char *container_kind_name(unsigned kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        CONTAINER_KINDS(X)
#undef X
    };
    return kind < CONTAINER_KIND_COUNT ? names[kind] : "unknown";
}
