/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "test.h"

TEST(file_is_appended_whole)
{
    static char large[200000];
    struct buf out;
    struct diag diag;
    for (size_t i = 0; i < sizeof large; i++) large[i] = (char)(i * 31);
    test_write_bytes("large", slice_make(large, sizeof large));
    buf_init(&out, 2 * sizeof large);
    buf_puts(&out, "x");
    CHECK_INT(file_read(test_path("large"), &out, &diag), 0);
    CHECK(slice_eq(slice_from(buf_slice(&out), 1), slice_make(large, sizeof large)));
    buf_done(&out);
    test_write("empty", "");
    buf_init(&out, 10);
    CHECK_INT(file_read(test_path("empty"), &out, NULL), 0);
    CHECK_INT(out.len, 0);
    buf_done(&out);
}

TEST(file_that_cannot_be_read_is_named)
{
    struct buf out;
    struct diag diag;
    buf_init(&out, 4);
    CHECK(file_read(test_path("nothing"), &out, &diag) == ERR_NOT_FOUND);
    CHECK(strstr(diag.message, "nothing: No such file") != NULL);
    test_write("five", "12345");
    CHECK(file_read(test_path("five"), &out, &diag) == ERR_LIMIT);
    CHECK(strstr(diag.message, "five: too large") != NULL);
    buf_clear(&out);
    CHECK(file_read("/", &out, &diag) == ERR_IO);
    CHECK(strstr(diag.message, "/: Is a directory") != NULL);
    buf_done(&out);
}

static int read_secret(const char *name, const char *text, mode_t mode, const char *want)
{
    struct buf out;
    buf_init(&out, 8192);
    test_write(name, text);
    REQUIRE(chmod(test_path(name), mode) == 0);
    int error = file_read_secret(test_path(name), &out, NULL);
    if (error == 0) {
        CHECK_SLICE(buf_slice(&out), want);
        CHECK_INT(out.ptr[out.len], '\0');
    }
    buf_done(&out);
    return error;
}

TEST(a_secret_is_the_only_word_of_its_owners_file)
{
    CHECK_INT(read_secret("a", "ab~c.1\n", 0600, "ab~c.1"), 0);
    CHECK_INT(read_secret("b", " \r\n x\r\n", 0400, "x"), 0);
    CHECK_INT(read_secret("c", "x", 0640, ""), ERR_ACCESS);
    CHECK_INT(read_secret("d", "x", 0604, ""), ERR_ACCESS);
    CHECK_INT(read_secret("e", "", 0600, ""), ERR_SYNTAX);
    CHECK_INT(read_secret("f", "a b", 0600, ""), ERR_SYNTAX);
    struct buf out;
    buf_init(&out, 8192);
    CHECK_INT(file_read_secret(test_path("none"), &out, NULL), ERR_NOT_FOUND);
    buf_done(&out);
}
