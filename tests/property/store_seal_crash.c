/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The promises of what follows the journal against everything a disk may do: store_seal_crash
 * [--runs N] [--subsets N] [--every N] [--seed N] [--json]. Prints TAP; with --json the figures as
 * one object on standard error.
 *
 * crash      Recorded runs of store, sealing and retention on one folder, whose processes are also
 *            killed at some call, are cut behind every change as store_crash does it. From each of
 *            these disks: the store and the sealing begin again; every promised record is read
 *            exactly once, from a segment or from a journal; the tree has all of them; no half file
 *            is taken for a whole one; what retention removed stays removed, and nothing else is
 *            gone; no checkpoint says more than is there. Of one state in `every` all is sealed and
 *            signed then, and src/verify has to call the folder intact; and no worse than unproved
 *            as the cut has left it, and when the store has begun again.
 * control    The same with a disk that lies about syncs must lose something, or the test proves
 *            nothing.
 * faults     Each call of sealing and retention fails, once and from then on, in each way: the next
 *            start goes on, and nothing is lost.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cuts.h"
#include "sealing.h"
#include "store/faults.h"
#include "store/history.h"
#include "store/retain.h"
#include "store/sealed.h"
#include "verify/verify.h"

enum { NUMBERS_MAX = 1 << 16, REMOVED_MAX = 64, SIGNED_MAX = 256, PIECES_MAX = 64 };
#define NEVER  UINT64_MAX
#define ORIGIN "vaka.example/1"

/* What a sequence number was given to. Times are numbers of steps of the recording. */
struct given {
    struct sha256 leaf;
    uint64_t acked;   /* when the commit behind it had returned */
    uint64_t removed; /* when retention began to remove it, … */
    uint64_t gone;    /* … and when that had returned */
    bool given, seen;
};

/* A process is killed at a call: that one and all behind it fail. */
struct mortal {
    struct faults faults;
    struct store_io io;
};

/* The processes on one folder. */
struct world {
    struct store_io disk_io;
    struct mortal store_side, seal_side;
    struct clock_settable clock;
    struct store_options options;
    struct store *store;
    uint64_t journals[SEALING_JOURNALS_MAX];
    size_t n_journals;
    uint64_t damages[STORE_DAMAGE_HEAD + 1];
    struct sealing sealing;
    bool sealing_on;
};

struct figures {
    uint64_t runs, numbers, segments, removals, checkpoints, kills, verified;
    uint64_t control_runs, control_lost, faults;
};

struct crash {
    struct cuts cuts;
    struct figures figures;
    struct world work, back; /* the recorded one; what begins on an image */
    struct given given[NUMBERS_MAX];
    uint64_t n_given, uncommitted; /* numbers from there on wait for a commit */
    struct {
        uint64_t size, at;
    } signed_sizes[SIGNED_MAX];
    size_t n_signed;
    nsec time;                    /* records were received by then */
    const struct faults *planned; /* of the sealing's calls, and then it is never killed */
    uint64_t planned_at;
    bool fault_met;
    struct checkpoint_signer signer;
    struct buf key, batch;
    char folder[64];
    int folder_fd;
};

static uint64_t below(struct crash *c, uint64_t n)
{
    return cuts_below(&c->cuts, n);
}

static bool problem(struct crash *c, const char *what, uint64_t number)
{
    char text[CUTS_WHY_MAX];
    (void)snprintf(text, sizeof text, "%s (%llu)", what, (unsigned long long)number);
    return cuts_problem(&c->cuts, text);
}

static bool failed(struct crash *c, const char *what, int error)
{
    char text[CUTS_WHY_MAX];
    (void)snprintf(text, sizeof text, "%s: %s", what, error_text(error));
    return cuts_problem(&c->cuts, text);
}

/* ---- processes --------------------------------------------------------------------------- */

static void mortal_init(struct mortal *m, const struct store_io *below_it)
{
    m->faults = (struct faults){.below = below_it, .kind = FAULT_IO};
    m->io = faults_io(&m->faults);
}

static void add_journal(struct world *w, uint64_t first)
{
    if (w->n_journals && w->journals[w->n_journals - 1] == first) return;
    if (w->n_journals == SEALING_JOURNALS_MAX) abort();
    w->journals[w->n_journals++] = first;
    if (w->sealing_on) sealing_tell(&w->sealing, first);
}

