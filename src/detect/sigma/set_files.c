/* SPDX-License-Identifier: EUPL-1.2 */
/* Finding and reading rule files. A file is read once, by device and inode. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "detect/sigma/set_private.h"

enum { FOLDER_DEPTH_MAX = 32, FILES_MAX = 262144 };

struct found {
    const char *path; /* in the set's arena */
    bool unsupported;
};

struct finder {
    struct set_impl *s;
    struct set_inodes folders; /* of this search: a link back up ends here */
    struct found *files;
    uint32_t n, cap;
    uint32_t again; /* files that had been loaded before */
    bool full;
};

static int error_of(int os_error)
{
    switch (os_error) {
    case ENOMEM:
        return ERR_NOMEM;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_ACCESS;
    default:
        return ERR_IO;
    }
}

static int file_error(struct diag *diag, int error, const char *path, const char *why)
{
    return diag_set(diag, error, path, 0, 0, "cannot be read: %s", why);
}

static const char *why_of(int os_error, char buf[static 64])
{
    return strerror_r(os_error, buf, 64);
}

/* Whether the inode is new to the set; false on memory as well (sticky in s). */
static bool visit(struct set_impl *s, struct set_inodes *set, const struct stat *st)
{
    if (set->n >= set->size / 2) {
        uint32_t size = set->size ? set->size * 2 : 1024;
        struct set_inode *slots = size ? calloc(size, sizeof *slots) : NULL;
        if (!slots) {
            s->error = ERR_NOMEM;
            return false;
        }
        for (uint32_t i = 0; i < set->size; i++) {
            struct set_inode in = set->slots[i];
            if (in.ino == 0) continue;
            uint32_t to = (uint32_t)hash_mix(in.dev, in.ino) & (size - 1);
            while (slots[to].ino) to = (to + 1) & (size - 1);
            slots[to] = in;
        }
        free(set->slots);
        set->slots = slots;
        set->size = size;
    }
    uint32_t mask = set->size - 1;
    uint32_t at = (uint32_t)hash_mix(st->st_dev, st->st_ino) & mask;
    for (; set->slots[at].ino; at = (at + 1) & mask)
        if (set->slots[at].ino == st->st_ino && set->slots[at].dev == st->st_dev) return false;
    set->slots[at] = (struct set_inode){st->st_dev, st->st_ino};
    set->n++;
    return true;
}

static void add_file(struct finder *f, const char *path, const struct stat *st, bool unsupported)
{
    if (!visit(f->s, &f->s->files, st)) {
        f->again++;
        return;
    }
    if (!set_grow((void **)&f->files, f->n, &f->cap, sizeof *f->files)) {
        f->s->error = ERR_NOMEM;
        return;
    }
    f->files[f->n++] = (struct found){path, unsupported};
}

static bool wanted_file(const char *name)
{
    struct slice s = slice_of(name);
    if (name[0] == '.') return false;
    return (s.len > 4 && slice_eq_nocase(slice_from(s, s.len - 4), SLICE(".yml"))) ||
           (s.len > 5 && slice_eq_nocase(slice_from(s, s.len - 5), SLICE(".yaml")));
}

