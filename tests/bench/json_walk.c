/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How fast JSON is read, one core: the structural index alone, the decoder with a callback that
 * does nothing, and simdjson's own walk over all fields with every string unescaped.
 *
 * usage: json_walk FILE.ndjson [SECONDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "normalise/decoder.h"
#include "normalise/json_index.h"

enum { PIECE = 256 * 1024 };

double bench_parse_only(const char *data, size_t len, double min_seconds, uint64_t *ret_events);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct count {
    uint64_t events, fields, bad;
};

static int count_event(void *ctx, struct event *ev)
{
    struct count *c = ctx;
    c->events++;
    c->fields += ev->n_fields;
    return 0;
}

static void count_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)offset, (void)record, (void)reason;
    ((struct count *)ctx)->bad++;
}

static double bench_index(struct slice text, double min_seconds, uint64_t *ret_rounds)
{
    struct json_index *ix = json_index_new(PIECE);
    double start = now(), seconds = 0;
    uint64_t rounds = 0;
    while (ix && seconds < min_seconds) {
        for (size_t at = 0; at < text.len;) {
            struct slice piece = slice_until(slice_from(text, at), PIECE);
            const char *line = memrchr(piece.ptr, '\n', piece.len);
            if (line) piece.len = (size_t)(line - piece.ptr) + 1;
            const uint32_t *offsets;
            uint32_t n;
            if (json_index_run(ix, piece.ptr, piece.len, &offsets, &n))
                fprintf(stderr, "refused\n");
            at += piece.len;
        }
        rounds++;
        seconds = now() - start;
    }
    json_index_free(ix);
    *ret_rounds = rounds;
    return seconds;
}

static double bench_decoder(struct slice text, double min_seconds, struct count *c)
{
    struct keys *keys = keys_new();
    struct decoder_out out = {.ctx = c, .emit = count_event, .bad = count_bad};
    struct decoder *d = decoder_json.open(&out, keys);
    double start = now(), seconds = 0;
    while (d && seconds < min_seconds) {
        for (size_t at = 0; at < text.len; at += PIECE)
            if (decoder_json.feed(d, slice_until(slice_from(text, at), PIECE))) exit(1);
        seconds = now() - start;
    }
    if (!d || decoder_json.finish(d)) exit(1);
    decoder_json.close(d);
    keys_free(keys);
    return seconds;
}

static void print(const char *what, double seconds, double bytes, double events)
{
    printf("%-12s %8.0f MB/s %10.0f events/s\n", what, bytes / seconds / 1e6, events / seconds);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    double min_seconds = 2;
    if (argc > 2 && !slice_to_double(slice_of(argv[2]), &min_seconds)) return 2;
    FILE *f = fopen(argv[1], "rbe");
    if (!f || fseek(f, 0, SEEK_END)) return 1;
    long size = ftell(f);
    char *data = size > 0 ? malloc((size_t)size + 64) : NULL;
    if (!data || fseek(f, 0, SEEK_SET) || fread(data, 1, (size_t)size, f) != (size_t)size) return 1;
    (void)fclose(f);
    struct slice text = slice_make(data, (size_t)size);
    const char *line = memrchr(text.ptr, '\n', text.len); /* an unfinished line is no line */
    if (line) text.len = (size_t)(line - text.ptr) + 1;

    struct count c = {0};
    double seconds = bench_decoder(text, 0.0001, &c); /* also counts the events of one round */
    double events = (double)c.events, bytes = (double)text.len;
    printf("%.0f bytes, %.0f events, %.1f fields each, %.0f unreadable\n", bytes, events,
           (double)c.fields / events, (double)c.bad);
    uint64_t rounds;
    seconds = bench_index(text, min_seconds, &rounds);
    print("index", seconds, bytes * (double)rounds, events * (double)rounds);
    c = (struct count){0};
    seconds = bench_decoder(text, min_seconds, &c);
    print("decoder", seconds, bytes * (double)c.events / events, (double)c.events);
    uint64_t n;
    seconds = bench_parse_only(data, text.len, min_seconds, &n);
    print("parse-only", seconds, bytes * (double)n / events, (double)n);
    free(data);
    return 0;
}
