/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/segment.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/tiles.h"
#include "store/token.h"
#include "test.h"

enum { TENANT = 7, DAY = 86400 };

/* A folder of its own for each test. */
static struct store_io folder(const char *name)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/x", name);
    test_write(inside, "");
    int fd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return store_io_system(fd);
}

/* Record i, in memory that is used again by the next. */
static struct record record_of(uint64_t i)
{
    static char raw[4096], source[64], context[64];
    int len = snprintf(raw, sizeof raw,
                       "<34>host%llu sshd[%llu]: Failed password for user%llu from "
                       "10.0.%llu.%llu needle%llu\n",
                       (unsigned long long)(i % 50), (unsigned long long)i,
                       (unsigned long long)(i % 900), (unsigned long long)(i / 256 % 256),
                       (unsigned long long)(i % 256), (unsigned long long)i);
    if (i % 17 == 0) len = 0;
    if (i % 7 == 0) {
        len = (int)(hash_mix(i, 1) % sizeof raw);
        for (int k = 0; k < len; k++) raw[k] = (char)hash_mix(i, (uint64_t)k / 40);
    }
    int source_len =
        snprintf(source, sizeof source, "udp\t\t\t10.0.0.%llu", (unsigned long long)(i / 1000));
    int context_len =
        snprintf(context, sizeof context, "#fields %llu", (unsigned long long)(i / 10));
    return (struct record){.raw = slice_make(raw, (size_t)len),
                           .source = slice_make(source, (size_t)source_len),
                           .delivery = i % 3 ? SLICE_NONE : SLICE("key"),
                           .context = slice_make(context, i % 5 ? 0 : (size_t)context_len),
                           .received = (nsec)(i * NSEC_PER_SEC),
                           .ordinal = hash_mix(i, 2),
                           .format = (uint8_t)(i % RECORD_FORMAT_COUNT),
                           .flags = i % 2 ? RECORD_AUTHENTICATED : 0};
}

static bool same_record(const struct record *a, const struct record *b)
{
    return slice_eq(a->raw, b->raw) && slice_eq(a->source, b->source) &&
           slice_eq(a->delivery, b->delivery) && slice_eq(a->context, b->context) &&
           a->received == b->received && a->ordinal == b->ordinal && a->format == b->format &&
           (a->flags & ~RECORD_HAS_LF) == (b->flags & ~RECORD_HAS_LF);
}

static struct sha256 leaf_of(const struct record *r)
{
    struct buf head;
    struct sha256 leaf;
    struct record with_lf = *r;
    buf_init(&head, 4096);
    if (slice_find_byte(r->raw, '\n') != SIZE_MAX) with_lf.flags |= RECORD_HAS_LF;
    record_leaf_head(&head, &with_lf);
    sha256_many(&(struct sha256_message){buf_slice(&head), r->raw}, 1, &leaf);
    buf_done(&head);
    return leaf;
}

/* Seals records begin + lost … begin + lost + n - 1 behind *tree. */
static void seal_with(struct segment_writer *w, struct tree_range *tree, uint64_t lost, uint64_t n,
                      uint32_t block_bytes)
{
    struct segment_options options;
    segment_options_default(&options);
    options.tenant = TENANT;
    options.normaliser = 3;
    options.before = tree;
    options.lost = lost;
    options.block_bytes = block_bytes;
    REQUIRE(segment_writer_begin(w, &options) == 0);
    uint64_t from = tree->end + lost, bytes = 0;
    for (uint64_t i = 0; i < n; i++) {
        struct record r = record_of(from + i);
        struct sha256 leaf = leaf_of(&r);
        /* Blocks whose leaves are all known, some of them, and none. */
        REQUIRE(segment_writer_add(w, &r, i % 1000 < 500 ? &leaf : NULL) == 0);
        bytes += r.raw.len;
    }
    CHECK_INT(segment_writer_bytes(w), bytes);
    CHECK_INT(segment_writer_records(w), n);
    REQUIRE(segment_writer_finish(w, DAY * NSEC_PER_SEC, tree) == 0);
}

static void seal(const struct store_io *io, struct tree_range *tree, uint64_t lost, uint64_t n,
                 uint32_t block_bytes)
{
    struct segment_writer *w;
    REQUIRE(segment_writer_new(io, &w) == 0);
    seal_with(w, tree, lost, n, block_bytes);
    segment_writer_free(w);
}

