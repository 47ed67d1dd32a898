/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Texts in forms. The first byte says which form and with which options; what is added must be
 * readable, a part of the text or no longer than it, and nothing when the text has not the form.
 */
#include "product/form.h"
#include "target.h"

enum { ARENA_MAX = 4 << 20 };

static const char separators[] = {'\0', ';', ',', '|', '\t', ' '};
static const struct slice columns[] = {{"a", 1}, {"", 0}, {"b.c", 3}, {"d", 1}};

static struct form form_of(unsigned how)
{
    return (struct form){
        .kind = (enum form_kind)(how % (FORM_URL + 1)),
        .columns = columns,
        .n_columns = 4,
        .separator = separators[how / 7 % sizeof separators],
        .assign = how & 64 ? ':' : '\0',
        .prefix = how & 128 ? SLICE("p.") : SLICE_NONE,
    };
}

static void check_fields(struct event *ev, size_t len)
{
    HOLDS(ev->n_fields <= EVENT_FIELDS_MAX);
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        HOLDS(f->key < keys_count(ev->keys));
        HOLDS(f->value.len == 0 || f->value.ptr != NULL);
        HOLDS(f->value.len <= len || f->type == VALUE_NULL);
        struct slice text = event_text(ev, f);
        for (size_t k = 0; k < text.len; k++) {
            volatile char c = text.ptr[k];
            (void)c;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct arena arena;
    struct event ev;
    struct keys *keys = keys_new();
    HOLDS(keys != NULL);
    arena_init(&arena, ARENA_MAX);
    event_init(&ev, keys, &arena);
    const struct form form = form_of(data[0]);
    if (!form_read(&form, slice_make(data + 1, size - 1), &ev)) HOLDS(ev.n_fields == 0);
    check_fields(&ev, size - 1);
    event_done(&ev);
    arena_done(&arena);
    keys_free(keys);
    return 0;
}
