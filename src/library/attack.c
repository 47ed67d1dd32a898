/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/attack.h"

#include "library/files.h"

static bool digits(struct slice s, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++)
        if (i >= s.len || s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

bool attack_of_tag(struct slice tag, char ret[ATTACK_ID_MAX + 1])
{
    const struct slice start = SLICE("attack.t");
    if (tag.len < start.len || !slice_eq_nocase(slice_until(tag, start.len), start)) return false;
    struct slice id = slice_from(tag, start.len - 1);
    bool technique = id.len == 5 && digits(id, 1, 4);
    bool sub = id.len == ATTACK_ID_MAX && digits(id, 1, 4) && id.ptr[5] == '.' && digits(id, 6, 3);
    if (!technique && !sub) return false;
    memcpy(ret, id.ptr, id.len);
    ret[0] = 'T';
    ret[id.len] = '\0';
    return true;
}

static struct slice data(void)
{
    struct slice text = SLICE_NONE;
    (void)library_file_find(SLICE("taxonomy/attack.tsv"), &text);
    return text;
}

bool attack_next(size_t *at, struct attack_technique *ret)
{
    for (struct slice rest = slice_from(data(), *at), line; rest.len > 0;) {
        (void)slice_split(rest, '\n', &line, &rest);
        *at += line.len + 1;
        struct attack_technique t;
        if (!slice_starts_with(line, SLICE("T")) || slice_starts_with(line, SLICE("TA"))) continue;
        if (!slice_split(line, '\t', &t.id, &line)) continue;
        (void)slice_split(line, '\t', &t.name, &t.tactics);
        *ret = t;
        return true;
    }
    return false;
}

bool attack_find(struct slice id, struct attack_technique *ret)
{
    struct attack_technique t;
    for (size_t at = 0; attack_next(&at, &t);) {
        if (!slice_eq(t.id, id)) continue;
        *ret = t;
        return true;
    }
    return false;
}
