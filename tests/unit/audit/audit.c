/* SPDX-License-Identifier: EUPL-1.2 */
#include "audit/audit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static const nsec now = 1790000000 * NSEC_PER_SEC; /* 2026-09-21T14:13:20Z */

static struct audit_entry entry_of(const char *query, nsec when)
{
    return (struct audit_entry){.what = "search",
                                .uid = 7,
                                .user = SLICE("anna"),
                                .login = SLICE("bo"),
                                .query = slice_of(query),
                                .purpose = SLICE("case 4"),
                                .now = when,
                                .from = INT64_MIN,
                                .to = now};
}

static struct audit begin(const char *folder, const char *query, nsec when)
{
    struct audit a = {{0}, {0}};
    struct diag diag = {0};
    const struct audit_entry entry = entry_of(query, when);
    int error = audit_begin(folder, &entry, &a, &diag);
    if (error) test_fail(__FILE__, __LINE__, "%s", diag.message);
    REQUIRE(error == 0);
    return a;
}

static void end(const struct audit *a, uint64_t found)
{
    struct diag diag = {0};
    REQUIRE(audit_end(a, now + NSEC_PER_SEC, "whole", found, &diag) == 0);
}

static int on_entry(void *ctx, struct slice line, struct slice last)
{
    struct buf *out = ctx;
    size_t id = slice_find(line, SLICE("\"id\":\"")) + 6;
    buf_put(out, slice_until(line, id));
    buf_put(out, slice_from(line, id + AUDIT_ID));
    buf_puts(out, " -> ");
    if (last.len) buf_put(out, slice_from(last, slice_find(last, SLICE("\"end\""))));
    buf_putc(out, '\n');
    return 0;
}

/* The entries without their ids. */
static const char *read_log(struct buf *out, const char *folder, nsec from, nsec to,
                            uint64_t *ret_damaged)
{
    struct diag diag = {0};
    buf_clear(out);
    REQUIRE(audit_read(folder, from, to, out, on_entry, ret_damaged, &diag) == 0);
    buf_putc(out, '\0');
    return out->ptr;
}

static const char *make_folder(const char *name)
{
    char file[64];
    (void)snprintf(file, sizeof file, "%s/x", name);
    test_write(file, "");
    return test_path(name);
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

TEST(what_was_looked_at_is_told_with_its_end)
{
    struct buf out;
    uint64_t damaged;
    struct stat st;
    char path[256];
    const char *folder = make_folder("told");
    buf_init(&out, 65536);
    CHECK_SLICE(slice_of(read_log(&out, folder, INT64_MIN, INT64_MAX, &damaged)), "");
    struct audit first = begin(folder, "a \"b\"\n| count", now);
    struct audit second = begin(folder, "c", now + 1);
    end(&second, 0);
    CHECK_SLICE(
        slice_of(read_log(&out, folder, INT64_MIN, INT64_MAX, &damaged)),
        "{\"time\":\"2026-09-21T14:13:20.000000001Z\",\"id\":\"\",\"what\":\"search\",\"uid\":7,"
        "\"user\":\"anna\",\"login\":\"bo\",\"query\":\"c\",\"from\":null,"
        "\"to\":\"2026-09-21T14:13:20.000Z\",\"purpose\":\"case 4\"} -> "
        "\"end\":\"whole\",\"found\":0}\n"
        "{\"time\":\"2026-09-21T14:13:20.000Z\",\"id\":\"\",\"what\":\"search\",\"uid\":7,"
        "\"user\":\"anna\",\"login\":\"bo\",\"query\":\"a \\\"b\\\"\\n| count\",\"from\":null,"
        "\"to\":\"2026-09-21T14:13:20.000Z\",\"purpose\":\"case 4\"} -> \n");
    end(&first, 12);
    CHECK_INT(count_lines(read_log(&out, folder, now + 1, INT64_MAX, &damaged)), 1);
    CHECK_INT(count_lines(read_log(&out, folder, now, now + 1, &damaged)), 1);
    CHECK(slice_find(buf_slice(&out), SLICE("\"found\":12")) != SIZE_MAX);
    CHECK_INT(damaged, 0);
    (void)snprintf(path, sizeof path, "%s/audit", folder);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0700);
    (void)snprintf(path, sizeof path, "%s/audit/log", folder);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    buf_done(&out);
}

