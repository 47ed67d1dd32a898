/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An incident in plain words: what happened, to whom; behind a line feed how sure that is, and what
 * to do first.
 */
#include <inttypes.h>

#include "base/json_write.h"
#include "desk/files.h"
#include "desk/internal.h"
#include "desk/title.h"
#include "wording/wording.h"

/* What stands behind the key of the line that `fits`; false: there is none. */
static bool find_line(int file, bool (*fits)(const void *ctx, struct slice key), const void *ctx,
                      struct slice *ret)
{
    struct slice rest = desk_files[file].text, line, key;
    while (rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (slice_split(line, '\t', &key, ret) && fits(ctx, key)) return true;
    }
    return false;
}

static struct slice of_language(struct slice columns, enum desk_language language)
{
    struct slice sv, en;
    (void)slice_split(columns, '\t', &sv, &en);
    return language == DESK_SV ? sv : en;
}

static bool is_title(const void *ctx, struct slice key)
{
    return slice_eq(key, *(const struct slice *)ctx);
}

struct slice desk_title_sv(struct slice title)
{
    struct slice sv;
    return find_line(DESK_FILE_TITLES, is_title, &title, &sv) ? sv : SLICE_NONE;
}

void desk_write_title_sv(struct buf *out, struct slice title)
{
    if (slice_starts_with(title, SLICE(DESK_INDICATOR_TITLE))) (void)wording_swedish(out, title);
    else buf_put(out, desk_title_sv(title));
}

void desk_put_title_sv(struct buf *out, const char *key, struct slice title)
{
    struct buf text;
    buf_init(&text, DESK_PLAIN_MAX);
    desk_write_title_sv(&text, title);
    json_write_member_string(out, key, buf_slice(&text));
    buf_done(&text);
}

static bool is_key(const void *ctx, struct slice key)
{
    return slice_eq(key, slice_of(ctx));
}

struct slice desk_plain_text(const char *key, enum desk_language language)
{
    struct slice text;
    return find_line(DESK_FILE_PLAIN, is_key, key, &text) ? of_language(text, language)
                                                          : SLICE_NONE;
}

static bool is_sure_enough(const void *ctx, struct slice key)
{
    uint64_t least;
    const struct slice start = SLICE("sure.");
    return slice_starts_with(key, start) && slice_to_u64(slice_from(key, start.len), &least) &&
           *(const unsigned *)ctx >= least;
}

/* The text of the key, `value` in the place that it has. */
static void fill(struct buf *out, const char *key, enum desk_language language, struct slice value)
{
    struct slice text = desk_plain_text(key, language);
    size_t begin = slice_find_byte(text, '{');
    struct slice rest = begin == SIZE_MAX ? SLICE_NONE : slice_from(text, begin);
    size_t end = slice_find_byte(rest, '}');
    buf_put(out, end == SIZE_MAX ? text : slice_until(text, begin));
    if (end == SIZE_MAX) return;
    buf_put(out, value);
    buf_put(out, slice_from(rest, end + 1));
}

static void fill_number(struct buf *out, const char *key, enum desk_language language, uint64_t n)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, n);
    fill(out, key, language, slice_make(text, len > 0 ? (size_t)len : 0));
}

static void put_names(struct buf *out, const struct desk_plain *p, enum desk_language language)
{
    for (uint32_t i = 0; i < p->n_names; i++) {
        buf_puts(out, i ? ", " : ": ");
        fill(out, name_kind_word(p->names[i].kind), language, slice_until(p->names[i].text, 200));
    }
    if (p->n_names && p->more_names) {
        buf_puts(out, ", ");
        fill_number(out, "more-names", language, p->more_names);
    }
}

void desk_plain_write(struct buf *out, const struct desk_plain *p, enum desk_language language)
{
    struct slice sure = SLICE_NONE, respond = slice_until(p->respond, 4096);
    if (!respond.len) respond = desk_plain_text(p->own ? "respond-own" : "respond", language);
    size_t begin = out->len;
    buf_put(out, slice_until(p->title, 1000));
    if (p->more_rules == 1) buf_put(out, desk_plain_text("one-more-rule", language));
    if (p->more_rules > 1) fill_number(out, "more-rules", language, p->more_rules);
    put_names(out, p, language);
    for (size_t i = begin; i < out->len; i++)
        if (out->ptr[i] == '\n') out->ptr[i] = ' ';
    (void)find_line(DESK_FILE_PLAIN, is_sure_enough, &p->score, &sure);
    buf_puts(out, ".\n");
    buf_put(out, p->own ? desk_plain_text("own", language) : of_language(sure, language));
    if (p->tactics > 1) fill_number(out, "steps", language, p->tactics);
    buf_puts(out, ". ");
    fill(out, "first", language, respond);
}
