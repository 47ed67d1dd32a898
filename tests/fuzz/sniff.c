/* SPDX-License-Identifier: EUPL-1.2 */
/* Whatever a file holds, the decoder that is chosen for it reads it. */
#include "pieces.h"

enum { HEAD = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct slice in = slice_make(data, size - 1);
    const struct decoder_ops *ops = decoder_sniff(slice_until(in, HEAD), in.len <= HEAD);
    if (!ops) return 0;
    HOLDS(decoder_by_name(slice_of(ops->name)) == ops);
    pieces_compare(ops, NULL, in, data[size - 1]);
    return 0;
}
