/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "verify/file.h"
#include "verify/index.h"
#include "verify/journal.h"
#include "verify/segment.h"

enum {
    DIGITS = 20,
    NUMBERS_MAX = 1 << 20, /* files of a kind */
    LEVELS = 7,            /* of the tree's files */
    TILE_HEIGHT = 8,
    LOST_MAX = 1 << 24,
};

enum kind { KIND_SEGMENT, KIND_FOOTER, KIND_TOMBSTONE, KIND_JOURNAL, KIND_CHECKPOINT, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"segment", "footer", "tombstone", "journal",
                                                   "checkpoint"};

/* A checkpoint that its log has signed. */
struct anchor {
    uint64_t size;
    struct verify_hash root;
    bool witnessed;
};

struct state {
    const struct verify_options *options;
    struct verify_report *report;
    struct buf numbers[KIND_COUNT]; /* u64, ascending */
    struct buf anchors, text;       /* anchors: ascending by size */
    struct buf origin;              /* of the first checkpoint that was right */
    size_t next_anchor;
    struct verify_tree tree, check; /* check: what a footer's nodes give */
    struct verify_file levels[LEVELS + 1];
    char file[VERIFY_NAME_MAX + 1]; /* at hand */
    uint64_t sealed_end;
    bool sealing;    /* what is read is sealed: the tree's files have its nodes */
    bool mismatch;   /* a root was not the one that was signed; told once */
    bool unreadable; /* the piece before: where it ended is not known */
    bool no_memory;  /* nothing can be said: looked at when all is done */
    struct verify_footer footer;
};

const char *verify_verdict_text(enum verify_verdict verdict)
{
    static const char *const texts[] = {"intact", "unprovable", "damaged", "tampered"};
    return verdict <= VERIFY_TAMPERED ? texts[verdict] : "unknown";
}

static void find(struct state *s, enum verify_verdict verdict, const char *what, uint64_t seq,
                 uint64_t offset)
{
    struct verify_finding f = {.verdict = verdict, .what = what, .seq = seq, .offset = offset};
    memcpy(f.file, s->file, sizeof f.file);
    s->report->findings++;
    if (verdict > s->report->verdict) {
        s->report->verdict = verdict;
        s->report->first = f;
    }
    if (s->options->finding) s->options->finding(s->options->ctx, &f);
}

/* ---- files ------------------------------------------------------------------------------- */

static bool number_of(const char *name, const char *kind, uint64_t *ret)
{
    struct slice s = slice_of(name);
    size_t len = strlen(kind);
    return s.len == len + 1 + DIGITS && slice_starts_with(s, slice_of(kind)) && s.ptr[len] == '-' &&
           slice_to_u64(slice_from(s, len + 1), ret);
}

static void name_file(struct state *s, enum kind kind, uint64_t number)
{
    (void)snprintf(s->file, sizeof s->file, "%s-%020llu", kind_names[kind],
                   (unsigned long long)number);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static size_t count(const struct state *s, enum kind kind)
{
    return s->numbers[kind].len / sizeof(uint64_t);
}

static uint64_t number_at(const struct state *s, enum kind kind, size_t i)
{
    uint64_t n;
    memcpy(&n, s->numbers[kind].ptr + i * sizeof n, sizeof n);
    return n;
}

static bool has_number(const struct state *s, enum kind kind, uint64_t number)
{
    return count(s, kind) && bsearch(&number, s->numbers[kind].ptr, count(s, kind), sizeof number,
                                     compare_numbers) != NULL;
}

static int list(struct state *s)
{
    int fd = openat(s->options->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0) (void)close(fd);
        return ERR_IO;
    }
    for (;;) {
        uint64_t number;
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) break;
        for (enum kind kind = 0; kind < KIND_COUNT; kind++)
            if (number_of(entry->d_name, kind_names[kind], &number))
                buf_put(&s->numbers[kind], slice_make(&number, sizeof number));
    }
    int failed = errno;
    (void)closedir(dir);
    if (failed) return ERR_IO;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        if (buf_failed(&s->numbers[kind])) return buf_error(&s->numbers[kind]);
        if (count(s, kind))
            qsort(s->numbers[kind].ptr, count(s, kind), sizeof(uint64_t), compare_numbers);
    }
    return 0;
}

