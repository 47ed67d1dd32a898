/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * EVTX decoder. The first byte of the input chooses the size of the pieces and whether the input
 * is a whole file or the records of one chunk, whose header (and so the 64 KiB of it) is made
 * here, which lets small inputs reach the binary XML.
 */
#include <stdlib.h>

#include "normalise/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
    struct keys *keys;
    size_t bytes;
};

static int on_event(void *ctx, struct event *ev)
{
    struct sink *s = ctx;
    /* Every name and value must be readable to its end. */
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct slice name = keys_name(ev->keys, ev->fields[i].key);
        struct slice text = event_text(ev, &ev->fields[i]);
        if (name.len) s->bytes += (unsigned char)name.ptr[name.len - 1];
        if (text.len) s->bytes += (unsigned char)text.ptr[text.len - 1];
    }
    if (ev->raw.len < 28) abort();
    if (s->bytes & 1) keys_clear(s->keys);
    return 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct sink *s = ctx;
    (void)offset;
    (void)record;
    s->bytes += strlen(reason);
}

static void feed(struct decoder *d, const char *p, size_t n, size_t piece)
{
    for (size_t at = 0; at < n;) {
        size_t len = n - at < piece ? n - at : piece;
        if (d->ops->feed(d, slice_make(p + at, len)) != 0) abort();
        at += len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    static const size_t pieces[] = {SIZE_MAX / 2, 1000, 65536, 4096};
    size_t piece = pieces[data[0] & 3];
    struct keys *keys = keys_new();
    struct sink sink = {.keys = keys};
    struct decoder_out out = {.ctx = &sink, .emit = on_event, .bad = on_bad};
    struct decoder *d = keys ? decoder_evtx.open(&out, keys) : NULL;
    if (!d) abort();
    if (data[0] & 4) {
        char *chunk = calloc(1, 65536);
        if (!chunk) abort();
        size_t n = size - 1 < 65536 - 512 ? size - 1 : 65536 - 512;
        memcpy(chunk, "ElfChnk", 8);
        chunk[40] = (char)128;
        chunk[50] = 1; /* the free space begins at 65536 */
        chunk[120] = 4;
        memcpy(chunk + 512, data + 1, n);
        feed(d, chunk, 65536, piece);
        free(chunk);
    } else {
        feed(d, (const char *)data + 1, size - 1, piece);
    }
    if (d->ops->finish(d) != 0) abort();
    d->ops->close(d);
    keys_free(keys);
    return 0;
}
