/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All rules on all records. This process reads the rules, then forks engines that have them, and
 * passes on what they find in the order of the records; correlations are counted here. New rules
 * are a new process: it reads them while this one goes on, and begins where this one ends.
 *
 * What engines tell of a frame counts only with the advance behind it: when one crashes, all begin
 * again at the last advance, the frame it worked on is taken record by record, and the record that
 * brings an engine down again is left out from then on, stays stored, and is told to people.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/line.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "proc/worker.h"
#include "serve/engine.h"
#include "serve/role.h"
#include "serve/warming.h"

enum {
    ENGINES_MAX = 64,
    JOURNALS_MAX = 512,
    TUPLES_MAX = 64 * 1024 * 1024,
    ROOM_LEAST = 8 * 1024 * 1024 + 65536, /* towards triage, for whatever message comes next */
    FAILURES_MAX = 5,                     /* ends in a row that no record explains */
    CLOCK_BEHIND = 2,                     /* s: windows end so long behind the clock when idle */
    RENEW_AGAIN = 600, /* s: until rules that could not be read are asked for again */
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
};

struct detect_ctx {
    struct ruleset rules;
    struct matcher matcher; /* every engine begins with a copy of it */
    struct correlator *correlator;
    struct engine_child engines[ENGINES_MAX];
    uint32_t n_engines, turn; /* whose frame is next */
    int null_fd;
    struct {
        uint64_t first;
        int fd;
    } journals[JOURNALS_MAX];
    size_t n_journals;
    struct say_durable durable;
    bool begun; /* triage has said where */
    uint64_t next;
    nsec received;  /* of the last record that was matched */
    nsec caught_up; /* when there was nothing that was not matched, last */
    struct slice values[CORRELATOR_FIELDS_MAX];
    struct buf tuples; /* of the frame at hand: u32 length and bytes each */
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
    uint64_t events_before[ENGINES_MAX];
};

static struct slice id_of(const struct sigma_doc *doc)
{
    return doc->id.len ? doc->id : doc->title;
}

/* ---- to triage --------------------------------------------------------------------------- */

static bool triage_has_room(struct role *r)
{
    return link_room(role_link(r, ROLE_TRIAGE)) > ROOM_LEAST;
}

/* Only the engine whose turn it is may speak, and only while triage listens. */
static void set_pauses(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    bool room = triage_has_room(r);
    for (uint32_t i = 0; i < c->n_engines; i++)
        link_pause(&c->engines[i].link, i != c->turn || !room);
}

static void pass_alert(struct role *r, const struct say_alert *m)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    if (!link_is_open(link)) return; /* it comes back, and all of this again */
    c->alerts += m->count;
    say_alert_write(link_out(link), m);
}

static void on_firing(void *ctx, const struct correlator_firing *f)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    const struct sigma_doc *doc = f->rule->doc;
    struct buf group;
    if (f->rule->silent || c->replaying) return;
    buf_clear(&c->line);
    line_write_correlation(&c->line, HUNT_JSON, f, NULL);
    buf_init(&group, 64 * 1024);
    for (uint32_t i = 0; i < f->n_group; i++) {
        if (i) buf_putc(&group, '\t');
        buf_put(&group, f->values[i]);
    }
    pass_alert(r, &(struct say_alert){.seq = f->n_refs ? f->refs[0] : c->next,
                                      .last_seq = f->n_refs ? f->refs[f->n_refs - 1] : c->next,
                                      .count = 1,
                                      .level = (uint8_t)doc->level,
                                      .time = f->time,
                                      .received = f->time,
                                      .rule = id_of(doc),
                                      .title = doc->title,
                                      .entity = buf_slice(&group),
                                      .line = buf_slice(&c->line)});
    buf_done(&group);
}

static void on_refused(void *ctx, const struct sigma_corr_rule *rule, const char *why)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    c->refused_correlations++;
    log_write(LOG_CORRELATION_REFUSED, LOG_TEXT("rule", rule->doc->title),
              LOG_TEXT("why", slice_of(why)));
}

/* ---- engines ----------------------------------------------------------------------------- */

