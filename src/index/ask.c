/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/ask.h"

#include <stdlib.h>

#include "base/arena.h"
#include "detect/sigma/match.h"
#include "index/value.h"
#include "store/token.h"

enum {
    TOKENS_MAX = 64 * 1024,
    SLOTS = 2 * TOKENS_MAX,
    ARENA_MAX = 64 * 1024 * 1024,
    LISTED_MAX = 256, /* values of a list; of more every block seems to have one */
};

/* A tree without what says nothing. */
struct ask {
    enum { ASK_ANY, ASK_NONE, ASK_TOKENS, ASK_ALL_OF, ASK_ONE_OF } kind;
    const struct ask **child;
    uint32_t n;      /* children, or tokens … */
    uint32_t *token; /* … by number */
    struct slice text;
};

struct index_asks {
    struct arena arena;
    const struct ask *root;
    uint64_t *hashes; /* distinct ones */
    uint32_t *slots;  /* their numbers and 1, by hash; only while it is made */
    uint64_t *blocks; /* of each, of the group at hand … */
    bool *known;      /* … where that was asked */
    uint32_t n;
    bool failed;
    /* The list that was read last, which rules ask about many fields. */
    const struct listed *listed;
    const struct ask *of_listed;
};

static const struct ask any = {.kind = ASK_ANY}, none = {.kind = ASK_NONE};

/* ---- what is needed ---------------------------------------------------------------------- */

static uint32_t number_of(struct index_asks *a, uint64_t hash)
{
    size_t at = hash % SLOTS;
    while (a->slots[at] && a->hashes[a->slots[at] - 1] != hash) at = (at + 1) % SLOTS;
    if (!a->slots[at]) {
        a->hashes[a->n++] = hash;
        a->slots[at] = a->n;
    }
    return a->slots[at] - 1;
}

/* All of these tokens; `ask` gets what it had before as well. */
static void need(struct index_asks *a, struct ask *ask, const uint64_t *hashes, int n)
{
    for (int i = 0; i < n && a->n < TOKENS_MAX; i++) {
        uint32_t number = number_of(a, hashes[i]), k = 0;
        while (k < ask->n && ask->token[k] != number) k++;
        if (k == ask->n) ask->token[ask->n++] = number;
    }
}

static void need_text(struct index_asks *a, struct ask *ask, struct slice text,
                      enum token_end begin, enum token_end end)
{
    uint64_t hashes[TOKEN_LITERAL_MAX];
    int n = token_of_text(text, begin, end, hashes);
    a->failed |= n < 0;
    if (n > 0) need(a, ask, hashes, n);
}

/* Of a glob over a whole value, over words of it, or anywhere in it. */
static void need_glob(struct index_asks *a, struct ask *ask, const struct sigma_atom *atom)
{
    enum token_end edge = atom->words                ? TOKEN_WORD
                          : atom->op == ATOM_KEYWORD ? TOKEN_OPEN
                                                     : TOKEN_WHOLE;
    for (uint32_t i = 0; i < atom->n_glob; i++) {
        if (atom->glob[i].kind != GLOB_LITERAL) continue;
        need_text(a, ask, atom->glob[i].text, i == 0 ? edge : TOKEN_OPEN,
                  i + 1 == atom->n_glob ? edge : TOKEN_OPEN);
    }
}

/* A number is found where it is written otherwise, too (index/value.h). */
static void need_number(struct index_asks *a, struct ask *ask, const struct sigma_atom *atom)
{
    char plain[VALUE_PLAIN_MAX];
    struct slice text = atom->n_glob == 1 ? atom->glob[0].text : SLICE_NONE;
    struct slice number = value_plain_number(text, plain);
    if (number.len && slice_eq(number, text)) need_glob(a, ask, atom);
}

static void need_address(struct index_asks *a, struct ask *ask, const struct sigma_atom *atom)
{
    char plain[VALUE_PLAIN_MAX];
    if (atom->cidr.bits != (atom->cidr.v6 ? 128 : 32)) return;
    struct slice address = value_address_text(atom->cidr.addr, atom->cidr.v6, plain);
    need_text(a, ask, address, TOKEN_WHOLE, TOKEN_WHOLE);
}

