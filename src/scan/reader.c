/* SPDX-License-Identifier: EUPL-1.2 */
#include "scan/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "scan/scan.h"
#include "store/filter.h"
#include "store/flag.h"
#include "store/journal.h"

enum {
    RUN_BYTES = 1024 * 1024,
    PLACES_MAX = 64 * 1024 * 1024,
    WHOLE_SHARE = 1000,
    NAP_MOST = 50,    /* ms: the most that it sleeps without a sign of life */
    STANDS_BACK = 10, /* times as long as it waited for a processor */
    HELD_UP = 10,     /* times as long as it worked */
    LOOK_EVERY = 2,   /* ms: whether it is still held up */
};
#define TURN         (10 * NSEC_PER_MSEC)
#define HELD_UP_MOST NSEC_PER_SEC
/* Behind a turn, so that who waits for the next one is faster. */
static const struct timespec turn_pause = {.tv_nsec = 100 * 1000};

struct reader {
    const struct scan_begin *begin;
    const struct scan_work *work;
    struct channel *channel;
    struct store_io io;
    int file;      /* of the unit at hand; -1: taken */
    int beside;    /* the file beside its segment; -1: none */
    int turns;     /* who has a lock on it has its turn; -1: it takes none */
    bool in_turn;  /* it has that … */
    uint32_t flag; /* … or this one is raised, so that it can do without; 0: none */
    nsec taken;    /* since when it reads … */
    nsec used;     /* … and how much of its turn it had in front of that */
    nsec patience; /* so much longer may it be held up */
    struct scan_done done;
    struct buf out;
    /* Of the segment at hand. */
    uint32_t group; /* of which `may` is; UINT32_MAX: none yet */
    uint64_t may;
    nsec owed;    /* that it is to sleep for what it took */
    bool damaged; /* the journal at hand, in front of where it is read */
};

static int send_out(struct reader *r)
{
    int error = buf_error(&r->out);
    if (error == 0) error = channel_send(r->channel, buf_slice(&r->out), -1);
    buf_clear(&r->out);
    return error;
}

static int tell_damage(struct reader *r, enum scan_damage_kind what, uint64_t seq)
{
    scan_damage_write(&r->out, &(struct scan_damage){.what = (uint8_t)what, .seq = seq});
    return send_out(r);
}

static void turn_page(const struct reader *r, uint64_t first)
{
    r->begin->page->first = first;
    __atomic_store_n(&r->begin->page->steps, r->begin->page->steps + 1, __ATOMIC_RELEASE);
}

static bool is_skipped(const struct reader *r, uint64_t first)
{
    for (uint32_t i = 0; i < r->begin->n_skipped; i++)
        if (r->begin->skipped[i] == first + 1) return true;
    return false;
}

/* Of records before `end`, of which the oldest and the newest were received then. */
static bool is_asked_for(const struct reader *r, uint64_t end, nsec earliest, nsec latest)
{
    nsec from = r->begin->from;
    if (end <= r->begin->known && r->begin->known_from > from) from = r->begin->known_from;
    return latest >= from && earliest < r->begin->to;
}

static void note_end(struct reader *r, uint64_t end)
{
    if (end > r->done.next) r->done.next = end;
}

/* ---- its share of a processor ------------------------------------------------------------ */

/* Its parent's end is noticed while it sleeps. */
static int nap(const struct reader *r, int ms)
{
    struct pollfd parent = {.fd = r->channel->fd};
    scan_step(r->begin);
    return poll(&parent, 1, ms) > 0 ? ERR_STOPPED : 0;
}

static nsec now_of(clockid_t id)
{
    struct timespec now;
    return clock_gettime(id, &now) == 0 ? now.tv_sec * NSEC_PER_SEC + now.tv_nsec : 0;
}

