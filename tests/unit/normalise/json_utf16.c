/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/utf8.h"
#include "trace.h"

/* The text in UTF-16 with its mark. */
static void encode(struct buf *out, struct slice utf8, bool big)
{
    static const char marks[2][2] = {"\xFF\xFE", "\xFE\xFF"};
    buf_put(out, slice_make(marks[big], 2));
    for (size_t at = 0; at < utf8.len;) {
        uint32_t cp;
        at += utf8_decode(utf8, at, &cp);
        uint32_t unit[2] = {cp, 0};
        if (cp >= 0x10000) {
            unit[0] = 0xD800 + ((cp - 0x10000) >> 10);
            unit[1] = 0xDC00 + (cp & 0x3FF);
        }
        for (int i = 0; i < 2 && (i == 0 || unit[i]); i++) {
            char low = (char)(unit[i] & 0xFF), high = (char)(unit[i] >> 8);
            buf_putc(out, big ? high : low);
            buf_putc(out, big ? low : high);
        }
    }
}

static const char text[] =
    "[\n  {\"a\": \"åäö\", \"b\": [1, \"日\"]},\n  {\"c\": \"😀 \\u00e5\"}\n]\n";

TEST(utf16_is_json_like_any_other)
{
    for (int big = 0; big < 2; big++) {
        struct buf utf16;
        buf_init(&utf16, 4096);
        encode(&utf16, slice_of(text), big);
        CHECK(decoder_sniff(buf_slice(&utf16), true) == &decoder_json_utf16);
        CHECK(decoder_sniff(slice_until(buf_slice(&utf16), 20), false) == &decoder_json_utf16);
        trace_check_at(__FILE__, __LINE__, &decoder_json_utf16, buf_slice(&utf16),
                       "1|a=åäö|b:=1|b=日\n2|c=😀 \\u00e5\n");
        buf_done(&utf16);
    }
}

TEST(utf16_that_is_damaged)
{
    /* A surrogate alone, and half a unit at the end. */
    TRACE_CHECK(&decoder_json_utf16, "\xFF\xFE{\0\"\0a\0\"\0:\0\"\0\x00\xD8\"\0}\0\n\0x",
                "1|a=\xEF\xBF\xBD\n");
    TRACE_CHECK(&decoder_json_utf16, "\xFF\xFE", "");
    TRACE_CHECK(&decoder_json_utf16, "\xFF", "");
}

TEST(utf16_text_is_not_json)
{
    struct buf utf16;
    buf_init(&utf16, 4096);
    encode(&utf16, SLICE("Dec 23 22:47:00 host sshd[1]: hello\n"), false);
    CHECK(decoder_sniff(buf_slice(&utf16), true) == &decoder_syslog);
    buf_done(&utf16);
}
