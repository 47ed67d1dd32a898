/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/modifier.h"

#include "detect/dump.h"

struct item_case {
    const char *item; /* one line of a map */
    const char *want; /* its dump; refused: a part of the message */
};

static void item_dump(struct dump *d, const char *item, const struct placeholders *ph)
{
    struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_printf(&text, "    s:\n        %s\n    condition: s\n%c", item, '\0');
    dump_detection(d, text.ptr, ph);
    buf_done(&text);
}

static void check_items(const struct item_case *cases, size_t n, bool refused,
                        const struct placeholders *ph)
{
    for (size_t i = 0; i < n; i++) {
        struct dump d;
        item_dump(&d, cases[i].item, ph);
        struct slice got = buf_slice(&d.out);
        struct slice body = slice_starts_with(got, SLICE("s: ")) ? slice_from(got, 3) : got;
        bool as_wanted =
            d.refused == refused &&
            (refused ? dump_holds(&d, cases[i].want) : slice_eq(body, slice_of(cases[i].want)));
        if (!as_wanted)
            test_fail(__FILE__, __LINE__, "%s\n#   gives  %.*s\n#   wanted %s", cases[i].item,
                      (int)got.len, got.ptr, cases[i].want);
        /* Every refusal names where: the item is on line 6, column 9 or behind. */
        if (refused && !dump_holds(&d, "6:"))
            test_fail(__FILE__, __LINE__, "no place in: %.*s", (int)got.len, got.ptr);
        dump_done(&d);
    }
}

#define CHECK_ITEMS(cases)   check_items(cases, sizeof cases / sizeof *cases, false, NULL)
#define CHECK_REFUSED(cases) check_items(cases, sizeof cases / sizeof *cases, true, NULL)

TEST(modifier_plain_values)
{
    static const struct item_case cases[] = {
        {"F: abc", "F=abc"},
        {"F: ABC", "F=abc"},
        {"F: ÅNGE", "F=ånge"},
        {"F: ''", "F="},
        {"F: null", "F=null"},
        {"F:", "F=null"},
        {"F: 4688", "F=4688#"},
        {"F: -1.5", "F=-1.5#"},
        {"F: '4688'", "F=4688"},
        {"F: true", "F=true"},
        {"F: False", "F=false"},
        {"F: 'null'", "F=null"},
        {"F: 0x1F", "(F=0x1f# | F=31#)"},
        {"F: 0o17", "(F=0o17# | F=15#)"},
        {"F: 007", "(F=007# | F=7#)"},
        {"F: '0x1F'", "F=0x1f"},
        {"F: [a, B, 3]", "(F=a | F=b | F=3#)"},
        {"F: ['', null]", "(F= | F=null)"},
        {"Threat Name: x", "ThreatName=x"},
        {"'a.b': x", "a.b=x"},
        {"F: .inf", "F=.inf"},
    };
    CHECK_ITEMS(cases);
}