static int sleep_off(struct reader *r)
{
    int error = 0;
    while (r->owed >= NSEC_PER_MSEC && error == 0) {
        int ms = r->owed / NSEC_PER_MSEC < NAP_MOST ? (int)(r->owed / NSEC_PER_MSEC) : NAP_MOST;
        error = nap(r, ms);
        r->owed -= ms * NSEC_PER_MSEC;
    }
    return error;
}

/* What it took it pays for by sleeping; while its share is nothing it waits. */
static int keep_share(struct reader *r, nsec took)
{
    uint32_t share;
    int error = 0;
    while (error == 0 && (share = __atomic_load_n(r->begin->share, __ATOMIC_RELAXED)) == 0)
        error = nap(r, NAP_MOST);
    if (error || share >= WHOLE_SHARE) return error;
    r->owed += took * (WHOLE_SHARE - share) / share;
    return sleep_off(r);
}

/* A batch for the room that has it work. */
static int work_on(struct reader *r, const struct scan_batch *b)
{
    nsec begun = now_of(CLOCK_MONOTONIC), before = now_of(CLOCK_PROCESS_CPUTIME_ID);
    int error = r->work->batch(r->work->ctx, b);
    nsec cpu = now_of(CLOCK_PROCESS_CPUTIME_ID), took = cpu - r->begin->page->cpu;
    __atomic_store_n(&r->begin->page->cpu, cpu, __ATOMIC_RELAXED);
    if (error) return error;
    if (r->begin->share) return keep_share(r, took);
    /* Work that waited for a processor was in somebody's way, whoever that was. */
    nsec waited = now_of(CLOCK_MONOTONIC) - begun - (cpu - before);
    if (r->flag && waited > 0) r->owed += waited * STANDS_BACK;
    return 0;
}

/* ---- turns ------------------------------------------------------------------------------- */

static void lower_flag(struct reader *r)
{
    if (r->flag) flag_set(r->turns, r->flag, false);
    r->flag = 0;
}

static void lock_turn(struct reader *r)
{
    if (r->used > TURN) {
        (void)nanosleep(&turn_pause, NULL);
        r->used = 0;
    }
    if (flock(r->turns, LOCK_EX | LOCK_NB) != 0) {
        __atomic_store_n(&r->begin->page->waits, 1, __ATOMIC_RELAXED);
        while (flock(r->turns, LOCK_EX) != 0 && errno == EINTR) {
        }
        __atomic_store_n(&r->begin->page->waits, 0, __ATOMIC_RELAXED);
    }
    r->in_turn = true;
}

/*
 * While records wait to be matched all others wait with it, but no longer than HELD_UP times as
 * long as it worked: a machine that never keeps up answers as well.
 */
static int give_way(struct reader *r)
{
    int error = 0;
    nsec now = now_of(CLOCK_MONOTONIC), until = now + r->patience;
    while (error == 0 && now < until && flag_is_raised(r->turns, FLAG_BEHIND)) {
        error = nap(r, LOOK_EVERY);
        now = now_of(CLOCK_MONOTONIC);
    }
    r->patience = until - now;
    return error;
}

/* Two that raise the same one at the same time see each other, and lower it. */
static bool raise_flag(struct reader *r)
{
    for (uint32_t i = 0; i < r->begin->room; i++) {
        uint32_t flag = FLAG_READERS + i;
        if (flag_is_raised(r->turns, flag)) continue;
        flag_set(r->turns, flag, true);
        r->flag = flag;
        if (!flag_is_raised(r->turns, flag)) return true;
        lower_flag(r);
    }
    return false;
}

/* A processor that is left over, as far as is known. */
static bool can_do_without(struct reader *r)
{
    return r->begin->extra && !flag_is_raised(r->turns, FLAG_BEHIND) && raise_flag(r);
}

/* Nothing but this is to be waited for between this and end_turn(), and processor and disk. */
static int take_turn(struct reader *r)
{
    if (r->turns < 0) return 0;
    int error = sleep_off(r);
    if (error == 0 && !can_do_without(r)) {
        lock_turn(r);
        error = give_way(r);
    }
    r->taken = now_of(CLOCK_MONOTONIC);
    return error;
}

