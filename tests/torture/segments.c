/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What follows the journal while memory runs out, and while each call to the disk fails: segments
 * that are written and read, the tree and its proofs, checkpoints, holds, retention, verify.
 *
 * A subject that ends in an error tries again at once: when only one allocation fails, the second
 * attempt must come to what an undisturbed one comes to, with what the first one left over.
 */
#include <fcntl.h>
#include <unistd.h>

#include "store/evidence.h"
#include "store/holds.h"
#include "store/journal.h"
#include "store/retain.h"
#include "store/sealed.h"
#include "store/token.h"
#include "torture.h"
#include "verify/evidence.h"
#include "verify/verify.h"

enum { RECORDS = 600, BLOCK_BYTES = 2000, JOURNAL_RECORDS = 3, NAMES_MAX = 32 };
#define ORIGIN "vaka.example/1"

struct place {
    int dirfd;
    struct store_io io;
    struct checkpoint_signer log, witness;
    struct buf log_key, witness_key, note; /* texts; note: of the newest checkpoint */
    struct buf evidence;
};

/* ---- a folder ---------------------------------------------------------------------------- */

static void place_init(struct place *p, const char *name)
{
    static const uint8_t seed[CHECKPOINT_SEED] = {1};
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/.keep", name);
    test_write(inside, "");
    p->dirfd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(p->dirfd >= 0);
    p->io = store_io_system(p->dirfd);
    REQUIRE(checkpoint_signer_init(&p->log, SLICE(ORIGIN), CHECKPOINT_LOG, seed) == 0);
    REQUIRE(checkpoint_signer_init(&p->witness, SLICE("witness"), CHECKPOINT_WITNESS, seed) == 0);
    buf_init(&p->log_key, CHECKPOINT_KEY_TEXT);
    buf_init(&p->witness_key, CHECKPOINT_KEY_TEXT);
    buf_init(&p->note, CHECKPOINT_MAX);
    checkpoint_key_write(&p->log_key, &p->log.key);
    checkpoint_key_write(&p->witness_key, &p->witness.key);
}

static int note_name(void *ctx, const char *name)
{
    char(*names)[STORE_NAME_MAX + 1] = ctx;
    size_t n = 0;
    while (n < NAMES_MAX && names[n][0]) n++;
    if (n == NAMES_MAX) return ERR_LIMIT;
    (void)snprintf(names[n], sizeof names[n], "%s", name);
    return 0;
}

static void empty(const struct place *p)
{
    char names[NAMES_MAX][STORE_NAME_MAX + 1] = {0};
    if (p->io.list(p->io.ctx, note_name, names) != 0) return;
    for (size_t i = 0; i < NAMES_MAX && names[i][0]; i++) (void)p->io.unlink(p->io.ctx, names[i]);
}

static void place_done(struct place *p)
{
    empty(p);
    (void)close(p->dirfd);
    buf_done(&p->log_key);
    buf_done(&p->witness_key);
    buf_done(&p->note);
}

static struct record record_of(uint64_t i)
{
    static char raw[64], source[32];
    int len = snprintf(raw, sizeof raw, "user%llu failed from 10.0.0.%llu",
                       (unsigned long long)(i % 90), (unsigned long long)(i % 250));
    int source_len =
        snprintf(source, sizeof source, "tls\t\t\t10.9.0.%llu", (unsigned long long)(i / 20));
    return (struct record){.raw = slice_make(raw, (size_t)len),
                           .source = slice_make(source, (size_t)source_len),
                           .received = (nsec)i,
                           .ordinal = i};
}

static int seal(const struct store_io *io, uint64_t n, struct tree_range *tree)
{
    struct segment_options options;
    struct segment_writer *w;
    segment_options_default(&options);
    options.before = tree;
    options.block_bytes = BLOCK_BYTES;
    int error = segment_writer_new(io, &w);
    if (error) return error;
    error = segment_writer_begin(w, &options);
    for (uint64_t i = tree->end, end = tree->end + n; i < end && error == 0; i++) {
        struct record r = record_of(i);
        error = segment_writer_add(w, &r, NULL);
    }
    if (error == 0) error = segment_writer_finish(w, 7, tree);
    segment_writer_free(w);
    return error;
}

