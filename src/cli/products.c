/* SPDX-License-Identifier: EUPL-1.2 */
/* vaka products check, list, test */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/reading.h"
#include "cli/rules.h"

struct products_context {
    struct settings settings;
    bool json;
};

/* Files that are named are the user's, beside those of the settings. */
static int load(struct reading *r, struct products_context *c, const struct invocation *in,
                bool files)
{
    for (size_t i = 0; files && i < in->n_operands; i++) {
        int status = settings_say(&c->settings, CONFIG_PRODUCTS, in->operands[i], "FILE");
        if (status) return status;
    }
    return reading_init(r, &c->settings);
}

/* ---- list -------------------------------------------------------------------------------- */

static void put_row(struct buf *out, const struct product *p, bool json)
{
    if (json) {
        buf_putc(out, '{');
        json_write_member_string(out, "name", p->name);
        json_write_member_string(out, "title", p->title);
        json_write_member_string(out, "evidence", p->evidence);
        json_write_member_string(out, "file", slice_of(p->file));
        json_write_member_u64(out, "samples", p->n_samples);
        buf_puts(out, "}\n");
        return;
    }
    text_put_padded(out, p->name, 24);
    text_put_padded(out, p->title, 44);
    buf_printf(out, "%7" PRIu32 "  ", p->n_samples);
    (void)text_put_visible(out, p->evidence, 100);
    buf_putc(out, '\n');
}

static int list_run(const struct invocation *in)
{
    struct products_context *c = in->ctx;
    struct reading r = {0};
    if (in->n_operands) return cli_usage("products list takes no names");
    int status = load(&r, c, in, false);
    if (status == 0) {
        struct buf out;
        (void)load_tell_products(r.rules.products);
        buf_init(&out, 4 * 1024 * 1024);
        if (!c->json)
            buf_puts(&out, "NAME                    TITLE                                      "
                           " SAMPLES  EVIDENCE\n");
        for (uint32_t i = 0; i < products_count(r.rules.products); i++)
            put_row(&out, products_at(r.rules.products, i), c->json);
        rules_print(&out);
        buf_done(&out);
    }
    reading_done(&r);
    return status;
}

/* ---- check ------------------------------------------------------------------------------- */

enum { PATTERN_HERE = 1, PATTERN_FITS = 2 };

static void on_step(void *ctx, uint32_t line, const char *what, struct slice text)
{
    unsigned char *lines = ctx;
    (void)text;
    if (strcmp(what, "pattern") == 0) lines[line] |= PATTERN_FITS;
}

static void on_field(void *ctx, uint32_t line, struct slice name, struct slice value)
{
    (void)ctx;
    (void)line;
    (void)name;
    (void)value;
}

static void on_sample(void *ctx, struct event *ev, const struct taxonomy_route *route)
{
    (void)ctx;
    (void)ev;
    (void)route;
}

/* As a line of JSON, or as all that is wrong is told. */
static void tell(const struct products_context *c, const struct diag *diag, const char *verdict)
{
    struct buf out;
    if (!c->json) {
        cli_diag(diag, verdict);
        return;
    }
    buf_init(&out, 65536);
    buf_putc(&out, '{');
    json_write_member_string(&out, "file", slice_of(diag->file ? diag->file : ""));
    json_write_member_u64(&out, "line", diag->line);
    json_write_member_u64(&out, "column", diag->column);
    json_write_member_string(&out, "verdict", slice_of(verdict));
    json_write_member_string(&out, "message", slice_of(diag->message));
    buf_puts(&out, "}\n");
    rules_print(&out);
    buf_done(&out);
}

