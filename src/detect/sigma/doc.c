/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/doc.h"

#include "base/hint.h"
#include "base/time.h"
#include "detect/sigma/read.h"

enum { CONDITIONS_MAX = 256, TAGS_MAX = 1024 };
#define DAY (86400 * NSEC_PER_SEC)

static const char *const level_names[] = {"", "informational", "low", "medium", "high", "critical"};

const char *sigma_level_name(enum sigma_level level)
{
    return level_names[level];
}

bool sigma_level_parse(struct slice text, enum sigma_level *ret)
{
    for (size_t i = 1; i < sizeof level_names / sizeof *level_names; i++) {
        if (!slice_eq_nocase(text, slice_of(level_names[i]))) continue;
        *ret = (enum sigma_level)i;
        return true;
    }
    return false;
}

/* --- Values ------------------------------------------------------------------------------ */

static const char *kind_name(const struct yaml_node *node)
{
    return node->kind == YAML_MAP ? "a map" : node->kind == YAML_SEQ ? "a list" : "text";
}

static bool is_null(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR && node->type == YAML_NULL);
}

int sigma_read_value(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                     struct sigma_value *ret)
{
    if (node->kind != YAML_SCALAR)
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "%s must be a single value, not %s", what,
                           kind_name(node));
    if (node->text.len > SIGMA_VALUE_LEN_MAX)
        return READ_REFUSE(rd, ERR_LIMIT, node->pos, "%s is longer than %d bytes", what,
                           SIGMA_VALUE_LEN_MAX);
    struct slice text = arena_dup(rd->arena, node->text);
    if (!text.ptr) return ERR_NOMEM;
    *ret = (struct sigma_value){node->type, text, node->pos};
    return 0;
}

int sigma_read_text(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    struct slice *ret)
{
    struct sigma_value value = {.text = SLICE_NONE};
    int error = is_null(node) ? 0 : sigma_read_value(rd, node, what, &value);
    if (!error) *ret = value.text;
    return error;
}

int sigma_read_list(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    uint32_t max, struct sigma_value **ret, uint32_t *ret_n)
{
    *ret = NULL;
    *ret_n = 0;
    if (is_null(node)) return 0;
    uint32_t n = node->kind == YAML_SEQ ? node->n : 1;
    if (n > max)
        return READ_REFUSE(rd, ERR_LIMIT, node->pos, "%s has more than %u entries", what, max);
    struct sigma_value *values = arena_zalloc(rd->arena, n, sizeof *values);
    if (!values) return ERR_NOMEM;
    const struct yaml_node *element = node->kind == YAML_SEQ ? node->first : node;
    for (uint32_t i = 0; i < n; i++, element = element->next) {
        int error = sigma_read_value(rd, element, what, &values[i]);
        if (error) return error;
        if (values[i].text.len == 0)
            return READ_REFUSE(rd, ERR_INVALID, element->pos, "%s has an empty entry", what);
    }
    *ret = values;
    *ret_n = n;
    return 0;
}

int sigma_read_bool(struct sigma_reading *rd, const struct yaml_node *node, const char *what,
                    bool *ret)
{
    if (node->kind != YAML_SCALAR || node->type != YAML_BOOL)
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "%s must be true or false", what);
    *ret = node->text.ptr[0] == 't' || node->text.ptr[0] == 'T';
    return 0;
}

int sigma_read_keys(struct sigma_reading *rd, const struct yaml_node *map, const char *what,
                    const char *const *known)
{
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        struct hint hint;
        char shown[HINT_SHOW_SIZE], text[HINT_SIZE];
        if (known[hint_find(&hint, key->text, known, SIZE_MAX)]) continue;
        return READ_REFUSE(rd, ERR_INVALID, key->pos, "%s has no key `%s`%s", what,
                           hint_show(shown, key->text), hint_text(&hint, text));
    }
    return 0;
}

const struct yaml_node *sigma_vaka_get(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *vaka = yaml_get(root, "vaka");
    return vaka && vaka->kind == YAML_MAP ? yaml_get(vaka, key) : NULL;
}

/* --- Detections -------------------------------------------------------------------------- */

/* `Threat Name|contains|all` is the field ThreatName (specification, "Field Usage") and two
 * modifiers. */