/* Signed by the log and cosigned. */
static int sign(struct place *p, uint64_t size, const struct sha256 *root)
{
    struct buf body;
    buf_init(&body, CHECKPOINT_MAX);
    buf_clear(&p->note);
    checkpoint_write(&body, SLICE(ORIGIN), size, root);
    buf_put(&p->note, buf_slice(&body));
    struct slice text = slice_until(buf_slice(&body), body.len ? body.len - 1 : 0);
    checkpoint_sign(&p->note, text, &p->log, 0);
    checkpoint_sign(&p->note, text, &p->witness, 1000);
    int error = buf_failed(&body) ? buf_error(&body) : 0;
    if (error == 0 && buf_failed(&p->note)) error = buf_error(&p->note);
    buf_done(&body);
    return error ? error : checkpoint_store(&p->io, buf_slice(&p->note), size, true);
}

static void write_journal(const struct place *p, uint64_t first)
{
    static char bytes[16 * 1024];
    char name[STORE_NAME_MAX + 1];
    const struct journal_head head = {.first = first, .salt = 0x1234567, .epoch = 1};
    struct batch_writer w;
    struct buf batch;
    struct batch parsed;
    batch_writer_init(&w, 0, BATCH_MAX);
    buf_init(&batch, BATCH_MAX);
    for (uint64_t i = first; i < first + JOURNAL_RECORDS; i++) {
        struct record r = record_of(i);
        REQUIRE(batch_writer_add(&w, &r) == 0);
    }
    batch_writer_finish(&w, &batch);
    REQUIRE(batch_open(buf_slice(&batch), &parsed) == 0);
    journal_head_write(bytes, &head);
    const struct journal_place place = {
        .offset = JOURNAL_DATA, .commit = JOURNAL_DATA, .first = first};
    journal_frame_write(bytes + JOURNAL_DATA, &head, &parsed, &place);
    journal_name_write(name, first);
    int file = p->io.open(p->io.ctx, name, STORE_CREATE);
    REQUIRE(file >= 0);
    struct slice all = slice_make(bytes, JOURNAL_DATA + journal_frame_size(batch.len));
    REQUIRE(store_io_write(&p->io, file, all, 0) == 0);
    p->io.close(p->io.ctx, file);
    batch_writer_done(&w);
    buf_done(&batch);
}

static int sign_tombstone(void *ctx, struct slice body, struct buf *out)
{
    struct place *p = ctx;
    checkpoint_sign(out, body, &p->log, 0);
    return 0;
}

/* Removes the segments whose records are older than record `before`. */
static int retire(struct place *p, uint64_t before, struct buf *out)
{
    struct retain_counts counts;
    const struct retain_hold hold = {.from = 100000, .to = 100001};
    const struct retain_options options = {.io = &p->io,
                                           .before = (nsec)before,
                                           .origin = SLICE(ORIGIN),
                                           .reason = SLICE("old"),
                                           .holds = &hold,
                                           .n_holds = 1,
                                           .sign = sign_tombstone,
                                           .ctx = p};
    int error = retain_run(&options, &counts);
    if (error == 0 && out)
        buf_printf(out, "%llu unreadable\n", (unsigned long long)counts.unreadable);
    return error;
}

/* A segment that is gone, two that are there, a journal, checkpoints. */
static void fill(struct place *p)
{
    struct tree_range tree;
    struct tree_reader *reader;
    struct sha256 root;
    tree_range_init(&tree, 0);
    for (int i = 0; i < 3; i++) REQUIRE(seal(&p->io, RECORDS, &tree) == 0);
    write_journal(p, tree.end);
    REQUIRE(tree_reader_new(&p->io, &reader) == 0);
    struct tree_source source = tree_reader_source(reader);
    REQUIRE(tree_root(&source, tree_reader_size(reader), &root) == 0);
    REQUIRE(sign(p, tree_reader_size(reader), &root) == 0);
    tree_reader_free(reader);
    REQUIRE(retire(p, RECORDS, NULL) == 0);
}

