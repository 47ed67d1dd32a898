/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Tokens (the bit 0x40 says that more follows, for 0x01 that there are attributes):
 *   00 end                          01 element: [dependency:2] size:4 name:4 [attribute size:4]
 *   02 end of start tag             03 end of empty element      04 end of element
 *   05 value: type:1 count:2 utf16  06 attribute: name:4         07 CDATA: count:2 utf16
 *   08 character: code:2            09 entity: name:4            0a PI target: name:4
 *   0b PI data: count:2 utf16       0c template: unknown:1 id:4 definition:4
 *   0d, 0e (optional) hole: number:2 type:1                      0f fragment: 3 bytes
 * A name offset leads to next:4 hash:2 count:2 utf16 NUL; when it is the offset just behind the
 * reference, the name stands inline. The same holds for a template definition:
 *   next:4 guid:16 size:4, then `size` bytes of tokens
 * Behind the reference, or the definition when it is inline, follow the values:
 *   count:4, count * (size:2 type:1 zero:1), the bytes of the values
 */
#include "normalise/binxml.h"

#include <stdlib.h>

#include "base/le.h"
#include "base/utf8.h"
#include "normalise/binxml_value.h"

enum {
    BUCKETS = 512,
    VALUES_MAX = 32768,  /* of all nested template instances together */
    OPS_MAX = 16384,     /* of one template */
    ATTRIBUTES_MAX = 64, /* of one element */
    NAME_UNITS_MAX = 4096,
    TEMPLATE_ARENA_MAX = 4 * 1024 * 1024,
    FRAGMENT_ARENA_MAX = 1024 * 1024,
    COMPILE_BYTES_PER_CHUNK = 1024 * 1024,
    STEPS_PER_CHUNK = 4 * BINXML_STEPS_MAX,
    OUT_PER_CHUNK = 8 * BINXML_OUT_MAX,
};

/* What the children of an element are. */
enum place_kind {
    PLACE_DOCUMENT, /* the Event element */
    PLACE_EVENT,    /* System, EventData and other sections */
    PLACE_WRAPPER,  /* UserData: the provider's own element */
    PLACE_RENDERED, /* RenderingInfo: Message is a field, the rest is under `path` */
    PLACE_FIELDS,   /* fields, under `path` */
};

struct place {
    enum place_kind kind;
    struct slice path;
};

/* Text of an element or attribute, piece by piece. */
struct piece {
    struct piece *next;
    struct slice text; /* literal; ptr NULL: a hole */
    uint16_t hole;
    bool optional;
};

enum op_kind {
    OP_TEXT,  /* key = text */
    OP_VALUE, /* key = hole */
    OP_JOIN,  /* key = pieces */
    OP_NAME,  /* the key of ops marked DYNAMIC: prefix text, then pieces */
    OP_MARK,  /* attributes of a leaf begin */
};

enum op_flags {
    OPF_ATTRIBUTE = 1 << 0, /* no value, no field */
    OPF_NAMED = 1 << 1,     /* no value: "" instead of null */
    OPF_MARKED = 1 << 2,    /* no value: null only when no attribute was added since OP_MARK */
    OPF_QUIET = 1 << 3,     /* no value, no field: the element has children or is a section */
    OPF_DYNAMIC = 1 << 4,   /* name: what OP_NAME found, then _ and `name` if there is one */
    OPF_OPTIONAL = 1 << 5,
};

struct op {
    uint8_t kind;
    uint8_t flags;
    uint16_t hole;
    key_id key;
    struct slice name; /* the whole path */
    struct slice text;
    const struct piece *pieces;
    const struct place *inner; /* for binary XML in the hole; NULL in attributes */
};

struct template
{
    struct template *next; /* in the bucket */
    struct op *ops;
    uint32_t n_ops;
    uint32_t offset; /* of the definition */
    struct place place;
    uint32_t end; /* first byte behind it */
    uint32_t id;  /* the first four bytes of its GUID */
    uint32_t generation;
    const char *damage; /* ops end where this was found */
};

struct value {
    uint32_t offset;
    uint16_t size;
    uint8_t type;
};

struct binxml {
    struct keys *keys;
    struct slice chunk;
    struct arena templates; /* lives as long as the chunk */
    struct arena fragments; /* XML outside templates: as long as the record */
    struct op *ops;         /* OPS_MAX, being compiled */
    struct value *values;   /* VALUES_MAX, a stack */
    uint32_t n_values;
    size_t compile_left;
    size_t steps_left_chunk, out_left_chunk;
    size_t steps;
    char *text; /* BINXML_OUT_MAX; pages never written cost nothing */
    struct binxml_out out;
    struct event *ev;
    const char *reason;
    struct template *buckets[BUCKETS];
};

