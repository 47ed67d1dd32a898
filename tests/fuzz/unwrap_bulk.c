/* SPDX-License-Identifier: EUPL-1.2 */
/* The last byte says whether it is _bulk or NDJSON. */
#include "unwrapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct container c = {.kind = data[size - 1] % 2 ? CONTAINER_NDJSON : CONTAINER_BULK};
    unwrapping_fuzz(c, slice_make(data, size - 1));
    return 0;
}
