/* SPDX-License-Identifier: EUPL-1.2 */
#include "yaml/quoted.h"

#include <stdlib.h>

#include "test.h"

static void check(const char *inner, char quote, const char *want, int line)
{
    struct slice s = slice_of(inner);
    char *text = malloc(yaml_unquote_bound(s.len));
    REQUIRE(text);
    size_t n = yaml_unquote(text, s, quote);
    if (!slice_eq(slice_make(text, n), slice_of(want)))
        test_fail(__FILE__, line, "%c%s%c is [%.*s], not [%s]", quote, inner, quote, (int)n, text,
                  want);
    free(text);
}
#define SINGLE(inner, want) check(inner, '\'', want, __LINE__)
#define DOUBLE(inner, want) check(inner, '"', want, __LINE__)

TEST(single_quotes)
{
    SINGLE("", "");
    SINGLE("plain \\n \\", "plain \\n \\");
    SINGLE("it''s", "it's");
    SINGLE("''", "'");
    SINGLE("a''''b''", "a''b'");
    SINGLE("-Join'''')", "-Join'')");
    SINGLE("\"", "\"");
}

TEST(double_quotes)
{
    DOUBLE("", "");
    DOUBLE("it's", "it's");
    DOUBLE("\\\"\\\\\\/\\ ", "\"\\/ ");
    DOUBLE("\\a\\b\\t\\n\\v\\f\\r\\e", "\a\b\t\n\v\f\r\x1b");
    DOUBLE("\\x41\\xe5\\u00e5\\u65e5\\U0001F600", "Aåå日😀");
    DOUBLE("\\N\\_\\L\\P", "\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9");
    DOUBLE("\\ud800", "\xEF\xBF\xBD");
    DOUBLE("\\L\\L\\L\\L\\L\\L", "\xe2\x80\xa8\xe2\x80\xa8\xe2\x80\xa8\xe2\x80\xa8\xe2\x80\xa8"
                                 "\xe2\x80\xa8");
}

/* YAML 1.2.2, example 7.5 and around it. */
TEST(lines_are_folded)
{
    SINGLE("a  \n  b", "a b");
    SINGLE("a\n\nb", "a\nb");
    SINGLE("a \n \n\t\n  b ", "a\n\nb ");
    SINGLE("a\r\n  b\rc", "a b c");
    SINGLE("\n a", " a");
    DOUBLE("folded \nto a space,\t\n \nto a line feed, or \t\\\n \\ \tnon-content",
           "folded to a space,\nto a line feed, or \t \tnon-content");
    DOUBLE("a\\\n  b", "ab");
    DOUBLE("a\\\n\n  b", "a\nb");
    DOUBLE("a\\t \n b", "a\t b");
}
