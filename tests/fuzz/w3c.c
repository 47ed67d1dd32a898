/* SPDX-License-Identifier: EUPL-1.2 */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return pieces_fuzz(&decoder_w3c, NULL, data, size);
}