static void on_journal(void *ctx, const struct store_journal *journal)
{
    add_journal(ctx, journal->first);
}

static void on_damage(void *ctx, const struct store_damage *damage)
{
    struct world *w = ctx;
    w->damages[damage->kind]++;
}

/* As serve's store does it: no number is given again that is sealed. */
static int start_store(struct world *w)
{
    struct tree_range sealed;
    w->n_journals = 0;
    if (w->sealing_on) sealing_forget(&w->sealing);
    int error = sealed_tree(&w->store_side.io, &sealed);
    w->options.next_min = sealed.end;
    w->options.seed++;
    return error ? error : store_open(&w->options, &w->store);
}

static void end_store(struct world *w)
{
    store_free(w->store);
    w->store = NULL;
    w->store_side.faults.at = 0;
}

/* Journals that are sealed, and matched: up to `matched`. */
static int remove_journals(struct world *w, uint64_t matched)
{
    uint64_t sealed = w->sealing.segments.end, until = sealed < matched ? sealed : matched;
    size_t n = 0;
    int error = 0;
    while (error == 0 && n + 1 < w->n_journals && w->journals[n + 1] <= until) {
        error = store_remove_journal(w->store, w->journals[n]);
        if (error == 0) n++;
    }
    w->n_journals -= n;
    memmove(w->journals, w->journals + n, w->n_journals * sizeof *w->journals);
    return error;
}

static int start_sealing(struct world *w)
{
    int error = sealing_start(&w->sealing, &w->seal_side.io, HISTORY_TENANT);
    w->sealing_on = true;
    for (size_t i = 0; i < w->n_journals; i++) sealing_tell(&w->sealing, w->journals[i]);
    return error;
}

static void end_sealing(struct world *w)
{
    if (w->sealing_on) sealing_end(&w->sealing);
    w->sealing_on = false;
    w->seal_side.faults.at = 0;
}

static void world_init(struct world *w, struct disk *disk, const struct store_options *options)
{
    w->disk_io = disk_io(disk);
    mortal_init(&w->store_side, &w->disk_io);
    mortal_init(&w->seal_side, &w->disk_io);
    w->options = *options;
    w->options.io = &w->store_side.io;
    w->options.clock = clock_of(&w->clock);
    w->options.events = (struct store_events){
        .complete = on_journal, .damage = on_damage, .opened = on_journal, .ctx = w};
    memset(w->damages, 0, sizeof w->damages);
    w->store = NULL;
    w->n_journals = 0;
    w->sealing_on = false;
}

static void world_done(struct world *w)
{
    end_sealing(w);
    end_store(w);
}

/* ---- what is there ----------------------------------------------------------------------- */

struct pieces {
    uint64_t begins[2 * PIECES_MAX];
    bool whole[2 * PIECES_MAX]; /* a segment, not what retention left of one */
    size_t n;
};

static int on_name(void *ctx, const char *name)
{
    struct pieces *p = ctx;
    uint64_t begin;
    bool whole = segment_name_read(name, "segment", &begin);
    if (!whole && !segment_name_read(name, "footer", &begin)) return 0;
    size_t at = p->n;
    while (at > 0 && p->begins[at - 1] > begin) at--;
    /* Of a removal that was begun the segment counts. */
    if (at > 0 && p->begins[at - 1] == begin) {
        p->whole[at - 1] = true;
        return 0;
    }
    if (p->n == 2 * PIECES_MAX) return ERR_LIMIT;
    memmove(p->begins + at + 1, p->begins + at, (p->n - at) * sizeof *p->begins);
    memmove(p->whole + at + 1, p->whole + at, (p->n - at) * sizeof *p->whole);
    p->begins[at] = begin;
    p->whole[at] = whole;
    p->n++;
    return 0;
}

/* One record as a reader gets it; whether it is the one that was given this number. */
static bool see(struct crash *c, uint64_t seq, const struct record *record)
{
    struct sha256 leaf = sealing_leaf(record);
    struct given *g = &c->given[seq];
    if (seq >= c->n_given || !g->given) return problem(c, "a number was never given", seq);
    if (g->seen) return problem(c, "a record is there twice", seq);
    if (!sha256_eq(&leaf, &g->leaf)) return problem(c, "a record is not what was appended", seq);
    g->seen = true;
    return true;
}

