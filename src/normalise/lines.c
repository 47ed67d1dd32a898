/* SPDX-License-Identifier: EUPL-1.2 */
#include "normalise/lines.h"

#include "base/utf8.h"

enum { CARRY_SLACK = 16 }; /* a line end and the character that goes past the bound */

void lines_init(struct lines *l, bool keep_end)
{
    *l = (struct lines){.keep_end = keep_end};
    buf_init(&l->carry, DECODER_RECORD_MAX + CARRY_SLACK);
}

void lines_done(struct lines *l)
{
    buf_done(&l->carry);
}

static void skip_line(struct lines *l, const struct lines_sink *sink)
{
    l->skipping = true;
    buf_clear(&l->carry);
    l->status = sink->too_long(sink->ctx, l->line_offset);
}

/* `line` is without LF unless ends are kept. */
static int deliver(struct lines *l, struct slice line, const struct lines_sink *sink)
{
    if (!l->keep_end && line.len && line.ptr[line.len - 1] == '\r') line.len--;
    int rc = sink->line(sink->ctx, line, l->line_offset);
    buf_clear(&l->carry);
    return rc;
}

/* `part` is the end of a line, without LF; in its source the LF follows. */
static int deliver_part(struct lines *l, struct slice part, const struct lines_sink *sink)
{
    if (l->keep_end) part.len++;
    if (l->carry.len == 0) return deliver(l, part, sink);
    buf_put(&l->carry, part);
    if (buf_failed(&l->carry)) return ERR_NOMEM;
    return deliver(l, buf_slice(&l->carry), sink);
}

static int feed_bytes(struct lines *l, struct slice data, const struct lines_sink *sink)
{
    size_t pos = 0;
    while (pos < data.len) {
        const char *lf = memchr(data.ptr + pos, '\n', data.len - pos);
        size_t end = lf ? (size_t)(lf - data.ptr) : data.len;
        struct slice part = {data.ptr + pos, end - pos};
        if (!l->skipping && part.len > DECODER_RECORD_MAX - l->carry.len) {
            skip_line(l, sink);
            if (l->status != 0) return l->status;
        }
        if (!lf) {
            l->offset += part.len;
            if (!l->skipping) buf_put(&l->carry, part);
            return buf_failed(&l->carry) ? ERR_NOMEM : 0;
        }
        if (!l->skipping) {
            int rc = deliver_part(l, part, sink);
            if (rc != 0) return rc;
        }
        l->skipping = false;
        l->offset += part.len + 1;
        l->line_offset = l->offset;
        pos = end + 1;
    }
    return 0;
}

static void put_character(struct lines *l, uint32_t cp, const struct lines_sink *sink)
{
    if (l->skipping) return;
    char *p = buf_reserve(&l->carry, 4);
    if (!p) return;
    l->carry.len += utf8_encode(p, cp);
    if (l->carry.len > DECODER_RECORD_MAX && cp != '\n') skip_line(l, sink);
}

static int end_line(struct lines *l, const struct lines_sink *sink)
{
    int rc = 0;
    if (!l->skipping) {
        if (l->keep_end) put_character(l, '\n', sink);
        rc = buf_failed(&l->carry) ? ERR_NOMEM : deliver(l, buf_slice(&l->carry), sink);
    }
    l->skipping = false;
    l->line_offset = l->offset;
    return rc;
}

static int feed_unit(struct lines *l, uint16_t unit, const struct lines_sink *sink)
{
    uint32_t cp[2];
    l->offset += 2;
    unsigned n = utf16_push(&l->utf16, unit, cp);
    for (unsigned i = 0; i < n; i++) {
        if (cp[i] == '\n') return end_line(l, sink); /* always the last of them */
        put_character(l, cp[i], sink);
    }
    return 0;
}

static int feed_utf16(struct lines *l, struct slice data, const struct lines_sink *sink)
{
    for (size_t i = 0; i < data.len; i++) {
        l->held[l->n_held++] = (uint8_t)data.ptr[i];
        if (l->n_held < 2) continue;
        l->n_held = 0;
        unsigned first = l->held[0], second = l->held[1];
        uint16_t unit =
            (uint16_t)(l->encoding == LINES_UTF16LE ? second << 8 | first : first << 8 | second);
        int rc = feed_unit(l, unit, sink);
        if (rc == 0) rc = l->status;
        if (rc != 0) return rc;
    }
    return buf_failed(&l->carry) ? ERR_NOMEM : 0;
}

/* The encoding that the held first bytes tell; *ret_mark is how many of them are the mark. */
static enum lines_encoding decide(const uint8_t *b, size_t n, size_t *ret_mark)
{
    static const uint8_t utf8[] = {0xEF, 0xBB, 0xBF};
    *ret_mark = 2;
    if (n == 2 && b[0] == 0xFF && b[1] == 0xFE) return LINES_UTF16LE;
    if (n == 2 && b[0] == 0xFE && b[1] == 0xFF) return LINES_UTF16BE;
    if (n == 1 && (b[0] == 0xFF || b[0] == 0xFE)) return LINES_UNDECIDED;
    *ret_mark = n == 3 && memcmp(b, utf8, 3) == 0 ? 3 : 0;
    if (n < 3 && memcmp(b, utf8, n) == 0) return LINES_UNDECIDED;
    enum utf16_order shape = utf16_shape(slice_make(b, n));
    if (shape == UTF16_NONE) return LINES_BYTES;
    if (n < UTF16_LOOK) return LINES_UNDECIDED;
    return shape == UTF16_BIG ? LINES_UTF16BE : LINES_UTF16LE;
}