/* All of the file at hand. */
static int read_small(struct state *s, struct buf *out)
{
    struct verify_file f;
    int error = verify_file_open(s->options->folder, s->file, &f);
    if (error) return error;
    error = f.size > VERIFY_NOTE_MAX ? ERR_LIMIT : verify_file_read(&f, 0, (size_t)f.size, out);
    verify_file_close(&f);
    return error;
}

/* ---- checkpoints ------------------------------------------------------------------------- */

/* verify_note_check(); ERR_NOT_FOUND when memory did not suffice, which is remembered. */
static int check_note(struct state *s, const struct verify_note *note, const struct verify_key *key)
{
    int answer = verify_note_check(note, key);
    if (answer != ERR_NOMEM) return answer;
    s->no_memory = true;
    return ERR_NOT_FOUND;
}

/* `size`: of the tree that what is signed is about. */
static bool signed_by(struct state *s, const struct verify_note *note, uint64_t size)
{
    bool wrong = false, late = false;
    for (size_t i = 0; i < s->options->n_keys; i++) {
        const struct verify_key *key = &s->options->keys[i];
        int answer = check_note(s, note, key);
        if (answer == 0 && !verify_key_had_ended(key, size)) return true;
        late |= answer == 0;
        wrong |= answer == ERR_CORRUPT;
    }
    find(s, VERIFY_TAMPERED,
         wrong  ? "a signature is wrong"
         : late ? "this is signed with a key that had ended before"
                : "nothing here is signed with a key that was given",
         VERIFY_NOWHERE, VERIFY_NOWHERE);
    return false;
}

static bool cosigned(struct state *s, const struct verify_note *note)
{
    bool by_one = false;
    for (size_t i = 0; i < s->options->n_witnesses; i++) {
        int answer = check_note(s, note, &s->options->witnesses[i]);
        by_one |= answer == 0;
        if (answer == ERR_CORRUPT)
            find(s, VERIFY_TAMPERED, "a cosignature is wrong", VERIFY_NOWHERE, VERIFY_NOWHERE);
    }
    return by_one;
}

/* `number`: the size that the file's name tells, or VERIFY_NOWHERE. */
static void take_checkpoint(struct state *s, struct slice text, uint64_t number, bool handed_in)
{
    struct verify_note note;
    if (verify_note_read(text, &note) != 0) {
        find(s, VERIFY_DAMAGED, "a checkpoint is not readable", VERIFY_NOWHERE, VERIFY_NOWHERE);
        return;
    }
    if (number != VERIFY_NOWHERE && note.size != number)
        find(s, VERIFY_TAMPERED, "a checkpoint is of another size than its name tells", note.size,
             VERIFY_NOWHERE);
    if (s->options->n_keys == 0 || !signed_by(s, &note, note.size)) return;
    if (s->origin.len == 0) buf_put(&s->origin, note.origin);
    s->report->checkpoints++;
    struct anchor a = {note.size, note.root, cosigned(s, &note) || handed_in};
    buf_put(&s->anchors, slice_make(&a, sizeof a));
}

static int compare_anchors(const void *a, const void *b)
{
    const struct anchor *x = a, *y = b;
    return x->size < y->size ? -1 : x->size > y->size;
}

static const struct anchor *anchor_at(const struct state *s, size_t i)
{
    return (const struct anchor *)(const void *)s->anchors.ptr + i;
}

static size_t count_anchors(const struct state *s)
{
    return s->anchors.len / sizeof(struct anchor);
}

/* The one in s->file. `number` as above; VERIFY_NOWHERE: it need not be there. */
static int read_checkpoint(struct state *s, uint64_t number)
{
    int error = read_small(s, &s->text);
    if (error == ERR_NOMEM || (error == ERR_NOT_FOUND && number == VERIFY_NOWHERE))
        return error == ERR_NOMEM ? error : 0;
    if (error) find(s, VERIFY_DAMAGED, "a file cannot be read", VERIFY_NOWHERE, VERIFY_NOWHERE);
    else take_checkpoint(s, buf_slice(&s->text), number, false);
    return 0;
}

