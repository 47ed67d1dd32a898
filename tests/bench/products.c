/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What it costs to understand records, lane by lane, on one core:
 *
 *     vaka-bench-products [--rules PATH] [--seconds S] [--few NAME,NAME…] [--more NAME,NAME…]
 *                         [--indicators FILE]… [--count STAGE] FORM:NAME=FILE…
 *
 * FORM is json, syslog or text; FILE says what the records look like (tests/load/mix.h). They lie
 * in batches as they come out of the journal, and are gone through again and again: decoded only;
 * decoded and recognised, among the few products, among more and among all; the same and read by
 * their product; and all that is done with an event, rules included, the same once more with each
 * file of indicators. The stages take turns, ten
 * times and until matching had S processor seconds. Of each the fastest pass counts: what disturbs
 * one only makes it slower. Prints one line of JSON a lane.
 *
 * With --count only that stage (decode, few, more, all, read, match) is gone through, twice, over
 * fewer records: the second time in count_pass(), the name by which callgrind knows what to count.
 */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "../load/mix.h"
#include "normalise/record_decoder.h"
#include "product/data.h"
#include "ruleset/ruleset.h"

enum {
    LISTS_MAX = 4,
    BATCHES_MAX = 32,
    POOL = 8 * 1024 * 1024,
    POOL_COUNTED = 256 * 1024,
    BATCH_BYTES = 1024 * 1024,
    ROUNDS_MIN = 10
};

enum stage_kind {
    STAGE_DECODE,
    STAGE_FEW,
    STAGE_MORE,
    STAGE_ALL,
    STAGE_READ,
    STAGE_MATCH,
    STAGE_LISTED
};
enum { N_STAGES = STAGE_LISTED };
static const char *const stage_names[N_STAGES] = {"decode", "few", "more", "all", "read", "match"};

/* Each has a key table of its own, as a thread has. */
struct stage {
    enum stage_kind kind;
    const struct ruleset *rules;
    struct keys *keys;
    struct record_decoder *decoder;
    struct router *router;
    struct product_reader *reader;
    struct matcher matcher;
    uint64_t events, bad, recognised, alerts;
    double used, fastest; /* processor seconds: of all passes, of the fastest */
};

struct bench {
    struct ruleset rules, listed[LISTS_MAX];
    double load_seconds[LISTS_MAX];
    uint32_t n_listed;
    struct some { /* of the products that come with the program */
        struct taxonomy *taxonomy;
        uint32_t n;
    } few, more;
    double seconds;
    struct batch batches[BATCHES_MAX];
    struct buf memory[BATCHES_MAX];
    uint32_t n_batches;
    uint64_t bytes, pool;                          /* those there are, those wanted */
    int counted;                                   /* the stage, or N_STAGES */
    struct stage stages[STAGE_LISTED + LISTS_MAX]; /* by kind, then a stage of each list */
    int n_stages;
};

static void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- records ------------------------------------------------------------------------------ */

static void end_batch(struct bench *b, struct batch_writer *w)
{
    if (b->n_batches == BATCHES_MAX) die("more records than there are batches");
    struct buf *out = &b->memory[b->n_batches];
    buf_init(out, BATCH_MAX);
    batch_writer_finish(w, out);
    if (out->len && batch_open(buf_slice(out), &b->batches[b->n_batches]) != 0) die("a bad batch");
    b->n_batches += out->len > 0;
}

static void make_records(struct bench *b, const char *path, enum record_format format)
{
    enum mix_form form = format == RECORD_JSON ? MIX_JSON : MIX_TEXT;
    const struct mix_options options = {.path = path, .seed = 42};
    const struct clock clock = clock_system();
    struct mix *mix;
    struct diag diag = {0};
    struct batch_writer w;
    if (mix_new(&options, clock_realtime(&clock), &mix, &diag) != 0) die(diag.message);
    batch_writer_init(&w, 1, BATCH_BYTES);
    while (b->bytes < b->pool) {
        struct record r = {.raw = mix_next(mix, form, clock_realtime(&clock)),
                           .source = SLICE("tcp\tdefault\t\t192.0.2.1"),
                           .format = (uint8_t)format};
        int error = batch_writer_add(&w, &r);
        if (error == ERR_LIMIT) {
            end_batch(b, &w);
            error = batch_writer_add(&w, &r);
        }
        if (error) die("a record that no batch takes");
        b->bytes += r.raw.len;
    }
    end_batch(b, &w);
    batch_writer_done(&w);
    mix_free(mix);
}

