/* SPDX-License-Identifier: EUPL-1.2 */
/* A body as it came, with what is needed to make records of it. */
#ifndef VAKA_EVENT_CONTAINER_H
#define VAKA_EVENT_CONTAINER_H

#include "base/clock.h"
#include "base/slice.h"

/* name, text. The numbers are said between processes: new ones go to the end. */
#define CONTAINER_KINDS(X)                                                                         \
    X(NDJSON, "ndjson")       /* /api/ingest: a JSON object a line, or an array of objects */      \
    X(BULK, "bulk")           /* Elasticsearch's _bulk: action and document lines */               \
    X(HEC, "hec")             /* Splunk's event collector: JSON objects, one behind the other */   \
    X(HEC_RAW, "hec-raw")     /* its raw endpoint: lines, and query parameters for all of them */  \
    X(OTLP_LOGS, "otlp-logs") /* ExportLogsServiceRequest, protobuf or JSON by its type */         \
    X(FLOW, "flow")           /* one datagram of NetFlow 5, 9 or IPFIX; has no answer */           \
    X(HEC_ACK, "hec-ack")     /* Splunk: which numbers are stored? Gives no records */

enum container_kind {
#define X(name, text) CONTAINER_##name,
    CONTAINER_KINDS(X)
#undef X
        CONTAINER_KIND_COUNT,
};

struct container {
    enum container_kind kind;
    uint32_t tenant;
    uint8_t flags;         /* RECORD_AUTHENTICATED or 0; of its records */
    nsec received;         /* realtime, when its last byte was read */
    struct slice source;   /* as record.source; for flows also who exports */
    struct slice delivery; /* the key the sender gave, may be empty; records get its positions */
    struct slice target;   /* BULK: the index in the path, or empty */
    struct slice query;    /* name=value&…, %XX for all but letters, digits and -._~ */
    struct slice content_type, content_encoding; /* as they were sent; empty: none */
    struct slice body;
};

const char *container_kind_name(unsigned kind);

#endif
