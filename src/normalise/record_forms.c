/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/record_forms.h"

#include <stdarg.h>

#include "base/time.h"

enum { FORMATTED_MAX = 256 };

static void add_copy(struct event *ev, key_id key, struct slice text)
{
    struct slice copy = arena_dup(ev->arena, text);
    if (copy.ptr) event_add(ev, key, VALUE_STRING, copy);
    else ev->flags |= EVENT_CUT;
}

void form_printf(struct event *ev, const char *name, const char *fmt, ...)
{
    char text[FORMATTED_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ASSERT(n >= 0 && n < FORMATTED_MAX);
    add_copy(ev, keys_intern_path(ev->keys, slice_of(name)), slice_make(text, (size_t)n));
}

void form_add_time(struct event *ev, const char *name, nsec time)
{
    char room[FORMATTED_MAX];
    struct buf text = {.ptr = room, .cap = sizeof room, .max = sizeof room}; /* never grows */
    time_write_rfc3339(&text, time);
    add_copy(ev, keys_intern_path(ev->keys, slice_of(name)), buf_slice(&text));
}

void form_add_hex(struct event *ev, key_id key, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *dst = arena_alloc(ev->arena, 2 * bytes.len);
    if (!dst) {
        ev->flags |= EVENT_CUT;
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        dst[2 * i] = digits[c >> 4];
        dst[2 * i + 1] = digits[c & 15];
    }
    event_add(ev, key, VALUE_STRING, slice_make(dst, 2 * bytes.len));
}
