/* SPDX-License-Identifier: EUPL-1.2 */
/* Documents to expressions; single modifiers are tested in modifier.c. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "detect/dump.h"
#include "detect/sigma/regex.h"

static void check_detection(const char *detection, const char *want)
{
    struct dump d;
    dump_detection(&d, detection, NULL);
    if (!slice_eq(buf_slice(&d.out), slice_of(want)))
        test_fail(__FILE__, __LINE__, "%s\n#   gives  %.*s\n#   wanted %s", detection,
                  (int)d.out.len, d.out.ptr, want);
    dump_done(&d);
}

TEST(interpret_structure)
{
    check_detection("    s:\n        A: x\n        B: y\n    condition: s\n", "s: (A=x & B=y)");
    check_detection("    s:\n        - A: x\n        - B: y\n    condition: s\n", "s: (A=x | B=y)");
    check_detection("    s:\n        - A: x\n          B: y\n        - C: z\n    condition: s\n",
                    "s: ((A=x & B=y) | C=z)");
    check_detection("    s:\n        A: [x, y]\n    condition: s\n", "s: (A=x | A=y)");
    check_detection("    s:\n        A: [x, y]\n        B: z\n    condition: s\n",
                    "s: ((A=x | A=y) & B=z)");
    check_detection("    s:\n        A: x\n    condition: s\n", "s: A=x");
}

TEST(interpret_keywords)
{
    check_detection("    k:\n        - foo\n        - 'B*r'\n    condition: k\n",
                    "k: (=*foo* | =*b*r*)");
    check_detection("    k:\n        - '*foo*'\n    condition: k\n", "k: =*foo*");
    check_detection("    k:\n        - ''\n    condition: k\n", "k: =*");
    check_detection("    k:\n        - 4688\n    condition: k\n", "k: =*4688*");
    check_detection("    k: foo\n    condition: k\n", "k: =*foo*");
    check_detection("    k:\n        '|all':\n            - a\n            - b\n    condition: k\n",
                    "k: (=*a* & =*b*)");
    check_detection("    k:\n        - foo\n        - A: x\n    condition: k\n",
                    "k: (=*foo* | A=x)");
}

TEST(interpret_conditions)
{
    static const struct {
        const char *condition, *want;
    } cases[] = {
        {"a", "a: A=x"},
        {"not a", "-a: A=x"},
        {"not not a", "a: A=x"},
        {"not (not a)", "a: A=x"},
        {"a and b", "(a: A=x & b: (B=y | B=z))"},
        {"a or b", "(a: A=x | b: (B=y | B=z))"},
        {"a and (b and c)", "(a: A=x & b: (B=y | B=z) & c: (C=v & D=w))"},
        {"a or (b or (a or c))", "(a: A=x | b: (B=y | B=z) | a: A=x | c: (C=v & D=w))"},
        {"a or b and c", "(a: A=x | (b: (B=y | B=z) & c: (C=v & D=w)))"},
        {"(a or b) and not c", "((a: A=x | b: (B=y | B=z)) & -c: (C=v & D=w))"},
        {"all of them", "(a: A=x & b: (B=y | B=z) & c: (C=v & D=w))"},
        {"1 of a*", "a: A=x"},
        {"not 1 of a* and b", "(-a: A=x & b: (B=y | B=z))"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf text;
        buf_init(&text, 65536);
        buf_puts(&text, "    a:\n        A: x\n    b:\n        B: [y, z]\n"
                        "    c:\n        C: v\n        D: w\n");
        buf_printf(&text, "    condition: %s\n%c", cases[i].condition, '\0');
        check_detection(text.ptr, cases[i].want);
        buf_done(&text);
    }
    check_detection(
        "    a:\n        A: x\n    b:\n        B: y\n    condition:\n        - a\n        - b\n",
        "(a: A=x | b: B=y)");
    check_detection("    a:\n        A|neq: x\n    condition: not a\n", "-a: -A=x");
    check_detection("    a:\n        A|neq: [x, y]\n        B: z\n    condition: a\n",
                    "a: (-(A=x | A=y) & B=z)");
}

static struct sigma_rule rule;
static int got_rule;

static void keep_rule(void *ctx, struct sigma_doc *doc)
{
    struct diag diag = {0};
    got_rule = sigma_interpret(ctx, doc, NULL, &rule, &diag);
}

static void no_refusal(void *ctx, const struct diag *diag, const struct sigma_doc *doc)
{
    (void)ctx;
    (void)doc;
    test_fail(__FILE__, __LINE__, "%u:%u %s", diag->line, diag->column, diag->message);
}

TEST(interpret_atoms_say_where_they_come_from)
{
    struct arena arena;
    struct sigma_read_out out = {&arena, keep_rule, no_refusal};
    arena_init(&arena, 1 << 20);
    got_rule = -1;
    REQUIRE(sigma_read(&arena, "t.yml",
                       SLICE("title: t\nlogsource:\n    product: Windows\n    category: x\n"
                             "detection:\n    s:\n        A|contains: 'Foo*'\n        B: null\n"
                             "        C: 42\n    condition: s\n"),
                       &out) == 0);
    REQUIRE(got_rule == 0);
    REQUIRE(rule.expr->kind == EXPR_AND && rule.expr->n_children == 3);
    CHECK_SLICE(rule.logsource.product, "windows");
    CHECK_SLICE(rule.logsource.category, "x");
    const struct sigma_atom *a = rule.expr->child[0]->atom;
    CHECK_SLICE(a->pattern, "Foo*");
    CHECK_SLICE(a->field, "A");
    CHECK_INT(a->pos.line, 7);
    CHECK_SLICE(rule.expr->child[1]->atom->pattern, "null");
    a = rule.expr->child[2]->atom;
    CHECK(a->numeric && a->num == 42);
    CHECK_SLICE(a->pattern, "42");
    arena_done(&arena);
}

/* A search that is named twice is one node: engines may count on the address. */
TEST(interpret_shares_searches)
{
    struct arena arena;
    struct sigma_read_out out = {&arena, keep_rule, no_refusal};
    arena_init(&arena, 1 << 20);
    got_rule = -1;
    REQUIRE(
        sigma_read(&arena, "t.yml",
                   SLICE("title: t\nlogsource:\n    product: x\ndetection:\n    a:\n        A: 1\n"
                         "    b:\n        B: 2\n    condition: (a and b) or (a and not b)\n"),
                   &out) == 0);
    REQUIRE(got_rule == 0 && rule.expr->n_children == 2);
    CHECK(rule.expr->child[0]->child[0] == rule.expr->child[1]->child[0]);
    CHECK(rule.expr->child[0]->child[1] == rule.expr->child[1]->child[1]->child[0]);
    arena_done(&arena);
}

