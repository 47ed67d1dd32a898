/* SPDX-License-Identifier: EUPL-1.2 */
#include "pull/url.h"

#include "base/form.h"
#include "base/time.h"
#include "dial/dial.h"

static void put_time(struct buf *out, nsec t, const char *end)
{
    struct civil_time c;
    time_to_civil(t, &c);
    buf_printf(out, "%04d-%02d-%02dT%02d%%3A%02d%%3A%02d%s", c.year, c.month, c.day, c.hour,
               c.minute, c.second, end);
}

void url_token(struct buf *out, const struct pull_source *s)
{
    buf_clear(out);
    buf_printf(out, "%s/%s/oauth2/v2.0/token", s->login.origin, s->tenant);
    buf_putc(out, '\0');
}

void url_token_form(struct buf *out, const struct pull_source *s, struct slice secret)
{
    buf_clear(out);
    buf_printf(out, "grant_type=client_credentials&client_id=%s&scope=", s->client);
    form_put_escaped(out, slice_of(s->api.origin));
    buf_puts(out, "%2F.default&client_secret=");
    form_put_escaped(out, secret);
}

static void put_feed(struct buf *out, const struct pull_source *s, const char *what)
{
    buf_printf(out, "%s/api/v1.0/%s/activity/feed/subscriptions/%s?PublisherIdentifier=%s",
               s->api.origin, s->tenant, what, s->tenant);
}

static void put_content(struct buf *out, const struct pull_source *s, unsigned content,
                        const struct url_span *span)
{
    put_feed(out, s, "content");
    buf_printf(out, "&contentType=%s&startTime=", pull_content_name(content));
    put_time(out, span->from, "&endTime=");
    put_time(out, span->to, "");
}

/* Where the order can be asked for it is that of time. */
static const struct {
    const char *path, *time;
    bool ordered;
} graph[PULL_KIND_COUNT] = {
    [PULL_SIGN_IN] = {"auditLogs/signIns", "createdDateTime", true},
    [PULL_AUDIT] = {"auditLogs/directoryAudits", "activityDateTime", true},
    [PULL_ALERTS] = {"security/alerts_v2", "lastUpdateDateTime", false},
};

static void put_graph(struct buf *out, const struct pull_source *s, const struct url_span *span,
                      unsigned top)
{
    const char *time = graph[s->kind].time;
    buf_printf(out, "%s/v1.0/%s?$top=%u&$filter=%s%%20ge%%20", s->api.origin, graph[s->kind].path,
               top, time);
    put_time(out, span->from, "Z");
    buf_printf(out, "%%20and%%20%s%%20le%%20", time);
    put_time(out, span->to, "Z");
    if (graph[s->kind].ordered) buf_printf(out, "&$orderby=%s", time);
}

void url_page(struct buf *out, const struct pull_source *s, unsigned content,
              const struct url_span *span, unsigned top)
{
    buf_clear(out);
    if (s->kind == PULL_M365) put_content(out, s, content, span);
    else put_graph(out, s, span, top);
    buf_putc(out, '\0');
}

void url_subscribe(struct buf *out, const struct pull_source *s, unsigned content)
{
    buf_clear(out);
    put_feed(out, s, "start");
    buf_printf(out, "&contentType=%s", pull_content_name(content));
    buf_putc(out, '\0');
}

void url_check(struct buf *out, const struct pull_source *s, nsec now)
{
    buf_clear(out);
    if (s->kind == PULL_M365) put_feed(out, s, "list");
    else put_graph(out, s, &(struct url_span){now - 3600 * NSEC_PER_SEC, now}, 1);
    buf_putc(out, '\0');
}

bool url_is_own(struct slice url, const struct pull_source *s)
{
    struct slice origin = slice_of(s->api.origin);
    if (!slice_starts_with(url, origin)) return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] >= 0x7f) return false;
    return url.len > origin.len && url.ptr[origin.len] == '/';
}
