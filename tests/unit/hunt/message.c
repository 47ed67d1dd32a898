/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The wire between the hunt and its decoders. Every message is cut at every byte, changed in every
 * byte and made longer; what is read then must be refused or be a message that writes the same
 * bytes again: nothing is guessed, nothing is read from outside the payload (a heap copy of the
 * exact length, so that AddressSanitizer and valgrind see one byte too far).
 */
#include "hunt/message.h"

#include <stdlib.h>

#include "test.h"

/* One function per message: 1 when the payload is read and writes the same frame again, 0 when it
 * is refused, -1 when it is read as something else. */
#define M(name, NAME, number)                                                                      \
    static int again_##name(struct slice payload)                                                  \
    {                                                                                              \
        struct message_##name m;                                                                   \
        struct buf out;                                                                            \
        struct frame f;                                                                            \
        int result = message_##name##_read(payload, &m);                                           \
        if (result) return result == ERR_CORRUPT ? 0 : -1;                                         \
        buf_init(&out, MESSAGE_MAX);                                                               \
        message_##name##_write(&out, &m);                                                          \
        bool same = frame_next(buf_slice(&out), MESSAGE_MAX, &f) == 1 &&                           \
                    f.type == MESSAGE_##NAME && f.size == out.len && slice_eq(f.payload, payload); \
        buf_done(&out);                                                                            \
        return same ? 1 : -1;                                                                      \
    }
MESSAGES(M)
#undef M

static const struct kind {
    const char *name;
    int type;
    int (*again)(struct slice payload);
} kinds[] = {
#define M(name, NAME, number) {#name, MESSAGE_##NAME, again_##name},
    MESSAGES(M)
#undef M
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* One frame of each type, in the order of the table. */
static void write_samples(struct buf *out)
{
    buf_init(out, 1024 * 1024);
    message_unit_write(out, &(struct message_unit){SLICE("C:\\logs\\a.evtx"), SLICE("json"), 1, 2,
                                                   UINT64_MAX, 2, 1});
    message_alert_write(out, &(struct message_alert){.rule = 3,
                                                     .undetermined = 1,
                                                     .time = -1,
                                                     .record = 4,
                                                     .splice = 2,
                                                     .host = SLICE("srv"),
                                                     .source = SLICE("a"),
                                                     .line = SLICE("{}\n")});
    message_tuple_write(out, &(struct message_tuple){5, SLICE("a"), SLICE("\1\0\2")});
    message_bad_write(out, &(struct message_bad){SLICE("a"), SLICE("why"), 6, 7, 8});
    message_split_write(out, &(struct message_split){SLICE("json"), 2});
    message_progress_write(out, &(struct message_progress){1, 2, 3, 4, 5, 6});
    message_end_write(out, &(struct message_end){1, 2, 3, 4, 5, 6, 7, 8});
    REQUIRE(!buf_failed(out));
}

static int read_copy(const struct kind *kind, struct slice payload, size_t len)
{
    char *copy = malloc(len ? len : 1);
    REQUIRE(copy);
    if (len > payload.len) memset(copy + payload.len, 0, len - payload.len);
    memcpy(copy, payload.ptr, len < payload.len ? len : payload.len);
    int result = kind->again(slice_make(copy, len));
    free(copy);
    return result;
}

/* Calls `check` with the payload of each sample. */
static void each_sample(void (*check)(const struct kind *kind, struct slice payload))
{
    struct buf out;
    write_samples(&out);
    struct slice rest = buf_slice(&out);
    for (size_t i = 0; i < N_KINDS; i++) {
        struct frame f;
        REQUIRE(frame_next(rest, MESSAGE_MAX, &f) == 1);
        CHECK_INT(f.type, kinds[i].type);
        check(&kinds[i], f.payload);
        rest = slice_from(rest, f.size);
    }
    CHECK_INT(rest.len, 0);
    buf_done(&out);
}

static void check_whole(const struct kind *kind, struct slice payload)
{
    if (kind->again(payload) != 1) test_fail(__FILE__, __LINE__, "%s is not itself", kind->name);
}

TEST(every_message_survives_the_wire)
{
    each_sample(check_whole);
}

static void check_lengths(const struct kind *kind, struct slice payload)
{
    for (size_t len = 0; len <= payload.len + 9; len++) {
        if (len == payload.len) continue;
        if (read_copy(kind, payload, len) != 0)
            test_fail(__FILE__, __LINE__, "%s is taken with %zu of %zu bytes", kind->name, len,
                      payload.len);
    }
}

TEST(a_message_cut_or_with_bytes_left_over_is_refused)
{
    each_sample(check_lengths);
}

static void check_bytes(const struct kind *kind, struct slice payload)
{
    char *copy = malloc(payload.len);
    REQUIRE(copy);
    for (size_t at = 0; at < payload.len; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            memcpy(copy, payload.ptr, payload.len);
            copy[at] = (char)byte;
            if (kind->again(slice_make(copy, payload.len)) < 0)
                test_fail(__FILE__, __LINE__, "%s with byte %zu = %u is read as something else",
                          kind->name, at, byte);
        }
    }
    free(copy);
}

TEST(a_changed_byte_is_refused_or_read_as_it_stands)
{
    each_sample(check_bytes);
}

static void check_others(const struct kind *kind, struct slice payload)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i].again(payload) < 0)
            test_fail(__FILE__, __LINE__, "a %s read as %s", kind->name, kinds[i].name);
}

TEST(a_message_under_another_type_is_refused_or_read_as_it_stands)
{
    each_sample(check_others);
}

/* The stream as a receiver sees it: a changed length must never give a frame beyond the input. */
TEST(a_stream_with_one_changed_byte_stays_inside)
{
    struct buf out;
    write_samples(&out);
    char *copy = malloc(out.len);
    REQUIRE(copy);
    for (size_t at = 0; at < out.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, out.ptr, out.len);
            copy[at] = (char)(copy[at] ^ (char)(1u << bit));
            struct slice rest = slice_make(copy, out.len);
            struct frame f;
            while (frame_next(rest, MESSAGE_MAX, &f) > 0) {
                REQUIRE(f.size <= rest.len && f.payload.len == f.size - FRAME_HEADER);
                for (size_t i = 0; i < N_KINDS; i++)
                    if (kinds[i].type == f.type) CHECK(kinds[i].again(f.payload) >= 0);
                rest = slice_from(rest, f.size);
            }
        }
    }
    free(copy);
    buf_done(&out);
}

TEST(the_largest_text_is_taken_and_one_byte_more_is_not)
{
    struct buf out;
    struct message_bad m = {.reason = SLICE("x")};
    char *text = calloc(1, MESSAGE_TEXT_MAX + 1);
    REQUIRE(text);
    buf_init(&out, 2 * (size_t)MESSAGE_MAX);
    m.source = slice_make(text, MESSAGE_TEXT_MAX);
    message_bad_write(&out, &m);
    struct message_bad ret;
    CHECK_INT(message_bad_read(slice_from(buf_slice(&out), FRAME_HEADER), &ret), 0);
    CHECK_INT(ret.source.len, MESSAGE_TEXT_MAX);
    buf_clear(&out);
    m.source.len++;
    message_bad_write(&out, &m);
    CHECK(!buf_failed(&out));
    CHECK_INT(message_bad_read(slice_from(buf_slice(&out), FRAME_HEADER), &ret), ERR_CORRUPT);
    free(text);
    buf_done(&out);
}
