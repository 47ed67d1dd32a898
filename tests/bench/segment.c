/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What sealing costs on one core: vaka-bench-segment FOLDER MIB [--store STORE | FILE…]. Records
 * are those of the segments of STORE, with all that is known of them, as script/bench seal makes
 * it. Or lines of the files take turns at random and half of their numbers are replaced by others,
 * so that the values do not repeat as the few samples do; without files, lines are made from a few
 * forms. Writes into FOLDER, which is removed by nobody.
 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/le.h"
#include "store/filter.h"
#include "store/segment.h"
#include "store/token.h"

enum { LINE_MAX_BYTES = 8192, RECORD_BYTES_MIN = 40, SEGMENTS = 4, ASKED = 2000 };

struct input {
    struct buf text;
    struct slice *lines;
    size_t n;
    struct buf bytes; /* of records or batches, one behind the other */
    struct record *records;
    size_t n_records;
    uint64_t raw_bytes, state;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "vaka-bench-segment: %s\n", what);
    exit(1);
}

static uint64_t next_random(struct input *in)
{
    return hash_mix(++in->state, 0x5eed);
}

/* ---- records ----------------------------------------------------------------------------- */

static void read_files(struct input *in, char **paths, int n)
{
    buf_init(&in->text, 1 << 30);
    for (int i = 0; i < n; i++) {
        FILE *f = fopen(paths[i], "rbe");
        if (!f) fail(paths[i]);
        for (size_t got = 1; got > 0;) {
            char *to = buf_reserve(&in->text, 65536);
            if (!to) fail("files are too large");
            got = fread(to, 1, 65536, f);
            in->text.len += got;
        }
        (void)fclose(f);
        buf_putc(&in->text, '\n');
    }
}

static void make_lines(struct input *in)
{
    static const char *const forms[] = {
        "<86>Oct 11 22:14:15 host%u sshd[%u]: Failed password for invalid user u%x from "
        "10.%u.%u.%u "
        "port %u ssh2",
        "192.0.2.%u - - [10/Oct/2026:13:55:36 +0000] \"GET /item/%u?session=%x HTTP/1.1\" 200 %u "
        "\"-\" "
        "\"agent/%u.%u\" %u",
        "{\"ts\":\"2026-10-11T22:14:15.%uZ\",\"pid\":%u,\"hash\":\"%x\",\"src\":\"10.0.%u.%u\","
        "\"bytes\":%u,\"dur\":%u}",
        "date=2026-10-11 devname=fw%u logid=%u sessionid=%x srcip=10.1.%u.%u dstport=%u "
        "policyid=%u"};
    buf_init(&in->text, 1 << 26);
    for (int i = 0; i < 20000; i++) {
        unsigned r[7];
        for (int k = 0; k < 7; k++) r[k] = (unsigned)next_random(in);
        const char *form = forms[i % 4];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(&in->text, form, r[0] % 200, r[1] % 65536, r[2], r[3] % 256, r[4] % 256,
                   r[5] % 256, r[6] % 65536);
#pragma GCC diagnostic pop
        buf_putc(&in->text, '\n');
    }
}

static void split_lines(struct input *in)
{
    struct slice rest = buf_slice(&in->text), line;
    in->lines = malloc((in->text.len / RECORD_BYTES_MIN + 1) * sizeof *in->lines);
    if (!in->lines) fail("out of memory");
    for (bool more = true; more;) {
        more = slice_split(rest, '\n', &line, &rest);
        if (line.len >= RECORD_BYTES_MIN && line.len <= LINE_MAX_BYTES) in->lines[in->n++] = line;
    }
    if (in->n == 0) fail("no lines");
}

/* A number keeps its length and its place among words. */
static void mutate(struct input *in, struct slice line, char *to)
{
    memcpy(to, line.ptr, line.len);
    for (size_t i = 0; i < line.len; i++) {
        if (to[i] < '0' || to[i] > '9') continue;
        bool change = next_random(in) & 1;
        uint64_t r = next_random(in);
        for (; i < line.len && to[i] >= '0' && to[i] <= '9'; i++, r = r / 10 + (r << 60))
            if (change) to[i] = (char)('0' + r % 10);
    }
}

static void add_record(struct input *in, const struct record *r)
{
    in->records[in->n_records++] = *r;
    in->raw_bytes += r->raw.len;
}

