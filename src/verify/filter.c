/* SPDX-License-Identifier: EUPL-1.2 */
#include "verify/filter.h"

#include "base/buf.h"
#include "base/le.h"
#include "base/utf8.h"

enum {
    TOKEN_MAX = 128,
    RAW_MAX = 1024 * 1024,
    RECENT = 1 << 16,
    TOKENS_MAX = 1 << 30,
    PAGE_HEAD = 6,
    GROUP = 64,
    RICE_MAX = 16,
    GATHERED_MAX = 64 * 1024, /* tokens of a block */
    LIST_MAX = 1 << 28,
    PARTS = 1 << 16, /* of a list, of as many values each */
};

/* One token of a block. */
struct token {
    uint64_t hash;
    uint64_t position;
};

/* One value of a list, the blocks that have it, and those whose tokens have it. */
struct entry {
    uint64_t value, blocks, seen;
};

struct verify_filter {
    struct buf tokens;          /* struct token */
    struct buf list;            /* struct entry */
    uint32_t starts[PARTS + 1]; /* where the entries of each part begin in it */
    struct buf text;            /* of the record at hand, escapes decoded, in lower case */
    uint32_t position;
    struct token recent[RECENT]; /* a token that was just taken is not taken again */
};

struct verify_filter *verify_filter_new(void)
{
    struct verify_filter *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    buf_init(&f->tokens, TOKENS_MAX);
    buf_init(&f->list, LIST_MAX);
    buf_init(&f->text, RAW_MAX + TOKEN_MAX);
    return f;
}

void verify_filter_free(struct verify_filter *f)
{
    if (!f) return;
    buf_done(&f->tokens);
    buf_done(&f->list);
    buf_done(&f->text);
    free(f);
}

void verify_filter_clear(struct verify_filter *f)
{
    buf_clear(&f->tokens);
    memset(f->recent, 0, sizeof f->recent);
}

/* ---- text -------------------------------------------------------------------------------- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

static bool unit_at(struct slice s, size_t at, uint32_t *ret)
{
    uint32_t unit = 0;
    if (s.len < 6 || at > s.len - 6 || s.ptr[at] != '\\' || s.ptr[at + 1] != 'u') return false;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex(s.ptr[i]);
        if (digit < 0) return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret = unit;
    return true;
}

/* The escape at s.ptr[at]; how many bytes it has. */
static size_t put_escape(struct buf *out, struct slice s, size_t at)
{
    uint32_t unit, low;
    char bytes[4];
    if (s.len - at > 1) {
        char c = s.ptr[at + 1];
        if (c == '"' || c == '\\' || c == '/') return buf_putc(out, c), 2;
        /* What b, f, n, r and t mean is no part of any token. */
        if (c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't') return buf_putc(out, ' '), 2;
    }
    if (!unit_at(s, at, &unit)) return buf_putc(out, '\\'), 1;
    size_t used = 6;
    if (unit >= 0xd800 && unit <= 0xdbff && unit_at(s, at + 6, &low) && low >= 0xdc00 &&
        low <= 0xdfff) {
        unit = 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
        used = 12;
    } else if (unit >= 0xd800 && unit <= 0xdfff) {
        unit = 0xfffd;
    }
    buf_put(out, slice_make(bytes, utf8_encode(bytes, unit)));
    return used;
}

