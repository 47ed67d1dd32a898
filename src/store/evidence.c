/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/evidence.h"

#include "base/json_write.h"
#include "base/time.h"
#include "store/fetch.h"

static const char claim[] =
    "The bytes of each record are those that this log received and stored, and nothing was changed "
    "since the checkpoint was signed. This proves integrity since receipt. It does not prove that "
    "the sender told the truth, nor that no record is missing from this export.";
static const char check[] =
    "vaka verify --evidence FILE --key KEYFILE does all of this. By hand: 1. The checkpoint is a "
    "C2SP "
    "signed-note: its lines up to the empty one, each with a line feed, are what the Ed25519 "
    "signature "
    "signs; its second line is the size of the tree, its third the base64 of its root. 2. For each "
    "record: decode leaf from base64 and compute its SHA-256; with seq, the size, the root and the "
    "hashes of proof go through RFC 9162, 2.1.3.2. 3. The bytes of the record are the end of leaf: "
    "byte 0 is 0, byte 1 the version 1, byte 2 the format, byte 3 flags, then little-endian: 8 "
    "bytes "
    "time received (nanoseconds since 1970 UTC), 8 bytes ordinal, and four times 4 bytes length "
    "and "
    "that many bytes: source, delivery, context, the record as it came.";

static void put_text(struct buf *out, const char *key, struct slice text)
{
    json_write_key(out, key);
    json_write_string(out, text);
}

static void put_time(struct buf *out, const char *key, nsec t)
{
    json_write_key(out, key);
    buf_putc(out, '"');
    time_write_rfc3339(out, t);
    buf_putc(out, '"');
}

static void put_lines(struct buf *out, struct slice text)
{
    struct slice line;
    json_write_key(out, "checkpoint");
    buf_putc(out, '[');
    for (bool first = true; text.len > 0; first = false) {
        (void)slice_split(text, '\n', &line, &text);
        if (!first) buf_putc(out, ',');
        json_write_string(out, line);
    }
    buf_putc(out, ']');
}

static void put_proof(struct buf *out, const struct tree_proof *proof)
{
    json_write_key(out, "proof");
    buf_putc(out, '[');
    for (unsigned i = 0; i < proof->n; i++) {
        if (i) buf_putc(out, ',');
        record_write_base64(out, slice_make(&proof->hashes[i], sizeof proof->hashes[i]));
    }
    buf_puts(out, "]}");
}

/* `leaf` is working space. */
static int put_record(struct buf *out, struct tree_reader *tree, uint64_t seq,
                      const struct checkpoint *c, struct buf *leaf)
{
    struct record r;
    struct tree_proof proof;
    struct sha256 hash;
    struct tree_source source = tree_reader_source(tree);
    /* The proof first: it reads other records. */
    int error = tree_prove_inclusion(&source, seq, c->size, &proof);
    if (error == 0) error = tree_reader_record(tree, seq, &r);
    if (error) return error;
    buf_clear(leaf);
    record_leaf_head(leaf, &r);
    buf_put(leaf, r.raw);
    if (buf_failed(leaf)) return buf_error(leaf);
    sha256_many(&(struct sha256_message){buf_slice(leaf), SLICE_NONE}, 1, &hash);
    if (!tree_verify_inclusion(&proof, seq, c->size, &hash, &c->root)) return ERR_INVALID;
    buf_putc(out, '{');
    json_write_key(out, "seq");
    json_write_u64(out, seq);
    put_time(out, "received", r.received);
    put_text(out, "source", r.source);
    json_write_key(out, "leaf");
    record_write_base64(out, buf_slice(leaf));
    put_proof(out, &proof);
    return 0;
}

bool evidence_read_range(struct slice text, uint64_t *ret_from, uint64_t *ret_to)
{
    size_t dots = slice_find(text, SLICE(".."));
    if (dots == SIZE_MAX) {
        bool right = slice_to_u64(text, ret_from);
        *ret_to = *ret_from;
        return right;
    }
    return slice_to_u64(slice_until(text, dots), ret_from) &&
           slice_to_u64(slice_from(text, dots + 2), ret_to) && *ret_from <= *ret_to;
}

static int read_stored(const struct store_io *io, const char *name, struct buf *out)
{
    int file = io->open(io->ctx, name, STORE_READ);
    if (file < 0) return file;
    buf_clear(out);
    char *to = buf_reserve(out, CHECKPOINT_MAX);
    int64_t n = to ? store_io_read(io, file, to, CHECKPOINT_MAX, 0) : ERR_NOMEM;
    io->close(io->ctx, file);
    if (n < 0) return (int)n;
    out->len += (size_t)n;
    return 0;
}

static bool covers(const struct buf *text, uint64_t seq)
{
    struct checkpoint c;
    return checkpoint_parse(buf_slice(text), &c) == 0 && c.size > seq;
}

int evidence_read_checkpoint(const struct store_io *io, uint64_t last, struct buf *out)
{
    if (read_stored(io, "witnessed", out) == 0 && covers(out, last)) return 0;
    return read_stored(io, "checkpoint", out);
}

int evidence_write(struct buf *out, struct tree_reader *tree, const struct evidence_options *o)
{
    struct checkpoint c;
    struct buf leaf;
    if (o->from > o->to || checkpoint_parse(o->checkpoint, &c) != 0 || o->to >= c.size)
        return ERR_INVALID;
    if (o->to - o->from >= EVIDENCE_RECORDS_MAX) return ERR_LIMIT;
    buf_init(&leaf, RECORD_MAX + 4 * (size_t)RECORD_TEXT_MAX);
    buf_putc(out, '{');
    put_text(out, "format", SLICE("vaka-evidence-1"));
    put_text(out, "claim", slice_of(claim));
    put_text(out, "check", slice_of(check));
    put_time(out, "exported", o->now);
    put_text(out, "by", o->by);
    put_text(out, "reason", o->reason);
    put_lines(out, o->checkpoint);
    json_write_key(out, "records");
    buf_putc(out, '[');
    int error = 0;
    for (uint64_t seq = o->from; seq <= o->to && error == 0; seq++) {
        if (seq > o->from) buf_puts(out, ",\n");
        error = put_record(out, tree, seq, &c, &leaf);
    }
    buf_puts(out, "]}\n");
    buf_done(&leaf);
    return error ? error : buf_error(out);
}