/* ---- again ------------------------------------------------------------------------------- */

struct subject {
    struct place *place;
    int (*attempt)(struct place *p, struct buf *out);
    bool keep; /* the folder is only read */
};

/* Twice when the first attempt has told what failed: memory or the disk. */
static int run_twice(void *ctx, struct buf *out)
{
    const struct subject *s = ctx;
    int result = s->attempt(s->place, out);
    if (result == ERR_NOMEM || result == ERR_IO) {
        buf_clear(out);
        result = s->attempt(s->place, out);
    }
    if (result != 0 && result != ERR_NOMEM && result != ERR_IO) {
        buf_printf(out, "another error than what happened: %s\n", error_text(result));
        result = 0;
    }
    torture_spare();
    if (!s->keep) empty(s->place);
    torture_go_on();
    return result;
}

static void put_hash(struct buf *out, const struct sha256 *hash)
{
    for (size_t i = 0; i < sizeof *hash; i++) buf_printf(out, "%02x", hash->bytes[i]);
    buf_putc(out, '\n');
}

/* ---- segments ---------------------------------------------------------------------------- */

static int query(struct segment *s, const struct segment_query *q, struct buf *out)
{
    struct segment_cursor c;
    struct record r;
    uint64_t seq, sum = 0, n = 0;
    int got = segment_cursor_init(&c, s, q);
    if (got) return got;
    while ((got = segment_cursor_next(&c, &seq, &r)) == 1) {
        sum += seq * 31 + r.raw.len + r.source.len;
        n++;
    }
    buf_printf(out, "%llu records, %llu, %u skipped\n", (unsigned long long)n,
               (unsigned long long)sum, c.skipped);
    segment_cursor_done(&c);
    return got;
}

static int read_segment(const struct store_io *io, uint64_t begin, struct buf *out)
{
    struct segment *s;
    struct record r;
    uint64_t tokens[TOKEN_LITERAL_MAX];
    int n = token_of_literal(SLICE(" 10.0.0.77 "), tokens);
    int error = n < 0 ? n : segment_open(io, begin, &s);
    if (error) return error;
    struct segment_query all = SEGMENT_ANY, some = SEGMENT_ANY, with = SEGMENT_ANY;
    some.source = SLICE("10.9.0.3");
    with.tokens = tokens;
    with.n_tokens = (uint32_t)n;
    error = query(s, &all, out);
    if (error == 0) error = query(s, &some, out);
    if (error == 0) error = query(s, &with, out);
    if (error == 0) error = segment_read_record(s, begin + 77, &r);
    if (error == 0) buf_printf(out, "%.*s\n", (int)r.raw.len, r.raw.ptr);
    segment_close(s);
    return error;
}

/* What the first attempt has finished is not written again. */
static int seal_and_read(struct place *p, struct buf *out)
{
    struct tree_range tree;
    int error = sealed_tree(&p->io, &tree);
    if (error == 0 && tree.end == 0) error = seal(&p->io, RECORDS, &tree);
    if (error) return error;
    struct sha256 root = tree_range_root(&tree);
    put_hash(out, &root);
    return read_segment(&p->io, 0, out);
}

TEST(segments)
{
    struct place p;
    place_init(&p, "segments");
    struct subject subject = {.place = &p, .attempt = seal_and_read};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject, .calls = true});
    place_done(&p);
}

/* ---- tree -------------------------------------------------------------------------------- */

