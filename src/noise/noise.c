/* SPDX-License-Identifier: EUPL-1.2 */
#include "noise/noise.h"

#include "noise/reader.h"

enum {
    UNIT_BLOCKS = 24, /* few enough that processes end at about the same time */
    HELD_MAX = 256 * 1024 * 1024,
};

struct noise {
    const struct noise_options *options;
    struct tally *tally;
    struct noise_begin begin;
    struct passing passing;
};

static int run_reader(void *ctx, const struct scan_begin *begin, struct channel *channel)
{
    struct noise *n = ctx;
    n->begin.matching.scan = begin;
    return noise_reader_run(&n->begin, channel);
}

static int take(void *ctx, const struct frame *frame)
{
    const struct noise *n = ctx;
    return tally_take(n->tally, frame);
}

static void on_damage(void *ctx, enum scan_damage_kind kind, uint64_t seq)
{
    const struct noise *n = ctx;
    (void)seq;
    if (kind == SCAN_BESIDE_DAMAGED) return; /* nothing is left out */
    if (kind == SCAN_LEFT || kind == SCAN_UNIT_LEFT) n->tally->unreadable++;
    else n->tally->damaged++;
}

static int open_beside(void *ctx, uint64_t begin)
{
    const struct noise *n = ctx;
    return passing_beside(&n->passing, begin);
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    const struct noise *n = ctx;
    return n->options->tick(n->options->ctx, progress);
}

static int scan(struct noise *n, struct scan_progress *ret, struct diag *diag)
{
    const struct noise_options *o = n->options;
    return scan_run(&(struct scan_options){.store = o->store,
                                           .from = o->from,
                                           .to = o->to,
                                           .known = o->known,
                                           .known_from = o->known_from,
                                           .share = o->share,
                                           .jobs = o->jobs,
                                           .blocks = o->blocks ? o->blocks : UNIT_BLOCKS,
                                           .sample = o->sample,
                                           .whole_units = true,
                                           .clock = o->clock,
                                           .silence = o->silence,
                                           .null_fd = o->null_fd,
                                           .max_payload = NOISE_PAYLOAD_MAX,
                                           .held_max = HELD_MAX,
                                           .run = run_reader,
                                           .ctx = n,
                                           .beside = n->passing.asks ? open_beside : NULL,
                                           .take = take,
                                           .damage = on_damage,
                                           .tick = o->tick ? on_tick : NULL},
                    ret, diag);
}

int noise_run(const struct noise_options *options, struct tally *ret, struct diag *diag)
{
    struct noise n = {.options = options, .tally = ret};
    struct scan_progress progress = {0};
    n.begin = (struct noise_begin){.matching = {.rules = options->rules,
                                                .correlator = ret->correlator,
                                                .passing = &n.passing,
                                                .routes_only = options->sources_only},
                                   .alike = options->alike,
                                   .known = options->known};
    ret->known = options->known;
    int error = 0;
    diag->message[0] = '\0';
    passing_none(&n.passing);
    if (options->hits_only) error = passing_init(&n.passing, options->rules, options->store);
    if (error == 0) error = scan(&n, &progress, diag);
    passing_done(&n.passing);
    ret->bytes = progress.bytes;
    ret->unread = progress.unread;
    if (error == 0) tally_finish(ret);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
