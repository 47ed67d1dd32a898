/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Inside of the detect role, between its files: the role itself and its journals (detect_role.c),
 * the engines it forks (detect_engines.c), and what is counted over time (detect_windows.c).
 */
#ifndef VAKA_SERVE_DETECT_H
#define VAKA_SERVE_DETECT_H

#include "canary/notes.h"
#include "serve/engine.h"
#include "serve/role.h"

enum {
    DETECT_ENGINES_MAX = 64,
    DETECT_JOURNALS_MAX = 512,
    DETECT_CLOCK_BEHIND = 2, /* s: windows end so long behind the clock when idle */
};

struct engine_child {
    struct role *role;
    pid_t pid;
    struct link link;
    struct engine_begin begin;
    struct engine_page *page;
    uint64_t told;  /* messages */
    uint64_t steps; /* of its page, when it was looked at last */
    uint32_t quiet; /* seconds that it has not gone on for */
    /* The record by itself that one of this number ended at, plus 1; 0: there was none. */
    uint64_t suspect;
};

struct detect_ctx {
    struct ruleset rules;
    struct matcher matcher; /* every engine begins with a copy of it */
    struct correlator *correlator;
    struct correlator *exercise; /* the same over records of exercises; NULL: there were none */
    bool of_exercise;            /* what fires is of the latter */
    struct canary_notes canary;
    struct engine_child engines[DETECT_ENGINES_MAX];
    uint32_t n_engines, turn; /* whose frame is next */
    int null_fd;
    struct {
        uint64_t first;
        int fd;
    } journals[DETECT_JOURNALS_MAX];
    size_t n_journals;
    struct say_durable durable;
    bool begun; /* triage has said where */
    uint64_t next;
    nsec received;  /* of the last record that was matched */
    nsec caught_up; /* when there was nothing that was not matched, last */
    struct slice values[CORRELATOR_FIELDS_MAX];
    struct buf tuples; /* of the frame at hand: marks (a byte), u32 length and bytes each */
    uint64_t skipped[ENGINE_SKIPPED_MAX];
    bool skip_kept[ENGINE_SKIPPED_MAX]; /* triage has it */
    uint32_t n_skipped, failures;
    uint64_t careful_to;
    struct loop_timer windows, watch, renew, hearing;
    nsec correlated; /* windows were ended up to here */
    nsec memory;     /* how long correlations may remember a record */
    uint64_t *names; /* by rule: a hash of the names of its values */
    nsec asked;      /* when the rules were asked to be read again; 0: they were not */
    bool replaying;  /* what is pushed was told before: so were its firings */
    uint64_t replayed, forgotten;
    struct loop_deferred restart;
    struct buf line;
    uint64_t events, undecodable, alerts, crashes, refused_correlations, odd_tuples;
    uint64_t events_before[DETECT_ENGINES_MAX];
};

/* ---- to triage (detect_role.c) ---- */

/* For whatever message comes next. */
bool detect_triage_has_room(struct role *r);
void detect_pass_alert(struct role *r, const struct say_alert *m);
/* What a rule is called in messages. */
struct slice detect_rule_id(const struct sigma_doc *doc);

/* ---- engines (detect_engines.c) ---- */

/* All of them, from the last advance on; of a struct role. */
void detect_start_engines(void *ctx);
void detect_end_engines(struct detect_ctx *c);
/* Once a second, of a struct role: ends those that do not go on. */
void detect_watch_engines(void *ctx);
/* Who may speak now. */
void detect_set_pauses(struct role *r);
void detect_engine_init(struct role *r, uint32_t number, struct engine_page *page);
int detect_tell_journal(struct engine_child *e, uint64_t first, int fd) MUST_USE;
void detect_tell_durable(struct engine_child *e, const struct say_durable *durable);
/* Records that are left out: to triage, and from it. */
void detect_keep_left_out(struct role *r);
int detect_take_quarantine(struct role *r, const struct frame *frame) MUST_USE;

/* ---- correlations (detect_windows.c) ---- */

/* Anew and empty. */
int detect_make_correlator(struct role *r) MUST_USE;
/* How long correlations remember, and what each rule's tuples are made of. */
int detect_learn_correlations(struct detect_ctx *c) MUST_USE;
/* From triage: what was told before the start. */
int detect_take_kept(struct role *r, const struct frame *frame) MUST_USE;
/* From an engine: kept until detect_push_tuples(), at the advance. */
int detect_take_tuple(struct detect_ctx *c, const struct frame *frame) MUST_USE;
void detect_push_tuples(struct role *r);
/* By what was received; by the clock when nothing comes (of a struct role). */
void detect_end_windows_at(struct detect_ctx *c, nsec time);
void detect_end_windows(void *ctx);

#endif
