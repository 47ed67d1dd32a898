/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/rights.h"

#include "account/action.h"
#include "test.h"

TEST(every_right_and_role_is_found_by_its_name)
{
    for (unsigned at = 0; at < RIGHT_COUNT; at++) CHECK(right_find(slice_of(right_name(at))) == at);
    for (unsigned at = 0; at < ACCOUNT_ROLE_COUNT; at++)
        CHECK(rights_role_find(slice_of(rights_role_name(at))) == at);
    for (unsigned at = 0; at < ACTION_COUNT; at++)
        CHECK(action_find(slice_of(action_name(at))) == at);
    CHECK(right_find(SLICE("alerts")) == RIGHT_COUNT);
    CHECK(rights_role_find(SLICE("Viewer")) == ACCOUNT_ROLE_COUNT);
    CHECK(action_find(SLICE("")) == ACTION_COUNT);
}

TEST(a_set_of_roles_has_what_its_roles_have)
{
    CHECK(rights_of_roles(0) == 0);
    CHECK(rights_of_roles(1u << ACCOUNT_ROLE_VIEWER | 1u << ACCOUNT_ROLE_ADMIN) ==
          (rights_of_role(ACCOUNT_ROLE_VIEWER) | rights_of_role(ACCOUNT_ROLE_ADMIN)));
    /* A bit that is no role allows nothing. */
    CHECK(rights_of_roles(1u << ACCOUNT_ROLE_COUNT) == 0);
}

TEST(who_writes_rules_does_not_respond)
{
    for (unsigned at = 0; at < ACCOUNT_ROLE_COUNT; at++) {
        uint64_t both = right_bit(RIGHT_RULES_WRITE) | right_bit(RIGHT_RESPOND);
        CHECK((rights_of_role(at) & both) != both);
    }
}

/* Who makes accounts does not see records, and who checks on others changes nothing. */
TEST(admins_and_auditors_are_kept_from_the_work)
{
    uint64_t records = right_bit(RIGHT_SEARCH) | right_bit(RIGHT_EXPORT) |
                       right_bit(RIGHT_ALERTS_READ) | right_bit(RIGHT_INCIDENTS_READ);
    CHECK((rights_of_role(ACCOUNT_ROLE_ADMIN) & records) == 0);
    for (unsigned at = 0; at < RIGHT_COUNT; at++) {
        bool reads = slice_ends_with(slice_of(right_name(at)), SLICE(".read"));
        if (rights_of_role(ACCOUNT_ROLE_AUDITOR) & right_bit(at)) CHECK(reads);
    }
}

TEST(every_right_is_somebodys)
{
    uint64_t all = rights_of_roles((1u << ACCOUNT_ROLE_COUNT) - 1);
    CHECK(all == right_bit(RIGHT_COUNT) - 1);
}

TEST(sets_are_written_as_json)
{
    struct buf out;
    buf_init(&out, 1024);
    rights_write(&out, right_bit(RIGHT_SEARCH) | right_bit(RIGHT_ALERTS_READ));
    rights_write_roles(&out, 0);
    rights_write_roles(&out, 1u << ACCOUNT_ROLE_ONCALL | 1u << ACCOUNT_ROLE_ANALYST);
    CHECK_SLICE(buf_slice(&out), "[\"alerts.read\",\"search\"][][\"analyst\",\"on-call\"]");
    buf_done(&out);
}