static bool read_segment(struct crash *c, const struct store_io *io, uint64_t begin, uint64_t now,
                         uint64_t *ret_end)
{
    struct segment *s;
    struct segment_cursor cursor;
    struct record record;
    uint64_t seq = begin, expected;
    int error = segment_open(io, begin, &s);
    if (error) return problem(c, "a segment does not open", begin);
    const struct segment_footer *f = segment_footer_of(s);
    *ret_end = begin + f->lost + f->records;
    expected = begin + f->lost;
    bool good = true;
    int got = segment_cursor_init(&cursor, s, &SEGMENT_ANY);
    while (got == 0 && good && (got = segment_cursor_next(&cursor, &seq, &record)) == 1) {
        good = seq == expected++ ? see(c, seq, &record) : problem(c, "a gap in a segment", seq);
        if (good && c->given[seq].gone <= now) good = problem(c, "what was removed is back", seq);
        got = 0;
    }
    segment_cursor_done(&cursor);
    if (good && (got < 0 || expected != *ret_end)) good = problem(c, "a segment is no whole", seq);
    segment_close(s);
    return good;
}

/* Numbers that retention may have removed at `now`. */
static bool read_footer(struct crash *c, const struct store_io *io, uint64_t begin, uint64_t now,
                        uint64_t *ret_end)
{
    struct segment_footer footer;
    if (segment_footer_load(io, "footer", begin, &footer) != 0)
        return problem(c, "a footer is not readable", begin);
    *ret_end = footer.range.end;
    for (uint64_t seq = begin + footer.lost; seq < *ret_end; seq++) {
        if (c->given[seq].removed > now) return problem(c, "a record was removed", seq);
        c->given[seq].seen = true;
    }
    return true;
}

static bool read_journal(struct crash *c, const struct store_io *io, uint64_t first, uint64_t limit,
                         uint64_t *at)
{
    struct journal_reader r;
    struct journal_frame f;
    bool good = true;
    int file = journal_open(io, first, STORE_READ), got = ERR_CORRUPT;
    if (file < 0) return problem(c, "a journal does not open", first);
    int result = journal_reader_init(&r, io, file, first);
    while (result == 0 && good && (got = journal_reader_next(&r, limit, &f)) != 0) {
        struct batch_iter it;
        struct record record;
        if (got == ERR_CORRUPT) continue;
        if (got < 0) break;
        batch_iter_init(&it, &f.batch);
        for (uint64_t seq = f.first; good && batch_iter_next(&it, &record); seq++) {
            if (seq < *at) continue;
            good = see(c, seq, &record);
            *at = seq + 1;
        }
    }
    if (result == 0) journal_reader_done(&r);
    io->close(io->ctx, file);
    return good && (got == 0 || problem(c, "a journal is not readable", first));
}

/*
 * Everything once, as who reads the folder gets it: segments, and of the journals what is behind
 * them. *ret_sealed, *ret_end: numbers below them are in segments; are there.
 */
static bool read_all(struct crash *c, const struct world *w, uint64_t now, uint64_t *ret_sealed,
                     uint64_t *ret_end)
{
    struct pieces pieces = {.n = 0};
    uint64_t at = 0;
    const struct store_io *io = &w->disk_io;
    for (uint64_t seq = 0; seq < c->n_given; seq++) c->given[seq].seen = false;
    if (io->list(io->ctx, on_name, &pieces) != 0) return problem(c, "too many segments", 0);
    for (size_t i = 0; i < pieces.n; i++) {
        uint64_t begin = pieces.begins[i];
        if (begin != at) return problem(c, "a segment does not go on from the one before", begin);
        if (pieces.whole[i] ? !read_segment(c, io, begin, now, &at)
                            : !read_footer(c, io, begin, now, &at))
            return false;
    }
    *ret_sealed = at;
    struct store_durable durable = store_durable(w->store);
    for (size_t i = 0; i < w->n_journals; i++) {
        bool written = durable.end > 0 && w->journals[i] == durable.journal;
        if (!read_journal(c, io, w->journals[i], written ? durable.end : JOURNAL_ALL, &at))
            return false;
    }
    *ret_end = at;
    return true;
}

