/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether sources are well: what of each is usual is learned, and what is not is found.
 * docs/design/0005 has the model and why.
 *
 * Time is handed in, as the time of receipt: health_hear() tells what came, health_pass() that all
 * that was received before a moment was told. It is to be called at least once a minute; what is
 * longer than that counts as not watched, as the time before a start does, and no source is blamed
 * for it. Memory is taken when a source is heard of first, and not after that.
 */
#ifndef VAKA_HEALTH_HEALTH_H
#define VAKA_HEALTH_HEALTH_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

/* id, word, what is wrong */
#define HEALTH_KINDS(X)                                                                            \
    X(SILENT, "silent", "A source is silent")                                                      \
    X(VOLUME, "volume", "A source sends much less than usual")                                     \
    X(UNREAD, "unread", "Records of a source are not understood any more")                         \
    X(CLOCK, "clock", "The clock of a source is off")                                              \
    X(GAP, "gap", "Records of a source are missing")

enum health_kind {
#define X(id, word, title) HEALTH_##id,
    HEALTH_KINDS(X)
#undef X
        HEALTH_KIND_COUNT,
};

enum {
    HEALTH_NAME_MAX = 4096, /* bytes of a source's name */
    HEALTH_VERSION = 1,     /* of what is saved */
    HEALTH_SAVED_MAX = 8192,
    HEALTH_STEP_MAX = 60, /* s: between two calls of health_pass() */
};

struct health_options {
    uint32_t sources_max;
    uint64_t seed; /* random: names come from outside */
    double factor; /* a silence is told when it is so much longer than the longest usual one */
    nsec least;    /* … and longer than this */
    nsec rarest;   /* a source with longer usual silences is not judged by its silence */
    nsec clock;    /* a clock may be off by this */
    nsec forget;   /* a source that was not heard of for so long is forgotten */
    void *ctx;
    /* Whether nothing is to be found about that source. May be NULL. */
    bool (*muted)(void *ctx, struct slice source);
};

/* What came from a source at once, or nearly. */
struct health_news {
    nsec first, last;  /* received */
    nsec longest;      /* silence between two of them */
    uint64_t records;  /* at least 1 */
    uint64_t unread;   /* of them, those that are not understood */
    uint32_t claims;   /* those that were looked at for the time they claim … */
    nsec freshest;     /* … and the highest of claimed less received */
    uint64_t sequence; /* what counts them; 0: nothing */
    uint64_t number, last_number, numbers;
};

struct health;

/* ERR_NOMEM. */
int health_new(const struct health_options *options, struct health **ret) MUST_USE;
void health_free(struct health *h);

/* A source for which there is no room, or no memory, is counted and not watched. */
void health_hear(struct health *h, struct slice source, const struct health_news *news);
/*
 * It is `now`, by the clock of people `offset` seconds ahead of UTC. A time before the last one
 * changes nothing, unless the clock was set back by more than an hour.
 */
void health_pass(struct health *h, nsec now, int32_t offset);

/* Something began or ended; texts are borrowed until the next call of any other function. */
struct health_change {
    struct slice source;
    enum health_kind kind;
    bool ended, muted;
    nsec since;          /* when it began */
    nsec at;             /* when it was found, or had ended */
    double usual, found; /* see health_write_why() */
    double count;
};
/* The next change that was not told yet. */
bool health_next(struct health *h, struct health_change *ret);
/* "usually heard of within 40 s at this hour, silent for 95 s". */
void health_write_why(struct buf *out, const struct health_change *change);
/* "silent"; "A source is silent". */
const char *health_kind_word(enum health_kind kind);
const char *health_kind_title(enum health_kind kind);

/* ---- how it is ---- */

struct health_view {
    struct slice source;
    nsec last;                   /* received; */
    double silence;              /* s: the longest that is usual at this hour; 0: not known */
    double records;              /* usual in this hour; < 0: not known */
    double clock;                /* s: the usual difference of its clock */
    double unread;               /* the usual part of records that are not understood */
    uint32_t days;               /* on which it was heard of */
    bool judged, muted, resting; /* resting: it is silent as others are, on a day off */
    unsigned found;              /* bits: 1 << enum health_kind */
};
uint32_t health_count(const struct health *h);
/* The i-th; in the order in which they were heard of first. */
void health_view(const struct health *h, uint32_t i, struct health_view *ret);
/* Sources that there was no room for, or that were turned away. */
uint64_t health_unwatched(const struct health *h);
/* Whether it is a day off, by what sources with a rhythm of work do. */
bool health_is_day_off(const struct health *h);

/* ---- kept over a restart ---- */

/*
 * What is known of a source, and of all of them (`i` is health_count()): bytes for
 * health_restore(), at most HEALTH_SAVED_MAX. Overflow is out's.
 */
void health_save(const struct health *h, uint32_t i, struct buf *out);
/* Whether it changed since it was marked saved. */
bool health_is_changed(const struct health *h, uint32_t i);
void health_mark_saved(struct health *h, uint32_t i);
/*
 * The name of all of them is empty. To be called before anything else. ERR_CORRUPT, ERR_UNSUPPORTED
 * (another version): nothing changed; ERR_LIMIT, ERR_NOMEM.
 */
int health_restore(struct health *h, struct slice source, struct slice saved) MUST_USE;
/* Sources that were forgotten since the last call, one by one; false: no more. */
bool health_next_forgotten(struct health *h, struct buf *ret_source);

#endif