/* Patterns that none of the file's samples fit: they are not tested, or can never fit. */
static void tell_unused_patterns(const struct products_context *c, struct reading *r,
                                 const struct product *p)
{
    unsigned char *lines = calloc(PRODUCT_FILE_MAX + 2, 1); /* there are no more than bytes */
    const struct product_trace trace = {.ctx = lines, .step = on_step, .field = on_field};
    if (!lines) return;
    product_reader_trace(r->matcher.reader, &trace);
    for (uint32_t i = 0; i < p->n_samples; i++)
        (void)!reading_take(r, p->samples[i].record, NULL, on_sample);
    product_reader_trace(r->matcher.reader, NULL);
    for (const struct product_pattern *one = p->patterns; one; one = one->next)
        lines[one->line] |= PATTERN_HERE;
    for (uint32_t line = 1; line < PRODUCT_FILE_MAX + 2; line++) {
        struct diag diag;
        (void)diag_set(&diag, 0, p->file, line, 1, "no sample fits this pattern");
        if (lines[line] == PATTERN_HERE) tell(c, &diag, "warning");
    }
    free(lines);
}

static int check_run(const struct invocation *in)
{
    struct products_context *c = in->ctx;
    struct reading r = {0};
    if (in->n_operands == 0) return cli_usage("which product files?");
    int status = load(&r, c, in, true);
    const struct products *products = status == 0 ? r.rules.products : NULL;
    const struct product_remark *remark = products ? products_remarks(products) : NULL;
    for (; remark; remark = remark->next)
        tell(c, &remark->diag, remark->refused ? "refused" : "warning");
    if (products && products_refused(products)) status = EXIT_UNREADABLE;
    for (uint32_t i = 0; products && i < products_count(products); i++)
        for (size_t k = 0; k < in->n_operands; k++)
            if (strcmp(products_at(products, i)->file, in->operands[k]) == 0)
                tell_unused_patterns(c, &r, products_at(products, i));
    reading_done(&r);
    return status == EXIT_USAGE ? EXIT_UNREADABLE : status;
}

/* ---- test -------------------------------------------------------------------------------- */

struct testing {
    struct reading reading;
    const struct product *product;
    const struct product_sample *sample;
    struct buf why; /* empty: the sample is as its file says */
    struct buf out;
    uint32_t n, failed;
};

static bool is_value(const struct product_expected *want, uint32_t at, struct slice text)
{
    return at < want->n_values && slice_eq(want->values[at], text);
}

static void check_field(struct testing *t, struct event *ev, const struct product_expected *want)
{
    key_id key = keys_find(ev->keys, want->field);
    uint32_t found = 0;
    bool same = true;
    struct slice text = SLICE_NONE;
    for (uint32_t i = 0; i < ev->n_fields && key != KEY_NONE; i++) {
        if (ev->fields[i].key != key) continue;
        text = event_text(ev, &ev->fields[i]);
        same = same && is_value(want, found++, text);
    }
    if (same && found == want->n_values) return;
    if (t->why.len) buf_puts(&t->why, "; ");
    (void)text_put_visible(&t->why, want->field, 80);
    if (found == 0) buf_puts(&t->why, " is not there");
    else if (found != want->n_values)
        buf_printf(&t->why, " has %" PRIu32 " values, not %" PRIu32, found, want->n_values);
    else {
        buf_puts(&t->why, " is ");
        (void)text_put_visible(&t->why, text, 80);
    }
}

static void on_event(void *ctx, struct event *ev, const struct taxonomy_route *route)
{
    struct testing *t = ctx;
    const struct product *found = products_of(t->reading.rules.products, route);
    if (found != t->product) {
        buf_puts(&t->why, "recognised as ");
        (void)text_put_visible(&t->why, found ? found->name : SLICE("no product"), 80);
    }
    for (uint32_t i = 0; i < t->sample->n_fields; i++) check_field(t, ev, &t->sample->fields[i]);
}

static void test_sample(struct testing *t)
{
    buf_clear(&t->why);
    int error = reading_take(&t->reading, t->sample->record, t, on_event);
    if (error) buf_puts(&t->why, error_text(error));
    else if (t->reading.events == 0) buf_puts(&t->why, "nothing can be read in it");
    t->n++;
    t->failed += t->why.len > 0;
    buf_printf(&t->out, "%sok %" PRIu32 " - %s:%" PRIu32 "\n", t->why.len ? "not " : "", t->n,
               t->product->file, t->sample->line);
    if (t->why.len) buf_printf(&t->out, "  # %.*s\n", SLICE_FMT(buf_slice(&t->why)));
}

