/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether the watch is awake, as its canary knows. A probe is a pair of records with a number that
 * goes the way of every record, and what each stage says that it saw of it. Nothing here reads a
 * clock or sends a byte: time is handed in, what was seen is told, and what is to be done is asked
 * for.
 *
 *     begin = canary_is_due(c, now)         ─►  canary_begin(c, now): send the records of c->number
 *     canary_saw(c, number, who, sights …)      whenever somebody has said something
 *     canary_judge(c, now)                  ─►  whether the verdict is another one now
 *
 * A probe that everything has seen is over; one that has not been within `within` has failed, the
 * next begins at once, and when that fails as well, what it failed at is broken: the end of one
 * process, which is started again, is no outage. With the defaults a stage that breaks is named
 * after at most 54 s.
 */
#ifndef VAKA_CANARY_CANARY_H
#define VAKA_CANARY_CANARY_H

#include "base/buf.h"
#include "base/clock.h"

/* The way of a record, in its order. */
#define CANARY_STAGES(X)                                                                           \
    X(COLLECT, "collect")                                                                          \
    X(UNWRAP, "unwrap")                                                                            \
    X(STORE, "store")                                                                              \
    X(ENGINE, "engine")                                                                            \
    X(CORRELATE, "correlate")                                                                      \
    X(TRIAGE, "triage")                                                                            \
    X(ONCALL, "oncall")                                                                            \
    X(NOTIFY, "notify")                                                                            \
    X(PROVIDER, "provider")

enum canary_stage {
#define X(id, name) CANARY_##id,
    CANARY_STAGES(X)
#undef X
        CANARY_STAGE_COUNT,
    CANARY_NOTHING = CANARY_STAGE_COUNT, /* is broken */
};

/* Who says what he saw; the first is the canary itself, of what its records were answered. */
enum canary_witness {
    CANARY_BY_ITSELF,
    CANARY_BY_DETECT,
    CANARY_BY_TRIAGE,
    CANARY_BY_ONCALL,
    CANARY_BY_NOTIFY,
    CANARY_WITNESS_COUNT,
};

/* What was seen of a probe: of `sights` in SAY_SEEN. Who says it stands behind. */
enum canary_sight {
    CANARY_OPENED = 1,       /* itself: collect has answered RELP's open */
    CANARY_STORED = 2,       /* itself: the record is acknowledged */
    CANARY_UNWRAPPED = 4,    /* itself: the body was answered with 200 */
    CANARY_MATCHED = 8,      /* detect: an engine said that a rule held for the record */
    CANARY_CORRELATED = 16,  /* detect: a correlation held for the record and the body's */
    CANARY_KEPT = 32,        /* triage: that is durable */
    CANARY_HANDED = 64,      /* triage: it was sent to oncall */
    CANARY_ATTEMPTED = 128,  /* oncall: a dry attempt is durable, and sent to notify */
    CANARY_ASKED = 256,      /* notify: every provider was asked what it would do */
    CANARY_WOULD_SEND = 512, /* notify: and every one would have sent it */
    CANARY_LOUD = 2048,      /* oncall: everybody was told of a page, and nobody has it */
    CANARY_UNSET = 1024,     /* oncall: nobody can be paged, as nothing says whom, or by what */
};

enum {
    CANARY_TEXT_MAX = 160,   /* bytes of what is said of a failure */
    CANARY_CHANGES_MAX = 32, /* verdicts that are remembered */
};

/* The verdict became this one. */
struct canary_change {
    nsec at;                    /* realtime */
    uint8_t stage;              /* enum canary_stage, CANARY_NOTHING: all is well again */
    char text[CANARY_TEXT_MAX]; /* what is known of it */
};

struct canary_options {
    nsec every, within; /* from the beginning of a probe to the next, and to its end */
};

struct canary {
    struct canary_options options;
    uint64_t number; /* of the last probe; 0: there was none */
    bool running;    /* it is not over */
    nsec begun;      /* monotonic */
    nsec begun_at;   /* realtime */
    uint32_t sights;
    bool unset;                       /* the way ended at triage, the last time: see CANARY_UNSET */
    bool heard[CANARY_WITNESS_COUNT]; /* who has answered about it */
    char wrong[CANARY_WITNESS_COUNT][CANARY_TEXT_MAX];
    uint8_t doubt;   /* the stage that the probe before failed at; CANARY_NOTHING: it did not */
    uint8_t broken;  /* the verdict */
    uint64_t outage; /* its number, ever; 0: nothing is broken */
    nsec since;      /* realtime: the verdict is this one, 0: there is none yet */
    nsec proven[CANARY_STAGE_COUNT]; /* realtime: the last probe that passed it began; 0: never */
    uint64_t passed, failed;         /* probes */
    nsec took;                       /* the last one that passed, from its beginning */
    struct canary_change changes[CANARY_CHANGES_MAX]; /* the newest is the last */
    uint32_t n_changes;
};

/* `number`: of the last probe before this start, so that none comes twice. */
void canary_init(struct canary *c, const struct canary_options *options, uint64_t number);

/* Whether a probe is to begin; `now` is monotonic. */
bool canary_is_due(const struct canary *c, nsec now);
/* It has begun: the number of its records. */
uint64_t canary_begin(struct canary *c, nsec now, nsec realtime);
/*
 * `who` has said what he saw of the probe `number` (of another one nothing is done), with words for
 * what was wrong, or none. Later words take the place of earlier ones, what was seen stays seen.
 */
void canary_saw(struct canary *c, uint64_t number, enum canary_witness who, uint32_t sights,
                struct slice wrong);
/* Ends the probe when it is time to; true: the verdict is another one than before. */
bool canary_judge(struct canary *c, nsec now, nsec realtime);
/* How far it has to come. */
enum canary_stage canary_last(const struct canary *c);
/* The first stage that it did not pass yet; CANARY_NOTHING: it passed them all. */
enum canary_stage canary_first_missing(const struct canary *c);
/* What is said of that: borrowed from c. */
struct slice canary_why(const struct canary *c, enum canary_stage stage);

/* "collect"; "?" out of range. */
const char *canary_stage_name(unsigned stage);

/*
 * What has to survive a start, as a JSON object:
 * {"number":…,"broken":"…","outage":…,"since":…,"proven":{…}, "changes":[…]}, times in ns since
 * 1970. read(): that all was well is true no more when it was not proven lately, by the clock
 * `realtime`. ERR_SYNTAX: c stays as it was.
 */
void canary_write(struct buf *out, const struct canary *c);
int canary_read(struct canary *c, struct slice text, nsec realtime) MUST_USE;

#endif
