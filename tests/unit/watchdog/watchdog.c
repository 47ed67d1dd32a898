/* SPDX-License-Identifier: EUPL-1.2 */
#include "test.h"
#include "watchdog/guard.h"

#define S NSEC_PER_SEC

static struct checkpoint_signer signer_of(const char *name, uint8_t seed)
{
    struct checkpoint_signer s;
    const uint8_t seeds[CHECKPOINT_SEED] = {seed};
    REQUIRE(checkpoint_signer_init(&s, slice_of(name), CHECKPOINT_LOG, seeds) == 0);
    return s;
}

static const struct heartbeat a_beat = {.number = 7,
                                        .answers = 3,
                                        .time = 1795700000,
                                        .loud = true,
                                        .broken = "provider",
                                        .why = "elks: 401\nx"};

struct two {
    struct checkpoint_signer vaka, dog;
    struct buf text;
};

static void begin(struct two *t)
{
    t->vaka = signer_of("vaka.example/vaka", 1);
    t->dog = signer_of("dog.example/watchdog", 2);
    buf_init(&t->text, 2 * HEARTBEAT_MAX);
    heartbeat_write(&t->text, &a_beat, &t->vaka, &t->dog.key);
}

static int read(struct two *t, struct slice text, struct heartbeat *ret)
{
    return heartbeat_read(text, &t->vaka.key, &t->dog.key, ret);
}

TEST(a_heartbeat_is_read_as_it_was_signed)
{
    struct two t;
    struct heartbeat beat;
    begin(&t);
    CHECK_INT(read(&t, buf_slice(&t.text), &beat), 0);
    CHECK(beat.number == 7 && beat.answers == 3 && beat.time == 1795700000 && beat.loud);
    CHECK_SLICE(slice_of(beat.broken), "provider");
    CHECK_SLICE(slice_of(beat.why), "elks: 401 x");
    buf_done(&t.text);
}

TEST(every_byte_of_it_is_signed)
{
    struct two t;
    struct heartbeat beat;
    begin(&t);
    for (size_t i = 0; i < t.text.len; i++) {
        t.text.ptr[i] ^= 1;
        CHECK(read(&t, buf_slice(&t.text), &beat) != 0);
        t.text.ptr[i] ^= 1;
        CHECK(read(&t, slice_until(buf_slice(&t.text), i), &beat) != 0);
    }
    buf_puts(&t.text, "x");
    CHECK(read(&t, buf_slice(&t.text), &beat) != 0);
    buf_done(&t.text);
}

TEST(one_of_another_or_for_another_is_none)
{
    struct two t;
    struct heartbeat beat;
    begin(&t);
    struct checkpoint_signer other = signer_of("vaka.example/vaka", 3);
    CHECK_INT(heartbeat_read(buf_slice(&t.text), &other.key, &t.dog.key, &beat), ERR_NOT_FOUND);
    CHECK_INT(heartbeat_read(buf_slice(&t.text), &t.dog.key, &t.vaka.key, &beat), ERR_INVALID);
    buf_clear(&t.text);
    heartbeat_write(&t.text, &a_beat, &t.vaka, &t.vaka.key);
    CHECK_INT(read(&t, buf_slice(&t.text), &beat), ERR_INVALID);
    buf_done(&t.text);
}

static const struct guard_options options = {.silence = 45 * S, .repeat = 900 * S};

static bool beat(struct guard *g, uint64_t number, const char *broken, bool loud, nsec now)
{
    struct heartbeat b = {.number = number, .loud = loud};
    (void)snprintf(b.broken, sizeof b.broken, "%s", broken);
    return guard_hear(g, &b, now);
}

TEST(silence_is_told_again_until_it_ends_and_then_that)
{
    struct guard g;
    guard_init(&g, &options, 0, 100 * S);
    CHECK(!guard_pass(&g, 144 * S));
    CHECK(guard_pass(&g, 145 * S) && g.state == GUARD_SILENT);
    CHECK(!guard_pass(&g, 1044 * S));
    CHECK(guard_pass(&g, 1045 * S) && g.state == GUARD_SILENT);
    CHECK(beat(&g, 1, "nothing", false, 1050 * S));
    CHECK(guard_pass(&g, 1050 * S) && g.state == GUARD_WELL);
    CHECK(!guard_pass(&g, 1094 * S));
    CHECK(guard_pass(&g, 1095 * S) && g.state == GUARD_SILENT);
}

TEST(a_heartbeat_counts_once)
{
    struct guard g;
    guard_init(&g, &options, 41, 0);
    CHECK(!beat(&g, 41, "nothing", false, S) && !beat(&g, 7, "nothing", false, S));
    CHECK(beat(&g, 42, "nothing", false, S));
    for (nsec now = 2 * S; now < 46 * S; now += S) CHECK(!beat(&g, 42, "nothing", false, now));
    CHECK(guard_pass(&g, 46 * S) && g.state == GUARD_SILENT);
    CHECK_INT(g.refused, 46);
}

TEST(what_cannot_page_for_itself_is_told_and_what_can_is_not)
{
    static const struct {
        const char *broken;
        bool loud;
        enum guard_state state;
    } cases[] = {
        {"nothing", false, GUARD_WELL},    {"store", false, GUARD_WELL},
        {"triage", false, GUARD_WELL},     {"nothing", true, GUARD_LOUD},
        {"oncall", false, GUARD_BROKEN},   {"notify", true, GUARD_BROKEN},
        {"provider", false, GUARD_BROKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guard g;
        guard_init(&g, &options, 0, 0);
        CHECK(beat(&g, 1, cases[i].broken, cases[i].loud, S));
        CHECK(guard_pass(&g, S) == (cases[i].state != GUARD_WELL) && g.state == cases[i].state);
    }
}
