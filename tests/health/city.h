/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The kinds of sources that a city has (domain facts: about 5,800 records a second from some
 * thousand sources), and how each of them speaks: a rate over the week, and a way in which single
 * records come. Faults are put in from outside.
 */
#ifndef VAKA_TESTS_HEALTH_CITY_H
#define VAKA_TESTS_HEALTH_CITY_H

#include "calendar.h"
#include "health/health.h"

/* id, name, what it is */
#define CITY_KINDS(X)                                                                              \
    X(FIREWALL, "firewall", "1,500/s, half of it at night and on days off")                        \
    X(DNS, "dns", "600/s, follows the hours of work")                                              \
    X(CONTROLLER, "domain-controller", "40/s, a fifth of it at night")                             \
    X(SERVER, "server", "0.8/s, and a job at 01:00")                                               \
    X(COLLECTOR, "pc-collector", "150/s from 1,000 computers of people")                           \
    X(OFFICE, "office-system", "0.4/s in hours of work, nothing at night and on days off")         \
    X(SCHOOL, "school-system", "0.3/s when schools are open, else nearly nothing")                 \
    X(SWITCH, "switch", "40 an hour by day, 8 by night")                                           \
    X(VPN, "vpn", "0.2/s by day, some an hour by night")                                           \
    X(CLOUD, "cloud-audit", "asked every 5 minutes, with nothing at night now and then")           \
    X(BATCH, "batch", "2,000 records at 03:00 every night")                                        \
    X(WEEKLY, "weekly", "50 records on Mondays at 06:00")                                          \
    X(HEARTBEAT, "scada-heartbeat", "one a minute")                                                \
    X(MARK, "mark", "one every 20 minutes")                                                        \
    X(ARCHIVE, "e-archive", "some a day, in hours of work")                                        \
    X(BURSTS, "bursts", "pauses of very different lengths, a minute in the middle")                \
    X(RARE, "ups", "about every third day, at any time")                                           \
    X(PERSON, "person-pc", "one computer of a person, who is away on one day of twelve")

enum city_kind {
#define X(id, name, text) CITY_##id,
    CITY_KINDS(X)
#undef X
        CITY_KIND_COUNT,
};
const char *city_name(enum city_kind kind);
const char *city_text(enum city_kind kind);

struct city_source {
    enum city_kind kind;
    uint64_t chance;  /* state of its random numbers */
    double factor;    /* of its rate today … */
    double early;     /* … hours by which its day is early or late … */
    bool away;        /* … or it has none */
    int day;          /* that these are of */
    nsec next;        /* regular ones: when the next comes */
    nsec burst_until; /* an incident: ten times as much */
    /* Faults. */
    nsec dead_from, dead_until; /* 0: never */
    nsec fades_from;            /* a tenth less every day */
    nsec less_from;             /* a fifth of it is left */
    nsec unread_from;           /* 60 % are not understood */
    nsec drifts_from;           /* two seconds a day ahead */
    nsec off_from;              /* five minutes behind */
    nsec gap_at;                /* 40 numbers are left out, once */
    uint64_t number;
    bool swallowed; /* something would have come while it was down */
};

double city_random(uint64_t *state); /* from 0 to 1, without 1 */
/*
 * What came in [from, from + step); false: nothing. What it is to the model is filled in all but
 * `sequence`.
 */
bool city_speak(struct city_source *s, nsec from, nsec step, const struct moment *at,
                struct health_news *ret);

#endif
