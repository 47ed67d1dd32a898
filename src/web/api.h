/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The API over HTTPS (libmicrohttpd on the event loop). What can be asked is endpoints.tbl; who
 * asks, and what is done, other processes know: they are asked through `struct api_out`, and answer
 * by the id of the call, later. A call whose client has gone is forgotten, and its answer dropped.
 *
 * Bounds: connections in all and of one address; a head is whole within API_HEAD_TIME, a body
 * within API_BODY_TIME; bytes of heads and bodies; requests a second of an address and of a user;
 * listeners of events. Nothing is compressed: answers have secrets and what clients chose beside
 * each other.
 */
#ifndef VAKA_WEB_API_H
#define VAKA_WEB_API_H

#include "account/claim.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/loop.h"
#include "web/cursor.h"
#include "web/forwarded.h"

enum {
    API_CONNECTIONS_MAX = 1024,
    API_PER_ADDRESS_MAX = 256,
    API_LISTENERS_MAX = 256, /* of events */
    API_CONNECTION_MEMORY = 32 * 1024,
    API_BODY_MAX = 256 * 1024,
    API_FILE_MAX = 4 * 1024 * 1024, /* of a body that is a file */
    API_FILES_MAX = 2,              /* of those, at a time */
    API_PURPOSE_MAX = 1024,
    API_ANSWER_MAX = 16 * 1024 * 1024,
    API_FORM_MAX = 16 * 1024,
    API_PROVIDERS_MAX = 64 * 1024,
};
#define API_HEAD_TIME (10 * NSEC_PER_SEC)
#define API_BODY_TIME (20 * NSEC_PER_SEC)

struct api;

struct api_claim {
    enum claim_kind kind;
    uint32_t tenant;
    struct slice address, name, secret, code;
};

/* Borrowed for the call; say_principal. */
struct api_principal {
    enum principal_status status;
    unsigned must;      /* enum principal_must */
    bool token, veiled; /* veiled: he is to be shown pseudonyms of people */
    uint32_t wait, tenant;
    uint64_t user, rights;
    int64_t expires; /* s */
    struct slice name, shown, secret, where;
};

/* An action of account/action.h. */
struct api_manage {
    unsigned action;
    uint32_t tenant;
    struct slice proof, address, body;
};

/* Something that is done to an incident, by an act of desk/desk.h, to what the library keeps, to
 * holds of records, or to drills; all are answered by api_acted(). */
enum api_deed_to {
    API_DEED_DESK,
    API_DEED_LIBRARY,
    API_DEED_HOLDS,
    API_DEED_DRILLS,
    API_DEED_COUNT
};
struct api_deed {
    enum api_deed_to to;
    uint32_t tenant;
    struct slice actor, kind, body, file; /* file: a body that is one; else empty */
    struct slice once, asked; /* a key, and what was asked with it, as texts; empty: none */
};

/* A search over the records, or through the audit log; rules that are tried or only read: `query`
 * is their text; records by their numbers, as evidence as well; the verification of all of them
 * by the keys in `query`; imported rules that are tried, "SET" or "SET VERSION". `said` is what the
 * audit log is to say in place of `query`, unless it is empty. */
enum api_find_kind {
    API_FIND_RECORDS,
    API_FIND_AUDIT,
    API_FIND_TRIAL,
    API_FIND_CHECK,
    API_FIND_DRAFT,
    API_FIND_RECORD,
    API_FIND_VERIFY,
    API_FIND_EVIDENCE,
    API_FIND_VERSION
};
enum { API_EVIDENCE_MAX = 10000 }; /* records at once */
struct api_find {
    enum api_find_kind what;
    uint32_t tenant;
    uint64_t user;
    struct slice name, purpose, query, said;
    nsec from, to;
};

/* Somebody reads one thing that has a record in it. */
struct api_look {
    struct slice name, purpose, what;
};

/* What a provider of messages tells, and what shows that it is one. */
struct api_told {
    struct slice provider, secret, body;
};

