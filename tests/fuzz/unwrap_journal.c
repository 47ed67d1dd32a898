/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unwrapping_fuzz((struct container){.kind = UNWRAP_JOURNAL}, slice_make(data, size));
    return 0;
}
