/* SPDX-License-Identifier: EUPL-1.2 */
#include "search/saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/hint.h"
#include "query/query.h"

bool saved_is_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > SAVED_NAME_MAX || name[0] == '.' || name[0] == '-') return false;
    return slice_is_plain(slice_of(name), "-_.");
}

static int fail(struct diag *diag, const char *path)
{
    int error = errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_ACCESS : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s: %s", path, strerror(errno));
}

int saved_folder(const char *serve_folder, char ret[static PATH_MAX], struct diag *diag)
{
    int n = snprintf(ret, PATH_MAX, "%s/" SAVED_FOLDER, serve_folder);
    if (n > 0 && n < PATH_MAX) return 0;
    return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
}

int saved_make_folder(const char *serve_folder, struct diag *diag)
{
    struct stat owner;
    char path[PATH_MAX];
    int error = saved_folder(serve_folder, path, diag);
    if (error == 0) error = folder_make(path, 0750, diag);
    if (error || geteuid() != 0) return error;
    if (stat(serve_folder, &owner) == 0 && chown(path, owner.st_uid, owner.st_gid) == 0) return 0;
    return fail(diag, path);
}

/* ---- reading ----------------------------------------------------------------------------- */

static int is_saved(const struct dirent *entry)
{
    return saved_is_name(entry->d_name);
}

static int read_names(const char *folder, struct dirent ***ret, int *ret_n, struct diag *diag)
{
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

static int fail_unknown(const char *folder, const char *name, struct diag *diag)
{
    char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
    struct dirent **names;
    struct hint hint;
    int n, error = read_names(folder, &names, &n, diag);
    if (error) return error;
    hint_init(&hint, slice_of(name));
    for (int i = 0; i < n && i < SAVED_MAX; i++) hint_offer(&hint, slice_of(names[i]->d_name));
    error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no search is saved as `%s`%s",
                     hint_show(shown, slice_of(name)), hint_text(&hint, text));
    free_names(names, n);
    return error;
}

static int make_path(char path[static PATH_MAX], const char *folder, const char *name,
                     struct diag *diag)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (n > 0 && n < PATH_MAX) return 0;
    return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "serve.folder is too long");
}

int saved_read(const char *folder, const char *name, struct buf *out, struct diag *diag)
{
    char path[PATH_MAX];
    if (!saved_is_name(name)) return fail_unknown(folder, name, diag);
    int error = make_path(path, folder, name, diag);
    if (error == 0) error = file_read(path, out, diag);
    if (error == ERR_NOT_FOUND) return fail_unknown(folder, name, diag);
    if (error == 0) out->len = slice_trim(buf_slice(out)).len;
    return error;
}

int saved_each(const char *folder, void (*take)(void *ctx, const char *name, struct slice query),
               void *ctx, struct diag *diag)
{
    struct dirent **names;
    struct buf query;
    int n, error = read_names(folder, &names, &n, diag);
    if (error == 0 && n > SAVED_MAX)
        error = diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: more than %d files", folder, SAVED_MAX);
    buf_init(&query, QUERY_TEXT_MAX + 2);
    for (int i = 0; i < n && error == 0; i++) {
        buf_clear(&query);
        error = saved_read(folder, names[i]->d_name, &query, diag);
        if (error == 0) take(ctx, names[i]->d_name, buf_slice(&query));
        if (error == ERR_NOT_FOUND) error = 0; /* somebody was faster */
    }
    buf_done(&query);
    free_names(names, n);
    return error;
}

/* ---- changing ---------------------------------------------------------------------------- */

int saved_write(const char *folder, const char *name, struct slice query, struct diag *diag)
{
    struct buf text;
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) return fail(diag, folder);
    buf_init(&text, QUERY_TEXT_MAX + 2);
    buf_put(&text, query);
    buf_putc(&text, '\n');
    int error = buf_error(&text);
    if (error == 0 && folder_replace(at, name, buf_slice(&text)) != 0) error = fail(diag, folder);
    buf_done(&text);
    (void)close(at);
    return error;
}

int saved_drop(const char *folder, const char *name, struct diag *diag)
{
    if (!saved_is_name(name)) return fail_unknown(folder, name, diag);
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = at >= 0 && unlinkat(at, name, 0) == 0 && fsync(at) == 0;
    int error = good ? 0 : errno == ENOENT ? fail_unknown(folder, name, diag) : fail(diag, folder);
    if (at >= 0) (void)close(at);
    return error;
}
