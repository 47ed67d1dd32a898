/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/bookmark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { SLOT = BOOKMARK_MAX + 4096 };

static void check_text(const char *name, const char *text)
{
    struct bookmark b;
    struct buf out;
    buf_init(&out, BOOKMARK_MAX);
    buf_puts(&out, "old");
    REQUIRE(bookmark_open(&b, test_path(name), &out, NULL) == 0);
    CHECK_SLICE(buf_slice(&out), text);
    bookmark_close(&b);
    buf_done(&out);
}

static void put(struct bookmark *b, const char *text)
{
    CHECK_INT(bookmark_put(b, slice_of(text)), 0);
}

static void open_new(struct bookmark *b, const char *name)
{
    struct buf out;
    buf_init(&out, BOOKMARK_MAX);
    REQUIRE(bookmark_open(b, test_path(name), &out, NULL) == 0);
    buf_done(&out);
}

/* As a write that was broken off leaves it. */
static void tear(const char *name, unsigned slot)
{
    int fd = open(test_path(name), O_RDWR | O_CLOEXEC);
    char byte;
    REQUIRE(fd >= 0 && pread(fd, &byte, 1, (off_t)slot * SLOT + 20) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, (off_t)slot * SLOT + 20) == 1);
    (void)close(fd);
}

TEST(the_last_text_is_there_again)
{
    struct bookmark b;
    check_text("a", "");
    open_new(&b, "a");
    put(&b, "one");
    put(&b, "two");
    put(&b, "");
    check_text("a", "");
    put(&b, "three");
    check_text("a", "three");
    CHECK_INT(bookmark_sync(&b), 0);
    check_text("a", "three");
    bookmark_close(&b);
    open_new(&b, "a");
    put(&b, "four");
    bookmark_close(&b);
    check_text("a", "four");
}

TEST(a_torn_write_costs_itself)
{
    struct bookmark b;
    open_new(&b, "b");
    put(&b, "one");
    CHECK_INT(bookmark_sync(&b), 0);
    put(&b, "two");
    put(&b, "three");
    unsigned newest = b.last[1];
    tear("b", 2 + newest);
    check_text("b", "two");
    tear("b", 2 + !newest);
    check_text("b", "one");
    tear("b", b.last[0]);
    check_text("b", "");
    bookmark_close(&b);
}

TEST(a_torn_sync_leaves_the_one_before)
{
    struct bookmark b;
    open_new(&b, "c");
    put(&b, "one");
    CHECK_INT(bookmark_sync(&b), 0);
    put(&b, "two");
    CHECK_INT(bookmark_sync(&b), 0);
    tear("c", 2);
    tear("c", 3);
    tear("c", b.last[0]);
    check_text("c", "one");
    bookmark_close(&b);
}

TEST(texts_are_bounded)
{
    struct bookmark b;
    char *large = calloc(1, BOOKMARK_MAX + 1);
    REQUIRE(large != NULL);
    open_new(&b, "d");
    CHECK_INT(bookmark_put(&b, slice_make(large, BOOKMARK_MAX)), 0);
    CHECK_INT(bookmark_put(&b, slice_make(large, BOOKMARK_MAX + 1)), ERR_LIMIT);
    bookmark_close(&b);
    struct buf out;
    buf_init(&out, BOOKMARK_MAX);
    REQUIRE(bookmark_open(&b, test_path("d"), &out, NULL) == 0);
    CHECK_INT(out.len, BOOKMARK_MAX);
    bookmark_close(&b);
    buf_done(&out);
    free(large);
}

TEST(a_file_of_another_kind_has_no_text)
{
    struct diag diag;
    struct bookmark b;
    struct buf out;
    test_write("e", "VKBM and something else that is longer than a header");
    check_text("e", "");
    buf_init(&out, BOOKMARK_MAX);
    REQUIRE(symlink("e", test_path("link")) == 0);
    CHECK(bookmark_open(&b, test_path("link"), &out, &diag) < 0);
    CHECK(diag.message[0] != 0);
    buf_done(&out);
}