static int read_item_key(struct sigma_reading *rd, const struct yaml_node *key,
                         struct sigma_item *ret)
{
    if (key->text.len > SIGMA_VALUE_LEN_MAX)
        return READ_REFUSE(rd, ERR_LIMIT, key->pos, "the field's name is longer than %d bytes",
                           SIGMA_VALUE_LEN_MAX);
    struct slice field, rest;
    bool more = slice_split(key->text, '|', &field, &rest);
    char *name = arena_alloc(rd->arena, field.len + 1);
    if (!name) return ERR_NOMEM;
    size_t len = 0;
    for (size_t i = 0; i < field.len; i++)
        if (field.ptr[i] != ' ') name[len++] = field.ptr[i];
    name[len] = '\0';
    ret->field = slice_make(name, len);
    ret->pos = key->pos;
    if (!more) return 0;

    struct slice all = arena_dup(rd->arena, rest);
    if (!all.ptr) return ERR_NOMEM;
    uint32_t n = 1;
    for (size_t i = 0; i < all.len; i++) n += all.ptr[i] == '|';
    struct slice *modifiers = arena_zalloc(rd->arena, n, sizeof *modifiers);
    if (!modifiers) return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) (void)slice_split(all, '|', &modifiers[i], &all);
    ret->modifiers = modifiers;
    ret->n_modifiers = n;
    return 0;
}

static int read_item_values(struct sigma_reading *rd, const struct yaml_node *node,
                            struct sigma_item *ret)
{
    ret->is_list = node->kind == YAML_SEQ;
    ret->n_values = ret->is_list ? node->n : 1;
    if (node->kind == YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, node->pos,
                           "a field's value must be text, a number or a list of them, not a map");
    if (ret->n_values > SIGMA_VALUES_MAX - rd->n_values)
        return READ_REFUSE(rd, ERR_LIMIT, node->pos, "the searches hold more than %d values",
                           SIGMA_VALUES_MAX);
    rd->n_values += ret->n_values;
    struct sigma_value *values = arena_zalloc(rd->arena, ret->n_values, sizeof *values);
    if (!values) return ERR_NOMEM;
    const struct yaml_node *element = ret->is_list ? node->first : node;
    for (uint32_t i = 0; i < ret->n_values; i++, element = element->next) {
        int error = sigma_read_value(rd, element, "a value in a list", &values[i]);
        if (error) return error;
    }
    ret->values = values;
    return 0;
}

static int read_map(struct sigma_reading *rd, const struct yaml_node *node, struct sigma_map *ret)
{
    if (node->n == 0)
        return READ_REFUSE(rd, ERR_INVALID, node->pos, "the map is empty; it would match anything");
    struct sigma_item *items = arena_zalloc(rd->arena, node->n, sizeof *items);
    if (!items) return ERR_NOMEM;
    uint32_t n = 0;
    for (const struct yaml_node *key = node->first; key; key = key->next, n++) {
        int error = read_item_key(rd, key, &items[n]);
        if (!error) error = read_item_values(rd, key->value, &items[n]);
        if (error) return error;
    }
    *ret = (struct sigma_map){items, n};
    return 0;
}

/* A keyword item over `node`: a scalar, or a list of nothing but scalars. */
static int read_keywords(struct sigma_reading *rd, const struct yaml_node *node,
                         struct sigma_map *ret)
{
    struct sigma_item *item = arena_zalloc(rd->arena, 1, sizeof *item);
    if (!item) return ERR_NOMEM;
    item->field = SLICE("");
    int error = read_item_values(rd, node, item);
    if (error) return error;
    item->pos = item->values[0].pos;
    for (uint32_t i = 0; i < item->n_values; i++)
        if (item->values[i].type == YAML_NULL)
            return READ_REFUSE(rd, ERR_INVALID, item->values[i].pos, "a keyword cannot be null");
    *ret = (struct sigma_map){item, 1};
    return 0;
}

/*
 * Lists of keywords, of maps, and of both (specification, "Lists"): a list of scalars is one
 * keyword item, in a mixed list each scalar is a map of its own.
 */
