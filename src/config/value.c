/* SPDX-License-Identifier: EUPL-1.2 */
#include "config/value.h"

const struct value_unit value_sizes[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0}};
const struct value_unit value_durations[] = {
    {"ms", NSEC_PER_MSEC},      {"s", NSEC_PER_SEC},         {"min", 60 * NSEC_PER_SEC},
    {"h", 3600 * NSEC_PER_SEC}, {"d", 86400 * NSEC_PER_SEC}, {NULL, 0}};
static const struct value_unit plain[] = {{"", 1}, {NULL, 0}};

bool value_parse(struct slice text, const struct value_unit *units, uint64_t *ret)
{
    size_t digits = 0;
    uint64_t number;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') digits++;
    struct slice unit = slice_from(text, digits);
    if (unit.len > 1 && unit.ptr[0] == ' ') unit = slice_from(unit, 1);
    if (!slice_to_u64(slice_until(text, digits), &number)) return false;
    for (const struct value_unit *u = units; u->name; u++) {
        bool bare = unit.len == 0 && u->factor == 1;
        if (!bare && !slice_eq(unit, slice_of(u->name))) continue;
        if (__builtin_mul_overflow(number, u->factor, &number) || number > INT64_MAX) return false;
        *ret = number;
        return true;
    }
    return false;
}

void value_write(struct buf *out, uint64_t value, const struct value_unit *units)
{
    const struct value_unit *best = units;
    for (const struct value_unit *u = units; u->name; u++)
        if (value > 0 && value % u->factor == 0) best = u;
    buf_printf(out, "%llu%s", (unsigned long long)(value / best->factor), best->name);
}

static bool parse_in_range(const struct setting *s, struct slice text,
                           const struct value_unit *units, uint64_t *ret)
{
    uint64_t least, most, value;
    bool known = value_parse(slice_of(s->least), units, &least) &&
                 value_parse(slice_of(s->most), units, &most);
    ASSERT(known);
    if (!value_parse(text, units, &value) || value < least || value > most) return false;
    *ret = value;
    return true;
}

static bool parse_int(const struct setting *s, struct slice text, uint64_t *ret)
{
    bool is_auto = slice_eq(text, SLICE("auto"));
    if (is_auto && strcmp(s->initial, "auto") == 0) *ret = 0;
    else return parse_in_range(s, text, plain, ret);
    return true;
}

static bool parse_choice(enum config_key key, struct slice text, unsigned *ret)
{
    struct slice word;
    for (unsigned i = 0; (word = config_choice(key, i)).len > 0; i++) {
        if (!slice_eq(word, text)) continue;
        *ret = i;
        return true;
    }
    return false;
}

bool value_store(struct config *c, enum config_key key, struct slice text)
{
    const struct setting *s = &config_settings[key];
    void *value = (char *)c + s->offset;
    uint64_t number;
    switch (s->type) {
    case CONFIG_BOOL:
        if (!slice_eq(text, SLICE("true")) && !slice_eq(text, SLICE("false"))) return false;
        *(bool *)value = slice_eq(text, SLICE("true"));
        return true;
    case CONFIG_INT:
        return parse_int(s, text, value);
    case CONFIG_SIZE:
        return parse_in_range(s, text, value_sizes, value);
    case CONFIG_DURATION:
        if (!parse_in_range(s, text, value_durations, &number)) return false;
        *(nsec *)value = (nsec)number;
        return true;
    case CONFIG_CHOICE:
        return parse_choice(key, text, value);
    case CONFIG_PATHS:
    case CONFIG_TEXTS:
        break;
    }
    return false;
}