static void read_text(struct buf *out, struct slice raw)
{
    bool json = raw.len > 0 && raw.ptr[0] == '{';
    buf_clear(out);
    for (size_t at = 0; at < raw.len;) {
        if (json && raw.ptr[at] == '\\') at += put_escape(out, raw, at);
        else buf_putc(out, raw.ptr[at++]);
    }
    for (size_t i = 0; i < out->len; i++)
        if (out->ptr[i] >= 'A' && out->ptr[i] <= 'Z') out->ptr[i] = (char)(out->ptr[i] + 32);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return (unsigned char)c >= 0x80 || is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool in_part(char c)
{
    return is_word(c) || c == '.' || c == '-' || c == '_' || c == '$';
}

static bool in_run(char c)
{
    return in_part(c) || (c && strchr(":/+%~#@", c));
}

/* ---- timestamps -------------------------------------------------------------------------- */

/* d: a digit, m: a letter, anything else itself. */
static bool has_form(struct slice s, const char *form)
{
    size_t i = 0;
    for (; form[i]; i++) {
        if (i == s.len) return false;
        char c = s.ptr[i];
        if (form[i] == 'd' && !is_digit(c)) return false;
        if (form[i] == 'm' && !(c >= 'a' && c <= 'z')) return false;
        if (form[i] != 'd' && form[i] != 'm' && form[i] != c) return false;
    }
    return true;
}

static size_t clock_of(struct slice s)
{
    size_t n = 8;
    if (!has_form(s, "dd:dd:dd")) return 0;
    if (has_form(slice_from(s, n), ".d")) {
        n++;
        while (n < s.len && is_digit(s.ptr[n])) n++;
    }
    s = slice_from(s, n);
    if (has_form(s, "z")) return n + 1;
    if (has_form(s, "+dd:dd") || has_form(s, "-dd:dd")) return n + 6;
    return has_form(s, "+dddd") || has_form(s, "-dddd") ? n + 5 : n;
}

static size_t time_of(struct slice s)
{
    size_t clock = clock_of(s);
    if (clock) return clock;
    if (has_form(s, "dd/mmm/dddd:")) {
        clock = clock_of(slice_from(s, 12));
        return clock ? 12 + clock : 0;
    }
    if (!has_form(s, "dddd-dd-dd") && !has_form(s, "dddd/dd/dd")) return 0;
    char c = s.len > 10 ? s.ptr[10] : ' ';
    if (c == 't' || c == '-' || c == ':' || c == '_') clock = clock_of(slice_from(s, 11));
    return clock ? 11 + clock : 10;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static uint64_t multiply(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide p = (wide)a * b;
    return (uint64_t)(p >> 64) ^ (uint64_t)p;
}

static uint64_t hash_of(struct slice token)
{
    uint64_t h = 0x9e3779b97f4a7c15 ^ token.len;
    for (size_t at = 0; at < token.len; at += 16) {
        char block[16] = {0};
        size_t n = token.len - at < 16 ? token.len - at : 16;
        memcpy(block, token.ptr + at, n);
        h = multiply(le64(block) ^ 0xe7037ed1a0b428db, le64(block + 8) ^ h);
    }
    h = multiply(h ^ 0x8ebc6af09c88c6e3, 0xa0761d6478bd642f);
    return h ? h : 1;
}

static void take(struct verify_filter *f, struct slice token)
{
    char folded[TOKEN_MAX * 3 / 2 + 16];
    if (token.len < 2 || token.len > TOKEN_MAX) return;
    size_t len = utf8_fold(folded, token);
    struct token t = {hash_of(slice_make(folded, len)), f->position + UINT64_C(1)};
    struct token *recent = &f->recent[t.hash % RECENT];
    if (recent->hash == t.hash && recent->position == t.position) return;
    *recent = t;
    buf_put(&f->tokens, slice_make(&t, sizeof t));
}

static struct slice without_joiners(struct slice s)
{
    while (s.len && !is_word(s.ptr[0])) s = slice_from(s, 1);
    while (s.len && !is_word(s.ptr[s.len - 1])) s.len--;
    return s;
}

/* The IPv4 address that s begins with, when no word goes on behind it. */
static struct slice address_of(struct slice s)
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t from = at;
        while (at < s.len && is_digit(s.ptr[at])) at++;
        if (at == from || at - from > 3) return SLICE_NONE;
        if (i < 3 && (at == s.len || s.ptr[at++] != '.')) return SLICE_NONE;
    }
    return at < s.len && is_word(s.ptr[at]) ? SLICE_NONE : slice_until(s, at);
}

static void take_part(struct verify_filter *f, struct slice part)
{
    take(f, without_joiners(part));
    for (size_t at = 0; at < part.len;) {
        size_t end = at;
        while (end < part.len && is_word(part.ptr[end])) end++;
        if (end > at) {
            take(f, slice_make(part.ptr + at, end - at));
            take(f, address_of(slice_from(part, at)));
        }
        at = end + 1;
    }
}

