/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The health of sources in triage: what engines heard goes into the model (health/health.h), what
 * it finds becomes alerts, and what it has learned is kept in the database.
 *
 * It is saved little by little. The time that is saved with it is that at which a round over all
 * sources began: nothing that was saved is older, and what happened after it counts as not watched.
 */
#ifndef VAKA_SERVE_SOURCE_WATCH_H
#define VAKA_SERVE_SOURCE_WATCH_H

#include "base/zone.h"
#include "config/config.h"
#include "health/health.h"
#include "serve/message.h"
#include "state/state.h"

struct source_watch {
    struct health *health;
    const struct config *config; /* borrowed */
    struct zone zone;
    struct buf title, line, rule, saved, all; /* all: as it was when the round began */
    uint32_t save_at;                         /* the source that is saved next */
    nsec now, round;                          /* round: when it began */
    nsec minute;                              /* since when alerts are counted … */
    uint32_t alerts;                          /* … that were given, … */
    uint64_t more;                            /* … and that were too many */
    uint32_t unread;                          /* rows of the database that could not be restored */
};

/* What is in the database is restored. `seed` is random. ERR_INVALID: diag says what is wrong. */
int source_watch_open(struct source_watch *w, const struct config *config, struct state *state,
                      uint64_t seed, nsec now, struct diag *diag) MUST_USE;
void source_watch_close(struct source_watch *w);

void source_watch_hear(struct source_watch *w, const struct say_sighted *m);
/* Everything that was received before `time` was heard. */
void source_watch_pass(struct source_watch *w, nsec time);
/* The next alert about a source; texts are borrowed until the next call. False: there is none. */
bool source_watch_next(struct source_watch *w, struct state_alert *ret);

/* Within a transaction: some of what is to be saved; `whole`: all of it. */
int source_watch_save(struct source_watch *w, struct state *state, bool whole) MUST_USE;
/* Whether there is something to save now. */
bool source_watch_wants_save(const struct source_watch *w);

/* Members of a JSON object. */
void source_watch_status(const struct source_watch *w, struct buf *out);

#endif
