/* SPDX-License-Identifier: EUPL-1.2 */
/* The first line is the query; the last byte says which of the endpoints it is. */
#include "unwrapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum container_kind kinds[] = {CONTAINER_HEC, CONTAINER_HEC_RAW,
                                                CONTAINER_HEC_ACK};
    if (size == 0) return 0;
    struct container c = {.kind = kinds[data[size - 1] % 3]};
    struct slice body;
    (void)slice_split(slice_make(data, size - 1), '\n', &c.query, &body);
    unwrapping_fuzz(c, body);
    return 0;
}
