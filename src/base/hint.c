/* SPDX-License-Identifier: EUPL-1.2 */
#include "base/hint.h"

#include "base/utf8.h"

enum { WORD_MAX = 48 };

const char *hint_show(char buf[static HINT_SHOW_SIZE], struct slice s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t cp;
        unsigned step = utf8_decode(s, at, &cp);
        bool printable = step > 0 && cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0) &&
                         !(cp >= 0x2028 && cp <= 0x202e) && !(cp >= 0x2066 && cp <= 0x2069);
        size_t add = printable ? step : 1;
        if (add > HINT_SHOW_SIZE - 4 - n) {
            memcpy(buf + n, "...", 3);
            n += 3;
            break;
        }
        if (printable) memcpy(buf + n, s.ptr + at, add);
        else buf[n] = '?';
        n += add;
        at += step ? step : 1;
    }
    buf[n] = '\0';
    return buf;
}

void hint_init(struct hint *h, struct slice word)
{
    *h = (struct hint){.word = word};
    h->distance = 1 + (word.len <= 3 ? 1u : word.len <= 6 ? 2u : 3u);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned min_u(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b, both at most WORD_MAX bytes. */
static unsigned edits(struct slice a, struct slice b)
{
    unsigned row[3][WORD_MAX + 1];
    for (unsigned j = 0; j <= b.len; j++) row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *now = row[i % 3];
        const unsigned *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
            unsigned cost = x == y ? 0 : 1;
            now[j] = min_u(min_u(up[j] + 1, now[j - 1] + 1), up[j - 1] + cost);
            if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && lower(a.ptr[i - 2]) == y)
                now[j] = min_u(now[j], up2[j - 2] + 1);
        }
    }
    return row[a.len % 3][b.len];
}

/* Whether b is a with letters added, none changed. */
static bool is_within(struct slice a, struct slice b)
{
    size_t found = 0;
    for (size_t i = 0; i < b.len && found < a.len; i++)
        if (lower(a.ptr[found]) == lower(b.ptr[i])) found++;
    return found == a.len;
}

/* Sigma before 2.0, and what other tools call it. */
static bool is_other_name(struct slice word, struct slice candidate)
{
    static const struct {
        const char *word, *meant;
    } others[] = {{"timeframe", "timespan"}, {"regex", "re"}, {"ipcidr", "cidr"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (slice_eq_nocase(word, slice_of(others[i].word)) &&
            slice_eq(candidate, slice_of(others[i].meant)))
            return true;
    return false;
}

void hint_offer(struct hint *h, struct slice candidate)
{
    if (is_other_name(h->word, candidate)) {
        h->distance = 0;
        h->best = candidate;
        return;
    }
    if (h->word.len > WORD_MAX || candidate.len > WORD_MAX || candidate.len == 0) return;
    size_t gap =
        h->word.len > candidate.len ? h->word.len - candidate.len : candidate.len - h->word.len;
    if (gap > h->distance) return;
    unsigned d = edits(h->word, candidate);
    if (d > h->distance || d >= candidate.len) return;
    bool extends = is_within(h->word, candidate);
    if (d == h->distance && (h->best.len == 0 || h->extends || !extends)) return;
    h->distance = d;
    h->best = candidate;
    h->extends = extends;
}

size_t hint_find(struct hint *h, struct slice word, const char *const *names, size_t n)
{
    size_t found = 0;
    hint_init(h, word);
    while (found < n && names[found] && !slice_eq(word, slice_of(names[found]))) found++;
    if (found < n && names[found]) return found;
    for (size_t i = 0; i < found; i++) hint_offer(h, slice_of(names[i]));
    return found;
}

const char *hint_text(const struct hint *h, char buf[static HINT_SIZE])
{
    buf[0] = '\0';
    if (h->best.len == 0) return buf;
    char shown[HINT_SHOW_SIZE];
    (void)snprintf(buf, HINT_SIZE, "; did you mean `%s`?", hint_show(shown, h->best));
    return buf;
}
