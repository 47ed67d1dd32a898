/* SPDX-License-Identifier: EUPL-1.2 */
#include "incident/facts.h"

#include <stdio.h>

#include "base/json_read.h"
#include "base/time.h"

enum { VALUE_MAX = 64 * 1024 }; /* bytes of one; what is behind them tells nothing new */

void facts_init(struct facts *f)
{
    arena_init(&f->arena, FACTS_TEXT_MAX);
    buf_init(&f->scratch, 4 * VALUE_MAX);
    buf_init(&f->plain, VALUE_MAX);
    f->n_names = f->n_mentions = f->n_tactics = 0;
}

void facts_done(struct facts *f)
{
    arena_done(&f->arena);
    buf_done(&f->scratch);
    buf_done(&f->plain);
}

/* ---- names ------------------------------------------------------------------------------- */

/* False: it joins nothing, or there is no memory, which the arena and the buffer remember. */
static bool make_fact(struct facts *f, enum name_kind kind, struct slice text, struct fact *ret)
{
    buf_clear(&f->scratch);
    kind = name_write(&f->scratch, kind, text);
    if (buf_failed(&f->scratch)) f->no_memory = true;
    if (f->scratch.len == 0) return false;
    *ret = (struct fact){.kind = kind, .text = arena_dup(&f->arena, buf_slice(&f->scratch))};
    return ret->text.len > 0;
}

static bool is_named(const struct facts *f, const struct fact *fact)
{
    for (uint32_t i = 0; i < f->n_names; i++)
        if (slice_eq(f->names[i].text, fact->text)) return true;
    return false;
}

static void add_name(struct facts *f, enum name_kind kind, struct slice text, bool bystander)
{
    struct fact *fact = &f->names[f->n_names];
    if (f->n_names == FACTS_NAMES_MAX || !make_fact(f, kind, text, fact)) return;
    fact->bystander = bystander;
    if (!is_named(f, fact)) f->n_names++;
}

/* What a JSON string says, until the next call; nothing for any other value. */
static struct slice plain(struct facts *f, struct slice value)
{
    buf_clear(&f->plain);
    bool is_text = json_string_text(value, &f->plain);
    if (f->plain.no_memory) f->no_memory = true;
    if (!is_text && f->plain.len == 0) return SLICE_NONE;
    return buf_slice(&f->plain);
}

/* ---- entities ---------------------------------------------------------------------------- */

static const struct {
    const char *field;
    enum name_kind kind;
} fields[] = {
    {"user.name", NAME_USER},
    {"source.ip", NAME_ADDRESS},
    {"destination.ip", NAME_ADDRESS},
    {"file.hash.sha256", NAME_HASH},
    {"file.hash.sha1", NAME_HASH},
    {"file.hash.md5", NAME_HASH},
    {"process.command_line", NAME_COMMAND},
};

static void add_values(struct facts *f, enum name_kind kind, struct slice values)
{
    struct json_parts it;
    struct slice name, value;
    json_parts_init(&it, values);
    while (json_parts_next(&it, &name, &value)) add_name(f, kind, plain(f, value), false);
}

/* Of what happens in it, a computer tells itself: of who comes over the network, others. */
static bool tells_of_others(struct slice entities)
{
    static const char *const inside[] = {"process.name", "process.executable", "file.path"};
    struct slice value;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (json_find_member(entities, inside[i], NULL, &value)) return false;
    return json_find_member(entities, "source.ip", NULL, &value);
}

/* A computer by its first label, and by its whole name when that is said. */
static void add_host(struct facts *f, struct slice text, bool bystander)
{
    struct fact fact = {.kind = NAME_FULL, .bystander = bystander};
    add_name(f, NAME_HOST, text, bystander);
    buf_clear(&f->scratch);
    name_write_full(&f->scratch, text);
    if (buf_failed(&f->scratch)) f->no_memory = true;
    if (f->scratch.len == 0 || f->n_names == FACTS_NAMES_MAX) return;
    fact.text = arena_dup(&f->arena, buf_slice(&f->scratch));
    struct slice label = slice_until(fact.text, slice_find_byte(fact.text, '.'));
    for (uint32_t i = 0; i < f->n_names && fact.text.len; i++)
        if (slice_eq(f->names[i].text, label)) f->names[i].full = fact.text;
    if (fact.text.len && !is_named(f, &fact)) f->names[f->n_names++] = fact;
}

