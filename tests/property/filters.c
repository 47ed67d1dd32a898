/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The filters of random blocks, by the writer's rule of tokens and by verify's, which is written
 * byte by byte and shares no code: verify takes a list only when it has every token of the records
 * and no other.
 */
#include "base/hash.h"
#include "store/block.h"
#include "store/filter.h"
#include "store/token.h"
#include "test.h"
#include "verify/filter.h"

enum { GROUPS = 60, RECORDS = 40, LEN_MAX = 400 };

/* What records are made of: what tokens begin and end at, and what is easily taken for a time. */
static const char *const pieces[] = {
    "a",
    "Z9",
    "user",
    ".",
    "-",
    "_",
    "$",
    ":",
    "/",
    "+",
    "%",
    "~",
    "#",
    "@",
    " ",
    "=",
    "\"",
    ",",
    "\\",
    "\\n",
    "\\u00",
    "\\u0041",
    "\\ud83d",
    "\\ude00",
    "\xc3",
    "\xa5",
    "\xc3\x85",
    "10.1.2.3",
    "10.1.2",
    "1.2.3.4",
    "2026-10-11",
    "2026/10/11",
    "T",
    "Z",
    "10:20:30",
    "10:20:30.5",
    "+0100",
    "+01:00",
    "11/Oct/2026:",
    "x86_64",
    "srv-1.stad.example",
    "C:\\\\Windows\\\\x.exe",
    "5",
    "00",
    "{",
    "}",
    "\t",
    "k=v",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
};

static struct slice make_record(uint64_t number, char *to)
{
    size_t len = 0, want = hash_mix(number, 1) % LEN_MAX;
    if (hash_mix(number, 2) % 2) to[len++] = '{';
    for (uint64_t i = 3; len < want; i++) {
        const char *piece = pieces[hash_mix(number, i) % (sizeof pieces / sizeof *pieces)];
        memcpy(to + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return slice_make(to, len);
}

struct both {
    struct token_set *set;
    struct filter_group group;
    struct block_codec *codec;
    struct verify_filter *filter;
    struct verify_block *block;
    struct buf batch, packed, out, firsts;
};

/* Records of one block, to both. */
static void add_block(struct both *b, uint64_t number, uint32_t position)
{
    struct batch_writer w;
    struct batch batch;
    struct block_sizes sizes;
    char raw[LEN_MAX + 128];
    uint32_t n;
    batch_writer_init(&w, 0, BATCH_MAX);
    token_set_clear(b->set);
    for (uint64_t i = 0; i < 1 + hash_mix(number, 7) % RECORDS; i++) {
        struct record r = {.raw = make_record(number * RECORDS + i % 17, raw)};
        REQUIRE(batch_writer_add(&w, &r) == 0);
        REQUIRE(token_set_add(b->set, r.raw) == 0);
    }
    buf_clear(&b->batch);
    buf_clear(&b->packed);
    batch_writer_finish(&w, &b->batch);
    batch_writer_done(&w);
    REQUIRE(batch_open(buf_slice(&b->batch), &batch) == 0);
    REQUIRE(block_encode(b->codec, &batch, 1, &b->packed, &sizes) == 0);
    REQUIRE(verify_block_open(b->block, buf_slice(&b->packed), sizes.meta, sizes.meta_raw,
                              sizes.data_raw) == 0);
    REQUIRE(verify_filter_add(b->filter, b->block, position) == 0);
    const uint32_t *keys = token_set_keys(b->set, &n);
    REQUIRE(filter_group_add(&b->group, keys, n, token_set_full(b->set)) == 0);
}

static void check_group(struct both *b, uint64_t number)
{
    struct filter_head head;
    uint32_t blocks = 1 + (uint32_t)hash_mix(number, 3) % FILTER_BLOCKS;
    for (uint32_t i = 0; i < blocks; i++) add_block(b, hash_mix(number, 100 + i), i);
    buf_clear(&b->out);
    buf_clear(&b->firsts);
    REQUIRE(filter_group_finish(&b->group, &b->out, &b->firsts, &head) == 0);
    struct verify_list list = {.n = blocks,
                               .full = head.full,
                               .values = head.values,
                               .rice = head.rice,
                               .firsts = b->firsts.ptr,
                               .pages = buf_slice(&b->out)};
    CHECK(verify_filter_check(b->filter, &list) == 0);
    verify_filter_clear(b->filter);
}

TEST(filters_have_the_tokens_of_the_records)
{
    static struct both b;
    b = (struct both){.set = token_set_new(),
                      .codec = block_codec_new(),
                      .filter = verify_filter_new(),
                      .block = verify_block_new()};
    REQUIRE(b.set && b.codec && b.filter && b.block);
    filter_group_init(&b.group);
    buf_init(&b.batch, BATCH_MAX);
    buf_init(&b.packed, 2 * BLOCK_PART_MAX);
    buf_init(&b.out, 1 << 26);
    buf_init(&b.firsts, 1 << 20);
    for (uint64_t i = 0; i < GROUPS; i++) check_group(&b, i);
    token_set_free(b.set);
    block_codec_free(b.codec);
    verify_filter_free(b.filter);
    verify_block_free(b.block);
    filter_group_done(&b.group);
    buf_done(&b.batch);
    buf_done(&b.packed);
    buf_done(&b.out);
    buf_done(&b.firsts);
}
