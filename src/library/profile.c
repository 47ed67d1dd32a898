/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/profile.h"

#include "base/file.h"
#include "base/hint.h"
#include "base/json_write.h"
#include "library/files.h"

struct reading {
    struct arena *arena;
    const char *file;
    struct diag *diag;
};

static int refuse(const struct reading *r, struct yaml_pos pos, const char *what)
{
    return diag_set(r->diag, ERR_INVALID, r->file, pos.line, pos.column, "%s", what);
}

static int refuse_word(const struct reading *r, struct yaml_pos pos, struct slice word)
{
    char shown[HINT_SHOW_SIZE];
    return diag_set(r->diag, ERR_INVALID, r->file, pos.line, pos.column,
                    "`%s` means nothing here in a profile", hint_show(shown, word));
}

static int keep(const struct reading *r, struct slice text, bool lower, struct slice *ret)
{
    char *copy = arena_alloc(r->arena, text.len + 1);
    if (!copy) return ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        copy[i] = lower && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    copy[text.len] = '\0';
    *ret = slice_make(copy, text.len);
    return 0;
}

static int check_known(const struct reading *r, const struct yaml_node *map,
                       const char *const *known)
{
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        const char *const *word = known;
        while (*word && !slice_eq(key->text, slice_of(*word))) word++;
        if (!*word) return refuse_word(r, key->pos, key->text);
    }
    return 0;
}

static int check_list(const struct reading *r, const struct yaml_node *node)
{
    if (node->kind != YAML_SEQ) return refuse(r, node->pos, "a list is expected");
    if (node->n > PROFILE_ITEMS_MAX) return refuse(r, node->pos, "the list is too long");
    return 0;
}

/* A list of words in lower case; `known` (may be NULL) are those that have a meaning. */
static int read_words(const struct reading *r, const struct yaml_node *map, const char *key,
                      const char *const *known, struct profile_texts *ret)
{
    const struct yaml_node *node = map ? yaml_get(map, key) : NULL;
    if (!node) return 0;
    int error = check_list(r, node);
    if (error) return error;
    struct slice *items = arena_zalloc(r->arena, node->n + 1u, sizeof *items);
    if (!items) return ERR_NOMEM;
    for (const struct yaml_node *e = node->first; e; e = e->next) {
        if (e->kind != YAML_SCALAR) return refuse(r, e->pos, "a word is expected");
        error = keep(r, e->text, true, &items[ret->n]);
        if (error) return error;
        const char *const *word = known;
        while (word && *word && !slice_eq(items[ret->n], slice_of(*word))) word++;
        if (word && !*word) return refuse_word(r, e->pos, e->text);
        ret->n++;
    }
    ret->items = items;
    ret->said = true;
    return 0;
}

static int read_source(const struct reading *r, const struct yaml_node *node,
                       struct sigma_logsource *ret)
{
    static const char *const known[] = {"product", "category", "service", NULL};
    struct slice *const parts[] = {&ret->product, &ret->category, &ret->service};
    if (node->kind != YAML_MAP || node->n == 0)
        return refuse(r, node->pos, "a log source is expected");
    int error = check_known(r, node, known);
    for (size_t i = 0; i < 3 && error == 0; i++) {
        const struct yaml_node *value = yaml_get(node, known[i]);
        if (value && value->kind != YAML_SCALAR) return refuse(r, value->pos, "a word is expected");
        if (value) error = keep(r, value->text, true, parts[i]);
    }
    return error;
}

static int read_sources(const struct reading *r, const struct yaml_node *map, const char *key,
                        struct profile_sources *ret)
{
    const struct yaml_node *node = map ? yaml_get(map, key) : NULL;
    if (!node) return 0;
    int error = check_list(r, node);
    if (error) return error;
    struct sigma_logsource *items = arena_zalloc(r->arena, node->n + 1u, sizeof *items);
    if (!items) return ERR_NOMEM;
    for (const struct yaml_node *e = node->first; e && error == 0; e = e->next)
        error = read_source(r, e, &items[ret->n++]);
    ret->items = items;
    ret->said = true;
    return error;
}

