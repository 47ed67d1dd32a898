/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Speed of the hunt's inner path on one core, lane by lane, beside simdjson's parse-only walk over
 * the same bytes in the same run.
 *
 *     vaka-bench [--rules DIR] [--seconds S] [--no-parse] [--no-memo] [--json] NAME=FILE...
 *
 * A lane is a file of one JSON object a line, held in memory and looped for at least S seconds.
 * Engine time is everything from bytes to finished alert lines in a buffer: decoding, routing,
 * matching, output. The first loop is not timed (plans are compiled, arenas grow); what the hot
 * path allocates afterwards is counted and printed.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include "base/json_write.h"
#include "bench.h"
#include "detect/engine.h"
#include "hunt/line.h"
#include "normalise/decoder.h"

struct lane {
    const char *name;
    char *data;
    size_t len;
    struct engine *engine;
    struct buf line, event_json;
    uint64_t events, alerts, out_bytes, bad;
    uint64_t arena_mallocs;
};

double bench_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int on_event(void *ctx, struct event *ev)
{
    struct lane *l = ctx;
    struct engine_result result;
    int r = engine_match(l->engine, ev, &result);
    if (r < 0) return r;
    l->events++;
    if (result.n_hits == 0) return 0;
    struct router *router = engine_router(l->engine);
    struct line_alert alert = {.engine = l->engine,
                               .event = ev,
                               .event_json = line_event_json(&l->event_json, ev),
                               .time = router_event_time(router, ev),
                               .host = router_event_host(router, ev),
                               .source = slice_of(l->name)};
    for (uint32_t i = 0; i < result.n_hits; i++) {
        alert.hit = &result.hits[i];
        (void)line_write(&l->line, HUNT_JSON, &alert);
        l->alerts++;
    }
    l->out_bytes += l->line.len;
    buf_clear(&l->line);
    l->arena_mallocs = arena_mallocs(ev->arena);
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    (void)offset, (void)record, (void)reason;
    ((struct lane *)ctx)->bad++;
}

/* Feeds the lane once, in the pieces that files are read in. */
static void loop_once(struct lane *l, struct decoder *d)
{
    enum { PIECE = 256 * 1024 };
    for (size_t at = 0; at < l->len; at += PIECE) {
        size_t n = l->len - at < PIECE ? l->len - at : PIECE;
        if (d->ops->feed(d, slice_make(l->data + at, n)) < 0) exit(1);
    }
    engine_housekeep(l->engine);
}

static bool read_lane(struct lane *l, const char *path)
{
    FILE *f = fopen(path, "rbe");
    if (!f) return false;
    (void)fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    l->len = size > 0 ? (size_t)size : 0;
    l->data = malloc(l->len + 64);
    bool ok = l->data && fread(l->data, 1, l->len, f) == l->len;
    (void)fclose(f);
    return ok;
}

struct figures {
    double seconds, parse_seconds;
    uint64_t events, bytes, parse_events;
    uint64_t mallocs, alerts;
    long rss; /* MiB at its highest, without the lane's text and simdjson's */
};

static long rss_mb(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss / 1024;
}

/* What the lane's own text takes of it. */
static long data_mb(const struct lane *l)
{
    return (long)(l->len >> 20);
}

static void run_lane(struct lane *l, double min_seconds, bool parse, struct figures *ret)
{
    struct decoder_out out = {l, on_event, on_bad};
    struct decoder *d = decoder_json.open(&out, engine_keys(l->engine));
    if (!d) exit(1);
    loop_once(l, d);
    struct engine_stats before, after;
    engine_get_stats(l->engine, &before);
    uint64_t arena_before = l->arena_mallocs, events = l->events, alerts = l->alerts, bytes = 0;
    double start = bench_now(), now;
    do {
        loop_once(l, d);
        bytes += l->len;
        now = bench_now();
    } while (now - start < min_seconds);
    d->ops->close(d);
    engine_get_stats(l->engine, &after);
    *ret = (struct figures){.seconds = now - start,
                            .events = l->events - events,
                            .bytes = bytes,
                            .alerts = l->alerts - alerts,
                            .mallocs =
                                after.mallocs - before.mallocs + l->arena_mallocs - arena_before};
    ret->rss = rss_mb() - data_mb(l);
    if (parse)
        ret->parse_seconds = bench_parse_only(l->data, l->len, min_seconds, &ret->parse_events);
}