/* ---- stages ------------------------------------------------------------------------------- */

static const struct taxonomy_route *read_product(struct stage *s, struct event *ev,
                                                 const struct taxonomy_route *route)
{
    if (!product_read(s->reader, ev, route)) return route;
    route = router_route(s->router, ev);
    (void)product_read(s->reader, ev, route);
    return route;
}

static int on_event(void *ctx, uint32_t number, struct event *ev)
{
    struct stage *s = ctx;
    struct engine_result result;
    const struct taxonomy_route *route = NULL;
    int error = 0;
    (void)number;
    s->events++;
    if (s->kind >= STAGE_MATCH) {
        error = engine_match(s->matcher.engine, ev, &result);
        if (error) return error;
        s->alerts += result.n_hits;
        route = result.route;
    } else if (s->router) {
        route = router_route(s->router, ev);
    }
    if (s->reader) route = read_product(s, ev, route);
    s->recognised += route && route->owner;
    return 0;
}

static void on_undecodable(void *ctx, uint32_t number, const char *reason)
{
    (void)number, (void)reason;
    ((struct stage *)ctx)->bad++;
}

static void open_stage(struct bench *b, int number)
{
    struct stage *s = &b->stages[number];
    enum stage_kind kind = number < STAGE_LISTED ? (enum stage_kind)number : STAGE_LISTED;
    *s = (struct stage){.kind = kind, .rules = &b->rules, .fastest = INFINITY};
    if (kind == STAGE_LISTED) s->rules = &b->listed[number - STAGE_LISTED];
    bool ok = true;
    if (kind >= STAGE_MATCH) {
        ok = matcher_init(&s->matcher, s->rules, &(struct engine_options){0}) == 0;
        s->keys = ok ? engine_keys(s->matcher.engine) : NULL;
    } else {
        s->keys = keys_new();
    }
    s->decoder = s->keys ? record_decoder_new(s->keys) : NULL;
    const struct taxonomy *taxonomy = kind == STAGE_FEW    ? b->few.taxonomy
                                      : kind == STAGE_MORE ? b->more.taxonomy
                                                           : b->rules.taxonomy;
    if (s->keys && kind > STAGE_DECODE && kind < STAGE_MATCH)
        s->router = router_new(taxonomy, s->keys);
    if (s->router && kind == STAGE_READ) {
        s->reader = product_reader_new(b->rules.products, s->keys);
        const struct clock clock = clock_system();
        if (s->reader) product_reader_set_now(s->reader, clock_realtime(&clock));
        ok = s->reader != NULL;
    }
    if (!ok || !s->decoder) die("out of memory");
}

static void close_stage(struct stage *s)
{
    record_decoder_free(s->decoder);
    product_reader_free(s->reader);
    if (s->router) router_free(s->router);
    if (s->kind >= STAGE_MATCH) matcher_done(&s->matcher);
    else keys_free(s->keys);
}

static void pass(const struct bench *b, struct stage *s)
{
    const struct record_sink sink = {s, on_event, on_undecodable};
    double start = now(), took;
    for (uint32_t i = 0; i < b->n_batches; i++)
        if (record_decoder_batch(s->decoder, &b->batches[i], 0, UINT32_MAX, &sink) != 0)
            die("a batch cannot be decoded");
    took = now() - start;
    s->used += took;
    if (took < s->fastest) s->fastest = took;
}

/* ---- lanes -------------------------------------------------------------------------------- */

/* What matching costs with a list, of what it costs without one. */
static void print_list(const struct bench *b, uint32_t i, double events)
{
    const struct stage *s = &b->stages[STAGE_LISTED + i];
    const struct indicators *in = &b->listed[i].lists[0];
    size_t bytes = in->arena.held;
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        bytes += in->lists[k] ? listed_bytes(in->lists[k]) : 0;
    printf(",\"with_%u_indicators\":{\"time_ratio\":%.3f,\"ns_per_event\":%.1f,\"megabytes\":%.1f,"
           "\"load_seconds\":%.3f}",
           in->n, s->fastest / b->stages[STAGE_MATCH].fastest,
           (s->fastest - b->stages[STAGE_MATCH].fastest) / events * 1e9, (double)bytes / 1e6,
           b->load_seconds[i]);
}

