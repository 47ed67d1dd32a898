/* SPDX-License-Identifier: EUPL-1.2 */
#include "mix.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"

enum {
    FILE_MAX = 1024 * 1024,
    SOURCES_MAX = 64,
    LINES_MAX = 512,
    PARTS_MAX = 16 * 1024,
    RECORD_BYTES = 64 * 1024,
    USERS = 11000,
    WORDS = 4096,
    WORD_MAX = 12,
};

enum part_kind {
    PART_LITERAL,
    PART_HOST,
    PART_PEER,
    PART_USER,
    PART_AGAIN,
    PART_HOME,
    PART_IP,
    PART_OUT,
    PART_PORT,
    PART_MAC,
    PART_GUID,
    PART_WORD,
    PART_HEX,
    PART_INT,
    PART_PICK,
    PART_TIME,
    PART_BSD,
    PART_UNIX,
    PART_DATE,
    PART_CLOCK,
    PART_CLF,
    PART_US,
};

struct part {
    enum part_kind kind;
    struct slice text;    /* of a literal and a pick */
    uint64_t least, most; /* of int; most: digits of hex, choices of a pick */
};

struct line {
    uint64_t weight;
    enum mix_form form;
    uint32_t part, n_parts;
};

struct source {
    uint64_t rate;
    struct slice prefix;
    uint64_t hosts, weights;
    uint32_t line, n_lines;
};

/* Records made in advance, each behind the other. */
struct pool {
    struct buf bytes, ends; /* ends: size_t */
    size_t n, next;
};

struct mix {
    uint64_t random;
    size_t size;
    struct buf file, raw, record;
    struct part parts[PARTS_MAX];
    struct line lines[LINES_MAX], plant;
    struct source sources[SOURCES_MAX];
    uint32_t n_parts, n_lines, n_sources;
    uint64_t rates;
    uint64_t user; /* the one drawn last */
    struct pool pools[MIX_FORMS];
    char words[WORDS][WORD_MAX + 1];
    nsec second; /* the one that `rfc3339` and `bsd` tell */
    char rfc3339[32], bsd[32];
};

/* ---- chance ------------------------------------------------------------------------------ */

uint64_t mix_random(struct mix *m)
{
    m->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = m->random;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t below(struct mix *m, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)mix_random(m) * n) >> 64);
}

/* Low numbers are drawn more often: the density falls with the root. */
static uint64_t uneven(struct mix *m, uint64_t n)
{
    double u = (double)(mix_random(m) >> 11) * 0x1p-53;
    return (uint64_t)(u * u * (double)n);
}

static void make_words(struct mix *m)
{
    static const char consonants[] = "bdfghjklmnprstv", vowels[] = "aeiouy";
    for (size_t i = 0; i < WORDS; i++) {
        size_t len = 3 + below(m, WORD_MAX - 2);
        for (size_t k = 0; k < len; k++)
            m->words[i][k] = k % 2 ? vowels[below(m, sizeof vowels - 1)]
                                   : consonants[below(m, sizeof consonants - 1)];
    }
}

/* ---- values ------------------------------------------------------------------------------ */

static void put_number(struct buf *out, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    buf_put(out, slice_make(digits + at, sizeof digits - at));
}

static void put_hex(struct mix *m, struct buf *out, uint64_t n)
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (i % 16 == 0) bits = mix_random(m);
        buf_putc(out, "0123456789abcdef"[bits & 15]);
        bits >>= 4;
    }
}

static void put_word(struct mix *m, struct buf *out)
{
    buf_puts(out, m->words[uneven(m, WORDS)]);
}

/* Three letters of the first and of the last name and a number, the custom of Swedish cities. */
static void put_user(struct buf *out, uint64_t user)
{
    uint64_t bits = hash_mix(user, 1);
    char text[6];
    for (size_t i = 0; i < sizeof text; i++, bits /= 26) text[i] = (char)('a' + bits % 26);
    buf_put(out, slice_make(text, sizeof text));
    put_number(out, 10 + user % 90);
}

