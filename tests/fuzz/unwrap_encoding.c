/* SPDX-License-Identifier: EUPL-1.2 */
/* The last byte says which encoding the body is said to have. */
#include "unwrapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"gzip", "deflate", "zstd", "identity"};
    if (size == 0) return 0;
    struct container c = {.kind = CONTAINER_NDJSON,
                          .content_encoding = slice_of(names[data[size - 1] % 4])};
    unwrapping_fuzz(c, slice_make(data, size - 1));
    return 0;
}
