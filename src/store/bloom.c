/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/bloom.h"

#include "base/crc32c.h"
#include "base/le.h"

enum { WORDS = BLOOM_BUCKET / 4 };

static const uint32_t salts[WORDS] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

uint64_t bloom_test(const char *row, uint32_t n, uint64_t hash)
{
    uint64_t may = 0;
    size_t len = (size_t)n * BLOOM_BUCKET;
    if (le32(row + len) != crc32c(0, slice_make(row, len))) return ~UINT64_C(0);
    for (uint32_t block = 0; block < n; block++) {
        const char *bucket = row + (size_t)block * BLOOM_BUCKET;
        uint32_t missing = 0;
        for (int i = 0; i < WORDS; i++)
            missing |= ~le32(bucket + 4 * i) & UINT32_C(1) << ((uint32_t)hash * salts[i] >> 27);
        may |= (uint64_t)(missing == 0) << block;
    }
    return may;
}
