/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sends what the systems of a city log, at a rate or as fast as it is taken, and says how much it
 * was, exactly, when it was answered, and when planted attacks were told of:
 *
 *     vaka-load --mix FILE --lane KIND=PORT[*SHARE]… (--seconds S | --records N) [options]
 *
 *     --lane      syslog_tcp, syslog_udp, relp, lumberjack, ndjson, bulk, flow_udp; several times
 *     --rate      records a second, all lanes together; without: as fast as they are taken
 *     --size      fills records up to so many bytes
 *     --pool      MiB of records made before it begins, and sent in turn
 *     --batch, --linger    records of one window or request, and ms they are gathered for
 *     --token     for HTTP          --seed      of everything that is drawn
 *     --warm      seconds from the beginning whose latencies do not count
 *     --plant     seconds between planted attacks; their alerts are read from standard input, as
 *                 `vaka alerts --follow -f json` prints them
 *
 *     --last      plants one behind everything else: when its alert is seen, all before it on the
 *                 same lane was matched
 *
 * Prints one JSON object. Exit status 1: a connection broke, or answers did not come.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json_write.h"
#include "lane.h"

enum { LANES_MAX = 64, BURST = 64, ANSWERS_WITHIN = 60 /* s */ };

struct options {
    struct mix_options mix;
    struct lane_options lanes[LANES_MAX];
    size_t n_lanes;
    double rate, seconds, warm, plant;
    bool last;
    uint64_t records, batch, linger;
    const char *token;
};

struct run {
    struct options options;
    struct clock clock;
    struct mix *mix;
    struct plants *plants;
    struct lane *lanes[LANES_MAX];
    size_t n_lanes, plant_lane;
    uint64_t shares, made;
    nsec begin, next_plant, answered;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "vaka-load: %s: %s\n", what, why);
    exit(1);
}

static nsec now_of(const struct run *r)
{
    return clock_monotonic(&r->clock);
}

/* ---- options ----------------------------------------------------------------------------- */

static double number_of(const char *option, const char *text)
{
    double v;
    if (!slice_to_double(slice_of(text), &v) || v < 0) die(option, "not a number");
    return v;
}

static void add_lane(struct options *o, const char *text)
{
    struct slice name, port, share;
    uint64_t number, weight = 1;
    if (o->n_lanes == LANES_MAX) die(text, "too many lanes");
    bool whole = slice_split(slice_of(text), '=', &name, &port);
    if (slice_split(port, '*', &port, &share) && !slice_to_u64(share, &weight)) whole = false;
    if (!whole || !slice_to_u64(port, &number) || number > UINT16_MAX || weight == 0)
        die(text, "KIND=PORT[*SHARE]");
    for (size_t i = 0; i < lane_kinds_n; i++) {
        if (!slice_eq(name, slice_of(lane_kinds[i].name))) continue;
        o->lanes[o->n_lanes++] = (struct lane_options){
            .kind = &lane_kinds[i], .port = (uint16_t)number, .share = (uint32_t)weight};
        return;
    }
    die(text, "no such kind of lane");
}

static void read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"mix", required_argument, NULL, 'm'},
        {"lane", required_argument, NULL, 'l'},
        {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"records", required_argument, NULL, 'n'},
        {"size", required_argument, NULL, 'z'},
        {"pool", required_argument, NULL, 'p'},
        {"batch", required_argument, NULL, 'b'},
        {"linger", required_argument, NULL, 'g'},
        {"token", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 'e'},
        {"plant", required_argument, NULL, 'a'},
        {"last", no_argument, NULL, 'L'},
        {"warm", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int c;
    *o = (struct options){.mix.seed = 1, .batch = 500, .linger = 100, .token = ""};
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        double v = c == 'm' || c == 'l' || c == 't' || c == 'L' || c == '?'
                       ? 0
                       : number_of(argv[optind - 1], optarg);
        if (c == 'm') o->mix.path = optarg;
        else if (c == 'l') add_lane(o, optarg);
        else if (c == 'r') o->rate = v;
        else if (c == 's') o->seconds = v;
        else if (c == 'n') o->records = (uint64_t)v;
        else if (c == 'z') o->mix.size = (size_t)v;
        else if (c == 'p') o->mix.pool = (size_t)(v * 1024 * 1024);
        else if (c == 'b') o->batch = (uint64_t)v;
        else if (c == 'g') o->linger = (uint64_t)v;
        else if (c == 't') o->token = optarg;
        else if (c == 'e') o->mix.seed = (uint64_t)v;
        else if (c == 'w') o->warm = v;
        else if (c == 'a') o->plant = v;
        else if (c == 'L') o->last = true;
        else exit(2);
    }
    if (!o->mix.path || o->n_lanes == 0 || (o->seconds == 0) == (o->records == 0) || optind != argc)
        die("usage", "--mix FILE --lane KIND=PORT (--seconds S | --records N)");
}

/* ---- making ------------------------------------------------------------------------------ */