/* The tree of everything that was found, from nothing. */
static struct sha256 root_of(struct crash *c, uint64_t begin, uint64_t end)
{
    if (end - begin == 1) return c->given[begin].seen ? c->given[begin].leaf : sealing_leaf_lost();
    uint64_t half = 1;
    while (half * 2 < end - begin) half *= 2;
    struct sha256 left = root_of(c, begin, begin + half), right = root_of(c, begin + half, end);
    return tree_node(&left, &right);
}

static bool check_promises(struct crash *c, const struct world *w, uint64_t now)
{
    uint64_t sealed, end;
    if (!read_all(c, w, now, &sealed, &end)) return false;
    if (store_durable(w->store).next < end) return problem(c, "a number would be given again", end);
    for (uint64_t seq = 0; seq < c->n_given; seq++) {
        const struct given *g = &c->given[seq];
        if (g->given && g->acked <= now && !g->seen)
            return problem(c, "a record was promised and is lost", seq);
    }
    if (w->sealing.segments.end != sealed) return problem(c, "sealing begins elsewhere", sealed);
    if (sealed == 0) return true;
    struct sha256 root = root_of(c, 0, sealed), told = tree_range_root(&w->sealing.segments);
    return sha256_eq(&root, &told) || problem(c, "the tree is not that of the records", sealed);
}

/* ---- verify ------------------------------------------------------------------------------ */

static void put_file(struct crash *c, const char *name, struct slice bytes)
{
    int fd = openat(c->folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) abort();
    (void)close(fd);
}

/* What src/verify says of c->cuts.image. */
static void verify_image(struct crash *c, struct verify_report *ret)
{
    struct verify_key key;
    const struct disk_state *now = &c->cuts.image.now;
    if (verify_key_read(buf_slice(&c->key), &key) != 0) abort();
    for (uint32_t i = 0; i < now->n_names; i++) {
        size_t size;
        const char *bytes = disk_bytes(&c->cuts.image, now->names[i].text, &size);
        put_file(c, now->names[i].text, slice_make(bytes, size));
    }
    const struct verify_options options = {.folder = c->folder_fd, .keys = &key, .n_keys = 1};
    if (verify_folder(&options, ret) != 0) abort();
    for (uint32_t i = 0; i < now->n_names; i++) (void)unlinkat(c->folder_fd, now->names[i].text, 0);
    c->figures.verified++;
}

static bool check_verified(struct crash *c, enum verify_verdict most, uint64_t size)
{
    struct verify_report report;
    verify_image(c, &report);
    if (report.verdict > most)
        return problem(c, report.first.what,
                       report.first.seq != VERIFY_NOWHERE ? report.first.seq : 0);
    return report.signed_size >= size || problem(c, "a checkpoint is lost", size);
}

/* ---- what comes back --------------------------------------------------------------------- */

static uint64_t signed_by(const struct crash *c, uint64_t now)
{
    uint64_t size = 0;
    for (size_t i = 0; i < c->n_signed; i++)
        if (c->signed_sizes[i].at <= now && c->signed_sizes[i].size > size)
            size = c->signed_sizes[i].size;
    return size;
}

static int append(struct crash *c, struct world *w, uint32_t n, size_t raw, uint64_t *ret_first)
{
    struct batch batch;
    buf_clear(&c->batch);
    history_batch(&c->batch, (uint64_t)c->time, n, raw);
    if (batch_open(buf_slice(&c->batch), &batch) != 0) abort();
    return store_append(w->store, &batch, ret_first);
}

/* The rest is sealed, one more batch is taken, and all of it is signed. */
static bool goes_on(struct crash *c, struct world *w, uint64_t now)
{
    uint64_t next = store_durable(w->store).next, first;
    int got;
    while ((got = sealing_step(&w->sealing, store_durable(w->store))) == 1) continue;
    if (got < 0) return failed(c, "the rest is not sealed", got);
    if (remove_journals(w, UINT64_MAX) != 0) return problem(c, "a journal is not removed", 0);
    if (!check_promises(c, w, now)) return false;
    if (append(c, w, 2, 30, &first) != 0 || store_commit(w->store) != 0 || first != next)
        return problem(c, "the store does not go on", next);
    while ((got = sealing_step(&w->sealing, store_durable(w->store))) == 1) continue;
    if (got < 0 || w->sealing.tree.end != next + 2)
        return problem(c, "the sealing does not go on", w->sealing.tree.end);
    if (sealing_sign(&w->sealing, &c->signer) != 0) return problem(c, "nothing is signed", 0);
    return true;
}