static int read_search_list(struct sigma_reading *rd, const struct yaml_node *list,
                            struct sigma_search *ret)
{
    uint32_t scalars = 0;
    for (const struct yaml_node *e = list->first; e; e = e->next) {
        if (e->kind == YAML_SEQ)
            return READ_REFUSE(rd, ERR_INVALID, e->pos,
                               "a list inside the list of a search has no meaning");
        scalars += e->kind == YAML_SCALAR;
    }
    ret->n_maps = scalars == list->n ? 1 : list->n;
    struct sigma_map *maps = arena_zalloc(rd->arena, ret->n_maps, sizeof *maps);
    if (!maps) return ERR_NOMEM;
    ret->maps = maps;
    if (scalars == list->n) return read_keywords(rd, list, &maps[0]);
    uint32_t n = 0;
    for (const struct yaml_node *e = list->first; e; e = e->next, n++) {
        int error =
            e->kind == YAML_MAP ? read_map(rd, e, &maps[n]) : read_keywords(rd, e, &maps[n]);
        if (error) return error;
    }
    return 0;
}

static int read_search(struct sigma_reading *rd, const struct yaml_node *key,
                       struct sigma_search *ret)
{
    char shown[HINT_SHOW_SIZE];
    const struct yaml_node *node = key->value;
    ret->name = arena_dup(rd->arena, key->text);
    if (!ret->name.ptr) return ERR_NOMEM;
    ret->pos = key->pos;
    if (is_null(node) || (node->kind != YAML_SCALAR && node->n == 0))
        return READ_REFUSE(rd, ERR_INVALID, key->pos, "the search `%s` is empty",
                           hint_show(shown, key->text));
    if (node->kind == YAML_SEQ) return read_search_list(rd, node, ret);
    struct sigma_map *map = arena_zalloc(rd->arena, 1, sizeof *map);
    if (!map) return ERR_NOMEM;
    ret->maps = map;
    ret->n_maps = 1;
    return node->kind == YAML_MAP ? read_map(rd, node, map) : read_keywords(rd, node, map);
}

static int read_conditions(struct sigma_reading *rd, const struct yaml_node *map_key,
                           struct sigma_detection *ret)
{
    const struct yaml_node *node = yaml_get(map_key->value, "condition");
    char shown[HINT_SHOW_SIZE];
    if (is_null(node) || (node->kind == YAML_SEQ && node->n == 0))
        return READ_REFUSE(rd, ERR_INVALID, node ? node->pos : map_key->pos,
                           "`%s` has no `condition`", hint_show(shown, map_key->text));
    int error = sigma_read_list(rd, node, "`condition`", CONDITIONS_MAX, &ret->conditions,
                                &ret->n_conditions);
    if (error) return error;
    const struct sigma_cond **all =
        arena_zalloc(rd->arena, ret->n_conditions, sizeof(struct sigma_cond *));
    struct sigma_cond *any = arena_zalloc(rd->arena, 1, sizeof *any);
    if (!all || !any) return ERR_NOMEM;
    for (uint32_t i = 0; i < ret->n_conditions; i++) {
        error = sigma_cond_parse(rd->arena, rd->file, &ret->conditions[i], ret->searches,
                                 ret->n_searches, &all[i], rd->diag);
        if (error) return error;
    }
    *any = (struct sigma_cond){.kind = COND_OR, .child = all, .n_children = ret->n_conditions};
    ret->condition = ret->n_conditions == 1 ? all[0] : any;
    return 0;
}

static bool is_in(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_eq(s, slice_of(*words))) return true;
    return false;
}

int sigma_read_detection(struct sigma_reading *rd, const struct yaml_node *map_key,
                         const char *const *skip, struct sigma_detection *ret)
{
    const struct yaml_node *map = map_key->value;
    char shown[HINT_SHOW_SIZE];
    hint_show(shown, map_key->text);
    if (map->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, is_null(map) ? map_key->pos : map->pos,
                           "`%s` must be a map of searches and a condition", shown);
    struct sigma_search *searches = arena_zalloc(rd->arena, map->n, sizeof *searches);
    if (!searches) return ERR_NOMEM;
    uint32_t n = 0;
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        if (is_in(key->text, skip)) continue;
        int error = read_search(rd, key, &searches[n++]);
        if (error) return error;
    }
    ret->searches = searches;
    ret->n_searches = n;
    if (n == 0) return READ_REFUSE(rd, ERR_INVALID, map_key->pos, "`%s` has no search", shown);
    return read_conditions(rd, map_key, ret);
}

