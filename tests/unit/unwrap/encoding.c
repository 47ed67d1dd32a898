/* SPDX-License-Identifier: EUPL-1.2 */
#include "unwrap/encoding.h"

#include <zlib.h>
#include <zstd.h>

#include "unwrapped.h"

enum { PLAIN = 100 * 1000, OUT_MAX = 1024 * 1024 };

/* Appends `in` compressed by zlib; window bits say in which wrapping. */
static void put_deflated(struct buf *out, struct slice in, int window_bits)
{
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)in.ptr, .avail_in = (uInt)in.len};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&z, in.len);
    char *room = buf_reserve(out, bound);
    REQUIRE(room != NULL);
    z.next_out = (Bytef *)room;
    z.avail_out = (uInt)bound;
    REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->len += bound - z.avail_out;
    (void)deflateEnd(&z);
}

static void put_zstd(struct buf *out, struct slice in)
{
    size_t bound = ZSTD_compressBound(in.len);
    char *room = buf_reserve(out, bound);
    REQUIRE(room != NULL);
    size_t n = ZSTD_compress(room, bound, in.ptr, in.len, 3);
    REQUIRE(!ZSTD_isError(n));
    out->len += n;
}

static void put_compressed(struct buf *out, const char *name, struct slice in)
{
    if (strcmp(name, "zstd") == 0) put_zstd(out, in);
    else
        put_deflated(out, in,
                     strcmp(name, "gzip") == 0   ? 15 + 16
                     : strcmp(name, "zlib") == 0 ? 15
                                                 : -15);
}

/* Text that compresses about as logs do. */
static void put_plain(struct buf *out)
{
    for (unsigned i = 0; out->len < PLAIN; i++)
        buf_printf(out, "line %u of %u\n", i, i * 2654435761u);
}

/* How each is compressed here, and the name it is sent under. */
static const char *const ways[][2] = {{"gzip", "gzip"},
                                      {"gzip", "X-GZIP"},
                                      {"zlib", "deflate"},
                                      {"raw", "deflate"},
                                      {"zstd", " ZSTD "}};
enum { N_WAYS = sizeof ways / sizeof *ways };

TEST(what_was_compressed_comes_back)
{
    struct encoding *e = encoding_new();
    REQUIRE(e != NULL);
    struct buf plain, packed, out;
    buf_init(&plain, OUT_MAX);
    buf_init(&packed, OUT_MAX);
    buf_init(&out, OUT_MAX);
    put_plain(&plain);
    for (size_t i = 0; i < N_WAYS; i++) {
        struct slice name = slice_of(ways[i][1]);
        CHECK(encoding_is_known(name));
        buf_clear(&packed);
        buf_clear(&out);
        put_compressed(&packed, ways[i][0], buf_slice(&plain));
        CHECK_INT(encoding_decode(e, name, buf_slice(&packed), OUT_MAX - 1, &out), 0);
        CHECK(slice_eq(buf_slice(&out), buf_slice(&plain)));
        /* Exactly as long as allowed, and one byte too long. */
        buf_clear(&out);
        CHECK_INT(encoding_decode(e, name, buf_slice(&packed), plain.len, &out), 0);
        CHECK_INT(out.len, plain.len);
        buf_clear(&out);
        CHECK_INT(encoding_decode(e, name, buf_slice(&packed), plain.len - 1, &out), ERR_LIMIT);
        CHECK(out.len <= plain.len - 1);
    }
    buf_done(&plain);
    buf_done(&packed);
    buf_done(&out);
    encoding_free(e);
}

TEST(several_members_and_frames)
{
    static const char *const names[] = {"gzip", "zstd"};
    struct encoding *e = encoding_new();
    struct buf packed, out;
    buf_init(&packed, OUT_MAX);
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&packed);
        buf_clear(&out);
        put_compressed(&packed, names[i], SLICE("one,"));
        put_compressed(&packed, names[i], SLICE(""));
        put_compressed(&packed, names[i], SLICE("two"));
        CHECK_INT(encoding_decode(e, slice_of(names[i]), buf_slice(&packed), 100, &out), 0);
        CHECK_SLICE(buf_slice(&out), "one,two");
    }
    buf_done(&packed);
    buf_done(&out);
    encoding_free(e);
}

TEST(every_beginning_is_too_short_and_damage_is_found)
{
    struct encoding *e = encoding_new();
    struct buf packed, out;
    buf_init(&packed, OUT_MAX);
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; i < N_WAYS; i++) {
        struct slice name = slice_of(ways[i][1]);
        buf_clear(&packed);
        put_compressed(&packed, ways[i][0], SLICE("some text, some text, some text"));
        for (size_t n = 0; n < packed.len; n++) {
            buf_clear(&out);
            int rc = encoding_decode(e, name, slice_make(packed.ptr, n), 1000, &out);
            /* Less than a zlib header may be read as bare deflate. */
            if (rc != ERR_TRUNCATED && !(n < 2 && rc == ERR_CORRUPT))
                test_fail(__FILE__, __LINE__, "%s: %zu of %zu bytes give %d", ways[i][0], n,
                          packed.len, rc);
        }
        /* The checksum, or what says which format it is; bare deflate has neither. */
        size_t at = strcmp(ways[i][0], "gzip") == 0   ? packed.len - 8
                    : strcmp(ways[i][0], "zlib") == 0 ? packed.len - 1
                                                      : 0;
        packed.ptr[at] ^= 0x40;
        buf_clear(&out);
        if (strcmp(ways[i][0], "raw") != 0)
            CHECK_INT(encoding_decode(e, name, buf_slice(&packed), 1000, &out), ERR_CORRUPT);
    }
    buf_done(&packed);
    buf_done(&out);
    encoding_free(e);
}

