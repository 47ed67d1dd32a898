/* SPDX-License-Identifier: EUPL-1.2 */
#include "yaml/yaml.h"

#include <libfyaml.h>

#include "base/hash.h"
#include "base/hint.h"
#include "base/utf8.h"
#include "yaml/quoted.h"

enum {
    /* Nodes and their text, and room for the duplicate check of one large map. */
    NODES_BUDGET = YAML_NODES_MAX * (sizeof(struct yaml_node) + 32) + 2 * YAML_FILE_MAX,
    PAIRWISE_MAX = 12,   /* keys of a map that are compared each with each */
    DIRECTIVE_MAX = 256, /* bytes of a line like `%YAML 1.2`: libfyaml's time is quadratic in it */
};

void yaml_init(struct yaml_reader *r, const char *file, struct slice text)
{
    *r = (struct yaml_reader){.file = file, .text = text};
    arena_init(&r->nodes, NODES_BUDGET);
}

static void close_parser(struct yaml_reader *r)
{
    fy_parser_destroy(r->parser);
    if (r->fy_diag) fy_diag_destroy(r->fy_diag);
    r->parser = NULL;
    r->fy_diag = NULL;
}

void yaml_done(struct yaml_reader *r)
{
    if (r->parser) close_parser(r);
    arena_done(&r->nodes);
}

/* --- Scalars ----------------------------------------------------------------------------- */

static bool is_one_of(struct slice s, const char *const *words)
{
    for (; *words; words++)
        if (slice_eq(s, slice_of(*words))) return true;
    return false;
}

static size_t digits(struct slice s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.ptr[at + n] >= '0' && s.ptr[at + n] <= '9') n++;
    return n;
}

static bool all_digits_of_base(struct slice s, unsigned base)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool ok = base == 8
                      ? c >= '0' && c <= '7'
                      : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!ok) return false;
    }
    return s.len > 0;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? ; integers are a case of it.
 */
static bool is_decimal(struct slice s)
{
    size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    size_t whole = digits(s, at);
    at += whole;
    size_t part = 0;
    if (at < s.len && s.ptr[at] == '.') {
        part = digits(s, at + 1);
        at += 1 + part;
    }
    if (whole + part == 0) return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+')) at++;
        size_t exponent = digits(s, at);
        if (exponent == 0) return false;
        at += exponent;
    }
    return at == s.len;
}

enum yaml_type yaml_plain_type(struct slice s)
{
    static const char *const nulls[] = {"~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    static const char *const special[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL};
    if (s.len == 0) return YAML_NULL;
    char c = s.ptr[0];
    if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
        if (is_decimal(s) || is_one_of(s, special)) return YAML_NUMBER;
        if (slice_starts_with(s, SLICE("0x")) && all_digits_of_base(slice_from(s, 2), 16))
            return YAML_NUMBER;
        if (slice_starts_with(s, SLICE("0o")) && all_digits_of_base(slice_from(s, 2), 8))
            return YAML_NUMBER;
        struct slice rest = c == '-' || c == '+' ? slice_from(s, 1) : s;
        return is_one_of(rest, infinite) ? YAML_NUMBER : YAML_STRING;
    }
    if (s.len > 5) return YAML_STRING;
    if (is_one_of(s, nulls)) return YAML_NULL;
    return is_one_of(s, bools) ? YAML_BOOL : YAML_STRING;
}

/* --- Cutting the stream ------------------------------------------------------------------ */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_document_line(struct slice line)
{
    return line.len >= 3 && memcmp(line.ptr, "---", 3) == 0 &&
           (line.len == 3 || is_blank(line.ptr[3]) || line.ptr[3] == '\n' || line.ptr[3] == '\r');
}

/* Whether a line holds only what may stand before a `---`: blanks, a comment, a directive. */
static bool is_prefix_line(struct slice line, bool first)
{
    if (first && slice_starts_with(line, SLICE("\xef\xbb\xbf"))) line = slice_from(line, 3);
    if (line.len > 0 && line.ptr[0] == '%') return true;
    line = slice_trim(line);
    return line.len == 0 || line.ptr[0] == '#';
}

