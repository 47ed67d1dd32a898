/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/retention.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json_write.h"

#define EVERY_MOST  (3600 * NSEC_PER_SEC)
#define EVERY_LEAST NSEC_PER_SEC
/* A witness's clock that differs by less confirms the one here. */
#define WITNESS_NEAR (3600 * NSEC_PER_SEC)
enum { PARTS = 24, REASON_MAX = 256, CLOCK_FILE_MAX = 32 };

/* ---- holds ------------------------------------------------------------------------------- */

static void hold_back(struct retention *t, const struct diag *diag)
{
    struct buf text;
    buf_init(&text, CONFIG_PATH_MAX + sizeof diag->message + 64);
    if (diag->line) buf_printf(&text, "%s:%u: ", t->path, diag->line);
    buf_printf(&text, "%s; nothing is removed", diag->message);
    t->held_back = true;
    role_alarm(t->role, "holds-unreadable", buf_slice(&text));
    buf_done(&text);
}

/* An error was told: then nobody knows what is held. */
static int read_holds(struct retention *t)
{
    struct diag diag = {0};
    buf_clear(&t->text);
    buf_clear(&t->holds);
    buf_clear(&t->ranges);
    int error = file_read(t->path, &t->text, &diag);
    if (error == ERR_NOT_FOUND && !t->named) error = 0;
    else if (error == 0) error = holds_read(t->path, buf_slice(&t->text), &t->holds, &diag);
    for (size_t at = 0; at < t->holds.len && error == 0; at += sizeof(struct hold)) {
        struct hold hold;
        memcpy(&hold, t->holds.ptr + at, sizeof hold);
        buf_put(&t->ranges, slice_make(&hold.range, sizeof hold.range));
        error = buf_error(&t->ranges);
    }
    if (error) {
        if (!diag.message[0]) (void)diag_set(&diag, error, NULL, 0, 0, "%s", error_text(error));
        hold_back(t, &diag);
        return error;
    }
    t->held_back = false;
    t->pass.options.holds = (const struct retain_hold *)(const void *)t->ranges.ptr;
    t->pass.options.n_holds = t->ranges.len / sizeof(struct retain_hold);
    return 0;
}

/* ---- the time ---------------------------------------------------------------------------- */

/* Seconds; 0: the file is not there, or says nothing. */
static uint64_t read_clock(const struct retention *t)
{
    char text[CLOCK_FILE_MAX];
    uint64_t seconds = 0;
    int file = t->io->open(t->io->ctx, RETENTION_CLOCK, STORE_READ);
    if (file < 0) return 0;
    int64_t n = store_io_read(t->io, file, text, sizeof text, 0);
    t->io->close(t->io->ctx, file);
    if (n <= 0 || !slice_to_u64(slice_trim(slice_make(text, (size_t)n)), &seconds) ||
        seconds > INT64_MAX / NSEC_PER_SEC)
        return 0;
    return seconds;
}

/* What is believed is kept for the next start; it never goes back. */
static int keep_clock(struct retention *t, nsec now)
{
    char text[CLOCK_FILE_MAX];
    uint64_t seconds = now > 0 ? (uint64_t)(now / NSEC_PER_SEC) : 0;
    if (seconds <= t->kept) return 0;
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)seconds);
    int error = store_io_replace(t->io, RETENTION_CLOCK, slice_make(text, (size_t)n));
    if (error == 0) t->kept = seconds;
    return error;
}

static void tell_doubt(struct retention *t, nsec wall, nsec now)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "the clock is %lld hours ahead of what can have gone by: nothing gets old by "
                   "it, until a witness or `vaka clock trust` says that it is right",
                   (long long)((wall - now) / (3600 * NSEC_PER_SEC)));
    role_alarm(t->role, "clock-doubted", slice_of(text));
}

/* The time to go by. */
static int look_at_clock(struct retention *t, nsec *ret_now)
{
    nsec wall = clock_realtime(&t->role->clock), monotonic = clock_monotonic(&t->role->clock);
    uint64_t told = read_clock(t);
    bool doubted = t->time.doubted;
    if (told != t->kept && told != 0)
        trusted_time_confirm(&t->time, (nsec)told * NSEC_PER_SEC, monotonic);
    t->kept = told;
    *ret_now = trusted_time_look(&t->time, wall, monotonic);
    if (t->time.doubted && !doubted) tell_doubt(t, wall, *ret_now);
    return keep_clock(t, *ret_now);
}

void retention_witnessed(struct retention *t, nsec time, nsec wall)
{
    nsec apart = time > wall ? time - wall : wall - time;
    if (t->time.doubted && apart < WITNESS_NEAR)
        trusted_time_confirm(&t->time, wall, clock_monotonic(&t->role->clock));
}

/* ---- a pass ------------------------------------------------------------------------------ */

static void end_pass(struct retention *t, int error)
{
    const struct retain_counts *n = &t->pass.counts;
    t->last = *n;
    t->ran = clock_realtime(&t->role->clock);
    t->running = false;
    if (error) role_alarm(t->role, "retention-failed", slice_of(error_text(error)));
    log_write(LOG_RETENTION_ENDED, LOG_NUMBER("removed", n->removed),
              LOG_NUMBER("records", n->records), LOG_NUMBER("held", n->held),
              LOG_NUMBER("unreadable", n->unreadable), LOG_NUMBER("error", error));
    retain_pass_done(&t->pass);
}

