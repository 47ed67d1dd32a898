/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The process that makes of journals what stays: it follows them like an engine, writes their
 * records into a segment block by block while they come, and finishes the segment when the journal
 * is complete. So the work is spread over the hour, and one pass serves segment and tree.
 *
 * The tree has every durable record. Every few seconds, also when nothing came, what it is is
 * signed and stored as a checkpoint. What is old goes (retention.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "normalise/record_decoder.h"
#include "serve/cosign.h"
#include "serve/holding.h"
#include "serve/release.h"
#include "serve/retention.h"
#include "serve/role.h"
#include "store/checkpoint.h"
#include "store/journal.h"
#include "store/sealed.h"

enum {
    JOURNALS_MAX = 64 * 1024,
    READ_MAX = 8,
    ROUND_BYTES = 2 * 1024 * 1024, /* of batches, before others have their turn */
};

struct seal_ctx {
    int dirfd;
    struct store_io io;
    uint64_t *journals; /* numbers, ascending; those not read to their end */
    size_t n_journals;
    struct say_durable durable;
    struct journal_reader reader;
    int file; /* of the journal that is read; -1: none */
    struct {
        uint64_t first;
        int file;
    } read[READ_MAX]; /* journals that are read to their end and may still have their name */
    size_t n_read;
    struct release release;
    struct segment_writer *writer;
    bool in_segment;            /* of the writer */
    struct tree_range tree;     /* of every record that was read */
    struct tree_range segments; /* of those in finished segments */
    struct buf heads;
    struct sha256_message *messages; /* BATCH_RECORDS_MAX */
    struct sha256 *leaves;
    struct loop_deferred work;
    struct loop_timer checkpoint;
    char origin[CHECKPOINT_NAME_MAX + 1];
    struct buf body, text;
    uint64_t asked; /* size of the tree whose signature is awaited; UINT64_MAX: none */
    bool keep;      /* the next checkpoint stays: a segment was finished */
    uint64_t finished, checkpoints, lost;
    nsec signed_at; /* realtime; 0: never */
    uint64_t signed_size;
    uint64_t signed_before; /* size of the newest checkpoint of before the start */
    struct retention retention;
    struct cosign cosign;
};

static void give_up(struct role *r, const char *what, int error)
{
    role_alarm(r, what, slice_of(error_text(error)));
    role_end(r, error);
}

/* ---- the tree ---------------------------------------------------------------------------- */

static void add_leaves(struct seal_ctx *c, uint64_t begin, size_t n)
{
    struct tree_range range;
    tree_range_of_leaves(&range, begin, c->leaves, n, NULL);
    tree_range_append(&c->tree, &range, NULL);
    cosign_grow(&c->cosign, &range);
}

/* Leaves of records that were lost are those of nothing, as in the segment. */
static void add_lost(struct seal_ctx *c, uint64_t n)
{
    struct sha256 leaf;
    sha256_many(&(struct sha256_message){SLICE("\0\0"), SLICE_NONE}, 1, &leaf);
    c->lost += n;
    while (n > 0) {
        size_t some = n < BATCH_RECORDS_MAX ? (size_t)n : BATCH_RECORDS_MAX;
        for (size_t i = 0; i < some; i++) c->leaves[i] = leaf;
        add_leaves(c, c->tree.end, some);
        n -= some;
    }
}

static int hash_records(struct seal_ctx *c, const struct batch *batch, uint32_t from)
{
    struct batch_iter it;
    struct record record;
    size_t n = 0;
    buf_clear(&c->heads);
    batch_iter_init(&it, batch);
    for (uint32_t i = 0; batch_iter_next(&it, &record); i++) {
        if (i < from) continue;
        size_t at = c->heads.len;
        record_leaf_head(&c->heads, &record);
        c->messages[n].head = slice_make(NULL, at); /* its place: the buffer may still move */
        c->messages[n++].body = record.raw;
    }
    if (buf_failed(&c->heads)) return buf_error(&c->heads);
    for (size_t i = 0; i < n; i++) {
        size_t at = c->messages[i].head.len;
        size_t end = i + 1 < n ? c->messages[i + 1].head.len : c->heads.len;
        c->messages[i].head = slice_make(c->heads.ptr + at, end - at);
    }
    sha256_many(c->messages, n, c->leaves);
    return 0;
}

/* ---- segments ---------------------------------------------------------------------------- */

static int begin_segment(struct seal_ctx *c, uint64_t lost)
{
    struct segment_options options;
    segment_options_default(&options);
    options.normaliser = NORMALISER_VERSION;
    options.before = &c->segments;
    options.lost = lost;
    int error = segment_writer_begin(c->writer, &options);
    c->in_segment = error == 0;
    return error;
}

static int finish_segment(struct role *r)
{
    struct seal_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_STORE);
    if (!c->in_segment) return 0;
    c->in_segment = false;
    int error = segment_writer_records(c->writer) == 0
                    ? 0
                    : segment_writer_finish(c->writer, clock_realtime(&r->clock), &c->segments);
    if (error) return error;
    c->finished++;
    c->keep = true;
    if (link_is_open(link)) {
        say_sealed_write(link_out(link), &(struct say_sealed){.next = c->segments.end});
        link_flush(link);
    }
    return 0;
}

