/* SPDX-License-Identifier: EUPL-1.2 */
/* Sets of others' rules: their versions, what differs, which one is in force. */
#include "base/json_read.h"
#include "base/json_write.h"
#include "library/version.h"
#include "serve/librarian.h"

enum { ABOUT_MAX = 64 * 1024, REFUSALS_TOLD = 200 };

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
