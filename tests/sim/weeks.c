/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * weeks [--worlds N] [--weeks N] [--seed N] [--jobs N] [--bug NAME] [--trace 1]: runs worlds of so
 * many weeks and tells what was wrong, with the seed that shows it again. Without --bug every
 * planted mistake is tried as well, and has to be found. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

enum { BUG_WORLDS = 60, JOBS_MAX = 64 };

struct options {
    uint64_t worlds, weeks, seed, jobs, trace;
    const char *bug;
};

static bool read_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){.worlds = 40, .weeks = 10, .seed = 1, .jobs = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t n = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--worlds") == 0) o->worlds = n;
        else if (strcmp(argv[i], "--weeks") == 0) o->weeks = n;
        else if (strcmp(argv[i], "--seed") == 0) o->seed = n;
        else if (strcmp(argv[i], "--jobs") == 0) o->jobs = n < JOBS_MAX ? n : JOBS_MAX;
        else if (strcmp(argv[i], "--trace") == 0) o->trace = n;
        else if (strcmp(argv[i], "--bug") == 0) o->bug = argv[i + 1];
        else return false;
    }
    return argc % 2 == 1 && o->jobs > 0 && (!o->bug || bug_find(o->bug));
}

static void add_figures(struct figures *to, const struct figures *f)
{
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)f;
    for (size_t i = 0; i < sizeof *f / sizeof *a; i++) a[i] += b[i];
}

struct result {
    struct figures f;
    uint64_t seed; /* of the first world that was wrong; 0: none */
    char text[400];
};

static void run_some(const struct options *o, uint64_t job, struct result *ret)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->verbose = o->trace > 0;
    for (uint64_t i = job; i < o->worlds && !ret->seed; i += o->jobs) {
        w->f = (struct figures){0};
        if (!world_run(w, o->seed + i, (unsigned)o->weeks, o->bug)) {
            ret->seed = o->seed + i;
            (void)snprintf(ret->text, sizeof ret->text, "%s", w->wrong_text);
        }
        add_figures(&ret->f, &w->f);
    }
    free(w);
}

/* Each job is a process: it tells its result over a pipe. */
static void run_all(const struct options *o, struct result *ret)
{
    int fds[JOBS_MAX][2];
    *ret = (struct result){.seed = 0};
    for (uint64_t job = 0; job < o->jobs; job++) {
        struct result mine = {.seed = 0};
        if (pipe(fds[job]) != 0) abort();
        if (fork() != 0) continue;
        run_some(o, job, &mine);
        _exit(write(fds[job][1], &mine, sizeof mine) == (ssize_t)sizeof mine ? 0 : 1);
    }
    for (uint64_t job = 0; job < o->jobs; job++) {
        struct result its;
        (void)close(fds[job][1]);
        if (read(fds[job][0], &its, sizeof its) != (ssize_t)sizeof its) {
            its = (struct result){.seed = o->seed};
            (void)snprintf(its.text, sizeof its.text, "a job ended by itself");
        }
        (void)close(fds[job][0]);
        add_figures(&ret->f, &its.f);
        if (its.seed && (!ret->seed || its.seed < ret->seed)) {
            ret->seed = its.seed;
            memcpy(ret->text, its.text, sizeof ret->text);
        }
    }
    while (wait(NULL) > 0) {
    }
}

static void print_figures(const struct figures *f)
{
    printf("# weeks %llu, incidents %llu, pages %llu, steps %llu, messages %llu, answers %llu, "
           "loud %llu, proofs %llu, disturbances %llu, ends of processes %llu, storms %llu, "
           "outages %llu, clock jumps %llu\n",
           (unsigned long long)f->weeks, (unsigned long long)f->incidents,
           (unsigned long long)f->pages, (unsigned long long)f->steps,
           (unsigned long long)f->messages, (unsigned long long)f->acks,
           (unsigned long long)f->loud, (unsigned long long)f->proofs,
           (unsigned long long)f->disturbed, (unsigned long long)f->ends,
           (unsigned long long)f->storms, (unsigned long long)f->outages,
           (unsigned long long)f->jumps);
}

static bool run_true(const struct options *o)
{
    struct result r;
    run_all(o, &r);
    print_figures(&r.f);
    if (r.seed) printf("# seed %llu: %s\n", (unsigned long long)r.seed, r.text);
    printf("%s 1 - %llu weeks from seed %llu\n", r.seed ? "not ok" : "ok",
           (unsigned long long)r.f.weeks, (unsigned long long)o->seed);
    return !r.seed;
}

/* A mistake that is not found means that the checks are worth nothing. */
static bool run_bug(const struct options *o, const struct bug *bug, unsigned number)
{
    struct result r;
    struct options with = *o;
    with.bug = bug->name;
    with.worlds = BUG_WORLDS;
    run_all(&with, &r);
    printf("%s %u - found: %s%s%s\n", r.seed ? "ok" : "not ok", number, bug->what,
           r.seed ? " # " : "", r.seed ? r.text : "");
    return r.seed != 0;
}

int main(int argc, char **argv)
{
    struct options o;
    unsigned number = 1;
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr, "usage: weeks [--worlds N] [--weeks N] [--seed N] [--jobs N] [--bug NAME] "
                        "[--trace 1]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    bool good = run_true(&o);
    for (const struct bug *bug = bugs; bug->name && !o.bug; bug++)
        good &= run_bug(&o, bug, ++number);
    printf("1..%u\n", number);
    return good ? 0 : 1;
}
