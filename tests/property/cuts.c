/* SPDX-License-Identifier: EUPL-1.2 */
#include "cuts.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/slice.h"

void cuts_init(struct cuts *c)
{
    disk_init(&c->disk);
    disk_init(&c->image);
}

void cuts_done(struct cuts *c)
{
    disk_done(&c->image);
    disk_done(&c->disk);
}

void cuts_begin(struct cuts *c, uint64_t number)
{
    c->chances = hash_mix(c->seed, number);
    c->why[0] = 0;
    disk_clear(&c->disk);
}

uint64_t cuts_below(struct cuts *c, uint64_t n)
{
    c->chances = hash_mix(c->chances + 1, UINT64_C(0x51ed270b7f4a7c15));
    return (c->chances >> 16) % n;
}

bool cuts_problem(struct cuts *c, const char *what)
{
    if (c->why[0] == 0) (void)snprintf(c->why, sizeof c->why, "%s", what);
    return false;
}

static bool check_state(struct cuts *c, const struct disk_cut *cut, enum disk_reached reached,
                        uint64_t arg)
{
    disk_cut_image(cut, reached, arg, &c->image);
    return c->comes_back(c->ctx, cut->at, c->states++ % c->every == 0);
}

static bool check_cut(struct cuts *c, const struct disk_cut *cut)
{
    if (!check_state(c, cut, REACHED_ALL, 0)) return false;
    if (cut->n_pending == 0) return true;
    if (!check_state(c, cut, REACHED_NONE, 0)) return false;
    for (size_t i = 0; i < cut->n_pending && cut->n_pending > 1; i++)
        if (!check_state(c, cut, REACHED_ALL_BUT, i)) return false;
    for (uint64_t i = 0; i < c->subsets; i++)
        if (!check_state(c, cut, i % 2 ? REACHED_TORN : REACHED_SOME, cuts_below(c, UINT32_MAX)))
            return false;
    return true;
}

bool cuts_check(struct cuts *c)
{
    struct disk_cut cut;
    disk_cut_init(&cut, &c->disk);
    bool good = true;
    while (good && disk_cut_next(&cut)) {
        good = check_cut(c, &cut);
        c->changes++;
    }
    disk_cut_done(&cut);
    return good;
}

/* The cut behind the last change. */
static void cut_at_end(struct cuts *c, struct disk_cut *ret)
{
    disk_cut_init(ret, &c->disk);
    while (disk_cut_next(ret)) continue;
}

bool cuts_check_end(struct cuts *c, uint64_t number, bool (*whole)(void *ctx, unsigned way))
{
    static const enum disk_reached ways[] = {REACHED_ALL, REACHED_NONE, REACHED_SOME, REACHED_TORN};
    struct disk_cut cut;
    bool good = true;
    cut_at_end(c, &cut);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways && good; i++) {
        disk_cut_image(&cut, ways[i], number, &c->image);
        good = c->comes_back(c->ctx, cut.at, whole(c->ctx, i));
    }
    disk_cut_done(&cut);
    return good;
}

uint64_t cuts_tear(struct cuts *c)
{
    struct disk_cut cut;
    disk_cut_init(&cut, &c->disk);
    uint64_t steps = cuts_below(c, c->disk.n_steps + 1);
    while (cut.at < steps && disk_cut_next(&cut)) continue;
    disk_cut_image(&cut, REACHED_TORN, cuts_below(c, UINT32_MAX), &c->image);
    uint64_t at = cut.at;
    disk_cut_done(&cut);
    return at;
}

void cuts_take_over(struct cuts *c)
{
    struct disk other = c->disk;
    c->disk = c->image;
    c->image = other;
}

bool cuts_lose(struct cuts *c)
{
    struct disk_cut cut;
    bool lost = false;
    cut_at_end(c, &cut);
    for (uint64_t i = 0; i < 4 && !lost; i++) {
        disk_cut_image(&cut, i == 0 ? REACHED_NONE : REACHED_TORN, i, &c->image);
        lost = !c->comes_back(c->ctx, cut.at, false);
    }
    disk_cut_done(&cut);
    return lost;
}

bool cuts_report(const struct cuts *c, int n, const char *name, bool good, uint64_t number)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", n, name);
    if (!good)
        printf("# seed %llu, run %llu: %s\n", (unsigned long long)c->seed,
               (unsigned long long)number, c->why);
    (void)fflush(stdout);
    return good;
}

void cuts_tell(const struct cuts_number *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s\"%s\":%llu", i ? "," : "{", numbers[i].name,
                (unsigned long long)numbers[i].value);
    fprintf(stderr, "}\n");
}

bool cuts_options(int argc, char **argv, const struct cuts_option *options, size_t n,
                  bool *ret_json)
{
    for (int i = 1; i < argc; i++) {
        bool known = strcmp(argv[i], "--json") == 0;
        if (known) *ret_json = true;
        for (size_t k = 0; k < n && i + 1 < argc && !known; k++)
            if (strcmp(argv[i], options[k].name) == 0)
                known = slice_to_u64(slice_of(argv[++i]), options[k].value);
        if (!known) return false;
    }
    return true;
}
