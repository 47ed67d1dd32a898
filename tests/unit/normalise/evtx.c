/* SPDX-License-Identifier: EUPL-1.2 */
/* Event log files made by hand, byte by byte, whole and damaged. */
#include <stdlib.h>

#include "normalise/binxml.h"
#include "normalise/decoder.h"
#include "test.h"

enum { HEADER = 4096, CHUNK = 65536, CHUNKS_MAX = 3 };

/* ---- writing -------------------------------------------------------------------------------- */

struct image {
    unsigned char *data;
    size_t pos;   /* in data */
    size_t chunk; /* where the current chunk begins */
    size_t record;
    size_t values; /* where the descriptor of the fragment stands */
    uint64_t number;
    uint64_t first;
};

static void put(struct image *m, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) m->data[m->pos++] = (unsigned char)(v >> (8 * i));
}

static void put_at(struct image *m, size_t at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) m->data[at + i] = (unsigned char)(v >> (8 * i));
}

static void put_bytes(struct image *m, const void *p, size_t n)
{
    memcpy(m->data + m->pos, p, n);
    m->pos += n;
}

static void put_utf16(struct image *m, const char *ascii)
{
    for (; *ascii; ascii++) put(m, (unsigned char)*ascii, 2);
}

static uint32_t offset_of(const struct image *m, size_t pos)
{
    return (uint32_t)(pos - m->chunk);
}

/* A reference to a name that follows inline. */
static void put_name(struct image *m, const char *name)
{
    put(m, offset_of(m, m->pos + 4), 4);
    put(m, 0, 4);
    put(m, 0, 2);
    put(m, strlen(name), 2);
    put_utf16(m, name);
    put(m, 0, 2);
}

static void open_tag(struct image *m, const char *name, bool attributes)
{
    put(m, attributes ? 0x41 : 0x01, 1);
    put(m, 0xffff, 2);
    put(m, 0, 4);
    put_name(m, name);
    if (attributes) put(m, 0, 4);
}

static void put_attribute(struct image *m, const char *name)
{
    put(m, 0x06, 1);
    put_name(m, name);
}

static void put_text(struct image *m, const char *text)
{
    put(m, 0x05, 1);
    put(m, 0x01, 1);
    put(m, strlen(text), 2);
    put_utf16(m, text);
}

static void put_hole(struct image *m, unsigned number, bool optional)
{
    put(m, optional ? 0x0e : 0x0d, 1);
    put(m, number, 2);
    put(m, 0x01, 1);
}

static void start_done(struct image *m)
{
    put(m, 0x02, 1);
}

static void empty_done(struct image *m)
{
    put(m, 0x03, 1);
}

static void close_tag(struct image *m)
{
    put(m, 0x04, 1);
}

/* <name>hole</name> */
static void hole_element(struct image *m, const char *name, unsigned number, bool optional)
{
    open_tag(m, name, false);
    start_done(m);
    put_hole(m, number, optional);
    close_tag(m);
}

static void text_element(struct image *m, const char *name, const char *text)
{
    open_tag(m, name, false);
    start_done(m);
    put_text(m, text);
    close_tag(m);
}

/* <Data Name="name">hole</Data> */
static void data_element(struct image *m, const char *name, unsigned number)
{
    open_tag(m, "Data", true);
    put_attribute(m, "Name");
    put_text(m, name);
    start_done(m);
    put_hole(m, number, false);
    close_tag(m);
}

static void image_begin(struct image *m)
{
    *m = (struct image){.data = calloc(1, HEADER + CHUNKS_MAX * CHUNK), .pos = HEADER};
    REQUIRE(m->data != NULL);
    memcpy(m->data, "ElfFile", 8);
    put_at(m, 32, 128, 4);
    put_at(m, 36, 1, 2);
    put_at(m, 38, 3, 2);
    put_at(m, 40, HEADER, 2);
}

static void chunk_begin(struct image *m)
{
    m->chunk = m->pos;
    memcpy(m->data + m->chunk, "ElfChnk", 8);
    put_at(m, m->chunk + 40, 128, 4);
    m->first = m->number + 1;
    m->pos += 512;
}

static uint32_t crc32_of(uint32_t v, const unsigned char *p, size_t n)
{
    while (n--) {
        v ^= *p++;
        for (int bit = 0; bit < 8; bit++) v = v >> 1 ^ (v & 1 ? 0xEDB88320u : 0);
    }
    return v;
}

static void chunk_sums(struct image *m)
{
    unsigned char *c = m->data + m->chunk;
    size_t used = offset_of(m, m->pos);
    put_at(m, m->chunk + 8, m->first, 8);
    put_at(m, m->chunk + 16, m->number, 8);
    put_at(m, m->chunk + 24, m->first, 8);
    put_at(m, m->chunk + 32, m->number, 8);
    put_at(m, m->chunk + 48, used, 4);
    put_at(m, m->chunk + 52, ~crc32_of(UINT32_MAX, c + 512, used - 512), 4);
    uint32_t crc = crc32_of(UINT32_MAX, c, 120);
    put_at(m, m->chunk + 124, ~crc32_of(crc, c + 128, 384), 4);
}

static void chunk_end(struct image *m)
{
    chunk_sums(m);
    m->pos = m->chunk + CHUNK;
}

static void header_sums(struct image *m)
{
    put_at(m, 42, (m->pos - HEADER) / CHUNK, 2);
    put_at(m, 124, ~crc32_of(UINT32_MAX, m->data, 120), 4);
}

static void record_begin(struct image *m)
{
    m->record = m->pos;
    put(m, 0x2a2a, 4);
    put(m, 0, 4);
    put(m, ++m->number, 8);
    put(m, 0, 8);
    put(m, 0x0001010f, 4);
}