/* What a key of this log signed last is what the log was then, whoever has the key since. */
static void take_ends(struct state *s)
{
    for (size_t i = 0; i < s->options->n_keys; i++) {
        const struct verify_key *key = &s->options->keys[i];
        struct anchor a = {key->end_size, key->end_root, false};
        if (key->ended && slice_eq(key->name, buf_slice(&s->origin)))
            buf_put(&s->anchors, slice_make(&a, sizeof a));
    }
}

static int read_checkpoints(struct state *s)
{
    static const char *const newest[] = {"checkpoint", "witnessed"};
    int error = 0;
    for (size_t i = 0; i < sizeof newest / sizeof *newest && error == 0; i++) {
        (void)snprintf(s->file, sizeof s->file, "%s", newest[i]);
        error = read_checkpoint(s, VERIFY_NOWHERE);
    }
    for (size_t i = 0; i < count(s, KIND_CHECKPOINT) && error == 0; i++) {
        name_file(s, KIND_CHECKPOINT, number_at(s, KIND_CHECKPOINT, i));
        error = read_checkpoint(s, number_at(s, KIND_CHECKPOINT, i));
    }
    if (error) return error;
    for (size_t i = 0; i < s->options->n_witnessed; i++) {
        (void)snprintf(s->file, sizeof s->file, "(handed in)");
        take_checkpoint(s, s->options->witnessed[i], VERIFY_NOWHERE, true);
    }
    s->file[0] = '\0';
    take_ends(s);
    if (buf_failed(&s->anchors)) return buf_error(&s->anchors);
    if (buf_failed(&s->origin)) return buf_error(&s->origin);
    if (s->anchors.len)
        qsort(s->anchors.ptr, count_anchors(s), sizeof(struct anchor), compare_anchors);
    for (size_t i = 1; i < count_anchors(s); i++) {
        const struct anchor *a = anchor_at(s, i - 1), *b = anchor_at(s, i);
        if (a->size == b->size && !verify_hash_eq(&a->root, &b->root))
            find(s, VERIFY_TAMPERED, "two checkpoints of one size differ", a->size, VERIFY_NOWHERE);
    }
    return 0;
}

/* Compares the tree with what was signed at its size. */
static void check_anchors(struct state *s)
{
    uint64_t size = s->tree.end;
    while (s->next_anchor < count_anchors(s)) {
        const struct anchor *a = anchor_at(s, s->next_anchor);
        if (a->size > size) return;
        s->next_anchor++;
        if (a->size < size) continue; /* within what is gone: a later one has to do */
        struct verify_hash root = verify_tree_root(&s->tree);
        if (verify_hash_eq(&root, &a->root)) {
            s->report->signed_size = size;
            if (a->witnessed) s->report->witnessed_size = size;
        } else if (!s->mismatch) {
            s->mismatch = true;
            find(s, VERIFY_TAMPERED, "records are not those that were signed",
                 s->report->signed_size, VERIFY_NOWHERE);
        }
    }
}

/* ---- tree -------------------------------------------------------------------------------- */

/* Node `index` of a level as the tree's file has it; false: it is not there. */
static bool read_node(const struct state *s, unsigned level, uint64_t index,
                      struct verify_hash *ret)
{
    return s->levels[level].fd >= 0 && pread(s->levels[level].fd, ret, sizeof *ret,
                                             (off_t)(index * VERIFY_HASH)) == VERIFY_HASH;
}

static void find_in_level(struct state *s, unsigned level, uint64_t index, bool there)
{
    char file[sizeof s->file];
    memcpy(file, s->file, sizeof file);
    (void)snprintf(s->file, sizeof s->file, "tree-%u", level);
    find(s, there ? VERIFY_TAMPERED : VERIFY_DAMAGED,
         there ? "a node of the tree is not that of its records" : "a node of the tree is missing",
         index << (TILE_HEIGHT * level), index * VERIFY_HASH);
    memcpy(s->file, file, sizeof file);
}

