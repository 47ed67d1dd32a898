/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/journal.h"

#include <errno.h>
#include <systemd/sd-journal.h>

#include "base/le.h"
#include "collect/export.h"

enum { SOURCE_MAX = 4096, FIELDS_MAX = 1024, MARKS_MAX = 1024, TURN_RECORDS = 512 };

/* Behind the n-th entry stands this cursor. */
struct mark {
    uint64_t n;
    char cursor[EXPORT_CURSOR_MAX];
};

struct journal {
    struct core *core;
    struct journal_row row;
    sd_journal *journal;
    struct loop_watch watch;
    struct loop_deferred again, telling;
    struct in_line in_line;
    struct claimant claimant;
    struct ledger_row *ledger;
    struct buf source, entry;
    struct mark *marks; /* a ring: ends of turns that are not safe yet, oldest at `first` */
    uint32_t first, n_marks;
    uint64_t read, safe;            /* entries, since the beginning */
    char cursor[EXPORT_CURSOR_MAX]; /* of the newest entry that was read */
    char safe_cursor[EXPORT_CURSOR_MAX];
    bool stopped, refused;
};

/* ---- entries ----------------------------------------------------------------------------- */

static bool is_text(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') return false;
    return true;
}

static void put_field(struct buf *b, struct slice field)
{
    struct slice name, value;
    char len[8];
    if (!slice_split(field, '=', &name, &value)) return;
    buf_put(b, name);
    if (is_text(value)) {
        buf_putc(b, '=');
    } else {
        buf_putc(b, '\n');
        le64_put(len, value.len);
        buf_put(b, slice_make(len, sizeof len));
    }
    buf_put(b, value);
    buf_putc(b, '\n');
}

/* Writes the entry that the journal stands at. 0, or an error of sd-journal. */
static int write_entry(struct journal *j)
{
    uint64_t realtime = 0, monotonic = 0;
    sd_id128_t boot;
    const void *data;
    size_t len;
    char *cursor = NULL;
    int r = sd_journal_get_cursor(j->journal, &cursor);
    if (r < 0) return r;
    size_t cursor_len = strlen(cursor);
    bool fits = cursor_len < sizeof j->cursor;
    if (fits) memcpy(j->cursor, cursor, cursor_len + 1);
    free(cursor);
    if (!fits) return -ENOBUFS;
    buf_clear(&j->entry);
    buf_printf(&j->entry, "__CURSOR=%s\n", j->cursor);
    if (sd_journal_get_realtime_usec(j->journal, &realtime) >= 0)
        buf_printf(&j->entry, "__REALTIME_TIMESTAMP=%llu\n", (unsigned long long)realtime);
    if (sd_journal_get_monotonic_usec(j->journal, &monotonic, &boot) >= 0)
        buf_printf(&j->entry, "__MONOTONIC_TIMESTAMP=%llu\n", (unsigned long long)monotonic);
    sd_journal_restart_data(j->journal);
    for (uint32_t n = 0; n < FIELDS_MAX && j->entry.len <= j->row.record_max; n++) {
        r = sd_journal_enumerate_available_data(j->journal, &data, &len);
        if (r <= 0) break;
        /* More than fits is cut, not lost. */
        put_field(&j->entry, slice_until(slice_make(data, len), j->row.record_max));
    }
    return r < 0 ? r : 0;
}

static int add_entry(struct journal *j)
{
    struct slice raw = buf_slice(&j->entry), delivery;
    uint64_t ordinal;
    export_cursor(slice_of(j->cursor), &delivery, &ordinal);
    const struct record record = {.raw = slice_until(raw, j->row.record_max),
                                  .source = buf_slice(&j->source),
                                  .delivery = delivery,
                                  .received = clock_realtime(&j->core->clock),
                                  .ordinal = ordinal,
                                  .format = RECORD_JOURNAL,
                                  .flags = raw.len > j->row.record_max ? (uint8_t)RECORD_CUT
                                                                       : (uint8_t)0};
    return outbox_add(j->core->outbox, j->row.tenant, &record, j->ledger, &j->claimant);
}

/* ---- turns ------------------------------------------------------------------------------- */

static bool may_read(const struct journal *j)
{
    return outbox_takes(j->core->outbox, j->ledger) &&
           j->claimant.unacked < j->core->claimant_max && j->n_marks < MARKS_MAX;
}

static void put_mark(struct journal *j)
{
    struct mark *mark = &j->marks[(j->first + j->n_marks++) % MARKS_MAX];
    mark->n = j->read;
    memcpy(mark->cursor, j->cursor, sizeof mark->cursor);
}

static void on_turn(void *ctx)
{
    struct journal *j = ctx;
    uint64_t before = j->read;
    int r = 1;
    if (j->stopped || j->refused) return;
    while (may_read(j) && j->read - before < TURN_RECORDS) {
        r = sd_journal_next(j->journal);
        if (r <= 0) break;
        /* An entry that is damaged, or rotated away meanwhile, is counted and passed over. */
        if (write_entry(j) < 0) {
            j->ledger->odd++;
            continue;
        }
        if (add_entry(j) != 0) {
            j->refused = true;
            break;
        }
        j->read++;
    }
    if (j->read > before) put_mark(j);
    if (j->refused || r <= 0) return;
    if (!outbox_takes(j->core->outbox, j->ledger))
        outbox_stand_in_line(j->core->outbox, &j->in_line, j->ledger);
    else if (may_read(j)) loop_defer(j->core->loop, &j->again);
}

static void tell_state(void *ctx)
{
    struct journal *j = ctx;
    const struct collect_out *out = &j->core->out;
    if (out->state) out->state(out->ctx, j->row.name, slice_of(j->safe_cursor));
}

