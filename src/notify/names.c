/* SPDX-License-Identifier: EUPL-1.2 */
#include "notify/notify.h"

static const char *const channel_names[NOTIFY_CHANNEL_END] = {
#define X(id, name) [NOTIFY_##id] = name,
    NOTIFY_CHANNELS(X)
#undef X
};

const char *notify_channel_name(unsigned channel)
{
    return channel && channel < NOTIFY_CHANNEL_END ? channel_names[channel] : "?";
}

enum notify_channel notify_channel_read(struct slice name)
{
    for (unsigned i = 1; i < NOTIFY_CHANNEL_END; i++)
        if (slice_eq(name, slice_of(channel_names[i]))) return i;
    return NOTIFY_NO_CHANNEL;
}

const char *notify_outcome_name(unsigned outcome)
{
    static const char *const names[NOTIFY_OUTCOME_END] = {[NOTIFY_ACCEPTED] = "accepted",
                                                          [NOTIFY_DELIVERED] = "delivered",
                                                          [NOTIFY_RETRY] = "retry",
                                                          [NOTIFY_REFUSED] = "refused",
                                                          [NOTIFY_UNKNOWN] = "unknown"};
    return outcome && outcome < NOTIFY_OUTCOME_END ? names[outcome] : "?";
}
