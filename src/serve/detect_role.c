/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * All rules on all records. This process reads the rules, then forks engines that have them, and
 * passes on what they find in the order of the records; correlations are counted here. New rules
 * are a new process: it reads them while this one goes on, and begins where this one ends.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "proc/process.h"
#include "serve/detect.h"
#include "serve/probe.h"
#include "serve/warming.h"

enum {
    TUPLES_MAX = 64 * 1024 * 1024,
    ROOM_LEAST = 8 * 1024 * 1024 + 65536, /* towards triage, for whatever message comes next */
    RENEW_AGAIN = 600, /* s: until rules that could not be read are asked for again */
};

/* ---- to triage --------------------------------------------------------------------------- */

struct slice detect_rule_id(const struct sigma_doc *doc)
{
    return doc->id.len ? doc->id : doc->title;
}

bool detect_triage_has_room(struct role *r)
{
    return link_room(role_link(r, ROLE_TRIAGE)) > ROOM_LEAST;
}

static void note_canary(struct role *r, const struct say_alert *m)
{
    struct detect_ctx *c = r->ctx;
    uint64_t number;
    bool both = slice_eq(m->rule, SLICE(RULESET_CANARY_BOTH));
    if (!slice_to_u64(m->entity, &number)) return;
    canary_notes_see(&c->canary, number, both ? CANARY_CORRELATED : CANARY_MATCHED,
                     clock_realtime(&r->clock));
}

void detect_pass_alert(struct role *r, const struct say_alert *m)
{
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    if (!link_is_open(link)) return; /* it comes back, and all of this again */
    if (m->marks & RECORD_MARK_CANARY) note_canary(r, m);
    else c->alerts += m->count;
    say_alert_write(link_out(link), m);
}

/* ---- journals ---------------------------------------------------------------------------- */

static int take_journal(struct role *r, const struct frame *frame)
{
    struct detect_ctx *c = r->ctx;
    struct say_journal m;
    int fd = link_take_fd(role_link(r, ROLE_STORE));
    if (say_journal_read(frame->payload, &m) != 0 || fd < 0 || c->n_journals == DETECT_JOURNALS_MAX)
        return ERR_CORRUPT;
    c->journals[c->n_journals].first = m.first;
    c->journals[c->n_journals++].fd = fd;
    for (uint32_t i = 0; i < c->n_engines; i++) {
        struct engine_child *e = &c->engines[i];
        if (!link_is_open(&e->link)) continue;
        /* It takes nothing any more: its successor is told of all of them. */
        if (detect_tell_journal(e, m.first, fd) != 0) (void)kill(e->pid, SIGKILL);
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
        if (link_is_open(&c->engines[i].link)) detect_tell_durable(&c->engines[i], &c->durable);
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
    detect_start_engines(r);
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
    if (c->correlator) detect_end_windows_at(c, m.correlated);
    c->replaying = false;
    detect_keep_left_out(r);
    ask_store(r);
    return 0;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int detect_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    if (peer == ROLE_TRIAGE && frame->type == SAY_BEGIN) return take_begin(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_KEPT) return detect_take_kept(r, frame);
    if (peer == ROLE_TRIAGE && frame->type == SAY_QUARANTINE)
        return detect_take_quarantine(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_JOURNAL) return take_journal(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_DURABLE) return take_durable(r, frame);
    if (peer == ROLE_CANARY) {
        const struct detect_ctx *c = r->ctx;
        return probe_take(r, frame, &c->canary);
    }
    return ERR_CORRUPT;
}

static void detect_peer(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_STORE) ask_store(r);
}

/* Without triage nothing may be matched further: nobody would know. */
static void detect_lost(struct role *r, enum serve_role peer)
{
    struct detect_ctx *c = r->ctx;
    if (peer != ROLE_TRIAGE) return;
    c->begun = false;
    memset(c->skip_kept, 0, sizeof c->skip_kept);
    detect_end_engines(c);
    /* The next one tells what it kept: from there on everything is counted again. */
    if (detect_make_correlator(r) != 0) role_end(r, ERR_NOMEM);
}

static void detect_room(struct role *r, enum serve_role peer)
{
    if (peer == ROLE_TRIAGE) detect_set_pauses(r);
}

/* How far sources were heard: by the clock when there is nothing that was not matched. */
static void tell_watched(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_TRIAGE);
    if (!c->begun || !link_is_open(link) || !detect_triage_has_room(r)) return;
    bool idle = c->durable.offset > 0 && c->next == c->durable.next;
    nsec time = idle ? clock_realtime(&r->clock) - DETECT_CLOCK_BEHIND * NSEC_PER_SEC : c->received;
    if (time <= 0) return;
    say_watched_write(link_out(link), &(struct say_watched){.time = time});
    link_flush(link);
}

/* An exception or an indicator has ended: who comes next reads the rules without it. */
static void renew_rules(void *ctx)
{
    struct role *r = ctx;
    struct detect_ctx *c = r->ctx;
    nsec now = clock_realtime(&r->clock), end = c->rules.set->ends;
    if (end == 0 || now < end || (c->asked && now - c->asked < RENEW_AGAIN * NSEC_PER_SEC)) return;
    c->asked = now;
    say_command_write(link_out(&r->supervisor), &(struct say_command){.command = COMMAND_RULES});
    link_flush(&r->supervisor);
}

static uint32_t count_engines(const struct role *r)
{
    if (r->config.detect_engines) return (uint32_t)r->config.detect_engines;
    /* One processor is for everything else. */
    uint32_t n = process_processors(DETECT_ENGINES_MAX + 1);
    return n <= 2 ? 1 : n - 1;
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
    int error = ruleset_load_live(&c->rules, &r->config, clock_realtime(&r->clock), diag);
    if (error == 0) tell_products(c->rules.products);
    if (error == 0) error = matcher_init(&c->matcher, &c->rules, &(struct engine_options){0});
    if (error == 0) error = warming_run(&c->matcher, c->rules.products);
    if (error == 0) error = detect_make_correlator(r);
    if (error == 0) error = detect_learn_correlations(c);
    if (error == 0 && c->rules.set->n_rules == RULESET_CANARY_RULES)
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
    struct engine_page *pages = mmap(NULL, DETECT_ENGINES_MAX * sizeof *pages,
                                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->null_fd < 0 || pages == MAP_FAILED) return ERR_LIMIT;
    buf_init(&c->line, 4 * 1024 * 1024);
    buf_init(&c->tuples, TUPLES_MAX);
    for (uint32_t i = 0; i < c->n_engines; i++) detect_engine_init(r, i, &pages[i]);
    c->windows = (struct loop_timer){.due = detect_end_windows, .ctx = r};
    c->watch = (struct loop_timer){.due = detect_watch_engines, .ctx = r};
    c->renew = (struct loop_timer){.due = renew_rules, .ctx = r};
    c->hearing = (struct loop_timer){.due = tell_watched, .ctx = r};
    c->restart = (struct loop_deferred){.call = detect_start_engines, .ctx = r};
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
    json_write_member_u64(out, "rules", c->rules.set->n_rules - RULESET_CANARY_RULES);
    json_write_member_u64(out, "correlations",
                          c->rules.set->n_correlations - RULESET_CANARY_CORRELATIONS -
                              c->refused_correlations);
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
    detect_end_engines(r->ctx);
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
