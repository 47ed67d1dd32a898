/* SPDX-License-Identifier: EUPL-1.2 */
/* The OpenAPI 3.1 document, made from endpoints.tbl, the rights, the problems and schemas.json. */
#ifndef VAKA_WEB_OPENAPI_H
#define VAKA_WEB_OPENAPI_H

#include "base/buf.h"

/* Appends it as JSON. */
void openapi_write(struct buf *out);

struct openapi_file {
    const char *name;
    const unsigned char *bytes;
    size_t len;
};
extern const struct openapi_file openapi_files[];

#endif