static bool has_real_damage(const struct world *w)
{
    return w->damages[STORE_DAMAGE_LOST] > 0 || w->damages[STORE_DAMAGE_HEAD] > 0;
}

/* Whether all begins again on c->cuts.image with what was promised at `now`. */
static bool comes_back(void *ctx, uint64_t now, bool go_on)
{
    struct crash *c = ctx;
    struct world *w = &c->back;
    struct verify_report before = {.verdict = VERIFY_INTACT};
    if (go_on) verify_image(c, &before);
    world_init(w, &c->cuts.image, &c->work.options);
    w->clock = c->work.clock;
    w->options.seed += 1000;
    int error = start_sealing(w);
    if (error) return failed(c, "the sealing does not begin", error);
    error = start_store(w);
    bool good = error == 0 || failed(c, "the store does not open", error);
    if (good && has_real_damage(w)) good = problem(c, "a power cut is called damage", 0);
    good = good && check_promises(c, w, now);
    if (good && go_on) {
        /* A hole in the last commit of a journal is damage to who cannot know of the commit. */
        bool torn = w->damages[STORE_DAMAGE_TORN] > 0;
        if (before.verdict > VERIFY_UNPROVABLE && !torn)
            good = problem(c, before.first.what, before.first.offset);
        good = good &&
               check_verified(c, torn ? VERIFY_DAMAGED : VERIFY_UNPROVABLE,
                              torn ? 0 : signed_by(c, now)) &&
               goes_on(c, w, now) && check_verified(c, VERIFY_INTACT, w->sealing.tree.end);
    }
    world_done(w);
    return good;
}

/* ---- a run ------------------------------------------------------------------------------- */

static int act_append(struct crash *c)
{
    struct world *w = &c->work;
    struct batch batch;
    struct batch_iter it;
    struct record record;
    uint64_t first;
    c->time += 1000;
    uint32_t n = 1 + (uint32_t)(below(c, 4) ? below(c, 5) : below(c, 150));
    int error = append(c, w, n, below(c, n > 20 ? 10 : 200), &first);
    if (error) return error == ERR_LIMIT ? 0 : error;
    if (batch_open(buf_slice(&c->batch), &batch) != 0 || first + n > NUMBERS_MAX) abort();
    batch_iter_init(&it, &batch);
    for (uint64_t seq = first; batch_iter_next(&it, &record); seq++)
        c->given[seq] = (struct given){.leaf = sealing_leaf(&record),
                                       .acked = NEVER,
                                       .removed = NEVER,
                                       .gone = NEVER,
                                       .given = true};
    c->n_given = first + n;
    return 0;
}

static int act_commit(struct crash *c)
{
    int error = store_commit(c->work.store);
    if (error) return error;
    for (; c->uncommitted < c->n_given; c->uncommitted++)
        c->given[c->uncommitted].acked = c->cuts.disk.n_steps;
    return 0;
}

static int act_seal(struct crash *c)
{
    struct world *w = &c->work;
    uint64_t before = w->sealing.segments.end;
    int got = 1;
    for (uint64_t i = 1 + below(c, 6); i > 0 && got == 1; i--)
        got = sealing_step(&w->sealing, store_durable(w->store));
    c->figures.segments += w->sealing.segments.end != before;
    return got < 0 ? got : 0;
}

static int act_sign(struct crash *c)
{
    struct world *w = &c->work;
    if (sealing_is_behind(&w->sealing, store_durable(w->store))) return 0;
    if (w->sealing.tree.end < signed_by(c, NEVER - 1) ||
        w->sealing.tree.end < w->sealing.signed_before)
        return ERR_CORRUPT;
    int error = sealing_sign(&w->sealing, &c->signer);
    if (error) return error;
    if (c->n_signed == SIGNED_MAX) abort();
    c->signed_sizes[c->n_signed].size = w->sealing.tree.end;
    c->signed_sizes[c->n_signed++].at = c->cuts.disk.n_steps;
    c->figures.checkpoints++;
    return 0;
}