static void make_records(struct input *in, size_t bytes)
{
    buf_init(&in->bytes, bytes + LINE_MAX_BYTES);
    in->records = malloc((bytes / RECORD_BYTES_MIN + 1) * sizeof *in->records);
    /* All at once: records point into it. */
    if (!in->records || !buf_reserve(&in->bytes, bytes + LINE_MAX_BYTES)) fail("out of memory");
    while (in->raw_bytes < bytes) {
        struct slice line = in->lines[next_random(in) % in->n];
        char *to = in->bytes.ptr + in->bytes.len;
        mutate(in, line, to);
        in->bytes.len += line.len;
        add_record(in, &(struct record){.raw = slice_make(to, line.len),
                                        .source = SLICE("syslog-tcp\tdefault\t\t10.1.2.3"),
                                        .received = (nsec)in->n_records * 600000,
                                        .ordinal = in->n_records,
                                        .format = RECORD_TEXT});
    }
}

/* ---- records of a store ------------------------------------------------------------------ */

static void read_block(struct input *in, const struct batch *batch)
{
    struct batch kept;
    struct batch_iter it;
    struct record r;
    char *to = in->bytes.ptr + in->bytes.len;
    if (batch->bytes.len > in->bytes.cap - in->bytes.len) return;
    memcpy(to, batch->bytes.ptr, batch->bytes.len);
    in->bytes.len += batch->bytes.len;
    if (batch_open(slice_make(to, batch->bytes.len), &kept)) fail("a block is none");
    batch_iter_init(&it, &kept);
    while (batch_iter_next(&it, &r)) add_record(in, &r);
}

