/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/tree_read.h"

#include "store/journal.h"
#include "store/segment.h"
#include "store/tiles.h"

enum { PIECES_MAX = 1 << 20, WAITING_MAX = 1 << 24 };

/* A segment, or what is left of one. */
struct piece {
    uint64_t begin, end, lost;
    bool removed;
};

struct tree_reader {
    const struct store_io *io;
    struct buf pieces;   /* struct piece, ascending */
    struct buf journals; /* u64, ascending */
    struct buf leaves;   /* hashes of what waits to be sealed */
    struct buf block; /* the same of the sealed block that was hashed last, from block_first on */
    uint64_t block_first;
    uint64_t sealed_end;
    struct segment *open; /* the segment that was read last; NULL: none */
    struct segment_footer footer;
    struct journal_reader journal; /* io NULL: none is open */
    struct buf head;
};

/* ---- what there is ----------------------------------------------------------------------- */

static int on_name(void *ctx, const char *name)
{
    struct tree_reader *r = ctx;
    struct piece p = {.removed = false};
    uint64_t number;
    if (journal_name_read(name, &number)) {
        buf_put(&r->journals, slice_make(&number, sizeof number));
        return buf_error(&r->journals);
    }
    p.removed = segment_name_read(name, "footer", &p.begin);
    if (!p.removed && !segment_name_read(name, "segment", &p.begin)) return 0;
    buf_put(&r->pieces, slice_make(&p, sizeof p));
    return buf_error(&r->pieces);
}

