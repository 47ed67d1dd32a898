/* SPDX-License-Identifier: EUPL-1.2 */
/* What the commands about imported rules and indicators share. */
#ifndef VAKA_CLI_RULES_LIBRARY_H
#define VAKA_CLI_RULES_LIBRARY_H

#include <limits.h>

#include "cli/rules.h"
#include "library/version.h"

#define RULES_SET_DEFAULT "sigmahq"

/* Settings, and the open library that they name; what is to be printed. */
struct rules_work {
    struct config config;
    struct library library;
    struct placeholders *placeholders;
    const char *who; /* the user, before root became another one */
    char path[PATH_MAX];
    struct buf out;
    nsec now;
};

/* `change`: the library is made and locked. 0 or an exit status; rules_work_done() in any case. */
int rules_work_init(struct rules_work *w, const struct settings *settings, bool change) MUST_USE;
/* The same, and root becomes the owner of serve.folder: library_drop_root(). */
int rules_work_enter(struct rules_work *w, const struct settings *settings, bool change) MUST_USE;
/* The same with another folder: RULESET_INDICATORS. */
int rules_work_enter_folder(struct rules_work *w, const struct settings *settings,
                            const char *folder, bool change) MUST_USE;
void rules_work_done(struct rules_work *w);
/* Says what is wrong; EXIT_UNREADABLE. */
int rules_work_failed(const struct diag *diag, int error);

/* library_version_read() of the work's library. */
int rules_version_read(struct rules_work *w, const char *set, const char *version,
                       struct library_version *ret, struct diag *diag) MUST_USE;

/* How many rules are new, removed, changed: one line. */
void rules_put_counts(struct buf *out, const struct differences *d);

/* "NAME is the only one, or sigmahq": the set that is meant when none is said; false: none is. */
bool rules_set_default(struct rules_work *w, struct library_name *ret);

/* The rule of that id or title, of what is in force or was imported. */
struct rules_found {
    struct library_version version;
    const struct catalog_rule *rule;
    bool current; /* its version is in force */
};
/* ERR_NOT_FOUND. library_version_done() of it after success only. */
int rules_find(struct rules_work *w, const char *id, struct rules_found *ret,
               struct diag *diag) MUST_USE;

/* Lets a running vaka serve read its rules again, and waits until it has; tells what became of it.
 */
void rules_reload(const struct rules_work *w);

/* Appends the exceptions, all or only those that do nothing, to w->out. */
int rules_exceptions_put(struct rules_work *w, bool idle, bool json, struct diag *diag) MUST_USE;

#endif
