/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * EVTX decoding alone: every .evtx file below the given folders (or of the corpus) is held in
 * memory and decoded again and again for two seconds on one core. One JSON line.
 *
 *     bench-evtx [-v] [FOLDER...]      -v: a line per file
 */
#include <fts.h>
#include <stdlib.h>
#include <time.h>

#include "normalise/decoder.h"

struct input {
    char *ptr;
    size_t len;
    char *path;
};

struct counts {
    uint64_t records, fields, bad, damaged;
};

static int count(void *ctx, struct event *ev)
{
    struct counts *c = ctx;
    c->records++;
    c->fields += ev->n_fields;
    c->damaged += (ev->flags & EVENT_DAMAGED) != 0;
    return 0;
}

static void count_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct counts *c = ctx;
    (void)offset;
    (void)record;
    (void)reason;
    c->bad++;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool decode(const struct input *in, struct keys *keys, struct counts *c)
{
    struct decoder_out out = {.ctx = c, .emit = count, .bad = count_bad};
    struct decoder *d = decoder_evtx.open(&out, keys);
    if (!d) return false;
    bool ok = decoder_evtx.feed(d, slice_make(in->ptr, in->len)) == 0;
    ok = decoder_evtx.finish(d) == 0 && ok;
    decoder_evtx.close(d);
    return ok;
}

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) exit(2);
    long size = ftell(f);
    char *p = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (!p || fseek(f, 0, SEEK_SET) != 0 || fread(p, 1, (size_t)size, f) != (size_t)size) exit(2);
    fclose(f);
    *ret_len = (size_t)size;
    return p;
}

static size_t load(char *const *folders, struct input **ret)
{
    struct input *list = NULL;
    size_t n = 0;
    FTS *fts = fts_open(folders, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; fts && (e = fts_read(fts));) {
        if (e->fts_info != FTS_F || !slice_ends_with(slice_of(e->fts_path), SLICE(".evtx")))
            continue;
        list = realloc(list, (n + 1) * sizeof *list);
        if (!list) exit(2);
        list[n].ptr = read_file(e->fts_path, &list[n].len);
        list[n++].path = strdup(e->fts_path);
    }
    if (fts) fts_close(fts);
    *ret = list;
    return n;
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    char *corpus = getenv("VAKA_CORPUS");
    char *fallback[] = {corpus, NULL};
    char **folders = argc > 1 + verbose ? argv + 1 + verbose : fallback;
    if (!folders[0]) {
        fprintf(stderr, "bench-evtx: no folder given and no corpus\n");
        return 2;
    }
    struct input *list;
    size_t n = load(folders, &list);
    struct keys *keys = keys_new();
    if (!n || !keys) return 2;
    struct counts all = {0};
    uint64_t bytes = 0;
    double start = now();
    do {
        for (size_t i = 0; i < n; i++) {
            struct counts before = all;
            if (!decode(&list[i], keys, &all)) return 1;
            bytes += list[i].len;
            if (verbose)
                printf("%s: records %llu, damaged %llu, notes %llu\n", list[i].path,
                       (unsigned long long)(all.records - before.records),
                       (unsigned long long)(all.damaged - before.damaged),
                       (unsigned long long)(all.bad - before.bad));
            if (keys_full(keys)) keys_clear(keys);
        }
    } while (!verbose && now() - start < 2);
    double seconds = now() - start;
    printf("{\"lane\":\"evtx\",\"files\":%zu,\"events\":%llu,\"bytes\":%llu,\"fields\":%llu,"
           "\"seconds\":%.3f,\"events_per_s\":%.0f,\"mb_per_s\":%.1f}\n",
           n, (unsigned long long)all.records, (unsigned long long)bytes,
           (unsigned long long)all.fields, seconds, (double)all.records / seconds,
           (double)bytes / seconds / 1e6);
    for (size_t i = 0; i < n; i++) {
        free(list[i].ptr);
        free(list[i].path);
    }
    free(list);
    keys_free(keys);
    return 0;
}
