/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A list of indicators from any bytes: what was taken is found, and what is written of it is read
 * as the same again.
 */
#include "indicator/read.h"

#include "target.h"

static void check_found(const struct indicators *in)
{
    uint32_t n = 0;
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        for (uint32_t i = 0; in->lists[k] && i < listed_count(in->lists[k]); i++, n++)
            HOLDS(listed_find(in->lists[k], listed_at(in->lists[k], i)->value) != NULL);
    HOLDS(n == in->n);
    HOLDS(in->n_told <= INDICATORS_TOLD_MAX && in->n_told <= in->refused);
    for (uint32_t i = 0; i < in->n_told; i++) HOLDS(in->told[i].line > 0 && in->told[i].column > 0);
}

static void check_written(const struct indicators *in)
{
    const struct indicators_options options = {.now = 1, .kept = true};
    struct indicators again;
    struct buf first, second;
    struct diag diag = {0};
    buf_init(&first, INDICATORS_FILE_MAX);
    buf_init(&second, INDICATORS_FILE_MAX);
    indicators_write(&first, in);
    HOLDS(indicators_read(buf_slice(&first), &options, &again, &diag) == 0);
    HOLDS(again.n == in->n && again.refused == 0 && again.doubled == 0);
    indicators_write(&second, &again);
    HOLDS(slice_eq(buf_slice(&first), buf_slice(&second)));
    indicators_done(&again);
    buf_done(&second);
    buf_done(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct indicators_options options = {
        .file = "list", .now = 1, .force = size > 0 && data[0] % 2};
    struct indicators in;
    struct diag diag = {0};
    if (indicators_read(slice_make(data, size), &options, &in, &diag) != 0) {
        HOLDS(diag.message[0] != '\0');
        return 0;
    }
    check_found(&in);
    check_written(&in);
    indicators_done(&in);
    return 0;
}