static void record_end(struct image *m)
{
    put(m, 0, 1);
    size_t size = m->pos + 4 - m->record;
    put_at(m, m->record + 4, size, 4);
    put(m, size, 4);
}

/* Begins a template instance whose definition follows; returns the definition's place. */
static size_t template_begin(struct image *m, uint32_t id)
{
    put(m, 0x0c, 1);
    put(m, 1, 1);
    put(m, id, 4);
    put(m, offset_of(m, m->pos + 4), 4);
    size_t at = m->pos;
    put(m, 0, 4);
    put(m, id, 4);
    put(m, 0, 8);
    put(m, 0, 4);
    put(m, 0, 4);
    put(m, 0x0001010f, 4);
    return at;
}

static void template_end(struct image *m, size_t at)
{
    put(m, 0, 1);
    put_at(m, at + 20, m->pos - at - 24, 4);
}

static void template_again(struct image *m, uint32_t id, size_t at)
{
    put(m, 0x0c, 1);
    put(m, 1, 1);
    put(m, id, 4);
    put(m, offset_of(m, at), 4);
}

struct val {
    unsigned type;
    const void *ptr;
    size_t len;
};

static void put_values(struct image *m, const struct val *v, size_t n)
{
    put(m, n, 4);
    for (size_t i = 0; i < n; i++) {
        put(m, v[i].len, 2);
        put(m, v[i].type, 2);
    }
    for (size_t i = 0; i < n; i++) put_bytes(m, v[i].ptr, v[i].len);
}

/* Values the last of which is binary XML; fragment_sized() fills in its length afterwards. */
static void values_begin(struct image *m, const struct val *v, size_t n)
{
    put(m, n + 1, 4);
    for (size_t i = 0; i < n; i++) {
        put(m, v[i].len, 2);
        put(m, v[i].type, 2);
    }
    m->values = m->pos;
    put(m, 0x21 << 16, 4);
    for (size_t i = 0; i < n; i++) put_bytes(m, v[i].ptr, v[i].len);
}

static void fragment_sized(struct image *m, size_t descriptor, size_t start)
{
    put_at(m, descriptor, m->pos - start, 2);
}

/* <Event><System><EventID>hole 0</EventID></System><EventData>…; the caller adds Data. */
static size_t simple_begin(struct image *m)
{
    record_begin(m);
    size_t t = template_begin(m, 7);
    open_tag(m, "Event", false);
    start_done(m);
    open_tag(m, "System", false);
    start_done(m);
    hole_element(m, "EventID", 0, false);
    close_tag(m);
    open_tag(m, "EventData", false);
    start_done(m);
    return t;
}

static void simple_end(struct image *m, size_t t)
{
    close_tag(m);
    close_tag(m);
    template_end(m, t);
}

/* ---- reading -------------------------------------------------------------------------------- */

struct result {
    char text[64 * 1024]; /* a line per event: name=value|… */
    size_t len;
    unsigned events, bad, damaged;
    char reasons[16 * 1024];
    size_t reasons_len;
    uint64_t last_record;
    int refuse_at;
    struct keys *clear;
};

static void append(char *text, size_t size, size_t *len, struct slice s)
{
    if (s.len >= size - *len) return;
    if (s.len) memcpy(text + *len, s.ptr, s.len);
    *len += s.len;
    text[*len] = '\0';
}

static void say(struct result *r, struct slice s)
{
    append(r->text, sizeof r->text, &r->len, s);
}

static int on_event(void *ctx, struct event *ev)
{
    struct result *r = ctx;
    r->events++;
    r->last_record = ev->record;
    if (ev->flags & EVENT_DAMAGED) r->damaged++;
    CHECK(ev->flags & EVENT_CANONICAL);
    CHECK(!(ev->flags & EVENT_RAW_IS_JSON));
    CHECK(ev->raw.len >= 28 && memcmp(ev->raw.ptr, "**", 3) == 0);
    CHECK_SLICE(slice_of(ev->format), "evtx");
    for (uint32_t i = 0; i < ev->n_fields; i++) {
        struct event_field *f = &ev->fields[i];
        if (i) say(r, SLICE("|"));
        say(r, keys_name(ev->keys, f->key));
        say(r, f->type == VALUE_NULL ? SLICE("?") : SLICE("="));
        if (f->type != VALUE_NULL) say(r, event_text(ev, f));
    }
    say(r, SLICE("\n"));
    if (r->clear) keys_clear(r->clear);
    return r->refuse_at && r->events == (unsigned)r->refuse_at ? -77 : 0;
}

static void on_bad(void *ctx, uint64_t offset, uint64_t record, const char *reason)
{
    struct result *r = ctx;
    (void)offset;
    (void)record;
    r->bad++;
    append(r->reasons, sizeof r->reasons, &r->reasons_len, slice_of(reason));
    append(r->reasons, sizeof r->reasons, &r->reasons_len, SLICE("\n"));
}

static int decode(const void *data, size_t len, size_t piece, struct result *r, bool clear)
{
    struct keys *keys = keys_new();
    struct decoder_out out = {.ctx = r, .emit = on_event, .bad = on_bad};
    if (clear) r->clear = keys;
    struct decoder *d = decoder_evtx.open(&out, keys);
    REQUIRE(d != NULL);
    int e = 0;
    /* Each piece is a copy of its own size, so that reading past it shows. */
    for (size_t at = 0; at < len && !e; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        char *copy = malloc(n);
        REQUIRE(copy != NULL);
        memcpy(copy, (const char *)data + at, n);
        e = decoder_evtx.feed(d, slice_make(copy, n));
        free(copy);
    }
    if (!e) e = decoder_evtx.finish(d);
    decoder_evtx.close(d);
    keys_free(keys);
    return e;
}

