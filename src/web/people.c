/* SPDX-License-Identifier: EUPL-1.2 */
#include "web/people.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/ip.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "incident/names.h"
#include "web/people_file.h"

enum {
    SLOTS = 512 * 1024,
    TEXT_MAX = 64 * 1024 * 1024,
    STRING_MAX = 32 * 1024 * 1024,
    WORD_MAX = 256, /* bytes of the first word of a name */
    PATH_MAX_BYTES = 1024,
    FIELDS_MAX = 128,
    DIGITS_LEAST = 6,   /* a name of digits alone has so many: others are numbers */
    PSEUDONYM_MAX = 24, /* person-0123456789ab */
};

struct person {
    size_t at, len; /* in text, folded; it begins and ends with a letter or digit */
    uint64_t word;  /* hash of its first word */
    int next;       /* with the same slot */
    char pseudonym[PSEUDONYM_MAX];
};

struct people {
    uint64_t seed;
    struct buf text;
    struct person *rows;
    uint32_t n;
    struct pattern {
        struct slice text;
        bool open; /* whatever of the part stands before it */
    } fields[FIELDS_MAX];
    size_t n_fields;
    int words[SLOTS]; /* by the first word; 0: none, else the row plus 1 */
    int pseudonyms[SLOTS];
};

/* ---- words ------------------------------------------------------------------------------- */

/* The character at s.ptr[at], folded, when it is of a word; bytes of it, 0: it is none. */
static unsigned word_char(struct slice s, size_t at, uint32_t *ret)
{
    uint32_t cp;
    if (at >= s.len) return 0;
    unsigned n = utf8_decode(s, at, &cp);
    bool is = n > 1 || (n == 1 && ((cp >= '0' && cp <= '9') || (cp >= 'A' && cp <= 'Z') ||
                                   (cp >= 'a' && cp <= 'z')));
    if (!is) return 0;
    *ret = utf8_fold_cp(cp);
    return n;
}

/* The hash of the word at s.ptr[at], folded; *ret_end is behind it. */
static uint64_t hash_word(const struct people *p, struct slice s, size_t at, size_t *ret_end)
{
    char folded[WORD_MAX + 4];
    size_t len = 0;
    uint32_t cp;
    for (unsigned n; (n = word_char(s, at, &cp)) > 0; at += n)
        if (len < WORD_MAX) len += utf8_encode(folded + len, cp);
    *ret_end = at;
    return hash64_seed(slice_make(folded, len), p->seed);
}

/* The end of `name`, which is folded, at s.ptr[at]; 0: it does not stand there. */
static size_t match_name(struct slice s, size_t at, struct slice name)
{
    uint32_t a, b;
    for (size_t i = 0; i < name.len;) {
        if (at >= s.len) return 0;
        unsigned n = utf8_decode(s, at, &a), k = utf8_decode(name, i, &b);
        if (n == 0 || k == 0 || utf8_fold_cp(a) != b) return 0;
        at += n;
        i += k;
    }
    return word_char(s, at, &a) ? 0 : at;
}

/* ---- the names --------------------------------------------------------------------------- */

/* Lines of taxonomy/people.tsv. */
static void read_fields(struct people *p)
{
    struct slice rest = people_files[0].text, line, pattern;
    while (rest.len > 0) {
        (void)slice_split(rest, '\n', &line, &rest);
        if (line.len == 0 || line.ptr[0] == '#') continue;
        (void)slice_split(line, '\t', &pattern, &line);
        bool open = slice_starts_with(pattern, SLICE("*"));
        ASSERT(p->n_fields < FIELDS_MAX);
        p->fields[p->n_fields++] = (struct pattern){slice_from(pattern, open), open};
    }
}

int people_new(uint64_t seed, struct people **ret)
{
    struct people *p = calloc(1, sizeof *p);
    if (!p) return ERR_NOMEM;
    p->seed = seed;
    buf_init(&p->text, TEXT_MAX);
    p->rows = calloc(PEOPLE_MAX, sizeof *p->rows);
    if (!p->rows) {
        free(p);
        return ERR_NOMEM;
    }
    read_fields(p);
    *ret = p;
    return 0;
}

