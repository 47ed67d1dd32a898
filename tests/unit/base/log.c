/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "test.h"

static struct clock_settable now;
static struct buf text;
static struct log journal;

static void open_log(enum log_level level)
{
    now = (struct clock_settable){.realtime = INT64_C(1798062420123456789)};
    buf_done(&text);
    buf_init(&text, 1024 * 1024);
    log_init(&journal,
             &(struct log_options){.clock = clock_of(&now), .level = level, .buf = &text});
    log_install(&journal);
}

static void close_log(void)
{
    log_install(NULL);
    buf_done(&text);
}

TEST(log_record_is_one_line)
{
    open_log(LOG_LEVEL_INFO);
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", 812), LOG_TEXT("source", SLICE("a.evtx")));
    CHECK_SLICE(buf_slice(&text), "time=2026-12-23T21:47:00.123Z level=warning "
                                  "event=worker-crashed pid=812 source=a.evtx\n");
    close_log();
}

TEST(log_levels_and_no_log)
{
    open_log(LOG_LEVEL_WARNING);
    log_write(LOG_WORKER_STARTED, LOG_NUMBER("pid", 1));
    CHECK_INT(text.len, 0);
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", 1));
    CHECK(text.len > 0);
    size_t len = text.len;
    log_install(NULL);
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", 1));
    CHECK_INT(text.len, len);
    close_log();
}

static void check_value(struct slice value, const char *want)
{
    buf_clear(&text);
    log_write(LOG_SETTING, LOG_TEXT("value", value));
    size_t at = slice_find(buf_slice(&text), SLICE("value="));
    REQUIRE(at != SIZE_MAX);
    struct slice got = slice_from(buf_slice(&text), at + 6);
    CHECK_SLICE(slice_until(got, got.len - 1), want);
}

TEST(log_values_from_outside_are_escaped)
{
    open_log(LOG_LEVEL_DEBUG);
    check_value(SLICE("plain/word.txt"), "plain/word.txt");
    check_value(SLICE(""), "\"\"");
    check_value(SLICE("two words"), "\"two words\"");
    check_value(SLICE("a=b"), "\"a=b\"");
    check_value(SLICE("say \"x\" \\"), "\"say \\\"x\\\" \\\\\"");
    check_value(SLICE("x\nlevel=error\r\t"), "\"x\\nlevel=error\\r\\t\"");
    check_value(SLICE("\x1b[31m\x07"), "\"\\x1b[31m\\x07\"");
    check_value(SLICE("\xff\xc3"), "\"\\xff\\xc3\"");
    check_value(SLICE("r\xc3\xa4tt"), "r\xc3\xa4tt");
    check_value(SLICE("exe\xe2\x80\xaegpj"), "\"exe\\u{202e}gpj\"");
    close_log();
}

TEST(log_record_is_bounded)
{
    char *huge = malloc(1000 * 1000);
    REQUIRE(huge);
    memset(huge, 1, 1000 * 1000);
    struct slice value = slice_make(huge, 1000 * 1000);
    open_log(LOG_LEVEL_INFO);
    log_write(LOG_SOURCE_OPENED, LOG_NUMBER("first", 1), LOG_TEXT("a", value),
              LOG_TEXT("b", value));
    CHECK(text.len <= LOG_RECORD_MAX);
    CHECK(slice_ends_with(buf_slice(&text), SLICE(" first=1 cut=1\n")));
    buf_clear(&text);
    memset(huge, 'x', 1000 * 1000);
    log_write(LOG_SOURCE_OPENED, LOG_TEXT("a", value), LOG_TEXT("b", value), LOG_NUMBER("last", 1));
    CHECK(text.len < 2 * LOG_VALUE_MAX + 200);
    CHECK(slice_ends_with(buf_slice(&text), SLICE("x last=1\n")));
    close_log();
    free(huge);
}

static uint32_t lines(void)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += text.ptr[i] == '\n';
    return n;
}

