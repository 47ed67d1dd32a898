/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/own.h"

#include <inttypes.h>

#include "base/json_write.h"
#include "detect/sigma/set.h"

enum { OWN_FILE_MAX = YAML_FILE_MAX };

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

/* What is there goes to a name with the time in it. */
static int keep_before(const struct library *l, const char *file, nsec now, struct diag *diag)
{
    struct buf text;
    char name[OWN_ID + 40];
    buf_init(&text, OWN_FILE_MAX);
    int error = library_read_text(l, LIBRARY_OWN, "", file, &text, diag);
    (void)snprintf(name, sizeof name, ".%" PRId64 "-%s", now / NSEC_PER_SEC, file);
    if (error == 0) error = library_write(l, LIBRARY_OWN, name, buf_slice(&text), diag);
    buf_done(&text);
    return error == ERR_NOT_FOUND ? 0 : error;
}

int library_own_save(const struct library *l, struct slice text,
                     const struct library_change *change, char ret_id[OWN_ID + 1],
                     struct diag *diag)
{
    char id[OWN_ID + 1], file[OWN_ID + 5];
    int error = library_own_id(text, change, id, diag);
    if (error) return error;
    bool good = library_own_file(slice_of(id), file);
    ASSERT(good);
    error = keep_before(l, file, change->now, diag);
    if (error == 0) error = note(l, change, "save", "file", file, slice_of(id), SLICE_NONE, diag);
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
