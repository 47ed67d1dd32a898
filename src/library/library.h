/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What was imported, on disk, in a folder of serve.folder: sets of rules in `rules`, and in the
 * same way lists of indicators (indicator/keep.h). Of rules there are:
 *
 *     NAME/VERSION/on/…         files that are switched on, as they came; off/…: the others
 *     NAME/VERSION/profile.yml  what decided which
 *     NAME/VERSION/version.json where it came from, when, by whom, how much it is
 *     NAME/current              one line: the VERSION in force; not there: none is
 *     exceptions/ID.yml         filters of the operator's own (exception.h)
 *     history                   a JSON object a line for each change, with when and who
 *
 * A VERSION is called RELEASE-HASH and never changes: the hash is of all of it (catalog.h). It has
 * its name only when it is whole and durable; `current` is replaced as a whole. So after any end
 * each is the old one or the new one. Names begin with a dot while they are made.
 *
 * Who changes something holds a lock on the folder. What root makes belongs to the owner of
 * serve.folder, who has to read it.
 */
#ifndef VAKA_LIBRARY_LIBRARY_H
#define VAKA_LIBRARY_LIBRARY_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "library/catalog.h"

enum {
    LIBRARY_NAME_MAX = 64,   /* bytes of the name of a set or a version */
    LIBRARY_SETS_MAX = 4096, /* sets, or versions of one */
    LIBRARY_WHO_MAX = 128,
};
#define LIBRARY_EXCEPTIONS "exceptions"
#define LIBRARY_OWN        "own"

struct library {
    const char *path; /* borrowed: of the folder `rules`, for messages */
    int folder;       /* -1: there is none, and so nothing in it */
    bool own;         /* files are to be given to that owner */
    uid_t uid;
    gid_t gid;
};

struct library_name {
    char text[LIBRARY_NAME_MAX + 1];
};

/* 1 to LIBRARY_NAME_MAX of a-z A-Z 0-9 . _ - +, not beginning with a dot, no reserved one. */
bool library_name_read(struct slice text, struct library_name *ret);

/*
 * `path` is serve.folder/rules. With `change` it is made when it is not there, and locked until
 * library_close(). diag says what is wrong.
 */
int library_open(struct library *l, const char *path, bool change, struct diag *diag) MUST_USE;
void library_close(struct library *l);
/*
 * Root becomes the owner of serve.folder, for good: before it looks into what others wrote.
 * ERR_ACCESS.
 */
int library_drop_root(struct library *l, struct diag *diag) MUST_USE;
/* Others may change something again. */
void library_unlock(const struct library *l);

/* Sets, or versions of a set (oldest import first). ERR_LIMIT: more than LIBRARY_SETS_MAX. */
struct library_list {
    struct library_name *items;
    uint32_t n;
};
int library_sets(const struct library *l, struct library_list *ret, struct diag *diag) MUST_USE;
int library_versions(const struct library *l, const char *set, struct library_list *ret,
                     struct diag *diag) MUST_USE;
void library_list_done(struct library_list *list);

/* Appends version.json, one object. */
int library_about(const struct library *l, const char *set, const char *version, struct buf *out,
                  struct diag *diag) MUST_USE;

/* The version in force; false when there is none. */
bool library_current(const struct library *l, const char *set, struct library_name *ret);
/* Puts a version into force; NULL: none. Durable when 0 is returned. ERR_NOT_FOUND. */
int library_use(const struct library *l, const char *set, const char *version,
                struct diag *diag) MUST_USE;

/* A version as it is kept; ERR_CORRUPT: it is not what was imported. pack_done() on success. */
int library_read(const struct library *l, const char *set, const char *version, struct pack *ret,
                 struct diag *diag) MUST_USE;
/* The name that a catalog's version has. */
void library_version_of(const struct catalog *c, struct library_name *ret);
/* The hash in a version's name is that of the catalog made of what is kept. */
bool library_is_whole(const char *version, const struct catalog *c);

struct library_origin {
    struct slice from, who; /* where it came from; who says so */
    nsec now;
};
/*
 * Keeps what the catalog, made with `profile`, holds. *ret_new: it was not there before. Durable
 * when 0 is returned.
 */
int library_add(const struct library *l, const char *set, const struct catalog *c,
                const struct profile *profile, const struct library_origin *origin,
                struct library_name *ret, bool *ret_new, struct diag *diag) MUST_USE;

/* A file of a version that has a few of them, version.json among them. */
struct library_text {
    const char *name;
    struct slice text;
};
/* The same for such a version, which stays as it is when it is there already. */
int library_add_texts(const struct library *l, const char *set, const char *version,
                      const struct library_text *texts, uint32_t n, struct diag *diag) MUST_USE;
/* Appends one of its files. */
int library_read_text(const struct library *l, const char *set, const char *version,
                      const char *name, struct buf *out, struct diag *diag) MUST_USE;
/* Takes a version away for good. */
int library_remove(const struct library *l, const char *set, const char *version,
                   struct diag *diag) MUST_USE;

/* A file in a folder of the library, made or replaced as a whole; durable when 0 is returned. */
int library_write(const struct library *l, const char *folder, const char *name, struct slice text,
                  struct diag *diag) MUST_USE;
/* Takes a file away by giving it a name beginning with a dot and `ended-`. ERR_NOT_FOUND. */
int library_put_away(const struct library *l, const char *folder, const char *name,
                     struct diag *diag) MUST_USE;

/* Appends the history, oldest first; nothing when there is none yet. ERR_LIMIT, ERR_IO. */
int library_history(const struct library *l, struct buf *out, struct diag *diag) MUST_USE;
/* Appends a line to the history: `members` are those of a JSON object, without braces. */
int library_note(const struct library *l, nsec now, struct slice who, const char *what,
                 struct slice members, struct diag *diag) MUST_USE;

#endif
