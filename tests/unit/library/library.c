/* SPDX-License-Identifier: EUPL-1.2 */
/* From a pack to a version on disk and back, and what is between two of them. */
#include "library/library.h"

#include <sys/stat.h>
#include <unistd.h>

#include "library/difference.h"
#include "test.h"

#define A    "00000000-0000-4000-8000-00000000000a"
#define B    "00000000-0000-4000-8000-00000000000b"
#define C    "00000000-0000-4000-8000-00000000000c"
#define D    "00000000-0000-4000-8000-00000000000d"
#define CORR "00000000-0000-4000-8000-0000000000cc"
#define RULE(id, level, value)                                                                     \
    "title: T " id "\nid: " id "\nstatus: test\nlevel: " level                                     \
    "\ndate: 2026-03-04\nlogsource: {product: windows}\n"                                          \
    "detection:\n    s:\n        F: " value "\n    condition: s\n"

struct fixture {
    struct arena arena;
    struct profile profile;
    struct pack pack;
    struct catalog catalog;
};

static void make(struct fixture *f, const char *folder)
{
    struct diag diag = {0};
    arena_init(&f->arena, 1024 * 1024);
    REQUIRE(profile_load(&f->profile, &f->arena, "default", &diag) == 0);
    REQUIRE(pack_read(&f->pack, test_path(folder), &diag) == 0);
    REQUIRE(catalog_make(&f->catalog, &f->pack, &f->profile, NULL) == 0);
}

static void done(struct fixture *f)
{
    catalog_done(&f->catalog);
    pack_done(&f->pack);
    arena_done(&f->arena);
}

static const struct difference *find(const struct differences *d, const char *key)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct catalog_rule *r = d->items[i].new ? d->items[i].new : d->items[i].old;
        if (slice_eq(r->key, slice_of(key))) return &d->items[i];
    }
    return NULL;
}

static const struct library_origin origin = {
    .from = {"somewhere", 9}, .who = {"anna", 4}, .now = 1764000000 * NSEC_PER_SEC};

static void open_library(struct library *l, bool change)
{
    struct diag diag = {0};
    int error = library_open(l, test_path("rules"), change, &diag);
    if (error) printf("# %s\n", diag.message);
    REQUIRE(error == 0);
}

TEST(a_correlation_that_is_on_brings_what_it_refers_to)
{
    struct fixture f;
    test_write("corr/rules/low.yml", RULE(A, "low", "x"));
    test_write("corr/rules/other.yml", RULE(B, "low", "x"));
    test_write("corr/rules/corr.yml",
               "title: K\nid: " CORR "\nstatus: stable\nlevel: high\ncorrelation:\n"
               "    type: event_count\n    rules: [" A "]\n    timespan: 1m\n"
               "    condition: {gte: 2}\n");
    make(&f, "corr");
    CHECK(catalog_find(&f.catalog, SLICE(CORR))->on);
    CHECK(catalog_find(&f.catalog, SLICE(A))->on);
    CHECK(!catalog_find(&f.catalog, SLICE(B))->on);
    CHECK_INT(catalog_count_on(&f.catalog), 2);
    CHECK(catalog_find(&f.catalog, SLICE("0000")) == NULL);
    done(&f);
}

TEST(what_its_authors_put_away_is_off)
{
    struct fixture f;
    test_write("away/rules/a.yml", RULE(A, "high", "x"));
    test_write("away/deprecated/b.yml", RULE(B, "high", "x"));
    test_write("away/unsupported/c.yml", RULE(C, "high", "x"));
    make(&f, "away");
    CHECK_INT(f.catalog.n, 3);
    CHECK(catalog_find(&f.catalog, SLICE(A))->on);
    CHECK(!catalog_find(&f.catalog, SLICE(B))->on);
    CHECK(!catalog_find(&f.catalog, SLICE(C))->on);
    done(&f);
}

