/* SPDX-License-Identifier: EUPL-1.2 */
#include "collect/heading.h"

#include <unistd.h>

void heading_init(struct heading *h)
{
    *h = (struct heading){.format = RECORD_TEXT};
    buf_init(&h->text, HEADING_MAX);
}

void heading_done(struct heading *h)
{
    buf_done(&h->text);
}

static void begin_text(struct heading *h, uint64_t at)
{
    buf_clear(&h->text);
    h->at = at;
}

/* Past the maximum there is none, up to the next one: half of the columns are the wrong ones. */
static void add_text(struct heading *h, struct slice line)
{
    buf_put(&h->text, line);
    buf_putc(&h->text, '\n');
    if (!buf_failed(&h->text)) return;
    buf_clear(&h->text);
    h->open = false;
}

static uint8_t form_of(struct slice line)
{
    static const char *const w3c[] = {
        "#Version:", "#Software:", "#Date:", "#Fields:", "#Start-Date:", "#Log-type:", "#Remark:"};
    if (slice_starts_with(line, SLICE("#separator "))) return RECORD_ZEEK;
    for (size_t i = 0; i < sizeof w3c / sizeof *w3c; i++)
        if (slice_starts_with(line, slice_of(w3c[i]))) return RECORD_W3C;
    return RECORD_TEXT;
}

bool heading_take(struct heading *h, struct slice line, uint64_t at)
{
    if (at == 0) {
        if (slice_starts_with(line, SLICE("\xEF\xBB\xBF"))) line = slice_from(line, 3);
        begin_text(h, 0);
        h->format = form_of(line);
    }
    bool went_on = h->open;
    h->open = false;
    if (h->format == RECORD_TEXT || line.len == 0 || line.ptr[0] != '#') return false;
    if (h->format == RECORD_W3C) {
        if (!slice_starts_with(line, SLICE("#Fields:"))) return true;
        begin_text(h, at);
        add_text(h, line);
        return true;
    }
    bool begins = slice_starts_with(line, SLICE("#separator "));
    if (begins) begin_text(h, at);
    h->open = begins || went_on;
    if (h->open) add_text(h, line);
    return true;
}

/*
 * Lines from an offset on, up to one that is none of a heading. A line that is not there as a whole
 * is longer than a heading may be.
 */
static void take_lines(struct heading *h, int fd, uint64_t from, uint64_t to)
{
    char bytes[2 * HEADING_MAX + 8]; /* a mark, and CRs, are none of the text */
    size_t most = to - from < sizeof bytes ? (size_t)(to - from) : sizeof bytes;
    ssize_t n = to > from ? pread(fd, bytes, most, (off_t)from) : 0;
    struct slice rest = slice_make(bytes, n > 0 ? (size_t)n : 0), line;
    while (rest.len) {
        if (!slice_split(rest, '\n', &line, &rest) && n < (ssize_t)sizeof bytes) return;
        uint64_t at = from + (size_t)(line.ptr - bytes);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        if (!heading_take(h, line, at)) return;
    }
}

void heading_restore(struct heading *h, int fd, uint64_t at, uint64_t offset)
{
    begin_text(h, 0);
    h->format = RECORD_TEXT;
    h->open = false;
    take_lines(h, fd, 0, offset);
    if (at > 0 && at < offset && h->format != RECORD_TEXT) take_lines(h, fd, at, offset);
}