static void next(struct retention *t)
{
    struct link *link = role_link(t->role, ROLE_SIGN);
    if (read_holds(t) != 0) {
        end_pass(t, 0);
        return;
    }
    int goes = retain_pass_next(&t->pass);
    if (goes <= 0) {
        end_pass(t, goes);
        return;
    }
    say_bury_write(link_out(link), &(struct say_bury){.begin = t->pass.footer.begin,
                                                      .body = buf_slice(&t->pass.body)});
    link_flush(link);
}

void retention_signed(struct retention *t, struct slice origin)
{
    const struct config *config = &t->role->config;
    if (!t->due || t->running || !link_is_open(role_link(t->role, ROLE_SIGN))) return;
    t->due = false;
    nsec now;
    int error = look_at_clock(t, &now);
    if (error) {
        role_alarm(t->role, "retention-failed", slice_of(error_text(error)));
        return;
    }
    ASSERT(origin.len < sizeof t->origin);
    memcpy(t->origin, origin.ptr, origin.len);
    buf_clear(&t->reason);
    buf_puts(&t->reason, "older than ");
    config_write_value(&t->reason, config, CONFIG_STORE_KEEP);
    t->running = true;
    error = retain_pass_init(&t->pass,
                             &(struct retain_options){.io = t->io,
                                                      .before = now - config->store_keep,
                                                      .now = clock_realtime(&t->role->clock),
                                                      .origin = slice_make(t->origin, origin.len),
                                                      .reason = buf_slice(&t->reason)});
    if (error) end_pass(t, error);
    else next(t);
}

int retention_buried(struct retention *t, const struct frame *frame)
{
    struct say_buried m;
    if (say_buried_read(frame->payload, &m) != 0 || !t->running || m.begin != t->pass.footer.begin)
        return ERR_CORRUPT;
    uint64_t records = t->pass.footer.records;
    int error = retain_pass_bury(&t->pass, m.lines);
    if (error) {
        end_pass(t, error);
        return 0;
    }
    t->removed++;
    t->records += records;
    log_write(LOG_SEGMENT_REMOVED, LOG_NUMBER("begin", m.begin), LOG_NUMBER("records", records),
              LOG_TEXT("reason", t->pass.options.reason));
    next(t);
    return 0;
}

void retention_lost(struct retention *t)
{
    if (!t->running) return;
    end_pass(t, 0);
    t->due = true;
}

/* ---- from the beginning ------------------------------------------------------------------ */

static void on_timer(void *ctx)
{
    struct retention *t = ctx;
    t->due = true;
}

/* What is reached by a file that is replaced as a whole is its folder. */
static int keep_readable(struct role *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash ? arena_printf(&r->config.arena, "%.*s", (int)(slash - path) + 1, path) : ".";
    if (!folder) return ERR_NOMEM;
    role_keep_path(r, folder);
    return 0;
}

int retention_prepare(struct retention *t, struct role *r, const struct store_io *io,
                      const char *folder)
{
    t->role = r;
    t->io = io;
    t->due = true;
    t->timer = (struct loop_timer){.due = on_timer, .ctx = t};
    buf_init(&t->text, HOLDS_FILE_MAX);
    buf_init(&t->holds, HOLDS_MAX * sizeof(struct hold));
    buf_init(&t->ranges, HOLDS_MAX * sizeof(struct retain_hold));
    buf_init(&t->reason, REASON_MAX);
    t->named = r->config.store_holds.n > 0;
    t->path = t->named ? r->config.store_holds.items[0]
                       : arena_printf(&r->config.arena, "%s/holds", folder);
    if (!t->path) return ERR_NOMEM;
    return t->named ? keep_readable(r, t->path) : 0;
}

int retention_start(struct retention *t)
{
    t->kept = read_clock(t);
    trusted_time_init(&t->time, (nsec)t->kept * NSEC_PER_SEC, t->role->config.store_keep,
                      clock_realtime(&t->role->clock), clock_monotonic(&t->role->clock));
    nsec every = t->role->config.store_keep / PARTS;
    if (every > EVERY_MOST) every = EVERY_MOST;
    if (every < EVERY_LEAST) every = EVERY_LEAST;
    return loop_timer_set(t->role->loop, &t->timer, every, every);
}

void retention_status(const struct retention *t, struct buf *out)
{
    json_write_member_u64(out, "removed", t->removed);
    json_write_member_u64(out, "removed_records", t->records);
    json_write_member_u64(out, "held", t->last.held);
    json_write_member_u64(out, "unreadable", t->last.unreadable);
    json_write_member_u64(out, "retained_at", (uint64_t)(t->ran / NSEC_PER_SEC));
    json_write_member_u64(out, "clock_believed", t->kept);
    json_write_key(out, "clock_doubted");
    buf_puts(out, t->time.doubted ? "true" : "false");
    json_write_key(out, "held_back");
    buf_puts(out, t->held_back ? "true" : "false");
}