/* A record's way into the segment; a full one is followed by another. */
static int add_record(struct role *r, const struct record *record, const struct sha256 *leaf)
{
    struct seal_ctx *c = r->ctx;
    int error = c->in_segment ? 0 : begin_segment(c, 0);
    if (error == 0) error = segment_writer_add(c->writer, record, leaf);
    if (error != ERR_LIMIT) return error;
    error = finish_segment(r);
    if (error == 0) error = begin_segment(c, 0);
    return error ? error : segment_writer_add(c->writer, record, leaf);
}

static int take_frame(struct role *r, const struct journal_frame *frame)
{
    struct seal_ctx *c = r->ctx;
    struct batch_iter it;
    struct record record;
    int error = 0;
    if (frame->first + frame->batch.n <= c->tree.end) return 0;
    if (frame->first > c->tree.end) {
        uint64_t gap = frame->first - c->tree.end;
        error = finish_segment(r);
        if (error == 0) error = begin_segment(c, gap);
        if (error) return error;
        add_lost(c, gap);
    }
    uint32_t from = (uint32_t)(c->tree.end - frame->first);
    error = hash_records(c, &frame->batch, from);
    batch_iter_init(&it, &frame->batch);
    for (uint32_t i = 0; error == 0 && batch_iter_next(&it, &record); i++)
        if (i >= from) error = add_record(r, &record, &c->leaves[i - from]);
    /* Last: it uses the leaves up. */
    if (error == 0) add_leaves(c, c->tree.end, frame->batch.n - from);
    return error;
}

/* ---- journals ---------------------------------------------------------------------------- */

static void close_read(struct seal_ctx *c, size_t n)
{
    for (size_t i = 0; i < n; i++) release_take(&c->release, c->read[i].file);
    c->n_read -= n;
    memmove(c->read, c->read + n, c->n_read * sizeof *c->read);
}

/*
 * Whoever closes a file last that has no name any more waits until its pages and blocks are free.
 * Acks would wait for the store: so it stays open here until it has no name.
 */
static void keep_open(struct seal_ctx *c)
{
    if (c->n_read == READ_MAX) close_read(c, 1);
    c->read[c->n_read].first = c->journals[0];
    c->read[c->n_read++].file = c->file;
    journal_reader_done(&c->reader);
    c->file = -1;
}

static void next_journal(struct seal_ctx *c)
{
    c->n_journals--;
    memmove(c->journals, c->journals + 1, c->n_journals * sizeof *c->journals);
}

