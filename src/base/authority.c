/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/authority.h"

bool authority_read(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
    struct slice host = text, port = SLICE_NONE, rest = SLICE_NONE;
    bool brackets = text.len > 0 && text.ptr[0] == '[', said = false;
    uint64_t number;
    if (brackets) {
        if (!slice_split(slice_from(text, 1), ']', &host, &rest)) return false;
        said = rest.len > 0;
        if (said && rest.ptr[0] != ':') return false;
        port = slice_from(rest, 1);
    } else {
        said = slice_split(text, ':', &host, &port);
    }
    if (host.len == 0 || !slice_is_plain(host, brackets ? ":." : ".-")) return false;
    if (said && (!slice_to_u64(port, &number) || number == 0 || number > UINT16_MAX)) return false;
    *ret_host = host;
    *ret_port = said ? port : SLICE_NONE;
    return true;
}
