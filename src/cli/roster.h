/* SPDX-License-Identifier: EUPL-1.2 */
/* The roster that commands about it read: of the running vaka serve's database, or of a file. */
#ifndef VAKA_CLI_ROSTER_H
#define VAKA_CLI_ROSTER_H

#include "base/when.h"
#include "cli/settings.h"
#include "roster/rows.h"

/* What the commands have in common. */
struct roster_said {
    const char *plan, *at, *from, *until, *team, *person;
    bool json, english;
};

#define OPTION_PLAN(T)                                                                             \
    {                                                                                              \
        0, "plan", "FILE",                                                                         \
            "Read this plan, and no changes, in place of the one that vaka serve keeps.",          \
            OPTION_TEXT(T, said.plan)                                                              \
    }
#define OPTION_SPAN(T)                                                                             \
    {0, "from", "TIME", "From when, by the plan's zone. Default: now.",                            \
     OPTION_TEXT(T, said.from)},                                                                   \
    {                                                                                              \
        0, "until", "TIME", "Until when; a date alone is all of it.", OPTION_TEXT(T, said.until)   \
    }
#define OPTION_LANGUAGE_OF(T)                                                                      \
    {                                                                                              \
        'l', "language", "sv|en", "Language of sentences. Default: sv.",                           \
            OPTION_CHOICE(T, said.english)                                                         \
    }

struct roster_files {
    struct config config;
    struct calendar *calendar;
    struct db *db; /* NULL: of a file */
    struct roster *roster;
    nsec now, from, until, at;
};

/*
 * Opens what is said: the plan, with all changes that may still count, and times; `span` is how
 * long it is from `from` until `until` when that is not said. 0, or an exit status after what is
 * wrong was told; *f is to be given to roster_files_close() in every case.
 */
int roster_files_open(struct roster_files *f, const struct settings *settings,
                      const struct roster_said *said, nsec span) MUST_USE;
/* The calendar alone. */
int roster_files_calendar(struct roster_files *f, const struct settings *settings) MUST_USE;
void roster_files_close(struct roster_files *f);

/* Those that are named; NULL where none is. 0, or an exit status. */
int roster_files_team(const struct roster_files *f, const char *name,
                      const struct roster_team **ret) MUST_USE;
int roster_files_person(const struct roster_files *f, const char *name,
                        const struct roster_person **ret) MUST_USE;

/* Output that is complete, or what it could not be for; an exit status. */
int roster_print(const struct buf *out, bool json, int error);

#endif
