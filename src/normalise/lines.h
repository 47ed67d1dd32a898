/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lines of text out of pieces of any size, and the frame that all line decoders share.
 *
 * A line ends at LF or CRLF; the last one may lack both. A UTF-8 byte order mark is dropped; text
 * that is UTF-16 by its looks (base/utf8.h) is converted to UTF-8 (an unpaired surrogate becomes
 * U+FFFD, an odd last byte is dropped). A line of more than DECODER_RECORD_MAX bytes (as UTF-8,
 * a CR before the LF counted) is reported once and passed over without being stored. What is
 * delivered depends on the bytes only, never on how they were cut into pieces.
 *
 * A line that lies whole within one piece is handed out in place; only a line that spans pieces
 * is put together in a buffer, which is kept.
 */
#ifndef VAKA_NORMALISE_LINES_H
#define VAKA_NORMALISE_LINES_H

#include "base/buf.h"
#include "base/utf8.h"
#include "normalise/decoder.h"

struct lines_sink {
    void *ctx;
    /* The line is valid during the call; a non-zero return ends the feed and is passed through. */
    int (*line)(void *ctx, struct slice line, uint64_t offset);
    int (*too_long)(void *ctx, uint64_t offset); /* as line(), with where the line starts */
};

enum lines_encoding { LINES_UNDECIDED, LINES_BYTES, LINES_UTF16LE, LINES_UTF16BE };

struct lines {
    struct buf carry;     /* what is there of an unfinished line */
    uint64_t offset;      /* of the next byte, in the source */
    uint64_t line_offset; /* where the unfinished line starts, in the source */
    uint8_t held[8];      /* undecided: the bytes so far; UTF-16: the first half of a unit */
    uint8_t n_held;
    struct utf16_reader utf16;
    enum lines_encoding encoding;
    bool keep_end; /* deliver the line end (LF, CRLF) as part of the line */
    bool skipping; /* inside a line that is too long */
    int status;    /* what too_long() returned */
};

void lines_init(struct lines *l, bool keep_end);
void lines_done(struct lines *l);
/* 0, ERR_NOMEM, or what the sink returned. */
int lines_feed(struct lines *l, struct slice data, const struct lines_sink *sink) MUST_USE;
int lines_finish(struct lines *l, const struct lines_sink *sink) MUST_USE;

/* For sniffing: at most LINES_SNIFF_MAX bytes of a source's head as UTF-8. */
enum { LINES_SNIFF_MAX = 4096, LINES_SNIFF_TEXT = LINES_SNIFF_MAX * 3 / 2 + 4 };
struct slice lines_sniff_text(struct slice head, char storage[LINES_SNIFF_TEXT]);
/* Whether the text could be a log at all: hardly any control characters. */
bool lines_is_text(struct slice text);
/*
 * Takes the next line off *text. A last line without LF counts only when `final` says that the
 * source ends there, or when it is the only one; *first is set by the caller to true at the start.
 */
bool lines_sniff_next(struct slice *text, bool final, bool *first, struct slice *ret_line);

/* What every line decoder embeds first. */
struct line_decoder {
    struct decoder base;
    struct lines lines;
    struct arena arena;
    struct event ev;
    uint64_t record; /* records so far, read or not */
    char *room;      /* the event's room for decoded text, taken on first use */
    size_t room_left;
};

/*
 * Decoded text is never longer than the record, so that this holds one record's; the rest is for
 * whoever writes the event out.
 */
enum { LINE_DECODER_ARENA = 2 * DECODER_RECORD_MAX };

void line_decoder_init(struct line_decoder *d, const struct decoder_ops *ops,
                       const struct decoder_out *out, struct keys *keys, bool keep_end);
void line_decoder_done(struct line_decoder *d);
/* Starts the next event over `raw`. */
struct event *line_decoder_event(struct line_decoder *d, struct slice raw);
/*
 * n bytes that live as long as the event. All that is taken for one event is at most as long as
 * its raw text; NULL (and EVENT_CUT) past that or when out of memory.
 */
char *line_decoder_room(struct line_decoder *d, size_t n) MUST_USE;
/* Gives the last n bytes of the latest room back. */
static inline void line_decoder_unroom(struct line_decoder *d, size_t n)
{
    d->room -= n;
    d->room_left += n;
}
static inline int line_decoder_emit(struct line_decoder *d)
{
    return d->base.out.emit(d->base.out.ctx, &d->ev);
}
static inline void line_decoder_bad(struct line_decoder *d, uint64_t offset, const char *reason)
{
    d->base.out.bad(d->base.out.ctx, offset, ++d->record, reason);
}

/* The value of a hexadecimal digit, or -1. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

#endif