TEST(unknown_encodings)
{
    struct encoding *e = encoding_new();
    struct buf out;
    buf_init(&out, 100);
    CHECK_INT(encoding_decode(e, SLICE("br"), SLICE("x"), 10, &out), ERR_UNSUPPORTED);
    CHECK_INT(encoding_decode(e, SLICE("gzip, gzip"), SLICE("x"), 10, &out), ERR_UNSUPPORTED);
    CHECK_INT(encoding_decode(e, SLICE("identity"), SLICE("x"), 10, &out), 0);
    CHECK_SLICE(buf_slice(&out), "x");
    buf_done(&out);
    encoding_free(e);
}

/* ---- in a request ------------------------------------------------------------------------- */

TEST(a_request_says_how_it_is_encoded)
{
    struct unwrapped t;
    struct buf packed;
    buf_init(&packed, OUT_MAX);
    unwrapped_init(&t, CONTAINER_NDJSON, NULL, BATCH_MAX);
    for (size_t i = 0; i < N_WAYS; i++) {
        buf_clear(&packed);
        put_compressed(&packed, ways[i][0], SLICE("{\"a\":1}\n"));
        t.container.content_encoding = slice_of(ways[i][1]);
        unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&packed), "0 json {\"a\":1}\n", 200,
                           "{\"taken\":1,\"refused\":0,\"errors\":[]}");
    }
    t.container.content_encoding = SLICE("br");
    UNWRAPPED_CHECK(&t, "x", "", 415,
                    "{\"taken\":0,\"error\":\"this Content-Encoding is not read\"}");
    t.container.content_encoding = SLICE("gzip");
    UNWRAPPED_CHECK(&t, "{\"a\":1}", "", 400,
                    "{\"taken\":0,\"error\":\"the body is not what its Content-Encoding says\"}");
    buf_done(&packed);
    unwrapped_done(&t);
}

/* Each kind says it in its own words. */
TEST(bombs_are_refused_by_ratio_and_size)
{
    static const struct {
        enum container_kind kind;
        const char *content_type, *answer;
    } kinds[] = {
        {CONTAINER_NDJSON, "", "{\"taken\":0,\"error\":\"the body is too large\"}"},
        {CONTAINER_BULK, "",
         "{\"error\":{\"root_cause\":[{\"type\":\"illegal_argument_exception\",\"reason\":"
         "\"the body is too large\"}],\"type\":\"illegal_argument_exception\",\"reason\":"
         "\"the body is too large\"},\"status\":413}"},
        {CONTAINER_HEC, "", "{\"text\":\"the body is too large\",\"code\":6}"},
        {CONTAINER_OTLP_LOGS, "application/json",
         "{\"code\":3,\"message\":\"the body is too large\"}"},
        {CONTAINER_OTLP_LOGS, "application/x-protobuf",
         "\\x08\\x03\\x12\\x15the body is too large"},
    };
    struct unwrap_options options = unwrap_options_default();
    options.body_max = 4 * UNWRAP_SMALL;
    options.ratio_max = 100;
    struct unwrapped t;
    unwrapped_init(&t, CONTAINER_NDJSON, &options, BATCH_MAX);
    char *blanks = calloc(1, 8 * UNWRAP_SMALL);
    REQUIRE(blanks != NULL);
    memset(blanks, '\n', 8 * UNWRAP_SMALL);
    static const struct {
        size_t len;
        bool fits;
    } sizes[] = {{UNWRAP_SMALL, true}, {UNWRAP_SMALL + 1, false}, {8 * UNWRAP_SMALL, false}};
    struct buf packed;
    buf_init(&packed, 16 * UNWRAP_SMALL);
    for (size_t way = 0; way < N_WAYS; way++) {
        t.container.content_encoding = slice_of(ways[way][1]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            buf_clear(&packed);
            put_compressed(&packed, ways[way][0], slice_make(blanks, sizes[i].len));
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                t.container.kind = kinds[k].kind;
                t.container.content_type = slice_of(kinds[k].content_type);
                if (!sizes[i].fits)
                    unwrapped_check_at(__FILE__, __LINE__, &t, buf_slice(&packed), "", 413,
                                       kinds[k].answer);
                else CHECK(unwrapped_run(&t, buf_slice(&packed)) == 0 && t.answer.status != 413);
            }
        }
    }
    /* A plain body has a size only. */
    t.container.kind = CONTAINER_NDJSON;
    t.container.content_encoding = SLICE_NONE;
    CHECK_INT(unwrapped_run(&t, slice_make(blanks, options.body_max)), 0);
    CHECK_INT(t.answer.status, 200);
    CHECK_INT(unwrapped_run(&t, slice_make(blanks, options.body_max + 1)), 0);
    CHECK_INT(t.answer.status, 413);
    buf_done(&packed);
    free(blanks);
    unwrapped_done(&t);
}
