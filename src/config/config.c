/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/config.h"

#include "base/hint.h"
#include "config/credential.h"
#include "config/value.h"
#include "yaml/yaml.h"

enum { ARENA_MAX = 8 * 1024 * 1024, KEY_MAX = 64 };

const struct setting config_settings[CONFIG_KEY_COUNT] = {
#define SETTING(TYPE, ID, member, name, value, low, high, measure, version, words)                 \
    [CONFIG_##ID] = {.key = name,                                                                  \
                     .type = CONFIG_##TYPE,                                                        \
                     .offset = offsetof(struct config, member),                                    \
                     .initial = value,                                                             \
                     .least = low,                                                                 \
                     .most = high,                                                                 \
                     .unit = measure,                                                              \
                     .since = version,                                                             \
                     .text = words},
#include "config/settings.tbl"
#undef SETTING
};

void config_done(struct config *c)
{
    arena_done(&c->arena);
}

struct slice config_choice(enum config_key key, unsigned value)
{
    struct slice word = SLICE_NONE, rest = slice_of(config_settings[key].least);
    bool more = config_settings[key].type == CONFIG_CHOICE;
    for (unsigned i = 0; more && i <= value; i++) {
        more = slice_split(rest, '|', &word, &rest);
        if (i == value) return word;
    }
    return SLICE("");
}

/* ---- values ------------------------------------------------------------------------------ */

static int refuse_value(enum config_key key, const char *called, struct slice text,
                        const char *file, struct yaml_pos pos, struct diag *diag)
{
    char shown[HINT_SHOW_SIZE];
    struct buf range;
    buf_init(&range, 512);
    config_write_range(&range, key);
    buf_putc(&range, '\0');
    int error = diag_set(diag, ERR_INVALID, file, pos.line, pos.column, "%s: %s, not `%s`", called,
                         buf_failed(&range) ? "?" : range.ptr, hint_show(shown, text));
    buf_done(&range);
    return error;
}

static bool is_list(enum config_key key)
{
    return config_settings[key].type == CONFIG_PATHS || config_settings[key].type == CONFIG_TEXTS;
}

static struct config_list *list_of(struct config *c, enum config_key key)
{
    return (void *)((char *)c + config_settings[key].offset);
}

static uint64_t list_max(enum config_key key)
{
    uint64_t most = CONFIG_PATHS_MAX;
    struct slice text = slice_of(config_settings[key].most);
    bool good = text.len == 0 || (slice_to_u64(text, &most) && most <= CONFIG_PATHS_MAX);
    ASSERT(good);
    return most;
}

/* `folder` with its slash, or empty. */
static const char *add_item(struct config *c, enum config_key key, struct slice folder,
                            struct slice text)
{
    struct config_list *list = list_of(c, key);
    bool path = config_settings[key].type == CONFIG_PATHS;
    if (text.len == 0 || text.len > CONFIG_PATH_MAX || memchr(text.ptr, '\0', text.len))
        return path ? "a path of 1 to 4096 bytes is expected" : "1 to 4096 bytes are expected";
    if (list->n == list_max(key))
        return list->n == 1                 ? "one is expected, not a list"
               : list->n < CONFIG_PATHS_MAX ? "too many of them"
               : path                       ? "more than 256 paths"
                                            : "more than 256 texts";
    if (!list->items) list->items = arena_zalloc(&c->arena, list_max(key), sizeof(char *));
    char credential[CONFIG_PATH_MAX + 1];
    if (path && credential_is(text)) {
        if (credential_path(text, credential, sizeof credential) != 0)
            return "credential:NAME is no name of a credential";
        text = slice_of(credential);
    }
    if (!path || text.ptr[0] == '/') folder.len = 0;
    const char *item = arena_printf(&c->arena, "%.*s%.*s", SLICE_FMT(folder), SLICE_FMT(text));
    if (!list->items || !item) return "out of memory";
    list->items[list->n++] = item;
    return NULL;
}

void config_init(struct config *c)
{
    *c = (struct config){0};
    arena_init(&c->arena, ARENA_MAX);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct setting *s = &config_settings[key];
        bool good = is_list(key)
                        ? !*s->initial || !add_item(c, key, SLICE(""), slice_of(s->initial))
                        : value_store(c, key, slice_of(s->initial));
        ASSERT(good || c->arena.no_memory);
    }
}

int config_set(struct config *c, enum config_key key, struct slice text, const char *option,
               struct diag *diag)
{
    const struct config_origin by_option = {.name = option};
    const struct config_origin *before = &c->origin[key];
    if (is_list(key)) {
        if (!before->name || before->line > 0 || list_max(key) == 1) list_of(c, key)->n = 0;
        const char *why = add_item(c, key, SLICE(""), text);
        if (why) return diag_set(diag, ERR_INVALID, NULL, 0, 0, "%s: %s", option, why);
    } else if (!value_store(c, key, text)) {
        return refuse_value(key, option, text, NULL, (struct yaml_pos){0}, diag);
    }
    c->origin[key] = by_option;
    return 0;
}

static enum config_key find(struct slice name)
{
    unsigned key = 0;
    while (key < CONFIG_KEY_COUNT && !slice_eq(slice_of(config_settings[key].key), name)) key++;
    return key;
}

enum config_key config_find(struct slice name, struct diag *diag)
{
    struct hint hint;
    char shown[HINT_SHOW_SIZE], like[HINT_SIZE];
    enum config_key found = find(name);
    if (found < CONFIG_KEY_COUNT) return found;
    hint_init(&hint, name);
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++)
        hint_offer(&hint, slice_of(config_settings[key].key));
    (void)diag_set(diag, ERR_NOT_FOUND, NULL, 0, 0, "there is no setting `%s`%s",
                   hint_show(shown, name), hint_text(&hint, like));
    return CONFIG_KEY_COUNT;
}

