/* SPDX-License-Identifier: EUPL-1.2 */
#include "product/form_pairs.h"
#include "product/form_read.h"

struct labels {
    struct {
        struct slice name, label; /* the name of the key that it is about */
    } at[FORM_LABELS_MAX];
    uint32_t n;
};

/* Behind "CEF:" in front of a digit; SLICE_NONE without. */
static struct slice find_header(struct slice text)
{
    for (;;) {
        size_t at = slice_find(text, SLICE("CEF:"));
        if (at == SIZE_MAX) return SLICE_NONE;
        text = slice_from(text, at + 4);
        if (text.len && form_is_digit(text.ptr[0])) return text;
    }
}

/* Takes the part before the next bar off *s; one at the end needs none. */
static struct slice take_part(struct slice *s)
{
    size_t end = 0;
    while (end < s->len && s->ptr[end] != '|') end += s->ptr[end] == '\\' ? 2 : 1;
    struct slice part = slice_until(*s, end);
    *s = slice_from(*s, end + 1);
    return slice_trim(part);
}

/* Adds the header; *s is the extension then. */
static bool read_header(const struct form *form, struct slice *s, struct event *ev)
{
    static const char *const names[] = {
        "cef.version",        "cef.device_vendor",         "cef.device_product",
        "cef.device_version", "cef.device_event_class_id", "cef.name",
        "cef.severity",
    };
    enum { PARTS = sizeof names / sizeof *names };
    struct slice parts[PARTS];
    for (size_t i = 0; i < PARTS; i++) {
        if (i && s->len == 0) return false;
        parts[i] = take_part(s);
    }
    for (size_t i = 0; i < PARTS; i++)
        form_add(form, ev, slice_of(names[i]),
                 form_unescape(ev, parts[i], SLICE("|\\"), SLICE("|\\")));
    return true;
}

static void keep_label(struct labels *labels, struct slice name, struct slice value)
{
    struct slice ending = SLICE("Label");
    if (name.len <= ending.len || !slice_ends_with(name, ending)) return;
    if (labels->n == FORM_LABELS_MAX) return;
    labels->at[labels->n].name = slice_until(name, name.len - ending.len);
    labels->at[labels->n++].label = value;
}

/* The label as a part of a name, which is empty when nothing of it can be. */
static struct slice safe_label(struct slice label, char text[FORM_NAME_MAX])
{
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < label.len && n + 1 < FORM_NAME_MAX; i++) {
        char c = label.ptr[i];
        bool safe = form_is_letter(c) || form_is_digit(c) || c == '-' || c == '_';
        if (safe && gap && n) text[n++] = '_';
        if (safe) text[n++] = c;
        gap = !safe;
    }
    return slice_make(text, n);
}

/* Adds the first value since `first` of the key that the label is about. */
static void add_label(const struct form *form, struct event *ev, uint32_t first, struct slice name,
                      struct slice label)
{
    char text[FORM_NAME_MAX], path[sizeof "cef.labels." + sizeof text] = "cef.labels.";
    struct slice safe = safe_label(label, text);
    key_id key = form_key(form, ev, name);
    if (safe.len == 0) return;
    memcpy(path + strlen(path), safe.ptr, safe.len);
    for (uint32_t i = first; i < ev->n_fields; i++) {
        if (ev->fields[i].key != key) continue;
        size_t len = strlen("cef.labels.") + safe.len;
        form_add(form, ev, slice_make(path, len), ev->fields[i].value);
        return;
    }
}

bool form_cef_read(const struct form *form, struct slice text, struct event *ev)
{
    uint32_t first = ev->n_fields;
    struct slice s = find_header(text);
    if (s.len == 0 || !read_header(form, &s, ev)) return false;
    struct form_pairs pairs = {.text = s, .marks = SLICE("_.[]"), .assign = '='};
    struct form_pair pair;
    struct labels labels = {0};
    while (!form_is_cut(ev) && form_pairs_next(&pairs, &pair)) {
        struct slice value = form_unescape(ev, pair.value, SLICE("=\\nr"), SLICE("=\\\n\r"));
        form_add(form, ev, pair.name, value);
        keep_label(&labels, pair.name, value);
    }
    for (uint32_t i = 0; i < labels.n && !form_is_cut(ev); i++)
        add_label(form, ev, first, labels.at[i].name, labels.at[i].label);
    return true;
}
