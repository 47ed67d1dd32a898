/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka size */
#include <inttypes.h>
#include <math.h>

#include "base/json_write.h"
#include "cli/cli.h"

enum { O_PEAK = OPTION_LONG, DAYS_MAX = 36500 };

/*
 * What was measured, and with which room for what was not: docs/evidence/size.md. The test of this
 * command looks the values up there.
 */
static const struct figures {
    double us_per_kib;    /* of processor time, all processes together */
    double us_per_record; /* at least */
    double disk_per_byte; /* of what is received, sealed, with filters and tree */
    double busy;          /* the share of the processors that may be busy at the peak */
    double full;          /* the share of the disk that may be full */
    double journals_gib;  /* that wait to be sealed, and the database */
} figures = {.us_per_kib = 21,
             .us_per_record = 6.3,
             .disk_per_byte = 0.25,
             .busy = 0.5,
             .full = 0.8,
             .journals_gib = 4};

struct size_context {
    double rate, bytes, peak;
    uint64_t searchable, kept;
    bool has_searchable, has_kept, json;
};

static const struct cli_option size_options[] = {
    {'r', "rate", "N", "Records a second, on average over a day. Needed.", OPTION_CALL},
    {'b', "bytes", "N", "Bytes of a record, on average. Default: 700.", OPTION_CALL},
    {O_PEAK, "peak", "N", "How many times the average the busiest minute is. Default: 5.",
     OPTION_CALL},
    {'s', "searchable", "DAYS", "For how many days records are searched. Default: 90.",
     OPTION_CALL},
    {'k', "kept", "DAYS", "For how many days they are kept, those among them. Default: 365.",
     OPTION_CALL},
    {'f', "format", "text|json", "How to tell. Default: text.",
     OPTION_CHOICE(struct size_context, json)},
};

static int take_number(const char *option, const char *value, double least, double most,
                       double *ret)
{
    char *end;
    double n = strtod(value, &end);
    if (*value < '0' || *value > '9' || *end || !(n >= least && n <= most))
        return cli_usage("--%s wants a number from %g to %g, not '%s'", option, least, most, value);
    *ret = n;
    return 0;
}

static int take_days(const char *option, const char *value, uint64_t *ret)
{
    return slice_to_u64(slice_of(value), ret) && *ret <= DAYS_MAX
               ? 0
               : cli_usage("--%s wants days up to %d, not '%s'", option, DAYS_MAX, value);
}

static int size_set(void *ctx, int letter, const char *value)
{
    struct size_context *c = ctx;
    switch (letter) {
    case 'r':
        return take_number("rate", value, 0.001, 1e7, &c->rate);
    case 'b':
        return take_number("bytes", value, 1, 1e6, &c->bytes);
    case O_PEAK:
        return take_number("peak", value, 1, 1000, &c->peak);
    case 's':
        c->has_searchable = true;
        return take_days("searchable", value, &c->searchable);
    case 'k':
    default:
        c->has_kept = true;
        return take_days("kept", value, &c->kept);
    }
}

struct need {
    double received_gib;              /* a day */
    double searchable_gib, older_gib; /* of sealed records */
    double disk_gib;                  /* so that it is not fuller than it may be */
    double busy_cores;                /* at the peak */
    double cores;
};

