/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Answers of witnesses and their addresses in the settings, as any bytes: an answer that is whole
 * stays the same when more follows, and what is sent to an address has no line that was not meant.
 */
#include <string.h>

#include "target.h"
#include "witness/address.h"
#include "witness/answer.h"

static void check_answer(struct slice in)
{
    struct answer now, later, half;
    if (answer_read(in, false, &now) != 1) return;
    HOLDS(answer_read(in, true, &later) == 1);
    HOLDS(now.status == later.status && slice_eq(now.body, later.body));
    HOLDS(now.status >= 200 && now.status <= 999);
    HOLDS(now.body.ptr >= in.ptr && now.body.ptr + now.body.len <= in.ptr + in.len);
    size_t whole = (size_t)(now.body.ptr - in.ptr) + now.body.len;
    HOLDS(answer_read(slice_until(in, whole), false, &half) == 1);
    HOLDS(slice_eq(half.body, now.body));
}

static void check_address(struct slice in)
{
    struct witness_address a;
    const char *why = NULL;
    if (witness_address_read(in, "add-checkpoint", CHECKPOINT_WITNESS, &a, &why) != 0) {
        HOLDS(why);
        return;
    }
    HOLDS(a.path[0] == '/' && a.host[0] && !strpbrk(a.path, " \r\n?#"));
    HOLDS(!strpbrk(a.authority, " \r\n/@") && !strpbrk(a.host, " \r\n/@"));
    HOLDS(a.key.type == CHECKPOINT_WITNESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    check_answer(in);
    check_address(in);
    return 0;
}
