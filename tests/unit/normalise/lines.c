/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/lines.h"

#include "test.h"

struct seen {
    struct buf text;
    int refuse;      /* what line() returns for a line "stop" */
    int refuse_long; /* what too_long() returns */
    size_t longest;
};

static int on_line(void *ctx, struct slice line, uint64_t offset)
{
    struct seen *s = ctx;
    if (s->refuse && slice_eq(line, SLICE("stop"))) return s->refuse;
    if (line.len > s->longest) s->longest = line.len;
    if (line.len > 1000)
        buf_printf(&s->text, "%llu[%zu bytes]", (unsigned long long)offset, line.len);
    else {
        buf_printf(&s->text, "%llu[", (unsigned long long)offset);
        buf_put(&s->text, line);
        buf_putc(&s->text, ']');
    }
    return 0;
}

static int on_too_long(void *ctx, uint64_t offset)
{
    struct seen *s = ctx;
    buf_printf(&s->text, "%llu!", (unsigned long long)offset);
    return s->refuse_long;
}

static int run(struct seen *s, struct slice in, size_t cut, size_t piece, bool keep_end)
{
    struct lines l;
    const struct lines_sink sink = {.ctx = s, .line = on_line, .too_long = on_too_long};
    lines_init(&l, keep_end);
    int rc = lines_feed(&l, slice_until(in, cut), &sink);
    struct slice rest = slice_from(in, cut);
    while (rc == 0 && rest.len) {
        size_t n = piece && piece < rest.len ? piece : rest.len;
        rc = lines_feed(&l, slice_until(rest, n), &sink);
        rest = slice_from(rest, n);
    }
    if (rc == 0) rc = lines_finish(&l, &sink);
    lines_done(&l);
    return rc;
}

static void check(int line, struct slice in, bool keep_end, const char *want)
{
    for (size_t i = 0; i <= in.len; i++) {
        struct seen s = {0};
        buf_init(&s.text, 1 << 20);
        int rc = run(&s, in, i == in.len ? 0 : i, i == in.len ? 1 : 0, keep_end);
        if (rc != 0 || !slice_eq(buf_slice(&s.text), slice_of(want)))
            test_fail(__FILE__, line, "cut at %zu: %.*s, not %s", i, SLICE_FMT(buf_slice(&s.text)),
                      want);
        buf_done(&s.text);
    }
}

#define LINES(in, want)      check(__LINE__, SLICE(in), false, want)
#define LINES_KEPT(in, want) check(__LINE__, SLICE(in), true, want)

TEST(lines_end_at_lf_crlf_or_the_end)
{
    LINES("", "");
    LINES("a", "0[a]");
    LINES("a\n", "0[a]");
    LINES("a\nb", "0[a]2[b]");
    LINES("a\r\nb\r\n", "0[a]3[b]");
    LINES("\n\na\n\n", "0[]1[]2[a]4[]");
    LINES("a\rb\r\r\n", "0[a\rb\r]");
    LINES("a\r", "0[a]");
    LINES("\r\n", "0[]");
}

TEST(lines_can_keep_their_ends)
{
    LINES_KEPT("a\r\nb\n\nc", "0[a\r\n]3[b\n]5[\n]6[c]");
    LINES_KEPT("\xFF\xFE"
               "a\0\r\0\n\0b\0",
               "2[a\r\n]8[b]");
}

TEST(lines_drop_a_utf8_mark_only_at_the_start)
{
    LINES("\xEF\xBB\xBF"
          "a\n\xEF\xBB\xBF"
          "b",
          "3[a]5[\xEF\xBB\xBF"
          "b]");
    LINES("\xEF\xBB\xBF", "");
    LINES("\xEF\xBB", "0[\xEF\xBB]");
    LINES("\xEF\xBBx\n", "0[\xEF\xBBx]");
    LINES("\xEFx", "0[\xEFx]");
    LINES("\xFF", "0[\xFF]");
    LINES("\xFE\xEF\nx", "0[\xFE\xEF]3[x]");
}

