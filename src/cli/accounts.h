/* SPDX-License-Identifier: EUPL-1.2 */
/* What vaka user, role and token have in common: an action, its body, and its answer. */
#ifndef VAKA_CLI_ACCOUNTS_H
#define VAKA_CLI_ACCOUNTS_H

#include "account/action.h"
#include "cli/ask.h"

struct accounts {
    struct settings settings;
    const char *shown, *reason, *label, *expires;
    uint64_t tenant, after, last;
    uint64_t roles, rights; /* bits */
    bool json, from_stdin, invite;
    struct buf body; /* an object that is open for more */
    struct buf answer;
};

#define ACCOUNTS_ROLES "viewer|analyst|responder|on-call|admin|auditor"
#define OPTION_REASON                                                                              \
    {                                                                                              \
        'r', "reason", "TEXT", "Why; it is kept in the log of accounts.",                          \
            OPTION_TEXT(struct accounts, reason)                                                   \
    }
#define OPTION_TENANT                                                                              \
    {                                                                                              \
        0, "tenant", "N", "The tenant that it is about; default: 0.",                              \
            OPTION_NUMBER(struct accounts, tenant, 0, UINT32_MAX - 1)                              \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        'f', "format", "table|json",                                                               \
            "What is printed: a table, or the answer as one JSON object.",                         \
            OPTION_CHOICE(struct accounts, json)                                                   \
    }

/* Opens the body, with the name when it is not NULL. */
void accounts_begin(struct accounts *a, const char *name);
/* Members of the body, when they were said. */
void accounts_put(struct accounts *a, const char *member, const char *value);
void accounts_put_number(struct accounts *a, const char *member, uint64_t value);
/* Appends seconds since 1970 as a time, "-" for none, with blanks up to `columns` (0: as it is). */
void accounts_put_time(struct buf *out, struct slice seconds, size_t columns);
/* Calls row() for each part of the array of that name and prints what it appended. */
void accounts_print_rows(const struct accounts *a, const char *member,
                         void (*row)(struct buf *out, struct slice part));
/* The same with the names in an array, commas between them. */
void accounts_put_names(struct buf *out, struct slice array, size_t columns);
/*
 * The end of a command: asks the running vaka serve, prints its answer as one object where that is
 * wanted, else by `tell` (NULL: there is nothing to be told), says what is wrong, and lets go of
 * everything: the body is overwritten, it may have a password. An exit status.
 */
int accounts_finish(struct accounts *a, enum account_action action,
                    void (*tell)(const struct accounts *a)) MUST_USE;
/* The end of one that asks nothing. */
void accounts_done(struct accounts *a);

/* `take`: what options with OPTION_CALL are told, or NULL. */
#define ACCOUNTS_COMMAND(id, words, args, line, more, opts, take, fn)                              \
    const struct command command_##id = {.name = words,                                            \
                                         .operands = args,                                         \
                                         .summary = line,                                          \
                                         .description = more,                                      \
                                         .options = opts,                                          \
                                         .n_options = sizeof opts / sizeof *(opts),                \
                                         .ctx_size = sizeof(struct accounts),                      \
                                         .option = take,                                           \
                                         .run = fn}

#endif