/* By number; a segment before its footer, whose removal was only begun. */
static int compare_pieces(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (int)x->removed - (int)y->removed;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static struct piece *piece_at(const struct tree_reader *r, size_t i)
{
    return (struct piece *)(void *)r->pieces.ptr + i;
}

static size_t count_pieces(const struct tree_reader *r)
{
    return r->pieces.len / sizeof(struct piece);
}

static int read_pieces(struct tree_reader *r)
{
    size_t kept = 0, n = count_pieces(r);
    if (n) qsort(r->pieces.ptr, n, sizeof(struct piece), compare_pieces);
    for (size_t i = 0; i < n; i++) {
        struct piece p = *piece_at(r, i);
        if (kept > 0 && piece_at(r, kept - 1)->begin == p.begin) continue;
        int error =
            segment_footer_load(r->io, p.removed ? "footer" : "segment", p.begin, &r->footer);
        if (error) return error;
        if (p.begin != r->sealed_end) return ERR_CORRUPT;
        p.lost = r->footer.lost;
        p.end = r->sealed_end = p.begin + p.lost + r->footer.records;
        *piece_at(r, kept++) = p;
    }
    r->pieces.len = kept * sizeof(struct piece);
    return 0;
}

/* ---- journals ---------------------------------------------------------------------------- */

static void hash_leaf(struct tree_reader *r, const struct record *record, struct sha256 *ret)
{
    buf_clear(&r->head);
    record_leaf_head(&r->head, record);
    sha256_many(&(struct sha256_message){buf_slice(&r->head), record->raw}, 1, ret);
}

static void hash_lost(struct sha256 *ret)
{
    sha256_many(&(struct sha256_message){SLICE("\0\0"), SLICE_NONE}, 1, ret);
}

static void close_journal(struct tree_reader *r)
{
    if (!r->journal.io) return;
    int file = r->journal.file;
    journal_reader_done(&r->journal);
    r->io->close(r->io->ctx, file);
    r->journal.io = NULL;
}

static int open_journal(struct tree_reader *r, size_t i)
{
    uint64_t first;
    close_journal(r);
    memcpy(&first, r->journals.ptr + i * sizeof first, sizeof first);
    int file = journal_open_shared(r->io, first);
    if (file < 0) return file;
    int error = journal_reader_init(&r->journal, r->io, file, first);
    if (error == 0) return 0;
    r->io->close(r->io->ctx, file);
    r->journal.io = NULL;
    return error;
}

/* One more leaf; those between it and the last are lost. */
static int put_leaf(struct tree_reader *r, uint64_t seq, const struct record *record)
{
    struct sha256 leaf;
    if (seq < tree_reader_size(r)) return 0;
    if (seq - r->sealed_end >= WAITING_MAX) return ERR_LIMIT;
    hash_lost(&leaf);
    while (tree_reader_size(r) < seq && !buf_failed(&r->leaves))
        buf_put(&r->leaves, slice_make(&leaf, sizeof leaf));
    hash_leaf(r, record, &leaf);
    buf_put(&r->leaves, slice_make(&leaf, sizeof leaf));
    return buf_failed(&r->head) ? buf_error(&r->head) : buf_error(&r->leaves);
}

/* Tells the records of all journals until `each` returns another value than 0. */
static int each_waiting(struct tree_reader *r,
                        int (*each)(struct tree_reader *r, uint64_t seq, const struct record *rec))
{
    struct journal_frame frame;
    int result = 0;
    for (size_t i = 0; i < r->journals.len / sizeof(uint64_t) && result == 0; i++) {
        result = open_journal(r, i);
        while (result == 0) {
            int answer = journal_reader_next(&r->journal, JOURNAL_ALL, &frame);
            if (answer <= 0) {
                result = answer;
                break;
            }
            struct batch_iter it;
            struct record rec;
            batch_iter_init(&it, &frame.batch);
            for (uint64_t seq = frame.first; result == 0 && batch_iter_next(&it, &rec); seq++)
                result = each(r, seq, &rec);
        }
    }
    return result;
}

int tree_reader_new(const struct store_io *io, struct tree_reader **ret)
{
    struct tree_reader *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->io = io;
    buf_init(&r->pieces, PIECES_MAX * sizeof(struct piece));
    buf_init(&r->journals, PIECES_MAX * sizeof(uint64_t));
    buf_init(&r->leaves, WAITING_MAX * sizeof(struct sha256));
    buf_init(&r->block, BATCH_RECORDS_MAX * sizeof(struct sha256));
    buf_init(&r->head, 4 * (size_t)RECORD_TEXT_MAX);
    int error = io->list(io->ctx, on_name, r);
    if (error == 0) error = read_pieces(r);
    if (r->journals.len)
        qsort(r->journals.ptr, r->journals.len / sizeof(uint64_t), sizeof(uint64_t),
              compare_numbers);
    if (error == 0) error = each_waiting(r, put_leaf);
    if (error) {
        tree_reader_free(r);
        return error;
    }
    *ret = r;
    return 0;
}

void tree_reader_free(struct tree_reader *r)
{
    if (!r) return;
    segment_close(r->open);
    close_journal(r);
    buf_done(&r->pieces);
    buf_done(&r->journals);
    buf_done(&r->leaves);
    buf_done(&r->block);
    buf_done(&r->head);
    free(r);
}

uint64_t tree_reader_size(const struct tree_reader *r)
{
    return r->sealed_end + r->leaves.len / sizeof(struct sha256);
}

/* ---- records ----------------------------------------------------------------------------- */

/* The piece that has `seq`, which is sealed. */
static const struct piece *find_piece(const struct tree_reader *r, uint64_t seq)
{
    size_t low = 0, high = count_pieces(r);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (piece_at(r, middle)->begin <= seq) low = middle;
        else high = middle;
    }
    return piece_at(r, low);
}

/* ERR_NOT_FOUND: the record was removed or lost. */
static int open_piece(struct tree_reader *r, const struct piece *p, uint64_t seq)
{
    if (p->removed || seq < p->begin + p->lost) return ERR_NOT_FOUND;
    if (r->open && segment_footer_of(r->open)->begin == p->begin) return 0;
    segment_close(r->open);
    r->open = NULL;
    return segment_open(r->io, p->begin, &r->open);
}

static int read_sealed(struct tree_reader *r, const struct piece *p, uint64_t seq,
                       struct record *ret)
{
    int error = open_piece(r, p, seq);
    return error ? error : segment_read_record(r->open, seq, ret);
}

/* Looks in the journals; their reader stays open, so that what is found stays there. */
static int read_waiting(struct tree_reader *r, uint64_t seq, struct record *ret)
{
    struct journal_frame frame;
    for (size_t i = 0; i < r->journals.len / sizeof(uint64_t); i++) {
        int answer = open_journal(r, i);
        if (answer) return answer;
        while ((answer = journal_reader_next(&r->journal, JOURNAL_ALL, &frame)) == 1) {
            struct batch_iter it;
            if (seq < frame.first || seq - frame.first >= frame.batch.n) continue;
            batch_iter_init(&it, &frame.batch);
            for (uint64_t at = frame.first; batch_iter_next(&it, ret) && at < seq;) at++;
            return 0;
        }
        if (answer < 0) return answer;
    }
    return ERR_NOT_FOUND;
}

