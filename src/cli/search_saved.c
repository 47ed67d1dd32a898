/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/search_saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/hint.h"
#include "base/text.h"
#include "query/query.h"

enum { NAMES_MAX = 10000, NAME_COLUMNS = 24 };

bool saved_is_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > SAVED_NAME_MAX || name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '-' && c != '_' && c != '.') return false;
    }
    return true;
}

static int fail(struct diag *diag, const char *path)
{
    int error = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_ACCESS : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s: %s", path, strerror(errno));
}

static int make_path(char path[static PATH_MAX], const char *folder, const char *name,
                     const char *end, struct diag *diag)
{
    int n = snprintf(path, PATH_MAX, "%s/searches%s%s%s", folder, *name ? "/" : "", name, end);
    if (n > 0 && n < PATH_MAX) return 0;
    return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Of the folder's owner, as vaka serve is. */
static bool write_all(int fd, struct slice query, const struct stat *owner)
{
    bool good = write(fd, query.ptr, query.len) == (ssize_t)query.len && write(fd, "\n", 1) == 1;
    if (geteuid() == 0) good = good && fchown(fd, owner->st_uid, owner->st_gid) == 0;
    return good && fsync(fd) == 0;
}

static int write_fresh(const char *folder, const char *fresh, struct slice query, struct diag *diag)
{
    struct stat owner;
    if (stat(folder, &owner) != 0) return fail(diag, folder);
    (void)unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return fail(diag, fresh);
    bool good = write_all(fd, query, &owner);
    good = close(fd) == 0 && good;
    return good ? 0 : fail(diag, fresh);
}

static int make_folder(const char *serve_folder, const char *path, struct diag *diag)
{
    struct stat owner;
    int error = folder_make(path, 0750, diag);
    if (error || geteuid() != 0) return error;
    if (stat(serve_folder, &owner) == 0 && chown(path, owner.st_uid, owner.st_gid) == 0) return 0;
    return fail(diag, path);
}

int saved_write(const char *serve_folder, const char *name, struct slice query, struct diag *diag)
{
    char folder[PATH_MAX], path[PATH_MAX], fresh[PATH_MAX];
    int error = make_path(folder, serve_folder, "", "", diag);
    if (error == 0) error = make_path(path, serve_folder, name, "", diag);
    if (error == 0) error = make_path(fresh, serve_folder, name, "~", diag);
    if (error == 0) error = make_folder(serve_folder, folder, diag);
    if (error == 0) error = write_fresh(folder, fresh, query, diag);
    if (error == 0 && rename(fresh, path) != 0) error = fail(diag, path);
    return error ? error : folder_sync(folder, diag);
}

/* ---- reading ----------------------------------------------------------------------------- */

static int is_saved(const struct dirent *entry)
{
    return saved_is_name(entry->d_name);
}

static int read_names(const char *serve_folder, struct dirent ***ret, int *ret_n, struct diag *diag)
{
    char folder[PATH_MAX];
    int error = make_path(folder, serve_folder, "", "", diag);
    if (error) return error;
    *ret = NULL;
    *ret_n = scandir(folder, ret, is_saved, alphasort);
    if (*ret_n >= 0) return 0;
    *ret_n = 0;
    return errno == ENOENT ? 0 : fail(diag, folder);
}

static void free_names(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++) free(names[i]);
    free(names);
}

static int fail_unknown(const char *serve_folder, const char *name, struct diag *diag)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct dirent **names;
    struct hint hint;
    int n, error = read_names(serve_folder, &names, &n, diag);
    if (error) return error;
    hint_init(&hint, slice_of(name));
    for (int i = 0; i < n && i < NAMES_MAX; i++) hint_offer(&hint, slice_of(names[i]->d_name));
    error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no search is saved as `%s`%s",
                     hint_show(shown, slice_of(name)), hint_text(&hint, text));
    free_names(names, n);
    return error;
}

int saved_read(const char *serve_folder, const char *name, struct buf *out, struct diag *diag)
{
    char path[PATH_MAX];
    if (!saved_is_name(name)) return fail_unknown(serve_folder, name, diag);
    int error = make_path(path, serve_folder, name, "", diag);
    if (error == 0) error = file_read(path, out, diag);
    if (error == ERR_NOT_FOUND) return fail_unknown(serve_folder, name, diag);
    if (error == 0) out->len = slice_trim(buf_slice(out)).len;
    return error;
}

int saved_list(const char *serve_folder, struct buf *out, struct diag *diag)
{
    struct dirent **names;
    struct buf query;
    int n, error = read_names(serve_folder, &names, &n, diag);
    if (error) return error;
    buf_init(&query, QUERY_TEXT_MAX + 2);
    for (int i = 0; i < n && error == 0; i++) {
        buf_clear(&query);
        error = saved_read(serve_folder, names[i]->d_name, &query, diag);
        if (error == ERR_NOT_FOUND) error = 0; /* somebody was faster */
        text_put_padded(out, slice_of(names[i]->d_name), NAME_COLUMNS);
        buf_putc(out, ' ');
        (void)text_put_visible(out, buf_slice(&query), QUERY_TEXT_MAX);
        buf_putc(out, '\n');
    }
    buf_done(&query);
    free_names(names, n);
    return error;
}
