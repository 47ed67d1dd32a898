/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/retain.h"

#include "base/time.h"
#include "base/utf8.h"

enum { REASON_MAX = 1000, SEGMENTS_MAX = 1 << 20 };

static int put_file(const struct store_io *io, const char *kind, uint64_t begin, struct slice bytes)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, kind, begin);
    /* One that is there was left by a call that did not come to its end. */
    int error = io->unlink(io->ctx, name);
    if (error && error != ERR_NOT_FOUND) return error;
    int file = io->open(io->ctx, name, STORE_CREATE);
    if (file < 0) return file;
    error = store_io_write(io, file, bytes, 0);
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

static int put_tombstone(const struct retain_options *o, const struct segment_footer *f)
{
    struct buf body, note;
    buf_init(&body, CHECKPOINT_MAX);
    buf_init(&note, CHECKPOINT_MAX);
    buf_put(&body, o->origin);
    buf_printf(&body, "/tombstone\n%llu\n%llu\n", (unsigned long long)f->begin,
               (unsigned long long)(f->begin + f->lost + f->records));
    checkpoint_write_hash(&body, &f->root);
    buf_putc(&body, '\n');
    time_write_rfc3339(&body, o->now);
    buf_putc(&body, '\n');
    buf_put(&body, o->reason);
    buf_putc(&body, '\n');
    buf_put(&note, buf_slice(&body));
    buf_putc(&note, '\n');
    int error = buf_failed(&body) ? buf_error(&body) : o->sign(o->ctx, buf_slice(&body), &note);
    if (error == 0 && buf_failed(&note)) error = buf_error(&note);
    if (error == 0) error = put_file(o->io, "tombstone", f->begin, buf_slice(&note));
    buf_done(&body);
    buf_done(&note);
    return error;
}

static int remove_segment(const struct retain_options *o, const struct segment_footer *f)
{
    char name[STORE_NAME_MAX + 1];
    int error = put_footer(o, f);
    if (error == 0) error = put_tombstone(o, f);
    if (error == 0) error = o->io->sync_names(o->io->ctx);
    if (error) return error;
    segment_name(name, "segment", f->begin);
    error = o->io->unlink(o->io->ctx, name);
    return error ? error : o->io->sync_names(o->io->ctx);
}

static bool is_held(const struct retain_options *o, const struct segment_footer *f)
{
    uint64_t end = f->begin + f->lost + f->records;
    for (size_t i = 0; i < o->n_holds; i++)
        if (o->holds[i].from < end && o->holds[i].to > f->begin) return true;
    return false;
}

static int consider(const struct retain_options *o, uint64_t begin, struct retain_counts *counts)
{
    struct segment *s;
    int error = segment_open(o->io, begin, &s);
    if (error == ERR_CORRUPT || error == ERR_TRUNCATED || error == ERR_UNSUPPORTED) {
        counts->unreadable++;
        return 0;
    }
    if (error) return error;
    const struct segment_footer *f = segment_footer_of(s);
    bool old = f->latest < o->before, held = old && is_held(o, f);
    counts->held += held;
    if (old && !held) {
        error = remove_segment(o, f);
        counts->removed += error == 0;
        counts->records += error == 0 ? f->records : 0;
    }
    segment_close(s);
    return error;
}

static int on_name(void *ctx, const char *name)
{
    struct buf *begins = ctx;
    uint64_t begin;
    if (!segment_name_read(name, "segment", &begin)) return 0;
    buf_put(begins, slice_make(&begin, sizeof begin));
    return buf_error(begins);
}

static bool options_valid(const struct retain_options *o)
{
    return o->origin.len > 0 && o->origin.len <= CHECKPOINT_NAME_MAX && utf8_valid(o->origin) &&
           o->reason.len > 0 && o->reason.len <= REASON_MAX && utf8_valid(o->reason) &&
           slice_find_byte(o->origin, '\n') == SIZE_MAX &&
           slice_find_byte(o->reason, '\n') == SIZE_MAX;
}

int retain_run(const struct retain_options *options, struct retain_counts *ret)
{
    struct buf begins;
    *ret = (struct retain_counts){.removed = 0};
    if (!options_valid(options)) return ERR_INVALID;
    buf_init(&begins, SEGMENTS_MAX * sizeof(uint64_t));
    int error = options->io->list(options->io->ctx, on_name, &begins);
    for (size_t at = 0; at < begins.len && error == 0; at += sizeof(uint64_t)) {
        uint64_t begin;
        memcpy(&begin, begins.ptr + at, sizeof begin);
        error = consider(options, begin, ret);
    }
    buf_done(&begins);
    return error;
}