TEST(segments_give_back_what_was_sealed)
{
    static struct tree_range tree, expected, one;
    struct store_io io = folder("back");
    struct segment *s;
    tree_range_init(&tree, 0);
    tree_range_init(&expected, 0);
    seal(&io, &tree, 0, 3000, 20000);
    seal(&io, &tree, 0, 2500, 8000);
    CHECK_INT(tree.end, 5500);
    REQUIRE(segment_open(&io, 3000, &s) == 0);
    const struct segment_footer *f = segment_footer_of(s);
    CHECK_INT(f->tenant, TENANT);
    CHECK_INT(f->normaliser, 3);
    CHECK_INT(f->begin, 3000);
    CHECK_INT(f->records, 2500);
    CHECK_INT(f->earliest, 3000 * NSEC_PER_SEC);
    CHECK_INT(f->latest, 5499 * NSEC_PER_SEC);
    CHECK_INT(f->sealed, DAY * NSEC_PER_SEC);
    CHECK(f->blocks > 64); /* more than a group */
    for (uint64_t i = 0; i < 5500; i++) {
        struct record r = record_of(i), got;
        struct sha256 leaf = leaf_of(&r);
        tree_range_of_leaves(&one, i, &leaf, 1, NULL);
        tree_range_append(&expected, &one, NULL);
        if (i < 3000) {
            CHECK(segment_read_record(s, i, &got) == ERR_NOT_FOUND);
            continue;
        }
        REQUIRE(segment_read_record(s, i, &got) == 0);
        CHECK(same_record(&r, &got));
    }
    struct record none;
    CHECK(segment_read_record(s, 5500, &none) == ERR_NOT_FOUND);
    struct sha256 root = tree_range_root(&expected), got = tree_range_root(&tree);
    CHECK(sha256_eq(&root, &got));
    CHECK(sha256_eq(&root, &f->root));
    segment_close(s);
    CHECK(segment_open(&io, 1, &s) == ERR_NOT_FOUND);
}

TEST(nodes_of_the_tree_are_kept)
{
    static struct tree_range tree, range;
    static struct sha256 leaves[256], nodes[30];
    struct store_io io = folder("nodes");
    tree_range_init(&tree, 0);
    seal(&io, &tree, 0, 1000, 20000);
    seal(&io, &tree, 0, 100, 20000);
    seal(&io, &tree, 0, 3000, 20000);
    REQUIRE(tiles_read(&io, 1, 0, 16, nodes) == 0);
    CHECK(tiles_read(&io, 1, 0, 17, nodes) == ERR_TRUNCATED);
    CHECK(tiles_read(&io, 2, 0, 1, nodes) == ERR_NOT_FOUND);
    for (uint64_t k = 0; k < 16; k++) {
        for (uint64_t i = 0; i < 256; i++) {
            struct record r = record_of(k * 256 + i);
            leaves[i] = leaf_of(&r);
        }
        tree_range_of_leaves(&range, k * 256, leaves, 256, NULL);
        CHECK(range.n == 1 && sha256_eq(&range.nodes[0], &nodes[k]));
    }
}

/* Sequence numbers without a record have leaves of their own and cannot be read. */
TEST(what_was_lost_is_told)
{
    static struct tree_range tree, expected, range;
    static struct sha256 leaves[2000];
    struct store_io io = folder("lost");
    struct segment *s;
    struct record got;
    tree_range_init(&tree, 0);
    seal(&io, &tree, 0, 100, 20000);
    seal(&io, &tree, 500, 300, 20000);
    seal(&io, &tree, 40, 0, 20000);
    CHECK_INT(tree.end, 940);
    for (uint64_t i = 0; i < 940; i++) {
        struct record r = record_of(i);
        leaves[i] = leaf_of(&r);
        if ((i < 100 || i >= 600) && i < 900) continue;
        sha256_many(&(struct sha256_message){SLICE("\0\0"), SLICE_NONE}, 1, &leaves[i]);
    }
    tree_range_of_leaves(&range, 0, leaves, 940, NULL);
    tree_range_init(&expected, 0);
    tree_range_append(&expected, &range, NULL);
    struct sha256 root = tree_range_root(&expected), is = tree_range_root(&tree);
    CHECK(sha256_eq(&root, &is));
    REQUIRE(segment_open(&io, 100, &s) == 0);
    CHECK_INT(segment_footer_of(s)->lost, 500);
    CHECK(segment_read_record(s, 599, &got) == ERR_NOT_FOUND);
    REQUIRE(segment_read_record(s, 600, &got) == 0);
    struct record r = record_of(600);
    CHECK(same_record(&r, &got));
    segment_close(s);
    REQUIRE(segment_open(&io, 900, &s) == 0);
    CHECK(segment_read_record(s, 930, &got) == ERR_NOT_FOUND);
    segment_close(s);
}

