/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/tokens.h"

#include <sys/stat.h>

#include "test.h"

#define SECRET "0123456789abcdef"

static int read_text(const char *text, struct tokens *t, struct diag *diag)
{
    return tokens_read("tokens", slice_of(text), t, diag);
}

TEST(tokens_are_read_a_line_each)
{
    struct tokens *t = tokens_new();
    struct diag diag;
    REQUIRE(t);
    CHECK_INT(read_text("# who may send\n\n  web  ingest,elastic\t" SECRET "1 \r\n"
                        "fw splunk " SECRET "2",
                        t, &diag),
              0);
    const struct token *web = tokens_find(t, SLICE(SECRET "1"));
    const struct token *fw = tokens_find(t, SLICE(SECRET "2"));
    REQUIRE(web && fw);
    CHECK_SLICE(web->identity, "web");
    CHECK_INT(web->rights, TOKEN_INGEST | TOKEN_ELASTIC);
    CHECK_SLICE(fw->identity, "fw");
    CHECK_INT(fw->rights, TOKEN_SPLUNK);
    CHECK(!tokens_find(t, SLICE(SECRET)));
    tokens_free(t);
}

TEST(tokens_mistakes_name_the_line_and_no_secret)
{
    static const char *const bad[] = {
        "a ingest",
        "a ingest " SECRET " more",
        "a " SECRET,
        "a nonsense " SECRET,
        "a ingest,,otlp " SECRET,
        "a ingest, " SECRET,
        "a , " SECRET,
        "a ingest short",
        "ok ingest " SECRET "x\nb otlp " SECRET "x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tokens *t = tokens_new();
        struct diag diag;
        REQUIRE(t);
        if (read_text(bad[i], t, &diag) == 0) test_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
        CHECK(slice_find(slice_of(diag.message), SLICE(SECRET)) == SIZE_MAX);
        CHECK_INT(diag.line, slice_find_byte(slice_of(bad[i]), '\n') == SIZE_MAX ? 1 : 2);
        tokens_free(t);
    }
}

TEST(tokens_file_is_its_owners_alone)
{
    struct tokens *t = tokens_new();
    struct diag diag;
    REQUIRE(t);
    test_write("tokens", "a ingest " SECRET "\n");
    const char *path = test_path("tokens");
    for (mode_t bit = 1; bit <= 040; bit <<= 1) {
        REQUIRE(chmod(path, 0600 | bit) == 0);
        CHECK_INT(tokens_read_file(path, t, &diag), ERR_ACCESS);
    }
    CHECK(!tokens_find(t, SLICE(SECRET)));
    REQUIRE(chmod(path, 0600) == 0);
    CHECK_INT(tokens_read_file(path, t, &diag), 0);
    CHECK(tokens_find(t, SLICE(SECRET)) != NULL);
    CHECK(tokens_read_file(test_path("nothing"), t, &diag) != 0);
    tokens_free(t);
}
