/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hint.h"
#include "library/unpack.h"

/* ---- paths ------------------------------------------------------------------------------- */

static struct slice last_part(struct slice path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/') return slice_from(path, i);
    return path;
}

static bool ends_with_nocase(struct slice s, struct slice end)
{
    return s.len > end.len && slice_eq_nocase(slice_from(s, s.len - end.len), end);
}

bool pack_is_rule(struct slice path)
{
    return ends_with_nocase(path, SLICE(".yml")) || ends_with_nocase(path, SLICE(".yaml"));
}

bool pack_wants(struct slice path)
{
    struct slice name = last_part(path);
    return name.len > 0 && name.ptr[0] != '.' &&
           (pack_is_rule(name) || slice_starts_with(name, SLICE("LICENSE")) ||
            slice_eq(name, SLICE("version.txt")));
}

const char *pack_path_wrong(struct slice path)
{
    struct slice rest = path, part;
    unsigned depth = 0;
    if (path.len == 0 || path.len > PACK_PATH_MAX) return "its path is empty or too long";
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.ptr[i] < 0x20 || path.ptr[i] == 0x7f || path.ptr[i] == '\\')
            return "its path has a control character or a backslash";
    for (bool more = true; more;) {
        more = slice_split(rest, '/', &part, &rest);
        if (part.len == 0 || slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")))
            return "its path leads out of the pack";
        if (part.len > NAME_MAX) return "its path has a name that is too long";
        if (++depth > PACK_DEPTH_MAX + 1) return "its folders are nested too deep";
    }
    return NULL;
}

static int bad_path(struct slice path, const char *why, struct diag *diag)
{
    char shown[HINT_SHOW_SIZE];
    return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: %s", hint_show(shown, path), why);
}

/* ---- filling ----------------------------------------------------------------------------- */

static bool grow(void **array, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap) return true;
    uint32_t want = *cap ? 2 * *cap : 256;
    void *more = reallocarray(*array, want, size);
    if (!more) return false;
    *array = more;
    *cap = want;
    return true;
}

static int full(const struct pack *p, struct diag *diag)
{
    int error = arena_error(&p->arena);
    return diag_set(diag, error, NULL, 0, 0,
                    error == ERR_LIMIT ? "the files are larger than %d MiB" : "out of memory (%d)",
                    PACK_BYTES_MAX / 1024 / 1024);
}

int pack_add(struct pack *p, struct slice path, struct slice text, struct diag *diag)
{
    const char *why = pack_path_wrong(path);
    if (why) return bad_path(path, why, diag);
    if (text.len > YAML_FILE_MAX) return pack_refuse(p, path, "the file is too large");
    if (p->n == PACK_FILES_MAX)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "more than %d files", PACK_FILES_MAX);
    struct pack_file file = {.path = arena_dup(&p->arena, path),
                             .text = arena_dup(&p->arena, text)};
    if (!file.path.ptr || !file.text.ptr) return full(p, diag);
    if (!grow((void **)&p->files, p->n, &p->cap, sizeof *p->files)) return ERR_NOMEM;
    p->files[p->n++] = file;
    return 0;
}

int pack_refuse(struct pack *p, struct slice path, const char *why)
{
    if (p->n_refusals == PACK_FILES_MAX) return ERR_LIMIT;
    struct slice copy = arena_dup(&p->arena, slice_until(path, PACK_PATH_MAX));
    if (!copy.ptr ||
        !grow((void **)&p->refusals, p->n_refusals, &p->cap_refusals, sizeof *p->refusals))
        return ERR_NOMEM;
    p->refusals[p->n_refusals++] = (struct pack_refusal){copy, why};
    return 0;
}

void pack_done(struct pack *p)
{
    arena_done(&p->arena);
    free(p->files);
    free(p->refusals);
    *p = (struct pack){0};
}

static void init(struct pack *p)
{
    *p = (struct pack){0};
    arena_init(&p->arena, PACK_BYTES_MAX);
}

/* ---- folders ----------------------------------------------------------------------------- */

