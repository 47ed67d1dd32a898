/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/placeholder.h"

#include <stdlib.h>

#include "base/hint.h"
#include "yaml/yaml.h"

struct placeholders {
    struct arena arena;
    struct placeholder *at;
    uint32_t n, cap;
};

struct placeholders *placeholders_new(void)
{
    struct placeholders *p = calloc(1, sizeof *p);
    if (p) arena_init(&p->arena, PLACEHOLDER_BYTES_MAX);
    return p;
}

void placeholders_free(struct placeholders *p)
{
    if (!p) return;
    arena_done(&p->arena);
    free(p->at);
    free(p);
}

const struct placeholder *placeholders_find(const struct placeholders *p, struct slice name)
{
    for (uint32_t i = 0; p && i < p->n; i++)
        if (slice_eq(p->at[i].name, name)) return &p->at[i];
    return NULL;
}

static int fail(struct diag *diag, const char *file, const struct yaml_node *node, int error,
                const char *why)
{
    return diag_set(diag, error, file, node->pos.line, node->pos.column, "%s", why);
}

/* `name` and `%name%` are the same. */
static struct slice bare_name(struct slice name)
{
    if (name.len > 2 && name.ptr[0] == '%' && name.ptr[name.len - 1] == '%')
        return slice_make(name.ptr + 1, name.len - 2);
    return name;
}

static int check_value(const char *file, const struct yaml_node *value, struct diag *diag)
{
    if (value->kind != YAML_SCALAR || value->type == YAML_NULL)
        return fail(diag, file, value, ERR_INVALID,
                    "a placeholder's values are strings or numbers, one or a list of them");
    if (value->text.len > SIGMA_VALUE_LEN_MAX)
        return fail(diag, file, value, ERR_LIMIT, "this value is too long");
    return 0;
}

static int add_placeholder(struct placeholders *p, const char *file, const struct yaml_node *key,
                           struct diag *diag)
{
    struct slice name = bare_name(key->text);
    const struct yaml_node *value = key->value;
    bool list = value->kind == YAML_SEQ;
    uint32_t n = list ? value->n : 1;
    char shown[HINT_SHOW_SIZE];
    if (name.len == 0) return fail(diag, file, key, ERR_INVALID, "a placeholder without a name");
    if (placeholders_find(p, name))
        return diag_set(diag, ERR_INVALID, file, key->pos.line, key->pos.column,
                        "placeholder %%%s%% has values already", hint_show(shown, name));
    if (n == 0) return fail(diag, file, key, ERR_INVALID, "a placeholder without values");
    if (p->n == PLACEHOLDERS_MAX) return fail(diag, file, key, ERR_LIMIT, "too many placeholders");
    struct slice *values = arena_zalloc(&p->arena, n, sizeof *values);
    if (p->n == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 16;
        struct placeholder *at = realloc(p->at, cap * sizeof *at);
        if (!at) return fail(diag, file, key, ERR_NOMEM, "out of memory");
        p->at = at;
        p->cap = cap;
    }
    const struct yaml_node *v = list ? value->first : value;
    for (uint32_t i = 0; i < n && values; i++, v = v->next) {
        int r = check_value(file, v, diag);
        if (r < 0) return r;
        values[i] = arena_dup(&p->arena, v->text);
    }
    name = arena_dup(&p->arena, name);
    if (arena_failed(&p->arena))
        return fail(diag, file, key, ERR_LIMIT, "the placeholders' values are too large together");
    p->at[p->n++] = (struct placeholder){name, values, n};
    return 0;
}

static int read_values(struct placeholders *p, const char *file, struct slice text, bool defaults,
                       struct diag *diag)
{
    struct yaml_reader reader;
    const struct yaml_node *root = NULL;
    uint32_t before = p->n;
    yaml_init(&reader, file, text);
    int r;
    while ((r = yaml_next(&reader, &root, diag)) == 0 && root) {
        if (root->kind != YAML_MAP) {
            r = fail(diag, file, root, ERR_INVALID,
                     "a map from placeholder names to values is expected");
            break;
        }
        for (const struct yaml_node *key = root->first; key && r == 0; key = key->next)
            if (!defaults || !placeholders_find(p, bare_name(key->text)))
                r = add_placeholder(p, file, key, diag);
        if (r < 0) break;
    }
    yaml_done(&reader);
    if (r < 0) p->n = before;
    return r;
}

int placeholders_read(struct placeholders *p, const char *file, struct slice text,
                      struct diag *diag)
{
    return read_values(p, file, text, false, diag);
}

int placeholders_read_defaults(struct placeholders *p, const char *file, struct slice text,
                               struct diag *diag)
{
    return read_values(p, file, text, true, diag);
}
