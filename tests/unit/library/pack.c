/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/pack.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static bool has(const struct pack *p, const char *path)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (slice_eq(p->files[i].path, slice_of(path))) return true;
    return false;
}

static void read_pack(struct pack *p, const char *name)
{
    struct diag diag = {0};
    int error = pack_read(p, test_path(name), &diag);
    if (error) printf("# %s\n", diag.message);
    REQUIRE(error == 0);
}

TEST(a_release_is_its_rule_folders_and_what_says_which_it_is)
{
    struct pack p;
    test_write("a/rules/windows/one.yml", "1");
    test_write("a/rules-emerging-threats/2026/two.yaml", "2");
    test_write("a/deprecated/three.yml", "3");
    test_write("a/unsupported/four.yml", "4");
    test_write("a/tests/config.yml", "no rule");
    test_write("a/README.md", "no rule");
    test_write("a/other.yml", "no rule");
    test_write("a/.github/rules.yml", "no rule");
    test_write("a/LICENSE", "licence");
    test_write("a/version.txt", "release: r2026-08-05\n");
    read_pack(&p, "a");
    CHECK_INT(p.n, 6);
    CHECK(has(&p, "rules/windows/one.yml") && has(&p, "rules-emerging-threats/2026/two.yaml"));
    CHECK(has(&p, "deprecated/three.yml") && has(&p, "unsupported/four.yml"));
    CHECK(has(&p, "LICENSE") && has(&p, "version.txt"));
    CHECK_SLICE(p.release, "r2026-08-05");
    CHECK_SLICE(p.files[0].path, "LICENSE");
    CHECK_SLICE(p.files[0].text, "licence");
    pack_done(&p);
}

TEST(the_folder_around_a_release_is_taken_away)
{
    struct pack p;
    test_write("b/sigma-r2026-07-01/rules/one.yml", "1");
    test_write("b/sigma-r2026-07-01/LICENSE", "l");
    read_pack(&p, "b");
    CHECK_INT(p.n, 2);
    CHECK(has(&p, "rules/one.yml") && has(&p, "LICENSE"));
    CHECK_SLICE(p.release, "r2026-07-01");
    pack_done(&p);
}

TEST(a_folder_of_another_layout_is_taken_whole)
{
    struct pack p;
    test_write("c-r2026-01-02/mine/one.yml", "1");
    test_write("c-r2026-01-02/two.yml", "2");
    read_pack(&p, "c-r2026-01-02");
    CHECK_INT(p.n, 2);
    CHECK(has(&p, "mine/one.yml") && has(&p, "two.yml"));
    CHECK_SLICE(p.release, "r2026-01-02");
    pack_done(&p);
}

TEST(links_and_large_files_are_refused_with_their_place)
{
    struct pack p;
    char *large = calloc(1, YAML_FILE_MAX + 2u);
    REQUIRE(large);
    memset(large, 'x', YAML_FILE_MAX + 1u);
    test_write("d/rules/one.yml", "1");
    test_write("d/rules/large.yml", large);
    free(large);
    REQUIRE(symlink("/etc/passwd", test_path("d/rules/link.yml")) == 0);
    REQUIRE(mkfifo(test_path("d/rules/pipe.yml"), 0600) == 0);
    read_pack(&p, "d");
    CHECK_INT(p.n, 1);
    REQUIRE(p.n_refusals == 3);
    bool link = false, pipe = false, size = false;
    for (uint32_t i = 0; i < 3; i++) {
        struct slice why = slice_of(p.refusals[i].why);
        link |= slice_eq(p.refusals[i].path, SLICE("rules/link.yml")) &&
                slice_eq(why, SLICE("it is a link"));
        pipe |= slice_eq(p.refusals[i].path, SLICE("rules/pipe.yml")) &&
                slice_eq(why, SLICE("it is no file"));
        size |= slice_eq(p.refusals[i].path, SLICE("rules/large.yml")) &&
                slice_eq(why, SLICE("the file is too large"));
    }
    CHECK(link && pipe && size);
    pack_done(&p);
}

TEST(paths_that_lead_elsewhere_are_none)
{
    static const char *const wrong[] = {"",       "/rules/a.yml", "rules/../../a.yml", "..",
                                        "a//b",   "./a.yml",      "rules\\..\\a.yml",  "a\nb",
                                        "rules/", "a\x7f"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!pack_path_wrong(slice_of(wrong[i])))
            test_fail(__FILE__, __LINE__, "\"%s\" is taken", wrong[i]);
    CHECK(!pack_path_wrong(SLICE("rules/windows/a..b.yml")));
    CHECK(!pack_path_wrong(SLICE("\xc3\xa5.yml")));
    char deep[2 * (PACK_DEPTH_MAX + 1) + 2];
    for (size_t i = 0; i < sizeof deep; i++) deep[i] = i % 2 ? '/' : 'a';
    deep[sizeof deep - 1] = '\0';
    CHECK(pack_path_wrong(slice_of(deep)));
    CHECK(!pack_path_wrong(slice_of(deep + 2)));
}

TEST(what_is_not_there_or_no_zip_is_told)
{
    struct pack p;
    struct diag diag = {0};
    CHECK_INT(pack_read(&p, test_path("nowhere"), &diag), ERR_NOT_FOUND);
    CHECK(strstr(diag.message, "nowhere: No such file or directory"));
    test_write("text", "title: no zip\n");
    CHECK_INT(pack_read(&p, test_path("text"), &diag), ERR_CORRUPT);
    CHECK_SLICE(slice_of(diag.message), "it is neither a folder nor a zip");
}