static int bury(struct crash *c, struct retain_pass *pass, const struct retain_hold *hold)
{
    struct buf lines;
    const struct tree_range *range = &pass->footer.range;
    if (hold->from < range->end && hold->to > range->begin) return ERR_CORRUPT;
    for (uint64_t seq = range->begin; seq < range->end; seq++)
        c->given[seq].removed = c->cuts.disk.n_steps;
    buf_init(&lines, CHECKPOINT_MAX);
    checkpoint_sign(&lines, buf_slice(&pass->body), &c->signer, 0);
    int error = retain_pass_bury(pass, buf_slice(&lines));
    buf_done(&lines);
    for (uint64_t seq = range->begin; seq < range->end && error == 0; seq++)
        c->given[seq].gone = c->cuts.disk.n_steps;
    c->figures.removals += error == 0;
    return error;
}

/* As serve does it: behind a checkpoint, which covers all segments. */
static int act_retain(struct crash *c)
{
    struct world *w = &c->work;
    struct retain_pass pass;
    uint64_t from = below(c, c->n_given + 1);
    const struct retain_hold hold = {.from = from, .to = from + below(c, 100)};
    int error = act_sign(c);
    if (error || w->sealing.tree.end < w->sealing.segments.end ||
        signed_by(c, NEVER - 1) < w->sealing.segments.end)
        return error;
    error =
        retain_pass_init(&pass, &(struct retain_options){.io = &w->seal_side.io,
                                                         .before = c->time - (nsec)below(c, 20000),
                                                         .now = c->time,
                                                         .origin = SLICE(ORIGIN),
                                                         .reason = SLICE("older than 400 days"),
                                                         .holds = &hold,
                                                         .n_holds = 1});
    if (error == 0)
        while ((error = retain_pass_next(&pass)) == 1) {
            error = bury(c, &pass, &hold);
            if (error) break;
        }
    retain_pass_done(&pass);
    return error;
}

static int act_tick(struct crash *c)
{
    clock_pass(&c->work.clock, (nsec)below(c, 3000) * NSEC_PER_SEC);
    return store_tick(c->work.store);
}

static int act_remove(struct crash *c)
{
    return remove_journals(&c->work, below(c, c->n_given + 1));
}

static int act_kill(struct crash *c)
{
    struct mortal *m = below(c, 3) ? &c->work.seal_side : &c->work.store_side;
    if (m->faults.at || c->planned) return 0;
    m->faults.for_good = true;
    m->faults.at = m->faults.calls + 1 + below(c, 30);
    return 0;
}

/* What was not on the disk when the store ended is free for others. */
static bool forget(struct crash *c)
{
    struct world *w = &c->work;
    uint64_t next = store_durable(w->store).next;
    if (!check_promises(c, w, NEVER - 1)) return false;
    for (uint64_t seq = 0; seq < c->n_given; seq++)
        if (!c->given[seq].seen) c->given[seq].given = false;
    c->n_given = c->uncommitted = next;
    return true;
}

static bool live_again(struct crash *c)
{
    struct world *w = &c->work;
    if (faults_happened(&w->seal_side.faults)) {
        end_sealing(w);
        if (start_sealing(w) != 0) return problem(c, "the sealing does not begin again", 0);
        c->figures.kills++;
    }
    if (faults_happened(&w->store_side.faults)) {
        end_store(w);
        if (start_store(w) != 0) return problem(c, "the store does not open again", 0);
        c->figures.kills++;
        if (!forget(c)) return false;
    }
    return true;
}

