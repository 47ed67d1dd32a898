/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What processes say about themselves, in the text form that Prometheus reads
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
 */
#ifndef VAKA_SERVE_METRICS_H
#define VAKA_SERVE_METRICS_H

#include "collect/ledger.h"
#include "serve/roles.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
enum {
    METRICS_SOURCES_MAX = 500, /* that are shown one by one */
    METRICS_LABEL_MAX = 200,   /* bytes of a label's value; longer ones are cut */
};

/*
 * `reports`: the JSON object that each process said last; empty for one that has not spoken yet.
 * Every number and word in them is shown, those that are not known here without a type. Of what is
 * nested, nothing; collect's is in the ledger.
 */
void metrics_write(struct buf *out, const struct slice reports[REPORT_COUNT],
                   const struct ledger *ledger);

/* Appends the value of a label, without its quotes: escaped, U+FFFD for what is not UTF-8. */
void metrics_put_label(struct buf *out, struct slice value);

#endif
