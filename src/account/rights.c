/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/rights.h"

#include "base/json_write.h"

static const struct {
    const char *name, *text;
    bool roles[ACCOUNT_ROLE_COUNT];
} rights[RIGHT_COUNT] = {
#define X(id, name, v, a, r, o, m, u, what) [RIGHT_##id] = {name, what, {v, a, r, o, m, u}},
    ACCOUNT_RIGHTS(X)
#undef X
};

static const struct {
    const char *name, *text;
} roles[ACCOUNT_ROLE_COUNT] = {
#define X(id, name, what) [ACCOUNT_ROLE_##id] = {name, what},
    ACCOUNT_ROLES(X)
#undef X
};

const char *right_name(enum account_right right)
{
    return rights[right].name;
}

const char *right_text(enum account_right right)
{
    return rights[right].text;
}

enum account_right right_find(struct slice name)
{
    unsigned at = 0;
    while (at < RIGHT_COUNT && !slice_eq(slice_of(rights[at].name), name)) at++;
    return at;
}

const char *rights_role_name(enum account_role role)
{
    return roles[role].name;
}

const char *rights_role_text(enum account_role role)
{
    return roles[role].text;
}

enum account_role rights_role_find(struct slice name)
{
    unsigned at = 0;
    while (at < ACCOUNT_ROLE_COUNT && !slice_eq(slice_of(roles[at].name), name)) at++;
    return at;
}

uint64_t rights_of_role(enum account_role role)
{
    uint64_t set = 0;
    for (unsigned at = 0; at < RIGHT_COUNT; at++)
        if (rights[at].roles[role]) set |= right_bit(at);
    return set;
}

uint64_t rights_of_roles(uint32_t set)
{
    uint64_t of_all = 0;
    for (unsigned at = 0; at < ACCOUNT_ROLE_COUNT; at++)
        if (set >> at & 1) of_all |= rights_of_role(at);
    return of_all;
}

static void write_name(struct buf *out, const char *name)
{
    if (out->len && out->ptr[out->len - 1] != '[') buf_putc(out, ',');
    json_write_string(out, slice_of(name));
}

void rights_write(struct buf *out, uint64_t set)
{
    buf_putc(out, '[');
    for (unsigned at = 0; at < RIGHT_COUNT; at++)
        if (set & right_bit(at)) write_name(out, rights[at].name);
    buf_putc(out, ']');
}

void rights_write_roles(struct buf *out, uint32_t set)
{
    buf_putc(out, '[');
    for (unsigned at = 0; at < ACCOUNT_ROLE_COUNT; at++)
        if (set >> at & 1) write_name(out, roles[at].name);
    buf_putc(out, ']');
}
