/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/text.h"

#include <locale.h>

#include "base/utf8.h"
#include "test.h"

static struct buf out;

static struct slice visible(struct slice s, size_t max, size_t *ret_columns)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    buf_done(&out);
    buf_init(&out, 64 * 1024);
    *ret_columns = text_put_visible(&out, s, max);
    return buf_slice(&out);
}

TEST(what_commands_a_terminal_is_shown_as_an_escape)
{
    static const struct {
        struct slice text;
        const char *want;
    } cases[] = {
        {{"plain åäö", 12}, "plain åäö"},
        {{"\x1b[31mred", 8}, "\\x1b[31mred"},
        {{"a\nb\tc\rd", 7}, "a\\nb\\tc\\rd"},
        {{"a\0b", 3}, "a\\x00b"},
        {{"\x7f", 1}, "\\x7f"},
        {{"\xc2\x9b"
          "31m",
          5},
         "\\x9b31m"}, /* CSI in one character */
        {{"\xff\xfe", 2}, "\\xff\\xfe"},
        {{"\xc3", 1}, "\\xc3"},
        {{"\xed\xa0\x80", 3}, "\\xed\\xa0\\x80"},
        {{"\u202eexe.txt", 10}, "\\u{202e}exe.txt"},
        {{"\u2066\u200b\ufeff", 9}, "\\u{2066}\\u{200b}\\u{feff}"},
        {{"\u00ad", 2}, "\\xad"},
        {{"", 0}, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t columns;
        struct slice got = visible(cases[i].text, 1000, &columns);
        CHECK_SLICE(got, cases[i].want);
        if (i > 0) CHECK_INT(columns, got.len);
    }
}

/* Every code point: what reaches the terminal is never one that could command it. */
TEST(no_character_gets_through_that_is_not_visible)
{
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        char bytes[4];
        size_t columns;
        if (cp >= 0xd800 && cp < 0xe000) continue;
        struct slice s = slice_make(bytes, utf8_encode(bytes, cp));
        struct slice got = visible(s, 100, &columns);
        bool same = slice_eq(got, s);
        if (same != text_is_visible(cp))
            test_fail(__FILE__, __LINE__, "U+%04X is shown as %.*s", (unsigned)cp, SLICE_FMT(got));
        if (same) continue;
        for (size_t i = 0; i < got.len; i++) CHECK(got.ptr[i] >= 0x20 && got.ptr[i] < 0x7f);
    }
    CHECK(!text_is_visible(0x1b) && !text_is_visible(0x9b) && !text_is_visible(0x202e));
    CHECK(text_is_visible('a') && text_is_visible(0xe5) && text_is_visible(0x1f600));
}

TEST(texts_are_cut_at_their_columns)
{
    size_t columns;
    CHECK_SLICE(visible(SLICE("abcdef"), 6, &columns), "abcdef");
    CHECK_INT(columns, 6);
    CHECK_SLICE(visible(SLICE("abcdefg"), 6, &columns), "abcde…");
    CHECK_INT(columns, 6);
    CHECK_SLICE(visible(SLICE("ab"), 1, &columns), "…");
    CHECK_INT(columns, 1);
    CHECK_SLICE(visible(SLICE("ab"), 0, &columns), "");
    CHECK_INT(columns, 0);
    /* An escape is never cut in two, nor a wide character. */
    CHECK_SLICE(visible(SLICE("ab\x1b"
                              "cd"),
                        6, &columns),
                "ab…");
    CHECK_INT(columns, 3);
    CHECK_SLICE(visible(SLICE("日本"), 4, &columns), "日本");
    CHECK_INT(columns, 4);
    CHECK_SLICE(visible(SLICE("日本"), 3, &columns), "日…");
    CHECK_INT(columns, 3);
    CHECK_SLICE(visible(SLICE("e\u0301x"), 2, &columns), "e\u0301x"); /* a mark takes no column */
}

TEST(padding_fills_up_to_the_columns)
{
    buf_done(&out);
    buf_init(&out, 1024);
    text_put_padded(&out, SLICE("å"), 3);
    text_put_padded(&out, SLICE("abcd"), 3);
    CHECK_SLICE(buf_slice(&out), "å  ab…");
}

TEST(lines_keep_their_feeds_and_stay_json)
{
    buf_done(&out);
    buf_init(&out, 1024);
    text_put_lines(&out, SLICE("{\"a\":\"\u202e\"}\n\x7f\xff\u00e5\U000e0041\n"));
    CHECK_SLICE(buf_slice(&out), "{\"a\":\"\\u202e\"}\n\\u007f\\ufffd\u00e5\\udb40\\udc41\n");
}

TEST(csv_fields)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "\"\""},        {"a,b", "\"a,b\""},    {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"\"", "\"\"\"\""},  {"=1+1", "\"'=1+1\""}, {"+a", "\"'+a\""},
        {"-a", "\"'-a\""},   {"@a", "\"'@a\""},     {"\ta", "\"'\ta\""},
        {"\ra", "\"'\ra\""}, {"a=1", "\"a=1\""},    {"two\nlines", "\"two\nlines\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_done(&out);
        buf_init(&out, 1024);
        text_put_csv(&out, slice_of(cases[i].text));
        CHECK_SLICE(buf_slice(&out), cases[i].want);
    }
    buf_done(&out);
}
