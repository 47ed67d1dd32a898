/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is known of a source as any bytes: it is refused, or the model goes on from it for two days
 * and saves it again.
 */
#include "health/health.h"
#include "target.h"

#define HOUR (3600 * NSEC_PER_SEC)

static const struct health_options options = {.sources_max = 4,
                                              .factor = 1.5,
                                              .least = 60 * NSEC_PER_SEC,
                                              .rarest = 14 * 24 * HOUR,
                                              .clock = 60 * NSEC_PER_SEC,
                                              .forget = 30 * 24 * HOUR};

static void go_on(struct health *h, nsec from)
{
    struct health_change change;
    struct health_view view;
    struct buf words;
    buf_init(&words, 4096);
    for (nsec now = from; now < from + 48 * HOUR; now += 60 * NSEC_PER_SEC) {
        struct health_news news = {.first = now,
                                   .last = now,
                                   .records = 3,
                                   .unread = 1,
                                   .claims = 1,
                                   .freshest = -HOUR,
                                   .sequence = 1,
                                   .number = 7,
                                   .last_number = 9,
                                   .numbers = 3};
        if ((now / HOUR) % 5) health_hear(h, SLICE("s"), &news);
        health_pass(h, now, 3600);
        while (health_next(h, &change)) {
            buf_clear(&words);
            health_write_why(&words, &change);
        }
    }
    for (uint32_t i = 0; i < health_count(h); i++) health_view(h, i, &view);
    buf_done(&words);
}

static void save_and_restore(const struct health *h)
{
    struct health *again;
    struct buf saved;
    buf_init(&saved, HEALTH_SAVED_MAX);
    HOLDS(health_new(&options, &again) == 0);
    for (uint32_t i = health_count(h) + 1; i-- > 0;) {
        bool all = i == health_count(h);
        buf_clear(&saved);
        health_save(h, i, &saved);
        HOLDS(!buf_failed(&saved));
        /* Numbers beyond all bounds are refused, and nothing else. */
        int error = health_restore(again, all ? SLICE("") : SLICE("s"), buf_slice(&saved));
        HOLDS(error == 0 || error == ERR_CORRUPT);
    }
    health_free(again);
    buf_done(&saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct health *h;
    struct slice saved = slice_make(data, size);
    if (health_new(&options, &h) != 0) return 0;
    (void)health_restore(h, SLICE(""), saved);
    if (health_restore(h, SLICE("s"), saved) == 0) {
        go_on(h, INT64_C(1788739200) * NSEC_PER_SEC);
        save_and_restore(h);
    }
    health_free(h);
    return 0;
}