/* --- Whole documents --------------------------------------------------------------------- */

static int missing(struct sigma_reading *rd, struct yaml_pos pos, const char *key)
{
    return READ_REFUSE(rd, ERR_INVALID, pos, "the mandatory key `%s` is missing", key);
}

static int lower_case(struct sigma_reading *rd, struct slice *s)
{
    char *ptr = arena_alloc(rd->arena, s->len + 1);
    if (!ptr) return ERR_NOMEM;
    for (size_t i = 0; i < s->len; i++) {
        char c = s->ptr[i];
        ptr[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    ptr[s->len] = '\0';
    s->ptr = ptr;
    return 0;
}

/* An empty map, which the specification has not: every log source. */
static int read_logsource(struct sigma_reading *rd, const struct yaml_node *root,
                          struct sigma_logsource *ret)
{
    const struct yaml_node *key = yaml_key(root, "logsource");
    if (!key || is_null(key->value)) return missing(rd, key ? key->pos : root->pos, "logsource");
    const struct yaml_node *map = key->value;
    if (map->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, map->pos, "`logsource` must be a map, not %s",
                           kind_name(map));
    const struct {
        const char *name;
        struct slice *text;
    } part[] = {
        {"product", &ret->product}, {"category", &ret->category}, {"service", &ret->service}};
    bool any = false;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        int error = sigma_read_text(rd, yaml_get(map, part[i].name), part[i].name, part[i].text);
        if (!error && part[i].text->len > 0) {
            any = true;
            error = lower_case(rd, part[i].text);
        } else {
            *part[i].text = SLICE_NONE;
        }
        if (error) return error;
    }
    if (!any && map->n)
        return READ_REFUSE(rd, ERR_INVALID, key->pos,
                           "`logsource` has neither product, category nor service ({} stands for "
                           "every log source)");
    return 0;
}

/* title, id and name come first: whoever is told of a refusal wants to know of which rule. */
static int read_names(struct sigma_reading *rd, const struct yaml_node *root, struct sigma_doc *doc)
{
    int error = sigma_read_text(rd, yaml_get(root, "id"), "`id`", &doc->id);
    if (!error) error = sigma_read_text(rd, yaml_get(root, "name"), "`name`", &doc->name);
    const struct yaml_node *title = yaml_get(root, "title");
    if (!error && title && title->kind == YAML_SCALAR)
        error = sigma_read_text(rd, title, "`title`", &doc->title);
    return error;
}

static int check_title(struct sigma_reading *rd, const struct yaml_node *root)
{
    const struct yaml_node *key = yaml_key(root, "title");
    if (!key || is_null(key->value)) return missing(rd, key ? key->pos : root->pos, "title");
    const struct yaml_node *title = key->value;
    if (title->kind != YAML_SCALAR || title->type != YAML_STRING)
        return READ_REFUSE(rd, ERR_INVALID, title->pos, "`title` must be text");
    if (slice_trim(title->text).len == 0)
        return READ_REFUSE(rd, ERR_INVALID, title->pos, "`title` is empty");
    return 0;
}

/* Any text counts: nothing is made of it that a rule could be refused for. */
static bool says_something(const struct yaml_node *node)
{
    if (is_null(node) || node->kind == YAML_MAP) return false;
    if (node->kind == YAML_SEQ) return node->n > 0 && says_something(node->first);
    struct slice text = slice_trim(node->text);
    return text.len > 0 && !slice_eq_nocase(text, SLICE("unknown"));
}

static int read_metadata(struct sigma_reading *rd, const struct yaml_node *root,
                         struct sigma_doc *doc)
{
    const struct {
        const char *key, *what;
        struct slice *text;
    } part[] = {
        {"description", "`description`", &doc->description},
        {"author", "`author`", &doc->author},
        {"date", "`date`", &doc->date},
        {"modified", "`modified`", &doc->modified},
        {"taxonomy", "`taxonomy`", &doc->taxonomy},
        {"status", "`status`", &doc->status},
    };
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        int error = sigma_read_text(rd, yaml_get(root, part[i].key), part[i].what, part[i].text);
        if (error) return error;
    }
    doc->has_falsepositives = says_something(yaml_get(root, "falsepositives"));
    struct slice level = SLICE_NONE;
    const struct yaml_node *node = yaml_get(root, "level");
    int error = sigma_read_text(rd, node, "`level`", &level);
    if (error) return error;
    char shown[HINT_SHOW_SIZE];
    if (level.len > 0 && !sigma_level_parse(level, &doc->level))
        return READ_REFUSE(rd, ERR_INVALID, node->pos,
                           "the level `%s` is none of informational, low, medium, high, critical",
                           hint_show(shown, level));
    struct sigma_value *tags;
    error = sigma_read_list(rd, yaml_get(root, "tags"), "`tags`", TAGS_MAX, &tags, &doc->n_tags);
    if (error) return error;
    doc->tags = arena_zalloc(rd->arena, doc->n_tags, sizeof *doc->tags);
    if (!doc->tags) return ERR_NOMEM;
    for (uint32_t i = 0; i < doc->n_tags; i++) doc->tags[i] = tags[i].text;
    return 0;
}

