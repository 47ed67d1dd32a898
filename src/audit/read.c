/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/files.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_write.h"

/* Lines that wait for their ends; the one that waits longest is told without. */
enum { WAITING_MAX = 1024 };

struct reader {
    nsec from, to;
    void *ctx;
    int (*entry)(void *ctx, struct slice line, struct slice end);
    char *waiting[WAITING_MAX]; /* lines, NUL behind them; in a ring */
    uint32_t first, n;
    uint64_t damaged;
};

static struct slice member(struct slice object, const char *name)
{
    struct slice value, inside;
    bool there = json_find_member(object, name, NULL, &value) && json_string_inside(value, &inside);
    return there ? inside : SLICE_NONE;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static char **waiting_at(struct reader *r, uint32_t i)
{
    return &r->waiting[(r->first + i) % WAITING_MAX];
}

static int tell(struct reader *r, char **line, struct slice end)
{
    int error = *line ? r->entry(r->ctx, slice_of(*line), end) : 0;
    free(*line);
    *line = NULL;
    return error;
}

static int drop_first(struct reader *r)
{
    int error = tell(r, waiting_at(r, 0), SLICE_NONE);
    r->first = (r->first + 1) % WAITING_MAX;
    r->n--;
    return error;
}

static int wait(struct reader *r, struct slice line)
{
    int error = r->n == WAITING_MAX ? drop_first(r) : 0;
    char *copy = malloc(line.len + 1);
    if (!copy) return ERR_NOMEM;
    memcpy(copy, line.ptr, line.len);
    copy[line.len] = '\0';
    *waiting_at(r, r->n++) = copy;
    return error;
}

static int end(struct reader *r, struct slice id, struct slice line)
{
    for (uint32_t i = 0; i < r->n; i++) {
        char **at = waiting_at(r, i);
        if (*at && slice_eq(member(slice_of(*at), "id"), id)) return tell(r, at, line);
    }
    return 0; /* of one that began before what is read */
}

/* ---- lines ------------------------------------------------------------------------------- */

static int take(struct reader *r, struct slice line)
{
    struct slice id, found;
    nsec time;
    bool good = slice_find_byte(line, '\0') == SIZE_MAX && json_is_object(line);
    id = good ? member(line, "id") : SLICE_NONE;
    if (id.len == 0 || !time_parse(member(line, "time"), 0, &time)) {
        r->damaged++;
        return 0;
    }
    if (json_find_member(line, "end", NULL, &found)) return end(r, id, line);
    return time >= r->from && time < r->to ? wait(r, line) : 0;
}

static int take_lines(struct reader *r, struct slice text)
{
    struct slice line;
    int error = 0;
    for (bool more = true; more && error == 0;) {
        more = slice_split(text, '\n', &line, &text);
        if (line.len) error = take(r, line);
    }
    return error;
}

/* One that is not there any more was removed meanwhile. */
static int read_file(int folder, const char *name, struct buf *ret, struct diag *diag)
{
    buf_clear(ret);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno == ENOENT ? 0 : audit_fail(name, diag);
    int error = file_read_fd(fd, name, ret, diag);
    (void)close(fd);
    return error;
}

/* The log as it is then, and the names of what was set aside before it, which nobody changes. */
static int look(int folder, struct buf *log, struct dirent ***ret_names, int *ret_n,
                struct diag *diag)
{
    if (flock(folder, LOCK_SH) != 0) return audit_fail("audit", diag);
    *ret_n = audit_files(folder, ret_names);
    int error = *ret_n < 0 ? audit_fail("audit", diag) : read_file(folder, AUDIT_LOG, log, diag);
    (void)flock(folder, LOCK_UN);
    return error;
}

/* Who is told may take his time, and be who writes the next line: nothing is locked meanwhile. */
static int take_files(struct reader *r, int folder, struct diag *diag)
{
    struct dirent **names = NULL;
    struct buf log, text;
    int n = 0;
    buf_init(&log, 2 * (size_t)AUDIT_FILE_MAX);
    buf_init(&text, 2 * (size_t)AUDIT_FILE_MAX);
    int error = look(folder, &log, &names, &n, diag);
    for (int i = 0; i < n && error == 0; i++) {
        error = read_file(folder, names[i]->d_name, &text, diag);
        if (error == 0) error = take_lines(r, buf_slice(&text));
    }
    audit_files_free(names, n);
    if (error == 0) error = take_lines(r, buf_slice(&log));
    while (r->n && error == 0) error = drop_first(r);
    buf_done(&text);
    buf_done(&log);
    return error;
}

int audit_read(const char *serve_folder, nsec from, nsec to, void *ctx,
               int (*entry)(void *ctx, struct slice line, struct slice end), uint64_t *ret_damaged,
               struct diag *diag)
{
    struct reader r = {.from = from, .to = to, .ctx = ctx, .entry = entry};
    char path[AUDIT_PATH_MAX];
    int error = audit_path(serve_folder, path, diag);
    if (error) return error;
    *ret_damaged = 0;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0) return errno == ENOENT ? 0 : audit_fail(path, diag);
    error = take_files(&r, folder, diag);
    for (uint32_t i = 0; i < r.n; i++) free(*waiting_at(&r, i));
    (void)close(folder);
    *ret_damaged = r.damaged;
    return error;
}

static void put_member(struct buf *out, const char *key, struct slice object, const char *name)
{
    struct slice value;
    json_write_key(out, key);
    if (object.len && json_find_member(object, name, NULL, &value)) buf_put(out, value);
    else buf_puts(out, "null");
}

void audit_write_json(struct buf *out, struct slice line, struct slice end)
{
    buf_put(out, slice_until(line, line.len - 1));
    put_member(out, "ended", end, "time");
    put_member(out, "end", end, "end");
    put_member(out, "found", end, "found");
    buf_puts(out, "}\n");
}
