/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A string value of a rule on its way to a glob: text, wildcards and placeholders, not folded yet.
 * Always normalised: no empty text, no two texts and no two stars beside each other.
 *
 * Escapes (Sigma specification 2.1.0, "Escape Character"): a backslash takes the meaning from a
 * following `*`, `?` or `\`; before anything else, and at the end, it is itself. So `\*` is a star,
 * `\\*` a backslash and a wildcard, `\\\*` a backslash and a star, `\\\` and `\\\\` two
 * backslashes.
 */
#ifndef VAKA_DETECT_SIGMA_PATTERN_H
#define VAKA_DETECT_SIGMA_PATTERN_H

#include "detect/sigma/rule.h"

enum piece_kind { PIECE_TEXT, PIECE_ONE /* ? */, PIECE_ANY /* * */, PIECE_PLACEHOLDER };

struct piece {
    enum piece_kind kind;
    struct slice text; /* PIECE_TEXT; PIECE_PLACEHOLDER: the name without % */
};

struct pattern {
    struct piece *pieces;
    uint32_t n;
};

/*
 * Builds one pattern. Room is taken at init: at most `pieces` pieces and `bytes` bytes of text will
 * be appended. All memory is the arena's; its overflow is the only failure (arena_failed).
 */
struct pattern_builder {
    struct pattern pattern;
    char *text;
    size_t used, cap;
    uint32_t cap_pieces;
};
void pattern_begin(struct pattern_builder *b, struct arena *arena, size_t pieces, size_t bytes);
void pattern_add(struct pattern_builder *b, enum piece_kind kind, struct slice text);
void pattern_add_all(struct pattern_builder *b, const struct pattern *p);

/*
 * Reads a value as written. With `placeholders` (the value has the modifier `expand`) %name% is a
 * placeholder, a name being letters, digits and `_`, `-`, `.`, and `\%` a percent sign.
 */
struct pattern pattern_parse(struct arena *arena, struct slice text, bool placeholders);
/* The text alone, taken as it is. */
struct pattern pattern_plain(struct arena *arena, struct slice text);

bool pattern_has(const struct pattern *p, enum piece_kind kind);
/* Bytes of text in all pieces, placeholder names included. */
size_t pattern_bytes(const struct pattern *p);
/* The text of a pattern without wildcards; "" for the empty one. */
struct slice pattern_text(const struct pattern *p);

/* Folds (unless cased) into what an atom holds. Text that is folded is copied into the arena. */
const struct glob_piece *pattern_glob(struct arena *arena, const struct pattern *p, bool cased);

#endif
