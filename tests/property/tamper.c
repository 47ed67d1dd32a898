/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A folder with segments, journals and checkpoints is changed in one way at a time, as an accident
 * or an attacker would who knows all formats and mends every CRC; verify has to say that it is not
 * intact. Unchanged it has to say that it is.
 *
 *     tamper [--tamperings N] [--seed S]
 *     tamper --make FOLDER      the folder as it is before, with key, witness-key and witnessed in
 * it
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/crc32c.h"
#include "base/hash.h"
#include "base/le.h"
#include "store/checkpoint.h"
#include "store/filter.h"
#include "store/journal.h"
#include "store/retain.h"
#include "store/segment.h"
#include "verify/verify.h"

enum {
    SEGMENTS = 3,
    JOURNALS = 2,
    FILES_MAX = 16,
    FILE_MAX = 4 * 1024 * 1024,
    RECORDS = 1250,
    SEALED = 1000,
    ENDED = 720,        /* records that the log's first key signed */
    FOOTER_SEALED = 56, /* fields that nothing is derived from: when, and for which reader */
    FOOTER_UNBOUND = 96,
    FOOTER_UNBOUND_END = 104,
};
/* Where segments and journals begin; the second has lost records in front. */
static const uint64_t begins[SEGMENTS + 1] = {0, 400, 720, SEALED};
static const uint64_t lost[SEGMENTS] = {0, 20, 0};
static const uint64_t journal_begins[JOURNALS + 1] = {SEALED, 1150, RECORDS};

struct file {
    char name[STORE_NAME_MAX + 1];
    struct buf bytes;
};

struct bench {
    char path[64];
    int folder;
    struct store_io io;
    struct file files[FILES_MAX]; /* what a tampering may work on */
    struct buf kept[FILES_MAX];   /* their bytes as they were */
    size_t n_files;
    struct checkpoint_signer log, witness, thief;
    struct checkpoint_signer before;         /* the log's, until ENDED */
    struct buf keys, witness_key, witnessed; /* texts; of keys: a line each */
    struct tree_range tree;
    uint64_t state; /* of the random numbers */
    /* A record that is another one than it was: none when UINT64_MAX. */
    uint64_t changed;
    unsigned change;
    uint64_t missed, done;
};

static void fail(const char *what)
{
    (void)printf("Bail out! %s\n", what);
    exit(1);
}

static void want(int error, const char *what)
{
    if (error) fail(what);
}

static uint64_t draw(struct bench *b, uint64_t n)
{
    return hash_mix(++b->state, 0x7a3be4) % n;
}

/* ---- the folder -------------------------------------------------------------------------- */

enum change { CHANGE_RAW, CHANGE_TIME, CHANGE_SOURCE, CHANGE_SWAP, CHANGE_ORDINAL, CHANGE_KINDS };

static struct record record_of(const struct bench *b, uint64_t seq)
{
    static char raw[256], source[32];
    uint64_t i = seq;
    bool here = seq == b->changed;
    if (b->change == CHANGE_SWAP && here) i = seq + 1;
    if (b->change == CHANGE_SWAP && b->changed != UINT64_MAX && seq == b->changed + 1) i = seq - 1;
    int len =
        snprintf(raw, sizeof raw, "{\"user\":\"u%llu\",\"msg\":\"login %llx from 10.0.%llu.%llu\"}",
                 (unsigned long long)(i % 37), (unsigned long long)hash_mix(i, 9),
                 (unsigned long long)(i / 256), (unsigned long long)(i % 256));
    int source_len =
        snprintf(source, sizeof source, "tls\t\t\t10.9.0.%llu", (unsigned long long)(i % 5));
    struct record r = {.raw = slice_make(raw, (size_t)len),
                       .source = slice_make(source, (size_t)source_len),
                       .received = (nsec)i * 1000,
                       .ordinal = i,
                       .format = RECORD_JSON};
    if (here && b->change == CHANGE_RAW) raw[9] = 'X';
    if (here && b->change == CHANGE_TIME) r.received++;
    if (here && b->change == CHANGE_SOURCE) source[0] = 'u';
    if (here && b->change == CHANGE_ORDINAL) r.ordinal++;
    return r;
}

