/* SPDX-License-Identifier: EUPL-1.2 */
#include "event/record.h"

#include "base/hash.h"
#include "base/utf8.h"

static const char magic[4] = {'V', 'k', 'B', '1'};

const char *record_format_name(unsigned format)
{
    static const char *const names[] = {
#define X(name, text) text,
        RECORD_FORMATS(X)
#undef X
    };
    return format < RECORD_FORMAT_COUNT ? names[format] : "unknown";
}

/* ---- source ------------------------------------------------------------------------------ */

static void put_field(struct buf *out, struct slice s)
{
    size_t i = 0;
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        uint32_t cp;
        unsigned n = utf8_decode(s, i, &cp);
        if (n == 0 || c < 0x20 || c == 0x7f || c == '%') {
            buf_printf(out, "%%%02X", c);
            i++;
        } else {
            buf_put(out, slice_make(s.ptr + i, n));
            i += n;
        }
    }
}

void record_source_write(struct buf *out, const struct record_source *source)
{
    put_field(out, source->input);
    buf_putc(out, '\t');
    put_field(out, source->listener);
    buf_putc(out, '\t');
    put_field(out, source->identity);
    buf_putc(out, '\t');
    put_field(out, source->address);
}

void record_source_read(struct slice text, struct record_source *ret)
{
    (void)slice_split(text, '\t', &ret->input, &text);
    (void)slice_split(text, '\t', &ret->listener, &text);
    (void)slice_split(text, '\t', &ret->identity, &text);
    (void)slice_split(text, '\t', &ret->address, &text);
}

const char *record_mark_name(unsigned mark)
{
    return mark == RECORD_MARK_CANARY ? "canary" : "exercise";
}

unsigned record_mark(struct slice source)
{
    struct record_source from;
    record_source_read(source, &from);
    if (slice_eq(from.listener, SLICE("canary"))) return RECORD_MARK_CANARY;
    return slice_eq(from.listener, SLICE("exercise")) ? RECORD_MARK_EXERCISE : 0;
}

/* ---- leaf -------------------------------------------------------------------------------- */

static void put_u32(struct buf *out, uint32_t v)
{
    char b[4];
    le32_put(b, v);
    buf_put(out, slice_make(b, sizeof b));
}

static void put_u64(struct buf *out, uint64_t v)
{
    char b[8];
    le64_put(b, v);
    buf_put(out, slice_make(b, sizeof b));
}

static void put_text(struct buf *out, struct slice s)
{
    put_u32(out, (uint32_t)s.len);
    buf_put(out, s);
}

void record_leaf_head(struct buf *out, const struct record *record)
{
    buf_putc(out, 0);
    buf_putc(out, 1);
    buf_putc(out, (char)record->format);
    buf_putc(out, (char)record->flags);
    put_u64(out, (uint64_t)record->received);
    put_u64(out, record->ordinal);
    put_text(out, record->source);
    put_text(out, record->delivery);
    put_text(out, record->context);
    put_u32(out, (uint32_t)record->raw.len);
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool texts_valid(const struct batch *b)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < b->n_texts; i++) {
        uint32_t end = le32(b->ends + 4 * (size_t)i);
        if (end < before || end - before > RECORD_TEXT_MAX) return false;
        before = end;
    }
    return before == b->texts.len;
}

static bool row_valid(const char *row, uint32_t n_texts)
{
    for (int i = 0; i < 3; i++)
        if (le32(row + BATCH_ROW_TEXTS + 4 * i) > n_texts) return false;
    return le32(row + BATCH_ROW_LEN) <= RECORD_MAX &&
           (uint8_t)row[BATCH_ROW_FORMAT] < RECORD_FORMAT_COUNT &&
           ((uint8_t)row[BATCH_ROW_FLAGS] & ~RECORD_FLAGS_ALL) == 0 &&
           le16(row + BATCH_ROW_ZERO16) == 0 && le32(row + BATCH_ROW_ZERO32) == 0;
}

