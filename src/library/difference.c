/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/difference.h"

#include <stdlib.h>

#include "base/json_write.h"

const char *difference_name(enum difference_kind kind)
{
    static const char *const names[] = {
#define X(id, name) name,
        DIFFERENCES(X)
#undef X
    };
    return names[kind];
}

/* One text of the metadata. */
static struct slice part_of(const struct catalog_rule *r, unsigned part)
{
    const struct sigma_doc *doc = r->doc;
    switch (part) {
    case 0:
        return slice_of(sigma_level_name(doc->level));
    case 1:
        return doc->status;
    case 2:
        return doc->title;
    case 3:
        return slice_of(doc->file);
    case 4:
        return doc->description;
    default:
        return doc->modified;
    }
}

unsigned difference_part(const struct difference *d, unsigned from, const char **ret_name,
                         struct slice *ret_old, struct slice *ret_new)
{
    static const char *const names[] = {"level", "status",      "title",
                                        "file",  "description", "modified"};
    if (!d->old || !d->new) return 0;
    for (unsigned i = from; i < sizeof names / sizeof *names; i++) {
        struct slice old = part_of(d->old, i), new = part_of(d->new, i);
        if (slice_eq(old, new)) continue;
        *ret_name = names[i];
        *ret_old = old;
        *ret_new = new;
        return i + 1;
    }
    return 0;
}

static struct slice text_of(const struct catalog *c, const struct catalog_rule *r)
{
    return c->pack->files[r->file].text;
}

static void put(struct differences *d, enum difference_kind kind, const struct catalog_rule *old,
                const struct catalog_rule *new)
{
    bool before = old && old->on, after = new &&new->on;
    d->counts[kind]++;
    d->on += after && !before;
    d->off += before && !after;
    d->items[d->n++] =
        (struct difference){.kind = kind, .old = old, .new = new, .switched = before != after};
}

static void put_both(struct differences *d, const struct catalog *old, const struct catalog *new,
                     const struct catalog_rule *a, const struct catalog_rule *b)
{
    bool logic = memcmp(a->logic, b->logic, sizeof a->logic) != 0;
    bool same = slice_eq(slice_of(a->doc->file), slice_of(b->doc->file)) &&
                slice_eq(text_of(old, a), text_of(new, b));
    if (logic) put(d, DIFFERENCE_LOGIC, a, b);
    else if (!same) put(d, DIFFERENCE_METADATA, a, b);
    else if (a->on != b->on) put(d, DIFFERENCE_SWITCHED, a, b);
    else d->same++;
}

int difference_make(struct differences *ret, const struct catalog *old, const struct catalog *new)
{
    uint32_t n_old = old ? old->n : 0, i = 0, k = 0;
    struct differences d = {.items = calloc((size_t)n_old + new->n + 1, sizeof *d.items)};
    if (!d.items) return ERR_NOMEM;
    while (i < n_old || k < new->n) {
        const struct catalog_rule *a = i < n_old ? &old->rules[i] : NULL;
        const struct catalog_rule *b = k < new->n ? &new->rules[k] : NULL;
        int order = !a ? 1 : !b ? -1 : slice_cmp(a->key, b->key);
        if (order < 0) put(&d, DIFFERENCE_REMOVED, a, NULL);
        else if (order > 0) put(&d, DIFFERENCE_NEW, NULL, b);
        else put_both(&d, old, new, a, b);
        i += order <= 0;
        k += order >= 0;
    }
    *ret = d;
    return 0;
}

void difference_done(struct differences *d)
{
    free(d->items);
    *d = (struct differences){0};
}

void difference_write(struct buf *out, const struct difference *d)
{
    const struct catalog_rule *r = d->new ? d->new : d->old;
    const char *name;
    struct slice old, new;
    buf_putc(out, '{');
    json_write_member_string(out, "change", slice_of(difference_name(d->kind)));
    json_write_member_string(out, "id", r->key);
    json_write_member_string(out, "title", r->doc->title);
    json_write_member_string(out, "level", slice_of(sigma_level_name(r->doc->level)));
    json_write_key(out, "was_on");
    buf_puts(out, d->old && d->old->on ? "true" : "false");
    json_write_key(out, "is_on");
    buf_puts(out, d->new && d->new->on ? "true" : "false");
    json_write_key(out, "metadata");
    buf_putc(out, '{');
    for (unsigned part = 0; (part = difference_part(d, part, &name, &old, &new)) != 0;) {
        json_write_key(out, name);
        buf_putc(out, '[');
        json_write_string(out, old);
        buf_putc(out, ',');
        json_write_string(out, new);
        buf_putc(out, ']');
    }
    buf_puts(out, "}}");
}

void differences_write_counts(struct buf *out, const struct differences *d)
{
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        json_write_member_u64(out, difference_name(i), d->counts[i]);
    json_write_member_u64(out, "unchanged", d->same);
    json_write_member_u64(out, "switched_on", d->on);
    json_write_member_u64(out, "switched_off", d->off);
}