TEST(a_line_that_a_crash_cut_off_hides_no_other)
{
    struct buf out;
    uint64_t damaged;
    const char *folder = make_folder("cut");
    buf_init(&out, 65536);
    struct audit a = begin(folder, "a", now);
    end(&a, 1);
    char path[256];
    (void)snprintf(path, sizeof path, "%s/audit/log", folder);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, "{\"time\":\"2026", 13) == 13 && close(fd) == 0);
    a = begin(folder, "b", now);
    end(&a, 2);
    CHECK_INT(count_lines(read_log(&out, folder, INT64_MIN, INT64_MAX, &damaged)), 2);
    CHECK_INT(damaged, 1);
    buf_done(&out);
}

TEST(without_its_folder_there_is_no_entry)
{
    struct audit a;
    struct diag diag = {0};
    const struct audit_entry entry = entry_of("a", now);
    CHECK(audit_begin(test_path("nowhere"), &entry, &a, &diag) == ERR_NOT_FOUND);
    CHECK(diag.message[0] != '\0');
    /* A link in its place leads nowhere. */
    const char *folder = make_folder("linked");
    char path[256];
    (void)snprintf(path, sizeof path, "%s/audit", folder);
    REQUIRE(symlink("/nowhere", path) == 0);
    CHECK(audit_begin(folder, &entry, &a, &diag) != 0);
}

TEST(large_files_are_set_aside_and_the_oldest_go)
{
    struct buf out;
    uint64_t damaged;
    char folder[128], path[256], oldest[256], second[256];
    (void)snprintf(folder, sizeof folder, "%s", make_folder("large"));
    buf_init(&out, 1024 * 1024);
    struct audit a = begin(folder, "first", now);
    for (unsigned i = 0; i < AUDIT_FILES_MAX; i++) {
        (void)snprintf(path, sizeof path, "large/audit/log-20000101T%06u.000Z", i);
        test_write(path, "");
    }
    (void)snprintf(oldest, sizeof oldest, "%s/audit/log-20000101T000000.000Z", folder);
    (void)snprintf(second, sizeof second, "%s/audit/log-20000101T000001.000Z", folder);
    (void)snprintf(path, sizeof path, "%s/audit/log", folder);
    REQUIRE(truncate(path, AUDIT_FILE_MAX + 1) == 0); /* NULs: one damaged line */
    (void)begin(folder, "next", now + NSEC_PER_SEC);
    CHECK(access(oldest, F_OK) != 0 && access(second, F_OK) == 0);
    end(&a, 9); /* in another file than it began in */
    CHECK_INT(count_lines(read_log(&out, folder, INT64_MIN, INT64_MAX, &damaged)), 2);
    CHECK(slice_find(buf_slice(&out), SLICE("first")) < slice_find(buf_slice(&out), SLICE("next")));
    CHECK(slice_find(buf_slice(&out), SLICE("\"found\":9")) != SIZE_MAX);
    CHECK_INT(damaged, 1);
    buf_done(&out);
}

enum { THREADS = 4, EACH = 50 };

static void *many(void *folder)
{
    for (unsigned i = 0; i < EACH; i++) {
        struct audit a = begin(folder, "x", now);
        end(&a, i);
    }
    return NULL;
}

TEST(several_write_at_the_same_time)
{
    struct buf out;
    uint64_t damaged;
    pthread_t threads[THREADS];
    char folder[256];
    (void)snprintf(folder, sizeof folder, "%s", make_folder("many"));
    buf_init(&out, 1024 * 1024);
    for (unsigned i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, many, folder) == 0);
    for (unsigned i = 0; i < THREADS; i++) REQUIRE(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(count_lines(read_log(&out, folder, INT64_MIN, INT64_MAX, &damaged)), THREADS * EACH);
    CHECK_INT(damaged, 0);
    CHECK(slice_find(buf_slice(&out), SLICE("-> \n")) == SIZE_MAX);
    buf_done(&out);
}

/* Whether the next line could be written at this moment. */
static int is_free(void *ctx, struct slice line, struct slice last)
{
    unsigned *told = ctx;
    (void)line;
    (void)last;
    int folder = open(test_path("slow/audit"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(folder >= 0);
    CHECK_INT(flock(folder, LOCK_EX | LOCK_NB), 0);
    (void)close(folder);
    ++*told;
    return 0;
}

/* Who is told may wait for who writes. */
TEST(nobody_waits_to_write_while_somebody_is_told)
{
    struct diag diag = {0};
    uint64_t damaged;
    unsigned told = 0;
    const char *folder = make_folder("slow");
    for (int i = 0; i < 3; i++) {
        struct audit a = begin(folder, "x", now);
        end(&a, 1);
    }
    CHECK_INT(audit_read(folder, INT64_MIN, INT64_MAX, &told, is_free, &damaged, &diag), 0);
    CHECK_INT(told, 3);
    CHECK_INT(damaged, 0);
}