/* YAML's line breaks: LF, CR LF, CR. */
static uint32_t count_lines(struct slice s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\n' || (s.ptr[i] == '\r' && !(i + 1 < s.len && s.ptr[i + 1] == '\n'))) n++;
    return n;
}

/* From r->at up to the next `---` line that starts another document. */
static struct slice next_segment(const struct yaml_reader *r)
{
    struct slice rest = slice_from(r->text, r->at);
    bool content = false;
    for (size_t at = 0; at < rest.len;) {
        struct slice line = slice_from(rest, at);
        size_t nl = slice_find_byte(line, '\n');
        if (nl < line.len) line.len = nl + 1;
        bool marker = is_document_line(line);
        if (marker && content) return slice_until(rest, at);
        if (marker || !is_prefix_line(line, r->at == 0 && at == 0)) content = true;
        at += line.len;
    }
    return rest;
}

static struct yaml_pos pos_at(const struct yaml_reader *r, struct slice segment, size_t offset)
{
    struct slice before = slice_until(segment, offset);
    struct yaml_pos pos = {r->base_line + 1 + count_lines(before), 1};
    size_t line = before.len;
    while (line > 0 && before.ptr[line - 1] != '\n' && before.ptr[line - 1] != '\r') line--;
    for (size_t i = line; i < before.len; i += utf8_step(before, i)) pos.column++;
    return pos;
}

/* libfyaml is only given clean text: UTF-8 without the control characters YAML 1.2 (5.1) forbids.
 */
static int check_bytes(const struct yaml_reader *r, struct slice s, struct diag *diag)
{
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c < 0x7f) {
            i++;
            continue;
        }
        uint32_t cp;
        unsigned step = utf8_decode(s, i, &cp);
        bool good = step > 0 &&
                    (cp >= 0xa0 || cp == '\t' || cp == '\n' || cp == '\r' || cp == 0x85) &&
                    cp != 0xfffe && cp != 0xffff && (cp != 0xfeff || (r->at == 0 && i == 0));
        if (!good) {
            struct yaml_pos pos = pos_at(r, s, i);
            if (step == 0)
                return diag_set(diag, ERR_SYNTAX, r->file, pos.line, pos.column,
                                "the byte 0x%02x is not UTF-8", c);
            return diag_set(diag, ERR_SYNTAX, r->file, pos.line, pos.column,
                            "the character U+%04X is not allowed in YAML", cp);
        }
        i += step;
    }
    return 0;
}

static int check_directives(const struct yaml_reader *r, struct slice s, struct diag *diag)
{
    for (size_t at = 0; at < s.len;) {
        size_t len = 0;
        while (len < s.len - at && s.ptr[at + len] != '\n' && s.ptr[at + len] != '\r') len++;
        if (s.ptr[at] == '%' && len > DIRECTIVE_MAX) {
            struct yaml_pos pos = pos_at(r, s, at);
            return diag_set(diag, ERR_LIMIT, r->file, pos.line, pos.column,
                            "a directive is longer than %d bytes", DIRECTIVE_MAX);
        }
        at += len + 1;
    }
    return 0;
}

/* libfyaml prints its errors unless somebody takes them. */
static void swallow(struct fy_diag *diag, void *user, const char *text, size_t len)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)len;
}

static int open_parser(struct yaml_reader *r, struct slice segment)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = swallow;
    diag_cfg.colorize = false;
    r->fy_diag = fy_diag_create(&diag_cfg);
    if (!r->fy_diag) return ERR_NOMEM;
    fy_diag_set_collect_errors(r->fy_diag, true);
    struct fy_parse_cfg cfg = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
        .diag = r->fy_diag,
    };
    r->parser = fy_parser_create(&cfg);
    if (!r->parser || fy_parser_set_string(r->parser, segment.ptr, segment.len) != 0) {
        close_parser(r);
        return ERR_NOMEM;
    }
    return 0;
}