/* ---- lists ------------------------------------------------------------------------------- */

/* Children are added by who made it. NULL: out of memory. */
static struct ask *new_list(struct index_asks *a, bool all, size_t n)
{
    struct ask *ask = arena_zalloc(&a->arena, 1, sizeof *ask);
    if (ask) ask->child = arena_alloc(&a->arena, (n + 1) * sizeof(void *));
    a->failed |= !ask || !ask->child;
    if (a->failed) return NULL;
    ask->kind = all ? ASK_ALL_OF : ASK_ONE_OF;
    return ask;
}

/* Without a token, of as many literals. NULL: out of memory. */
static struct ask *new_tokens(struct index_asks *a, size_t literals, struct slice text)
{
    struct ask *ask = arena_zalloc(&a->arena, 1, sizeof *ask);
    if (ask) ask->token = arena_alloc(&a->arena, literals * TOKEN_LITERAL_MAX * sizeof *ask->token);
    a->failed |= !ask || !ask->token;
    if (a->failed) return NULL;
    ask->kind = ASK_TOKENS;
    ask->text = arena_dup(&a->arena, text);
    return ask;
}

/* Of a text beside which no word goes on. */
static const struct ask *ask_words(struct index_asks *a, struct slice text)
{
    struct ask *ask = new_tokens(a, 1, text);
    if (ask) need_text(a, ask, text, TOKEN_WORD, TOKEN_WORD);
    return ask && ask->n ? ask : &any;
}

/* To what all of is needed. */
static void add_child(struct ask *list, const struct ask *child)
{
    if (child->kind != ASK_ANY) list->child[list->n++] = child;
}

/* Four hexadecimal digits, those in front of which may be left out when they are 0. */
static const struct ask *ask_group(struct index_asks *a, unsigned value)
{
    enum { WIDTH = 4 };
    struct ask *ask = value > 0xf ? new_list(a, false, WIDTH) : NULL; /* one digit is no token */
    for (int width = 2; ask && width <= WIDTH; width++) {
        char text[WIDTH + 1];
        if (value >> (4 * width) != 0) continue;
        int n = snprintf(text, sizeof text, "%0*x", width, value);
        const struct ask *child = ask_words(a, slice_make(text, (size_t)n));
        if (child->kind == ASK_ANY) return &any; /* digits may be of a time */
        ask->child[ask->n++] = child;
    }
    return ask ? ask : &any;
}

/* ::ffff:cb00:714d is 203.0.113.77. */
static const struct ask *ask_mapped(struct index_asks *a, const uint8_t addr[4])
{
    struct ask *ask = new_list(a, true, 3);
    if (!ask) return &any;
    add_child(ask, ask_group(a, (unsigned)(addr[0] << 8 | addr[1])));
    add_child(ask, ask_group(a, (unsigned)(addr[2] << 8 | addr[3])));
    add_child(ask, ask_words(a, SLICE("ffff")));
    return ask;
}

static const struct ask *ask_address(struct index_asks *a, struct slice value)
{
    char plain[VALUE_PLAIN_MAX];
    struct sigma_atom network = {.op = ATOM_CIDR};
    /* An IPv6 address in a URL may be written in many ways. */
    if (cidr_read(value, &network) != NULL || network.cidr.v6 || network.cidr.bits != 32)
        return &any;
    struct slice text = value_address_text(network.cidr.addr, false, plain);
    const struct ask *dotted = ask_words(a, text);
    struct ask *ask = dotted->kind == ASK_ANY ? NULL : new_list(a, false, 2);
    if (!ask) return &any;
    ask->child[ask->n++] = dotted;
    ask->child[ask->n++] = ask_mapped(a, network.cidr.addr);
    return ask;
}

