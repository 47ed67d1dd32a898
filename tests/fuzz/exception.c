/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An exception from any texts, a line each: reason, who, until (may be empty), conditions. What is
 * written is one filter for the rule, with those texts and nothing else.
 */
#include "library/exception.h"

#include "rules.h"

static const char rule[] = "title: 'A ''rule'': #1'\nid: 00000000-0000-4000-8000-00000000000a\n"
                           "logsource: {product: windows}\n"
                           "detection: {s: {F: x}, condition: s}\n";

enum { LINES_MAX = EXCEPTION_WHEN_MAX + 3 };

static void check_filter(const struct sigma_doc *filter, const struct exception *e)
{
    uint32_t values = 0;
    HOLDS(filter->kind == SIGMA_FILTER && !filter->filter.any && filter->filter.n_rules == 1);
    HOLDS(slice_eq(filter->filter.rules[0].text, e->rule->id));
    HOLDS(slice_eq(filter->description, e->reason) && slice_eq(filter->author, e->who));
    HOLDS((filter->filter.until != 0) == (e->until != NULL));
    HOLDS(filter->detection.n_searches == 1 && filter->detection.searches[0].n_maps == 1);
    for (uint32_t i = 0; i < filter->detection.searches[0].maps[0].n_items; i++)
        values += filter->detection.searches[0].maps[0].items[i].n_values;
    HOLDS(values == e->n_when);
}

static void check_written(const struct exception *e, struct slice written)
{
    struct buf text;
    buf_init(&text, sizeof rule + 2 * EXCEPTION_FILE_MAX);
    buf_puts(&text, rule);
    buf_puts(&text, "---\n");
    buf_put(&text, written);
    HOLDS(!buf_failed(&text));
    struct sigma_set *set = rules_load(buf_slice(&text), NULL);
    /* Fields may have modifiers that mean nothing: then the filter is refused, as a whole. */
    HOLDS(set->n_rules == 1 && set->n_filters + set->n_refusals >= 1);
    if (set->n_filters) check_filter(set->filters[0].doc, e);
    sigma_set_free(set);
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *lines[LINES_MAX];
    uint32_t n = 0;
    char *copy = malloc(size + 1);
    HOLDS(copy != NULL);
    memcpy(copy, data, size);
    copy[size] = '\0';
    for (char *at = copy; at && n < LINES_MAX; n++) {
        lines[n] = at;
        at = strchr(at, '\n');
        if (at) *at++ = '\0';
    }
    struct sigma_set *set = rules_load(slice_make(rule, sizeof rule - 1), NULL);
    struct buf out;
    struct diag diag = {0};
    buf_init(&out, EXCEPTION_FILE_MAX);
    if (n > 3) {
        const struct exception e = {.rule = set->rules[0]->doc,
                                    .when = (const char *const *)&lines[3],
                                    .n_when = n - 3,
                                    .reason = slice_of(lines[0]),
                                    .who = slice_of(lines[1]),
                                    .now = 1,
                                    .until = *lines[2] ? lines[2] : NULL};
        if (exception_write(&out, &e, "00000000-0000-4000-8000-0000000000ee", &diag) == 0)
            check_written(&e, buf_slice(&out));
        else HOLDS(diag.message[0] != '\0');
    }
    buf_done(&out);
    sigma_set_free(set);
    free(copy);
    return 0;
}
