/* SPDX-License-Identifier: EUPL-1.2 */
#include "disk.h"

#include <stdlib.h>

#include "base/hash.h"

enum { DATA_MAX = 1 << 30 };

static void *grown(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n, size);
    if (!p) abort();
    return p;
}

/* ---- states ------------------------------------------------------------------------------ */

static void state_done(struct disk_state *s)
{
    for (uint32_t i = 0; i < s->cap_inodes; i++) free(s->inodes[i].bytes);
    free(s->inodes);
    free(s->names);
    *s = (struct disk_state){0};
}

static void state_clear(struct disk_state *s)
{
    s->n_inodes = s->n_names = 0;
}

/* Makes inode `number` exist, empty. */
static void inode_begin(struct disk_state *s, uint32_t number)
{
    if (number >= s->cap_inodes) {
        uint32_t cap = (number + 1) * 2;
        s->inodes = grown(s->inodes, cap, sizeof *s->inodes);
        memset(s->inodes + s->cap_inodes, 0, (cap - s->cap_inodes) * sizeof *s->inodes);
        s->cap_inodes = cap;
    }
    for (; s->n_inodes <= number; s->n_inodes++) s->inodes[s->n_inodes].size = 0;
}

static void inode_resize(struct disk_inode *inode, size_t size)
{
    if (size > inode->cap) {
        inode->cap = size * 2;
        inode->bytes = grown(inode->bytes, inode->cap, 1);
    }
    if (size > inode->size) memset(inode->bytes + inode->size, 0, size - inode->size);
    inode->size = size;
}

static void inode_write(struct disk_inode *inode, struct slice bytes, size_t offset)
{
    if (offset + bytes.len > inode->size) inode_resize(inode, offset + bytes.len);
    if (bytes.len > 0) memcpy(inode->bytes + offset, bytes.ptr, bytes.len);
}

static void names_reserve(struct disk_state *s, uint32_t n)
{
    if (n <= s->cap_names) return;
    s->cap_names = n * 2;
    s->names = grown(s->names, s->cap_names, sizeof *s->names);
}

static void state_copy(struct disk_state *to, const struct disk_state *from)
{
    state_clear(to);
    for (uint32_t i = 0; i < from->n_inodes; i++) {
        inode_begin(to, i);
        inode_write(&to->inodes[i], slice_make(from->inodes[i].bytes, from->inodes[i].size), 0);
    }
    names_reserve(to, from->n_names);
    if (from->n_names) memcpy(to->names, from->names, from->n_names * sizeof *to->names);
    to->n_names = from->n_names;
}

static uint32_t name_find(const struct disk_state *s, const char *name)
{
    uint32_t i = 0;
    while (i < s->n_names && strcmp(s->names[i].text, name) != 0) i++;
    return i;
}

static void name_set(struct disk_state *s, const char *name, uint32_t inode)
{
    uint32_t i = name_find(s, name);
    names_reserve(s, i + 1);
    if (i == s->n_names) s->n_names++;
    (void)snprintf(s->names[i].text, sizeof s->names[i].text, "%s", name);
    s->names[i].inode = inode;
}

/* What holds no name is gone, but its inode keeps its number. */
static bool name_drop(struct disk_state *s, const char *name, uint32_t *ret_inode)
{
    uint32_t i = name_find(s, name);
    if (i == s->n_names) return false;
    *ret_inode = s->names[i].inode;
    s->names[i] = s->names[--s->n_names];
    return true;
}

static void apply(struct disk_state *s, const struct disk_step *step, const struct buf *data)
{
    uint32_t inode;
    switch (step->kind) {
    case STEP_CREATE:
        name_set(s, step->from, step->inode);
        break;
    case STEP_RENAME:
        if (name_drop(s, step->from, &inode)) name_set(s, step->to, inode);
        break;
    case STEP_UNLINK:
        (void)name_drop(s, step->from, &inode);
        break;
    case STEP_WRITE:
        inode_write(&s->inodes[step->inode], slice_make(data->ptr + step->data, step->len),
                    step->offset);
        break;
    case STEP_RESIZE:
        inode_resize(&s->inodes[step->inode], step->offset);
        break;
    case STEP_SYNC_NAMES:
    case STEP_SYNC_DATA:
        break;
    }
}

/* ---- the disk ---------------------------------------------------------------------------- */

void disk_init(struct disk *d)
{
    *d = (struct disk){.total = UINT64_MAX};
    buf_init(&d->data, DATA_MAX);
}

