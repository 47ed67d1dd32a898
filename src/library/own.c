/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/own.h"

#include <inttypes.h>
#include <limits.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "detect/sigma/set.h"

enum { HISTORY_MAX = 64 * 1024 * 1024, VERSION_DIGITS = 20 };

/* A line of the history: what was done to which file, and why. */
static int note(const struct library *l, const struct library_change *change, const char *what,
                const char *member, const char *id, struct slice rule, struct slice reason,
                struct diag *diag)
{
    struct buf members;
    buf_init(&members, 64 * 1024);
    json_write_string(&members, slice_of(member));
    buf_putc(&members, ':');
    json_write_string(&members, slice_of(id));
    json_write_member_string(&members, "rule", rule);
    json_write_member_string(&members, "reason", reason);
    int error = library_note(l, change->now, change->who, what, buf_slice(&members), diag);
    buf_done(&members);
    return error;
}

/* ---- exceptions -------------------------------------------------------------------------- */

static bool is_of(const char *file, const char *name)
{
    return file && strcmp(file, name) == 0;
}

/* Whether the exception is in force for some rule; else why not. */
static const char *why_idle(const struct sigma_set *set, const char *name)
{
    const char *why = "it does not apply to the rule";
    for (uint32_t i = 0; i < set->n_filters; i++)
        if (is_of(set->filters[i].doc->file, name) && set->filters[i].n_rules) return NULL;
    for (uint32_t i = 0; i < set->n_refusals; i++)
        if (is_of(set->refusals[i].diag.file, name)) why = set->refusals[i].diag.message;
    return why;
}

/* Reads it as it will be read, with the rule: a mistake in it must not wait for the next start. */
static int try(const struct library_change *change, const struct sigma_doc *doc, struct slice rule,
               struct slice filter, struct diag *diag)
{
    static const struct sigma_expr always = {.kind = EXPR_TRUE};
    static const char name[] = "exception";
    const struct sigma_set_options options = {.placeholders = change->placeholders,
                                              .now = change->now};
    struct sigma_set *set = sigma_set_new();
    if (!set) return ERR_NOMEM;
    int error = rule.len ? sigma_set_add_text(set, "rule", rule, &options)
                         : sigma_set_add_made(set, doc, &always);
    if (error == 0) error = sigma_set_add_text(set, name, filter, &options);
    if (error == 0) error = sigma_set_finish(set);
    const char *why = error ? NULL : why_idle(set, name);
    if (why) error = diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s", why);
    sigma_set_free(set);
    return error;
}

int library_except(const struct library *l, const struct exception *e, struct slice text,
                   const struct library_change *change, char ret_id[EXCEPTION_ID + 1],
                   struct diag *diag)
{
    char id[EXCEPTION_ID + 1], name[EXCEPTION_ID + 8];
    struct buf filter;
    int error = exception_id_make(id);
    buf_init(&filter, EXCEPTION_FILE_MAX);
    (void)snprintf(name, sizeof name, "%s.yml", id);
    if (error == 0) error = exception_write(&filter, e, id, diag);
    if (error == 0) error = try(change, e->rule, text, buf_slice(&filter), diag);
    if (error == 0)
        error = note(l, change, "except", "exception", id, e->rule->id, e->reason, diag);
    if (error == 0) error = library_write(l, LIBRARY_EXCEPTIONS, name, buf_slice(&filter), diag);
    if (error == 0) memcpy(ret_id, id, sizeof id);
    buf_done(&filter);
    return error;
}

int library_lift(const struct library *l, const char *id, const struct library_change *change,
                 struct diag *diag)
{
    char name[EXCEPTION_ID + 8];
    struct library_name checked;
    if (!library_name_read(slice_of(id), &checked) || strlen(id) > EXCEPTION_ID)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "'%.64s' is no exception's id; 'vaka rules exceptions' lists them", id);
    (void)snprintf(name, sizeof name, "%s.yml", id);
    int error = library_put_away(l, LIBRARY_EXCEPTIONS, name, diag);
    return error ? error : note(l, change, "lift", "exception", id, SLICE_NONE, SLICE_NONE, diag);
}

/* ---- rules ------------------------------------------------------------------------------- */