static const char damage_end[] = "binary XML ends too early";
static const char damage_token[] = "unknown token in binary XML";
static const char damage_nesting[] = "end tag without start tag in binary XML";
static const char damage_name[] = "name offset leads out of the chunk";
static const char damage_template[] = "template offset leads out of the chunk";
static const char damage_id[] = "the template is not the one the record was made with";
static const char damage_values[] = "template values end too early";
static const char limit_depth[] = "binary XML is nested too deeply";
static const char limit_size[] = "too many elements in binary XML";
static const char limit_compile[] = "too many template definitions in one chunk";
static const char limit_steps[] = "record expands to too much";

struct binxml *binxml_new(struct keys *keys)
{
    struct binxml *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->keys = keys;
    arena_init(&b->templates, TEMPLATE_ARENA_MAX);
    arena_init(&b->fragments, FRAGMENT_ARENA_MAX);
    b->ops = malloc(OPS_MAX * sizeof *b->ops);
    b->values = malloc(VALUES_MAX * sizeof *b->values);
    b->text = malloc(BINXML_OUT_MAX);
    if (!b->ops || !b->values || !b->text) {
        binxml_free(b);
        return NULL;
    }
    return b;
}

void binxml_free(struct binxml *b)
{
    if (!b) return;
    arena_done(&b->templates);
    arena_done(&b->fragments);
    free(b->ops);
    free(b->values);
    free(b->text);
    free(b);
}

void binxml_set_chunk(struct binxml *b, struct slice chunk)
{
    ASSERT(chunk.len <= BINXML_CHUNK_MAX);
    b->chunk = chunk;
    arena_reset(&b->templates);
    memset(b->buckets, 0, sizeof b->buckets);
    b->compile_left = COMPILE_BYTES_PER_CHUNK;
    b->steps_left_chunk = STEPS_PER_CHUNK;
    b->out_left_chunk = OUT_PER_CHUNK;
}

/* ---- compiling ---------------------------------------------------------------------------- */

/* An element whose end has not come yet. */
struct frame {
    struct place inner;
    struct slice path;
    struct piece *first, *last;
    bool quiet, named, children, attributes, dynamic;
};

struct attribute {
    struct slice name;
    struct piece *first, *last;
};

struct compiler {
    struct binxml *b;
    struct arena *arena;
    size_t pos, end; /* in the chunk */
    bool dependency; /* elements carry a dependency number */
    struct place place;
    uint32_t n_ops;
    unsigned depth;
    unsigned n_attributes;
    const char *damage;
    struct frame frames[BINXML_DEPTH_MAX];
    struct attribute attributes[ATTRIBUTES_MAX];
};

static bool fail(struct compiler *c, const char *damage)
{
    if (!c->damage) c->damage = damage;
    return false;
}

/* n bytes at the current position, which moves past them. */
static const char *take(struct compiler *c, size_t n)
{
    if (n > c->end - c->pos) {
        fail(c, damage_end);
        return NULL;
    }
    const char *p = c->b->chunk.ptr + c->pos;
    c->pos += n;
    return p;
}

static bool decode_text(struct compiler *c, struct slice utf16, struct slice *ret)
{
    size_t n = utf16.len / 2 * 3 + 4;
    char *dst = arena_alloc(c->arena, n);
    if (!dst) return fail(c, limit_size);
    struct binxml_out o = {.start = dst, .pos = dst, .end = dst + n};
    binxml_out_utf16(&o, utf16);
    *ret = binxml_out_text(&o);
    return true;
}

/* A counted UTF-16 string: count:2, the units. */
static bool take_string(struct compiler *c, struct slice *ret)
{
    const char *p = take(c, 2);
    if (!p) return false;
    size_t bytes = (size_t)le16(p) * 2;
    p = take(c, bytes);
    return p && decode_text(c, slice_make(p, bytes), ret);
}

static bool take_name(struct compiler *c, struct slice *ret)
{
    const char *p = take(c, 4);
    if (!p) return false;
    size_t at = le32(p), len = c->b->chunk.len;
    if (at > len || len - at < 8) return fail(c, damage_name);
    size_t units = le16(c->b->chunk.ptr + at + 6);
    if (units > NAME_UNITS_MAX || units * 2 > len - at - 8) return fail(c, damage_name);
    if (at == c->pos && !take(c, 8 + units * 2 + 2)) return false;
    return decode_text(c, slice_make(c->b->chunk.ptr + at + 8, units * 2), ret);
}

