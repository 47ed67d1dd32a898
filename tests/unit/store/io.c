/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "test.h"

/* A directory of the test's own. */
static int open_folder(const char *name)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "%s/other", name);
    test_write(inside, "not ours");
    int fd = open(test_path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    return fd;
}

TEST(names_stay_in_their_directory)
{
    CHECK(store_name_valid("journal-00000000000000000012"));
    CHECK(store_name_valid("a.B_c-9"));
    CHECK(!store_name_valid(""));
    CHECK(!store_name_valid("."));
    CHECK(!store_name_valid(".."));
    CHECK(!store_name_valid(".hidden"));
    CHECK(!store_name_valid("a/b"));
    CHECK(!store_name_valid("a b"));
    CHECK(!store_name_valid("\xc3\xa5"));
    char name[STORE_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    name[STORE_NAME_MAX + 1] = 0;
    CHECK(!store_name_valid(name));
    name[STORE_NAME_MAX] = 0;
    CHECK(store_name_valid(name));
}

TEST(system_files_are_written_and_read)
{
    int dirfd = open_folder("files");
    struct store_io io = store_io_system(dirfd);
    int f = io.open(io.ctx, "a", STORE_CREATE);
    REQUIRE(f >= 0);
    CHECK_INT(io.open(io.ctx, "a", STORE_CREATE), ERR_INVALID);
    CHECK_INT(io.open(io.ctx, "b", STORE_READ), ERR_NOT_FOUND);
    CHECK_INT(io.open(io.ctx, "../a", STORE_READ), ERR_INVALID);
    CHECK_INT(store_io_write(&io, f, SLICE("hello"), 3), 0);
    CHECK_INT(io.size(io.ctx, f), 8);
    int result = io.allocate(io.ctx, f, 100);
    CHECK(result == 0 || result == ERR_UNSUPPORTED);
    CHECK_INT(io.truncate(io.ctx, f, 10), 0);
    CHECK_INT(io.sync_data(io.ctx, f), 0);
    CHECK_INT(io.sync_names(io.ctx), 0);
    char bytes[20];
    CHECK_INT(store_io_read(&io, f, bytes, sizeof bytes, 0), 10);
    CHECK(memcmp(bytes, "\0\0\0hello\0\0", 10) == 0);
    CHECK_INT(store_io_read(&io, f, bytes, sizeof bytes, 10), 0);
    io.close(io.ctx, f);
    CHECK_INT(io.rename(io.ctx, "a", "b"), 0);
    CHECK_INT(io.rename(io.ctx, "a", "b/c"), ERR_INVALID);
    f = io.open(io.ctx, "b", STORE_READ);
    REQUIRE(f >= 0);
    CHECK(store_io_write(&io, f, SLICE("x"), 0) < 0);
    io.close(io.ctx, f);
    CHECK_INT(io.unlink(io.ctx, "b"), 0);
    CHECK_INT(io.unlink(io.ctx, "b"), ERR_NOT_FOUND);
    uint64_t total = 0, available = 0;
    CHECK_INT(io.space(io.ctx, &total, &available), 0);
    CHECK(total > 0 && available <= total);
    (void)close(dirfd);
}

/* What was allocated and not written is no data; a file system that does not know says more. */
TEST(system_data_is_what_was_written)
{
    enum { PAGE = 4096, PAGES = 64 };
    int dirfd = open_folder("data");
    struct store_io io = store_io_system(dirfd);
    uint64_t end;
    int f = io.open(io.ctx, "a", STORE_CREATE);
    REQUIRE(f >= 0);
    REQUIRE(io.allocate(io.ctx, f, PAGES * PAGE) == 0);
    REQUIRE(store_io_write(&io, f, SLICE("x"), 3 * PAGE) == 0);
    REQUIRE(store_io_write(&io, f, SLICE("x"), 9 * PAGE) == 0);
    bool knows = io.data(io.ctx, f, 0, &end) == 3 * PAGE;
    CHECK_INT(io.data(io.ctx, f, 0, &end), knows ? 3 * PAGE : 0);
    CHECK_INT(end, (knows ? 4 : PAGES) * PAGE);
    CHECK_INT(io.data(io.ctx, f, 3 * PAGE + 7, &end), 3 * PAGE + 7);
    CHECK_INT(end, (knows ? 4 : PAGES) * PAGE);
    CHECK_INT(io.data(io.ctx, f, 4 * PAGE, &end), knows ? 9 * PAGE : 4 * PAGE);
    CHECK_INT(io.data(io.ctx, f, 10 * PAGE, &end), knows ? PAGES * PAGE : 10 * PAGE);
    CHECK_INT(end, PAGES * PAGE);
    CHECK_INT(io.data(io.ctx, f, PAGES * PAGE, &end), PAGES * PAGE);
    CHECK_INT(end, PAGES * PAGE);
    io.close(io.ctx, f);
    (void)close(dirfd);
}

/* serve/release.h has the other side. */
TEST(system_files_are_shared_until_somebody_gives_them_back)
{
    int dirfd = open_folder("shared");
    struct store_io io = store_io_system(dirfd);
    int f = io.open(io.ctx, "a", STORE_CREATE), reader = io.open(io.ctx, "a", STORE_READ);
    REQUIRE(f >= 0 && reader >= 0);
    CHECK_INT(io.share(io.ctx, reader), 0);
    CHECK(flock(f, LOCK_EX | LOCK_NB) != 0);
    io.close(io.ctx, reader);
    CHECK_INT(flock(f, LOCK_EX | LOCK_NB), 0);
    reader = io.open(io.ctx, "a", STORE_READ);
    CHECK_INT(io.share(io.ctx, reader), ERR_NOT_FOUND);
    io.close(io.ctx, reader);
    io.close(io.ctx, f);
    (void)close(dirfd);
}

TEST(system_links_are_not_followed)
{
    int dirfd = open_folder("links");
    struct store_io io = store_io_system(dirfd);
    REQUIRE(symlinkat("other", dirfd, "link") == 0);
    CHECK(io.open(io.ctx, "link", STORE_READ) < 0);
    CHECK(io.open(io.ctx, "link", STORE_WRITE) < 0);
    CHECK(io.open(io.ctx, "link", STORE_CREATE) < 0);
    (void)close(dirfd);
}

static int count_name(void *ctx, const char *name)
{
    int *n = ctx;
    CHECK(store_name_valid(name));
    return ++*n == 3 ? ERR_STOPPED : 0;
}

TEST(system_list_tells_valid_names)
{
    int dirfd = open_folder("list");
    struct store_io io = store_io_system(dirfd);
    test_write("list/.hidden", "");
    test_write("list/with space", "");
    test_write("list/a", "");
    int n = 0;
    CHECK_INT(io.list(io.ctx, count_name, &n), 0);
    CHECK_INT(n, 2);
    n = 0; /* from the beginning again */
    CHECK_INT(io.list(io.ctx, count_name, &n), 0);
    CHECK_INT(n, 2);
    test_write("list/b", "");
    n = 0;
    CHECK_INT(io.list(io.ctx, count_name, &n), ERR_STOPPED);
    CHECK_INT(n, 3);
    (void)close(dirfd);
}

/* At most three bytes a call. */
static int64_t slow_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    const struct store_io *below = ctx;
    return below->read(below->ctx, file, to, len > 3 ? 3 : len, offset);
}

static int64_t slow_write(void *ctx, int file, struct slice bytes, uint64_t offset)
{
    const struct store_io *below = ctx;
    return below->write(below->ctx, file, slice_until(bytes, 3), offset);
}

static int64_t no_write(void *ctx, int file, struct slice bytes, uint64_t offset)
{
    return 0;
}

TEST(whole_reads_and_writes_go_on)
{
    int dirfd = open_folder("whole");
    struct store_io system = store_io_system(dirfd);
    struct store_io slow = {.read = slow_read, .write = slow_write, .ctx = &system};
    int f = system.open(system.ctx, "a", STORE_CREATE);
    REQUIRE(f >= 0);
    CHECK_INT(store_io_write(&slow, f, SLICE("0123456789"), 0), 0);
    char bytes[20];
    REQUIRE(store_io_read(&slow, f, bytes, sizeof bytes, 1) == 9);
    CHECK(memcmp(bytes, "123456789", 9) == 0);
    slow.write = no_write;
    CHECK_INT(store_io_write(&slow, f, SLICE("x"), 0), ERR_IO);
    system.close(system.ctx, f);
    (void)close(dirfd);
}
