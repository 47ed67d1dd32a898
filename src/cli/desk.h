/* SPDX-License-Identifier: EUPL-1.2 */
/* What commands about incidents have in common: the database that vaka serve keeps, and JSON of it.
 */
#ifndef VAKA_CLI_DESK_H
#define VAKA_CLI_DESK_H

#include "cli/ask.h"
#include "desk/read.h"
#include "state/db.h"

/* A language of plain lines. */
#define OPTION_LANGUAGE(T)                                                                         \
    {                                                                                              \
        'l', "language", "sv|en", "Which plain lines are printed. Default: sv.",                   \
            OPTION_TEXT(T, language)                                                               \
    }

struct desk_files {
    struct config config;
    struct buf clocks;
    struct desk_view view;
};

/*
 * The database of these settings, for reading, and the clocks. An exit status, what is wrong was
 * told; *f is to be given to desk_files_close() in every case.
 */
int desk_files_open(struct desk_files *f, const struct settings *settings);
void desk_files_close(struct desk_files *f);

/* What a text of JSON means, as a terminal may see it, at most `columns` wide; nothing for null. */
void desk_put_text(struct buf *out, struct slice object, const char *member, size_t columns);
/* "2026-12-23 22:47" in local time; blanks for null. */
void desk_put_time(struct buf *out, struct slice object, const char *member);
/* "#7  80 high  new  …" and its plain line, of an incident as desk/read.h writes it. */
void desk_put_incident(struct buf *out, struct slice incident, const char *language);
/* To standard output, as it is or as lines of JSON. */
int desk_print(const struct buf *out, bool json);

#endif
