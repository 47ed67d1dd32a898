/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The journal of systemd on this machine, sd-journal(3). A record is an entry in the journal export
 * format (export.h), with its cursor and times first, as `journalctl -o export` writes it.
 */
#ifndef VAKA_COLLECT_JOURNAL_H
#define VAKA_COLLECT_JOURNAL_H

#include "collect/core.h"

struct journal_row {
    struct slice name;  /* the caller's until collect_free() */
    const char *folder; /* of journal files, for tests and copies; NULL: this machine's own */
    uint32_t tenant;
    uint32_t record_max; /* bytes of an entry; 0: 64 KiB */
    struct slice state;  /* the cursor that collect_out.state told last; borrowed for the call */
    bool skip_existing;  /* without a state: only what comes from now on */
};

struct journal;

/* ERR_ACCESS: not readable; ERR_INVALID: a state that is no cursor. */
int journal_new(struct core *core, const struct journal_row *row, struct journal **ret) MUST_USE;
void journal_stop(struct journal *j);
void journal_free(struct journal *j);
/* To be called about once a second. */
void journal_tick(struct journal *j);

#endif
