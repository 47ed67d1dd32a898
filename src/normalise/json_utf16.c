/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * JSON in UTF-16 with a byte order mark, which is what `ConvertTo-Json > file` of Windows
 * PowerShell writes: converted piece by piece, then JSON like any other. Places that it reports
 * are those of the converted text. An unpaired surrogate becomes U+FFFD, an odd last byte is
 * dropped.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "normalise/lines.h"

enum { PIECE = 16 * 1024 }; /* bytes converted at once */

struct json_utf16 {
    struct decoder base;
    struct decoder *json;
    struct utf16_reader reader;
    uint8_t mark[2];
    unsigned n_mark;
    char text[PIECE * 3 / 2 + UTF16_TAIL];
};

static int sniff(struct slice head, bool final)
{
    char storage[LINES_SNIFF_TEXT];
    bool marked =
        slice_starts_with(head, SLICE("\xFF\xFE")) || slice_starts_with(head, SLICE("\xFE\xFF"));
    return marked ? decoder_json.sniff(lines_sniff_text(head, storage), final) : 0;
}

static struct decoder *open(const struct decoder_out *out, struct keys *keys)
{
    struct json_utf16 *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->base = (struct decoder){.ops = &decoder_json_utf16, .out = *out, .keys = keys};
    d->json = decoder_json.open(out, keys);
    if (d->json) return &d->base;
    free(d);
    return NULL;
}

static int feed(struct decoder *base, struct slice data)
{
    struct json_utf16 *d = (struct json_utf16 *)base;
    for (; d->n_mark < 2 && data.len; data = slice_from(data, 1))
        d->mark[d->n_mark++] = (uint8_t)*data.ptr;
    d->reader.big = d->mark[0] == 0xFE;
    while (data.len) {
        struct slice piece = slice_until(data, PIECE);
        size_t n = utf16_read(&d->reader, piece, d->text);
        int error = decoder_json.feed(d->json, slice_make(d->text, n));
        if (error) return error;
        data = slice_from(data, piece.len);
    }
    return 0;
}

static int finish(struct decoder *base)
{
    struct json_utf16 *d = (struct json_utf16 *)base;
    size_t n = utf16_finish(&d->reader, d->text);
    int error = n ? decoder_json.feed(d->json, slice_make(d->text, n)) : 0;
    return error ? error : decoder_json.finish(d->json);
}

static void close(struct decoder *base)
{
    struct json_utf16 *d = (struct json_utf16 *)base;
    decoder_json.close(d->json);
    free(d);
}

const struct decoder_ops decoder_json_utf16 = {
    .name = "json-utf16",
    .sniff = sniff,
    .open = open,
    .feed = feed,
    .finish = finish,
    .close = close,
};
