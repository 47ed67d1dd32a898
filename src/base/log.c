/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/log.h"

#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/time.h"

enum { WAIT_MS = 100, TAIL = 80 /* bytes that are kept for what the log itself has to say */ };

struct event_row {
    enum log_level level;
    uint32_t limit;
    const char *name;
};

static const struct event_row rows[] = {
#define X(id, level, limit, text) [LOG_##id] = {LOG_LEVEL_##level, limit, text},
    LOG_EVENTS(X)
#undef X
};

static struct log *installed;

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    case LOG_LEVEL_OFF:
        break;
    }
    return "off";
}

void log_init(struct log *log, const struct log_options *options)
{
    *log = (struct log){.options = *options};
}

bool log_is_journal(int fd, const char *journal_stream)
{
    struct stat st;
    struct slice device, inode;
    uint64_t dev, ino;
    if (!journal_stream || !slice_split(slice_of(journal_stream), ':', &device, &inode) ||
        !slice_to_u64(device, &dev) || !slice_to_u64(inode, &ino))
        return false;
    return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* ---- one record -------------------------------------------------------------------------- */

/* Whether all of the record was written. Never waits longer than WAIT_MS. */
static bool write_out(const struct log *log, struct slice line)
{
    if (log->options.buf) {
        buf_put(log->options.buf, line);
        return !buf_failed(log->options.buf);
    }
    struct pollfd fd = {.fd = log->options.fd, .events = POLLOUT};
    if (poll(&fd, 1, log->stuck ? 0 : WAIT_MS) != 1 || !(fd.revents & POLLOUT)) return false;
    return write(fd.fd, line.ptr, line.len) == (ssize_t)line.len;
}

static void put_head(struct buf *out, const struct log *log, const struct event_row *row)
{
    if (log->options.journal) {
        buf_printf(out, "<%d>", (int)row->level);
    } else {
        nsec now = clock_realtime(&log->options.clock);
        buf_puts(out, "time=");
        time_write_rfc3339(out, now - now % NSEC_PER_MSEC);
        buf_putc(out, ' ');
    }
    buf_printf(out, "level=%s event=%s", level_name(row->level), row->name);
}

/* What does not fit is left out whole, and the record says so. */
static void put_fields(struct buf *out, const struct log_field *fields, size_t n)
{
    out->max -= TAIL;
    out->cap -= TAIL;
    size_t end = out->len;
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, " %s=", fields[i].key);
        if (fields[i].is_text) text_put_value(out, slice_until(fields[i].text, LOG_VALUE_MAX));
        else buf_printf(out, "%" PRId64, fields[i].number);
        if (buf_failed(out)) break;
        end = out->len;
    }
    out->max += TAIL;
    out->cap += TAIL;
    if (!buf_failed(out)) return;
    out->len = end;
    out->failed = false;
    buf_puts(out, " cut=1");
}

static void put_record(struct log *log, enum log_event event, const struct log_field *fields,
                       size_t n)
{
    char space[LOG_RECORD_MAX];
    struct buf out = {.ptr = space, .cap = sizeof space, .max = sizeof space}; /* never grows */
    put_head(&out, log, &rows[event]);
    put_fields(&out, fields, n);
    uint64_t suppressed = log->of[event].suppressed;
    if (suppressed) buf_printf(&out, " suppressed=%" PRIu64, suppressed);
    if (log->lost) buf_printf(&out, " lost=%" PRIu64, log->lost);
    buf_putc(&out, '\n');
    log->stuck = !write_out(log, buf_slice(&out));
    if (log->stuck) {
        log->lost++;
        return;
    }
    log->lost = 0;
    log->of[event].suppressed = 0;
}

static bool is_allowed(struct log *log, enum log_event event)
{
    nsec now = clock_monotonic(&log->options.clock);
    if (log->of[event].written == 0 || now - log->of[event].since >= 60 * NSEC_PER_SEC) {
        log->of[event].since = now;
        log->of[event].written = 0;
    }
    if (log->of[event].written == rows[event].limit) {
        log->of[event].suppressed++;
        return false;
    }
    log->of[event].written++;
    return true;
}

void log_write_fields(enum log_event event, const struct log_field *fields, size_t n)
{
    struct log *log = installed;
    if (!log || rows[event].level > log->options.level || !is_allowed(log, event)) return;
    put_record(log, event, fields, n);
}

void log_set_level(struct log *log, enum log_level level)
{
    log->options.level = level;
}

void log_finish(struct log *log)
{
    for (unsigned event = 0; event < LOG_EVENT_COUNT; event++)
        if (log->of[event].suppressed) put_record(log, event, NULL, 0);
}

/* ---- the process's log ------------------------------------------------------------------- */

static void on_assert(const char *expr, const char *file, int line, const char *func)
{
    log_write(LOG_ASSERTION_FAILED, LOG_TEXT("expression", slice_of(expr)),
              LOG_TEXT("file", slice_of(file)), LOG_NUMBER("line", line),
              LOG_TEXT("function", slice_of(func)), LOG_NUMBER("pid", getpid()));
}

void log_install(struct log *log)
{
    installed = log;
    assert_hook_set(log ? on_assert : NULL);
}