/* Compares a node of a height that is kept with the tree's file. */
static void compare_node(struct state *s, unsigned height, uint64_t index,
                         const struct verify_hash *hash)
{
    unsigned level = height / TILE_HEIGHT;
    struct verify_hash told;
    if (height % TILE_HEIGHT != 0 || level > LEVELS) return;
    bool there = read_node(s, level, index, &told);
    if (!there || !verify_hash_eq(&told, hash)) find_in_level(s, level, index, there);
}

static void on_node(void *ctx, unsigned height, uint64_t index, const struct verify_hash *hash)
{
    struct state *s = ctx;
    if (s->sealing) compare_node(s, height, index, hash);
}

/* A node above those of level 1, which stand for leaves. */
static void on_kept_node(void *ctx, unsigned height, uint64_t index, const struct verify_hash *hash)
{
    compare_node(ctx, height + TILE_HEIGHT, index, hash);
}

/* The kept nodes below one whose records are gone: they have to give it. */
static void check_kept(struct state *s, unsigned height, uint64_t index,
                       const struct verify_hash *hash)
{
    if (height < TILE_HEIGHT) return;
    uint64_t width = UINT64_C(1) << (height - TILE_HEIGHT);
    verify_tree_init(&s->check, index * width);
    s->check.node = on_kept_node;
    s->check.ctx = s;
    for (uint64_t i = index * width; i < (index + 1) * width; i++) {
        struct verify_hash node;
        if (!read_node(s, 1, i, &node)) {
            find_in_level(s, 1, i, false);
            return;
        }
        (void)verify_tree_push(&s->check, 0, &node);
    }
    if (!verify_hash_eq(&s->check.nodes[0].hash, hash)) find_in_level(s, 1, index * width, true);
}

static void push(struct state *s, unsigned height, const struct verify_hash *hash)
{
    if (!verify_tree_push(&s->tree, height, hash)) {
        find(s, VERIFY_TAMPERED, "the tree cannot go on here", s->tree.end, VERIFY_NOWHERE);
        return;
    }
    check_anchors(s);
}

static void on_sealed(void *ctx, uint64_t seq, const struct verify_record *record)
{
    struct state *s = ctx;
    struct verify_hash leaf = record ? verify_leaf(record) : verify_leaf_lost();
    if (seq != s->tree.end) return; /* behind a flaw */
    if (record) s->report->sealed++;
    else s->report->lost++;
    push(s, 0, &leaf);
}

/* Takes the nodes of a footer as they are: of [begin, end), the n of them. */
static void push_nodes(struct state *s, uint64_t begin, uint64_t end,
                       const struct verify_hash *nodes)
{
    while (begin < end) {
        unsigned height = verify_tree_height(begin, end);
        push(s, height, nodes++);
        begin += UINT64_C(1) << height;
    }
}

static bool nodes_match(const struct verify_tree *t, const struct verify_hash *nodes, unsigned n)
{
    if (t->n != n) return false;
    for (unsigned i = 0; i < n; i++)
        if (!verify_hash_eq(&t->nodes[i].hash, &nodes[i])) return false;
    return true;
}

static void reset_tree(struct state *s, uint64_t begin)
{
    verify_tree_init(&s->tree, begin);
    s->tree.node = on_node;
    s->tree.ctx = s;
}

/* ---- segments ---------------------------------------------------------------------------- */

static const char missing_before[] = "sequence numbers are missing before this";

/* Brings the tree to the beginning of the piece; false: the piece cannot stand here. */
static bool join(struct state *s, const struct verify_footer *f)
{
    if (f->begin < s->tree.end) {
        find(s, VERIFY_TAMPERED, "two segments have the same sequence numbers", f->begin,
             VERIFY_NOWHERE);
        return false;
    }
    if (f->begin > s->tree.end) {
        find(s, s->unreadable ? VERIFY_DAMAGED : VERIFY_TAMPERED, missing_before, s->tree.end,
             VERIFY_NOWHERE);
        bool sealing = s->sealing;
        s->sealing = false;
        reset_tree(s, 0);
        push_nodes(s, 0, f->begin, f->nodes);
        s->sealing = sealing;
        return true;
    }
    if (!nodes_match(&s->tree, f->nodes, f->n_before))
        find(s, VERIFY_TAMPERED, "this does not go on from what is before it", f->begin,
             VERIFY_NOWHERE);
    return true;
}

