/* SPDX-License-Identifier: EUPL-1.2 */
/* The product files built into the program. */
#ifndef VAKA_PRODUCT_DATA_H
#define VAKA_PRODUCT_DATA_H

#include "base/embedded.h"

extern const struct embedded product_files[]; /* ends with a NULL name */

#endif
