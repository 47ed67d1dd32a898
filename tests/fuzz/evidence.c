/* SPDX-License-Identifier: EUPL-1.2 */
/* Any bytes as evidence: nothing is right without a signature. */
#include "verify/evidence.h"
#include "target.h"

static void on_record(void *ctx, uint64_t seq, const struct verify_record *record)
{
    uint64_t *n = ctx;
    HOLDS(record->raw.len <= 2 * 1024 * 1024);
    (void)seq;
    ++*n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key_text[] =
        "vaka.example/1+063105b1+Ac7MFQfcHd1ylZUcKQiI8JWtuQRNG3PWlubfBl1oO9T8";
    struct slice in = slice_make(data, size);
    struct verify_evidence e;
    struct verify_key key;
    uint64_t n = 0;
    size_t n_keys = verify_key_read(slice_of(key_text), &key) == 0;
    HOLDS(n_keys == 1);
    int error = verify_evidence(in, &key, n_keys, NULL, 0, on_record, &n, &e);
    HOLDS(error == 0 || error == ERR_CORRUPT || error == ERR_SYNTAX || error == ERR_LIMIT);
    HOLDS((error == 0) == (error == 0 && n > 0 && !e.what));
    HOLDS(verify_evidence(in, NULL, 0, NULL, 0, on_record, &n, &e) != 0);
    return 0;
}
