/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A provider of messages, as notify.providers names it: a kind, and words NAME=VALUE in any order,
 *
 *     46elks name=sms user=u1 secret=/etc/vaka/46elks.secret from=+46700000000
 *
 * docs/notify.md has what each word means.
 */
#ifndef VAKA_NOTIFY_PROVIDER_H
#define VAKA_NOTIFY_PROVIDER_H

#include "dial/address.h"
#include "notify/notify.h"

/* id, name, channels */
#define NOTIFY_KINDS(X)                                                                            \
    X(SMTP, "smtp", 1U << NOTIFY_MAIL)                                                             \
    X(ELKS, "46elks", 1U << NOTIFY_SMS | 1U << NOTIFY_VOICE)                                       \
    X(WEBHOOK, "webhook", 1U << NOTIFY_WEBHOOK)                                                    \
    X(TEAMS, "teams", 1U << NOTIFY_TEAMS)                                                          \
    X(NTFY, "ntfy", 1U << NOTIFY_PUSH)

enum notify_kind {
#define X(id, name, channels) NOTIFY_KIND_##id,
    NOTIFY_KINDS(X)
#undef X
        NOTIFY_KIND_COUNT,
};

enum {
    NOTIFY_PROVIDERS_MAX = 16,
    NOTIFY_NAME_MAX = 64, /* bytes */
    NOTIFY_WORD_MAX = 256,
    NOTIFY_URL_MAX = 2048,
    NOTIFY_PATH_MAX = 1024,
};

enum notify_tls { NOTIFY_STARTTLS, NOTIFY_TLS, NOTIFY_NO_TLS };

struct notify_provider {
    enum notify_kind kind;
    char name[NOTIFY_NAME_MAX];
    bool own;                    /* the city's: it may be told what rules are called */
    enum notify_tls tls;         /* of smtp */
    struct dial_address where;   /* of teams: known when its secret was read */
    char url[NOTIFY_URL_MAX];    /* what is asked: of smtp smtp://HOST:PORT, of 46elks without its
                                    paths, of teams empty until its secret was read */
    char pin[64];                /* the host's address; empty: it is looked up */
    char user[NOTIFY_WORD_MAX];  /* may be empty */
    char from[NOTIFY_WORD_MAX];  /* of smtp an address, of 46elks a number or a name */
    char voice[NOTIFY_WORD_MAX]; /* of 46elks: the number that calls; empty: none can be made */
    bool swedish;                /* of 46elks: what calls read is Swedish, else English */
    char
        prompt[NOTIFY_URL_MAX]; /* of 46elks: a recording that is played; empty: the text is read */
    char secret[NOTIFY_PATH_MAX], callback[NOTIFY_PATH_MAX]; /* paths of files; may be empty */
    nsec timeout;                                            /* of one attempt */
};

/* ERR_SYNTAX, ERR_INVALID, ERR_LIMIT: diag tells, without a place. */
int notify_provider_read(struct slice text, struct notify_provider *ret,
                         struct diag *diag) MUST_USE;
/* The same of all; two of one name are ERR_INVALID. */
int notify_providers_read(const char *const *texts, size_t n, struct notify_provider *ret,
                          struct diag *diag) MUST_USE;
/* The URL of teams or a webhook, "https://HOST[:PORT]/…". False: it is none. */
bool notify_provider_point(struct notify_provider *p, struct slice url);

const char *notify_kind_name(unsigned kind);
/* A bit for each enum notify_channel that it has. */
unsigned notify_provider_channels(const struct notify_provider *p);

/* Whether paths can be written behind it: "https://HOST[:PORT]", without a slash. */
bool notify_is_address(struct slice text);
/* Whether it is a number as E.164 has it: "+46701234567". */
bool notify_is_number(struct slice text);
/* Whether mail can be sent to it: one address of ASCII, without a name or comments. */
bool notify_is_mail(struct slice text);

#endif
