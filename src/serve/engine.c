/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/engine.h"

#include <stdlib.h>
#include <unistd.h>

#include "alert/entity.h"
#include "alert/line.h"
#include "base/hash.h"
#include "base/log.h"
#include "detect/engine.h"
#include "normalise/record_decoder.h"
#include "serve/hearing.h"
#include "store/journal.h"

enum {
    JOURNALS_MAX = 64 * 1024,
    LINES_MAX = 32 * 1024 * 1024,
    ALIKE_MAX = 8192, /* alerts of one frame told apart; a power of two */
};

/* One rule for one entity in the frame at hand. */
struct alike {
    uint64_t key; /* 0: free */
    uint32_t alert;
};

struct alert {
    const struct sigma_rule *rule;
    uint64_t seq, last_seq;
    uint32_t count;
    uint8_t marks;
    nsec time, received;
    size_t line, line_len, host, host_len, entity, entity_len; /* in texts */
};

struct engine_process {
    const struct engine_begin *begin;
    struct channel *channel;
    struct engine *engine; /* the matcher's */
    struct router *router;
    struct record_decoder *decoder;
    struct hearing *hearing;
    struct line_writer lines;
    struct store_io io;
    struct journal_reader reader;
    struct {
        uint64_t first;
        int fd;
    } * journals;          /* those not read to their end, in order */
    size_t n_journals, at; /* `at`: the one that is read */
    uint64_t durable_first, durable_offset;
    uint64_t next;   /* record */
    uint64_t number; /* of the next frame, counted from the beginning */
    bool reading;
    /* The frame at hand. */
    const struct batch *batch;
    uint64_t first;
    uint32_t base;          /* what a number told by the decoder is counted from */
    struct batch_iter iter; /* the record that was looked up last … */
    struct record record;   /* … and its number is iter.next - 1 */
    uint8_t marks;          /* RECORD_MARK_… of it */
    struct alert *alerts;
    uint32_t n_alerts;
    struct alike *alike;
    struct buf texts, out, tuple, entity;
    struct slice *values;
    uint64_t events, undecodable;
};

/* ---- alerts ------------------------------------------------------------------------------ */

static struct slice text_at(const struct engine_process *p, size_t at, size_t len)
{
    return slice_make(p->texts.ptr + at, len);
}

static int send_out(struct engine_process *p)
{
    int result = buf_failed(&p->out) ? ERR_LIMIT : channel_send(p->channel, buf_slice(&p->out), -1);
    buf_clear(&p->out);
    return result;
}

/* What was found so far, to the parent. */
static int send_alerts(struct engine_process *p)
{
    int result = 0;
    for (uint32_t i = 0; i < p->n_alerts && result == 0; i++) {
        const struct alert *a = &p->alerts[i];
        const struct sigma_doc *doc = a->rule->doc;
        say_alert_write(&p->out, &(struct say_alert){.seq = a->seq,
                                                     .last_seq = a->last_seq,
                                                     .count = a->count,
                                                     .level = (uint8_t)doc->level,
                                                     .time = a->time,
                                                     .received = a->received,
                                                     .marks = a->marks,
                                                     .rule = doc->id.len ? doc->id : doc->title,
                                                     .title = doc->title,
                                                     .host = text_at(p, a->host, a->host_len),
                                                     .entity = text_at(p, a->entity, a->entity_len),
                                                     .line = text_at(p, a->line, a->line_len)});
        if (p->out.len > LINES_MAX / 4) result = send_out(p);
    }
    p->n_alerts = 0;
    memset(p->alike, 0, ALIKE_MAX * sizeof *p->alike);
    buf_clear(&p->texts);
    return result;
}

/* Where the rule and the entity stand, or where they belong: a free place. */
static struct alike *find_alike(struct engine_process *p, const struct sigma_rule *rule,
                                uint64_t entity)
{
    uint64_t key = hash_mix(entity, rule->index + 1u) | 1;
    for (size_t i = key % ALIKE_MAX;; i = (i + 1) % ALIKE_MAX) {
        if (p->alike[i].key == 0) p->alike[i].alert = UINT32_MAX;
        if (p->alike[i].key == 0 || p->alike[i].key == key) {
            p->alike[i].key = key;
            return &p->alike[i];
        }
    }
}