/* How many records a query gives; all of them are among those that `wanted` tells. */
static uint64_t count(struct segment *s, const struct segment_query *query, uint32_t *ret_skipped)
{
    struct segment_cursor c;
    struct record r;
    uint64_t n = 0, seq, before = 0;
    int answer;
    REQUIRE(segment_cursor_init(&c, s, query) == 0);
    while ((answer = segment_cursor_next(&c, &seq, &r)) == 1) {
        struct record expected = record_of(seq);
        CHECK(same_record(&expected, &r));
        CHECK(n == 0 || seq > before);
        before = seq;
        n++;
    }
    CHECK_INT(answer, 0);
    *ret_skipped = c.skipped;
    segment_cursor_done(&c);
    return n;
}

TEST(queries_skip_blocks_and_miss_nothing)
{
    static struct tree_range tree;
    struct store_io io = folder("query");
    struct segment *s;
    uint32_t skipped;
    tree_range_init(&tree, 0);
    seal(&io, &tree, 0, 5000, 20000);
    REQUIRE(segment_open(&io, 0, &s) == 0);
    uint32_t blocks = segment_footer_of(s)->blocks;
    struct segment_query q = SEGMENT_ANY;
    CHECK_INT(count(s, &q, &skipped), 5000);
    CHECK_INT(skipped, 0);
    q.from = 2000 * NSEC_PER_SEC;
    q.to = 2100 * NSEC_PER_SEC;
    CHECK_INT(count(s, &q, &skipped), 100);
    CHECK(skipped > blocks - 6);
    q = SEGMENT_ANY;
    q.source = SLICE("10.0.0.3");
    CHECK_INT(count(s, &q, &skipped), 1000);
    CHECK(skipped > blocks / 2);
    q.source = SLICE("10.9");
    CHECK_INT(count(s, &q, &skipped), 0);
    CHECK_INT(skipped, blocks);
    segment_close(s);
}

TEST(a_needle_is_found_through_the_filters)
{
    static struct tree_range tree;
    struct store_io io = folder("needle");
    struct segment *s;
    struct segment_cursor c;
    struct record r;
    uint64_t seq, tokens[TOKEN_LITERAL_MAX], read = 0, all = 0;
    tree_range_init(&tree, 0);
    seal(&io, &tree, 0, 5000, 20000);
    REQUIRE(segment_open(&io, 0, &s) == 0);
    for (uint64_t i = 1; i < 5000; i += 97) {
        char literal[64];
        if (i % 7 == 0 || i % 17 == 0) continue;
        int len = snprintf(literal, sizeof literal, " needle%llu\n", (unsigned long long)i);
        struct segment_query q = SEGMENT_ANY;
        int n = token_of_literal(slice_make(literal, (size_t)len), tokens);
        REQUIRE(n == 1);
        q.tokens = tokens;
        q.n_tokens = 1;
        bool found = false;
        REQUIRE(segment_cursor_init(&c, s, &q) == 0);
        while (segment_cursor_next(&c, &seq, &r) == 1) found |= seq == i;
        read += segment_footer_of(s)->blocks - c.skipped;
        all += segment_footer_of(s)->blocks;
        segment_cursor_done(&c);
        CHECK(found);
    }
    CHECK(read < all / 20);
    segment_close(s);
}

/* Every byte of a segment is covered: a change is refused or touches only what it says. */
TEST(damage_is_noticed)
{
    static struct tree_range tree;
    struct store_io io = folder("damage");
    struct segment *s;
    struct record r;
    tree_range_init(&tree, 0);
    seal(&io, &tree, 0, 400, 20000);
    int file = io.open(io.ctx, "segment-00000000000000000000", STORE_WRITE);
    REQUIRE(file >= 0);
    int64_t size = io.size(io.ctx, file);
    REQUIRE(size > 0);
    for (uint64_t round = 0; round < 600; round++) {
        uint64_t at =
            round < 300 ? hash_mix(round, 3) % (uint64_t)size : (uint64_t)size - 1 - (round - 300);
        char before, changed;
        REQUIRE(io.read(io.ctx, file, &before, 1, at) == 1);
        changed = (char)(before ^ (1 << hash_mix(round, 4) % 8));
        REQUIRE(io.write(io.ctx, file, slice_make(&changed, 1), at) == 1);
        int error = segment_open(&io, 0, &s);
        if (error == 0) {
            /* A block, or a row of filters, which then lets everything through. */
            struct segment_cursor c;
            uint64_t seq, n = 0, bad = 0;
            struct segment_query q = SEGMENT_ANY;
            uint64_t token = 5;
            q.tokens = &token;
            q.n_tokens = round % 2;
            REQUIRE(segment_cursor_init(&c, s, &q) == 0);
            for (int answer; (answer = segment_cursor_next(&c, &seq, &r)) != 0;) {
                struct record expected = record_of(seq);
                if (answer == 1) CHECK(same_record(&expected, &r));
                else CHECK_INT(answer, ERR_CORRUPT);
                n += answer == 1;
                bad += answer != 1;
            }
            CHECK(bad <= 1 && (round % 2 || n + bad > 300));
            segment_cursor_done(&c);
            segment_close(s);
        } else {
            CHECK(error == ERR_CORRUPT || error == ERR_UNSUPPORTED || error == ERR_TRUNCATED);
        }
        REQUIRE(io.write(io.ctx, file, slice_make(&before, 1), at) == 1);
    }
    io.close(io.ctx, file);
    REQUIRE(segment_open(&io, 0, &s) == 0);
    segment_close(s);
}