void people_free(struct people *p)
{
    if (!p) return;
    buf_done(&p->text);
    free(p->rows);
    free(p);
}

struct slice people_name(const struct people *p, int name)
{
    return slice_make(p->text.ptr + p->rows[name].at, p->rows[name].len);
}

uint32_t people_count(const struct people *p)
{
    return p->n;
}

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

/* Without what stands around its words. */
static struct slice strip(struct slice s)
{
    uint32_t cp;
    while (s.len > 0 && !word_char(s, 0, &cp)) s = slice_from(s, 1);
    while (s.len > 0 && (s.ptr[s.len - 1] & 0x80) == 0 && !word_char(s, s.len - 1, &cp)) s.len--;
    return s;
}

static int find_name(const struct people *p, uint64_t word, struct slice name)
{
    for (int i = p->words[word % SLOTS]; i > 0; i = p->rows[i - 1].next)
        if (p->rows[i - 1].word == word && slice_eq(people_name(p, i - 1), name)) return i - 1;
    return PEOPLE_NONE;
}

int people_add(struct people *p, struct slice name)
{
    size_t end, at = p->text.len;
    name = strip(name);
    if (name.len < NAME_LEAST || !utf8_valid(name) || (is_number(name) && name.len < DIGITS_LEAST))
        return PEOPLE_NONE;
    uint64_t word = hash_word(p, name, 0, &end);
    int found = find_name(p, word, name);
    if (found != PEOPLE_NONE || p->n == PEOPLE_MAX) return found;
    buf_put(&p->text, name);
    if (buf_failed(&p->text)) return PEOPLE_NONE;
    int *slot = &p->words[word % SLOTS];
    p->rows[p->n] = (struct person){.at = at, .len = name.len, .word = word, .next = *slot};
    *slot = (int)++p->n;
    return (int)p->n - 1;
}

static size_t pseudonym_slot(const struct people *p, struct slice pseudonym)
{
    return hash64_seed(pseudonym, ~p->seed) % SLOTS;
}

/* Where it is or would be; there are more slots than names. */
static size_t find_slot(const struct people *p, struct slice pseudonym)
{
    size_t slot = pseudonym_slot(p, pseudonym);
    while (p->pseudonyms[slot] &&
           !slice_eq(slice_of(p->rows[p->pseudonyms[slot] - 1].pseudonym), pseudonym))
        slot = (slot + 1) % SLOTS;
    return slot;
}

void people_set_pseudonym(struct people *p, int name, struct slice pseudonym)
{
    struct person *row = &p->rows[name];
    if (row->pseudonym[0] || !slice_copy(pseudonym, row->pseudonym, sizeof row->pseudonym)) return;
    p->pseudonyms[find_slot(p, pseudonym)] = name + 1;
}

struct slice people_find_pseudonym(const struct people *p, struct slice pseudonym)
{
    int row = p->pseudonyms[find_slot(p, pseudonym)];
    return row ? people_name(p, row - 1) : SLICE_NONE;
}

/* ---- which fields have them -------------------------------------------------------------- */

/* path: in small letters. */
static bool is_persons(const struct people *p, struct slice path)
{
    for (size_t i = 0; i < p->n_fields; i++) {
        const struct pattern *f = &p->fields[i];
        if (!slice_ends_with(path, f->text)) continue;
        size_t before = path.len - f->text.len;
        if (f->open || before == 0 || path.ptr[before - 1] == '.') return true;
    }
    return false;
}

/* ---- learning ---------------------------------------------------------------------------- */

struct learning {
    struct people *p;
    struct buf name, string, path;
    unsigned depth; /* of JSON in strings */
    bool full;
};

static void learn_name(struct learning *l, struct slice text)
{
    buf_clear(&l->name);
    if (text.len == 0 || ip_is(text) || slice_starts_with(text, SLICE("S-1-"))) return;
    if (name_write(&l->name, NAME_USER, text) != NAME_USER || l->name.len == 0) return;
    if (people_add(l->p, buf_slice(&l->name)) == PEOPLE_NONE) l->full |= l->p->n == PEOPLE_MAX;
}

static bool is_name_char(char c)
{
    return (c & 0x80) || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_' || c == '\\' || c == '@' ||
           c == '$' || c == '+';
}

