/* SPDX-License-Identifier: EUPL-1.2 */
#include "alert/entity.h"

void entity_write(struct buf *out, const struct taxonomy_entity_value *entities, uint32_t n,
                  struct slice host, struct slice source)
{
    buf_clear(out);
    buf_put(out, slice_until(host, ENTITY_PART_MAX));
    for (uint32_t i = 0; i < n; i++) {
        if (!entities[i].about) continue;
        buf_putc(out, '\t');
        buf_put(out, slice_until(entities[i].value, ENTITY_PART_MAX));
    }
    if (out->len == 0) buf_put(out, slice_until(source, ENTITY_PART_MAX));
}

struct slice entity_user(const struct taxonomy_entity_value *entities, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (slice_eq(entities[i].name, SLICE("user.name")))
            return slice_until(entities[i].value, ENTITY_PART_MAX);
    return SLICE_NONE;
}