static void end_turn(struct reader *r)
{
    if (r->turns < 0) return;
    nsec took = now_of(CLOCK_MONOTONIC) - r->taken;
    r->used += took;
    r->patience += took * HELD_UP;
    if (r->patience > HELD_UP_MOST) r->patience = HELD_UP_MOST;
    lower_flag(r);
    if (r->in_turn) (void)flock(r->turns, LOCK_UN);
    r->in_turn = false;
}

/* A batch whose time was asked for, from record number `from` on. */
static int read_batch(struct reader *r, const struct scan_batch *b)
{
    struct scan_batch some = *b;
    some.to = b->batch->n;
    if (r->begin->sample && some.from + r->begin->sample < some.to)
        some.to = some.from + r->begin->sample;
    if (some.from >= some.to) return 0;
    turn_page(r, b->first + 1);
    r->done.read++;
    return work_on(r, &some);
}

/* ---- segments ---------------------------------------------------------------------------- */

/* Of a segment: the only name it asks for is that of the unit. */
static int open_unit(void *ctx, const char *name, enum store_open_mode mode)
{
    struct reader *r = ctx;
    int file = r->file;
    (void)name;
    r->file = -1;
    return mode == STORE_READ && file >= 0 ? file : ERR_NOT_FOUND;
}

/* What is beside the segment is no help. */
static int tell_beside(struct reader *r, const struct segment *s, int error)
{
    if (error == ERR_NOMEM) return error;
    return tell_damage(r, SCAN_BESIDE_DAMAGED, segment_footer_of(s)->begin);
}

static int may_have(struct reader *r, struct segment *s, uint32_t number, bool *ret)
{
    uint32_t group = number / FILTER_BLOCKS;
    *ret = true;
    if (!r->work->may) return 0;
    if (group != r->group) {
        const struct scan_segment at = {s, &r->io, r->beside};
        int error = r->work->may(r->work->ctx, &at, group, &r->may);
        if (error) r->may = ~UINT64_C(0);
        if (error) error = tell_beside(r, s, error);
        if (error) return error;
        r->group = group;
    }
    *ret = r->may >> number % FILTER_BLOCKS & 1;
    return 0;
}

static int is_known(struct reader *r, struct segment *s, uint32_t number,
                    const struct segment_block *block, bool *ret)
{
    const struct scan_segment at = {s, &r->io, r->beside};
    if (!r->work->known || r->begin->sample || block->earliest < r->begin->from ||
        block->latest >= r->begin->to)
        return 0;
    int error = take_turn(r), got = 0;
    if (error == 0) got = r->work->known(r->work->ctx, &at, number, block);
    end_turn(r);
    *ret = got == 1;
    return got < 0 ? tell_beside(r, s, got) : error;
}

static int read_block(struct reader *r, struct segment *s, uint32_t number)
{
    struct segment_block block;
    struct batch batch;
    bool may = true, known = false;
    segment_block_of(s, number, &block);
    r->done.bytes += block.sizes.data_raw;
    note_end(r, block.first + block.n);
    if (!is_asked_for(r, block.first + block.n, block.earliest, block.latest)) {
        r->done.early++;
        return 0;
    }
    if (is_skipped(r, block.first)) return tell_damage(r, SCAN_LEFT, block.first);
    int error = may_have(r, s, number, &may);
    if (error == 0 && may) error = is_known(r, s, number, &block, &known);
    if (error == 0 && known) error = r->work->flush(r->work->ctx);
    if (error || !may || known) {
        r->done.filtered += !may || known;
        r->done.unread += may ? 0 : block.n;
        return error;
    }
    turn_page(r, block.first + 1);
    int damage = 0;
    error = take_turn(r);
    if (error == 0) damage = segment_read_block(s, number, &batch);
    if (error == 0 && damage == 0)
        error = read_batch(r, &(struct scan_batch){.batch = &batch,
                                                   .first = block.first,
                                                   .earliest = block.earliest,
                                                   .latest = block.latest});
    end_turn(r);
    if (damage) return damage == ERR_NOMEM ? damage : tell_damage(r, SCAN_BLOCK, block.first);
    return error ? error : r->work->flush(r->work->ctx);
}

