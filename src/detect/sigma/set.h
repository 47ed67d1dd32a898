/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A rule set: files and folders of Sigma documents read, interpreted, filters applied and
 * correlations resolved. One bad document never hides another: it is refused with its place.
 */
#ifndef VAKA_DETECT_SIGMA_SET_H
#define VAKA_DETECT_SIGMA_SET_H

#include "detect/sigma/rule.h"

struct sigma_corr_rule {
    const struct sigma_doc *doc;
    const struct sigma_correlation *corr;
    uint32_t index; /* position in correlations[] */
    /* One per corr->rules: an index into rules[], or into correlations[] when is_corr. */
    struct sigma_corr_ref {
        uint32_t index;
        bool is_corr;
    } * refs;
    bool silent; /* referred to by another correlation without `generate` */
};

/* A filter that is in force. */
struct sigma_filter_rule {
    const struct sigma_doc *doc;
    uint32_t n_rules; /* that it was applied to */
};

struct sigma_refusal {
    struct diag diag;       /* diag.file lives as long as the set */
    struct slice title, id; /* when they were readable */
    bool warning;           /* loaded all the same */
};

struct sigma_set {
    struct arena arena;
    struct sigma_rule **rules;
    uint32_t n_rules;
    struct sigma_corr_rule **correlations; /* in dependency order: referred ones first */
    uint32_t n_correlations;
    struct sigma_filter_rule *filters;
    uint32_t n_filters;
    nsec ends; /* when the first filter or indicator ends; 0: none does */
    struct sigma_refusal *refusals;
    uint32_t n_refusals; /* including warnings */
    uint32_t n_files;
    uint8_t digest[16]; /* over all file contents in load order */
};

/* Called while loading; may be NULL. */
typedef void (*sigma_progress)(void *ctx, uint32_t files_done, uint32_t files_total);

struct sigma_set_options {
    const struct placeholders *placeholders;
    nsec now; /* filters that ended before it are left out; 0: none is */
    sigma_progress progress;
    void *progress_ctx;
};

struct sigma_set *sigma_set_new(void);
void sigma_set_free(struct sigma_set *set);

/*
 * Adds files (any name) and folders (recursive, *.yml and *.yaml, sorted by name; a folder named
 * `regression_data` or starting with '.' is passed over). Errors only for an unreadable path (diag)
 * or memory; refused rules are listed in the set.
 */
int sigma_set_add_path(struct sigma_set *set, const char *path, const struct sigma_set_options *opt,
                       struct diag *diag) MUST_USE;
/* The same from memory (tests, editors). `name` is copied. */
int sigma_set_add_text(struct sigma_set *set, const char *name, struct slice text,
                       const struct sigma_set_options *opt) MUST_USE;
/*
 * The same of a rule that no file says: of a list of indicators. Both live as long as the set; what
 * has its id or name refers to it as to any other. ERR_NOMEM; ERR_INVALID: they are taken.
 */
int sigma_set_add_made(struct sigma_set *set, const struct sigma_doc *doc,
                       const struct sigma_expr *expr) MUST_USE;
/* A refusal from outside: of what would have become such a rule. */
int sigma_set_refuse(struct sigma_set *set, const struct diag *diag) MUST_USE;
/* Something in the set holds until then. */
void sigma_set_holds_until(struct sigma_set *set, nsec until);
/* After the last add: applies filters, resolves correlations, refuses duplicates and cycles. */
int sigma_set_finish(struct sigma_set *set) MUST_USE;
/*
 * A rule that no document says, after that: a query. Its tree lives as long as the set; it has no
 * `doc`, and `index` is given here. ERR_NOMEM.
 */
int sigma_set_add_rule(struct sigma_set *set, struct sigma_rule *rule) MUST_USE;
/*
 * Some of the rules of a set: `wanted` tells of each rule, and behind them of each correlation.
 * What chosen correlations refer to comes along. Documents and trees are those of `from`, which
 * outlives it. NULL: out of memory.
 */
struct sigma_set *sigma_set_choose(const struct sigma_set *from, const bool *wanted) MUST_USE;

#endif
