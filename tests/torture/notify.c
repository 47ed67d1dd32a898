/* SPDX-License-Identifier: EUPL-1.2 */
/* An attempt, what becomes of it and what is answered, while memory runs out. */
#include "torture.h"

#define HOUSE_SPARE() torture_spare()
#define HOUSE_GO_ON() torture_go_on()
#include "../unit/notify/house.h"

#define LIST                                                                                       \
    "{\"data\":[{\"id\":\"s1\",\"status\":\"delivered\"},"                                         \
    "{\"id\":\"r1\",\"direction\":\"incoming\",\"from\":\"+4670\",\"message\":\"K7\"}]}"

/* What was not to be had the first time is asked for again. */
static void ask_twice(struct house *h)
{
    for (int i = 0; i < 2; i++) {
        pass(h, 4 * NSEC_PER_SEC);
        if (find("limit=100")) take_well("limit=100", LIST);
    }
}

/* Whether a provider is said to fail: what is kept waiting is told so. */
static void put_trouble(struct house *h, struct buf *out)
{
    struct buf list;
    torture_spare();
    buf_init(&list, LOG_MAX);
    senders_write(h->senders, &list);
    if (slice_find(buf_slice(&list), SLICE("\"failing\"")) != SIZE_MAX) buf_puts(out, "failing\n");
    buf_done(&list);
    torture_go_on();
}

static int run_attempt(void *ctx, struct buf *out)
{
    struct house h;
    int error = open_house(&h);
    (void)ctx;
    if (error == 0) {
        ask_for(&h, 7);
        if (find("/a1/sms")) take_well("/a1/sms", "{\"id\":\"s1\"}");
        ask_twice(&h);
        buf_put(out, buf_slice(&h.log));
        put_trouble(&h, out);
    }
    end(&h);
    return error ? error : buf_error(out);
}

TEST(an_attempt_and_its_answer)
{
    static const char *const told_by[] = {"retry", "refused", "failing", NULL};
    torture_run(&(struct torture){.run = run_attempt, .told_by = told_by});
}
