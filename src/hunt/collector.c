/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/collector.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "hunt/cut.h"
#include "proc/worker.h"

#define TICK_EVERY (NSEC_PER_SEC / 10)

/* An opened source; shared by the ranges of one file. */
struct input {
    const struct source *source;
    int fd;
    unsigned users;
    bool regular;
    uint64_t size;
    uint64_t records; /* of the ranges that were passed on */
};

enum unit_state { UNIT_WAITING, UNIT_RUNNING, UNIT_DONE };

struct unit {
    struct unit *next;
    struct input *input; /* NULL until it is opened */
    const struct source *source;
    enum unit_state state;
    enum cut cut; /* CUT_NONE: the whole file */
    struct buf format;
    uint64_t begin, end;
    struct message_progress seen; /* what the decoder said last */
    struct buf held;              /* frames that wait for their turn */
};

struct crew {
    struct collector *collector;
    struct worker process;
    struct loop_watch watch; /* of the process's channel; wants nothing while that is not read */
    struct unit *unit;       /* NULL: idle */
    nsec heard;
};

struct collector {
    const struct collector_spec *spec;
    struct worker_spec worker;
    struct crew crew[COLLECTOR_JOBS_MAX];
    struct unit *head, *tail; /* units not passed on yet, in order; head is the oldest */
    uint32_t next_source;
    size_t held;
    unsigned failures;
    struct loop_timer tick;
    struct loop_deferred turn;
    struct collector_totals totals;
};

/* ---- units ------------------------------------------------------------------------------- */

static struct unit *unit_new(const struct source *source)
{
    struct unit *u = calloc(1, sizeof *u);
    if (!u) return NULL;
    u->source = source;
    buf_init(&u->format, 64);
    buf_init(&u->held, COLLECTOR_HELD_MAX + 4 * (size_t)MESSAGE_MAX);
    return u;
}

static void input_release(struct input *in)
{
    if (!in || --in->users > 0) return;
    if (in->fd >= 0) (void)close(in->fd);
    free(in);
}

static void unit_free(struct unit *u)
{
    input_release(u->input);
    buf_done(&u->held);
    buf_done(&u->format);
    free(u);
}

static void append_unit(struct collector *c, struct unit *u)
{
    if (c->tail) c->tail->next = u;
    else c->head = u;
    c->tail = u;
}

/* The oldest unit nobody has taken; NULL when there is no more to do. */
static int take_unit(struct collector *c, struct unit **ret)
{
    *ret = NULL;
    for (struct unit *u = c->head; u; u = u->next) {
        if (u->state != UNIT_WAITING) continue;
        *ret = u;
        return 0;
    }
    if (c->next_source == c->spec->sources->n) return 0;
    struct unit *u = unit_new(&c->spec->sources->items[c->next_source]);
    if (!u) return ERR_NOMEM;
    c->next_source++;
    append_unit(c, u);
    *ret = u;
    return 0;
}

static int open_input(struct unit *u)
{
    struct stat st;
    int fd = source_open(u->source);
    if (fd < 0) return errno;
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return EISDIR;
    }
    struct input *in = calloc(1, sizeof *in);
    if (!in) {
        (void)close(fd);
        return ENOMEM;
    }
    /* Standard input that was redirected from the middle of a file is read on from there. */
    bool regular = S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0;
    *in = (struct input){.source = u->source,
                         .fd = fd,
                         .users = 1,
                         .regular = regular,
                         .size = regular ? (uint64_t)st.st_size : 0};
    u->input = in;
    return 0;
}

/* Replaces a file that can be cut by its ranges. */
static int split_unit(struct collector *c, struct unit *u, const struct message_split *m)
{
    if (u->cut != CUT_NONE || !u->input->regular || m->cut == CUT_NONE || m->cut > CUT_LAST_ ||
        m->format.len > 32)
        return ERR_CORRUPT;
    struct unit *after = u;
    for (uint64_t begin = 0; begin < u->input->size; begin += READER_RANGE) {
        struct unit *range = unit_new(u->source);
        if (!range) return ERR_NOMEM;
        range->input = u->input;
        u->input->users++;
        range->cut = (enum cut)m->cut;
        buf_put(&range->format, m->format);
        range->begin = begin;
        /* A file that grows is read to where it ended when it was opened, and to its last line. */
        bool last = u->input->size - begin <= READER_RANGE;
        range->end = last ? UINT64_MAX : begin + READER_RANGE;
        range->next = after->next;
        after->next = range;
        if (c->tail == after) c->tail = range;
        after = range;
    }
    return 0;
}

/* ---- findings ---------------------------------------------------------------------------- */

