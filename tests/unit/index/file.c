/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/file.h"

#include "base/hash.h"
#include "store/disk.h"
#include "test.h"

enum { BLOCKS = 70, TOKENS = 300, VERSION = 7 };

static const struct segment_footer footer = {
    .version = SEGMENT_VERSION, .tenant = 3, .blocks = BLOCKS, .begin = 12};

static uint64_t hash_of(uint64_t block, uint64_t i)
{
    uint64_t number = block * 1000 + i;
    return hash64(slice_make(&number, sizeof number));
}

/* Two events a block: "N" and nothing. */
static void put_cells(struct cells_writer *w, uint64_t block)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)block);
    const struct cell some = {slice_of(text), CELL_NUMBER}, none = {SLICE_NONE, CELL_NONE};
    REQUIRE(cells_writer_add(w, &some) == 0 && cells_writer_add(w, &none) == 0);
    cells_writer_end(w, (uint32_t)block, block != 5);
}

/* Each block has tokens of its own; number 5 may have any. */
static void write(const struct store_io *io, const char *name)
{
    static const struct slice field = {"f", 1};
    struct index_writer w;
    struct filter_group group;
    struct cells_writer *cells = cells_writer_new(&field, 1);
    struct buf out;
    REQUIRE(cells);
    index_writer_init(&w);
    filter_group_init(&group);
    group.sparse = INDEX_SPARSE;
    buf_init(&out, INDEX_FILE_MAX);
    for (uint64_t b = 0; b < BLOCKS; b++) {
        uint32_t keys[TOKENS];
        for (uint64_t i = 0; i < TOKENS; i++) keys[i] = (uint32_t)(hash_of(b, i) >> 32) | 1;
        REQUIRE(filter_group_add(&group, keys, TOKENS, b == 5) == 0);
        put_cells(cells, b);
        if (b + 1 == FILTER_BLOCKS || b + 1 == BLOCKS)
            REQUIRE(index_writer_add(&w, &group, cells, 0) == 0);
    }
    REQUIRE(index_writer_put(&w, &(struct index_key){&footer, VERSION}, &out) == 0);
    REQUIRE(store_io_replace(io, name, buf_slice(&out)) == 0);
    buf_done(&out);
    filter_group_done(&group);
    cells_writer_free(cells);
    index_writer_done(&w);
}

/* 0, or why it cannot be asked. */
static int open_as(const struct store_io *io, const struct segment_footer *of, uint64_t version,
                   struct index_file *f)
{
    int file = io->open(io->ctx, "index-12", STORE_READ);
    REQUIRE(file >= 0);
    int error = index_file_init(f, io, file, &(struct index_key){of, version});
    if (error) io->close(io->ctx, file);
    return error;
}

static void close_file(struct index_file *f)
{
    f->io->close(f->io->ctx, f->file);
    index_file_done(f);
}

/* Whether a token of its own is found in each block, or the file says that it is damaged. */
static bool tells_all(const struct index_file *f)
{
    uint64_t may;
    for (uint32_t b = 0; b < BLOCKS; b++)
        for (uint64_t i = b % 50; i < TOKENS; i += 150) {
            uint32_t group = b / FILTER_BLOCKS, n = group ? BLOCKS - FILTER_BLOCKS : FILTER_BLOCKS;
            int error = index_file_ask(f, group, n, hash_of(b, i), &may);
            if (error == ERR_CORRUPT) continue;
            if (error || !(may >> b % FILTER_BLOCKS & 1)) return false;
        }
    return true;
}

/* What put_cells() has put. */
static void check_cells(const struct cells_group *g, uint32_t first_block)
{
    struct cells_column c;
    CHECK_INT(cells_column_read(g, SLICE("other"), &c), 0);
    REQUIRE(cells_column_read(g, SLICE("f"), &c) == 1);
    for (uint32_t b = 0; b < g->blocks; b++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%u", first_block + b);
        CHECK_INT(g->first[b + 1] - g->first[b], 2);
        CHECK_INT(g->undecodable[b], first_block + b);
        const struct cell *some = &c.values[cells_column_at(&c, g->first[b])];
        const struct cell *none = &c.values[cells_column_at(&c, g->first[b] + 1)];
        CHECK_SLICE(some->text, text);
        CHECK(some->kind == CELL_NUMBER && none->kind == CELL_NONE);
    }
    cells_column_done(&c);
}