static struct result *run(const struct image *m)
{
    struct result *r = calloc(1, sizeof *r);
    REQUIRE(r != NULL);
    CHECK_INT(decode(m->data, m->pos, SIZE_MAX / 2, r, false), 0);
    return r;
}

/* The image holds exactly this, without complaint. */
static void check_image(struct image *m, const char *want)
{
    chunk_end(m);
    header_sums(m);
    struct result *r = run(m);
    CHECK_SLICE(slice_make(r->text, r->len), want);
    CHECK_SLICE(slice_make(r->reasons, r->reasons_len), "");
    free(r);
    free(m->data);
}

static const unsigned char id_one[2] = {1, 0};
static const struct val val_id = {0x06, id_one, 2};

/* One record with a single Data element X of this value. */
static void check_value(unsigned type, const void *ptr, size_t len, const char *want)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    data_element(&m, "X", 1);
    simple_end(&m, t);
    put_values(&m, (struct val[]){val_id, {type, ptr, len}}, 2);
    record_end(&m);
    char line[4096];
    snprintf(line, sizeof line, "EventID=1|%s\n", want);
    check_image(&m, line);
}

/* ---- values --------------------------------------------------------------------------------- */

TEST(integers)
{
    check_value(0x03, "\xff", 1, "X=-1");
    check_value(0x04, "\xff", 1, "X=255");
    check_value(0x05, "\x00\x80", 2, "X=-32768");
    check_value(0x06, "\x00\x80", 2, "X=32768");
    check_value(0x07, "\x00\x00\x00\x80", 4, "X=-2147483648");
    check_value(0x08, "\xff\xff\xff\xff", 4, "X=4294967295");
    check_value(0x09, "\0\0\0\0\0\0\0\x80", 8, "X=-9223372036854775808");
    check_value(0x0a, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "X=18446744073709551615");
    check_value(0x08, "\0\0\0\0", 4, "X=0");
    check_value(0x10, "\x10\x27\0\0\0\0\0\0", 8, "X=10000");
    check_value(0x10, "\x10\x27\0\0", 4, "X=10000");
    /* A size the type does not have. */
    check_value(0x08, "\x01\x00\x00\x00\x00\x00\x00\x01", 8, "X=72057594037927937");
    check_value(0x08, "\x01\x02\x03", 3, "X=010203");
}

TEST(hex_integers_as_windows_shows_them)
{
    check_value(0x14, "\x10\x14\0\0", 4, "X=0x1410");
    check_value(0x14, "\0\0\0\0", 4, "X=0x0");
    check_value(0x14, "\xff\xff\x1f\x00", 4, "X=0x1fffff");
    check_value(0x15, "\xe7\x03\0\0\0\0\0\0", 8, "X=0x3e7");
    check_value(0x15, "\0\0\0\0\0\0\x20\x80", 8, "X=0x8020000000000000");
}

TEST(reals)
{
    double d[] = {1.5, 0.1, 1e300, -2.0};
    float f[] = {0.1f, 16777216.0f};
    check_value(0x0c, &d[0], 8, "X=1.5");
    check_value(0x0c, &d[1], 8, "X=0.1");
    check_value(0x0c, &d[2], 8, "X=1e+300");
    check_value(0x0c, &d[3], 8, "X=-2");
    check_value(0x0b, &f[0], 4, "X=0.1");
    check_value(0x0b, &f[1], 4, "X=16777216");
    check_value(0x0c, "\0\0\0\0\0\0\xf0\x7f", 8, "X=inf");
    check_value(0x0c, "\0\0\0\0\0\0\xf8\x7f", 8, "X=nan");
    check_value(0x0b, "\0\0\x80\xff", 4, "X=-inf");
}

TEST(booleans)
{
    check_value(0x0d, "\1\0\0\0", 4, "X=true");
    check_value(0x0d, "\0\0\0\0", 4, "X=false");
    check_value(0x0d, "\0\0\0\x80", 4, "X=true");
    check_value(0x0d, "\1", 1, "X=true");
}