/* To the correlator, and to triage for the next start. */
static void push_tuples(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    for (struct slice rest = buf_slice(&c->tuples); rest.len > 0;) {
        uint32_t len;
        memcpy(&len, rest.ptr, sizeof len);
        struct correlator_tuple tuple;
        struct slice body = slice_until(slice_from(rest, sizeof len), len);
        rest = slice_from(rest, sizeof len + len);
        /* An engine forked from here makes none that is not valid; one that was taken over may. */
        if (correlator_tuple_read(body, c->values, CORRELATOR_FIELDS_MAX, &tuple) != 0 ||
            correlator_push(c->correlator, &tuple) != 0) {
            c->odd_tuples++;
            continue;
        }
        if (!link_is_open(link)) continue;
        say_kept_write(link_out(link),
                       &(struct say_kept){.rule = id_of(c->rules.set->rules[tuple.rule]->doc),
                                          .names = c->names[tuple.rule],
                                          .time = tuple.time,
                                          .body = body});
    }
    buf_clear(&c->tuples);
}

/* What was told before the start: for the rule of that id, when it still wants the same of a
 * record. */
static int take_kept(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    const struct sigma_set *set = c->rules.set;
    struct say_kept m;
    struct correlator_tuple tuple;
    if (say_kept_read(frame->payload, &m) != 0 || c->begun) return ERR_CORRUPT;
    if (!c->correlator) return 0;
    c->replaying = true;
    uint32_t i = 0;
    while (i < set->n_rules && !slice_eq(id_of(set->rules[i]->doc), m.rule)) i++;
    bool known = i < set->n_rules && c->names[i] == m.names &&
                 correlator_tuple_read(m.body, c->values, CORRELATOR_FIELDS_MAX, &tuple) == 0;
    tuple.rule = i;
    if (known && correlator_push(c->correlator, &tuple) == 0) c->replayed++;
    else c->forgotten++;
    return 0;
}