/* What recognising costs by itself, and more of it than among few with decoding counted in. */
static void print_recognising(const struct bench *b, enum stage_kind kind, uint32_t n,
                              double events)
{
    const struct stage *s = b->stages;
    printf(",\"recognise_ns_of_%u\":%.1f,\"cost_of_%u\":%.3f", n,
           (s[kind].fastest - s[STAGE_DECODE].fastest) / events * 1e9, n,
           s[kind].fastest / s[STAGE_FEW].fastest - 1);
}

static void print(const struct bench *b, const char *name, uint64_t events)
{
    const struct stage *s = b->stages;
    double n = (double)events, mb = (double)b->bytes / 1e6;
    printf(
        "{\"lane\":\"%s\",\"bytes_per_event\":%.0f,\"recognised\":%.4f,\"alerts_per_event\":%.4f,"
        "\"decode_mb_per_s\":%.1f,\"normalise_events_per_s\":%.0f,\"normalise_mb_per_s\":%.1f,"
        "\"match_events_per_s\":%.0f,\"match_mb_per_s\":%.1f,\"rules\":%u",
        name, (double)b->bytes / n, (double)s[STAGE_READ].recognised / (double)s[STAGE_READ].events,
        (double)s[STAGE_MATCH].alerts / (double)s[STAGE_MATCH].events, mb / s[STAGE_DECODE].fastest,
        n / s[STAGE_READ].fastest, mb / s[STAGE_READ].fastest, n / s[STAGE_MATCH].fastest,
        mb / s[STAGE_MATCH].fastest, b->rules.set->n_rules);
    print_recognising(b, STAGE_FEW, b->few.n, n);
    print_recognising(b, STAGE_MORE, b->more.n, n);
    print_recognising(b, STAGE_ALL, products_count(b->rules.products), n);
    for (uint32_t i = 0; i < b->n_listed; i++) print_list(b, i, n);
    puts("}");
    (void)fflush(stdout);
}

static void time_lane(struct bench *b, const char *name)
{
    for (int i = 0; i < b->n_stages; i++) {
        open_stage(b, i);
        pass(b, &b->stages[i]); /* plans are compiled, arenas grow */
        b->stages[i].used = 0;
        b->stages[i].fastest = INFINITY;
    }
    uint64_t events = b->stages[STAGE_DECODE].events;
    if (events == 0 || b->stages[STAGE_DECODE].bad) die("records that cannot be decoded");
    for (int round = 0; round < ROUNDS_MIN || b->stages[STAGE_MATCH].used < b->seconds; round++)
        for (int i = 0; i < b->n_stages; i++) pass(b, &b->stages[i]);
    print(b, name, events);
    for (int i = 0; i < b->n_stages; i++) close_stage(&b->stages[i]);
}

static __attribute__((noinline)) void count_pass(const struct bench *b, struct stage *s)
{
    pass(b, s);
}

static void count_lane(struct bench *b, const char *name)
{
    struct stage *s = &b->stages[b->counted];
    open_stage(b, b->counted);
    pass(b, s);
    uint64_t events = s->events;
    count_pass(b, s);
    printf("{\"lane\":\"%s\",\"stage\":\"%s\",\"events\":%llu}\n", name, stage_names[s->kind],
           (unsigned long long)(s->events - events));
    close_stage(s);
}

static void run_lane(struct bench *b, const char *name, const char *path, enum record_format format)
{
    b->n_batches = 0;
    b->bytes = 0;
    make_records(b, path, format);
    if (b->counted < N_STAGES) count_lane(b, name);
    else time_lane(b, name);
    for (uint32_t i = 0; i < b->n_batches; i++) buf_done(&b->memory[i]);
}

/* ---- the program -------------------------------------------------------------------------- */

