/* SPDX-License-Identifier: EUPL-1.2 */
/* What accounts are called: letters and digits of ASCII, . _ - and @; of either case one name. */
#ifndef VAKA_ACCOUNT_NAME_H
#define VAKA_ACCOUNT_NAME_H

#include "account/claim.h"

/* In lower case, with a NUL behind it; false: it cannot be a name. */
bool name_read(struct slice text, char ret[static ACCOUNT_NAME_MAX + 1]);

#endif
