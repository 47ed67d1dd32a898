/* SPDX-License-Identifier: EUPL-1.2 */
/* What verification found, as JSON. */
#ifndef VAKA_VERIFY_SHOW_H
#define VAKA_VERIFY_SHOW_H

#include "base/buf.h"
#include "verify/verify.h"

/* {"verdict":…,"what":…} and the place, as far as it is known. */
void verify_write_finding(struct buf *out, const struct verify_finding *f);
/* Members of an object: the verdict, the first of the worst, and how much of what there is. */
void verify_write_report(struct buf *out, const struct verify_report *r);

#endif