static struct slice name_at(struct slice s, size_t at)
{
    size_t end = at;
    while (end < s.len && is_name_char(s.ptr[end])) end++;
    struct slice name = slice_until(slice_from(s, at), end - at);
    while (name.len > 0 && (name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == '\\'))
        name.len--;
    return name;
}

/* The folder of somebody: what stands up to the next separator. */
static void learn_folder(struct learning *l, struct slice s, size_t at)
{
    static const char *const nobody[] = {"public", "default", "all", "shared"};
    size_t end = at;
    while (end < s.len && is_name_char(s.ptr[end]) && s.ptr[end] != '\\') end++;
    struct slice name = slice_until(slice_from(s, at), end - at);
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        if (slice_eq_nocase(name, slice_of(nobody[i]))) return;
    learn_name(l, name);
}

/* acct="anna", TargetUserName'>anna<, user: anna: where the value behind a word is; s.len: it has
 * none. */
static size_t find_value(struct slice s, size_t at)
{
    size_t begin = at;
    bool tied = false;
    while (at < s.len && at - begin < 4 && strchr("=:\"'> ", s.ptr[at])) {
        tied |= s.ptr[at] == '=' || s.ptr[at] == ':' || s.ptr[at] == '>';
        at++;
    }
    return tied ? at : s.len;
}

/* A word of a path or a pair, with dots, dashes and underscores in it. */
static void learn_word(struct learning *l, struct slice s, size_t at, size_t end)
{
    char folded[64];
    struct slice word = slice_until(slice_from(s, at), end - at);
    bool folder = end < s.len && (s.ptr[end] == '\\' || s.ptr[end] == '/');
    size_t value = folder ? s.len : find_value(s, end);
    if (word.len > sizeof folded / 3 || (!folder && value == s.len)) return;
    struct slice key = slice_make(folded, utf8_fold(folded, word));
    if (folder && (slice_eq(key, SLICE("users")) || slice_eq(key, SLICE("home"))))
        learn_folder(l, s, end + 1 + (end + 1 < s.len && s.ptr[end + 1] == '\\'));
    else if (!folder && is_persons(l->p, key)) learn_name(l, name_at(s, value));
}

/* "Accepted password for anna from", "for invalid user anna from", "session opened for user anna"
 */
static void learn_phrase(struct learning *l, struct slice s, size_t at, size_t end)
{
    struct slice rest = slice_from(s, at), name;
    const struct slice words[] = {SLICE("for invalid user "), SLICE("for user "), SLICE("for ")};
    if (end - at != 3) return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!slice_starts_with(rest, words[i])) continue;
        name = name_at(rest, words[i].len);
        rest = slice_from(rest, words[i].len + name.len);
        if (i < 2 || slice_starts_with(rest, SLICE(" from "))) learn_name(l, name);
        return;
    }
}

static bool is_local_char(char c)
{
    return is_name_char(c) && c != '@' && c != '\\';
}

/* anna@kommun.example: all of it is a name, for info@ is no reason to hide the word. */
static void learn_address(struct learning *l, struct slice s, size_t at)
{
    size_t begin = at, end = at + 1;
    while (begin > 0 && is_local_char(s.ptr[begin - 1])) begin--;
    while (end < s.len && is_local_char(s.ptr[end])) end++;
    struct slice address = slice_until(slice_from(s, begin), end - begin);
    if (begin == at || slice_find_byte(slice_from(s, at), '.') == SIZE_MAX || end < at + 4) return;
    if (address.len > NAME_MAX_BYTES) return;
    buf_clear(&l->name);
    char *to = buf_reserve(&l->name, utf8_fold_bound(address.len));
    if (!to) return;
    l->name.len = utf8_fold(to, address);
    if (people_add(l->p, buf_slice(&l->name)) == PEOPLE_NONE) l->full |= l->p->n == PEOPLE_MAX;
}

static void learn_text(struct learning *l, struct slice s)
{
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        while (end < s.len && is_local_char(s.ptr[end])) end++;
        if (end > i) {
            learn_word(l, s, i, end);
            learn_phrase(l, s, i, end);
            i = end;
            continue;
        }
        if (s.ptr[i] == '@') learn_address(l, s, i);
        i++;
    }
}