/* The next store tells all journals again, and one that had no records yet is another file then. */
static void forget_journals(struct seal_ctx *c)
{
    if (c->file >= 0) keep_open(c);
    close_read(c, c->n_read);
    c->n_journals = 0;
    c->durable = (struct say_durable){.offset = 0};
}

/* The next one that holds something new. 1: it is open; 0: there is none. */
static int open_journal(struct seal_ctx *c)
{
    while (c->n_journals > 0 && c->journals[0] <= c->durable.first && c->durable.offset > 0) {
        bool behind = c->n_journals > 1 && c->journals[1] <= c->tree.end;
        int file = behind ? ERR_NOT_FOUND : journal_open(&c->io, c->journals[0], STORE_WRITE);
        int error = file < 0 ? file : journal_reader_init(&c->reader, &c->io, file, c->journals[0]);
        if (error == 0) {
            c->file = file;
            return 1;
        }
        if (file >= 0) c->io.close(c->io.ctx, file);
        /* One that was removed, or whose heads are gone: the store has told of that. */
        if (error != ERR_NOT_FOUND && error != ERR_CORRUPT) return error;
        next_journal(c);
    }
    return 0;
}

/* 1: there was something, 0: there is nothing for now. */
static int step(struct role *r, size_t *ret_bytes)
{
    struct seal_ctx *c = r->ctx;
    struct journal_frame frame;
    *ret_bytes = 0;
    int got = c->file >= 0 ? 1 : open_journal(c);
    if (got <= 0) return got;
    bool complete = c->journals[0] < c->durable.first;
    got = journal_reader_next(&c->reader, complete ? JOURNAL_ALL : c->durable.offset, &frame);
    if (got > 0) {
        *ret_bytes = frame.batch.bytes.len;
        int error = take_frame(r, &frame);
        return error ? error : 1;
    }
    if (got == ERR_CORRUPT) return 1;
    if (got < 0) return got;
    if (!complete) return 0;
    keep_open(c);
    next_journal(c);
    int error = finish_segment(r);
    return error ? error : 1;
}

static void work(void *ctx)
{
    struct role *r = ctx;
    struct seal_ctx *c = r->ctx;
    size_t done = 0;
    while (done < ROUND_BYTES) {
        size_t bytes;
        int got = step(r, &bytes);
        if (got < 0) give_up(r, "seal-failed", got);
        if (got <= 0) return;
        done += bytes;
    }
    loop_defer(r->loop, &c->work);
}

/* ---- checkpoints ------------------------------------------------------------------------- */

/* After a start: what was signed before is still being read. Smaller checkpoints would look as if
 * records had gone. */
static bool is_behind(const struct seal_ctx *c)
{
    return c->tree.end < c->signed_before &&
           (c->durable.next == 0 || c->tree.end < c->durable.next);
}

static void ask_signature(void *ctx)
{
    struct role *r = ctx;
    struct seal_ctx *c = r->ctx;
    struct link *link = role_link(r, ROLE_SIGN);
    if (!link_is_open(link) || !c->origin[0] || c->asked != UINT64_MAX) return;
    if (is_behind(c)) return;
    struct sha256 root = tree_range_root(&c->tree);
    cosign_mark(&c->cosign, &c->tree);
    buf_clear(&c->body);
    checkpoint_write(&c->body, slice_of(c->origin), c->tree.end, &root);
    c->asked = c->tree.end;
    say_sign_write(link_out(link),
                   &(struct say_sign){.size = c->tree.end, .body = buf_slice(&c->body)});
    link_flush(link);
}