TEST(binary_guid_sid)
{
    static const unsigned char guid[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                           0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    check_value(0x0e, "\x00\x7f\x80\xff", 4, "X=007F80FF");
    check_value(0x0f, guid, 16, "X={00112233-4455-6677-8899-AABBCCDDEEFF}");
    check_value(0x0f, guid, 15, "X=33221100554477668899AABBCCDDEE");
    check_value(0x13, "\1\1\0\0\0\0\0\5\x12\0\0\0", 12, "X=S-1-5-18");
    check_value(0x13, "\1\2\0\0\0\0\0\5\x20\0\0\0\x20\2\0\0", 16, "X=S-1-5-32-544");
    check_value(0x13, "\1\0\0\0\0\0\0\5", 8, "X=S-1-5");
    /* More sub-authorities than bytes. */
    check_value(0x13, "\1\3\0\0\0\0\0\5\x12\0\0\0", 12, "X=010300000000000512000000");
    check_value(0x13, "\1\1\0", 3, "X=010100");
}

TEST(times)
{
    /* 0, the epoch, a leap day, the last day of a century, the largest. */
    uint64_t t[] = {0, UINT64_C(116444736000000000), UINT64_C(132274782251234567),
                    UINT64_C(94354847999999999), UINT64_MAX};
    check_value(0x11, &t[0], 8, "X=1601-01-01T00:00:00.000000000Z");
    check_value(0x11, &t[1], 8, "X=1970-01-01T00:00:00.000000000Z");
    check_value(0x11, &t[2], 8, "X=2020-02-29T19:30:25.123456700Z");
    check_value(0x11, &t[3], 8, "X=1899-12-31T23:59:59.999999900Z");
    check_value(0x11, &t[4], 8, "X=60056-05-28T05:36:10.955161500Z");
    check_value(0x11, &t[1], 4, "X=00803ED5");
    uint16_t s[] = {2019, 3, 5, 8, 23, 23, 5, 7};
    check_value(0x12, s, 16, "X=2019-03-08T23:23:05.007Z");
    uint16_t odd[] = {65535, 99, 0, 0, 60000, 0, 0, 65535};
    check_value(0x12, odd, 16, "X=65535-99-00T60000:00:00.65535Z");
}

TEST(strings)
{
    check_value(0x01, "a\0b\0", 4, "X=ab");
    check_value(0x01, "a\0b\0\0\0", 6, "X=ab");
    check_value(0x01, "\0\0", 2, "X=");
    check_value(0x01, "", 0, "X=");
    check_value(0x00, "", 0, "X=");
    /* Å, €, U+1F600, a lone surrogate of either kind, an odd byte. */
    check_value(0x01, "\xc5\x00\xac\x20\x3d\xd8\x00\xde", 8, "X=\u00c5\u20ac\U0001F600");
    check_value(0x01, "\x3d\xd8x\0", 4, "X=\ufffdx");
    check_value(0x01, "\x00\xdex\0", 4, "X=\ufffdx");
    check_value(0x01, "x\0y", 3, "X=x");
    check_value(0x02, "\xc5\x80z\0", 4, "X=\u00c5\u20acz");
    /* Around the width of the fast path. */
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t n = 1; n < sizeof letters; n++) {
        char utf16[2 * sizeof letters + 2], want[sizeof letters + 16];
        for (size_t i = 0; i < n; i++) {
            utf16[2 * i] = letters[i];
            utf16[2 * i + 1] = 0;
        }
        memcpy(utf16 + 2 * n, "\xe5", 2);
        snprintf(want, sizeof want, "X=%.*s\u00e5", (int)n, letters);
        check_value(0x01, utf16, 2 * n + 2, want);
    }
}

TEST(arrays)
{
    check_value(0x81, "a\0\0\0b\0c\0\0\0", 10, "X=a|X=bc");
    check_value(0x81, "a\0\0\0\0\0b\0", 8, "X=a|X=|X=b");
    check_value(0x82, "a\0bc\0", 5, "X=a|X=bc");
    check_value(0x88, "\1\0\0\0\2\0\0\0", 8, "X=1|X=2");
    check_value(0x88, "\1\0\0\0\2\0", 6, "X=1|X=2");
    check_value(0x8d, "\1\0\0\0\0\0\0\0", 8, "X=true|X=false");
    check_value(0x95, "\x01\0\0\0\0\0\0\0", 8, "X=0x1");
    check_value(0x93, "\1\1\0\0\0\0\0\5\x12\0\0\0\1\1\0\0\0\0\0\5\x13\0\0\0", 24,
                "X=S-1-5-18|X=S-1-5-19");
    check_value(0x84, "\1\2\3", 3, "X=1|X=2|X=3");
}

/* ---- structure ------------------------------------------------------------------------------ */

TEST(system_attributes_and_empty_elements)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    record_begin(&m);
    size_t t = template_begin(&m, 1);
    open_tag(&m, "Event", true);
    put_attribute(&m, "xmlns");
    put_text(&m, "http://example");
    start_done(&m);
    open_tag(&m, "System", false);
    start_done(&m);
    open_tag(&m, "Provider", true);
    put_attribute(&m, "Name");
    put_text(&m, "P & Q");
    put_attribute(&m, "Guid");
    put_hole(&m, 2, true);
    empty_done(&m);
    open_tag(&m, "EventID", true);
    put_attribute(&m, "Qualifiers");
    put_hole(&m, 1, true);
    start_done(&m);
    put_hole(&m, 0, true);
    close_tag(&m);
    open_tag(&m, "Correlation", true);
    put_attribute(&m, "ActivityID");
    put_hole(&m, 2, true);
    empty_done(&m);
    hole_element(&m, "Gone", 2, true);
    hole_element(&m, "Channel", 3, true);
    open_tag(&m, "Security", false);
    empty_done(&m);
    hole_element(&m, "EventRecordID", 4, false);
    close_tag(&m);
    close_tag(&m);
    template_end(&m, t);
    put_values(&m,
               (struct val[]){val_id,
                              {0x06, "\x02\x00", 2},
                              {0x00, "", 0},
                              {0x01, "", 0},
                              {0x0a, "\x39\x30\0\0\0\0\0\0", 8}},
               5);
    record_end(&m);
    chunk_end(&m);
    header_sums(&m);
    struct result *r = run(&m);
    CHECK_SLICE(slice_make(r->text, r->len),
                "Provider_Name=P & Q|EventID_Qualifiers=2|EventID=1|Correlation?|Channel?|"
                "Security?|EventRecordID=12345\n");
    CHECK_INT(r->last_record, 12345);
    CHECK_INT(r->bad, 0);
    free(r);
    free(m.data);
}