static void put_address(struct buf *out, uint64_t bits, bool inside)
{
    put_number(out, inside ? 10 : 11 + bits % 160);
    for (int i = 0; i < 3; i++) {
        bits /= 256;
        buf_putc(out, '.');
        put_number(out, bits % 256);
    }
}

static void put_guid(struct mix *m, struct buf *out)
{
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    for (size_t i = 0; i < sizeof groups; i++) {
        if (i) buf_putc(out, '-');
        put_hex(m, out, groups[i]);
    }
}

static void put_mac(struct mix *m, struct buf *out)
{
    for (int i = 0; i < 6; i++) {
        if (i) buf_putc(out, ':');
        put_hex(m, out, 2);
    }
}

static void put_pick(struct mix *m, struct buf *out, const struct part *part)
{
    struct slice rest = part->text, choice = SLICE_NONE;
    for (uint64_t n = below(m, part->most); n != UINT64_MAX; n--)
        (void)slice_split(rest, '|', &choice, &rest);
    buf_put(out, choice);
}

static void tell_second(struct mix *m, nsec now)
{
    struct tm tm;
    time_t seconds = (time_t)(now / NSEC_PER_SEC);
    if (m->second == now / NSEC_PER_SEC || !gmtime_r(&seconds, &tm)) return;
    m->second = now / NSEC_PER_SEC;
    (void)strftime(m->rfc3339, sizeof m->rfc3339, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)strftime(m->bsd, sizeof m->bsd, "%b %e %H:%M:%S", &tm);
}

static void put_time(struct mix *m, struct buf *out, nsec now)
{
    unsigned ms = (unsigned)(now % NSEC_PER_SEC / NSEC_PER_MSEC);
    char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                       (char)('0' + ms % 10), 'Z'};
    buf_puts(out, m->rfc3339);
    buf_put(out, slice_make(fraction, sizeof fraction));
}

/* As Apache and NetScaler write it, and its two halves as they are most. */
static void put_civil(struct buf *out, enum part_kind kind, nsec now)
{
    struct tm tm;
    time_t seconds = (time_t)(now / NSEC_PER_SEC);
    char text[32];
    size_t n = 0;
    if (!gmtime_r(&seconds, &tm)) return;
    if (kind == PART_DATE) n = strftime(text, sizeof text, "%Y-%m-%d", &tm);
    if (kind == PART_CLOCK) n = strftime(text, sizeof text, "%H:%M:%S", &tm);
    if (kind == PART_CLF) n = strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S", &tm);
    if (kind == PART_US) n = strftime(text, sizeof text, "%m/%d/%Y:%H:%M:%S", &tm);
    buf_put(out, slice_make(text, n));
}

/* ---- a record ---------------------------------------------------------------------------- */

/* What a template is filled with. */
struct filling {
    const struct source *source; /* NULL: a plant */
    uint64_t host;
    nsec now;
};

static void put_host(struct buf *out, const struct filling *f, uint64_t number)
{
    buf_put(out, f->source ? f->source->prefix : SLICE("plant-"));
    put_number(out, number);
}

static void put_part(struct mix *m, struct buf *out, const struct part *p, const struct filling *f)
{
    switch (p->kind) {
    case PART_LITERAL:
        buf_put(out, p->text);
        return;
    case PART_HOST:
        put_host(out, f, f->host);
        return;
    case PART_PEER:
        put_host(out, f, f->source ? uneven(m, f->source->hosts) : f->host);
        return;
    case PART_USER:
        m->user = uneven(m, USERS);
        put_user(out, m->user);
        return;
    case PART_AGAIN:
        put_user(out, m->user);
        return;
    case PART_HOME:
        put_address(out, hash_mix(m->user, 3), false);
        return;
    case PART_IP:
        put_address(out, hash_mix(uneven(m, 30000), 2), true);
        return;
    case PART_OUT:
        put_address(out, mix_random(m), false);
        return;
    case PART_PORT:
        put_number(out, 1024 + below(m, 64512));
        return;
    case PART_MAC:
        put_mac(m, out);
        return;
    case PART_GUID:
        put_guid(m, out);
        return;
    case PART_WORD:
        put_word(m, out);
        return;
    case PART_HEX:
        put_hex(m, out, p->most);
        return;
    case PART_INT:
        put_number(out, p->least + below(m, p->most - p->least + 1));
        return;
    case PART_PICK:
        put_pick(m, out, p);
        return;
    case PART_TIME:
        put_time(m, out, f->now);
        return;
    case PART_BSD:
        buf_puts(out, m->bsd);
        return;
    case PART_UNIX:
        put_number(out, (uint64_t)(f->now / NSEC_PER_SEC));
        return;
    case PART_DATE:
    case PART_CLOCK:
    case PART_CLF:
    case PART_US:
        put_civil(out, p->kind, f->now);
        return;
    }
}

