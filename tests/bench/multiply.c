/* SPDX-License-Identifier: EUPL-1.2 */
#include "multiply.h"

#include <ctype.h>
#include <libfyaml.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/error.h"

struct mark {
    char text[3];
};

static struct mark mark_of(unsigned copy)
{
    ASSERT(copy > 0 && copy < MULTIPLY_COPIES_MAX);
    return (struct mark){{(char)('g' + copy), 'q', '\0'}};
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c);
}

/* Where the two letters go: the middle of the longest word; SIZE_MAX when there is none. */
static size_t middle_of_word(struct slice s)
{
    size_t best = 0, at = SIZE_MAX;
    for (size_t i = 0; i < s.len;) {
        size_t n = 0;
        while (i + n < s.len && is_word(s.ptr[i + n])) n++;
        if (n > best) {
            best = n;
            at = i + (n + 1) / 2;
        }
        i += n ? n : 1;
    }
    return at;
}

/* The same in an expression, where only three letters in a row outside [], {} and (? are text. */
static size_t middle_of_literal(struct slice s)
{
    char until = '\0';
    for (size_t i = 0, n = 0; i < s.len; i++) {
        char c = s.ptr[i];
        n = !until && isalpha((unsigned char)c) ? n + 1 : 0;
        if (n == 3) return i;
        if (until) until = c == until ? '\0' : until;
        else if (c == '[') until = ']';
        else if (c == '{') until = '}';
        else if (c == '(' && i + 1 < s.len && s.ptr[i + 1] == '?') until = ':';
        if (c == '\\') i++;
    }
    return SIZE_MAX;
}

static struct slice text_of(struct fy_node *node)
{
    size_t len = 0;
    const char *text = fy_node_get_scalar(node, &len);
    return slice_make(text, text ? len : 0);
}

/* A scalar between quotes: left to itself the emitter writes some texts plain that must not be. */
static struct fy_node *quoted(struct fy_document *doc, struct slice s)
{
    struct buf b;
    buf_init(&b, 2 * s.len + 2);
    buf_putc(&b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'') buf_putc(&b, '\'');
        buf_putc(&b, s.ptr[i]);
    }
    buf_putc(&b, '\'');
    ASSERT(!buf_failed(&b));
    struct fy_node *n = fy_node_build_from_malloc_string(doc, b.ptr, b.len);
    ASSERT(n); /* and the document owns b.ptr */
    return n;
}

/* The scalar altered, or NULL when it stays as it is. */
static struct fy_node *altered(struct fy_document *doc, struct fy_node *node, size_t at,
                               struct mark mark)
{
    struct slice s = text_of(node);
    if (at == SIZE_MAX || slice_find_byte(s, '\n') != SIZE_MAX) return NULL;
    struct buf b;
    buf_init(&b, s.len + sizeof mark);
    buf_put(&b, slice_until(s, at));
    buf_puts(&b, mark.text);
    buf_put(&b, slice_from(s, at));
    ASSERT(!buf_failed(&b));
    struct fy_node *n = quoted(doc, buf_slice(&b));
    buf_done(&b);
    return n;
}

enum value_kind { VALUE_STAYS, VALUE_TEXT, VALUE_EXPRESSION };

static enum value_kind kind_of(struct slice key)
{
    static const char *const selectors[] = {"EventID", "Channel", "Provider_Name", "eventSource",
                                            "type",    "product", "category",      "service"};
    static const char *const fixed[] = {"cidr", "exists", "fieldref", "expand", "lt",
                                        "lte",  "gt",     "gte",      "minute", "hour",
                                        "day",  "week",   "month",    "year"};
    struct slice field, rest, word;
    bool more = slice_split(key, '|', &field, &rest);
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
        if (slice_eq(field, slice_of(selectors[i]))) return VALUE_STAYS;
    enum value_kind kind = VALUE_TEXT;
    while (more) {
        more = slice_split(rest, '|', &word, &rest);
        if (slice_eq(word, SLICE("re"))) kind = VALUE_EXPRESSION;
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            if (slice_eq(word, slice_of(fixed[i]))) return VALUE_STAYS;
    }
    return kind;
}

static struct fy_node *alter_value(struct fy_document *doc, struct fy_node *node, struct mark mark,
                                   enum value_kind kind);

