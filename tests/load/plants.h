/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Attacks that were planted among the records, and the alerts that tell of them: lines of
 * `vaka alerts --follow -f json`. An attack is known by its host, plant-NUMBER.
 */
#ifndef VAKA_LOAD_PLANTS_H
#define VAKA_LOAD_PLANTS_H

#include "base/buf.h"
#include "histogram.h"

enum { PLANTS_MAX = 64 * 1024 };

struct plants {
    uint32_t n, seen;
    nsec sent[PLANTS_MAX]; /* its last byte; 0: not yet, -1: its alert was seen */
    struct buf in;
    struct histogram latency;
    nsec warm_at; /* what was sent before does not count in it */
    nsec latest;  /* when the newest alert was seen; 0: never */
    bool ended;   /* nobody tells alerts any more */
};

struct plants *plants_new(void);
void plants_free(struct plants *p);
/* Its last byte went out. */
void plants_sent(struct plants *p, uint32_t number, nsec now);
/* Reads what is there, of a descriptor that does not block. */
void plants_read(struct plants *p, int fd, nsec now);

#endif