static int deliver(struct collector *c, struct unit *u, const struct frame *f)
{
    const struct collector_spec *spec = c->spec;
    uint64_t base = u->cut != CUT_NONE ? u->input->records : 0;
    if (f->type == MESSAGE_ALERT) {
        struct message_alert m;
        if (message_alert_read(f->payload, &m) != 0 || m.rule >= spec->n_rules ||
            m.splice > m.line.len)
            return ERR_CORRUPT;
        spec->alert(spec->ctx, &m, base + m.record);
    } else if (f->type == MESSAGE_TUPLE) {
        struct message_tuple m;
        if (message_tuple_read(f->payload, &m) != 0) return ERR_CORRUPT;
        spec->tuple(spec->ctx, &m, base + m.record);
    } else {
        struct message_bad m;
        if (message_bad_read(f->payload, &m) != 0) return ERR_CORRUPT;
        /* Offsets count from where the range really began, which only its decoder knows. */
        if (base > 0) m.offset += u->begin;
        spec->bad(spec->ctx, &m, m.record ? base + m.record : 0);
    }
    return 0;
}

/* All findings of a unit that has become the oldest. They were checked when they came. */
static int deliver_held(struct collector *c, struct unit *u)
{
    struct slice rest = buf_slice(&u->held);
    struct frame f;
    int result = 0;
    while (result == 0 && frame_next(rest, MESSAGE_MAX, &f) > 0) {
        result = deliver(c, u, &f);
        rest = slice_from(rest, f.size);
    }
    c->held -= u->held.len;
    buf_done(&u->held);
    buf_init(&u->held, 0);
    return result;
}

static int check(const struct collector *c, const struct frame *f)
{
    struct message_alert alert;
    struct message_tuple tuple;
    struct message_bad bad;
    switch (f->type) {
    case MESSAGE_ALERT:
        return message_alert_read(f->payload, &alert) == 0 && alert.rule < c->spec->n_rules &&
                       alert.splice <= alert.line.len
                   ? 0
                   : ERR_CORRUPT;
    case MESSAGE_TUPLE:
        return message_tuple_read(f->payload, &tuple);
    case MESSAGE_BAD:
        return message_bad_read(f->payload, &bad);
    default:
        return ERR_CORRUPT;
    }
}

static int on_finding(struct collector *c, struct unit *u, const struct frame *f)
{
    if (u == c->head) return deliver(c, u, f);
    int result = check(c, f);
    if (result) return result;
    const char *whole = f->payload.ptr - FRAME_HEADER;
    buf_put(&u->held, slice_make(whole, f->size));
    if (buf_failed(&u->held)) return ERR_LIMIT;
    c->held += f->size;
    return 0;
}

/* Passes on what is next in order, as far as it is known. */
static void advance(struct collector *c)
{
    while (c->head && c->head->state == UNIT_DONE) {
        struct unit *u = c->head;
        if (u->cut != CUT_NONE) u->input->records += u->seen.last_record;
        c->head = u->next;
        if (!c->head) c->tail = NULL;
        unit_free(u);
        if (c->head && c->head->held.len > 0) (void)deliver_held(c, c->head);
    }
}

static void finish_unit(struct collector *c, struct unit *u)
{
    u->state = UNIT_DONE;
    advance(c);
}

/* The rest of a unit is lost: told like anything else that its decoder found. */
static void fail_unit(struct collector *c, struct unit *u, const char *why)
{
    struct buf frame;
    struct frame f;
    buf_init(&frame, MESSAGE_UNIT_MAX);
    message_bad_write(&frame, &(struct message_bad){.source = slice_of(u->source->path),
                                                    .reason = slice_of(why)});
    if (!buf_failed(&frame) && frame_next(buf_slice(&frame), MESSAGE_MAX, &f) > 0)
        (void)on_finding(c, u, &f);
    buf_done(&frame);
    finish_unit(c, u);
}

static void count(struct collector *c, struct unit *u, const struct message_progress *m)
{
    /* A decoder's numbers only grow; one that says otherwise is not believed. */
    if (m->position < u->seen.position || m->bytes < u->seen.bytes || m->events < u->seen.events ||
        m->untimed < u->seen.untimed || m->unknown < u->seen.unknown)
        return;
    c->totals.position += m->position - u->seen.position;
    c->totals.bytes += m->bytes - u->seen.bytes;
    c->totals.events += m->events - u->seen.events;
    c->totals.untimed += m->untimed - u->seen.untimed;
    c->totals.unknown += m->unknown - u->seen.unknown;
    u->seen = *m;
}

/* ---- decoders ---------------------------------------------------------------------------- */

static int on_end(struct collector *c, struct crew *w, struct slice payload)
{
    struct message_end m;
    if (message_end_read(payload, &m) != 0) return ERR_CORRUPT;
    count(c, w->unit,
          &(struct message_progress){m.position, m.bytes, m.events, m.last_record, m.untimed,
                                     m.unknown});
    if (w->unit->cut == CUT_NONE || w->unit->begin == 0) c->totals.sources += m.sources;
    if (m.rss > c->totals.peak_rss) c->totals.peak_rss = m.rss;
    finish_unit(c, w->unit);
    w->unit = NULL;
    c->failures = 0;
    return 0;
}