static struct yaml_pos mark_pos(const struct yaml_reader *r, const struct fy_mark *mark)
{
    return (struct yaml_pos){r->base_line + (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* What libfyaml says is wrong, in its own words. */
static int syntax_error(struct yaml_reader *r, struct yaml_pos last, struct diag *diag)
{
    void *iter = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(r->fy_diag, &iter);
    if (e && e->line > 0) {
        last.line = r->base_line + (uint32_t)e->line;
        last.column = e->column > 0 ? (uint32_t)e->column : 1;
    }
    char why[2 * HINT_SHOW_SIZE] = "damaged";
    if (e && e->msg) {
        struct slice msg = slice_of(e->msg);
        hint_show(why, msg);
        if (msg.len > HINT_SHOW_SIZE - 4)
            hint_show(why + HINT_SHOW_SIZE - 4, slice_from(msg, HINT_SHOW_SIZE - 4));
    }
    return diag_set(diag, ERR_SYNTAX, r->file, last.line, last.column, "not valid YAML: %s", why);
}

/* --- Building the tree ------------------------------------------------------------------- */

struct level {
    struct yaml_node *node;
    struct yaml_node *last; /* element or key */
    bool key_waits;         /* `last` is a key without a value */
};

struct builder {
    struct yaml_reader *r;
    struct diag *diag;
    struct level level[YAML_DEPTH_MAX];
    unsigned depth;
    uint32_t n_nodes;
    struct yaml_pos last; /* the last place known */
    struct yaml_node *root;
};

#define REFUSE(b, error, pos, ...)                                                                 \
    diag_set((b)->diag, error, (b)->r->file, (pos).line, (pos).column, __VA_ARGS__)

static int add_node(struct builder *b, struct yaml_node *node)
{
    if (++b->n_nodes > YAML_NODES_MAX)
        return REFUSE(b, ERR_LIMIT, node->pos, "the document holds more than %d values",
                      YAML_NODES_MAX);
    if (b->depth == 0) {
        b->root = node;
        return 0;
    }
    struct level *top = &b->level[b->depth - 1];
    if (top->node->kind == YAML_MAP && top->key_waits) {
        top->last->value = node;
        top->key_waits = false;
        return 0;
    }
    if (top->node->kind == YAML_MAP) {
        if (node->kind != YAML_SCALAR)
            return REFUSE(b, ERR_UNSUPPORTED, node->pos, "a key must be text");
        top->key_waits = true;
    }
    if (top->last) top->last->next = node;
    else top->node->first = node;
    top->last = node;
    top->node->n++;
    return 0;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, struct fy_event *event)
{
    struct yaml_node *node = arena_zalloc(&b->r->nodes, 1, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark) b->last = mark_pos(b->r, mark);
    node->pos = b->last;
    return node;
}

static int check_tag(struct builder *b, struct fy_token *tag, enum yaml_kind kind, bool *ret_string)
{
    *ret_string = false;
    if (!tag) return 0;
    size_t len = 0;
    const char *ptr = fy_token_get_text(tag, &len);
    struct slice text = slice_make(ptr, ptr ? len : 0);
    if (kind == YAML_SCALAR && (slice_eq(text, SLICE("tag:yaml.org,2002:str")) ||
                                slice_eq(text, SLICE("!!str")) || slice_eq(text, SLICE("!")))) {
        *ret_string = true;
        return 0;
    }
    const struct fy_mark *mark = fy_token_start_mark(tag);
    struct yaml_pos pos = mark ? mark_pos(b->r, mark) : b->last;
    char shown[HINT_SHOW_SIZE];
    return REFUSE(b, ERR_UNSUPPORTED, pos, "the YAML tag `%s` is not supported",
                  hint_show(shown, text));
}

/*
 * What stands between the quotes of a scalar, by its marks; false when it is not quoted. libfyaml's
 * own text of a quoted scalar is not asked for: it loses memory when there are many escapes.
 */
static bool quoted_text(const struct builder *b, struct fy_event *event, char *ret_quote,
                        struct slice *ret)
{
    enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
    if (style != FYSS_SINGLE_QUOTED && style != FYSS_DOUBLE_QUOTED) return false;
    *ret_quote = style == FYSS_SINGLE_QUOTED ? '\'' : '"';
    const struct fy_mark *begin = fy_event_start_mark(event), *end = fy_event_end_mark(event);
    struct slice s = b->r->segment;
    if (!begin || !end || begin->input_pos > end->input_pos || end->input_pos > s.len) return false;
    *ret = slice_make(s.ptr + begin->input_pos, end->input_pos - begin->input_pos);
    return true;
}

/* The text of a scalar in the arena; ptr NULL when there is no memory for it. */
static struct slice scalar_text(struct builder *b, struct fy_event *event)
{
    char quote;
    struct slice inner;
    if (!event->scalar.value) return arena_dup(&b->r->nodes, SLICE(""));
    if (quoted_text(b, event, &quote, &inner)) {
        char *dst = arena_alloc(&b->r->nodes, yaml_unquote_bound(inner.len));
        return dst ? slice_make(dst, yaml_unquote(dst, inner, quote)) : SLICE_NONE;
    }
    size_t len = 0;
    const char *ptr = fy_token_get_text(event->scalar.value, &len);
    return ptr ? arena_dup(&b->r->nodes, slice_make(ptr, len)) : SLICE_NONE;
}

static int add_scalar(struct builder *b, struct fy_event *event)
{
    struct yaml_node *node = new_node(b, YAML_SCALAR, event);
    if (!node) return ERR_NOMEM;
    bool string;
    int error = check_tag(b, event->scalar.tag, YAML_SCALAR, &string);
    if (error) return error;
    node->text = scalar_text(b, event);
    if (!node->text.ptr) return ERR_NOMEM;
    bool plain = !event->scalar.value || fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
    node->type = plain && !string ? yaml_plain_type(node->text) : YAML_STRING;
    const struct level *top = b->depth > 0 ? &b->level[b->depth - 1] : NULL;
    bool is_key = top && top->node->kind == YAML_MAP && !top->key_waits;
    if (is_key && plain && slice_eq(node->text, SLICE("<<")))
        return REFUSE(b, ERR_UNSUPPORTED, node->pos,
                      "merge keys (<<) are not supported; write the values out");
    if (node->type == YAML_NULL && !is_key) node->text.len = 0;
    return add_node(b, node);
}

static int open_level(struct builder *b, enum yaml_kind kind, struct fy_event *event)
{
    struct yaml_node *node = new_node(b, kind, event);
    if (!node) return ERR_NOMEM;
    bool ignored;
    struct fy_token *tag = kind == YAML_MAP ? event->mapping_start.tag : event->sequence_start.tag;
    int error = check_tag(b, tag, kind, &ignored);
    if (!error && b->depth == YAML_DEPTH_MAX)
        error = REFUSE(b, ERR_LIMIT, node->pos, "nested more than %d levels deep", YAML_DEPTH_MAX);
    if (!error) error = add_node(b, node);
    if (error) return error;
    b->level[b->depth++] = (struct level){.node = node};
    return 0;
}

static int duplicate(struct builder *b, const struct yaml_node *key, const struct yaml_node *first)
{
    char shown[HINT_SHOW_SIZE];
    return REFUSE(b, ERR_SYNTAX, key->pos, "the key `%s` is written twice, first in line %u",
                  hint_show(shown, key->text), first->pos.line);
}

static int check_keys(struct builder *b, const struct yaml_node *map)
{
    if (map->n <= PAIRWISE_MAX) {
        for (const struct yaml_node *key = map->first; key; key = key->next)
            for (const struct yaml_node *other = map->first; other != key; other = other->next)
                if (slice_eq(key->text, other->text)) return duplicate(b, key, other);
        return 0;
    }
    size_t cap = 32;
    while (cap < 2 * (size_t)map->n) cap *= 2;
    const struct yaml_node **table = arena_zalloc(&b->r->nodes, cap, sizeof(struct yaml_node *));
    if (!table) return ERR_NOMEM;
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        size_t slot = hash64(key->text) & (cap - 1);
        for (; table[slot]; slot = (slot + 1) & (cap - 1))
            if (slice_eq(table[slot]->text, key->text)) return duplicate(b, key, table[slot]);
        table[slot] = key;
    }
    return 0;
}

static int build_event(struct builder *b, struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        return add_scalar(b, event);
    case FYET_MAPPING_START:
        return open_level(b, YAML_MAP, event);
    case FYET_SEQUENCE_START:
        return open_level(b, YAML_SEQ, event);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        if (b->depth == 0) return REFUSE(b, ERR_SYNTAX, b->last, "not valid YAML: damaged");
        b->depth--;
        return event->type == FYET_MAPPING_END ? check_keys(b, b->level[b->depth].node) : 0;
    case FYET_ALIAS: {
        const struct fy_mark *mark = fy_event_start_mark(event);
        if (mark) b->last = mark_pos(b->r, mark);
        if (b->last.column > 1) b->last.column--; /* the mark stands behind the asterisk */
        return REFUSE(b, ERR_UNSUPPORTED, b->last,
                      "YAML aliases (*name) are not supported; write the value out");
    }
    default:
        return 0;
    }
}

/* All events of one document; its start has been read. */
static int build(struct yaml_reader *r, const struct yaml_node **ret, struct diag *diag)
{
    arena_reset(&r->nodes);
    struct builder b = {.r = r, .diag = diag, .last = {r->base_line + 1, 1}};
    for (;;) {
        struct fy_event *event = fy_parser_parse(r->parser);
        if (!event) return syntax_error(r, b.last, diag);
        bool end = event->type == FYET_DOCUMENT_END;
        int error =
            event->type == FYET_STREAM_END ? syntax_error(r, b.last, diag) : build_event(&b, event);
        fy_parser_event_free(r->parser, event);
        if (error == ERR_NOMEM && r->nodes.failed && r->nodes.held > NODES_BUDGET / 2)
            error = REFUSE(&b, ERR_LIMIT, b.last, "the document is too large");
        if (error) return error;
        if (end) break;
    }
    *ret = b.root;
    return 0;
}

/* Opens a parser on the next segment. */
static int open_segment(struct yaml_reader *r, struct diag *diag)
{
    struct slice segment = next_segment(r);
    r->base_line = r->at_line;
    int error = check_bytes(r, segment, diag);
    if (!error) error = check_directives(r, segment, diag);
    r->at_line += count_lines(segment);
    r->segment = segment;
    if (!error) {
        error = open_parser(r, segment);
        if (error) diag_set(diag, error, r->file, r->base_line + 1, 1, "out of memory");
    }
    r->at += segment.len;
    return error;
}

int yaml_next(struct yaml_reader *r, const struct yaml_node **ret, struct diag *diag)
{
    if (r->at == 0 && r->text.len > YAML_FILE_MAX) {
        r->at = r->text.len;
        return diag_set(diag, ERR_LIMIT, r->file, 1, 1, "the file is larger than %d MiB",
                        YAML_FILE_MAX / 1024 / 1024);
    }
    *ret = NULL;
    for (;;) {
        if (!r->parser) {
            if (r->at >= r->text.len) return 0;
            int error = open_segment(r, diag);
            if (error) return error;
        }
        struct fy_event *event = fy_parser_parse(r->parser);
        enum fy_event_type type = event ? event->type : FYET_NONE;
        int error = 0;
        if (event) fy_parser_event_free(r->parser, event);
        else error = syntax_error(r, (struct yaml_pos){r->base_line + 1, 1}, diag);
        if (type == FYET_DOCUMENT_START) {
            if (++r->n_docs > YAML_DOCS_MAX) {
                r->at = r->text.len;
                error = diag_set(diag, ERR_LIMIT, r->file, r->base_line + 1, 1,
                                 "the file holds more than %d documents", YAML_DOCS_MAX);
            } else {
                error = build(r, ret, diag);
            }
            const struct yaml_node *root = *ret;
            bool empty = root && root->kind == YAML_SCALAR && root->type == YAML_NULL;
            if (!error && root && !empty) return 0;
            *ret = NULL;
        }
        if (error || type == FYET_STREAM_END) close_parser(r);
        if (error) return error;
    }
}

const struct yaml_node *yaml_key(const struct yaml_node *map, const char *name)
{
    struct slice want = slice_of(name);
    for (const struct yaml_node *key = map->first; key; key = key->next)
        if (slice_eq(key->text, want)) return key;
    return NULL;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name)
{
    const struct yaml_node *key = yaml_key(map, name);
    return key ? key->value : NULL;
}
