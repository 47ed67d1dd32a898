/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/route.h"

#include "collect/token.h"
#include "event/container.h"
#include "test.h"

static void check(const char *method, const char *path, enum route_action action, unsigned right,
                  int container, unsigned status)
{
    struct route r;
    route_find(slice_of(method), slice_of(path), &r);
    if (r.action != action || r.right != right || r.container != container || r.status != status)
        test_fail(__FILE__, __LINE__, "%s %s: action %d right %u container %d status %u", method,
                  path, (int)r.action, r.right, r.container, r.status);
    if (action == ROUTE_ANSWER) CHECK(r.body != NULL);
}

TEST(route_knows_what_shippers_ask)
{
    check("POST", "/api/ingest", ROUTE_CONTAINER, TOKEN_INGEST, CONTAINER_NDJSON, 0);
    check("POST", "/_bulk", ROUTE_CONTAINER, TOKEN_ELASTIC, CONTAINER_BULK, 0);
    check("PUT", "/logs-2026.11/_bulk", ROUTE_CONTAINER, TOKEN_ELASTIC, CONTAINER_BULK, 0);
    check("GET", "/", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200);
    check("HEAD", "/", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200);
    check("GET", "/_license", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200);
    check("HEAD", "/_index_template/filebeat-8.11.0", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 200);
    check("POST", "/services/collector", ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC, 0);
    check("POST", "/services/collector/event/", ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC, 0);
    check("POST", "/services/collector/raw", ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC_RAW, 0);
    check("POST", "/services/collector/ack", ROUTE_CONTAINER, TOKEN_SPLUNK, CONTAINER_HEC_ACK, 0);
    check("GET", "/services/collector/health", ROUTE_HEC_HEALTH, 0, 0, 0);
    check("POST", "/v1/logs", ROUTE_CONTAINER, TOKEN_OTLP, CONTAINER_OTLP_LOGS, 0);
    check("POST", "/upload", ROUTE_JOURNAL, TOKEN_JOURNAL, 0, 0);
    check("GET", "/metrics", ROUTE_METRICS, TOKEN_METRICS, 0, 0);
}

TEST(route_refuses_the_rest)
{
    check("GET", "/upload", ROUTE_ANSWER, TOKEN_JOURNAL, 0, 405);
    check("POST", "/services/collector/health", ROUTE_ANSWER, TOKEN_SPLUNK, 0, 405);
    check("DELETE", "/_bulk", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 405);
    check("POST", "/a/b/_bulk", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 404);
    check("POST", "//_bulk", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 404);
    check("GET", "/_search", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 404);
    check("GET", "", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 404);
    check("GET", "/_license/x", ROUTE_ANSWER, TOKEN_ELASTIC, 0, 404);
}

static struct slice target_of(const char *path)
{
    struct route r;
    route_find(SLICE("POST"), slice_of(path), &r);
    return r.target;
}

TEST(route_finds_the_index_of_a_bulk)
{
    CHECK_SLICE(target_of("/logs-2026.11/_bulk"), "logs-2026.11");
    CHECK_SLICE(target_of("/logs/_bulk/"), "");
    CHECK_SLICE(target_of("/_bulk"), "");
    CHECK_SLICE(target_of("/services/collector"), "");
    CHECK_SLICE(target_of("/a/b/_bulk"), "");
}
