/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/watchdog_teller.h"

#include "base/log.h"

#define AGAIN   (10 * NSEC_PER_SEC)
#define EXPIRES 600 /* s */

/* ---- messages ---------------------------------------------------------------------------- */

static void send_to(struct teller *t, struct teller_contact *c)
{
    c->attempt = ++t->last_attempt;
    c->next = 0;
    c->tries++;
    senders_send(
        t->senders, (unsigned)(c - t->contacts),
        &(struct notify_message){.attempt = c->attempt,
                                 .channel = c->channel,
                                 .expires = clock_realtime(&t->clock) / NSEC_PER_SEC + EXPIRES,
                                 .provider = slice_of(c->provider),
                                 .address = slice_of(c->address),
                                 .subject = SLICE("Vaka"),
                                 .body = buf_slice(&t->body),
                                 .spoken_sv = buf_slice(&t->spoken_sv),
                                 .spoken_en = buf_slice(&t->spoken_en)});
}

static void copy(struct buf *to, struct slice text)
{
    buf_clear(to);
    buf_put(to, text);
}

/* All at once: who has to be told by a watchdog is not told by anybody else. */
void teller_tell(struct teller *t, const struct teller_message *message)
{
    copy(&t->body, message->body);
    copy(&t->spoken_sv, message->spoken_sv);
    copy(&t->spoken_en, message->spoken_en);
    for (size_t i = 0; i < t->n_contacts; i++) {
        t->contacts[i].tries = 0;
        send_to(t, &t->contacts[i]);
    }
}

static void on_sent(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                    struct slice reference, struct slice detail)
{
    struct teller *t = ctx;
    struct teller_contact *c = &t->contacts[asker];
    nsec now = clock_monotonic(&t->clock);
    bool taken = outcome == NOTIFY_ACCEPTED || outcome == NOTIFY_DELIVERED;
    (void)reference;
    log_write(LOG_WATCHDOG_SENT, LOG_TEXT("provider", slice_of(c->provider)),
              LOG_TEXT("outcome", slice_of(notify_outcome_name(outcome))),
              LOG_TEXT("detail", detail));
    if (c->attempt != attempt) return;
    c->attempt = 0;
    if (!taken && c->tries < TELLER_TRIES_MAX) c->next = now + AGAIN;
}

static void on_answered(void *ctx, enum notify_channel channel, struct slice provider,
                        struct slice reference, struct slice from, struct slice text)
{
    (void)ctx, (void)channel, (void)provider, (void)reference, (void)from, (void)text;
}

static void on_changed(void *ctx)
{
    (void)ctx;
}

void teller_tick(struct teller *t)
{
    nsec now = clock_monotonic(&t->clock);
    for (size_t i = 0; i < t->n_contacts; i++)
        if (t->contacts[i].next && now >= t->contacts[i].next) send_to(t, &t->contacts[i]);
}

/* It is started again by who started it, and looks up hosts then. */
static void on_lost(void *ctx)
{
    struct teller *t = ctx;
    loop_stop(t->loop, ERR_STOPPED);
}

static void keep_port(void *ctx, uint16_t port)
{
    struct teller *t = ctx;
    if (t->n_ports < TELLER_PORTS_MAX) t->ports[t->n_ports++] = port;
}

/* ---- what it needs ----------------------------------------------------------------------- */

/* "sms elks +46701234567" */
static int read_contact(struct teller *t, const char *text, struct diag *diag)
{
    struct slice rest = slice_of(text), channel = slice_next_word(&rest),
                 provider = slice_next_word(&rest), address = slice_trim(rest);
    struct teller_contact *c = &t->contacts[t->n_contacts];
    c->channel = notify_channel_read(channel);
    if (c->channel == NOTIFY_NO_CHANNEL || !slice_copy(provider, c->provider, sizeof c->provider) ||
        !provider.len || !slice_copy(address, c->address, sizeof c->address))
        return diag_set(diag, ERR_SYNTAX, NULL, 0, 0,
                        "watchdog.contacts: %s: a channel, a provider of notify.providers and an "
                        "address are expected",
                        text);
    t->n_contacts++;
    return 0;
}

static int read_contacts(struct teller *t, const struct config_list *list, struct diag *diag)
{
    int error = list->n ? 0
                        : diag_set(diag, ERR_INVALID, NULL, 0, 0,
                                   "watchdog.contacts names nobody who could be told");
    for (uint32_t i = 0; i < list->n && error == 0; i++)
        error = read_contact(t, list->items[i], diag);
    return error;
}

static int open_senders(struct teller *t, const struct config *config, bool confined,
                        struct diag *diag)
{
    const struct senders_options options = {
        .loop = t->loop,
        .clock = t->clock,
        .providers = config->notify_providers.items,
        .n_providers = config->notify_providers.n,
        .trust = config->notify_trust.n ? config->notify_trust.items[0] : NULL,
        .proxy = config->notify_proxy.n ? config->notify_proxy.items[0] : NULL,
        .lasting = true,
        .confined = confined,
        .out = {.ctx = t,
                .sent = on_sent,
                .answered = on_answered,
                .changed = on_changed,
                .lost = on_lost}};
    return senders_new(&options, &t->senders, diag);
}

int teller_open(struct teller *t, const struct config *config, struct clock clock,
                struct loop *loop, bool confined, struct diag *diag)
{
    *t = (struct teller){.loop = loop, .clock = clock};
    buf_init(&t->body, NOTIFY_TEXT_MAX);
    buf_init(&t->spoken_sv, NOTIFY_TEXT_MAX);
    buf_init(&t->spoken_en, NOTIFY_TEXT_MAX);
    int error = read_contacts(t, &config->watchdog_contacts, diag);
    if (error == 0) error = open_senders(t, config, confined, diag);
    if (error == 0) senders_ports(t->senders, keep_port, t);
    return error;
}

void teller_done(struct teller *t)
{
    senders_free(t->senders);
    buf_done(&t->body);
    buf_done(&t->spoken_sv);
    buf_done(&t->spoken_en);
}
