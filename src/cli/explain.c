/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka explain: how a record is recognised, taken apart and mapped. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/reading.h"
#include "cli/rules.h"
#include "proc/sandbox.h"

enum { NAME_COLUMNS = 34, VALUE_COLUMNS = 160, DAY = 24 * 3600 };

enum { EXPLAIN_NOW = OPTION_LONG };

struct explain_context {
    struct settings settings;
    bool json;
    bool has_now;
    nsec now;
};

struct explaining {
    struct reading reading;
    struct buf out;
    uint32_t said; /* steps and fields of the record at hand */
    bool json;
    uint64_t bad;
    nsec now;
};

static int explain_set(void *ctx, int letter, const char *value)
{
    struct explain_context *c = ctx;
    (void)letter;
    c->has_now = time_parse(slice_of(value), 0, &c->now);
    return c->has_now ? 0 : cli_usage("--now: '%s' is not a time", value);
}

/* ---- text -------------------------------------------------------------------------------- */

static void put_pair(struct buf *out, struct slice name, struct slice value)
{
    buf_puts(out, "      ");
    text_put_padded(out, name, NAME_COLUMNS);
    buf_putc(out, ' ');
    (void)text_put_visible(out, value, VALUE_COLUMNS);
    buf_putc(out, '\n');
}

static void on_step(void *ctx, uint32_t line, const char *what, struct slice text)
{
    struct explaining *x = ctx;
    if (x->json) return;
    buf_printf(&x->out, "  line %-5" PRIu32 "%s: ", line, what);
    (void)text_put_visible(&x->out, text, VALUE_COLUMNS / 2);
    buf_putc(&x->out, '\n');
    x->said++;
}

static void on_field(void *ctx, uint32_t line, struct slice name, struct slice value)
{
    struct explaining *x = ctx;
    (void)line;
    if (x->json) return;
    put_pair(&x->out, name, value);
    x->said++;
}

static void put_label(struct buf *out, const struct taxonomy_label *l)
{
    const struct slice parts[] = {l->product, l->category, l->service};
    for (int i = 0; i < 3; i++) {
        if (i) buf_putc(out, '/');
        if (parts[i].len) (void)text_put_visible(out, parts[i], 64);
        else buf_putc(out, '-');
    }
}

/* What was decoded comes last here and stands first in the explanation: it is put in front. */
static void put_decoded(struct event *ev, struct buf *out)
{
    buf_printf(out, "decoded as %s\n", ev->format);
    for (uint32_t i = 0; i < ev->n_fields; i++)
        if (!ev->fields[i].derived)
            put_pair(out, keys_name(ev->keys, ev->fields[i].key), event_text(ev, &ev->fields[i]));
}

static void put_understood(struct explaining *x, const struct taxonomy_route *route,
                           struct buf *out)
{
    const struct product *product = products_of(x->reading.rules.products, route);
    buf_puts(out, "recognised as ");
    if (product) {
        (void)text_put_visible(out, product->title, VALUE_COLUMNS);
        buf_puts(out, " (");
        (void)text_put_visible(out, slice_of(product->file), VALUE_COLUMNS);
        buf_puts(out, "), evidence: ");
        (void)text_put_visible(out, product->evidence, VALUE_COLUMNS);
    } else {
        buf_puts(out, "no product");
    }
    buf_puts(out, "\nlog source ");
    for (uint32_t i = 0; i < route->n_labels; i++) {
        if (i) buf_puts(out, ", ");
        put_label(out, &route->labels[i]);
    }
    buf_puts(out, route->n_labels ? "\n" : "unknown\n");
}

static nsec time_of(struct explaining *x, struct event *ev)
{
    return router_event_time(engine_router(x->reading.matcher.engine), ev);
}

/* How far a time is from the clock, in seconds; positive: ahead. */
static int64_t seconds_ahead(const struct explaining *x, nsec time)
{
    nsec ahead;
    if (__builtin_sub_overflow(time, x->now, &ahead)) return time > x->now ? INT64_MAX : INT64_MIN;
    return ahead / NSEC_PER_SEC;
}

/*
 * What a record says of its time is shown beside the clock. Correlations on watch go by the time of
 * receipt, so that no clock of a sender moves them.
 */
static void put_time(struct explaining *x, struct event *ev, struct buf *out)
{
    nsec time = time_of(x, ev);
    if (time == TIME_NONE) {
        buf_puts(out, "time not told; that of receipt counts\n");
        return;
    }
    int64_t ahead = seconds_ahead(x, time), off = ahead < 0 ? -(ahead + 1) : ahead;
    buf_puts(out, "time ");
    time_write_rfc3339(out, time);
    if (off >= DAY)
        buf_printf(out, ", %" PRIi64 " days %s the clock", off / DAY,
                   ahead < 0 ? "behind" : "ahead of");
    buf_putc(out, '\n');
}