/* As listed_find() takes values apart: there is no word beside what it compares, but for hashes. */
static const struct ask *ask_value(struct index_asks *a, const struct listed *l, uint32_t i)
{
    struct slice value = listed_at(l, i)->value;
    switch (listed_kind(l)) {
    case LISTED_ADDRESS:
        return ask_address(a, value);
    case LISTED_URL:
        return ask_words(a, listed_url(value));
    case LISTED_DOMAIN:
    case LISTED_EMAIL:
        return ask_words(a, value);
    case LISTED_HASH:
        break;
    }
    return &any;
}

static const struct ask *read_listed(struct index_asks *a, const struct listed *l)
{
    uint32_t n = listed_count(l);
    struct ask *ask = n <= LISTED_MAX ? new_list(a, false, n) : NULL;
    for (uint32_t i = 0; ask && i < n; i++) {
        const struct ask *child = ask_value(a, l, i);
        if (child->kind == ASK_ANY) return &any;
        ask->child[ask->n++] = child;
    }
    return ask ? ask : &any;
}

static const struct ask *ask_listed(struct index_asks *a, const struct listed *l)
{
    if (a->listed != l) a->of_listed = read_listed(a, l);
    a->listed = l;
    return a->of_listed;
}

/* ---- trees ------------------------------------------------------------------------------- */

static const struct ask *ask_atom(struct index_asks *a, const struct sigma_atom *atom)
{
    if (atom->op == ATOM_LISTED) return ask_listed(a, atom->listed);
    struct ask *ask = new_tokens(a, atom->n_glob + (size_t)1, atom->pattern);
    if (!ask) return &any;
    if (atom->op == ATOM_CIDR) need_address(a, ask, atom);
    else if (atom->op == ATOM_STRING && atom->numeric) need_number(a, ask, atom);
    else if (atom->op == ATOM_STRING || atom->op == ATOM_KEYWORD) need_glob(a, ask, atom);
    return ask->n ? ask : &any;
}

static const struct ask *ask_of(struct index_asks *a, const struct sigma_expr *e);

static const struct ask *ask_list(struct index_asks *a, const struct sigma_expr *e)
{
    bool all = e->kind == EXPR_AND;
    struct ask *ask = new_list(a, all, e->n_children);
    if (!ask) return &any;
    for (uint32_t i = 0; i < e->n_children; i++) {
        const struct ask *child = ask_of(a, e->child[i]);
        if (child->kind == ASK_ANY && !all) return &any;
        add_child(ask, child);
    }
    return ask->n == 0 && all ? &any : ask->n == 1 ? ask->child[0] : ask;
}

static const struct ask *ask_of(struct index_asks *a, const struct sigma_expr *e)
{
    switch (e->kind) {
    case EXPR_AND:
    case EXPR_OR:
        return ask_list(a, e);
    case EXPR_ATOM:
        return ask_atom(a, e->atom);
    case EXPR_FALSE:
        return &none;
    case EXPR_NOT:
    case EXPR_TRUE:
        break;
    }
    return &any;
}

struct index_asks *index_asks_new(const struct sigma_expr *filter)
{
    struct index_asks *a = calloc(1, sizeof *a);
    if (!a) return NULL;
    arena_init(&a->arena, ARENA_MAX);
    a->hashes = calloc(TOKENS_MAX, sizeof *a->hashes);
    a->slots = calloc(SLOTS, sizeof *a->slots);
    a->root = a->hashes && a->slots ? ask_of(a, filter) : NULL;
    a->blocks = calloc(a->n + (size_t)1, sizeof *a->blocks);
    a->known = calloc(a->n + (size_t)1, sizeof *a->known);
    if (a->root && a->blocks && a->known && !a->failed) return a;
    index_asks_free(a);
    return NULL;
}

struct index_asks *index_asks_new_any(struct sigma_rule *const *rules, uint32_t n)
{
    struct sigma_expr one_of = {.kind = EXPR_OR, .n_children = n};
    one_of.child = calloc(n + (size_t)1, sizeof(struct sigma_expr *));
    if (!one_of.child) return NULL;
    for (uint32_t i = 0; i < n; i++) one_of.child[i] = rules[i]->expr;
    struct index_asks *asks = index_asks_new(&one_of);
    free(one_of.child);
    return asks;
}

