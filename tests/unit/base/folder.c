/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static mode_t mode_of(const char *path)
{
    struct stat st;
    REQUIRE(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
    return st.st_mode & 07777;
}

TEST(folder_is_made_once_and_nobody_elses)
{
    struct diag diag;
    test_write("here", "");
    const char *path = test_path("own");
    CHECK_INT(folder_make(path, FOLDER_OWN, &diag), 0);
    CHECK_INT(mode_of(path), 0700);
    REQUIRE(chmod(path, 0750) == 0);
    CHECK_INT(folder_make(path, FOLDER_OWN, &diag), 0);
    CHECK_INT(mode_of(path), 0750);
    CHECK_INT(folder_make(test_path("own/"), FOLDER_OWN, &diag), 0);
    CHECK_INT(folder_make(test_path("own/below/"), FOLDER_OWN, &diag), 0);
    CHECK_INT(mode_of(test_path("own/below")), 0700);
}

TEST(folder_that_cannot_be_made_is_named)
{
    struct diag diag;
    test_write("file", "");
    CHECK_INT(folder_make(test_path("file"), FOLDER_OWN, &diag), ERR_INVALID);
    CHECK(strstr(diag.message, "file: File exists") != NULL);
    CHECK_INT(folder_make(test_path("file/below"), FOLDER_OWN, &diag), ERR_INVALID);
    CHECK_INT(folder_make(test_path("no/below"), FOLDER_OWN, &diag), ERR_NOT_FOUND);
    CHECK(strstr(diag.message, "no/below: No such file") != NULL);
}

TEST(folder_is_made_where_the_program_is)
{
    struct diag diag;
    char before[4096];
    test_write("here", "");
    REQUIRE(getcwd(before, sizeof before) && chdir(test_path(".")) == 0);
    CHECK_INT(folder_make("beside", FOLDER_OWN, &diag), 0);
    CHECK_INT(mode_of("beside"), 0700);
    CHECK_INT(folder_sync("beside", &diag), 0);
    CHECK_INT(folder_sync("nothing", &diag), ERR_NOT_FOUND);
    REQUIRE(chdir(before) == 0);
}

static size_t read_back(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY);
    REQUIRE(fd >= 0);
    ssize_t n = read(fd, to, size);
    (void)close(fd);
    REQUIRE(n >= 0);
    return (size_t)n;
}

TEST(folder_replaces_a_file_as_a_whole_and_for_its_owner)
{
    char text[16];
    struct stat st;
    struct diag diag;
    test_write("here", "");
    const char *path = test_path("owned");
    REQUIRE(folder_make(path, FOLDER_OWN, &diag) == 0);
    bool root = geteuid() == 0;
    if (root) REQUIRE(chown(path, 1234, 1234) == 0);
    int folder = open(path, O_RDONLY | O_DIRECTORY);
    CHECK_INT(folder_replace(folder, "file", SLICE("much text")), 0);
    CHECK_INT(folder_replace(folder, "file", SLICE("less")), 0);
    CHECK_INT(read_back(test_path("owned/file"), text, sizeof text), 4);
    CHECK(memcmp(text, "less", 4) == 0);
    REQUIRE(stat(test_path("owned/file"), &st) == 0);
    CHECK_INT(st.st_mode & 07777, 0640);
    if (root) CHECK_INT(st.st_uid, 1234);
    REQUIRE(mkdir(test_path("owned/folder"), 0700) == 0);
    CHECK_INT(folder_replace(folder, "folder", SLICE("x")), -1);
    CHECK_INT(errno, EISDIR);
    (void)close(folder);
}