/* Called from within the loop; what is passed is borrowed. ERR_LIMIT: not now. */
struct api_out {
    void *ctx;
    int (*claim)(void *ctx, uint64_t call, const struct api_claim *claim);
    int (*manage)(void *ctx, uint64_t call, const struct api_manage *manage);
    int (*act)(void *ctx, uint64_t call, const struct api_deed *deed);
    /* Until api_finished(), or cease(); what was found and told is to be said to be taken. */
    int (*find)(void *ctx, uint64_t call, const struct api_find *find);
    void (*taken)(void *ctx, uint64_t call, uint64_t bytes);
    void (*cease)(void *ctx, uint64_t call);
    int (*look)(void *ctx, uint64_t call, const struct api_look *look);
    /* How that user is shown names, a JSON array of at most 1000 texts: api_veiled(). */
    int (*veil)(void *ctx, uint64_t call, uint64_t user, uint32_t tenant, struct slice names);
    /* Names of a tenant behind a pseudonym: api_known(). */
    int (*known)(void *ctx, uint32_t tenant, struct slice after);
    /* Members of a rule that are its file's and of what it would have found, appended. */
    void (*rule)(void *ctx, struct slice id, struct buf *out);
    /* {"retro":[…]}: what new rules would have found, appended. */
    void (*retro)(void *ctx, struct buf *out);
    /* Somebody answers a page by its code: an act of oncall's. */
    int (*answer)(void *ctx, uint64_t call, struct slice body);
    /* An act of oncall's or the roster's; it has no keys. */
    int (*oncall)(void *ctx, uint64_t call, const struct api_deed *deed);
    int (*told)(void *ctx, uint64_t call, const struct api_told *told);
    /* {"processes":{…}}, appended. */
    void (*status)(void *ctx, struct buf *out);
};

/* What is told as it was when the process began. */
enum api_document {
    API_DOCUMENT_SETTINGS,
    API_DOCUMENT_PRODUCTS,
    API_DOCUMENT_INDICATORS,
    API_DOCUMENT_EXCEPTIONS,
    API_DOCUMENT_COVERAGE,
    API_DOCUMENT_COUNT,
};

struct db;
struct sigma_set;

struct api_options {
    struct loop *loop; /* borrowed; watches and timers: 8 */
    struct clock clock;
    struct api_out out;
    int socket;                                 /* listening; taken */
    const char *certificate, *key, *priorities; /* PEM texts, and what GnuTLS takes; borrowed */
    uint8_t secret[API_SECRET];    /* of cursors and marks: the same after a start anew */
    uint64_t names;                /* random: what requests are called is made of it */
    uint64_t seed;                 /* random */
    struct api_proxies proxies;    /* who is believed of whom he asks for */
    uint32_t rate;                 /* requests a second of a user, and of an address; 0: any */
    bool elsewhere;                /* there is an identity provider */
    const struct sigma_set *rules; /* in force; not needed behind api_new() */
    const char *database, *oncall; /* paths; they need not be there yet */
    struct slice holidays;         /* a file as src/calendar has it; empty: the built-in one */
    struct slice documents[API_DOCUMENT_COUNT]; /* each one object; borrowed */
};

/* Before the sandbox. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int api_new(const struct api_options *options, struct api **ret) MUST_USE;

/* Answers of others. */
void api_claimed(struct api *w, uint64_t call, const struct api_principal *principal);
void api_managed(struct api *w, uint64_t call, unsigned status, struct slice body);
/* status: enum desk_status. */
void api_acted(struct api *w, uint64_t call, unsigned status, struct slice body);
/* What becomes of a page that was answered, or of another act of oncall's; the same. */
void api_answered(struct api *w, uint64_t call, unsigned status, struct slice body);
/* What a provider is told: a status of HTTP. */
void api_called(struct api *w, uint64_t call, unsigned status, struct slice body);
/* Providers of messages and how they are: a JSON list, copied. */
void api_providers_are(struct api *w, struct slice list);
void api_found(struct api *w, uint64_t call, struct slice lines);
/* text: its last line when the status is 200, else what is wrong. */
void api_finished(struct api *w, uint64_t call, unsigned status, struct slice text);
/* names: as many as were asked for; else it is not known how they are shown. */
void api_veiled(struct api *w, uint64_t call, struct slice names);
/* ["person-…","anna",…] by pseudonyms; without any these were all, without an array
 * they cannot be told. */
void api_known(struct api *w, uint32_t tenant, struct slice names);
/* It is in the audit log that somebody looks; false: it cannot be, and nothing is to be read. */
void api_looked(struct api *w, uint64_t call, bool written);
/* Who was asked is gone: what waits for him is refused, to be tried again. */
void api_accounts_lost(struct api *w);
/* Who has the pages, and who sends messages: what was asked of them is not answered. */
void api_oncall_lost(struct api *w);
void api_notify_lost(struct api *w);
void api_searches_lost(struct api *w);
void api_deeds_lost(struct api *w, enum api_deed_to to);
/* There are new alerts, or other changes, in the database. */
void api_news_came(struct api *w);

struct api_figures {
    uint64_t requests, refused, connections, listeners;
};
void api_figures(const struct api *w, struct api_figures *ret);

#endif
