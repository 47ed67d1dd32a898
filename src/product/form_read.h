/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The forms, a file each, and what they share. All of them read as form_read() says, which gives
 * them no empty text.
 */
#ifndef VAKA_PRODUCT_FORM_READ_H
#define VAKA_PRODUCT_FORM_READ_H

#include "product/form.h"

#define X(id, name)                                                                                \
    bool form_##name##_read(const struct form *form, struct slice text, struct event *ev) MUST_USE;
FORM_KINDS(X)
#undef X

/* What a URL is taken apart into, without a prefix; ends with NULL. */
extern const char *const form_url_names[];
struct slice form_url_prefix(const struct form *form);

/* Adds a value that is wanted. */
static inline void form_put(const struct form *form, struct event *ev, key_id key,
                            enum value_type type, struct slice value)
{
    if (!form->wants || form->wants(form->ctx, key)) event_add(ev, key, type, value);
}
/* The key of the form's prefix and the name. */
key_id form_key(const struct form *form, struct event *ev, struct slice name);
void form_add(const struct form *form, struct event *ev, struct slice name, struct slice value);

/*
 * A backslash and a byte of `marks` become the byte of `meanings` in the same place; any other
 * backslash stays. Without escapes s itself, else in the event's arena; when that is full, s, and
 * the event is cut.
 */
struct slice form_unescape(struct event *ev, struct slice s, struct slice marks,
                           struct slice meanings);

static inline bool form_is_cut(const struct event *ev)
{
    return ev->flags & EVENT_CUT;
}

static inline bool form_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool form_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Of any script: bytes beyond ASCII count as letters. */
static inline bool form_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

#endif