static int take_tuple(struct detect_ctx *c, const struct frame *frame)
{
    struct say_tuple m;
    if (!c->correlator || say_tuple_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    uint32_t len = (uint32_t)m.body.len;
    buf_put(&c->tuples, slice_make(&len, sizeof len));
    buf_put(&c->tuples, m.body);
    return buf_error(&c->tuples);
}

static void forget_journals(struct detect_ctx *c)
{
    size_t old = 0;
    while (old + 1 < c->n_journals && c->journals[old + 1].first <= c->next)
        (void)close(c->journals[old++].fd);
    c->n_journals -= old;
    memmove(c->journals, c->journals + old, c->n_journals * sizeof *c->journals);
}

static void end_windows_at(struct detect_ctx *c, nsec time)
{
    if (time <= c->correlated) return;
    c->correlated = time;
    correlator_advance(c->correlator, time);
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

static int take_advance(struct role *r, struct engine_child *e, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    struct say_advance m;
    if (say_advance_read(frame->payload, &m) != 0 || m.next <= c->next) return ERR_CORRUPT;
    if (c->correlator) {
        push_tuples(r);
        end_windows_at(c, m.received);
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
    set_pauses(r);
    return 0;
}

static int pass_sighted(struct role *r, const struct frame *frame)
{
    struct link *link = role_link(r, ROLE_TRIAGE);
    struct say_sighted m;
    if (say_sighted_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    if (link_is_open(link)) say_sighted_write(link_out(link), &m);
    if (!triage_has_room(r)) set_pauses(r);
    return 0;
}

static int engine_frame(void *ctx, const struct frame *frame)
{
    struct engine_child *e = ctx;
    struct role *r = e->role;
    struct say_alert alert;
    if (frame->type == SAY_TUPLE) return take_tuple(r->ctx, frame);
    if (frame->type == SAY_ADVANCE) return take_advance(r, e, frame);
    if (frame->type == SAY_SIGHTED) return pass_sighted(r, frame);
    if (frame->type != SAY_ALERT || say_alert_read(frame->payload, &alert) != 0) return ERR_CORRUPT;
    pass_alert(r, &alert);
    if (!triage_has_room(r)) set_pauses(r);
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

static void keep_left_out(struct role *r)
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
static int take_quarantine(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct say_quarantine m;
    if (say_quarantine_read(frame->payload, &m) != 0 || c->begun) return ERR_CORRUPT;
    leave_out(c, m.seq, true);
    return 0;
}

/* What an ended engine worked on, if anything. */
static void learn_from(struct role *r, const struct engine_child *e)
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
    (void)snprintf(text, sizeof text, "record %llu", (unsigned long long)page->first);
    role_alarm(r, "record-quarantined", slice_of(text));
    leave_out(c, page->first, false);
    keep_left_out(r);
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

static int tell_journal(struct engine_child *e, uint64_t first, int fd)
{
    int copy = dup(fd);
    if (copy < 0 || link_pass(&e->link, copy) != 0) return ERR_LIMIT;
    say_journal_write(link_out(&e->link), &(struct say_journal){.first = first});
    e->told++;
    return 0;
}

static void tell_durable(struct engine_child *e, const struct say_durable *durable)
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
        error = tell_journal(e, c->journals[i].first, c->journals[i].fd);
    if (error == 0 && c->durable.offset) tell_durable(e, &c->durable);
    link_flush(&e->link);
    return error;
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

static void end_engines(struct detect_ctx *c)
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
static void watch_engines(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    for (uint32_t i = 0; i < c->n_engines; i++) {
        struct engine_child *e = &c->engines[i];
        uint64_t steps = __atomic_load_n(&e->page->steps, __ATOMIC_ACQUIRE);
        bool waits = !e->pid || i != c->turn || !triage_has_room(r) ||
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
static void start_engines(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    int error = c->failures > FAILURES_MAX ? ERR_LIMIT : 0;
    end_engines(c);
    buf_clear(&c->tuples);
    c->turn = 0;
    if (link_is_open(link)) {
        say_reset_write(link_out(link), &(struct say_reset){});
        link_flush(link);
    }
    for (uint32_t i = 0; i < c->n_engines && error == 0; i++) error = start_engine(r, i);
    set_pauses(r);
    if (error) role_end(r, error);
}

/* ---- journals ---------------------------------------------------------------------------- */

static int take_journal(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct say_journal m;
    int fd = link_take_fd(role_link(r, ROLE_STORE));
    if (say_journal_read(frame->payload, &m) != 0 || fd < 0 || c->n_journals == JOURNALS_MAX)
        return ERR_CORRUPT;
    c->journals[c->n_journals].first = m.first;
    c->journals[c->n_journals++].fd = fd;
    for (uint32_t i = 0; i < c->n_engines; i++) {
        struct engine_child *e = &c->engines[i];
        if (!link_is_open(&e->link)) continue;
        /* It takes nothing any more: its successor is told of all of them. */
        if (tell_journal(e, m.first, fd) != 0) (void)kill(e->pid, SIGKILL);
        link_flush(&e->link);
    }
    return 0;
}

static int take_durable(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    if (c->begun && c->next == c->durable.next) c->caught_up = clock_realtime(&r->clock);
    if (say_durable_read(frame->payload, &c->durable) != 0) return ERR_CORRUPT;
    for (uint32_t i = 0; i < c->n_engines; i++)
        if (link_is_open(&c->engines[i].link)) tell_durable(&c->engines[i], &c->durable);
    return 0;
}

/* The store is another one, or was told where to begin anew: its journals are told again. */
static void ask_store(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_STORE);
    if (!c->begun || !link_is_open(link)) return;
    for (size_t i = 0; i < c->n_journals; i++) (void)close(c->journals[i].fd);
    c->n_journals = 0;
    c->durable = (struct say_durable){0};
    start_engines(r);
    say_begin_write(link_out(link), &(struct say_begin){.next = c->next});
    link_flush(link);
}

static int take_begin(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct say_begin m;
    if (say_begin_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    c->begun = true;
    c->next = m.next;
    if (c->correlator) end_windows_at(c, m.correlated);
    c->replaying = false;
    keep_left_out(r);
    ask_store(r);
    return 0;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int detect_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer == ROLE_TRIAGE && frame->type == SAY_BEGIN) return take_begin(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_KEPT) return take_kept(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_QUARANTINE) return take_quarantine(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_JOURNAL) return take_journal(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_DURABLE) return take_durable(r, frame);
    return ERR_CORRUPT;
}

static void detect_peer(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_STORE) ask_store(r);
}

static int make_correlator(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    struct correlator_options options = {.max_bytes = r->config.correlation_state};
    const struct correlator_out out = {.ctx = r, .firing = on_firing, .refused = on_refused};
    if (c->rules.set->n_correlations == 0) return 0;
    correlator_free(c->correlator);
    c->correlator = NULL;
    c->correlated = 0;
    c->refused_correlations = 0;
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) return ERR_IO;
    c->correlator = correlator_new(c->rules.set, &options, &out);
    return c->correlator ? 0 : ERR_NOMEM;
}

/* How long correlations remember, and what each rule's tuples are made of. */
static int learn_correlations(struct detect_ctx *c)
{
    const struct sigma_set *set = c->rules.set;
    c->names = calloc(set->n_rules + 1u, sizeof *c->names);
    if (!c->names) return ERR_NOMEM;
    for (uint32_t i = 0; i < set->n_correlations; i++) {
        nsec span = set->correlations[i]->corr->timespan;
        /* Twice: a window may have begun when the one before it ended. */
        if (span < INT64_MAX / 4 && 2 * span > c->memory) c->memory = 2 * span;
    }
    for (uint32_t i = 0; i < set->n_rules && c->correlator; i++) {
        struct correlator_wants wants;
        correlator_wants(c->correlator, i, &wants);
        for (uint32_t k = 0; k < wants.n_fields; k++)
            c->names[i] = hash_mix(c->names[i], hash64(wants.fields[k])) >> 1;
    }
    return 0;
}

/* Without triage nothing may be matched further: nobody would know. */
static void detect_lost(struct role *r, enum serve_role peer)
{
    struct detect_ctx *c = r->ctx;
    if (peer != ROLE_TRIAGE) return;
    c->begun = false;
    memset(c->skip_kept, 0, sizeof c->skip_kept);
    end_engines(c);
    /* The next one tells what it kept: from there on everything is counted again. */
    if (make_correlator(r) != 0) role_end(r, ERR_NOMEM);
}

static void detect_room(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_TRIAGE) set_pauses(r);
}

/* How far sources were heard: by the clock when there is nothing that was not matched. */
static void tell_watched(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    if (!c->begun || !link_is_open(link) || !triage_has_room(r)) return;
    bool idle = c->durable.offset > 0 && c->next == c->durable.next;
    nsec time = idle ? clock_realtime(&r->clock) - CLOCK_BEHIND * NSEC_PER_SEC : c->received;
    if (time <= 0) return;
    say_watched_write(link_out(link), &(struct say_watched){.time = time});
    link_flush(link);
}

/* Windows end by the clock when nothing comes. */
static void end_windows(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    bool idle = c->begun && c->next == c->durable.next && c->tuples.len == 0;
    if (!c->correlator || !idle || !link_is_open(link)) return;
    end_windows_at(c, clock_realtime(&r->clock) - CLOCK_BEHIND * NSEC_PER_SEC);
    say_advance_write(link_out(link), &(struct say_advance){.next = c->next,
                                                            .correlated = c->correlated,
                                                            .horizon = c->correlated - c->memory});
    link_flush(link);
}

/* An exception has ended: who comes next reads the rules without it. */
static void renew_rules(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    nsec now = clock_realtime(&r->clock), end = c->rules.set->filters_end;
    if (end == 0 || now < end || (c->asked && now - c->asked < RENEW_AGAIN * NSEC_PER_SEC)) return;
    c->asked = now;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = COMMAND_RULES});
    link_flush(&r->supervisor);
}

static uint32_t count_engines(const struct role *r)
{
    cpu_set_t set;
    if (r->config.detect_engines) return (uint32_t)r->config.detect_engines;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    /* One processor is for everything else. */
    return n <= 2 ? 1 : n - 1 > ENGINES_MAX ? ENGINES_MAX : (uint32_t)n - 1;
}

static void tell_products(const struct products *products)
{
    for (const struct product_remark *r = products_remarks(products); r; r = r->next)
        if (r->refused)
            log_write(LOG_PRODUCT_REFUSED, LOG_TEXT("file", slice_of(r->diag.file)),
                      LOG_NUMBER("line", r->diag.line), LOG_TEXT("why", slice_of(r->diag.message)));
}

static int read_rules(struct role *r, struct diag *diag)
{
    struct detect_ctx *c = r->ctx;
    int error = ruleset_load_watch(&c->rules, &r->config, clock_realtime(&r->clock), diag);
    if (error == 0) tell_products(c->rules.products);
    if (error == 0) error = matcher_init(&c->matcher, &c->rules, &(struct engine_options){0});
    if (error == 0) error = warming_run(&c->matcher, c->rules.products);
    if (error == 0) error = make_correlator(r);
    if (error == 0) error = learn_correlations(c);
    if (error == 0 && c->rules.set->n_rules + c->rules.set->n_correlations == 0)
        error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "there is no rule to detect with");
    return error;
}