void disk_done(struct disk *d)
{
    state_done(&d->now);
    state_done(&d->before);
    free(d->steps);
    buf_done(&d->data);
}

void disk_clear(struct disk *d)
{
    state_clear(&d->now);
    memset(d->open, 0, sizeof d->open);
    d->recording = false;
    d->n_steps = 0;
    d->bad_inode = 0;
}

void disk_record(struct disk *d)
{
    state_copy(&d->before, &d->now);
    d->recording = true;
    d->n_steps = 0;
    buf_clear(&d->data);
}

char *disk_bytes(struct disk *d, const char *name, size_t *ret_size)
{
    uint32_t i = name_find(&d->now, name);
    if (i == d->now.n_names) return NULL;
    const struct disk_inode *inode = &d->now.inodes[d->now.names[i].inode];
    *ret_size = inode->size;
    return inode->bytes;
}

/* Does it, and remembers it. */
static void change(struct disk *d, struct disk_step *step, struct slice bytes)
{
    size_t before = d->data.len;
    step->data = d->data.len;
    step->len = bytes.len;
    buf_put(&d->data, bytes);
    if (buf_failed(&d->data)) abort();
    apply(&d->now, step, &d->data);
    if (!d->recording) {
        d->data.len = before;
        return;
    }
    if (d->n_steps == d->cap_steps) {
        d->cap_steps = d->cap_steps ? d->cap_steps * 2 : 64;
        d->steps = grown(d->steps, d->cap_steps, sizeof *d->steps);
    }
    d->steps[d->n_steps++] = *step;
}

void disk_spoil(struct disk *d, const char *name, uint64_t from, uint64_t to)
{
    uint32_t i = name_find(&d->now, name);
    if (i == d->now.n_names) abort();
    d->bad_inode = d->now.names[i].inode + 1;
    d->bad_from = from;
    d->bad_to = to;
}

uint64_t disk_used(const struct disk *d)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < d->now.n_names; i++) sum += d->now.inodes[d->now.names[i].inode].size;
    return sum;
}

static struct disk_inode *inode_of(struct disk *d, int file)
{
    if (file < 0 || file >= DISK_OPEN_MAX || d->open[file].inode == 0) abort();
    return &d->now.inodes[d->open[file].inode - 1];
}

static bool fits(const struct disk *d, const struct disk_inode *inode, uint64_t size)
{
    return size <= inode->size || size - inode->size <= d->total - disk_used(d);
}

static void set_name(char to[STORE_NAME_MAX + 1], const char *name)
{
    (void)snprintf(to, STORE_NAME_MAX + 1, "%s", name);
}

static int disk_open(void *ctx, const char *name, enum store_open_mode mode)
{
    struct disk *d = ctx;
    int file = 0;
    if (!store_name_valid(name)) return ERR_INVALID;
    while (file < DISK_OPEN_MAX && d->open[file].inode != 0) file++;
    if (file == DISK_OPEN_MAX) return ERR_IO;
    uint32_t i = name_find(&d->now, name);
    if (mode == STORE_CREATE) {
        if (i < d->now.n_names) return ERR_INVALID;
        struct disk_step step = {.kind = STEP_CREATE, .inode = d->now.n_inodes};
        set_name(step.from, name);
        inode_begin(&d->now, step.inode);
        change(d, &step, SLICE_NONE);
        d->open[file].inode = step.inode + 1;
    } else {
        if (i == d->now.n_names) return ERR_NOT_FOUND;
        d->open[file].inode = d->now.names[i].inode + 1;
    }
    d->open[file].writable = mode != STORE_READ;
    return file;
}

static void disk_close(void *ctx, int file)
{
    struct disk *d = ctx;
    (void)inode_of(d, file);
    d->open[file].inode = 0;
}

static int64_t disk_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    struct disk *d = ctx;
    const struct disk_inode *inode = inode_of(d, file);
    if (offset >= inode->size) return 0;
    if (len > inode->size - offset) len = inode->size - offset;
    if (d->open[file].inode == d->bad_inode && offset < d->bad_to && offset + len > d->bad_from)
        return ERR_IO;
    memcpy(to, inode->bytes + offset, len);
    return (int64_t)len;
}