struct walk {
    struct pack *pack;
    struct diag *diag;
    char path[PACK_PATH_MAX + NAME_MAX + 2]; /* of the folder at hand, with a slash behind it */
    size_t len;
};

static int walk_error(const struct walk *w, const char *name)
{
    int number = errno;
    return diag_set(w->diag, number == EACCES ? ERR_ACCESS : ERR_IO, NULL, 0, 0, "%.*s%s: %s",
                    (int)w->len, w->path, name, strerror(number));
}

static int walk_file(struct walk *w, int folder, const char *name, struct slice path)
{
    struct buf text;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0) return walk_error(w, name);
    buf_init(&text, YAML_FILE_MAX + 1);
    int error = file_read_fd(fd, name, &text, w->diag);
    if (error == ERR_LIMIT) error = pack_refuse(w->pack, path, "the file is too large");
    else if (error == 0) error = pack_add(w->pack, path, buf_slice(&text), w->diag);
    buf_done(&text);
    (void)close(fd);
    return error;
}

static int walk_folder(struct walk *w, int folder, unsigned depth);

static int walk_entry(struct walk *w, int folder, const char *name, unsigned depth)
{
    struct stat st;
    size_t name_len = strlen(name), before = w->len;
    if (name[0] == '.') return 0;
    if (w->len + name_len > PACK_PATH_MAX)
        return bad_path(slice_make(w->path, w->len), "its paths are too long", w->diag);
    memcpy(w->path + w->len, name, name_len);
    struct slice path = slice_make(w->path, w->len + name_len);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return walk_error(w, name);
    if (S_ISREG(st.st_mode)) return pack_wants(path) ? walk_file(w, folder, name, path) : 0;
    if (!S_ISDIR(st.st_mode))
        return pack_refuse(w->pack, path, S_ISLNK(st.st_mode) ? "it is a link" : "it is no file");
    if (depth > PACK_DEPTH_MAX)
        return pack_refuse(w->pack, path, "the folders are nested too deep");
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return walk_error(w, name);
    w->path[path.len] = '/';
    w->len = path.len + 1;
    int error = walk_folder(w, fd, depth + 1);
    w->len = before;
    return error;
}

/* Takes the descriptor. Recursion ends at PACK_DEPTH_MAX. */
static int walk_folder(struct walk *w, int folder, unsigned depth)
{
    DIR *dir = fdopendir(folder);
    int error = 0;
    if (!dir) {
        error = walk_error(w, "");
        (void)close(folder);
        return error;
    }
    for (struct dirent *entry; error == 0;) {
        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            if (errno) error = walk_error(w, "");
            break;
        }
        error = walk_entry(w, folder, entry->d_name, depth);
    }
    (void)closedir(dir);
    return error;
}

/* ---- the layout -------------------------------------------------------------------------- */

static bool in_layout(struct slice path)
{
    struct slice first, rest;
    if (!slice_split(path, '/', &first, &rest)) return false;
    return slice_eq(first, SLICE("rules")) || slice_starts_with(first, SLICE("rules-")) ||
           slice_eq(first, SLICE("deprecated")) || slice_eq(first, SLICE("unsupported"));
}

/* r2026-08-05 anywhere in a text; empty without. */
static struct slice find_release(struct slice text)
{
    static const char form[] = "rdddd-dd-dd";
    for (size_t at = 0; at + sizeof form - 1 <= text.len; at++) {
        size_t i = 0;
        while (i < sizeof form - 1 &&
               (form[i] == 'd' ? text.ptr[at + i] >= '0' && text.ptr[at + i] <= '9'
                               : text.ptr[at + i] == form[i]))
            i++;
        if (i == sizeof form - 1) return slice_make(text.ptr + at, i);
    }
    return SLICE_NONE;
}

/* The one folder that everything lies in, with its slash, when the layout begins below it. */
static size_t outer_folder(const struct pack *p)
{
    size_t len = 0;
    bool layout = false;
    for (uint32_t i = 0; i < p->n; i++) {
        struct slice path = p->files[i].path;
        if (in_layout(path)) return 0;
        if (i == 0) len = slice_find_byte(path, '/') + 1; /* 0: there is none */
        if (len == 0 || !slice_eq(slice_until(path, len), slice_until(p->files[0].path, len)))
            return 0;
        layout |= in_layout(slice_from(path, len));
    }
    return layout ? len : 0;
}

