/* SPDX-License-Identifier: EUPL-1.2 */
#include "serve/message.h"

#include <stdlib.h>

#include "base/hash.h"
#include "test.h"

enum { MUTATIONS = 2000 };

/* Values of fields, other ones each time. */
struct values {
    uint64_t n;
    char text[64];
};

static uint64_t draw(struct values *v)
{
    return hash_mix(++v->n, 0x5eed);
}

static struct slice draw_text(struct values *v)
{
    return slice_make(v->text, (size_t)(draw(v) % sizeof v->text));
}

#define DRAW_u8(v)        (uint8_t) draw(v)
#define DRAW_u32(v)       (uint32_t) draw(v)
#define DRAW_u64(v)       draw(v)
#define DRAW_i64(v)       (int64_t) draw(v)
#define DRAW_text(v)      draw_text(v)
#define SAME_u8(a, b)     ((a) == (b))
#define SAME_u32(a, b)    ((a) == (b))
#define SAME_u64(a, b)    ((a) == (b))
#define SAME_i64(a, b)    ((a) == (b))
#define SAME_text(a, b)   slice_eq(a, b)
#define FILL(kind, field) m.field = DRAW_##kind(&v);
#define COMPARE(kind, field)                                                                       \
    if (!SAME_##kind(m.field, back.field)) test_fail(__FILE__, __LINE__, "%s", #field);

/* Reads, and writes what was understood: ERR_CORRUPT, or 0 and the same bytes. */
struct kind {
    const char *name;
    uint8_t type;
    int (*again)(struct slice payload, struct buf *out);
    void (*fill)(struct buf *out);
};

#define M(name, NAME, FIELDS, number)                                                              \
    static int again_##name(struct slice payload, struct buf *out)                                 \
    {                                                                                              \
        struct say_##name m;                                                                       \
        int error = say_##name##_read(payload, &m);                                                \
        if (error == 0) say_##name##_write(out, &m);                                               \
        return error;                                                                              \
    }                                                                                              \
    static void fill_##name(struct buf *out)                                                       \
    {                                                                                              \
        struct values v = {.n = (number)*1000};                                                    \
        struct say_##name m = {}, back;                                                            \
        struct frame frame;                                                                        \
        memset(v.text, 'a' + (number) % 26, sizeof v.text);                                        \
        SAY_##FIELDS##_FIELDS(FILL) say_##name##_write(out, &m);                                   \
        REQUIRE(frame_next(buf_slice(out), SAY_MAX, &frame) == 1);                                 \
        CHECK_INT(frame.type, number);                                                             \
        REQUIRE(say_##name##_read(frame.payload, &back) == 0);                                     \
        SAY_##FIELDS##_FIELDS(COMPARE)                                                             \
    }
SAY_MESSAGES(M)
#undef M

static const struct kind kinds[] = {
#define M(name, NAME, FIELDS, number) {#name, number, again_##name, fill_##name},
    SAY_MESSAGES(M)
#undef M
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The payload in memory of its own, so that a read beyond it is seen. */
static int read_copy(const struct kind *k, struct slice payload, struct buf *out)
{
    char *copy = malloc(payload.len + 1);
    REQUIRE(copy);
    if (payload.len) memcpy(copy, payload.ptr, payload.len);
    char *exact = realloc(copy, payload.len ? payload.len : 1);
    REQUIRE(exact);
    buf_clear(out);
    int error = k->again(slice_make(exact, payload.len), out);
    free(exact);
    return error;
}

static void check_truncated(const struct kind *k, struct slice payload, struct buf *out)
{
    for (size_t len = 0; len < payload.len; len++)
        if (read_copy(k, slice_until(payload, len), out) != ERR_CORRUPT)
            test_fail(__FILE__, __LINE__, "%s: %zu bytes of %zu are taken", k->name, len,
                      payload.len);
}

static void check_longer(const struct kind *k, struct slice payload, struct buf *out)
{
    struct buf longer;
    buf_init(&longer, payload.len + 1);
    buf_put(&longer, payload);
    buf_putc(&longer, 0);
    if (read_copy(k, buf_slice(&longer), out) != ERR_CORRUPT)
        test_fail(__FILE__, __LINE__, "%s: a byte too many is taken", k->name);
    buf_done(&longer);
}

/* What is taken of changed bytes is exactly what they say. */
static void check_mutated(const struct kind *k, struct slice payload, struct buf *out)
{
    struct values v = {.n = k->type};
    char bytes[2048];
    REQUIRE(payload.len <= sizeof bytes);
    for (int i = 0; i < MUTATIONS && payload.len > 0; i++) {
        struct frame frame;
        memcpy(bytes, payload.ptr, payload.len);
        for (uint64_t n = 1 + draw(&v) % 3; n > 0; n--)
            bytes[draw(&v) % payload.len] = (char)(draw(&v) >> 8);
        struct slice changed = slice_make(bytes, payload.len);
        int error = read_copy(k, changed, out);
        if (error == 0) {
            REQUIRE(frame_next(buf_slice(out), SAY_MAX, &frame) == 1);
            CHECK(slice_eq(frame.payload, changed));
        } else {
            CHECK_INT(error, ERR_CORRUPT);
        }
    }
}

TEST(message_says_what_was_written_and_nothing_else)
{
    struct buf whole, out;
    buf_init(&whole, 65536);
    buf_init(&out, 65536);
    for (size_t i = 0; i < KINDS; i++) {
        struct frame frame;
        buf_clear(&whole);
        kinds[i].fill(&whole);
        REQUIRE(frame_next(buf_slice(&whole), SAY_MAX, &frame) == 1);
        CHECK_INT(read_copy(&kinds[i], frame.payload, &out), 0);
        check_truncated(&kinds[i], frame.payload, &out);
        check_longer(&kinds[i], frame.payload, &out);
        check_mutated(&kinds[i], frame.payload, &out);
    }
    buf_done(&whole);
    buf_done(&out);
}

TEST(message_numbers_are_each_ones_own)
{
    for (size_t i = 0; i < KINDS; i++)
        for (size_t k = 0; k < i; k++)
            if (kinds[i].type == kinds[k].type)
                test_fail(__FILE__, __LINE__, "%s and %s", kinds[i].name, kinds[k].name);
}

/* A text longer than any may be is refused, also when it is there. */
TEST(message_texts_are_bounded)
{
    struct buf out;
    struct frame frame;
    struct say_status back;
    char *text = calloc(1, SAY_TEXT_MAX + 1u);
    REQUIRE(text);
    buf_init(&out, 2 * (size_t)SAY_MAX);
    for (size_t more = 0; more <= 1; more++) {
        buf_clear(&out);
        say_status_write(&out, &(struct say_status){.text = slice_make(text, SAY_TEXT_MAX + more)});
        REQUIRE(frame_next(buf_slice(&out), SAY_MAX, &frame) == 1);
        CHECK_INT(say_status_read(frame.payload, &back), more ? ERR_CORRUPT : 0);
    }
    buf_done(&out);
    free(text);
}