static bool act(struct crash *c)
{
    static const struct {
        uint64_t weight;
        int (*call)(struct crash *c);
    } acts[] = {{30, act_append}, {25, act_commit}, {20, act_seal},  {8, act_sign},
                {6, act_tick},    {6, act_remove},  {8, act_retain}, {3, act_kill}};
    uint64_t sum = 0, at;
    size_t i = 0;
    for (size_t k = 0; k < sizeof acts / sizeof *acts; k++) sum += acts[k].weight;
    for (at = below(c, sum); at >= acts[i].weight; i++) at -= acts[i].weight;
    int error = acts[i].call(c);
    struct world *w = &c->work;
    bool met = faults_happened(&w->seal_side.faults) || faults_happened(&w->store_side.faults);
    if (error && !met) return failed(c, "an error without a cause", error);
    c->fault_met |= met;
    /* A call may fail and nobody has to mind; a process that was killed is no more. */
    return met && (error || !c->planned) ? live_again(c) : true;
}

static void choose_options(struct crash *c)
{
    struct store_options *o = &c->work.options;
    history_options(o, NULL, &c->work.clock, NULL);
    o->journal_bytes = 2048 + below(c, 8192);
    o->commit_bytes = 16 * 1024;
    o->ahead_bytes = below(c, 2) ? 1024 : 0;
    o->ballast_bytes = 0;
}

/* Begins on c->cuts.disk, goes on for a while, and ends in the middle of it. */
static bool record(struct crash *c)
{
    struct world *w = &c->work;
    struct store_options options = w->options;
    world_init(w, &c->cuts.disk, &options);
    disk_record(&c->cuts.disk);
    if (start_store(w) != 0) return problem(c, "the store does not open", 0);
    if (start_sealing(w) != 0) return problem(c, "the sealing does not begin", 0);
    bool good = forget(c);
    if (c->planned) {
        w->seal_side.faults.kind = c->planned->kind;
        w->seal_side.faults.for_good = c->planned->for_good;
        w->seal_side.faults.at = w->seal_side.faults.calls + c->planned->at;
        c->fault_met = false;
    }
    for (uint64_t i = 20 + below(c, 60); i > 0 && good; i--) good = act(c);
    world_done(w);
    return good;
}

/* The disk of a cut somewhere becomes the one of the next life. */
static bool take_over(struct crash *c)
{
    uint64_t now = cuts_tear(&c->cuts), size = signed_by(c, now);
    if (!comes_back(c, now, false)) return false;
    /* What was seen is there for good, but for what retention had begun to remove by then. */
    for (uint64_t seq = 0; seq < c->n_given; seq++) {
        struct given *g = &c->given[seq];
        g->given = g->seen;
        g->acked = 0;
        g->removed = g->seen && g->removed <= now ? 0 : NEVER;
        g->gone = g->gone <= now ? 0 : NEVER;
    }
    c->n_signed = 1;
    c->signed_sizes[0].size = size;
    c->signed_sizes[0].at = 0;
    cuts_take_over(&c->cuts);
    return true;
}

static void begin(struct crash *c, uint64_t number)
{
    cuts_begin(&c->cuts, number);
    c->work.clock = (struct clock_settable){0};
    c->n_given = c->uncommitted = 0;
    c->n_signed = 0;
    c->time = 0;
    choose_options(c);
}

static bool run_crashes(struct crash *c, uint64_t runs)
{
    uint64_t i = 0;
    bool good = true;
    for (; i < runs && good; i++) {
        begin(c, i);
        uint64_t lives = 1 + below(c, 3);
        for (uint64_t life = 0; life < lives && good; life++) {
            good = record(c) && cuts_check(&c->cuts);
            c->figures.numbers += c->n_given;
            if (good && life + 1 < lives) good = take_over(c);
        }
        c->figures.runs++;
    }
    return cuts_report(&c->cuts, 1, "crash states", good, i - 1);
}

/* ---- control ----------------------------------------------------------------------------- */

static bool run_control(struct crash *c, uint64_t runs)
{
    struct figures kept = c->figures;
    bool good = true;
    uint64_t i = 0, lost = 0;
    for (; i < runs && good; i++) {
        begin(c, i);
        c->cuts.disk.lies = true;
        good = record(c);
        c->cuts.disk.lies = false;
        if (good) lost += cuts_lose(&c->cuts);
    }
    c->figures = kept;
    c->figures.control_runs = i;
    c->figures.control_lost = lost;
    if (good && lost * 2 <= i)
        good = problem(c, "a disk that lies about syncs hardly ever loses", lost);
    return cuts_report(&c->cuts, 2, "control", good, i - 1);
}

/* ---- faults ------------------------------------------------------------------------------ */

