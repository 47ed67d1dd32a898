/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the program says about itself to whoever operates it. A record is one line:
 *
 *     time=2026-12-23T21:47:00.123Z level=warning event=worker-crashed pid=812 source="a b.evtx"
 *
 * In the journal each line begins with <N> (sd-daemon(3)) and has no time: the journal has its own.
 * Values from outside are made visible and quoted; one is at most LOG_VALUE_MAX bytes, a record at
 * most LOG_RECORD_MAX, so that it is written in one piece. Secrets do not belong here: fields are
 * named one by one where they are written.
 *
 * Nothing may wait for the log: a reader that does not keep up costs records, which are counted
 * (lost=N in the next one). Of one event at most its limit is written in a minute; what was held
 * back is told with its next record, or at the end (suppressed=N).
 *
 * The log that is installed is the one mutable global of the program: records come from any depth,
 * and no function gets a parameter only to be able to complain. Without one, nothing is written.
 */
#ifndef VAKA_BASE_LOG_H
#define VAKA_BASE_LOG_H

#include "base/buf.h"
#include "base/clock.h"

enum { LOG_VALUE_MAX = 1024, LOG_RECORD_MAX = 4096 }; /* PIPE_BUF, pipe(7) */

/* The numbers of RFC 5424, 6.2.1. */
enum log_level {
    LOG_LEVEL_OFF = 0,
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

/* name, level, records a minute, event= */
#define LOG_EVENTS(X)                                                                              \
    X(ASSERTION_FAILED, ERROR, 10, "assertion-failed")                                             \
    X(CONFIG_READ, INFO, 60, "config-read")                                                        \
    X(SETTING, DEBUG, 600, "setting")                                                              \
    X(RULES_LOADED, INFO, 60, "rules-loaded")                                                      \
    X(SANDBOX_ENTERED, INFO, 60, "sandbox-entered")                                                \
    X(SANDBOX_MISSING, WARNING, 60, "sandbox-missing")                                             \
    X(WORKER_STARTED, INFO, 200, "worker-started")                                                 \
    X(WORKER_ENDED, INFO, 200, "worker-ended")                                                     \
    X(WORKER_CRASHED, WARNING, 60, "worker-crashed")                                               \
    X(PLANS_COMPILED, INFO, 200, "plans-compiled")                                                 \
    X(SOURCE_OPENED, INFO, 600, "source-opened")                                                   \
    X(CORRELATION_LIMIT, WARNING, 60, "correlation-limit")                                         \
    X(HUNT_ENDED, INFO, 60, "hunt-ended")                                                          \
    X(ROLE_STARTED, INFO, 200, "role-started")                                                     \
    X(ROLE_ENDED, WARNING, 200, "role-ended")                                                      \
    X(ROLE_ALARM, WARNING, 200, "role-alarm")                                                      \
    X(CANARY_WELL, INFO, 60, "canary-well")                                                        \
    X(DRILL_BEGUN, INFO, 60, "drill-begun")                                                        \
    X(DRILL_ENDED, INFO, 60, "drill-ended")                                                        \
    X(WATCHDOG_STATE, WARNING, 60, "watchdog-state")                                               \
    X(WATCHDOG_SENT, INFO, 60, "watchdog-sent")                                                    \
    X(WATCHDOG_REFUSED, WARNING, 60, "watchdog-refused")                                           \
    X(ENGINE_FAILED, ERROR, 60, "engine-failed")                                                   \
    X(MESSAGE_REFUSED, ERROR, 60, "message-refused")                                               \
    X(PEER_BROKE, ERROR, 60, "peer-broke")                                                         \
    X(STORE_DAMAGE, WARNING, 200, "store-damage")                                                  \
    X(SEGMENT_REMOVED, WARNING, 200, "segment-removed")                                            \
    X(RETENTION_ENDED, INFO, 60, "retention-ended")                                                \
    X(WITNESS_SIGNED, INFO, 200, "witness-signed")                                                 \
    X(WITNESS_REFUSED, WARNING, 200, "witness-refused")                                            \
    X(LOGIN_REFUSED, WARNING, 60, "login-refused")                                                 \
    X(REQUEST_REFUSED, WARNING, 60, "request-refused")                                             \
    X(WITNESS_FORK, ERROR, 200, "witness-fork")                                                    \
    X(CORRELATION_REFUSED, WARNING, 60, "correlation-refused")                                     \
    X(PRODUCT_REFUSED, WARNING, 60, "product-refused")                                             \
    X(ROLE_SILENT, ERROR, 60, "role-silent")                                                       \
    X(SOCKET_UNUSED, WARNING, 60, "socket-unused")                                                 \
    X(RULES_RELOADED, INFO, 60, "rules-reloaded")                                                  \
    X(CREDENTIALS_RELOADED, INFO, 60, "credentials-reloaded")                                      \
    X(RELOAD_INCOMPLETE, WARNING, 60, "reload-incomplete")                                         \
    X(RELOAD_FAILED, ERROR, 60, "reload-failed")                                                   \
    X(CONTROL_CLIENT, INFO, 200, "control-client")                                                 \
    X(SERVE_READY, INFO, 60, "serve-ready")                                                        \
    X(SERVE_ENDED, INFO, 60, "serve-ended")

enum log_event {
#define X(name, level, limit, text) LOG_##name,
    LOG_EVENTS(X)
#undef X
        LOG_EVENT_COUNT,
};

struct log_options {
    struct clock clock;
    enum log_level level; /* records above it are not written */
    int fd;               /* borrowed */
    struct buf *buf;      /* instead of fd, when it is not NULL */
    bool journal;         /* see log_is_journal() */
};

struct log {
    struct log_options options;
    struct {
        nsec since; /* when the running minute began, monotonic */
        uint32_t written;
        uint64_t suppressed;
    } of[LOG_EVENT_COUNT];
    uint64_t lost;
    bool stuck; /* the last record was lost: the next one does not wait */
};

void log_init(struct log *log, const struct log_options *options);
void log_set_level(struct log *log, enum log_level level);
/* Tells what was held back and not told yet. */
void log_finish(struct log *log);

/*
 * Makes it the log of the process (NULL: none) and of its failed assertions. `log` is borrowed
 * until another one is installed; a forked child writes to the same place.
 */
void log_install(struct log *log);

/* Whether fd is what JOURNAL_STREAM (the value of the variable, may be NULL) says it is:
 * systemd.exec(5). */
bool log_is_journal(int fd, const char *journal_stream);

struct log_field {
    const char *key; /* a word of our own: a-z and _ */
    struct slice text;
    int64_t number;
    bool is_text;
};
#define LOG_TEXT(name, slice)   ((struct log_field){.key = (name), .text = (slice), .is_text = true})
#define LOG_NUMBER(name, value) ((struct log_field){.key = (name), .number = (int64_t)(value)})

/* log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", pid), LOG_TEXT("source", name)); */
#define log_write(event, ...)                                                                      \
    log_write_fields((event), (const struct log_field[]){__VA_ARGS__},                             \
                     sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
void log_write_fields(enum log_event event, const struct log_field *fields, size_t n);

#endif