TEST(interpret_refuses_with_the_place)
{
    struct dump d;
    dump_detection(
        &d,
        "    s:\n        A: x\n    t:\n        - B|re:\n            - 'ok'\n            - '('\n"
        "    condition: s\n",
        NULL);
    CHECK(d.refused);
    CHECK(dump_holds(&d, "10:1"));
    CHECK(dump_holds(&d, "regular expression: "));
    dump_done(&d);
    dump_detection(&d, "    k:\n        - null\n    condition: k\n", NULL);
    CHECK(d.refused);
    dump_done(&d);
}

/* Running out of the caller's memory is an error, never a half rule. */
TEST(interpret_without_memory)
{
    static const char text[] =
        "title: t\nlogsource:\n    product: x\ndetection:\n    a:\n"
        "        A|contains|windash: [' -f', ' -g', abc, def]\n        B|re: a\n"
        "        C|fieldref: D\n    b:\n        - foo\n        - bar\n"
        "    condition: a and not b\n";
    struct arena whole;
    struct sigma_read_out out = {&whole, keep_rule, no_refusal};
    arena_init(&whole, 8 << 20);
    got_rule = -1;
    REQUIRE(sigma_read(&whole, "t.yml", slice_of(text), &out) == 0 && got_rule == 0);
    const struct sigma_doc *doc = rule.doc;
    unsigned failed = 0;
    for (size_t budget = 16; budget < 16384; budget += 16) {
        struct arena small;
        struct sigma_rule r = {0};
        struct diag diag;
        arena_init(&small, budget);
        int got = sigma_interpret(&small, doc, NULL, &r, &diag);
        if (got < 0) {
            failed++;
            CHECK_INT(got, ERR_NOMEM);
            CHECK(!r.expr);
        }
        arena_done(&small);
    }
    CHECK(failed > 50);
    arena_done(&whole);
}