static int release_held(struct lines *l, size_t mark, const struct lines_sink *sink)
{
    char first[sizeof l->held];
    size_t n = l->n_held;
    memcpy(first, l->held, n);
    l->n_held = 0;
    if (mark == 0 && l->encoding != LINES_BYTES) return feed_utf16(l, slice_make(first, n), sink);
    if (mark == 0) return feed_bytes(l, slice_make(first, n), sink);
    l->offset += mark;
    l->line_offset = l->offset;
    return 0;
}

int lines_feed(struct lines *l, struct slice data, const struct lines_sink *sink)
{
    size_t pos = 0;
    while (l->encoding == LINES_UNDECIDED && pos < data.len) {
        l->held[l->n_held++] = (uint8_t)data.ptr[pos++];
        size_t mark;
        l->encoding = decide(l->held, l->n_held, &mark);
        if (l->encoding == LINES_UNDECIDED) continue;
        if (mark == 0 && l->n_held == pos) {
            /* All of it lies in this piece: no need to store it. */
            l->n_held = 0;
            pos = 0;
            break;
        }
        int rc = release_held(l, mark, sink);
        if (rc != 0) return rc;
    }
    data = slice_from(data, pos);
    if (data.len == 0 || l->encoding == LINES_UNDECIDED) return 0;
    return l->encoding == LINES_BYTES ? feed_bytes(l, data, sink) : feed_utf16(l, data, sink);
}

int lines_finish(struct lines *l, const struct lines_sink *sink)
{
    if (l->encoding == LINES_UNDECIDED && l->n_held) {
        l->encoding = LINES_BYTES;
        int rc = release_held(l, 0, sink);
        if (rc != 0) return rc;
    }
    if (l->utf16.high) put_character(l, 0xFFFD, sink);
    l->utf16.high = 0;
    l->n_held = 0;
    if (l->status != 0) return l->status;
    if (buf_failed(&l->carry)) return ERR_NOMEM;
    if (l->skipping || l->carry.len == 0) return 0;
    return deliver(l, buf_slice(&l->carry), sink);
}

static int sniff_too_long(void *ctx, uint64_t offset)
{
    (void)ctx;
    (void)offset;
    return 0;
}

struct sniffed {
    char *dst;
    size_t len;
};

static int sniff_line(void *ctx, struct slice line, uint64_t offset)
{
    (void)offset;
    struct sniffed *s = ctx;
    if (line.len > LINES_SNIFF_TEXT - s->len) return ERR_LIMIT;
    memcpy(s->dst + s->len, line.ptr, line.len);
    s->len += line.len;
    return 0;
}

struct slice lines_sniff_text(struct slice head, char storage[LINES_SNIFF_TEXT])
{
    head = slice_until(head, LINES_SNIFF_MAX);
    struct sniffed text = {storage, 0};
    size_t mark = 0;
    enum lines_encoding encoding = LINES_UNDECIDED;
    for (size_t n = 1; n <= UTF16_LOOK && n <= head.len && encoding == LINES_UNDECIDED; n++)
        encoding = decide((const uint8_t *)head.ptr, n, &mark);
    if (encoding == LINES_UNDECIDED || encoding == LINES_BYTES) return slice_from(head, mark);

    struct lines l;
    lines_init(&l, true);
    const struct lines_sink sink = {.ctx = &text, .line = sniff_line, .too_long = sniff_too_long};
    int rc = lines_feed(&l, head, &sink);
    if (rc == 0) rc = lines_finish(&l, &sink);
    lines_done(&l);
    return rc == 0 ? slice_make(text.dst, text.len) : SLICE_NONE;
}

bool lines_is_text(struct slice text)
{
    size_t controls = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        /* HT to CR, ESC of coloured output, GS of the audit system's enriched format */
        if ((c < 0x20 && !(c >= 9 && c <= 13) && c != 0x1b && c != 0x1d) || c == 0x7f) controls++;
    }
    return text.len && controls <= text.len / 50;
}

bool lines_sniff_next(struct slice *text, bool final, bool *first, struct slice *ret_line)
{
    if (text->len == 0) return false;
    if (!slice_split(*text, '\n', ret_line, text) && !final && !*first) return false;
    *first = false;
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r') ret_line->len--;
    return true;
}

void line_decoder_init(struct line_decoder *d, const struct decoder_ops *ops,
                       const struct decoder_out *out, struct keys *keys, bool keep_end)
{
    d->base = (struct decoder){.ops = ops, .out = *out, .keys = keys};
    lines_init(&d->lines, keep_end);
    arena_init(&d->arena, LINE_DECODER_ARENA);
    event_init(&d->ev, keys, &d->arena);
}

void line_decoder_done(struct line_decoder *d)
{
    event_done(&d->ev);
    arena_done(&d->arena);
    lines_done(&d->lines);
}

struct event *line_decoder_event(struct line_decoder *d, struct slice raw)
{
    event_reset(&d->ev);
    d->ev.raw = raw;
    d->ev.record = ++d->record;
    d->ev.format = d->base.ops->name;
    d->room = NULL;
    d->room_left = 0;
    return &d->ev;
}

char *line_decoder_room(struct line_decoder *d, size_t n)
{
    if (!d->room) {
        d->room = arena_alloc(&d->arena, d->ev.raw.len);
        d->room_left = d->room ? d->ev.raw.len : 0;
    }
    if (!d->room || n > d->room_left) {
        d->ev.flags |= EVENT_CUT;
        return NULL;
    }
    char *p = d->room;
    d->room += n;
    d->room_left -= n;
    return p;
}
