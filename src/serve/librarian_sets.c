/* SPDX-License-Identifier: EUPL-1.2 */
/* Sets of others' rules: their versions, what differs, which one is in force. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "library/version.h"
#include "serve/librarian.h"

enum { ABOUT_MAX = 64 * 1024, REFUSALS_TOLD = 200, PROFILES_MAX = 8 * 1024 * 1024 };

static void put_bool(struct buf *out, const char *key, bool value)
{
    json_write_key(out, key);
    buf_puts(out, value ? "true" : "false");
}

/* ---- what there is ----------------------------------------------------------------------- */

/* version.json is an object: `current` is put behind its members. */
static int put_version(struct library_deed *d, const char *set, const char *version, bool current)
{
    struct buf about, *out = d->deed.answer;
    buf_init(&about, ABOUT_MAX);
    int error = library_about(&d->library, set, version, &about, &d->deed.diag);
    struct slice object = slice_trim(buf_slice(&about));
    if (error == 0 && object.len > 2 && json_is_object(object)) {
        buf_put(out, slice_until(object, object.len - 1));
        put_bool(out, "current", current);
        buf_putc(out, '}');
    } else if (error == 0) {
        error = diag_set(&d->deed.diag, ERR_CORRUPT, NULL, 0, 0, "%s/%s: version.json is damaged",
                         set, version);
    }
    buf_done(&about);
    return error;
}

static int put_set(struct library_deed *d, const char *set)
{
    struct library_list versions;
    struct library_name current = {""};
    struct buf *out = d->deed.answer;
    int error = library_versions(&d->library, set, &versions, &d->deed.diag);
    (void)library_current(&d->library, set, &current);
    buf_puts(out, "{");
    json_write_member_string(out, "set", slice_of(set));
    json_write_key(out, "versions");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < versions.n && error == 0; i++) {
        const char *version = versions.items[i].text;
        if (i) buf_putc(out, ',');
        error = put_version(d, set, version, strcmp(version, current.text) == 0);
    }
    buf_puts(out, "]}");
    library_list_done(&versions);
    return error;
}

int library_do_sets(struct library_deed *d)
{
    struct library_list sets;
    struct buf *out = d->deed.answer;
    if (!body_end(&d->deed.body)) return 0;
    int error = library_sets(&d->library, &sets, &d->deed.diag);
    buf_puts(out, "\"sets\":[");
    for (uint32_t i = 0; i < sets.n && error == 0; i++) {
        if (i) buf_putc(out, ',');
        error = put_set(d, sets.items[i].text);
    }
    buf_putc(out, ']');
    library_list_done(&sets);
    return error;
}

/* ---- what differs ------------------------------------------------------------------------ */

static int put_differences(struct buf *out, const struct library_version *old,
                           const struct library_version *new)
{
    struct differences d;
    int error = difference_make(&d, &old->catalog, &new->catalog);
    if (error) return error;
    json_write_member_string(out, "set", slice_of(new->set.text));
    json_write_member_string(out, "old_version", slice_of(old->version.text));
    json_write_member_string(out, "new_version", slice_of(new->version.text));
    differences_write_counts(out, &d);
    json_write_key(out, "changes");
    buf_putc(out, '[');
    for (uint32_t i = 0; i < d.n; i++) {
        if (i) buf_putc(out, ',');
        difference_write(out, &d.items[i]);
    }
    buf_putc(out, ']');
    difference_done(&d);
    return 0;
}

static int read_version(struct library_deed *d, const char *set, const char *version,
                        struct library_version *ret)
{
    return library_version_read(&d->library, d->change.placeholders, set, version, ret,
                                &d->deed.diag);
}