static int add_alert(struct engine_process *p, const struct engine_hit *hit, uint64_t seq)
{
    struct alike *alike =
        find_alike(p, hit->rule, hash_mix(hash64(buf_slice(&p->entity)), p->marks));
    if (alike->alert != UINT32_MAX) {
        p->alerts[alike->alert].count++;
        p->alerts[alike->alert].last_seq = seq;
        return 0;
    }
    struct alert *a = &p->alerts[p->n_alerts];
    *a = (struct alert){.rule = hit->rule,
                        .seq = seq,
                        .last_seq = seq,
                        .count = 1,
                        .marks = p->marks,
                        .time = p->lines.time,
                        .received = p->record.received,
                        .host = p->texts.len};
    buf_put(&p->texts, slice_until(p->lines.host, ENTITY_PART_MAX));
    a->host_len = p->texts.len - a->host;
    a->entity = p->texts.len;
    buf_put(&p->texts, buf_slice(&p->entity));
    a->entity_len = p->texts.len - a->entity;
    a->line = p->texts.len;
    (void)line_write(&p->lines, hit, &p->texts);
    a->line_len = p->texts.len - a->line;
    alike->alert = p->n_alerts++;
    if (buf_failed(&p->texts)) return ERR_NOMEM;
    bool full = p->n_alerts == ALIKE_MAX / 2 || p->texts.len > LINES_MAX / 2;
    return full ? send_alerts(p) : 0;
}

static void send_tuple(struct engine_process *p, struct event *ev, const struct sigma_rule *rule,
                       uint64_t seq)
{
    struct correlator_wants wants;
    correlator_wants(p->begin->correlator, rule->index, &wants);
    if (!wants.wanted) return;
    for (uint32_t i = 0; i < wants.n_fields; i++)
        if (!engine_field(p->engine, ev, rule, wants.fields[i], &p->values[i]))
            p->values[i] = SLICE_NONE;
    /* Windows run on the time of receipt: what an event claims can be forged. */
    const struct correlator_tuple tuple = {.rule = rule->index,
                                           .time = p->record.received,
                                           .ref = seq,
                                           .values = p->values,
                                           .n_values = wants.n_fields};
    buf_clear(&p->tuple);
    correlator_tuple_write(&p->tuple, &tuple);
    if (!buf_failed(&p->tuple))
        say_tuple_write(&p->out,
                        &(struct say_tuple){.marks = p->marks, .body = buf_slice(&p->tuple)});
}

/* ---- records ----------------------------------------------------------------------------- */

/* The record of that number in the batch; asked for in order. */
static void look_up(struct engine_process *p, uint32_t number)
{
    if (p->iter.batch != p->batch || p->iter.next > number + 1) batch_iter_init(&p->iter, p->batch);
    while (p->iter.next <= number)
        if (!batch_iter_next(&p->iter, &p->record)) return;
}

/* What is about the canary's number is alike. */
static void name_canary(struct engine_process *p, struct event *ev, const struct sigma_rule *rule)
{
    struct slice number;
    buf_clear(&p->entity);
    if (engine_field(p->engine, ev, rule, SLICE("vaka.canary"), &number))
        buf_put(&p->entity, slice_until(number, ENTITY_PART_MAX));
}

static int on_hits(struct engine_process *p, struct event *ev, const struct engine_result *found,
                   uint32_t number)
{
    int result = 0;
    uint64_t seq = p->first + number;
    look_up(p, number);
    line_record(&p->lines, ev, router_event_time(p->router, ev), router_event_host(p->router, ev),
                &p->record, seq);
    entity_write(&p->entity, p->lines.entities, p->lines.n_entities, p->lines.host,
                 p->record.source);
    p->marks = (uint8_t)record_mark(p->record.source);
    for (uint32_t i = 0; i < found->n_hits && result == 0; i++) {
        const struct engine_hit *hit = &found->hits[i];
        bool canary = (p->marks & RECORD_MARK_CANARY) != 0;
        /* Nobody else's record can be taken for the canary's, and it raises no other alarm. */
        if (canary != ruleset_is_canary(hit->rule->doc->id)) continue;
        if (canary) name_canary(p, ev, hit->rule);
        if (p->begin->correlator) send_tuple(p, ev, hit->rule, seq);
        if (hit->rule->silent) continue;
        result = add_alert(p, hit, seq);
    }
    if (result == 0 && p->out.len > LINES_MAX / 4) result = send_out(p);
    return result;
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct engine_process *p = ctx;
    struct engine_result found;
    p->events++;
    int result = engine_match(p->engine, ev, &found);
    if (result == 0) hearing_event(p->hearing, number, ev, p->engine, found.route->n_labels > 0);
    if (result == 0 && found.n_hits > 0) result = on_hits(p, ev, &found, number);
    engine_housekeep(p->engine);
    return result;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    struct engine_process *p = ctx;
    (void)reason;
    p->undecodable++;
    hearing_undecodable(p->hearing, number);
}

