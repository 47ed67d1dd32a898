/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/retain.h"

#include <stdlib.h>

#include "base/time.h"
#include "base/utf8.h"

#define TOMBSTONE "/tombstone"

enum { REASON_MAX = 1000, SEGMENTS_MAX = 1 << 20, LINES = 6 /* of a tombstone */ };

static int put_file(const struct store_io *io, const char *kind, uint64_t begin, struct slice bytes)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, kind, begin);
    /* One that is there was left by a call that did not come to its end. */
    int file = store_io_create(io, name);
    if (file < 0) return file;
    int error = store_io_write(io, file, bytes, 0);
    if (error == 0) error = io->sync_data(io->ctx, file);
    io->close(io->ctx, file);
    return error;
}

static int put_footer(const struct retain_options *o, const struct segment_footer *f)
{
    struct buf out;
    buf_init(&out, SEGMENT_FOOTER_MAX);
    segment_footer_write(&out, f);
    int error =
        buf_failed(&out) ? buf_error(&out) : put_file(o->io, "footer", f->begin, buf_slice(&out));
    buf_done(&out);
    return error;
}

/* ---- tombstones -------------------------------------------------------------------------- */

struct tombstone {
    struct slice origin, reason;
    uint64_t begin, end;
    struct sha256 root;
    nsec removed;
};

static void tombstone_write(struct buf *out, const struct tombstone *t)
{
    buf_put(out, t->origin);
    buf_printf(out, TOMBSTONE "\n%llu\n%llu\n", (unsigned long long)t->begin,
               (unsigned long long)t->end);
    checkpoint_write_hash(out, &t->root);
    buf_putc(out, '\n');
    time_write_rfc3339(out, t->removed);
    buf_putc(out, '\n');
    buf_put(out, t->reason);
    buf_putc(out, '\n');
}

static bool line_valid(struct slice text, size_t max)
{
    return text.len > 0 && text.len <= max && utf8_valid(text) &&
           slice_find_byte(text, '\n') == SIZE_MAX;
}

bool retain_tombstone_valid(struct slice body, struct slice origin, uint64_t *ret_end)
{
    struct tombstone t = {.origin = origin};
    struct slice lines[LINES], rest = body;
    for (size_t i = 0; i < LINES; i++)
        if (!slice_split(rest, '\n', &lines[i], &rest)) return false;
    if (rest.len > 0 || !slice_to_u64(lines[1], &t.begin) || !slice_to_u64(lines[2], &t.end) ||
        t.end <= t.begin || !checkpoint_read_hash(lines[3], &t.root) ||
        !time_parse(lines[4], 0, &t.removed) || !line_valid(lines[5], REASON_MAX))
        return false;
    t.reason = lines[5];
    struct buf again;
    buf_init(&again, CHECKPOINT_MAX);
    tombstone_write(&again, &t);
    bool same = !buf_failed(&again) && slice_eq(buf_slice(&again), body);
    buf_done(&again);
    if (same) *ret_end = t.end;
    return same;
}

static int put_tombstone(const struct retain_pass *p, struct slice signatures)
{
    struct buf note;
    buf_init(&note, CHECKPOINT_MAX);
    buf_put(&note, buf_slice(&p->body));
    buf_putc(&note, '\n');
    buf_put(&note, signatures);
    int error = buf_failed(&note)
                    ? buf_error(&note)
                    : put_file(p->options.io, "tombstone", p->footer.begin, buf_slice(&note));
    buf_done(&note);
    return error;
}

/* ---- a pass ------------------------------------------------------------------------------ */

static uint64_t end_of(const struct segment_footer *f)
{
    return f->begin + f->lost + f->records;
}

static bool is_held(const struct retain_options *o, const struct segment_footer *f)
{
    for (size_t i = 0; i < o->n_holds; i++)
        if (o->holds[i].from < end_of(f) && o->holds[i].to > f->begin) return true;
    return false;
}

