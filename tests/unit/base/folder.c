/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/folder.h"

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
