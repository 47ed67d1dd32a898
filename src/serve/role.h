/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One process of serve, from the inside. Every one starts alike: the supervisor says who it is and
 * gives it what it needs, it opens what it keeps open, enters its sandbox, and runs its loop until
 * it is told to stop.
 */
#ifndef VAKA_SERVE_ROLE_H
#define VAKA_SERVE_ROLE_H

#include "base/log.h"
#include "base/loop.h"
#include "config/config.h"
#include "proc/link.h"
#include "proc/sandbox.h"
#include "serve/message.h"
#include "serve/roles.h"

enum {
    ROLE_OUT_MAX = 16 * 1024 * 1024, /* bytes that may wait towards a peer */
    ROLE_WATCHES_MAX = 20000,
    ROLE_TIMERS_MAX = 20000,
    ROLE_PATHS_MAX = 2 * CONFIG_PATHS_MAX,
    ROLE_PORTS_MAX = 64,
};

struct role;

struct role_ops {
    size_t ctx_size; /* of role->ctx, zeroed */
    /* Before the sandbox, with the settings known and everything given: opens files, and names in
     * role->files what must stay reachable. An error is fatal; diag tells the operator why. */
    int (*prepare)(struct role *r, struct diag *diag);
    /* A descriptor from the supervisor, the callee's from now on; before prepare(). May be NULL. */
    int (*given)(struct role *r, const struct say_give *give, int fd);
    /* In the sandbox, the loop about to run. */
    int (*start)(struct role *r);
    /* A channel to a peer is there: also one that took the place of another. May be NULL. */
    void (*peer)(struct role *r, enum serve_role peer);
    /* The peer has gone; what it had not answered will not be answered. May be NULL. */
    void (*lost)(struct role *r, enum serve_role peer);
    /* There is room again towards a peer. May be NULL. */
    void (*room)(struct role *r, enum serve_role peer);
    /* A message; an error means the peer broke the protocol. */
    int (*frame)(struct role *r, enum serve_role peer, const struct frame *frame);
    /* From the supervisor, other than those that role.c answers itself. May be NULL. */
    int (*command)(struct role *r, const struct frame *frame);
    /* Appends members of a JSON object: `"a":1,"b":2`. */
    void (*status)(struct role *r, struct buf *out);
    /* To stop: role_end() when it is done, now or later. */
    void (*stop)(struct role *r);
};

struct role {
    enum serve_role role;
    const struct role_ops *ops;
    void *ctx; /* the role's own */
    struct clock clock;
    struct loop *loop;
    struct config config;
    uint64_t instance; /* of the program: grows with every start of serve */
    struct link supervisor;
    struct role_peer {
        struct role *role;
        enum serve_role id;
        struct link link;
    } peers[ROLE_COUNT];
    struct sandbox_files files;
    const char *paths[ROLE_PATHS_MAX], *folders[ROLE_PATHS_MAX];
    uint16_t ports[ROLE_PORTS_MAX];
    struct loop_timer status_timer;
    struct buf text;
    struct log log;
    bool running, sandboxed, stopping;
};

/* The process of that role: runs until the supervisor ends it; the exit status. */
int role_run(enum serve_role role);

/* What the sandbox leaves: borrowed paths; for prepare(). */
void role_keep_path(struct role *r, const char *path);
void role_keep_folder(struct role *r, const char *folder);
/* One that is kept already costs nothing. */
void role_keep_port(struct role *r, uint16_t port);

/*
 * The folder `name` in serve.folder, both made when they are not there; the role's. NULL: diag says
 * why.
 */
const char *role_make_folder(struct role *r, const char *name, struct diag *diag);
/* The same, of the tenant's records. */
const char *role_store_folder(struct role *r, struct diag *diag);

static inline struct link *role_link(struct role *r, enum serve_role peer)
{
    return &r->peers[peer].link;
}
/* Ends the loop, and with it the process; `result` 0 is success. */
void role_end(struct role *r, int result);
/* Something that people should hear of: `event` is a word, `text` says it. */
void role_alarm(struct role *r, const char *event, struct slice text);

extern const struct role_ops role_collect, role_unwrap, role_store, role_detect, role_triage,
    role_control, role_seal, role_sign, role_witness, role_pull, role_index, role_retro,
    role_account, role_oidc, role_web, role_search, role_oncall, role_notify, role_canary,
    role_library;

#endif