/* All goes on from one of the ways, another one at each call. */
static bool goes_on_from(void *ctx, unsigned way)
{
    const struct crash *c = ctx;
    return way == c->planned_at % 4;
}

/* The same run each time, but for the fault. */
static bool run_fault(struct crash *c, uint64_t number, const struct faults *fault)
{
    begin(c, number);
    c->planned = fault;
    c->planned_at = fault->at;
    bool good = record(c);
    c->planned = NULL;
    if (!good || !cuts_check_end(&c->cuts, number, goes_on_from)) return false;
    c->figures.faults++;
    return true;
}

static bool run_faults(struct crash *c, uint64_t runs)
{
    bool good = true;
    uint64_t run = 0;
    for (; run < runs && good; run++) {
        for (unsigned way = 0; way < 2 * FAULT_KINDS && good; way++) {
            struct faults fault = {.kind = way / 2, .for_good = way % 2};
            fault.at = 1 + way % c->cuts.every;
            while ((good = run_fault(c, run, &fault)) && c->fault_met) fault.at += c->cuts.every;
            if (!good)
                printf("# fault %u%s at call %llu\n", way / 2, way % 2 ? " for good" : "",
                       (unsigned long long)fault.at);
        }
    }
    return cuts_report(&c->cuts, 3, "faults", good, run - 1);
}

/* ---- main -------------------------------------------------------------------------------- */

static void tell_figures(const struct crash *c)
{
    const struct figures *f = &c->figures;
    const struct cuts_number all[] = {{"seed", c->cuts.seed},
                                      {"runs", f->runs},
                                      {"changes", c->cuts.changes},
                                      {"states", c->cuts.states},
                                      {"verified", f->verified},
                                      {"records", f->numbers},
                                      {"segments", f->segments},
                                      {"checkpoints", f->checkpoints},
                                      {"removals", f->removals},
                                      {"kills", f->kills},
                                      {"control_runs", f->control_runs},
                                      {"control_lost", f->control_lost},
                                      {"faults", f->faults}};
    cuts_tell(all, sizeof all / sizeof all[0]);
}

static void setup(struct crash *c)
{
    static const uint8_t seed[CHECKPOINT_SEED] = {1};
    const char *base = getenv("TMPDIR");
    (void)snprintf(c->folder, sizeof c->folder, "%s/vaka-seal-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(c->folder)) abort();
    c->folder_fd = open(c->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->folder_fd < 0 ||
        checkpoint_signer_init(&c->signer, SLICE(ORIGIN), CHECKPOINT_LOG, seed) != 0)
        abort();
    buf_init(&c->key, CHECKPOINT_KEY_TEXT);
    checkpoint_key_write(&c->key, &c->signer.key);
    buf_init(&c->batch, BATCH_MAX);
    cuts_init(&c->cuts);
}

static void tear_down(struct crash *c)
{
    cuts_done(&c->cuts);
    buf_done(&c->batch);
    buf_done(&c->key);
    (void)close(c->folder_fd);
    (void)rmdir(c->folder);
}

int main(int argc, char **argv)
{
    static struct crash c = {
        .cuts = {.comes_back = comes_back, .every = 16, .subsets = 2, .seed = 1}};
    uint64_t runs = 6;
    bool json = false;
    const struct cuts_option options[] = {{"--runs", &runs},
                                          {"--subsets", &c.cuts.subsets},
                                          {"--every", &c.cuts.every},
                                          {"--seed", &c.cuts.seed}};
    if (!cuts_options(argc, argv, options, 4, &json) || runs == 0 || c.cuts.every == 0) {
        fprintf(stderr,
                "store_seal_crash [--runs N] [--subsets N] [--every N] [--seed N] [--json]\n");
        return 2;
    }
    c.cuts.ctx = &c;
    setup(&c);
    printf("# seed %llu\n", (unsigned long long)c.cuts.seed);
    (void)fflush(stdout);
    bool good = run_crashes(&c, runs);
    good = run_control(&c, runs) && good;
    good = run_faults(&c, (runs + 19) / 20) && good;
    printf("1..3\n");
    (void)fflush(stdout);
    if (json) tell_figures(&c);
    tear_down(&c);
    return !good;
}
