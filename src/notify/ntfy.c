/* SPDX-License-Identifier: EUPL-1.2 */
/* A server of ntfy (docs.ntfy.sh/publish): a message as JSON to its root, answered with its id. The
 * address is a topic. Whether the server is well, /v1/health says. */
#include <stdio.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "notify/internal.h"

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    struct buf *out = &t->body;
    buf_puts(&t->url, t->line->provider->where.origin);
    t->request.token = t->line->secret.ptr;
    if (m->marks & NOTIFY_DRY) {
        buf_puts(&t->url, "/v1/health");
        t->request.post = false;
        return true;
    }
    if (m->address.len > 64 || !slice_is_plain(m->address, "-_")) {
        (void)snprintf(detail, NOTIFY_DETAIL_MAX, "it is no topic");
        return false;
    }
    buf_putc(out, '{');
    json_write_member_string(out, "topic", m->address);
    json_write_member_string(out, "title", m->subject);
    json_write_member_string(out, "message", m->body);
    json_write_member_u64(out, "priority", 5);
    if (m->link.len) json_write_member_string(out, "click", m->link);
    buf_putc(out, '}');
    t->request.type = "application/json";
    return true;
}

static void judge(const struct notify_message *m, const struct dial_answer *a, struct verdict *v)
{
    struct slice value, inside;
    if (m->marks & NOTIFY_DRY) {
        if (!json_find_member(a->body, "healthy", NULL, &value) || !slice_eq(value, SLICE("true")))
            v->outcome = NOTIFY_RETRY;
        return;
    }
    if (json_find_member(a->body, "id", NULL, &value) && json_string_inside(value, &inside))
        (void)slice_copy(slice_until(inside, sizeof v->reference - 1), v->reference,
                         sizeof v->reference);
}

const struct kind_ops kind_ntfy = {.make = make, .judge = judge, .dry = true};