/* Last of all, so that what makes a rule unusable is told before that its author knew. */
static int check_status(struct sigma_reading *rd, const struct yaml_node *root,
                        const struct sigma_doc *doc)
{
    static const char *const known[] = {"stable", "test", "experimental", "deprecated"};
    if (doc->status.len == 0) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_eq_nocase(doc->status, slice_of(known[i]))) return 0;
    struct yaml_pos pos = yaml_get(root, "status")->pos;
    if (slice_eq_nocase(doc->status, SLICE("unsupported")))
        return READ_REFUSE(rd, ERR_UNSUPPORTED, pos,
                           "its authors mark the rule `status: unsupported`: it cannot be used as "
                           "it is written");
    char shown[HINT_SHOW_SIZE];
    return READ_REFUSE(rd, ERR_INVALID, pos,
                       "the status `%s` is none of stable, test, experimental, deprecated, "
                       "unsupported",
                       hint_show(shown, doc->status));
}

bool sigma_until_parse(struct slice text, nsec *ret)
{
    nsec at;
    if (!time_parse(text, 0, &at) || at <= 0) return false;
    *ret = text.len == strlen("2026-12-31") && at <= INT64_MAX - DAY ? at + DAY : at;
    return true;
}

/* A filter of the operator's that ends: `vaka: {until: 2026-12-31}`. */
static int read_until(struct sigma_reading *rd, const struct yaml_node *root, nsec *ret)
{
    const struct yaml_node *until = sigma_vaka_get(root, "until");
    struct slice text;
    if (is_null(until)) return 0;
    int error = sigma_read_text(rd, until, "`until`", &text);
    if (error) return error;
    if (!sigma_until_parse(text, ret))
        return READ_REFUSE(rd, ERR_INVALID, until->pos, "`until` is no point in time");
    return 0;
}

static int read_filter(struct sigma_reading *rd, const struct yaml_node *root,
                       const struct yaml_node *key, struct sigma_doc *doc)
{
    static const char *const skip[] = {"rules", "condition", NULL};
    int error = sigma_read_detection(rd, key, skip, &doc->detection);
    if (error) return error;
    error = read_until(rd, root, &doc->filter.until);
    if (error) return error;
    const struct yaml_node *rules = yaml_get(key->value, "rules");
    if (is_null(rules) || (rules->kind == YAML_SEQ && rules->n == 0))
        return READ_REFUSE(rd, ERR_INVALID, rules ? rules->pos : key->pos,
                           "`filter` names no rules (`rules: any` stands for all)");
    if (rules->kind == YAML_SCALAR && slice_eq_nocase(rules->text, SLICE("any"))) {
        doc->filter.any = true;
        return 0;
    }
    struct sigma_value *values;
    error = sigma_read_list(rd, rules, "`rules`", SIGMA_VALUES_MAX, &values, &doc->filter.n_rules);
    if (!error) doc->filter.rules = values;
    return error;
}