static void read_entities(struct facts *f, struct slice line)
{
    struct slice entities, value;
    bool others = false;
    if (json_find_member(line, "entities", NULL, &entities) && json_is_object(entities)) {
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (json_find_member(entities, fields[i].field, NULL, &value) && value.ptr[0] == '[')
                add_values(f, fields[i].kind, value);
        others = tells_of_others(entities);
    }
    if (json_find_member(line, "host", NULL, &value)) add_host(f, plain(f, value), others);
}

/* {"file":"…","record":12} of a hunt, {"record":12} or {…,"seq":12} on watch: as it is written. */
static void add_record(struct facts *f, struct slice source)
{
    struct slice file = SLICE_NONE, number;
    char text[NAME_MAX_BYTES];
    if (!json_find_member(source, "record", "seq", &number)) return;
    (void)json_find_member(source, "file", NULL, &file);
    int n = snprintf(text, sizeof text, "record %.*s %.*s", SLICE_FMT(number), SLICE_FMT(file));
    if (n > 0 && (size_t)n < sizeof text)
        add_name(f, NAME_RECORD, slice_make(text, (size_t)n), false);
}

static void read_record(struct facts *f, struct slice line)
{
    struct slice source;
    if (json_find_member(line, "source", NULL, &source) && json_is_object(source))
        add_record(f, source);
}

/* What a correlation's alerts have in common, and which records it counted. */
static void read_correlation(struct facts *f, struct slice line)
{
    struct slice correlation, part, name, value;
    struct json_parts it;
    if (!json_find_member(line, "correlation", NULL, &correlation)) return;
    if (json_find_member(correlation, "group", NULL, &part) && json_is_object(part)) {
        json_parts_init(&it, part);
        while (json_parts_next(&it, &name, &value)) add_name(f, NAME_VALUE, plain(f, value), false);
    }
    if (json_find_member(correlation, "records", NULL, &part) && part.ptr[0] == '[') {
        json_parts_init(&it, part);
        while (json_parts_next(&it, &name, &value)) add_record(f, value);
    }
}

/* ---- words of the event ------------------------------------------------------------------ */

static bool is_word_byte(char c)
{
    unsigned char u = (unsigned char)c;
    bool letter = (u | 0x20) >= 'a' && (u | 0x20) <= 'z';
    return letter || (u >= '0' && u <= '9') || u >= 0x80 || strchr("._-$@:", c);
}

static struct slice without_stops(struct slice word)
{
    while (word.len > 0 && strchr(".:-", word.ptr[word.len - 1])) word.len--;
    return word;
}

static void add_mention(struct facts *f, struct slice word)
{
    struct fact *fact = &f->mentions[f->n_mentions];
    word = without_stops(word);
    if (word.len < FACTS_MENTION_MIN || word.len > NAME_MAX_BYTES) return;
    if (make_fact(f, NAME_VALUE, word, fact) && !is_named(f, fact)) f->n_mentions++;
}

static void read_mentions(struct facts *f, struct slice line)
{
    struct slice event;
    if (!json_find_member(line, "event", NULL, &event)) return;
    event = slice_until(event, VALUE_MAX);
    for (size_t i = 0; i < event.len && f->n_mentions < FACTS_MENTIONS_MAX;) {
        size_t end = i;
        while (end < event.len && event.ptr[end] && is_word_byte(event.ptr[end])) end++;
        add_mention(f, slice_make(event.ptr + i, end - i));
        i = end + 1;
    }
}

/* ---- the rule ---------------------------------------------------------------------------- */

/* "lateral-movement", but not "t1021" and "g0016". */
static bool is_tactic(struct slice word)
{
    return word.len > 2 && (word.ptr[1] < '0' || word.ptr[1] > '9');
}