static void take_run(struct verify_filter *f, struct slice run)
{
    for (;;) {
        run = without_joiners(run);
        size_t time = time_of(run);
        if (time == 0 || (time < run.len && is_word(run.ptr[time]))) break;
        run = slice_from(run, time);
    }
    take(f, run);
    for (size_t at = 0; at < run.len;) {
        size_t end = at;
        while (end < run.len && in_part(run.ptr[end])) end++;
        take_part(f, slice_make(run.ptr + at, end - at));
        at = end + 1;
    }
}

int verify_filter_add(struct verify_filter *f, struct verify_block *block, uint32_t position)
{
    struct verify_record r;
    f->position = position;
    verify_block_rewind(block);
    while (verify_block_next(block, &r)) {
        read_text(&f->text, r.raw);
        if (buf_failed(&f->text)) return buf_error(&f->text);
        struct slice text = buf_slice(&f->text);
        for (size_t at = 0; at < text.len;) {
            size_t end = at;
            while (end < text.len && in_run(text.ptr[end])) end++;
            if (end > at) take_run(f, slice_make(text.ptr + at, end - at));
            at = end + 1;
        }
    }
    return buf_error(&f->tokens);
}

/* ---- lists ------------------------------------------------------------------------------- */

struct bit_reader {
    struct slice bytes;
    size_t at; /* bits; beyond the end there are zeros */
};

static uint64_t read_bits(struct bit_reader *b, uint32_t n)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < n; i++, b->at++)
        if (b->at / 8 < b->bytes.len)
            v |= (uint64_t)((uint8_t)b->bytes.ptr[b->at / 8] >> b->at % 8 & 1) << i;
    return v;
}

static uint32_t read_ones(struct bit_reader *b, uint32_t most)
{
    uint32_t n = 0;
    while (n < most && read_bits(b, 1)) n++;
    return n;
}

static uint64_t read_number(struct bit_reader *b, uint32_t low_bits)
{
    uint64_t high = read_ones(b, 15);
    if (high == 15) return read_bits(b, 24);
    return (high << low_bits) + read_bits(b, low_bits);
}

/* 0: there is a block that cannot be. */
static uint64_t read_blocks(struct bit_reader *b, uint32_t n)
{
    uint32_t count = read_ones(b, 16) + 1, bits = 0;
    uint64_t blocks = 0, block = 0;
    if (count == 17) return read_bits(b, n);
    if (count == 1) {
        while (UINT64_C(1) << bits < n) bits++;
        block = read_bits(b, bits);
        return block < n ? UINT64_C(1) << block : 0;
    }
    while (UINT32_C(2) << bits <= n / (count + 1)) bits++;
    for (uint32_t i = 0; i < count; i++, block++) {
        block += read_number(b, bits);
        if (block >= n) return 0;
        blocks |= UINT64_C(1) << block;
    }
    return blocks;
}

/* Appends the entries of a page to the list, which ascends. */
static bool read_page(struct verify_filter *f, const struct verify_list *list, uint32_t number)
{
    struct slice page = slice_from(list->pages, (size_t)number * VERIFY_FILTER_PAGE);
    if (page.len > VERIFY_FILTER_PAGE) page.len = VERIFY_FILTER_PAGE;
    if (page.len < PAGE_HEAD) return false;
    struct bit_reader bits = {.bytes = slice_from(page, PAGE_HEAD)};
    struct entry e = {.value = le32(list->firsts + 4 * (size_t)number), .seen = 0}, before;
    if (f->list.len > 0) {
        memcpy(&before, f->list.ptr + f->list.len - sizeof before, sizeof before);
        if (e.value <= before.value) return false;
    }
    uint32_t n = le16(page.ptr + 4);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) e.value += read_number(&bits, list->rice) + 1;
        e.blocks = read_blocks(&bits, list->n);
        if (bits.at > 8 * bits.bytes.len || e.value >= list->values || !e.blocks) return false;
        buf_put(&f->list, slice_make(&e, sizeof e));
    }
    while (bits.at < 8 * bits.bytes.len)
        if (read_bits(&bits, 1)) return false;
    return n > 0;
}

