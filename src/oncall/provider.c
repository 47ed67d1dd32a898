/* SPDX-License-Identifier: EUPL-1.2 */
/* Providers, as the process that has them tells of them. */
#include "base/json_read.h"
#include "oncall/internal.h"

/* One that has failed this often in a row is tried last for a while. */
enum { FAILED_OFTEN = 2 };
#define FAILED_FOR (60 * NSEC_PER_SEC)

static bool read_channels(struct slice list, unsigned *ret)
{
    struct slice name, item, text;
    struct json_parts parts;
    *ret = 0;
    json_parts_init(&parts, list);
    while (json_parts_next(&parts, &name, &item)) {
        if (!json_string_inside(item, &text)) return false;
        const enum notify_channel channel = notify_channel_read(text);
        if (channel) *ret |= 1U << channel;
    }
    return true;
}

static bool read_one(struct slice object, struct provider *ret)
{
    struct slice value, text;
    *ret = (struct provider){.failed = 0};
    if (!json_is_object(object) || !json_find_member(object, "name", NULL, &value) ||
        !json_string_inside(value, &text) || !slice_copy(text, ret->name, sizeof ret->name) ||
        !json_find_member(object, "channels", NULL, &value) ||
        !read_channels(value, &ret->channels))
        return false;
    if (json_find_member(object, "own", NULL, &value)) ret->own = slice_eq(value, SLICE("true"));
    return true;
}

struct provider *provider_find(struct oncall *o, struct slice name)
{
    for (size_t i = 0; i < o->n_providers; i++)
        if (slice_eq(name, slice_of(o->providers[i].name))) return &o->providers[i];
    return NULL;
}

/* What is known of one that is named again is kept. */
int providers_read(struct oncall *o, struct slice list)
{
    struct provider of[ONCALL_PROVIDERS_MAX];
    size_t n = 0;
    struct slice name, item, all;
    struct json_parts parts;
    if (json_read_value(list, json_skip_blank(list, 0), &all) != 0 || all.ptr[0] != '[')
        return ERR_SYNTAX;
    json_parts_init(&parts, all);
    while (json_parts_next(&parts, &name, &item)) {
        if (n == ONCALL_PROVIDERS_MAX || !read_one(item, &of[n])) return ERR_SYNTAX;
        const struct provider *known = provider_find(o, slice_of(of[n].name));
        if (known) {
            of[n].failed = known->failed;
            of[n].failed_at = known->failed_at;
        }
        n++;
    }
    memcpy(o->providers, of, n * sizeof *of);
    o->n_providers = n;
    return 0;
}

static bool is_down(const struct oncall *o, const struct provider *p)
{
    return p->failed >= FAILED_OFTEN && o->now - p->failed_at < FAILED_FOR;
}

size_t providers_for(struct oncall *o, unsigned channel, struct provider *ret[ONCALL_PROVIDERS_MAX])
{
    size_t n = 0;
    for (int down = 0; down < 2; down++)
        for (size_t i = 0; i < o->n_providers; i++)
            if (o->providers[i].channels >> channel & 1 && is_down(o, &o->providers[i]) == down)
                ret[n++] = &o->providers[i];
    return n;
}