static void seal(struct bench *b, struct tree_range *tree, size_t number, uint64_t leave_out)
{
    struct segment_options options;
    struct segment_writer *w;
    segment_options_default(&options);
    options.before = tree;
    options.lost = lost[number];
    options.block_bytes = 6000;
    want(segment_writer_new(&b->io, &w), "memory");
    want(segment_writer_begin(w, &options), "a segment");
    for (uint64_t i = begins[number] + lost[number]; i < begins[number + 1]; i++) {
        struct record r = record_of(b, i);
        if (i != leave_out) want(segment_writer_add(w, &r, NULL), "a record");
    }
    want(segment_writer_finish(w, 77, tree), "a segment's end");
    segment_writer_free(w);
}

static void grow(struct tree_range *tree, const struct record *r)
{
    struct tree_range one;
    struct sha256 leaf;
    struct buf head;
    buf_init(&head, 4096);
    record_leaf_head(&head, r);
    sha256_many(&(struct sha256_message){buf_slice(&head), r->raw}, 1, &leaf);
    tree_range_of_leaves(&one, tree->end, &leaf, 1, NULL);
    tree_range_append(tree, &one, NULL);
    buf_done(&head);
}

static void put_file(struct bench *b, const char *name, struct slice bytes)
{
    int error = b->io.unlink(b->io.ctx, name);
    if (error && error != ERR_NOT_FOUND) fail(name);
    int file = b->io.open(b->io.ctx, name, STORE_CREATE);
    if (file < 0 || store_io_write(&b->io, file, bytes, 0)) fail(name);
    b->io.close(b->io.ctx, file);
}

static void write_journal(struct bench *b, struct tree_range *tree, size_t number)
{
    static char bytes[FILE_MAX];
    char name[STORE_NAME_MAX + 1];
    struct journal_head head = {
        .first = journal_begins[number], .salt = 0x1234567 + number, .epoch = 1};
    uint64_t at = JOURNAL_DATA;
    struct batch_writer w;
    struct buf batch;
    struct batch parsed;
    memset(bytes, 0, sizeof bytes);
    journal_head_write(bytes, &head);
    batch_writer_init(&w, 0, BATCH_MAX);
    buf_init(&batch, BATCH_MAX);
    for (uint64_t i = journal_begins[number]; i < journal_begins[number + 1]; i += 10) {
        for (uint64_t k = i; k < i + 10; k++) {
            struct record r = record_of(b, k);
            grow(tree, &r);
            want(batch_writer_add(&w, &r), "a batch");
        }
        buf_clear(&batch);
        batch_writer_finish(&w, &batch);
        want(batch_open(buf_slice(&batch), &parsed), "a batch");
        struct journal_place place = {.offset = at, .commit = at, .first = i};
        journal_frame_write(bytes + at, &head, &parsed, &place);
        at += journal_frame_size(batch.len);
    }
    batch_writer_done(&w);
    buf_done(&batch);
    journal_name_write(name, head.first);
    put_file(b, name, slice_make(bytes, (size_t)at));
}

static void sign(struct bench *b, const struct tree_range *tree, const struct checkpoint_signer *by,
                 bool keep)
{
    struct buf note, body;
    struct sha256 root = tree_range_root(tree);
    buf_init(&note, CHECKPOINT_MAX);
    buf_init(&body, CHECKPOINT_MAX);
    checkpoint_write(&note, SLICE("vaka.example/1"), tree->end, &root);
    buf_put(&body, slice_until(buf_slice(&note), note.len - 1));
    checkpoint_sign(&note, buf_slice(&body), by, 0);
    want(checkpoint_store(&b->io, buf_slice(&note), tree->end, keep), "a checkpoint");
    buf_done(&note);
    buf_done(&body);
}

static int sign_tombstone(void *ctx, struct slice body, struct buf *out)
{
    checkpoint_sign(out, body, ctx, 0);
    return 0;
}

/* Retention takes the first segment. */
static void retire(struct bench *b, const struct checkpoint_signer *by)
{
    struct checkpoint_signer signer = *by;
    struct retain_counts counts;
    struct retain_options options = {.io = &b->io,
                                     .before = (nsec)begins[1] * 1000,
                                     .origin = SLICE("vaka.example/1"),
                                     .reason = SLICE("older than 400 days"),
                                     .sign = sign_tombstone,
                                     .ctx = &signer};
    want(retain_run(&options, &counts), "retention");
    if (counts.removed != 1 || counts.records != begins[1])
        fail("retention removed something else");
}

