/* SPDX-License-Identifier: EUPL-1.2 */
#include "retro/book.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/time.h"

static const char head[] = "vaka retro 1\n";

void retro_book_done(struct retro_book *b)
{
    free(b->rules);
    *b = (struct retro_book){0};
}

/* ---- rules, in the order of their digests ------------------------------------------------ */

static int compare(const struct sigma_digest *a, const struct sigma_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* The first that is not below it. */
static uint32_t place_of(const struct retro_book *b, const struct sigma_digest *digest)
{
    uint32_t from = 0, to = b->n;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (compare(&b->rules[middle].digest, digest) < 0) from = middle + 1;
        else to = middle;
    }
    return from;
}

struct retro_rule *retro_book_find(const struct retro_book *b, const struct sigma_digest *digest)
{
    uint32_t at = place_of(b, digest);
    return at < b->n && compare(&b->rules[at].digest, digest) == 0 ? &b->rules[at] : NULL;
}

struct retro_rule *retro_book_add(struct retro_book *b, const struct sigma_digest *digest)
{
    if (b->n == b->cap) {
        uint32_t cap = b->cap ? 2 * b->cap : 256;
        struct retro_rule *more =
            cap > RETRO_RULES_MAX ? NULL : reallocarray(b->rules, cap, sizeof *more);
        if (!more) return NULL;
        b->rules = more;
        b->cap = cap;
    }
    uint32_t at = place_of(b, digest);
    memmove(&b->rules[at + 1], &b->rules[at], (b->n - at) * sizeof *b->rules);
    b->rules[at] = (struct retro_rule){.digest = *digest};
    b->n++;
    return &b->rules[at];
}

void retro_book_keep(struct retro_book *b,
                     bool (*keep)(void *ctx, const struct sigma_digest *digest), void *ctx)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->n; i++)
        if (keep(ctx, &b->rules[i].digest)) b->rules[kept++] = b->rules[i];
    b->n = kept;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_rule(const struct retro_rule *r, struct buf *out)
{
    buf_puts(out, "rule ");
    sigma_digest_write(out, &r->digest);
    buf_printf(out,
               " %u %u %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
               " %" PRId64 "\n",
               (unsigned)r->state, (unsigned)r->told, r->matches, r->alerts, r->first, r->last,
               r->from, r->to, r->looked);
}