static int read_segment(struct reader *r, const struct scan_unit *unit)
{
    struct segment *s;
    int error = segment_open(&r->io, unit->begin, &s);
    if (error) return error == ERR_NOMEM ? error : tell_damage(r, SCAN_SEGMENT, unit->begin);
    uint32_t blocks = segment_footer_of(s)->blocks;
    uint32_t to = unit->to < blocks ? unit->to : blocks, n = to > unit->from ? to - unit->from : 0;
    r->group = UINT32_MAX;
    for (uint32_t i = 0; i < n && error == 0; i++)
        error = read_block(r, s, r->begin->newest_first ? to - 1 - i : unit->from + i);
    segment_close(s);
    return error;
}

/* ---- journals ---------------------------------------------------------------------------- */

/* Frames that lie behind each other, which are looked at together. */
struct place {
    uint64_t offset, end; /* in the file */
    uint64_t next;        /* the sequence number that its first frame has at least */
};

static int read_frame(struct reader *r, const struct scan_unit *unit,
                      const struct journal_frame *frame)
{
    uint64_t before = unit->seq > frame->first ? unit->seq - frame->first : 0;
    r->done.bytes += frame->batch.bytes.len;
    note_end(r, frame->first + frame->batch.n);
    if (before >= frame->batch.n) return 0;
    if (!is_asked_for(r, frame->first + frame->batch.n, frame->earliest, frame->latest)) {
        r->done.early++;
        return 0;
    }
    if (is_skipped(r, frame->first)) return tell_damage(r, SCAN_LEFT, frame->first);
    int error = take_turn(r);
    if (error == 0)
        error = read_batch(r, &(struct scan_batch){.batch = &frame->batch,
                                                   .first = frame->first,
                                                   .from = (uint32_t)before,
                                                   .earliest = frame->earliest,
                                                   .latest = frame->latest});
    end_turn(r);
    return error;
}

static int next_frame(struct reader *r, struct journal_reader *journal, uint64_t limit,
                      struct journal_frame *ret)
{
    int got = take_turn(r);
    if (got == 0) got = journal_reader_next(journal, limit, ret);
    end_turn(r);
    return got;
}

/*
 * The file may be growing: what is half written at its end, with no whole frame behind it, is no
 * damage.
 */
static int note_damage(struct reader *r, int got, uint64_t seq)
{
    bool tell = got == 1 && r->damaged;
    if (got == ERR_CORRUPT) r->damaged = true;
    if (!tell) return 0;
    r->damaged = false;
    return tell_damage(r, SCAN_FRAME, seq);
}

static int read_place(struct reader *r, struct journal_reader *journal,
                      const struct scan_unit *unit, const struct place *place)
{
    struct journal_frame frame;
    int error = 0;
    journal_reader_seek(journal, place->offset, place->next);
    while (error == 0 && journal->at < place->end) {
        int got = next_frame(r, journal, place->end, &frame);
        if (got == 0) break;
        error = got < 0 && got != ERR_CORRUPT ? got : note_damage(r, got, frame.first);
        if (got == 1 && error == 0) error = read_frame(r, unit, &frame);
    }
    return error ? error : r->work->flush(r->work->ctx);
}

/* Goes through the whole file once; places end where it is damaged. */
static int find_places(struct reader *r, struct journal_reader *journal, struct buf *places)
{
    struct journal_frame frame;
    struct place place = {.offset = journal->at, .end = journal->at, .next = journal->next};
    int got = 1, error = 0;
    while (got != 0 && error == 0) {
        got = next_frame(r, journal, JOURNAL_ALL, &frame);
        if (got < 0 && got != ERR_CORRUPT) return got;
        error = note_damage(r, got, frame.first);
        if (got == 1) place.end = frame.end;
        if (got == 1 && place.end - place.offset <= RUN_BYTES) continue;
        if (place.end > place.offset) buf_put(places, slice_make(&place, sizeof place));
        place = (struct place){journal->at, journal->at, journal->next};
    }
    return error ? error : buf_error(places);
}

