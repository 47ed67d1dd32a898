/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/file.h"

#include <stdlib.h>

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
