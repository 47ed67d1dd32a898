/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/reports.h"

#include "base/json_write.h"
#include "serve/message.h"

void reports_init(struct reports *r)
{
    for (unsigned i = 0; i < REPORT_COUNT; i++) buf_init(&r->of[i], REPORT_MAX);
}

int reports_take(struct reports *r, const struct frame *frame, struct say_report *ret)
{
    if (say_report_read(frame->payload, ret) != 0 || ret->role >= REPORT_COUNT) return ERR_CORRUPT;
    struct buf *report = &r->of[ret->role];
    buf_clear(report);
    buf_put(report, ret->text);
    if (buf_failed(report)) buf_clear(report);
    return 0;
}

static void put(const struct reports *r, unsigned who, struct buf *out)
{
    json_write_key(out, serve_role_name(who));
    if (r->of[who].len) buf_put(out, buf_slice(&r->of[who]));
    else buf_puts(out, "null");
}

void reports_write(const struct reports *r, struct buf *out)
{
    json_write_key(out, "processes");
    buf_putc(out, '{');
    for (unsigned i = 0; i < ROLE_COUNT; i++) put(r, i, out);
    buf_putc(out, '}');
    put(r, ROLE_SUPERVISOR, out);
}