static bool wanted_folder(const char *name)
{
    return name[0] != '.' && !slice_eq(slice_of(name), SLICE("regression_data"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(DIR *dir, char ***ret_names, uint32_t *ret_n)
{
    char **names = NULL;
    uint32_t n = 0, cap = 0;
    int error = 0;
    for (struct dirent *entry; !error;) {
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            error = errno ? error_of(errno) : 0;
            break;
        }
        if (!wanted_folder(entry->d_name)) continue;
        if (n >= FILES_MAX) break;
        if (!set_grow((void **)&names, n, &cap, sizeof *names) ||
            !(names[n] = strdup(entry->d_name)))
            error = ERR_NOMEM;
        else n++;
    }
    if (n > 0) qsort(names, n, sizeof *names, by_name);
    *ret_names = names;
    *ret_n = n;
    return error;
}

static void note(struct finder *f, const char *path, int error, const char *why)
{
    struct diag diag;
    (void)file_error(&diag, error, path, why);
    set_refuse(f->s, &diag, NULL, false);
}

static void find_in(struct finder *f, int fd, const char *path, unsigned depth, bool unsupported);

static void find_entry(struct finder *f, int folder, const char *folder_path, const char *name,
                       unsigned depth, bool unsupported)
{
    struct stat st;
    char why[64];
    if (fstatat(folder, name, &st, 0) != 0) {
        /* A link to nowhere is only worth a word when it is called like a rule. */
        int os_error = errno;
        if (!wanted_file(name)) return;
        const char *path = arena_printf(&f->s->set.arena, "%s/%s", folder_path, name);
        if (!path) f->s->error = ERR_NOMEM;
        else note(f, path, error_of(os_error), why_of(os_error, why));
        return;
    }
    bool is_folder = S_ISDIR(st.st_mode);
    if (!is_folder && (!S_ISREG(st.st_mode) || !wanted_file(name))) return;
    if (f->n >= FILES_MAX) {
        if (!f->full) note(f, folder_path, ERR_LIMIT, "too many files");
        f->full = true;
        return;
    }
    const char *path = arena_printf(&f->s->set.arena, "%s/%s", folder_path, name);
    if (!path) {
        f->s->error = ERR_NOMEM;
        return;
    }
    if (!is_folder) {
        add_file(f, path, &st, unsupported);
        return;
    }
    if (depth >= FOLDER_DEPTH_MAX) {
        note(f, path, ERR_LIMIT, "the folders are nested too deep");
        return;
    }
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        int os_error = errno;
        note(f, path, error_of(os_error), why_of(os_error, why));
        return;
    }
    find_in(f, fd, path, depth + 1, unsupported || slice_eq(slice_of(name), SLICE("unsupported")));
}

/* Takes fd. Recursion ends at FOLDER_DEPTH_MAX. */
static void find_in(struct finder *f, int fd, const char *path, unsigned depth, bool unsupported)
{
    char why[64];
    struct stat st;
    bool fresh = fstat(fd, &st) == 0 && visit(f->s, &f->folders, &st);
    DIR *dir = fresh ? fdopendir(fd) : NULL;
    if (!dir) {
        int os_error = errno;
        (void)close(fd);
        if (!fresh) return;
        note(f, path, error_of(os_error), why_of(os_error, why));
        return;
    }
    char **names;
    uint32_t n;
    int error = list_folder(dir, &names, &n);
    if (error == ERR_NOMEM) f->s->error = ERR_NOMEM;
    else if (error) note(f, path, error, error_text(error));
    for (uint32_t i = 0; i < n; i++) {
        if (!f->s->error) find_entry(f, fd, path, names[i], depth, unsupported);
        free(names[i]);
    }
    free(names);
    (void)closedir(dir);
}

/* The whole file, or as much as tells that it is too large. Borrowed until the next call. */
static int read_file(struct set_impl *s, const char *path, struct slice *ret, struct diag *diag)
{
    char why[64];
    if (!s->text) s->text = malloc(YAML_FILE_MAX + 1);
    if (!s->text) return ERR_NOMEM;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int os_error = errno;
        return file_error(diag, error_of(os_error), path, why_of(os_error, why));
    }
    size_t len = 0;
    int error = 0;
    while (len < YAML_FILE_MAX + 1) {
        ssize_t n = read(fd, s->text + len, YAML_FILE_MAX + 1 - len);
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int os_error = errno;
            error = file_error(diag, error_of(os_error), path, why_of(os_error, why));
            break;
        }
        len += (size_t)n;
    }
    (void)close(fd);
    *ret = slice_make(s->text, len);
    return error;
}

static int load_found(struct finder *f, const struct sigma_set_options *opt)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct slice text = SLICE_NONE;
        struct diag why;
        int error = read_file(f->s, f->files[i].path, &text, &why);
        if (error == ERR_NOMEM) return error;
        if (error) set_refuse(f->s, &why, NULL, false);
        else error = set_read_text(f->s, f->files[i].path, text, opt, f->files[i].unsupported);
        if (error == ERR_NOMEM || f->s->error) return ERR_NOMEM;
        if (opt && opt->progress) opt->progress(opt->progress_ctx, i + 1, f->n);
    }
    return 0;
}

/* Whether a folder given by name is itself called `unsupported`, whatever way it is written. */
static bool is_unsupported_folder(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real) return false;
    bool yes = slice_ends_with(slice_of(real), SLICE("/unsupported"));
    free(real);
    return yes;
}

int sigma_set_add_path(struct sigma_set *set, const char *path, const struct sigma_set_options *opt,
                       struct diag *diag)
{
    struct set_impl *s = set_impl(set);
    struct finder f = {.s = s};
    char why[64];
    struct slice name = slice_of(path);
    while (name.len > 1 && name.ptr[name.len - 1] == '/') name.len--;
    struct slice kept = arena_dup(&set->arena, name);
    if (!kept.ptr) return ERR_NOMEM;

    int fd = -1;
    struct stat st;
    if (stat(path, &st) != 0 ||
        (S_ISDIR(st.st_mode) && (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)) {
        int os_error = errno;
        return file_error(diag, error_of(os_error), path, why_of(os_error, why));
    }
    if (S_ISDIR(st.st_mode)) {
        find_in(&f, fd, kept.ptr, 0, is_unsupported_folder(path));
    } else {
        if (S_ISREG(st.st_mode) && access(path, R_OK) != 0) {
            int os_error = errno;
            return file_error(diag, error_of(os_error), path, why_of(os_error, why));
        }
        add_file(&f, kept.ptr, &st, false);
    }
    if (f.again > 0 && !s->error) {
        struct diag twice;
        (void)diag_set(&twice, ERR_INVALID, kept.ptr, 0, 0,
                       "%u of %u files had been loaded before and were not loaded again", f.again,
                       f.n + f.again);
        set_refuse(s, &twice, NULL, true);
    }
    int error = s->error ? s->error : load_found(&f, opt);
    free(f.files);
    free(f.folders.slots);
    if (error) (void)diag_set(diag, error, path, 0, 0, "the rules do not fit in memory");
    return error;
}