static void put_line(struct mix *m, struct buf *out, const struct line *line,
                     const struct filling *f)
{
    for (uint32_t i = 0; i < line->n_parts; i++) put_part(m, out, &m->parts[line->part + i], f);
}

/* What a shipper makes of a line that is no JSON, and a forwarder of an object. */
static void put_converted(struct mix *m, struct buf *out, enum mix_form form,
                          const struct filling *f)
{
    if (form == MIX_JSON) {
        buf_puts(out, "{\"@timestamp\":\"");
        put_time(m, out, f->now);
        buf_puts(out, "\",\"host\":{\"name\":\"");
        put_host(out, f, f->host);
        buf_puts(out, "\"},\"message\":");
        json_write_string(out, buf_slice(&m->raw));
        buf_putc(out, '}');
    } else {
        buf_puts(out, "<134>1 ");
        put_time(m, out, f->now);
        buf_putc(out, ' ');
        put_host(out, f, f->host);
        buf_puts(out, " agent - - - ");
        buf_put(out, buf_slice(&m->raw));
    }
}

/* Words, and a number now and then, until the record has its size exactly. */
static void fill_up(struct mix *m, struct buf *out, enum mix_form form)
{
    struct slice end = form == MIX_JSON ? SLICE("\"}") : SLICE_NONE;
    if (form == MIX_JSON) {
        if (out->len + 12 + end.len > m->size) return;
        out->len--; /* the brace */
        buf_puts(out, ",\"detail\":\"");
    }
    size_t until = m->size - end.len;
    while (out->len < until) {
        buf_putc(out, ' ');
        if (below(m, 4)) put_word(m, out);
        else put_number(out, below(m, 1000000));
    }
    out->len = until;
    buf_put(out, end);
}

static struct slice make(struct mix *m, enum mix_form form, const struct line *line,
                         const struct filling *f)
{
    struct buf *out = &m->record;
    tell_second(m, f->now);
    buf_clear(out);
    if (line->form == form) {
        put_line(m, out, line, f);
    } else {
        buf_clear(&m->raw);
        put_line(m, &m->raw, line, f);
        put_converted(m, out, form, f);
    }
    if (out->len < m->size) fill_up(m, out, form);
    ASSERT(!buf_failed(out) && !buf_failed(&m->raw));
    return buf_slice(out);
}

static struct slice make_any(struct mix *m, enum mix_form form, nsec now)
{
    uint64_t at = below(m, m->rates);
    const struct source *source = m->sources;
    for (; at >= source->rate; source++) at -= source->rate;
    at = below(m, source->weights);
    const struct line *line = &m->lines[source->line];
    for (; at >= line->weight; line++) at -= line->weight;
    return make(m, form, line,
                &(struct filling){.source = source, .host = uneven(m, source->hosts), .now = now});
}

uint64_t mix_rate(const struct mix *m)
{
    return m->rates;
}

struct slice mix_next(struct mix *m, enum mix_form form, nsec now)
{
    struct pool *p = &m->pools[form];
    if (p->n == 0) return make_any(m, form, now);
    const size_t *ends = (const size_t *)(const void *)p->ends.ptr;
    size_t i = p->next++ % p->n, from = i ? ends[i - 1] : 0;
    return slice_make(p->bytes.ptr + from, ends[i] - from);
}

struct slice mix_plant(struct mix *m, enum mix_form form, uint32_t number, nsec now)
{
    return make(m, form, &m->plant, &(struct filling){.host = number, .now = now});
}