static void alter_map(struct fy_document *doc, struct fy_node *map, struct mark mark)
{
    void *iter = NULL;
    for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(map, &iter)) != NULL;) {
        struct fy_node *value = fy_node_pair_value(p);
        if (!value) continue;
        struct fy_node *n = alter_value(doc, value, mark, kind_of(text_of(fy_node_pair_key(p))));
        if (n) (void)fy_node_pair_set_value(p, n);
    }
}

static void alter_list(struct fy_document *doc, struct fy_node *list, struct mark mark,
                       enum value_kind kind)
{
    for (int i = 0; i < fy_node_sequence_item_count(list); i++) {
        struct fy_node *item = fy_node_sequence_get_by_index(list, i);
        struct fy_node *n = alter_value(doc, item, mark, kind);
        if (!n) continue;
        (void)fy_node_sequence_insert_before(list, item, n);
        (void)fy_node_free(fy_node_sequence_remove(list, item));
    }
}

/* Alters below node; what it returns takes the node's place. */
static struct fy_node *alter_value(struct fy_document *doc, struct fy_node *node, struct mark mark,
                                   enum value_kind kind)
{
    if (fy_node_is_mapping(node)) alter_map(doc, node, mark);
    else if (fy_node_is_sequence(node)) alter_list(doc, node, mark, kind);
    else if (kind == VALUE_TEXT) return altered(doc, node, middle_of_word(text_of(node)), mark);
    else if (kind == VALUE_EXPRESSION)
        return altered(doc, node, middle_of_literal(text_of(node)), mark);
    return NULL;
}

/* What a rule excludes says what is normal; a copy would not take that for an attack either. */
static bool is_exclusion(struct slice name, struct slice condition)
{
    char negated[256];
    if (slice_starts_with(name, SLICE("filter"))) return true;
    (void)snprintf(negated, sizeof negated, "not %.*s", SLICE_FMT(name));
    return slice_find(condition, slice_of(negated)) != SIZE_MAX;
}

static void alter_detection(struct fy_document *doc, struct fy_node *detection, struct mark mark)
{
    void *iter = NULL;
    struct slice condition =
        text_of(fy_node_mapping_lookup_by_string(detection, "condition", FY_NT));
    for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(detection, &iter)) != NULL;) {
        struct slice name = text_of(fy_node_pair_key(p));
        if (slice_eq(name, SLICE("condition")) || is_exclusion(name, condition)) continue;
        struct fy_node *n = alter_value(doc, fy_node_pair_value(p), mark, VALUE_TEXT);
        if (n) (void)fy_node_pair_set_value(p, n);
    }
}

/* Another identity: its first hexadecimal digit becomes the copy's. */
static struct fy_node *alter_id(struct fy_document *doc, struct slice id, unsigned copy)
{
    static const char digits[] = "0123456789abcdef";
    char text[64] = {0};
    if (id.len == 0 || id.len >= sizeof text) return NULL;
    memcpy(text, id.ptr, id.len);
    const char *was = strchr(digits, tolower((unsigned char)text[0]));
    if (was) text[0] = digits[((size_t)(was - digits) + copy) % 16];
    return fy_node_create_scalar_copy(doc, text, id.len);
}

static void alter_document(struct fy_document *doc, unsigned copy)
{
    struct mark mark = mark_of(copy);
    void *iter = NULL;
    struct fy_node *root = fy_document_root(doc);
    if (!root || !fy_node_is_mapping(root)) return;
    for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(root, &iter)) != NULL;) {
        struct slice key = text_of(fy_node_pair_key(p));
        struct fy_node *value = fy_node_pair_value(p), *n = NULL;
        if (slice_eq(key, SLICE("id"))) n = alter_id(doc, text_of(value), copy);
        else if (slice_eq(key, SLICE("name"))) n = altered(doc, value, text_of(value).len, mark);
        else if (slice_eq(key, SLICE("detection")) && fy_node_is_mapping(value))
            alter_detection(doc, value, mark);
        if (n) (void)fy_node_pair_set_value(p, n);
    }
}

char *multiply_rule(struct slice text, unsigned copy)
{
    struct fy_document *doc = fy_document_build_from_string(NULL, text.ptr, text.len);
    if (!doc) return NULL;
    alter_document(doc, copy);
    char *out = fy_emit_document_to_string(doc, FYECF_MODE_ORIGINAL | FYECF_WIDTH_INF);
    fy_document_destroy(doc);
    return out;
}
