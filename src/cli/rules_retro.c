/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/rules_retro.h"

#include <inttypes.h>
#include <limits.h>

#include "base/json_write.h"
#include "base/time.h"
#include "cli/rules.h"

static void load(const struct config *config, struct retro_book *ret)
{
    char path[PATH_MAX];
    struct diag diag;
    *ret = (struct retro_book){0};
    int n = snprintf(path, sizeof path, "%s/" RETRO_FOLDER "/" RETRO_BOOK,
                     config->serve_folder.items[0]);
    if (n < 0 || (size_t)n >= sizeof path || retro_book_load(ret, path, &diag) == 0) return;
    retro_book_done(ret);
}

void rules_retro_load(const struct settings *settings, struct retro_book *ret)
{
    struct config config;
    *ret = (struct retro_book){0};
    if (settings_load(settings, &config, NULL) == 0) load(&config, ret);
    config_done(&config);
}

/* The digest of the rule of that id or title; false: there is none. */
static bool find_digest(const struct sigma_set *set, struct slice id, struct sigma_digest *ret)
{
    for (uint32_t i = 0; i < set->n_rules; i++) {
        if (!rules_is_called(set->rules[i]->doc, id)) continue;
        sigma_digest_rule(set->rules[i], ret);
        return true;
    }
    for (uint32_t i = 0; i < set->n_correlations; i++) {
        if (!rules_is_called(set->correlations[i]->doc, id)) continue;
        sigma_digest_correlation(set, set->correlations[i], ret);
        return true;
    }
    return false;
}

bool rules_retro_find(const struct settings *settings, struct slice id, struct retro_rule *ret)
{
    struct config config;
    struct retro_book book = {0};
    struct ruleset rules;
    struct sigma_digest digest;
    const struct retro_rule *found = NULL;
    const struct clock clock = clock_system();
    struct diag diag;
    if (settings_load(settings, &config, NULL) == 0) load(&config, &book);
    if (book.n && ruleset_load_watch(&rules, &config, clock_realtime(&clock), &diag) == 0) {
        if (find_digest(rules.set, id, &digest)) found = retro_book_find(&book, &digest);
        ruleset_done(&rules);
    }
    if (found) *ret = *found;
    retro_book_done(&book);
    config_done(&config);
    return found != NULL;
}

static bool is_looked_at(const struct retro_rule *rule)
{
    return rule && rule->state != RETRO_KNOWN;
}

void rules_retro_put(struct buf *out, const struct retro_rule *rule)
{
    if (!is_looked_at(rule)) return;
    buf_puts(out, "in the past");
    if (rule->from) {
        buf_puts(out, " since ");
        time_write_rfc3339(out, rule->from);
    }
    if (rule->state == RETRO_BEGUN) buf_puts(out, ", so far");
    if (rule->matches == 0) {
        buf_puts(out, ": nothing");
        return;
    }
    buf_printf(out, ": %" PRIu64 " alert%s from %" PRIu64 " match%s, the first ", rule->alerts,
               rule->alerts == 1 ? "" : "s", rule->matches, rule->matches == 1 ? "" : "es");
    time_write_rfc3339(out, rule->first);
    buf_puts(out, ", the last ");
    time_write_rfc3339(out, rule->last);
}