static void explain_as_text(struct explaining *x, struct event *ev,
                            const struct taxonomy_route *route)
{
    struct buf whole;
    buf_init(&whole, x->out.max);
    put_decoded(ev, &whole);
    put_understood(x, route, &whole);
    put_time(x, ev, &whole);
    buf_put(&whole, buf_slice(&x->out));
    if (whole.len) (void)fwrite(whole.ptr, 1, whole.len, stdout);
    buf_done(&whole);
    buf_clear(&x->out);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void explain_as_json(struct explaining *x, struct event *ev,
                            const struct taxonomy_route *route)
{
    const struct product *product = products_of(x->reading.rules.products, route);
    struct buf *out = &x->out;
    buf_putc(out, '{');
    json_write_member_string(out, "format", slice_of(ev->format));
    json_write_key(out, "product");
    if (product) json_write_string(out, product->name);
    else buf_puts(out, "null");
    nsec time = time_of(x, ev);
    if (time != TIME_NONE) {
        json_write_key(out, "time");
        buf_putc(out, '"');
        time_write_rfc3339(out, time);
        buf_putc(out, '"');
        json_write_key(out, "ahead_s");
        buf_printf(out, "%" PRIi64, seconds_ahead(x, time));
    }
    json_write_key(out, "logsource");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < route->n_labels; i++) {
        const struct taxonomy_label *l = &route->labels[i];
        buf_puts(out, i ? ",{" : "{");
        if (l->product.len) json_write_member_string(out, "product", l->product);
        if (l->category.len) json_write_member_string(out, "category", l->category);
        if (l->service.len) json_write_member_string(out, "service", l->service);
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
    json_write_key(out, "fields");
    event_write_fields(ev, out);
    buf_puts(out, "}\n");
    rules_print(out);
}

/* ---- records ----------------------------------------------------------------------------- */

static void on_event(void *ctx, struct event *ev, const struct taxonomy_route *route)
{
    struct explaining *x = ctx;
    if (x->json) explain_as_json(x, ev, route);
    else explain_as_text(x, ev, route);
}

static void explain_one(struct explaining *x, struct slice raw)
{
    int error = reading_take(&x->reading, raw, x, on_event);
    const char *why = error ? error_text(error) : x->reading.reason;
    if (x->reading.events > 0 && !error) return;
    x->bad++;
    if (x->json) (void)puts("{}");
    cli_say("nothing can be read in the record: %s", why ? why : "it is empty");
}

static void explain_lines(struct explaining *x)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        struct slice raw = slice_make(line, (size_t)n);
        if (raw.ptr[raw.len - 1] == '\n') raw.len--;
        explain_one(x, raw);
    }
    free(line);
}

static int explain_run(const struct invocation *in)
{
    const struct explain_context *c = in->ctx;
    const struct clock clock = clock_system();
    struct explaining x = {.json = c->json, .now = c->has_now ? c->now : clock_realtime(&clock)};
    const struct product_trace trace = {.ctx = &x, .step = on_step, .field = on_field};
    int status = reading_init(&x.reading, &c->settings);
    if (status == 0) {
        (void)load_tell_products(x.reading.rules.products);
        buf_init(&x.out, 64 * 1024 * 1024);
        matcher_set_now(&x.reading.matcher, x.now);
        product_reader_trace(x.reading.matcher.reader, &trace);
        if (sandbox_enter(SANDBOX_DECODER, NULL, NULL) != 0)
            cli_say("warning: the kernel offers no sandbox; the record is read without one");
        for (size_t i = 0; i < in->n_operands; i++) {
            if (strcmp(in->operands[i], "-") == 0) explain_lines(&x);
            else explain_one(&x, slice_of(in->operands[i]));
        }
        if (in->n_operands == 0) explain_lines(&x);
        status = x.bad ? EXIT_UNREADABLE : EXIT_RAN;
        buf_done(&x.out);
    }
    reading_done(&x.reading);
    return status;
}

static const struct cli_option explain_options[] = {
    {'f', "format", "text|json", "What to print: an explanation, or one JSON object a record.",
     OPTION_CHOICE(struct explain_context, json)},
    {EXPLAIN_NOW, "now", "TIME",
     "Times without a year are of the year before TIME; without it, before now.", OPTION_CALL},
    OPTION_SETTINGS(struct explain_context),
};

const struct command command_explain = {
    .name = "explain",
    .operands = "[RECORD...]",
    .summary = "show how a record is recognised, taken apart and mapped to ECS",
    .description =
        "Reads each RECORD (a line of a log, or a JSON object) as vaka serve would read it, and "
        "shows what was decoded, which product it was recognised as, which time it tells and how "
        "far "
        "that is from the clock, and step by step which fields the product's file made of it. "
        "Without RECORD, or for -, the lines of standard input.\n\n"
        "Exit status: 0 every record could be read; 1 one could not.",
    .options = explain_options,
    .n_options = sizeof explain_options / sizeof *explain_options,
    .ctx_size = sizeof(struct explain_context),
    .option = explain_set,
    .run = explain_run,
};
