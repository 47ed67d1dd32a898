/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One request, from its first line to its answer. The order of the checks is the same for every
 * endpoint: form, path, method, credentials, origin, rate, right, parameters, body, key of
 * idempotency; then its function runs, which answers, refuses, or waits for others.
 */
#ifndef VAKA_WEB_CALL_H
#define VAKA_WEB_CALL_H

#include "base/ip.h"
#include "httpd/conn.h"
#include "httpd/httpd.h"
#include "web/api.h"
#include "web/endpoint.h"
#include "web/once.h"
#include "web/problem.h"
#include "web/rate.h"
#include "web/rules.h"
#include "web/veil.h"

enum {
    API_PROOF_MAX = 256, /* bytes of a session or token */
    API_HEADERS_MAX = 4, /* of an answer, beside those that all have */
};

struct api_conn {
    struct httpd_conn head;
    struct api_call *call;
};

enum api_call_state {
    CALL_HEAD,     /* the rest of its head comes */
    CALL_BODY,     /* its body comes */
    CALL_WORKING,  /* a function of it runs */
    CALL_WAITING,  /* suspended: for another process */
    CALL_ANSWERED, /* the answer is there, and not with MHD yet */
    CALL_SENT,     /* with MHD */
    CALL_STREAMING /* with MHD, and made as it goes out */
};

enum api_wait {
    WAIT_NOTHING,
    WAIT_CLAIM,
    WAIT_LOGIN,
    WAIT_ACCOUNT,
    WAIT_SEARCH,
    WAIT_LOOK,
    WAIT_ACT,
    WAIT_ANSWER, /* of oncall, to a code */
    WAIT_ONCALL, /* of oncall, to an act */
    WAIT_TOLD,   /* of who sends messages, to what a provider told */
    WAIT_VEIL,   /* how names are shown */
    WAIT_NAMES   /* which there are */
};

struct api_call {
    struct api *api;
    struct api_conn *conn;
    struct api_call *next, *prev; /* of web->calls */
    struct MHD_Connection *mhd;
    uint64_t id;
    char name[17]; /* X-Request-Id */
    enum api_call_state state;
    enum api_wait waits;
    bool gone; /* its client is, or it is to be closed */
    nsec begun;
    int target_error;
    char from[IP_TEXT_MAX]; /* the address of who asks, known when its headers are */
    struct api_target target;
    struct api_match match;
    const struct api_endpoint *endpoint;
    enum api_method method;
    struct buf body;
    /* What it shows, and who that is. */
    char proof[API_PROOF_MAX];
    size_t proof_len;
    bool cookie; /* the proof is a cookie */
    uint64_t user, rights;
    uint32_t tenant;
    bool veiled, unveiled; /* he is shown pseudonyms; what goes out has them */
    struct api_veiling veiling;
    struct buf raw, given; /* what waits to go out; parameters with names for pseudonyms */
    const struct api_principal *who; /* while its function runs, and before it waits */
    enum api_deed_to deed;           /* WAIT_ACT: who does it */
    struct api_once_entry *once;
    /* The same for who keeps it: of user and key, and of the request; empty: there is no key. */
    char once_key[API_MARK_TEXT + 1], once_asked[API_MARK_TEXT + 1];
    /* The answer. */
    unsigned status;
    const char *type;
    char tag[64];                 /* ETag; empty: made of the answer */
    const char *policy, *caching; /* Content-Security-Policy, Cache-Control */
    struct buf out;
    struct {
        const char *name;
        char value[320];
    } headers[API_HEADERS_MAX];
    size_t n_headers;
    bool closes; /* the connection, behind the answer */
    bool files;  /* its body is a file: one of api->n_files */
    /* A stream: what is not sent of `out` is made more of by `more` when there is none left. */
    void (*more)(struct api_call *call);
    void (*tick)(struct api_call *call, nsec now);
    size_t sent;
    bool ended, suspended, listens, searches;
    uint64_t owed;             /* bytes that were found and are not told to be taken */
    uint64_t position, change; /* of who listens: the last alert and change he has */
    nsec spoke;                /* monotonic */
};

struct api {
    struct api_options options;
    struct httpd httpd;
    struct loop_timer tick;
    struct httpd_conns conns;
    struct api_call *calls;
    uint64_t next_call;
    uint32_t n_listeners, n_files;
    struct api_rate by_address, by_user;
    struct api_once once;
    struct api_rules rules;
    struct api_veil veils[API_VEILS_MAX];
    uint32_t n_veils;
    struct buf providers; /* a JSON list; empty: none are known yet */
    char ack_policy[256];
    struct db *db; /* NULL: not open */
    uint64_t requests, refused;
};

/* ---- for the daemon (api.c) ---- */