void index_asks_free(struct index_asks *a)
{
    if (!a) return;
    free(a->hashes);
    free(a->slots);
    free(a->blocks);
    free(a->known);
    arena_done(&a->arena);
    free(a);
}

bool index_asks_nothing(const struct index_asks *a)
{
    return a->root->kind == ASK_ANY;
}

/* ---- asking ------------------------------------------------------------------------------ */

/* The group at hand. */
struct asked {
    struct index_asks *asks;
    const struct segment *segment;
    const struct index_file *file;
    uint32_t group, n;
};

static int ask_token(const struct asked *at, uint32_t number, uint64_t *ret)
{
    struct index_asks *a = at->asks;
    uint64_t own = 0, more = 0;
    if (!a->known[number]) {
        int error = segment_ask(at->segment, at->group, a->hashes[number], &own);
        if (error == 0)
            error = index_file_ask(at->file, at->group, at->n, a->hashes[number], &more);
        if (error) return error;
        a->blocks[number] = own | more;
        a->known[number] = true;
    }
    *ret = a->blocks[number];
    return 0;
}

/* The next group is asked first for what the fewest blocks of this one have. */
static void ask_earlier(const struct ask *ask, uint32_t i)
{
    if (ask->kind == ASK_TOKENS) {
        uint32_t token = ask->token[i];
        ask->token[i] = ask->token[i - 1];
        ask->token[i - 1] = token;
    } else {
        const struct ask *child = ask->child[i];
        ask->child[i] = ask->child[i - 1];
        ask->child[i - 1] = child;
    }
}

static int run(const struct asked *at, const struct ask *ask, uint64_t *ret)
{
    bool one = ask->kind == ASK_ONE_OF || ask->kind == ASK_NONE;
    int before = 0;
    uint64_t all = at->n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << at->n) - 1;
    uint64_t may = one ? 0 : all, blocks = 0;
    for (uint32_t i = 0; i < ask->n && may != (one ? all : 0); i++) {
        int error = ask->kind == ASK_TOKENS ? ask_token(at, ask->token[i], &blocks)
                                            : run(at, ask->child[i], &blocks);
        if (error) return error;
        may = one ? may | (blocks & all) : may & blocks;
        int n = __builtin_popcountll(blocks & all);
        if (!one && n < before) ask_earlier(ask, i);
        else before = n;
    }
    *ret = may;
    return 0;
}

int index_asks_run(struct index_asks *a, const struct segment *s, const struct index_file *f,
                   uint32_t group, uint64_t *ret)
{
    const struct asked at = {a, s, f, group, segment_group_blocks(s, group)};
    memset(a->known, 0, a->n * sizeof *a->known);
    return run(&at, a->root, ret);
}

int index_asks_beside(struct index_asks *a, const struct segment *s, const struct store_io *io,
                      int file, uint64_t version, uint32_t group, uint64_t *ret)
{
    struct index_file index;
    *ret = ~UINT64_C(0);
    if (index_asks_nothing(a)) return 0;
    int error = index_file_beside(&index, s, io, file, version);
    if (error) return error;
    error = index_asks_run(a, s, &index, group, ret);
    index_file_done(&index);
    return error;
}

/* ---- for people -------------------------------------------------------------------------- */

static void show(const struct ask *ask, unsigned depth, struct buf *out)
{
    static const char *const kinds[] = {[ASK_ANY] = "anything",
                                        [ASK_NONE] = "nothing",
                                        [ASK_TOKENS] = "",
                                        [ASK_ALL_OF] = "all of",
                                        [ASK_ONE_OF] = "any of"};
    for (unsigned i = 0; i <= depth; i++) buf_puts(out, "  ");
    buf_puts(out, kinds[ask->kind]);
    buf_put(out, ask->text);
    buf_putc(out, '\n');
    for (uint32_t i = 0; ask->child && i < ask->n; i++) show(ask->child[i], depth + 1, out);
}

void index_asks_show(const struct index_asks *a, struct buf *out)
{
    show(a->root, 0, out);
}
