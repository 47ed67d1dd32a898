/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>

#include "base/buf.h"
#include "detect/sigma/doc.h"
#include "detect/sigma/read.h"
#include "test.h"

enum { SEARCHES_MAX = 400 };

struct parsing {
    struct arena arena;
    struct sigma_search *searches;
    uint32_t n;
    const struct sigma_cond *cond;
    struct diag diag;
    int error;
};

/* Names are separated by blanks. The condition stands at 7:3. */
static void parse(struct parsing *p, const char *names, struct slice condition)
{
    *p = (struct parsing){0};
    arena_init(&p->arena, 64 * 1024 * 1024);
    p->searches = arena_zalloc(&p->arena, SEARCHES_MAX, sizeof *p->searches);
    REQUIRE(p->searches);
    struct slice rest = slice_of(names), name;
    for (bool more = true; more && p->n < SEARCHES_MAX;) {
        more = slice_split(rest, ' ', &name, &rest);
        p->searches[p->n++].name = name;
    }
    const struct sigma_value value = {YAML_STRING, condition, {7, 3}};
    p->error = sigma_cond_parse(&p->arena, "r.yml", &value, p->searches, p->n, &p->cond, &p->diag);
}

static void write_cond(struct buf *out, const struct parsing *p, const struct sigma_cond *c)
{
    if (c->kind == COND_SEARCH) {
        buf_put(out, p->searches[c->search].name);
        return;
    }
    if (c->kind == COND_NOT) {
        buf_putc(out, '!');
        write_cond(out, p, c->child[0]);
        return;
    }
    buf_putc(out, '(');
    for (uint32_t i = 0; i < c->n_children; i++) {
        if (i) buf_putc(out, c->kind == COND_AND ? '&' : '|');
        write_cond(out, p, c->child[i]);
    }
    buf_putc(out, ')');
}

static void check_reads(const char *names, const char *condition, const char *want, int line)
{
    struct parsing p;
    struct buf out;
    parse(&p, names, slice_of(condition));
    buf_init(&out, 64 * 1024);
    if (p.error) buf_puts(&out, p.diag.message);
    else write_cond(&out, &p, p.cond);
    if (!slice_eq(buf_slice(&out), slice_of(want)))
        test_fail(__FILE__, line, "%s is %.*s, not %s", condition, SLICE_FMT(buf_slice(&out)),
                  want);
    buf_done(&out);
    arena_done(&p.arena);
}
#define READS(names, condition, want) check_reads(names, condition, want, __LINE__)

static void check_refused(const char *names, struct slice condition, uint32_t line, uint32_t column,
                          const char *message, int test_line)
{
    struct parsing p;
    parse(&p, names, condition);
    if (!p.error) test_fail(__FILE__, test_line, "%.60s is not refused", condition.ptr);
    else if (p.diag.line != line || p.diag.column != column || !strstr(p.diag.message, message))
        test_fail(__FILE__, test_line, "%u:%u: %s; expected %u:%u: %s", p.diag.line, p.diag.column,
                  p.diag.message, line, column, message);
    CHECK(p.cond == NULL);
    arena_done(&p.arena);
}
#define REFUSED(names, condition, column, message)                                                 \
    check_refused(names, slice_of(condition), 7, column, message, __LINE__)

TEST(not_binds_closest_then_and_then_or)
{
    READS("a b c", "a or b and c", "(a|(b&c))");
    READS("a b c", "a and b or c", "((a&b)|c)");
    READS("a b c", "not a and b", "(!a&b)");
    READS("a b c", "not a or not b and not c", "(!a|(!b&!c))");
    READS("a b c", "not (a or b) and c", "(!(a|b)&c)");
    READS("a b c", "(a or b) and c", "((a|b)&c)");
    READS("a", "not not a", "!!a");
    READS("a", "((a))", "a");
    READS("a b c", "a and b and c", "(a&b&c)");
    READS("a b c", "a and (b and c)", "(a&(b&c))");
}

TEST(operators_have_no_case_and_names_have)
{
    READS("a b", "a AND Not b", "(a&!b)");
    READS("A b", "A oR b", "(A|b)");
    REFUSED("a", "A", 3, "`A`, which is not defined; did you mean `a`?");
    READS("a b", "1 OF them", "(a|b)");
    READS("a b", "ALL of Them", "(a&b)");
}

