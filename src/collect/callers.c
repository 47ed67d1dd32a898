/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/callers.h"

#include <stdlib.h>

#include "base/hash.h"

int callers_init(struct callers *c, uint32_t max)
{
    size_t places = 4;
    while (places < 2 * (size_t)max) places *= 2;
    c->places = calloc(places, sizeof *c->places);
    c->mask = (uint32_t)(places - 1);
    return c->places ? 0 : ERR_NOMEM;
}

void callers_done(struct callers *c)
{
    free(c->places);
    c->places = NULL;
}

static uint32_t home_of(const struct callers *c, const char *address)
{
    return (uint32_t)hash64(slice_of(address)) & c->mask;
}

/* Where the address stands, or the free place where it belongs. */
static uint32_t find(const struct callers *c, const char *address)
{
    uint32_t i = home_of(c, address);
    while (c->places[i].n && strcmp(c->places[i].address, address) != 0) i = (i + 1) & c->mask;
    return i;
}

uint32_t callers_count(const struct callers *c, const char *address)
{
    return c->places[find(c, address)].n;
}

void callers_add(struct callers *c, const char *address)
{
    struct caller *place = &c->places[find(c, address)];
    if (place->n++ == 0) (void)snprintf(place->address, sizeof place->address, "%s", address);
}

/* Those that stand behind a place that became free may belong there. */
static void close_gap(struct callers *c, uint32_t gap)
{
    for (uint32_t i = (gap + 1) & c->mask; c->places[i].n; i = (i + 1) & c->mask) {
        uint32_t from_home = (i - home_of(c, c->places[i].address)) & c->mask;
        if (from_home < ((i - gap) & c->mask)) continue;
        c->places[gap] = c->places[i];
        c->places[i].n = 0;
        gap = i;
    }
}

void callers_remove(struct callers *c, const char *address)
{
    uint32_t i = find(c, address);
    ASSERT(c->places[i].n > 0);
    if (--c->places[i].n == 0) close_gap(c, i);
}
