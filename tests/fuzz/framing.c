/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/framing.h"

#include "protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return protocol_fuzz(&framing_protocol, data, size);
}