static void check_root(struct state *s, const struct verify_footer *f)
{
    struct verify_hash root = verify_tree_root(&s->tree);
    if (!verify_hash_eq(&root, &f->root))
        find(s, VERIFY_TAMPERED, "the root is not that of the records", f->begin, VERIFY_NOWHERE);
    /* The nodes of its own range have to stand between those before it and those after it. */
    const struct verify_hash *nodes = f->nodes + f->n_before;
    verify_tree_init(&s->check, 0);
    for (unsigned i = 0; i < f->n_before; i++) {
        unsigned height = verify_tree_height(s->check.end, f->begin);
        (void)verify_tree_push(&s->check, height, &f->nodes[i]);
    }
    uint64_t end = f->begin + f->lost + f->records;
    for (uint64_t at = f->begin; at < end;) {
        unsigned height = verify_tree_height(at, end);
        (void)verify_tree_push(&s->check, height, nodes++);
        at += UINT64_C(1) << height;
    }
    root = verify_tree_root(&s->check);
    if (!verify_hash_eq(&root, &f->root))
        find(s, VERIFY_TAMPERED, "the nodes of a footer do not give its root", f->begin,
             VERIFY_NOWHERE);
}

static void tell_flaw(struct state *s, const struct verify_flaw *flaw)
{
    find(s, flaw->accident ? VERIFY_DAMAGED : VERIFY_TAMPERED, flaw->what, flaw->seq, flaw->offset);
}

/* The footer of the piece at hand, before its records are read. */
static int peek_footer(struct state *s, struct verify_footer *ret)
{
    struct verify_file f;
    int error = verify_file_open(s->options->folder, s->file, &f);
    if (error) return error;
    size_t want = f.size < VERIFY_FOOTER_MAX ? (size_t)f.size : VERIFY_FOOTER_MAX;
    error = verify_file_read(&f, f.size - want, want, &s->text);
    verify_file_close(&f);
    return error ? error : verify_footer_read(buf_slice(&s->text), ret);
}

/* 1: the footer of the piece at hand is s->footer, and it stands where the tree is; 0: it does not,
 * which was told. */
static int read_footer(struct state *s, uint64_t begin, const char *unreadable)
{
    int error = peek_footer(s, &s->footer);
    if (error == 0 && s->footer.begin != begin) error = ERR_INVALID;
    if (error == ERR_NOMEM) return error;
    if (error == 0) {
        bool stands = join(s, &s->footer);
        s->unreadable = false;
        return stands;
    }
    if (begin > s->tree.end && !s->unreadable)
        find(s, VERIFY_TAMPERED, missing_before, s->tree.end, VERIFY_NOWHERE);
    find(s, error == ERR_INVALID ? VERIFY_TAMPERED : VERIFY_DAMAGED, unreadable, begin,
         VERIFY_NOWHERE);
    s->unreadable = true;
    return 0;
}

/* Records that cannot be read: the footer tells what the tree was behind them. */
static void step_over(struct state *s, const struct verify_tree *from,
                      const struct verify_footer *f)
{
    s->tree = *from;
    uint64_t end = f->begin + f->lost + f->records;
    const struct verify_hash *nodes = f->nodes + f->n_before;
    push_nodes(s, f->begin, end, nodes);
    for (uint64_t at = f->begin; at < end;) {
        unsigned height = verify_tree_height(at, end);
        check_kept(s, height, at >> height, nodes++);
        at += UINT64_C(1) << height;
    }
}

static int read_segment(struct state *s, uint64_t begin)
{
    struct verify_file f;
    struct verify_flaw flaw;
    name_file(s, KIND_SEGMENT, begin);
    int error = read_footer(s, begin, "the segment cannot be read");
    if (error <= 0) return error;
    struct verify_tree *from = malloc(sizeof *from);
    if (!from) return ERR_NOMEM;
    *from = s->tree;
    error = verify_file_open(s->options->folder, s->file, &f);
    if (error == 0) {
        error = verify_segment(&f, begin, on_sealed, s, &s->footer, &flaw);
        verify_file_close(&f);
    }
    if (error == 0) {
        if (flaw.what) {
            tell_flaw(s, &flaw);
            step_over(s, from, &s->footer);
        }
        check_root(s, &s->footer);
        s->report->segments++;
    }
    free(from);
    return error;
}