TEST(lines_convert_utf16)
{
    LINES("\xFF\xFE"
          "a\0\xE5\0\r\0\n\0b\0",
          "2[a\xC3\xA5]10[b]");
    LINES("\xFE\xFF"
          "\0a\0\xE5\0\n\0b",
          "2[a\xC3\xA5]8[b]");
    LINES("\xFF\xFE", "");
    /* A pair, a high half alone before a letter, before LF and at the end, a low half alone. */
    LINES("\xFF\xFE\x3D\xD8\x00\xDE", "2[\xF0\x9F\x98\x80]");
    LINES("\xFF\xFE\x3D\xD8"
          "a\0",
          "2[\xEF\xBF\xBD"
          "a]");
    LINES("\xFF\xFE\x3D\xD8\n\0x\0", "2[\xEF\xBF\xBD]6[x]");
    LINES("\xFF\xFE\x3D\xD8\x3D\xD8\x00\xDE", "2[\xEF\xBF\xBD\xF0\x9F\x98\x80]");
    LINES("\xFF\xFE"
          "a\0\x3D\xD8",
          "2[a\xEF\xBF\xBD]");
    LINES("\xFF\xFE\x00\xDE"
          "a\0",
          "2[\xEF\xBF\xBD"
          "a]");
    LINES("\xFF\xFE"
          "a\0b",
          "2[a]");
    /* Without a mark. */
    LINES("a\0b\0c\0d\0\r\0\n\0\xE5\0", "0[abcd]12[\xC3\xA5]");
    LINES("\0a\0b\0\n\0d\0e", "0[ab]6[de]");
    /* U+0A0A and U+0D0A hold the byte 0x0A and end nothing. */
    LINES("\xFF\xFE\x0A\x0A\x0A\x0D", "2[\xE0\xA8\x8A\xE0\xB4\x8A]");
}

/* n bytes x, then "\nend\n". */
static char *long_line(size_t n, const char *end, size_t *ret_len)
{
    size_t tail = strlen(end);
    char *p = malloc(n + tail);
    REQUIRE(p != NULL);
    memset(p, 'x', n);
    memcpy(p + n, end, tail);
    *ret_len = n + tail;
    return p;
}

static void check_long(int line, size_t n, const char *end, const char *want)
{
    static const size_t pieces[] = {0, 1000, 65536, DECODER_RECORD_MAX, DECODER_RECORD_MAX + 1};
    size_t len;
    char *p = long_line(n, end, &len);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct seen s = {0};
        buf_init(&s.text, 4096);
        CHECK_INT(run(&s, slice_make(p, len), 0, pieces[i], false), 0);
        if (!slice_eq(buf_slice(&s.text), slice_of(want)))
            test_fail(__FILE__, line, "pieces of %zu: %.*s, not %s", pieces[i],
                      SLICE_FMT(buf_slice(&s.text)), want);
        buf_done(&s.text);
    }
    free(p);
}

TEST(lines_report_a_long_line_once_and_pass_over_it)
{
    check_long(__LINE__, DECODER_RECORD_MAX, "\nend\n", "0[4194304 bytes]4194305[end]");
    check_long(__LINE__, DECODER_RECORD_MAX, "", "0[4194304 bytes]");
    check_long(__LINE__, DECODER_RECORD_MAX + 1, "\nend\n", "0!4194306[end]");
    check_long(__LINE__, DECODER_RECORD_MAX + 1, "", "0!");
    check_long(__LINE__, 3 * (size_t)DECODER_RECORD_MAX, "\nend", "0!12582913[end]");
    /* The CR counts. */
    check_long(__LINE__, DECODER_RECORD_MAX, "\r\nend\n", "0!4194306[end]");
    check_long(__LINE__, DECODER_RECORD_MAX - 1, "\r\nend\n", "0[4194303 bytes]4194305[end]");
}