/* ---- the file ---------------------------------------------------------------------------- */

struct reading {
    struct config *config;
    const char *file;    /* lives as long as the configuration */
    struct slice folder; /* of the file, with its slash */
    struct diag *diag;
};

static int refuse(const struct reading *r, const struct yaml_node *node, int error, const char *why)
{
    return diag_set(r->diag, error, r->file, node->pos.line, node->pos.column, "%s", why);
}

static int read_item(const struct reading *r, enum config_key key, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR || node->type == YAML_NULL)
        return refuse(r, node, ERR_INVALID,
                      config_settings[key].type == CONFIG_PATHS ? "a path is expected"
                                                                : "a text is expected");
    const char *why = add_item(r->config, key, r->folder, node->text);
    return why ? refuse(r, node, ERR_INVALID, why) : 0;
}

static int read_list(const struct reading *r, enum config_key key, const struct yaml_node *node)
{
    int error = 0;
    list_of(r->config, key)->n = 0;
    if (node->kind != YAML_SEQ) return read_item(r, key, node);
    for (const struct yaml_node *item = node->first; item && !error; item = item->next)
        error = read_item(r, key, item);
    return error;
}

static int read_setting(const struct reading *r, enum config_key key, const struct yaml_node *node)
{
    const struct yaml_node *value = node->value;
    struct config *c = r->config;
    int error = 0;
    if (is_list(key)) error = read_list(r, key, value);
    else if (value->kind != YAML_SCALAR || !value_store(c, key, value->text))
        error = refuse_value(key, config_settings[key].key,
                             value->kind == YAML_SCALAR ? value->text : SLICE("a map or a list"),
                             r->file, value->pos, r->diag);
    if (!error) c->origin[key] = (struct config_origin){r->file, node->pos.line};
    return error;
}

static bool is_section(struct slice name)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        struct slice known = slice_of(config_settings[key].key);
        if (slice_starts_with(known, name) && known.len > name.len && known.ptr[name.len] == '.')
            return true;
    }
    return false;
}

/* Sections are one level deep: `section` is NULL at the top. */
static int read_map(const struct reading *r, const struct yaml_node *map, const char *section)
{
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        char full[2 * KEY_MAX];
        struct diag why;
        int error = 0;
        (void)snprintf(full, sizeof full, "%s%s%.*s", section ? section : "", section ? "." : "",
                       (int)(key->text.len > KEY_MAX ? KEY_MAX : key->text.len), key->text.ptr);
        bool dotted = slice_find_byte(key->text, '.') < key->text.len;
        enum config_key found = find(slice_of(full));
        if (found < CONFIG_KEY_COUNT && !dotted) {
            error = read_setting(r, found, key);
        } else if (!section && is_section(key->text)) {
            const struct yaml_node *value = key->value;
            bool empty = value->kind == YAML_SCALAR && value->type == YAML_NULL;
            if (value->kind == YAML_MAP) error = read_map(r, value, full);
            else if (!empty) error = refuse(r, value, ERR_INVALID, "a map of settings is expected");
        } else if (dotted && found < CONFIG_KEY_COUNT) {
            error = refuse(r, key, ERR_INVALID, "a key with a dot is written as a map in a map");
        } else {
            (void)config_find(slice_of(full), &why);
            error = refuse(r, key, ERR_NOT_FOUND, why.message);
        }
        if (error) return error;
    }
    return 0;
}

static int read_documents(const struct reading *r, struct yaml_reader *yaml)
{
    const struct yaml_node *root;
    int error = yaml_next(yaml, &root, r->diag);
    if (error || !root) return error;
    if (root->kind != YAML_MAP)
        return refuse(r, root, ERR_INVALID, "a map from keys to values is expected");
    error = read_map(r, root, NULL);
    if (!error) error = yaml_next(yaml, &root, r->diag);
    if (!error && root) error = refuse(r, root, ERR_INVALID, "more than one document");
    return error;
}

int config_read(struct config *c, const char *file, struct slice text, struct diag *diag)
{
    const char *slash = strrchr(file, '/');
    const char *name = arena_printf(&c->arena, "%s", file);
    struct reading r = {.config = c, .file = name, .diag = diag};
    struct yaml_reader yaml;
    if (!name) return diag_set(diag, ERR_NOMEM, file, 1, 1, "out of memory");
    if (text.len > CONFIG_FILE_MAX)
        return diag_set(diag, ERR_LIMIT, name, 1, 1, "the file is larger than %d KiB",
                        CONFIG_FILE_MAX / 1024);
    r.folder = slice_make(name, slash ? (size_t)(slash - file) + 1 : 0);
    yaml_init(&yaml, name, text);
    int error = read_documents(&r, &yaml);
    yaml_done(&yaml);
    return error;
}

/* ---- where values are from ---------------------------------------------------------------- */

int config_read_origins(struct config *c, struct slice text)
{
    struct slice line, number, name;
    uint64_t n;
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        if (!slice_split(text, '\n', &line, &text)) return ERR_CORRUPT;
        c->origin[key] = (struct config_origin){0};
        if (line.len == 0) continue;
        if (!slice_split(line, ' ', &number, &name) || !slice_to_u64(number, &n) || n > UINT32_MAX)
            return ERR_CORRUPT;
        c->origin[key].name = arena_printf(&c->arena, "%.*s", SLICE_FMT(name));
        c->origin[key].line = (uint32_t)n;
        if (!c->origin[key].name) return ERR_NOMEM;
    }
    return text.len ? ERR_CORRUPT : 0;
}