TEST(each_event_has_its_cells)
{
    struct disk disk;
    struct index_file f;
    struct cells_group g;
    struct buf bytes;
    disk_init(&disk);
    buf_init(&bytes, CELLS_MAX + 1);
    struct store_io io = disk_io(&disk);
    write(&io, "index-12");
    REQUIRE(open_as(&io, &footer, VERSION, &f) == 0);
    for (uint32_t group = 0; group < 2; group++) {
        REQUIRE(index_file_cells(&f, group, &bytes) == 0);
        REQUIRE(cells_group_read(buf_slice(&bytes), &g) == 0);
        CHECK_INT(g.blocks, group ? BLOCKS - FILTER_BLOCKS : FILTER_BLOCKS);
        CHECK(group || g.whole == ~(UINT64_C(1) << 5));
        check_cells(&g, group * FILTER_BLOCKS);
        bytes.ptr[hash_mix(group, 3) % bytes.len] ^= 1;
        CHECK_INT(cells_group_read(buf_slice(&bytes), &g), ERR_CORRUPT);
        CHECK_INT(cells_group_read(slice_until(buf_slice(&bytes), 10), &g), ERR_CORRUPT);
    }
    close_file(&f);
    buf_done(&bytes);
    disk_done(&disk);
}

/* One that is large, and one that is small; which are there when they may take so much. */
static void check_room(size_t most, bool large, bool small)
{
    static const struct slice names[] = {{"large", 5}, {"small", 5}};
    struct cells_writer *w = cells_writer_new(names, 2);
    struct cells_group g;
    struct cells_column c;
    struct buf out;
    buf_init(&out, CELLS_MAX);
    REQUIRE(w);
    for (uint64_t i = 0; i < 4096; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%llx", (unsigned long long)hash_mix(i, 9));
        const struct cell cells[] = {{slice_of(text), CELL_TEXT}, {SLICE("same"), CELL_TEXT}};
        REQUIRE(cells_writer_add(w, cells) == 0);
    }
    cells_writer_end(w, 0, true);
    REQUIRE(cells_writer_put(w, most, &out) == 0);
    REQUIRE(cells_group_read(buf_slice(&out), &g) == 0);
    CHECK_INT(g.first[1], 4096);
    const bool there[] = {large, small};
    for (size_t i = 0; i < 2; i++) {
        int got = cells_column_read(&g, names[i], &c);
        CHECK_INT(got, there[i]);
        if (got == 1) cells_column_done(&c);
    }
    CHECK(out.len < most + 1024);
    cells_writer_free(w);
    buf_done(&out);
}

TEST(fields_for_which_there_is_no_room_are_left_out)
{
    check_room(1024 * 1024, true, true);
    check_room(16 * 1024, false, true);
    check_room(0, false, false);
}

/* What has more values than can be told apart is not kept; what else there is is. */
TEST(a_field_of_too_many_values_is_left_out)
{
    static const struct slice names[] = {{"many", 4}, {"few", 3}, {"some", 4}};
    struct cells_writer *w = cells_writer_new(names, 3);
    struct cells_group g;
    struct cells_column c;
    struct buf out;
    buf_init(&out, CELLS_MAX);
    REQUIRE(w);
    for (uint32_t i = 0; i <= CELLS_VALUES_MAX; i++) {
        char many[24], some[24];
        (void)snprintf(many, sizeof many, "%u", i);
        (void)snprintf(some, sizeof some, "%u", i % 1000);
        const struct cell cells[] = {{slice_of(many), CELL_TEXT},
                                     {i % 2 ? SLICE("odd") : SLICE("even"), CELL_TEXT},
                                     {slice_of(some), CELL_TEXT}};
        REQUIRE(cells_writer_add(w, cells) == 0);
    }
    cells_writer_end(w, 0, true);
    REQUIRE(cells_writer_put(w, CELLS_MAX, &out) == 0);
    REQUIRE(cells_group_read(buf_slice(&out), &g) == 0);
    CHECK_INT(cells_column_read(&g, names[0], &c), 0);
    REQUIRE(cells_column_read(&g, names[1], &c) == 1);
    CHECK_INT(c.n, 2);
    CHECK_SLICE(c.values[cells_column_at(&c, 777)].text, "odd");
    cells_column_done(&c);
    REQUIRE(cells_column_read(&g, names[2], &c) == 1);
    CHECK_INT(c.n, 1000);
    CHECK_SLICE(c.values[cells_column_at(&c, 31999)].text, "999");
    cells_column_done(&c);
    cells_writer_free(w);
    buf_done(&out);
}