static int by_path(const void *a, const void *b)
{
    return slice_cmp(((const struct pack_file *)a)->path, ((const struct pack_file *)b)->path);
}

int pack_sort(struct pack *p, struct diag *diag)
{
    if (p->n) qsort(p->files, p->n, sizeof *p->files, by_path);
    for (uint32_t i = 1; i < p->n; i++)
        if (slice_eq(p->files[i - 1].path, p->files[i].path))
            return bad_path(p->files[i].path, "its path is there twice", diag);
    return 0;
}

static int settle(struct pack *p, const char *path, struct diag *diag)
{
    size_t outer = outer_folder(p);
    uint32_t kept = 0;
    bool layout = false;
    if (outer) p->release = find_release(slice_until(p->files[0].path, outer));
    for (uint32_t i = 0; i < p->n; i++) {
        p->files[i].path = slice_from(p->files[i].path, outer);
        layout |= in_layout(p->files[i].path);
        /* It is kept in a folder more: on/ or off/. */
        if (p->files[i].path.len > PACK_PATH_MAX - strlen("off/"))
            return bad_path(p->files[i].path, "its path is too long", diag);
        if (slice_eq(p->files[i].path, SLICE("version.txt")))
            p->release = find_release(p->files[i].text);
    }
    for (uint32_t i = 0; i < p->n; i++) {
        bool top = slice_find_byte(p->files[i].path, '/') == SIZE_MAX;
        bool rule = pack_is_rule(p->files[i].path);
        if (layout ? in_layout(p->files[i].path) || (top && !rule) : rule || top)
            p->files[kept++] = p->files[i];
    }
    p->n = kept;
    if (p->release.len == 0) {
        struct slice named = arena_dup(&p->arena, find_release(last_part(slice_of(path))));
        if (named.len) p->release = named;
    }
    return pack_sort(p, diag);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Takes the descriptor. */
static int read_tree(struct pack *p, int folder, struct diag *diag)
{
    struct walk w = {.pack = p, .diag = diag};
    return walk_folder(&w, folder, 0);
}

int pack_read_tree(struct pack *p, int folder, const char *path, struct diag *diag)
{
    int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    diag->message[0] = '\0';
    if (own < 0) return diag_set(diag, ERR_IO, NULL, 0, 0, "%s: %s", path, strerror(errno));
    init(p);
    int error = read_tree(p, own, diag);
    if (error == 0) error = pack_sort(p, diag);
    if (error) pack_done(p);
    return error;
}

/* What was read becomes a pack, or nothing. */
static int finish(struct pack *p, const char *path, int error, struct diag *diag)
{
    if (error == 0) error = settle(p, path, diag);
    if (error && !diag->message[0])
        (void)diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    if (error) pack_done(p);
    return error;
}

int pack_read_zip(struct pack *p, int fd, int null_fd, struct diag *diag)
{
    diag->message[0] = '\0';
    init(p);
    return finish(p, "zip", unpack_zip(p, fd, null_fd, diag), diag);
}

static int read_zip(struct pack *p, int fd, struct diag *diag)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int error = null_fd < 0 ? ERR_IO : unpack_zip(p, fd, null_fd, diag);
    if (null_fd >= 0) (void)close(null_fd);
    return error;
}

int pack_read(struct pack *p, const char *path, struct diag *diag)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    diag->message[0] = '\0';
    if (fd < 0 || fstat(fd, &st) != 0) {
        int number = errno;
        if (fd >= 0) (void)close(fd);
        return diag_set(diag, number == ENOENT ? ERR_NOT_FOUND : ERR_ACCESS, NULL, 0, 0, "%s: %s",
                        path, strerror(number));
    }
    init(p);
    int error;
    if (S_ISDIR(st.st_mode)) {
        error = read_tree(p, fd, diag);
    } else {
        error = read_zip(p, fd, diag);
        (void)close(fd);
    }
    return finish(p, path, error, diag);
}