/* prefix + separator + name; either side may be empty. */
static struct slice join_path(struct compiler *c, struct slice prefix, char separator,
                              struct slice name)
{
    if (prefix.len == 0) return name;
    char *p = arena_alloc(c->arena, prefix.len + 1 + name.len);
    if (!p) {
        fail(c, limit_size);
        return prefix;
    }
    memcpy(p, prefix.ptr, prefix.len);
    p[prefix.len] = separator;
    if (name.len) memcpy(p + prefix.len + 1, name.ptr, name.len);
    return slice_make(p, prefix.len + 1 + name.len);
}

static bool add_piece(struct compiler *c, struct piece **first, struct piece **last,
                      struct piece piece)
{
    struct piece *p = arena_alloc(c->arena, sizeof *p);
    if (!p) return fail(c, limit_size);
    *p = piece;
    p->next = NULL;
    if (*last) (*last)->next = p;
    else *first = p;
    *last = p;
    return true;
}

static struct op *add_op(struct compiler *c, enum op_kind kind, unsigned flags)
{
    if (c->n_ops == OPS_MAX) {
        fail(c, limit_size);
        return NULL;
    }
    struct op *op = &c->b->ops[c->n_ops++];
    *op = (struct op){.kind = (uint8_t)kind, .flags = (uint8_t)flags};
    return op;
}

static bool is_blank(struct slice s)
{
    return slice_trim(s).len == 0;
}

/* The op that gives `name` the text of these pieces. */
static void add_field(struct compiler *c, unsigned flags, struct slice name,
                      const struct piece *pieces, const struct place *inner)
{
    /* Line breaks between children are layout, not a value. */
    if ((flags & OPF_QUIET) && pieces && !pieces->next && pieces->text.ptr &&
        is_blank(pieces->text))
        pieces = NULL;
    if (!pieces && (flags & (OPF_QUIET | OPF_ATTRIBUTE)) == OPF_QUIET) return;
    bool single = !pieces || !pieces->next;
    bool literal = !pieces || (single && pieces->text.ptr);
    struct op *op = add_op(c, literal ? OP_TEXT : single ? OP_VALUE : OP_JOIN, flags);
    if (!op) return;
    op->name = name;
    op->pieces = pieces;
    op->inner = inner;
    if (literal) op->text = pieces ? pieces->text : SLICE_NONE;
    else if (single) {
        op->hole = pieces->hole;
        if (pieces->optional) op->flags |= OPF_OPTIONAL;
    }
}

