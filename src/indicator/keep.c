/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/keep.h"

#include <nettle/sha2.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"

#define LIST_FILE "list.csv"
enum { ABOUT_MAX = 64 * 1024, HASH_SHOWN = 6 /* bytes of the hash in a name */, SECONDS = 15 };

/* ---- names ------------------------------------------------------------------------------- */

static void put_hash(struct buf *out, struct slice list)
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, list.len, (const uint8_t *)list.ptr);
    sha256_digest(&sha, sizeof digest, digest);
    for (unsigned i = 0; i < HASH_SHOWN; i++) buf_printf(out, "%02x", digest[i]);
}

static bool is_of(const struct library_name *version, struct slice list)
{
    struct buf hash;
    buf_init(&hash, 4 * HASH_SHOWN);
    put_hash(&hash, list);
    bool same = slice_ends_with(slice_of(version->text), buf_slice(&hash));
    buf_done(&hash);
    return same;
}

/* 20261224T120000Z-0123456789ab */
static void name_version(nsec now, struct slice list, struct library_name *ret)
{
    struct buf text, name;
    buf_init(&text, 64);
    buf_init(&name, LIBRARY_NAME_MAX);
    time_write_rfc3339(&text, now);
    for (size_t i = 0; i < text.len && name.len < SECONDS; i++)
        if (text.ptr[i] != '-' && text.ptr[i] != ':') buf_putc(&name, text.ptr[i]);
    buf_puts(&name, "Z-");
    put_hash(&name, list);
    bool good = library_name_read(buf_slice(&name), ret);
    ASSERT(good);
    buf_done(&text);
    buf_done(&name);
}

/* ---- keeping ----------------------------------------------------------------------------- */

static void write_about(struct buf *out, const char *name, const struct library_name *version,
                        const struct indicators *in, const struct indicators_origin *origin)
{
    buf_putc(out, '{');
    json_write_member_string(out, "list", slice_of(name));
    json_write_member_string(out, "version", slice_of(version->text));
    json_write_key(out, "imported");
    buf_putc(out, '"');
    time_write_rfc3339(out, origin->now);
    buf_putc(out, '"');
    json_write_member_string(out, "by", origin->who);
    json_write_member_string(out, "from", origin->from);
    json_write_member_string(out, "level", slice_of(sigma_level_name(origin->level)));
    json_write_member_u64(out, "indicators", in->n);
    for (unsigned k = 0; k < LISTED_KINDS; k++)
        json_write_member_u64(out, listed_kind_name((enum listed_kind)k),
                              in->lists[k] ? listed_count(in->lists[k]) : 0);
    json_write_member_u64(out, "doubled", in->doubled);
    json_write_member_u64(out, "ended", in->ended);
    json_write_member_u64(out, "refused", in->refused);
    buf_puts(out, "}\n");
}

static int read_level(const struct library *l, const char *name, const char *version,
                      enum sigma_level *ret, struct diag *diag)
{
    struct buf about;
    struct slice value, text;
    buf_init(&about, ABOUT_MAX);
    int error = library_about(l, name, version, &about, diag);
    bool told = error == 0 && json_find_member(buf_slice(&about), "level", NULL, &value) &&
                json_string_inside(value, &text) && sigma_level_parse(text, ret);
    buf_done(&about);
    return error || told ? error
                         : diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                                    "%s/%s/version.json tells no level", name, version);
}

static int note(const struct library *l, const char *name, const struct library_name *version,
                const char *what, const struct indicators_origin *origin, struct diag *diag)
{
    struct buf members;
    buf_init(&members, ABOUT_MAX);
    json_write_string(&members, SLICE("list"));
    buf_putc(&members, ':');
    json_write_string(&members, slice_of(name));
    json_write_member_string(&members, "version", slice_of(version->text));
    json_write_member_string(&members, "from", origin->from);
    int error = library_note(l, origin->now, origin->who, what, buf_slice(&members), diag);
    buf_done(&members);
    return error;
}

/* Versions before the last ones. */
static int remove_old(const struct library *l, const char *name, struct diag *diag)
{
    struct library_list versions;
    int error = library_versions(l, name, &versions, diag);
    if (error) return error;
    for (uint32_t i = 0; i + INDICATORS_VERSIONS < versions.n && error == 0; i++)
        error = library_remove(l, name, versions.items[i].text, diag);
    library_list_done(&versions);
    return error;
}

