/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/crc32c.h"

#include "test.h"

/* RFC 3720, B.4 (its bytes of a CRC are in the order they are sent: little-endian). */
TEST(crc32c_is_that_of_rfc_3720)
{
    char bytes[32], up[32], down[32], ones[32];
    memset(bytes, 0, sizeof bytes);
    memset(ones, 0xff, sizeof ones);
    for (int i = 0; i < 32; i++) {
        up[i] = (char)i;
        down[i] = (char)(31 - i);
    }
    /* The read command of an iSCSI session. */
    static const char read10[] = "\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "\x14\0\0\0\0\0\x04\0\0\0\0\x14\0\0\0\x18"
                                 "\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0";
    const struct {
        struct slice bytes;
        uint32_t crc;
    } vectors[] = {
        {slice_make(bytes, 32), 0x8a9136aa},
        {slice_make(ones, 32), 0x62a8ab43},
        {slice_make(up, 32), 0x46dd794e},
        {slice_make(down, 32), 0x113fdb5c},
        {slice_make(read10, 48), 0xd9963a56},
        {SLICE("123456789"), 0xe3069283},
        {SLICE_NONE, 0},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        CHECK_INT(crc32c(0, vectors[i].bytes), vectors[i].crc);
        CHECK_INT(crc32c_portable(0, vectors[i].bytes), vectors[i].crc);
    }
}

/* At every length, address and cut the two ways agree. */
TEST(crc32c_goes_on_where_it_was)
{
    char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 37 + i / 7);
    for (size_t begin = 0; begin < 9; begin++)
        for (size_t len = 0; len < sizeof bytes - 9; len++) {
            struct slice s = slice_make(bytes + begin, len);
            uint32_t whole = crc32c_portable(0, s);
            REQUIRE(crc32c(0, s) == whole);
            size_t cut = len / 3;
            REQUIRE(crc32c(crc32c(0, slice_until(s, cut)), slice_from(s, cut)) == whole);
            REQUIRE(crc32c_portable(crc32c(0, slice_until(s, cut)), slice_from(s, cut)) == whole);
        }
}

/* Long ones are summed in several pieces. */
TEST(crc32c_of_what_is_long_is_the_same)
{
    enum { LONGEST = 20000 };
    static char bytes[LONGEST];
    for (size_t i = 0; i < LONGEST; i++) bytes[i] = (char)(i * i / 5 + i * 91);
    for (size_t len = 3000; len < LONGEST - 8; len += 131) {
        struct slice s = slice_make(bytes + len % 8, len);
        REQUIRE(crc32c((uint32_t)len, s) == crc32c_portable((uint32_t)len, s));
    }
}
