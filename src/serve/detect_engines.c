/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What engines tell of a frame counts only with the advance behind it: when one crashes, all begin
 * again at the last advance, the frame it worked on is taken record by record, and the record that
 * brings an engine down again is left out from then on, stays stored, and is told to people.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/worker.h"
#include "serve/detect.h"

enum { FAILURES_MAX = 5 }; /* ends in a row that no record explains */

/* Only the engine whose turn it is may speak, and only while triage listens. */
void detect_set_pauses(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    bool room = detect_triage_has_room(r);
    for (uint32_t i = 0; i < c->n_engines; i++)
        link_pause(&c->engines[i].link, i != c->turn || !room);
}

/* For whoever bounds what waits to be matched; it is true until the next crash. */
static void tell_progress(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_STORE);
    if (!link_is_open(link)) return;
    say_progress_write(link_out(link), &(struct say_progress){.next = c->next});
    link_flush(link);
}

static void forget_journals(struct detect_ctx *c)
{
    size_t old = 0;
    while (old + 1 < c->n_journals && c->journals[old + 1].first <= c->next)
        (void)close(c->journals[old++].fd);
    c->n_journals -= old;
    memmove(c->journals, c->journals + old, c->n_journals * sizeof *c->journals);
}

static int take_advance(struct role *r, struct engine_child *e, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    struct say_advance m;
    if (say_advance_read(frame->payload, &m) != 0 || m.next <= c->next) return ERR_CORRUPT;
    if (c->correlator) {
        detect_push_tuples(r);
        detect_end_windows_at(c, m.received);
    }
    uint64_t *before = &c->events_before[e->begin.number];
    c->events += m.events - *before;
    *before = m.events;
    c->undecodable = m.undecodable;
    c->next = m.next;
    c->received = m.received;
    c->failures = 0;
    m.correlated = c->correlated;
    m.horizon = c->correlated - c->memory;
    if (link_is_open(link)) {
        say_advance_write(link_out(link), &m);
        link_flush(link);
    }
    tell_progress(r);
    forget_journals(c);
    c->turn = (c->turn + 1) % c->n_engines;
    detect_set_pauses(r);
    return 0;
}

static int pass_sighted(struct role *r, const struct frame *frame)
{
    struct link *link = role_link(r, ROLE_TRIAGE);
    struct say_sighted m;
    if (say_sighted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (link_is_open(link)) say_sighted_write(link_out(link), &m);
    if (!detect_triage_has_room(r)) detect_set_pauses(r);
    return 0;
}

static int engine_frame(void *ctx, const struct frame *frame)
{
    struct engine_child *e = ctx;
    struct role *r = e->role;
    struct say_alert alert;
    if (frame->type == SAY_TUPLE) return detect_take_tuple(r->ctx, frame);
    if (frame->type == SAY_ADVANCE) return take_advance(r, e, frame);
    if (frame->type == SAY_SIGHTED) return pass_sighted(r, frame);
    if (frame->type != SAY_ALERT || say_alert_read(frame->payload, &alert) != 0) return ERR_CORRUPT;
    detect_pass_alert(r, &alert);
    if (!detect_triage_has_room(r)) detect_set_pauses(r);
    return 0;
}

/* The oldest goes when there are too many: it is the least likely to be met again. */
static void leave_out(struct detect_ctx *c, uint64_t seq, bool kept)
{
    uint32_t i = 0;
    while (i < c->n_skipped && c->skipped[i] != seq) i++;
    if (i == ENGINE_SKIPPED_MAX) {
        i--;
        memmove(c->skipped, c->skipped + 1, i * sizeof *c->skipped);
        memmove(c->skip_kept, c->skip_kept + 1, i * sizeof *c->skip_kept);
    } else if (i == c->n_skipped) {
        c->n_skipped++;
    }
    c->skipped[i] = seq;
    c->skip_kept[i] = kept;
}

void detect_keep_left_out(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    if (!link_is_open(link)) return;
    for (uint32_t i = 0; i < c->n_skipped; i++) {
        if (c->skip_kept[i]) continue;
        say_quarantine_write(link_out(link), &(struct say_quarantine){.seq = c->skipped[i]});
        c->skip_kept[i] = true;
    }
    link_flush(link);
}

/* What triage has kept of this. */
int detect_take_quarantine(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct say_quarantine m;
    if (say_quarantine_read(frame->payload, &m) != 0 || c->begun) return ERR_CORRUPT;
    leave_out(c, m.seq, true);
    return 0;
}

/* Whether an engine has ended at this record by itself before: one that is killed from outside
 * blames nobody, as nothing kills twice at the same record by chance. */
static bool is_suspect(const struct detect_ctx *c, uint64_t seq)
{
    for (uint32_t i = 0; i < c->n_engines; i++)
        if (c->engines[i].suspect == seq + 1) return true;
    return false;
}

/* What an ended engine worked on, if anything. */
static void learn_from(struct role *r, struct engine_child *e)
{
    struct detect_ctx *c = r->ctx;
    const struct engine_page *page = e->page;
    char text[64];
    if (page->first == page->end) {
        c->failures++;
        return;
    }
    if (!page->exact) {
        if (page->end > c->careful_to) c->careful_to = page->end;
        return;
    }
    if (!is_suspect(c, page->first)) {
        e->suspect = page->first + 1;
        return;
    }
    (void)snprintf(text, sizeof text, "record %llu", (unsigned long long)page->first);
    role_alarm(r, "record-quarantined", slice_of(text));
    leave_out(c, page->first, false);
    detect_keep_left_out(r);
}

static void engine_closed(void *ctx, int why)
{
    struct engine_child *e = ctx;
    struct role *r = e->role;
    struct detect_ctx *c = r->ctx;
    int status = 0;
    char how[80];
    (void)why;
    (void)kill(e->pid, SIGKILL);
    (void)waitpid(e->pid, &status, 0);
    worker_describe(status, how, sizeof how);
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", e->pid), LOG_TEXT("how", slice_of(how)),
              LOG_NUMBER("first", e->page->first), LOG_NUMBER("end", e->page->end));
    e->pid = 0;
    c->crashes++;
    learn_from(r, e);
    role_alarm(r, "engine-crashed", slice_of(how));
    loop_defer(r->loop, &c->restart);
}