static int detect_prepare(struct role *r, struct diag *diag)
{
    struct detect_ctx *c = r->ctx;
    /* Engines have it from here. */
    (void)setpriority(PRIO_PROCESS, 0, NICE_DETECT);
    c->n_engines = count_engines(r);
    c->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct engine_page *pages = mmap(NULL, ENGINES_MAX * sizeof *pages, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->null_fd < 0 || pages == MAP_FAILED) return ERR_LIMIT;
    buf_init(&c->line, 4 * 1024 * 1024);
    buf_init(&c->tuples, TUPLES_MAX);
    for (uint32_t i = 0; i < c->n_engines; i++) {
        c->engines[i].role = r;
        c->engines[i].page = &pages[i];
        link_init(&c->engines[i].link, r->loop, &engine_events, &c->engines[i]);
    }
    c->windows = (struct loop_timer){.due = end_windows, .ctx = r};
    c->watch = (struct loop_timer){.due = watch_engines, .ctx = r};
    c->renew = (struct loop_timer){.due = renew_rules, .ctx = r};
    c->hearing = (struct loop_timer){.due = tell_watched, .ctx = r};
    c->restart = (struct loop_deferred){.call = start_engines, .ctx = r};
    return read_rules(r, diag);
}

static int detect_start(struct role *r)
{
    struct detect_ctx *c = r->ctx;
    int error = loop_timer_set(r->loop, &c->watch, NSEC_PER_SEC, NSEC_PER_SEC);
    if (error == 0) error = loop_timer_set(r->loop, &c->renew, NSEC_PER_SEC, NSEC_PER_SEC);
    if (error == 0) error = loop_timer_set(r->loop, &c->hearing, NSEC_PER_SEC, NSEC_PER_SEC);
    return error ? error : loop_timer_set(r->loop, &c->windows, NSEC_PER_SEC, NSEC_PER_SEC);
}

