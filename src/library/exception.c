/* SPDX-License-Identifier: EUPL-1.2 */
#include "library/exception.h"

#include <sys/random.h>

#include "base/time.h"
#include "base/utf8.h"

int exception_id_make(char ret[EXCEPTION_ID + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[16];
    size_t at = 0;
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return ERR_IO;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) ret[at++] = '-';
        ret[at++] = digits[bytes[i] >> 4];
        ret[at++] = digits[bytes[i] & 15];
    }
    ret[at] = '\0';
    return 0;
}

/* YAML 1.2, 7.3.2: in single quotes only the quote itself is doubled; on one line. */
static void put_quoted(struct buf *out, struct slice s)
{
    buf_putc(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\'') buf_putc(out, '\'');
        buf_putc(out, s.ptr[i]);
    }
    buf_putc(out, '\'');
}

static bool is_line(struct slice s)
{
    if (s.len == 0 || s.len > EXCEPTION_TEXT_MAX || !utf8_valid(s)) return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) return false;
    return true;
}

/* `field: value`; a field has no blanks at its ends. */
static bool split_when(const char *when, struct slice *ret_field, struct slice *ret_value)
{
    struct slice s = slice_of(when);
    size_t colon = slice_find(s, SLICE(": "));
    if (colon == SIZE_MAX || !is_line(s)) return false;
    *ret_field = slice_trim(slice_until(s, colon));
    *ret_value = slice_trim(slice_from(s, colon + 2));
    return ret_field->len > 0 && ret_value->len > 0;
}

static void put_value(struct buf *out, struct slice value)
{
    enum yaml_type type = yaml_plain_type(value);
    if (type == YAML_NUMBER || type == YAML_NULL) buf_put(out, value);
    else put_quoted(out, value);
}

/* All values of a field, where it is named first. */
static void put_field(struct buf *out, const struct exception *e, uint32_t first)
{
    struct slice field, value, other;
    bool many = false;
    (void)split_when(e->when[first], &field, &value);
    for (uint32_t i = 0; i < first; i++)
        if (split_when(e->when[i], &other, &value) && slice_eq(other, field)) return;
    for (uint32_t i = first + 1; i < e->n_when; i++)
        many |= split_when(e->when[i], &other, &value) && slice_eq(other, field);
    buf_puts(out, "        ");
    put_quoted(out, field);
    buf_puts(out, many ? ":\n" : ": ");
    for (uint32_t i = first; i < e->n_when; i++) {
        if (!split_when(e->when[i], &other, &value) || !slice_eq(other, field)) continue;
        if (many) buf_puts(out, "            - ");
        put_value(out, value);
        buf_putc(out, '\n');
    }
}

static void put_text(struct buf *out, const char *key, struct slice text)
{
    if (text.len == 0) return;
    buf_puts(out, key);
    put_quoted(out, text);
    buf_putc(out, '\n');
}

static int check(const struct exception *e, struct diag *diag)
{
    struct slice field, value;
    nsec until;
    if (e->rule->kind != SIGMA_RULE)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "it is a correlation; exceptions are for the rules it refers to");
    if (e->rule->id.len == 0) return diag_set(diag, ERR_INVALID, NULL, 0, 0, "the rule has no id");
    if (!is_line(e->reason) || !is_line(e->who))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0,
                        "the reason or the name is empty, too long, or has control characters");
    if (e->n_when == 0 || e->n_when > EXCEPTION_WHEN_MAX)
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "1 to %d conditions are needed",
                        EXCEPTION_WHEN_MAX);
    for (uint32_t i = 0; i < e->n_when; i++)
        if (!split_when(e->when[i], &field, &value))
            return diag_set(diag, ERR_INVALID, NULL, 0, 0, "'%.80s' is not `field: value`",
                            e->when[i]);
    if (e->until && (!sigma_until_parse(slice_of(e->until), &until) || until <= e->now))
        return diag_set(diag, ERR_INVALID, NULL, 0, 0, "'%.40s' is no time to come", e->until);
    return 0;
}

int exception_write(struct buf *out, const struct exception *e, const char *id, struct diag *diag)
{
    const struct sigma_logsource *ls = &e->rule->logsource;
    struct slice title = slice_until(e->rule->title, EXCEPTION_TEXT_MAX);
    int error = check(e, diag);
    if (error) return error;
    put_text(out, "title: ", is_line(title) ? title : e->rule->id);
    buf_printf(out, "id: %s\n", id);
    put_text(out, "description: ", e->reason);
    put_text(out, "author: ", e->who);
    buf_puts(out, "date: '");
    time_write_rfc3339(out, e->now);
    buf_puts(out, ls->product.len + ls->category.len + ls->service.len ? "'\nlogsource:\n"
                                                                       : "'\nlogsource: {}\n");
    put_text(out, "    product: ", ls->product);
    put_text(out, "    category: ", ls->category);
    put_text(out, "    service: ", ls->service);
    buf_puts(out, "filter:\n    rules:\n        - ");
    put_quoted(out, e->rule->id);
    buf_puts(out, "\n    selection:\n");
    for (uint32_t i = 0; i < e->n_when; i++) put_field(out, e, i);
    buf_puts(out, "    condition: selection\n");
    if (e->until) {
        buf_puts(out, "vaka:\n    until: ");
        put_quoted(out, slice_of(e->until));
        buf_putc(out, '\n');
    }
    error = buf_error(out);
    return error ? diag_set(diag, error, NULL, 0, 0, "%s", error_text(error)) : 0;
}