int tree_reader_record(struct tree_reader *r, uint64_t seq, struct record *ret)
{
    if (seq >= tree_reader_size(r)) return ERR_NOT_FOUND;
    return seq < r->sealed_end ? read_sealed(r, find_piece(r, seq), seq, ret)
                               : read_waiting(r, seq, ret);
}

/* ---- nodes ------------------------------------------------------------------------------- */

/* The node of a removed segment's range; ERR_NOT_FOUND: it is none of them. */
static int range_node(struct tree_reader *r, const struct piece *p, unsigned height, uint64_t index,
                      struct sha256 *ret)
{
    int error = segment_footer_load(r->io, "footer", p->begin, &r->footer);
    if (error) return error;
    for (uint64_t at = p->begin, i = 0; at < p->end; i++) {
        /* Of the nodes [at, …) the largest aligned one. */
        unsigned h = 0;
        while (at % (UINT64_C(2) << h) == 0 && (UINT64_C(2) << h) <= p->end - at) h++;
        if (h == height && at >> h == index) {
            *ret = r->footer.range.nodes[i];
            return 0;
        }
        at += UINT64_C(1) << h;
    }
    return ERR_NOT_FOUND;
}

/* Who asks for a leaf asks for its neighbours. */
static int hash_block(struct tree_reader *r, const struct piece *p, uint64_t seq)
{
    struct batch batch;
    struct batch_iter it;
    struct record record;
    struct sha256 hash;
    buf_clear(&r->block);
    int error = open_piece(r, p, seq);
    if (error == 0) error = segment_read_around(r->open, seq, &batch, &r->block_first);
    if (error) return error;
    batch_iter_init(&it, &batch);
    while (batch_iter_next(&it, &record)) {
        hash_leaf(r, &record, &hash);
        buf_put(&r->block, slice_make(&hash, sizeof hash));
    }
    return buf_failed(&r->head) ? buf_error(&r->head) : buf_error(&r->block);
}

static int sealed_leaf(struct tree_reader *r, const struct piece *p, uint64_t seq,
                       struct sha256 *ret)
{
    bool here =
        seq >= r->block_first && seq - r->block_first < r->block.len / sizeof(struct sha256);
    int error = here ? 0 : hash_block(r, p, seq);
    if (error == 0) memcpy(ret, r->block.ptr + (seq - r->block_first) * sizeof *ret, sizeof *ret);
    return error;
}

static int leaf(struct tree_reader *r, uint64_t seq, struct sha256 *ret)
{
    const struct piece *p = seq < r->sealed_end ? find_piece(r, seq) : NULL;
    if (!p) {
        memcpy(ret, r->leaves.ptr + (seq - r->sealed_end) * sizeof *ret, sizeof *ret);
        return 0;
    }
    if (!p->removed && seq < p->begin + p->lost) {
        hash_lost(ret);
        return 0;
    }
    return sealed_leaf(r, p, seq, ret);
}

static int node(void *ctx, unsigned height, uint64_t index, struct sha256 *ret)
{
    struct tree_reader *r = ctx;
    struct sha256 left, right;
    uint64_t begin = index << height, end = begin + (UINT64_C(1) << height);
    if (end > tree_reader_size(r)) return ERR_NOT_FOUND;
    if (height >= TREE_TILE_HEIGHT && height % TREE_TILE_HEIGHT == 0 && end <= r->sealed_end)
        return tiles_read(r->io, height / TREE_TILE_HEIGHT, index, 1, ret);
    const struct piece *p = begin < r->sealed_end ? find_piece(r, begin) : NULL;
    if (p && p->removed && end <= p->end) {
        int error = range_node(r, p, height, index, ret);
        if (error != ERR_NOT_FOUND || height < TREE_TILE_HEIGHT) return error;
    }
    if (height == 0) return leaf(r, begin, ret);
    int error = node(r, height - 1, 2 * index, &left);
    if (error == 0) error = node(r, height - 1, 2 * index + 1, &right);
    if (error == 0) *ret = tree_node(&left, &right);
    return error;
}

struct tree_source tree_reader_source(struct tree_reader *r)
{
    return (struct tree_source){node, r};
}
