/* SPDX-License-Identifier: EUPL-1.2 */
#include "cli/search_rule.h"

#include <fcntl.h>

#include "base/text.h"
#include "base/time.h"
#include "cli/export.h"
#include "cli/settings.h"
#include "detect/sigma/set.h"
#include "library/exception.h"

enum { RULE_MAX = 32 * 1024 * 1024, TITLE_MAX = 100 };

/* On one line, and no longer than titles may be. */
static void put_title(struct buf *out, const struct query *q, const char *said)
{
    if (said) buf_puts(out, said);
    else (void)text_put_visible(out, slice_trim(q->filter_text), TITLE_MAX);
}

/* As vaka rules check would read it. */
static int check(struct slice rule, struct diag *diag)
{
    struct sigma_set *set = sigma_set_new();
    if (!set) return ERR_NOMEM;
    int error = sigma_set_add_text(set, "rule", rule, NULL);
    if (error == 0) error = sigma_set_finish(set);
    if (error == 0 && set->n_rules != 1)
        error = diag_set(diag, ERR_UNSUPPORTED, NULL, 0, 0, "it makes no rule: %s",
                         set->n_refusals ? set->refusals[0].diag.message : "");
    sigma_set_free(set);
    return error;
}

static int put(const char *file, struct slice rule)
{
    if (file) return export_write_file(AT_FDCWD, file, 0640, true, rule);
    return fwrite(rule.ptr, 1, rule.len, stdout) == rule.len ? 0 : ERR_IO;
}

int search_rule_write(const struct query *q, const struct search_rule_options *options,
                      struct diag *diag)
{
    char id[EXCEPTION_ID + 1];
    struct buf title, date, rule;
    buf_init(&title, 4096);
    buf_init(&date, 64);
    buf_init(&rule, RULE_MAX);
    put_title(&title, q, options->title);
    time_write_rfc3339(&date, options->now);
    int error = exception_id_make(id);
    if (error == 0)
        error = query_write_rule(
            &rule, q,
            &(struct query_rule_options){
                .title = buf_slice(&title),
                .id = slice_of(id),
                .author = slice_of(settings_who(NULL)),
                .date = slice_until(buf_slice(&date), strlen("2026-12-24")),
                .level = options->level == LEVEL_NONE ? LEVEL_MEDIUM : options->level},
            diag);
    if (error == 0) error = check(buf_slice(&rule), diag);
    if (error == 0) error = put(options->file, buf_slice(&rule));
    buf_done(&rule);
    buf_done(&date);
    buf_done(&title);
    return error;
}
