/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/callers.h"

#include "base/hash.h"
#include "test.h"

enum { MAX = 60, ADDRESSES = 40, STEPS = 20000 };

static void name(uint64_t i, char ret[IP_TEXT_MAX])
{
    (void)snprintf(ret, IP_TEXT_MAX, "2001:db8::%llx", (unsigned long long)i);
}

TEST(addresses_are_counted_apart)
{
    struct callers c;
    REQUIRE(callers_init(&c, MAX) == 0);
    CHECK_INT(callers_count(&c, "10.0.0.1"), 0);
    callers_add(&c, "10.0.0.1");
    callers_add(&c, "10.0.0.1");
    callers_add(&c, "");
    CHECK_INT(callers_count(&c, "10.0.0.1"), 2);
    CHECK_INT(callers_count(&c, "10.0.0.10"), 0);
    CHECK_INT(callers_count(&c, ""), 1);
    callers_remove(&c, "10.0.0.1");
    callers_remove(&c, "");
    CHECK_INT(callers_count(&c, "10.0.0.1"), 1);
    CHECK_INT(callers_count(&c, ""), 0);
    callers_done(&c);
}

/* Connections come and go; beside it stands how many there are of each. */
TEST(counts_stay_right_while_places_are_given_up)
{
    struct callers c;
    uint32_t want[ADDRESSES] = {0}, all = 0;
    char address[IP_TEXT_MAX];
    REQUIRE(callers_init(&c, MAX) == 0);
    for (uint64_t i = 0; i < STEPS; i++) {
        uint64_t at = hash_mix(i, 1) % ADDRESSES;
        name(at, address);
        if (want[at] > 0 && (all == MAX || hash_mix(i, 2) % 2)) {
            callers_remove(&c, address);
            want[at]--;
            all--;
        } else if (all < MAX) {
            callers_add(&c, address);
            want[at]++;
            all++;
        }
        for (uint64_t k = 0; k < ADDRESSES; k++) {
            name(k, address);
            if (callers_count(&c, address) != want[k])
                test_fail(__FILE__, __LINE__, "step %llu", (unsigned long long)i);
        }
    }
    callers_done(&c);
}
