/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/filter.h"

#include "base/crc32c.h"
#include "base/le.h"
#include "store/token.h"

enum {
    BLOCK_BITS = 6, /* of a token in the making: its block */
    RADIX_BITS = 8,
    RADIX = 1 << RADIX_BITS,
    GAP_ONES = 15, /* in front of a gap that is written out … */
    GAP_BITS = 24, /* … in so many bits */
    LISTED = 16,   /* blocks that are told by their numbers; as ones, in front of a bit for each */
    PADDING = 128, /* behind a page; above what an entry has, which may begin before its end */
};

_Static_assert(FILTER_BLOCKS == 1 << BLOCK_BITS, "blocks of a group are told by BLOCK_BITS");
_Static_assert(FILTER_HASH_BITS + BLOCK_BITS == 32, "a key has the bits that make a value");
_Static_assert(FILTER_VALUES_MAX == 1 << (3 * RADIX_BITS), "three passes sort all values");
_Static_assert(FILTER_VALUES_MAX == 1 << GAP_BITS, "any gap can be written out");
_Static_assert((uint64_t)FILTER_SPARSE *TOKEN_SET_MAX <= FILTER_VALUES_MAX, "values are enough");

/* Bits that are written one behind the other, or read so. */
struct bits {
    char *bytes; /* with PADDING behind the end */
    size_t at, end;
};

void filter_group_init(struct filter_group *g)
{
    size_t max = (size_t)FILTER_BLOCKS * TOKEN_SET_MAX * sizeof(uint32_t);
    *g = (struct filter_group){.sparse = FILTER_SPARSE};
    buf_init(&g->tokens, max);
    buf_init(&g->sorted, max);
}

void filter_group_done(struct filter_group *g)
{
    buf_done(&g->tokens);
    buf_done(&g->sorted);
}

void filter_group_clear(struct filter_group *g)
{
    buf_clear(&g->tokens);
    g->n = 0;
    g->full = 0;
}

int filter_group_add(struct filter_group *g, const uint32_t *keys, uint32_t n, bool full)
{
    ASSERT(g->n < FILTER_BLOCKS);
    if (full) n = 0;
    char *to = buf_reserve(&g->tokens, n * sizeof(uint32_t));
    if (n > 0 && !to) return buf_error(&g->tokens);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t token = keys[i] >> BLOCK_BITS << BLOCK_BITS | g->n;
        memcpy(to + i * sizeof token, &token, sizeof token);
    }
    g->tokens.len += n * sizeof(uint32_t);
    if (full) g->full |= UINT64_C(1) << g->n;
    g->n++;
    return 0;
}

/* ---- sorting ----------------------------------------------------------------------------- */

static void sort_by_digit(const uint32_t *from, uint32_t *to, size_t n, int shift)
{
    uint32_t next[RADIX] = {0}, at = 0;
    for (size_t i = 0; i < n; i++) next[from[i] >> shift & (RADIX - 1)]++;
    for (size_t digit = 0; digit < RADIX; digit++) {
        uint32_t count = next[digit];
        next[digit] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++) to[next[from[i] >> shift & (RADIX - 1)]++] = from[i];
}

/*
 * Bits of hashes become values; they are sorted by these into `sorted`, with room for as many:
 * first by the highest digit, then each of its parts, which fits the caches.
 */
static void sort(uint32_t *tokens, size_t n, uint32_t values, uint32_t *sorted)
{
    const int high = BLOCK_BITS + 2 * RADIX_BITS;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits_of_hash = tokens[i] >> BLOCK_BITS;
        uint32_t value = (uint32_t)(bits_of_hash * values >> FILTER_HASH_BITS);
        tokens[i] = value << BLOCK_BITS | (tokens[i] & (FILTER_BLOCKS - 1));
    }
    sort_by_digit(tokens, sorted, n, high);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && sorted[to] >> high == sorted[from] >> high;) to++;
        sort_by_digit(sorted + from, tokens + from, to - from, BLOCK_BITS);
        sort_by_digit(tokens + from, sorted + from, to - from, BLOCK_BITS + RADIX_BITS);
    }
}

/* Takes those of one value from the front of what is sorted; returns their blocks. */
static uint64_t take_value(const uint32_t *tokens, size_t n, size_t *at, uint32_t *ret_value)
{
    uint32_t value = tokens[*at] >> BLOCK_BITS;
    uint64_t blocks = 0;
    for (; *at < n && tokens[*at] >> BLOCK_BITS == value; ++*at)
        blocks |= UINT64_C(1) << (tokens[*at] & (FILTER_BLOCKS - 1));
    *ret_value = value;
    return blocks;
}

/* Low bits for gaps between values that are spread evenly: what takes the fewest bits in all. */
static uint32_t choose_rice(const uint32_t *tokens, size_t n, uint32_t values)
{
    uint64_t entries = 0, least = UINT64_MAX;
    uint32_t best = 0;
    for (size_t i = 0; i < n; i++)
        entries += i == 0 || tokens[i] >> BLOCK_BITS != tokens[i - 1] >> BLOCK_BITS;
    for (uint32_t rice = 0; rice <= FILTER_RICE_MAX; rice++) {
        uint64_t cost = entries * rice + (values >> rice);
        if (cost >= least) continue;
        least = cost;
        best = rice;
    }
    return best;
}

