/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/assets.h"

#include <stdlib.h>

#include "base/csv.h"
#include "base/hash.h"
#include "base/ip.h"

static const char *const importances[] = {
#define X(id, word) word,
    ASSET_IMPORTANCES(X)
#undef X
};

const char *asset_importance_word(enum asset_importance importance)
{
    return importances[importance];
}

bool asset_importance_parse(struct slice word, enum asset_importance *ret)
{
    for (size_t i = 0; i < ASSET_IMPORTANCE_COUNT; i++) {
        if (!slice_eq_nocase(word, slice_of(importances[i]))) continue;
        *ret = (enum asset_importance)i;
        return true;
    }
    return false;
}

/* ---- CSV --------------------------------------------------------------------------------- */

enum column { HOST, ADDRESS, SERVICE, OWNER, IMPORTANCE, SHARED, COLUMNS };
static const char *const columns[] = {
    [HOST] = "host",   [ADDRESS] = "address",       [SERVICE] = "service",
    [OWNER] = "owner", [IMPORTANCE] = "importance", [SHARED] = "shared"};
enum { CELLS_MAX = 64 };

struct reading {
    const char *path;
    struct diag *diag;
    uint32_t line;
    char delimiter;
    int at[COLUMNS]; /* which cell; -1: none */
    struct arena texts;
};

static char *room_for(void *ctx, size_t n)
{
    return arena_alloc(ctx, n);
}

static int wrong(struct reading *r, int error, const char *what, struct slice shown)
{
    shown = shown.len ? slice_until(shown, 60) : SLICE("");
    return diag_set(r->diag, error, r->path, r->line, 1, "%s%s%.*s%s", what, shown.len ? " '" : "",
                    SLICE_FMT(shown), shown.len ? "'" : "");
}

/* The cells of a line, blanks around them apart. */
static int take_cells(struct reading *r, struct slice line, struct slice cells[CELLS_MAX],
                      uint32_t *ret_n)
{
    uint32_t n = 0;
    for (bool more = true; more; n++) {
        if (n == CELLS_MAX) return wrong(r, ERR_LIMIT, "there are too many cells", SLICE_NONE);
        struct csv_cell cell = csv_take_cell(&line, r->delimiter, &more);
        if (cell.open) return wrong(r, ERR_SYNTAX, "a quote is not closed", SLICE_NONE);
        cells[n] = slice_trim(csv_cell_text(cell, room_for, &r->texts));
        if (cells[n].len > ASSET_CELL_MAX)
            return wrong(r, ERR_LIMIT, "a cell is longer than 1024 bytes", SLICE_NONE);
    }
    *ret_n = n;
    return arena_error(&r->texts);
}

static int read_header(struct reading *r, struct slice line)
{
    struct slice cells[CELLS_MAX];
    uint32_t n = 0;
    r->delimiter = slice_find_byte(line, ';') != SIZE_MAX ? ';' : ',';
    int error = take_cells(r, line, cells, &n);
    if (error) return error;
    for (int c = 0; c < COLUMNS; c++) r->at[c] = -1;
    for (uint32_t i = 0; i < n; i++) {
        int c = 0;
        while (c < COLUMNS && !slice_eq_nocase(cells[i], slice_of(columns[c]))) c++;
        if (c == COLUMNS)
            return wrong(r, ERR_SYNTAX,
                         "this is none of host, address, service, owner, importance, shared:",
                         cells[i].len ? cells[i] : SLICE("(empty)"));
        if (r->at[c] >= 0) return wrong(r, ERR_SYNTAX, "this column is there twice:", cells[i]);
        r->at[c] = (int)i;
    }
    return r->at[HOST] < 0 && r->at[ADDRESS] < 0
               ? wrong(r, ERR_SYNTAX, "there is neither a column host nor address", SLICE_NONE)
               : 0;
}

