/* SPDX-License-Identifier: EUPL-1.2 */
/* The rule set while it is being loaded: shared by set.c (documents), set_files.c, set_link.c. */
#ifndef VAKA_DETECT_SIGMA_SET_PRIVATE_H
#define VAKA_DETECT_SIGMA_SET_PRIVATE_H

#include <nettle/sha2.h>
#include <sys/types.h>

#include "base/hint.h"
#include "detect/sigma/set.h"

enum set_kind { SET_RULE, SET_CORRELATION, SET_FILTER, SET_REFUSED };

/* A document under its id (lower case) or its name. */
struct set_entry {
    struct slice key;
    bool is_id;
    enum set_kind kind;
    uint32_t index; /* SET_RULE: in rules[]; SET_CORRELATION: in loaded correlations */
    const struct sigma_doc *doc;
};

struct set_filter {
    const struct sigma_doc *doc;
    const struct sigma_expr *expr;
};

/* Open addressing; inode 0 is a free slot. */
struct set_inodes {
    struct set_inode {
        dev_t dev;
        ino_t ino;
    } * slots;
    uint32_t n, size;
};

/* Public part first: a struct sigma_set * is the same pointer. */
struct set_impl {
    struct sigma_set set;
    uint32_t cap_rules, cap_correlations, cap_refusals;
    struct set_filter *read_filters; /* as read; not all of them come into force */
    uint32_t n_filters, cap_filters;
    nsec now;
    struct set_entry *entries;
    uint32_t n_entries, cap_entries;
    uint32_t *table; /* of entries, index + 1; open addressing */
    uint32_t table_size;
    struct set_inodes files; /* read so far */
    struct sha256_ctx sha;
    char *text;     /* room for one file */
    uint32_t hints; /* how often a nearest name was searched for */
    /* What is being read now. */
    const struct sigma_set_options *opt;
    bool unsupported; /* from a folder of that name */
    int error;        /* sticky: memory */
};

static inline struct set_impl *set_impl(struct sigma_set *set)
{
    return (struct set_impl *)set;
}

/* Room for one more element; false when memory is spent. */
bool set_grow(void **array, uint32_t n, uint32_t *cap, size_t size) MUST_USE;
/* Adds to the refusals. doc may be NULL. */
void set_refuse(struct set_impl *s, const struct diag *diag, const struct sigma_doc *doc,
                bool warning);
/* The same with a message of its own at a position of doc. */
void set_refuse_at(struct set_impl *s, const struct sigma_doc *doc, struct yaml_pos pos,
                   bool warning, int error, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* At the end; `index` is given here. ERR_NOMEM. */
int set_add_correlation(struct set_impl *s, struct sigma_corr_rule *corr) MUST_USE;
/* By id, then by name; NULL when nothing is called so. */
const struct set_entry *set_find(const struct set_impl *s, struct slice ref);
/* Reads one file's text; `file` lives as long as the set. */
int set_read_text(struct set_impl *s, const char *file, struct slice text,
                  const struct sigma_set_options *opt, bool unsupported) MUST_USE;

#endif
