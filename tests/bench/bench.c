/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Speed of the hunt's inner path on one core, lane by lane, beside simdjson's parse-only walk over
 * the same bytes in the same run.
 *
 *     vaka-bench [--rules DIR] [--copies N] [--seconds S] [--no-parse] [--no-memo] [--json]
 * NAME=FILE...
 *
 * A lane is a file of one JSON object a line, held in memory and looped for at least S seconds.
 * Engine time is everything from bytes to finished alert lines in a buffer: decoding, routing,
 * matching, output. The first loop is not timed (plans are compiled, arenas grow); what the hot
 * path allocates afterwards is counted and printed.
 */
#include "bench.h"

#include <fts.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "alert/line.h"
#include "base/json_write.h"
#include "detect/engine.h"
#include "multiply.h"
#include "normalise/decoder.h"

struct lane {
    const char *name;
    char *data;
    size_t len;
    struct engine *engine;
    struct line_writer lines;
    struct buf line;
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
    line_event(&l->lines, ev, router_event_time(router, ev), router_event_host(router, ev),
               slice_of(l->name));
    for (uint32_t i = 0; i < result.n_hits; i++)
        (void)line_write(&l->lines, &result.hits[i], &l->line);
    l->alerts += result.n_hits;
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
    uint64_t mallocs, alerts, evaluations, regexes;
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
    ret->evaluations = after.evaluations - before.evaluations;
    ret->regexes = after.regexes - before.regexes;
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
               "rules run/event %.1f  expressions/event %.2f  mallocs %llu\n",
               l->name, eps, mbps, parse, ratio, (double)f->alerts / (double)f->events,
               (double)f->evaluations / (double)f->events, (double)f->regexes / (double)f->events,
               (unsigned long long)f->mallocs);
    (void)fflush(stdout);
}

struct options {
    const char *rules;
    double seconds;
    uint64_t copies;
    bool json, parse;
    struct engine_options engine;
};

/* `copies` of every rule below `rules`, the altered ones beside the rule itself. */
static bool add_copies(struct sigma_set *set, const struct options *o)
{
    static const struct sigma_set_options plain = {0};
    char *const roots[] = {(char *)(uintptr_t)o->rules, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool ok = walk != NULL;
    for (FTSENT *f; ok && (f = fts_read(walk)) != NULL;) {
        if (f->fts_info == FTS_D && !strcmp(f->fts_name, "regression_data"))
            (void)fts_set(walk, f, FTS_SKIP);
        if (f->fts_info != FTS_F || !slice_ends_with(slice_of(f->fts_name), SLICE(".yml")))
            continue;
        struct lane file = {0};
        ok = read_lane(&file, f->fts_path);
        for (uint64_t copy = 0; ok && copy < o->copies; copy++) {
            struct slice text = slice_make(file.data, file.len);
            char *altered = copy ? multiply_rule(text, (unsigned)copy) : NULL;
            if (copy && !altered) break;
            ok = sigma_set_add_text(set, f->fts_path, altered ? slice_of(altered) : text, &plain) ==
                 0;
            free(altered);
        }
        free(file.data);
    }
    if (walk) (void)fts_close(walk);
    return ok;
}

static struct sigma_set *load(const struct options *o)
{
    struct diag diag = {0};
    static const struct sigma_set_options plain = {0};
    struct sigma_set *set = sigma_set_new();
    double start = bench_now();
    if (!set) return NULL;
    bool ok =
        o->copies > 1 ? add_copies(set, o) : sigma_set_add_path(set, o->rules, &plain, &diag) == 0;
    if (!ok || sigma_set_finish(set) < 0) {
        fprintf(stderr, "%s: %s\n", o->rules, diag.message);
        sigma_set_free(set);
        return NULL;
    }
    if (!o->json)
        printf("%u rules loaded, %u refused, in %.3f s\n", set->n_rules, set->n_refusals,
               bench_now() - start);
    return set;
}

static bool run_file(const struct options *o, const struct sigma_set *set,
                     const struct taxonomy *taxonomy, const char *name, const char *path)
{
    struct lane lane = {.name = name, .engine = engine_new(set, taxonomy, &o->engine)};
    struct figures figures;
    buf_init(&lane.line, 64 << 20);
    bool ok = lane.engine && read_lane(&lane, path) &&
              line_writer_init(&lane.lines, lane.engine, HUNT_JSON, set->n_rules) == 0;
    if (ok) {
        run_lane(&lane, o->seconds, o->parse, &figures);
        print(&lane, &figures, set->n_rules, o->json);
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    buf_done(&lane.line);
    line_writer_done(&lane.lines);
    free(lane.data);
    engine_free(lane.engine);
    return ok;
}

static bool parse_options(int argc, char **argv, struct options *ret)
{
    enum { RULES = 1, SECONDS, COPIES, NO_PARSE, NO_MEMO, ANY, JSON };
    static const struct option longs[] = {
        {"rules", required_argument, NULL, RULES},   {"seconds", required_argument, NULL, SECONDS},
        {"copies", required_argument, NULL, COPIES}, {"no-parse", no_argument, NULL, NO_PARSE},
        {"no-memo", no_argument, NULL, NO_MEMO},     {"any-logsource", no_argument, NULL, ANY},
        {"json", no_argument, NULL, JSON},           {0}};
    *ret = (struct options){.rules = "rules", .seconds = 2, .copies = 1, .parse = true};
    bool ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == RULES) ret->rules = optarg;
        else if (c == SECONDS) ok = slice_to_double(slice_of(optarg), &ret->seconds);
        else if (c == COPIES)
            ok = slice_to_u64(slice_of(optarg), &ret->copies) && ret->copies > 0 &&
                 ret->copies <= MULTIPLY_COPIES_MAX;
        else if (c == NO_PARSE) ret->parse = false;
        else if (c == NO_MEMO) ret->engine.no_memo = true;
        else if (c == ANY) ret->engine.any_logsource = true;
        else if (c == JSON) ret->json = true;
        else ok = false;
    }
    return ok && optind < argc;
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse_options(argc, argv, &o)) {
        fprintf(stderr, "usage: vaka-bench [--rules DIR] [--copies N] [--seconds S] [--no-parse] "
                        "[--no-memo] [--any-logsource] [--json] NAME=FILE...\n");
        return 2;
    }
    struct taxonomy *taxonomy = taxonomy_new();
    struct sigma_set *set = load(&o);
    bool ok = taxonomy && set;
    for (int i = optind; ok && i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        if (eq) *eq = '\0';
        ok = eq && run_file(&o, set, taxonomy, argv[i], eq + 1);
    }
    sigma_set_free(set);
    taxonomy_free(taxonomy);
    return ok ? 0 : 1;
}