static bool entity_text(struct compiler *c, struct slice name, struct slice *ret)
{
    static const struct {
        struct slice name, text;
    } known[] = {
        {{"amp", 3}, {"&", 1}},   {{"lt", 2}, {"<", 1}},   {{"gt", 2}, {">", 1}},
        {{"quot", 4}, {"\"", 1}}, {{"apos", 4}, {"'", 1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_eq(name, known[i].name)) {
            *ret = known[i].text;
            return true;
        }
    }
    const char *p = arena_printf(c->arena, "&%.*s;", SLICE_FMT(slice_until(name, 64)));
    if (!p) return fail(c, limit_size);
    *ret = slice_of(p);
    return true;
}

/*
 * One token that gives text, of an element or an attribute; its first byte is taken already.
 * *ret_known is false, and nothing happens, when it is another token.
 */
static bool take_text_token(struct compiler *c, unsigned token, struct piece *ret, bool *ret_known)
{
    const char *p;
    struct slice name = SLICE_NONE;
    *ret_known = true;
    *ret = (struct piece){0};
    switch (token & ~0x40u) {
    case 0x05:
        if (!(p = take(c, 1))) return false;
        if (*p != BINXML_STRING) return fail(c, damage_token);
        return take_string(c, &ret->text);
    case 0x07:
        return take_string(c, &ret->text);
    case 0x08: {
        char *dst = arena_alloc(c->arena, 4);
        if (!(p = take(c, 2))) return false;
        if (!dst) return fail(c, limit_size);
        uint32_t cp = le16(p);
        if (cp >= 0xD800 && cp <= 0xDFFF) cp = 0xFFFD;
        ret->text = slice_make(dst, utf8_encode(dst, cp));
        return true;
    }
    case 0x09:
        return take_name(c, &name) && entity_text(c, name, &ret->text);
    case 0x0d:
    case 0x0e:
        if (!(p = take(c, 3))) return false;
        ret->hole = le16(p);
        ret->optional = token == 0x0e;
        return true;
    default:
        *ret_known = false;
        return true;
    }
}

/* Everything up to the token that ends the start tag; false on damage. */
static bool take_attributes(struct compiler *c, unsigned *ret_token)
{
    c->n_attributes = 0;
    for (;;) {
        const char *p = take(c, 1);
        if (!p) return false;
        unsigned token = (unsigned char)*p;
        if (token == 0x02 || token == 0x03) {
            *ret_token = token;
            return true;
        }
        if ((token & ~0x40u) == 0x06) {
            if (c->n_attributes == ATTRIBUTES_MAX) return fail(c, limit_size);
            struct attribute *a = &c->attributes[c->n_attributes++];
            *a = (struct attribute){0};
            if (!take_name(c, &a->name)) return false;
            continue;
        }
        struct piece piece;
        bool known;
        if (!take_text_token(c, token, &piece, &known)) return false;
        if (!known || c->n_attributes == 0) return fail(c, damage_token);
        struct attribute *a = &c->attributes[c->n_attributes - 1];
        if (!add_piece(c, &a->first, &a->last, piece)) return false;
    }
}

static bool is_namespace(struct slice name)
{
    return slice_eq(name, SLICE("xmlns")) || slice_starts_with(name, SLICE("xmlns:"));
}

/*
 * <Data Name="X">: the field is X, not Data. Sets the frame's path, or has it made for every
 * record when the name is not literal.
 */
static void name_data(struct compiler *c, struct frame *f, struct slice prefix, struct attribute *a)
{
    f->named = true;
    if (a->first && !a->first->next && a->first->text.ptr) {
        f->path = join_path(c, prefix, '.', a->first->text);
        return;
    }
    if (!a->first) return;
    struct op *op = add_op(c, OP_NAME, 0);
    if (!op) return;
    op->text = prefix.len ? join_path(c, prefix, '.', SLICE_NONE) : SLICE_NONE;
    op->pieces = a->first;
    f->dynamic = true;
    f->path = SLICE_NONE;
}

/*
 * Where an element named `name` stands and where that puts its children. RenderingInfo repeats
 * names of System with display texts (Level "Information"), which must not pass for the values.
 */
static void place_element(struct compiler *c, struct frame *f, const struct place *outer,
                          struct slice name)
{
    f->path = name;
    f->inner = (struct place){.kind = PLACE_FIELDS};
    f->quiet = outer->kind == PLACE_DOCUMENT || outer->kind == PLACE_EVENT;
    switch (outer->kind) {
    case PLACE_DOCUMENT:
        f->inner.kind = PLACE_EVENT;
        break;
    case PLACE_EVENT:
        if (slice_eq(name, SLICE("UserData"))) f->inner.kind = PLACE_WRAPPER;
        else if (slice_eq(name, SLICE("RenderingInfo")))
            f->inner = (struct place){.kind = PLACE_RENDERED, .path = name};
        break;
    case PLACE_RENDERED:
        if (!slice_eq(name, SLICE("Message"))) f->path = join_path(c, outer->path, '.', name);
        f->inner.path = f->path;
        break;
    case PLACE_FIELDS:
        f->path = join_path(c, outer->path, '.', name);
        f->inner.path = f->path;
        break;
    case PLACE_WRAPPER:
        break;
    }
}

static bool close_element(struct compiler *c)
{
    if (c->depth == 0) return fail(c, damage_nesting);
    struct frame *f = &c->frames[--c->depth];
    unsigned flags = 0;
    if (f->quiet || f->children) flags |= OPF_QUIET;
    if (f->named) flags |= OPF_NAMED;
    if (f->attributes && !f->children) flags |= OPF_MARKED;
    if (f->dynamic) flags |= OPF_DYNAMIC;
    struct place *inner = NULL;
    if (f->first) {
        inner = arena_alloc(c->arena, sizeof *inner);
        if (!inner) return fail(c, limit_size);
        *inner = f->inner;
    }
    add_field(c, flags, f->path, f->first, inner);
    return !c->damage;
}

static bool open_element(struct compiler *c, bool has_attributes)
{
    struct slice name;
    unsigned token;
    if (c->depth == BINXML_DEPTH_MAX) return fail(c, limit_depth);
    if (!take(c, c->dependency ? 6 : 4) || !take_name(c, &name)) return false;
    if (has_attributes && !take(c, 4)) return false;
    struct frame *outer = c->depth ? &c->frames[c->depth - 1] : NULL;
    struct place place = outer ? outer->inner : c->place;
    if (outer) outer->children = true;
    if (!take_attributes(c, &token)) return false;

    struct frame *f = &c->frames[c->depth];
    *f = (struct frame){0};
    place_element(c, f, &place, name);
    bool data = slice_eq(name, SLICE("Data")) || slice_eq(name, SLICE("ComplexData"));
    for (unsigned i = 0; data && place.kind == PLACE_FIELDS && i < c->n_attributes; i++) {
        if (!slice_eq(c->attributes[i].name, SLICE("Name"))) continue;
        name_data(c, f, place.path, &c->attributes[i]);
        /* Children of an element named anew for every record keep the element's own name. */
        if (!f->dynamic) f->inner.path = f->path;
        break;
    }
    bool named = f->named;
    for (unsigned i = 0; i < c->n_attributes; i++) {
        struct attribute *a = &c->attributes[i];
        if (is_namespace(a->name)) continue;
        if (named && slice_eq(a->name, SLICE("Name"))) {
            named = false;
            continue;
        }
        if (!f->attributes && !add_op(c, OP_MARK, 0)) return false;
        f->attributes = true;
        unsigned dynamic = f->dynamic ? OPF_DYNAMIC : 0;
        add_field(c, OPF_ATTRIBUTE | dynamic, join_path(c, f->path, '_', a->name), a->first, NULL);
    }
    c->depth++;
    return token == 0x03 ? close_element(c) : !c->damage;
}

/* One token; *ret_end when it was the end. */
static bool compile_token(struct compiler *c, bool *ret_end)
{
    const char *p = take(c, 1);
    if (!p) return false;
    unsigned token = (unsigned char)*p;
    struct piece piece;
    struct slice ignored;
    bool known;
    switch (token) {
    case 0x00:
        *ret_end = true;
        return c->depth ? fail(c, damage_end) : true;
    case 0x01:
    case 0x41:
        return open_element(c, token == 0x41);
    case 0x04:
        return close_element(c);
    case 0x0a:
        return take_name(c, &ignored);
    case 0x0b:
        return take_string(c, &ignored);
    case 0x0f:
        return take(c, 3) != NULL;
    default:
        break;
    }
    if (!take_text_token(c, token, &piece, &known)) return false;
    if (!known) return fail(c, damage_token);
    if (c->depth == 0) return true;
    struct frame *f = &c->frames[c->depth - 1];
    return add_piece(c, &f->first, &f->last, piece);
}

static void intern_names(struct binxml *b, struct template *t)
{
    for (uint32_t i = 0; i < t->n_ops; i++)
        if (t->ops[i].name.ptr && !(t->ops[i].flags & OPF_DYNAMIC))
            t->ops[i].key = keys_intern(b->keys, KEY_ROOT, t->ops[i].name);
    t->generation = keys_generation(b->keys);
}

/*
 * Compiles the tokens at chunk[start, end) for a place. NULL when there is no memory for it within
 * the bounds; damage is kept in the result.
 */
static struct template *compile(struct binxml *b, struct arena *arena, size_t start, size_t end,
                                bool dependency, const struct place *place)
{
    struct compiler c;
    c.b = b;
    c.arena = arena;
    c.pos = start;
    c.end = end;
    c.dependency = dependency;
    c.place = *place;
    c.n_ops = c.depth = c.n_attributes = 0;
    c.damage = NULL;
    struct template *t = arena_zalloc(arena, 1, sizeof *t);
    if (end - start > b->compile_left || !t) {
        b->reason = limit_compile;
        return NULL;
    }
    b->compile_left -= end - start;
    for (bool over = false; !over && c.pos < end;)
        if (!compile_token(&c, &over)) break;
    if (c.depth && !c.damage) c.damage = damage_end;
    t->damage = c.damage;
    t->place = *place;
    t->n_ops = c.n_ops;
    t->ops = arena_alloc(arena, c.n_ops * sizeof *t->ops);
    if (!t->ops) {
        b->reason = limit_compile;
        return NULL;
    }
    memcpy(t->ops, b->ops, c.n_ops * sizeof *t->ops);
    intern_names(b, t);
    return t;
}

/* ---- running ------------------------------------------------------------------------------ */

static bool stop(struct binxml *b, const char *reason)
{
    if (!b->reason) b->reason = reason;
    return false;
}

static bool step(struct binxml *b)
{
    if (b->steps == 0) return stop(b, limit_steps);
    b->steps--;
    return true;
}

static bool run_fragment(struct binxml *b, size_t start, size_t end, const struct place *place,
                         unsigned nesting);

struct frame_values {
    const struct value *ptr;
    uint32_t n;
};

static struct value value_of(const struct frame_values *v, uint16_t hole)
{
    return hole < v->n ? v->ptr[hole] : (struct value){.type = BINXML_NULL};
}

static bool is_absent(struct value v)
{
    return v.type == BINXML_NULL || v.size == 0;
}

static enum value_type text_type(unsigned type)
{
    switch (type) {
    case BINXML_INT8:
    case BINXML_UINT8:
    case BINXML_INT16:
    case BINXML_UINT16:
    case BINXML_INT32:
    case BINXML_UINT32:
    case BINXML_INT64:
    case BINXML_UINT64:
        return VALUE_NUMBER;
    case BINXML_BOOL:
        return VALUE_BOOL;
    default:
        return VALUE_STRING;
    }
}

static void add_empty(struct binxml *b, const struct op *op, key_id key, uint32_t mark)
{
    if (op->flags & (OPF_ATTRIBUTE | OPF_QUIET)) return;
    if (op->flags & OPF_NAMED) event_add(b->ev, key, VALUE_STRING, SLICE(""));
    else if (!(op->flags & OPF_MARKED) || b->ev->n_fields == mark)
        event_add(b->ev, key, VALUE_NULL, SLICE("null"));
}

static struct slice value_bytes(const struct binxml *b, struct value v)
{
    return slice_make(b->chunk.ptr + v.offset, v.size);
}

static bool run_array(struct binxml *b, const struct op *op, key_id key, uint32_t mark,
                      struct value v)
{
    unsigned type = v.type & ~(unsigned)BINXML_ARRAY;
    struct slice rest = value_bytes(b, v), item;
    while (binxml_array_next(type, &rest, &item)) {
        if (!step(b)) return false;
        binxml_out_begin(&b->out);
        binxml_out_value(&b->out, type, item);
        struct slice text = binxml_out_text(&b->out);
        if (text.len) event_add(b->ev, key, text_type(type), text);
        else add_empty(b, op, key, mark);
    }
    return true;
}

static bool run_value(struct binxml *b, const struct op *op, key_id key, uint32_t mark,
                      const struct frame_values *values, unsigned nesting)
{
    struct value v = value_of(values, op->hole);
    if (v.type == BINXML_NULL && (op->flags & OPF_OPTIONAL)) return true;
    if (is_absent(v)) {
        /* <x a=""/> has the attribute; only an optional hole or a null takes it away. */
        if ((op->flags & OPF_ATTRIBUTE) && !(op->flags & OPF_OPTIONAL) && v.type != BINXML_NULL)
            event_add(b->ev, key, VALUE_STRING, SLICE(""));
        else add_empty(b, op, key, mark);
        return true;
    }
    if (v.type == BINXML_FRAGMENT) {
        if (!op->inner) return true;
        return run_fragment(b, v.offset, v.offset + v.size, op->inner, nesting + 1);
    }
    if (v.type & BINXML_ARRAY) return run_array(b, op, key, mark, v);
    binxml_out_begin(&b->out);
    binxml_out_value(&b->out, v.type, value_bytes(b, v));
    struct slice text = binxml_out_text(&b->out);
    if (text.len) event_add(b->ev, key, text_type(v.type), text);
    else add_empty(b, op, key, mark);
    return true;
}

/* Appends the pieces to the output; items of an array are joined by commas. */
static bool write_pieces(struct binxml *b, const struct piece *p, const struct frame_values *values)
{
    for (; p; p = p->next) {
        if (!step(b)) return false;
        if (p->text.ptr) {
            binxml_out_put(&b->out, p->text);
            continue;
        }
        struct value v = value_of(values, p->hole);
        if (is_absent(v) || v.type == BINXML_FRAGMENT) continue;
        unsigned type = v.type & ~(unsigned)BINXML_ARRAY;
        if (!(v.type & BINXML_ARRAY)) {
            binxml_out_value(&b->out, type, value_bytes(b, v));
            continue;
        }
        struct slice rest = value_bytes(b, v), item;
        for (bool first = true; binxml_array_next(type, &rest, &item); first = false) {
            if (!step(b)) return false;
            if (!first) binxml_out_put(&b->out, SLICE(","));
            binxml_out_value(&b->out, type, item);
        }
    }
    return true;
}

static bool run_join(struct binxml *b, const struct op *op, key_id key, uint32_t mark,
                     const struct frame_values *values, unsigned nesting)
{
    binxml_out_begin(&b->out);
    if (!write_pieces(b, op->pieces, values)) return false;
    struct slice text = binxml_out_text(&b->out);
    bool layout = (op->flags & OPF_QUIET) && is_blank(text);
    if (text.len && !layout) event_add(b->ev, key, VALUE_STRING, text);
    for (const struct piece *p = op->pieces; p && op->inner; p = p->next) {
        struct value v = value_of(values, p->hole);
        if (p->text.ptr || is_absent(v) || v.type != BINXML_FRAGMENT) continue;
        if (!run_fragment(b, v.offset, v.offset + v.size, op->inner, nesting + 1)) return false;
        layout = true;
    }
    if (text.len == 0 && !layout) add_empty(b, op, key, mark);
    return true;
}

/* The key of a field whose name the record itself gives: prefix and pieces. */
static bool dynamic_name(struct binxml *b, const struct op *op, const struct frame_values *values,
                         struct slice *ret)
{
    binxml_out_begin(&b->out);
    binxml_out_put(&b->out, op->text);
    if (!write_pieces(b, op->pieces, values)) return false;
    *ret = binxml_out_text(&b->out);
    if (ret->len == op->text.len) {
        binxml_out_put(&b->out, SLICE("Data"));
        *ret = binxml_out_text(&b->out);
    }
    return true;
}

/* The dynamic name and what an attribute adds to it. */
static key_id dynamic_key(struct binxml *b, struct slice name, const struct op *op)
{
    if (op->name.len) {
        binxml_out_begin(&b->out);
        binxml_out_put(&b->out, name);
        binxml_out_put(&b->out, SLICE("_"));
        binxml_out_put(&b->out, op->name);
        name = binxml_out_text(&b->out);
    }
    return keys_intern(b->keys, KEY_ROOT, name);
}

static bool run_template(struct binxml *b, struct template *t, const struct frame_values *values,
                         unsigned nesting)
{
    if (t->generation != keys_generation(b->keys)) intern_names(b, t);
    uint32_t mark = 0;
    struct slice name = SLICE_NONE;
    for (const struct op *op = t->ops, *end = op + t->n_ops; op < end; op++) {
        if (!step(b)) return false;
        key_id key = op->flags & OPF_DYNAMIC ? dynamic_key(b, name, op) : op->key;
        bool ok = true;
        switch ((enum op_kind)op->kind) {
        case OP_TEXT:
            if (op->text.len || (op->flags & OPF_ATTRIBUTE))
                event_add(b->ev, key, VALUE_STRING, op->text);
            else add_empty(b, op, key, mark);
            break;
        case OP_VALUE:
            ok = run_value(b, op, key, mark, values, nesting);
            break;
        case OP_JOIN:
            ok = run_join(b, op, key, mark, values, nesting);
            break;
        case OP_NAME:
            ok = dynamic_name(b, op, values, &name);
            break;
        case OP_MARK:
            mark = b->ev->n_fields;
            break;
        }
        if (!ok) return false;
        if (__builtin_expect(b->out.full, 0)) return stop(b, limit_steps);
    }
    return t->damage ? stop(b, t->damage) : true;
}

/* The template whose definition stands at `offset`, compiled for a place. */
static struct template *find_template(struct binxml *b, size_t offset, const struct place *place)
{
    size_t len = b->chunk.len;
    struct template **bucket =
        &b->buckets[(offset * UINT32_C(2654435769) >> 16 ^ place->kind) & (BUCKETS - 1)];
    for (struct template *t = *bucket; t; t = t->next)
        if (t->offset == offset && t->place.kind == place->kind &&
            slice_eq(t->place.path, place->path))
            return t;
    if (offset > len || len - offset < 24) {
        stop(b, damage_template);
        return NULL;
    }
    size_t start = offset + 24, size = le32(b->chunk.ptr + offset + 20);
    if (size > len - start) {
        stop(b, damage_template);
        return NULL;
    }
    struct template *t = compile(b, &b->templates, start, start + size, true, place);
    if (!t) return NULL;
    t->offset = (uint32_t)offset;
    t->id = le32(b->chunk.ptr + offset + 4);
    t->end = (uint32_t)(start + size);
    t->next = *bucket;
    *bucket = t;
    return t;
}

/* Reads the values at *pos; false when they do not fit (those that fit are kept). */
static bool read_values(struct binxml *b, size_t *pos, size_t end, struct frame_values *ret)
{
    const char *chunk = b->chunk.ptr;
    if (end - *pos < 4) return stop(b, damage_values);
    size_t n = le32(chunk + *pos);
    *pos += 4;
    if (n > (end - *pos) / 4) return stop(b, damage_values);
    if (n > VALUES_MAX - b->n_values) return stop(b, limit_steps);
    const char *descriptors = chunk + *pos;
    *pos += n * 4;
    struct value *v = b->values + b->n_values;
    ret->ptr = v;
    for (size_t i = 0; i < n; i++) {
        uint16_t size = le16(descriptors + 4 * i);
        if (size > end - *pos) return stop(b, damage_values);
        v[i] = (struct value){
            .offset = (uint32_t)*pos, .size = size, .type = (uint8_t)descriptors[4 * i + 2]};
        *pos += size;
        ret->n++;
    }
    return true;
}

/* A template instance, its token taken; *pos moves behind it. */
static bool run_instance(struct binxml *b, size_t *pos, size_t end, const struct place *place,
                         unsigned nesting)
{
    if (end - *pos < 9) return stop(b, damage_end);
    uint32_t id = le32(b->chunk.ptr + *pos + 1);
    size_t offset = le32(b->chunk.ptr + *pos + 5);
    *pos += 9;
    struct template *t = find_template(b, offset, place);
    if (!t) return false;
    /* Remains of an older record may point to where another definition stands now. */
    if (t->id != id) return stop(b, damage_id);
    if (offset == *pos) {
        if (t->end > end) return stop(b, damage_end);
        *pos = t->end;
    }
    struct frame_values values = {0};
    bool whole = read_values(b, pos, end, &values);
    b->n_values += values.n;
    bool ok = run_template(b, t, &values, nesting);
    b->n_values -= values.n;
    return ok && whole;
}

/* XML that stands in the record itself, without a template. */
static bool run_plain(struct binxml *b, size_t start, size_t end, const struct place *place,
                      unsigned nesting)
{
    /* As in libevtx, elements inside values carry no dependency number; be lenient about it. */
    struct template *t = compile(b, &b->fragments, start, end, nesting == 0, place);
    if (t && t->damage && t->n_ops == 0)
        t = compile(b, &b->fragments, start, end, nesting != 0, place);
    struct frame_values none = {0};
    return t && run_template(b, t, &none, nesting);
}

static bool run_fragment(struct binxml *b, size_t start, size_t end, const struct place *place,
                         unsigned nesting)
{
    if (nesting > BINXML_NESTING_MAX) return stop(b, limit_depth);
    for (size_t pos = start; pos < end;) {
        if (!step(b)) return false;
        switch (b->chunk.ptr[pos]) {
        case 0x00:
            return true;
        case 0x0f:
            if (end - pos < 4) return stop(b, damage_end);
            pos += 4;
            break;
        case 0x0c:
            pos++;
            if (!run_instance(b, &pos, end, place, nesting)) return false;
            break;
        case 0x01:
        case 0x41:
            return run_plain(b, pos, end, place, nesting);
        default:
            return stop(b, damage_token);
        }
    }
    return true;
}

int binxml_decode(struct binxml *b, size_t start, size_t end, struct event *ev,
                  const char **ret_reason)
{
    ASSERT(start <= end && end <= b->chunk.len);
    static const struct place document = {.kind = PLACE_DOCUMENT};
    b->ev = ev;
    b->reason = NULL;
    b->n_values = 0;
    size_t steps = b->steps_left_chunk < BINXML_STEPS_MAX ? b->steps_left_chunk : BINXML_STEPS_MAX;
    size_t room = b->out_left_chunk < BINXML_OUT_MAX ? b->out_left_chunk : BINXML_OUT_MAX;
    b->steps = steps;
    b->out.start = b->out.pos = b->text;
    b->out.end = b->text + room;
    b->out.full = false;
    arena_reset(&b->fragments);
    bool ok = run_fragment(b, start, end, &document, 0);
    b->steps_left_chunk -= steps - b->steps;
    b->out_left_chunk -= (size_t)(b->out.pos - b->text);
    if (ok && ev->n_fields == 0) ok = stop(b, damage_end);
    if (ok) return 0;
    *ret_reason = b->reason ? b->reason : damage_end;
    bool limit = b->reason == limit_depth || b->reason == limit_size ||
                 b->reason == limit_compile || b->reason == limit_steps;
    return limit ? ERR_LIMIT : ERR_CORRUPT;
}