/* All of the folder anew, signed by `early` until ENDED, then by `by`. */
static void write_folder(struct bench *b, const struct checkpoint_signer *early,
                         const struct checkpoint_signer *by)
{
    static struct tree_range tree;
    tree_range_init(&tree, 0);
    for (size_t i = 0; i < SEGMENTS; i++) {
        seal(b, &tree, i, UINT64_MAX);
        sign(b, &tree, tree.end <= ENDED ? early : by, true);
    }
    for (size_t i = 0; i < JOURNALS; i++) write_journal(b, &tree, i);
    sign(b, &tree, by, false);
    retire(b, by);
}

static int keep_name(void *ctx, const char *name)
{
    struct bench *b = ctx;
    if (b->n_files == FILES_MAX) return ERR_LIMIT;
    (void)snprintf(b->files[b->n_files++].name, STORE_NAME_MAX + 1, "%s", name);
    return 0;
}

static int remove_name(void *ctx, const char *name)
{
    struct bench *b = ctx;
    for (size_t i = 0; i < b->n_files; i++)
        if (strcmp(b->files[i].name, name) == 0) return 0;
    return unlinkat(b->folder, name, 0) == 0 ? 0 : ERR_IO;
}

static void restore(struct bench *b)
{
    for (size_t i = 0; i < b->n_files; i++) {
        put_file(b, b->files[i].name, buf_slice(&b->kept[i]));
        buf_clear(&b->files[i].bytes);
        buf_put(&b->files[i].bytes, buf_slice(&b->kept[i]));
    }
    want(b->io.list(b->io.ctx, remove_name, b), "what was not there");
}

/* The folder as it is now is what restore() brings back. */
static void keep_folder(struct bench *b)
{
    b->n_files = 0;
    want(b->io.list(b->io.ctx, keep_name, b), "the names");
    for (size_t i = 0; i < b->n_files; i++) {
        struct file *f = &b->files[i];
        int file = b->io.open(b->io.ctx, f->name, STORE_READ);
        int64_t size = file < 0 ? -1 : b->io.size(b->io.ctx, file);
        if (size <= 0) fail(f->name);
        buf_init(&f->bytes, FILE_MAX);
        buf_init(&b->kept[i], FILE_MAX);
        char *to = buf_reserve(&b->kept[i], (size_t)size);
        if (!to || store_io_read(&b->io, file, to, (size_t)size, 0) != size) fail(f->name);
        b->kept[i].len = (size_t)size;
        b->io.close(b->io.ctx, file);
    }
    restore(b);
}

static struct file *file_of(struct bench *b, const char *kind, uint64_t number)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, kind, number);
    for (size_t i = 0; i < b->n_files; i++)
        if (strcmp(b->files[i].name, name) == 0) return &b->files[i];
    fail(name);
    return NULL;
}

/* ---- tamperings -------------------------------------------------------------------------- */

/* Whether the byte of a journal lies between frames, or is nothing yet. */
static bool is_idle(const struct file *f, size_t at)
{
    if (strncmp(f->name, "journal", 7) != 0) return false;
    if (at >= JOURNAL_HEAD && at < JOURNAL_SECOND_HEAD) return true;
    for (size_t frame = JOURNAL_DATA; frame < f->bytes.len;) {
        size_t len = le32(f->bytes.ptr + frame + 48);
        if (at >= frame && at < frame + JOURNAL_FRAME_HEAD + len) return false;
        frame += journal_frame_size(len);
    }
    return at >= JOURNAL_DATA;
}

/* Another file than a checkpoint: these only say what a witness's copy also says. */
static struct file *any_file(struct bench *b)
{
    struct file *f;
    do {
        f = &b->files[draw(b, b->n_files)];
    } while (strncmp(f->name, "checkpoint", 10) == 0);
    return f;
}