static void learn_value(struct learning *l, struct slice value, bool content);

static void learn_inside(struct learning *l, struct slice text)
{
    struct slice json = slice_trim(text);
    if (l->depth == 0 && json_is_object(json)) {
        struct buf copy;
        buf_init(&copy, STRING_MAX);
        buf_put(&copy, json);
        l->depth++;
        size_t len = l->path.len;
        l->path.len = 0;
        learn_value(l, buf_slice(&copy), true);
        l->path.len = len;
        l->depth--;
        learn_text(l, buf_slice(&copy));
        buf_done(&copy);
    } else {
        learn_text(l, text);
    }
}

static void learn_string(struct learning *l, struct slice value, bool content)
{
    buf_clear(&l->string);
    if (!json_string_text(value, &l->string) || buf_failed(&l->string)) return;
    if (content && is_persons(l->p, buf_slice(&l->path))) learn_name(l, buf_slice(&l->string));
    if (content) learn_inside(l, buf_slice(&l->string));
}

/* What the record said stands below these; all else the API made. */
static bool is_content(struct slice key)
{
    static const char *const keys[] = {"event", "found",   "_event",   "row",
                                       "alert", "matched", "entities", "records"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_eq(key, slice_of(keys[i]))) return true;
    return false;
}

/* {"kind":"user","name":"anna"}, and "entity" of an alert: where it was, and behind tabs who. */
static void learn_ours(struct learning *l, struct slice object)
{
    struct slice value, rest, part;
    bool more;
    if (json_find_member(object, "kind", NULL, &value) && slice_eq(value, SLICE("\"user\"")) &&
        json_find_member(object, "name", NULL, &value)) {
        buf_clear(&l->string);
        if (json_string_text(value, &l->string)) learn_name(l, buf_slice(&l->string));
    }
    if (!json_find_member(object, "entity", NULL, &value)) return;
    buf_clear(&l->string);
    if (!json_string_text(value, &l->string)) return;
    more = slice_split(buf_slice(&l->string), '\t', &part, &rest);
    while (more) {
        more = slice_split(rest, '\t', &part, &rest);
        learn_name(l, part);
    }
}

static void push_path(struct learning *l, struct slice key)
{
    if (key.len == 0) return;
    if (l->path.len) buf_putc(&l->path, '.');
    char *to = buf_reserve(&l->path, utf8_fold_bound(key.len));
    if (to) l->path.len += utf8_fold(to, key);
}

static void learn_value(struct learning *l, struct slice value, bool content)
{
    struct json_parts parts;
    struct slice key, part;
    if (value.ptr[0] == '"') {
        learn_string(l, value, content);
        return;
    }
    if (value.ptr[0] != '{' && value.ptr[0] != '[') return;
    if (value.ptr[0] == '{' && !content) learn_ours(l, value);
    json_parts_init(&parts, value);
    while (json_parts_next(&parts, &key, &part)) {
        size_t len = l->path.len;
        push_path(l, key);
        if (buf_failed(&l->path)) buf_clear(&l->path);
        learn_value(l, part, content || is_content(key));
        l->path.len = len;
    }
}

/* The next JSON object among other bytes; false: there is none any more. *ret_before is what stands
 * before it. */
static bool next_object(struct slice *rest, struct slice *ret_before, struct slice *ret)
{
    for (size_t at = 0; at < rest->len; at++) {
        if (rest->ptr[at] != '{' || json_read_value(*rest, at, ret) != 0) continue;
        *ret_before = slice_until(*rest, at);
        *rest = slice_from(*rest, at + ret->len);
        return true;
    }
    return false;
}

int people_learn(struct people *p, struct slice text)
{
    struct learning l = {.p = p};
    struct slice before, object;
    buf_init(&l.name, 4 * NAME_MAX_BYTES);
    buf_init(&l.string, STRING_MAX);
    buf_init(&l.path, 4 * PATH_MAX_BYTES);
    while (next_object(&text, &before, &object)) {
        buf_clear(&l.path);
        learn_value(&l, object, false);
    }
    buf_done(&l.name);
    buf_done(&l.string);
    buf_done(&l.path);
    return l.full ? ERR_LIMIT : 0;
}

