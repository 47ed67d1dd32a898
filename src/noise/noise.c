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
    if (kind == SCAN_LEFT || kind == SCAN_UNIT_LEFT) n->tally->unreadable++;
    else n->tally->damaged++;
}

static int on_tick(void *ctx, const struct scan_progress *progress)
{
    const struct noise *n = ctx;
    return n->options->tick(n->options->ctx, progress);
}

int noise_run(const struct noise_options *options, struct tally *ret, struct diag *diag)
{
    struct noise n = {.options = options, .tally = ret};
    struct scan_progress progress = {0};
    n.begin = (struct noise_begin){.matching = {.rules = options->rules,
                                                .correlator = ret->correlator,
                                                .routes_only = options->sources_only},
                                   .alike = options->alike,
                                   .known = options->known};
    ret->known = options->known;
    int error =
        scan_run(&(struct scan_options){.store = options->store,
                                        .from = options->from,
                                        .to = options->to,
                                        .known = options->known,
                                        .known_from = options->known_from,
                                        .share = options->share,
                                        .jobs = options->jobs,
                                        .blocks = options->blocks ? options->blocks : UNIT_BLOCKS,
                                        .sample = options->sample,
                                        .whole_units = true,
                                        .clock = options->clock,
                                        .silence = options->silence,
                                        .null_fd = options->null_fd,
                                        .max_payload = NOISE_PAYLOAD_MAX,
                                        .held_max = HELD_MAX,
                                        .run = run_reader,
                                        .ctx = &n,
                                        .take = take,
                                        .damage = on_damage,
                                        .tick = options->tick ? on_tick : NULL},
                 &progress, diag);
    ret->bytes = progress.bytes;
    if (error == 0) tally_finish(ret);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    return error;
}
