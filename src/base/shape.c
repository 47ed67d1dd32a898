/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tree: a node has literal children, told apart by their first byte, and typed children, told
 * apart by their type and, for types that end where the following text begins, by its first byte.
 * Inserting splits literals where they part. Finding walks depth first and goes back where it went
 * wrong; the number of steps is bounded for all of it.
 */
#include "base/shape.h"

#include "base/ip.h"

enum {
    END_OF_TEXT = 256,
    CHILDREN_FEW = 4, /* of a node; more are found by a table */
};

struct branch {
    enum shape_type type;
    uint16_t until; /* TEXT, ANY: the byte behind it, or END_OF_TEXT */
    struct node *to;
    struct branch *next; /* in the order of types */
};

/* A pattern, or one of the ways its optional parts leave. */
struct leaf {
    uint32_t number, n_names;
    const int *names; /* by place in the order of the text; -1: not kept */
};

struct node {
    struct slice text;   /* to be there before anything else is looked at */
    uint64_t head, mask; /* its first eight bytes, and those of them that there are */
    char begins;         /* the first of them */
    struct node *first, *next;
    struct node **by_byte; /* of 256 children that begin with this byte; NULL: they are few */
    struct branch *branches;
    const struct leaf *leaf;
};

struct shape_set {
    struct arena *arena;
    struct node root;
    uint64_t begins[4]; /* bytes that a text may begin with */
    uint32_t n_patterns, n_numbers;
    struct slice needle; /* of a set of one: text that must be there; looked for before all else */
};

struct shape_set *shape_set_new(struct arena *arena)
{
    struct shape_set *set = arena_zalloc(arena, 1, sizeof *set);
    if (set) set->arena = arena;
    return set;
}

/* ---- reading a pattern ------------------------------------------------------------------- */

struct piece {
    bool is_place;
    struct slice text; /* literal */
    enum shape_type type;
    int name;
    uint8_t optional; /* 1 + the number of the optional part it belongs to, or 0 */
};

enum { PIECES_MAX = 2 * SHAPE_PLACES_MAX + 2 * SHAPE_OPTIONAL_MAX + 2 };

struct reading {
    struct shape_set *set;
    struct slice text;
    size_t at;
    struct piece pieces[PIECES_MAX];
    uint32_t n_pieces, n_places;
    uint8_t optional, n_optional; /* the part we are in, those there are */
    char literal[SHAPE_LEN_MAX];
    size_t literal_len;
    shape_name_fn *name;
    void *ctx;
    const char *why;
};