int batch_open(struct slice bytes, struct batch *ret)
{
    if (bytes.len > BATCH_MAX) return ERR_LIMIT;
    if (bytes.len < BATCH_HEADER) return ERR_TRUNCATED;
    if (memcmp(bytes.ptr, magic, sizeof magic) != 0) return ERR_CORRUPT;
    struct batch b = {.bytes = bytes,
                      .tenant = le32(bytes.ptr + 4),
                      .n = le32(bytes.ptr + 8),
                      .n_texts = le32(bytes.ptr + 12),
                      .rows = bytes.ptr + BATCH_HEADER};
    size_t texts_len = le32(bytes.ptr + 16), data_len = le32(bytes.ptr + 20);
    if (b.n == 0) return ERR_CORRUPT;
    if (b.n > BATCH_RECORDS_MAX) return ERR_LIMIT;
    size_t whole =
        BATCH_HEADER + (size_t)b.n * BATCH_ROW + 4 * (size_t)b.n_texts + texts_len + data_len;
    if (whole > bytes.len) return ERR_TRUNCATED;
    if (whole != bytes.len) return ERR_CORRUPT;
    b.ends = b.rows + (size_t)b.n * BATCH_ROW;
    b.texts = slice_make(b.ends + 4 * (size_t)b.n_texts, texts_len);
    b.data = slice_make(b.texts.ptr + texts_len, data_len);
    if (!texts_valid(&b)) return ERR_CORRUPT;
    size_t end = 0;
    for (uint32_t i = 0; i < b.n; i++) {
        const char *row = b.rows + (size_t)i * BATCH_ROW;
        if (!row_valid(row, b.n_texts)) return ERR_CORRUPT;
        size_t len = le32(row + BATCH_ROW_LEN);
        if (len >= data_len - end) return ERR_CORRUPT;
        end += len;
        if (b.data.ptr[end++] != '\n') return ERR_CORRUPT;
    }
    if (end != data_len) return ERR_CORRUPT;
    *ret = b;
    return 0;
}

void batch_iter_init(struct batch_iter *it, const struct batch *batch)
{
    *it = (struct batch_iter){.batch = batch};
}

static struct slice text_of(const struct batch *b, const char *number_at)
{
    size_t number = le32(number_at);
    if (number == 0) return SLICE_NONE;
    size_t begin = number > 1 ? le32(b->ends + 4 * (number - 2)) : 0;
    return slice_make(b->texts.ptr + begin, le32(b->ends + 4 * (number - 1)) - begin);
}

bool batch_iter_next(struct batch_iter *it, struct record *ret)
{
    const struct batch *b = it->batch;
    const char *row = b->rows + (size_t)it->next * BATCH_ROW;
    if (!batch_iter_next_raw(it, ret)) return false;
    ret->source = text_of(b, row + BATCH_ROW_TEXTS);
    ret->delivery = text_of(b, row + BATCH_ROW_TEXTS + 4);
    ret->context = text_of(b, row + BATCH_ROW_TEXTS + 8);
    ret->received = (nsec)le64(row + BATCH_ROW_RECEIVED);
    ret->ordinal = le64(row + BATCH_ROW_ORDINAL);
    return true;
}

void batch_iter_find(struct batch_iter *it, uint32_t number, struct record *record)
{
    ASSERT(number < it->batch->n);
    if (it->next > number + 1) batch_iter_init(it, it->batch);
    while (it->next < number)
        if (!batch_iter_next_raw(it, record)) return;
    if (it->next == number) (void)batch_iter_next(it, record);
}

/* ---- writing ----------------------------------------------------------------------------- */

void batch_writer_init(struct batch_writer *w, uint32_t tenant, size_t max)
{
    ASSERT(max <= BATCH_MAX);
    *w = (struct batch_writer){.tenant = tenant, .max = max};
    buf_init(&w->rows, (size_t)BATCH_RECORDS_MAX * BATCH_ROW);
    buf_init(&w->ends, BATCH_MAX);
    buf_init(&w->texts, BATCH_MAX);
    buf_init(&w->data, BATCH_MAX);
}

void batch_writer_done(struct batch_writer *w)
{
    buf_done(&w->rows);
    buf_done(&w->ends);
    buf_done(&w->texts);
    buf_done(&w->data);
}