static int on_frame(struct collector *c, struct crew *w, const struct frame *f)
{
    struct message_progress progress;
    struct message_split split;
    if (!w->unit) return ERR_CORRUPT;
    switch (f->type) {
    case MESSAGE_PROGRESS:
        if (message_progress_read(f->payload, &progress) != 0) return ERR_CORRUPT;
        count(c, w->unit, &progress);
        return 0;
    case MESSAGE_SPLIT:
        if (message_split_read(f->payload, &split) != 0) return ERR_CORRUPT;
        return split_unit(c, w->unit, &split);
    case MESSAGE_END:
        return on_end(c, w, f->payload);
    default:
        return on_finding(c, w->unit, f);
    }
}

static void on_channel(void *ctx, unsigned what);

static int start(struct collector *c, struct crew *w)
{
    w->unit = NULL;
    w->heard = clock_monotonic(c->spec->clock);
    int result = worker_start(&w->process, &c->worker);
    if (result) return result;
    log_write(LOG_WORKER_STARTED, LOG_NUMBER("worker", w->process.pid));
    w->watch = (struct loop_watch){.fd = w->process.channel.fd, .ready = on_channel, .ctx = w};
    return loop_watch_add(c->spec->loop, &w->watch, 0);
}

static int64_t milliseconds(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000 + t->tv_usec / 1000;
}

static int stop(struct collector *c, struct crew *w, bool kill_it)
{
    pid_t pid = w->process.pid;
    if (pid <= 0) return 0;
    char cause[96];
    struct rusage used;
    loop_watch_remove(c->spec->loop, &w->watch);
    int status = worker_stop(&w->process, kill_it, &used);
    worker_describe(status, cause, sizeof cause);
    log_write(LOG_WORKER_ENDED, LOG_NUMBER("worker", pid), LOG_TEXT("with", slice_of(cause)),
              LOG_NUMBER("user_ms", milliseconds(&used.ru_utime)),
              LOG_NUMBER("system_ms", milliseconds(&used.ru_stime)),
              LOG_NUMBER("rss_kib", used.ru_maxrss));
    return status;
}

/* A decoder is gone, or has to go. */
static int replace(struct collector *c, struct crew *w, bool kill_it, const char *why)
{
    char cause[96], text[200];
    pid_t pid = w->process.pid;
    int status = stop(c, w, kill_it);
    if (w->unit) {
        worker_describe(status, cause, sizeof cause);
        if (!why && WIFEXITED(status) && WEXITSTATUS(status) == READER_NOMEM)
            why = "decoder ran out of memory";
        if (!why)
            (void)snprintf(text, sizeof text, "decoder crashed with %s near byte %" PRIu64, cause,
                           w->unit->begin + w->unit->seen.position);
        c->totals.crashes++;
        log_write(LOG_WORKER_CRASHED, LOG_NUMBER("worker", pid),
                  LOG_TEXT("source", slice_of(w->unit->source->path)),
                  LOG_NUMBER("at", w->unit->begin + w->unit->seen.position),
                  LOG_TEXT("why", slice_of(why ? why : text)));
        fail_unit(c, w->unit, why ? why : text);
    } else if (++c->failures > COLLECTOR_FAILURES_MAX) {
        return WIFEXITED(status) && WEXITSTATUS(status) == WORKER_UNSAFE ? ERR_UNSUPPORTED : ERR_IO;
    }
    return start(c, w);
}

/* Sends the next unit; an idle decoder stays idle when there is none. */
static int assign(struct collector *c, struct crew *w)
{
    struct unit *u;
    while (!w->unit) {
        int result = take_unit(c, &u);
        if (result || !u) return result;
        if (!u->input) {
            int error = open_input(u);
            if (error) {
                fail_unit(c, u, strerror(error));
                continue;
            }
        }
        struct buf frame;
        buf_init(&frame, MESSAGE_UNIT_MAX + FRAME_HEADER);
        message_unit_write(&frame, &(struct message_unit){.name = slice_of(u->source->path),
                                                          .format = buf_slice(&u->format),
                                                          .size = u->input->size,
                                                          .begin = u->begin,
                                                          .end = u->end,
                                                          .cut = (uint8_t)u->cut,
                                                          .regular = u->input->regular});
        result = buf_failed(&frame)
                     ? ERR_LIMIT
                     : channel_send(&w->process.channel, buf_slice(&frame), u->input->fd);
        buf_done(&frame);
        if (result == ERR_LIMIT) {
            fail_unit(c, u, "its name is too long");
            continue;
        }
        /* A decoder that died while idle shows now; the unit goes to the next one. */
        if (result) {
            result = replace(c, w, true, NULL);
            if (result) return result;
            continue;
        }
        u->state = UNIT_RUNNING;
        w->unit = u;
        w->heard = clock_monotonic(c->spec->clock);
    }
    return 0;
}

