/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/endpoint.h"

#include "base/buf.h"
#include "base/json_read.h"
#include "desk/desk.h"
#include "test.h"
#include "web/openapi.h"

static bool find(const char *path, enum api_method method, struct api_match *ret)
{
    static struct api_target t;
    REQUIRE(api_target_read(slice_of(path), &t) == 0);
    return api_endpoint_find(&t, method, ret);
}

TEST(paths_lead_to_endpoints)
{
    struct api_match m;
    REQUIRE(find("/api/v1/alerts", API_GET, &m) && m.endpoint);
    CHECK_SLICE(slice_of(m.endpoint->id), "alerts");
    REQUIRE(find("/api/v1/alerts/17", API_GET, &m) && m.endpoint);
    CHECK_SLICE(slice_of(m.endpoint->id), "alert");
    CHECK_SLICE(m.names[0], "id");
    CHECK_SLICE(m.values[0], "17");
    REQUIRE(find("/api/v1/users/anna/roles/admin", API_PUT, &m) && m.endpoint);
    CHECK_SLICE(m.values[0], "anna");
    CHECK_SLICE(m.values[1], "admin");
    REQUIRE(find("/api/v1/alerts", API_DELETE, &m));
    CHECK(!m.endpoint);
    CHECK_INT(m.methods, 1u << API_GET);
    CHECK(!find("/api/v1", API_GET, &m));
    CHECK(!find("/api/v2/alerts", API_GET, &m));
    CHECK(!find("/api/v1/alert", API_GET, &m));
    CHECK(!find("/api/v1/alerts/17/x", API_GET, &m));
}

TEST(each_is_there_once_and_found)
{
    struct api_match m;
    for (size_t i = 0; i < api_n_endpoints; i++) {
        const struct api_endpoint *e = &api_endpoints[i];
        char path[256] = API_ROOT;
        size_t len = strlen(path);
        for (const char *p = e->path; *p; p++)
            if (*p != '{' && *p != '}') path[len++] = *p;
        path[len] = '\0';
        REQUIRE(find(path, e->method, &m));
        CHECK(m.endpoint == e);
        for (size_t k = 0; k < i; k++) CHECK(strcmp(api_endpoints[k].id, e->id) != 0);
        CHECK(e->body == NULL || e->method != API_GET);
        unsigned right = api_endpoint_right(e);
        CHECK(right < RIGHT_COUNT || right == RIGHT_ANYBODY || right == RIGHT_SOMEBODY);
    }
}

/* What can be done to an incident can be done here, under the same right. */
TEST(every_act_has_an_endpoint)
{
    static const struct {
        const char *name;
        unsigned right;
        enum { OPEN, CLOSED, ANY, NO_INCIDENT } to;
    } acts[] = {
#define X(name, right, to, text, undo) {#name, RIGHT_##right, to},
        DESK_ACTS(X)
#undef X
    };
    struct api_match m;
    char path[128];
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (acts[i].to == NO_INCIDENT) continue;
        (void)snprintf(path, sizeof path, API_ROOT "/incidents/1/%s", acts[i].name);
        if (!find(path, API_POST, &m) || !m.endpoint)
            test_fail(__FILE__, __LINE__, "%s has none", acts[i].name);
        else CHECK_INT(api_endpoint_right(m.endpoint), acts[i].right);
    }
}

TEST(parameters_are_what_they_are_said_to_be)
{
    static const struct {
        const char *path;
        bool good;
    } cases[] = {
        {"/api/v1/alerts", true},
        {"/api/v1/alerts?limit=1", true},
        {"/api/v1/alerts?limit=500&level=high", true},
        {"/api/v1/alerts?limit=501", false},
        {"/api/v1/alerts?limit=0", false},
        {"/api/v1/alerts?limit=-1", false},
        {"/api/v1/alerts?limit=1.0", false},
        {"/api/v1/alerts?limit", false},
        {"/api/v1/alerts?level=High", false},
        {"/api/v1/alerts?level=high|low", false},
        {"/api/v1/alerts?name=x", false},
        {"/api/v1/alerts?what=x", false},
        {"/api/v1/alerts?rule=", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct api_target t;
        struct api_match m;
        struct slice name;
        struct diag diag;
        REQUIRE(api_target_read(slice_of(cases[i].path), &t) == 0);
        REQUIRE(api_endpoint_find(&t, API_GET, &m) && m.endpoint);
        if ((api_endpoint_check(m.endpoint, &t, &name, &diag) == 0) != cases[i].good)
            test_fail(__FILE__, __LINE__, "%s", cases[i].path);
    }
}

TEST(document_has_every_schema)
{
    struct buf text;
    struct slice components, schemas, found;
    buf_init(&text, 1 << 20);
    openapi_write(&text);
    REQUIRE(!buf_failed(&text) && json_is_object(buf_slice(&text)));
    REQUIRE(json_find_member(buf_slice(&text), "components", NULL, &components));
    REQUIRE(json_find_member(components, "schemas", NULL, &schemas));
    for (size_t i = 0; i < api_n_endpoints; i++) {
        const struct api_endpoint *e = &api_endpoints[i];
        CHECK(!e->body || json_find_member(schemas, e->body, NULL, &found));
        CHECK(!e->answer || json_find_member(schemas, e->answer, NULL, &found));
    }
    buf_done(&text);
}
