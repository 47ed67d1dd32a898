/* SPDX-License-Identifier: EUPL-1.2 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/files.h"
#include "base/folder.h"
#include "base/json_write.h"

enum { LINE_MAX_BYTES = 8 * (AUDIT_QUERY_MAX + 4 * AUDIT_TEXT_MAX) };

/* ---- the folder -------------------------------------------------------------------------- */

static int make_folder(const char *serve_folder, const char *path, struct diag *diag)
{
    struct stat above, st;
    if (stat(serve_folder, &above) != 0) return audit_fail(serve_folder, diag);
    if (stat(path, &st) == 0) return 0;
    int error = folder_make(path, FOLDER_OWN, diag);
    if (error == 0 && geteuid() == 0 && chown(path, above.st_uid, above.st_gid) != 0)
        error = audit_fail(path, diag);
    return error;
}

static int open_locked(const char *path, struct diag *diag)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder >= 0 && flock(folder, LOCK_EX) == 0) return folder;
    int error = audit_fail(path, diag);
    if (folder >= 0) (void)close(folder);
    return error;
}

/* ---- files ------------------------------------------------------------------------------- */

/* The oldest go when there are too many. */
static bool remove_old(int folder)
{
    struct dirent **names;
    int n = audit_files(folder, &names);
    bool good = n >= 0;
    for (int i = 0; i + AUDIT_FILES_MAX < n && good; i++)
        good = unlinkat(folder, names[i]->d_name, 0) == 0;
    audit_files_free(names, n);
    return good;
}

/* log-20261224T120000.123Z */
static bool set_aside(int folder, nsec now)
{
    char name[64] = AUDIT_LOG "-";
    size_t at = strlen(name);
    struct buf text;
    buf_init(&text, sizeof name);
    time_write_rfc3339(&text, now);
    for (size_t i = 0; i < text.len && at + 1 < sizeof name; i++)
        if (text.ptr[i] != '-' && text.ptr[i] != ':') name[at++] = text.ptr[i];
    name[at] = '\0';
    buf_done(&text);
    return renameat2(folder, AUDIT_LOG, folder, name, RENAME_NOREPLACE) == 0 &&
           remove_old(folder) && fsync(folder) == 0;
}

static int open_log(int folder, bool *ret_made)
{
    struct stat owner;
    int fd = openat(folder, AUDIT_LOG, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    *ret_made = fd < 0 && errno == ENOENT;
    if (!*ret_made) return fd;
    fd = openat(folder, AUDIT_LOG, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0;
    if (good && geteuid() == 0)
        good = fstat(folder, &owner) == 0 && fchown(fd, owner.st_uid, owner.st_gid) == 0;
    if (good) return fd;
    if (fd >= 0) (void)close(fd);
    return -1;
}

/* The end of a line that a crash cut off must not become a part of this one. */
static bool begins_anew(int fd, off_t size)
{
    char last = '\n';
    if (size > 0 && pread(fd, &last, 1, size - 1) != 1) return false;
    return last == '\n' || write(fd, "\n", 1) == 1;
}

/* All of it, durably, or nothing. */
static bool append(int fd, struct slice line)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !begins_anew(fd, st.st_size)) return false;
    if (write(fd, line.ptr, line.len) == (ssize_t)line.len && fdatasync(fd) == 0) return true;
    int number = errno ? errno : ENOSPC; /* a short write sets none */
    /* What stays of it when that fails is a damaged line. */
    if (ftruncate(fd, st.st_size) == 0) errno = number;
    return false;
}

static bool write_line(int folder, struct slice line, nsec now)
{
    struct stat st;
    bool made;
    bool full =
        fstatat(folder, AUDIT_LOG, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > AUDIT_FILE_MAX;
    if (full && !set_aside(folder, now)) return false;
    int fd = open_log(folder, &made);
    errno = fd < 0 ? errno : 0;
    bool good = fd >= 0 && append(fd, line) && (!made || fsync(folder) == 0);
    int number = errno;
    if (fd >= 0) (void)close(fd);
    errno = number;
    return good;
}

static int write_entry(const char *path, const struct buf *line, nsec now, struct diag *diag)
{
    int folder = open_locked(path, diag);
    if (folder < 0) return folder;
    int error = 0;
    if (buf_failed(line)) error = diag_set(diag, buf_error(line), NULL, 0, 0, "%s", path);
    else if (!write_line(folder, buf_slice(line), now)) error = audit_fail(path, diag);
    (void)close(folder);
    return error;
}

/* ---- entries ----------------------------------------------------------------------------- */

static bool make_id(char id[AUDIT_ID + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[AUDIT_ID / 2];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        id[2 * i] = digits[bytes[i] >> 4];
        id[2 * i + 1] = digits[bytes[i] & 15];
    }
    id[AUDIT_ID] = '\0';
    return true;
}

static void put_head(struct buf *out, nsec now, const char *id)
{
    buf_puts(out, "{\"time\":\"");
    time_write_rfc3339(out, now);
    buf_putc(out, '"');
    json_write_member_string(out, "id", slice_of(id));
}

static void put_bound(struct buf *out, const char *key, nsec t)
{
    bool open = t == INT64_MIN || t == INT64_MAX;
    json_write_key(out, key);
    buf_puts(out, open ? "null" : "\"");
    if (open) return;
    time_write_rfc3339(out, t);
    buf_putc(out, '"');
}

static void put_begin(struct buf *out, const char *id, const struct audit_entry *e)
{
    put_head(out, e->now, id);
    json_write_member_string(out, "what", slice_of(e->what));
    json_write_member_u64(out, "uid", e->uid);
    json_write_member_string(out, "user", slice_until(e->user, AUDIT_TEXT_MAX));
    json_write_member_string(out, "login", slice_until(e->login, AUDIT_TEXT_MAX));
    json_write_member_string(out, "query", slice_until(e->query, AUDIT_QUERY_MAX));
    put_bound(out, "from", e->from);
    put_bound(out, "to", e->to);
    json_write_member_string(out, "purpose", slice_until(e->purpose, AUDIT_TEXT_MAX));
    buf_puts(out, "}\n");
}

int audit_begin(const char *serve_folder, const struct audit_entry *entry, struct audit *ret,
                struct diag *diag)
{
    struct audit a;
    struct buf line;
    int error = audit_path(serve_folder, a.folder, diag);
    if (error == 0 && !make_id(a.id)) error = audit_fail("getrandom", diag);
    if (error == 0) error = make_folder(serve_folder, a.folder, diag);
    if (error) return error;
    buf_init(&line, LINE_MAX_BYTES);
    put_begin(&line, a.id, entry);
    error = write_entry(a.folder, &line, entry->now, diag);
    buf_done(&line);
    if (error == 0) *ret = a;
    return error;
}

int audit_end(const struct audit *a, nsec now, const char *how, uint64_t found, struct diag *diag)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    put_head(&line, now, a->id);
    json_write_member_string(&line, "end", slice_of(how));
    json_write_member_u64(&line, "found", found);
    buf_puts(&line, "}\n");
    int error = write_entry(a->folder, &line, now, diag);
    buf_done(&line);
    return error;
}