/* What says who removed a segment's records: a note that the log's key signed. */
static void check_tombstone(struct state *s, const struct verify_footer *f)
{
    struct verify_note note;
    struct slice rest, origin, begin, end, root;
    struct verify_hash told;
    uint64_t from = 0, to = 0;
    if (!has_number(s, KIND_TOMBSTONE, f->begin)) {
        find(s, VERIFY_TAMPERED, "records were removed without a tombstone", f->begin,
             VERIFY_NOWHERE);
        return;
    }
    name_file(s, KIND_TOMBSTONE, f->begin);
    int error = read_small(s, &s->text);
    struct slice text = error == 0 ? buf_slice(&s->text) : SLICE_NONE;
    s->no_memory |= error == ERR_NOMEM;
    size_t body = slice_find(text, SLICE("\n\n"));
    if (body == SIZE_MAX) {
        find(s, VERIFY_DAMAGED, "a tombstone is not readable", f->begin, VERIFY_NOWHERE);
        return;
    }
    note.body = slice_until(text, body + 1);
    note.signatures = slice_from(text, body + 2);
    (void)slice_split(note.body, '\n', &origin, &rest);
    (void)slice_split(rest, '\n', &begin, &rest);
    (void)slice_split(rest, '\n', &end, &rest);
    (void)slice_split(rest, '\n', &root, &rest);
    bool numbers = slice_to_u64(begin, &from) && slice_to_u64(end, &to);
    if (s->options->n_keys > 0 && !signed_by(s, &note, to)) return;
    if (!slice_ends_with(origin, SLICE("/tombstone")) || !numbers || from != f->begin ||
        to != f->begin + f->lost + f->records || !verify_hash_read(root, &told) ||
        !verify_hash_eq(&told, &f->root))
        find(s, VERIFY_TAMPERED, "a tombstone is of other records", f->begin, VERIFY_NOWHERE);
}

static int read_footer_only(struct state *s, uint64_t begin)
{
    name_file(s, KIND_FOOTER, begin);
    int error = read_footer(s, begin, "the footer of a removed segment cannot be read");
    if (error <= 0) return error;
    struct verify_tree *from = malloc(sizeof *from);
    if (!from) return ERR_NOMEM;
    *from = s->tree;
    step_over(s, from, &s->footer);
    free(from);
    check_root(s, &s->footer);
    check_tombstone(s, &s->footer);
    s->report->footers++;
    s->report->removed += s->footer.records;
    return 0;
}

static int read_pieces(struct state *s)
{
    size_t i = 0, k = 0;
    while (i < count(s, KIND_SEGMENT) || k < count(s, KIND_FOOTER)) {
        uint64_t segment = i < count(s, KIND_SEGMENT) ? number_at(s, KIND_SEGMENT, i) : UINT64_MAX;
        uint64_t footer = k < count(s, KIND_FOOTER) ? number_at(s, KIND_FOOTER, k) : UINT64_MAX;
        int error;
        if (segment <= footer) {
            error = read_segment(s, segment);
            i++;
            k += segment == footer; /* its removal was begun */
        } else {
            error = read_footer_only(s, footer);
            k++;
        }
        if (error) return error;
    }
    s->sealed_end = s->tree.end;
    return 0;
}

/* ---- journals ---------------------------------------------------------------------------- */

static void on_waiting(void *ctx, uint64_t seq, const struct verify_record *record)
{
    struct state *s = ctx;
    if (seq < s->tree.end) return;
    if (s->unreadable && seq > s->tree.end) {
        s->report->waiting++; /* behind a gap of unknown leaves the tree cannot go on */
        return;
    }
    if (seq - s->tree.end > LOST_MAX) {
        find(s, VERIFY_TAMPERED, "a sequence number is out of range", seq, VERIFY_NOWHERE);
        return;
    }
    if (seq > s->tree.end)
        find(s, VERIFY_DAMAGED, "sequence numbers are missing from the journals", s->tree.end,
             VERIFY_NOWHERE);
    struct verify_hash lost = verify_leaf_lost(), leaf = verify_leaf(record);
    while (s->tree.end < seq) {
        s->report->lost++;
        push(s, 0, &lost);
    }
    s->report->waiting++;
    push(s, 0, &leaf);
}

