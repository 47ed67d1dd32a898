/* SPDX-License-Identifier: EUPL-1.2 */
/* Mail: RFC 5321. What the reply of the last command means stands in 4.2.1. */
#include <stdio.h>

#include "notify/internal.h"
#include "notify/mime.h"

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    const struct notify_provider *p = t->line->provider;
    bool dry = m->marks & NOTIFY_DRY;
    const struct mime mime = {.from = p->from,
                              .to = m->address,
                              .subject = m->subject,
                              .body = m->body,
                              .id = m->attempt,
                              .thread = m->page,
                              .time = senders_realtime(t->line->senders)};
    if (!dry && (!notify_is_mail(m->address) || !slice_copy(m->address, t->to, sizeof t->to))) {
        (void)snprintf(detail, NOTIFY_DETAIL_MAX, "it is no address of mail");
        return false;
    }
    /* What it calls itself is the host that it sends for. */
    buf_printf(&t->url, "%s/%s", p->url, strrchr(p->from, '@') + 1);
    if (!dry) mime_write(&t->body, &mime);
    t->mail = (struct dial_mail){.from = dry ? NULL : p->from,
                                 .to = t->to,
                                 .text = buf_slice(&t->body),
                                 .plain = p->tls == NOTIFY_NO_TLS};
    t->request.mail = &t->mail;
    /* libcurl says a mail once in any case, and would wait for the answer to QUIT, which it says to
     * who is not to be kept, with everybody else waiting. */
    t->request.once = false;
    t->request.user = p->user[0] ? p->user : NULL;
    t->request.secret = t->line->secret.ptr;
    return true;
}

/* "250 2.0.0 Ok: queued as 4TqX": all of it is the reference. */
static void judge(const struct notify_message *m, const struct dial_answer *a, struct verdict *v)
{
    struct slice said = slice_from(a->next, 4);
    (void)m;
    if (!a->why) {
        v->outcome = NOTIFY_ACCEPTED;
        (void)slice_copy(slice_until(said, sizeof v->reference - 1), v->reference,
                         sizeof v->reference);
        judge_quote(v->detail, a->status, said);
        return;
    }
    if (a->refused || a->status >= 500) v->outcome = NOTIFY_REFUSED;
    else if (a->status >= 400) v->outcome = NOTIFY_RETRY;
    else v->outcome = a->sent ? NOTIFY_UNKNOWN : NOTIFY_RETRY;
    if (a->status >= 400) judge_quote(v->detail, a->status, said);
    else (void)snprintf(v->detail, sizeof v->detail, "%s", a->why);
}

const struct kind_ops kind_smtp = {.make = make, .judge = judge, .dry = true};
