/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/library.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"

enum { ABOUT_MAX = 64 * 1024, HASH_SHOWN = 6 /* bytes of the hash in a name */ };

static int fail(const struct library *l, const char *name, struct diag *diag)
{
    int number = errno;
    int error = number == ENOENT                       ? ERR_NOT_FOUND
                : number == EACCES || number == EPERM  ? ERR_ACCESS
                : number == ENOSPC || number == EDQUOT ? ERR_LIMIT
                                                       : ERR_IO;
    return diag_set(diag, error, NULL, 0, 0, "%s%s%s: %s", l->path, *name ? "/" : "", name,
                    strerror(number));
}

bool library_name_read(struct slice text, struct library_name *ret)
{
    if (text.len == 0 || text.len > LIBRARY_NAME_MAX || text.ptr[0] == '.') return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-' || c == '+'))
            return false;
    }
    static const char *const taken[] = {LIBRARY_EXCEPTIONS, LIBRARY_OWN, "history"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (slice_eq(text, slice_of(taken[i]))) return false;
    memcpy(ret->text, text.ptr, text.len);
    ret->text[text.len] = '\0';
    return true;
}

/* ---- the folder -------------------------------------------------------------------------- */

static bool give(const struct library *l, int fd)
{
    return !l->own || fchown(fd, l->uid, l->gid) == 0;
}

/* Of who owns serve.folder: what root makes there is to be that one's. */
static int find_owner(struct library *l, struct diag *diag)
{
    struct stat st;
    char above[PATH_MAX];
    const char *slash = strrchr(l->path, '/');
    int n = snprintf(above, sizeof above, "%.*s", slash ? (int)(slash - l->path) : 1,
                     slash ? l->path : ".");
    if (n < 0 || (size_t)n >= sizeof above)
        return diag_set(diag, ERR_LIMIT, NULL, 0, 0, "%s: the path is too long", l->path);
    if (geteuid() != 0) return 0;
    if (stat(*above ? above : "/", &st) != 0) return fail(l, "", diag);
    l->own = true;
    l->uid = st.st_uid;
    l->gid = st.st_gid;
    return 0;
}

int library_open(struct library *l, const char *path, bool change, struct diag *diag)
{
    *l = (struct library){.path = path, .folder = -1};
    l->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool made = change && l->folder < 0 && errno == ENOENT && mkdir(path, 0750) == 0;
    if (made) l->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->folder < 0) return errno == ENOENT && !change ? 0 : fail(l, "", diag);
    if (!change) return 0;
    int error = find_owner(l, diag);
    if (error == 0 && made && !give(l, l->folder)) error = fail(l, "", diag);
    if (error == 0 && flock(l->folder, LOCK_EX) != 0) error = fail(l, "", diag);
    if (error) library_close(l);
    return error;
}

void library_close(struct library *l)
{
    if (l->folder >= 0) (void)close(l->folder);
    l->folder = -1;
}

int library_drop_root(struct library *l, struct diag *diag)
{
    int error = find_owner(l, diag);
    if (error || !l->own || l->uid == 0) return error;
    if (setgroups(0, NULL) != 0 || setresgid(l->gid, l->gid, l->gid) != 0 ||
        setresuid(l->uid, l->uid, l->uid) != 0)
        return fail(l, "", diag);
    l->own = false; /* what is made from now on is its own */
    return 0;
}

void library_unlock(const struct library *l)
{
    (void)flock(l->folder, LOCK_UN);
}

