/* SPDX-License-Identifier: EUPL-1.2 */
#include "canary/said.h"

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/time.h"

nsec said_seconds(struct slice object, const char *name)
{
    uint64_t n = json_member_u64(object, name);
    return n < INT64_MAX / NSEC_PER_SEC ? (nsec)n * NSEC_PER_SEC : 0;
}

void said_put_time(struct buf *out, const char *name, nsec time)
{
    json_write_key(out, name);
    if (time <= 0) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

void said_put_text(struct buf *out, const char *name, struct slice inside)
{
    json_write_key(out, name);
    if (inside.len) buf_printf(out, "\"%.*s\"", SLICE_FMT(inside));
    else buf_puts(out, "null");
}