TEST(log_rate_is_limited_by_event)
{
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < 100; i++) log_write(LOG_WORKER_CRASHED, LOG_NUMBER("i", i));
    CHECK_INT(lines(), 60);
    log_write(LOG_CORRELATION_LIMIT, LOG_NUMBER("i", 1));
    CHECK_INT(lines(), 61);
    clock_pass(&now, 60 * NSEC_PER_SEC);
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("i", 100));
    CHECK(slice_ends_with(buf_slice(&text), SLICE(" i=100 suppressed=40\n")));
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("i", 101));
    CHECK(slice_ends_with(buf_slice(&text), SLICE(" i=101\n")));
    close_log();
}

TEST(log_finish_tells_what_was_held_back)
{
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < 67; i++) log_write(LOG_WORKER_CRASHED, LOG_NUMBER("i", i));
    log_finish(&journal);
    CHECK(slice_ends_with(buf_slice(&text), SLICE(" event=worker-crashed suppressed=7\n")));
    size_t len = text.len;
    log_finish(&journal);
    CHECK_INT(text.len, len);
    close_log();
}

TEST(log_never_waits_for_a_reader)
{
    int fds[2];
    char space[8192];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    REQUIRE(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 0);
    now = (struct clock_settable){0};
    log_init(&journal,
             &(struct log_options){.clock = clock_of(&now), .level = LOG_LEVEL_INFO, .fd = fds[1]});
    log_install(&journal);
    memset(space, 'x', sizeof space);
    for (int i = 0; i < 20; i++)
        log_write(LOG_SOURCE_OPENED, LOG_TEXT("name", slice_make(space, LOG_VALUE_MAX)));
    CHECK(journal.lost > 0 && journal.lost < 20);
    uint64_t lost = journal.lost;
    for (ssize_t n = 1; n > 0 && lost == journal.lost;) {
        n = read(fds[0], space, sizeof space);
        log_write(LOG_SOURCE_OPENED, LOG_NUMBER("after", 1));
    }
    CHECK_INT(journal.lost, 0);
    ssize_t n = read(fds[0], space, sizeof space);
    REQUIRE(n > 0);
    char want[64];
    (void)snprintf(want, sizeof want, " after=1 lost=%llu\n", (unsigned long long)lost);
    CHECK(slice_find(slice_make(space, (size_t)n), slice_of(want)) != SIZE_MAX);
    log_install(NULL);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

TEST(log_in_the_journal)
{
    open_log(LOG_LEVEL_INFO);
    journal.options.journal = true;
    log_write(LOG_WORKER_CRASHED, LOG_NUMBER("pid", 5));
    CHECK_SLICE(buf_slice(&text), "<4>level=warning event=worker-crashed pid=5\n");
    close_log();
    struct stat st;
    char stream[64];
    REQUIRE(fstat(0, &st) == 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    CHECK(log_is_journal(0, stream));
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino + 1);
    CHECK(!log_is_journal(0, stream));
    CHECK(!log_is_journal(0, NULL));
    CHECK(!log_is_journal(0, "8"));
}

TEST(log_tells_of_a_failed_assertion)
{
    int fds[2];
    char got[8192];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        struct clock machine = clock_system();
        if (!freopen("/dev/null", "we", stderr)) _exit(1);
        (void)signal(SIGABRT, SIG_DFL);
        log_init(&journal,
                 &(struct log_options){.clock = machine, .level = LOG_LEVEL_ERROR, .fd = fds[1]});
        log_install(&journal);
        ASSERT(fds[0] == -7);
        _exit(0);
    }
    (void)close(fds[1]);
    size_t len = 0;
    for (ssize_t n; len < sizeof got && (n = read(fds[0], got + len, sizeof got - len)) > 0;)
        len += (size_t)n;
    (void)close(fds[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    struct slice said = slice_make(got, len);
    CHECK(slice_find(said, SLICE("level=error event=assertion-failed "
                                 "expression=\"fds[0] == -7\" file=")) != SIZE_MAX);
    CHECK(slice_find(said, SLICE(" line=")) != SIZE_MAX);
}
