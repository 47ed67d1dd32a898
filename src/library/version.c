/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/version.h"

#include <string.h>

#include "base/json_write.h"
#include "wording/wording.h"

enum { NOTE_MAX = 64 * 1024, PROFILES_MAX = 4 * 1024 * 1024 };

/* ---- reading ----------------------------------------------------------------------------- */

/* The one in force, else the one that was imported last. */
static int choose_version(const struct library *l, const char *set, struct library_name *ret,
                          struct diag *diag)
{
    struct library_list versions;
    if (library_current(l, set, ret)) return 0;
    int error = library_versions(l, set, &versions, diag);
    if (error == 0 && versions.n == 0)
        error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0,
                         "no rules were imported under the name %.64s", set);
    if (error == 0) *ret = versions.items[versions.n - 1];
    library_list_done(&versions);
    return error;
}

static int read_version(const struct library *l, const struct placeholders *placeholders,
                        struct library_version *v, struct diag *diag)
{
    int error = library_read(l, v->set.text, v->version.text, &v->pack, diag);
    if (error) return error;
    error = catalog_make(&v->catalog, &v->pack, NULL, placeholders);
    if (error) {
        pack_done(&v->pack);
        return diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    }
    if (library_is_whole(v->version.text, &v->catalog)) return 0;
    library_version_done(v);
    return diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                    "%s/%s: it is not what was imported any more; import it again", v->set.text,
                    v->version.text);
}

int library_version_read(const struct library *l, const struct placeholders *placeholders,
                         const char *set, const char *version, struct library_version *ret,
                         struct diag *diag)
{
    struct library_version v = {0};
    int error = 0;
    if (!library_name_read(slice_of(set), &v.set))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "'%.64s' is no name of a set", set);
    if (!version) error = choose_version(l, set, &v.version, diag);
    else if (!library_name_read(slice_of(version), &v.version))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "'%.64s' is no name of a version", version);
    if (error) return error;
    *ret = v;
    return read_version(l, placeholders, ret, diag);
}

void library_version_done(struct library_version *v)
{
    catalog_done(&v->catalog);
    pack_done(&v->pack);
}

int library_version_pair(const struct library *l, const char *set, const char **old,
                         const char **new, struct library_name names[2], struct diag *diag)
{
    struct library_list versions;
    int error = library_versions(l, set, &versions, diag);
    uint32_t n = error ? 0 : versions.n;
    if (n) names[1] = versions.items[n - 1];
    bool current = library_current(l, set, &names[0]);
    if (n > 1 && (!current || strcmp(names[0].text, names[1].text) == 0))
        names[0] = versions.items[n - 2];
    if (error == 0 && (n == 0 || (n < 2 && !*old && !*new)))
        error =
            diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "%.64s has no two versions to compare", set);
    if (error == 0 && !*old) *old = names[0].text;
    if (error == 0 && !*new) *new = names[1].text;
    library_list_done(&versions);
    return error;
}

/* ---- in force ---------------------------------------------------------------------------- */

static int note_use(const struct library *l, const char *set, const char *version,
                    const char *before, const struct library_change *change, struct diag *diag)
{
    struct buf members;
    buf_init(&members, NOTE_MAX);
    json_write_string(&members, SLICE("set"));
    buf_putc(&members, ':');
    json_write_string(&members, slice_of(set));
    json_write_member_string(&members, "version", slice_of(version));
    json_write_member_string(&members, "before", slice_of(before));
    int error = library_note(l, change->now, change->who, "use", buf_slice(&members), diag);
    buf_done(&members);
    return error;
}

int library_version_use(const struct library *l, const char *set, const char *version,
                        const struct library_change *change, struct library_name *ret_before,
                        struct diag *diag)
{
    *ret_before = (struct library_name){"off"};
    bool any = library_current(l, set, ret_before);
    if (version ? any && strcmp(ret_before->text, version) == 0 : !any) return 0;
    int error = note_use(l, set, version ? version : "off", ret_before->text, change, diag);
    return error ? error : library_use(l, set, version, diag);
}

/* ---- taking in --------------------------------------------------------------------------- */

int library_import_make(struct library_import *im, const struct library *l,
                        const struct placeholders *placeholders, const struct library_name *set,
                        const struct pack *pack, const struct profile *profile, const char *from,
                        struct diag *diag)
{
    struct diag none = {0};
    *im = (struct library_import){.set = *set, .profile = profile, .pack = pack};
    int error = catalog_make(&im->catalog, pack, profile, placeholders);
    if (error) return diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    im->has_before =
        library_version_read(l, placeholders, set->text, NULL, &im->before, &none) == 0;
    error =
        difference_make(&im->changes, im->has_before ? &im->before.catalog : NULL, &im->catalog);
    if (error == 0 && im->catalog.n == 0)
        error = diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "%s: there is no rule in it", from);
    library_version_of(&im->catalog, &im->version);
    if (error) library_import_done(im);
    return error;
}