/* Whether a page's worth of bytes, as disks keep them, is more than zeros, or cannot be read. */
static bool has_data(struct disk *d, int file, uint64_t page)
{
    const struct disk_inode *inode = inode_of(d, file);
    uint64_t from = page * DISK_PAGE, to = from + DISK_PAGE;
    if (to > inode->size) to = inode->size;
    if (d->open[file].inode == d->bad_inode && from < d->bad_to && to > d->bad_from) return true;
    for (; from < to; from++)
        if (inode->bytes[from] != 0) return true;
    return false;
}

static uint64_t disk_data(void *ctx, int file, uint64_t offset, uint64_t *ret_end)
{
    struct disk *d = ctx;
    uint64_t size = inode_of(d, file)->size, page = offset / DISK_PAGE;
    while (page * DISK_PAGE < size && !has_data(d, file, page)) page++;
    uint64_t begin = page * DISK_PAGE;
    while (page * DISK_PAGE < size && has_data(d, file, page)) page++;
    *ret_end = page * DISK_PAGE < size ? page * DISK_PAGE : size;
    if (begin > size) begin = size;
    return begin > offset ? begin : offset;
}

static int64_t disk_write(void *ctx, int file, struct slice bytes, uint64_t offset)
{
    struct disk *d = ctx;
    const struct disk_inode *inode = inode_of(d, file);
    if (!d->open[file].writable) return ERR_IO;
    if (!fits(d, inode, offset + bytes.len)) return ERR_LIMIT;
    struct disk_step step = {
        .kind = STEP_WRITE, .inode = d->open[file].inode - 1, .offset = offset};
    change(d, &step, bytes);
    return (int64_t)bytes.len;
}

static int64_t disk_size(void *ctx, int file)
{
    return (int64_t)inode_of(ctx, file)->size;
}

static int resize(struct disk *d, int file, uint64_t size)
{
    if (!d->open[file].writable) return ERR_IO;
    struct disk_step step = {.kind = STEP_RESIZE, .inode = d->open[file].inode - 1, .offset = size};
    change(d, &step, SLICE_NONE);
    return 0;
}

static int disk_truncate(void *ctx, int file, uint64_t size)
{
    struct disk *d = ctx;
    const struct disk_inode *inode = inode_of(d, file);
    return fits(d, inode, size) ? resize(d, file, size) : ERR_LIMIT;
}

static int disk_allocate(void *ctx, int file, uint64_t size)
{
    struct disk *d = ctx;
    const struct disk_inode *inode = inode_of(d, file);
    if (size <= inode->size) return 0;
    return fits(d, inode, size) ? resize(d, file, size) : ERR_LIMIT;
}

static int disk_sync_data(void *ctx, int file)
{
    struct disk *d = ctx;
    (void)inode_of(d, file);
    struct disk_step step = {.kind = STEP_SYNC_DATA, .inode = d->open[file].inode - 1};
    if (!d->lies) change(d, &step, SLICE_NONE);
    return 0;
}

static int disk_sync_names(void *ctx)
{
    struct disk *d = ctx;
    struct disk_step step = {.kind = STEP_SYNC_NAMES};
    if (!d->lies) change(d, &step, SLICE_NONE);
    return 0;
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
    struct disk *d = ctx;
    struct disk_step step = {.kind = STEP_RENAME};
    if (!store_name_valid(from) || !store_name_valid(to)) return ERR_INVALID;
    if (name_find(&d->now, from) == d->now.n_names) return ERR_NOT_FOUND;
    set_name(step.from, from);
    set_name(step.to, to);
    change(d, &step, SLICE_NONE);
    return 0;
}

static int disk_unlink(void *ctx, const char *name)
{
    struct disk *d = ctx;
    struct disk_step step = {.kind = STEP_UNLINK};
    if (!store_name_valid(name)) return ERR_INVALID;
    if (name_find(&d->now, name) == d->now.n_names) return ERR_NOT_FOUND;
    set_name(step.from, name);
    change(d, &step, SLICE_NONE);
    return 0;
}

static int disk_list(void *ctx, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
    const struct disk *d = ctx;
    int result = 0;
    for (uint32_t i = 0; i < d->now.n_names && result == 0; i++)
        result = each(each_ctx, d->now.names[i].text);
    return result;
}

static int disk_space(void *ctx, uint64_t *ret_total, uint64_t *ret_free)
{
    const struct disk *d = ctx;
    *ret_total = d->total;
    *ret_free = d->total - disk_used(d);
    return 0;
}

/* Nobody else is at work on it. */
static int disk_share(void *ctx, int file)
{
    (void)ctx, (void)file;
    return 0;
}