static int take_signed(struct role *r, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    struct say_signed m;
    if (say_signed_read(frame->payload, &m) != 0 || m.size != c->asked) return ERR_CORRUPT;
    c->asked = UINT64_MAX;
    buf_clear(&c->text);
    buf_put(&c->text, buf_slice(&c->body));
    buf_put(&c->text, m.lines);
    int error = buf_failed(&c->text)
                    ? ERR_LIMIT
                    : checkpoint_store(&c->io, buf_slice(&c->text), m.size, c->keep);
    if (error) {
        give_up(r, "checkpoint-failed", error);
        return 0;
    }
    cosign_submit(&c->cosign, buf_slice(&c->text), m.size, c->keep);
    c->keep = false;
    c->checkpoints++;
    c->signed_at = clock_realtime(&r->clock);
    c->signed_size = m.size;
    retention_signed(&c->retention, slice_of(c->origin));
    return 0;
}

static int take_origin(struct role *r, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    struct say_origin m;
    struct checkpoint_key key;
    if (say_origin_read(frame->payload, &m) != 0 || checkpoint_key_read(m.key, &key) != 0)
        return ERR_CORRUPT;
    (void)snprintf(c->origin, sizeof c->origin, "%s", key.name);
    cosign_set_log(&c->cosign, &key);
    if (m.size > c->signed_before) c->signed_before = m.size;
    return 0;
}

/* The size of the checkpoint that is there; 0 without one that can be read. */
static uint64_t read_signed_size(struct seal_ctx *c)
{
    struct checkpoint checkpoint = {.size = 0};
    int file = c->io.open(c->io.ctx, "checkpoint", STORE_READ);
    if (file < 0) return 0;
    buf_clear(&c->text);
    char *to = buf_reserve(&c->text, CHECKPOINT_MAX);
    int64_t n = to ? store_io_read(&c->io, file, to, CHECKPOINT_MAX, 0) : 0;
    c->io.close(c->io.ctx, file);
    if (n <= 0 || checkpoint_parse(slice_make(to, (size_t)n), &checkpoint) != 0) return 0;
    return checkpoint.size;
}

/* ---- the role ---------------------------------------------------------------------------- */

static int take_present(struct role *r, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    struct say_present m;
    if (say_present_read(frame->payload, &m) != 0 || c->n_journals == JOURNALS_MAX)
        return ERR_CORRUPT;
    /* What was begun while the channel came is told twice. */
    if (c->n_journals && m.first <= c->journals[c->n_journals - 1]) return 0;
    c->journals[c->n_journals++] = m.first;
    return 0;
}

static int take_removed(struct role *r, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    struct say_removed m;
    size_t n = 0;
    if (say_removed_read(frame->payload, &m) != 0) return ERR_CORRUPT;
    while (n < c->n_read && c->read[n].first < m.first) n++;
    close_read(c, n);
    return 0;
}

static int take_from_witness(struct role *r, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    int error = cosign_frame(&c->cosign, frame);
    if (error == 0 && c->cosign.at)
        retention_witnessed(&c->retention, c->cosign.told_at, c->cosign.at);
    return error;
}

static int take_from_web(struct role *r, const struct frame *frame)
{
    const struct seal_ctx *c = r->ctx;
    const struct holding h = {
        .folder = c->dirfd, .path = c->retention.path, .named = c->retention.named};
    return holding_frame(r, &h, frame);
}

static int seal_frame(struct role *r, enum serve_role peer, const struct frame *frame)
{
    struct seal_ctx *c = r->ctx;
    if (peer == ROLE_WITNESS) return take_from_witness(r, frame);
    if (peer == ROLE_WEB) return take_from_web(r, frame);
    if (peer == ROLE_SIGN && frame->type == SAY_SIGNED) return take_signed(r, frame);
    if (peer == ROLE_SIGN && frame->type == SAY_BURIED)
        return retention_buried(&c->retention, frame);
    if (peer == ROLE_SIGN && frame->type == SAY_ORIGIN) return take_origin(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_PRESENT) return take_present(r, frame);
    if (peer == ROLE_STORE && frame->type == SAY_REMOVED) return take_removed(r, frame);
    if (peer != ROLE_STORE || frame->type != SAY_DURABLE ||
        say_durable_read(frame->payload, &c->durable) != 0)
        return ERR_CORRUPT;
    loop_defer(r->loop, &c->work);
    return 0;
}

