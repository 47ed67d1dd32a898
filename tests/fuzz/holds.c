/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The file of holds as any bytes: what was read is read the same when it is written again, and
 * lifting all holds of a range leaves the others as they were.
 */
#include "store/holds.h"
#include "target.h"

static size_t count(const struct buf *holds)
{
    return holds->len / sizeof(struct hold);
}

static struct hold hold_at(const struct buf *holds, size_t i)
{
    struct hold h;
    memcpy(&h, holds->ptr + i * sizeof h, sizeof h);
    return h;
}

static bool same_range(const struct retain_hold *a, const struct retain_hold *b)
{
    return a->from == b->from && a->to == b->to;
}

static void check_written(const struct buf *holds)
{
    struct buf text, again;
    buf_init(&text, 8 * HOLDS_FILE_MAX);
    buf_init(&again, HOLDS_MAX * sizeof(struct hold));
    for (size_t i = 0; i < count(holds); i++) {
        struct hold h = hold_at(holds, i);
        HOLDS(hold_write(&text, &h) == 0);
    }
    HOLDS(holds_read("", buf_slice(&text), &again, NULL) == 0 && count(&again) == count(holds));
    for (size_t i = 0; i < count(holds); i++) {
        struct hold a = hold_at(holds, i), b = hold_at(&again, i);
        HOLDS(same_range(&a.range, &b.range) && a.time == b.time && slice_eq(a.who, b.who) &&
              slice_eq(a.reason, b.reason));
    }
    buf_done(&text);
    buf_done(&again);
}

static void check_lifted(struct slice in, const struct buf *holds)
{
    struct buf text, rest;
    struct retain_hold range = hold_at(holds, 0).range;
    size_t n, same = 0;
    for (size_t i = 0; i < count(holds); i++) {
        struct hold h = hold_at(holds, i);
        same += same_range(&h.range, &range);
    }
    buf_init(&text, 8 * HOLDS_FILE_MAX);
    buf_init(&rest, HOLDS_MAX * sizeof(struct hold));
    holds_lift(&text, in, &range, 0, SLICE("eva"), &n);
    HOLDS(n == same);
    HOLDS(holds_read("", buf_slice(&text), &rest, NULL) == 0 && count(&rest) + n == count(holds));
    buf_done(&text);
    buf_done(&rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    struct buf holds;
    if (size > HOLDS_FILE_MAX) return 0;
    buf_init(&holds, HOLDS_MAX * sizeof(struct hold));
    if (holds_read("", in, &holds, NULL) == 0) {
        check_written(&holds);
        if (holds.len) check_lifted(in, &holds);
    }
    buf_done(&holds);
    return 0;
}