void batch_writer_clear(struct batch_writer *w)
{
    buf_clear(&w->rows);
    buf_clear(&w->ends);
    buf_clear(&w->texts);
    buf_clear(&w->data);
    w->n = w->n_texts = 0;
    memset(w->known, 0, sizeof w->known);
}

size_t batch_writer_size(const struct batch_writer *w)
{
    return BATCH_HEADER + w->rows.len + w->ends.len + w->texts.len + w->data.len;
}

static uint32_t text_number(struct batch_writer *w, struct slice text)
{
    if (text.len == 0) return 0;
    uint64_t hash = hash64(text);
    size_t at = hash % (sizeof w->known / sizeof w->known[0]);
    if (w->known[at].number && w->known[at].hash == hash &&
        slice_eq(slice_make(w->texts.ptr + w->known[at].offset, w->known[at].len), text))
        return w->known[at].number;
    w->known[at].hash = hash;
    w->known[at].number = ++w->n_texts;
    w->known[at].offset = (uint32_t)w->texts.len;
    w->known[at].len = (uint32_t)text.len;
    buf_put(&w->texts, text);
    put_u32(&w->ends, (uint32_t)w->texts.len);
    return w->n_texts;
}

int batch_writer_add(struct batch_writer *w, const struct record *r)
{
    if (r->raw.len > RECORD_MAX || r->source.len > RECORD_TEXT_MAX ||
        r->delivery.len > RECORD_TEXT_MAX || r->context.len > RECORD_TEXT_MAX ||
        r->format >= RECORD_FORMAT_COUNT || (r->flags & ~RECORD_FLAGS_ALL))
        return ERR_INVALID;
    /* As if all its texts were new: the limit is met a little early. */
    size_t more =
        BATCH_ROW + r->raw.len + 1 + 12 + r->source.len + r->delivery.len + r->context.len;
    if (w->n > 0 && (w->n == BATCH_RECORDS_MAX || batch_writer_size(w) > w->max ||
                     more > w->max - batch_writer_size(w)))
        return ERR_LIMIT;
    char *row = buf_reserve(&w->rows, BATCH_ROW);
    if (!row) return buf_error(&w->rows);
    uint8_t flags = r->flags & (uint8_t)~RECORD_HAS_LF;
    if (slice_find_byte(r->raw, '\n') != SIZE_MAX) flags |= RECORD_HAS_LF;
    memset(row, 0, BATCH_ROW);
    le32_put(row + BATCH_ROW_LEN, (uint32_t)r->raw.len);
    row[BATCH_ROW_FORMAT] = (char)r->format;
    row[BATCH_ROW_FLAGS] = (char)flags;
    le32_put(row + BATCH_ROW_TEXTS, text_number(w, r->source));
    le32_put(row + BATCH_ROW_TEXTS + 4, text_number(w, r->delivery));
    le32_put(row + BATCH_ROW_TEXTS + 8, text_number(w, r->context));
    le64_put(row + BATCH_ROW_RECEIVED, (uint64_t)r->received);
    le64_put(row + BATCH_ROW_ORDINAL, r->ordinal);
    buf_put(&w->data, r->raw);
    buf_putc(&w->data, '\n');
    if (buf_failed(&w->ends) || buf_failed(&w->texts) || buf_failed(&w->data)) {
        /* Half a record is in it: nothing of the batch can be kept. */
        batch_writer_clear(w);
        return ERR_NOMEM;
    }
    w->rows.len += BATCH_ROW;
    w->n++;
    return 0;
}

void batch_writer_finish(struct batch_writer *w, struct buf *out)
{
    if (w->n == 0) return;
    buf_put(out, slice_make(magic, sizeof magic));
    put_u32(out, w->tenant);
    put_u32(out, w->n);
    put_u32(out, w->n_texts);
    put_u32(out, (uint32_t)w->texts.len);
    put_u32(out, (uint32_t)w->data.len);
    buf_put(out, buf_slice(&w->rows));
    buf_put(out, buf_slice(&w->ends));
    buf_put(out, buf_slice(&w->texts));
    buf_put(out, buf_slice(&w->data));
    batch_writer_clear(w);
}
