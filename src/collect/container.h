/* SPDX-License-Identifier: EUPL-1.2 */
/* A body as it came, with what is needed to make records of it. */
#ifndef VAKA_COLLECT_CONTAINER_H
#define VAKA_COLLECT_CONTAINER_H

#include "base/clock.h"
#include "base/slice.h"

/* name, text. The numbers are said between processes: new ones go to the end. */
#define CONTAINER_KINDS(X)                                                                         \
    X(NDJSON, "ndjson")       /* /api/ingest: one JSON object a line */                            \
    X(BULK, "bulk")           /* Elasticsearch: action and document lines */                       \
    X(HEC, "hec")             /* Splunk: JSON objects, one behind the other */                     \
    X(HEC_RAW, "hec-raw")     /* Splunk: lines */                                                  \
    X(OTLP_LOGS, "otlp-logs") /* ExportLogsServiceRequest, protobuf or JSON by its type */         \
    X(FLOW, "flow")           /* one datagram: NetFlow 5, 9 or IPFIX by its first two bytes */

enum container_kind {
#define X(name, text) CONTAINER_##name,
    CONTAINER_KINDS(X)
#undef X
        CONTAINER_KIND_COUNT,
};

struct container {
    enum container_kind kind;
    uint32_t tenant;
    bool authenticated;    /* RECORD_AUTHENTICATED for its records */
    nsec received;         /* realtime, when its last byte was read */
    struct slice source;   /* as record.source */
    struct slice delivery; /* idempotency key or channel the sender gave; may be empty */
    struct slice path;     /* of the request, without its query */
    struct slice query;    /* name=value&…, %XX for all but letters, digits and -._~ */
    struct slice content_type, content_encoding; /* as they were sent */
    struct slice body;
};

const char *container_kind_name(unsigned kind);

#endif