/* When the lane's next record is due; without a rate, when it is made. */
static nsec due_of(const struct run *r, const struct lane *l, nsec now)
{
    if (r->options.rate == 0) return now;
    double each = (double)r->shares / ((double)l->options.share * r->options.rate);
    return r->begin + (nsec)((double)(l->made + 1) * each * (double)NSEC_PER_SEC);
}

static void add(struct run *r, struct lane *l, uint32_t plant, nsec now)
{
    nsec due = due_of(r, l, now);
    nsec realtime = clock_realtime(&r->clock);
    enum mix_form form = l->options.kind->form;
    struct slice record = l->options.kind->own_records ? SLICE_NONE
                          : plant ? mix_plant(r->mix, form, plant - 1, realtime)
                                  : mix_next(r->mix, form, realtime);
    if (lane_add(l, record, plant, due < now ? due : now, now) != 0)
        die(l->options.kind->name, "cannot send");
    r->made++;
}

static bool is_over(const struct run *r, nsec now)
{
    if (r->options.records) return r->made >= r->options.records;
    return now - r->begin >= (nsec)(r->options.seconds * (double)NSEC_PER_SEC);
}

/* What is due of the lane by now, or a burst; false: it takes no more, or nothing is due. */
static bool make_some(struct run *r, struct lane *l, nsec now)
{
    for (int i = 0; i < BURST; i++) {
        if (due_of(r, l, now) > now || !lane_ready(l) || is_over(r, r->begin)) return false;
        add(r, l, 0, now);
    }
    return true;
}

static void plant(struct run *r, nsec now)
{
    struct lane *l = r->lanes[r->plant_lane];
    if (r->plants->n < PLANTS_MAX) add(r, l, ++r->plants->n, now);
}

static void plant_when_due(struct run *r, nsec now)
{
    if (r->options.plant == 0 || now < r->next_plant || !lane_ready(r->lanes[r->plant_lane]))
        return;
    plant(r, now);
    r->next_plant = now + (nsec)(r->options.plant * (double)NSEC_PER_SEC);
}

