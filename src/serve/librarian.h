/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the process `library` does for who asks the API, a function for each act: rules of one's own
 * and exceptions, sets of others' rules, lists of indicators, and searches that were saved.
 */
#ifndef VAKA_SERVE_LIBRARIAN_H
#define VAKA_SERVE_LIBRARIAN_H

#include <limits.h>

#include "library/own.h"
#include "ruleset/ruleset.h"
#include "serve/deed.h"

enum { LIBRARIAN_ANSWER_MAX = 4 * 1024 * 1024 };

/* What it works with; only read. */
struct librarian {
    struct ruleset rules; /* in force, when it began */
    struct buf texts;     /* of their files */
    size_t *ends;         /* of each rule's, and behind them each correlation's */
    char path[PATH_MAX], lists[PATH_MAX], searches[PATH_MAX]; /* its folders */
    int null_fd;                                              /* of /dev/null */
};

/* An act while it is done. */
struct library_deed {
    struct deed deed;
    const struct librarian *librarian;
    struct library_change change;
    struct library library; /* the open folder of rules, or of lists */
    bool changed;           /* what is matched is another: it is to be read again */
};

/*
 * Each reads what it needs of the body and answers, or refuses. Errors are those of memory and of
 * the disk; d->deed.diag says which.
 */
typedef int library_deed_fn(struct library_deed *d);

/* library_role.c: rules of one's own, and exceptions */
library_deed_fn library_do_except, library_do_unexcept, library_do_save, library_do_drop,
    library_do_versions, library_do_version;
/* librarian_sets.c: sets of others' rules */
library_deed_fn library_do_sets, library_do_difference, library_do_use, library_do_import,
    library_do_switch;
/* librarian_lists.c: indicators, and searches */
library_deed_fn library_do_list, library_do_list_put, library_do_list_add, library_do_list_cut,
    library_do_list_drop;
library_deed_fn library_do_searches, library_do_search_put, library_do_search_drop;

#endif