/* The map under a key that may have `include` and `exclude`; NULL when it is not there. */
static int sides(const struct reading *r, const struct yaml_node *root, const char *key,
                 const struct yaml_node **ret)
{
    static const char *const known[] = {"include", "exclude", NULL};
    const struct yaml_node *node = yaml_get(root, key);
    *ret = node;
    if (!node) return 0;
    if (node->kind != YAML_MAP) return refuse(r, node->pos, "`include` and `exclude` are expected");
    return check_known(r, node, known);
}

static int read_root(const struct reading *r, const struct yaml_node *root, struct profile *p)
{
    static const char *const known[] = {"name",      "description", "status", "level",
                                        "logsource", "tags",        "rules",  NULL};
    static const char *const statuses[] = {"stable",     "test",        "experimental",
                                           "deprecated", "unsupported", NULL};
    static const char *const levels[] = {"none", "informational", "low", "medium",
                                         "high", "critical",      NULL};
    if (root->kind != YAML_MAP) return refuse(r, root->pos, "a profile is a map");
    const struct yaml_node *name = yaml_get(root, "name"), *source = NULL, *tags = NULL,
                           *rules = NULL;
    if (!name || name->kind != YAML_SCALAR || name->text.len == 0)
        return refuse(r, root->pos, "a profile needs a `name`");
    int error = check_known(r, root, known);
    if (error == 0) error = keep(r, name->text, false, &p->name);
    if (error == 0) error = read_words(r, root, "status", statuses, &p->status);
    if (error == 0) error = read_words(r, root, "level", levels, &p->level);
    if (error == 0) error = sides(r, root, "logsource", &source);
    if (error == 0) error = sides(r, root, "tags", &tags);
    if (error == 0) error = sides(r, root, "rules", &rules);
    if (error == 0) error = read_sources(r, source, "include", &p->sources);
    if (error == 0) error = read_sources(r, source, "exclude", &p->no_sources);
    if (error == 0) error = read_words(r, tags, "include", NULL, &p->tags);
    if (error == 0) error = read_words(r, tags, "exclude", NULL, &p->no_tags);
    if (error == 0) error = read_words(r, rules, "include", NULL, &p->rules);
    if (error == 0) error = read_words(r, rules, "exclude", NULL, &p->no_rules);
    return error;
}

int profile_read(struct profile *ret, struct arena *arena, const char *file, struct slice text,
                 struct diag *diag)
{
    const struct reading r = {.arena = arena, .file = file, .diag = diag};
    struct profile p = {.text = text};
    struct yaml_reader yaml;
    const struct yaml_node *root;
    yaml_init(&yaml, file, text);
    int error = yaml_next(&yaml, &root, diag);
    if (error == 0 && !root)
        error = diag_set(diag, ERR_INVALID, file, 1, 1, "the profile is empty");
    if (error == 0) error = read_root(&r, root, &p);
    yaml_done(&yaml);
    if (error == 0) *ret = p;
    return error;
}

static const char *const builtin[] = {"default", "all", NULL};

const char *profile_builtin(uint32_t number)
{
    return number < sizeof builtin / sizeof *builtin ? builtin[number] : NULL;
}

int profile_load(struct profile *ret, struct arena *arena, const char *name, struct diag *diag)
{
    struct slice wanted = slice_of(name), known;
    const char *path = arena_printf(arena, "profiles/%s.yml", name);
    if (!path) return ERR_NOMEM;
    if (library_file_find(slice_of(path), &known))
        return profile_read(ret, arena, path, known, diag);
    struct buf text;
    buf_init(&text, PROFILE_FILE_MAX);
    int error = file_read(name, &text, diag);
    if (error == ERR_NOT_FOUND)
        (void)diag_set(diag, error, NULL, 0, 0,
                       "'%.*s' is no profile: default, all, or a file (%s)",
                       (int)slice_until(wanted, 80).len, name, "docs/rules.md has its form");
    struct slice kept = error ? SLICE_NONE : arena_dup(arena, buf_slice(&text));
    if (error == 0) error = kept.ptr ? profile_read(ret, arena, name, kept, diag) : ERR_NOMEM;
    buf_done(&text);
    return error;
}