/* 1: it may go, and its footer is known; 0: it stays. */
static int consider(struct retain_pass *p, uint64_t begin)
{
    struct segment_footer *f = &p->footer;
    int error = segment_footer_load(p->options.io, "segment", begin, f);
    if (error == ERR_CORRUPT || error == ERR_TRUNCATED || error == ERR_UNSUPPORTED) {
        p->counts.unreadable++;
        return 0;
    }
    if (error) return error;
    bool old = f->latest < p->options.before, held = old && is_held(&p->options, f);
    p->counts.held += held;
    return old && !held;
}

int retain_pass_next(struct retain_pass *p)
{
    while (p->at < p->begins.len) {
        uint64_t begin;
        memcpy(&begin, p->begins.ptr + p->at, sizeof begin);
        p->at += sizeof begin;
        int goes = consider(p, begin);
        if (goes < 0) return goes;
        if (goes == 0) continue;
        buf_clear(&p->body);
        tombstone_write(&p->body, &(struct tombstone){.origin = p->options.origin,
                                                      .reason = p->options.reason,
                                                      .begin = begin,
                                                      .end = end_of(&p->footer),
                                                      .root = p->footer.root,
                                                      .removed = p->options.now});
        return buf_failed(&p->body) ? buf_error(&p->body) : 1;
    }
    return 0;
}

int retain_pass_bury(struct retain_pass *p, struct slice signatures)
{
    const struct store_io *io = p->options.io;
    char name[STORE_NAME_MAX + 1];
    int error = put_footer(&p->options, &p->footer);
    if (error == 0) error = put_tombstone(p, signatures);
    if (error == 0) error = io->sync_names(io->ctx);
    if (error) return error;
    segment_name(name, "segment", p->footer.begin);
    error = io->unlink(io->ctx, name);
    if (error == 0) error = io->sync_names(io->ctx);
    if (error) return error;
    p->counts.removed++;
    p->counts.records += p->footer.records;
    return 0;
}

static int on_name(void *ctx, const char *name)
{
    struct buf *begins = ctx;
    uint64_t begin;
    if (!segment_name_read(name, "segment", &begin)) return 0;
    buf_put(begins, slice_make(&begin, sizeof begin));
    return buf_error(begins);
}

static int compare_begins(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

int retain_pass_init(struct retain_pass *p, const struct retain_options *options)
{
    p->options = *options;
    p->counts = (struct retain_counts){.removed = 0};
    p->at = 0;
    buf_init(&p->begins, SEGMENTS_MAX * sizeof(uint64_t));
    buf_init(&p->body, CHECKPOINT_MAX);
    if (!line_valid(options->origin, CHECKPOINT_NAME_MAX) ||
        !line_valid(options->reason, REASON_MAX))
        return ERR_INVALID;
    int error = options->io->list(options->io->ctx, on_name, &p->begins);
    if (error == 0 && p->begins.len)
        qsort(p->begins.ptr, p->begins.len / sizeof(uint64_t), sizeof(uint64_t), compare_begins);
    return error;
}

void retain_pass_done(struct retain_pass *p)
{
    buf_done(&p->begins);
    buf_done(&p->body);
}

static int run(struct retain_pass *p)
{
    struct buf lines;
    int goes;
    buf_init(&lines, CHECKPOINT_MAX);
    while ((goes = retain_pass_next(p)) == 1) {
        buf_clear(&lines);
        goes = p->options.sign(p->options.ctx, buf_slice(&p->body), &lines);
        if (goes == 0 && buf_failed(&lines)) goes = buf_error(&lines);
        if (goes == 0) goes = retain_pass_bury(p, buf_slice(&lines));
        if (goes) break;
    }
    buf_done(&lines);
    return goes;
}

int retain_run(const struct retain_options *options, struct retain_counts *ret)
{
    *ret = (struct retain_counts){.removed = 0};
    struct retain_pass *p = calloc(1, sizeof *p);
    if (!p) return ERR_NOMEM;
    int error = retain_pass_init(p, options);
    if (error == 0) error = run(p);
    *ret = p->counts;
    retain_pass_done(p);
    free(p);
    return error;
}
