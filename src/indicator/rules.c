/* SPDX-License-Identifier: EUPL-1.2 */
#include "indicator/rules.h"

#include "base/hash.h"
#include "detect/sigma/tree.h"
#include "yaml/yaml.h"

enum { FIELDS_MAX = 64 };
#define INDICATOR_FILE "indicators/" /* what such rules have before the name of their list */

/* A set of rules that must be read anew costs something: ends are told to the quarter above. */
#define QUARTER (15 * 60 * NSEC_PER_SEC)

/* ---- fields ------------------------------------------------------------------------------ */

static int read_names(struct arena *arena, const char *file, const struct yaml_node *list,
                      struct slice **ret, uint32_t *ret_n, struct diag *diag)
{
    if (list->kind != YAML_SEQ || list->n == 0 || list->n > FIELDS_MAX)
        return diag_set(diag, ERR_INVALID, file, list->pos.line, list->pos.column,
                        "a list of 1 to %d fields is expected", FIELDS_MAX);
    *ret = arena_zalloc(arena, list->n, sizeof **ret);
    *ret_n = 0;
    for (const struct yaml_node *e = list->first; e && *ret; e = e->next) {
        if (e->kind != YAML_SCALAR)
            return diag_set(diag, ERR_INVALID, file, e->pos.line, e->pos.column,
                            "the name of a field is expected");
        (*ret)[(*ret_n)++] = arena_dup(arena, e->text);
    }
    return arena_error(arena);
}

static int read_root(struct arena *arena, const char *file, const struct yaml_node *root,
                     struct indicator_fields *ret, struct diag *diag)
{
    int error = 0;
    for (unsigned k = 0; k < LISTED_KINDS && error == 0; k++) {
        const char *name = listed_kind_name((enum listed_kind)k);
        const struct yaml_node *list = root && root->kind == YAML_MAP ? yaml_get(root, name) : NULL;
        error = list ? read_names(arena, file, list, &ret->names[k], &ret->n[k], diag)
                     : diag_set(diag, ERR_INVALID, file, 1, 1, "fields of `%s` are missing", name);
    }
    return error;
}

int indicator_fields_read(struct arena *arena, const char *file, struct slice text,
                          struct indicator_fields *ret, struct diag *diag)
{
    struct yaml_reader reader;
    const struct yaml_node *root;
    struct indicator_fields fields = {0};
    yaml_init(&reader, file, text);
    int error = yaml_next(&reader, &root, diag);
    if (error == 0) error = read_root(arena, file, root, &fields, diag);
    yaml_done(&reader);
    if (error == 0) *ret = fields;
    return error;
}

/* ---- rules ------------------------------------------------------------------------------- */

/* A UUID (RFC 9562, version 8) made of the names, so that it stays. */
static const char *make_id(struct arena *arena, const struct indicator_list *list,
                           enum listed_kind kind)
{
    const char *text =
        arena_printf(arena, INDICATOR_FILE "%s/%s", list->name, listed_kind_name(kind));
    if (!text) return NULL;
    uint64_t a = hash64_seed(slice_of(text), 1), b = hash64_seed(slice_of(text), 2);
    return arena_printf(arena, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(a >> 32),
                        (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
                        ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
                        (unsigned long long)b & 0xffffffffffff);
}

static const struct sigma_doc *make_doc(struct arena *arena, const struct indicator_list *list,
                                        enum listed_kind kind)
{
    static const char *const many[] = {[LISTED_ADDRESS] = "addresses",
                                       [LISTED_DOMAIN] = "names",
                                       [LISTED_URL] = "URLs",
                                       [LISTED_HASH] = "hashes",
                                       [LISTED_EMAIL] = "addresses of mail"};
    struct sigma_doc *doc = arena_zalloc(arena, 1, sizeof *doc);
    const char *file = arena_printf(arena, INDICATOR_FILE "%s", list->name);
    const char *title =
        arena_printf(arena, "Indicator of the list %s (%s)", list->name, many[kind]);
    const char *about = arena_printf(arena, "One of the %u %s of the list %s stands in an event.",
                                     listed_count(list->in->lists[kind]), many[kind], list->name);
    const char *id = make_id(arena, list, kind);
    struct slice version = arena_dup(arena, slice_of(list->version));
    if (!doc || !file || !title || !about || !id || !version.ptr) return NULL;
    *doc = (struct sigma_doc){
        .kind = SIGMA_RULE,
        .file = file,
        .pos = {1, 1},
        .title = slice_of(title),
        .id = slice_of(id),
        .status = SLICE("stable"),
        .description = slice_of(about),
        .modified = version,
        .level = list->level,
        .has_falsepositives = true,
        .respond = {SLICE("Se vad indikatorns beskrivning säger, vilken dator eller användare det "
                          "gäller och om trafiken släpptes igenom. Isolera datorn om den själv tog "
                          "kontakt."),
                    SLICE("Look at what the indicator's description says, which computer or user "
                          "it is, and whether the traffic was let through. Isolate the computer "
                          "when it made the contact itself.")},
    };
    return doc;
}

/* Any of the fields has one of the list. */
static const struct sigma_expr *make_expr(struct arena *arena, const struct indicator_fields *f,
                                          const struct indicator_list *list, enum listed_kind kind)
{
    struct expr_list any = {0};
    const char *pattern = arena_printf(arena, INDICATOR_FILE "%s", list->name);
    if (!pattern) return NULL;
    for (uint32_t i = 0; i < f->n[kind]; i++) {
        struct sigma_expr *e = expr_new(arena, EXPR_ATOM);
        struct sigma_atom *atom = arena_zalloc(arena, 1, sizeof *atom);
        struct slice field = arena_dup(arena, f->names[kind][i]);
        if (!e || !atom || !field.ptr) return NULL;
        *atom = (struct sigma_atom){.op = ATOM_LISTED,
                                    .field = field,
                                    .listed = list->in->lists[kind],
                                    .pattern = slice_of(pattern),
                                    .pos = {1, 1}};
        e->atom = atom;
        if (!expr_list_add(arena, &any, e)) return NULL;
    }
    return expr_join(arena, EXPR_OR, &any);
}

bool indicator_rules_has(const struct sigma_doc *doc)
{
    return slice_starts_with(slice_of(doc->file), SLICE(INDICATOR_FILE));
}

int indicator_rules_add(struct sigma_set *set, const struct indicator_fields *fields,
                        const struct indicator_list *list)
{
    int error = 0;
    for (unsigned k = 0; k < LISTED_KINDS && error == 0; k++) {
        enum listed_kind kind = (enum listed_kind)k;
        if (!list->in->lists[k]) continue;
        const struct sigma_doc *doc = make_doc(&set->arena, list, kind);
        const struct sigma_expr *expr = make_expr(&set->arena, fields, list, kind);
        error = doc && expr ? sigma_set_add_made(set, doc, expr) : ERR_NOMEM;
    }
    nsec ends = list->in->ends;
    if (error == 0 && ends > 0 && ends < INT64_MAX - QUARTER)
        sigma_set_holds_until(set, (ends + QUARTER - 1) / QUARTER * QUARTER);
    return error;
}

bool indicator_rules_are_of(const struct sigma_doc *doc, const char *list)
{
    return indicator_rules_has(doc) && strcmp(doc->file + strlen(INDICATOR_FILE), list) == 0;
}
