/* SPDX-License-Identifier: EUPL-1.2 */
#include "hunt/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

enum { LIST_MEMORY = 1024 * 1024 * 1024 };

void source_list_init(struct source_list *list, void *ctx,
                      void (*unreadable)(void *ctx, const char *path, const char *why))
{
    *list = (struct source_list){.ctx = ctx, .unreadable = unreadable};
    arena_init(&list->arena, LIST_MEMORY);
}

void source_list_done(struct source_list *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i].fd >= 0) (void)close(list->items[i].fd);
    arena_done(&list->arena);
    free(list->items);
    *list = (struct source_list){0};
}

static int list_append(struct source_list *list, const struct source *source)
{
    if (list->n == SOURCES_MAX) return ERR_LIMIT;
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 256;
        struct source *items = realloc(list->items, cap * sizeof *items);
        if (!items) return ERR_NOMEM;
        list->items = items;
        list->cap = cap;
    }
    struct source copy = *source;
    struct slice path = arena_dup(&list->arena, slice_of(source->path));
    if (!path.ptr) return ERR_NOMEM;
    copy.path = path.ptr;
    list->items[list->n++] = copy;
    if (__builtin_add_overflow(list->bytes, copy.size, &list->bytes)) list->bytes = UINT64_MAX;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

struct folder {
    char **names; /* each allocated */
    size_t n, cap;
};

static void folder_done(struct folder *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->names[i]);
    free(f->names);
}

static int folder_read(struct folder *f, DIR *dir)
{
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (f->n == SOURCES_MAX) return ERR_LIMIT;
        if (f->n == f->cap) {
            size_t cap = f->cap ? f->cap * 2 : 64;
            char **names = realloc(f->names, cap * sizeof *names);
            if (!names) return ERR_NOMEM;
            f->names = names;
            f->cap = cap;
        }
        if (!(f->names[f->n] = strdup(name))) return ERR_NOMEM;
        f->n++;
    }
    if (f->n > 0) qsort(f->names, f->n, sizeof *f->names, compare_names);
    return 0;
}

static int walk(struct source_list *list, int fd, struct buf *path, unsigned depth);

/* One name in a folder. `path` holds the folder's path and gets it back unchanged. */
static int walk_entry(struct source_list *list, int folder_fd, const char *name, struct buf *path,
                      unsigned depth)
{
    struct stat st;
    size_t base = path->len;
    if (base > 0 && path->ptr[base - 1] != '/') buf_putc(path, '/');
    buf_put(path, (struct slice){name, strlen(name) + 1});
    int result = 0;
    if (buf_failed(path)) {
        path->failed = false;
        path->len = base;
        buf_putc(path, '\0');
        list->unreadable(list->ctx, path->ptr, "a path in it is too long");
    } else if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        list->unreadable(list->ctx, path->ptr, strerror(errno));
    } else if (S_ISREG(st.st_mode)) {
        result = list_append(
            list, &(struct source){
                      .path = path->ptr, .size = (uint64_t)st.st_size, .regular = true, .fd = -1});
    } else if (S_ISDIR(st.st_mode)) {
        int fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) {
            list->unreadable(list->ctx, path->ptr, strerror(errno));
        } else {
            path->len--; /* the NUL */
            result = walk(list, fd, path, depth + 1);
        }
    }
    path->len = base;
    return result;
}

/* Takes fd. */
static int walk(struct source_list *list, int fd, struct buf *path, unsigned depth)
{
    struct folder folder = {0};
    DIR *dir = NULL;
    const char *why = NULL;
    if (depth > SOURCE_DEPTH_MAX) why = "folders are nested too deeply";
    else if (!(dir = fdopendir(fd))) why = strerror(errno);
    int result = 0;
    if (why) {
        buf_putc(path, '\0');
        if (!buf_failed(path)) list->unreadable(list->ctx, path->ptr, why);
    } else {
        result = folder_read(&folder, dir);
        for (size_t i = 0; result == 0 && i < folder.n; i++)
            result = walk_entry(list, dirfd(dir), folder.names[i], path, depth);
    }
    folder_done(&folder);
    if (dir) (void)closedir(dir);
    else (void)close(fd);
    return result;
}

/* Standard input, a pipe, a device: opened now, while the process may still do that. */
static int add_stream(struct source_list *list, const char *path)
{
    struct stat st;
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? fcntl(0, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        list->unreadable(list->ctx, path, strerror(errno));
        return 0;
    }
    struct source source = {.path = path, .named = true, .fd = fd};
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) source.size = (uint64_t)st.st_size;
    int result = list_append(list, &source);
    if (result) (void)close(fd);
    return result;
}

static int add_folder(struct source_list *list, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        list->unreadable(list->ctx, path, strerror(errno));
        return 0;
    }
    struct buf text;
    buf_init(&text, SOURCE_PATH_MAX);
    buf_puts(&text, path);
    int result = walk(list, fd, &text, 1);
    buf_done(&text);
    return result;
}

int source_list_add(struct source_list *list, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0) return add_stream(list, path);
    if (stat(path, &st) != 0) {
        list->unreadable(list->ctx, path, strerror(errno));
        return 0;
    }
    if (S_ISDIR(st.st_mode)) return add_folder(list, path);
    if (!S_ISREG(st.st_mode)) return add_stream(list, path);
    return list_append(
        list,
        &(struct source){
            .path = path, .size = (uint64_t)st.st_size, .regular = true, .named = true, .fd = -1});
}

int source_open(const struct source *source)
{
    if (source->fd >= 0) return fcntl(source->fd, F_DUPFD_CLOEXEC, 3);
    /* Between the walk and now a file may have become a link, or a pipe without a writer. */
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (!source->named) flags |= O_NOFOLLOW;
    return open(source->path, flags);
}