/* The taxonomy with those of the built-in products that the list names. */
static void add_some(struct some *some, struct slice list)
{
    some->taxonomy = taxonomy_new();
    if (!some->taxonomy) die("out of memory");
    for (const struct embedded *f = product_files; f->name; f++) {
        struct slice rest = list, name;
        bool named = false;
        while (rest.ptr && !named) {
            char file[128];
            (void)slice_split(rest, ',', &name, &rest);
            (void)snprintf(file, sizeof file, "products/%.*s.yml", (int)name.len, name.ptr);
            named = slice_ends_with(slice_of(f->name), slice_of(file));
            if (rest.len == 0) break;
        }
        struct diag diag = {0};
        if (named && taxonomy_add_product(some->taxonomy, f->name, f->text, ++some->n, &diag) != 0)
            die(diag.message);
    }
}

/* The same rules, and the indicators of a file. */
static void add_list(struct bench *b, const struct config *config, const char *file)
{
    const struct clock clock = clock_system();
    struct diag diag;
    double start = now();
    if (ruleset_load_indicators(&b->listed[b->n_listed], config, true, clock_realtime(&clock),
                                &file, 1, &diag) != 0)
        die(diag.message);
    b->load_seconds[b->n_listed++] = now() - start;
}

static bool run_argument(struct bench *b, char *argument)
{
    char *name = strchr(argument, ':'), *path = name ? strchr(name, '=') : NULL;
    if (!path) return false;
    *name++ = '\0';
    *path++ = '\0';
    enum record_format format = strcmp(argument, "json") == 0     ? RECORD_JSON
                                : strcmp(argument, "syslog") == 0 ? RECORD_SYSLOG
                                                                  : RECORD_TEXT;
    run_lane(b, name, path, format);
    return true;
}

static bool choose_counted(struct bench *b, const char *name)
{
    b->pool = POOL_COUNTED;
    for (b->counted = 0; b->counted < N_STAGES; b->counted++)
        if (strcmp(stage_names[b->counted], name) == 0) return true;
    return false;
}

int main(int argc, char **argv)
{
    enum { RULES = 1, SECONDS, FEW, MORE, COUNT, INDICATORS };
    static const struct option longs[] = {{"rules", required_argument, NULL, RULES},
                                          {"seconds", required_argument, NULL, SECONDS},
                                          {"few", required_argument, NULL, FEW},
                                          {"more", required_argument, NULL, MORE},
                                          {"count", required_argument, NULL, COUNT},
                                          {"indicators", required_argument, NULL, INDICATORS},
                                          {0}};
    static struct bench b = {.seconds = 2, .pool = POOL, .counted = N_STAGES};
    const char *rules = "rules", *few = "", *more = "", *lists[LISTS_MAX];
    uint32_t n_lists = 0;
    struct config config;
    struct diag diag;
    bool ok = true;
    for (int c; ok && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == RULES) rules = optarg;
        else if (c == SECONDS) ok = slice_to_double(slice_of(optarg), &b.seconds);
        else if (c == FEW) few = optarg;
        else if (c == MORE) more = optarg;
        else if (c == COUNT) ok = choose_counted(&b, optarg);
        else if (c == INDICATORS && n_lists < LISTS_MAX) lists[n_lists++] = optarg;
        else ok = false;
    }
    if (!ok || optind == argc) die("usage: see the head of tests/bench/products.c");
    config_init(&config);
    config.rules.items = &rules;
    config.rules.n = 1;
    if (ruleset_load(&b.rules, &config, &diag) != 0) die(diag.message);
    for (uint32_t i = 0; i < n_lists; i++) add_list(&b, &config, lists[i]);
    b.n_stages = STAGE_LISTED + (int)n_lists;
    add_some(&b.few, slice_of(few));
    add_some(&b.more, slice_of(more));
    for (int i = optind; ok && i < argc; i++) ok = run_argument(&b, argv[i]);
    if (!ok) die("a lane is FORM:NAME=FILE");
    taxonomy_free(b.few.taxonomy);
    taxonomy_free(b.more.taxonomy);
    for (uint32_t i = 0; i < n_lists; i++) ruleset_done(&b.listed[i]);
    ruleset_done(&b.rules);
    return 0;
}