static bool has_skipped(const struct engine_process *p, uint64_t first, uint64_t end)
{
    for (uint32_t i = 0; i < p->begin->n_skipped; i++)
        if (p->begin->skipped[i] >= first && p->begin->skipped[i] < end) return true;
    return false;
}

/* Tells the parent what is worked on from here. */
static void turn_page(const struct engine_process *p, uint64_t first, uint64_t end, bool exact)
{
    struct engine_page *page = p->begin->page;
    page->first = first;
    page->end = end;
    page->exact = exact;
    __atomic_store_n(&page->steps, page->steps + 1, __ATOMIC_RELEASE);
}

static void turn_to_parent(const struct engine_process *p)
{
    struct engine_page *page = p->begin->page;
    __atomic_store_n(&page->steps, page->steps + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&page->heard, page->heard + 1, __ATOMIC_RELAXED);
}

/* One by one, so that it is known which one it was that brought the process down. */
static int match_carefully(struct engine_process *p, const struct record_sink *sink, uint32_t from)
{
    int result = 0;
    for (uint32_t i = from; i < p->batch->n && result == 0; i++) {
        uint64_t seq = p->first + i;
        if (has_skipped(p, seq, seq + 1)) continue;
        turn_page(p, seq, seq + 1, true);
        result = record_decoder_batch(p->decoder, p->batch, i, i + 1, sink);
    }
    return result;
}

static int match_frame(struct engine_process *p, const struct journal_frame *frame)
{
    const struct record_sink sink = {.ctx = p, .event = on_event, .undecodable = on_undecodable};
    uint64_t end = frame->first + frame->batch.n;
    /* The first frame may have been matched in part: by whoever had another cut of frames. */
    uint32_t from = p->next > frame->first ? (uint32_t)(p->next - frame->first) : 0;
    p->batch = &frame->batch;
    p->first = frame->first;
    /* A time without a year is of the year in which it was received. */
    matcher_set_now(p->begin->matcher, frame->latest);
    p->iter.batch = NULL;
    hearing_begin(p->hearing, p->batch, from);
    int result;
    if (frame->first < p->begin->careful_to || has_skipped(p, frame->first, end)) {
        result = match_carefully(p, &sink, from);
    } else {
        turn_page(p, frame->first, end, false);
        result = record_decoder_batch(p->decoder, p->batch, from, UINT32_MAX, &sink);
    }
    /* The process ends with an error of these records: their page stays for the parent. */
    if (result) return result;
    turn_page(p, end, end, false);
    p->batch = NULL;
    result = send_alerts(p);
    hearing_write(p->hearing, &p->out);
    say_advance_write(&p->out, &(struct say_advance){.next = end,
                                                     .received = frame->latest,
                                                     .events = p->events,
                                                     .undecodable = p->undecodable});
    return result ? result : send_out(p);
}

/* ---- journals ---------------------------------------------------------------------------- */

/* Goes to the next journal. False: there is none. */
static bool next_journal(struct engine_process *p)
{
    if (p->reading) {
        journal_reader_done(&p->reader);
        (void)close(p->journals[p->at].fd);
        p->journals[p->at++].fd = -1;
        p->reading = false;
    }
    while (p->at < p->n_journals) {
        /* One whose successor begins at or before what is wanted holds nothing of it. */
        bool behind = p->at + 1 < p->n_journals && p->journals[p->at + 1].first <= p->next;
        if (!behind && journal_reader_init(&p->reader, &p->io, p->journals[p->at].fd,
                                           p->journals[p->at].first) == 0) {
            p->reading = true;
            return true;
        }
        (void)close(p->journals[p->at].fd);
        p->journals[p->at++].fd = -1;
    }
    return false;
}

