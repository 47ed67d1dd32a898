/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/answer.h"

#include "base/time.h"

/* A token without a lifetime is a short one. */
#define LIFETIME_UNKNOWN (5 * 60 * NSEC_PER_SEC)
#define LIFETIME_MOST    (24 * 3600 * NSEC_PER_SEC)

/* The value that the whole body is, blanks around it apart. */
static int read_whole(struct slice body, struct slice *ret)
{
    body = slice_trim(body);
    if (slice_starts_with(body, SLICE("\xEF\xBB\xBF"))) body = slice_from(body, 3);
    int error = body.len ? json_read_value(body, 0, ret) : ERR_TRUNCATED;
    return error ? error : ret->len == body.len ? 0 : ERR_SYNTAX;
}

static bool find_text(struct slice object, const char *name, struct slice *ret)
{
    struct slice value;
    return json_find_member(object, name, NULL, &value) && json_string_inside(value, ret);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static nsec read_lifetime(struct slice body)
{
    struct slice value;
    uint64_t seconds;
    if (!json_find_member(body, "expires_in", NULL, &value)) return LIFETIME_UNKNOWN;
    (void)json_string_inside(value, &value); /* some write it so */
    if (!slice_to_u64(value, &seconds)) return LIFETIME_UNKNOWN;
    return seconds > (uint64_t)(LIFETIME_MOST / NSEC_PER_SEC) ? LIFETIME_MOST
                                                              : (nsec)seconds * NSEC_PER_SEC;
}

/* RFC 6750, 2.1: what stands in a header may not end it. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) return false;
    return text.len > 0;
}

int answer_token(struct slice body, struct buf *token, nsec *ret_lifetime)
{
    struct slice whole, value;
    buf_clear(token);
    if (read_whole(body, &whole) != 0 || !json_find_member(whole, "access_token", NULL, &value) ||
        !json_string_text(value, token))
        return ERR_SYNTAX;
    if (buf_failed(token)) return buf_error(token);
    if (!is_token(buf_slice(token))) return ERR_SYNTAX;
    *ret_lifetime = read_lifetime(whole);
    return 0;
}

/* ---- errors ------------------------------------------------------------------------------ */

void answer_error_read(struct slice body, struct answer_error *ret)
{
    struct slice whole, error;
    *ret = (struct answer_error){SLICE_NONE, SLICE_NONE};
    if (read_whole(body, &whole) != 0 || !json_find_member(whole, "error", NULL, &error)) return;
    if (error.ptr[0] == '{') {
        (void)find_text(error, "code", &ret->code);
        (void)find_text(error, "message", &ret->message);
        return;
    }
    (void)json_string_inside(error, &ret->code);
    (void)find_text(whole, "error_description", &ret->message);
}

/* ---- pages ------------------------------------------------------------------------------- */

/* Of Graph: an object. The Activity API has arrays, its next page stands in a header. */
static int read_graph_page(struct slice whole, struct answer_page *page)
{
    struct slice next;
    if (!json_find_member(whole, "value", NULL, &page->items) || page->items.ptr[0] != '[')
        return ERR_SYNTAX;
    if (!json_find_member(whole, "@odata.nextLink", NULL, &next)) return 0;
    if (slice_eq(next, SLICE("null"))) return 0;
    if (!json_string_text(next, page->next)) return ERR_SYNTAX;
    return buf_error(page->next);
}

int answer_page_read(enum pull_kind kind, struct slice body, struct answer_page *page)
{
    struct slice whole;
    int error = read_whole(body, &whole);
    buf_clear(page->next);
    if (error) return error;
    if (kind != PULL_M365) return read_graph_page(whole, page);
    if (whole.ptr[0] != '[') return ERR_SYNTAX;
    page->items = whole;
    return 0;
}

void answer_item_read(enum pull_kind kind, struct slice item, struct answer_item *ret)
{
    static const struct {
        const char *id, *time;
    } names[PULL_KIND_COUNT] = {
        [PULL_M365] = {"contentId", "contentCreated"},
        [PULL_SIGN_IN] = {"id", "createdDateTime"},
        [PULL_AUDIT] = {"id", "activityDateTime"},
        [PULL_ALERTS] = {"id", "lastUpdateDateTime"},
    };
    struct slice time, uri;
    *ret = (struct answer_item){.time = TIME_NONE};
    if (!find_text(item, names[kind].id, &ret->id) || ret->id.len > ANSWER_ID_MAX)
        ret->id = SLICE_NONE;
    if (find_text(item, names[kind].time, &time) && !time_parse(time, 0, &ret->time))
        ret->time = TIME_NONE;
    if (kind == PULL_M365 && json_find_member(item, "contentUri", NULL, &uri)) ret->uri = uri;
}
