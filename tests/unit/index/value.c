/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/value.h"

#include "test.h"

static bool number_is(const char *text, const char *plain)
{
    char space[VALUE_PLAIN_MAX];
    return slice_eq(value_plain_number(slice_of(text), space), slice_of(plain));
}

static bool address_is(const char *text, const char *plain)
{
    char space[VALUE_PLAIN_MAX];
    return slice_eq(value_plain_address(slice_of(text), space), slice_of(plain));
}

TEST(numbers_have_one_plain_text)
{
    CHECK(number_is("4625", "4625"));
    CHECK(number_is("4.625e3", "4625"));
    CHECK(number_is("4625.0", "4625"));
    CHECK(number_is("-3", "-3"));
    CHECK(number_is("0.5", ""));
    CHECK(number_is("1e15", ""));
    CHECK(number_is("1e300", ""));
    CHECK(number_is("anna", ""));
}

TEST(addresses_have_one_plain_text)
{
    CHECK(address_is("2001:0DB8:0:0::7", "2001:db8::7"));
    CHECK(address_is("fe80::1%eth0", "fe80::1"));
    CHECK(address_is("::ffff:10.0.0.1", "10.0.0.1"));
    CHECK(address_is("10.0.0.1", ""));
    CHECK(address_is("C:x", ""));
    CHECK(address_is(":", ""));
}