TEST(event_data_shapes)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    data_element(&m, "A", 1);
    hole_element(&m, "Data", 2, false);
    text_element(&m, "Data", "loose");
    hole_element(&m, "Binary", 3, true);
    hole_element(&m, "Missing", 9, true);
    /* <ComplexData Name="C"><Part>x</Part></ComplexData> */
    open_tag(&m, "ComplexData", true);
    put_attribute(&m, "Name");
    put_text(&m, "C");
    start_done(&m);
    text_element(&m, "Part", "x");
    close_tag(&m);
    /* <Data Kind="k" Name="D">1</Data>, the attribute order the other way round */
    open_tag(&m, "Data", true);
    put_attribute(&m, "Kind");
    put_text(&m, "k");
    put_attribute(&m, "Name");
    put_text(&m, "D");
    start_done(&m);
    put_text(&m, "1");
    close_tag(&m);
    /* a name that the record gives */
    open_tag(&m, "Data", true);
    put_attribute(&m, "Name");
    put_hole(&m, 1, false);
    put_attribute(&m, "Kind");
    put_text(&m, "k");
    start_done(&m);
    put_hole(&m, 0, false);
    close_tag(&m);
    simple_end(&m, t);
    put_values(
        &m,
        (struct val[]){val_id, {0x01, "v\0", 2}, {0x81, "p\0\0\0q\0\0\0", 8}, {0x0e, "\xab", 1}},
        4);
    record_end(&m);
    check_image(&m, "EventID=1|A=v|Data=p|Data=q|Data=loose|Binary=AB|C.Part=x|D_Kind=k|D=1|"
                    "v_Kind=k|v=1\n");
}

TEST(text_of_several_pieces)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    open_tag(&m, "Data", true);
    put_attribute(&m, "Name");
    put_text(&m, "M");
    start_done(&m);
    put_text(&m, "a");
    put(&m, 0x09, 1);
    put_name(&m, "lt");
    put(&m, 0x48, 1);
    put(&m, 0xe5, 2);
    put(&m, 0x07, 1);
    put(&m, 3, 2);
    put_utf16(&m, "<b>");
    put_hole(&m, 0, false);
    put(&m, 0x09, 1);
    put_name(&m, "nbsp");
    put_hole(&m, 1, false);
    close_tag(&m);
    /* layout around children is not a value */
    open_tag(&m, "Outer", false);
    start_done(&m);
    put_text(&m, "\r\n  ");
    text_element(&m, "Inner", " x ");
    close_tag(&m);
    simple_end(&m, t);
    put_values(&m, (struct val[]){val_id, {0x88, "\1\0\0\0\2\0\0\0", 8}}, 2);
    record_end(&m);
    check_image(&m, "EventID=1|M=a<\u00e5<b>1&nbsp;1,2|Outer.Inner= x \n");
}

/* The usual form: the outer template's last hole is the provider's part, a template as well. */
TEST(user_data_inside_a_value)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t outer = 0, inner = 0;
    for (int i = 0; i < 3; i++) {
        record_begin(&m);
        if (!outer) {
            outer = template_begin(&m, 1);
            open_tag(&m, "Event", false);
            start_done(&m);
            open_tag(&m, "System", false);
            start_done(&m);
            hole_element(&m, "EventID", 0, false);
            close_tag(&m);
            put_hole(&m, 1, true);
            close_tag(&m);
            template_end(&m, outer);
        } else {
            template_again(&m, 1, outer);
        }
        values_begin(&m, &val_id, 1);
        size_t start = m.pos, descriptor = m.values;
        put(&m, 0x0001010f, 4);
        if (!inner) {
            inner = template_begin(&m, 2);
            open_tag(&m, "UserData", false);
            start_done(&m);
            open_tag(&m, "LogFileCleared", true);
            put_attribute(&m, "xmlns:a");
            put_text(&m, "u");
            put_attribute(&m, "version");
            put_text(&m, "2");
            start_done(&m);
            hole_element(&m, "Channel", 0, false);
            open_tag(&m, "Deep", false);
            start_done(&m);
            hole_element(&m, "Er", 0, false);
            open_tag(&m, "Est", true);
            put_attribute(&m, "Code");
            put_text(&m, "15");
            empty_done(&m);
            close_tag(&m);
            open_tag(&m, "BackupPath", false);
            empty_done(&m);
            close_tag(&m);
            close_tag(&m);
            template_end(&m, inner);
        } else {
            template_again(&m, 2, inner);
        }
        put_values(&m, (struct val[]){{0x01, i ? "b\0" : "a\0", 2}}, 1);
        put(&m, 0, 1);
        fragment_sized(&m, descriptor, start);
        record_end(&m);
    }
    check_image(&m, "EventID=1|LogFileCleared_version=2|Channel=a|Deep.Er=a|Deep.Est_Code=15|"
                    "BackupPath?\n"
                    "EventID=1|LogFileCleared_version=2|Channel=b|Deep.Er=b|Deep.Est_Code=15|"
                    "BackupPath?\n"
                    "EventID=1|LogFileCleared_version=2|Channel=b|Deep.Er=b|Deep.Est_Code=15|"
                    "BackupPath?\n");
}

TEST(other_sections_and_plain_xml)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    record_begin(&m); /* no template at all */
    open_tag(&m, "Event", false);
    start_done(&m);
    open_tag(&m, "System", false);
    start_done(&m);
    text_element(&m, "EventID", "91");
    text_element(&m, "Level", "4");
    close_tag(&m);
    open_tag(&m, "ProcessingErrorData", false);
    start_done(&m);
    text_element(&m, "ErrorCode", "15005");
    close_tag(&m);
    open_tag(&m, "RenderingInfo", true);
    put_attribute(&m, "Culture");
    put_text(&m, "sv-SE");
    start_done(&m);
    text_element(&m, "Message", "Hej");
    text_element(&m, "Level", "Information");
    close_tag(&m);
    close_tag(&m);
    record_end(&m);
    check_image(&m, "EventID=91|Level=4|ErrorCode=15005|RenderingInfo_Culture=sv-SE|Message=Hej|"
                    "RenderingInfo.Level=Information\n");
}

/* ---- several records, chunks, pieces -------------------------------------------------------- */