/*
 * Seconds since the first record came that is not matched: it came behind the last one that was,
 * and behind the last moment without one. Unknown until one of them is known.
 */
static void put_lag(struct role *r, struct buf *out, uint64_t behind)
{
    struct detect_ctx *c = r->ctx;
    nsec since = c->received > c->caught_up ? c->received : c->caught_up;
    nsec lag = behind ? clock_realtime(&r->clock) - since : 0;
    if (behind == 0 || since > 0)
        json_write_member_u64(out, "lag_s", lag > 0 ? (uint64_t)(lag / NSEC_PER_SEC) : 0);
}

static void put_quarantined(const struct detect_ctx *c, struct buf *out)
{
    json_write_member_u64(out, "quarantined", c->n_skipped);
    json_write_key(out, "quarantined_records");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < c->n_skipped; i++) {
        if (i) buf_putc(out, ',');
        json_write_u64(out, c->skipped[i]);
    }
    buf_putc(out, ']');
}

static void detect_status(struct role *r, struct buf *out)
{
    struct detect_ctx *c = r->ctx;
    json_write_member_u64(out, "rules", c->rules.set->n_rules);
    json_write_member_u64(out, "correlations",
                          c->rules.set->n_correlations - c->refused_correlations);
    json_write_member_u64(out, "refused", ruleset_refused(c->rules.set) + c->refused_correlations);
    json_write_member_u64(out, "products", products_count(c->rules.products));
    json_write_member_u64(out, "products_refused", products_refused(c->rules.products));
    json_write_member_u64(out, "engines", c->n_engines);
    json_write_member_u64(out, "events", c->events);
    json_write_member_u64(out, "undecodable", c->undecodable);
    json_write_member_u64(out, "alerts", c->alerts);
    json_write_member_u64(out, "next", c->next);
    uint64_t behind = c->durable.next > c->next ? c->durable.next - c->next : 0;
    json_write_member_u64(out, "behind", behind);
    put_lag(r, out, behind);
    json_write_member_u64(out, "crashes", c->crashes);
    put_quarantined(c, out);
    json_write_member_u64(out, "replayed", c->replayed);
    json_write_member_u64(out, "forgotten", c->forgotten);
}

static void detect_stop(struct role *r)
{
    end_engines(r->ctx);
    role_end(r, 0);
}

const struct role_ops role_detect = {
    .ctx_size = sizeof(struct detect_ctx),
    .prepare = detect_prepare,
    .start = detect_start,
    .peer = detect_peer,
    .lost = detect_lost,
    .room = detect_room,
    .frame = detect_frame,
    .status = detect_status,
    .stop = detect_stop,
};
