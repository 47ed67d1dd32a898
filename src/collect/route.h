/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a request over HTTP is, by its method and path, and what senders expect to be told in their
 * own way: Elasticsearch's REST API (version 8), Splunk's HTTP Event Collector, OpenTelemetry
 * (OTLP/HTTP 1), systemd-journal-remote.
 */
#ifndef VAKA_COLLECT_ROUTE_H
#define VAKA_COLLECT_ROUTE_H

#include "base/buf.h"
#include "base/slice.h"

enum route_action {
    ROUTE_ANSWER,    /* `body` with `status`, at once */
    ROUTE_CONTAINER, /* the body is a container of kind `container` */
    ROUTE_JOURNAL,   /* the body is a stream of journal entries */
    ROUTE_HEC_HEALTH,
    ROUTE_METRICS,
};

struct route {
    enum route_action action;
    unsigned right; /* TOKEN_…; 0: nobody needs one */
    int container;  /* enum container_kind */
    unsigned status;
    const char *body;    /* constant JSON */
    struct slice target; /* of a bulk: the index in the path; borrowed of it */
};

/* Always gives one: what is not known has the answer 404, what is known by another method 405. */
void route_find(struct slice method, struct slice path, struct route *ret);

/* The words for an error, in the way of whom the path belongs to. Constant. */
const char *route_error_body(const struct route *route, unsigned status);

#endif
