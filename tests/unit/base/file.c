/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/file.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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

/* Readable by its owner and, by its list of access, for a user and the group; as the service
 * manager hands over credentials when it is for the user alone. */
static void give_to(const char *name, uid_t user, unsigned group)
{
    struct {
        struct posix_acl_xattr_header head;
        struct posix_acl_xattr_entry entries[5];
    } acl = {.head = {htole32(POSIX_ACL_XATTR_VERSION)},
             .entries = {{htole16(ACL_USER_OBJ), htole16(ACL_READ), 0},
                         {htole16(ACL_USER), htole16(ACL_READ), htole32(user)},
                         {htole16(ACL_GROUP_OBJ), htole16((uint16_t)group), 0},
                         {htole16(ACL_MASK), htole16(ACL_READ), 0},
                         {htole16(ACL_OTHER), 0, 0}}};
    struct stat st;
    test_write(name, "word");
    REQUIRE(setxattr(test_path(name), "system.posix_acl_access", &acl, sizeof acl, 0) == 0);
    REQUIRE(stat(test_path(name), &st) == 0);
    CHECK_INT(st.st_mode & 077, 040);
}

TEST(a_secret_may_be_for_this_user_by_its_list_of_access)
{
    struct buf out;
    buf_init(&out, 8192);
    give_to("ours", geteuid(), 0);
    CHECK_INT(file_read_secret(test_path("ours"), &out, NULL), 0);
    give_to("others", geteuid() + 1, 0);
    CHECK_INT(file_read_secret(test_path("others"), &out, NULL), ERR_ACCESS);
    give_to("group", geteuid(), ACL_READ);
    CHECK_INT(file_read_secret(test_path("group"), &out, NULL), ERR_ACCESS);
    buf_done(&out);
}
