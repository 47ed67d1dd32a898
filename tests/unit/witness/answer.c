/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/answer.h"

#include "test.h"

TEST(an_answer_is_whole_when_its_length_says_so)
{
    static const char text[] = "HTTP/1.1 409 Conflict\r\nX: y\r\ncontent-LENGTH: 3\r\n\r\n12\nmore";
    size_t whole = strlen(text) - strlen("more");
    struct answer a;
    for (size_t len = 0; len < whole; len++) {
        CHECK_INT(answer_read(slice_make(text, len), false, &a), 0);
        CHECK_INT(answer_read(slice_make(text, len), true, &a), ERR_TRUNCATED);
    }
    REQUIRE(answer_read(slice_of(text), false, &a) == 1);
    CHECK_INT(a.status, 409);
    CHECK_SLICE(a.body, "12\n");
}

TEST(without_a_length_an_answer_ends_with_the_connection)
{
    struct answer a;
    struct slice text = SLICE("HTTP/1.0 200\r\n\r\nabc");
    CHECK_INT(answer_read(text, false, &a), 0);
    REQUIRE(answer_read(text, true, &a) == 1);
    CHECK_INT(a.status, 200);
    CHECK_SLICE(a.body, "abc");
}

TEST(what_is_no_answer_is_refused)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"HTTP/2 200 OK\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 100 Continue\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 20 OK\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 2000 OK\r\n\r\n", ERR_SYNTAX},
        {"SSH-2.0\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ERR_SYNTAX},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ERR_SYNTAX},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ERR_UNSUPPORTED},
    };
    struct answer a;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_INT(answer_read(slice_of(rows[i].text), true, &a), rows[i].want);
}
