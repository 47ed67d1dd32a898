/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A copy of what vaka serve must not lose, made while it runs, and the way back.
 *
 * A backup is a folder like serve.folder: keys/, rules/, indicators/ and audit/ (when there are),
 * accounts/accounts.db, state/vaka.db, oncall/oncall.db and store/0/, and the file `backup`, one
 * JSON object, which is written last: without it the backup is not whole. It says
 *
 *     "format" 1 · "version" of Vaka · "made" (RFC 3339) · "records": how many were ever stored ·
 *     "matched": how many of them the database knows the alerts of
 *
 * What makes it consistent is the order. What was signed is copied before the records it covers.
 * Journals are opened before and directly after the moment that the copy of the database shows, so
 * that each record which that one does not know as matched is in a journal of the copy; a journal
 * that came and went between the two is an error. Of the newest journal everything is copied that
 * is whole, after a sync: nothing that a power cut could still take back. Segments, which never
 * change, come last; on the same disk they get a second name instead of being copied.
 */
#ifndef VAKA_BACKUP_BACKUP_H
#define VAKA_BACKUP_BACKUP_H

#include "backup/copy.h"
#include "base/clock.h"

enum { BACKUP_FORMAT = 1, BACKUP_JOURNALS_MAX = 4096 };

struct backup_options {
    const char *folder; /* serve.folder */
    const char *to;     /* made when it is not there; must be empty */
    const char *version;
    nsec now;
};

struct backup_report {
    struct copy_counts counts;
    uint64_t records, matched;
    bool without_key; /* of backup_restore(): accounts are there, keys/accounts.key is not */
};

/*
 * diag says what is wrong. ERR_INVALID: `to` is not empty; ERR_STOPPED: journals changed too fast,
 * to be tried again; ERR_LIMIT: the disk is full, or there are too many journals; ERR_CORRUPT,
 * ERR_ACCESS, ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
 */
int backup_make(const struct backup_options *options, struct backup_report *ret,
                struct diag *diag) MUST_USE;

/*
 * `from`, a whole backup, into `folder`, which is made when it is not there and must be empty.
 * Everything is copied, so that nothing that happens to the one harms the other; it becomes the
 * owner's of `folder` when this is root. The same errors; ERR_INVALID, too, when it is no backup or
 * one of a later format.
 */
int backup_restore(const char *from, const char *folder, struct backup_report *ret,
                   struct diag *diag) MUST_USE;

#endif