/* ---- the file ---------------------------------------------------------------------------- */

struct reading {
    struct mix *m;
    struct diag *diag;
    const char *path;
    uint32_t number; /* of the line */
};

static int fail(const struct reading *r, const char *why)
{
    return diag_set(r->diag, ERR_SYNTAX, r->path, r->number, 0, "%s", why);
}

static struct slice take_word(struct slice *rest)
{
    struct slice word;
    (void)slice_split(*rest, ' ', &word, rest);
    return word;
}

static const struct {
    const char *name;
    enum part_kind kind;
} part_names[] = {
    {"host", PART_HOST}, {"peer", PART_PEER}, {"user", PART_USER},   {"ip", PART_IP},
    {"out", PART_OUT},   {"port", PART_PORT}, {"mac", PART_MAC},     {"guid", PART_GUID},
    {"word", PART_WORD}, {"hex", PART_HEX},   {"int", PART_INT},     {"pick", PART_PICK},
    {"time", PART_TIME}, {"bsd", PART_BSD},   {"unix", PART_UNIX},   {"again", PART_AGAIN},
    {"home", PART_HOME}, {"date", PART_DATE}, {"clock", PART_CLOCK}, {"clf", PART_CLF},
    {"us", PART_US},
};

static uint64_t count_choices(struct slice text)
{
    struct slice choice;
    uint64_t n = 1;
    while (slice_split(text, '|', &choice, &text)) n++;
    return n;
}

/* name or name:argument; what stands between the parentheses. */
static int read_part(const struct reading *r, struct slice text, struct part *ret)
{
    struct slice name, least, most;
    bool known = false;
    (void)slice_split(text, ':', &name, &text);
    *ret = (struct part){.text = text};
    for (size_t i = 0; i < sizeof part_names / sizeof *part_names && !known; i++) {
        known = slice_eq(name, slice_of(part_names[i].name));
        ret->kind = part_names[i].kind;
    }
    if (!known) return fail(r, "a value that is not known");
    if (ret->kind == PART_PICK) ret->most = count_choices(text);
    if (ret->kind == PART_HEX && (!slice_to_u64(text, &ret->most) || ret->most > 1024))
        return fail(r, "hex wants a number of digits, at most 1024");
    if (ret->kind != PART_INT) return 0;
    (void)slice_split(text, ':', &least, &most);
    if (!slice_to_u64(least, &ret->least) || !slice_to_u64(most, &ret->most) ||
        ret->least > ret->most)
        return fail(r, "int wants two numbers, the smaller one first");
    return 0;
}

static int add_part(const struct reading *r, const struct part *part)
{
    struct mix *m = r->m;
    if (m->n_parts == PARTS_MAX) return fail(r, "the file has too many values");
    m->parts[m->n_parts++] = *part;
    return 0;
}

static int read_template(const struct reading *r, struct slice text, struct line *line)
{
    int error = 0;
    line->part = r->m->n_parts;
    while (text.len && error == 0) {
        size_t at = slice_find(text, SLICE("$("));
        if (at == SIZE_MAX) at = text.len;
        if (at > 0) error = add_part(r, &(struct part){.text = slice_until(text, at)});
        text = slice_from(text, at);
        if (error || text.len == 0) break;
        struct part part;
        size_t end = slice_find_byte(text, ')');
        if (end == SIZE_MAX) return fail(r, "$( without its )");
        error = read_part(r, slice_from(slice_until(text, end), 2), &part);
        if (error == 0) error = add_part(r, &part);
        text = slice_from(text, end + 1);
    }
    line->n_parts = r->m->n_parts - line->part;
    return error ? error : line->n_parts ? 0 : fail(r, "a template is missing");
}

static int read_source(const struct reading *r, struct slice rest)
{
    struct mix *m = r->m;
    struct source *s = &m->sources[m->n_sources];
    if (m->n_sources == SOURCES_MAX) return fail(r, "too many sources");
    (void)take_word(&rest);
    struct slice rate = take_word(&rest);
    *s = (struct source){.prefix = take_word(&rest), .line = m->n_lines};
    if (!slice_to_u64(rate, &s->rate) || !slice_to_u64(rest, &s->hosts) || s->hosts == 0)
        return fail(r, "source NAME RATE PREFIX COUNT");
    m->rates += s->rate;
    m->n_sources++;
    return 0;
}