static struct need compute(const struct size_context *c)
{
    const double gib = 1024.0 * 1024 * 1024;
    struct need n = {.received_gib = c->rate * c->bytes * 86400 / gib};
    n.searchable_gib = n.received_gib * figures.disk_per_byte * (double)c->searchable;
    n.older_gib = n.received_gib * figures.disk_per_byte * (double)(c->kept - c->searchable);
    n.disk_gib = (n.searchable_gib + n.older_gib + figures.journals_gib) / figures.full;
    double us = fmax(figures.us_per_kib * c->bytes / 1024, figures.us_per_record);
    n.busy_cores = c->rate * c->peak * us / 1e6;
    /* One for matching, one for everything else, is the least. */
    n.cores = fmax(ceil(n.busy_cores / figures.busy), 2);
    return n;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void put_text(struct buf *out, const struct size_context *c, const struct need *n)
{
    buf_printf(out,
               "records      %g/s of %g bytes, %.0f/s at the peak\n"
               "received     %.1f GiB a day\n"
               "disk         %.0f GiB: %.1f for %" PRIu64 " searchable days, %.1f for %" PRIu64
               " more, %g for journals and the database; %.0f %% full\n"
               "processors   %.0f: %.2f of them are busy at the peak\n",
               c->rate, c->bytes, c->rate * c->peak, n->received_gib, ceil(n->disk_gib),
               n->searchable_gib, c->searchable, n->older_gib, c->kept - c->searchable,
               figures.journals_gib, figures.full * 100, n->cores, n->busy_cores);
    buf_printf(out,
               "\nReckoned with %g us of processor time for a KiB received (at least %g for a "
               "record), %g bytes\non disk for a byte received, and processors that are %.0f %% "
               "busy at the peak.\nMeasured: docs/evidence/size.md. Your own records may be "
               "others: 'vaka status' tells.\n",
               figures.us_per_kib, figures.us_per_record, figures.disk_per_byte,
               figures.busy * 100);
}

static void put(struct buf *out, const char *key, double value)
{
    json_write_key(out, key);
    json_write_double(out, value);
}

static void put_json(struct buf *out, const struct size_context *c, const struct need *n)
{
    buf_putc(out, '{');
    put(out, "rate", c->rate);
    put(out, "bytes", c->bytes);
    put(out, "peak", c->peak);
    put(out, "searchable_days", (double)c->searchable);
    put(out, "kept_days", (double)c->kept);
    put(out, "received_gib_per_day", n->received_gib);
    put(out, "searchable_gib", n->searchable_gib);
    put(out, "older_gib", n->older_gib);
    put(out, "disk_gib", n->disk_gib);
    put(out, "busy_cores", n->busy_cores);
    put(out, "cores", n->cores);
    json_write_key(out, "figures");
    buf_putc(out, '{');
    put(out, "us_per_kib", figures.us_per_kib);
    put(out, "us_per_record", figures.us_per_record);
    put(out, "disk_per_byte", figures.disk_per_byte);
    put(out, "busy", figures.busy);
    put(out, "full", figures.full);
    put(out, "journals_gib", figures.journals_gib);
    buf_puts(out, "}}\n");
}

static int size_main(const struct invocation *in)
{
    struct size_context *c = in->ctx;
    struct buf out;
    if (in->n_operands) return cli_usage("size takes no operands");
    if (c->rate <= 0) return cli_usage("size wants --rate");
    if (c->bytes <= 0) c->bytes = 700;
    if (c->peak <= 0) c->peak = 5;
    if (!c->has_searchable) c->searchable = c->has_kept && c->kept < 90 ? c->kept : 90;
    if (!c->has_kept) c->kept = c->searchable > 365 ? c->searchable : 365;
    if (c->kept < c->searchable) return cli_usage("--kept is less than --searchable");
    struct need need = compute(c);
    buf_init(&out, 4096);
    if (c->json) put_json(&out, c, &need);
    else put_text(&out, c, &need);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    return EXIT_RAN;
}

const struct command command_size = {
    .name = "size",
    .operands = "",
    .summary = "tell what disk and processors so many records need",
    .description =
        "Reckons from the records a second, their bytes and the days they are kept what disk and "
        "how many processors vaka serve needs, and shows the measured figures it is reckoned with. "
        "Records that are kept but not searchable cost as much disk as the others today.\n\n"
        "Exit status: 0; 2 the command line could not be understood.",
    .options = size_options,
    .n_options = sizeof size_options / sizeof *size_options,
    .ctx_size = sizeof(struct size_context),
    .option = size_set,
    .run = size_main,
};
