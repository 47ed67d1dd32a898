/* SPDX-License-Identifier: EUPL-1.2 */
/* Names of people in what the API answers: what goes out is JSON where it was, and has none of
 * those that were found in it. */
#include "base/json_read.h"
#include "target.h"
#include "web/people.h"

static struct slice cover(void *ctx, int name)
{
    bool *any = ctx;
    (void)name;
    *any = true;
    return SLICE("?");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct people *p;
    struct slice text = slice_make(data, size);
    struct buf once, twice;
    bool any = false;
    if (!p) HOLDS(people_new(1, &p) == 0);
    if (people_learn(p, text) != 0) {
        people_free(p);
        p = NULL;
        return 0;
    }
    buf_init(&once, 64 * 1024 * 1024);
    buf_init(&twice, 64 * 1024 * 1024);
    people_rewrite(p, text, cover, &any, &once);
    HOLDS(json_is_object(text) == json_is_object(buf_slice(&once)));
    any = false;
    people_rewrite(p, buf_slice(&once), cover, &any, &twice);
    HOLDS(!any);
    buf_done(&once);
    buf_done(&twice);
    return 0;
}