/* ---- rules ------------------------------------------------------------------------------- */

static bool has_word(const struct profile_texts *list, struct slice word)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (slice_eq_nocase(list->items[i], word)) return true;
    return false;
}

static bool is_like(struct slice pattern, struct slice tag)
{
    if (pattern.len == 0 || pattern.ptr[pattern.len - 1] != '*')
        return slice_eq_nocase(pattern, tag);
    pattern.len--;
    return tag.len >= pattern.len && slice_eq_nocase(pattern, slice_until(tag, pattern.len));
}

static bool has_tag(const struct profile_texts *list, const struct sigma_doc *doc)
{
    for (uint32_t i = 0; i < list->n; i++)
        for (uint32_t k = 0; k < doc->n_tags; k++)
            if (is_like(list->items[i], doc->tags[k])) return true;
    return false;
}

static bool states(struct slice wanted, struct slice rule)
{
    return wanted.len == 0 || slice_eq(wanted, rule);
}

static bool has_source(const struct profile_sources *list, const struct sigma_logsource *ls)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct sigma_logsource *want = &list->items[i];
        if (states(want->product, ls->product) && states(want->category, ls->category) &&
            states(want->service, ls->service))
            return true;
    }
    return false;
}

bool profile_names(const struct profile *p, const struct sigma_doc *doc)
{
    return doc->id.len > 0 && has_word(&p->rules, doc->id) && !has_word(&p->no_rules, doc->id);
}

bool profile_takes(const struct profile *p, const struct sigma_doc *doc)
{
    struct slice status = doc->status.len ? doc->status : SLICE("experimental");
    struct slice level =
        doc->level == LEVEL_NONE ? SLICE("none") : slice_of(sigma_level_name(doc->level));
    if (doc->kind == SIGMA_FILTER) return true;
    if (profile_names(p, doc)) return true;
    if (doc->id.len && has_word(&p->no_rules, doc->id)) return false;
    if (p->status.said && !has_word(&p->status, status)) return false;
    if (p->level.said && !has_word(&p->level, level)) return false;
    if (p->tags.said && !has_tag(&p->tags, doc)) return false;
    if (has_tag(&p->no_tags, doc)) return false;
    /* A correlation has no log source of its own. */
    if (doc->kind == SIGMA_CORRELATION) return true;
    if (p->sources.said && !has_source(&p->sources, &doc->logsource)) return false;
    return !has_source(&p->no_sources, &doc->logsource);
}

/* ---- single rules ------------------------------------------------------------------------ */

/* Whether a line begins something of the map itself. */
static bool is_key(struct slice line)
{
    return line.len > 0 && !strchr(" \t#-\r", line.ptr[0]);
}

static void put_without_rules(struct buf *out, struct slice text)
{
    bool skipping = false;
    for (bool more = text.len > 0; more;) {
        struct slice line;
        more = slice_split(text, '\n', &line, &text);
        if (is_key(line)) skipping = slice_starts_with(line, SLICE("rules:"));
        if (skipping || (!more && line.len == 0)) continue;
        buf_put(out, line);
        buf_putc(out, '\n');
    }
}

static uint32_t put_ids(struct buf *out, const char *key, const struct profile_texts *list,
                        struct slice id, bool with)
{
    uint32_t n = 0;
    buf_printf(out, "  %s: [", key);
    for (uint32_t i = 0; i < list->n; i++) {
        if (slice_eq_nocase(list->items[i], id)) continue;
        buf_puts(out, n++ ? ", " : "");
        json_write_string(out, list->items[i]);
    }
    if (with) {
        buf_puts(out, n++ ? ", " : "");
        json_write_string(out, id);
    }
    buf_puts(out, "]\n");
    return n;
}

int profile_switch(struct buf *out, const struct profile *p, struct slice id, bool on)
{
    put_without_rules(out, p->text);
    buf_puts(out, "rules:\n");
    uint32_t most = put_ids(out, "include", &p->rules, id, on);
    uint32_t off = put_ids(out, "exclude", &p->no_rules, id, !on);
    if (off > most) most = off;
    return most > PROFILE_ITEMS_MAX ? ERR_LIMIT : buf_error(out);
}
