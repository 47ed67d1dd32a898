/* SPDX-License-Identifier: EUPL-1.2 */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static int list_max(const struct setting *s)
{
    return *s->most ? (int)strtol(s->most, NULL, 10) : CONFIG_PATHS_MAX;
}

/* Whole texts, for taxonomy/refusals.tsv has them in Swedish. */
static void put_range(struct buf *out, const struct setting *s)
{
    switch (s->type) {
    case CONFIG_BOOL:
        buf_puts(out, "true or false");
        return;
    case CONFIG_CHOICE:
        buf_printf(out, "one of %s", s->least);
        return;
    case CONFIG_PATHS:
        if (list_max(s) == 1) buf_puts(out, "a path");
        else buf_printf(out, "a path, or a list of at most %d paths", list_max(s));
        return;
    case CONFIG_TEXTS:
        if (list_max(s) == 1) buf_puts(out, "a text");
        else buf_printf(out, "a text, or a list of at most %d texts", list_max(s));
        return;
    case CONFIG_INT:
        buf_printf(out, "a whole number from %s to %s %s", s->least, s->most, s->unit);
        return;
    case CONFIG_SIZE:
        buf_printf(out, "a size from %s to %s", s->least, s->most);
        return;
    case CONFIG_DURATION:
        buf_printf(out, "a duration from %s to %s", s->least, s->most);
        return;
    }
}

void config_write_range(struct buf *out, enum config_key key)
{
    const struct setting *s = &config_settings[key];
    put_range(out, s);
    if (strcmp(s->initial, "auto") == 0) buf_puts(out, ", or auto");
}
