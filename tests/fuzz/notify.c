/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What providers of messages say: lists and items of 46elks, forms of callbacks, and settings that
 * name them. What is read lies within what was said; what was written is read again the same.
 */
#include <stdlib.h>

#include "base/form.h"
#include "base/json_read.h"
#include "notify/internal.h"
#include "notify/mime.h"
#include "notify/sms.h"
#include "target.h"

static bool within(struct slice inner, struct slice outer)
{
    return inner.len == 0 ||
           (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len);
}

static void check_item(struct slice object)
{
    struct elks_item item;
    if (!elks_item_read(object, &item)) return;
    HOLDS(item.id.len > 0 && item.id.len < NOTIFY_REFERENCE_MAX);
    HOLDS(within(item.id, object) && within(item.message, object) && within(item.from, object));
    HOLDS(within(item.digits, object) && (item.digits.len == 0 || elks_is_digits(item.digits)));
}

static void check_list(struct slice body)
{
    struct slice items, next, name, object;
    struct json_parts it;
    check_item(body);
    if (!elks_list_read(body, &items, &next)) return;
    HOLDS(within(items, body) && within(next, body));
    json_parts_init(&it, items);
    while (json_parts_next(&it, &name, &object)) check_item(object);
}

static void check_form(struct slice text)
{
    static const char *const names[] = {"id", "callid", "result", "message"};
    struct buf value, form, again;
    buf_init(&value, 4096);
    buf_init(&form, 64 * 1024);
    buf_init(&again, 4096);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!form_find(text, names[i], &value)) continue;
        HOLDS(value.len <= text.len);
        buf_clear(&form);
        form_put(&form, names[i], buf_slice(&value));
        HOLDS(form_find(buf_slice(&form), names[i], &again));
        HOLDS(slice_eq(buf_slice(&again), buf_slice(&value)));
    }
    buf_done(&value);
    buf_done(&form);
    buf_done(&again);
}

/* No text makes a header, or a line that is too long. */
static void check_mail(struct slice text)
{
    struct buf out;
    struct slice rest, line;
    buf_init(&out, 1 << 20);
    mime_write(&out, &(struct mime){.from = "vaka@example.se",
                                    .to = SLICE("a@example.se"),
                                    .subject = slice_until(text, 500),
                                    .body = text,
                                    .id = 1});
    HOLDS(!buf_failed(&out));
    rest = buf_slice(&out);
    while (rest.len) {
        HOLDS(slice_split(rest, '\n', &line, &rest));
        HOLDS(line.len > 0 && line.len <= 79 && line.ptr[line.len - 1] == '\r');
        for (size_t i = 0; i + 1 < line.len; i++)
            HOLDS((unsigned char)line.ptr[i] < 0x80 && line.ptr[i] != '\r');
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct notify_provider provider;
    struct slice all = slice_make(data, size), text = slice_from(all, 1);
    struct sms_size sms;
    char detail[NOTIFY_DETAIL_MAX];
    if (size == 0 || size > 16 * 1024) return 0;
    switch (data[0] % 4) {
    case 0:
        check_list(text);
        break;
    case 1:
        check_form(text);
        break;
    case 2:
        if (notify_provider_read(text, &provider, NULL) == 0)
            HOLDS(provider.name[0] && provider.timeout > 0);
        break;
    default:
        check_mail(text);
    }
    sms_measure(text, &sms);
    HOLDS(sms.segments <= sms.units && (sms.units > 0) == (text.len > 0));
    judge_quote(detail, 403, text);
    HOLDS(strlen(detail) < sizeof detail);
    return 0;
}
