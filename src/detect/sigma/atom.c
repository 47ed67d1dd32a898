/* SPDX-License-Identifier: EUPL-1.2 */
#include "detect/sigma/match.h"

bool anchor_match(struct slice text, struct slice pattern, enum anchor anchor)
{
    switch (anchor) {
    case ANCHOR_WHOLE:
        return slice_eq(text, pattern);
    case ANCHOR_START:
        return slice_starts_with(text, pattern);
    case ANCHOR_END:
        return slice_ends_with(text, pattern);
    case ANCHOR_INSIDE:
        return slice_find(text, pattern) != SIZE_MAX;
    }
    return false;
}

const char *atom_op_text(const struct sigma_atom *a)
{
    static const char *const cmp[] = {[CMP_LT] = "lt",   [CMP_LTE] = "lte", [CMP_GT] = "gt",
                                      [CMP_GTE] = "gte", [CMP_EQ] = "is",   [CMP_NEQ] = "neq"};
    switch (a->op) {
    case ATOM_STRING:
        if (a->words) return "has";
        return a->cased ? "is (cased)" : "is";
    case ATOM_KEYWORD:
        return a->cased ? "contains (cased)" : "contains";
    case ATOM_REGEX:
        return "re";
    case ATOM_NUMBER:
    case ATOM_TIME:
        return cmp[a->cmp];
    case ATOM_CIDR:
        return "cidr";
    case ATOM_NULL:
        return "is null";
    case ATOM_EXISTS:
        return "exists";
    case ATOM_FIELDREF:
        return "fieldref";
    case ATOM_LISTED:
        return "is in";
    }
    return "";
}
