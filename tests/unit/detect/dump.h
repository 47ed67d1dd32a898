/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules as short text: their expressions (dump_expr.h), or why they were refused. */
#ifndef VAKA_TESTS_DETECT_DUMP_H
#define VAKA_TESTS_DETECT_DUMP_H

#include "dump_expr.h"
#include "test.h"

struct dump {
    struct arena arena;
    struct buf out; /* the dump, or "file:line:column message" */
    const struct placeholders *placeholders;
    bool refused;
};

static void dump_doc(void *ctx, struct sigma_doc *doc)
{
    struct dump *d = ctx;
    struct sigma_rule rule;
    struct diag diag = {0};
    if (sigma_interpret(&d->arena, doc, d->placeholders, &rule, &diag) == 0) {
        dump_expr(&d->out, rule.expr);
        return;
    }
    d->refused = true;
    buf_printf(&d->out, "%u:%u %s", diag.line, diag.column, diag.message);
}

static void dump_refused(void *ctx, const struct diag *diag, const struct sigma_doc *doc)
{
    (void)doc;
    struct dump *d = ctx;
    d->refused = true;
    buf_printf(&d->out, "read %u:%u %s", diag->line, diag->column, diag->message);
}

/* A whole rule's text. d->out holds the result until dump_done(). */
static void dump_rule(struct dump *d, struct slice yaml, const struct placeholders *placeholders)
{
    struct sigma_read_out out = {d, dump_doc, dump_refused};
    *d = (struct dump){.placeholders = placeholders};
    arena_init(&d->arena, 64 * 1024 * 1024);
    buf_init(&d->out, 4 * 1024 * 1024);
    REQUIRE(sigma_read(&d->arena, "t.yml", yaml, &out) == 0);
}

/* The same from the text under `detection:`, which is indented by four spaces. */
static void dump_detection(struct dump *d, const char *detection,
                           const struct placeholders *placeholders)
{
    struct buf yaml;
    buf_init(&yaml, 1024 * 1024);
    buf_printf(&yaml, "title: t\nlogsource:\n    product: x\ndetection:\n%s", detection);
    REQUIRE(!buf_failed(&yaml));
    dump_rule(d, buf_slice(&yaml), placeholders);
    buf_done(&yaml);
}

static void dump_done(struct dump *d)
{
    arena_done(&d->arena);
    buf_done(&d->out);
}

static bool dump_holds(const struct dump *d, const char *part)
{
    return slice_find(buf_slice(&d->out), slice_of(part)) != SIZE_MAX;
}

#endif