static void read_segment(struct input *in, const struct store_io *io, uint64_t begin, size_t bytes)
{
    struct segment *s;
    struct batch b;
    if (segment_open(io, begin, &s)) fail("cannot open a segment");
    for (uint32_t i = 0; i < segment_footer_of(s)->blocks && in->raw_bytes < bytes; i++) {
        if (segment_read_block(s, i, &b)) fail("cannot read a block");
        read_block(in, &b);
    }
    segment_close(s);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void read_store(struct input *in, const char *path, size_t bytes)
{
    static uint64_t begins[1024];
    size_t n = 0, room = 2 * bytes + BATCH_MAX;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = opendir(path);
    if (fd < 0 || !folder) fail("cannot open the store");
    struct store_io io = store_io_system(fd);
    for (const struct dirent *e; n < 1024 && (e = readdir(folder));)
        n += segment_name_read(e->d_name, "segment", &begins[n]);
    (void)closedir(folder);
    qsort(begins, n, sizeof *begins, compare_numbers);
    buf_init(&in->bytes, room);
    in->records = malloc((room / BATCH_ROW) * sizeof *in->records);
    if (!in->records || !buf_reserve(&in->bytes, room)) fail("out of memory");
    for (size_t i = 0; i < n && in->raw_bytes < bytes; i++) read_segment(in, &io, begins[i], bytes);
    if (in->raw_bytes < bytes) fail("the store has fewer records");
    (void)close(fd);
}

/* ---- measurements ------------------------------------------------------------------------ */

/* Of this process: others on the machine do not count. */
static nsec now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void tell(const char *what, uint64_t bytes, nsec since)
{
    (void)printf("%-34s %8.1f MB/s\n", what, (double)bytes * 1e3 / (double)(now() - since));
    (void)fflush(stdout);
}

static void measure_hashes(const struct input *in)
{
    struct sha256_message *messages = calloc(in->n_records, sizeof *messages);
    struct sha256 *out = malloc(in->n_records * sizeof *out);
    if (!messages || !out) fail("out of memory");
    for (size_t i = 0; i < in->n_records; i++) messages[i].body = in->records[i].raw;
    nsec start = now();
    sha256_many_portable(messages, in->n_records, out);
    tell("hashes, nettle", in->raw_bytes, start);
    start = now();
    sha256_many(messages, in->n_records, out);
    tell("hashes, two at a time", in->raw_bytes, start);
    free(messages);
    free(out);
}

/* What is added up over the blocks of a group. */
struct tokens {
    struct token_set *set;
    struct filter_group group;
    struct buf out, firsts;
    struct filter_head head; /* of the last group … */
    uint32_t blocks;         /* … and how many are in it */
    uint64_t bytes, n;
    nsec filters;
};

static void take_block(struct tokens *t, bool last)
{
    uint32_t n;
    const uint32_t *keys = token_set_keys(t->set, &n);
    nsec start = now();
    if (filter_group_add(&t->group, keys, n, token_set_full(t->set))) fail("out of memory");
    t->n += n;
    token_set_clear(t->set);
    if (t->group.n == FILTER_BLOCKS || last) {
        buf_clear(&t->out);
        buf_clear(&t->firsts);
        t->blocks = t->group.n;
        if (filter_group_finish(&t->group, &t->out, &t->firsts, &t->head)) fail("out of memory");
        t->bytes += t->out.len;
    }
    t->filters += now() - start;
}

static void measure_questions(const struct tokens *t)
{
    uint32_t pages = filter_pages(t->head.bytes);
    uint64_t found = 0;
    nsec start = now();
    for (uint64_t i = 0; i < ASKED; i++) {
        uint32_t value = filter_value(hash_mix(i, 99), t->head.values);
        int page = filter_page_of(t->firsts.ptr, pages, value);
        if (page == FILTER_NO_PAGE) continue;
        struct slice bytes = slice_make(t->out.ptr + (size_t)page * FILTER_PAGE,
                                        filter_page_size(t->head.bytes, (uint32_t)page));
        found += filter_test(bytes, le32(t->firsts.ptr + 4 * (size_t)page), t->head.rice, t->blocks,
                             value) != 0;
    }
    double each = (double)(now() - start) / 1e3 / ASKED;
    (void)printf("%-34s %8.2f us, of %u blocks, %.1f %% in any\n", "a token asked", each, t->blocks,
                 100.0 * (double)found / ASKED);
}

static void measure_tokens(const struct input *in)
{
    struct tokens t = {.set = token_set_new()};
    size_t block = 0;
    if (!t.set) fail("out of memory");
    filter_group_init(&t.group);
    buf_init(&t.out, 1 << 28);
    buf_init(&t.firsts, 1 << 20);
    nsec start = now();
    for (size_t i = 0; i < in->n_records; i++) {
        if (token_set_add(t.set, in->records[i].raw)) fail("out of memory");
        block += in->records[i].raw.len;
        bool last = i + 1 == in->n_records;
        if (block < SEGMENT_BLOCK && !last) continue;
        take_block(&t, last);
        block = 0;
    }
    tell("tokens", in->raw_bytes, start + t.filters);
    tell("filters", in->raw_bytes, now() - t.filters);
    (void)printf("%-34s %8.2f %% of raw, %.0f tokens a MiB\n", "size of filters",
                 100.0 * (double)t.bytes / (double)in->raw_bytes,
                 (double)t.n / ((double)in->raw_bytes / (1 << 20)));
    measure_questions(&t);
    filter_group_done(&t.group);
    buf_done(&t.out);
    buf_done(&t.firsts);
    token_set_free(t.set);
}

/* The yardstick: what zstd alone does with blocks of the same records. */
static void measure_zstd(const struct input *in, int level)
{
    size_t bound = ZSTD_compressBound(SEGMENT_BLOCK + RECORD_MAX), packed = 0, used = 0;
    char *out = malloc(bound), *block = malloc(SEGMENT_BLOCK + RECORD_MAX), what[64];
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    if (!out || !block || !ctx) fail("out of memory");
    nsec start = now();
    for (size_t i = 0; i < in->n_records; i++) {
        memcpy(block + used, in->records[i].raw.ptr, in->records[i].raw.len);
        used += in->records[i].raw.len;
        if (used < SEGMENT_BLOCK && i + 1 < in->n_records) continue;
        packed += ZSTD_compressCCtx(ctx, out, bound, block, used, level);
        used = 0;
    }
    (void)snprintf(what, sizeof what, "zstd %d alone", level);
    tell(what, in->raw_bytes, start);
    (void)printf("%-34s %8.2f\n", "ratio", (double)in->raw_bytes / (double)packed);
    (void)ZSTD_freeCCtx(ctx);
    free(out);
    free(block);
}

/* How often a token that no block has is said to be in one. */
static double false_positives(const struct store_io *io, uint64_t begin)
{
    struct segment *s;
    uint64_t skipped = 0;
    if (segment_open(io, begin, &s)) fail("cannot open the segment");
    uint32_t blocks = segment_footer_of(s)->blocks;
    for (uint64_t i = 0; i < ASKED; i++) {
        uint64_t seq, token = hash_mix(i, 77);
        struct segment_query q = SEGMENT_ANY;
        struct segment_cursor c;
        struct record r;
        q.tokens = &token;
        q.n_tokens = 1;
        if (segment_cursor_init(&c, s, &q)) fail("out of memory");
        while (segment_cursor_next(&c, &seq, &r) == 1) {
        }
        skipped += c.skipped;
        segment_cursor_done(&c);
    }
    segment_close(s);
    return 1 - (double)skipped / ((double)blocks * ASKED);
}

static uint64_t size_of(const struct store_io *io, uint64_t begin)
{
    char name[STORE_NAME_MAX + 1];
    segment_name(name, "segment", begin);
    int file = io->open(io->ctx, name, STORE_READ);
    int64_t size = file < 0 ? -1 : io->size(io->ctx, file);
    if (size <= 0) fail("cannot read the segment");
    io->close(io->ctx, file);
    return (uint64_t)size;
}

static void write_segment(const struct input *in, struct segment_writer *w, int level,
                          struct tree_range *tree)
{
    struct segment_options options;
    segment_options_default(&options);
    options.before = tree;
    options.level_text = options.level_json = level;
    if (segment_writer_begin(w, &options)) fail("cannot begin a segment");
    for (size_t i = 0; i < in->n_records; i++)
        if (segment_writer_add(w, &in->records[i], NULL)) fail("cannot add a record");
    if (segment_writer_finish(w, 0, tree)) fail("cannot finish the segment");
}

static void measure_seal(const struct input *in, const struct store_io *io, int level,
                         struct tree_range *tree)
{
    struct segment_writer *w;
    struct segment *s;
    char what[64];
    uint64_t begin = tree->end;
    if (segment_writer_new(io, &w)) fail("out of memory");
    nsec start = now();
    write_segment(in, w, level, tree);
    (void)snprintf(what, sizeof what, "seal, zstd %d", level);
    tell(what, in->raw_bytes, start);
    segment_writer_free(w);
    (void)printf("%-34s %8.2f with filters and index\n", "ratio",
                 (double)in->raw_bytes / (double)size_of(io, begin));
    if (segment_open(io, begin, &s)) fail("cannot open the segment");
    start = now();
    for (uint32_t i = 0; i < segment_footer_of(s)->blocks; i++) {
        struct batch b;
        if (segment_read_block(s, i, &b)) fail("cannot read a block");
    }
    tell("read all blocks", in->raw_bytes, start);
    segment_close(s);
    (void)printf("%-34s %8.2f %%\n", "false positives", 100 * false_positives(io, begin));
}

static uint64_t kib_in_memory(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*u %lu", &pages) != 1) fail("/proc/self/statm");
    (void)fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* What one writer adds to the memory of its process, segment after segment. */
static void measure_memory(const struct input *in, const struct store_io *io,
                           struct tree_range *tree)
{
    struct segment_writer *w;
    uint64_t before = kib_in_memory();
    if (segment_writer_new(io, &w)) fail("out of memory");
    for (int i = 0; i < SEGMENTS; i++) {
        write_segment(in, w, 1, tree);
        (void)printf("memory of the writer, segment %d      %8llu KiB\n", i + 1,
                     (unsigned long long)(kib_in_memory() - before));
    }
    segment_writer_free(w);
}

int main(int argc, char **argv)
{
    static struct tree_range tree;
    struct input in = {.state = 1};
    uint64_t mib;
    if (argc < 3 || !slice_to_u64(slice_of(argv[2]), &mib) || mib == 0 || mib > 1000)
        fail("usage: vaka-bench-segment FOLDER MIB [--store STORE | FILE...]");
    int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) fail("cannot open the folder");
    if (argc == 5 && strcmp(argv[3], "--store") == 0) {
        read_store(&in, argv[4], (size_t)mib << 20);
    } else {
        if (argc > 3) read_files(&in, argv + 3, argc - 3);
        else make_lines(&in);
        split_lines(&in);
        make_records(&in, (size_t)mib << 20);
    }
    (void)printf("%zu records, %zu bytes on average\n", in.n_records,
                 (size_t)in.raw_bytes / in.n_records);
    struct store_io io = store_io_system(folder);
    tree_range_init(&tree, 0);
    measure_memory(&in, &io, &tree);
    measure_hashes(&in);
    measure_tokens(&in);
    for (int level = 1; level <= 3; level++) {
        measure_zstd(&in, level);
        measure_seal(&in, &io, level, &tree);
    }
    return 0;
}