TEST(each_block_has_its_tokens)
{
    struct disk disk;
    struct index_file f;
    uint64_t may, others = 0;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    write(&io, "index-12");
    REQUIRE(open_as(&io, &footer, VERSION, &f) == 0);
    CHECK(tells_all(&f));
    CHECK_INT(index_file_check(&f), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        REQUIRE(index_file_ask(&f, 0, FILTER_BLOCKS, hash_of(1000, i), &may) == 0);
        CHECK(may >> 5 & 1);
        others += (uint64_t)__builtin_popcountll(may) - 1;
    }
    /* One in INDEX_SPARSE of 63,000. */
    CHECK(others > 0 && others < 200);
    close_file(&f);
    disk_done(&disk);
}

TEST(an_index_of_something_else_is_none)
{
    struct disk disk;
    struct index_file f;
    struct segment_footer other = footer;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    write(&io, "index-12");
    CHECK_INT(open_as(&io, &footer, VERSION + 1, &f), ERR_UNSUPPORTED);
    other.tenant++;
    CHECK_INT(open_as(&io, &other, VERSION, &f), ERR_UNSUPPORTED);
    other = footer;
    other.root.bytes[31] = 1;
    CHECK_INT(open_as(&io, &other, VERSION, &f), ERR_UNSUPPORTED);
    other = footer;
    other.blocks--;
    CHECK_INT(open_as(&io, &other, VERSION, &f), ERR_UNSUPPORTED);
    disk_done(&disk);
}

/* One bit is another: it is told, or nothing is missed. */
TEST(no_damage_hides_a_block)
{
    struct disk disk;
    struct index_file f;
    size_t size;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    write(&io, "index-12");
    char *bytes = disk_bytes(&disk, "index-12", &size);
    for (size_t i = 0; i < 500; i++) {
        size_t at = i < 250 ? i : hash_mix(i, 5) % size;
        char bit = (char)(1 << hash_mix(i, 6) % 8);
        bytes[at] = (char)(bytes[at] ^ bit);
        int error = open_as(&io, &footer, VERSION, &f);
        CHECK(error == 0 || error == ERR_CORRUPT || error == ERR_UNSUPPORTED);
        if (error == 0) {
            CHECK_INT(index_file_check(&f), ERR_CORRUPT);
            CHECK(tells_all(&f));
            close_file(&f);
        }
        bytes[at] = (char)(bytes[at] ^ bit);
    }
    disk_done(&disk);
}

TEST(what_is_cut_or_longer_is_damaged)
{
    struct disk disk;
    struct index_file f;
    size_t size;
    disk_init(&disk);
    struct store_io io = disk_io(&disk);
    write(&io, "index-12");
    (void)disk_bytes(&disk, "index-12", &size);
    int file = io.open(io.ctx, "index-12", STORE_WRITE);
    REQUIRE(store_io_write(&io, file, SLICE("x"), size) == 0);
    CHECK_INT(open_as(&io, &footer, VERSION, &f), ERR_CORRUPT);
    for (size_t to = size - 1; to + 700 > size && to > 0; to -= 13) {
        REQUIRE(io.truncate(io.ctx, file, to) == 0);
        CHECK_INT(open_as(&io, &footer, VERSION, &f), ERR_CORRUPT);
    }
    REQUIRE(io.truncate(io.ctx, file, 3) == 0);
    CHECK_INT(open_as(&io, &footer, VERSION, &f), ERR_CORRUPT);
    io.close(io.ctx, file);
    disk_done(&disk);
}
