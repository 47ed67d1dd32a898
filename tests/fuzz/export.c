/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/export.h"

#include "protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return protocol_fuzz(&export_protocol, data, size);
}