static int read_tree(struct place *p, struct buf *out)
{
    static const uint64_t sequence[] = {2 * RECORDS - 1, RECORDS, 3 * RECORDS + 1};
    struct tree_reader *reader;
    struct sha256 root;
    struct tree_proof proof;
    struct record record;
    int error = tree_reader_new(&p->io, &reader);
    if (error) return error;
    struct tree_source source = tree_reader_source(reader);
    uint64_t size = tree_reader_size(reader);
    error = tree_root(&source, size, &root);
    if (error == 0) put_hash(out, &root);
    for (size_t i = 0; i < sizeof sequence / sizeof *sequence && error == 0; i++) {
        error = tree_prove_inclusion(&source, sequence[i], size, &proof);
        for (unsigned k = 0; k < proof.n && error == 0; k++) put_hash(out, &proof.hashes[k]);
        if (error == 0) error = tree_reader_record(reader, sequence[i], &record);
        if (error == 0) buf_printf(out, "%.*s\n", (int)record.raw.len, record.raw.ptr);
    }
    tree_reader_free(reader);
    return error;
}

static int write_evidence(struct place *p, struct buf *out)
{
    struct tree_reader *reader;
    int error = tree_reader_new(&p->io, &reader);
    if (error) return error;
    error = evidence_write(out, reader,
                           &(struct evidence_options){.from = 2 * RECORDS - 1,
                                                      .to = 2 * RECORDS,
                                                      .checkpoint = buf_slice(&p->note),
                                                      .by = SLICE("eva"),
                                                      .reason = SLICE("case 7")});
    tree_reader_free(reader);
    return error;
}

TEST(tree)
{
    struct place p;
    place_init(&p, "tree");
    fill(&p);
    struct subject subject = {.place = &p, .attempt = read_tree, .keep = true};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject, .calls = true});
    subject.attempt = write_evidence;
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject, .calls = true});
    place_done(&p);
}

/* ---- checkpoints and holds --------------------------------------------------------------- */

/* What is signed takes memory as well, and gives it back. */
static int sign_and_check(struct place *p, struct buf *out)
{
    struct checkpoint c;
    uint64_t time;
    const struct sha256 root = {.bytes = {1}};
    buf_init(&p->note, CHECKPOINT_MAX);
    int error = sign(p, 12, &root);
    if (error == 0) error = checkpoint_parse(buf_slice(&p->note), &c);
    if (error == 0) error = checkpoint_verify(&c, &p->log.key, NULL);
    if (error == 0) error = checkpoint_verify(&c, &p->witness.key, &time);
    if (error == 0)
        buf_printf(out, "%llu %llu\n", (unsigned long long)c.size, (unsigned long long)time);
    buf_done(&p->note);
    return error;
}

TEST(checkpoints)
{
    struct place p;
    place_init(&p, "checkpoints");
    struct subject subject = {.place = &p, .attempt = sign_and_check};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject, .calls = true});
    place_done(&p);
}

static int read_holds(struct place *p, struct buf *out)
{
    static const char text[] = "0-9 2026-11-26T03:00:00Z eva case 7\n"
                               "# lifted\n"
                               "20- 2026-11-26T03:00:00Z bo case 8\n";
    struct buf holds, lifted;
    size_t n;
    (void)p;
    buf_init(&holds, HOLDS_MAX * sizeof(struct hold));
    buf_init(&lifted, HOLDS_FILE_MAX);
    int error = holds_read("holds", slice_of(text), &holds, NULL);
    if (error == 0) {
        holds_lift(&lifted, slice_of(text), &(struct retain_hold){0, 10}, 0, SLICE("eva"), &n);
        error = buf_error(&lifted);
    }
    if (error == 0) buf_printf(out, "%zu\n%.*s", holds.len, (int)lifted.len, lifted.ptr);
    buf_done(&holds);
    buf_done(&lifted);
    return error;
}

TEST(holds)
{
    struct subject subject = {.attempt = read_holds, .keep = true};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject});
}

/* ---- retention --------------------------------------------------------------------------- */

