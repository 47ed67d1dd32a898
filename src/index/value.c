/* SPDX-License-Identifier: EUPL-1.2 */
#include "index/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "detect/sigma/match.h"

/* Up to there each whole number is a double of its own. */
static const double number_max = 1e15;

struct slice value_plain_number(struct slice text, char ret[VALUE_PLAIN_MAX])
{
    double number;
    if (!slice_to_double(text, &number) || !(number > -number_max && number < number_max))
        return SLICE_NONE;
    int64_t whole = (int64_t)number;
    if ((double)whole != number) return SLICE_NONE;
    int n = snprintf(ret, VALUE_PLAIN_MAX, "%" PRId64, whole);
    return slice_make(ret, (size_t)n);
}

struct slice value_address_text(const uint8_t addr[16], bool v6, char ret[VALUE_PLAIN_MAX])
{
    if (!inet_ntop(v6 ? AF_INET6 : AF_INET, addr, ret, VALUE_PLAIN_MAX)) return SLICE_NONE;
    return slice_of(ret);
}

struct slice value_plain_address(struct slice text, char ret[VALUE_PLAIN_MAX])
{
    uint8_t addr[16];
    bool v6;
    static const char first[] = "0123456789abcdefABCDEF:";
    if (text.len < 2 || !text.ptr[0] || !strchr(first, text.ptr[0]) ||
        slice_find_byte(text, ':') == SIZE_MAX || !addr_parse(text, addr, &v6))
        return SLICE_NONE;
    return value_address_text(addr, v6, ret);
}