/* What is done by one hand at once, as far as the rule is sure of it. */
static void add_deed(struct facts *f, struct slice technique)
{
    struct fact fact = {.kind = NAME_DEED};
    if (f->level < LEVEL_HIGH || f->n_names == FACTS_NAMES_MAX) return;
    buf_clear(&f->scratch);
    name_write_deed(&f->scratch, technique);
    if (buf_failed(&f->scratch)) f->no_memory = true;
    fact.text = arena_dup(&f->arena, buf_slice(&f->scratch));
    if (fact.text.len > 0 && !is_named(f, &fact)) f->names[f->n_names++] = fact;
}

static void read_tags(struct facts *f, struct slice rule)
{
    const struct slice start = SLICE("attack.");
    struct slice tags, name, value, tag;
    struct json_parts it;
    if (!json_find_member(rule, "tags", NULL, &tags) || tags.ptr[0] != '[') return;
    json_parts_init(&it, tags);
    while (json_parts_next(&it, &name, &value)) {
        if (!json_string_inside(value, &tag) || !slice_starts_with(tag, start)) continue;
        tag = slice_from(tag, start.len);
        if (!is_tactic(tag)) add_deed(f, tag);
        else if (f->n_tactics < FACTS_TACTICS_MAX) f->tactics[f->n_tactics++] = tag;
    }
}

static bool read_rule(struct facts *f, struct slice line)
{
    struct slice rule, value, level;
    if (!json_find_member(line, "rule", NULL, &rule) || !json_is_object(rule)) return false;
    if (!json_find_member(rule, "title", NULL, &value) || !json_string_inside(value, &f->title))
        return false;
    if (!json_find_member(rule, "id", NULL, &value) || !json_string_inside(value, &f->rule))
        f->rule = f->title;
    f->level = LEVEL_NONE;
    if (json_find_member(rule, "level", NULL, &value) && json_string_inside(value, &level))
        (void)sigma_level_parse(level, &f->level);
    read_tags(f, rule);
    return true;
}

static nsec time_member(struct facts *f, struct slice line, const char *name)
{
    struct slice value;
    nsec time;
    if (!json_find_member(line, name, NULL, &value)) return TIME_NONE;
    return time_parse(plain(f, value), 0, &time) ? time : TIME_NONE;
}

int facts_read(struct facts *f, struct slice line)
{
    arena_reset(&f->arena);
    f->n_names = f->n_mentions = f->n_tactics = 0;
    f->no_memory = false;
    line = slice_trim(line);
    if (!json_is_object(line) || !read_rule(f, line)) return ERR_SYNTAX;
    f->time = time_member(f, line, "time");
    if (f->time == TIME_NONE) f->time = time_member(f, line, "received");
    read_entities(f, line);
    read_record(f, line);
    read_correlation(f, line);
    read_mentions(f, line);
    return f->no_memory ? ERR_NOMEM : arena_error(&f->arena);
}

/* Its text is `by` and what it was; false: there is no room for that. */
static bool set_text_apart(struct facts *f, struct slice by, struct slice *text)
{
    buf_clear(&f->scratch);
    buf_put(&f->scratch, by);
    buf_put(&f->scratch, *text);
    if (buf_failed(&f->scratch)) {
        f->no_memory = true;
        return false;
    }
    *text = arena_dup(&f->arena, buf_slice(&f->scratch));
    return text->len > 0;
}

static uint32_t set_all_apart(struct facts *f, struct slice by, struct fact *facts, uint32_t n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (facts[i].full.len) (void)set_text_apart(f, by, &facts[i].full);
    for (uint32_t i = 0; i < n; i++)
        if (set_text_apart(f, by, &facts[i].text)) facts[kept++] = facts[i];
    return kept;
}

void facts_set_apart(struct facts *f, struct slice by)
{
    if (!set_text_apart(f, by, &f->rule)) f->rule = by;
    f->n_names = set_all_apart(f, by, f->names, f->n_names);
    f->n_mentions = set_all_apart(f, by, f->mentions, f->n_mentions);
}
