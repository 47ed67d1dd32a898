/* SPDX-License-Identifier: EUPL-1.2 */
/* Headers of requests to the API. */
#include "target.h"
#include "web/header.h"

static bool is_inside(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice in = slice_make(data, size);
    struct slice found;
    uint64_t version;
    if (header_cookie(in, SLICE(API_COOKIE), &found)) HOLDS(is_inside(found, in));
    if (header_bearer(in, &found)) HOLDS(is_inside(found, in));
    if (header_version(in, &version)) HOLDS(size >= 3);
    HOLDS(!header_has_tag(in, SLICE("\"x\"")) || size >= 1);
    HOLDS(!header_is_json(in) || size >= 16);
    HOLDS(!header_is_own(in, SLICE("a")) || size == 9);
    return 0;
}
