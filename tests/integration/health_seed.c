/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * health-seed DATABASE NOW INTERVAL SOURCE...: makes the database of vaka serve as it is when each
 * source has spoken every INTERVAL seconds for four weeks until NOW, was always understood, and
 * claimed the right time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "health/health.h"
#include "state/state.h"

enum { WEEKS = 4 };
#define WEEK (7 * 24 * 3600 * NSEC_PER_SEC)

static int live(struct health *h, nsec now, nsec interval, char **sources, int n)
{
    nsec at = now - WEEKS * WEEK;
    for (; at < now; at += interval) {
        const struct health_news news = {.first = at, .last = at, .records = 1, .claims = 1};
        for (int i = 0; i < n; i++) health_hear(h, slice_of(sources[i]), &news);
        health_pass(h, at, 0);
    }
    return 0;
}

static int save(struct health *h, struct state *s)
{
    struct buf saved;
    struct health_view view;
    int error = state_begin(s);
    buf_init(&saved, HEALTH_SAVED_MAX);
    for (uint32_t i = 0; i <= health_count(h) && error == 0; i++) {
        view = (struct health_view){.source = SLICE("")};
        if (i < health_count(h)) health_view(h, i, &view);
        buf_clear(&saved);
        health_save(h, i, &saved);
        error = state_put_health(s, view.source, buf_slice(&saved));
    }
    buf_done(&saved);
    return error ? error : state_commit(s);
}

int main(int argc, char **argv)
{
    const struct health_options options = {.sources_max = 64,
                                           .factor = 1.5,
                                           .least = NSEC_PER_SEC,
                                           .rarest = 2 * WEEK,
                                           .clock = 60 * NSEC_PER_SEC,
                                           .forget = 4 * WEEK};
    struct health *h = NULL;
    struct state *s = NULL;
    struct diag diag;
    uint64_t now, interval;
    if (argc < 5 || !slice_to_u64(slice_of(argv[2]), &now) ||
        !slice_to_u64(slice_of(argv[3]), &interval) || interval == 0)
        return 2;
    int error = health_new(&options, &h);
    if (error == 0)
        error =
            live(h, (nsec)now * NSEC_PER_SEC, (nsec)interval * NSEC_PER_SEC, argv + 4, argc - 4);
    if (error == 0) error = state_open(argv[1], &s, &diag);
    if (error == 0) error = save(h, s);
    if (error) fprintf(stderr, "health-seed: %s\n", error_text(error));
    state_close(s);
    health_free(h);
    return error != 0;
}
