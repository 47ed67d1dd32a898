/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/holding.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/folder.h"
#include "serve/deed.h"
#include "store/holds.h"

#define HOLDS_FILE "holds"
enum { ANSWER_MAX = 4 * 1024 * 1024 };

struct holding_deed {
    struct deed deed;
    const struct holding *holding;
    nsec now;
    struct buf text, holds, fresh; /* the file; a struct hold each; what it is to be */
};

/* The text as it is and all its holds; one that is not there is empty. */
static int read_file(struct holding_deed *d)
{
    int error = file_read(d->holding->path, &d->text, &d->deed.diag);
    if (error == ERR_NOT_FOUND && !d->holding->named) return 0;
    return error ? error
                 : holds_read(d->holding->path, buf_slice(&d->text), &d->holds, &d->deed.diag);
}

static int do_list(struct holding_deed *d)
{
    struct buf *out = d->deed.answer;
    if (!body_end(&d->deed.body)) return 0;
    int error = read_file(d);
    buf_puts(out, "\"holds\":[");
    for (size_t at = 0; at < d->holds.len && error == 0; at += sizeof(struct hold)) {
        struct hold hold;
        memcpy(&hold, d->holds.ptr + at, sizeof hold);
        if (at) buf_putc(out, ',');
        hold_write_json(out, &hold);
    }
    buf_putc(out, ']');
    return error;
}

static bool read_range(struct holding_deed *d, struct retain_hold *ret)
{
    struct slice text = body_text(&d->deed.body, "range", 64, true);
    if (text.len && !hold_range_read(text, ret))
        deed_refuse(&d->deed, DESK_INVALID, "range",
                    "sequence numbers are expected: FROM-TO or FROM-");
    return body_end(&d->deed.body);
}

/* The names of accounts have no blanks. */
static int do_hold(struct holding_deed *d)
{
    struct slice reason = body_text(&d->deed.body, "reason", HOLD_REASON_MAX, true);
    struct hold hold = {
        .time = d->now, .who = slice_until(d->deed.act->actor, HOLD_WHO_MAX), .reason = reason};
    if (!read_range(d, &hold.range)) return 0;
    buf_put(&d->fresh, buf_slice(&d->text));
    if (d->fresh.len && d->fresh.ptr[d->fresh.len - 1] != '\n') buf_putc(&d->fresh, '\n');
    if (hold_write(&d->fresh, &hold) != 0)
        deed_refuse(&d->deed, DESK_INVALID, "reason", "it is no text on one line");
    else if (d->holds.len / sizeof hold >= HOLDS_MAX)
        deed_refuse(&d->deed, DESK_CONFLICT, "", "there are as many holds as there may be");
    return 0;
}

static int do_lift(struct holding_deed *d)
{
    struct retain_hold range;
    size_t n = 0;
    if (!read_range(d, &range)) return 0;
    holds_lift(&d->fresh, buf_slice(&d->text), &range, d->now,
               slice_until(d->deed.act->actor, HOLD_WHO_MAX), &n);
    if (n == 0) deed_refuse(&d->deed, DESK_NOT_FOUND, "", "no hold is of exactly these records");
    return 0;
}

static int replace(struct holding_deed *d)
{
    if (buf_failed(&d->fresh)) return buf_error(&d->fresh);
    if (folder_replace(d->holding->folder, HOLDS_FILE, buf_slice(&d->fresh)) == 0) return 0;
    return diag_set(&d->deed.diag, ERR_IO, NULL, 0, 0, "%s: %s", d->holding->path, strerror(errno));
}

/* One at a time changes the file; the command line does as well. */
static int change(struct holding_deed *d, int (*edit)(struct holding_deed *d))
{
    if (d->holding->named) {
        deed_refuse(&d->deed, DESK_CONFLICT, "",
                    "the file is that of store.holds, which this process only reads: vaka hold");
        return 0;
    }
    if (flock(d->holding->folder, LOCK_EX | LOCK_NB) != 0) {
        deed_refuse(&d->deed, DESK_BUSY, "", "somebody else changes the holds");
        return 0;
    }
    int error = read_file(d);
    if (error == 0) error = edit(d);
    if (error == 0 && d->deed.status == DESK_DONE && !d->deed.body.member) error = replace(d);
    (void)flock(d->holding->folder, LOCK_UN);
    return error;
}

static int dispatch(struct holding_deed *d)
{
    struct slice kind = d->deed.act->kind;
    if (slice_eq(kind, SLICE("holds"))) return do_list(d);
    if (slice_eq(kind, SLICE("hold"))) return change(d, do_hold);
    if (slice_eq(kind, SLICE("lift"))) return change(d, do_lift);
    deed_refuse(&d->deed, DESK_UNKNOWN, "", "there is no such act");
    return 0;
}

static void run(struct role *r, struct holding_deed *d)
{
    int error = dispatch(d);
    if (error == 0) error = body_error(&d->deed.body);
    if (error == 0) return;
    role_alarm(r, "holds-failed",
               slice_of(d->deed.diag.message[0] ? d->deed.diag.message : error_text(error)));
    deed_fail(&d->deed);
}

int holding_frame(struct role *r, const struct holding *h, const struct frame *frame)
{
    struct link *web = role_link(r, ROLE_WEB);
    struct holding_deed d = {.holding = h, .now = clock_realtime(&r->clock)};
    struct say_act act;
    struct buf answer;
    if (frame->type != SAY_ACT || say_act_read(frame->payload, &act) != 0) return ERR_CORRUPT;
    buf_init(&answer, ANSWER_MAX);
    buf_init(&d.text, HOLDS_FILE_MAX);
    buf_init(&d.fresh, HOLDS_FILE_MAX);
    buf_init(&d.holds, (HOLDS_MAX + 1) * sizeof(struct hold));
    deed_begin(&d.deed, &act, &answer);
    run(r, &d);
    (void)deed_end(&d.deed, link_out(web));
    link_flush(web);
    buf_done(&d.text);
    buf_done(&d.fresh);
    buf_done(&d.holds);
    buf_done(&answer);
    return 0;
}