TEST(a_version_is_kept_and_read_as_it_was)
{
    struct fixture f;
    struct library l;
    struct library_name version, again, current;
    struct pack kept;
    struct catalog catalog;
    struct diag diag = {0};
    bool fresh = false;
    test_write("one/rules/w/high.yml", RULE(A, "high", "x"));
    test_write("one/rules/low.yml", RULE(B, "low", "x"));
    test_write("one/rules/bad.yml", "title: X\n");
    test_write("one/LICENSE", "text");
    make(&f, "one");
    open_library(&l, true);
    REQUIRE(library_add(&l, "set", &f.catalog, &f.profile, &origin, &version, &fresh, &diag) == 0);
    CHECK(fresh);
    CHECK(slice_starts_with(slice_of(version.text), SLICE("2026-03-04-")));
    REQUIRE(library_add(&l, "set", &f.catalog, &f.profile, &origin, &again, &fresh, &diag) == 0);
    CHECK(!fresh);
    CHECK_SLICE(slice_of(again.text), version.text);

    REQUIRE(library_read(&l, "set", version.text, &kept, &diag) == 0);
    REQUIRE(catalog_make(&catalog, &kept, NULL, NULL) == 0);
    CHECK(library_is_whole(version.text, &catalog));
    CHECK_INT(kept.n, f.pack.n);
    CHECK(catalog_find(&catalog, SLICE(A))->on && !catalog_find(&catalog, SLICE(B))->on);
    CHECK_SLICE(slice_of(catalog_find(&catalog, SLICE(A))->doc->file), "rules/w/high.yml");
    catalog_done(&catalog);
    pack_done(&kept);

    CHECK(!library_current(&l, "set", &current));
    CHECK_INT(library_use(&l, "set", "2026-01-01-000000000000", &diag), ERR_NOT_FOUND);
    CHECK(!library_current(&l, "set", &current));
    REQUIRE(library_use(&l, "set", version.text, &diag) == 0);
    REQUIRE(library_current(&l, "set", &current));
    CHECK_SLICE(slice_of(current.text), version.text);
    REQUIRE(library_use(&l, "set", NULL, &diag) == 0);
    CHECK(!library_current(&l, "set", &current));
    library_close(&l);
    done(&f);
}

TEST(a_version_that_was_changed_is_not_whole)
{
    struct fixture f;
    struct library l;
    struct library_name version;
    struct pack kept;
    struct catalog catalog;
    struct diag diag = {0};
    bool fresh;
    char name[256];
    test_write("two/rules/high.yml", RULE(A, "high", "x"));
    make(&f, "two");
    open_library(&l, true);
    REQUIRE(library_add(&l, "other", &f.catalog, &f.profile, &origin, &version, &fresh, &diag) ==
            0);
    (void)snprintf(name, sizeof name, "rules/other/%s/on/rules/high.yml", version.text);
    REQUIRE(chmod(test_path(name), 0600) == 0);
    test_write(name, RULE(A, "high", "y"));
    REQUIRE(library_read(&l, "other", version.text, &kept, &diag) == 0);
    REQUIRE(catalog_make(&catalog, &kept, NULL, NULL) == 0);
    CHECK(!library_is_whole(version.text, &catalog));
    catalog_done(&catalog);
    pack_done(&kept);
    REQUIRE(unlink(test_path(name)) == 0 && symlink("/etc/passwd", test_path(name)) == 0);
    CHECK_INT(library_read(&l, "other", version.text, &kept, &diag), ERR_CORRUPT);
    library_close(&l);
    done(&f);
}

TEST(what_an_import_left_half_done_is_made_anew)
{
    struct fixture f;
    struct library l;
    struct library_name version;
    struct library_list list;
    struct diag diag = {0};
    bool fresh;
    test_write("rules/half/.new/on/rules/old.yml", "left");
    test_write("rules/half/.new/version.json", "left");
    test_write("three/rules/high.yml", RULE(A, "high", "x"));
    make(&f, "three");
    open_library(&l, true);
    REQUIRE(library_versions(&l, "half", &list, &diag) == 0);
    CHECK_INT(list.n, 0);
    library_list_done(&list);
    REQUIRE(library_add(&l, "half", &f.catalog, &f.profile, &origin, &version, &fresh, &diag) == 0);
    REQUIRE(library_versions(&l, "half", &list, &diag) == 0);
    REQUIRE(list.n == 1);
    CHECK_SLICE(slice_of(list.items[0].text), version.text);
    library_list_done(&list);
    CHECK(access(test_path("rules/half/.new"), F_OK) != 0);
    library_close(&l);
    done(&f);
}