void library_import_done(struct library_import *im)
{
    difference_done(&im->changes);
    if (im->has_before) library_version_done(&im->before);
    catalog_done(&im->catalog);
}

int library_import_keep(struct library_import *im, const struct library *l, const char *from,
                        const struct library_change *change, struct diag *diag)
{
    const struct library_origin origin = {
        .from = slice_of(from), .who = change->who, .now = change->now};
    int error = library_add(l, im->set.text, &im->catalog, im->profile, &origin, &im->version,
                            &im->fresh, diag);
    if (error) return error;
    im->kept = true;
    if (!im->fresh) return 0;
    struct buf members;
    buf_init(&members, NOTE_MAX);
    json_write_string(&members, SLICE("set"));
    buf_putc(&members, ':');
    json_write_string(&members, slice_of(im->set.text));
    json_write_member_string(&members, "version", slice_of(im->version.text));
    json_write_member_string(&members, "from", slice_of(from));
    json_write_member_string(&members, "profile", im->profile->name);
    error = library_note(l, change->now, change->who, "import", buf_slice(&members), diag);
    buf_done(&members);
    return error;
}

/* ---- what is told of it ------------------------------------------------------------------ */

uint32_t library_import_refused(const struct library_import *im)
{
    const struct sigma_set *set = im->catalog.set;
    uint32_t n = im->pack->n_refusals;
    for (uint32_t i = 0; i < set->n_refusals; i++) n += !set->refusals[i].warning;
    return n;
}

static void put_refusal(struct buf *out, struct slice file, const struct diag *diag,
                        struct slice id, const char *why, bool first)
{
    buf_puts(out, first ? "{" : ",{");
    json_write_member_string(out, "file", file);
    json_write_member_u64(out, "line", diag ? diag->line : 0);
    json_write_member_u64(out, "column", diag ? diag->column : 0);
    json_write_member_string(out, "id", id);
    json_write_member_string(out, "why", slice_of(why));
    wording_write_member(out, "why_sv", slice_of(why));
    buf_putc(out, '}');
}

static void put_refusals(struct buf *out, const struct library_import *im, uint32_t most)
{
    const struct sigma_set *set = im->catalog.set;
    uint32_t n = 0;
    for (uint32_t i = 0; i < im->pack->n_refusals && n < most; i++)
        put_refusal(out, im->pack->refusals[i].path, NULL, SLICE_NONE, im->pack->refusals[i].why,
                    n++ == 0);
    for (uint32_t i = 0; i < set->n_refusals && n < most; i++) {
        const struct sigma_refusal *r = &set->refusals[i];
        if (r->warning) continue;
        put_refusal(out, slice_of(r->diag.file ? r->diag.file : "?"), &r->diag, r->id,
                    r->diag.message, n++ == 0);
    }
}

/* How many rules each of the built-in profiles would switch on. */
static void put_profiles(struct buf *out, const struct library_import *im)
{
    struct arena arena;
    struct profile profile;
    struct diag diag;
    const char *name;
    arena_init(&arena, PROFILES_MAX);
    json_write_key(out, "profiles");
    buf_putc(out, '{');
    for (uint32_t i = 0; (name = profile_builtin(i)); i++) {
        if (profile_load(&profile, &arena, name, &diag) == 0)
            json_write_member_u64(out, name, catalog_count_taken(&im->catalog, &profile));
    }
    buf_putc(out, '}');
    arena_done(&arena);
}

static void put_bool(struct buf *out, const char *key, bool value)
{
    json_write_key(out, key);
    buf_puts(out, value ? "true" : "false");
}

void library_import_write(struct buf *out, const struct library_import *im, uint32_t refusals)
{
    buf_putc(out, '{');
    json_write_member_string(out, "set", slice_of(im->set.text));
    json_write_member_string(out, "version", slice_of(im->version.text));
    json_write_member_string(out, "profile", im->profile->name);
    put_bool(out, "kept", im->kept);
    put_bool(out, "fresh", im->fresh);
    json_write_member_u64(out, "files", im->pack->n);
    json_write_member_u64(out, "rules", im->catalog.n);
    json_write_member_u64(out, "on", catalog_count_on(&im->catalog));
    json_write_key(out, "before");
    if (im->has_before) json_write_string(out, slice_of(im->before.version.text));
    else buf_puts(out, "null");
    differences_write_counts(out, &im->changes);
    put_profiles(out, im);
    json_write_key(out, "refused");
    buf_putc(out, '[');
    put_refusals(out, im, refusals);
    buf_puts(out, "]}");
}
