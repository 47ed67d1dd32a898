/* SPDX-License-Identifier: EUPL-1.2 */
/* How an alert is told. */
#ifndef VAKA_WEB_ALERT_H
#define VAKA_WEB_ALERT_H

#include "desk/read.h"
#include "state/state.h"

struct api;
struct api_call;

/* One object, without the event it was found in. */
void api_put_alert(struct buf *out, const struct state_alert *a);
/* It could not be read: it is opened anew for the next one, and this one is refused. */
void api_db_drop(struct api *w);
void api_db_failed(struct api_call *c);
/* Of the tenant of who asks; its db may be NULL. */
struct desk_view api_view(const struct api_call *c);
/* NULL: the database cannot be read now. */
struct db *api_db(struct api *w);

#endif