TEST(blanks_and_parentheses_separate_words)
{
    READS("a b", "\t(a)and(b)\n", "(a&b)");
    READS("a-b c.d", "a-b or c.d", "(a-b|c.d)");
    READS("å b", "not å", "!å");
}

TEST(words_are_only_special_where_they_say_something)
{
    READS("1 a", "1 and a", "(1&a)");
    READS("all any", "all or any", "(all|any)");
    READS("them a", "them and a", "(them&a)");
    READS("of1 a", "of1", "of1");
}

TEST(of_patterns)
{
    READS("sel_a sel_b other", "1 of sel_*", "(sel_a|sel_b)");
    READS("sel_a sel_b other", "any of sel_*", "(sel_a|sel_b)");
    READS("sel_a sel_b other", "all of sel_*", "(sel_a&sel_b)");
    READS("sel_a sel_b other", "all of them", "(sel_a&sel_b&other)");
    READS("sel_a sel_b other", "not 1 of sel_* and other", "(!(sel_a|sel_b)&other)");
    READS("sel_a sel_b", "1 of *_b", "sel_b");
    READS("sel_a sel_b", "1 of s*_*b", "sel_b");
    READS("sel_a sel_b", "1 of sel_a", "sel_a");
    READS("aab ab", "all of a*ab", "aab");
    READS("a b", "1 of *", "(a|b)");
    REFUSED("sel_a", "1 of Sel*", 8, "no search's name matches the pattern `Sel*`");
    REFUSED("sel_a", "1 of sel?a", 8, "no search's name matches"); /* only * is special */
}

TEST(names_with_an_underscore_in_front_are_not_reached)
{
    READS("_a b c", "1 of them", "(b|c)");
    READS("_a b c", "all of *", "(b&c)");
    READS("_a _b c", "all of _*", "(_a&_b)");
    READS("_a b", "_a and b", "(_a&b)");
    REFUSED("_a _b", "1 of them", 8, "`of them` reaches nothing");
    REFUSED("_a _b", "1 of *", 8, "no search's name matches the pattern `*`");
}

TEST(mistakes_are_named_at_their_place)
{
    REFUSED("a", "", 3, "the condition is empty");
    REFUSED("a", "  \n ", 3, "the condition is empty");
    REFUSED("a", "a and", 8, "the condition ends where a search's name is expected");
    REFUSED("a", "a and and a", 9, "has `and` where a search's name is expected");
    REFUSED("a", "or a", 3, "has `or` where a search's name is expected");
    REFUSED("a", "a a", 5, "has `a` where `and` or `or` is expected");
    REFUSED("a", "not", 6, "ends where");
    REFUSED("a", "(a", 3, "this parenthesis is never closed");
    REFUSED("a", "a and (a or (a)", 9, "this parenthesis is never closed");
    REFUSED("a", "a)", 4, "this parenthesis was never opened");
    REFUSED("a", "()", 4, "has `)` where a search's name is expected");
    REFUSED("a", "(a a)", 6, "has `a` where `and`, `or` or `)` is expected");
    REFUSED("a", "2 of them", 3, "only `1 of`, `any of` and `all of` exist");
    REFUSED("a", "a or 10 of a*", 8, "only `1 of`");
    REFUSED("a", "1 of", 7, "ends where `them` or a pattern of names is expected");
    REFUSED("a", "1 of (a)", 8, "has `(` where `them` or a pattern");
    REFUSED("a", "of a", 3, "has `of` where");
    REFUSED("selection filter", "selektion and not filter", 3,
            "`selektion`, which is not defined; did you mean `selection`?");
    REFUSED("a", "åäö and b", 3, "`åäö`, which is not defined");
    REFUSED("a å", "å and b", 9, "`b`, which is not defined"); /* columns are characters */
    check_refused("a", SLICE("a and\n  x"), 8, 3, "`x`, which is not defined", __LINE__);
    check_refused("a", SLICE("a and \0"), 7, 9, "`?`, which is not defined", __LINE__);
}

