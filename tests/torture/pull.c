/* SPDX-License-Identifier: EUPL-1.2 */
/* What a cloud answers, and what is remembered of it, while memory runs out. */
#include "pull/answer.h"
#include "pull/seen.h"
#include "torture.h"

static const char page_text[] =
    "{\"@odata.nextLink\":\"https://graph.example/x?a\\u0026b\",\"value\":["
    "{\"id\":\"one\",\"createdDateTime\":\"2026-11-26T11:50:00Z\"},"
    "{\"id\":\"two\",\"createdDateTime\":\"2026-11-26T11:51:00Z\"},"
    "{\"id\":\"one\",\"createdDateTime\":\"2026-11-26T11:50:00Z\"}]}";

static int take_items(struct seen *seen, struct slice items, struct buf *out)
{
    struct json_parts it;
    struct slice name, raw;
    int error = 0;
    json_parts_init(&it, items);
    while (error == 0 && json_parts_next(&it, &name, &raw)) {
        struct answer_item item;
        answer_item_read(PULL_SIGN_IN, raw, &item);
        if (seen_has(seen, seen_id_of(item.id))) continue;
        buf_printf(out, "%.*s\n", SLICE_FMT(item.id));
        error = seen_add(seen, seen_id_of(item.id), item.time);
    }
    return error;
}

/* Many more, so that the table grows. */
static int fill(struct seen *seen)
{
    int error = 0;
    for (uint64_t i = 0; i < 300 && error == 0; i++)
        error = seen_add(seen, (struct seen_id){i * 7919, i}, (nsec)i);
    return error;
}

static int save_and_restore(struct seen *seen, struct buf *out)
{
    struct seen again;
    struct buf text;
    buf_init(&text, SEEN_TEXT_MAX);
    seen_write(seen, &text);
    int error = buf_error(&text);
    if (error == 0) error = seen_read(&again, buf_slice(&text));
    if (error == 0) {
        buf_printf(out, "%u remembered, the newest %s\n", again.n,
                   seen_has(&again, (struct seen_id){299 * 7919, 299}) ? "too" : "not");
        seen_done(&again);
    }
    buf_done(&text);
    return error;
}

static int run_page(void *ctx, struct buf *out)
{
    struct seen seen;
    struct buf next, token;
    struct answer_page page = {.next = &next};
    nsec life = 0;
    seen_init(&seen);
    buf_init(&next, ANSWER_URL_MAX);
    buf_init(&token, ANSWER_TOKEN_MAX);
    int error =
        answer_token(SLICE("{\"access_token\":\"e\\u0079J0\",\"expires_in\":60}"), &token, &life);
    if (error == 0) error = answer_page_read(PULL_SIGN_IN, slice_of(page_text), &page);
    if (error == 0) error = take_items(&seen, page.items, out);
    if (error == 0) error = fill(&seen);
    if (error == 0) error = save_and_restore(&seen, out);
    buf_printf(out, "%.*s %.*s\n", SLICE_FMT(buf_slice(&token)), SLICE_FMT(buf_slice(&next)));
    buf_done(&next);
    buf_done(&token);
    seen_done(&seen);
    return error;
}

TEST(pages)
{
    torture_run(&(struct torture){.run = run_page});
}

static int run_source(void *ctx, struct buf *out)
{
    struct pull_source s;
    int error =
        pull_source_read(SLICE("m365-management tenant=t client=c secret=/s every=5min"), &s, NULL);
    return error ? error : pull_source_feed_name(&s, 2, out);
}

TEST(sources)
{
    torture_run(&(struct torture){.run = run_source});
}
