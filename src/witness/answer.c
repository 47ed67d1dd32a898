/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/answer.h"

/* RFC 9112, 4: "HTTP/1.1 200 ..." */
static bool read_status(struct slice line, unsigned *ret)
{
    uint64_t status;
    struct slice version, code, reason;
    if (!slice_split(line, ' ', &version, &line)) return false;
    (void)slice_split(line, ' ', &code, &reason);
    if (!slice_eq(version, SLICE("HTTP/1.1")) && !slice_eq(version, SLICE("HTTP/1.0")))
        return false;
    if (code.len != 3 || !slice_to_u64(code, &status) || status < 200) return false;
    *ret = (unsigned)status;
    return true;
}

/* *length is kept when the line does not say it. */
static int read_field(struct slice line, uint64_t *length, bool *has_length)
{
    struct slice name, value;
    uint64_t said;
    if (!slice_split(line, ':', &name, &value)) return ERR_SYNTAX;
    if (slice_eq_nocase(name, SLICE("transfer-encoding"))) return ERR_UNSUPPORTED;
    if (!slice_eq_nocase(name, SLICE("content-length"))) return 0;
    if (!slice_to_u64(slice_trim(value), &said) || (*has_length && said != *length))
        return ERR_SYNTAX;
    *length = said;
    *has_length = true;
    return 0;
}

int answer_read(struct slice in, bool ended, struct answer *ret)
{
    struct answer a;
    struct slice line, rest;
    uint64_t length = 0;
    bool has_length = false;
    size_t end = slice_find(in, SLICE("\r\n\r\n"));
    if (end == SIZE_MAX) return ended ? ERR_TRUNCATED : 0;
    rest = slice_until(in, end + 2);
    if (!slice_split(rest, '\n', &line, &rest) || !read_status(slice_trim(line), &a.status))
        return ERR_SYNTAX;
    while (slice_split(rest, '\n', &line, &rest)) {
        int error = read_field(line, &length, &has_length);
        if (error) return error;
    }
    a.body = slice_from(in, end + 4);
    if (has_length && a.body.len < length) return ended ? ERR_TRUNCATED : 0;
    if (!has_length && !ended) return 0;
    if (has_length) a.body.len = (size_t)length;
    *ret = a;
    return 1;
}
