/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/profile.h"

#include "detect/sigma/set.h"
#include "test.h"

struct fixture {
    struct arena arena;
    struct profile profile;
};

static void with(struct fixture *f, const char *text)
{
    struct diag diag = {0};
    arena_init(&f->arena, 1024 * 1024);
    int error = profile_read(&f->profile, &f->arena, "p.yml", slice_of(text), &diag);
    if (error) printf("# %s:%u: %s\n", diag.file, diag.line, diag.message);
    REQUIRE(error == 0);
}

/* Whether a rule with these lines is taken. */
static bool takes(const struct profile *p, const char *lines)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "title: T\nid: 00000000-0000-4000-8000-000000000001\n%s"
                   "detection: {s: {F: x}, condition: s}\n",
                   lines);
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set && sigma_set_add_text(set, "r.yml", slice_of(text), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0 && set->n_rules == 1);
    bool taken = profile_takes(p, set->rules[0]->doc);
    sigma_set_free(set);
    return taken;
}

#define WINDOWS "logsource: {product: windows, category: process_creation}\n"

TEST(the_default_is_mature_rules_about_what_matters)
{
    struct fixture f;
    struct diag diag;
    arena_init(&f.arena, 1024 * 1024);
    REQUIRE(profile_load(&f.profile, &f.arena, "default", &diag) == 0);
    CHECK(takes(&f.profile, "status: test\nlevel: high\n" WINDOWS));
    CHECK(takes(&f.profile, "status: stable\nlevel: critical\n" WINDOWS));
    CHECK(!takes(&f.profile, "status: stable\nlevel: medium\n" WINDOWS));
    CHECK(!takes(&f.profile, "status: experimental\nlevel: high\n" WINDOWS));
    CHECK(!takes(&f.profile, "level: high\n" WINDOWS));
    CHECK(!takes(&f.profile, "status: stable\n" WINDOWS));
    arena_done(&f.arena);

    arena_init(&f.arena, 1024 * 1024);
    REQUIRE(profile_load(&f.profile, &f.arena, "all", &diag) == 0);
    CHECK(takes(&f.profile, WINDOWS));
    CHECK(takes(&f.profile, "status: stable\nlevel: low\n" WINDOWS));
    CHECK(!takes(&f.profile, "status: deprecated\nlevel: critical\n" WINDOWS));
    CHECK_INT(profile_load(&f.profile, &f.arena, "none such", &diag), ERR_NOT_FOUND);
    arena_done(&f.arena);
}

TEST(log_sources_and_tags_let_in_and_keep_out)
{
    struct fixture f;
    with(&f,
         "name: n\nlogsource:\n    include: [{product: Windows}, {service: sshd}]\n"
         "    exclude: [{product: windows, category: image_load}]\n"
         "tags: {include: [attack.t1003*, attack.impact], exclude: [detection.threat-hunting]}\n");
    CHECK(takes(&f.profile, "tags: [attack.T1003.001]\n" WINDOWS));
    CHECK(takes(&f.profile, "tags: [attack.impact]\nlogsource: {product: linux, service: sshd}\n"));
    CHECK(!takes(&f.profile, "tags: [attack.t1004]\n" WINDOWS));
    CHECK(!takes(&f.profile, "tags: [attack.impact.more]\n" WINDOWS));
    CHECK(!takes(&f.profile, WINDOWS));
    CHECK(!takes(&f.profile, "tags: [attack.impact]\nlogsource: {product: linux}\n"));
    CHECK(!takes(&f.profile,
                 "tags: [attack.impact]\nlogsource: {product: windows, category: image_load}\n"));
    CHECK(!takes(&f.profile, "tags: [attack.impact, detection.threat-hunting]\n" WINDOWS));
    arena_done(&f.arena);
}

TEST(a_rule_by_its_id_stands_above_the_rest)
{
    struct fixture f;
    with(&f, "name: n\nlevel: [low]\nrules:\n"
             "    include: [00000000-0000-4000-8000-00000000000A, "
             "00000000-0000-4000-8000-000000000001]\n");
    CHECK(takes(&f.profile, "level: high\n" WINDOWS));
    arena_done(&f.arena);
    with(&f, "name: n\nlevel: [low]\nrules:\n"
             "    exclude: [00000000-0000-4000-8000-000000000001]\n");
    CHECK(!takes(&f.profile, "level: low\n" WINDOWS));
    arena_done(&f.arena);
}

TEST(what_means_nothing_is_told_with_its_place)
{
    static const struct {
        const char *text, *message;
        uint32_t line, column;
    } cases[] = {
        {"level: [high]\n", "a profile needs a `name`", 1, 1},
        {"[a]\n", "a profile is a map", 1, 1},
        {"# nothing\n", "the profile is empty", 1, 1},
        {"name: n\nlevels: [high]\n", "`levels` means nothing here in a profile", 2, 1},
        {"name: n\nlevel: [hihg]\n", "`hihg` means nothing here in a profile", 2, 9},
        {"name: n\nlevel: high\n", "a list is expected", 2, 8},
        {"name: n\nstatus: [[a]]\n", "a word is expected", 2, 10},
        {"name: n\ntags: [a]\n", "`include` and `exclude` are expected", 2, 7},
        {"name: n\nlogsource: {include: [windows]}\n", "a log source is expected", 2, 23},
        {"name: n\nlogsource: {include: [{produkt: x}]}\n",
         "`produkt` means nothing here in a profile", 2, 24},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct profile p;
        struct diag diag = {0};
        arena_init(&arena, 1024 * 1024);
        int error = profile_read(&p, &arena, "p.yml", slice_of(cases[i].text), &diag);
        if (error != ERR_INVALID || strcmp(diag.message, cases[i].message) != 0 ||
            diag.line != cases[i].line || diag.column != cases[i].column)
            test_fail(__FILE__, __LINE__, "%s: %u:%u: %s", cases[i].text, diag.line, diag.column,
                      diag.message);
        arena_done(&arena);
    }
}