static bool is_named(const struct invocation *in, const struct product *p)
{
    bool named = in->n_operands == 0;
    for (size_t i = 0; i < in->n_operands && !named; i++)
        named = slice_eq(p->name, slice_of(in->operands[i]));
    return named;
}

/* By a file that was added later under the same name. */
static bool is_replaced(const struct products *products, uint32_t index)
{
    struct slice name = products_at(products, index)->name;
    bool replaced = false;
    for (uint32_t i = index + 1; i < products_count(products) && !replaced; i++)
        replaced = slice_eq(products_at(products, i)->name, name);
    return replaced;
}

static int test_run(const struct invocation *in)
{
    struct products_context *c = in->ctx;
    struct testing t = {0};
    int status = load(&t.reading, c, in, false);
    bool refused = status == 0 && load_tell_products(t.reading.rules.products);
    buf_init(&t.why, 65536);
    buf_init(&t.out, 64 * 1024 * 1024);
    for (uint32_t i = 0; status == 0 && i < products_count(t.reading.rules.products); i++) {
        t.product = products_at(t.reading.rules.products, i);
        if (!is_named(in, t.product) || is_replaced(t.reading.rules.products, i)) continue;
        for (uint32_t k = 0; k < t.product->n_samples; k++) {
            t.sample = &t.product->samples[k];
            test_sample(&t);
        }
    }
    if (status == 0) {
        buf_printf(&t.out, "1..%" PRIu32 "\n# %" PRIu32 " failed\n", t.n, t.failed);
        rules_print(&t.out);
        status = t.failed || t.n == 0 || refused ? EXIT_UNREADABLE : EXIT_RAN;
    }
    buf_done(&t.why);
    buf_done(&t.out);
    reading_done(&t.reading);
    return status;
}

/* ---- commands ---------------------------------------------------------------------------- */

static const struct cli_option list_options[] = {
    {'f', "format", "table|json", "What to print: a table, or one JSON object a line.",
     OPTION_CHOICE(struct products_context, json)},
    OPTION_SETTINGS(struct products_context),
};
static const struct cli_option check_options[] = {
    {'f', "format", "text|json", "What to print: lines of text, or one JSON object a finding.",
     OPTION_CHOICE(struct products_context, json)},
    OPTION_SETTINGS(struct products_context),
};
static const struct cli_option test_options[] = {OPTION_SETTINGS(struct products_context)};

const struct command command_products_list = {
    .name = "products list",
    .operands = "",
    .summary = "list the products whose records are understood",
    .description = "Lists the products that Vaka knows: what their files are called, how many "
                   "sample records they carry, and whose records they were compared with "
                   "(\"unverified\": nobody's).",
    .options = list_options,
    .n_options = sizeof list_options / sizeof *list_options,
    .ctx_size = sizeof(struct products_context),
    .run = list_run,
};

const struct command command_products_check = {
    .name = "products check",
    .operands = "FILE...",
    .summary = "read product files and say what is wrong with them",
    .description =
        "Reads product files beside those that come with Vaka, and says what is wrong, "
        "with line and column. A file that is refused does not keep the others from being "
        "in force. Warnings tell what looks like a mistake: a field or a value that is none "
        "of ECS but nearly one, records that another product recognises as well (and which "
        "of the two counts), patterns that no sample of the file fits.\n\n"
        "Exit status: 0 all are good; 1 one is refused, or could not be read.",
    .options = check_options,
    .n_options = sizeof check_options / sizeof *check_options,
    .ctx_size = sizeof(struct products_context),
    .run = check_run,
};

const struct command command_products_test = {
    .name = "products test",
    .operands = "[NAME...]",
    .summary = "read the sample records of products and compare with what their files expect",
    .description =
        "Reads the sample records that product files carry as vaka serve would read them, and "
        "compares with what the files expect; of the named products, or of all, those that the "
        "settings add included. A built-in product that a file of the same name replaces is passed "
        "over. Prints TAP.\n\n"
        "Exit status: 0 all are as expected; 1 one is not.",
    .options = test_options,
    .n_options = sizeof test_options / sizeof *test_options,
    .ctx_size = sizeof(struct products_context),
    .run = test_run,
};
