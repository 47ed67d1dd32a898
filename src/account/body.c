/* SPDX-License-Identifier: EUPL-1.2 */
#include "account/body.h"

#include <sodium.h>

#include "base/json_read.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_ROLES, KIND_RIGHTS };

static const struct {
    const char *name;
    enum kind kind;
} members[MEMBER_COUNT] = {
#define X(id, name, kind) [MEMBER_##id] = {name, KIND_##kind},
    BODY_MEMBERS(X)
#undef X
};

const char *body_member_name(enum body_member member)
{
    return members[member].name;
}

void body_clear(struct body *b)
{
    sodium_memzero(b, sizeof *b);
}

static bool read_text(struct slice value, struct body_value *ret)
{
    struct buf text;
    buf_init(&text, BODY_TEXT_MAX);
    bool good = json_string_text(value, &text) && !buf_failed(&text) &&
                slice_find_byte(buf_slice(&text), '\0') == SIZE_MAX;
    if (good && text.len) memcpy(ret->text, text.ptr, text.len);
    ret->len = good ? text.len : 0;
    if (text.ptr) sodium_memzero(text.ptr, text.cap);
    buf_done(&text);
    return good;
}

static bool add_name(struct slice value, enum kind kind, uint64_t *bits)
{
    struct slice name;
    if (!json_string_inside(value, &name)) return false;
    unsigned at = kind == KIND_ROLES ? (unsigned)rights_role_find(name) : right_find(name);
    if (at == (kind == KIND_ROLES ? (unsigned)ACCOUNT_ROLE_COUNT : RIGHT_COUNT)) return false;
    *bits |= UINT64_C(1) << at;
    return true;
}

static bool read_names(struct slice value, enum kind kind, uint64_t *ret)
{
    struct json_parts it;
    struct slice name, part;
    if (value.len && value.ptr[0] == '"') return add_name(value, kind, ret);
    if (value.len == 0 || value.ptr[0] != '[') return false;
    json_parts_init(&it, value);
    while (json_parts_next(&it, &name, &part))
        if (!add_name(part, kind, ret)) return false;
    return true;
}

static bool read_value(struct slice value, enum kind kind, struct body_value *ret)
{
    ret->given = true;
    switch (kind) {
    case KIND_TEXT:
        return read_text(value, ret);
    case KIND_NUMBER:
        return slice_to_u64(value, &ret->number) && ret->number <= INT64_MAX;
    default:
        return read_names(value, kind, &ret->number);
    }
}

static const char *wrong_of(enum kind kind)
{
    switch (kind) {
    case KIND_TEXT:
        return "a text of at most 1024 bytes is wanted";
    case KIND_NUMBER:
        return "a number from 0 is wanted";
    case KIND_ROLES:
        return "names of roles are wanted: viewer, analyst, responder, on-call, admin, auditor";
    default:
        return "names of rights are wanted, as the list of roles has them";
    }
}

/* Whether the action takes it; *ret_needed: and cannot do without. */
static bool takes(enum account_action action, struct slice name, bool *ret_needed)
{
    struct slice rest = slice_of(action_members(action)), word;
    *ret_needed = false;
    while ((word = slice_next_word(&rest)).len) {
        bool optional = word.ptr[word.len - 1] == '?';
        if (!slice_eq(slice_until(word, word.len - optional), name)) continue;
        *ret_needed = !optional;
        return true;
    }
    return slice_eq(name, slice_of(members[MEMBER_REASON].name));
}

static unsigned find_member(struct slice name)
{
    unsigned at = 0;
    while (at < MEMBER_COUNT && !slice_eq(slice_of(members[at].name), name)) at++;
    return at;
}

static int read_member(struct body *b, enum account_action action, struct slice name,
                       struct slice value, const char **ret_why)
{
    bool needed;
    unsigned at = find_member(name);
    *ret_why = "there is no such member here";
    if (at == MEMBER_COUNT || !takes(action, name, &needed)) return ERR_INVALID;
    *ret_why = "it is there twice";
    if (b->values[at].given) return ERR_INVALID;
    *ret_why = wrong_of(members[at].kind);
    return read_value(value, members[at].kind, &b->values[at]) ? 0 : ERR_INVALID;
}

static int check_needed(const struct body *b, enum account_action action, struct slice *ret_member,
                        const char **ret_why)
{
    for (unsigned at = 0; at < MEMBER_COUNT; at++) {
        bool needed;
        *ret_member = slice_of(members[at].name);
        *ret_why = "it is missing";
        if (takes(action, *ret_member, &needed) && needed && !b->values[at].given)
            return ERR_INVALID;
    }
    return 0;
}

int body_read(struct body *b, enum account_action action, struct slice text,
              struct slice *ret_member, const char **ret_why)
{
    struct json_parts it;
    struct slice value, none = SLICE("{}");
    int error = 0;
    body_clear(b);
    *ret_member = SLICE_NONE;
    *ret_why = "one JSON object is wanted";
    text = slice_trim(text.len ? text : none);
    if (!json_is_object(text)) return ERR_INVALID;
    json_parts_init(&it, text);
    while (error == 0 && json_parts_next(&it, ret_member, &value))
        error = read_member(b, action, *ret_member, value, ret_why);
    return error ? error : check_needed(b, action, ret_member, ret_why);
}