/* Every write may be on this disk at any time. */
static void disk_write_back(void *ctx, int file, uint64_t offset, uint64_t len)
{
    (void)ctx, (void)file, (void)offset, (void)len;
}

struct store_io disk_io(struct disk *d)
{
    return (struct store_io){.open = disk_open,
                             .close = disk_close,
                             .read = disk_read,
                             .write = disk_write,
                             .size = disk_size,
                             .data = disk_data,
                             .truncate = disk_truncate,
                             .allocate = disk_allocate,
                             .share = disk_share,
                             .write_back = disk_write_back,
                             .sync_data = disk_sync_data,
                             .sync_names = disk_sync_names,
                             .rename = disk_rename,
                             .unlink = disk_unlink,
                             .list = disk_list,
                             .space = disk_space,
                             .ctx = d};
}

/* ---- power cuts -------------------------------------------------------------------------- */

void disk_cut_init(struct disk_cut *c, const struct disk *disk)
{
    *c = (struct disk_cut){.disk = disk};
    state_copy(&c->durable, &disk->before);
}

void disk_cut_done(struct disk_cut *c)
{
    state_done(&c->durable);
    free(c->pending);
}

static bool is_of_names(const struct disk_step *step)
{
    return step->kind == STEP_CREATE || step->kind == STEP_RENAME || step->kind == STEP_UNLINK;
}

/* Those that this sync makes durable leave the list. */
static void settle(struct disk_cut *c, const struct disk_step *sync)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n_pending; i++) {
        const struct disk_step *step = &c->disk->steps[c->pending[i]];
        bool settled = sync->kind == STEP_SYNC_NAMES
                           ? is_of_names(step)
                           : !is_of_names(step) && step->inode == sync->inode;
        if (settled) {
            apply(&c->durable, step, &c->disk->data);
        } else {
            c->pending[kept++] = c->pending[i];
        }
    }
    c->n_pending = kept;
}

bool disk_cut_next(struct disk_cut *c)
{
    if (c->at == c->disk->n_steps) return false;
    const struct disk_step *step = &c->disk->steps[c->at];
    if (step->kind == STEP_CREATE) inode_begin(&c->durable, step->inode);
    if (step->kind == STEP_SYNC_NAMES || step->kind == STEP_SYNC_DATA) {
        settle(c, step);
    } else {
        if (c->n_pending == c->cap_pending) {
            c->cap_pending = c->cap_pending ? c->cap_pending * 2 : 64;
            c->pending = grown(c->pending, c->cap_pending, sizeof *c->pending);
        }
        c->pending[c->n_pending++] = c->at;
    }
    c->at++;
    return true;
}

static uint64_t chance(uint64_t *seed)
{
    *seed = hash_mix(*seed + 1, UINT64_C(0x9e3779b97f4a7c15));
    return *seed >> 20;
}

/* Each sector of the write by itself: by chance, all up to one, or all from one on. */
static void apply_torn(struct disk_state *s, const struct disk_step *step, const struct buf *data,
                       uint64_t *seed)
{
    uint64_t how = chance(seed) % 3;
    size_t n = (step->len + DISK_SECTOR - 1) / DISK_SECTOR + 1, edge = chance(seed) % n;
    uint64_t at = step->offset, end = step->offset + step->len;
    for (size_t i = 0; at < end; i++) {
        uint64_t next = (at / DISK_SECTOR + 1) * DISK_SECTOR;
        if (next > end) next = end;
        if (how == 0 ? chance(seed) % 2 == 0 : how == 1 ? i < edge : i >= edge) {
            struct disk_step part = *step;
            part.offset = at;
            part.data += at - step->offset;
            part.len = next - at;
            apply(s, &part, data);
        }
        at = next;
    }
}

void disk_cut_image(const struct disk_cut *c, enum disk_reached reached, uint64_t arg,
                    struct disk *image)
{
    disk_clear(image);
    state_copy(&image->now, &c->durable);
    uint64_t seed = arg;
    for (size_t i = 0; i < c->n_pending; i++) {
        const struct disk_step *step = &c->disk->steps[c->pending[i]];
        if (reached == REACHED_NONE || (reached == REACHED_ALL_BUT && i == arg)) continue;
        if (reached == REACHED_SOME && chance(&seed) % 2) continue;
        if (reached == REACHED_TORN && step->kind == STEP_WRITE) {
            apply_torn(&image->now, step, &c->disk->data, &seed);
        } else if (reached != REACHED_TORN || chance(&seed) % 4) {
            apply(&image->now, step, &c->disk->data);
        }
    }
}
