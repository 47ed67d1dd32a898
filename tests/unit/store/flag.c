/* SPDX-License-Identifier: EUPL-1.2 */
#include "store/flag.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

TEST(flag_is_seen_by_others_and_goes_with_who_raised_it)
{
    REQUIRE(mkdir(test_path("flags"), 0700) == 0);
    int one = open(test_path("flags"), O_RDONLY | O_DIRECTORY);
    int other = open(test_path("flags"), O_RDONLY | O_DIRECTORY);
    flag_set(one, FLAG_BEHIND, true);
    flag_set(one, FLAG_READERS, true);
    CHECK(flag_is_raised(other, FLAG_BEHIND) && flag_is_raised(other, FLAG_READERS));
    CHECK(!flag_is_raised(one, FLAG_BEHIND));
    CHECK(!flag_is_raised(other, FLAG_READERS + 1));
    flag_set(one, FLAG_BEHIND, false);
    CHECK(!flag_is_raised(other, FLAG_BEHIND) && flag_is_raised(other, FLAG_READERS));
    /* Raised by two it is so until the second lowers it. */
    flag_set(other, FLAG_READERS, true);
    CHECK(flag_is_raised(one, FLAG_READERS));
    (void)close(one);
    CHECK(!flag_is_raised(other, FLAG_READERS));
    (void)close(other);
}