static const struct link_events engine_events = {.frame = engine_frame, .closed = engine_closed};

int detect_tell_journal(struct engine_child *e, uint64_t first, int fd)
{
    int copy = dup(fd);
    if (copy < 0 || link_pass(&e->link, copy) != 0) return ERR_LIMIT;
    say_journal_write(link_out(&e->link), &(struct say_journal){.first = first});
    e->told++;
    return 0;
}

void detect_tell_durable(struct engine_child *e, const struct say_durable *durable)
{
    say_durable_write(link_out(&e->link), durable);
    e->told++;
    link_flush(&e->link);
}

static int tell_engine(struct role *r, struct engine_child *e)
{
    struct detect_ctx *c = r->ctx;
    int error = 0;
    for (size_t i = 0; i < c->n_journals && error == 0; i++)
        error = detect_tell_journal(e, c->journals[i].first, c->journals[i].fd);
    if (error == 0 && c->durable.offset) detect_tell_durable(e, &c->durable);
    link_flush(&e->link);
    return error;
}

void detect_engine_init(struct role *r, uint32_t number, struct engine_page *page)
{
    struct detect_ctx *c = r->ctx;
    struct engine_child *e = &c->engines[number];
    e->role = r;
    e->page = page;
    link_init(&e->link, r->loop, &engine_events, e);
}

static int start_engine(struct role *r, uint32_t number)
{
    struct detect_ctx *c = r->ctx;
    struct engine_child *e = &c->engines[number];
    int fd;
    *e->page = (struct engine_page){0};
    e->told = e->steps = e->quiet = 0;
    e->begin = (struct engine_begin){.rules = &c->rules,
                                     .matcher = &c->matcher,
                                     .correlator = c->correlator,
                                     .clock = &r->clock,
                                     .page = e->page,
                                     .next = c->next,
                                     .careful_to = c->careful_to,
                                     .n_skipped = c->n_skipped,
                                     .number = number,
                                     .of = c->n_engines};
    memcpy(e->begin.skipped, c->skipped, sizeof c->skipped);
    c->events_before[number] = 0;
    int error = worker_fork(&(struct worker_spec){.run = engine_run,
                                                  .ctx = &e->begin,
                                                  .role = SANDBOX_DECODER,
                                                  .unconfined = !r->sandboxed,
                                                  .max_payload = SAY_MAX,
                                                  .null_fd = c->null_fd},
                            &e->pid, &fd);
    if (error == 0) error = link_open(&e->link, fd, SAY_MAX, ROLE_OUT_MAX);
    return error ? error : tell_engine(r, e);
}

void detect_end_engines(struct detect_ctx *c)
{
    for (uint32_t i = 0; i < c->n_engines; i++) {
        struct engine_child *e = &c->engines[i];
        link_close(&e->link);
        if (!e->pid) continue;
        (void)kill(e->pid, SIGKILL);
        (void)waitpid(e->pid, NULL, 0);
        e->pid = 0;
    }
}

/*
 * One that has something to do, may speak, and does not go on is ended, and what it worked on is
 * found as when it crashes. Seconds are counted, not measured: a machine that stood still accuses
 * nobody.
 */
void detect_watch_engines(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    for (uint32_t i = 0; i < c->n_engines; i++) {
        struct engine_child *e = &c->engines[i];
        uint64_t steps = __atomic_load_n(&e->page->steps, __ATOMIC_ACQUIRE);
        bool waits = !e->pid || i != c->turn || !detect_triage_has_room(r) ||
                     __atomic_load_n(&e->page->heard, __ATOMIC_RELAXED) == e->told;
        e->quiet = waits || steps != e->steps ? 0 : e->quiet + 1;
        e->steps = steps;
        if (e->quiet * NSEC_PER_SEC < r->config.detect_silence) continue;
        e->quiet = 0;
        role_alarm(r, "engine-hangs", SLICE("it did not go on, and is ended"));
        (void)kill(e->pid, SIGKILL);
    }
}

/* All of them, from the last advance on. */
void detect_start_engines(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    int error = c->failures > FAILURES_MAX ? ERR_LIMIT : 0;
    detect_end_engines(c);
    buf_clear(&c->tuples);
    c->turn = 0;
    if (link_is_open(link)) {
        say_reset_write(link_out(link), &(struct say_reset){});
        link_flush(link);
    }
    for (uint32_t i = 0; i < c->n_engines && error == 0; i++) error = start_engine(r, i);
    detect_set_pauses(r);
    if (error) role_end(r, error);
}
