/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hint.h"
#include "base/when.h"
#include "roster/internal.h"

int read_wrong(const struct reading *r, int error, struct yaml_pos pos, const char *fmt, ...)
{
    char message[sizeof r->diag->message];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return diag_set(r->diag, error, r->file, pos.line, pos.column, "%s", message);
}

static int wrong_key(const struct reading *r, const struct yaml_node *key, const char *what,
                     const char *const *known)
{
    char shown[HINT_SHOW_SIZE], hinted[HINT_SIZE];
    struct hint hint;
    hint_init(&hint, key->text);
    for (const char *const *word = known; *word; word++) hint_offer(&hint, slice_of(*word));
    return read_wrong(r, ERR_INVALID, key->pos, "`%s` means nothing in %s%s",
                      hint_show(shown, key->text), what, hint_text(&hint, hinted));
}

int read_map(const struct reading *r, const struct yaml_node *node, const char *what,
             const char *const *known)
{
    if (node->kind != YAML_MAP)
        return read_wrong(r, ERR_INVALID, node->pos, "%s is a map of keys and values", what);
    for (const struct yaml_node *key = node->first; key; key = key->next) {
        const char *const *word = known;
        while (*word && !slice_eq(key->text, slice_of(*word))) word++;
        if (!*word) return wrong_key(r, key, what, known);
    }
    return 0;
}

/* The scalar of a key; NULL in *ret when it is not there or null. */
static int find_scalar(const struct reading *r, const struct yaml_node *map, const char *key,
                       bool must, const struct yaml_node **ret)
{
    const struct yaml_node *node = yaml_get(map, key);
    *ret = NULL;
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL))
        return must ? read_wrong(r, ERR_INVALID, map->pos, "`%s` is missing", key) : 0;
    if (node->kind != YAML_SCALAR)
        return read_wrong(r, ERR_INVALID, node->pos, "`%s` is one value, no list or map", key);
    *ret = node;
    return 0;
}

static bool is_fit(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) return false;
    return true;
}

static int keep_text(const struct reading *r, const struct yaml_node *node, const char *key,
                     size_t max, struct slice *ret)
{
    if (node->text.len > max)
        return read_wrong(r, ERR_LIMIT, node->pos, "`%s` is longer than %zu bytes", key, max);
    if (!is_fit(node->text))
        return read_wrong(r, ERR_INVALID, node->pos, "`%s` has control characters", key);
    *ret = arena_dup(r->arena, node->text);
    return arena_error(r->arena);
}

int read_text(const struct reading *r, const struct yaml_node *map, const char *key, bool must,
              size_t max, struct slice *ret)
{
    const struct yaml_node *node;
    int error = find_scalar(r, map, key, must, &node);
    if (error || !node) return error;
    if (must && node->text.len == 0)
        return read_wrong(r, ERR_INVALID, node->pos, "`%s` is empty", key);
    return keep_text(r, node, key, max, ret);
}

int read_id(const struct reading *r, const struct yaml_node *map, struct slice *ret)
{
    const struct yaml_node *node = yaml_get(map, "id");
    int error = read_text(r, map, "id", true, ROSTER_ID_MAX, ret);
    if (error == 0 && !slice_is_plain(*ret, "-_."))
        return read_wrong(r, ERR_INVALID, node->pos,
                          "an id has letters a to z, digits, -, _ and . only");
    return error;
}

int read_bool(const struct reading *r, const struct yaml_node *map, const char *key, bool *ret)
{
    const struct yaml_node *node;
    int error = find_scalar(r, map, key, false, &node);
    if (error || !node) return error;
    bool yes = slice_eq_nocase(node->text, SLICE("true"));
    if (!yes && !slice_eq_nocase(node->text, SLICE("false")))
        return read_wrong(r, ERR_INVALID, node->pos, "`%s` is true or false", key);
    *ret = yes;
    return 0;
}

int read_number(const struct reading *r, const struct yaml_node *map, const char *key, uint64_t max,
                uint32_t *ret)
{
    const struct yaml_node *node;
    uint64_t number;
    int error = find_scalar(r, map, key, false, &node);
    if (error || !node) return error;
    if (!slice_to_u64(node->text, &number) || number > max)
        return read_wrong(r, ERR_INVALID, node->pos, "`%s` is a number from 0 to %llu", key,
                          (unsigned long long)max);
    *ret = (uint32_t)number;
    return 0;
}

int read_word(const struct reading *r, const struct yaml_node *map, const char *key,
              const char *const *words, unsigned *ret)
{
    char shown[HINT_SHOW_SIZE], hinted[HINT_SIZE], all[128] = "";
    const struct yaml_node *node;
    struct hint hint;
    int error = find_scalar(r, map, key, false, &node);
    if (error || !node) return error;
    hint_init(&hint, node->text);
    for (unsigned i = 0; words[i]; i++) {
        if (slice_eq(node->text, slice_of(words[i]))) {
            *ret = i;
            return 0;
        }
        size_t at = strlen(all);
        (void)snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", words[i]);
        hint_offer(&hint, slice_of(words[i]));
    }
    return read_wrong(r, ERR_INVALID, node->pos, "`%s` is none of %s for `%s`%s",
                      hint_show(shown, node->text), all, key, hint_text(&hint, hinted));
}

int read_span(const struct reading *r, const struct yaml_node *map, const char *key, nsec *ret)
{
    const struct yaml_node *node;
    nsec span;
    int error = find_scalar(r, map, key, false, &node);
    if (error || !node) return error;
    if (!when_parse_span(node->text, &span) || span > 7 * CALENDAR_DAY)
        return read_wrong(r, ERR_INVALID, node->pos,
                          "`%s` is a number and a unit, such as 90s, 5m, 2h; at most 7d", key);
    *ret = span;
    return 0;
}

int read_list(const struct reading *r, const struct yaml_node *map, const char *key, uint32_t max,
              const struct yaml_node **ret)
{
    const struct yaml_node *node = yaml_get(map, key);
    *ret = NULL;
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL)) return 0;
    if (node->kind != YAML_SEQ) return read_wrong(r, ERR_INVALID, node->pos, "`%s` is a list", key);
    if (node->n > max)
        return read_wrong(r, ERR_LIMIT, node->pos, "`%s` has more than %u entries", key, max);
    *ret = node;
    return 0;
}
