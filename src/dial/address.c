/* SPDX-License-Identifier: EUPL-1.2 */
#include "dial/address.h"

#include "base/authority.h"

bool dial_address_read(struct slice text, struct slice scheme, struct slice port,
                       struct dial_address *ret)
{
    struct slice authority = slice_from(text, scheme.len), host, said;
    uint64_t number;
    if (authority.len && authority.ptr[authority.len - 1] == '/') authority.len--;
    if (!slice_starts_with(text, scheme) || !authority_read(authority, &host, &said) ||
        !slice_copy(host, ret->host, sizeof ret->host) ||
        !slice_to_u64(said.len ? said : port, &number))
        return false;
    ret->port = (uint16_t)number;
    return slice_copy(slice_make(text.ptr, scheme.len + authority.len), ret->origin,
                      sizeof ret->origin);
}

bool dial_https_read(struct slice text, struct dial_address *ret)
{
    return dial_address_read(text, SLICE("https://"), SLICE("443"), ret);
}

bool dial_proxy_read(struct slice text, struct dial_address *ret)
{
    return dial_address_read(text, SLICE("http://"), SLICE_NONE, ret);
}
