/* SPDX-License-Identifier: EUPL-1.2 */
/* Texts of pages, from taxonomy/pages.tsv. */
#include <inttypes.h>
#include <stdio.h>

#include "oncall/files.h"
#include "oncall/internal.h"

enum { DEPTH_MAX = 3 };

/* The Swedish or English column; empty: there is no such key. */
static struct slice find_text(struct slice key, bool english)
{
    struct slice rest = oncall_files[ONCALL_FILE_PAGES].text;
    struct slice line, name, columns, sv, en;
    while (rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (!slice_split(line, '\t', &name, &columns) || !slice_eq(name, key)) continue;
        (void)slice_split(columns, '\t', &sv, &en);
        return english ? en : sv;
    }
    return SLICE_NONE;
}

static void fill(struct buf *out, struct slice text, const struct message *m, unsigned depth);

static void put_key(struct buf *out, const char *key, const struct message *m, unsigned depth)
{
    fill(out, find_text(slice_of(key), m->english), m, depth + 1);
}

static void put_value(struct buf *out, struct slice name, const struct message *m, unsigned depth)
{
    char level[16];
    (void)snprintf(level, sizeof level, "level.%u", m->level);
    if (slice_eq(name, SLICE("level"))) put_key(out, level, m, depth);
    else if (slice_eq(name, SLICE("service"))) buf_put(out, slice_until(m->service, 60));
    else if (slice_eq(name, SLICE("n"))) buf_printf(out, "%" PRIu64, m->incidents);
    else if (slice_eq(name, SLICE("page"))) buf_printf(out, "%" PRIu64, m->page);
    else if (slice_eq(name, SLICE("ids"))) buf_put(out, m->ids);
    else if (slice_eq(name, SLICE("title"))) buf_put(out, slice_until(m->title, 1000));
    else if (slice_eq(name, SLICE("link"))) buf_put(out, m->link);
    else if (slice_eq(name, SLICE("code"))) buf_put(out, m->code);
    else if (slice_eq(name, SLICE("of-service"))) {
        if (m->service.len) put_key(out, "of-service", m, depth);
    } else if (slice_eq(name, SLICE("exercise"))) {
        if (m->marks & ONCALL_EXERCISE) put_key(out, "exercise", m, depth);
    }
}

static void fill(struct buf *out, struct slice text, const struct message *m, unsigned depth)
{
    struct slice head, name;
    while (text.len > 0 && depth < DEPTH_MAX) {
        bool open = slice_split(text, '{', &head, &text);
        buf_put(out, head);
        if (open && slice_split(text, '}', &name, &text)) put_value(out, name, m, depth);
    }
}

void text_write(struct buf *out, const char *key, const struct message *m)
{
    fill(out, find_text(slice_of(key), m->english), m, 0);
}
