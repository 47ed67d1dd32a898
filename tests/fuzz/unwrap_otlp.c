/* SPDX-License-Identifier: EUPL-1.2 */
/* JSON when it begins like that, else protobuf. */
#include "unwrapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool json = size > 0 && data[0] == '{';
    struct container c = {.kind = CONTAINER_OTLP_LOGS,
                          .content_type =
                              json ? SLICE("application/json") : SLICE("application/x-protobuf")};
    unwrapping_fuzz(c, slice_make(data, size));
    return 0;
}