static int read_line(const struct reading *r, struct slice rest)
{
    struct mix *m = r->m;
    if (m->n_sources == 0) return fail(r, "a line before the first source");
    if (m->n_lines == LINES_MAX) return fail(r, "too many lines");
    struct source *s = &m->sources[m->n_sources - 1];
    struct line *line = &m->lines[m->n_lines];
    struct slice weight = take_word(&rest), form = take_word(&rest);
    line->form = slice_eq(form, SLICE("json")) ? MIX_JSON : MIX_TEXT;
    if (!slice_to_u64(weight, &line->weight) ||
        (line->form == MIX_TEXT && !slice_eq(form, SLICE("text"))))
        return fail(r, "line WEIGHT text|json TEMPLATE");
    s->weights += line->weight;
    s->n_lines++;
    m->n_lines++;
    return read_template(r, rest, line);
}

static int read_statement(const struct reading *r, struct slice text)
{
    struct slice rest = text, word = take_word(&rest);
    if (slice_eq(word, SLICE("source"))) return read_source(r, rest);
    if (slice_eq(word, SLICE("line"))) return read_line(r, rest);
    if (slice_eq(word, SLICE("plant"))) return read_template(r, rest, &r->m->plant);
    return fail(r, "neither source nor line nor plant");
}

static int read_mix(struct reading *r)
{
    struct mix *m = r->m;
    struct slice rest = buf_slice(&m->file), text;
    int error = 0;
    while (rest.len && error == 0) {
        (void)slice_split(rest, '\n', &text, &rest);
        r->number++;
        if (text.len && text.ptr[0] != '#') error = read_statement(r, text);
    }
    for (uint32_t i = 0; i < m->n_sources && error == 0; i++)
        if (m->sources[i].weights == 0) error = fail(r, "a source without lines");
    if (error == 0 && (m->rates == 0 || m->plant.n_parts == 0))
        error = fail(r, "no source, or no plant");
    return error;
}

static int fill_pool(struct mix *m, enum mix_form form, size_t size, nsec now)
{
    struct buf bytes, ends;
    buf_init(&bytes, size + RECORD_BYTES);
    buf_init(&ends, size);
    size_t n = 0;
    for (; bytes.len < size; n++) {
        buf_put(&bytes, make_any(m, form, now));
        buf_put(&ends, slice_make(&bytes.len, sizeof bytes.len));
    }
    bool failed = buf_failed(&bytes) || buf_failed(&ends);
    m->pools[form] = (struct pool){.bytes = bytes, .ends = ends, .n = n};
    return failed ? ERR_NOMEM : 0;
}

int mix_new(const struct mix_options *options, nsec now, struct mix **ret, struct diag *diag)
{
    struct mix *m = calloc(1, sizeof *m);
    if (!m) return ERR_NOMEM;
    m->random = options->seed;
    m->size = options->size;
    buf_init(&m->file, FILE_MAX);
    buf_init(&m->raw, RECORD_BYTES);
    buf_init(&m->record, 2 * RECORD_BYTES + options->size);
    make_words(m);
    struct reading r = {.m = m, .diag = diag, .path = options->path};
    int error = file_read(options->path, &m->file, diag);
    if (error == 0) error = read_mix(&r);
    for (unsigned form = 0; form < MIX_FORMS && error == 0; form++)
        if (options->pool && options->forms[form]) error = fill_pool(m, form, options->pool, now);
    if (error) mix_free(m);
    else *ret = m;
    return error;
}

void mix_free(struct mix *m)
{
    if (!m) return;
    for (unsigned form = 0; form < MIX_FORMS; form++) {
        buf_done(&m->pools[form].bytes);
        buf_done(&m->pools[form].ends);
    }
    buf_done(&m->file);
    buf_done(&m->raw);
    buf_done(&m->record);
    free(m);
}