TEST(lines_bound_utf16_by_its_utf8_length)
{
    struct lines l;
    struct seen s = {0};
    const struct lines_sink sink = {.ctx = &s, .line = on_line, .too_long = on_too_long};
    buf_init(&s.text, 4096);
    lines_init(&l, false);
    CHECK_INT(lines_feed(&l, SLICE("\xFF\xFE"), &sink), 0);
    /* U+20AC takes two bytes here and three in UTF-8: 1398102 of them are two bytes too many. */
    for (int i = 0; i < 1398102; i++) CHECK_INT(lines_feed(&l, SLICE("\xAC\x20"), &sink), 0);
    CHECK(l.carry.cap <= DECODER_RECORD_MAX + 64);
    CHECK_INT(lines_feed(&l, SLICE("\n\0o\0k\0"), &sink), 0);
    CHECK_INT(lines_finish(&l, &sink), 0);
    CHECK_SLICE(buf_slice(&s.text), "2!2796208[ok]");
    lines_done(&l);
    buf_done(&s.text);
}

TEST(lines_pass_a_refusal_through)
{
    for (size_t cut = 0; cut <= 7; cut++) {
        struct seen s = {.refuse = ERR_STOPPED};
        buf_init(&s.text, 4096);
        CHECK_INT(run(&s, SLICE("a\nstop\nb\n"), cut, 0, false), ERR_STOPPED);
        CHECK_SLICE(buf_slice(&s.text), "0[a]");
        buf_done(&s.text);
    }
    struct seen s = {.refuse = ERR_STOPPED};
    buf_init(&s.text, 4096);
    CHECK_INT(run(&s, SLICE("stop"), 0, 0, false), ERR_STOPPED);
    s.refuse_long = ERR_ACCESS;
    size_t len;
    char *p = long_line(DECODER_RECORD_MAX + 9, "\nx\n", &len);
    CHECK_INT(run(&s, slice_make(p, len), 0, 4096, false), ERR_ACCESS);
    free(p);
    buf_done(&s.text);
}

TEST(lines_in_one_piece_are_not_copied)
{
    struct lines l;
    struct seen s = {0};
    const struct lines_sink sink = {.ctx = &s, .line = on_line, .too_long = on_too_long};
    buf_init(&s.text, 4096);
    lines_init(&l, false);
    CHECK_INT(lines_feed(&l, SLICE("one\ntwo\r\nthree\n"), &sink), 0);
    CHECK(l.carry.ptr == NULL);
    CHECK_INT(lines_finish(&l, &sink), 0);
    lines_done(&l);
    buf_done(&s.text);
}

TEST(lines_sniff_text_knows_the_marks)
{
    char storage[LINES_SNIFF_TEXT];
    CHECK_SLICE(lines_sniff_text(SLICE("plain"), storage), "plain");
    CHECK_SLICE(lines_sniff_text(SLICE("\xEF\xBB\xBFplain"), storage), "plain");
    CHECK_SLICE(lines_sniff_text(SLICE("\xFF\xFEp\0\n\0q"), storage), "p\n");
    CHECK_SLICE(lines_sniff_text(SLICE("\xFE\xFF\0p\0\n"), storage), "p\n");
    CHECK_SLICE(lines_sniff_text(SLICE("p\0q\0\n\0q\0r\0"), storage), "pq\nqr");
    CHECK_INT(lines_sniff_text(SLICE(""), storage).len, 0);
    /* The longest that conversion can give: three bytes for every unit. */
    char wide[LINES_SNIFF_MAX + 100];
    memset(wide, 0x4E, sizeof wide);
    wide[0] = '\xFF';
    wide[1] = '\xFE';
    CHECK_INT(lines_sniff_text(slice_make(wide, sizeof wide), storage).len,
              (LINES_SNIFF_MAX - 2) / 2 * 3);
}