static bool is_uuid(struct slice id)
{
    if (id.len != OWN_ID) return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

bool library_own_file(struct slice id, char ret[OWN_ID + 5])
{
    if (!is_uuid(id)) return false;
    (void)snprintf(ret, OWN_ID + 5, "%.*s.yml", SLICE_FMT(id));
    return true;
}

int library_own_id(struct slice text, const struct library_change *change, char ret[OWN_ID + 1],
                   struct diag *diag)
{
    const struct sigma_set_options options = {.placeholders = change->placeholders,
                                              .now = change->now};
    struct sigma_set *set = sigma_set_new();
    if (!set) return ERR_NOMEM;
    int error = sigma_set_add_text(set, "text", text, &options);
    if (error == 0) error = sigma_set_finish(set);
    const struct sigma_doc *first = set->n_correlations ? set->correlations[0]->doc
                                    : set->n_rules      ? set->rules[0]->doc
                                                        : NULL;
    for (uint32_t i = 0; i < set->n_refusals && error == 0; i++) {
        const struct diag *why = &set->refusals[i].diag;
        if (!set->refusals[i].warning)
            error = diag_set(diag, ERR_INVALID, NULL, why->line, why->column, "%s", why->message);
    }
    if (error == 0 && !first)
        error = diag_set(diag, ERR_INVALID, NULL, 1, 1, "there is no rule in it");
    if (error == 0 && !is_uuid(first->id))
        error = diag_set(diag, ERR_INVALID, NULL, first->pos.line, first->pos.column,
                         "the rule needs an `id` that is a UUID");
    if (error == 0) (void)slice_copy(first->id, ret, OWN_ID + 1);
    sigma_set_free(set);
    return error;
}

/* NAME_MAX is enough. A version is the time it was kept at, in nanoseconds since 1970. */
static void version_file(struct slice version, const char *file, char ret[NAME_MAX])
{
    (void)snprintf(ret, NAME_MAX, ".%.*s-%s", SLICE_FMT(version), file);
}

static int note_save(const struct library *l, const struct library_change *change, const char *file,
                     const char *id, const char *version, struct diag *diag)
{
    struct buf members;
    buf_init(&members, 4096);
    json_write_key(&members, "file");
    json_write_string(&members, slice_of(file));
    json_write_member_string(&members, "rule", slice_of(id));
    json_write_member_string(&members, "version", slice_of(version));
    int error = library_note(l, change->now, change->who, "save", buf_slice(&members), diag);
    buf_done(&members);
    return error;
}

int library_own_save(const struct library *l, struct slice text,
                     const struct library_change *change, char ret_id[OWN_ID + 1],
                     struct diag *diag)
{
    char id[OWN_ID + 1], file[OWN_ID + 5], version[VERSION_DIGITS + 1], kept[NAME_MAX];
    int error = library_own_id(text, change, id, diag);
    if (error) return error;
    bool good = library_own_file(slice_of(id), file);
    ASSERT(good);
    (void)snprintf(version, sizeof version, "%" PRId64, change->now);
    version_file(slice_of(version), file, kept);
    error = library_write(l, LIBRARY_OWN, kept, text, diag);
    if (error == 0) error = note_save(l, change, file, id, version, diag);
    if (error == 0) error = library_write(l, LIBRARY_OWN, file, text, diag);
    if (error == 0) memcpy(ret_id, id, sizeof id);
    return error;
}

int library_own_drop(const struct library *l, struct slice id, const struct library_change *change,
                     struct diag *diag)
{
    char file[OWN_ID + 5];
    if (!library_own_file(id, file))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "this is no id of a rule of one's own");
    int error = library_put_away(l, LIBRARY_OWN, file, diag);
    return error ? error : note(l, change, "drop", "file", file, id, SLICE_NONE, diag);
}

/* ---- versions ---------------------------------------------------------------------------- */

static bool says(struct slice line, const char *member, struct slice wanted)
{
    struct slice value, text;
    return json_find_member(line, member, NULL, &value) && json_string_inside(value, &text) &&
           slice_eq(text, wanted);
}

static bool is_about(struct slice line, struct slice file)
{
    return says(line, "file", file) &&
           (says(line, "what", SLICE("save")) || says(line, "what", SLICE("drop")));
}

/* A member as it stands there, by another name. */
static void put_same(struct buf *out, struct slice line, const char *member, const char *name)
{
    struct slice value;
    json_write_key(out, name);
    buf_put(out, json_find_member(line, member, NULL, &value) ? value : SLICE("null"));
}

static void put_versions(struct buf *out, struct slice history, struct slice file)
{
    struct slice found[OWN_VERSIONS], line;
    size_t n = 0;
    while (slice_split(history, '\n', &line, &history))
        if (json_is_object(line) && is_about(line, file)) found[n++ % OWN_VERSIONS] = line;
    size_t oldest = n > OWN_VERSIONS ? n - OWN_VERSIONS : 0;
    buf_putc(out, '[');
    for (size_t i = n; i > oldest; i--) {
        line = found[(i - 1) % OWN_VERSIONS];
        buf_puts(out, i < n ? ",{" : "{");
        put_same(out, line, "what", "what");
        put_same(out, line, "time", "at");
        put_same(out, line, "by", "by");
        put_same(out, line, "version", "version");
        buf_putc(out, '}');
    }
    buf_putc(out, ']');
}

int library_own_versions(const struct library *l, struct slice id, struct buf *out,
                         struct diag *diag)
{
    char file[OWN_ID + 5] = "";
    struct buf history;
    buf_init(&history, HISTORY_MAX);
    int error = library_own_file(id, file) ? library_history(l, &history, diag) : 0;
    if (error == 0) put_versions(out, buf_slice(&history), slice_of(file));
    buf_done(&history);
    return error ? error : buf_error(out);
}

int library_own_version(const struct library *l, struct slice id, struct slice version,
                        struct buf *out, struct diag *diag)
{
    char file[OWN_ID + 5], name[NAME_MAX];
    uint64_t at;
    if (!library_own_file(id, file) || version.len > VERSION_DIGITS || !slice_to_u64(version, &at))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "there is no such version");
    version_file(version, file, name);
    return library_read_text(l, LIBRARY_OWN, "", name, out, diag);
}