/* ERR_INVALID, ERR_NOT_FOUND: the caller's. */
static int compare(struct library_deed *d, const char *set, const char *old, const char *new)
{
    struct library_version a, b;
    struct library_name names[2];
    int error = library_version_pair(&d->library, set, &old, &new, names, &d->deed.diag);
    if (error == 0) error = read_version(d, set, old, &a);
    if (error) return error;
    error = read_version(d, set, new, &b);
    if (error == 0) {
        error = put_differences(d->deed.answer, &a, &b);
        library_version_done(&b);
    }
    library_version_done(&a);
    return error;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

/* The name of a set, checked: paths are made of it. */
static const char *read_set(struct library_deed *d)
{
    struct library_name name;
    const char *set = deed_text(&d->deed, "set", LIBRARY_NAME_MAX, true);
    if (*set && !library_name_read(slice_of(set), &name))
        deed_refuse(&d->deed, DESK_NOT_FOUND, "set", "this is no name of a set");
    return set;
}

int library_do_difference(struct library_deed *d)
{
    const char *set = read_set(d);
    const char *old = deed_text(&d->deed, "old", LIBRARY_NAME_MAX, false);
    const char *new = deed_text(&d->deed, "new", LIBRARY_NAME_MAX, false);
    if (!body_end(&d->deed.body)) return 0;
    return deed_take_error(&d->deed, "set", compare(d, set, or_null(old), or_null(new)));
}

/* ---- in force ---------------------------------------------------------------------------- */

/* Reads all of it, so that nothing is switched on that does not load or is damaged. */
static int check(struct library_deed *d, const char *set, const char *version)
{
    struct library_version v;
    int error = read_version(d, set, version, &v);
    if (error) return error;
    uint32_t on = catalog_count_on(&v.catalog);
    library_version_done(&v);
    json_write_member_u64(d->deed.answer, "on", on);
    return on ? 0
              : diag_set(&d->deed.diag, ERR_INVALID, NULL, 0, 0,
                         "no rule of it is switched on: import it with another profile");
}

int library_do_use(struct library_deed *d)
{
    struct library_name before;
    const char *set = read_set(d);
    const char *version = deed_text(&d->deed, "version", LIBRARY_NAME_MAX, false);
    if (!body_end(&d->deed.body)) return 0;
    int error = *version ? check(d, set, version) : 0;
    if (error == 0)
        error = library_version_use(&d->library, set, or_null(version), &d->change, &before,
                                    &d->deed.diag);
    if (error) return deed_take_error(&d->deed, "version", error);
    struct buf *out = d->deed.answer;
    json_write_member_string(out, "set", slice_of(set));
    json_write_member_string(out, "version", slice_of(*version ? version : "off"));
    json_write_member_string(out, "before", slice_of(before.text));
    d->changed = strcmp(before.text, *version ? version : "off") != 0;
    return 0;
}

/* ---- taking in --------------------------------------------------------------------------- */

/* What came, as an open file of which there is no name any more; -1 with errno. */
static int open_upload(const struct library_deed *d)
{
    static const char name[] = ".upload";
    int folder = d->library.folder;
    if (folder_replace(folder, name, d->deed.act->file) != 0) return -1;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    (void)unlinkat(folder, name, 0);
    return fd;
}

static int understand(struct library_deed *d, const struct library_name *set,
                      const struct pack *pack, const struct profile *profile, const char *from,
                      struct library_import *ret)
{
    int error = library_import_make(ret, &d->library, d->change.placeholders, set, pack, profile,
                                    from, &d->deed.diag);
    if (error) return error;
    error = library_import_keep(ret, &d->library, from, &d->change, &d->deed.diag);
    if (error) library_import_done(ret);
    return error;
}

static int take_in(struct library_deed *d, const struct library_name *set, const struct pack *pack,
                   const struct profile *profile)
{
    struct library_import im;
    int error = understand(d, set, pack, profile, "api", &im);
    if (error) return deed_take_error(&d->deed, "file", error);
    struct buf *out = d->deed.answer;
    buf_clear(out);
    library_import_write(out, &im, REFUSALS_TOLD);
    if (!buf_failed(out)) out->len--; /* deed_end() writes it */
    library_import_done(&im);
    return 0;
}

/* The profile of that name, or `current`: that of the version in force, with what was switched. */
static int read_profile(struct library_deed *d, struct arena *arena, const char *set,
                        const char *name, struct profile *ret)
{
    struct library_name version;
    struct buf text;
    if (strcmp(name, "current") != 0) {
        if (strcmp(name, "default") == 0 || strcmp(name, "all") == 0)
            return profile_load(ret, arena, name, &d->deed.diag);
        return diag_set(&d->deed.diag, ERR_INVALID, NULL, 0, 0, "one of default, all and current");
    }
    if (!library_current(&d->library, set, &version))
        return diag_set(&d->deed.diag, ERR_INVALID, NULL, 0, 0, "no version of it is in force");
    buf_init(&text, PROFILE_FILE_MAX);
    int error =
        library_read_text(&d->library, set, version.text, "profile.yml", &text, &d->deed.diag);
    struct slice kept = error ? SLICE_NONE : arena_dup(arena, buf_slice(&text));
    if (error == 0)
        error = kept.ptr ? profile_read(ret, arena, "profile.yml", kept, &d->deed.diag) : ERR_NOMEM;
    buf_done(&text);
    return error;
}

static int import(struct library_deed *d, const char *set, const struct profile *profile)
{
    struct library_name name;
    struct pack pack;
    bool good = library_name_read(slice_of(set), &name);
    ASSERT(good);
    int fd = open_upload(d);
    if (fd < 0)
        return diag_set(&d->deed.diag, ERR_IO, NULL, 0, 0, "the upload: %s", strerror(errno));
    int error = pack_read_zip(&pack, fd, STDOUT_FILENO, &d->deed.diag);
    (void)close(fd);
    if (error == ERR_CORRUPT) error = ERR_INVALID;
    if (error) return deed_take_error(&d->deed, "file", error);
    error = take_in(d, &name, &pack, profile);
    pack_done(&pack);
    return error;
}

int library_do_import(struct library_deed *d)
{
    struct arena arena;
    struct profile profile;
    const char *set = read_set(d);
    const char *wanted = deed_text(&d->deed, "profile", 32, false);
    if (!body_end(&d->deed.body)) return 0;
    arena_init(&arena, PROFILES_MAX);
    int error = read_profile(d, &arena, set, *wanted ? wanted : "default", &profile);
    if (error) error = deed_take_error(&d->deed, "profile", error);
    else error = import(d, set, &profile);
    arena_done(&arena);
    return error;
}

/* ---- single rules ------------------------------------------------------------------------ */

/* The same pack with another profile is another version. */
static int keep_switched(struct library_deed *d, struct library_version *v,
                         const struct profile *profile)
{
    struct library_import im;
    struct library_name before;
    struct buf *out = d->deed.answer;
    int error = understand(d, &v->set, &v->pack, profile, "switch", &im);
    if (error) return error;
    error = library_version_use(&d->library, v->set.text, im.version.text, &d->change, &before,
                                &d->deed.diag);
    json_write_member_string(out, "set", slice_of(v->set.text));
    json_write_member_string(out, "version", slice_of(im.version.text));
    json_write_member_string(out, "before", slice_of(before.text));
    json_write_member_u64(out, "on", catalog_count_on(&im.catalog));
    d->changed = strcmp(before.text, im.version.text) != 0;
    library_import_done(&im);
    return error;
}

static int switch_rule(struct library_deed *d, struct library_version *v, struct arena *arena,
                       struct slice id, bool on)
{
    struct profile profile, other;
    struct buf text;
    const struct catalog_rule *rule = catalog_find(&v->catalog, id);
    if (!rule || rule->doc->id.len == 0)
        return diag_set(&d->deed.diag, ERR_NOT_FOUND, NULL, 0, 0,
                        "the version in force has no such rule");
    buf_init(&text, PROFILE_FILE_MAX);
    int error = profile_read(&profile, arena, "profile.yml", v->pack.profile, &d->deed.diag);
    if (error == 0) error = profile_switch(&text, &profile, rule->doc->id, on);
    if (error == 0)
        error = profile_read(&other, arena, "profile.yml", buf_slice(&text), &d->deed.diag);
    if (error == 0) error = keep_switched(d, v, &other);
    buf_done(&text);
    return error;
}

int library_do_switch(struct library_deed *d)
{
    struct library_name current;
    struct library_version v;
    struct arena arena;
    const char *set = read_set(d);
    struct slice id = body_text(&d->deed.body, "rule", 128, true);
    bool on = body_bool(&d->deed.body, "on", true) == 1;
    if (!body_end(&d->deed.body)) return 0;
    if (!library_current(&d->library, set, &current)) {
        deed_refuse(&d->deed, DESK_NOT_FOUND, "set", "no version of it is in force");
        return 0;
    }
    int error = read_version(d, set, current.text, &v);
    if (error) return deed_take_error(&d->deed, "set", error);
    arena_init(&arena, PROFILES_MAX);
    error = switch_rule(d, &v, &arena, id, on);
    arena_done(&arena);
    library_version_done(&v);
    if (error == ERR_LIMIT) {
        deed_refuse(&d->deed, DESK_CONFLICT, "rule",
                    "as many rules as may be are switched by hand");
        return 0;
    }
    return deed_take_error(&d->deed, "rule", error);
}
