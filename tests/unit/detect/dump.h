/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rules as short text, so that a test can say in one line what a rule should become:
 *
 *   (s: F=*abc* & -G=x)   and, or is |, not is -, a label stands before its node
 *   F=a   F=a#  numeric    F=A!  cased     =*k*  keyword    F~/re/i    F<5   F@10.0.0.0/8
 *   F=null   F?true   F=>G fieldref (F=>*G*, F=>G*, F=>*G)   F.hour>=5
 *
 * In globs the pieces * and ? are written as they are, a literal star or question mark in brackets,
 * bytes that do not print as <00>.
 */
#ifndef VAKA_TESTS_DETECT_DUMP_H
#define VAKA_TESTS_DETECT_DUMP_H

#include "base/buf.h"
#include "detect/sigma/rule.h"
#include "test.h"

static void dump_text(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f || c >= 0xf8) buf_printf(b, "<%02x>", c);
        else if (c == '*' || c == '?') buf_printf(b, "[%c]", c);
        else buf_putc(b, (char)c);
    }
}

static void dump_atom(struct buf *b, const struct sigma_atom *a)
{
    static const char *const cmps[] = {[CMP_LT] = "<",   [CMP_LTE] = "<=", [CMP_GT] = ">",
                                       [CMP_GTE] = ">=", [CMP_EQ] = "==",  [CMP_NEQ] = "!="};
    static const char *const parts[] = {
        [TIME_MINUTE] = "minute", [TIME_HOUR] = "hour",   [TIME_DAY] = "day",
        [TIME_WEEK] = "week",     [TIME_MONTH] = "month", [TIME_YEAR] = "year"};
    buf_put(b, a->field);
    switch (a->op) {
    case ATOM_STRING:
    case ATOM_KEYWORD:
        buf_putc(b, '=');
        for (uint32_t i = 0; i < a->n_glob; i++) {
            if (a->glob[i].kind == GLOB_LITERAL) dump_text(b, a->glob[i].text);
            else buf_putc(b, a->glob[i].kind == GLOB_ANY ? '*' : '?');
        }
        if (a->numeric) buf_putc(b, '#');
        break;
    case ATOM_REGEX:
        buf_printf(b, "~/%.*s/%s%s%s", SLICE_FMT(a->regex), a->regex_flags & REGEX_I ? "i" : "",
                   a->regex_flags & REGEX_M ? "m" : "", a->regex_flags & REGEX_S ? "s" : "");
        break;
    case ATOM_NUMBER:
        buf_printf(b, "%s%g", cmps[a->cmp], a->num);
        break;
    case ATOM_TIME:
        buf_printf(b, ".%s%s%g", parts[a->part], cmps[a->cmp], a->num);
        break;
    case ATOM_CIDR:
        buf_putc(b, '@');
        for (unsigned i = 0; i < (a->cidr.v6 ? 16u : 4u); i++)
            buf_printf(b, a->cidr.v6 ? "%02x" : i ? ".%u" : "%u", a->cidr.addr[i]);
        buf_printf(b, "/%u", a->cidr.bits);
        break;
    case ATOM_NULL:
        buf_puts(b, "=null");
        break;
    case ATOM_EXISTS:
        buf_puts(b, a->flag ? "?true" : "?false");
        break;
    case ATOM_FIELDREF:
        buf_puts(b, "=>");
        if (a->anchor == ANCHOR_END || a->anchor == ANCHOR_INSIDE) buf_putc(b, '*');
        buf_put(b, a->ref);
        if (a->anchor == ANCHOR_START || a->anchor == ANCHOR_INSIDE) buf_putc(b, '*');
        break;
    }
    if (a->cased) buf_putc(b, '!');
}

static void dump_expr(struct buf *b, const struct sigma_expr *e)
{
    if (e->label.len) buf_printf(b, "%.*s: ", SLICE_FMT(e->label));
    switch (e->kind) {
    case EXPR_ATOM:
        dump_atom(b, e->atom);
        return;
    case EXPR_TRUE:
    case EXPR_FALSE:
        buf_puts(b, e->kind == EXPR_TRUE ? "true" : "false");
        return;
    case EXPR_NOT:
        buf_putc(b, '-');
        dump_expr(b, e->child[0]);
        return;
    case EXPR_AND:
    case EXPR_OR:
        buf_putc(b, '(');
        for (uint32_t i = 0; i < e->n_children; i++) {
            if (i) buf_puts(b, e->kind == EXPR_AND ? " & " : " | ");
            dump_expr(b, e->child[i]);
        }
        buf_putc(b, ')');
        return;
    }
}

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
