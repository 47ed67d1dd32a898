/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/keeper.h"

#include <stdlib.h>
#include <sys/file.h>

#include "store/token.h"
#include "store/view.h"

struct known {
    uint64_t begin;
    enum index_state state;
};

const char *index_state_name(enum index_state state)
{
    static const char *const names[] = {
        [INDEX_CURRENT] = "current", [INDEX_MISSING] = "missing", [INDEX_STALE] = "stale",
        [INDEX_DAMAGED] = "damaged", [INDEX_UNFIT] = "unfit",     [INDEX_LEFT] = "left"};
    return names[state];
}

void index_keeper_init(struct index_keeper *k, const struct store_io *store,
                       const struct store_io *folder, uint64_t version)
{
    *k = (struct index_keeper){.store = store, .folder = folder, .version = version};
    buf_init(&k->known, STORE_VIEW_MAX * sizeof(struct known));
}

void index_keeper_done(struct index_keeper *k)
{
    buf_done(&k->known);
}

int index_lock(int folder, bool wait)
{
    return flock(folder, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 ? 0 : ERR_LIMIT;
}

void index_unlock(int folder)
{
    (void)flock(folder, LOCK_UN);
}

/* ---- one of them ------------------------------------------------------------------------- */

static int probe_file(const struct index_keeper *k, int file, const struct segment_footer *footer,
                      bool whole, enum index_state *ret)
{
    struct index_file f;
    int error = index_file_init(&f, k->folder, file, &(struct index_key){footer, k->version});
    if (error == ERR_NOMEM) return error;
    *ret = error == 0 ? INDEX_CURRENT : error == ERR_UNSUPPORTED ? INDEX_STALE : INDEX_DAMAGED;
    if (error) return 0;
    if (whole && index_file_check(&f) != 0) *ret = INDEX_DAMAGED;
    index_file_done(&f);
    return 0;
}

int index_probe(const struct index_keeper *k, uint64_t begin, bool whole, enum index_state *ret,
                uint64_t *ret_bytes)
{
    char name[STORE_NAME_MAX + 1];
    struct segment_footer footer;
    int error = segment_footer_load(k->store, "segment", begin, &footer);
    *ret_bytes = 0;
    *ret = INDEX_UNFIT;
    if (error == ERR_NOMEM) return error;
    if (error || footer.tokens != TOKEN_VERSION) return 0;
    *ret = INDEX_MISSING;
    if (!k->folder) return 0;
    segment_name(name, "index", begin);
    int file = k->folder->open(k->folder->ctx, name, STORE_READ);
    if (file == ERR_NOT_FOUND) return 0;
    *ret = INDEX_DAMAGED;
    if (file < 0) return 0;
    int64_t size = k->folder->size(k->folder->ctx, file);
    *ret_bytes = size > 0 ? (uint64_t)size : 0;
    error = probe_file(k, file, &footer, whole, ret);
    k->folder->close(k->folder->ctx, file);
    return error;
}

/* ---- all of them ------------------------------------------------------------------------- */

static size_t count(const struct index_keeper *k)
{
    return k->known.len / sizeof(struct known);
}

static struct known *at(const struct index_keeper *k, size_t i)
{
    return (struct known *)(void *)k->known.ptr + i;
}

static int by_begin(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static struct known *find(const struct index_keeper *k, uint64_t begin)
{
    const struct known key = {.begin = begin};
    return count(k) ? bsearch(&key, k->known.ptr, count(k), sizeof key, by_begin) : NULL;
}

struct listing {
    struct index_keeper *keeper;
    struct buf found; /* struct known, or the begins of files without a segment */
};

static int on_segment(void *ctx, const char *name)
{
    struct listing *l = ctx;
    struct known known = {0};
    uint64_t bytes;
    int error = 0;
    if (!segment_name_read(name, "segment", &known.begin)) return 0;
    const struct known *before = find(l->keeper, known.begin);
    if (before) known.state = before->state;
    else error = index_probe(l->keeper, known.begin, false, &known.state, &bytes);
    buf_put(&l->found, slice_make(&known, sizeof known));
    return error ? error : buf_error(&l->found);
}

static int on_index(void *ctx, const char *name)
{
    struct listing *l = ctx;
    uint64_t begin;
    if (!segment_name_read(name, "index", &begin) || find(l->keeper, begin)) return 0;
    buf_put(&l->found, slice_make(&begin, sizeof begin));
    return buf_error(&l->found);
}

/* Retention has taken the segment. */
static int remove_orphans(struct index_keeper *k)
{
    struct listing l = {.keeper = k};
    char name[STORE_NAME_MAX + 1];
    buf_init(&l.found, STORE_VIEW_MAX * sizeof(uint64_t));
    int error = k->folder->list(k->folder->ctx, on_index, &l);
    for (size_t i = 0; i < l.found.len && error == 0; i += sizeof(uint64_t)) {
        uint64_t begin;
        memcpy(&begin, l.found.ptr + i, sizeof begin);
        segment_name(name, "index", begin);
        error = k->folder->unlink(k->folder->ctx, name);
    }
    buf_done(&l.found);
    return error == ERR_NOT_FOUND ? 0 : error;
}

int index_keeper_look(struct index_keeper *k)
{
    struct listing l = {.keeper = k};
    buf_init(&l.found, STORE_VIEW_MAX * sizeof(struct known));
    int error = k->store->list(k->store->ctx, on_segment, &l);
    if (error) {
        buf_done(&l.found);
        return error;
    }
    buf_done(&k->known);
    k->known = l.found;
    if (count(k)) qsort(k->known.ptr, count(k), sizeof(struct known), by_begin);
    return k->folder ? remove_orphans(k) : 0;
}

static bool is_to_be_made(enum index_state state)
{
    return state == INDEX_MISSING || state == INDEX_STALE || state == INDEX_DAMAGED;
}

bool index_keeper_at(const struct index_keeper *k, size_t i, uint64_t *ret_begin)
{
    if (i >= count(k)) return false;
    *ret_begin = at(k, i)->begin;
    return true;
}

bool index_keeper_next(const struct index_keeper *k, uint64_t *ret_begin)
{
    for (size_t i = count(k); i > 0; i--) {
        if (!is_to_be_made(at(k, i - 1)->state)) continue;
        *ret_begin = at(k, i - 1)->begin;
        return true;
    }
    return false;
}

void index_keeper_note(struct index_keeper *k, uint64_t begin, enum index_state state)
{
    struct known *known = find(k, begin);
    if (known) known->state = state;
}

void index_keeper_count(const struct index_keeper *k, uint64_t ret[INDEX_STATES])
{
    memset(ret, 0, INDEX_STATES * sizeof *ret);
    for (size_t i = 0; i < count(k); i++) ret[at(k, i)->state]++;
}
