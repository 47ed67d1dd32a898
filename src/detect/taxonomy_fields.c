/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/taxonomy.h"
#include "detect/taxonomy_model.h"

struct slice taxonomy_entity_of(const struct taxonomy *t, struct slice field)
{
    for (uint32_t i = 0; i < t->entities.n; i++) {
        const struct taxonomy_entity *e = &t->entities.at[i];
        for (uint32_t k = 0; k < e->n_fields; k++)
            if (slice_eq(e->fields[k], field)) return e->name;
    }
    return SLICE_NONE;
}

bool taxonomy_names_host(const struct taxonomy *t, struct slice field)
{
    for (uint32_t i = 0; i < t->hosts.n; i++)
        if (slice_eq(t->hosts.at[i], field)) return true;
    return false;
}