/* ---- writing ----------------------------------------------------------------------------- */

static uint32_t width_of(uint32_t n)
{
    return n > 1 ? 32 - (uint32_t)__builtin_clz(n - 1) : 0;
}

/* Low bits of the gaps between so many of n blocks. */
static uint32_t rice_of_blocks(uint32_t n, uint32_t count)
{
    uint32_t apart = n / (count + 1);
    return apart > 1 ? 31 - (uint32_t)__builtin_clz(apart) : 0;
}

/* n: at most 57. */
static void put_bits(struct bits *b, uint64_t v, uint32_t n)
{
    char *to = b->bytes + b->at / 8;
    le64_put(to, le64(to) | v << (b->at % 8));
    b->at += n;
}

/* n ones; and, when there could have been more, a zero. */
static void put_ones(struct bits *b, uint32_t n, uint32_t max)
{
    put_bits(b, (UINT64_C(1) << n) - 1, n < max ? n + 1 : n);
}

static void put_gap(struct bits *b, uint32_t gap, uint32_t rice)
{
    uint32_t ones = gap >> rice;
    if (ones < GAP_ONES) {
        uint64_t low = gap & ((UINT32_C(1) << rice) - 1);
        put_bits(b, low << (ones + 1) | ((UINT64_C(1) << ones) - 1), ones + 1 + rice);
    } else {
        put_ones(b, GAP_ONES, GAP_ONES);
        put_bits(b, gap, GAP_BITS);
    }
}

static void put_blocks(struct bits *b, uint64_t blocks, uint32_t n)
{
    uint32_t count = (uint32_t)__builtin_popcountll(blocks), rice = rice_of_blocks(n, count);
    if (count == 1) {
        put_bits(b, (uint64_t)__builtin_ctzll(blocks) << 1, 1 + width_of(n));
        return;
    }
    put_ones(b, count <= LISTED ? count - 1 : LISTED, LISTED);
    if (count > LISTED) {
        put_bits(b, blocks & UINT32_MAX, n < 32 ? n : 32);
        if (n > 32) put_bits(b, blocks >> 32, n - 32);
        return;
    }
    for (uint32_t next = 0; blocks; blocks &= blocks - 1) {
        uint32_t block = (uint32_t)__builtin_ctzll(blocks);
        put_gap(b, block - next, rice);
        next = block + 1;
    }
}

/* The page at hand. */
struct page {
    char bytes[FILTER_PAGE + PADDING];
    struct bits bits;
    uint32_t n, first, last;
};

static void page_begin(struct page *p, uint32_t value, uint64_t blocks, uint32_t n)
{
    memset(p->bytes, 0, sizeof p->bytes);
    p->bits = (struct bits){
        .bytes = p->bytes, .at = FILTER_PAGE_HEAD * 8, .end = (size_t)FILTER_PAGE * 8};
    p->first = p->last = value;
    p->n = 1;
    put_blocks(&p->bits, blocks, n);
}

/* false: the page is full, and as it was. */
static bool page_add(struct page *p, uint32_t value, uint64_t blocks, uint32_t rice, uint32_t n)
{
    size_t before = p->bits.at;
    put_gap(&p->bits, value - p->last - 1, rice);
    put_blocks(&p->bits, blocks, n);
    if (p->bits.at > p->bits.end) {
        p->bits.at = before;
        return false;
    }
    p->last = value;
    p->n++;
    return true;
}

static void page_end(struct page *p, size_t len, struct buf *out, struct buf *firsts)
{
    char first[4];
    size_t used = p->bits.at;
    /* Of an entry that had no room any more. */
    if (used % 8) p->bytes[used / 8] = (char)(p->bytes[used / 8] & ((1 << used % 8) - 1));
    memset(p->bytes + (used + 7) / 8, 0, sizeof p->bytes - (used + 7) / 8);
    le16_put(p->bytes + 4, (uint16_t)p->n);
    le32_put(p->bytes, crc32c(0, slice_make(p->bytes + 4, len - 4)));
    buf_put(out, slice_make(p->bytes, len));
    le32_put(first, p->first);
    buf_put(firsts, slice_make(first, sizeof first));
}

static void put_pages(const uint32_t *tokens, size_t n_tokens, uint32_t n, uint32_t rice,
                      struct buf *out, struct buf *firsts)
{
    struct page page = {.n = 0};
    for (size_t at = 0; at < n_tokens;) {
        uint32_t value;
        uint64_t blocks = take_value(tokens, n_tokens, &at, &value);
        if (page.n > 0 && page_add(&page, value, blocks, rice, n)) continue;
        if (page.n > 0) page_end(&page, FILTER_PAGE, out, firsts);
        page_begin(&page, value, blocks, n);
    }
    if (page.n > 0) page_end(&page, (page.bits.at + 7) / 8, out, firsts);
}