static void flip_bit(struct bench *b)
{
    struct file *f;
    size_t at;
    do {
        f = &b->files[draw(b, b->n_files)];
        at = draw(b, f->bytes.len);
    } while (is_idle(f, at));
    f->bytes.ptr[at] = (char)(f->bytes.ptr[at] ^ (1 << draw(b, 8)));
    put_file(b, f->name, buf_slice(&f->bytes));
}

static void cut_file(struct bench *b)
{
    struct file *f = any_file(b);
    size_t len = draw(b, f->bytes.len);
    /* Behind the last frame there is nothing to lose. */
    while (is_idle(f, len) && len > 0) len--;
    put_file(b, f->name, slice_until(buf_slice(&f->bytes), len));
}

static void remove_file(struct bench *b)
{
    (void)unlinkat(b->folder, any_file(b)->name, 0);
}

static void swap_files(struct bench *b)
{
    struct file *x, *y;
    do {
        x = any_file(b);
        y = any_file(b);
    } while (x == y);
    put_file(b, x->name, buf_slice(&y->bytes));
    put_file(b, y->name, buf_slice(&x->bytes));
}

/* Writes a segment again with its index and footer changed, all CRCs mended. */
static void put_segment(struct bench *b, const struct file *f, size_t body, struct slice index,
                        struct slice footer)
{
    struct buf out;
    size_t bound = ZSTD_compressBound(index.len);
    char *packed = malloc(bound), changed[SEGMENT_FOOTER_MAX];
    if (!packed) fail("out of memory");
    size_t len = ZSTD_compress(packed, bound, index.ptr, index.len, 3);
    memcpy(changed, footer.ptr, footer.len);
    le32_put(changed + 80, (uint32_t)len);
    le32_put(changed + 88, crc32c(0, slice_make(packed, len)));
    le32_put(changed + footer.len - 12, crc32c(0, slice_make(changed, footer.len - SEGMENT_TAIL)));
    buf_init(&out, FILE_MAX);
    buf_put(&out, slice_until(buf_slice(&f->bytes), body));
    buf_put(&out, slice_make(packed, len));
    buf_put(&out, slice_make(changed, footer.len));
    put_file(b, f->name, buf_slice(&out));
    buf_done(&out);
    free(packed);
}

struct parts {
    struct file *file;
    struct slice footer;
    size_t index_at;
    char index[256 * 1024];
    size_t index_len;
};

static void take_apart(struct bench *b, struct parts *ret)
{
    ret->file = file_of(b, "segment", begins[1 + draw(b, SEGMENTS - 1)]);
    struct slice all = buf_slice(&ret->file->bytes);
    size_t len = le32(all.ptr + all.len - SEGMENT_TAIL);
    ret->footer = slice_from(all, all.len - len);
    ret->index_at = le64(ret->footer.ptr + 72);
    ret->index_len = ZSTD_decompress(ret->index, sizeof ret->index, all.ptr + ret->index_at,
                                     le32(ret->footer.ptr + 80));
    if (ZSTD_isError(ret->index_len)) fail("an index");
}

static void edit_index(struct bench *b)
{
    static struct parts p;
    take_apart(b, &p);
    size_t at = draw(b, p.index_len);
    p.index[at] = (char)(p.index[at] ^ (1 << draw(b, 8)));
    put_segment(b, p.file, p.index_at, slice_make(p.index, p.index_len), p.footer);
}

static void edit_footer(struct bench *b)
{
    static struct parts p;
    char footer[SEGMENT_FOOTER_MAX];
    size_t at;
    take_apart(b, &p);
    memcpy(footer, p.footer.ptr, p.footer.len);
    do {
        at = draw(b, p.footer.len - SEGMENT_TAIL);
    } while ((at >= FOOTER_SEALED && at < FOOTER_SEALED + 8) ||
             (at >= FOOTER_UNBOUND && at < FOOTER_UNBOUND_END) || (at >= 80 && at < 84) ||
             (at >= 88 && at < 92)); /* these are mended again */
    footer[at] = (char)(footer[at] ^ (1 << draw(b, 8)));
    put_segment(b, p.file, p.index_at, slice_make(p.index, p.index_len),
                slice_make(footer, p.footer.len));
}

