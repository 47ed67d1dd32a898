/* SPDX-License-Identifier: EUPL-1.2 */
#include "sealing.h"

#include <stdlib.h>

#include "store/sealed.h"

enum { SEALED_AT = 77, BLOCK_BYTES = 600 };

/* ---- beginning and end ------------------------------------------------------------------- */

static uint64_t read_signed_size(const struct store_io *io)
{
    struct checkpoint checkpoint = {.size = 0};
    char text[4096];
    int file = io->open(io->ctx, "checkpoint", STORE_READ);
    if (file < 0) return 0;
    int64_t n = store_io_read(io, file, text, sizeof text, 0);
    io->close(io->ctx, file);
    if (n <= 0 || checkpoint_parse(slice_make(text, (size_t)n), &checkpoint) != 0) return 0;
    return checkpoint.size;
}

int sealing_start(struct sealing *s, const struct store_io *io, uint32_t tenant)
{
    s->io = io;
    s->n_journals = 0;
    s->file = -1;
    s->writer = NULL;
    s->keep = false;
    segment_options_default(&s->options);
    s->options.tenant = tenant;
    s->options.block_bytes = BLOCK_BYTES;
    int error = sealed_tree(io, &s->segments);
    s->tree = s->segments;
    s->signed_before = read_signed_size(io);
    return error;
}

void sealing_end(struct sealing *s)
{
    sealing_forget(s);
    segment_writer_free(s->writer);
    s->writer = NULL;
}

void sealing_tell(struct sealing *s, uint64_t first)
{
    if (s->n_journals && first <= s->journals[s->n_journals - 1]) return;
    if (s->n_journals == SEALING_JOURNALS_MAX) abort();
    s->journals[s->n_journals++] = first;
}

static void close_file(struct sealing *s)
{
    if (s->file < 0) return;
    journal_reader_done(&s->reader);
    s->io->close(s->io->ctx, s->file);
    s->file = -1;
}

void sealing_forget(struct sealing *s)
{
    close_file(s);
    s->n_journals = 0;
}

/* ---- leaves ------------------------------------------------------------------------------ */

struct sha256 sealing_leaf(const struct record *record)
{
    struct sha256 leaf;
    struct buf head;
    buf_init(&head, 4 * (size_t)RECORD_TEXT_MAX);
    record_leaf_head(&head, record);
    if (buf_failed(&head)) abort();
    sha256_many(&(struct sha256_message){buf_slice(&head), record->raw}, 1, &leaf);
    buf_done(&head);
    return leaf;
}

struct sha256 sealing_leaf_lost(void)
{
    struct sha256 leaf;
    sha256_many(&(struct sha256_message){SLICE("\0\0"), SLICE_NONE}, 1, &leaf);
    return leaf;
}

/* The first n of s->leaves, which are used up. */
static void grow(struct sealing *s, size_t n)
{
    struct tree_range range;
    tree_range_of_leaves(&range, s->tree.end, s->leaves, n, NULL);
    tree_range_append(&s->tree, &range, NULL);
}

static void grow_lost(struct sealing *s, uint64_t n)
{
    for (; n > 0; n--) {
        s->leaves[0] = sealing_leaf_lost();
        grow(s, 1);
    }
}

/* ---- segments ---------------------------------------------------------------------------- */

static int begin_segment(struct sealing *s, uint64_t lost)
{
    s->options.before = &s->segments;
    s->options.lost = lost;
    int error = segment_writer_new(s->io, &s->writer);
    return error ? error : segment_writer_begin(s->writer, &s->options);
}

static int finish_segment(struct sealing *s)
{
    if (!s->writer) return 0;
    bool any = segment_writer_records(s->writer) > 0;
    int error = any ? segment_writer_finish(s->writer, SEALED_AT, &s->segments) : 0;
    segment_writer_free(s->writer);
    s->writer = NULL;
    s->keep |= any;
    return error;
}

static int take_frame(struct sealing *s, const struct journal_frame *frame)
{
    struct batch_iter it;
    struct record record;
    int error = 0;
    if (frame->first + frame->batch.n <= s->tree.end) return 0;
    if (frame->batch.n > SEALING_FRAME_MAX) abort();
    if (frame->first > s->tree.end) {
        uint64_t gap = frame->first - s->tree.end;
        error = finish_segment(s);
        if (error == 0) error = begin_segment(s, gap);
        if (error) return error;
        grow_lost(s, gap);
    }
    uint32_t from = (uint32_t)(s->tree.end - frame->first);
    if (!s->writer) error = begin_segment(s, 0);
    batch_iter_init(&it, &frame->batch);
    for (uint32_t i = 0; error == 0 && batch_iter_next(&it, &record); i++) {
        if (i < from) continue;
        s->leaves[i - from] = sealing_leaf(&record);
        error = segment_writer_add(s->writer, &record, &s->leaves[i - from]);
    }
    if (error == 0) grow(s, frame->batch.n - from);
    return error;
}

/* ---- journals ---------------------------------------------------------------------------- */

static void drop_journal(struct sealing *s)
{
    close_file(s);
    s->n_journals--;
    memmove(s->journals, s->journals + 1, s->n_journals * sizeof *s->journals);
}

/* 1: it is open; 0: there is none. */
static int open_journal(struct sealing *s, struct store_durable durable)
{
    while (s->n_journals > 0 && s->journals[0] <= durable.journal && durable.end > 0) {
        bool behind = s->n_journals > 1 && s->journals[1] <= s->tree.end;
        int file = behind ? ERR_NOT_FOUND : journal_open(s->io, s->journals[0], STORE_READ);
        int error = file < 0 ? file : journal_reader_init(&s->reader, s->io, file, s->journals[0]);
        if (error == 0) {
            s->file = file;
            return 1;
        }
        if (file >= 0) s->io->close(s->io->ctx, file);
        if (error != ERR_NOT_FOUND) return error;
        drop_journal(s);
    }
    return 0;
}

int sealing_step(struct sealing *s, struct store_durable durable)
{
    struct journal_frame frame;
    int got = s->file >= 0 ? 1 : open_journal(s, durable);
    if (got <= 0) return got;
    bool complete = s->journals[0] < durable.journal;
    got = journal_reader_next(&s->reader, complete ? JOURNAL_ALL : durable.end, &frame);
    if (got > 0) {
        int error = take_frame(s, &frame);
        return error ? error : 1;
    }
    if (got == ERR_CORRUPT) return 1;
    if (got < 0) return got;
    if (!complete) return 0;
    drop_journal(s);
    int error = finish_segment(s);
    return error ? error : 1;
}

/* ---- checkpoints ------------------------------------------------------------------------- */

bool sealing_is_behind(const struct sealing *s, struct store_durable durable)
{
    return s->tree.end < s->signed_before && s->tree.end < durable.next;
}

int sealing_sign(struct sealing *s, const struct checkpoint_signer *signer)
{
    struct buf body, text;
    struct sha256 root = tree_range_root(&s->tree);
    buf_init(&body, CHECKPOINT_MAX);
    buf_init(&text, CHECKPOINT_MAX);
    checkpoint_write(&body, slice_of(signer->key.name), s->tree.end, &root);
    buf_put(&text, buf_slice(&body));
    checkpoint_sign(&text, slice_until(buf_slice(&body), body.len - 1), signer, 0);
    if (buf_failed(&text)) abort();
    int error = checkpoint_store(s->io, buf_slice(&text), s->tree.end, s->keep);
    if (error == 0) s->keep = false;
    buf_done(&body);
    buf_done(&text);
    return error;
}
