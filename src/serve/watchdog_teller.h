/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whom the watchdog tells, and how: all of watchdog.contacts at once, each until his provider has
 * taken the message, by providers of its own (notify/senders.h), whose hosts are looked up again
 * and again while it runs.
 */
#ifndef VAKA_SERVE_WATCHDOG_TELLER_H
#define VAKA_SERVE_WATCHDOG_TELLER_H

#include "config/config.h"
#include "notify/provider.h"
#include "notify/senders.h"
#include "proc/sandbox.h"

enum {
    TELLER_CONTACTS_MAX = 16,
    TELLER_TRIES_MAX = 6, /* of one message to one contact, 10 s apart */
    TELLER_PORTS_MAX = 2 * NOTIFY_PROVIDERS_MAX,
};

struct teller_contact {
    enum notify_channel channel;
    char provider[NOTIFY_NAME_MAX], address[NOTIFY_ADDRESS_MAX + 1];
    uint64_t attempt; /* of the message at hand; 0: it has that one, or there is none */
    unsigned tries;
    nsec next; /* monotonic: to be tried again; 0: somebody is at it */
};

/* What is read has both languages, what is heard the one of the voice. */
struct teller_message {
    struct slice body, spoken_sv, spoken_en;
};

struct teller {
    struct loop *loop;
    struct clock clock;
    struct senders *senders;
    struct teller_contact contacts[TELLER_CONTACTS_MAX];
    size_t n_contacts;
    uint64_t last_attempt;
    struct buf body, spoken_sv, spoken_en; /* the last message */
    uint16_t ports[TELLER_PORTS_MAX];
    size_t n_ports;
};

/* Reads contacts, providers and secrets, and looks hosts up: before the sandbox, which is to have
 * its ports and senders_trust(). teller_done() in any case. */
int teller_open(struct teller *t, const struct config *config, struct clock clock,
                struct loop *loop, bool confined, struct diag *diag) MUST_USE;
void teller_done(struct teller *t);
/* Tells everybody; what they were not told yet of an earlier message is given up. */
void teller_tell(struct teller *t, const struct teller_message *message);
/* Once a second. */
void teller_tick(struct teller *t);

#endif
