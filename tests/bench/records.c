/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What it costs that events come out of stored records and not out of a file:
 *
 *     vaka-bench-records json|syslog FILE [SECONDS]
 *
 * The lines of the file are decoded as a source by the streaming decoder, and as records in
 * batches; turn about, for at least S processor seconds each. Prints MB/s of both and their ratio.
 */
#include <time.h>

#include "normalise/decoder.h"
#include "normalise/record_decoder.h"

enum { PIECE = 256 * 1024, BATCHES_MAX = 256, ROUNDS = 5 };

struct bench {
    const struct decoder_ops *ops;
    enum record_format format;
    struct slice text;
    struct keys *keys;
    struct batch batches[BATCHES_MAX];
    size_t n_batches;
    uint64_t events, fields, bad;
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int on_event(void *ctx, struct event *ev)
{
    struct bench *b = ctx;
    b->events++;
    b->fields += ev->n_fields;
    return 0;
}

static int on_record(void *ctx, uint32_t number, struct event *ev)
{
    (void)number;
    return on_event(ctx, ev);
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)offset, (void)record, (void)reason;
    ((struct bench *)ctx)->bad++;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    on_bad(ctx, number, 0, reason);
}

static void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static struct slice read_all(const char *path)
{
    FILE *f = fopen(path, "rbe");
    if (!f) die("cannot open the file");
    (void)fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    char *data = malloc((size_t)size + 1);
    if (size <= 0 || !data || fread(data, 1, (size_t)size, f) != (size_t)size)
        die("cannot read the file");
    (void)fclose(f);
    return slice_make(data, (size_t)size);
}

static void end_batch(struct bench *b, struct batch_writer *w)
{
    struct buf out;
    buf_init(&out, BATCH_MAX);
    batch_writer_finish(w, &out);
    if (out.len == 0) return;
    /* The batch keeps the memory; it lasts as long as the program. */
    if (batch_open(buf_slice(&out), &b->batches[b->n_batches]) != 0) die("a bad batch");
    if (++b->n_batches == BATCHES_MAX) die("the file is too large");
}

static void make_batches(struct bench *b)
{
    struct batch_writer w;
    struct slice rest = b->text, line;
    batch_writer_init(&w, 1, 1024 * 1024);
    while (rest.len) {
        (void)slice_split(rest, '\n', &line, &rest);
        struct record r = {
            .raw = line, .source = SLICE("tcp\tdefault\t\t10.0.0.1"), .format = (uint8_t)b->format};
        if (line.len > RECORD_MAX) continue;
        while (batch_writer_add(&w, &r) == ERR_LIMIT) end_batch(b, &w);
    }
    end_batch(b, &w);
    batch_writer_done(&w);
}

static void stream(struct bench *b, struct decoder *d)
{
    for (size_t at = 0; at < b->text.len; at += PIECE)
        if (d->ops->feed(d, slice_until(slice_from(b->text, at), PIECE)) != 0) die("feed failed");
}

static void decode(struct bench *b, struct record_decoder *d)
{
    const struct record_sink sink = {b, on_record, on_undecodable};
    for (size_t i = 0; i < b->n_batches; i++)
        if (record_decoder_batch(d, &b->batches[i], 0, UINT32_MAX, &sink) != 0)
            die("decode failed");
}

int main(int argc, char **argv)
{
    if (argc < 3) die("usage: vaka-bench-records json|syslog FILE [SECONDS]");
    bool json = strcmp(argv[1], "json") == 0;
    double seconds = 2;
    if (argc > 3 && !slice_to_double(slice_of(argv[3]), &seconds)) die("bad number of seconds");
    static struct bench b;
    b.ops = json ? &decoder_json : &decoder_syslog;
    b.format = json ? RECORD_JSON : RECORD_SYSLOG;
    b.text = read_all(argv[2]);
    b.keys = keys_new();
    make_batches(&b);
    const struct decoder_out out = {.ctx = &b, .emit = on_event, .bad = on_bad};
    struct decoder *d = b.ops->open(&out, b.keys);
    struct record_decoder *r = record_decoder_new(b.keys);
    if (!d || !r) die("out of memory");
    stream(&b, d);
    uint64_t events = b.events, fields = b.fields;
    b.events = b.fields = 0;
    decode(&b, r);
    printf("source %llu events, %llu fields; records %llu events, %llu fields\n",
           (unsigned long long)events, (unsigned long long)fields, (unsigned long long)b.events,
           (unsigned long long)b.fields);
    double streamed = 0, decoded = 0, bytes[2] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        double start = now(), t;
        do {
            stream(&b, d);
            bytes[0] += (double)b.text.len;
        } while ((t = now()) - start < seconds / ROUNDS);
        streamed += t - start;
        start = t;
        do {
            decode(&b, r);
            bytes[1] += (double)b.text.len;
        } while ((t = now()) - start < seconds / ROUNDS);
        decoded += t - start;
    }
    double source = bytes[0] / streamed / 1e6, records = bytes[1] / decoded / 1e6;
    printf("source %.0f MB/s, records %.0f MB/s, ratio %.2f\n", source, records, records / source);
    d->ops->close(d);
    record_decoder_free(r);
    keys_free(b.keys);
    return 0;
}
