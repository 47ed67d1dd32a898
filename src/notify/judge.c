/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdio.h>

#include "base/text.h"
#include "notify/internal.h"

enum { QUOTED = 160 };

void judge_quote(char detail[NOTIFY_DETAIL_MAX], unsigned status, struct slice text)
{
    struct buf shown;
    buf_init(&shown, NOTIFY_DETAIL_MAX);
    (void)text_put_visible(&shown, slice_trim(slice_until(text, QUOTED)), QUOTED);
    if (status)
        (void)snprintf(detail, NOTIFY_DETAIL_MAX, "%u%s%.*s", status, shown.len ? ": " : "",
                       SLICE_FMT(buf_slice(&shown)));
    else (void)snprintf(detail, NOTIFY_DETAIL_MAX, "%.*s", SLICE_FMT(buf_slice(&shown)));
    buf_done(&shown);
}

/* Who is told to wait, and who finds nobody at work, is not refused. A gateway that failed on the
 * way, or a server that broke at it, may have done it all the same. */
static enum notify_outcome outcome_of(unsigned status)
{
    if (status >= 200 && status < 300) return NOTIFY_ACCEPTED;
    if (status == 408 || status == 425 || status == 429 || status == 503) return NOTIFY_RETRY;
    return status >= 500 ? NOTIFY_UNKNOWN : NOTIFY_REFUSED;
}

void judge_http(const struct dial_answer *a, struct verdict *v)
{
    if (!a->why) {
        v->outcome = outcome_of(a->status);
        judge_quote(v->detail, a->status, v->outcome == NOTIFY_ACCEPTED ? SLICE_NONE : a->body);
        return;
    }
    v->outcome = a->sent ? NOTIFY_UNKNOWN : a->refused ? NOTIFY_REFUSED : NOTIFY_RETRY;
    (void)snprintf(v->detail, sizeof v->detail, "%s", a->why);
}