/* Two chunks of three records each; D is the record's number. */
static void make_six(struct image *m)
{
    image_begin(m);
    for (int c = 0; c < 2; c++) {
        chunk_begin(m);
        size_t t = 0;
        for (int i = 0; i < 3; i++) {
            if (i == 0) {
                t = simple_begin(m);
                data_element(m, "D", 1);
                simple_end(m, t);
            } else {
                record_begin(m);
                template_again(m, 7, t);
            }
            unsigned char n = (unsigned char)m->number;
            put_values(m, (struct val[]){val_id, {0x04, &n, 1}}, 2);
            record_end(m);
        }
        chunk_end(m);
    }
    header_sums(m);
}

static const char six[] = "EventID=1|D=1\nEventID=1|D=2\nEventID=1|D=3\n"
                          "EventID=1|D=4\nEventID=1|D=5\nEventID=1|D=6\n";

TEST(pieces_of_any_size)
{
    struct image m;
    make_six(&m);
    static const size_t sizes[] = {1, 7, 4095, 4096, 4097, 65535, 65536, 65537, 70000, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct result *r = calloc(1, sizeof *r);
        CHECK_INT(decode(m.data, m.pos, sizes[i], r, false), 0);
        CHECK_SLICE(slice_make(r->text, r->len), six);
        CHECK_INT(r->bad, 0);
        free(r);
    }
    free(m.data);
}

TEST(key_table_cleared_between_events)
{
    struct image m;
    make_six(&m);
    struct result *r = calloc(1, sizeof *r);
    CHECK_INT(decode(m.data, m.pos, 1 << 20, r, true), 0);
    CHECK_SLICE(slice_make(r->text, r->len), six);
    free(r);
    free(m.data);
}

TEST(refusal_ends_the_feed)
{
    struct image m;
    make_six(&m);
    struct result *r = calloc(1, sizeof *r);
    r->refuse_at = 2;
    CHECK_INT(decode(m.data, m.pos, 1 << 20, r, false), -77);
    CHECK_INT(r->events, 2);
    free(r);
    free(m.data);
}

TEST(sniff)
{
    struct image m;
    make_six(&m);
    CHECK_INT(decoder_evtx.sniff(slice_make(m.data, 4096), false), 100);
    CHECK_INT(decoder_evtx.sniff(slice_make(m.data + HEADER, 512), false), 100);
    CHECK_INT(decoder_evtx.sniff(SLICE("ElfFile"), true), 0);
    CHECK_INT(decoder_evtx.sniff(SLICE("{\"a\":1}    "), true), 0);
    CHECK_INT(decoder_evtx.sniff(SLICE_NONE, true), 0);
    m.data[0] = 'X';
    CHECK(decoder_evtx.sniff(slice_make(m.data, 4096), false) > 50);
    free(m.data);
}

/* ---- damage --------------------------------------------------------------------------------- */

static void check_damaged(struct image *m, const char *events, const char *reasons)
{
    struct result *r = run(m);
    CHECK_SLICE(slice_make(r->text, r->len), events);
    CHECK_SLICE(slice_make(r->reasons, r->reasons_len), reasons);
    free(r);
    free(m->data);
}

TEST(empty_and_zero_input)
{
    struct result *r = calloc(1, sizeof *r);
    CHECK_INT(decode("", 0, 1, r, false), 0);
    CHECK_INT(r->events, 0);
    CHECK_INT(r->bad, 1);
    free(r);
    struct image m;
    image_begin(&m);
    m.pos += CHUNK; /* an unused chunk */
    header_sums(&m);
    check_damaged(&m, "", "");
}

TEST(damaged_file_header)
{
    struct image m;
    make_six(&m);
    m.data[0] = 0;
    check_damaged(&m, six, "file header has the wrong magic\nfile header checksum is wrong\n");
    make_six(&m);
    memset(m.data, 0xaa, HEADER);
    check_damaged(&m, six, "file header is damaged\n");
    make_six(&m);
    m.data[100] ^= 1;
    check_damaged(&m, six, "file header checksum is wrong\n");
    /* Chunks without a file. */
    make_six(&m);
    memmove(m.data, m.data + HEADER, m.pos - HEADER);
    m.pos -= HEADER;
    check_damaged(&m, six, "no file header\n");
}

TEST(wrong_checksums_are_notes)
{
    struct image m;
    make_six(&m);
    m.data[HEADER + 130] ^= 1;
    m.data[HEADER + CHUNK + 512 + 20] ^= 1; /* the time of record 4 */
    check_damaged(&m, six, "chunk header checksum is wrong\nchunk data checksum is wrong\n");
    make_six(&m);
    m.data[HEADER + CHUNK + 512 + 20] ^= 1;
    m.data[120] = 4; /* "no checksums" */
    check_damaged(&m, six, "");
}

TEST(bad_chunk_magic)
{
    struct image m;
    make_six(&m);
    memset(m.data + HEADER, 0, 8);
    check_damaged(&m, six, "no chunk header where one should be\n");
}

TEST(displaced_chunks)
{
    /* 1000 bytes of junk between the two chunks, then 300 bytes missing from the first. */
    struct image m;
    make_six(&m);
    memmove(m.data + HEADER + CHUNK + 1000, m.data + HEADER + CHUNK, CHUNK);
    memset(m.data + HEADER + CHUNK, 0x55, 1000);
    m.pos += 1000;
    check_damaged(&m, six, "no chunk header where one should be\n");
    make_six(&m);
    memmove(m.data + HEADER + 60000, m.data + HEADER + 60300, m.pos - HEADER - 60300);
    m.pos -= 300;
    struct result *r = run(&m);
    CHECK_SLICE(slice_make(r->text, 42), "EventID=1|D=1\nEventID=1|D=2\nEventID=1|D=3\n");
    CHECK(r->bad > 0);
    free(r);
    free(m.data);
}

static size_t record_at(const struct image *m, int index)
{
    size_t at = HEADER + 512;
    while (index--) at += m->data[at + 4] | (size_t)m->data[at + 5] << 8;
    return at;
}

