/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Answers of clouds, sources in the settings, and what a feed remembers, as any bytes: what is
 * found lies within its input, a token ends no header, and what is remembered is written as it was
 * read.
 */
#include "pull/answer.h"
#include "pull/explain.h"
#include "pull/seen.h"
#include "pull/url.h"
#include "target.h"

static void lies_within(struct slice part, struct slice in)
{
    HOLDS(part.len == 0 || (part.ptr >= in.ptr && part.ptr + part.len <= in.ptr + in.len));
}

static void check_token(struct slice in)
{
    struct buf token;
    nsec life = -1;
    buf_init(&token, ANSWER_TOKEN_MAX);
    if (answer_token(in, &token, &life) == 0) {
        HOLDS(token.len > 0 && life >= 0);
        for (size_t i = 0; i < token.len; i++) HOLDS(token.ptr[i] > ' ' && token.ptr[i] < 0x7f);
    }
    buf_done(&token);
}

static void check_items(enum pull_kind kind, struct slice items, struct slice in)
{
    struct json_parts it;
    struct slice name, raw;
    json_parts_init(&it, items);
    while (json_parts_next(&it, &name, &raw)) {
        struct answer_item item;
        lies_within(raw, in);
        HOLDS(raw.len > 0);
        answer_item_read(kind, raw, &item);
        lies_within(item.id, raw);
        lies_within(item.uri, raw);
        HOLDS(item.id.len <= ANSWER_ID_MAX);
    }
    HOLDS(it.at + 1 == items.len && items.ptr[it.at] == ']');
}

static void check_pages(struct slice in)
{
    struct buf next;
    buf_init(&next, 4096);
    for (unsigned kind = 0; kind < PULL_KIND_COUNT; kind++) {
        struct answer_page page = {.next = &next};
        if (answer_page_read(kind, in, &page) != 0) continue;
        lies_within(page.items, in);
        check_items(kind, page.items, in);
    }
    buf_done(&next);
}

static void check_error(struct slice in)
{
    struct answer_error error;
    struct buf out;
    answer_error_read(in, &error);
    lies_within(error.code, in);
    lies_within(error.message, in);
    buf_init(&out, 4096);
    explain_refusal(&out, "X", 403, &error);
    HOLDS(!buf_failed(&out));
    for (size_t i = 0; i < out.len; i++) HOLDS((unsigned char)out.ptr[i] >= ' ');
    buf_done(&out);
}

static void check_source(struct slice in)
{
    struct pull_source s;
    struct diag diag = {0};
    struct buf url;
    if (pull_source_read(in, &s, &diag) != 0) {
        HOLDS(diag.message[0]);
        return;
    }
    HOLDS(s.tenant[0] && s.client[0] && s.secret[0] == '/' && pull_source_feeds(&s) > 0);
    buf_init(&url, 4096);
    url_page(&url, &s, pull_source_content(&s, 0), &(struct url_span){0, NSEC_PER_SEC}, 1);
    HOLDS(!buf_failed(&url) && url_is_own(slice_of(url.ptr), &s));
    buf_done(&url);
}

static void check_seen(struct slice in)
{
    struct seen s;
    struct buf out;
    if (seen_read(&s, in) != 0) return;
    buf_init(&out, SEEN_TEXT_MAX);
    seen_write(&s, &out);
    HOLDS(!buf_failed(&out));
    HOLDS(in.len == 0 || out.len <= in.len);
    buf_done(&out);
    seen_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make(data, size);
    check_token(in);
    check_pages(in);
    check_error(in);
    check_source(in);
    check_seen(in);
    return 0;
}