static int receive(struct collector *c, struct crew *w)
{
    struct frame f;
    int result = channel_fill(&w->process.channel);
    w->heard = clock_monotonic(c->spec->clock);
    while (result == 0) {
        int got = channel_next(&w->process.channel, &f);
        if (got == 0) return 0;
        result = got < 0 ? ERR_CORRUPT : on_frame(c, w, &f);
    }
    if (result == ERR_NOMEM) return result;
    bool broke = result != ERR_STOPPED;
    return replace(c, w, broke, broke ? "decoder sent a message that makes no sense" : NULL);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void on_channel(void *ctx, unsigned what)
{
    struct crew *w = ctx;
    struct collector *c = w->collector;
    (void)what; /* a hangup is what reading tells */
    int result = receive(c, w);
    if (result) loop_stop(c->spec->loop, result);
    else loop_defer(c->spec->loop, &c->turn);
}

static bool is_silent(const struct crew *w, nsec now)
{
    return w->unit && w->unit->input->regular && now - w->heard > w->collector->spec->silence;
}

static void on_tick(void *ctx)
{
    struct collector *c = ctx;
    nsec now = clock_monotonic(c->spec->clock);
    char why[80];
    int result = 0;
    (void)snprintf(why, sizeof why, "decoder made no progress for %lld seconds",
                   (long long)(c->spec->silence / NSEC_PER_SEC));
    for (uint32_t i = 0; i < c->spec->jobs && result == 0; i++)
        if (is_silent(&c->crew[i], now)) result = replace(c, &c->crew[i], true, why);
    if (result) loop_stop(c->spec->loop, result);
    else loop_defer(c->spec->loop, &c->turn);
}

/* Whom to listen to: the busy ones, unless what they say would only have to be held. */
static int listen_to_crew(struct collector *c)
{
    int result = 0;
    for (uint32_t i = 0; i < c->spec->jobs && result == 0; i++) {
        struct crew *w = &c->crew[i];
        bool waits = w->unit && w->unit != c->head && c->held >= COLLECTOR_HELD_MAX;
        if (waits) w->heard = clock_monotonic(c->spec->clock);
        result = loop_watch_want(c->spec->loop, &w->watch, w->unit && !waits ? LOOP_READ : 0);
    }
    return result;
}

static bool busy(const struct collector *c)
{
    for (uint32_t i = 0; i < c->spec->jobs; i++)
        if (c->crew[i].unit) return true;
    return false;
}

/* After everything that was heard in a round: new work, and the news. */
static void on_turn(void *ctx)
{
    struct collector *c = ctx;
    int result = 0;
    for (uint32_t i = 0; i < c->spec->jobs && result == 0; i++) result = assign(c, &c->crew[i]);
    if (result == 0) result = listen_to_crew(c);
    bool done = result == 0 && !busy(c);
    if (result == 0 && !done) result = c->spec->tick(c->spec->ctx, &c->totals);
    if (result || done) loop_stop(c->spec->loop, result);
}

static int work(struct collector *c)
{
    struct loop *loop = c->spec->loop;
    int result = 0;
    for (uint32_t i = 0; i < c->spec->jobs && result == 0; i++) {
        c->crew[i].collector = c;
        result = start(c, &c->crew[i]);
    }
    c->tick = (struct loop_timer){.due = on_tick, .ctx = c};
    c->turn = (struct loop_deferred){.call = on_turn, .ctx = c};
    if (result == 0) result = loop_timer_set(loop, &c->tick, TICK_EVERY, TICK_EVERY);
    if (result) return result;
    loop_defer(loop, &c->turn);
    result = loop_run(loop);
    loop_timer_stop(loop, &c->tick);
    loop_defer_cancel(loop, &c->turn);
    return result;
}

int collector_run(const struct collector_spec *spec, struct collector_totals *ret)
{
    struct collector *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->spec = spec;
    c->worker = (struct worker_spec){.run = reader_run,
                                     .ctx = spec->reader,
                                     .role = SANDBOX_DECODER,
                                     .unconfined = spec->unconfined,
                                     .max_payload = MESSAGE_MAX,
                                     .null_fd = spec->null_fd};
    int result = work(c);
    for (uint32_t i = 0; i < spec->jobs; i++) (void)stop(c, &c->crew[i], result != 0);
    while (c->head) {
        struct unit *u = c->head;
        c->head = u->next;
        unit_free(u);
    }
    *ret = c->totals;
    free(c);
    return result;
}
