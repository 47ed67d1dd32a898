/* SPDX-License-Identifier: EUPL-1.2 */
/* What is known of one source; for the files of this room. */
#ifndef VAKA_HEALTH_SOURCE_H
#define VAKA_HEALTH_SOURCE_H

#include "health/health.h"
#include "health/rhythm.h"
#include "health/sequence.h"
#include "health/share.h"
#include "health/skew.h"
#include "health/volume.h"

enum { VOLUME_FINE, VOLUME_COARSE, VOLUMES = RHYTHM_DIPS, ENDED = 3 };

struct health_finding {
    nsec since, at;
    double usual, found, count;
    bool open;
    bool untold; /* that it began … */
    bool ended;  /* … or ended, or both */
};

struct health_source {
    struct slice name; /* its own */
    uint64_t hash;
    nsec born, last;  /* received; */
    nsec heard;       /* the same as `last` in time that was watched */
    nsec excused;     /* watched time before which no silence counts */
    nsec due;         /* watched time at which it is silent; INT64_MAX: never */
    uint32_t days;    /* on which it was heard of */
    int64_t day;      /* the last of them */
    nsec unusual;     /* received: since then hours are not learned, for it is silent too long */
    double gap;       /* s: the longest silence that reached into this hour */
    uint64_t records; /* of this hour */
    bool spoilt;      /* this hour says nothing of its rhythm */
    bool muted, changed;
    bool rests, resting;
    double usual;                   /* s: silence at this hour; 0: not known */
    double rate;                    /* records a second at this hour; < 0: not known … */
    double rate_before, rate_after; /* … and at the hours beside it */
    double missed;                  /* records that ought to have come since it was heard of */
    double missed_most;             /* … in silences that were none, sinking */
    double ahead;         /* … when a long one begins with the next hour: how long; else 0 */
    nsec strict;          /* when it would be silent without any leeway */
    nsec lenient;         /* watched time before which it may be late for the hour; 0: it is not */
    float ended[ENDED];   /* silences that were told and ended, by what was usual … */
    nsec ended_at[ENDED]; /* … when */
    float today;          /* the longest of them in a day, whatever it was … */
    nsec today_at;        /* … when it ended */
    struct rhythm rhythm;
    struct volume volumes[VOLUMES];
    struct share share;
    struct skew skew;
    struct sequence sequences[SEQUENCES];
    struct health_finding findings[HEALTH_KIND_COUNT];
};

struct health {
    struct health_options options;
    struct health_source **sources; /* in the order of their first record */
    uint32_t n;
    uint32_t *slots; /* numbers from 1; 0: free */
    uint32_t mask;
    nsec now; /* 0: no time was told yet */
    int32_t offset;
    nsec blind;    /* of it, how much was not watched, ever */
    nsec grace;    /* watched time before which nobody is silent */
    nsec minute;   /* when a minute was counted last */
    bool spoilt;   /* the hour at hand was not watched from its beginning */
    bool restored; /* since then no time was told */
    bool day_off;
    double shift;   /* ln of what sources with a rhythm of work send, by what they usually do */
    double *shifts; /* room to find the middle one */
    uint32_t told;  /* where the next untold change is looked for */
    uint64_t unwatched;
    struct buf forgotten; /* names, each with a NUL */
};

/* NULL: no room, or no memory. */
struct health_source *health_source_of(struct health *h, struct slice name);
/* What is known by the hour, anew; behind a change of the hour or of the rhythm. */
void health_source_refresh(struct health *h, struct health_source *s);

#endif