static void print(const struct lane *l, const struct figures *f, uint32_t rules, bool json)
{
    double eps = (double)f->events / f->seconds, mbps = (double)f->bytes / f->seconds / 1e6;
    double parse = f->parse_seconds > 0 ? (double)f->parse_events / f->parse_seconds : 0;
    double ratio = parse > 0 ? eps / parse : 0;
    if (json)
        printf("{\"lane\":\"%s\",\"events\":%llu,\"bytes\":%llu,\"events_per_s\":%.0f,"
               "\"mb_per_s\":%.1f,\"parse_only_events_per_s\":%.0f,\"parse_only_ratio\":%.4f,"
               "\"jobs\":1,\"rules\":%u,\"rss_mb\":%ld,\"alerts\":%llu,\"mallocs\":%llu}\n",
               l->name, (unsigned long long)f->events, (unsigned long long)f->bytes, eps, mbps,
               parse, ratio, rules, f->rss, (unsigned long long)f->alerts,
               (unsigned long long)f->mallocs);
    else
        printf("%-20s %9.0f ev/s %8.1f MB/s  parse-only %9.0f ev/s  ratio %.3f  alerts/event %.3f  "
               "mallocs %llu\n",
               l->name, eps, mbps, parse, ratio, (double)f->alerts / (double)f->events,
               (unsigned long long)f->mallocs);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *rules = "rules";
    double seconds = 2;
    bool json = false, parse = true, any = false, no_memo = false;
    struct taxonomy *taxonomy = taxonomy_new();
    struct sigma_set *set = sigma_set_new();
    struct engine *engine = NULL;
    if (!taxonomy || !set) return 1;
    for (int i = 1; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (!strcmp(argv[i], "--rules") && i + 1 < argc) rules = argv[++i];
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            (void)slice_to_double(slice_of(argv[++i]), &seconds);
        else if (!strcmp(argv[i], "--json")) json = true;
        else if (!strcmp(argv[i], "--no-parse")) parse = false;
        else if (!strcmp(argv[i], "--any-logsource")) any = true;
        else if (!strcmp(argv[i], "--no-memo")) no_memo = true;
        else if (eq) {
            if (!engine) {
                struct diag diag = {0};
                const struct sigma_set_options options = {0};
                double start = bench_now();
                if (sigma_set_add_path(set, rules, &options, &diag) < 0 ||
                    sigma_set_finish(set) < 0) {
                    fprintf(stderr, "%s: %s\n", rules, diag.message);
                    return 1;
                }
                if (!json) printf("%u rules loaded in %.3f s\n", set->n_rules, bench_now() - start);
            }
            struct engine_options options = {.any_logsource = any, .no_memo = no_memo};
            engine = engine_new(set, taxonomy, &options);
            *eq = '\0';
            struct lane lane = {.name = argv[i], .engine = engine};
            buf_init(&lane.line, 64 << 20);
            buf_init(&lane.event_json, 16 << 20);
            struct figures figures;
            if (!engine || !read_lane(&lane, eq + 1)) {
                fprintf(stderr, "%s: cannot be read\n", eq + 1);
                return 1;
            }
            run_lane(&lane, seconds, parse, &figures);
            print(&lane, &figures, set->n_rules, json);
            buf_done(&lane.line);
            buf_done(&lane.event_json);
            free(lane.data);
            engine_free(engine);
        }
    }
    sigma_set_free(set);
    taxonomy_free(taxonomy);
    return engine ? 0 : 2;
}
