/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What sealing costs on one core: vaka-bench-segment FOLDER MIB [FILE…]. Lines of the files take
 * turns at random and half of their numbers are replaced by others, so that the values do not
 * repeat as the few samples do; without files, lines are made from a few forms. Writes into FOLDER,
 * which is removed by nobody.
 */
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/filter.h"
#include "store/segment.h"
#include "store/token.h"

enum { LINE_MAX_BYTES = 8192, RECORD_BYTES_MIN = 40 };

struct input {
    struct buf text;
    struct slice *lines;
    size_t n;
    struct buf records; /* raw, one behind the other */
    uint32_t *lengths;
    size_t n_records;
    uint64_t state;
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

static void make_records(struct input *in, size_t bytes)
{
    buf_init(&in->records, bytes + LINE_MAX_BYTES);
    in->lengths = malloc((bytes / RECORD_BYTES_MIN + 1) * sizeof *in->lengths);
    if (!in->lengths) fail("out of memory");
    while (in->records.len < bytes) {
        struct slice line = in->lines[next_random(in) % in->n];
        char *to = buf_reserve(&in->records, line.len);
        if (!to) fail("out of memory");
        mutate(in, line, to);
        in->records.len += line.len;
        in->lengths[in->n_records++] = (uint32_t)line.len;
    }
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
    const char *at = in->records.ptr;
    for (size_t i = 0; i < in->n_records; at += in->lengths[i++])
        messages[i].body = slice_make(at, in->lengths[i]);
    nsec start = now();
    sha256_many_portable(messages, in->n_records, out);
    tell("hashes, nettle", in->records.len, start);
    start = now();
    sha256_many(messages, in->n_records, out);
    tell("hashes, two at a time", in->records.len, start);
    free(messages);
    free(out);
}

static void measure_tokens(const struct input *in)
{
    struct token_set *set = token_set_new();
    struct filter_group group;
    struct filter_head head;
    struct buf out, firsts;
    uint64_t filters = 0, tokens = 0;
    size_t block = 0;
    if (!set) fail("out of memory");
    filter_group_init(&group);
    buf_init(&out, 1 << 28);
    buf_init(&firsts, 1 << 20);
    const char *at = in->records.ptr;
    nsec start = now();
    for (size_t i = 0; i < in->n_records; at += in->lengths[i++]) {
        if (token_set_add(set, slice_make(at, in->lengths[i]))) fail("out of memory");
        block += in->lengths[i];
        if (block < SEGMENT_BLOCK && i + 1 < in->n_records) continue;
        uint32_t n;
        const uint32_t *keys = token_set_keys(set, &n);
        if (filter_group_add(&group, keys, n, token_set_full(set))) fail("out of memory");
        tokens += n;
        token_set_clear(set);
        block = 0;
        if (group.n < FILTER_BLOCKS && i + 1 < in->n_records) continue;
        buf_clear(&out);
        buf_clear(&firsts);
        if (filter_group_finish(&group, &out, &firsts, &head)) fail("out of memory");
        filters += out.len;
    }
    tell("tokens and filters", in->records.len, start);
    (void)printf("%-34s %8.2f %% of raw, %.0f tokens a MiB\n", "filters",
                 100.0 * (double)filters / (double)in->records.len,
                 (double)tokens / ((double)in->records.len / (1 << 20)));
    filter_group_done(&group);
    buf_done(&out);
    buf_done(&firsts);
    token_set_free(set);
}

/* The yardstick: what zstd alone does with blocks of the same records. */
static void measure_zstd(const struct input *in, int level)
{
    size_t bound = ZSTD_compressBound(SEGMENT_BLOCK), packed = 0;
    char *out = malloc(bound), what[64];
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    if (!out || !ctx) fail("out of memory");
    nsec start = now();
    for (size_t at = 0; at < in->records.len; at += SEGMENT_BLOCK) {
        size_t len = in->records.len - at;
        if (len > SEGMENT_BLOCK) len = SEGMENT_BLOCK;
        packed += ZSTD_compressCCtx(ctx, out, bound, in->records.ptr + at, len, level);
    }
    (void)snprintf(what, sizeof what, "zstd %d alone", level);
    tell(what, in->records.len, start);
    (void)printf("%-34s %8.2f\n", "ratio", (double)in->records.len / (double)packed);
    (void)ZSTD_freeCCtx(ctx);
    free(out);
}

static void measure_seal(const struct input *in, const struct store_io *io, int level)
{
    static struct tree_range tree;
    struct segment_options options;
    struct segment_writer *w;
    struct segment *s;
    char what[64], name[STORE_NAME_MAX + 1];
    segment_options_default(&options);
    options.before = &tree;
    options.level_text = options.level_json = level;
    uint64_t begin = tree.end;
    nsec start = now();
    if (segment_writer_new(io, &w) || segment_writer_begin(w, &options))
        fail("cannot begin a segment");
    const char *at = in->records.ptr;
    for (size_t i = 0; i < in->n_records; at += in->lengths[i++]) {
        struct record r = {.raw = slice_make(at, in->lengths[i]),
                           .source = SLICE("syslog-tcp\tdefault\t\t10.1.2.3"),
                           .received = (nsec)i * 600000,
                           .ordinal = i,
                           .format = RECORD_TEXT};
        if (segment_writer_add(w, &r, NULL)) fail("cannot add a record");
    }
    if (segment_writer_finish(w, 0, &tree)) fail("cannot finish the segment");
    (void)snprintf(what, sizeof what, "seal, zstd %d", level);
    tell(what, in->records.len, start);
    segment_writer_free(w);
    segment_name(name, "segment", begin);
    int file = io->open(io->ctx, name, STORE_READ);
    int64_t size = file < 0 ? -1 : io->size(io->ctx, file);
    if (size <= 0) fail("cannot read the segment");
    io->close(io->ctx, file);
    (void)printf("%-34s %8.2f with filters and index\n", "ratio",
                 (double)in->records.len / (double)size);
    if (segment_open(io, begin, &s)) fail("cannot open the segment");
    start = now();
    for (uint32_t i = 0; i < segment_footer_of(s)->blocks; i++) {
        struct batch b;
        if (segment_read_block(s, i, &b)) fail("cannot read a block");
    }
    tell("read all blocks", in->records.len, start);
    segment_close(s);
}

int main(int argc, char **argv)
{
    struct input in = {.state = 1};
    uint64_t mib;
    if (argc < 3 || !slice_to_u64(slice_of(argv[2]), &mib) || mib == 0 || mib > 1000)
        fail("usage: vaka-bench-segment FOLDER MIB [FILE...]");
    int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) fail("cannot open the folder");
    if (argc > 3) read_files(&in, argv + 3, argc - 3);
    else make_lines(&in);
    split_lines(&in);
    make_records(&in, (size_t)mib << 20);
    (void)printf("%zu records of %zu different lines, %zu bytes on average\n", in.n_records, in.n,
                 in.records.len / in.n_records);
    struct store_io io = store_io_system(folder);
    measure_hashes(&in);
    measure_tokens(&in);
    measure_zstd(&in, 1);
    measure_zstd(&in, 3);
    measure_seal(&in, &io, 1);
    measure_seal(&in, &io, 3);
    return 0;
}