static void seal_peer(struct role *r, enum serve_role peer)
{
    struct seal_ctx *c = r->ctx;
    struct link *link = role_link(r, peer);
    if (peer != ROLE_STORE) return;
    say_sealed_write(link_out(link), &(struct say_sealed){.next = c->segments.end});
    link_flush(link);
}

static void seal_lost(struct role *r, enum serve_role peer)
{
    struct seal_ctx *c = r->ctx;
    if (peer == ROLE_STORE) forget_journals(c);
    if (peer != ROLE_SIGN) return;
    c->asked = UINT64_MAX;
    retention_lost(&c->retention);
}

static int seal_prepare(struct role *r, struct diag *diag)
{
    struct seal_ctx *c = r->ctx;
    const char *path = role_store_folder(r, diag);
    if (!path) return ERR_ACCESS;
    c->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dirfd < 0)
        return diag_set(diag, ERR_ACCESS, NULL, 0, 0, "%s: %s", path, strerror(errno));
    role_keep_folder(r, path);
    (void)setpriority(PRIO_PROCESS, 0, NICE_SEAL);
    c->io = store_io_system(c->dirfd);
    release_init(&c->release, r->loop);
    c->file = -1;
    c->asked = UINT64_MAX;
    c->work = (struct loop_deferred){.call = work, .ctx = r};
    c->checkpoint = (struct loop_timer){.due = ask_signature, .ctx = r};
    c->journals = calloc(JOURNALS_MAX, sizeof *c->journals);
    c->messages = calloc(BATCH_RECORDS_MAX, sizeof *c->messages);
    c->leaves = calloc(BATCH_RECORDS_MAX, sizeof *c->leaves);
    buf_init(&c->heads, 256 * 1024 * 1024);
    buf_init(&c->body, CHECKPOINT_MAX);
    buf_init(&c->text, CHECKPOINT_MAX);
    if (!c->journals || !c->messages || !c->leaves) return ERR_NOMEM;
    int error = segment_writer_new(&c->io, &c->writer);
    if (error == 0) error = cosign_prepare(&c->cosign, r, &c->io, diag);
    return error ? error : retention_prepare(&c->retention, r, &c->io, path);
}

static int seal_start(struct role *r)
{
    struct seal_ctx *c = r->ctx;
    int error = sealed_tree(&c->io, &c->segments);
    c->tree = c->segments;
    cosign_start(&c->cosign, &c->tree);
    c->signed_before = read_signed_size(c);
    if (error == 0) error = retention_start(&c->retention);
    if (error) return error;
    return loop_timer_set(r->loop, &c->checkpoint, NSEC_PER_SEC, r->config.store_checkpoint);
}

static void seal_status(struct role *r, struct buf *out)
{
    struct seal_ctx *c = r->ctx;
    json_write_member_u64(out, "tree", c->tree.end);
    json_write_member_u64(out, "sealed", c->segments.end);
    json_write_member_u64(out, "segments", c->finished);
    json_write_member_u64(out, "checkpoints", c->checkpoints);
    json_write_member_u64(out, "signed", c->signed_size);
    json_write_member_u64(out, "signed_at", (uint64_t)(c->signed_at / NSEC_PER_SEC));
    json_write_member_u64(out, "lost", c->lost);
    retention_status(&c->retention, out);
    cosign_status(&c->cosign, out);
}

static void seal_stop(struct role *r)
{
    struct seal_ctx *c = r->ctx;
    release_done(&c->release);
    segment_writer_free(c->writer);
    role_end(r, 0);
}

const struct role_ops role_seal = {
    .ctx_size = sizeof(struct seal_ctx),
    .prepare = seal_prepare,
    .start = seal_start,
    .peer = seal_peer,
    .lost = seal_lost,
    .frame = seal_frame,
    .status = seal_status,
    .stop = seal_stop,
};