TEST(damaged_record)
{
    static const char without_2[] = "EventID=1|D=1\nEventID=1|D=3\n"
                                    "EventID=1|D=4\nEventID=1|D=5\nEventID=1|D=6\n";
    static const char crc[] = "chunk data checksum is wrong\n";
    char want[200];
    struct image m;
    make_six(&m);
    m.data[record_at(&m, 1)] = 0;
    snprintf(want, sizeof want, "%sno record where one should be\n", crc);
    check_damaged(&m, without_2, want);
    make_six(&m);
    put_at(&m, record_at(&m, 1) + 4, 0xfffffff0, 4);
    snprintf(want, sizeof want, "%srecord is cut off or its size is wrong\n", crc);
    check_damaged(&m, without_2, want);
    make_six(&m);
    put_at(&m, record_at(&m, 1) + 4, 3, 4);
    snprintf(want, sizeof want, "%srecord size is too small\n", crc);
    check_damaged(&m, without_2, want);
    /* Only the second size is wrong, and a record follows where the first size says. */
    make_six(&m);
    put_at(&m, record_at(&m, 2) - 4, 99, 4);
    snprintf(want, sizeof want, "%sthe two sizes of the record differ\n", crc);
    check_damaged(&m, six, want);
    /* A token that does not exist, in record 2's fragment. */
    make_six(&m);
    m.data[record_at(&m, 1) + 28] = 0x3f;
    snprintf(want, sizeof want, "%sunknown token in binary XML\n", crc);
    check_damaged(&m, without_2, want);
    /* The wrong template. */
    make_six(&m);
    m.data[record_at(&m, 1) + 30] = 8;
    snprintf(want, sizeof want, "%sthe template is not the one the record was made with\n", crc);
    check_damaged(&m, without_2, want);
    make_six(&m);
    put_at(&m, record_at(&m, 1) + 34, 0xfffffff0, 4);
    snprintf(want, sizeof want, "%stemplate offset leads out of the chunk\n", crc);
    check_damaged(&m, without_2, want);
}

TEST(partly_readable_record_is_delivered_as_damaged)
{
    struct image m;
    make_six(&m);
    put_at(&m, record_at(&m, 1) + 46, 0xfff0, 2); /* the size of the second value */
    struct result *r = run(&m);
    CHECK_INT(r->events, 6);
    CHECK_INT(r->damaged, 1);
    CHECK(strstr(r->text, "EventID=1|D=\n") != NULL);
    CHECK(strstr(r->reasons, "template values end too early") != NULL);
    free(r);
    free(m.data);
}

TEST(behind_the_free_space_mark)
{
    /* One more record than the chunk header knows of: copied while in use. */
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    simple_end(&m, t);
    put_values(&m, &val_id, 1);
    record_end(&m);
    chunk_sums(&m);
    record_begin(&m);
    template_again(&m, 7, t);
    put_values(&m, &val_id, 1);
    record_end(&m);
    /* What follows has another number: remains of an older chunk. */
    m.number = 999;
    record_begin(&m);
    template_again(&m, 7, t);
    put_values(&m, &val_id, 1);
    record_end(&m);
    m.pos = m.chunk + CHUNK;
    header_sums(&m);
    check_damaged(&m, "EventID=1\nEventID=1\n", "");
}

TEST(missing_chunks_are_noticed)
{
    struct image m;
    make_six(&m);
    m.pos -= CHUNK;
    check_damaged(&m, "EventID=1|D=1\nEventID=1|D=2\nEventID=1|D=3\n",
                  "the file ends before its last chunk\n");
}

TEST(truncated_at_every_byte)
{
    struct image m;
    make_six(&m);
    m.pos = HEADER + CHUNK; /* one chunk */
    header_sums(&m);
    size_t ends[3] = {record_at(&m, 1), record_at(&m, 2), record_at(&m, 3)};
    struct result *r = malloc(sizeof *r);
    REQUIRE(r != NULL);
    size_t step = 1;
    for (size_t len = 1; len < m.pos; len += step) {
        memset(r, 0, sizeof *r);
        CHECK_INT(decode(m.data, len, SIZE_MAX / 2, r, false), 0);
        unsigned want = 0;
        while (want < 3 && len >= ends[want]) want++;
        CHECK_INT(r->events - r->damaged, want);
        CHECK(r->bad > 0);
        if (len > ends[2] + 64) step = 997; /* nothing but zeros left */
    }
    free(r);
    free(m.data);
}

static const char *const six_lines[6] = {"EventID=1|D=1\n", "EventID=1|D=2\n", "EventID=1|D=3\n",
                                         "EventID=1|D=4\n", "EventID=1|D=5\n", "EventID=1|D=6\n"};

static bool overlaps(size_t a, size_t a_end, size_t b, size_t b_end)
{
    return a < b_end && b < a_end;
}

/*
 * A run of 100 bytes written over at every place of the first chunk's header and records: whatever
 * is read of the records it touches, all others are read as before, provided that the run left
 * them their template, which stands in record 1.
 */
