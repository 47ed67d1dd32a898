/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/assets.h"

#include <stdlib.h>

#include "test.h"

struct seen {
    uint32_t n;
    char last[256];
    enum asset_importance importance;
    bool shared;
};

static int see(void *ctx, const struct asset *a)
{
    struct seen *s = ctx;
    s->n++;
    s->importance = a->importance;
    s->shared = a->shared;
    (void)snprintf(s->last, sizeof s->last, "%.*s|%.*s|%.*s|%.*s", SLICE_FMT(a->host),
                   SLICE_FMT(a->addresses), SLICE_FMT(a->service), SLICE_FMT(a->owner));
    return 0;
}

TEST(assets_are_read_from_csv)
{
    static const struct {
        const char *text, *last;
        enum asset_importance importance;
        bool shared;
    } files[] = {
        {"host,address\ndc01,10.0.0.1\n", "dc01|10.0.0.1||", ASSET_NORMAL, false},
        {"\xef\xbb\xbf"
         "Importance;Owner;Service;Host\r\nHigh;Anna \"A\" Berg;lön;hr01\r\n",
         "hr01||lön|Anna \"A\" Berg", ASSET_HIGH, false},
        {"address,shared,owner\n\"10.0.0.1 10.0.0.2\",ja,\"a, \"\"b\"\"\"\n",
         "|10.0.0.1 10.0.0.2||a, \"b\"", ASSET_NORMAL, true},
        {"host\n\n  pc1  \n", "pc1|||", ASSET_NORMAL, false},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct seen seen = {0};
        struct diag diag = {0};
        CHECK_INT(assets_read(slice_of(files[i].text), "a.csv", see, &seen, &diag), 0);
        CHECK_INT(seen.n, 1);
        CHECK_SLICE(slice_of(seen.last), files[i].last);
        CHECK(seen.importance == files[i].importance && seen.shared == files[i].shared);
    }
}

TEST(what_is_wrong_in_a_file_of_assets_is_named_with_its_line)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *part;
    } files[] = {
        {"", 0, "empty"},
        {"name,address\n", 1, "'name'"},
        {"owner\nanna\n", 1, "neither"},
        {"host,host\n", 1, "twice"},
        {"host,address\na,10.0.0.1\n,\n", 3, "neither a host"},
        {"host,address\na,10.0.0\n", 2, "no address: '10.0.0'"},
        {"host,importance\na,\nb,very\n", 3, "'very'"},
        {"host,shared\na,maybe\n", 2, "'maybe'"},
        {"host\n\"a\n", 2, "quote"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct seen seen = {0};
        struct diag diag = {0};
        CHECK(assets_read(slice_of(files[i].text), "a.csv", see, &seen, &diag) != 0);
        CHECK_INT(diag.line, files[i].line);
        if (slice_find(slice_of(diag.message), slice_of(files[i].part)) == SIZE_MAX)
            test_fail(__FILE__, __LINE__, "'%s' is not in '%s'", files[i].part, diag.message);
    }
}

static void name(struct facts *f, enum name_kind kind, const char *text)
{
    f->names[f->n_names++] = (struct fact){.kind = kind, .text = slice_of(text)};
}

TEST(who_names_an_address_names_its_computer)
{
    struct assets *a;
    struct facts *f = calloc(1, sizeof *f);
    enum asset_importance importance;
    REQUIRE(f && assets_new(7, &a) == 0);
    name(f, NAME_ADDRESS, "10.0.0.2");
    assets_apply(a, f, &importance);
    CHECK(f->n_names == 1 && importance == ASSET_NORMAL);
    CHECK_INT(assets_add(a, &(struct asset){.host = SLICE("EWS01.vatten.example"),
                                            .addresses = SLICE("10.0.0.2 10.0.0.3"),
                                            .importance = ASSET_CRITICAL}),
              0);
    CHECK_INT(assets_add(a, &(struct asset){.host = SLICE("proxy"),
                                            .addresses = SLICE("10.0.0.9"),
                                            .importance = ASSET_HIGH,
                                            .shared = true}),
              0);
    assets_apply(a, f, &importance);
    CHECK(f->n_names == 2 && importance == ASSET_CRITICAL);
    CHECK_SLICE(f->names[1].text, "ews01");
    CHECK(f->names[1].kind == NAME_HOST && !f->names[1].bystander);
    f->n_names = 0;
    name(f, NAME_ADDRESS, "10.0.0.9");
    assets_apply(a, f, &importance);
    CHECK(f->n_names == 2 && f->names[0].bystander && f->names[1].bystander);
    CHECK_INT(importance, ASSET_NORMAL);
    assets_clear(a);
    f->n_names = 1;
    assets_apply(a, f, &importance);
    CHECK_INT(f->n_names, 1);
    assets_free(a);
    free(f);
}
