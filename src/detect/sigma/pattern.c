/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/pattern.h"

#include "base/utf8.h"

void pattern_begin(struct pattern_builder *b, struct arena *arena, size_t pieces, size_t bytes)
{
    *b = (struct pattern_builder){.cap = bytes};
    if (pieces > UINT32_MAX) pieces = UINT32_MAX;
    b->cap_pieces = (uint32_t)pieces;
    b->pattern.pieces = arena_zalloc(arena, pieces, sizeof *b->pattern.pieces);
    b->text = arena_alloc(arena, bytes);
    if (!b->pattern.pieces || !b->text) b->cap = b->cap_pieces = 0;
}

void pattern_add(struct pattern_builder *b, enum piece_kind kind, struct slice text)
{
    struct piece *last = b->pattern.n ? &b->pattern.pieces[b->pattern.n - 1] : NULL;
    if (kind == PIECE_ANY && last && last->kind == PIECE_ANY) return;
    if (kind == PIECE_TEXT || kind == PIECE_PLACEHOLDER) {
        if (kind == PIECE_TEXT && text.len == 0) return;
        if (b->cap_pieces == 0) return; /* out of memory; the arena remembers */
        ASSERT(text.len <= b->cap - b->used);
        char *at = b->text + b->used;
        memcpy(at, text.ptr, text.len);
        b->used += text.len;
        if (kind == PIECE_TEXT && last && last->kind == PIECE_TEXT) {
            last->text.len += text.len;
            return;
        }
        text.ptr = at;
    }
    if (b->cap_pieces == 0) return;
    ASSERT(b->pattern.n < b->cap_pieces);
    b->pattern.pieces[b->pattern.n++] = (struct piece){kind, text};
}

void pattern_add_all(struct pattern_builder *b, const struct pattern *p)
{
    for (uint32_t i = 0; i < p->n; i++) pattern_add(b, p->pieces[i].kind, p->pieces[i].text);
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

/* The length of `%name%` at text[at], or 0. */
static size_t placeholder_at(struct slice text, size_t at)
{
    size_t end = at + 1;
    while (end < text.len && is_name_byte(text.ptr[end])) end++;
    return end < text.len && text.ptr[end] == '%' && end > at + 1 ? end + 1 - at : 0;
}

struct pattern pattern_parse(struct arena *arena, struct slice text, bool placeholders)
{
    size_t special = 0;
    for (size_t i = 0; i < text.len; i++)
        special += text.ptr[i] == '*' || text.ptr[i] == '?' || text.ptr[i] == '%';
    struct pattern_builder b;
    pattern_begin(&b, arena, 2 * special + 1, text.len);
    for (size_t i = 0; i < text.len;) {
        char c = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        size_t n = 1;
        if (c == '*' || c == '?') {
            pattern_add(&b, c == '*' ? PIECE_ANY : PIECE_ONE, SLICE_NONE);
        } else if (c == '\\' &&
                   (next == '*' || next == '?' || next == '\\' || (placeholders && next == '%'))) {
            pattern_add(&b, PIECE_TEXT, slice_make(text.ptr + i + 1, 1));
            n = 2;
        } else if (placeholders && c == '%' && placeholder_at(text, i)) {
            n = placeholder_at(text, i);
            pattern_add(&b, PIECE_PLACEHOLDER, slice_make(text.ptr + i + 1, n - 2));
        } else {
            while (i + n < text.len && !memchr("\\*?%", text.ptr[i + n], 4)) n++;
            pattern_add(&b, PIECE_TEXT, slice_make(text.ptr + i, n));
        }
        i += n;
    }
    return b.pattern;
}

struct pattern pattern_plain(struct arena *arena, struct slice text)
{
    struct pattern_builder b;
    pattern_begin(&b, arena, 1, text.len);
    pattern_add(&b, PIECE_TEXT, text);
    return b.pattern;
}

bool pattern_has(const struct pattern *p, enum piece_kind kind)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->pieces[i].kind == kind) return true;
    return false;
}

size_t pattern_bytes(const struct pattern *p)
{
    size_t n = 0;
    for (uint32_t i = 0; i < p->n; i++) n += p->pieces[i].text.len;
    return n;
}

struct slice pattern_text(const struct pattern *p)
{
    return p->n ? p->pieces[0].text : SLICE("");
}

static struct slice fold_text(struct arena *arena, struct slice text, bool cased)
{
    if (cased) return arena_dup(arena, text);
    char *p = arena_alloc(arena, utf8_fold_bound(text.len));
    return p ? slice_make(p, utf8_fold(p, text)) : SLICE_NONE;
}

const struct glob_piece *pattern_glob(struct arena *arena, const struct pattern *p, bool cased)
{
    static const enum glob_kind kinds[] = {[PIECE_TEXT] = GLOB_LITERAL,
                                           [PIECE_ONE] = GLOB_ONE,
                                           [PIECE_ANY] = GLOB_ANY,
                                           [PIECE_PLACEHOLDER] = GLOB_LITERAL};
    struct glob_piece *glob = arena_zalloc(arena, p->n, sizeof *glob);
    for (uint32_t i = 0; glob && i < p->n; i++) {
        glob[i].kind = kinds[p->pieces[i].kind];
        if (p->pieces[i].kind == PIECE_TEXT)
            glob[i].text = fold_text(arena, p->pieces[i].text, cased);
    }
    return glob;
}