/* ---- rewriting --------------------------------------------------------------------------- */

struct rewriting {
    const struct people *p;
    people_shown_fn *shown;
    void *ctx;
    struct buf string, changed;
    struct buf *out;
};

/* The longest name that begins with the word at s.ptr[at]. */
static int find_at(const struct people *p, struct slice s, size_t at, size_t *ret_end)
{
    int found = PEOPLE_NONE;
    size_t word_end;
    uint64_t word = hash_word(p, s, at, &word_end);
    *ret_end = word_end;
    for (int i = p->words[word % SLOTS]; i > 0; i = p->rows[i - 1].next) {
        const struct person *row = &p->rows[i - 1];
        size_t end = row->word == word ? match_name(s, at, people_name(p, i - 1)) : 0;
        if (end == 0 || (found >= 0 && end <= *ret_end)) continue;
        found = i - 1;
        *ret_end = end;
    }
    return found;
}

/* Whether anything is to be written in place of what stands there. */
static bool rewrite_text(struct rewriting *w, struct slice s)
{
    uint32_t cp;
    bool any = false;
    buf_clear(&w->changed);
    for (size_t i = 0, end; i < s.len; i = end) {
        struct slice shown = SLICE_NONE;
        if (word_char(s, i, &cp)) {
            int name = find_at(w->p, s, i, &end);
            if (name >= 0) shown = w->shown(w->ctx, name);
        } else {
            end = i + 1;
        }
        any |= shown.len > 0;
        buf_put(&w->changed, shown.len ? shown : slice_until(slice_from(s, i), end - i));
    }
    return any;
}

static void rewrite_string(struct rewriting *w, struct slice value)
{
    buf_clear(&w->string);
    bool good = json_string_text(value, &w->string) && !buf_failed(&w->string);
    if (good && !rewrite_text(w, buf_slice(&w->string))) buf_put(w->out, value);
    else json_write_string(w->out, good ? buf_slice(&w->changed) : SLICE("(not shown)"));
}

/* Members that the API makes, whose values are no names of those in the records. */
static bool is_kept(struct slice key)
{
    static const char *const keys[] = {
        "id",     "level",    "state",   "kind",      "rule",        "type",
        "status", "actor",    "to",      "assignee",  "disposition", "importance",
        "by",     "taken_by", "done_by", "made_by",   "ended_by",    "protected_by",
        "owner",  "user",     "how",     "next",      "cursor",      "request",
        "law",    "clock",    "columns", "parameter", "pointer"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_eq(key, slice_of(keys[i]))) return true;
    return false;
}

static void rewrite_value(struct rewriting *w, struct slice value, bool content)
{
    struct json_parts parts;
    struct slice key, part;
    bool object = value.ptr[0] == '{', first = true;
    if (value.ptr[0] == '"') {
        rewrite_string(w, value);
        return;
    }
    if (!object && value.ptr[0] != '[') {
        buf_put(w->out, value);
        return;
    }
    buf_putc(w->out, object ? '{' : '[');
    json_parts_init(&parts, value);
    for (; json_parts_next(&parts, &key, &part); first = false) {
        bool scalar = part.ptr[0] != '{' && part.ptr[0] != '[';
        if (!first) buf_putc(w->out, ',');
        if (object) {
            buf_putc(w->out, '"');
            buf_put(w->out, key);
            buf_puts(w->out, "\":");
        }
        if (!content && is_kept(key) && (scalar || slice_eq(key, SLICE("columns"))))
            buf_put(w->out, part);
        else rewrite_value(w, part, content || is_content(key));
    }
    buf_putc(w->out, object ? '}' : ']');
}

void people_rewrite(const struct people *p, struct slice text, people_shown_fn *shown, void *ctx,
                    struct buf *out)
{
    struct rewriting w = {.p = p, .shown = shown, .ctx = ctx, .out = out};
    struct slice before, object;
    buf_init(&w.string, STRING_MAX);
    buf_init(&w.changed, STRING_MAX);
    while (next_object(&text, &before, &object)) {
        buf_put(out, before);
        rewrite_value(&w, object, false);
    }
    buf_put(out, text);
    buf_done(&w.string);
    buf_done(&w.changed);
}