static void on_acked(void *ctx, uint64_t n, uint64_t last)
{
    struct journal *j = ctx;
    (void)last;
    j->safe += n;
    while (j->n_marks > 0 && j->marks[j->first].n <= j->safe) {
        memcpy(j->safe_cursor, j->marks[j->first].cursor, sizeof j->safe_cursor);
        j->first = (j->first + 1) % MARKS_MAX;
        j->n_marks--;
        loop_defer(j->core->loop, &j->telling);
    }
    if (!j->stopped && may_read(j)) loop_defer(j->core->loop, &j->again);
}

static void on_refused(void *ctx)
{
    struct journal *j = ctx;
    outbox_forget(j->core->outbox, &j->claimant);
    j->refused = true;
}

static void on_ready(void *ctx, unsigned what)
{
    struct journal *j = ctx;
    (void)what;
    if (sd_journal_process(j->journal) >= 0) on_turn(j);
}

/* Begins behind a cursor, empty: at the beginning, or at the end. */
static int seek(struct journal *j, const char *cursor)
{
    int r = cursor[0]              ? sd_journal_seek_cursor(j->journal, cursor)
            : j->row.skip_existing ? sd_journal_seek_tail(j->journal)
                                   : sd_journal_seek_head(j->journal);
    if (r < 0) return ERR_INVALID;
    if (!cursor[0] && !j->row.skip_existing) return 0;
    /* The end is behind the last entry, a cursor is at its own, or before the next that is left. */
    if (!cursor[0]) return sd_journal_previous(j->journal) < 0 ? ERR_IO : 0;
    if (sd_journal_next(j->journal) < 0) return ERR_IO;
    if (sd_journal_test_cursor(j->journal, cursor) == 0) r = sd_journal_previous(j->journal);
    return r < 0 ? ERR_IO : 0;
}

void journal_tick(struct journal *j)
{
    if (j->stopped) return;
    if (j->refused && j->claimant.unacked == 0) {
        j->refused = false;
        j->safe = j->read;
        j->first = j->n_marks = 0;
        if (seek(j, j->safe_cursor) != 0) j->ledger->broken++;
    }
    (void)sd_journal_process(j->journal);
    on_turn(j);
}

/* What is skipped stays skipped when it has to begin again. */
static void remember_tail(struct journal *j)
{
    char *cursor;
    if (j->safe_cursor[0] || !j->row.skip_existing) return;
    if (sd_journal_get_cursor(j->journal, &cursor) < 0) return; /* there is no entry */
    if (strlen(cursor) < sizeof j->safe_cursor) memcpy(j->safe_cursor, cursor, strlen(cursor) + 1);
    free(cursor);
}

/* ---- the whole --------------------------------------------------------------------------- */

static int start(struct journal *j, struct slice state)
{
    const struct record_source source = {.input = SLICE("journal"), .listener = j->row.name};
    if (state.len >= sizeof j->safe_cursor) return ERR_INVALID;
    if (state.len) memcpy(j->safe_cursor, state.ptr, state.len);
    j->marks = calloc(MARKS_MAX, sizeof *j->marks);
    if (!j->marks) return ERR_NOMEM;
    int r = j->row.folder ? sd_journal_open_directory(&j->journal, j->row.folder, 0)
                          : sd_journal_open(&j->journal, SD_JOURNAL_LOCAL_ONLY);
    if (r < 0) return r == -ENOMEM ? ERR_NOMEM : ERR_ACCESS;
    (void)sd_journal_set_data_threshold(j->journal, j->row.record_max);
    int error = seek(j, j->safe_cursor);
    if (!error) remember_tail(j);
    if (!error) error = core_source(j->core, &source, &j->source, &j->ledger);
    if (error) return error;
    j->watch =
        (struct loop_watch){.fd = sd_journal_get_fd(j->journal), .ready = on_ready, .ctx = j};
    return j->watch.fd < 0 ? ERR_IO : loop_watch_add(j->core->loop, &j->watch, LOOP_READ);
}

int journal_new(struct core *core, const struct journal_row *row, struct journal **ret)
{
    if (row->record_max > RECORD_MAX) return ERR_INVALID;
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return ERR_NOMEM;
    j->core = core;
    j->row = *row;
    j->row.state = SLICE_NONE;
    if (j->row.record_max == 0) j->row.record_max = 64 * 1024;
    j->claimant = (struct claimant){.acked = on_acked, .refused = on_refused, .ctx = j};
    j->in_line = (struct in_line){.resume = on_turn, .ctx = j};
    j->again = (struct loop_deferred){.call = on_turn, .ctx = j};
    j->telling = (struct loop_deferred){.call = tell_state, .ctx = j};
    buf_init(&j->source, SOURCE_MAX);
    buf_init(&j->entry, 2 * (size_t)j->row.record_max + SOURCE_MAX);
    int error = start(j, row->state);
    if (error) {
        journal_free(j);
        return error;
    }
    *ret = j;
    return 0;
}

void journal_stop(struct journal *j)
{
    j->stopped = true;
    loop_watch_remove(j->core->loop, &j->watch);
    loop_defer_cancel(j->core->loop, &j->again);
    outbox_leave_line(j->core->outbox, &j->in_line);
}

void journal_free(struct journal *j)
{
    if (!j) return;
    journal_stop(j);
    loop_defer_cancel(j->core->loop, &j->telling);
    outbox_forget(j->core->outbox, &j->claimant);
    sd_journal_close(j->journal);
    free(j->marks);
    buf_done(&j->source);
    buf_done(&j->entry);
    free(j);
}