static int open_folder(const struct library *l, const char *name)
{
    if (l->folder < 0) errno = ENOENT;
    return l->folder < 0 ? -1
                         : openat(l->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* One that is there, or a new one. */
static int make_folder(const struct library *l, int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 || errno != ENOENT) return fd;
    if (mkdirat(at, name, 0750) != 0 && errno != EEXIST) return -1;
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && !give(l, fd)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* ---- files ------------------------------------------------------------------------------- */

/* set/version/name, or set/name without a version. */
static int read_file(const struct library *l, const char *set, const char *version,
                     const char *name, struct buf *out, struct diag *diag)
{
    char path[4 * LIBRARY_NAME_MAX];
    (void)snprintf(path, sizeof path, "%s/%s%s%s", set, version, *version ? "/" : "", name);
    int fd = l->folder < 0 ? -1 : openat(l->folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (l->folder < 0) errno = ENOENT;
    if (fd < 0) return fail(l, path, diag);
    int error = file_read_fd(fd, path, out, diag);
    (void)close(fd);
    return error;
}

static int write_all(const struct library *l, int at, const char *name, struct slice text)
{
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return -1;
    bool good = give(l, fd);
    while (good && text.len) {
        ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR) continue;
        good = n > 0;
        if (good) text = slice_from(text, (size_t)n);
    }
    good = good && fsync(fd) == 0;
    return close(fd) == 0 && good ? 0 : -1;
}

int library_write(const struct library *l, const char *folder, const char *name, struct slice text,
                  struct diag *diag)
{
    int at = make_folder(l, l->folder, folder);
    bool good = at >= 0 && folder_replace(at, name, text) == 0 && fsync(l->folder) == 0;
    int error = good ? 0 : fail(l, folder, diag);
    if (at >= 0) (void)close(at);
    return error;
}

int library_put_away(const struct library *l, const char *folder, const char *name,
                     struct diag *diag)
{
    char away[NAME_MAX];
    int at = open_folder(l, folder);
    (void)snprintf(away, sizeof away, ".ended-%s", name);
    bool good = at >= 0 && renameat(at, name, at, away) == 0 && fsync(at) == 0;
    int error = good ? 0 : fail(l, name, diag);
    if (at >= 0) (void)close(at);
    return error;
}

int library_about(const struct library *l, const char *set, const char *version, struct buf *out,
                  struct diag *diag)
{
    return read_file(l, set, version, "version.json", out, diag);
}

int library_history(const struct library *l, struct buf *out, struct diag *diag)
{
    struct diag none;
    int error = read_file(l, ".", "", "history", out, diag ? diag : &none);
    return error == ERR_NOT_FOUND ? 0 : error;
}

int library_note(const struct library *l, nsec now, struct slice who, const char *what,
                 struct slice members, struct diag *diag)
{
    struct buf line;
    buf_init(&line, ABOUT_MAX);
    buf_puts(&line, "{\"time\":\"");
    time_write_rfc3339(&line, now);
    buf_putc(&line, '"');
    json_write_member_string(&line, "by", who);
    json_write_member_string(&line, "what", slice_of(what));
    buf_puts(&line, members.len ? "," : "");
    buf_put(&line, members);
    buf_puts(&line, "}\n");
    int fd =
        openat(l->folder, "history", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool good = fd >= 0 && !buf_failed(&line) && give(l, fd) &&
                write(fd, line.ptr, line.len) == (ssize_t)line.len && fsync(fd) == 0;
    int error = good ? 0 : fail(l, "history", diag);
    if (fd >= 0) (void)close(fd);
    buf_done(&line);
    return error;
}

/* ---- lists ------------------------------------------------------------------------------- */

struct entry {
    struct library_name name;
    nsec imported; /* of versions */
};

static int by_time(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->imported != y->imported) return x->imported < y->imported ? -1 : 1;
    return strcmp(x->name.text, y->name.text);
}

/* As version.json says: the times of files are those of a copy when it was put back. */
static nsec imported(const struct library *l, const char *set, const char *version)
{
    struct buf about;
    struct slice value, text;
    nsec time = 0;
    buf_init(&about, ABOUT_MAX);
    bool told = library_about(l, set, version, &about, NULL) == 0 &&
                json_find_member(buf_slice(&about), "imported", NULL, &value) &&
                json_string_inside(value, &text) && time_parse(text, 0, &time);
    buf_done(&about);
    return told ? time : 0;
}

static int collect(DIR *dir, struct entry *entries, uint32_t *ret_n)
{
    uint32_t n = 0;
    struct stat st;
    for (struct dirent *e; (e = readdir(dir));) {
        struct library_name name;
        if (!library_name_read(slice_of(e->d_name), &name)) continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISDIR(st.st_mode)) continue;
        if (n == LIBRARY_SETS_MAX) return ERR_LIMIT;
        entries[n++] = (struct entry){.name = name};
    }
    *ret_n = n;
    return 0;
}

/* Sets (NULL) by name, or the versions of one by when they were imported. */
static int list(const struct library *l, const char *set, struct library_list *ret,
                struct diag *diag)
{
    *ret = (struct library_list){0};
    const char *folder = set ? set : ".";
    int fd = open_folder(l, folder);
    if (fd < 0) return errno == ENOENT ? 0 : fail(l, folder, diag);
    DIR *dir = fdopendir(fd);
    struct entry *entries = calloc(LIBRARY_SETS_MAX, sizeof *entries);
    ret->items = calloc(LIBRARY_SETS_MAX, sizeof *ret->items);
    int error = dir && entries && ret->items ? collect(dir, entries, &ret->n) : ERR_NOMEM;
    for (uint32_t i = 0; set && i < ret->n; i++)
        entries[i].imported = imported(l, set, entries[i].name.text);
    if (ret->n) qsort(entries, ret->n, sizeof *entries, by_time);
    for (uint32_t i = 0; i < ret->n; i++) ret->items[i] = entries[i].name;
    if (error) {
        (void)diag_set(diag, error, NULL, 0, 0, "%s/%s: %s", l->path, folder, error_text(error));
        library_list_done(ret);
    }
    if (dir) (void)closedir(dir);
    else (void)close(fd);
    free(entries);
    return error;
}

int library_sets(const struct library *l, struct library_list *ret, struct diag *diag)
{
    return list(l, NULL, ret, diag);
}

int library_versions(const struct library *l, const char *set, struct library_list *ret,
                     struct diag *diag)
{
    return list(l, set, ret, diag);
}

void library_list_done(struct library_list *list)
{
    free(list->items);
    *list = (struct library_list){0};
}

/* ---- versions ---------------------------------------------------------------------------- */

bool library_current(const struct library *l, const char *set, struct library_name *ret)
{
    struct buf text;
    buf_init(&text, 2 * LIBRARY_NAME_MAX);
    bool there = read_file(l, set, "", "current", &text, NULL) == 0 &&
                 library_name_read(slice_trim(buf_slice(&text)), ret);
    buf_done(&text);
    return there;
}

int library_use(const struct library *l, const char *set, const char *version, struct diag *diag)
{
    struct buf text;
    if (!version) {
        int error = library_put_away(l, set, "current", diag);
        return error == ERR_NOT_FOUND ? 0 : error;
    }
    buf_init(&text, ABOUT_MAX);
    int error = library_about(l, set, version, &text, diag);
    buf_clear(&text);
    buf_puts(&text, version);
    buf_putc(&text, '\n');
    if (error == 0) error = library_write(l, set, "current", buf_slice(&text), diag);
    buf_done(&text);
    return error;
}

/* Of on/…, off/… and profile.yml: paths as they were in the pack. */
static int settle(struct pack *p, struct diag *diag)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->n; i++) {
        struct pack_file *f = &p->files[i];
        bool on = slice_starts_with(f->path, SLICE("on/"));
        if (slice_eq(f->path, SLICE("profile.yml"))) p->profile = f->text;
        if (!on && !slice_starts_with(f->path, SLICE("off/"))) continue;
        f->on = on;
        f->path = slice_from(f->path, on ? 3 : 4);
        p->files[kept++] = *f;
    }
    p->n = kept;
    return pack_sort(p, diag);
}

