/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/stolen.h"

#include <fcntl.h>
#include <nettle/sha1.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "fixture.h"
#include "test.h"

enum { MANY = 3000, LINE = 2 * SHA1_DIGEST_SIZE };

static void write_password(char ret[32], unsigned n)
{
    (void)snprintf(ret, 32, "password number %u", n);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, LINE);
}

/* Lines of the first n passwords, in order, behind each of them `more` but for the last. */
static int list_of(const char *name, unsigned n, const char *more)
{
    char(*lines)[LINE + 1] = calloc(n, sizeof *lines);
    struct buf text;
    REQUIRE(lines);
    buf_init(&text, MANY * 100);
    for (unsigned i = 0; i < n; i++) {
        struct sha1_ctx sha1;
        uint8_t digest[SHA1_DIGEST_SIZE];
        char password[32];
        write_password(password, i);
        sha1_init(&sha1);
        sha1_update(&sha1, strlen(password), (const uint8_t *)password);
        sha1_digest(&sha1, sizeof digest, digest);
        for (size_t k = 0; k < sizeof digest; k++)
            (void)snprintf(lines[i] + 2 * k, 3, "%02X", digest[k]);
    }
    qsort(lines, n, sizeof *lines, by_text);
    for (unsigned i = 0; i < n; i++) {
        buf_puts(&text, lines[i]);
        if (i + 1 < n) buf_puts(&text, more);
    }
    buf_putc(&text, '\0');
    test_write(name, text.ptr);
    buf_done(&text);
    free(lines);
    return open(test_path(name), O_RDONLY | O_CLOEXEC);
}

static bool has(int fd, const char *password)
{
    bool found = false;
    CHECK_INT(stolen_has(fd, slice_of(password), &found), 0);
    return found;
}

TEST(each_that_is_on_the_list_is_found_and_no_other)
{
    static const char *const ends[] = {"\n", "\r\n", ":3\r\n", ":123456789\n"};
    static const unsigned sizes[] = {1, 2, 3, MANY};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            struct diag diag = {0};
            char password[32];
            int fd = list_of("stolen", sizes[k], ends[i]);
            CHECK_INT(stolen_check(fd, "stolen", &diag), 0);
            for (unsigned n = 0; n < sizes[k] + 50; n++) {
                write_password(password, n);
                CHECK_INT(has(fd, password), n < sizes[k]);
            }
            CHECK(!has(fd, ""));
            (void)close(fd);
        }
    }
}

TEST(what_is_no_list_is_refused_by_its_place)
{
    static const struct {
        const char *text, *what;
        int error;
    } bad[] = {
        {"", "is no file, or an empty one", ERR_INVALID},
        {"hunter2\n", "no line of a SHA-1 at byte 0", ERR_SYNTAX},
        {"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8 3\n", "no line of a SHA-1 at byte 0",
         ERR_SYNTAX},
        {"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FDG:3\n", "no line of a SHA-1 at byte 0",
         ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct diag diag = {0};
        test_write("bad", bad[i].text);
        int fd = open(test_path("bad"), O_RDONLY | O_CLOEXEC);
        CHECK_INT(stolen_check(fd, "bad", &diag), bad[i].error);
        CHECK_SLICE(slice_of(diag.message), bad[i].what);
        (void)close(fd);
    }
}

TEST(one_that_is_not_in_order_is_refused)
{
    struct buf text;
    struct diag diag = {0};
    buf_init(&text, 1024 * 1024);
    for (unsigned i = 0; i < MANY; i++)
        buf_printf(&text, "%040llX:1\n", (unsigned long long)hash_mix(1, i));
    buf_putc(&text, '\0');
    test_write("wild", text.ptr);
    buf_done(&text);
    int fd = open(test_path("wild"), O_RDONLY | O_CLOEXEC);
    CHECK_INT(stolen_check(fd, "wild", &diag), ERR_SYNTAX);
    CHECK(strstr(diag.message, "is not ordered by hash") != NULL);
    (void)close(fd);
}

TEST(nobody_gets_one_that_was_stolen)
{
    struct fixture f;
    fixture_open(&f, "stolen.db");
    REQUIRE(fixture_do(
                &f, NULL, ACTION_USER_ADD,
                "{\"name\":\"anna\",\"roles\":[\"viewer\"],\"password\":\"a heron walks by 7\"}") ==
            200);
    int fd = list_of("list", MANY, "\n");
    f.account->settings.refuses_stolen = true;
    f.account->settings.stolen = fd;
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD,
                         "{\"name\":\"anna\",\"password\":\"password number 17\"}"),
              400);
    CHECK_SLICE(fixture_member(&f, "member"), "password");
    CHECK(strstr(f.out.ptr, "stolen") != NULL);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD,
                         "{\"name\":\"anna\",\"password\":\"another heron walks\"}"),
              200);
    (void)close(fd);
    CHECK_INT(fixture_do(&f, NULL, ACTION_USER_PASSWORD,
                         "{\"name\":\"anna\",\"password\":\"a third heron walks\"}"),
              503);
    fixture_close(&f);
}