static uint64_t part_of(const struct verify_list *list, uint64_t value)
{
    return value * PARTS / list->values;
}

static void find_starts(struct verify_filter *f, const struct verify_list *list)
{
    const struct entry *entries = (const void *)f->list.ptr;
    size_t n = f->list.len / sizeof *entries, at = 0;
    for (size_t part = 0; part <= PARTS; part++) {
        while (at < n && part_of(list, entries[at].value) < part) at++;
        f->starts[part] = (uint32_t)at;
    }
}

static struct entry *find_value(struct verify_filter *f, const struct verify_list *list,
                                uint64_t value)
{
    struct entry *entries = (void *)f->list.ptr;
    uint64_t part = part_of(list, value);
    size_t from = f->starts[part], to = f->starts[part + 1];
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (entries[middle].value == value) return &entries[middle];
        if (entries[middle].value < value) from = middle + 1;
        else to = middle;
    }
    return NULL;
}

/* The low bits of a gap are as many as make the list shortest. */
static bool rice_fits(const struct verify_list *list, uint64_t entries)
{
    uint64_t shortest = UINT64_MAX;
    uint32_t best = 0;
    for (uint32_t rice = 0; rice <= RICE_MAX; rice++) {
        uint64_t bits = entries * rice + (list->values >> rice);
        if (bits < shortest) best = rice;
        if (bits < shortest) shortest = bits;
    }
    return list->rice == (entries ? best : 0) && (entries || list->values == 1);
}

static int read_list(struct verify_filter *f, const struct verify_list *list)
{
    buf_clear(&f->list);
    if (list->rice > RICE_MAX) return ERR_INVALID;
    for (uint32_t i = 0; (size_t)i * VERIFY_FILTER_PAGE < list->pages.len; i++)
        if (!read_page(f, list, i)) return ERR_INVALID;
    if (buf_failed(&f->list)) return buf_error(&f->list) == ERR_NOMEM ? ERR_NOMEM : ERR_INVALID;
    if (!rice_fits(list, f->list.len / sizeof(struct entry))) return ERR_INVALID;
    find_starts(f, list);
    return 0;
}

int verify_filter_check(struct verify_filter *f, const struct verify_list *list)
{
    uint64_t counts[GROUP] = {0};
    int error = read_list(f, list);
    if (error) return error;
    for (size_t at = 0; at < f->tokens.len; at += sizeof(struct token)) {
        struct token t;
        memcpy(&t, f->tokens.ptr + at, sizeof t);
        uint64_t block = UINT64_C(1) << (t.position - 1);
        counts[t.position - 1]++;
        if (list->full & block) continue;
        struct entry *e = find_value(f, list, (t.hash >> 38) * list->values >> 26);
        if (!e || !(e->blocks & block)) return ERR_CORRUPT;
        e->seen |= block;
    }
    for (size_t at = 0; at < f->list.len; at += sizeof(struct entry)) {
        struct entry e;
        memcpy(&e, f->list.ptr + at, sizeof e);
        if (e.blocks != e.seen) return ERR_INVALID;
    }
    for (int i = 0; i < GROUP; i++)
        if ((list->full >> i & 1) && counts[i] <= GATHERED_MAX) return ERR_INVALID;
    return 0;
}

bool verify_filter_check_rows(const struct verify_filter *f, struct slice rows, uint32_t n,
                              uint32_t buckets)
{
    static const uint32_t salts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
    size_t row = (size_t)n * 32 + 4;
    ASSERT(rows.len == row * buckets);
    for (size_t at = 0; at < f->tokens.len; at += sizeof(struct token)) {
        struct token t;
        memcpy(&t, f->tokens.ptr + at, sizeof t);
        size_t bucket = (size_t)((t.hash >> 32) * buckets / (UINT64_C(1) << 32));
        const char *words = rows.ptr + bucket * row + (size_t)(t.position - 1) * 32;
        for (size_t i = 0; i < 8; i++) {
            uint32_t product = (uint32_t)t.hash * salts[i];
            if (!(le32(words + 4 * i) & (UINT32_C(1) << (product >> 27)))) return false;
        }
    }
    return true;
}
