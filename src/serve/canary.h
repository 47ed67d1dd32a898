/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Inside of the canary's role, between its files: the role itself and its probes (canary_role.c),
 * connections to collect (canary_wire.c), heartbeats to the watchdog (canary_beat.c),
 * drills (canary_drill.c).
 */
#ifndef VAKA_SERVE_CANARY_H
#define VAKA_SERVE_CANARY_H

#include "canary/canary.h"
#include "canary/relp.h"
#include "canary/scenario.h"
#include "collect/listen.h"
#include "dial/resolver.h"
#include "event/record.h"
#include "serve/bookmark.h"
#include "serve/role.h"
#include "watchdog/heartbeat.h"
#include "witness/address.h"
#include "witness/post.h"

/* ---- connections (canary_wire.c) ---- */

/* One that collect did not accept: it was given its end. */
struct wire {
    struct role *role;
    struct loop_watch watch; /* fd -1: it is closed */
    struct buf out, in;
    /* More is in `in`; or it has ended, with what is in `in` for the last time, and is closed. */
    void (*moved)(void *ctx, bool ended);
    void *ctx;
};

void wire_init(struct wire *w, struct role *r, void (*moved)(void *ctx, bool ended), void *ctx);
/* To collect, as to a listener of that input; what comes by it has the mark. It is closed before.
 * ERR_LIMIT: not now. */
int wire_open(struct wire *w, enum listen_input input, unsigned mark) MUST_USE;
static inline bool wire_is_open(const struct wire *w)
{
    return w->watch.fd >= 0;
}
/* Sends what is in w->out; the rest follows by itself. */
void wire_flush(struct wire *w);
void wire_close(struct wire *w);
/* Appends a POST of lines of JSON, the only one of its connection. */
void wire_put_body(struct wire *w, struct slice body);
/* The status of the answer to that; 0: it is not whole, or none. */
unsigned wire_answer(const struct wire *w, bool ended);

/* ---- drills (canary_drill.c) ---- */

enum {
    DRILL_NAME_MAX = 64,
    DRILL_BY_MAX = 96,
    DRILL_RUNS_MAX = 20,
    DRILL_FILES_MAX = 256,
};

struct drill_file {
    char scenario[DRILL_NAME_MAX], name[DRILL_NAME_MAX];
};

/* One that runs or ran; times are realtime. */
struct drill_run {
    uint64_t id;
    char scenario[DRILL_NAME_MAX], by[DRILL_BY_MAX];
    nsec begun, ended; /* ended 0: it runs */
    uint32_t speed, records, sent, left_out, lost;
    char why[64]; /* it did not come to its end */
};

struct drill {
    struct role *role;
    const char *folder;
    struct drill_file files[DRILL_FILES_MAX]; /* by scenario and name */
    size_t n_files;
    struct bookmark bookmark;
    struct drill_run runs[DRILL_RUNS_MAX]; /* the newest is the last */
    uint32_t n_runs;
    nsec planned; /* realtime; 0: none is */
    char planned_scenario[DRILL_NAME_MAX], planned_by[DRILL_BY_MAX];
    uint32_t planned_speed;
    nsec waiting_since; /* realtime: for the first one of drill.every */
    bool running;
    struct scenario scenario;
    nsec began;    /* monotonic */
    uint32_t next; /* record */
    struct wire lines, bodies;
    struct relp_sender relp;
    uint32_t stored; /* of the lines of this connection */
    struct buf file, waiting, posted;
    uint32_t n_waiting, n_posted, tries;
};
int drill_prepare(struct drill *d, struct role *r, struct diag *diag) MUST_USE;
/* Several times a second. */
void drill_tick(struct drill *d);
/* What `actor` does: drill_run, drill_stop. Appends what became of it; an enum desk_status. */
unsigned drill_act(struct drill *d, struct slice kind, struct slice actor, struct slice body,
                   struct buf *out);
void drill_stop(struct drill *d);
/* "drills":{…} */
void drill_status(const struct drill *d, struct buf *out);

/* ---- heartbeats (canary_beat.c) ---- */

struct beat {
    struct role *role; /* NULL: there is no watchdog */
    struct witness_address address;
    struct resolver *resolver; /* of its host */
    nsec asked;                /* monotonic: it was looked up */
    struct post_target target;
    struct post post;
    struct checkpoint_signer signer;
    gnutls_certificate_credentials_t trust;
    struct bookmark bookmark; /* numbers up to this may have been said */
    uint64_t number, reserved, heard_number;
    nsec sent, heard; /* monotonic: the last one; its last answer, or the start */
    nsec heard_at;    /* realtime; 0: never */
    bool late;
    uint64_t answers, failures;
    char why[128]; /* of the last failure; "" behind an answer */
    struct buf text;
};
/* Before the sandbox. Nothing without watchdog.address. */
int beat_prepare(struct beat *b, struct role *r, struct diag *diag) MUST_USE;
/* Several times a second: says how the watch is. */
void beat_tick(struct beat *b, const struct canary *k, bool loud);
void beat_stop(struct beat *b);
/* "watchdog":{…} or null. */
void beat_status(const struct beat *b, struct buf *out);

#endif