/* From its first line. NULL: out of memory. */
struct api_call *api_call_new(struct api *w, struct MHD_Connection *mhd, const char *uri);
/* The head is there: what can be said of it is. */
void api_call_head(struct api_call *c, const char *method);
void api_call_take(struct api_call *c, struct slice bytes);
/* The body is there, too. */
void api_call_run(struct api_call *c);
/* An answer that is there goes to MHD. */
enum MHD_Result api_call_answer(struct api_call *c);
void api_call_free(struct api_call *c);
/* Of a call that is with MHD as a stream or waits. */
void api_call_tick(struct api_call *c, nsec now);
/* It is closed, without a word. */
void api_call_give_up(struct api_call *c);
/* Who asks is asked. */
void api_call_claim(struct api_call *c);
/* Who asked for it is known, or is not; WAIT_CLAIM. */
void api_call_claimed(struct api_call *c, const struct api_principal *p);
/* The same of WAIT_LOGIN (login.c) and WAIT_ACCOUNT (manage.c). */
void api_logged_in(struct api_call *c, const struct api_principal *p);
void api_account_answered(struct api_call *c, unsigned status, struct slice body);
/* Of one that searches (search.c), and of WAIT_LOOK (alerts.c). */
void api_search_found(struct api_call *c, struct slice lines);
void api_search_finished(struct api_call *c, unsigned status, struct slice text);
void api_alert_looked(struct api_call *c);
/* Begins what the process that searches does for it, and answers with its lines. */
void api_find_begin(struct api_call *c, const struct api_find *m);
/* WAIT_TOLD (callback.c); status: of HTTP. */
void api_callback_answered(struct api_call *c, unsigned status, struct slice body);
/* WAIT_ACT (incidents.c); status: enum desk_status. */
void api_acted_on(struct api_call *c, unsigned status, struct slice body);
/* How names are shown cannot be asked now. */
void api_veils_lost(struct api *w);
struct api_call *api_call_find(struct api *w, uint64_t id, enum api_wait waits);

/* ---- for functions of endpoints ---- */

/* c->out is the answer. */
void api_answer(struct api_call *c, unsigned status, const char *type);
void api_refuse(struct api_call *c, enum api_problem problem, const char *detail);
/* With the place that is wrong: a member of the body. */
void api_refuse_member(struct api_call *c, const char *member, const char *detail);
/* … or a parameter. */
/* A conflict, with rules of rest that are broken: a JSON list. */
void api_refuse_breaches(struct api_call *c, const char *detail, struct slice breaches);
void api_refuse_parameter(struct api_call *c, const char *name, const char *detail);
/* Not before so many seconds. */
void api_refuse_for(struct api_call *c, enum api_problem problem, uint32_t seconds);
/* The same with a word, for a second. */
void api_refuse_busy(struct api_call *c, enum api_problem problem, const char *detail);
/* For another process, which answers the call. */
void api_wait(struct api_call *c, enum api_wait what);
/* A header more; its value is cut at 319 bytes. */
void api_header(struct api_call *c, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A stream begins; c->more makes it. */
void api_stream(struct api_call *c, const char *type, void (*more)(struct api_call *c));
/* There may be more. */
void api_stream_wake(struct api_call *c);

/* A header of the request; empty: it is not there. */
struct slice api_request_header(const struct api_call *c, const char *name);
/* A text of the body's object, without its escapes, into `space`. False: refused. `least` 0: it may
 * be missing, and is empty then. */
bool api_body_text(struct api_call *c, const char *member, size_t least, size_t most,
                   struct buf *space);
/*
 * One object of what stands in the path, in parameters, in If-Match ("version") and in the body.
 * False: refused, for the body says again what stands elsewhere.
 */
bool api_compose(struct api_call *c, struct buf *out);
/* A text of an object, NUL-terminated. False: it is not there, empty, or does not fit. */
bool api_json_text(struct slice object, const char *member, char *ret, size_t size);
/* Has it done, with what api_compose() gives. */
void api_do(struct api_call *c, enum api_deed_to to, struct slice kind);
/* The machine, its rules, and who sends, are the first tenant's. False: refused. */
bool api_is_first_tenants(struct api_call *c);
/* What X-Purpose says it is for; empty: nothing. False: refused. */
bool api_purpose(struct api_call *c, struct slice *ret);
uint32_t api_limit(const struct api_call *c);
/* Of the parameter, an enum sigma_level; the lowest without it. */
unsigned api_level(const struct api_call *c);
/* What makes a cursor good for this list alone; into `out`. */
void api_list_name(const struct api_call *c, struct buf *out);
/* False: refused. Without a cursor *ret_position is as it was. */
bool api_cursor(struct api_call *c, uint64_t *ret_position);
/* The same for places that are no numbers: *ret lies in space. */
bool api_cursor_place(struct api_call *c, char space[API_PLACE_MAX], struct slice *ret);
void api_refuse_cursor(struct api_call *c);
/* "next": a member behind the list that ended at the position. */
void api_put_next(struct api_call *c, uint64_t position);
void api_put_next_place(struct api_call *c, struct slice place);

#define API_JSON "application/json"

#endif