int library_read(const struct library *l, const char *set, const char *version, struct pack *ret,
                 struct diag *diag)
{
    char path[3 * LIBRARY_NAME_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", set, version);
    int fd = open_folder(l, path);
    if (fd < 0) return fail(l, path, diag);
    int error = pack_read_tree(ret, fd, path, diag);
    (void)close(fd);
    if (error) return error;
    error = settle(ret, diag);
    if (error == 0 && ret->n_refusals)
        error = diag_set(diag, ERR_CORRUPT, NULL, 0, 0, "%s/%s: something was put into it", l->path,
                         path);
    if (error) pack_done(ret);
    return error;
}

static void put_hash(struct buf *out, const struct catalog *c, size_t n)
{
    for (size_t i = 0; i < n; i++) buf_printf(out, "%02x", c->digest[i]);
}

void library_version_of(const struct catalog *c, struct library_name *ret)
{
    struct buf name;
    struct slice release = c->pack->release;
    buf_init(&name, LIBRARY_NAME_MAX);
    buf_put(&name, release.len ? release : c->newest.len ? c->newest : SLICE("undated"));
    buf_putc(&name, '-');
    put_hash(&name, c, HASH_SHOWN);
    /* A date of a rule may be anything that is as long as one. */
    if (!library_name_read(buf_slice(&name), ret)) {
        buf_clear(&name);
        buf_puts(&name, "undated-");
        put_hash(&name, c, HASH_SHOWN);
        ASSERT(library_name_read(buf_slice(&name), ret));
    }
    buf_done(&name);
}

bool library_is_whole(const char *version, const struct catalog *c)
{
    struct buf hash;
    buf_init(&hash, LIBRARY_NAME_MAX);
    put_hash(&hash, c, HASH_SHOWN);
    bool whole = slice_ends_with(slice_of(version), buf_slice(&hash));
    buf_done(&hash);
    return whole;
}

/* ---- adding ------------------------------------------------------------------------------ */

/* The folder that a path lies in, made with those above it; -1 with errno. `at` stays open. */
static int make_way(const struct library *l, int at, struct slice path, struct slice *ret_name)
{
    struct slice part, rest;
    int fd = dup(at);
    while (fd >= 0 && slice_split(path, '/', &part, &rest)) {
        char name[NAME_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(part));
        int below = make_folder(l, fd, name);
        (void)close(fd);
        fd = below;
        path = rest;
    }
    *ret_name = path;
    return fd;
}

/* Without a sync of its own: the version is synced as a whole. */
static bool write_file(const struct library *l, int version, const struct pack_file *f, bool on)
{
    char path[PACK_PATH_MAX + 8], name[NAME_MAX + 1];
    struct slice last;
    int n = snprintf(path, sizeof path, "%s/%.*s", on ? "on" : "off", SLICE_FMT(f->path));
    if (n < 0 || (size_t)n >= sizeof path) return false;
    int folder = make_way(l, version, slice_of(path), &last);
    if (folder < 0) return false;
    (void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(last));
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0440);
    bool good = fd >= 0 && give(l, fd);
    struct slice text = f->text;
    while (good && text.len) {
        ssize_t wrote = write(fd, text.ptr, text.len);
        good = wrote > 0;
        if (good) text = slice_from(text, (size_t)wrote);
    }
    if (fd >= 0 && close(fd) != 0) good = false;
    (void)close(folder);
    return good;
}