/* Clears a bit of a filter, so that a search would pass by. */
static void edit_filter(struct bench *b)
{
    static struct parts p;
    take_apart(b, &p);
    size_t blocks = le32(p.index), groups = le32(p.index + 4);
    const char *entry =
        p.index + 16 + blocks * SEGMENT_BLOCK_ENTRY + (groups - 1) * SEGMENT_GROUP_ENTRY;
    uint32_t bytes = le32(entry + 16), page = (uint32_t)draw(b, filter_pages(bytes));
    char *at = p.file->bytes.ptr + le64(entry) + (size_t)page * FILTER_PAGE;
    size_t len = filter_page_size(bytes, page), byte;
    do {
        byte = 4 + draw(b, len - 4);
    } while (at[byte] == 0);
    at[byte] = (char)(at[byte] & (at[byte] - 1));
    le32_put(at, crc32c(0, slice_make(at + 4, len - 4)));
    put_file(b, p.file->name, buf_slice(&p.file->bytes));
}

static void edit_frame(struct bench *b)
{
    struct file *f = file_of(b, "journal", journal_begins[draw(b, JOURNALS)]);
    size_t frame = JOURNAL_DATA;
    for (uint64_t skip = draw(b, 10); skip > 0; skip--)
        frame += journal_frame_size(le32(f->bytes.ptr + frame + 48));
    char *head = f->bytes.ptr + frame, *payload = head + JOURNAL_FRAME_HEAD;
    size_t len = le32(head + 48), data = le32(payload + 20);
    payload[len - 1 - draw(b, data)] ^= 4;
    le32_put(head + 56, crc32c(0, slice_make(payload, len)));
    le32_put(head + 60, crc32c(0, slice_make(head, 60)));
    put_file(b, f->name, buf_slice(&f->bytes));
}

/* One segment sealed anew: a record is another one, or is left out. */
static void reseal(struct bench *b)
{
    static struct tree_range tree;
    size_t number = 1 + draw(b, SEGMENTS - 1);
    uint64_t first = begins[number] + lost[number], n = begins[number + 1] - first;
    tree_range_init(&tree, 0);
    b->change = (unsigned)draw(b, CHANGE_KINDS);
    for (size_t i = 0; i < number; i++) seal(b, &tree, i, UINT64_MAX);
    b->changed = first + draw(b, n - 1);
    uint64_t leave_out = draw(b, 3) ? UINT64_MAX : b->changed;
    seal(b, &tree, number, leave_out);
    b->changed = UINT64_MAX;
}

/* All is consistent, but one record of these is another one, and the signatures are somebody's. */
static void forge(struct bench *b, uint64_t from, uint64_t to,
                  const struct checkpoint_signer *early, const struct checkpoint_signer *by)
{
    b->change = (unsigned)draw(b, CHANGE_KINDS);
    do {
        b->changed = from + draw(b, to - from - 1);
    } while (b->changed + 1 >= begins[1] && b->changed < begins[1] + lost[1]);
    write_folder(b, early, by);
    b->changed = UINT64_MAX;
}

static void forge_with_other_key(struct bench *b)
{
    forge(b, 0, RECORDS, &b->thief, &b->thief);
}

/* Whoever holds the keys can do this; only the witness's copy tells. */
static void forge_with_own_key(struct bench *b)
{
    forge(b, 0, RECORDS, &b->before, &b->log);
}

/* To what it was when so many segments had just been sealed. */
static void roll_back_to(struct bench *b, size_t segments)
{
    static char note[CHECKPOINT_MAX];
    char name[STORE_NAME_MAX + 1];
    for (size_t i = 0; i < JOURNALS; i++)
        (void)unlinkat(b->folder, file_of(b, "journal", journal_begins[i])->name, 0);
    for (size_t i = segments; i < SEGMENTS; i++) {
        (void)unlinkat(b->folder, file_of(b, "segment", begins[i])->name, 0);
        (void)unlinkat(b->folder, file_of(b, "checkpoint", begins[i + 1])->name, 0);
    }
    segment_name(name, "checkpoint", begins[segments]);
    int file = b->io.open(b->io.ctx, name, STORE_READ);
    int64_t n = file < 0 ? -1 : store_io_read(&b->io, file, note, sizeof note, 0);
    if (n <= 0) fail(name);
    b->io.close(b->io.ctx, file);
    put_file(b, "checkpoint", slice_make(note, (size_t)n));
}

