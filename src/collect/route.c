/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/route.h"

#include "collect/token.h"
#include "event/container.h"

#define ELASTIC_VERSION "8.11.0"

static const char elastic_root[] =
    "{\"name\":\"vaka\",\"cluster_name\":\"vaka\",\"cluster_uuid\":\"vaka\",\"version\":{"
    "\"number\":\"" ELASTIC_VERSION "\",\"build_flavor\":\"default\",\"build_type\":\"deb\","
    "\"build_hash\":\"0\",\"build_date\":\"2023-11-04T10:04:57.184859352Z\",\"build_snapshot\":"
    "false,"
    "\"lucene_version\":\"9.8.0\",\"minimum_wire_compatibility_version\":\"7.17.0\","
    "\"minimum_index_compatibility_version\":\"7.0.0\"},\"tagline\":\"You Know, for Search\"}";
static const char elastic_license[] =
    "{\"license\":{\"status\":\"active\",\"uid\":\"00000000-0000-0000-0000-000000000000\","
    "\"type\":\"basic\",\"issue_date\":\"2023-01-01T00:00:00.000Z\",\"issue_date_in_millis\":"
    "1672531200000,\"max_nodes\":1000,\"issued_to\":\"vaka\",\"issuer\":\"vaka\","
    "\"start_date_in_millis\":-1}}";
static const char elastic_xpack[] =
    "{\"build\":{\"hash\":\"0\",\"date\":\"2023-11-04T10:04:57.184859352Z\"},\"license\":{\"uid\":"
    "\"00000000-0000-0000-0000-000000000000\",\"type\":\"basic\",\"mode\":\"basic\",\"status\":"
    "\"active\"},\"features\":{\"ilm\":{\"available\":false,\"enabled\":false}}}";
static const char elastic_health[] =
    "{\"cluster_name\":\"vaka\",\"status\":\"green\",\"timed_out\":false,\"number_of_nodes\":1,"
    "\"number_of_data_nodes\":1}";
static const char acknowledged[] = "{\"acknowledged\":true}";

enum { GET = 1, POST = 2, PUT = 4, HEAD = 8 };

/* The first that fits. A path that ends in / is the beginning of one. */
static const struct {
    unsigned methods;
    const char *path;
    struct route route;
} table[] = {
    {POST | PUT,
     "/api/ingest",
     {ROUTE_CONTAINER, TOKEN_INGEST, CONTAINER_NDJSON, 0, NULL, SLICE_NONE}},
    {GET | HEAD, "/metrics", {ROUTE_METRICS, TOKEN_METRICS, 0, 0, NULL, SLICE_NONE}},
    {POST, "/upload", {ROUTE_JOURNAL, TOKEN_JOURNAL, 0, 0, NULL, SLICE_NONE}},
    {POST, "/v1/logs", {ROUTE_CONTAINER, TOKEN_OTLP, CONTAINER_OTLP_LOGS, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector/event",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector/event/1.0",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector/raw",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC_RAW, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector/raw/1.0",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC_RAW, 0, NULL, SLICE_NONE}},
    {POST,
     "/services/collector/ack",
     {ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC_ACK, 0, NULL, SLICE_NONE}},
    {GET | HEAD, "/services/collector/health", {ROUTE_HEC_HEALTH, 0, 0, 0, NULL, SLICE_NONE}},
    {GET | HEAD, "/services/collector/health/1.0", {ROUTE_HEC_HEALTH, 0, 0, 0, NULL, SLICE_NONE}},
    {POST | PUT, "/_bulk", {ROUTE_CONTAINER, TOKEN_ELASTIC, CONTAINER_BULK, 0, NULL, SLICE_NONE}},
    {GET | HEAD, "/", {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, elastic_root, SLICE_NONE}},
    {GET, "/_license", {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, elastic_license, SLICE_NONE}},
    {GET, "/_xpack", {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, elastic_xpack, SLICE_NONE}},
    {GET, "/_cluster/health", {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, elastic_health, SLICE_NONE}},
    /* Shippers set up what we do not need, and go on when it is there. */
    {GET | HEAD | PUT | POST,
     "/_index_template/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD | PUT | POST,
     "/_component_template/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD | PUT | POST,
     "/_template/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD | PUT,
     "/_ilm/policy/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD | PUT,
     "/_ingest/pipeline/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD | PUT,
     "/_data_stream/",
     {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
    {GET | HEAD, "/_alias/", {ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200, acknowledged, SLICE_NONE}},
};

static unsigned method_of(struct slice method)
{
    return slice_eq(method, SLICE("GET"))    ? GET
           : slice_eq(method, SLICE("POST")) ? POST
           : slice_eq(method, SLICE("PUT"))  ? PUT
           : slice_eq(method, SLICE("HEAD")) ? HEAD
                                             : 0u;
}

static bool fits(struct slice pattern, struct slice path)
{
    if (pattern.len > 1 && pattern.ptr[pattern.len - 1] == '/')
        return slice_starts_with(path, pattern);
    return slice_eq(path, pattern);
}

/* /INDEX/_bulk, the index of one segment. */
static bool is_bulk_of_index(struct slice path, struct slice *ret_index)
{
    struct slice rest;
    if (path.len == 0 || path.ptr[0] != '/') return false;
    return slice_split(slice_from(path, 1), '/', ret_index, &rest) && ret_index->len > 0 &&
           slice_eq(rest, SLICE("_bulk"));
}

void route_find(struct slice method, struct slice path, struct route *ret)
{
    unsigned m = method_of(method);
    /* Who may not even ask is told nothing. The least right that knows it: any. */
    *ret =
        (struct route){.action = ROUTE_ANSWER, .right = TOKEN_ELASTIC, .status = 404, .body = "{}"};
    struct slice target = SLICE_NONE;
    if (is_bulk_of_index(path, &target)) path = SLICE("/_bulk");
    else target = SLICE_NONE;
    if (path.len > 1 && path.ptr[path.len - 1] == '/') path.len--;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (!fits(slice_of(table[i].path), path)) continue;
        if (table[i].methods & m) {
            *ret = table[i].route;
            ret->target = target;
            return;
        }
        /* Nobody learns more without a right than the one answer that needs none. */
        unsigned right = table[i].route.right ? table[i].route.right : (unsigned)TOKEN_SPLUNK;
        *ret = (struct route){.action = ROUTE_ANSWER, .right = right, .status = 405, .body = "{}"};
    }
}

const char *route_error_body(const struct route *route, unsigned status)
{
    bool splunk = route->right == TOKEN_SPLUNK || route->action == ROUTE_HEC_HEALTH;
    switch (status) {
    case 401:
        if (splunk) return "{\"text\":\"Token is required\",\"code\":2}";
        return "{\"error\":{\"type\":\"security_exception\",\"reason\":\"no credential\"},"
               "\"status\":401}";
    case 403:
        if (splunk) return "{\"text\":\"Invalid token\",\"code\":4}";
        return "{\"error\":{\"type\":\"security_exception\",\"reason\":\"not allowed\"},"
               "\"status\":403}";
    case 413:
        return "{\"error\":{\"type\":\"too_large\",\"reason\":\"the body is above the limit\"},"
               "\"status\":413}";
    case 503:
        if (splunk) return "{\"text\":\"Server is busy\",\"code\":9}";
        return "{\"error\":{\"type\":\"busy\",\"reason\":\"send it again\"},\"status\":503}";
    default:
        if (splunk) return "{\"text\":\"Invalid data format\",\"code\":6}";
        return "{\"error\":{\"type\":\"bad_request\",\"reason\":\"not "
               "understood\"},\"status\":400}";
    }
}
