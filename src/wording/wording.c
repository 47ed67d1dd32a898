/* SPDX-License-Identifier: EUPL-1.2 */
#include "wording/wording.h"

#include "base/json_write.h"
#include "wording/files.h"

enum {
    PARTS_MAX = 8, /* conversions of a text */
    DEPTH_MAX = 3, /* texts within texts */
    SWEDISH_MAX = 4 * WORDING_TEXT_MAX,
    STEPS_MAX = 20000, /* of a comparison: a text that somebody chose may not take longer */
};

static struct slice text_of(int file)
{
    return wording_files[file].text;
}

/* ---- texts with conversions -------------------------------------------------------------- */

struct matching {
    struct slice parts[PARTS_MAX];
    uint32_t steps;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of the conversion that `format` begins with; 0: it begins with none. */
static size_t conversion(struct slice format)
{
    size_t n = 1;
    if (format.len < 2 || format.ptr[0] != '%' || format.ptr[1] == '%') return 0;
    while (n < format.len && !strchr("sducxX", format.ptr[n])) n++;
    return n < format.len ? n + 1 : 0;
}

/* Whether the byte may stand in what a conversion made. */
static bool may_stand(char kind, char c)
{
    if (kind == 's' || kind == 'c') return true;
    return is_digit(c) || (kind != 'd' && kind != 'u' && strchr("abcdefABCDEF", c));
}

static bool fits(struct matching *m, struct slice format, struct slice text, uint32_t n,
                 uint32_t *literal);

/* The same for a format that begins with a conversion of `skip` bytes: the shortest part first. */
static bool fits_part(struct matching *m, struct slice format, size_t skip, struct slice text,
                      uint32_t n, uint32_t *literal)
{
    char kind = format.ptr[skip - 1];
    size_t least = kind == 's' ? 0 : 1;
    for (size_t len = 0; n < PARTS_MAX && len <= text.len && m->steps++ < STEPS_MAX; len++) {
        uint32_t more = *literal;
        if (len > 0 && !may_stand(kind, text.ptr[len - 1])) break;
        m->parts[n] = slice_until(text, len);
        if (len < least || !fits(m, slice_from(format, skip), slice_from(text, len), n + 1, &more))
            continue;
        *literal = more;
        return true;
    }
    return false;
}

/* Whether the text may have come from the format; *literal counts what stands in both. */
static bool fits(struct matching *m, struct slice format, struct slice text, uint32_t n,
                 uint32_t *literal)
{
    while (format.len > 0) {
        size_t skip = conversion(format);
        if (skip > 0) return fits_part(m, format, skip, text, n, literal);
        if (text.len == 0 || text.ptr[0] != format.ptr[0]) return false;
        format = slice_from(format, format.ptr[0] == '%' ? 2 : 1); /* %% is one */
        text = slice_from(text, 1);
        ++*literal;
    }
    return text.len == 0;
}

static bool say(struct buf *out, struct slice english, unsigned depth);

/* The Swedish with the parts in their places. */
static void fill(struct buf *out, struct slice swedish, const struct matching *m, unsigned depth)
{
    bool quoted = false;
    for (size_t i = 0; i < swedish.len; i++) {
        char c = swedish.ptr[i];
        char next = i + 1 < swedish.len ? swedish.ptr[i + 1] : '\0';
        quoted ^= c == '`';
        if (c != '%') {
            buf_putc(out, c);
        } else if (next == '%') {
            buf_putc(out, c);
            i++;
        } else if (is_digit(next) && next > '0' && next - '1' < PARTS_MAX) {
            struct slice part = m->parts[next - '1'];
            if (quoted || !say(out, part, depth + 1)) buf_put(out, part);
            i++;
        }
    }
}

static bool say(struct buf *out, struct slice english, unsigned depth)
{
    struct slice rest = text_of(WORDING_FILE_REFUSALS), line;
    struct slice format, swedish, best = SLICE_NONE;
    struct matching found = {0};
    uint32_t most = 0;
    if (depth > DEPTH_MAX || english.len == 0 || english.len > WORDING_TEXT_MAX) return false;
    while (rest.len > 0) {
        struct matching m = {0};
        uint32_t literal = 0;
        (void)slice_split(rest, '\n', &line, &rest);
        if (slice_starts_with(line, SLICE("#")) || !slice_split(line, '\t', &format, &swedish))
            continue;
        if (!fits(&m, format, english, 0, &literal)) continue;
        /* "line 1, column 3: %s", and not "%s is expected here" of all of it. */
        if (format.ptr[0] >= 'a' && format.ptr[0] <= 'z') literal += WORDING_TEXT_MAX;
        if (literal <= most) continue;
        most = literal;
        best = swedish;
        found = m;
    }
    if (!best.len) return false;
    fill(out, best, &found, depth);
    return true;
}

bool wording_swedish(struct buf *out, struct slice english)
{
    return say(out, english, 0);
}

void wording_write_member(struct buf *out, const char *key, struct slice english)
{
    struct buf swedish;
    buf_init(&swedish, SWEDISH_MAX);
    if (wording_swedish(&swedish, english) && !buf_failed(&swedish))
        json_write_member_string(out, key, buf_slice(&swedish));
    buf_done(&swedish);
}

/* ---- texts as they are ------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Both with one blank for any blanks and ends of lines. */
static bool is_same(struct slice known, struct slice text)
{
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) text.len--;
    while (known.len > 0 && text.len > 0) {
        bool blank = is_blank(text.ptr[0]);
        if (known.ptr[0] != (blank ? ' ' : text.ptr[0])) return false;
        do {
            text = slice_from(text, 1);
        } while (blank && text.len > 0 && is_blank(text.ptr[0]));
        known = slice_from(known, 1);
    }
    return known.len == 0 && text.len == 0;
}

static struct slice find(int file, struct slice key)
{
    struct slice rest = text_of(file), line, known, swedish;
    while (rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (!slice_starts_with(line, SLICE("#")) && slice_split(line, '\t', &known, &swedish) &&
            is_same(known, key))
            return swedish;
    }
    return SLICE_NONE;
}

struct slice wording_description(struct slice english)
{
    return english.len ? find(WORDING_FILE_DESCRIPTIONS, english) : SLICE_NONE;
}

struct slice wording_setting(struct slice key)
{
    return find(WORDING_FILE_SETTINGS, key);
}
