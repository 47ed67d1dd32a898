/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form.h"

#include "product/form_read.h"

/* The form's prefix and the name, in room unless there is no prefix. */
static struct slice path_of(struct slice prefix, struct slice name, char room[KEY_NAME_MAX])
{
    prefix = slice_until(prefix, KEY_NAME_MAX);
    if (prefix.len == 0) return name;
    name = slice_until(name, KEY_NAME_MAX - prefix.len);
    memcpy(room, prefix.ptr, prefix.len);
    if (name.len) memcpy(room + prefix.len, name.ptr, name.len);
    return slice_make(room, prefix.len + name.len);
}

key_id form_key(const struct form *form, struct event *ev, struct slice name)
{
    char room[KEY_NAME_MAX];
    if (form->prefix.len == 0) return keys_intern_path(ev->keys, name);
    return keys_intern_path(ev->keys, path_of(form->prefix, name, room));
}

void form_add(const struct form *form, struct event *ev, struct slice name, struct slice value)
{
    form_put(form, ev, form_key(form, ev, name), VALUE_STRING, value);
}

bool form_each_name(const struct form *form, void (*each)(void *ctx, struct slice path), void *ctx)
{
    char room[KEY_NAME_MAX];
    if (form->kind == FORM_URL) {
        for (const char *const *name = form_url_names; *name; name++)
            each(ctx, path_of(form_url_prefix(form), slice_of(*name), room));
        return true;
    }
    for (uint32_t i = 0; i < form->n_columns; i++)
        if (form->columns[i].len) each(ctx, path_of(form->prefix, form->columns[i], room));
    return form->kind == FORM_CSV;
}

/* Where the first escape is; SIZE_MAX without. */
static size_t find_escape(struct slice s, struct slice marks)
{
    for (size_t i = 0; i + 1 < s.len; i++) {
        size_t skip = slice_find_byte(slice_from(s, i), '\\');
        if (skip == SIZE_MAX) return SIZE_MAX;
        i += skip;
        if (i + 1 < s.len && slice_find_byte(marks, s.ptr[i + 1]) != SIZE_MAX) return i;
    }
    return SIZE_MAX;
}

struct slice form_unescape(struct event *ev, struct slice s, struct slice marks,
                           struct slice meanings)
{
    size_t at = find_escape(s, marks);
    if (at == SIZE_MAX) return s;
    char *text = arena_alloc(ev->arena, s.len - 1);
    if (!text) {
        ev->flags |= EVENT_CUT;
        return s;
    }
    memcpy(text, s.ptr, at);
    size_t n = at;
    for (; at < s.len; at++) {
        bool pair = s.ptr[at] == '\\' && at + 1 < s.len;
        size_t mark = pair ? slice_find_byte(marks, s.ptr[at + 1]) : SIZE_MAX;
        if (mark != SIZE_MAX) at++;
        text[n++] = mark == SIZE_MAX ? s.ptr[at] : meanings.ptr[mark];
    }
    return slice_make(text, n);
}

const char *form_name(enum form_kind kind)
{
    static const char *const names[] = {
#define X(id, name) [id] = #name,
        FORM_KINDS(X)
#undef X
    };
    return names[kind];
}

bool form_read(const struct form *form, struct slice text, struct event *ev)
{
    static bool (*const read[])(const struct form *, struct slice, struct event *) = {
#define X(id, name) [id] = form_##name##_read,
        FORM_KINDS(X)
#undef X
    };
    return text.len && read[form->kind](form, text, ev);
}