static int seal_and_retire(struct place *p, struct buf *out)
{
    struct tree_range tree;
    struct segment_footer footer;
    int error = sealed_tree(&p->io, &tree);
    if (error == 0 && tree.end < 10) error = seal(&p->io, 10, &tree);
    if (error == 0 && tree.end < 20) error = seal(&p->io, 10, &tree);
    if (error == 0) error = retire(p, 10, out);
    if (error == 0) error = segment_footer_load(&p->io, "footer", 0, &footer);
    if (error == 0) error = segment_footer_load(&p->io, "segment", 10, &footer);
    if (error == 0) put_hash(out, &footer.root);
    return error;
}

TEST(retention)
{
    struct place p;
    place_init(&p, "retention");
    struct subject subject = {.place = &p, .attempt = seal_and_retire};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject, .calls = true});
    place_done(&p);
}

/* ---- verify ------------------------------------------------------------------------------ */

static int verify(struct place *p, struct buf *out)
{
    struct verify_key key, witness;
    struct verify_report r;
    struct slice kept = buf_slice(&p->note);
    if (verify_key_read(buf_slice(&p->log_key), &key) != 0 ||
        verify_key_read(buf_slice(&p->witness_key), &witness) != 0)
        return ERR_SYNTAX;
    int error = verify_folder(&(struct verify_options){.folder = p->dirfd,
                                                       .keys = &key,
                                                       .n_keys = 1,
                                                       .witnesses = &witness,
                                                       .n_witnesses = 1,
                                                       .witnessed = &kept,
                                                       .n_witnessed = 1},
                              &r);
    if (error) return error;
    buf_printf(out, "%s %s %llu sealed %llu waiting %llu removed %llu signed %llu witnessed\n",
               verify_verdict_text(r.verdict), r.first.what ? r.first.what : "",
               (unsigned long long)r.sealed, (unsigned long long)r.waiting,
               (unsigned long long)r.removed, (unsigned long long)r.signed_size,
               (unsigned long long)r.witnessed_size);
    return 0;
}

static void put_record(void *ctx, uint64_t seq, const struct verify_record *record)
{
    buf_printf(ctx, "%llu %.*s\n", (unsigned long long)seq, (int)record->raw.len, record->raw.ptr);
}

static int verify_exported(struct place *p, struct buf *out)
{
    struct verify_key key, witness;
    struct verify_evidence e;
    if (verify_key_read(buf_slice(&p->log_key), &key) != 0 ||
        verify_key_read(buf_slice(&p->witness_key), &witness) != 0)
        return ERR_SYNTAX;
    int error = verify_evidence(buf_slice(&p->evidence), &key, 1, &witness, 1, put_record, out, &e);
    if (e.what) buf_printf(out, "%s\n", e.what);
    if (e.witnessed) buf_puts(out, "witnessed\n");
    return error;
}

TEST(evidence)
{
    struct place p;
    place_init(&p, "evidence");
    fill(&p);
    buf_init(&p.evidence, EVIDENCE_MAX);
    REQUIRE(write_evidence(&p, &p.evidence) == 0);
    struct subject subject = {.place = &p, .attempt = verify_exported, .keep = true};
    torture_run(&(struct torture){.run = run_twice, .ctx = &subject});
    buf_done(&p.evidence);
    place_done(&p);
}

TEST(verify)
{
    /* A file that cannot be read is damage. */
    static const char *const told_by[] = {"damaged", NULL};
    struct place p;
    struct buf out;
    place_init(&p, "verify");
    fill(&p);
    buf_init(&out, TORTURE_OUT_MAX);
    CHECK_INT(verify(&p, &out), 0);
    CHECK_SLICE(buf_slice(&out),
                "intact  1200 sealed 3 waiting 600 removed 1803 signed 1803 witnessed\n");
    buf_done(&out);
    struct subject subject = {.place = &p, .attempt = verify, .keep = true};
    torture_run(
        &(struct torture){.run = run_twice, .ctx = &subject, .told_by = told_by, .calls = true});
    place_done(&p);
}
