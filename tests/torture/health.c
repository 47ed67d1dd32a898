/* SPDX-License-Identifier: EUPL-1.2 */
/* Sources that are heard of, saved, restored and forgotten while memory runs out. */
#include "health/health.h"

#include "torture.h"

#define HOUR (3600 * NSEC_PER_SEC)

static const struct health_options options = {.sources_max = 8,
                                              .factor = 1.5,
                                              .least = 60 * NSEC_PER_SEC,
                                              .rarest = 14 * 24 * HOUR,
                                              .clock = 60 * NSEC_PER_SEC,
                                              .forget = 48 * HOUR};

static const char *const names[] = {"one", "two", "three"};

static void live(struct health *h, nsec from, nsec hours, size_t n)
{
    for (nsec now = from; now < from + hours * HOUR; now += 60 * NSEC_PER_SEC) {
        const struct health_news news = {.first = now, .last = now, .records = 1};
        for (size_t i = 0; i < n; i++) health_hear(h, slice_of(names[i]), &news);
        health_pass(h, now, 0);
    }
}

static int restore(const struct health *from, struct health *to, struct buf *saved)
{
    struct health_view view;
    int error = 0;
    for (uint32_t i = 0; i < health_count(from) && error == 0; i++) {
        health_view(from, i, &view);
        buf_clear(saved);
        health_save(from, i, saved);
        error = buf_error(saved);
        if (error == 0) error = health_restore(to, view.source, buf_slice(saved));
    }
    return error;
}

static void tell(struct health *h, struct buf *name, struct buf *out)
{
    while (health_next_forgotten(h, name))
        buf_printf(out, "forgotten %.*s\n", SLICE_FMT(buf_slice(name)));
    buf_printf(out, "%u sources\n", health_count(h));
    if (health_unwatched(h)) buf_puts(out, "unwatched\n");
}

static int run_health(void *ctx, struct buf *out)
{
    struct health *h = NULL, *again = NULL;
    struct buf saved;
    const nsec from = INT64_C(1788739200) * NSEC_PER_SEC;
    buf_init(&saved, HEALTH_SAVED_MAX);
    int error = health_new(&options, &h);
    if (error == 0) {
        live(h, from, 5, 3);
        error = health_new(&options, &again);
    }
    if (error == 0) error = restore(h, again, &saved);
    if (error == 0) {
        live(h, from + 5 * HOUR, 300, 1);
        tell(h, &saved, out);
        tell(again, &saved, out);
    }
    health_free(h);
    health_free(again);
    buf_done(&saved);
    return error;
}

TEST(sources)
{
    /* A source that cannot be forgotten now is the next time. */
    static const char *const told_by[] = {"unwatched", "3 sources\n3 sources", NULL};
    torture_run(&(struct torture){.run = run_health, .told_by = told_by});
}