static bool parse_shared(struct slice word, bool *ret)
{
    static const char *const yes[] = {"yes", "ja", "1", "true"}, *const no[] = {"", "no", "nej",
                                                                                "0", "false"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (slice_eq_nocase(word, slice_of(yes[i]))) return *ret = true;
    *ret = false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (slice_eq_nocase(word, slice_of(no[i]))) return true;
    return false;
}

static int read_asset(struct reading *r, struct slice line, struct asset *ret)
{
    struct slice cells[CELLS_MAX], of[COLUMNS] = {0};
    uint32_t n = 0;
    int error = take_cells(r, line, cells, &n);
    if (error) return error;
    for (int c = 0; c < COLUMNS; c++)
        if (r->at[c] >= 0 && (uint32_t)r->at[c] < n) of[c] = cells[r->at[c]];
    *ret = (struct asset){.host = of[HOST],
                          .addresses = of[ADDRESS],
                          .service = of[SERVICE],
                          .owner = of[OWNER],
                          .importance = ASSET_NORMAL};
    if (ret->host.len == 0 && ret->addresses.len == 0)
        return wrong(r, ERR_INVALID, "there is neither a host nor an address", SLICE_NONE);
    if (of[IMPORTANCE].len && !asset_importance_parse(of[IMPORTANCE], &ret->importance))
        return wrong(r, ERR_INVALID,
                     "importance is none of low, normal, high, critical:", of[IMPORTANCE]);
    if (!parse_shared(of[SHARED], &ret->shared))
        return wrong(r, ERR_INVALID, "shared is neither yes nor no:", of[SHARED]);
    return 0;
}

static int check_addresses(struct reading *r, const struct asset *asset)
{
    struct slice rest = asset->addresses, word;
    uint32_t n = 1;
    while ((word = slice_next_word(&rest)).len > 0) {
        if (!ip_is(word)) return wrong(r, ERR_INVALID, "this is no address:", word);
        if (++n > ASSET_NAMES_MAX)
            return wrong(r, ERR_LIMIT, "an asset has at most 31 addresses", SLICE_NONE);
    }
    return 0;
}

int assets_read(struct slice text, const char *path,
                int (*each)(void *ctx, const struct asset *asset), void *ctx, struct diag *diag)
{
    struct reading r = {.path = path, .diag = diag};
    struct slice line;
    struct asset asset;
    bool headed = false;
    int error = 0;
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) text = slice_from(text, 3);
    arena_init(&r.texts, 4 * CELLS_MAX * ASSET_CELL_MAX);
    while (error == 0 && text.len > 0) {
        (void)slice_split(text, '\n', &line, &text);
        r.line++;
        line = slice_trim(line);
        if (line.len == 0) continue;
        arena_reset(&r.texts);
        if (!headed) {
            error = read_header(&r, line);
            headed = true;
            continue;
        }
        error = read_asset(&r, line, &asset);
        if (error == 0) error = check_addresses(&r, &asset);
        if (error == 0) error = each(ctx, &asset);
    }
    if (error == 0 && !headed) error = wrong(&r, ERR_SYNTAX, "the file is empty", SLICE_NONE);
    arena_done(&r.texts);
    return error;
}

/* ---- names ------------------------------------------------------------------------------- */

uint32_t asset_names(const struct asset *asset, struct buf *out,
                     struct asset_name ret[ASSET_NAMES_MAX])
{
    struct slice rest = asset->addresses, word;
    size_t begins[ASSET_NAMES_MAX + 1];
    uint32_t n = 0;
    begins[0] = out->len;
    if (asset->host.len) {
        ret[n].kind = name_write(out, NAME_HOST, asset->host);
        if (out->len > begins[n]) begins[++n] = out->len;
    }
    while (n < ASSET_NAMES_MAX && (word = slice_next_word(&rest)).len > 0) {
        ret[n].kind = name_write(out, NAME_ADDRESS, word);
        if (out->len > begins[n]) begins[++n] = out->len;
    }
    if (buf_failed(out)) return 0;
    for (uint32_t i = 0; i < n; i++)
        ret[i].text = slice_make(out->ptr + begins[i], begins[i + 1] - begins[i]);
    return n;
}