static int refuse(struct reading *r, int error, const char *why)
{
    r->why = why;
    return error;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char as_blank(char c)
{
    return c == '\t' ? ' ' : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_host_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '%';
}

static bool is_word_byte(char c)
{
    return !is_blank(c) && c != '\r' && c != '\n';
}

static int add_piece(struct reading *r, const struct piece *piece)
{
    if (r->n_pieces == PIECES_MAX) return refuse(r, ERR_LIMIT, "too many places");
    r->pieces[r->n_pieces] = *piece;
    r->pieces[r->n_pieces++].optional = r->optional;
    return 0;
}

static int end_literal(struct reading *r)
{
    if (r->literal_len == 0) return 0;
    struct slice text = arena_dup(r->set->arena, slice_make(r->literal, r->literal_len));
    r->literal_len = 0;
    if (!text.ptr) return arena_error(r->set->arena);
    return add_piece(r, &(struct piece){.text = text});
}

static bool find_type(struct slice name, enum shape_type *ret)
{
#define X(id, text)                                                                                \
    if (slice_eq(name, SLICE(text))) {                                                             \
        *ret = id;                                                                                 \
        return true;                                                                               \
    }
    SHAPE_TYPES(X)
#undef X
    return false;
}

/* {name:type}, from behind the brace. */
static int read_place(struct reading *r)
{
    size_t len = slice_find_byte(slice_from(r->text, r->at), '}');
    if (len == SIZE_MAX) return refuse(r, ERR_SYNTAX, "a place has no end: } is missing");
    struct slice name, type, inner = slice_make(r->text.ptr + r->at, len);
    struct piece piece = {.is_place = true, .type = SHAPE_TEXT, .name = -1};
    if (slice_split(inner, ':', &name, &type) && !find_type(type, &piece.type))
        return refuse(r, ERR_SYNTAX,
                      "not a type; there are int, ip, hex, mac, host, word, text and any");
    if (slice_find_byte(name, '{') != SIZE_MAX)
        return refuse(r, ERR_SYNTAX, "a place has no end: } is missing");
    if (++r->n_places > SHAPE_PLACES_MAX) return refuse(r, ERR_LIMIT, "too many places");
    if (name.len) piece.name = r->name(r->ctx, name);
    if (name.len && piece.name < 0) return refuse(r, piece.name, "not a name of a field");
    r->at += len + 1;
    int error = end_literal(r);
    return error ? error : add_piece(r, &piece);
}

static int begin_optional(struct reading *r)
{
    if (r->optional) return refuse(r, ERR_SYNTAX, "an optional part inside of another one");
    if (r->n_optional == SHAPE_OPTIONAL_MAX) return refuse(r, ERR_LIMIT, "too many optional parts");
    int error = end_literal(r);
    r->optional = ++r->n_optional;
    return error;
}

static int read_brace(struct reading *r)
{
    struct slice rest = slice_from(r->text, r->at);
    if (slice_starts_with(rest, SLICE("{{")) || slice_starts_with(rest, SLICE("}}"))) {
        r->literal[r->literal_len++] = rest.ptr[0];
        r->at += 2;
        return 0;
    }
    if (slice_starts_with(rest, SLICE("{?"))) {
        r->at += 2;
        return begin_optional(r);
    }
    r->at++;
    if (rest.ptr[0] == '{') return read_place(r);
    if (!r->optional) return refuse(r, ERR_SYNTAX, "} without {; a brace itself is }}");
    int error = end_literal(r);
    r->optional = 0;
    return error;
}

static int read_pattern(struct reading *r)
{
    int error = 0;
    while (r->at < r->text.len && error == 0) {
        char c = r->text.ptr[r->at];
        if (c == '{' || c == '}') {
            error = read_brace(r);
            continue;
        }
        r->literal[r->literal_len++] = is_blank(c) ? ' ' : c;
        while (is_blank(c) && r->at + 1 < r->text.len && is_blank(r->text.ptr[r->at + 1])) r->at++;
        r->at++;
    }
    if (error == 0 && r->optional) return refuse(r, ERR_SYNTAX, "an optional part has no end");
    if (error == 0) error = end_literal(r);
    if (error == 0 && r->n_pieces == 0) return refuse(r, ERR_SYNTAX, "the pattern is empty");
    return error;
}

/* ---- the tree ---------------------------------------------------------------------------- */

static void set_text(struct node *node, struct slice text)
{
    size_t n = text.len < sizeof node->head ? text.len : sizeof node->head;
    node->text = text;
    node->head = node->mask = 0;
    node->begins = text.ptr[0];
    memcpy(&node->head, text.ptr, n);
    memset(&node->mask, 0xff, n);
}

/* The one child whose text begins with the byte, or NULL. */
static struct node *child_of(const struct node *node, char c)
{
    if (node->by_byte) return node->by_byte[(unsigned char)c];
    struct node *child = node->first;
    while (child && child->begins != c) child = child->next;
    return child;
}

/* NULL: the arena is full. */
static struct node *add_child(struct arena *a, struct node *to, struct slice text)
{
    struct node *child = arena_zalloc(a, 1, sizeof *child);
    uint32_t n = 1;
    if (!child) return NULL;
    set_text(child, text);
    child->next = to->first;
    to->first = child;
    for (const struct node *other = child->next; other; other = other->next) n++;
    if (n <= CHILDREN_FEW) return child;
    if (!to->by_byte) to->by_byte = arena_zalloc(a, 256, sizeof(struct node *));
    if (!to->by_byte) return NULL;
    for (struct node *each = child; each; each = each->next)
        to->by_byte[(unsigned char)each->begins] = each;
    return child;
}

/* The node behind `text` from here, made when it is not there. NULL: the arena is full. */
static struct node *follow_text(struct arena *a, struct node *from, struct slice text)
{
    while (text.len) {
        struct node *child = child_of(from, text.ptr[0]);
        if (!child) return add_child(a, from, text);
        size_t same = 1;
        while (same < text.len && same < child->text.len && text.ptr[same] == child->text.ptr[same])
            same++;
        if (same < child->text.len) {
            struct node *rest = arena_alloc(a, sizeof *rest);
            if (!rest) return NULL;
            *rest = *child;
            struct slice head = slice_until(child->text, same);
            set_text(rest, slice_from(child->text, same));
            rest->next = NULL;
            *child = (struct node){.first = rest, .next = child->next};
            set_text(child, head);
        }
        from = child;
        text = slice_from(text, same);
    }
    return from;
}

static bool has_until(enum shape_type type)
{
    return type == SHAPE_TEXT || type == SHAPE_ANY;
}

static struct node *follow_place(struct arena *a, struct node *from, enum shape_type type,
                                 uint16_t until)
{
    struct branch **at = &from->branches;
    if (!has_until(type)) until = 0;
    /* Of two places that end at a byte of the text, the one that does not take all goes first. */
    while (*at && ((*at)->type < type || ((*at)->type == type && (*at)->until < until)))
        at = &(*at)->next;
    if (*at && (*at)->type == type && (*at)->until == until) return (*at)->to;
    struct branch *b = arena_zalloc(a, 1, sizeof *b);
    struct node *to = arena_zalloc(a, 1, sizeof *to);
    if (!b || !to) return NULL;
    *b = (struct branch){.type = type, .until = until, .to = to, .next = *at};
    *at = b;
    return to;
}

/* The optional parts whose bits are in `with` are there. */
static bool is_in(const struct piece *p, uint32_t with)
{
    return p->optional == 0 || with >> (p->optional - 1) & 1;
}

/* Where a place that piece i is ends: the first byte of the text behind it. */
static int until_of(const struct reading *r, uint32_t i, uint32_t with, uint16_t *ret)
{
    *ret = END_OF_TEXT;
    for (uint32_t j = i + 1; j < r->n_pieces; j++) {
        const struct piece *p = &r->pieces[j];
        if (!is_in(p, with)) continue;
        if (p->is_place && has_until(p->type) && has_until(r->pieces[i].type)) return ERR_SYNTAX;
        /* A type behind a text says itself where it begins: that is tried at every byte. */
        *ret = p->is_place ? 0 : (unsigned char)p->text.ptr[0];
        return 0;
    }
    return 0;
}

static int insert(struct reading *r, uint32_t number, uint32_t with)
{
    struct arena *a = r->set->arena;
    struct node *at = &r->set->root;
    int names[SHAPE_PLACES_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_pieces && at; i++) {
        const struct piece *p = &r->pieces[i];
        if (!is_in(p, with)) continue;
        if (!p->is_place) {
            at = follow_text(a, at, p->text);
            continue;
        }
        uint16_t until;
        if (until_of(r, i, with, &until) != 0)
            return refuse(r, ERR_SYNTAX, "two places of type text or any have no text between");
        at = follow_place(a, at, p->type, until);
        names[n++] = p->name;
    }
    struct leaf *leaf = arena_zalloc(a, 1, sizeof *leaf);
    int *kept = arena_zalloc(a, n + 1, sizeof *kept);
    if (!at || !leaf || !kept) return arena_error(a);
    memcpy(kept, names, n * sizeof *kept);
    *leaf = (struct leaf){.number = number, .n_names = n, .names = kept};
    if (at->leaf && at->leaf->number != number)
        return refuse(r, ERR_INVALID, "another pattern takes the same texts");
    if (!at->leaf) at->leaf = leaf;
    return 0;
}

/*
 * The longest text without blanks that the pattern cannot do without. Where one begins with what
 * any text may be, much is tried before it is known not to fit; others are done at once.
 */
static struct slice needle_of(const struct reading *r)
{
    struct slice longest = SLICE_NONE, word, rest;
    if (!r->pieces[0].is_place || !has_until(r->pieces[0].type)) return longest;
    for (uint32_t i = 0; i < r->n_pieces; i++) {
        if (r->pieces[i].is_place || r->pieces[i].optional) continue;
        for (rest = r->pieces[i].text; rest.len;) {
            slice_split(rest, ' ', &word, &rest);
            if (word.len > longest.len) longest = word;
        }
    }
    return longest;
}

static bool can_begin(const struct piece *p, char c)
{
    if (!p->is_place) return c == p->text.ptr[0];
    switch (p->type) {
    case SHAPE_INT:
        return is_digit(c) || c == '-' || c == '+';
    case SHAPE_IP:
        return is_hex(c) || c == ':';
    case SHAPE_HEX:
    case SHAPE_MAC:
        return is_hex(c);
    case SHAPE_HOST:
        return is_host_byte(c);
    case SHAPE_WORD:
    case SHAPE_TEXT:
    case SHAPE_ANY:
        break;
    }
    return true;
}

/* With the optional parts whose bits are in `with`. */
static void admit_beginning(const struct reading *r, uint32_t with)
{
    uint32_t i = 0;
    while (i < r->n_pieces && !is_in(&r->pieces[i], with)) i++;
    for (unsigned c = 0; c < 256 && i < r->n_pieces; c++)
        if (can_begin(&r->pieces[i], (char)c)) r->set->begins[c >> 6] |= UINT64_C(1) << (c & 63);
}

bool shape_may_begin(const struct shape_set *set, char first)
{
    unsigned c = (unsigned char)first;
    return set->begins[c >> 6] >> (c & 63) & 1;
}

int shape_add(struct shape_set *set, struct slice text, uint32_t number, shape_name_fn *name,
              void *ctx, const char **ret_why, size_t *ret_at)
{
    struct reading r = {.set = set, .text = slice_trim(text), .name = name, .ctx = ctx};
    int error = 0;
    if (text.len > SHAPE_LEN_MAX) error = refuse(&r, ERR_LIMIT, "longer than 2048 bytes");
    if (error == 0) error = read_pattern(&r);
    for (uint32_t with = 0; with < 1u << r.n_optional && error == 0; with++) {
        error = insert(&r, number, with);
        admit_beginning(&r, with);
    }
    if (error == 0) set->needle = set->n_patterns++ ? SLICE_NONE : needle_of(&r);
    if (error == 0 && number >= set->n_numbers) set->n_numbers = number + 1;
    *ret_why = r.why ? r.why : error_text(error);
    *ret_at = r.at;
    return error;
}

static void each_name(const struct node *node, void (*each)(void *ctx, int name), void *ctx)
{
    for (uint32_t i = 0; node->leaf && i < node->leaf->n_names; i++)
        if (node->leaf->names[i] >= 0) each(ctx, node->leaf->names[i]);
    for (const struct node *child = node->first; child; child = child->next)
        each_name(child, each, ctx);
    for (const struct branch *b = node->branches; b; b = b->next) each_name(b->to, each, ctx);
}

void shape_each_name(const struct shape_set *set, void (*each)(void *ctx, int name), void *ctx)
{
    each_name(&set->root, each, ctx);
}

uint32_t shape_set_numbers(const struct shape_set *set)
{
    return set->n_numbers;
}

/* ---- finding ----------------------------------------------------------------------------- */

struct search {
    struct slice text;
    uint32_t steps, depth;
    struct shape_match *ret; /* holds the places on the way */
    const struct leaf *leaf;
};

/* From a place in it, or its end, on. */
static struct slice text_at(const struct search *f, size_t at)
{
    return slice_make(f->text.ptr + at, f->text.len - at);
}

static size_t int_len(struct slice s)
{
    size_t sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'), i = sign;
    while (i < s.len && is_digit(s.ptr[i])) i++;
    return i > sign ? i : 0;
}

static size_t hex_len(struct slice s)
{
    size_t start = slice_starts_with(s, SLICE("0x")) ? 2 : 0, i = start;
    while (i < s.len && is_hex(s.ptr[i])) i++;
    return i > start ? i : 0;
}

static size_t mac_len(struct slice s)
{
    enum { MAC_LEN = 17 };
    if (s.len < MAC_LEN) return 0;
    for (size_t i = 0; i < MAC_LEN; i++)
        if (i % 3 == 2 ? s.ptr[i] != ':' && s.ptr[i] != '-' : !is_hex(s.ptr[i])) return 0;
    return MAC_LEN;
}

static size_t run_len(struct slice s, bool (*belongs)(char c))
{
    size_t i = 0;
    while (i < s.len && belongs(s.ptr[i])) i++;
    return i;
}

static size_t typed_len(enum shape_type type, struct slice s)
{
    switch (type) {
    case SHAPE_INT:
        return int_len(s);
    case SHAPE_IP:
        return ip_len(s);
    case SHAPE_HEX:
        return hex_len(s);
    case SHAPE_MAC:
        return mac_len(s);
    case SHAPE_HOST:
        return run_len(s, is_host_byte);
    case SHAPE_WORD:
        return run_len(s, is_word_byte);
    case SHAPE_TEXT:
    case SHAPE_ANY:
        break;
    }
    return 0;
}

/* The bytes of the text that the literal takes; SIZE_MAX: something else is there. */
static size_t literal_len(struct slice literal, struct slice s)
{
    size_t i = 0;
    for (size_t l = 0; l < literal.len; l++) {
        if (i == s.len) return SIZE_MAX;
        if (literal.ptr[l] == ' ') {
            if (!is_blank(s.ptr[i])) return SIZE_MAX;
            while (i < s.len && is_blank(s.ptr[i])) i++;
        } else if (s.ptr[i++] != literal.ptr[l]) {
            return SIZE_MAX;
        }
    }
    return i;
}

/* Whether s begins with the node's literal as it is written. */
static bool begins_alike(const struct node *node, struct slice s)
{
    uint64_t head;
    if (s.len < node->text.len || s.len < sizeof head) return false;
    memcpy(&head, s.ptr, sizeof head);
    return (head & node->mask) == node->head &&
           (node->text.len <= sizeof head || slice_starts_with(s, node->text));
}

/* literal_len() of a node that is a child. */
static inline size_t child_len(const struct node *child, struct slice s)
{
    size_t n = child->text.len;
    if (!begins_alike(child, s)) return literal_len(child->text, s);
    if (child->text.ptr[n - 1] == ' ')
        while (n < s.len && is_blank(s.ptr[n])) n++;
    return n;
}

static bool walk(struct search *f, const struct node *node, size_t at);

/* A place of len bytes, behind which it goes on with the node at `then`. */
static bool take(struct search *f, size_t at, size_t len, const struct node *node, size_t then)
{
    uint32_t depth = f->depth;
    f->ret->texts[f->depth++] = slice_make(f->text.ptr + at, len);
    if (walk(f, node, then)) return true;
    f->depth = depth;
    return false;
}

/*
 * Types that go on as long as they can may have taken a byte that belongs to the text behind: a
 * colon after a host. One byte less is tried.
 */
static bool walk_typed(struct search *f, const struct branch *b, size_t at)
{
    size_t len = typed_len(b->type, text_at(f, at));
    if (len == 0) return false;
    if (take(f, at, len, b->to, at + len)) return true;
    if (b->type != SHAPE_HOST && b->type != SHAPE_WORD) return false;
    for (len--; len > 0; len--) {
        char behind = f->text.ptr[at + len];
        bool may_end = !(is_digit(behind) || (behind >= 'a' && behind <= 'z') ||
                         (behind >= 'A' && behind <= 'Z'));
        if (may_end && take(f, at, len, b->to, at + len)) return true;
    }
    return false;
}

/* How far blanks are behind which the byte stands; SIZE_MAX: there are none. */
static size_t find_behind_blanks(struct slice s, char byte)
{
    for (size_t at = 1, skip; at < s.len; at += skip + 1) {
        skip = slice_find_byte(slice_from(s, at), byte);
        if (skip == SIZE_MAX) break;
        size_t first = at + skip;
        while (first > 0 && is_blank(s.ptr[first - 1])) first--;
        if (first < at + skip) return first;
    }
    return SIZE_MAX;
}

/* How far the place where the literal may begin is. */
static size_t find_beginning(struct slice s, struct slice literal)
{
    if (s.len && as_blank(s.ptr[0]) == literal.ptr[0]) return 0;
    if (literal.ptr[0] != ' ') return slice_find_byte(s, literal.ptr[0]);
    if (literal.len > 1) return find_behind_blanks(s, literal.ptr[1]);
    size_t at = slice_find_byte(s, ' '), tab = slice_find_byte(slice_until(s, at), '\t');
    return tab != SIZE_MAX ? tab : at;
}

static bool walk_text(struct search *f, const struct branch *b, size_t at)
{
    size_t len = b->type == SHAPE_ANY ? 0 : 1;
    if (at + len > f->text.len) return false;
    if (b->until == END_OF_TEXT) return take(f, at, f->text.len - at, b->to, f->text.len);
    /* Behind a place that ends at a byte stands the one text that begins with it. */
    const struct node *behind = b->until ? b->to->first : NULL;
    for (; at + len <= f->text.len; len++) {
        struct slice rest = text_at(f, at + len);
        size_t skip = behind ? find_beginning(rest, behind->text) : 0;
        if (skip == SIZE_MAX || ++f->steps > SHAPE_STEPS_MAX) return false;
        len += skip;
        size_t n = behind ? child_len(behind, text_at(f, at + len)) : 0;
        if (n != SIZE_MAX && take(f, at, len, behind ? behind : b->to, at + len + n)) return true;
    }
    return false;
}

static bool walk_branches(struct search *f, const struct node *node, size_t at)
{
    if (f->depth == SHAPE_PLACES_MAX) return false;
    for (const struct branch *b = node->branches; b; b = b->next)
        if (has_until(b->type) ? walk_text(f, b, at) : walk_typed(f, b, at)) return true;
    return false;
}

/* From behind the node's literal. */
static bool walk(struct search *f, const struct node *node, size_t at)
{
    uint32_t depth = f->depth;
    while (++f->steps <= SHAPE_STEPS_MAX) {
        struct slice rest = text_at(f, at);
        const struct node *child = rest.len ? child_of(node, as_blank(rest.ptr[0])) : NULL;
        size_t len = child ? child_len(child, rest) : SIZE_MAX;
        if (len != SIZE_MAX && !node->branches) {
            node = child;
            at += len;
            continue;
        }
        if (len != SIZE_MAX && walk(f, child, at + len)) return true;
        f->depth = depth;
        if (walk_branches(f, node, at)) return true;
        if (!node->leaf || at != f->text.len) return false;
        f->leaf = node->leaf;
        return true;
    }
    return false;
}

bool shape_find(const struct shape_set *set, struct slice text, struct shape_match *ret)
{
    text = text.ptr ? slice_trim(text) : SLICE("");
    if (text.len && !shape_may_begin(set, text.ptr[0])) return false;
    if (slice_find(text, set->needle) == SIZE_MAX) return false;
    struct search f = {.text = text, .ret = ret};
    if (!walk(&f, &set->root, 0)) return false;
    ret->number = f.leaf->number;
    ret->n_places = f.leaf->n_names;
    ret->names = f.leaf->names;
    return true;
}