static void check_overwritten(const struct image *m, size_t at, int fill, struct result *r)
{
    enum { RUN = 100, BEFORE_TEMPLATE = 24 + 4 + 10 };
    size_t template = record_at(m, 0) + BEFORE_TEMPLATE;
    size_t template_end =
        template + 24 + m->data[template + 20] + ((size_t)m->data[template + 21] << 8);
    unsigned char saved[RUN];
    bool touched[6] = {false};
    for (int i = 0; i < 3; i++)
        touched[i] = overlaps(at, at + RUN, record_at(m, i), record_at(m, i + 1)) ||
                     overlaps(at, at + RUN, template, template_end);
    memcpy(saved, m->data + at, RUN);
    memset(m->data + at, fill, RUN);
    bool changed = memcmp(m->data + at, saved, RUN) != 0;
    memset(r, 0, sizeof *r);
    CHECK_INT(decode(m->data, m->pos, SIZE_MAX / 2, r, false), 0);
    memcpy(m->data + at, saved, RUN);
    /* Flags that say "no checksums" by accident take the chance to notice. */
    if (!overlaps(at, at + RUN, HEADER + 120, HEADER + 124)) CHECK_INT(r->bad > 0, changed);
    for (int i = 0; i < 6; i++)
        if (!touched[i] && !strstr(r->text, six_lines[i]))
            test_fail(__FILE__, __LINE__, "%02x from byte %zu on: no record %d in %s",
                      (unsigned)fill, at, i + 1, r->text);
}

TEST(overwritten_at_every_place)
{
    static const int fills[] = {0x00, 0x55, 0x2a, 0xff};
    struct image m;
    make_six(&m);
    struct result *r = malloc(sizeof *r);
    REQUIRE(r != NULL);
    for (size_t at = HEADER; at < record_at(&m, 3); at += 4)
        for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++)
            check_overwritten(&m, at, fills[i], r);
    free(r);
    free(m.data);
}

/* Every bit of the used part, one at a time: any result, but an end, and no reading astray. */
TEST(every_bit_flipped)
{
    struct image m;
    make_six(&m);
    m.pos = HEADER + CHUNK;
    header_sums(&m);
    size_t end = record_at(&m, 3);
    struct result *r = malloc(sizeof *r);
    REQUIRE(r != NULL);
    for (size_t at = HEADER; at < end; at++) {
        for (int bit = 0; bit < 8; bit++) {
            m.data[at] ^= (unsigned char)(1 << bit);
            memset(r, 0, sizeof *r);
            CHECK_INT(decode(m.data + HEADER, CHUNK, SIZE_MAX / 2, r, false), 0);
            CHECK(r->bad > 0);
            m.data[at] ^= (unsigned char)(1 << bit);
        }
        if (at == HEADER + 128) at = HEADER + 508; /* unused tables */
    }
    free(r);
    free(m.data);
}

/* ---- bombs ---------------------------------------------------------------------------------- */

/* A template of 400 holes for one value, which is the same template again, and again. */
TEST(nested_templates_cannot_explode)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    record_begin(&m);
    size_t t = template_begin(&m, 9);
    open_tag(&m, "E", false);
    start_done(&m);
    for (int i = 0; i < 400; i++) put_hole(&m, 0, false);
    close_tag(&m);
    template_end(&m, t);
    size_t descriptors[BINXML_NESTING_MAX + 4], starts[BINXML_NESTING_MAX + 4];
    for (size_t i = 0; i < BINXML_NESTING_MAX + 4; i++) {
        values_begin(&m, NULL, 0);
        descriptors[i] = m.values;
        starts[i] = m.pos;
        template_again(&m, 9, t);
    }
    put_values(&m, (struct val[]){{0x01, "x\0", 2}}, 1);
    for (size_t i = 0; i < BINXML_NESTING_MAX + 4; i++)
        fragment_sized(&m, descriptors[i], starts[i]);
    record_end(&m);
    chunk_end(&m);
    header_sums(&m);
    struct result *r = run(&m);
    CHECK_INT(r->events - r->damaged, 0);
    CHECK_INT(r->bad, 1);
    free(r);
    free(m.data);
}

/* 60,000 bytes shown 600 times in one field. */
TEST(output_is_bounded)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    open_tag(&m, "Data", false);
    start_done(&m);
    for (int i = 0; i < 600; i++) put_hole(&m, 1, false);
    close_tag(&m);
    simple_end(&m, t);
    char *big = malloc(60000);
    REQUIRE(big != NULL);
    memset(big, 'x', 60000);
    put_values(&m, (struct val[]){val_id, {0x01, big, 60000}}, 2);
    free(big);
    record_end(&m);
    chunk_end(&m);
    header_sums(&m);
    struct result *r = run(&m);
    CHECK_INT(r->bad, 1);
    CHECK(strstr(r->reasons, "record expands to too much") != NULL);
    CHECK_INT(r->damaged, r->events);
    free(r);
    free(m.data);
}

TEST(elements_nested_too_deeply)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    for (int i = 0; i < BINXML_DEPTH_MAX; i++) {
        open_tag(&m, "a", false);
        start_done(&m);
    }
    for (int i = 0; i < BINXML_DEPTH_MAX; i++) close_tag(&m);
    simple_end(&m, t);
    put_values(&m, &val_id, 1);
    record_end(&m);
    chunk_end(&m);
    header_sums(&m);
    check_damaged(&m, "EventID=1\n", "binary XML is nested too deeply\n");
}

/* A definition that lies inside itself, and a name that is its own reference. */
TEST(offsets_that_lead_back)
{
    struct image m;
    image_begin(&m);
    chunk_begin(&m);
    size_t t = simple_begin(&m);
    put(&m, 0x01, 1);
    put(&m, 0, 6);
    put(&m, offset_of(&m, m.pos), 4); /* the name begins at this very number */
    empty_done(&m);
    put(&m, 0x0c, 1); /* an instance of itself */
    put(&m, 1, 1);
    put(&m, 7, 4);
    put(&m, offset_of(&m, t), 4);
    simple_end(&m, t);
    put_values(&m, &val_id, 1);
    record_end(&m);
    chunk_end(&m);
    header_sums(&m);
    struct result *r = run(&m);
    CHECK_INT(r->bad, 1);
    CHECK(r->events <= 1);
    free(r);
    free(m.data);
}