static int take_frame(struct engine_process *p, const struct journal_frame *frame)
{
    uint64_t end = frame->first + frame->batch.n;
    if (end <= p->next) return 0;
    bool mine = p->number++ % p->begin->of == p->begin->number;
    int result = mine ? match_frame(p, frame) : 0;
    p->next = end;
    return result;
}

/* Everything that is durable by now. */
static int catch_up(struct engine_process *p)
{
    while (p->reading || next_journal(p)) {
        uint64_t first = p->journals[p->at].first;
        if (first > p->durable_first) return 0;
        bool complete = first < p->durable_first;
        struct journal_frame frame;
        int got =
            journal_reader_next(&p->reader, complete ? JOURNAL_ALL : p->durable_offset, &frame);
        if (got > 0) {
            int result = take_frame(p, &frame);
            if (result) return result;
        } else if (got == 0) {
            if (!complete || p->at + 1 == p->n_journals) return 0;
            (void)next_journal(p);
        } else if (got != ERR_CORRUPT) {
            return got;
        }
    }
    return 0;
}

static int take_journal(struct engine_process *p, struct slice payload)
{
    struct say_journal m;
    int fd = channel_take_fd(p->channel);
    if (say_journal_read(payload, &m) != 0 || fd < 0 || p->n_journals == JOURNALS_MAX)
        return ERR_CORRUPT;
    p->journals[p->n_journals].first = m.first;
    p->journals[p->n_journals++].fd = fd;
    return 0;
}

static int take_durable(struct engine_process *p, struct slice payload)
{
    struct say_durable m;
    if (say_durable_read(payload, &m) != 0) return ERR_CORRUPT;
    p->durable_first = m.first;
    p->durable_offset = m.offset;
    return catch_up(p);
}

/* ---- the process ------------------------------------------------------------------------- */

static int engine_init(struct engine_process *p)
{
    const struct ruleset *rules = p->begin->rules;
    buf_init(&p->texts, LINES_MAX);
    buf_init(&p->out, 2 * (size_t)LINES_MAX);
    buf_init(&p->tuple, 4 * 1024 * 1024);
    buf_init(&p->entity, ENTITY_MAX);
    p->io = store_io_system(-1);
    p->journals = calloc(JOURNALS_MAX, sizeof *p->journals);
    p->alerts = calloc(ALIKE_MAX, sizeof *p->alerts);
    p->alike = calloc(ALIKE_MAX, sizeof *p->alike);
    p->values = calloc(CORRELATOR_FIELDS_MAX, sizeof *p->values);
    if (!p->journals || !p->alerts || !p->alike || !p->values) return ERR_NOMEM;
    p->engine = p->begin->matcher->engine;
    p->router = engine_router(p->engine);
    p->decoder = record_decoder_new(engine_keys(p->engine));
    p->hearing = hearing_new();
    if (!p->decoder || !p->hearing) return ERR_NOMEM;
    return line_writer_init(&p->lines, p->engine, HUNT_JSON, rules->set->n_rules);
}

int engine_run(void *ctx, struct channel *channel)
{
    struct engine_process *p = calloc(1, sizeof *p);
    if (!p) return 1;
    p->begin = ctx;
    p->channel = channel;
    p->next = p->begin->next;
    int result = engine_init(p);
    while (result == 0) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        if (got == 0) result = channel_fill(channel);
        else if (got > 0 && frame.type == SAY_JOURNAL) result = take_journal(p, frame.payload);
        else if (got > 0 && frame.type == SAY_DURABLE) result = take_durable(p, frame.payload);
        else result = ERR_CORRUPT;
        if (got > 0) turn_to_parent(p);
    }
    /* The process ends with this: the kernel takes all of it back. */
    if (result == ERR_STOPPED) return 0;
    log_write(LOG_ENGINE_FAILED, LOG_TEXT("why", slice_of(error_text(result))),
              LOG_NUMBER("next", p->next), LOG_NUMBER("journals", p->n_journals));
    return 1;
}
