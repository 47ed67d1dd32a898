/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/core.h"

int core_source(struct core *core, const struct record_source *source, struct buf *text,
                struct ledger_row **ret)
{
    buf_clear(text);
    record_source_write(text, source);
    if (buf_failed(text)) return buf_error(text);
    *ret = ledger_row_of(&core->ledger, buf_slice(text));
    return 0;
}

struct listener core_listener(const struct listener *row)
{
    struct listener l = *row;
    if (l.record_max == 0) l.record_max = 64 * 1024;
    if (l.connections_max == 0) l.connections_max = 1024;
    if (l.per_address_max == 0) l.per_address_max = 128;
    if (l.idle == 0) l.idle = 3600 * NSEC_PER_SEC;
    if (l.body_max == 0) l.body_max = (size_t)16 * 1024 * 1024;
    return l;
}
