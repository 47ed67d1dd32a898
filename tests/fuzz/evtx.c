/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * EVTX decoder. Bit 2 of the last byte says whether the input is a whole file or the records of
 * one chunk, whose header (and so the 64 KiB of it) is made here, which lets small inputs reach the
 * binary XML.
 */
#include "pieces.h"

enum { CHUNK_SIZE = 65536, CHUNK_HEADER = 512 };

static void compare_records(struct slice records, uint8_t how)
{
    char *chunk = calloc(1, CHUNK_SIZE);
    HOLDS(chunk != NULL);
    records = slice_until(records, CHUNK_SIZE - CHUNK_HEADER);
    memcpy(chunk, "ElfChnk", 8);
    chunk[40] = (char)128;
    chunk[50] = 1; /* the free space begins at 65536 */
    chunk[120] = 4;
    if (records.len) memcpy(chunk + CHUNK_HEADER, records.ptr, records.len);
    pieces_compare(&decoder_evtx, NULL, slice_make(chunk, CHUNK_SIZE), how);
    free(chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || !(data[size - 1] & 4)) return pieces_fuzz(&decoder_evtx, NULL, data, size);
    compare_records(slice_make(data, size - 1), data[size - 1]);
    return 0;
}
