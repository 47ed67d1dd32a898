/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/placeholder.h"

#include "detect/dump.h"

static const char values[] = "Admins: [anna, 'adm*', 7]\n"
                             "One: 'Bo?'\n"
                             "'%Nets%':\n"
                             "  - 10.0.0.0/8\n"
                             "  - '::1/128'\n"
                             "DC-NAME.x: dc$\n"
                             "Dash: '-f'\n";

static struct placeholders *read_values(void)
{
    struct diag diag = {0};
    struct placeholders *p = placeholders_new();
    REQUIRE(p);
    int r = placeholders_read(p, "values.yml", slice_of(values), &diag);
    if (r < 0) test_fail(__FILE__, __LINE__, "%u:%u %s", diag.line, diag.column, diag.message);
    return p;
}

TEST(placeholders_are_looked_up)
{
    struct placeholders *p = read_values();
    const struct placeholder *x = placeholders_find(p, SLICE("Admins"));
    REQUIRE(x);
    CHECK_INT(x->n_values, 3);
    CHECK_SLICE(x->values[1], "adm*");
    CHECK_SLICE(x->values[2], "7");
    x = placeholders_find(p, SLICE("Nets"));
    REQUIRE(x);
    CHECK_INT(x->n_values, 2);
    CHECK(!placeholders_find(p, SLICE("admins")));
    CHECK(!placeholders_find(p, SLICE("")));
    CHECK(!placeholders_find(NULL, SLICE("Admins")));
    struct diag diag = {0};
    CHECK(placeholders_read(p, "more.yml", SLICE("More: x\n"), &diag) == 0);
    CHECK(placeholders_find(p, SLICE("More")));
    CHECK(placeholders_read(p, "empty.yml", SLICE(""), &diag) == 0);
    placeholders_free(p);
    placeholders_free(NULL);
}

TEST(defaults_stand_where_nothing_was_said)
{
    struct placeholders *p = read_values();
    struct diag diag = {0};
    struct slice text = SLICE("'%One%': other\nMore: [a, b]\n");
    CHECK(placeholders_read_defaults(p, "own.yml", text, &diag) == 0);
    const struct placeholder *x = placeholders_find(p, SLICE("One"));
    REQUIRE(x);
    CHECK_INT(x->n_values, 1);
    CHECK_SLICE(x->values[0], "Bo?");
    x = placeholders_find(p, SLICE("More"));
    REQUIRE(x);
    CHECK_INT(x->n_values, 2);
    CHECK(placeholders_read_defaults(p, "own.yml", SLICE("Late: []\n"), &diag) < 0);
    placeholders_free(p);
}

