/* SPDX-License-Identifier: EUPL-1.2 */
/* Answers of 46elks: "Get SMS by ID", "SMS history", "Get phone call by ID", "Call history",
 * "Action: IVR" of its documentation. */
#include "base/json_read.h"
#include "notify/internal.h"

bool elks_is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && text.ptr[i] != '*' && text.ptr[i] != '#')
            return false;
    return text.len > 0 && text.len <= 16;
}

static void take(struct slice object, const char *name, struct slice *ret)
{
    struct slice value;
    *ret = SLICE_NONE;
    if (json_find_member(object, name, NULL, &value)) (void)json_string_inside(value, ret);
}

/* "actions":[{"ivr":"…","result":"1"}]: what was pressed at a menu; the last counts. */
static void take_digits(struct slice object, struct slice *ret)
{
    struct slice actions, name, action, menu, result;
    struct json_parts it;
    *ret = SLICE_NONE;
    if (!json_find_member(object, "actions", NULL, &actions) || actions.ptr[0] != '[') return;
    json_parts_init(&it, actions);
    while (json_parts_next(&it, &name, &action)) {
        if (!json_is_object(action) || !json_find_member(action, "ivr", NULL, &menu)) continue;
        take(action, "result", &result);
        if (elks_is_digits(result)) *ret = result;
    }
}

bool elks_item_read(struct slice object, struct elks_item *ret)
{
    struct elks_item item = {0};
    if (!json_is_object(object)) return false;
    take(object, "id", &item.id);
    take(object, "direction", &item.direction);
    take(object, "status", &item.status);
    take(object, "state", &item.state);
    take(object, "from", &item.from);
    take(object, "message", &item.message);
    take_digits(object, &item.digits);
    if (item.id.len == 0 || item.id.len >= NOTIFY_REFERENCE_MAX) return false;
    *ret = item;
    return true;
}

bool elks_list_read(struct slice body, struct slice *ret_items, struct slice *ret_next)
{
    struct slice items, next;
    if (!json_is_object(body) || !json_find_member(body, "data", NULL, &items) ||
        items.ptr[0] != '[')
        return false;
    *ret_items = items;
    *ret_next = json_find_member(body, "next", NULL, &next) ? next : SLICE_NONE;
    return true;
}

enum notify_outcome elks_outcome(enum notify_channel channel, struct slice state)
{
    if (channel == NOTIFY_SMS) {
        if (slice_eq(state, SLICE("delivered"))) return NOTIFY_DELIVERED;
        return slice_eq(state, SLICE("failed")) ? NOTIFY_REFUSED : 0;
    }
    if (slice_eq(state, SLICE("success"))) return NOTIFY_DELIVERED;
    return slice_eq(state, SLICE("failed")) || slice_eq(state, SLICE("busy")) ||
                   slice_eq(state, SLICE("noanswer"))
               ? NOTIFY_REFUSED
               : 0;
}
