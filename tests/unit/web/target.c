/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/target.h"

#include "test.h"

static int read(const char *text, struct api_target *ret)
{
    return api_target_read(slice_of(text), ret);
}

TEST(paths_and_parameters)
{
    static struct api_target t;
    struct slice value;
    REQUIRE(read("/api/v1/alerts?limit=5&rule=a%20b%C3%A5&empty", &t) == 0);
    CHECK_SLICE(t.path, "/api/v1/alerts");
    CHECK_INT(t.n_segments, 3);
    CHECK_SLICE(t.segments[2], "alerts");
    CHECK_INT(t.n_query, 3);
    REQUIRE(api_target_find(&t, "rule", &value));
    CHECK_SLICE(value, "a bå");
    REQUIRE(api_target_find(&t, "empty", &value));
    CHECK_INT(value.len, 0);
    CHECK(!api_target_find(&t, "other", &value));
    REQUIRE(read("/", &t) == 0);
    CHECK_INT(t.n_segments, 1);
    REQUIRE(read("/users/a@b.example", &t) == 0);
    CHECK_SLICE(t.segments[1], "a@b.example");
}

TEST(one_way_to_write_a_path)
{
    static struct api_target t;
    static const char *const wrong[] = {
        "",
        "api/v1",
        "*",
        "http://x/api/v1/alerts",
        "//api/v1",
        "/api//v1",
        "/api/v1/alerts/",
        "/api/./v1",
        "/api/../v1",
        "/api/v1/%61lerts",
        "/api/v1/alerts%00",
        "/api/v1/al erts",
        "/api/v1/al\\erts",
        "/api/v1/alerts;x=\"1\"",
        "/api/v1/alerts#x",
        "/a?x=%",
        "/a?x=%0",
        "/a?x=%zz",
        "/a?x=%0a",
        "/a?x=%00",
        "/a?x=%ff",
        "/a?x=1&x=2",
        "/a?=1",
        "/a?x=1&&y=2",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (read(wrong[i], &t) == 0) test_fail(__FILE__, __LINE__, "%s is taken", wrong[i]);
}

TEST(bounds)
{
    static struct api_target t;
    static char text[API_TARGET_MAX + 8];
    memset(text, 'a', sizeof text - 1);
    text[0] = '/';
    CHECK_INT(read(text, &t), ERR_LIMIT);
    text[API_TARGET_MAX - 1] = '\0';
    CHECK_INT(read(text, &t), 0);
    CHECK_INT(read("/1/2/3/4/5/6/7/8", &t), 0);
    CHECK_INT(read("/1/2/3/4/5/6/7/8/9", &t), ERR_LIMIT);
    CHECK_INT(read("/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p", &t), 0);
    CHECK_INT(read("/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", &t), ERR_LIMIT);
}
