/* SPDX-License-Identifier: EUPL-1.2 */
/* Rules that others made, from a folder to what changed, while memory runs out. */
#include "library/difference.h"
#include "noise/tally.h"
#include "torture.h"

#define RULE(id, level, value)                                                                     \
    "title: T\nid: 00000000-0000-4000-8000-00000000000" id "\nstatus: test\nlevel: " level         \
    "\nlogsource: {product: windows}\ndetection:\n    s:\n        F: " value                       \
    "\n    condition: s\n"

static const char profile_text[] =
    "name: p\nstatus: [test]\nlevel: [high]\nlogsource: {exclude: [{product: linux}]}\n"
    "tags: {exclude: [a.b*]}\nrules: {include: [00000000-0000-4000-8000-00000000000b]}\n";

struct version {
    struct pack pack;
    struct catalog catalog;
};

static int read_version(struct version *v, const char *folder, const struct profile *profile)
{
    struct diag diag;
    int error = pack_read(&v->pack, folder, &diag);
    if (error) return error;
    error = catalog_make(&v->catalog, &v->pack, profile, NULL);
    if (error) pack_done(&v->pack);
    return error;
}

static void version_done(struct version *v)
{
    catalog_done(&v->catalog);
    pack_done(&v->pack);
}

static void put_difference(struct buf *out, const struct version *old, const struct version *new,
                           const struct differences *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const struct catalog_rule *r = d->items[i].new ? d->items[i].new : d->items[i].old;
        buf_printf(out, "%s %.*s %d\n", difference_name(d->items[i].kind), SLICE_FMT(r->key),
                   r->on);
    }
    buf_printf(out, "%u %u refused %u\n", old->pack.n, new->pack.n,
               new->catalog.set->n_refusals + new->pack.n_refusals);
}

static int compare_with(const struct version *old, const char *folder,
                        const struct profile *profile, struct buf *out)
{
    struct version new;
    struct differences d;
    int error = read_version(&new, folder, profile);
    if (error) return error;
    error = difference_make(&d, &old->catalog, &new.catalog);
    if (error == 0) {
        put_difference(out, old, &new, &d);
        difference_done(&d);
    }
    version_done(&new);
    return error;
}

static int compare(void *ctx, struct buf *out)
{
    const char *const *folders = ctx;
    struct arena arena;
    struct profile profile;
    struct diag diag;
    struct version old;
    arena_init(&arena, 1024 * 1024);
    int error = profile_read(&profile, &arena, "p.yml", slice_of(profile_text), &diag);
    if (error == 0) error = read_version(&old, folders[0], &profile);
    if (error == 0) {
        error = compare_with(&old, folders[1], &profile, out);
        version_done(&old);
    }
    arena_done(&arena);
    return error;
}

TEST(versions)
{
    static const char *folders[2];
    test_write("old/rules/a.yml", RULE("a", "high", "x"));
    test_write("old/rules/b.yml", RULE("b", "low", "x"));
    test_write("new/rules/a.yml", RULE("a", "high", "y"));
    test_write("new/rules/c.yml", RULE("c", "high", "x"));
    test_write("new/rules/bad.yml", "title: X\n");
    test_write("new/version.txt", "r2026-08-05");
    folders[0] = test_path("old");
    folders[1] = test_path("new");
    torture_run(&(struct torture){.run = compare, .ctx = folders});
}

static int sum_up(void *ctx, struct buf *out)
{
    struct tally t;
    struct buf text;
    struct frame frame;
    int error = tally_init(&t, ctx, 0);
    buf_init(&text, 4096);
    noise_value_write(&text,
                      &(struct noise_value){.count = 2, .field = SLICE("F"), .value = SLICE("x")});
    noise_source_write(&text, &(struct noise_source){.events = 3, .product = SLICE("windows")});
    if (error == 0) error = buf_error(&text);
    for (struct slice rest = buf_slice(&text); error == 0 && rest.len;) {
        if (frame_next(rest, NOISE_PAYLOAD_MAX, &frame) != 1) break;
        error = tally_take(&t, &frame);
        rest = slice_from(rest, frame.size);
    }
    if (error == 0) {
        tally_finish(&t);
        buf_printf(out, "%u values, %u sources%s\n", t.rules[0].n_values, t.n_sources,
                   t.approximate ? ", about" : "");
    }
    buf_done(&text);
    tally_done(&t);
    return error;
}

TEST(tally)
{
    static const char *const losses[] = {"about", NULL};
    struct sigma_set *set = sigma_set_new();
    REQUIRE(set && sigma_set_add_text(set, "r", SLICE(RULE("a", "high", "x")), NULL) == 0);
    REQUIRE(sigma_set_finish(set) == 0 && set->n_rules == 1);
    torture_run(&(struct torture){.run = sum_up, .ctx = set, .told_by = losses});
    sigma_set_free(set);
}
