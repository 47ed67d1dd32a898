/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/header.h"

bool header_cookie(struct slice cookies, struct slice name, struct slice *ret)
{
    struct slice one, is, value;
    bool more = cookies.len > 0;
    while (more) {
        more = slice_split(cookies, ';', &one, &cookies);
        if (!slice_split(slice_trim(one), '=', &is, &value) || !slice_eq(is, name)) continue;
        *ret = value;
        return true;
    }
    return false;
}

bool header_bearer(struct slice authorization, struct slice *ret)
{
    if (!slice_eq_nocase(slice_until(authorization, 7), SLICE("Bearer "))) return false;
    *ret = slice_trim(slice_from(authorization, 7));
    return true;
}

bool header_has_tag(struct slice list, struct slice tag)
{
    struct slice one;
    bool more = list.len > 0;
    while (more) {
        more = slice_split(list, ',', &one, &list);
        one = slice_trim(one);
        if (slice_starts_with(one, SLICE("W/"))) one = slice_from(one, 2);
        if (slice_eq(one, tag) || slice_eq(one, SLICE("*"))) return true;
    }
    return false;
}

bool header_version(struct slice match, uint64_t *ret)
{
    struct slice version, changed;
    if (match.len < 3 || match.ptr[0] != '"' || match.ptr[match.len - 1] != '"') return false;
    (void)slice_split(slice_make(match.ptr + 1, match.len - 2), '.', &version, &changed);
    return slice_to_u64(version, ret);
}

static bool is_type(struct slice type, struct slice wanted)
{
    struct slice kind, rest;
    (void)slice_split(type, ';', &kind, &rest);
    return slice_eq_nocase(slice_trim(kind), wanted);
}

bool header_is_json(struct slice type)
{
    return is_type(type, SLICE("application/json"));
}

bool header_is_form(struct slice type)
{
    return is_type(type, SLICE("application/x-www-form-urlencoded"));
}

bool header_is_zip(struct slice type)
{
    return is_type(type, SLICE("application/zip"));
}

/* "gzip;q=0.5": of what has the weight 0 nothing is taken. */
static bool weighs_nothing(struct slice weight)
{
    if (!slice_starts_with(weight, SLICE("q=0"))) return false;
    for (size_t i = 3; i < weight.len; i++)
        if (weight.ptr[i] != '0' && weight.ptr[i] != '.') return false;
    return true;
}

bool header_takes_gzip(struct slice accepted)
{
    struct slice rest = accepted, part, coding, weight;
    bool more = accepted.len > 0;
    while (more) {
        more = slice_split(rest, ',', &part, &rest);
        bool weighed = slice_split(part, ';', &coding, &weight);
        if (slice_eq_nocase(slice_trim(coding), SLICE("gzip")))
            return !weighed || !weighs_nothing(slice_trim(weight));
    }
    return false;
}

bool header_is_own(struct slice origin, struct slice host)
{
    return slice_starts_with(origin, SLICE("https://")) &&
           slice_eq_nocase(slice_from(origin, 8), host);
}
