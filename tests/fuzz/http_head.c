/* SPDX-License-Identifier: EUPL-1.2 */
/* What is read of the head of a request. */
#include "collect/route.h"
#include "collect/token.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char scratch[TOKEN_MAX];
    struct slice in = slice_make(data, size), secret, method, path;
    struct route route;
    if (token_read_header(in, scratch, &secret) == 0) HOLDS(secret.len <= TOKEN_MAX);
    (void)slice_split(in, ' ', &method, &path);
    route_find(method, path, &route);
    HOLDS(route.right != 0 || route.action == ROUTE_HEC_HEALTH);
    HOLDS(route.action != ROUTE_ANSWER || (route.body != NULL && route.status >= 200));
    HOLDS(route_error_body(&route, 400) != NULL);
    HOLDS(route.target.len <= path.len);
    return 0;
}
