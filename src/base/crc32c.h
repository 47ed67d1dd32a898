/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * CRC32C, the Castagnoli polynomial as RFC 3720, B.4 uses it: finds accidents, never an intention.
 */
#ifndef VAKA_BASE_CRC32C_H
#define VAKA_BASE_CRC32C_H

#include "base/slice.h"

/* Of the bytes behind those that gave `before`; 0: they are the first. Uses what the processor has.
 */
uint32_t crc32c(uint32_t before, struct slice bytes);
/* The same, on any processor. */
uint32_t crc32c_portable(uint32_t before, struct slice bytes);

#endif
