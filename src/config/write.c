/* SPDX-License-Identifier: EUPL-1.2 */
/* Settings for people: values, ranges, and a file with all of them. */
#include <inttypes.h>

#include "base/json_write.h"
#include "config/config.h"
#include "config/value.h"

enum { FILE_WIDTH = 90 };

static void put_list(struct buf *out, const struct config_list *list, enum config_key key)
{
    if (list->n == 1 && strcmp(config_settings[key].most, "1") == 0) {
        json_write_string(out, slice_of(list->items[0]));
        return;
    }
    buf_putc(out, '[');
    for (uint32_t i = 0; i < list->n; i++) {
        if (i > 0) buf_puts(out, ", ");
        json_write_string(out, slice_of(list->items[i]));
    }
    buf_putc(out, ']');
}

const char *config_default(enum config_key key)
{
    const char *initial = config_settings[key].initial;
    return *initial ? initial : "[]";
}

void config_write_value(struct buf *out, const struct config *c, enum config_key key)
{
    const struct setting *s = &config_settings[key];
    const void *value = (const char *)c + s->offset;
    uint64_t number;
    switch (s->type) {
    case CONFIG_BOOL:
        buf_puts(out, *(const bool *)value ? "true" : "false");
        break;
    case CONFIG_INT:
        number = *(const uint64_t *)value;
        if (number == 0 && strcmp(s->initial, "auto") == 0) buf_puts(out, "auto");
        else buf_printf(out, "%" PRIu64, number);
        break;
    case CONFIG_SIZE:
        value_write(out, *(const uint64_t *)value, value_sizes);
        break;
    case CONFIG_DURATION:
        value_write(out, (uint64_t) * (const nsec *)value, value_durations);
        break;
    case CONFIG_CHOICE:
        buf_put(out, config_choice(key, *(const unsigned *)value));
        break;
    case CONFIG_PATHS:
    case CONFIG_TEXTS:
        put_list(out, value, key);
        break;
    }
}

void config_write_json(struct buf *out, const struct config *c, enum config_key key)
{
    const struct setting *s = &config_settings[key];
    const void *value = (const char *)c + s->offset;
    uint64_t number;
    switch (s->type) {
    case CONFIG_INT:
    case CONFIG_SIZE:
        number = *(const uint64_t *)value;
        if (number == 0 && strcmp(s->initial, "auto") == 0) json_write_string(out, SLICE("auto"));
        else json_write_u64(out, number);
        break;
    case CONFIG_DURATION:
        json_write_double(out, (double)*(const nsec *)value / (double)NSEC_PER_SEC);
        break;
    case CONFIG_CHOICE:
        json_write_string(out, config_choice(key, *(const unsigned *)value));
        break;
    case CONFIG_BOOL:
    case CONFIG_PATHS:
    case CONFIG_TEXTS:
        config_write_value(out, c, key); /* YAML that is JSON */
        break;
    }
}

void config_write_origin(struct buf *out, const struct config *c, enum config_key key)
{
    const struct config_origin *origin = &c->origin[key];
    buf_puts(out, origin->name ? origin->name : "default");
    if (origin->name && origin->line > 0) buf_printf(out, ":%" PRIu32, origin->line);
}

void config_write_origins(struct buf *out, const struct config *c)
{
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        const struct config_origin *origin = &c->origin[key];
        if (origin->name) buf_printf(out, "%" PRIu32 " %s", origin->line, origin->name);
        buf_putc(out, '\n');
    }
}

/* Comment lines: words of text after `margin` and a number sign. */
static void put_comment(struct buf *out, struct slice margin, const char *text)
{
    struct slice rest = slice_of(text), word;
    size_t at = 0;
    for (bool more = true; more;) {
        more = slice_split(rest, ' ', &word, &rest);
        if (at == 0 || at + 1 + word.len > FILE_WIDTH) {
            if (at > 0) buf_putc(out, '\n');
            buf_put(out, margin);
            buf_putc(out, '#');
            at = margin.len + 1;
        }
        buf_putc(out, ' ');
        buf_put(out, word);
        at += 1 + word.len;
    }
    buf_putc(out, '\n');
}

static void put_setting(struct buf *out, const struct config *c, enum config_key key,
                        struct slice margin, struct slice name)
{
    const struct setting *s = &config_settings[key];
    struct buf range;
    put_comment(out, margin, s->text);
    buf_init(&range, 512);
    config_write_range(&range, key);
    buf_putc(&range, '\0');
    if (!buf_failed(&range)) put_comment(out, margin, range.ptr);
    buf_done(&range);
    buf_put(out, margin);
    bool said = c && c->origin[key].name;
    if (!said) buf_putc(out, '#');
    buf_put(out, name);
    buf_puts(out, ": ");
    if (said) config_write_value(out, c, key);
    else buf_puts(out, config_default(key));
    buf_putc(out, '\n');
}

/* Calls put() for every setting, with its section's line before the first of a section. */
static void put_all(struct buf *out, const struct config *c, bool apart,
                    void (*put)(struct buf *out, const struct config *c, enum config_key key,
                                struct slice margin, struct slice name))
{
    struct slice last = SLICE_NONE;
    for (unsigned key = 0; key < CONFIG_KEY_COUNT; key++) {
        struct slice section, name;
        bool inside = slice_split(slice_of(config_settings[key].key), '.', &section, &name);
        if (apart) buf_putc(out, '\n');
        if (!inside) {
            put(out, c, key, SLICE_NONE, section);
            continue;
        }
        if (!slice_eq(section, last)) {
            buf_put(out, section);
            buf_puts(out, ":\n");
        }
        last = section;
        put(out, c, key, SLICE("  "), name);
    }
}

void config_write_file(struct buf *out, const struct config *c)
{
    buf_puts(out, "# Configuration of Vaka: every setting with its default. To change one, take "
                  "away the number\n# sign directly before its name. 'vaka config check' reads "
                  "the file.\n");
    put_all(out, c, true, put_setting);
}

static void put_value(struct buf *out, const struct config *c, enum config_key key,
                      struct slice margin, struct slice name)
{
    buf_put(out, margin);
    buf_put(out, name);
    buf_puts(out, ": ");
    config_write_value(out, c, key);
    buf_putc(out, '\n');
}

void config_write_values(struct buf *out, const struct config *c)
{
    put_all(out, c, false, put_value);
}
