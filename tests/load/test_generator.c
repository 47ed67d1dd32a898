/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/json_read.h"
#include "histogram.h"
#include "mix.h"
#include "test.h"

static const nsec noon = INT64_C(1795694400) * NSEC_PER_SEC; /* 2026-11-26T12:00:00Z */

static struct mix *open_file(const char *path, uint64_t seed, size_t size)
{
    struct mix *m;
    struct diag diag;
    REQUIRE(mix_new(&(struct mix_options){.path = path, .seed = seed, .size = size}, noon, &m,
                    &diag) == 0);
    return m;
}

static struct mix *open_mix(uint64_t seed, size_t size)
{
    return open_file(CITY_MIX, seed, size);
}

TEST(quantiles_are_right_to_a_sixty_fourth)
{
    static struct histogram h, other;
    for (nsec v = 1; v <= 1000000; v++) histogram_add(v % 2 ? &h : &other, v, 1);
    histogram_merge(&h, &other);
    CHECK_INT(h.n, 1000000);
    CHECK_INT(h.most, 1000000);
    for (double part = 0.001; part < 1; part += 0.0173) {
        double got = (double)histogram_quantile(&h, part), exact = part * 1e6;
        CHECK(got >= exact - 1 && got <= exact * (1 + 1.0 / 64) + 1);
    }
    CHECK_INT(histogram_quantile(&h, 1), 1000000);
}

TEST(quantiles_of_nothing_and_of_one)
{
    static struct histogram h;
    CHECK_INT(histogram_quantile(&h, 0.5), 0);
    histogram_add(&h, -5, 1);
    CHECK_INT(histogram_quantile(&h, 0.99), 0);
    histogram_add(&h, INT64_MAX, 3);
    CHECK(histogram_quantile(&h, 0.5) == INT64_MAX);
}

TEST(records_have_their_size_and_form)
{
    struct mix *m = open_mix(7, 1024);
    for (int i = 0; i < 2000; i++) {
        struct slice text = mix_next(m, MIX_TEXT, noon);
        REQUIRE(text.len >= 1024);
        CHECK(text.ptr[0] == '<' && slice_find_byte(text, '\n') == SIZE_MAX);
        struct slice json = mix_next(m, MIX_JSON, noon);
        CHECK_INT(json.len, 1024);
        CHECK(json_is_object(json));
    }
    mix_free(m);
}

TEST(a_seed_says_what_comes)
{
    struct mix *a = open_mix(1, 0), *b = open_mix(1, 0), *c = open_mix(2, 0);
    bool differs = false;
    for (int i = 0; i < 200; i++) {
        struct slice one = mix_next(a, MIX_TEXT, noon);
        CHECK(slice_eq(mix_next(b, MIX_TEXT, noon), one));
        differs |= !slice_eq(mix_next(c, MIX_TEXT, noon), one);
    }
    CHECK(differs);
    mix_free(a);
    mix_free(b);
    mix_free(c);
}

TEST(a_plant_carries_its_number)
{
    struct mix *m = open_mix(1, 0);
    struct slice text = mix_plant(m, MIX_TEXT, 42, noon);
    CHECK(slice_find(text, SLICE("Nov 26 12:00:00 plant-42 sshd[")) != SIZE_MAX);
    CHECK(slice_find(text, SLICE("Accepted password for root from ")) != SIZE_MAX);
    mix_free(m);
}

/* What stands between the two in s. */
static struct slice between(struct slice s, struct slice before, struct slice after)
{
    size_t at = slice_find(s, before);
    REQUIRE(at != SIZE_MAX);
    s = slice_from(s, at + before.len);
    at = slice_find(s, after);
    REQUIRE(at != SIZE_MAX);
    return slice_until(s, at);
}

TEST(a_user_is_named_again_and_has_one_home)
{
    struct mix *m = open_file(DAY_MIX, 1, 0);
    int seen = 0;
    CHECK(mix_rate(m) > 5000);
    for (int i = 0; i < 20000; i++) {
        struct slice s = mix_next(m, MIX_TEXT, noon);
        if (slice_find(s, SLICE(" SSLVPN LOGIN ")) == SIZE_MAX) continue;
        seen++;
        struct slice user = between(s, SLICE("Context "), SLICE("@"));
        struct slice home = between(s, SLICE("@"), SLICE(" - "));
        CHECK(slice_eq(between(s, SLICE("- User "), SLICE(" - ")), user));
        CHECK(slice_eq(between(s, SLICE("Client_ip "), SLICE(" - ")), home));
        CHECK(slice_find(s, SLICE("<134> 11/26/2026:12:00:00 GMT ")) == 0);
    }
    CHECK(seen > 0);
    mix_free(m);
}
