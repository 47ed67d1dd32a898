/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/rules_own.h"

#include "base/json_read.h"
#include "desk/title.h"
#include "library/attack.h"
#include "wording/wording.h"

enum {
    MANY = 2,      /* differences that are no near miss any more; counting ends here */
    TEXT_LONG = 64 /* bytes from which a text has parts */
};

static unsigned count_differences(struct slice a, struct slice b);

static unsigned add(unsigned n, unsigned more)
{
    return n + more < MANY ? n + more : MANY;
}

/* Of two different values. */
static unsigned count_in_text(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len, same = 0, tail = 0;
    if (least < TEXT_LONG) return 1;
    while (same < least && a.ptr[same] == b.ptr[same]) same++;
    while (tail < least - same && a.ptr[a.len - 1 - tail] == b.ptr[b.len - 1 - tail]) tail++;
    return same + tail >= least / 2 ? 1 : MANY;
}

static bool find_named(struct slice object, struct slice name, struct slice *ret)
{
    struct json_parts it;
    struct slice found;
    json_parts_init(&it, object);
    while (json_parts_next(&it, &found, ret))
        if (slice_eq(found, name)) return true;
    return false;
}

static unsigned count_in_objects(struct slice a, struct slice b)
{
    struct json_parts it;
    struct slice name, mine, other;
    unsigned n = 0;
    json_parts_init(&it, a);
    while (json_parts_next(&it, &name, &mine))
        n = add(n, find_named(b, name, &other) ? count_differences(mine, other) : 1);
    json_parts_init(&it, b);
    while (json_parts_next(&it, &name, &other))
        if (!find_named(a, name, &mine)) n = add(n, 1);
    return n;
}

/* A test's raw records are lines, and those of a list of events are its parts. */
struct records {
    bool lines;
    struct slice rest;
    struct json_parts parts;
};

static bool is_lines(struct slice text)
{
    return text.ptr[text.len - 1] == '\n';
}

static void records_init(struct records *it, struct slice text)
{
    *it = (struct records){.lines = is_lines(text), .rest = text};
    if (!it->lines) json_parts_init(&it->parts, text);
}

static bool records_next(struct records *it, struct slice *ret)
{
    struct slice name;
    if (!it->lines) return json_parts_next(&it->parts, &name, ret);
    if (it->rest.len == 0) return false;
    (void)slice_split(it->rest, '\n', ret, &it->rest);
    return true;
}

static unsigned count_records(struct slice text)
{
    struct records it;
    struct slice record;
    unsigned n = 0;
    records_init(&it, text);
    while (records_next(&it, &record)) n++;
    return n;
}

/* The longer has one record more, which is the one difference when all others are the same. */
static unsigned count_one_more(struct slice longer, struct slice shorter)
{
    struct records x, y;
    struct slice mine, other;
    bool left_out = false;
    records_init(&x, longer);
    records_init(&y, shorter);
    while (records_next(&y, &other)) {
        if (!records_next(&x, &mine)) return MANY;
        if (slice_eq(mine, other)) continue;
        if (left_out || !records_next(&x, &mine) || !slice_eq(mine, other)) return MANY;
        left_out = true;
    }
    return 1;
}

static unsigned count_in_records(struct slice a, struct slice b)
{
    struct records x, y;
    struct slice mine, other;
    unsigned in_a = count_records(a), in_b = count_records(b), n = 0;
    if (in_a == in_b + 1) return count_one_more(a, b);
    if (in_b == in_a + 1) return count_one_more(b, a);
    if (in_a != in_b) return MANY;
    records_init(&x, a);
    records_init(&y, b);
    while (records_next(&x, &mine) && records_next(&y, &other))
        n = add(n, count_differences(mine, other));
    return n;
}

/* Recursion is as deep as the YAML that the values were written from. */
static unsigned count_differences(struct slice a, struct slice b)
{
    if (slice_eq(a, b)) return 0;
    if (a.len == 0 || b.len == 0) return 1;
    if (is_lines(a) && is_lines(b)) return count_in_records(a, b);
    if (a.ptr[0] == '{' && b.ptr[0] == '{') return count_in_objects(a, b);
    if (a.ptr[0] == '[' && b.ptr[0] == '[' && !is_lines(a) && !is_lines(b))
        return count_in_records(a, b);
    return count_in_text(a, b);
}

bool rules_own_is_near_miss(const struct sigma_doc *doc, const struct sigma_test *test)
{
    if (test->fires) return false;
    for (uint32_t i = 0; i < doc->n_tests; i++)
        if (doc->tests[i].fires && count_differences(doc->tests[i].event, test->event) == 1)
            return true;
    return false;
}

static void check_techniques(const struct sigma_doc *doc, struct buf *ret_lacks)
{
    bool known = false;
    for (uint32_t i = 0; i < doc->n_tags; i++) {
        char id[ATTACK_ID_MAX + 1];
        struct attack_technique technique;
        if (!attack_of_tag(doc->tags[i], id)) continue;
        if (attack_find(slice_of(id), &technique)) known = true;
        else buf_printf(ret_lacks, "no technique of ATT&CK is %s\n", id);
    }
    if (!known) buf_puts(ret_lacks, "no tag names a technique of ATT&CK\n");
}

void rules_own_check(const struct sigma_doc *doc, struct buf *ret_lacks)
{
    const struct {
        const char *what;
        bool there;
    } parts[] = {
        {"`id`", doc->id.len > 0},
        {"`status`", doc->status.len > 0},
        {"`level`", doc->level != LEVEL_NONE},
        {"`description`", doc->description.len > 0},
        {"`falsepositives`", doc->has_falsepositives},
        {"first response (`vaka.respond`)", doc->respond.sv.len > 0},
        {"Swedish title (taxonomy/titles.tsv)", desk_title_sv(doc->title).len > 0},
        {"Swedish description (taxonomy/descriptions.tsv)",
         doc->description.len == 0 || wording_description(doc->description).len > 0},
    };
    bool fires = false, near = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!parts[i].there) buf_printf(ret_lacks, "it has no %s\n", parts[i].what);
    check_techniques(doc, ret_lacks);
    for (uint32_t i = 0; i < doc->n_tests; i++) {
        fires |= doc->tests[i].fires;
        near |= rules_own_is_near_miss(doc, &doc->tests[i]);
    }
    if (!fires) buf_puts(ret_lacks, "no event fires it\n");
    if (!near)
        buf_puts(ret_lacks, "no event that must not fire it differs in one value from one that "
                            "must\n");
}