/* What a name leads to: open addressing, never more than half full. */
struct entry {
    uint64_t key; /* hash; 0: free */
    enum name_kind kind;
    struct slice first; /* the name that all of the asset's are compared by */
    enum asset_importance importance;
    bool shared;
};

enum { SLOTS = 512 * 1024, TEXTS_MAX = 64 * 1024 * 1024 };

struct assets {
    uint64_t seed;
    struct entry *entries; /* NULL: there are none */
    uint32_t n;
    struct arena texts;
    struct buf text;
};

int assets_new(uint64_t seed, struct assets **ret)
{
    struct assets *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->seed = seed;
    arena_init(&a->texts, TEXTS_MAX);
    buf_init(&a->text, ASSET_NAMES_MAX * 4 * ASSET_CELL_MAX);
    *ret = a;
    return 0;
}

void assets_free(struct assets *a)
{
    if (!a) return;
    free(a->entries);
    arena_done(&a->texts);
    buf_done(&a->text);
    free(a);
}

void assets_clear(struct assets *a)
{
    free(a->entries);
    a->entries = NULL;
    a->n = 0;
    arena_reset(&a->texts);
}

static struct entry *entry_of(const struct assets *a, struct slice name)
{
    uint64_t key = hash64_seed(name, a->seed);
    if (key == 0) key = 1;
    size_t at = key % SLOTS;
    while (a->entries[at].key && a->entries[at].key != key) at = (at + 1) % SLOTS;
    return &a->entries[at];
}

int assets_add(struct assets *a, const struct asset *asset)
{
    struct asset_name names[ASSET_NAMES_MAX];
    buf_clear(&a->text);
    uint32_t n = asset_names(asset, &a->text, names);
    if (buf_failed(&a->text)) return buf_error(&a->text);
    if (!a->entries) a->entries = calloc(SLOTS, sizeof *a->entries);
    if (!a->entries) return ERR_NOMEM;
    if (a->n + n > SLOTS / 2) return ERR_LIMIT;
    struct slice first = n ? arena_dup(&a->texts, names[0].text) : SLICE_NONE;
    for (uint32_t i = 0; i < n; i++) {
        struct entry *e = entry_of(a, names[i].text);
        uint64_t key = hash64_seed(names[i].text, a->seed);
        a->n += e->key == 0;
        *e = (struct entry){.key = key ? key : 1,
                            .kind = names[0].kind,
                            .first = first,
                            .importance = asset->importance,
                            .shared = asset->shared};
    }
    return arena_error(&a->texts);
}

/* The names of the asset that a name is of, behind it. */
static uint32_t apply(const struct assets *a, struct fact *names, uint32_t n, uint32_t max,
                      enum asset_importance *importance)
{
    for (uint32_t i = 0, had = n; i < had; i++) {
        const struct entry *e = entry_of(a, names[i].text);
        if (!e->key) continue;
        if (e->shared) names[i].bystander = true;
        if (!names[i].bystander && importance && e->importance > *importance)
            *importance = e->importance;
        bool known = false;
        for (uint32_t k = 0; k < n && !known; k++) known = slice_eq(names[k].text, e->first);
        if (known || n == max) continue;
        names[n++] =
            (struct fact){.kind = e->kind, .text = e->first, .bystander = names[i].bystander};
    }
    return n;
}

void assets_apply(const struct assets *a, struct facts *facts,
                  enum asset_importance *ret_importance)
{
    *ret_importance = ASSET_NORMAL;
    if (a->n == 0) return;
    facts->n_names = apply(a, facts->names, facts->n_names, FACTS_NAMES_MAX, ret_importance);
    facts->n_mentions = apply(a, facts->mentions, facts->n_mentions, FACTS_MENTIONS_MAX, NULL);
}