TEST(the_old_aggregations_are_named_as_such)
{
    REFUSED("a", "a | count() > 5", 5, "the old aggregation syntax (`|`)");
    REFUSED("a", "a near b", 5, "the old aggregation syntax (`near`)");
    REFUSED("a", "count(x) > 5", 3, "the old aggregation syntax (`count`)");
    REFUSED("a", "a and sum(b)", 9, "the old aggregation syntax (`sum`)");
    READS("count a", "count and a", "(count&a)");
}

static char *repeat(const char *head, const char *text, unsigned n, const char *tail)
{
    size_t len = strlen(text), at = strlen(head);
    char *all = malloc(at + n * len + strlen(tail) + 1);
    REQUIRE(all);
    memcpy(all, head, at);
    for (unsigned i = 0; i < n; i++, at += len) memcpy(all + at, text, len);
    memcpy(all + at, tail, strlen(tail) + 1);
    return all;
}

TEST(depth_is_bounded)
{
    struct parsing p;
    char *text = repeat("", "not ", SIGMA_COND_DEPTH_MAX - 1, "a");
    parse(&p, "a", slice_of(text));
    CHECK_INT(p.error, 0);
    arena_done(&p.arena);
    free(text);
    text = repeat("", "not ", SIGMA_COND_DEPTH_MAX, "a");
    REFUSED("a", text, 3 + 4 * SIGMA_COND_DEPTH_MAX, "nested more than 64 levels deep");
    free(text);
    text = repeat("", "(", SIGMA_VALUE_LEN_MAX, "");
    REFUSED("a", text, 3 + SIGMA_COND_DEPTH_MAX, "nested more than 64 levels deep");
    free(text);
}

TEST(length_is_bounded)
{
    char *text = repeat("a", " ", SIGMA_VALUE_LEN_MAX - 1, "");
    READS("a", text, "a");
    free(text);
    text = repeat("a", " ", SIGMA_VALUE_LEN_MAX, "");
    REFUSED("a", text, 3, "the condition is longer than 65536 bytes");
    free(text);
}

/* `1 of *` over many searches, many times: each counts for all that it reaches. */
TEST(size_is_bounded)
{
    struct parsing p;
    char *names = repeat("b", " a", SEARCHES_MAX - 1, "");
    char *text = repeat("1 of *", " or 1 of *", 170, "");
    parse(&p, names, slice_of(text));
    CHECK_INT(p.error, ERR_LIMIT);
    CHECK(strstr(p.diag.message, "the condition has more than 65536 parts"));
    arena_done(&p.arena);
    free(text);
    text = repeat("1 of *", " or 1 of *", 150, "");
    parse(&p, names, slice_of(text));
    CHECK_INT(p.error, 0);
    arena_done(&p.arena);
    free(text);
    free(names);
}

TEST(a_search_is_one_node_however_often_it_is_named)
{
    struct parsing p;
    parse(&p, "a b", SLICE("a and (b or a)"));
    REQUIRE(p.error == 0);
    CHECK(p.cond->child[0] == p.cond->child[1]->child[1]);
    arena_done(&p.arena);
}

TEST(memory_that_is_spent_is_an_error)
{
    struct parsing p = {0};
    const struct sigma_value value = {YAML_STRING, SLICE("not a"), {7, 3}};
    const struct sigma_search search = {.name = SLICE("a")};
    arena_init(&p.arena, 0);
    CHECK_INT(sigma_cond_parse(&p.arena, "r.yml", &value, &search, 1, &p.cond, &p.diag), ERR_NOMEM);
    arena_done(&p.arena);
}

TEST(the_names_of_a_condition)
{
    struct arena arena;
    struct sigma_value *names;
    uint32_t n;
    arena_init(&arena, 1024 * 1024);
    const struct sigma_value value = {YAML_STRING, SLICE("a and (b or NOT a)\n and c"), {7, 3}};
    REQUIRE(sigma_cond_names(&arena, &value, &names, &n) == 0);
    REQUIRE(n == 3);
    CHECK_SLICE(names[0].text, "a");
    CHECK_SLICE(names[1].text, "b");
    CHECK_INT(names[1].pos.column, 10);
    CHECK_SLICE(names[2].text, "c");
    CHECK_INT(names[2].pos.line, 8);
    arena_done(&arena);
}