static void roll_back(struct bench *b)
{
    roll_back_to(b, 1 + draw(b, SEGMENTS));
}

/* Who stole a key that has ended signs what comes after its end, or other records before that, or
 * fewer. No witness is needed. */
static void forge_with_ended_key(struct bench *b)
{
    size_t segments = 1 + draw(b, SEGMENTS);
    uint64_t from = draw(b, 2) ? ENDED : 0;
    forge(b, from, from ? RECORDS : ENDED, &b->before, &b->before);
    if (from == 0 && segments < SEGMENTS) roll_back_to(b, segments);
}

/* ---- judging ----------------------------------------------------------------------------- */

/* alone: with what the log itself has signed. */
static void verify(struct bench *b, bool alone, struct verify_report *ret)
{
    struct verify_key keys[2], witness;
    struct slice witnessed = buf_slice(&b->witnessed), first, second;
    (void)slice_split(buf_slice(&b->keys), '\n', &first, &second);
    want(verify_key_read(first, &keys[0]), "the key");
    want(verify_key_read(second, &keys[1]), "the key before it");
    want(verify_key_read(buf_slice(&b->witness_key), &witness), "the witness's key");
    struct verify_options options = {.folder = b->folder,
                                     .keys = keys,
                                     .n_keys = 2,
                                     .witnesses = &witness,
                                     .n_witnesses = 1,
                                     .witnessed = &witnessed,
                                     .n_witnessed = alone ? 0 : 1};
    want(verify_folder(&options, ret), "verify");
}

static const struct tampering {
    const char *name;
    void (*run)(struct bench *b);
    unsigned weight;
    bool alone; /* it is found without a witness */
} tamperings[] = {
    {"flip_bit", flip_bit, 30, false},
    {"cut_file", cut_file, 10, false},
    {"remove_file", remove_file, 5, false},
    {"swap_files", swap_files, 5, false},
    {"edit_index", edit_index, 10, false},
    {"edit_footer", edit_footer, 10, false},
    {"edit_filter", edit_filter, 10, false},
    {"edit_frame", edit_frame, 10, false},
    {"reseal", reseal, 4, false},
    {"forge_with_other_key", forge_with_other_key, 2, true},
    {"forge_with_own_key", forge_with_own_key, 2, false},
    {"forge_with_ended_key", forge_with_ended_key, 4, true},
    {"roll_back", roll_back, 2, false},
};
enum { KINDS = sizeof tamperings / sizeof tamperings[0] };

static void run_one(struct bench *b, const struct tampering *t, uint64_t number, uint64_t *verdicts)
{
    struct verify_report report;
    t->run(b);
    verify(b, t->alone, &report);
    verdicts[report.verdict]++;
    b->done++;
    if (report.verdict == VERIFY_INTACT) {
        b->missed++;
        if (b->missed <= 20)
            (void)printf("# %s, number %llu, is not found\n", t->name, (unsigned long long)number);
    }
    restore(b);
}

