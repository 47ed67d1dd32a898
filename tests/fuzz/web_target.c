/* SPDX-License-Identifier: EUPL-1.2 */
/* The first line of a request to the API, and where it leads. */
#include "base/utf8.h"
#include "target.h"
#include "web/endpoint.h"

static void check_slices(const struct api_target *t)
{
    const char *end = t->text + sizeof t->text;
    for (uint32_t i = 0; i < t->n_segments; i++)
        HOLDS(t->segments[i].ptr >= t->text && t->segments[i].ptr + t->segments[i].len <= end);
    for (uint32_t i = 0; i < t->n_query; i++) {
        HOLDS(t->query[i].name.len > 0 && utf8_valid(t->query[i].name));
        HOLDS(utf8_valid(t->query[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct api_target t;
    struct api_match m;
    struct slice name;
    struct diag diag;
    if (api_target_read(slice_make(data, size), &t) != 0) return 0;
    HOLDS(t.n_segments >= 1 && t.n_segments <= API_SEGMENTS_MAX && t.n_query <= API_QUERY_MAX);
    check_slices(&t);
    for (unsigned method = 0; method < API_METHOD_COUNT; method++) {
        if (!api_endpoint_find(&t, method, &m)) continue;
        HOLDS(m.methods != 0 && m.n <= 2);
        HOLDS(!m.endpoint || m.endpoint->method == method);
        if (m.endpoint && api_endpoint_check(m.endpoint, &t, &name, &diag) == 0)
            HOLDS(t.n_query == 0 || m.endpoint->parameters != 0);
    }
    return 0;
}
