/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/zone.h"

#include "test.h"

#define HOUR (3600 * NSEC_PER_SEC)

TEST(a_zone_has_its_steps)
{
    struct zone zone;
    struct diag diag;
    const nsec winter = INT64_C(1798062420) * NSEC_PER_SEC; /* 2026-12-23T21:47:00Z */
    const nsec step = INT64_C(1774746000) * NSEC_PER_SEC;   /* 2026-03-29T01:00:00Z */
    REQUIRE(zone_read(&zone, "Europe/Stockholm", winter, &diag) == 0);
    CHECK_INT(zone_offset(&zone, winter), 3600);
    CHECK_INT(zone_offset(&zone, step - 1), 3600);
    CHECK_INT(zone_offset(&zone, step), 7200);
    CHECK(zone_from_local(&zone, winter + HOUR) == winter);
    CHECK(zone_from_local(&zone, step + 2 * HOUR) == step);
}

TEST(a_zone_that_is_none_is_refused)
{
    struct zone zone;
    struct diag diag = {0};
    CHECK_INT(zone_read(&zone, "Europe/Nowhere", 0, &diag), ERR_INVALID);
    CHECK(diag.message[0] != '\0');
    CHECK_INT(zone_read(&zone, "../etc/passwd", 0, &diag), ERR_INVALID);
}
