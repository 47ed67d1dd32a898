/* SPDX-License-Identifier: EUPL-1.2 */
#include "witness/address.h"

#include <stdio.h>

/* Printable ASCII without blanks, and nothing that has a meaning in the head of a request. */
static bool bytes_valid(struct slice text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(more, c))) return false;
    }
    return true;
}

static bool copy(char *to, size_t size, struct slice text)
{
    if (text.len == 0 || text.len >= size) return false;
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return true;
}

static bool read_host(struct slice text, struct witness_address *ret)
{
    struct slice host = text, port = SLICE("443"), rest;
    uint64_t number;
    bool brackets = text.len > 0 && text.ptr[0] == '[';
    if (brackets) {
        if (!slice_split(slice_from(text, 1), ']', &host, &rest)) return false;
        if (rest.len > 0 && rest.ptr[0] != ':') return false;
        if (rest.len > 0) port = slice_from(rest, 1);
    } else if (slice_split(text, ':', &host, &rest)) {
        port = rest;
    }
    return bytes_valid(host, brackets ? ":." : ".-") && copy(ret->host, sizeof ret->host, host) &&
           slice_to_u64(port, &number) && number > 0 && number < 65536 &&
           copy(ret->port, sizeof ret->port, port) &&
           copy(ret->authority, sizeof ret->authority, text);
}

int witness_address_read(struct slice text, struct witness_address *ret, const char **ret_why)
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
    int n = snprintf(ret->path, sizeof ret->path, "/%.*s%sadd-checkpoint", SLICE_FMT(path),
                     path.len ? "/" : "");
    if (!bytes_valid(path, "._~/-") || n < 0 || (size_t)n >= sizeof ret->path) return ERR_SYNTAX;
    *ret_why = "what stands behind the address is no public key of a witness";
    if (checkpoint_key_read(slice_trim(key), &ret->key) != 0) return ERR_SYNTAX;
    return ret->key.type == CHECKPOINT_WITNESS ? 0 : ERR_SYNTAX;
}