int filter_group_finish(struct filter_group *g, struct buf *out, struct buf *firsts,
                        struct filter_head *ret)
{
    ASSERT(g->n > 0);
    size_t n = g->tokens.len / sizeof(uint32_t), before = out->len;
    struct filter_head head = {.full = g->full};
    uint32_t *sorted = (void *)buf_reserve(&g->sorted, g->tokens.len);
    if (n > 0 && !sorted) return buf_error(&g->sorted);
    uint64_t values = g->sparse * (uint64_t)n / g->n;
    head.values = values > FILTER_VALUES_MAX ? FILTER_VALUES_MAX : values ? (uint32_t)values : 1;
    if (n > 0) {
        sort((void *)g->tokens.ptr, n, head.values, sorted);
        head.rice = choose_rice(sorted, n, head.values);
        put_pages(sorted, n, g->n, head.rice, out, firsts);
    }
    if (buf_failed(out)) return buf_error(out);
    if (buf_failed(firsts)) return buf_error(firsts);
    head.bytes = (uint32_t)(out->len - before);
    filter_group_clear(g);
    *ret = head;
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------ */

int filter_page_of(const char *firsts, uint32_t pages, uint32_t value)
{
    uint32_t low = 0, high = pages;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (le32(firsts + 4 * (size_t)middle) <= value) low = middle + 1;
        else high = middle;
    }
    return (int)low - 1;
}

/* n: at most 32. */
static inline uint64_t take_bits(struct bits *b, uint32_t n)
{
    uint64_t v = le64(b->bytes + b->at / 8) >> (b->at % 8);
    b->at += n;
    return v & ((UINT64_C(1) << n) - 1);
}

static inline uint32_t take_ones(struct bits *b, uint32_t max)
{
    uint64_t v = le64(b->bytes + b->at / 8) >> (b->at % 8);
    uint32_t n = (uint32_t)__builtin_ctzll(~v | UINT64_C(1) << max);
    b->at += n < max ? n + 1 : n;
    return n;
}

static uint32_t take_gap(struct bits *b, uint32_t rice)
{
    uint32_t ones = take_ones(b, GAP_ONES);
    if (ones == GAP_ONES) return (uint32_t)take_bits(b, GAP_BITS);
    return ones << rice | (uint32_t)take_bits(b, rice);
}

static uint64_t take_blocks(struct bits *b, uint32_t n)
{
    uint32_t count = take_ones(b, LISTED) + 1, rice = rice_of_blocks(n, count);
    if (count == 1) return UINT64_C(1) << take_bits(b, width_of(n));
    if (count > LISTED) {
        uint64_t blocks = take_bits(b, n < 32 ? n : 32);
        return n > 32 ? blocks | take_bits(b, n - 32) << 32 : blocks;
    }
    uint64_t blocks = 0;
    for (uint32_t next = 0; count > 0 && next < FILTER_BLOCKS; count--) {
        next += take_gap(b, rice) + 1;
        if (next <= FILTER_BLOCKS) blocks |= UINT64_C(1) << (next - 1);
    }
    return blocks;
}

/*
 * The blocks of an entry and the gap behind it, if there is one block and the gap is not written
 * out, as in most: both from one load. false: nothing was taken.
 */
static inline bool take_common(struct bits *b, uint32_t width, uint32_t rice, uint64_t *ret_blocks,
                               uint32_t *ret_gap)
{
    uint64_t v = le64(b->bytes + b->at / 8) >> (b->at % 8), gap = v >> (1 + width);
    uint32_t ones = (uint32_t)__builtin_ctzll(~gap | UINT64_C(1) << GAP_ONES);
    if ((v & 1) || ones == GAP_ONES) return false;
    *ret_blocks = UINT64_C(1) << (v >> 1 & ((UINT64_C(1) << width) - 1));
    *ret_gap = ones << rice | (uint32_t)(gap >> (ones + 1) & ((UINT64_C(1) << rice) - 1));
    b->at += 1 + width + ones + 1 + rice;
    return true;
}

uint64_t filter_test(struct slice page, uint32_t first, uint32_t rice, uint32_t n, uint32_t value)
{
    char bytes[FILTER_PAGE + PADDING];
    ASSERT(page.len <= FILTER_PAGE);
    if (page.len < FILTER_PAGE_HEAD || rice > FILTER_RICE_MAX ||
        le32(page.ptr) != crc32c(0, slice_from(page, 4)))
        return ~UINT64_C(0);
    memcpy(bytes, page.ptr, page.len);
    memset(bytes + page.len, 0, PADDING);
    struct bits bits = {.bytes = bytes, .at = FILTER_PAGE_HEAD * 8, .end = page.len * 8};
    uint64_t at = first;
    for (uint32_t left = le16(bytes + 4), width = width_of(n); left > 0; left--) {
        uint64_t blocks;
        uint32_t gap = 0;
        if (left == 1 || !take_common(&bits, width, rice, &blocks, &gap)) {
            blocks = take_blocks(&bits, n);
            if (left > 1) gap = take_gap(&bits, rice);
        }
        if (bits.at > bits.end) return ~UINT64_C(0);
        if (at == value) return blocks;
        at += UINT64_C(1) + gap;
        if (at > value) return 0;
    }
    return 0;
}
