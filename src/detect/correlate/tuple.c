/* SPDX-License-Identifier: EUPL-1.2 */
/* Tuples as bytes, between processes. The format is in correlate.h. */
#include "detect/correlate/correlate.h"

enum { LENGTH_ABSENT = 0xffff };

static void put_number(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) buf_putc(out, (char)(unsigned char)(v >> (8 * i)));
}

void correlator_tuple_write(struct buf *out, const struct correlator_tuple *tuple)
{
    ASSERT(tuple->n_values <= CORRELATOR_FIELDS_MAX);
    put_number(out, tuple->rule, 4);
    put_number(out, (uint64_t)tuple->time, 8);
    put_number(out, tuple->ref, 8);
    put_number(out, tuple->n_values, 2);
    for (uint32_t i = 0; i < tuple->n_values; i++) {
        struct slice v = slice_until(tuple->values[i], CORRELATOR_VALUE_MAX);
        put_number(out, v.ptr ? v.len : LENGTH_ABSENT, 2);
        if (v.ptr) buf_put(out, v);
    }
}

static bool take_number(struct slice *in, unsigned bytes, uint64_t *ret)
{
    if (in->len < bytes) return false;
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++) v |= (uint64_t)(unsigned char)in->ptr[i] << (8 * i);
    *in = slice_from(*in, bytes);
    *ret = v;
    return true;
}

int correlator_tuple_read(struct slice bytes, struct slice *values, uint32_t max,
                          struct correlator_tuple *ret)
{
    uint64_t rule, time, ref, n, len;
    if (!take_number(&bytes, 4, &rule) || !take_number(&bytes, 8, &time) ||
        !take_number(&bytes, 8, &ref) || !take_number(&bytes, 2, &n))
        return ERR_TRUNCATED;
    if (n > max || n > CORRELATOR_FIELDS_MAX) return ERR_LIMIT;
    for (uint64_t i = 0; i < n; i++) {
        if (!take_number(&bytes, 2, &len)) return ERR_TRUNCATED;
        values[i] = SLICE_NONE;
        if (len == LENGTH_ABSENT) continue;
        if (len > CORRELATOR_VALUE_MAX) return ERR_CORRUPT;
        if (len > bytes.len) return ERR_TRUNCATED;
        values[i] = slice_until(bytes, len);
        bytes = slice_from(bytes, len);
    }
    if (bytes.len) return ERR_CORRUPT;
    *ret = (struct correlator_tuple){.rule = (uint32_t)rule,
                                     .time = (nsec)time,
                                     .ref = ref,
                                     .values = values,
                                     .n_values = (uint32_t)n};
    return 0;
}