TEST(versions_are_in_the_order_of_their_import)
{
    struct library l;
    struct library_list list;
    struct library_name first, second;
    struct diag diag = {0};
    bool fresh;
    struct library_origin later = origin;
    open_library(&l, true);
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        /* The name of the first sorts behind that of the second. */
        test_write("order/version.txt", i ? "r2026-01-01" : "r2026-02-02");
        test_write("order/rules/high.yml", RULE(A, "high", "x"));
        make(&f, "order");
        REQUIRE(library_add(&l, "order", &f.catalog, &f.profile, &later, i ? &second : &first,
                            &fresh, &diag) == 0);
        later.now += NSEC_PER_SEC;
        done(&f);
    }
    char name[256];
    (void)snprintf(name, sizeof name, "rules/order/%s/touched", first.text);
    test_write(name, "");
    REQUIRE(unlink(test_path(name)) == 0);
    REQUIRE(library_versions(&l, "order", &list, &diag) == 0);
    REQUIRE(list.n == 2);
    CHECK_SLICE(slice_of(list.items[0].text), first.text);
    CHECK_SLICE(slice_of(list.items[1].text), second.text);
    library_list_done(&list);
    library_close(&l);
}

TEST(names_are_plain_and_not_those_of_the_library)
{
    static const char *const wrong[] = {"", ".new", "a/b", "..", "exceptions", "history", "a b"};
    struct library_name name;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (library_name_read(slice_of(wrong[i]), &name))
            test_fail(__FILE__, __LINE__, "\"%s\" is a name", wrong[i]);
    CHECK(library_name_read(SLICE("sigma_core++-r2026-08-05"), &name));
    char longest[LIBRARY_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    CHECK(library_name_read(slice_make(longest, LIBRARY_NAME_MAX), &name));
    CHECK(!library_name_read(slice_make(longest, LIBRARY_NAME_MAX + 1), &name));
}

TEST(a_library_that_is_not_there_has_nothing)
{
    struct library l;
    struct library_list list;
    struct library_name name;
    struct diag diag = {0};
    REQUIRE(library_open(&l, test_path("no-rules"), false, &diag) == 0);
    REQUIRE(library_sets(&l, &list, &diag) == 0);
    CHECK_INT(list.n, 0);
    CHECK(!library_current(&l, "set", &name));
    library_list_done(&list);
    library_close(&l);
}

TEST(logic_is_told_from_metadata_and_from_how_it_is_written)
{
    struct fixture old, new;
    struct differences d;
    test_write("old/rules/a.yml", RULE(A, "high", "x"));
    test_write("old/rules/b.yml", RULE(B, "high", "x"));
    test_write("old/rules/c.yml", RULE(C, "high", "x"));
    test_write("old/rules/d.yml", RULE(D, "low", "x"));
    test_write("new/rules/a.yml", RULE(A, "high", "y"));
    test_write("new/rules/b.yml", RULE(B, "medium", "x"));
    test_write("new/rules/c.yml", "# a comment\n" RULE(C, "high", "'x'"));
    test_write("new/rules/e.yml", RULE(CORR, "high", "x"));
    make(&old, "old");
    make(&new, "new");
    REQUIRE(difference_make(&d, &old.catalog, &new.catalog) == 0);
    CHECK_INT(d.n, 5);
    CHECK_INT(find(&d, A)->kind, DIFFERENCE_LOGIC);
    CHECK(!find(&d, A)->switched);
    CHECK_INT(find(&d, B)->kind, DIFFERENCE_METADATA);
    CHECK(find(&d, B)->switched);
    CHECK_INT(find(&d, C)->kind, DIFFERENCE_METADATA);
    CHECK_INT(find(&d, D)->kind, DIFFERENCE_REMOVED);
    CHECK_INT(find(&d, CORR)->kind, DIFFERENCE_NEW);
    CHECK_INT(d.on, 1);
    CHECK_INT(d.off, 1);
    const char *name;
    struct slice was, is;
    unsigned next = difference_part(find(&d, B), 0, &name, &was, &is);
    REQUIRE(next > 0);
    CHECK_SLICE(slice_of(name), "level");
    CHECK_SLICE(was, "high");
    CHECK_SLICE(is, "medium");
    CHECK_INT(difference_part(find(&d, B), next, &name, &was, &is), 0);
    CHECK_INT(difference_part(find(&d, C), 0, &name, &was, &is), 0);
    difference_done(&d);

    REQUIRE(difference_make(&d, &old.catalog, &old.catalog) == 0);
    CHECK_INT(d.n, 0);
    CHECK_INT(d.same, 4);
    difference_done(&d);
    REQUIRE(difference_make(&d, NULL, &old.catalog) == 0);
    CHECK_INT(d.counts[DIFFERENCE_NEW], 4);
    difference_done(&d);
    done(&old);
    done(&new);
}