/* The specification's paragraph, case by case. Single-quoted YAML: a backslash is a backslash. */
TEST(modifier_escapes)
{
    static const struct item_case cases[] = {
        {"F: 'a*b?c'", "F=a*b?c"},
        {"F: 'C:\\Windows\\cmd.exe'", "F=c:\\windows\\cmd.exe"},
        {"F: 'C:\\\\Windows'", "F=c:\\windows"},
        {"F: '\\*'", "F=[*]"},
        {"F: '\\?'", "F=[?]"},
        {"F: '\\\\*'", "F=\\*"},
        {"F: '\\\\?'", "F=\\?"},
        {"F: '\\\\\\*'", "F=\\[*]"},
        {"F: '\\\\\\\\*'", "F=\\\\*"},
        {"F: '\\'", "F=\\"},
        {"F: '\\\\'", "F=\\"},
        {"F: '\\\\\\'", "F=\\\\"},
        {"F: '\\\\\\\\'", "F=\\\\"},
        {"F: '\\\\server\\share'", "F=\\server\\share"},
        {"F: '\\\\\\\\server\\share'", "F=\\\\server\\share"},
        {"F: 'a\\n\\%'", "F=a\\n\\%"},
        {"F: '***'", "F=*"},
        {"F: '*?*'", "F=*?*"},
        {"F|contains: 'a\\*'", "F=*a[*]*"},
        {"F|endswith: '\\'", "F=*\\"},
        {"F|contains: '\\'", "F=*\\*"},
        {"F|startswith: '\\\\'", "F=\\*"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_places)
{
    static const struct item_case cases[] = {
        {"F|contains: ab", "F=*ab*"},
        {"F|startswith: ab", "F=ab*"},
        {"F|endswith: ab", "F=*ab"},
        {"F|contains: '*ab*'", "F=*ab*"},
        {"F|startswith: 'ab*'", "F=ab*"},
        {"F|endswith: '*ab'", "F=*ab"},
        {"F|contains: 'a*b'", "F=*a*b*"},
        {"F|contains: ''", "F=*"},
        {"F|startswith: ''", "F=*"},
        {"F|endswith: ''", "F=*"},
        {"F|contains: 445", "F=*445*"},
        {"F|endswith: true", "F=*true"},
        {"F|contains: [a, b]", "(F=*a* | F=*b*)"},
        {"F|contains|all: [a, b]", "(F=*a* & F=*b*)"},
        {"F|all|contains: [a, b]", "(F=*a* & F=*b*)"},
        {"F|contains|cased: AbC", "F=*AbC*!"},
        {"F|cased: 'Kb'", "F=Kb!"},
        {"F|neq: ab", "-F=ab"},
        {"F|neq: 5", "-F=5#"},
        {"F|neq: null", "-F=null"},
        {"F|neq: [a, b]", "-(F=a | F=b)"},
        {"F|contains|neq: [a, b]", "-(F=*a* | F=*b*)"},
        {"F|contains|all|neq: [a, b]", "-(F=*a* & F=*b*)"},
        {"F|neq|endswith: x", "-F=*x"},
        {"F|exists: true", "F?true"},
        {"F|exists: false", "F?false"},
        {"F|exists|neq: true", "-F?true"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_windash)
{
    struct dump d;
    static const struct item_case cases[] = {
        {"F|windash: abc", "F=abc"},
        {"F|windash: 'a-b'", "F=a-b"},
        {"F|windash: 'a - b'", "F=a - b"},
        {"F|windash: '-'", "F=-"},
        {"F|windash: '-*'", "F=-*"},
        {"F|windash: 'start/b'", "F=start/b"},
        {"F|windash: ' -f'", "(F= -f | F= /f | F= –f | F= —f | F= ―f)"},
        {"F|windash: '/f'", "(F=-f | F=/f | F=–f | F=—f | F=―f)"},
        {"F|windash: '—f'", "(F=-f | F=/f | F=–f | F=—f | F=―f)"},
        {"F|windash: '―f'", "(F=-f | F=/f | F=–f | F=—f | F=―f)"},
        {"F|windash: '–f'", "(F=-f | F=/f | F=–f | F=—f | F=―f)"},
        {"F|windash: '*-f'", "(F=*-f | F=*/f | F=*–f | F=*—f | F=*―f)"},
        {"F|windash: 'a*-f'", "(F=a*-f | F=a*/f | F=a*–f | F=a*—f | F=a*―f)"},
        {"F|windash: '--x-y'", "(F=--x-y | F=-/x-y | F=-–x-y | F=-—x-y | F=-―x-y)"},
        {"F|contains|windash: '-f'", "(F=*-f* | F=*/f* | F=*–f* | F=*—f* | F=*―f*)"},
        {"F|windash|endswith: '-F'", "(F=*-f | F=*/f | F=*–f | F=*—f | F=*―f)"},
        {"F|windash: '-å'", "(F=-å | F=/å | F=–å | F=—å | F=―å)"},
        {"F|windash: 'å-a'", "F=å-a"},
    };
    CHECK_ITEMS(cases);
    item_dump(&d, "F|windash|contains|all: ['-a', '/b']", NULL);
    CHECK(dump_holds(&d, "s: ((F=*-a* | F=*/a* | "));
    CHECK(dump_holds(&d, "F=*―a*) & (F=*-b* | F=*/b*"));
    dump_done(&d);
    item_dump(&d, "F|windash: ' -a -b -c -d -e'", NULL);
    CHECK(!d.refused);
    size_t n = 1;
    for (size_t i = 0; i < d.out.len; i++) n += d.out.ptr[i] == '|';
    CHECK_INT(n, 3125);
    dump_done(&d);
}

/* Reference values from `printf … | base64`, iconv -t UTF-16LE/BE. */
TEST(modifier_encodings)
{
    static const struct item_case cases[] = {
        {"F|base64: ping", "F=cgluzw=="},
        {"F|base64|cased: ping", "F=cGluZw==!"},
        {"F|base64|contains|cased: foob", "F=*Zm9vYg==*!"},
        {"F|base64|cased: f", "F=Zg==!"},
        {"F|base64|cased: foobar", "F=Zm9vYmFy!"},
        {"F|base64|cased: å", "F=w6U=!"},
        {"F|base64offset|contains|cased: /bin/bash",
         "(F=*L2Jpbi9iYXNo*! | F=*9iaW4vYmFza*! | F=*vYmluL2Jhc2*!)"},
        {"F|base64offset|contains|cased: foo", "(F=*Zm9v*! | F=*Zvb*! | F=*mb2*!)"},
        {"F|base64offset|cased: fo", "(F=Zm! | F=Zv! | F=mb!)"},
        {"F|wide|base64|cased: abc", "F=YQBiAGMA!"},
        {"F|utf16le|base64|cased: abc", "F=YQBiAGMA!"},
        {"F|utf16be|base64|cased: abc", "F=AGEAYgBj!"},
        {"F|utf16|base64|cased: abc", "F=//5hAGIAYwA=!"},
        {"F|wide: cmd", "F=c<00>m<00>d<00>"},
        {"F|utf16be: cmd", "F=<00>c<00>m<00>d"},
        {"F|utf16: cmd", "F=<ff><fe>c<00>m<00>d<00>"},
        {"F|wide|cased: 'C'", "F=C<00>!"},
        {"F|wide|contains: ab", "F=*a<00>b<00>*"},
        {"F|contains|wide: ab", "F=*a<00>b<00>*"},
        {"F|wide: 'a*b'", "F=a<00>*b<00>"},
        {"F|wide|base64|cased: 😀", "F=PdgA3g==!"},
        {"F|wide|base64offset|contains|cased: ab", "(F=*YQBiA*! | F=*EAYg*! | F=*hAGIA*!)"},
        {"F|base64|wide|cased: f", "F=Z<00>g<00>=<00>=<00>!"},
        {"F|base64|base64|cased: f", "F=Wmc9PQ==!"},
        {"F|windash|base64|contains|cased: '-f'",
         "(F=*LWY=*! | F=*L2Y=*! | F=*4oCTZg==*! | F=*4oCUZg==*! | F=*4oCVZg==*!)"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_regular_expressions)
{
    static const struct item_case cases[] = {
        {"F|re: 'a.*b'", "F~/a.*b/"},
        {"F|re|i: 'A'", "F~/A/i"},
        {"F|re|i|m|s: 'A'", "F~/A/ims"},
        {"F|re|s: '\\\\d{2}'", "F~/\\\\d{2}/s"},
        {"F|re: ['a', 'b']", "(F~/a/ | F~/b/)"},
        {"F|re|all: ['a', 'b']", "(F~/a/ & F~/b/)"},
        {"F|all|re|i: ['a', 'b']", "(F~/a/i & F~/b/i)"},
        {"F|re|neq: a", "-F~/a/"},
        {"F|re: ''", "F~//"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_numbers_and_times)
{
    static const struct item_case cases[] = {
        {"F|lt: 5", "F<5"},
        {"F|lte: -5.5", "F<=-5.5"},
        {"F|gt: 1e3", "F>1000"},
        {"F|gte: 0x10", "F>=16"},
        {"F|gt: [1, 2]", "(F>1 | F>2)"},
        {"F|all|gt: [1, 2]", "(F>1 & F>2)"},
        {"F|minute: 0", "F.minute==0"},
        {"F|hour: 23", "F.hour==23"},
        {"F|hour: [22, 23]", "(F.hour==22 | F.hour==23)"},
        {"F|hour|gte: 18", "F.hour>=18"},
        {"F|hour|lt: 24", "F.hour<24"},
        {"F|hour|neq: 5", "-F.hour==5"},
        {"F|day: 31", "F.day==31"},
        {"F|week|lte: 26", "F.week<=26"},
        {"F|month: 12", "F.month==12"},
        {"F|year|gt: 2024", "F.year>2024"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_networks)
{
    static const struct item_case cases[] = {
        {"F|cidr: 10.0.0.0/8", "F@10.0.0.0/8"},
        {"F|cidr: 0.0.0.0/0", "F@0.0.0.0/0"},
        {"F|cidr: 192.0.2.1", "F@192.0.2.1/32"},
        {"F|cidr: '2001:db8::/32'", "F@20010db8000000000000000000000000/32"},
        {"F|cidr: '::1'", "F@00000000000000000000000000000001/128"},
        {"F|cidr: '::/0'", "F@00000000000000000000000000000000/0"},
        {"F|cidr: '::ffff:10.0.0.0/104'", "F@10.0.0.0/8"},
        {"F|cidr: '::ffff:10.0.0.1'", "F@10.0.0.1/32"},
        {"F|cidr|neq: [10.0.0.0/8, 127.0.0.0/8]", "-(F@10.0.0.0/8 | F@127.0.0.0/8)"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_field_references)
{
    static const struct item_case cases[] = {
        {"F|fieldref: G", "F=>G"},
        {"F|fieldref: 'Parent Image'", "F=>ParentImage"},
        {"F|fieldref|startswith: G", "F=>G*"},
        {"F|fieldref|endswith: G", "F=>*G"},
        {"F|fieldref|contains: a.b", "F=>*a.b*"},
        {"F|fieldref|neq: G", "-F=>G"},
        {"F|fieldref|contains|neq|cased: G", "-F=>*G*!"},
        {"F|fieldref: [G, H]", "(F=>G | F=>H)"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_keywords)
{
    static const struct item_case cases[] = {
        {"'|all': [a, 'B c']", "(=*a* & =*b c*)"},
        {"'|all': [a, 200]", "(=*a* & =*200*)"},
        {"'|contains': [a, '*b*']", "(=*a* | =*b*)"},
        {"'|cased': Ab", "=*Ab*!"},
        {"'|re|i': 'a+'", "~/a+/i"},
        {"'|base64offset|cased': foo", "(=*Zm9v*! | =*Zvb*! | =*mb2*!)"},
        {"'|wide': ab", "=*a<00>b<00>*"},
        {"'|windash': 'a-b'", "=*a-b*"},
    };
    CHECK_ITEMS(cases);
}

TEST(modifier_refusals)
{
    static const struct item_case cases[] = {
        {"F|containz: a", "unknown modifier `containz`; did you mean `contains`?"},
        {"F|base64ofset: abc", "did you mean `base64offset`?"},
        {"F|zzzzzzzz: a", "unknown modifier `zzzzzzzz`"},
        {"F|regex: a", "unknown modifier `regex`; did you mean `re`?"},
        {"F|ipcidr: 10.0.0.0/8", "unknown modifier `ipcidr`; did you mean `cidr`?"},
        {"F|all: a", "`all` needs a list of two or more values"},
        {"F|contains|all: [a]", "`all` needs a list of two or more values"},
        {"F|contains: []", "empty list"},
        {"F: []", "empty list"},
        {"F|re|contains: a", "`contains` cannot follow `re`: a regular expression is searched for"},
        {"F|contains|re: a", "`re` cannot follow `contains`: it takes the value as it is written"},
        {"F|re|cased: a", "`cased` cannot follow `re`"},
        {"F|i: a", "`i` is only for `re`"},
        {"F|i|re: a", "`i` is only for `re`"},
        {"F|contains|i: a", "`i` cannot follow `contains`"},
        {"F|contains|startswith: a", "`startswith` cannot follow `contains`"},
        {"F|contains|contains: a", "given twice"},
        {"F|re|re: a", "cannot follow `re`"},
        {"F|re: '('", "regular expression: missing closing parenthesis (at byte 2)"},
        {"F|re: '(*UCP)a'", "regular expression:"},
        {"F|re: '\\C'", "regular expression:"},
        {"F|re: 5", "`re` does not apply to a number (put it in quotes)"},
        {"F|exists: 1", "`exists` does not apply to a number"},
        {"F|exists: 'true'", "(write true or false without quotes)"},
        {"F|exists: null", "`exists` does not apply to null"},
        {"F|contains|exists: true", "`exists` cannot follow `contains`"},
        {"F|lt: a", "`lt` does not apply to a string (write numbers without quotes)"},
        {"F|lt: '5'", "(write numbers without quotes)"},
        {"F|lt: .nan", "`lt` does not apply"},
        {"F|lt|gt: 5", "`gt` cannot follow `lt`"},
        {"F|lt|neq: 5", "`neq` cannot follow `lt`: a comparison says it already"},
        {"F|gte|hour: 5", "`hour` cannot follow `gte`: name the part first"},
        {"F|hour|minute: 5", "`minute` cannot follow `hour`"},
        {"F|hour: 24", "no time has this number there"},
        {"F|hour: 1.5", "no time has this number there"},
        {"F|day: 0", "no time has this number there"},
        {"F|month: 13", "no time has this number there"},
        {"F|hour: x", "`hour` does not apply to a string"},
        {"F|cidr: 10.0.0.0/33", "prefix length"},
        {"F|cidr: 10.0.0.0/", "prefix length"},
        {"F|cidr: 10.0.0.0/-1", "prefix length"},
        {"F|cidr: '::ffff:10.0.0.0/95'", "prefix length"},
        {"F|cidr: '::/129'", "prefix length"},
        {"F|cidr: 192.168.1.0/8", "bits set behind its prefix length"},
        {"F|cidr: '2001:db8::1/32'", "bits set behind its prefix length"},
        {"F|cidr: 10.0.0/8", "no network"},
        {"F|cidr: '10.*'", "wildcards"},
        {"F|cidr: 'fe80::1%eth0/64'", "no network"},
        {"F|cidr: 10", "`cidr` does not apply to a number"},
        {"F|contains|cidr: 10.0.0.0/8", "`cidr` cannot follow `contains`"},
        {"F|cidr|contains: 10.0.0.0/8", "`contains` cannot follow `cidr`"},
        {"F|fieldref: 'G*'", "wildcards"},
        {"F|fieldref: ' '", "needs the name of a field"},
        {"F|contains|fieldref: G", "`fieldref` cannot follow `contains`: write fieldref first"},
        {"F|base64: 'a*'", "wildcards cannot be encoded as base64"},
        {"F|base64offset: 'a?'", "wildcards cannot be encoded as base64"},
        {"F|base64: ''", "too short"},
        {"F|base64offset|contains: a", "too short"},
        {"F|contains|base64: abc", "`base64` cannot follow `contains`: encode first"},
        {"F|wide: 'a?'", "cannot be encoded as UTF-16"},
        {"F|wide|utf16be: a", "`utf16be` cannot follow `wide`"},
        {"F|wide: 5", "`wide` does not apply to a number (put it in quotes)"},
        {"F|base64|windash: '-a'", "`windash` cannot follow `base64`: exchange dashes before"},
        {"F|windash: ' -a -b -c -d -e -f'", "windash: more than 5 dashes"},
        {"F|windash: 5", "`windash` does not apply to a number"},
        {"F|contains: null", "`contains` does not apply to null"},
        {"F|cased: null", "`cased` does not apply to null"},
        {"'|exists': true", "`exists` needs a field"},
        {"'|neq': a", "`neq` needs a field"},
        {"'|startswith': a", "`startswith` needs a field"},
        {"'|cidr': 10.0.0.0/8", "`cidr` needs a field"},
        {"'|fieldref': G", "`fieldref` needs a field"},
        {"'|gt': 5", "`gt` needs a field"},
        {"F|expand: '%nobody%'",
         "placeholder %nobody% has no values (give them with --placeholders FILE)"},
        {"F|a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q: x", "more than 16 modifiers"},
    };
    CHECK_REFUSED(cases);
}

/* n values, each with 3,125 variants and `dots` bytes more. */
static void dump_expansion(struct dump *d, unsigned n, unsigned dots)
{
    struct buf b;
    buf_init(&b, 4 * 1024 * 1024);
    buf_puts(&b, "title: t\nlogsource:\n    product: x\ndetection:\n    s:\n        F|windash:\n");
    for (unsigned i = 0; i < n; i++) {
        buf_puts(&b, "            - ' -a -b -c -d -e");
        for (unsigned k = 0; k < dots; k++) buf_putc(&b, '.');
        buf_puts(&b, "'\n");
    }
    buf_puts(&b, "    condition: s\n");
    REQUIRE(!buf_failed(&b));
    dump_rule(d, buf_slice(&b), NULL);
    buf_done(&b);
}

/* A hostile rule is refused, not expanded: by alternatives, by bytes, by one value's own size. */
TEST(modifier_expansion_is_bounded)
{
    struct dump d;
    dump_expansion(&d, 60000, 0);
    CHECK(d.refused);
    CHECK(dump_holds(&d, "the rule expands to too many patterns"));
    CHECK(d.arena.held < 64 * 1024 * 1024);
    dump_done(&d);
    dump_expansion(&d, 40, 500);
    CHECK(d.refused);
    CHECK(dump_holds(&d, "the rule expands to more than 8 MiB of patterns"));
    CHECK(d.arena.held < 3 * 8 * 1024 * 1024); /* atoms and their texts beside the patterns */
    dump_done(&d);
    dump_expansion(&d, 1, 60000);
    CHECK(d.refused);
    CHECK(dump_holds(&d, "expands to more than a rule may hold"));
    dump_done(&d);
    dump_expansion(&d, 2, 0);
    CHECK(!d.refused);
    dump_done(&d);
}

TEST(modifier_table_describes_every_modifier_of_the_specification)
{
    static const char *const all[] = {
        "contains", "startswith", "endswith", "all",    "exists",
        "cased",    "neq",        "windash",  "base64", "base64offset",
        "utf16le",  "wide",       "utf16be",  "utf16",  "re",
        "i",        "m",          "s",        "lt",     "lte",
        "gt",       "gte",        "minute",   "hour",   "day",
        "week",     "month",      "year",     "cidr",   "fieldref",
        "expand"};
    const char *name, *text;
    uint32_t n = 0;
    while (modifier_describe(n, &name, &text)) {
        CHECK(text && *text);
        n++;
    }
    CHECK_INT(n, sizeof all / sizeof *all);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool found = false;
        for (uint32_t k = 0; k < n && modifier_describe(k, &name, &text); k++)
            found |= strcmp(name, all[i]) == 0;
        if (!found) test_fail(__FILE__, __LINE__, "%s is missing", all[i]);
    }
}

TEST(modifier_numbers_are_read_like_yaml)
{
    double v;
    char buf[24];
    struct slice decimal;
    CHECK(number_read(SLICE("12"), &v, buf, &decimal) && v == 12 && decimal.len == 0);
    CHECK(number_read(SLICE("0"), &v, buf, &decimal) && v == 0 && decimal.len == 0);
    CHECK(number_read(SLICE("0xfF"), &v, buf, &decimal) && v == 255);
    CHECK_SLICE(decimal, "255");
    CHECK(number_read(SLICE("+7"), &v, buf, &decimal) && v == 7);
    CHECK_SLICE(decimal, "7");
    CHECK(number_read(SLICE("-1e2"), &v, buf, &decimal) && v == -100 && decimal.len == 0);
    CHECK(!number_read(SLICE("0x"), &v, buf, &decimal));
    CHECK(!number_read(SLICE("0o8"), &v, buf, &decimal));
    CHECK(!number_read(SLICE("0x1ffffffffffffffff"), &v, buf, &decimal));
    CHECK(!number_read(SLICE(".inf"), &v, buf, &decimal));
    CHECK(!number_read(SLICE(""), &v, buf, &decimal));
    CHECK(!number_read(SLICE("+"), &v, buf, &decimal));
}