TEST(placeholders_refuse)
{
    static const struct {
        const char *text, *want;
        uint32_t line;
    } cases[] = {
        {"- a\n", "a map from placeholder names", 1},
        {"a: {b: c}\n", "strings or numbers", 1},
        {"a:\n  - x\n  - [y]\n", "strings or numbers", 3},
        {"a: null\n", "strings or numbers", 1},
        {"a: []\n", "without values", 1},
        {"'': x\n", "without a name", 1},
        {"b: 1\n'%b%': 2\n", "has values already", 2},
        {"Admins: x\n", "has values already", 1},
        {"a: [\n", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct placeholders *p = read_values();
        struct diag diag = {0};
        CHECK(placeholders_read(p, "bad.yml", slice_of(cases[i].text), &diag) < 0);
        if (!strstr(diag.message, cases[i].want) || (cases[i].line && diag.line != cases[i].line))
            test_fail(__FILE__, __LINE__, "%s: %u %s", cases[i].text, diag.line, diag.message);
        /* Nothing of a refused file is kept, all of the others is. */
        CHECK(!placeholders_find(p, SLICE("b")));
        CHECK(placeholders_find(p, SLICE("Admins")));
        placeholders_free(p);
    }
}

static void check_item(const struct placeholders *p, const char *item, const char *want,
                       bool refused)
{
    struct dump d;
    struct buf text;
    buf_init(&text, 65536);
    buf_printf(&text, "    s:\n        %s\n    condition: s\n%c", item, '\0');
    dump_detection(&d, text.ptr, p);
    struct slice got = buf_slice(&d.out);
    if (d.refused != refused || (refused ? !dump_holds(&d, want) : !slice_eq(got, slice_of(want))))
        test_fail(__FILE__, __LINE__, "%s gives %.*s", item, SLICE_FMT(got));
    dump_done(&d);
    buf_done(&text);
}

TEST(placeholders_expand)
{
    struct placeholders *p = read_values();
    check_item(p, "F|expand: '%Admins%'", "s: (F=anna | F=adm* | F=7)", false);
    check_item(p, "F|expand: 'x%One%y'", "s: F=xbo?y", false);
    check_item(p, "F|contains|expand: '%Admins%'", "s: (F=*anna* | F=*adm* | F=*7*)", false);
    check_item(p, "F|expand|contains: '%Admins%'", "s: (F=*anna* | F=*adm* | F=*7*)", false);
    check_item(p, "F|expand: ['%One%', z]", "s: (F=bo? | F=z)", false);
    check_item(p, "F|expand: ['%One%', 5]", "s: (F=bo? | F=5#)", false);
    check_item(p, "F|expand: '%DC-NAME.x%'", "s: F=dc$", false);
    check_item(p, "F|expand: '%One%%Admins%'", "s: (F=bo?anna | F=bo?adm* | F=bo?7)", false);
    check_item(p, "F|all|expand: ['%Admins%', '%One%']", "s: ((F=anna | F=adm* | F=7) & F=bo?)",
               false);
    check_item(p, "F|expand|neq: '%Admins%'", "s: -(F=anna | F=adm* | F=7)", false);
    check_item(p, "F|expand|cased: '%One%'", "s: F=Bo?!", false);
    check_item(p, "'|expand': '%One%'", "s: =*bo?*", false);
    check_item(p, "F|expand|cidr: '%Nets%'",
               "s: (F@10.0.0.0/8 | F@00000000000000000000000000000001/128)", false);
    check_item(p, "F|expand|base64|cased: '%Dash%'", "s: F=LWY=!", false);
    check_item(p, "F|expand|windash: '%Dash%'", "s: (F=-f | F=/f | F=–f | F=—f | F=―f)", false);
    check_item(p, "F|windash|expand: '%Dash%'", "s: F=-f", false);
    check_item(p, "F|expand|base64: '%Admins%'", "wildcards cannot be encoded", true);
    placeholders_free(p);
}

TEST(placeholders_escapes)
{
    struct placeholders *p = read_values();
    check_item(p, "F: '%One%'", "s: F=%one%", false);
    check_item(p, "F|expand: '\\%plain%One%'", "s: F=%plainbo?", false);
    check_item(p, "F|expand: '\\%One\\%'", "s: F=%one%", false);
    check_item(p, "F|expand: '\\\\%One%'", "s: F=\\bo?", false);
    check_item(p, "F|expand: '100%'", "s: F=100%", false);
    check_item(p, "F|expand: '%%'", "s: F=%%", false);
    check_item(p, "F|expand: '% One%'", "s: F=% one%", false);
    check_item(p, "F|expand: '%One'", "s: F=%one", false);
    check_item(p, "F|expand: '5%%One%'", "s: F=5%bo?", false);
    check_item(p, "F|expand: '\\*%One%'", "s: F=[*]bo?", false);
    placeholders_free(p);
}

TEST(placeholders_unresolved)
{
    struct placeholders *p = read_values();
    check_item(p, "F|expand: '%Nobody%'",
               "placeholder %Nobody% has no values (give them with --placeholders FILE)", true);
    check_item(p, "F|expand: '%One% %Nobody%'", "placeholder %Nobody% has no values", true);
    check_item(NULL, "F|expand: '%One%'", "placeholder %One% has no values", true);
    check_item(NULL, "F|expand: 'none'", "s: F=none", false);
    placeholders_free(p);
}

TEST(placeholders_product_is_bounded)
{
    struct placeholders *p = placeholders_new();
    struct diag diag = {0};
    struct buf text;
    REQUIRE(p);
    buf_init(&text, 65536);
    buf_puts(&text, "n: [");
    for (int i = 0; i < 100; i++) buf_printf(&text, "%sv%d", i ? ", " : "", i);
    buf_puts(&text, "]\n");
    REQUIRE(placeholders_read(p, "n.yml", buf_slice(&text), &diag) == 0);
    check_item(p, "F|expand: '%n%-%n%-%n%'", "more than 4096 alternatives", true);
    check_item(p, "F|expand: '%n%%n%%n%%n%%n%%n%%n%%n%%n%'", "more than 8 placeholders", true);
    buf_done(&text);
    placeholders_free(p);
}