/* Every active public rule is understood; only placeholders without values refuse one. */
struct corpus {
    struct arena arena;
    unsigned rules, loaded, placeholder, atoms, regexes, with_literals;
};

static void count_atoms(struct corpus *c, const struct sigma_expr *e)
{
    for (uint32_t i = 0; i < e->n_children; i++) {
        /* Clean expressions: nothing constant, single or needlessly nested inside. */
        const struct sigma_expr *child = e->child[i];
        CHECK(child->kind != EXPR_TRUE && child->kind != EXPR_FALSE);
        CHECK(child->kind != e->kind || child->label.len || e->kind == EXPR_NOT);
        count_atoms(c, child);
    }
    if (e->kind == EXPR_AND || e->kind == EXPR_OR) CHECK(e->n_children > 1);
    if (e->kind != EXPR_ATOM) return;
    c->atoms++;
    if (e->atom->op != ATOM_REGEX) return;
    struct slice literals[REGEX_LITERALS_MAX];
    c->regexes++;
    c->with_literals +=
        regex_required_literals(e->atom->regex, e->atom->regex_flags, &c->arena, literals) > 0;
}

static void corpus_doc(void *ctx, struct sigma_doc *doc)
{
    struct corpus *c = ctx;
    struct sigma_rule r;
    struct diag diag = {0};
    c->rules++;
    if (sigma_interpret(&c->arena, doc, NULL, &r, &diag) == 0) {
        c->loaded++;
        count_atoms(c, r.expr);
        return;
    }
    if (strncmp(diag.message, "placeholder %", 13) == 0) c->placeholder++;
    else
        test_fail(__FILE__, __LINE__, "%s:%u:%u %s", diag.file, diag.line, diag.column,
                  diag.message);
}

static void corpus_refused(void *ctx, const struct diag *diag, const struct sigma_doc *doc)
{
    (void)ctx;
    (void)doc;
    test_fail(__FILE__, __LINE__, "%s:%u:%u %s", diag->file, diag->line, diag->column,
              diag->message);
}

static void corpus_folder(struct corpus *c, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct sigma_read_out out = {c, corpus_doc, corpus_refused};
        const char *file = arena_printf(&c->arena, "%s/%s", path, entries[i]->d_name);
        struct stat st;
        size_t len;
        REQUIRE(file);
        if (entries[i]->d_name[0] != '.' && stat(file, &st) == 0) {
            if (S_ISDIR(st.st_mode)) {
                corpus_folder(c, file);
            } else if (slice_ends_with(slice_of(file), SLICE(".yml"))) {
                char *text = test_read_file(file, &len);
                CHECK(sigma_read(&c->arena, file, slice_make(text, len), &out) == 0);
                free(text);
            }
        }
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

TEST(interpret_every_public_rule)
{
    static const char *const folders[] = {"rules",
                                          "rules-compliance",
                                          "rules-dfir",
                                          "rules-emerging-threats",
                                          "rules-placeholder",
                                          "rules-threat-hunting"};
    const char *dir = test_corpus();
    if (!dir) SKIP("no corpus");
    struct corpus c = {0};
    arena_init(&c.arena, 512u << 20);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        corpus_folder(&c, arena_printf(&c.arena, "%s/sigma/%s", dir, folders[i]));
    printf(
        "# %u rules, %u understood, %u lack placeholder values; %u atoms, %u regular expressions, "
        "%u of them with literals\n",
        c.rules, c.loaded, c.placeholder, c.atoms, c.regexes, c.with_literals);
    CHECK(c.rules > 3000);
    CHECK_INT(c.loaded + c.placeholder, c.rules);
    CHECK(c.placeholder < 40);
    CHECK(c.with_literals * 10 >= c.regexes * 9);
    arena_done(&c.arena);
}
