/* SPDX-License-Identifier: EUPL-1.2 */
/* What a cloud answers, and what is remembered of it, while memory runs out. */
#include "torture.h"

#define HOUSE_SPARE() torture_spare()
#define HOUSE_GO_ON() torture_go_on()
#include "../unit/pull/house.h"
#include "pull/answer.h"
#include "pull/seen.h"

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
    buf_init(&next, 4096);
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

/* ---- a whole source ---------------------------------------------------------------------- */

static bool says(struct slice url, const char *part)
{
    return slice_find(url, slice_of(part)) != SIZE_MAX;
}

/* Two pages of contents, each content with two records. */
static void contents(struct house *h, struct slice url)
{
    if (says(url, "/oauth2/")) return;
    if (says(url, "/audit/")) {
        buf_puts(&h->body, "[{\"Id\":\"x\"},{\"Id\":\"y\"}]");
        return;
    }
    bool second = says(url, "nextPage");
    struct slice start = slice_from(url, slice_find(url, SLICE("startTime=")) + 10);
    bool all = second || slice_cmp(slice_until(start, 23), SLICE("2026-11-26T11%3A50%3A00")) <= 0;
    if (all && !second) h->answer.next = SLICE("https://manage.office.com/x?nextPage=1&startTime=");
    buf_puts(&h->body, "[");
    for (int i = 0; i < 2 && all; i++)
        buf_printf(&h->body,
                   "%s{\"contentId\":\"c%d%d\",\"contentCreated\":\"2026-11-26T11:50:00Z\","
                   "\"contentUri\":\"https://manage.office.com/api/audit/c%d%d\"}",
                   i ? "," : "", second, i, second, i);
    buf_puts(&h->body, "]");
}

/* Two pages of sign-ins. */
static void signins(struct house *h, struct slice url)
{
    if (says(url, "/oauth2/")) return;
    bool second = says(url, "skip=");
    buf_puts(&h->body, "{\"value\":[");
    for (int i = 0; i < 3; i++)
        buf_printf(&h->body, "%s{\"id\":\"s%d%d\",\"createdDateTime\":\"2026-11-26T11:50:00Z\"}",
                   i ? "," : "", second, i);
    buf_puts(&h->body,
             second ? "]}" : "],\"@odata.nextLink\":\"https://graph.microsoft.com/x?skip=1\"}");
}

struct told {
    const char *source;
    void (*cloud)(struct house *h, struct slice url);
};

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Each record, however often it came, in an order of their own. */
static void tell_kept(struct house *h, struct buf *out)
{
    unsigned n = h->records < 64 ? h->records : 64;
    qsort(h->kept, n, sizeof h->kept[0], compare_texts);
    for (unsigned i = 0; i < n; i++)
        if (i == 0 || strcmp(h->kept[i], h->kept[i - 1]) != 0) buf_printf(out, "%s\n", h->kept[i]);
    buf_printf(out, "to %lld\n", (long long)(puller_cursor(&h->puller) >= NOON));
}

/* With as much time as it wants: what it says is done with was stored. */
static int run_puller(void *ctx, struct buf *out)
{
    static struct house h;
    const struct told *t = ctx;
    int error = house_init(&h, t->source, t->cloud);
    if (error == 0) {
        run(&h, 30 * MINUTE);
        bool done = puller_cursor(&h.puller) >= NOON;
        if (!done) error = ERR_NOMEM;
        else tell_kept(&h, out);
    }
    house_done(&h);
    return error;
}

TEST(sign_ins)
{
    static const struct told t = {"entra-sign-in tenant=t client=c secret=/s begin=30min", signins};
    torture_run(&(struct torture){.run = run_puller, .ctx = (void *)(uintptr_t)&t});
}

TEST(contents_of_two_pages)
{
    static const struct told t = {
        "m365-management tenant=t client=c secret=/s content=DLP.All begin=30min late=0s",
        contents};
    torture_run(&(struct torture){.run = run_puller, .ctx = (void *)(uintptr_t)&t});
}