static void setup(struct bench *b, const char *folder)
{
    uint8_t seed[CHECKPOINT_SEED] = {1};
    const char *base = getenv("TMPDIR");
    (void)snprintf(b->path, sizeof b->path, "%.40s/vaka-tamper-XXXXXX", base ? base : "/tmp");
    if (!folder && !mkdtemp(b->path)) fail("a folder");
    b->folder = open(folder ? folder : b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (b->folder < 0) fail("the folder");
    b->io = store_io_system(b->folder);
    b->changed = UINT64_MAX;
    want(checkpoint_signer_init(&b->log, SLICE("vaka.example/1"), CHECKPOINT_LOG, seed), "a key");
    seed[0] = 2;
    want(checkpoint_signer_init(&b->witness, SLICE("witness"), CHECKPOINT_WITNESS, seed), "a key");
    seed[0] = 3;
    want(checkpoint_signer_init(&b->thief, SLICE("vaka.example/1"), CHECKPOINT_LOG, seed), "a key");
    seed[0] = 4;
    want(checkpoint_signer_init(&b->before, SLICE("vaka.example/1"), CHECKPOINT_LOG, seed),
         "a key");
    buf_init(&b->keys, 2 * CHECKPOINT_KEY_TEXT);
    buf_init(&b->witness_key, CHECKPOINT_KEY_TEXT);
    buf_init(&b->witnessed, CHECKPOINT_MAX);
    checkpoint_key_write(&b->witness_key, &b->witness.key);
}

/* The keys as they are given to who verifies: the one in use, and the one before it with its end.
 */
static void end_key(struct bench *b)
{
    struct checkpoint c;
    struct checkpoint_key ended = b->before.key;
    want(checkpoint_parse(buf_slice(&file_of(b, "checkpoint", ENDED)->bytes), &c), "a checkpoint");
    checkpoint_key_end(&ended, &b->before, &c, 1000);
    checkpoint_key_write(&b->keys, &b->log.key);
    buf_putc(&b->keys, '\n');
    checkpoint_key_write(&b->keys, &ended);
}

/* What the witness kept: the newest checkpoint, cosigned. */
static void ask_witness(struct bench *b)
{
    struct checkpoint c;
    for (size_t i = 0; i < b->n_files; i++)
        if (strcmp(b->files[i].name, "checkpoint") == 0)
            buf_put(&b->witnessed, buf_slice(&b->files[i].bytes));
    want(checkpoint_parse(buf_slice(&b->witnessed), &c), "the checkpoint");
    struct buf body;
    buf_init(&body, CHECKPOINT_MAX);
    buf_put(&body, c.body);
    checkpoint_sign(&b->witnessed, buf_slice(&body), &b->witness, 1000);
    buf_done(&body);
}

int main(int argc, char **argv)
{
    static struct bench b;
    uint64_t n = 300, seed = 1, verdicts[4] = {0}, weights = 0;
    const char *folder = argc == 3 && strcmp(argv[1], "--make") == 0 ? argv[2] : NULL;
    for (int i = 1; i + 1 < argc && !folder; i += 2) {
        uint64_t *to = strcmp(argv[i], "--seed") == 0 ? &seed : &n;
        if (!slice_to_u64(slice_of(argv[i + 1]), to)) fail("a number is none");
    }
    for (size_t i = 0; i < KINDS; i++) weights += tamperings[i].weight;
    setup(&b, folder);
    write_folder(&b, &b.before, &b.log);
    keep_folder(&b);
    end_key(&b);
    ask_witness(&b);
    if (folder) {
        put_file(&b, "key", buf_slice(&b.keys));
        put_file(&b, "witness-key", buf_slice(&b.witness_key));
        put_file(&b, "witnessed", buf_slice(&b.witnessed));
        return 0;
    }
    (void)printf("# seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    struct verify_report report;
    verify(&b, false, &report);
    (void)printf("1..2\n%s 1 - tamper/what_is_untouched_is_intact\n",
                 report.verdict == VERIFY_INTACT && report.sealed == SEALED - begins[1] - lost[1] &&
                         report.removed == begins[1] && report.waiting == RECORDS - SEALED &&
                         report.witnessed_size == RECORDS
                     ? "ok"
                     : "not ok");
    if (report.verdict) (void)printf("# %s: %s\n", report.first.file, report.first.what);
    for (uint64_t i = 0; i < n; i++) {
        b.state = hash_mix(seed, i) | 1;
        uint64_t at = draw(&b, weights);
        const struct tampering *t = tamperings;
        for (; at >= t->weight; t++) at -= t->weight;
        run_one(&b, t, i, verdicts);
    }
    (void)printf("%s 2 - tamper/every_tampering_is_found\n", b.missed ? "not ok" : "ok");
    (void)printf("# "
                 "{\"tamperings\":%llu,\"missed\":%llu,\"damaged\":%llu,\"tampered\":%llu,"
                 "\"unprovable\":%llu,\"seed\":%llu}\n",
                 (unsigned long long)b.done, (unsigned long long)b.missed,
                 (unsigned long long)verdicts[VERIFY_DAMAGED],
                 (unsigned long long)verdicts[VERIFY_TAMPERED],
                 (unsigned long long)verdicts[VERIFY_UNPROVABLE], (unsigned long long)seed);
    for (size_t i = 0; i < b.n_files; i++) (void)unlinkat(b.folder, b.files[i].name, 0);
    (void)rmdir(b.path);
    return b.missed || report.verdict ? 1 : 0;
}
