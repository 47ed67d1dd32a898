/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What commands do that read the records vaka serve keeps: they leave a line in its audit log, and
 * read nothing when they cannot (audit/audit.h).
 */
#ifndef VAKA_CLI_AUDITED_H
#define VAKA_CLI_AUDITED_H

#include "audit/audit.h"
#include "cli/settings.h"

#define OPTION_PURPOSE(T)                                                                          \
    {                                                                                              \
        0, "purpose", "TEXT",                                                                      \
            "Why the records are looked at, for the audit log ('vaka audit'): a case, a request.", \
            OPTION_TEXT(T, purpose)                                                                \
    }

struct audited {
    struct audit audit;
    bool on;
};

/* What is looked at; `purpose` and `user` may be NULL. */
struct audited_look {
    const char *what;  /* the command's name */
    const char *store; /* the folder that is read */
    struct slice query;
    const char *purpose, *user; /* user: who it was before root became another one */
    nsec from, to;              /* INT64_MIN, INT64_MAX: no bound */
};

/*
 * Before anything is read. Records that lie in no vaka serve's folder are a copy, which somebody
 * else answers for: they leave no line. Errors of audit_begin(); diag says what is wrong.
 */
int audited_begin(struct audited *a, const struct config *config, const struct audited_look *look,
                  struct diag *diag) MUST_USE;
/* The line behind it. What cannot be written is told. */
void audited_end(const struct audited *a, const char *how, uint64_t found);

#endif
