/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/request.h"

/* Decimal without leading zeroes. */
static bool read_size(struct slice text, uint64_t *ret)
{
    return slice_to_u64(text, ret) && (text.len == 1 || text.ptr[0] != '0');
}

int witness_request_read(struct slice text, struct witness_request *ret)
{
    struct slice line, rest;
    struct witness_request r = {.proof.n = 0};
    if (text.len > WITNESS_REQUEST_MAX) return ERR_LIMIT;
    if (!slice_split(text, '\n', &line, &rest) || !slice_starts_with(line, SLICE("old ")) ||
        !read_size(slice_from(line, strlen("old ")), &r.old_size))
        return ERR_SYNTAX;
    for (;;) {
        if (!slice_split(rest, '\n', &line, &rest)) return ERR_SYNTAX;
        if (line.len == 0) break;
        if (r.proof.n == WITNESS_PROOF_MAX) return ERR_LIMIT;
        if (!checkpoint_read_hash(line, &r.proof.hashes[r.proof.n++])) return ERR_SYNTAX;
    }
    r.note = rest;
    int error = checkpoint_parse(rest, &r.checkpoint);
    if (error) return error;
    *ret = r;
    return 0;
}

void witness_request_write(struct buf *out, uint64_t old_size, const struct tree_proof *proof,
                           struct slice note)
{
    buf_puts(out, "old ");
    witness_size_write(out, old_size);
    for (unsigned i = 0; i < proof->n; i++) {
        checkpoint_write_hash(out, &proof->hashes[i]);
        buf_putc(out, '\n');
    }
    buf_putc(out, '\n');
    buf_put(out, note);
}

void witness_size_write(struct buf *out, uint64_t size)
{
    buf_printf(out, "%llu\n", (unsigned long long)size);
}

bool witness_size_read(struct slice text, uint64_t *ret)
{
    struct slice line, rest;
    return slice_split(text, '\n', &line, &rest) && rest.len == 0 && read_size(line, ret);
}
