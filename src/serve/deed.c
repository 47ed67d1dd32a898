/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/deed.h"

#include "base/json_write.h"

void deed_begin(struct deed *d, const struct say_act *act, struct buf *answer)
{
    *d = (struct deed){.act = act, .status = DESK_DONE, .answer = answer};
    body_init(&d->body, act->body);
    buf_clear(answer);
    buf_putc(answer, '{');
}

const char *deed_text(struct deed *d, const char *name, size_t max, bool must)
{
    struct slice text = body_text(&d->body, name, max, must);
    const char *copy = text.len ? arena_printf(&d->body.texts, "%.*s", SLICE_FMT(text)) : NULL;
    return copy ? copy : "";
}

void deed_refuse(struct deed *d, enum desk_status status, const char *member, const char *why)
{
    if (d->status == DESK_DONE) d->status = status;
    if (!d->body.member) body_wrong(&d->body, member, "%s", why);
}

int deed_take_error(struct deed *d, const char *member, int error)
{
    char text[sizeof d->diag.message + 48];
    if (error != ERR_INVALID && error != ERR_NOT_FOUND) return error;
    if (d->diag.line)
        (void)snprintf(text, sizeof text, "line %u, column %u: %s", d->diag.line, d->diag.column,
                       d->diag.message);
    else (void)snprintf(text, sizeof text, "%s", d->diag.message);
    deed_refuse(d, error == ERR_NOT_FOUND ? DESK_NOT_FOUND : DESK_INVALID, member, text);
    return 0;
}

void deed_fail(struct deed *d)
{
    d->status = DESK_DONE;
    d->body.member = NULL;
    deed_refuse(d, DESK_BUSY, "", "it could not be done: the log of serve says why");
}

static void put_refusal(const struct deed *d)
{
    struct buf *out = d->answer;
    buf_clear(out);
    buf_putc(out, '{');
    json_write_member_string(out, "member", slice_of(d->body.member ? d->body.member : ""));
    json_write_member_string(out, "message", slice_of(d->body.message));
    buf_putc(out, '}');
}

bool deed_end(struct deed *d, struct buf *out)
{
    if (d->status == DESK_DONE && buf_failed(d->answer))
        deed_refuse(d, DESK_CONFLICT, "", "the answer is too large");
    if (d->status == DESK_DONE && d->body.member) d->status = DESK_INVALID;
    if (d->status == DESK_DONE) buf_putc(d->answer, '}');
    else put_refusal(d);
    say_acted_write(out, &(struct say_acted){.client = d->act->client,
                                             .status = (uint8_t)d->status,
                                             .body = buf_slice(d->answer)});
    body_done(&d->body);
    return d->status == DESK_DONE;
}
