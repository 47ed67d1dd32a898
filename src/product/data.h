/* SPDX-License-Identifier: EUPL-1.2 */
/* The product files built into the program. */
#ifndef VAKA_PRODUCT_DATA_H
#define VAKA_PRODUCT_DATA_H

#include <stddef.h>

struct product_data {
    const char *name; /* "products/cisco-asa.yml" */
    const unsigned char *text;
    size_t len;
};
extern const struct product_data product_files[]; /* ends with a NULL name */

#endif
