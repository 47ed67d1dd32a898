/* SPDX-License-Identifier: EUPL-1.2 */
/* How an alert is told. */
#ifndef VAKA_WEB_ALERT_H
#define VAKA_WEB_ALERT_H

#include "state/state.h"

struct api;

/* One object, without the event it was found in. */
void api_put_alert(struct buf *out, const struct state_alert *a);
/* NULL: the database cannot be read now. */
struct db *api_db(struct api *w);

#endif
