/* SPDX-License-Identifier: EUPL-1.2 */
/* What each process said about itself last, for those that are asked about it. */
#ifndef VAKA_SERVE_REPORTS_H
#define VAKA_SERVE_REPORTS_H

#include "base/buf.h"
#include "proc/frame.h"
#include "serve/roles.h"

enum { REPORT_MAX = 1024 * 1024 }; /* bytes of one */

struct say_report;

struct reports {
    struct buf of[REPORT_COUNT]; /* a JSON object, or empty: it has not said anything */
};

void reports_init(struct reports *r);
/* *ret is what came; ERR_CORRUPT. */
int reports_take(struct reports *r, const struct frame *frame, struct say_report *ret) MUST_USE;
/* "processes":{"store":{…},…},"supervisor":{…} */
void reports_write(const struct reports *r, struct buf *out);

#endif