static void write_about(struct buf *out, const char *set, const char *version,
                        const struct catalog *c, const struct profile *profile,
                        const struct library_origin *origin)
{
    uint32_t refused = c->pack->n_refusals;
    for (uint32_t i = 0; i < c->set->n_refusals; i++) refused += !c->set->refusals[i].warning;
    buf_putc(out, '{');
    json_write_member_string(out, "set", slice_of(set));
    json_write_member_string(out, "version", slice_of(version));
    json_write_member_string(out, "release", c->pack->release);
    json_write_key(out, "sha256");
    buf_putc(out, '"');
    put_hash(out, c, CATALOG_DIGEST);
    buf_puts(out, "\"");
    json_write_key(out, "imported");
    buf_putc(out, '"');
    time_write_rfc3339(out, origin->now);
    buf_putc(out, '"');
    json_write_member_string(out, "by", origin->who);
    json_write_member_string(out, "from", origin->from);
    json_write_member_string(out, "profile", profile->name);
    json_write_member_u64(out, "rules", c->n);
    json_write_member_u64(out, "on", catalog_count_on(c));
    json_write_member_u64(out, "refused", refused);
    buf_puts(out, "}\n");
}

static bool remove_tree(int at, const char *name, unsigned depth)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return unlinkat(at, name, 0) == 0 || errno == ENOENT;
    DIR *dir = fdopendir(fd);
    if (!dir) (void)close(fd);
    if (!dir || depth > PACK_DEPTH_MAX + 4) return false;
    for (struct dirent *e; (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)remove_tree(fd, e->d_name, depth + 1);
    (void)closedir(dir);
    return unlinkat(at, name, AT_REMOVEDIR) == 0;
}