/* The newest places first. */
static int read_backwards(struct reader *r, struct journal_reader *journal,
                          const struct scan_unit *unit)
{
    struct buf places;
    buf_init(&places, PLACES_MAX);
    int error = find_places(r, journal, &places);
    for (size_t n = places.len / sizeof(struct place); n > 0 && error == 0; n--) {
        struct place place;
        memcpy(&place, places.ptr + (n - 1) * sizeof place, sizeof place);
        error = read_place(r, journal, unit, &place);
    }
    buf_done(&places);
    return error;
}

static int read_journal(struct reader *r, const struct scan_unit *unit)
{
    struct journal_reader journal;
    int error = journal_reader_init(&journal, &r->io, r->file, unit->begin);
    if (error) return error == ERR_NOMEM ? error : tell_damage(r, SCAN_JOURNAL, unit->begin);
    const struct place all = {.offset = journal.at, .end = JOURNAL_ALL, .next = journal.next};
    r->damaged = false;
    error = r->begin->newest_first ? read_backwards(r, &journal, unit)
                                   : read_place(r, &journal, unit, &all);
    if (error == ERR_IO) error = tell_damage(r, SCAN_JOURNAL, unit->begin);
    journal_reader_done(&journal);
    return error;
}

/* ---- the process ------------------------------------------------------------------------- */

static int read_unit(struct reader *r, const struct scan_unit *unit)
{
    r->done = (struct scan_done){0};
    int error = r->work->unit_begin(r->work->ctx);
    if (error == 0) error = unit->journal ? read_journal(r, unit) : read_segment(r, unit);
    if (error) return error;
    turn_page(r, 0);
    error = r->work->unit_end(r->work->ctx);
    if (error) return error;
    scan_done_write(&r->out, &r->done);
    return send_out(r);
}

static int take_unit(struct reader *r, struct slice payload)
{
    struct scan_unit unit;
    r->file = channel_take_fd(r->channel);
    if (r->file < 0 || scan_unit_read(payload, &unit) != 0) return ERR_CORRUPT;
    int error = read_unit(r, &unit);
    if (r->file >= 0) (void)close(r->file);
    if (r->beside >= 0) (void)close(r->beside);
    r->beside = -1;
    return error;
}

static int take_beside(struct reader *r)
{
    if (r->beside >= 0) return ERR_CORRUPT;
    r->beside = channel_take_fd(r->channel);
    return r->beside < 0 ? ERR_CORRUPT : 0;
}

static int take_turns(struct reader *r)
{
    if (r->turns >= 0) return ERR_CORRUPT;
    r->turns = channel_take_fd(r->channel);
    return r->turns < 0 ? ERR_CORRUPT : 0;
}

int scan_reader_run(const struct scan_begin *begin, struct channel *channel,
                    const struct scan_work *work)
{
    struct reader r = {
        .begin = begin, .work = work, .channel = channel, .file = -1, .beside = -1, .turns = -1};
    int error = 0;
    buf_init(&r.out, 4096);
    r.io = store_io_system(-1);
    r.io.open = open_unit;
    r.io.ctx = &r;
    while (error == 0) {
        struct frame frame;
        int got = channel_next(channel, &frame);
        if (got == 0) error = channel_fill(channel);
        else if (got > 0 && frame.type == SCAN_TURNS) error = take_turns(&r);
        else if (got > 0 && frame.type == SCAN_BESIDE) error = take_beside(&r);
        else if (got > 0 && frame.type == SCAN_UNIT) error = take_unit(&r, frame.payload);
        else error = ERR_CORRUPT;
    }
    buf_done(&r.out);
    return error == ERR_STOPPED ? 0 : 1;
}
