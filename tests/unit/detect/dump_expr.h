/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Expressions as short text, so that a test can say in one line what a rule or query should become:
 *
 *   (s: F=*abc* & -G=x)   and, or is |, not is -, a label stands before its node
 *   F=a   F=a#  numeric    F=A!  cased     =*k*  keyword    F~/re/i    F<5   F@10.0.0.0/8
 *   F:a  :a  words of the value   F=null   F?true   F=>G fieldref (F=>*G*, F=>G*, F=>*G) F.hour>=5
 *
 * In globs the pieces * and ? are written as they are, a literal star or question mark in brackets,
 * bytes that do not print as <00>.
 */
#ifndef VAKA_TESTS_DETECT_DUMP_EXPR_H
#define VAKA_TESTS_DETECT_DUMP_EXPR_H

#include "base/buf.h"
#include "detect/sigma/rule.h"

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
        [TIME_MINUTE] = "minute", [TIME_HOUR] = "hour", [TIME_DAY] = "day",    [TIME_WEEK] = "week",
        [TIME_MONTH] = "month",   [TIME_YEAR] = "year", [TIME_POINT] = "point"};
    buf_put(b, a->field);
    switch (a->op) {
    case ATOM_STRING:
    case ATOM_KEYWORD:
        buf_putc(b, a->words ? ':' : '=');
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
        buf_printf(b, ".%s%s%.10g", parts[a->part], cmps[a->cmp], a->num);
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
    case ATOM_LISTED:
        buf_printf(b, "@%s#%u", listed_kind_name(listed_kind(a->listed)), listed_count(a->listed));
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

#endif
