/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is said to a witness and what it answers, as any bytes: what was read has one form, and a
 * witness that knows nobody signs nothing.
 */
#include "witness/witness.h"
#include "target.h"

static void check_request(struct slice in)
{
    static struct witness_request r;
    struct buf again;
    if (witness_request_read(in, &r) != 0) return;
    buf_init(&again, WITNESS_REQUEST_MAX);
    witness_request_write(&again, r.old_size, &r.proof, r.note);
    HOLDS(slice_eq(buf_slice(&again), in));
    buf_done(&again);
}

static void check_size(struct slice in)
{
    uint64_t size;
    struct buf again;
    if (!witness_size_read(in, &size)) return;
    buf_init(&again, 64);
    witness_size_write(&again, size);
    HOLDS(slice_eq(buf_slice(&again), in));
    buf_done(&again);
}

static void check_stranger(struct slice in)
{
    struct witness_answer answer;
    struct buf out;
    buf_init(&out, WITNESS_ANSWER_MAX);
    witness_add(&(struct witness){.n_logs = 0}, in, 0, &out, &answer);
    HOLDS(answer.status == WITNESS_MALFORMED || answer.status == WITNESS_UNKNOWN);
    HOLDS(out.len == 0 && !answer.origin[0]);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    check_request(in);
    check_size(in);
    check_stranger(in);
    return 0;
}
