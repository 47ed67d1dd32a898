/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/fetch.h"

#include <sodium.h>

#include "base/json_write.h"
#include "base/time.h"
#include "store/journal.h"
#include "store/segment.h"
#include "store/view.h"

struct fetching {
    const struct store_io *io;
    uint64_t seq;
    void (*take)(void *ctx, uint64_t seq, const struct record *record);
    void *ctx;
};

static int fetch_sealed(const struct fetching *f, uint64_t begin)
{
    struct segment *s;
    struct record r;
    int error = segment_open(f->io, begin, &s);
    if (error) return error;
    error = segment_read_record(s, f->seq, &r);
    if (error == 0) f->take(f->ctx, f->seq, &r);
    segment_close(s);
    return error;
}

/* Whether the frame has it; then it is told. */
static bool take_of_frame(const struct fetching *f, const struct journal_frame *frame)
{
    struct batch_iter it;
    struct record r;
    if (f->seq < frame->first || f->seq - frame->first >= frame->batch.n) return false;
    batch_iter_init(&it, &frame->batch);
    for (uint64_t seq = frame->first; batch_iter_next(&it, &r); seq++)
        if (seq == f->seq) f->take(f->ctx, seq, &r);
    return true;
}

static int fetch_waiting(const struct fetching *f, const struct store_view_journal *journal)
{
    struct journal_reader reader = {.io = NULL};
    struct journal_frame frame;
    bool found = false;
    int answer = 1, damage = 0;
    int error = journal_reader_init(&reader, f->io, journal->file, journal->first);
    while (error == 0 && answer != 0 && !found) {
        answer = journal_reader_next(&reader, JOURNAL_ALL, &frame);
        if (answer == 1) found = take_of_frame(f, &frame);
        else if (answer == ERR_CORRUPT) damage = answer;
        else error = answer;
    }
    journal_reader_done(&reader);
    return error || found ? error : damage ? damage : ERR_NOT_FOUND;
}

/* The last that begins at or before it: of numbers that ascend, the last that is not larger. */
static int fetch_of_view(const struct fetching *f, const struct store_view *v)
{
    size_t n = 0;
    int error = ERR_NOT_FOUND;
    while (n < store_view_segments(v) && store_view_segment(v, n) <= f->seq) n++;
    if (f->seq < v->sealed) return n ? fetch_sealed(f, store_view_segment(v, n - 1)) : error;
    for (size_t i = v->n_journals; i > 0; i--)
        if (v->journals[i - 1].first <= f->seq) return fetch_waiting(f, &v->journals[i - 1]);
    return error;
}

int store_fetch(const struct store_io *io, uint64_t seq,
                void (*take)(void *ctx, uint64_t seq, const struct record *record), void *ctx)
{
    const struct fetching f = {.io = io, .seq = seq, .take = take, .ctx = ctx};
    struct store_view view;
    int error = store_view_open(io, &view);
    if (error == 0) error = fetch_of_view(&f, &view);
    store_view_close(io, &view);
    return error;
}

/* ---- JSON -------------------------------------------------------------------------------- */

void record_write_base64(struct buf *out, struct slice bytes)
{
    size_t room = sodium_base64_ENCODED_LEN(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    buf_putc(out, '"');
    char *to = buf_reserve(out, room);
    if (!to) return;
    (void)sodium_bin2base64(to, room, (const unsigned char *)bytes.ptr, bytes.len,
                            sodium_base64_VARIANT_ORIGINAL);
    out->len += room - 1;
    buf_putc(out, '"');
}

void record_write_json(struct buf *out, uint64_t seq, const struct record *r, bool bytes)
{
    struct record_source source;
    record_source_read(r->source, &source);
    buf_putc(out, '{');
    json_write_member_u64(out, "seq", seq);
    json_write_key(out, "received");
    buf_putc(out, '"');
    time_write_rfc3339(out, r->received);
    buf_putc(out, '"');
    json_write_member_string(out, "format", slice_of(record_format_name(r->format)));
    json_write_member_string(out, "input", source.input);
    json_write_member_string(out, "listener", source.listener);
    json_write_member_string(out, "identity", source.identity);
    json_write_member_string(out, "address", source.address);
    if (r->delivery.len) {
        json_write_member_string(out, "delivery", r->delivery);
        json_write_member_u64(out, "ordinal", r->ordinal);
    }
    if (r->context.len) json_write_member_string(out, "context", r->context);
    json_write_member_u64(out, "flags", r->flags);
    json_write_member_string(out, "raw", r->raw);
    if (bytes) {
        json_write_key(out, "base64");
        record_write_base64(out, r->raw);
    }
    buf_putc(out, '}');
}
