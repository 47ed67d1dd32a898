/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A workflow of Teams that begins "when a Teams webhook request is received": a message with an
 * Adaptive Card, which is answered with 202. Microsoft Learn: "Create incoming webhooks with
 * Workflows for Microsoft Teams"; adaptivecards.io, schema 1.4. The address of the workflow is a
 * secret: whoever knows it can post.
 */
#include "base/json_write.h"
#include "notify/internal.h"

static void put_block(struct buf *out, struct slice text, bool head)
{
    buf_puts(out, "{\"type\":\"TextBlock\",\"wrap\":true");
    if (head) buf_puts(out, ",\"weight\":\"Bolder\",\"size\":\"Large\"");
    json_write_member_string(out, "text", text);
    buf_putc(out, '}');
}

/* A line of Markdown ends with its paragraph alone. */
static void put_lines(struct buf *out, struct slice body)
{
    struct slice line;
    for (bool more = true; more;) {
        more = slice_split(body, '\n', &line, &body);
        if (slice_trim(line).len == 0) continue;
        buf_putc(out, ',');
        put_block(out, line, false);
    }
}

static bool make(struct try *t, const struct notify_message *m, char detail[NOTIFY_DETAIL_MAX])
{
    struct buf *out = &t->body;
    (void)detail;
    buf_puts(out, "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
                  "\"application/vnd.microsoft.card.adaptive\",\"content\":{\"type\":"
                  "\"AdaptiveCard\",\"version\":\"1.4\",\"$schema\":"
                  "\"http://adaptivecards.io/schemas/adaptive-card.json\",\"body\":[");
    put_block(out, m->subject, true);
    put_lines(out, m->body);
    buf_putc(out, ']');
    if (m->link.len) {
        buf_puts(out, ",\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"Vaka\"");
        json_write_member_string(out, "url", m->link);
        buf_puts(out, "}]");
    }
    buf_puts(out, "}}]}");
    buf_puts(&t->url, t->line->provider->url);
    t->request.type = "application/json";
    return true;
}

const struct kind_ops kind_teams = {.make = make};
