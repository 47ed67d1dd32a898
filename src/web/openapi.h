/* SPDX-License-Identifier: EUPL-1.2 */
/* The OpenAPI 3.1 document, made from endpoints.tbl, the rights, the problems and schemas.json. */
#ifndef VAKA_WEB_OPENAPI_H
#define VAKA_WEB_OPENAPI_H

#include "base/buf.h"
#include "base/embedded.h"

/* Appends it as JSON. */
void openapi_write(struct buf *out);

extern const struct embedded openapi_files[];

#endif