static bool write_version(const struct library *l, int folder, const struct catalog *c,
                          const struct profile *profile, struct slice about)
{
    bool good = true;
    for (uint32_t i = 0; i < c->pack->n && good; i++)
        good = write_file(l, folder, &c->pack->files[i], c->on[i]);
    return good && write_all(l, folder, "profile.yml", profile->text) == 0 &&
           write_all(l, folder, "version.json", about) == 0;
}

/* What fills the folder of a new version. */
struct filling {
    bool (*fill)(const struct library *l, int folder, const struct filling *f);
    const struct catalog *catalog; /* of rules */
    const struct profile *profile;
    const struct library_text *texts; /* of what has a few files */
    uint32_t n_texts;
    struct slice about;
};

static bool fill_rules(const struct library *l, int folder, const struct filling *f)
{
    return write_version(l, folder, f->catalog, f->profile, f->about);
}

static bool fill_texts(const struct library *l, int folder, const struct filling *f)
{
    for (uint32_t i = 0; i < f->n_texts; i++)
        if (write_all(l, folder, f->texts[i].name, f->texts[i].text) != 0) return false;
    return true;
}

/* The whole file system is synced once: a release has thousands of files. */
static bool add_version(const struct library *l, int set, const char *version,
                        const struct filling *f)
{
    static const char fresh[] = ".new";
    if (!remove_tree(set, fresh, 0)) return false;
    int folder = make_folder(l, set, fresh);
    bool good = folder >= 0 && f->fill(l, folder, f) && syncfs(folder) == 0 &&
                renameat(set, fresh, set, version) == 0 && fsync(set) == 0 && fsync(l->folder) == 0;
    int number = errno;
    if (folder >= 0) (void)close(folder);
    if (!good) (void)remove_tree(set, fresh, 0);
    errno = number;
    return good;
}

/* Unless it is there already. */
static int add_filled(const struct library *l, const char *set, const char *version,
                      const struct filling *f, bool *ret_new, struct diag *diag)
{
    struct stat st;
    int folder = make_folder(l, l->folder, set);
    if (folder < 0) return fail(l, set, diag);
    bool fresh = fstatat(folder, version, &st, AT_SYMLINK_NOFOLLOW) != 0;
    int error = fresh && !add_version(l, folder, version, f) ? fail(l, set, diag) : 0;
    (void)close(folder);
    if (error == 0) *ret_new = fresh;
    return error;
}

int library_add(const struct library *l, const char *set, const struct catalog *c,
                const struct profile *profile, const struct library_origin *origin,
                struct library_name *ret, bool *ret_new, struct diag *diag)
{
    struct library_name version;
    struct buf about;
    library_version_of(c, &version);
    buf_init(&about, ABOUT_MAX);
    write_about(&about, set, version.text, c, profile, origin);
    const struct filling f = {
        .fill = fill_rules, .catalog = c, .profile = profile, .about = buf_slice(&about)};
    int error = buf_error(&about);
    if (error == 0) error = add_filled(l, set, version.text, &f, ret_new, diag);
    buf_done(&about);
    if (error == 0) *ret = version;
    return error;
}

int library_add_texts(const struct library *l, const char *set, const char *version,
                      const struct library_text *texts, uint32_t n, struct diag *diag)
{
    bool fresh;
    const struct filling f = {.fill = fill_texts, .texts = texts, .n_texts = n};
    return add_filled(l, set, version, &f, &fresh, diag);
}

int library_read_text(const struct library *l, const char *set, const char *version,
                      const char *name, struct buf *out, struct diag *diag)
{
    return read_file(l, set, version, name, out, diag);
}

int library_remove(const struct library *l, const char *set, const char *version, struct diag *diag)
{
    int folder = open_folder(l, set);
    bool good = folder >= 0 && remove_tree(folder, version, 0) && fsync(folder) == 0;
    int error = good ? 0 : fail(l, set, diag);
    if (folder >= 0) (void)close(folder);
    return error;
}