static bool plants_any(const struct run *r)
{
    return r->options.plant > 0 || r->options.last;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void pump(struct run *r, bool all)
{
    for (size_t i = 0; i < r->n_lanes; i++) {
        int error = lane_pump(r->lanes[i], all, now_of(r));
        if (error) die(r->lanes[i]->options.kind->name, error_text(error));
    }
}

/* Until something can be done, at most 1 ms. */
static void rest(struct run *r)
{
    struct pollfd fds[LANES_MAX + 1];
    nfds_t n = 0;
    for (size_t i = 0; i < r->n_lanes; i++)
        fds[n++] =
            (struct pollfd){.fd = r->lanes[i]->fd,
                            .events = (short)(POLLIN | (lane_waits(r->lanes[i]) ? POLLOUT : 0))};
    if (plants_any(r) && !r->plants->ended)
        fds[n++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    (void)poll(fds, n, 1);
    if (plants_any(r) && !r->plants->ended) plants_read(r->plants, STDIN_FILENO, now_of(r));
}

static void set_warm(struct run *r, nsec at)
{
    r->plants->warm_at = at;
    for (size_t i = 0; i < r->n_lanes; i++) r->lanes[i]->warm_at = at;
}

static void send_all(struct run *r)
{
    r->begin = now_of(r);
    set_warm(r, r->begin + (nsec)(r->options.warm * (double)NSEC_PER_SEC));
    r->next_plant = r->begin + (nsec)(r->options.plant * (double)NSEC_PER_SEC);
    for (nsec now = r->begin; !is_over(r, now); now = now_of(r)) {
        bool more = false;
        plant_when_due(r, now);
        for (size_t i = 0; i < r->n_lanes; i++) more |= make_some(r, r->lanes[i], now);
        pump(r, false);
        if (!more) rest(r);
    }
    if (r->options.last) plant(r, now_of(r));
}

static bool all_idle(const struct run *r)
{
    for (size_t i = 0; i < r->n_lanes; i++)
        if (!lane_idle(r->lanes[i])) return false;
    return true;
}

static bool all_ended(struct run *r)
{
    bool ended = true;
    for (size_t i = 0; i < r->n_lanes; i++) ended &= lane_ended(r->lanes[i]);
    return ended;
}

static void finish(struct run *r)
{
    nsec late = now_of(r) + ANSWERS_WITHIN * NSEC_PER_SEC;
    while (!all_idle(r)) {
        pump(r, true);
        rest(r);
        if (now_of(r) > late) die("end", "answers are missing");
    }
    r->answered = now_of(r);
    for (size_t i = 0; i < r->n_lanes; i++) lane_end(r->lanes[i]);
    while (!all_ended(r) && now_of(r) < late) rest(r);
    while (r->plants->seen < r->plants->n && !r->plants->ended && now_of(r) < late) rest(r);
}

/* ---- the report -------------------------------------------------------------------------- */

static void put_u64(struct buf *out, const char *key, uint64_t v)
{
    json_write_key(out, key);
    json_write_u64(out, v);
}

static void put_seconds(struct buf *out, const char *key, nsec v)
{
    json_write_key(out, key);
    json_write_double(out, (double)v / (double)NSEC_PER_SEC);
}

static void put_ms(struct buf *out, const char *key, nsec v)
{
    json_write_key(out, key);
    json_write_double(out, (double)v / (double)NSEC_PER_MSEC);
}

static void put_histogram(struct buf *out, const char *key, const struct histogram *h)
{
    json_write_key(out, key);
    buf_putc(out, '{');
    put_u64(out, "n", h->n);
    put_ms(out, "p50", histogram_quantile(h, 0.5));
    put_ms(out, "p99", histogram_quantile(h, 0.99));
    put_ms(out, "max", h->most);
    buf_putc(out, '}');
}

/* All lanes of a kind together. */
static void put_kind(struct buf *out, const struct run *r, const struct lane_kind *kind)
{
    uint64_t records = 0, bytes = 0, requests = 0, acked = 0, refused = 0, resent = 0, n = 0;
    struct histogram *acks = calloc(1, sizeof *acks);
    if (!acks) die("report", "out of memory");
    for (size_t i = 0; i < r->n_lanes; i++) {
        const struct lane *l = r->lanes[i];
        if (l->options.kind != kind) continue;
        n++;
        records += l->made;
        bytes += l->bytes;
        requests += l->requests;
        acked += l->acked;
        refused += l->refused;
        resent += l->resent;
        histogram_merge(acks, &l->acks);
    }
    if (n > 0) {
        json_write_key(out, kind->name);
        buf_putc(out, '{');
        put_u64(out, "lanes", n);
        put_u64(out, "records", records);
        put_u64(out, "bytes", bytes);
        if (kind->batches) put_u64(out, "requests", requests);
        if (kind->acked) {
            put_u64(out, "acked", acked);
            put_u64(out, "refused", refused);
            put_u64(out, "resent", resent);
            put_histogram(out, "ack_ms", acks);
        }
        buf_putc(out, '}');
    }
    free(acks);
}

static void report(const struct run *r, nsec sent_after)
{
    struct buf out;
    struct rusage used;
    buf_init(&out, 1024 * 1024);
    buf_putc(&out, '{');
    put_u64(&out, "records", r->made);
    put_seconds(&out, "begun_at", r->begin);
    put_seconds(&out, "seconds", sent_after);
    put_seconds(&out, "answered_after", r->answered - r->begin);
    (void)getrusage(RUSAGE_SELF, &used);
    put_seconds(&out, "cpu_seconds",
                (nsec)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * NSEC_PER_SEC +
                    (nsec)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000);
    if (plants_any(r)) {
        put_seconds(&out, "found_after", r->plants->latest ? r->plants->latest - r->begin : 0);
        put_u64(&out, "planted", r->plants->n);
        put_u64(&out, "found", r->plants->seen);
        put_histogram(&out, "detection_ms", &r->plants->latency);
    }
    json_write_key(&out, "lanes");
    buf_putc(&out, '{');
    for (size_t i = 0; i < lane_kinds_n; i++) put_kind(&out, r, &lane_kinds[i]);
    buf_puts(&out, "}}\n");
    if (buf_failed(&out) || fwrite(out.ptr, 1, out.len, stdout) != out.len)
        die("report", "cannot write");
    buf_done(&out);
}

static void open_lanes(struct run *r)
{
    r->plant_lane = SIZE_MAX;
    for (size_t i = 0; i < r->options.n_lanes; i++) {
        struct lane_options *o = &r->options.lanes[i];
        o->batch = (uint32_t)r->options.batch;
        o->linger = (nsec)r->options.linger * NSEC_PER_MSEC;
        o->token = r->options.token;
        o->mix = r->mix;
        o->plants = r->plants;
        if (lane_open(o, &r->lanes[i]) != 0) die(o->kind->name, "cannot connect");
        r->n_lanes++;
        r->shares += o->share;
        bool takes_plants = o->kind->form == MIX_TEXT && !o->kind->batches;
        if (takes_plants && r->plant_lane == SIZE_MAX) r->plant_lane = i;
    }
    if (plants_any(r) && r->plant_lane == SIZE_MAX)
        die("a plant", "needs a lane of syslog or RELP");
}

int main(int argc, char **argv)
{
    struct run r = {.clock = clock_system()};
    struct diag diag;
    read_options(&r.options, argc, argv);
    for (size_t i = 0; i < r.options.n_lanes; i++)
        r.options.mix.forms[r.options.lanes[i].kind->form] = true;
    if (mix_new(&r.options.mix, clock_realtime(&r.clock), &r.mix, &diag) != 0)
        die(r.options.mix.path, diag.message);
    r.plants = plants_new();
    if (!r.plants) die("start", "out of memory");
    if (plants_any(&r)) (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    open_lanes(&r);
    send_all(&r);
    nsec sent_after = now_of(&r) - r.begin;
    finish(&r);
    report(&r, sent_after);
    for (size_t i = 0; i < r.n_lanes; i++) lane_close(r.lanes[i]);
    plants_free(r.plants);
    mix_free(r.mix);
    return 0;
}
