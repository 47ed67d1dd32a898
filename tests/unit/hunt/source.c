/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "test.h"

static struct buf told; /* "path: why\n" */

static void on_unreadable(void *ctx, const char *path, const char *why)
{
    buf_printf(ctx, "%s: %s\n", path, why);
}

static void list_init(struct source_list *list)
{
    buf_done(&told);
    buf_init(&told, 64 * 1024);
    source_list_init(list, &told, on_unreadable);
}

static bool is_told(const char *text)
{
    return slice_find(buf_slice(&told), slice_of(text)) != SIZE_MAX;
}

static void check_path(const struct source_list *list, uint32_t i, const char *end)
{
    REQUIRE(i < list->n);
    if (!slice_ends_with(slice_of(list->items[i].path), slice_of(end)))
        test_fail(__FILE__, __LINE__, "%u is %s, not %s", i, list->items[i].path, end);
}

TEST(a_folder_is_walked_in_order_of_name)
{
    struct source_list list;
    test_write("walk/b.log", "12345");
    test_write("walk/a/z.log", "1");
    test_write("walk/.hidden", "123");
    REQUIRE(symlink("b.log", test_path("walk/link.log")) == 0);
    REQUIRE(symlink("/", test_path("walk/root")) == 0);
    REQUIRE(mkfifo(test_path("walk/pipe"), 0600) == 0);
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("walk/")), 0);
    CHECK_INT(list.n, 3);
    check_path(&list, 0, "/walk/.hidden");
    check_path(&list, 1, "/walk/a/z.log");
    check_path(&list, 2, "/walk/b.log");
    CHECK_INT(list.bytes, 9);
    CHECK_INT(list.items[2].size, 5);
    CHECK(list.items[2].regular && !list.items[2].named);
    CHECK_INT(list.items[2].fd, -1);
    CHECK_INT(told.len, 0);
    source_list_done(&list);
}

TEST(what_is_named_may_be_a_link)
{
    struct source_list list;
    test_write("named/a.log", "1");
    REQUIRE(symlink("a.log", test_path("named/link.log")) == 0);
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("named/link.log")), 0);
    CHECK_INT(list.n, 1);
    CHECK(list.items[0].named && list.items[0].regular);
    int fd = source_open(&list.items[0]);
    CHECK(fd >= 0);
    (void)close(fd);
    source_list_done(&list);
}

/* Between the walk and the reading a file was replaced. */
TEST(a_file_that_became_a_link_or_a_pipe_is_not_followed)
{
    struct source_list list;
    test_write("swap/a.log", "1");
    test_write("swap/b.log", "1");
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("swap")), 0);
    REQUIRE(list.n == 2);
    REQUIRE(unlink(test_path("swap/a.log")) == 0);
    REQUIRE(symlink("/etc/passwd", test_path("swap/a.log")) == 0);
    CHECK_INT(source_open(&list.items[0]), -1);
    CHECK_INT(errno, ELOOP);
    REQUIRE(unlink(test_path("swap/b.log")) == 0);
    REQUIRE(mkfifo(test_path("swap/b.log"), 0600) == 0);
    int fd = source_open(&list.items[1]); /* does not wait for a writer */
    CHECK(fd >= 0);
    (void)close(fd);
    source_list_done(&list);
}

TEST(what_is_not_there_is_told_and_the_rest_goes_on)
{
    struct source_list list;
    test_write("rest/a.log", "1");
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("rest/gone")), 0);
    CHECK_INT(source_list_add(&list, test_path("rest/a.log")), 0);
    CHECK_INT(list.n, 1);
    CHECK(is_told("/rest/gone: No such file or directory\n"));
    source_list_done(&list);
}

TEST(folders_too_deep_are_told_once)
{
    struct source_list list;
    char path[512] = "deep";
    for (int i = 0; i < SOURCE_DEPTH_MAX; i++) (void)snprintf(path + strlen(path), 4, "/d");
    (void)snprintf(path + strlen(path), 8, "/a.log");
    test_write(path, "1");
    test_write("deep/z.log", "1");
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("deep")), 0);
    CHECK_INT(list.n, 1);
    check_path(&list, 0, "/deep/z.log");
    CHECK(is_told("/d: folders are nested too deeply\n"));
    source_list_done(&list);
    /* One level less is read. */
    list_init(&list);
    CHECK_INT(source_list_add(&list, test_path("deep/d")), 0);
    CHECK_INT(list.n, 1);
    CHECK_INT(told.len, 0);
    source_list_done(&list);
}

TEST(a_device_is_opened_when_it_is_added_and_closed_with_the_list)
{
    struct source_list list;
    list_init(&list);
    CHECK_INT(source_list_add(&list, "/dev/null"), 0);
    REQUIRE(list.n == 1);
    CHECK(!list.items[0].regular && list.items[0].fd >= 0);
    int own = list.items[0].fd, fd = source_open(&list.items[0]);
    CHECK(fd >= 0 && fd != own);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    (void)close(fd);
    CHECK(fcntl(own, F_GETFD) >= 0);
    source_list_done(&list);
    CHECK(fcntl(own, F_GETFD) < 0);
    buf_done(&told);
}
