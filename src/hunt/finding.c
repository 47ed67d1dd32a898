/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/finding.h"

enum { HOST_MAX = 1024 };

bool finding_is_whole(struct buf *out, size_t begin)
{
    if (!buf_failed(out) && out->len - begin <= MESSAGE_MAX + FRAME_HEADER) return true;
    out->len = begin;
    out->failed = false;
    return false;
}

void finding_write(struct line_writer *w, const struct engine_hit *hit, struct buf *line,
                   struct buf *out)
{
    struct message_alert m = {.rule = hit->rule->index,
                              .undetermined = hit->undetermined,
                              .time = w->time,
                              .record = w->record ? w->seq : w->event->record,
                              .host = slice_until(w->host, HOST_MAX),
                              .source = w->source};
    for (int attempt = 0; attempt < 2; attempt++) {
        buf_clear(line);
        size_t splice = line_write(w, hit, line);
        m.splice = w->record ? MESSAGE_IN_PLACE : (uint32_t)splice;
        m.line = buf_slice(line);
        size_t begin = out->len;
        if (!buf_failed(line) && m.line.len <= MESSAGE_TEXT_MAX) {
            message_alert_write(out, &m);
            if (finding_is_whole(out, begin)) return;
        }
        /* An event just below the limit and long matched values: the alert goes without the event.
         */
        line_omit_event(w);
    }
}
