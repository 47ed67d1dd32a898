/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * YAML as far as rules and configuration need it, over libfyaml: one document at a time as a tree
 * of nodes with positions.
 *
 * The stream is cut at its `---` lines before it is parsed. YAML 1.2 (9.1.2, c-forbidden) allows
 * such a line nowhere inside a document, so the cut is exact, and one damaged document does not
 * take the following ones with it.
 *
 * Refused, with the place: syntax errors, bytes that are not UTF-8, control characters, duplicate
 * keys, keys that are no scalars, aliases and merge keys (nothing is ever expanded, so a document
 * costs memory in proportion to its length), tags other than !!str, more than YAML_DEPTH_MAX
 * levels, more than YAML_NODES_MAX nodes. An anchor that nothing refers to is passed over.
 */
#ifndef VAKA_YAML_YAML_H
#define VAKA_YAML_YAML_H

#include "base/arena.h"
#include "base/error.h"

struct fy_parser;
struct fy_diag;

enum {
    YAML_FILE_MAX = 4 * 1024 * 1024,
    YAML_DEPTH_MAX = 32,
    YAML_NODES_MAX = 131072, /* of one document */
    YAML_DOCS_MAX = 4096,    /* in one file */
};

struct yaml_pos {
    uint32_t line, column; /* from 1 */
};

enum yaml_type { YAML_STRING, YAML_NUMBER, YAML_BOOL, YAML_NULL };

enum yaml_kind { YAML_SCALAR, YAML_SEQ, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_type type;     /* YAML_SCALAR: by the core schema when plain, else YAML_STRING */
    struct yaml_pos pos;     /* of the first character; quoted text: behind the quote */
    struct slice text;       /* YAML_SCALAR, as written */
    struct yaml_node *first; /* YAML_SEQ: the elements; YAML_MAP: the keys, all scalars */
    struct yaml_node *next;
    struct yaml_node *value; /* of a key */
    uint32_t n;              /* elements or keys */
};

struct yaml_reader {
    const char *file;
    struct slice text;
    size_t at;        /* the first byte no parser has seen */
    uint32_t at_line; /* its line, from 0 */
    uint32_t n_docs;
    struct arena nodes; /* of the document returned last */
    struct fy_parser *parser;
    struct fy_diag *fy_diag;
    struct slice segment; /* what `parser` reads, */
    uint32_t base_line;   /* and its first line, from 0 */
};

/* `file` and `text` are borrowed until yaml_done(). */
void yaml_init(struct yaml_reader *r, const char *file, struct slice text);
void yaml_done(struct yaml_reader *r);

/*
 * The next document that is not empty: *ret is its root, valid until the next call, or NULL at the
 * end of the stream. On failure diag is filled and the reader stands behind the refused document:
 * call again. ERR_NOMEM is final.
 */
int yaml_next(struct yaml_reader *r, const struct yaml_node **ret, struct diag *diag) MUST_USE;

/* The type a plain scalar has by the YAML 1.2 core schema (10.3.2). */
enum yaml_type yaml_plain_type(struct slice text);

/* A key of a map, or NULL; its value is key->value, never NULL. */
const struct yaml_node *yaml_key(const struct yaml_node *map, const char *name);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *name);

#endif
