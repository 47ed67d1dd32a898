/* SPDX-License-Identifier: EUPL-1.2 */
/* What the supervisor knows, and what its parts do with that: for supervisor*.c alone. */
#ifndef VAKA_SERVE_SUPERVISOR_STATE_H
#define VAKA_SERVE_SUPERVISOR_STATE_H

#include "base/loop.h"
#include "proc/link.h"
#include "serve/listeners.h"
#include "serve/message.h"
#include "serve/roles.h"
#include "serve/supervisor.h"

enum { SUPERVISOR_TEXT_MAX = 2 * 1024 * 1024 }; /* of all settings */

struct child {
    struct supervisor *s;
    enum serve_role role;
    pid_t pid; /* 0: none */
    struct link link;
    nsec started, wait; /* monotonic; how long it waits the next time */
    nsec heard;         /* monotonic: when it said something last */
    struct loop_timer again, kill;
    uint32_t starts;
    bool ready, retired;
};

struct supervisor {
    const struct supervisor_options *options;
    struct loop *loop;
    struct child slots[ROLE_COUNT + 1];
    struct child *children[ROLE_COUNT]; /* who has the role now */
    struct child *spare;                /* read new rules, and takes the role of the old one then */
    bool again;                         /* rules were changed while they were being read */
    struct buf config, origins;         /* as they are told to processes */
    struct buf troubles;                /* messages for triage, until it is there again */
    uint64_t instance;
    nsec started; /* monotonic */
    int control_fd;
    struct {
        enum listen_input input;
        char *name;
        int fd;
    } listeners[LISTENERS_MAX];
    size_t n_listeners;
    bool stopping, told_ready;
    bool pulls; /* the settings in `config` name sources in the cloud */
    struct loop_timer watchdog;
    unsigned stop_at; /* how far ending in order has come */
    struct diag *diag;
};

/* ---- supervisor.c ------------------------------------------------------------------------ */

/* To the service manager: ready, or ready again, for a reload has come to its end, whichever that
 * was. */
void supervisor_tell_running(struct supervisor *s);

/* ---- supervisor_children.c: processes, and the channels between them --------------------- */

struct slice child_name(const struct child *c);
/* Starts it and says what it begins with; it waits for child_go(), and for channels to others
 * before. */
int child_start(struct supervisor *s, struct child *c) MUST_USE;
int child_go(struct child *c) MUST_USE;
/* New channels to all its peers that are there. */
int child_connect(struct supervisor *s, struct child *c) MUST_USE;
/* A descriptor; `fd` stays the caller's. */
int child_give(struct child *c, uint8_t kind, struct slice name, int fd) MUST_USE;
/* Later: at once when it ran for long, else after a pause that grows. */
void child_plan_start(struct supervisor *s, struct child *c);
/* Is told to end, and killed when it does not. */
void child_stop(struct supervisor *s, struct child *c);
void child_kill(void *c); /* a struct child *, which may have ended */
/* Timers and links: what is to be called is the caller's. */
void children_init(struct supervisor *s, const struct link_events *events);
int children_start(struct supervisor *s) MUST_USE;
/* All of them in order, and then the loop; the next one when one has ended. */
void children_stop(struct supervisor *s);
void children_stop_next(struct supervisor *s);
/* Something kept it from running: nobody stays behind. */
void children_end(struct supervisor *s);

/* ---- supervisor_reload.c: new settings, rules and credentials ---------------------------- */

/* What processes that begin from now on are told. */
int reload_set_config(struct supervisor *s, const struct config *config) MUST_USE;
void reload_all(struct supervisor *s);
/* What people changed over the API: rules that are being read may not have it yet. */
void reload_changed(struct supervisor *s);
/* What was changed while rules were being read, when they have been. */
void reload_again(struct supervisor *s);
/* Something in the rules has ended by itself. While a reload is on its way it finds that, too. */
int reload_renew_rules(struct supervisor *s) MUST_USE;
/* What it has to read anew is outside of its reach by now: it ends, and begins anew where it is. */
void reload_renew(struct supervisor *s, enum serve_role role);
/* The one before has ended. */
void reload_adopt_spare(struct supervisor *s);

/* ---- supervisor_reports.c: how everything is --------------------------------------------- */

/* Asks every process; who is asked hears of all that answer. */
void reports_ask(struct supervisor *s, uint64_t round);
/* What one says about itself goes to who is asked about it. */
int reports_pass(struct supervisor *s, const struct child *from,
                 const struct frame *frame) MUST_USE;

#endif
