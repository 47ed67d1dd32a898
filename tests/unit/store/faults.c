/* SPDX-License-Identifier: EUPL-1.2 */
#include "faults.h"

/* What a call is, for the way it fails. */
enum call { CALL_SPACE, CALL_SYNC, CALL_OTHER };

static bool is_hit(const struct faults *f)
{
    return f->at != 0 && f->calls >= f->at && (f->for_good || f->calls == f->at);
}

/* The error of this call; 0: it goes on. */
static int fault(struct faults *f, enum call call)
{
    if (f->kind == FAULT_SYNC && call != CALL_SYNC) return 0;
    f->calls++;
    if (!is_hit(f)) return 0;
    return f->kind != FAULT_IO && call == CALL_SPACE ? ERR_LIMIT : ERR_IO;
}

bool faults_happened(const struct faults *f)
{
    return f->at != 0 && f->calls >= f->at;
}

static int faults_open(void *ctx, const char *name, enum store_open_mode mode)
{
    struct faults *f = ctx;
    int error = fault(f, mode == STORE_CREATE ? CALL_SPACE : CALL_OTHER);
    return error ? error : f->below->open(f->below->ctx, name, mode);
}

static void faults_close(void *ctx, int file)
{
    const struct faults *f = ctx;
    f->below->close(f->below->ctx, file);
}

static int64_t faults_read(void *ctx, int file, void *to, size_t len, uint64_t offset)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    if (error && f->kind == FAULT_SHORT && len > 1) {
        error = 0;
        len /= 2;
    }
    return error ? error : f->below->read(f->below->ctx, file, to, len, offset);
}

static int64_t faults_write(void *ctx, int file, struct slice bytes, uint64_t offset)
{
    struct faults *f = ctx;
    int error = f->after_short ? ERR_LIMIT : fault(f, CALL_SPACE);
    f->after_short = false;
    if (!error) return f->below->write(f->below->ctx, file, bytes, offset);
    if (f->kind == FAULT_FULL || bytes.len < 2) return error;
    int64_t n = f->below->write(f->below->ctx, file, slice_until(bytes, bytes.len / 2), offset);
    if (f->kind == FAULT_IO) return error;
    f->after_short = true;
    return n;
}

static int64_t faults_size(void *ctx, int file)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    return error ? error : f->below->size(f->below->ctx, file);
}

static int faults_truncate(void *ctx, int file, uint64_t size)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    return error ? error : f->below->truncate(f->below->ctx, file, size);
}

static int faults_allocate(void *ctx, int file, uint64_t size)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_SPACE);
    return error ? error : f->below->allocate(f->below->ctx, file, size);
}

static int faults_sync_data(void *ctx, int file)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_SYNC);
    return error ? error : f->below->sync_data(f->below->ctx, file);
}

static int faults_sync_names(void *ctx)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_SYNC);
    return error ? error : f->below->sync_names(f->below->ctx);
}

static int faults_rename(void *ctx, const char *from, const char *to)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_SPACE);
    return error ? error : f->below->rename(f->below->ctx, from, to);
}

static int faults_unlink(void *ctx, const char *name)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    return error ? error : f->below->unlink(f->below->ctx, name);
}

static int faults_list(void *ctx, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    return error ? error : f->below->list(f->below->ctx, each, each_ctx);
}

static int faults_space(void *ctx, uint64_t *ret_total, uint64_t *ret_free)
{
    struct faults *f = ctx;
    int error = fault(f, CALL_OTHER);
    return error ? error : f->below->space(f->below->ctx, ret_total, ret_free);
}

static uint64_t faults_data(void *ctx, int file, uint64_t offset, uint64_t *ret_end)
{
    const struct faults *f = ctx;
    return f->below->data(f->below->ctx, file, offset, ret_end);
}

static int faults_share(void *ctx, int file)
{
    const struct faults *f = ctx;
    return f->below->share(f->below->ctx, file);
}

/* It promises nothing, so nothing of it can fail. */
static void faults_write_back(void *ctx, int file, uint64_t offset, uint64_t len)
{
    const struct faults *f = ctx;
    f->below->write_back(f->below->ctx, file, offset, len);
}

struct store_io faults_io(struct faults *f)
{
    return (struct store_io){.open = faults_open,
                             .close = faults_close,
                             .read = faults_read,
                             .write = faults_write,
                             .size = faults_size,
                             .truncate = faults_truncate,
                             .allocate = faults_allocate,
                             .data = faults_data,
                             .share = faults_share,
                             .write_back = faults_write_back,
                             .sync_data = faults_sync_data,
                             .sync_names = faults_sync_names,
                             .rename = faults_rename,
                             .unlink = faults_unlink,
                             .list = faults_list,
                             .space = faults_space,
                             .ctx = f};
}