TEST(what_is_not_finished_leaves_nothing)
{
    static struct tree_range tree;
    struct store_io io = folder("unfinished");
    struct segment_options options;
    struct segment_writer *w;
    struct segment *s;
    tree_range_init(&tree, 0);
    segment_options_default(&options);
    options.before = &tree;
    REQUIRE(segment_writer_new(&io, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    struct record r = record_of(1);
    REQUIRE(segment_writer_add(w, &r, NULL) == 0);
    segment_writer_free(w);
    CHECK(io.open(io.ctx, "sealing-00000000000000000000", STORE_READ) == ERR_NOT_FOUND);
    CHECK(segment_open(&io, 0, &s) == ERR_NOT_FOUND);
    /* Nor does a segment without records come to be. */
    REQUIRE(segment_writer_new(&io, &w) == 0);
    REQUIRE(segment_writer_begin(w, &options) == 0);
    CHECK(segment_writer_finish(w, 0, &tree) == ERR_INVALID);
    options.lost = SEGMENT_LOST_MAX + 1;
    CHECK(segment_writer_begin(w, &options) == ERR_INVALID);
    CHECK(io.open(io.ctx, "sealing-00000000000000000000", STORE_READ) == ERR_NOT_FOUND);
    segment_writer_free(w);
}

static bool same_segment(const struct store_io *a, const struct store_io *b, uint64_t begin)
{
    static char bytes[2][4 << 20];
    const struct store_io *io[] = {a, b};
    char name[STORE_NAME_MAX + 1];
    int64_t n[2];
    segment_name(name, "segment", begin);
    for (int i = 0; i < 2; i++) {
        int file = io[i]->open(io[i]->ctx, name, STORE_READ);
        REQUIRE(file >= 0);
        n[i] = store_io_read(io[i], file, bytes[i], sizeof bytes[i], 0);
        io[i]->close(io[i]->ctx, file);
    }
    REQUIRE(n[0] > 0 && n[0] < (int64_t)sizeof bytes[0]);
    return n[0] == n[1] && memcmp(bytes[0], bytes[1], (size_t)n[0]) == 0;
}

/* What one writer has written, also what it did not finish, leaves no trace in the next segment. */
TEST(one_writer_writes_many_segments)
{
    static struct tree_range tree, again;
    struct store_io io = folder("many"), other = folder("each");
    struct segment_options options;
    struct segment_writer *w;
    struct record r = record_of(3);
    tree_range_init(&tree, 0);
    tree_range_init(&again, 0);
    segment_options_default(&options);
    options.before = &again;
    REQUIRE(segment_writer_new(&other, &w) == 0);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t begin = tree.end, n = 3000 - 900 * i;
        REQUIRE(segment_writer_begin(w, &options) == 0);
        REQUIRE(segment_writer_add(w, &r, NULL) == 0);
        seal(&io, &tree, 5 * i, n, 20000);
        seal_with(w, &again, 5 * i, n, 20000);
        CHECK(same_segment(&io, &other, begin));
    }
    segment_writer_free(w);
}

TEST(names_of_segments)
{
    char name[STORE_NAME_MAX + 1];
    uint64_t begin;
    segment_name(name, "segment", 42);
    CHECK_SLICE(slice_of(name), "segment-00000000000000000042");
    CHECK(segment_name_read(name, "segment", &begin) && begin == 42);
    CHECK(!segment_name_read(name, "footer", &begin));
    CHECK(!segment_name_read("segment-42", "segment", &begin));
    CHECK(!segment_name_read("segment-0000000000000000004x", "segment", &begin));
    CHECK(!segment_name_read("segmentx00000000000000000042", "segment", &begin));
}
