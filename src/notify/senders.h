/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All providers of the settings at work: notify.h has what an attempt is. Each provider has places
 * of its own for attempts that wait and that are under way, so that one that hangs keeps nobody
 * else waiting.
 */
#ifndef VAKA_NOTIFY_SENDERS_H
#define VAKA_NOTIFY_SENDERS_H

#include "notify/notify.h"

struct senders;

struct senders_out {
    void *ctx;
    /* What became of an attempt, for who asked for it. */
    void (*sent)(void *ctx, unsigned asker, uint64_t attempt, enum notify_outcome outcome,
                 struct slice reference, struct slice detail);
    void (*answered)(void *ctx, enum notify_channel channel, struct slice provider,
                     struct slice reference, struct slice from, struct slice text);
    /* How providers are has changed. */
    void (*changed)(void *ctx);
    /* Of those that last: where hosts are is not looked up any more. */
    void (*lost)(void *ctx);
};

struct senders_options {
    struct loop *loop; /* borrowed */
    struct clock clock;
    const char *const *providers; /* as in notify.providers */
    size_t n_providers;
    const char *trust, *proxy; /* notify.trust, notify.proxy; NULL: none */
    const char *address;       /* web.address, where we are reached; NULL: nowhere */
    bool lasting;  /* hosts are looked up again and again, by a process of its own … */
    bool confined; /* … in its sandbox */
    struct senders_out out;
};

/*
 * Reads providers and secrets and looks addresses up: before the sandbox. A secret that cannot be
 * read is its provider's trouble alone. diag tells what is wrong with the settings.
 */
int senders_new(const struct senders_options *options, struct senders **ret,
                struct diag *diag) MUST_USE;
/* What is under way is let go. May be NULL. */
void senders_free(struct senders *s);
/* Of all of that only whether the settings and the secrets' files are good. */
int senders_check(const struct senders_options *options, struct diag *diag) MUST_USE;

/* The file of certificates that is read at every connection. */
const char *senders_trust(const struct senders *s);
/* Every port that is connected to, some more than once. */
void senders_ports(const struct senders *s, void (*each)(void *ctx, uint16_t port), void *ctx);
/* Tells sent() once at least, now or later. `asker` is whoever wants to know. */
void senders_send(struct senders *s, unsigned asker, const struct notify_message *m);
/* One that an earlier process made. */
void senders_follow(struct senders *s, unsigned asker, uint64_t attempt,
                    enum notify_channel channel, struct slice provider, struct slice reference,
                    int64_t expires);
/* Answers that were told and may not have been heard are told again. */
void senders_repeat(struct senders *s);
/* A provider tells something: the status of HTTP it is answered with, and the body, cleared. */
unsigned senders_told(struct senders *s, struct slice provider, struct slice secret,
                      struct slice body, struct buf *answer);
/* Attempts that wait or are under way. */
size_t senders_busy(const struct senders *s);

/* Appends what is known of each provider: a JSON list, see docs/notify.md. */
void senders_write(const struct senders *s, struct buf *out);

struct senders_figures {
    uint64_t attempts, accepted, delivered, retry, refused, unknown, repeats, answers, callbacks;
};
void senders_figures(const struct senders *s, struct senders_figures *ret);

#endif
