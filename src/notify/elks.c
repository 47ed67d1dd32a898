/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * SMS and calls by 46elks, or whoever speaks as it does: POST /a1/sms and /a1/calls, Basic
 * authentication, forms (46elks.com/docs: "Send an SMS", "Make a phone call", "Call actions").
 * Written after the documentation; not tried against the provider.
 */
#include <stdio.h>

#include "base/form.h"
#include "base/json_write.h"
#include "notify/internal.h"
#include "notify/sms.h"

enum { SPOKEN_MAX = 180, KEY_WITHIN = 15, KEY_TRIES = 3, RING = 45, CALLBACK_TEXT = 2048 };

static void put_callback(struct try *t, const char *field)
{
    struct buf url;
    buf_init(&url, NOTIFY_URL_MAX);
    if (line_put_callback(t->line, &url) && !buf_failed(&url))
        form_put(&t->body, field, buf_slice(&url));
    buf_done(&url);
}

/* Where the key that was pressed is told, or that the call ends with it. */
static void put_menu(struct buf *out, const struct line *l, struct slice sound)
{
    struct buf url;
    buf_init(&url, NOTIFY_URL_MAX);
    buf_putc(out, '{');
    json_write_member_string(out, "ivr", sound);
    json_write_member_u64(out, "digits", 1);
    json_write_member_u64(out, "timeout", KEY_WITHIN);
    json_write_member_u64(out, "repeat", KEY_TRIES);
    if (line_put_callback(l, &url) && !buf_failed(&url))
        json_write_member_string(out, "next", buf_slice(&url));
    buf_putc(out, '}');
    buf_done(&url);
}

/* A recording says what it has to; else the text is read, and the key asked for by a tone. */
static void put_action(struct buf *out, const struct line *l, struct slice spoken)
{
    const char *prompt = l->provider->prompt;
    struct buf sound;
    if (prompt[0]) {
        put_menu(out, l, slice_of(prompt));
        return;
    }
    buf_init(&sound, SPOKEN_MAX + 16);
    buf_puts(&sound, l->provider->swedish ? "sv_SE/" : "en_US/");
    buf_put(&sound, slice_until(spoken, SPOKEN_MAX));
    buf_putc(out, '{');
    json_write_member_string(out, "play", buf_slice(&sound));
    json_write_key(out, "next");
    put_menu(out, l, SLICE("sound/beep"));
    buf_putc(out, '}');
    buf_done(&sound);
}

static void make_call(struct try *t, const struct notify_message *m)
{
    struct buf action;
    char ring[16];
    buf_init(&action, REQUEST_MAX);
    put_action(&action, t->line, t->line->provider->swedish ? m->spoken_sv : m->spoken_en);
    (void)snprintf(ring, sizeof ring, "%d", RING);
    form_put(&t->body, "from", slice_of(t->line->provider->voice));
    form_put(&t->body, "voice_start", buf_slice(&action));
    form_put(&t->body, "timeout", slice_of(ring));
    put_callback(t, "whenhangup");
    if (buf_failed(&action)) t->body.failed = true;
    buf_done(&action);
}

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    const struct notify_provider *p = t->line->provider;
    bool sms = m->channel == NOTIFY_SMS, dry = m->marks & NOTIFY_DRY;
    t->request.user = p->user;
    t->request.secret = t->line->secret.ptr;
    /* A call cannot be tried; whether it would be taken from us the account says. */
    if (dry && (!sms || !m->address.len)) {
        buf_printf(&t->url, "%s/a1/me", p->url);
        t->request.post = false;
        return true;
    }
    if (!notify_is_number(m->address)) {
        (void)snprintf(detail, NOTIFY_DETAIL_MAX, "it is no number such as +46701234567");
        return false;
    }
    buf_printf(&t->url, "%s/a1/%s", p->url, sms ? "sms" : "calls");
    form_put(&t->body, "to", m->address);
    if (!sms) {
        make_call(t, m);
        return true;
    }
    form_put(&t->body, "from", slice_of(p->from));
    form_put(&t->body, "message", m->body);
    put_callback(t, "whendelivered");
    if (dry) form_put(&t->body, "dryrun", SLICE("yes"));
    return true;
}

static void judge(const struct notify_message *m, const struct dial_answer *a, struct verdict *v)
{
    struct elks_item item;
    if (m->marks & NOTIFY_DRY) return;
    if (!elks_item_read(a->body, &item)) {
        /* It was accepted, and nobody can be asked what became of it. */
        v->outcome = NOTIFY_UNKNOWN;
        (void)snprintf(v->detail, sizeof v->detail, "the answer has no id");
        return;
    }
    (void)slice_copy(item.id, v->reference, sizeof v->reference);
    if (m->channel == NOTIFY_SMS) {
        struct sms_size size;
        sms_measure(m->body, &size);
        (void)snprintf(v->detail, sizeof v->detail, "%u, %u SMS%s", a->status, size.segments,
                       size.wide ? " of UCS-2" : "");
    }
    if (elks_outcome(m->channel, m->channel == NOTIFY_SMS ? item.status : item.state) ==
        NOTIFY_REFUSED)
        v->outcome = NOTIFY_REFUSED;
}

/* ---- callbacks --------------------------------------------------------------------------- */

struct told {
    struct buf id, state, from, text;
};

static void hear(struct line *l, enum notify_channel channel, const struct told *t)
{
    struct known *k =
        memory_find_reference(senders_memory(l->senders), l, channel, buf_slice(&t->id));
    struct verdict v = {.outcome = elks_outcome(channel, buf_slice(&t->state))};
    if (!k || !v.outcome) return;
    judge_quote(v.detail, 0, buf_slice(&t->state));
    senders_hear(l->senders, k, &v);
}

/* "Receive an SMS", "SMS delivery reports", "Action: IVR", "Make a phone call" (whenhangup). */
static unsigned take_told(struct line *l, struct slice body, struct told *t, struct buf *answer)
{
    bool call = form_find(body, "callid", &t->id);
    if (call && form_find(body, "result", &t->text)) {
        if (elks_is_digits(buf_slice(&t->text)))
            senders_answer(l, NOTIFY_VOICE, buf_slice(&t->id), SLICE_NONE, buf_slice(&t->text));
        buf_puts(answer, "{\"play\":\"sound/beep\"}");
        return 200;
    }
    if (!call && !form_find(body, "id", &t->id)) return 400;
    if (form_find(body, "direction", &t->text) &&
        slice_eq(buf_slice(&t->text), SLICE("incoming"))) {
        if (!form_find(body, "from", &t->from) || !form_find(body, "message", &t->text)) return 400;
        senders_answer(l, NOTIFY_SMS, buf_slice(&t->id), buf_slice(&t->from), buf_slice(&t->text));
        return 204;
    }
    if (form_find(body, "status", &t->state)) hear(l, NOTIFY_SMS, t);
    else if (form_find(body, "state", &t->state)) hear(l, NOTIFY_VOICE, t);
    else return 400;
    return 204;
}

static unsigned told(struct line *l, struct slice body, struct buf *answer)
{
    struct told t;
    buf_init(&t.id, NOTIFY_REFERENCE_MAX);
    buf_init(&t.state, NOTIFY_REFERENCE_MAX);
    buf_init(&t.from, NOTIFY_ADDRESS_MAX);
    buf_init(&t.text, CALLBACK_TEXT);
    unsigned status = take_told(l, body, &t, answer);
    buf_done(&t.id);
    buf_done(&t.state);
    buf_done(&t.from);
    buf_done(&t.text);
    return status;
}

const struct kind_ops kind_elks = {.make = make, .judge = judge, .told = told, .dry = true};
