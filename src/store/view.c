/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/view.h"

#include <stdlib.h>

#include "store/journal.h"
#include "store/segment.h"

struct listing {
    struct buf *segments, *journals; /* u64 */
};

static int on_name(void *ctx, const char *name)
{
    const struct listing *l = ctx;
    uint64_t number;
    struct buf *to = segment_name_read(name, "segment", &number) ? l->segments
                     : journal_name_read(name, &number)          ? l->journals
                                                                 : NULL;
    if (to) buf_put(to, slice_make(&number, sizeof number));
    return to ? buf_error(to) : 0;
}

static uint64_t number_at(const struct buf *numbers, size_t i)
{
    uint64_t n;
    memcpy(&n, numbers->ptr + i * sizeof n, sizeof n);
    return n;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

static int list(const struct store_io *io, struct buf *segments, struct buf *journals)
{
    struct listing l = {.segments = segments, .journals = journals};
    buf_clear(segments);
    buf_clear(journals);
    int error = io->list(io->ctx, on_name, &l);
    struct buf *both[] = {segments, journals};
    for (size_t i = 0; i < 2 && error == 0; i++)
        if (both[i]->len)
            qsort(both[i]->ptr, both[i]->len / sizeof(uint64_t), sizeof(uint64_t), by_number);
    return error;
}

/* One that is gone by now is sealed. */
static int open_journals(const struct store_io *io, const struct buf *numbers, struct store_view *v)
{
    size_t n = numbers->len / sizeof(uint64_t);
    v->journals = calloc(n + 1, sizeof *v->journals);
    if (!v->journals) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        uint64_t first = number_at(numbers, i);
        int file = journal_open_shared(io, first);
        if (file == ERR_NOT_FOUND) continue;
        if (file < 0) return file;
        v->journals[v->n_journals++] = (struct store_view_journal){first, file};
    }
    return 0;
}

/* Of the last segment whose footer can be read. */
static uint64_t sealed_end(const struct store_io *io, const struct store_view *v)
{
    struct segment_footer f;
    for (size_t i = store_view_segments(v); i > 0; i--)
        if (segment_footer_load(io, "segment", store_view_segment(v, i - 1), &f) == 0)
            return f.begin + f.lost + f.records;
    return 0;
}

int store_view_open(const struct store_io *io, struct store_view *ret)
{
    struct buf journals;
    *ret = (struct store_view){.sealed = 0};
    buf_init(&ret->segments, STORE_VIEW_MAX * sizeof(uint64_t));
    buf_init(&journals, STORE_VIEW_MAX * sizeof(uint64_t));
    int error = list(io, &ret->segments, &journals);
    if (error == 0) error = open_journals(io, &journals, ret);
    if (error == 0) error = list(io, &ret->segments, &journals);
    if (error == 0) ret->sealed = sealed_end(io, ret);
    buf_done(&journals);
    return error;
}

void store_view_close(const struct store_io *io, struct store_view *v)
{
    for (size_t i = 0; i < v->n_journals; i++)
        if (v->journals[i].file >= 0) io->close(io->ctx, v->journals[i].file);
    free(v->journals);
    buf_done(&v->segments);
}

uint64_t store_view_segment(const struct store_view *v, size_t i)
{
    return number_at(&v->segments, i);
}