static int check_room(const struct library *l, const char *name, struct diag *diag)
{
    struct library_list lists;
    struct library_name version;
    int error = library_sets(l, &lists, diag);
    uint32_t others = 0;
    for (uint32_t i = 0; error == 0 && i < lists.n; i++)
        others += strcmp(lists.items[i].text, name) != 0 &&
                  library_current(l, lists.items[i].text, &version);
    if (error == 0) library_list_done(&lists);
    if (error == 0 && others >= INDICATORS_LISTS_MAX)
        error = diag_set(diag, ERR_LIMIT, NULL, 0, 0,
                         "there are %d lists already; put several into one", INDICATORS_LISTS_MAX);
    return error;
}

static int add(const struct library *l, const char *name, const struct library_name *version,
               const struct indicators *in, struct slice list,
               const struct indicators_origin *origin, struct diag *diag)
{
    struct buf about;
    buf_init(&about, ABOUT_MAX);
    write_about(&about, name, version, in, origin);
    const struct library_text texts[] = {{LIST_FILE, list}, {"version.json", buf_slice(&about)}};
    int error = buf_error(&about);
    if (error == 0) error = library_add_texts(l, name, version->text, texts, 2, diag);
    buf_done(&about);
    if (error == 0) error = note(l, name, version, "import", origin, diag);
    if (error == 0) error = library_use(l, name, version->text, diag);
    return error ? error : remove_old(l, name, diag);
}

int indicators_keep(const struct library *l, const char *name, const struct indicators *in,
                    const struct indicators_origin *origin, struct library_name *ret, bool *ret_new,
                    struct diag *diag)
{
    struct library_name version;
    enum sigma_level level = LEVEL_NONE;
    struct buf list;
    buf_init(&list, 2 * (size_t)INDICATORS_FILE_MAX);
    indicators_write(&list, in);
    int error = buf_error(&list);
    if (error == 0) error = check_room(l, name, diag);
    bool same = error == 0 && library_current(l, name, &version) &&
                is_of(&version, buf_slice(&list)) &&
                read_level(l, name, version.text, &level, diag) == 0 && level == origin->level;
    if (error == 0 && !same) {
        name_version(origin->now, buf_slice(&list), &version);
        error = add(l, name, &version, in, buf_slice(&list), origin, diag);
    }
    buf_done(&list);
    if (error) return error;
    *ret = version;
    *ret_new = !same;
    return 0;
}

int indicators_remove(const struct library *l, const char *name,
                      const struct indicators_origin *origin, struct diag *diag)
{
    struct library_name version;
    if (!library_current(l, name, &version))
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no list of indicators is called '%.64s'",
                        name);
    int error = note(l, name, &version, "remove", origin, diag);
    return error ? error : library_use(l, name, NULL, diag);
}

/* ---- loading ----------------------------------------------------------------------------- */

static int load(const struct library *l, const char *name, nsec now, struct buf *list,
                struct indicators_kept *ret, struct diag *diag)
{
    const struct indicators_options options = {.now = now, .kept = true};
    if (!library_current(l, name, &ret->version))
        return diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "no list of indicators is called '%.64s'",
                        name);
    int error = read_level(l, name, ret->version.text, &ret->level, diag);
    if (error == 0) error = library_read_text(l, name, ret->version.text, LIST_FILE, list, diag);
    if (error) return error;
    if (!is_of(&ret->version, buf_slice(list)))
        return diag_set(diag, ERR_CORRUPT, NULL, 0, 0,
                        "%s/%s/%s: it is not what was imported any more; import it again", l->path,
                        name, ret->version.text);
    return indicators_read(buf_slice(list), &options, &ret->in, diag);
}

int indicators_load(const struct library *l, const char *name, nsec now,
                    struct indicators_kept *ret, struct diag *diag)
{
    struct buf list;
    struct indicators_kept kept = {0};
    buf_init(&list, 2 * (size_t)INDICATORS_FILE_MAX);
    int error = load(l, name, now, &list, &kept, diag);
    buf_done(&list);
    if (error == 0) *ret = kept;
    return error;
}