void retro_book_write(const struct retro_book *b, struct buf *out)
{
    size_t begin = out->len;
    buf_puts(out, head);
    if (b->pass.on)
        buf_printf(out, "pass %" PRId64 " %" PRId64 " %" PRIu64 " %" PRId64 "\n", b->pass.from,
                   b->pass.to, b->pass.next, b->pass.latest);
    for (uint32_t i = 0; i < b->n; i++) write_rule(&b->rules[i], out);
    buf_printf(out, "end %08" PRIx32 "\n", crc32c(0, slice_from(buf_slice(out), begin)));
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool next_count(struct slice *rest, uint64_t *ret)
{
    return slice_to_u64(slice_next_word(rest), ret);
}

static bool next_time(struct slice *rest, nsec *ret)
{
    return slice_to_i64(slice_next_word(rest), ret);
}

static bool next_digest(struct slice *rest, struct sigma_digest *ret)
{
    static const char digits[] = "0123456789abcdef";
    struct slice word = slice_next_word(rest);
    if (word.len != 2 * sizeof ret->bytes) return false;
    for (size_t i = 0; i < word.len; i++) {
        const char *digit = memchr(digits, word.ptr[i], sizeof digits - 1);
        if (!digit) return false;
        ret->bytes[i / 2] = (uint8_t)(ret->bytes[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static bool read_pass(struct slice rest, struct retro_pass *ret)
{
    ret->on = true;
    return next_time(&rest, &ret->from) && next_time(&rest, &ret->to) &&
           next_count(&rest, &ret->next) && next_time(&rest, &ret->latest) && rest.len == 0;
}

static bool read_rule(struct slice rest, struct retro_rule *ret)
{
    uint64_t state, told;
    *ret = (struct retro_rule){0};
    bool good = next_digest(&rest, &ret->digest) && next_count(&rest, &state) &&
                next_count(&rest, &told) && next_count(&rest, &ret->matches) &&
                next_count(&rest, &ret->alerts) && next_time(&rest, &ret->first) &&
                next_time(&rest, &ret->last) && next_time(&rest, &ret->from) &&
                next_time(&rest, &ret->to) && next_time(&rest, &ret->looked) && rest.len == 0;
    if (!good || state > RETRO_LOOKED || told > 1) return false;
    ret->state = (enum retro_state)state;
    ret->told = told != 0;
    return true;
}

static int read_line(struct retro_book *b, struct slice line)
{
    struct slice rest = line;
    struct slice kind = slice_next_word(&rest);
    struct retro_rule rule;
    if (slice_eq(kind, SLICE("pass")) && !b->pass.on)
        return read_pass(rest, &b->pass) ? 0 : ERR_CORRUPT;
    if (!slice_eq(kind, SLICE("rule")) || !read_rule(rest, &rule) ||
        retro_book_find(b, &rule.digest))
        return ERR_CORRUPT;
    struct retro_rule *added = retro_book_add(b, &rule.digest);
    if (!added) return ERR_NOMEM;
    *added = rule;
    return 0;
}

/* The text in front of the line that ends it; false: it was cut, or is another one. */
static bool check_end(struct slice text, struct slice *ret)
{
    char want[32];
    size_t at = slice_find_last(text, SLICE("\nend "));
    if (at == SIZE_MAX) return false;
    *ret = slice_until(text, at + 1);
    int n = snprintf(want, sizeof want, "end %08" PRIx32 "\n", crc32c(0, *ret));
    return slice_eq(slice_from(text, at + 1), slice_make(want, (size_t)n));
}

int retro_book_read(struct retro_book *b, struct slice text, struct diag *diag)
{
    uint32_t number = 1;
    struct slice rest, line;
    if (!slice_starts_with(text, slice_of(head)))
        return diag_set(diag, ERR_CORRUPT, NULL, 1, 0, "it does not begin with \"vaka retro 1\"");
    if (!check_end(text, &rest))
        return diag_set(diag, ERR_CORRUPT, NULL, 0, 0, "its checksum is wrong, or it was cut");
    rest = slice_from(rest, sizeof head - 1);
    while (rest.len) {
        number++;
        (void)slice_split(rest, '\n', &line, &rest);
        int error = read_line(b, line);
        if (error == ERR_CORRUPT)
            return diag_set(diag, error, NULL, number, 0, "line %" PRIu32 " is none of a book",
                            number);
        if (error) return diag_set(diag, error, NULL, 0, 0, "%s", error_text(error));
    }
    return 0;
}

int retro_book_load(struct retro_book *b, const char *path, struct diag *diag)
{
    struct buf text;
    *b = (struct retro_book){0};
    buf_init(&text, RETRO_BOOK_MAX);
    int error = file_read(path, &text, diag);
    if (error == 0) error = retro_book_read(b, buf_slice(&text), diag);
    buf_done(&text);
    return error;
}

/* ---- for people ---------------------------------------------------------------------------- */

static void put_time(struct buf *out, const char *key, nsec time)
{
    json_write_key(out, key);
    if (time == 0) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '"');
    time_write_rfc3339(out, time);
    buf_putc(out, '"');
}

void retro_rule_write_json(struct buf *out, const struct retro_rule *rule)
{
    if (!rule || rule->state == RETRO_KNOWN) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    json_write_key(out, "done");
    buf_puts(out, rule->state == RETRO_LOOKED ? "true" : "false");
    json_write_member_u64(out, "alerts", rule->alerts);
    json_write_member_u64(out, "matches", rule->matches);
    put_time(out, "first", rule->first);
    put_time(out, "last", rule->last);
    put_time(out, "from", rule->from);
    put_time(out, "to", rule->to);
    put_time(out, "looked", rule->looked);
    buf_putc(out, '}');
}
