/* SPDX-License-Identifier: EUPL-1.2 */
/* A profile as any bytes: it is read, or refused with its place, and then takes a rule or not. */
#include "library/profile.h"

#include "rules.h"

static const char rule[] = "title: T\nid: 00000000-0000-4000-8000-00000000000a\nstatus: test\n"
                           "level: high\ntags: [attack.t1003.001]\nlogsource: {product: windows}\n"
                           "detection: {s: {F: x}, condition: s}\n";

/* What is named as an exception to the rest stands above it. */
static void check_taken(const struct profile *p, const struct sigma_doc *doc)
{
    bool in = false, out = false;
    for (uint32_t i = 0; i < p->rules.n; i++) in |= slice_eq_nocase(p->rules.items[i], doc->id);
    for (uint32_t i = 0; i < p->no_rules.n; i++)
        out |= slice_eq_nocase(p->no_rules.items[i], doc->id);
    bool taken = profile_takes(p, doc);
    HOLDS(!out || !taken);
    HOLDS(out || !in || taken);
    if (!in) HOLDS(!taken || !p->level.said || p->level.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct profile profile;
    struct diag diag = {0};
    if (size > PROFILE_FILE_MAX) return 0;
    arena_init(&arena, 16 * 1024 * 1024);
    int error = profile_read(&profile, &arena, "p.yml", slice_make(data, size), &diag);
    if (error == 0) {
        struct sigma_set *set = rules_load(slice_make(rule, sizeof rule - 1), NULL);
        HOLDS(profile.name.len > 0 && set->n_rules == 1);
        check_taken(&profile, set->rules[0]->doc);
        sigma_set_free(set);
    } else {
        HOLDS(error != ERR_INVALID || (diag.line > 0 && diag.message[0]));
    }
    arena_done(&arena);
    return 0;
}