static int check_kind(struct sigma_reading *rd, const struct yaml_node *root, struct sigma_doc *doc)
{
    const struct yaml_node *action = yaml_key(root, "action");
    const struct yaml_node *detection = yaml_key(root, "detection");
    const struct yaml_node *correlation = yaml_key(root, "correlation");
    const struct yaml_node *filter = yaml_key(root, "filter");
    doc->kind = correlation ? SIGMA_CORRELATION : filter ? SIGMA_FILTER : SIGMA_RULE;
    char shown[HINT_SHOW_SIZE];
    if (action && action->value->kind == YAML_SCALAR &&
        (slice_eq_nocase(action->value->text, SLICE("global")) ||
         slice_eq_nocase(action->value->text, SLICE("reset")) ||
         slice_eq_nocase(action->value->text, SLICE("repeat")))) {
        rd->collection = action->pos.line;
        return READ_REFUSE(rd, ERR_UNSUPPORTED, action->pos,
                           "the old rule collections (`action: %s`) are not supported; write each "
                           "rule out",
                           hint_show(shown, action->value->text));
    }
    if (rd->collection > 0)
        return READ_REFUSE(rd, ERR_UNSUPPORTED, root->pos,
                           "part of an old rule collection (line %u), which is not supported; "
                           "write each rule out",
                           rd->collection);
    const struct yaml_node *second = correlation && filter      ? filter
                                     : correlation && detection ? detection
                                     : filter && detection      ? detection
                                                                : NULL;
    if (second)
        return READ_REFUSE(rd, ERR_INVALID, second->pos,
                           "a document has one of `detection`, `correlation` and `filter`");
    return 0;
}

/* Reads root into doc; what was read before a refusal stays in doc. */
static int read_document(struct sigma_reading *rd, const struct yaml_node *root,
                         struct sigma_doc *doc)
{
    /* `timeframe` belonged to the old aggregations and means nothing without them. */
    static const char *const skip[] = {"condition", "timeframe", NULL};
    if (root->kind != YAML_MAP)
        return READ_REFUSE(rd, ERR_INVALID, root->pos, "a rule must be a map, not %s",
                           kind_name(root));
    doc->pos = root->pos;
    int error = read_names(rd, root, doc);
    if (!error) error = check_kind(rd, root, doc);
    if (!error) error = check_title(rd, root);
    if (!error) error = read_metadata(rd, root, doc);
    if (!error && doc->kind != SIGMA_CORRELATION) error = read_logsource(rd, root, &doc->logsource);
    if (error) return error;

    if (doc->kind == SIGMA_CORRELATION) {
        error = sigma_read_correlation(rd, root, &doc->correlation);
    } else if (doc->kind == SIGMA_FILTER) {
        error = read_filter(rd, root, yaml_key(root, "filter"), doc);
    } else {
        const struct yaml_node *key = yaml_key(root, "detection");
        error = key ? sigma_read_detection(rd, key, skip, &doc->detection)
                    : missing(rd, root->pos, "detection");
    }
    if (!error) error = sigma_read_tests(rd, root, doc);
    if (!error) error = sigma_read_respond(rd, root, &doc->respond);
    return error ? error : check_status(rd, root, doc);
}

int sigma_read(struct arena *arena, const char *file, struct slice text,
               const struct sigma_read_out *out)
{
    struct yaml_reader yaml;
    yaml_init(&yaml, file, text);
    uint32_t collection = 0;
    int error;
    for (;;) {
        struct diag diag = {.file = file};
        const struct yaml_node *root;
        error = yaml_next(&yaml, &root, &diag);
        if (!error && !root) break;
        if (error) {
            if (error == ERR_NOMEM) break;
            out->refused(out->ctx, &diag, NULL);
            continue;
        }
        struct sigma_doc *doc = arena_zalloc(arena, 1, sizeof *doc);
        if (!doc) {
            error = ERR_NOMEM;
            break;
        }
        doc->file = file;
        doc->pos = root->pos;
        struct sigma_reading rd = {
            .arena = arena, .file = file, .diag = &diag, .collection = collection};
        error = read_document(&rd, root, doc);
        collection = rd.collection;
        if (error == ERR_NOMEM) break;
        if (error) out->refused(out->ctx, &diag, doc);
        else out->doc(out->ctx, doc);
    }
    yaml_done(&yaml);
    return error;
}
