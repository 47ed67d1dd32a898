/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/address.h"

#include <stdio.h>

#include "base/authority.h"

static bool read_host(struct slice text, struct witness_address *ret)
{
    struct slice host, port;
    return authority_read(text, &host, &port) && slice_copy(host, ret->host, sizeof ret->host) &&
           slice_copy(port.len ? port : SLICE("443"), ret->port, sizeof ret->port) &&
           slice_copy(text, ret->authority, sizeof ret->authority);
}

int witness_address_read(struct slice text, const char *leaf, enum checkpoint_key_type type,
                         struct witness_address *ret, const char **ret_why)
{
    struct slice url, key, host, path;
    *ret_why = "an address, a blank and a public key are expected";
    if (!slice_split(slice_trim(text), ' ', &url, &key)) return ERR_SYNTAX;
    *ret_why = "the address has to begin with https://";
    if (!slice_starts_with(url, SLICE("https://"))) return ERR_SYNTAX;
    (void)slice_split(slice_from(url, strlen("https://")), '/', &host, &path);
    *ret_why = "the host or its port is none";
    if (!read_host(host, ret)) return ERR_SYNTAX;
    if (path.len > 0 && path.ptr[path.len - 1] == '/') path.len--;
    *ret_why = "the path has other characters than letters, digits, and . _ ~ / -";
    int n = snprintf(ret->path, sizeof ret->path, "/%.*s%s%s", SLICE_FMT(path), path.len ? "/" : "",
                     leaf);
    if (!slice_is_plain(path, "._~/-") || n < 0 || (size_t)n >= sizeof ret->path) return ERR_SYNTAX;
    *ret_why = "what stands behind the address is no public key of that kind";
    if (checkpoint_key_read(slice_trim(key), &ret->key) != 0) return ERR_SYNTAX;
    return ret->key.type == type ? 0 : ERR_SYNTAX;
}
