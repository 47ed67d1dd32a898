/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Records as the systems of a city log them, out of a file that says which and how often:
 *
 *     source NAME RATE PREFIX COUNT   its share of all; its hosts are PREFIX0 … PREFIX(COUNT-1)
 *     line WEIGHT text|json TEMPLATE  what the source before it logs; weights are within it
 *     plant TEMPLATE                  the attack that is planted; $(host) is plant-NUMBER
 *     # …                             nothing, like an empty line
 *
 * In a template: $(host), $(peer) another host of the source, $(user), $(again) the user before,
 * $(home) that user's address outside, $(ip) an inside and $(out) an outside address, $(port),
 * $(mac), $(guid), $(word), $(hex:N) digits, $(int:A:B) a number,
 * $(pick:X|Y|Z) one of them, $(time) RFC 3339, $(bsd) RFC 3164, $(unix) seconds, $(date) and
 * $(clock) 2026-11-26 and 07:41:09, $(clf) and $(us) 26/Nov/2026:07:41:09 and 11/26/2026:07:41:09,
 * all in UTC. All are drawn from one seed; users, words and hosts are drawn unevenly, as they are
 * busy in life.
 */
#ifndef VAKA_LOAD_MIX_H
#define VAKA_LOAD_MIX_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

/* What a lane takes: text is one line; of a JSON source it has a syslog header. A text line as
 * JSON is the message of an object. */
enum mix_form { MIX_TEXT, MIX_JSON, MIX_FORMS };

struct mix;

struct mix_options {
    const char *path;
    uint64_t seed;
    size_t size; /* bytes that shorter records are filled up to with words; 0: as they are */
    size_t pool; /* bytes of records made in advance, and used in turn; 0: each is made anew */
    bool forms[MIX_FORMS]; /* those that are made in advance */
};

/* The errors of file_read(), ERR_SYNTAX; diag says where and why. */
int mix_new(const struct mix_options *options, nsec now, struct mix **ret,
            struct diag *diag) MUST_USE;
void mix_free(struct mix *m);

/* Records a second, all sources together. */
uint64_t mix_rate(const struct mix *m);

/* Valid until the next call. `now` is real time. */
struct slice mix_next(struct mix *m, enum mix_form form, nsec now);
struct slice mix_plant(struct mix *m, enum mix_form form, uint32_t number, nsec now);

/* 64 random bits of the same seed. */
uint64_t mix_random(struct mix *m);

#endif