static void on_journal_flaw(void *ctx, const struct verify_flaw *flaw)
{
    tell_flaw(ctx, flaw);
}

static int read_journals(struct state *s)
{
    size_t n = count(s, KIND_JOURNAL);
    for (size_t i = 0; i < n; i++) {
        struct verify_file f;
        uint64_t first = number_at(s, KIND_JOURNAL, i), rest = 0;
        name_file(s, KIND_JOURNAL, first);
        int error = verify_file_open(s->options->folder, s->file, &f);
        if (error == 0) {
            error = verify_journal(&f, first, on_waiting, on_journal_flaw, s, &rest);
            verify_file_close(&f);
        }
        if (error == ERR_NOMEM || error == ERR_IO) return error;
        /* Nothing is written to the newest one before its heads are durable. */
        if (error == ERR_TRUNCATED && i + 1 == n) continue;
        if (error) find(s, VERIFY_DAMAGED, "the journal cannot be read", first, 0);
        /* Behind the newest one's last frame lies what the power cut short. */
        if (rest && i + 1 < n)
            find(s, VERIFY_DAMAGED, "the journal ends with bytes that are no frame", VERIFY_NOWHERE,
                 rest);
        s->report->journals++;
    }
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

static void conclude(struct state *s)
{
    struct verify_report *r = s->report;
    r->size = s->tree.end;
    s->file[0] = '\0';
    if (s->next_anchor < count_anchors(s))
        find(s, r->verdict == VERIFY_DAMAGED ? VERIFY_DAMAGED : VERIFY_TAMPERED,
             "records that were signed are missing at the end", s->tree.end, VERIFY_NOWHERE);
    if (r->size == 0 && r->checkpoints == 0) return;
    if (s->options->n_keys == 0) find(s, VERIFY_UNPROVABLE, "no key was given", 0, VERIFY_NOWHERE);
    else if (r->signed_size == 0 && r->size > 0)
        find(s, VERIFY_UNPROVABLE, "no checkpoint covers any record", 0, VERIFY_NOWHERE);
}

static void open_levels(struct state *s)
{
    for (unsigned level = 1; level <= LEVELS; level++) {
        char name[16];
        (void)snprintf(name, sizeof name, "tree-%u", level);
        if (verify_file_open(s->options->folder, name, &s->levels[level]) != 0)
            s->levels[level].fd = -1;
    }
}

static int verify_all(struct state *s)
{
    int error = list(s);
    if (error) return error;
    open_levels(s);
    error = read_checkpoints(s);
    check_anchors(s); /* of an empty tree */
    s->sealing = true;
    if (error == 0) error = read_pieces(s);
    s->sealing = false;
    if (error == 0) error = read_journals(s);
    if (error == 0) conclude(s);
    return s->no_memory ? ERR_NOMEM : error;
}

int verify_folder(const struct verify_options *options, struct verify_report *ret)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    memset(ret, 0, sizeof *ret);
    s->options = options;
    s->report = ret;
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        buf_init(&s->numbers[kind], NUMBERS_MAX * sizeof(uint64_t));
    buf_init(&s->anchors, VERIFY_CHECKPOINTS_MAX * sizeof(struct anchor));
    buf_init(&s->text, VERIFY_NOTE_MAX + 1);
    buf_init(&s->origin, VERIFY_NOTE_MAX);
    for (unsigned level = 0; level <= LEVELS; level++) s->levels[level].fd = -1;
    reset_tree(s, 0);
    int error = verify_all(s);
    if (error == 0) error = verify_indexes_read(options->folder, &ret->indexes);
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) buf_done(&s->numbers[kind]);
    buf_done(&s->anchors);
    buf_done(&s->text);
    buf_done(&s->origin);
    for (unsigned level = 0; level <= LEVELS; level++)
        if (s->levels[level].fd >= 0) verify_file_close(&s->levels[level]);
    free(s);
    return error;
}
