/* SPDX-License-Identifier: EUPL-1.2 */
#include "watchdog/guard.h"

void guard_init(struct guard *g, const struct guard_options *options, uint64_t number, nsec now)
{
    *g = (struct guard){.options = *options, .number = number, .heard = now};
}

bool guard_hear(struct guard *g, const struct heartbeat *beat, nsec now)
{
    if (beat->number <= g->number) {
        g->refused++;
        return false;
    }
    g->number = beat->number;
    g->beat = *beat;
    g->heard = now;
    g->beats++;
    return true;
}

/* Who could tell people of these is what is broken. */
static bool is_mute(const char *stage)
{
    static const char *const mute[] = {"oncall", "notify", "provider"};
    for (size_t i = 0; i < sizeof mute / sizeof *mute; i++)
        if (strcmp(mute[i], stage) == 0) return true;
    return false;
}

static enum guard_state state_of(const struct guard *g, nsec now)
{
    if (now - g->heard >= g->options.silence) return GUARD_SILENT;
    if (g->beats == 0) return g->state;
    if (is_mute(g->beat.broken)) return GUARD_BROKEN;
    return g->beat.loud ? GUARD_LOUD : GUARD_WELL;
}

bool guard_pass(struct guard *g, nsec now)
{
    enum guard_state state = state_of(g, now);
    bool changed = state != g->state;
    bool again = state != GUARD_WELL && now - g->told >= g->options.repeat;
    g->state = state;
    if (!changed && !again) return false;
    g->told = now;
    return true;
}

const char *guard_state_name(enum guard_state state)
{
    static const char *const names[] = {
        [GUARD_WELL] = "well",
        [GUARD_LOUD] = "loud",
        [GUARD_BROKEN] = "broken",
        [GUARD_SILENT] = "silent",
    };
    return names[state];
}
